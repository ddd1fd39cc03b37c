"""Optional dependencies and external programs: imported where needed, with a way out when missing."""

from __future__ import annotations

import importlib
import shutil
from types import ModuleType


class MissingProgramError(RuntimeError):
    """An external program that a function needs is not on the PATH."""


def import_optional(module: str, *, extra: str) -> ModuleType:
    """Import `module`, or raise ImportError with the line that installs the extra that brings it.

    Parameters
    ----------
    module
        Dotted name of the module.
    extra
        Name of the extra of this package that installs it.

    Raises
    ------
    ImportError
        If the module cannot be imported; the original error carries the install line as a note.
    """
    try:
        return importlib.import_module(module)
    except ImportError as err:
        err.add_note(f"{module} is optional. Install it with: pip install 'sccase_kit[{extra}]'")
        raise


def require_program(program: str, *, hint: str) -> str:
    """Return the path of `program`, or raise :class:`MissingProgramError` saying how to install it.

    Raises
    ------
    MissingProgramError
        If the program is not on the PATH.
    """
    path = shutil.which(program)
    if path is None:
        msg = f"the program {program!r} was not found on the PATH. {hint}"
        raise MissingProgramError(msg)
    return path
