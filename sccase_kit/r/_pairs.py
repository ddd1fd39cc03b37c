"""Which rpy2 goes with which R, and what its failures mean."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version

PAIR = "rpy2==3.6.6 rpy2-robjects==3.6.6 rpy2-rinterface==3.6.5"
"""The releases that work with every R from 4.2 (Debian 12) to 4.6; 3.6.9 / rinterface 3.6.7 need R 4.5."""

_PARTS = ("rpy2", "rpy2-robjects", "rpy2-rinterface")


def installed() -> dict[str, str | None]:
    """Return the installed version of each part of rpy2, None where a part is missing."""

    def find(name: str) -> str | None:
        try:
            return version(name)
        except PackageNotFoundError:
            return None

    return {name: find(name) for name in _PARTS}


def explain(failure: str) -> str:
    """Explain why rpy2 does not start.

    Parameters
    ----------
    failure
        Text of the failure: the exception, or the end of a traceback.
    """
    parts = installed()
    have = ", ".join(f"{name} {number}" for name, number in parts.items() if number) or "no rpy2"
    reinstall = f"pip install --no-cache-dir --force-reinstall {PAIR}"
    if parts["rpy2"] is None and parts["rpy2-rinterface"] is None:
        return f"rpy2 is not installed. With R present: pip install 'sccase_kit[r]' ({PAIR}). [{failure}]"
    if symbol := re.search(r"undefined symbol: (\w+)|Symbol not found: _?(\w+)|cannot import name '(R\w+)'", failure):
        name = next(group for group in symbol.groups() if group)
        return (
            f"this rpy2 was made for another R: R lacks {name} ({have}). rpy2-rinterface 3.6.6 and later need R 4.5; "
            f"these releases work with older ones too: {reinstall}. [{failure}]"
        )
    if re.search(r"libR\.(so|dylib)|Library not loaded|shared object file", failure):
        return (
            f"rpy2 does not find R's shared library ({have}). R must be built with --enable-R-shlib and be the one "
            f"rpy2 was installed for; set R_HOME to it, then: {reinstall}. [{failure}]"
        )
    if re.search(r"r_home|R_HOME|R home", failure):
        return f"rpy2 does not find R ({have}). Put R on the PATH or set R_HOME (R RHOME prints it). [{failure}]"
    if re.search(r"_rinterface_cffi|No module named 'rpy2|cannot import name", failure):
        return f"the parts of rpy2 do not fit together ({have}). Install the tested set: {reinstall}. [{failure}]"
    return f"rpy2 does not start ({have}). The tested set is: {reinstall}. [{failure}]"
