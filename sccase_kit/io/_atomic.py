"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path` that takes its place when the block ends without an error.

    On any error, Ctrl-C included, the temporary file or folder is removed and what was at `path` stays.

    Raises
    ------
    FileNotFoundError
        If the parent folder does not exist.
    """
    target = Path(path)
    parent = target.parent
    if not parent.is_dir():
        msg = f"the folder {str(parent)!r} does not exist; create it before writing {target.name!r}"
        raise FileNotFoundError(msg)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=parent) as private:
        temporary = Path(private) / target.name
        yield temporary
        if target.is_dir() and temporary.is_dir():
            aside = Path(private) / "replaced"
            os.replace(target, aside)
            os.replace(temporary, target)
            _remove(aside)
        else:
            os.replace(temporary, target)
