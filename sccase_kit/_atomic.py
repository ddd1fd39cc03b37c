"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import platform
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

fcntl: Any
try:
    import fcntl
except ImportError:  # not on Windows: leftovers of killed runs then stay
    fcntl = None

#: In the names of the hidden folders that hold what is being written.
MARK = "unfinished"
#: A folder is replaced only if it is empty or holds one of these: stores, and folders that the package has written.
OWN = ("zarr.json", ".zgroup", "step.json", "run_ldsc.sh", "condition_pvalues.txt", "TRACKS.txt")
_ASIDE, _REMOVED = "replaced", "removed"
_FULL = {errno.ENOSPC, errno.EDQUOT}


def check_path(value: object, *, name: str = "path") -> Path:
    """Return a path, else raise TypeError."""
    if not isinstance(value, (str, os.PathLike)):
        msg = f"{name} must be the name of a file or folder (text or a Path), got {type(value).__name__}"
        raise TypeError(msg)
    return Path(value)


def check_place(path: str | os.PathLike[str], *, folder: bool | None = None) -> Path:
    """Return where `path` leads (links followed) if something can be written there; nothing stays.

    Parameters
    ----------
    path
        Target.
    folder
        Whether a folder is to be written; `None` for those whose name ends in ``.zarr``.

    Raises
    ------
    FileNotFoundError
        If the parent folder does not exist.
    IsADirectoryError, NotADirectoryError
        If a folder lies where a file is to be, or the other way round.
    FileExistsError
        If the folder to be replaced holds something else than what the package writes.
    OSError
        If the parent folder may not be written, or the target is a device or pipe.
    """
    given = check_path(path)
    target = Path(os.path.realpath(given))
    if folder is None:
        folder = given.suffix.lower() == ".zarr"
    if not target.parent.is_dir():
        msg = f"the folder {str(given.parent)!r} does not exist; create it before writing {given.name!r}"
        raise FileNotFoundError(msg)
    try:
        mode = target.stat().st_mode  # looked at once: another process may be putting its own in place
    except FileNotFoundError:
        mode = None
    if mode is not None and stat.S_ISDIR(mode):
        if not folder:
            msg = f"{str(given)!r} is a folder, and a file is to be written: choose another name"
            raise IsADirectoryError(msg)
        held = _held(target)
        if held and held.isdisjoint(OWN):
            msg = f"{str(given)!r} holds other files, such as {min(held)!r}, and would be replaced: choose another name"
            raise FileExistsError(msg)
    elif mode is not None and (folder or not stat.S_ISREG(mode)):
        what = "a file, and a folder is to be written" if stat.S_ISREG(mode) else "a device or pipe"
        msg = f"{str(given)!r} is {what}: choose another name"
        raise NotADirectoryError(msg) if folder else OSError(msg)
    _check_writable(target.parent, target.name)
    return target


def _held(folder: Path) -> set[str]:
    """Names in a folder; none if another process replaced it meanwhile, since what was read may be half removed."""
    try:
        before = folder.stat()
        names = set(os.listdir(folder))
        return names if os.path.samestat(before, folder.stat()) else set()
    except FileNotFoundError:
        return set()


def check_folder(path: str | os.PathLike[str]) -> Path:
    """Return a folder that is there, or can be made with its parents, and be written to; nothing stays.

    Raises
    ------
    NotADirectoryError
        If it, or a folder on the way to it, is a file.
    OSError
        If it may not be written.
    """
    folder = check_path(path)
    near = Path(os.path.abspath(folder))
    while not near.exists():
        near = near.parent
    if not near.is_dir():
        msg = f"{str(folder)!r} must be a folder, and {str(near)!r} is a file"
        raise NotADirectoryError(msg)
    _check_writable(near, folder.name)
    return folder


def _check_writable(folder: Path, name: str) -> None:
    """Make a file without a name, or remove it at once: permissions do not tell all, such as those of /proc."""
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise _explained(error, folder, name) from error


@contextmanager
def replacing(path: str | os.PathLike[str], *, folder: bool | None = None) -> Iterator[Path]:
    """Yield a temporary path next to `path` that takes its place when the block ends without an error.

    On any error, Ctrl-C included, the temporary file or folder is removed and what was at `path` stays. A process that
    is killed leaves the hidden folder ``.<name>.unfinished.<host>.<random>``; the next one that writes the same target
    on that host removes it, unless its writer still runs (it holds a lock).

    Parameters
    ----------
    path, folder
        See :func:`check_place`. A link is followed: what it points to is replaced.

    Raises
    ------
    OSError
        As :func:`check_place`; and if the disk is full.
    """
    target = check_place(path, folder=folder)
    clear_leftovers(target)
    private, lock = _private_folder(target)
    try:
        temporary = private / target.name
        try:
            yield temporary
            if temporary.is_file():
                _flush(temporary)
        except Exception as error:
            if (number := _full_disk(error)) is not None:
                msg = f"{os.strerror(number)} in {str(target.parent)!r}: {target.name!r} was not written"
                raise OSError(number, msg) from error
            raise
        _take_place(temporary, target, private / _ASIDE)
    finally:
        try:
            _discard(private, target)
        except KeyboardInterrupt:  # in the middle of it: finish
            _discard(private, target)
            raise
        finally:
            if lock is not None:
                os.close(lock)


def clear_leftovers(target: Path) -> None:
    """Remove what killed writers of `target` on this host have left, and put back what they had set aside."""
    prefix = _prefix(target)
    with os.scandir(target.parent) as entries:
        left = [Path(entry.path) for entry in entries if entry.name.startswith(prefix)]
    for private in left:
        with suppress(OSError):
            lock = _lock(private)  # BlockingIOError: its writer is at work
            if lock is not None:
                try:
                    _discard(private, target)
                finally:
                    os.close(lock)


def _explained(error: OSError, folder: Path, name: str) -> OSError:
    """Return the error with the target in place of a temporary name."""
    return OSError(error.errno, f"{os.strerror(error.errno or 0)}: {name!r} cannot be written in {str(folder)!r}")


def _prefix(target: Path) -> str:
    """Return how the names of the hidden folders of `target` begin, far shorter than a name may be."""
    name = os.fsencode(target.name)[:120].decode("utf-8", "ignore")
    host = re.sub(r"[^A-Za-z0-9-]", "_", platform.node())[:60]
    return f".{name}.{MARK}.{host}."


def _private_folder(target: Path) -> tuple[Path, int | None]:
    """Make the hidden folder and lock it; one that another process cleared away before the lock is made again."""
    while True:
        try:
            private = Path(tempfile.mkdtemp(prefix=_prefix(target), dir=target.parent))
        except OSError as error:
            raise _explained(error, target.parent, target.name) from error
        with suppress(BlockingIOError, FileNotFoundError):
            lock = _lock(private)
            if private.is_dir():
                return private, lock
            if lock is not None:
                os.close(lock)


def _lock(folder: Path) -> int | None:
    """Return the descriptor that locks a folder until it is closed or the process ends; None where locks are unknown.

    Raises
    ------
    BlockingIOError
        If another process holds the lock.
    """
    if fcntl is None:
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            raise
        return None
    return descriptor


def _take_place(temporary: Path, target: Path, aside: Path) -> None:
    """Move `temporary` to `target`; of two processes that end at once, the later one wins."""
    while True:
        try:
            os.replace(temporary, target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        else:
            return
        shutil.rmtree(aside, ignore_errors=True)  # of a round before
        with suppress(FileNotFoundError):  # another process has just moved it
            os.replace(target, aside)


def _discard(private: Path, target: Path) -> None:
    """Remove a hidden folder; a folder set aside in it goes back to its place if nothing came there.

    After an interrupt zarr's threads go on for a moment and may make files and folders anew: look again.
    """
    aside, stores = private / _ASIDE, (private / target.name).is_dir()
    if aside.exists():
        with suppress(OSError):  # what is half removed must not look like what was set aside
            os.replace(aside, private / _REMOVED if target.exists() else target)
    for _ in range(20):
        shutil.rmtree(private, ignore_errors=True)
        if stores:
            time.sleep(0.1)
        if not private.exists():
            return


def _flush(file: Path) -> None:
    """Bring a file to the disk: quotas and network folders may refuse only here."""
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _full_disk(error: BaseException | None) -> int | None:
    """Return the number of the error if a full disk or quota is behind it; HDF5 tells it in its text alone."""
    while error is not None:
        numbers = {getattr(error, "errno", None), *(int(n) for n in re.findall(r"errno = (\d+)", str(error)))}
        if found := numbers & _FULL:
            return found.pop()
        error = error.__cause__ or error.__context__
    return None


#: Bytes of a name that file systems take (255) less room for what is put behind it.
_LONGEST_NAME = 100


def file_name(group: object) -> str:
    """Return a group's name as a name of a file: other characters become ``_``, a long one is cut and given a hash."""
    name = "".join(c if c.isalnum() or c in "-_.+" else "_" for c in str(group))
    name = name if name.strip(".") else f"_{name}"
    if len(name.encode()) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(str(group).encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{name.encode()[: _LONGEST_NAME - 9].decode(errors='ignore')}_{digest}"


def file_names(groups: Iterable[object]) -> dict[object, str]:
    """Return group → name of a file, all different in any case (``a/b`` and ``a_b``: ``a_b`` and ``a_b_2``)."""
    names: dict[object, str] = {}
    taken: set[str] = set()
    for group in groups:
        plain, n = file_name(group), 1
        while (name := plain if n == 1 else f"{plain}_{n}").casefold() in taken:
            n += 1
        taken.add(name.casefold())
        names[group] = name
    return names
