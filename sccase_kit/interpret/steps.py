"""A folder of results that is made step by step and taken up again where it was left."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .._atomic import replacing
from .._logging import logger
from .._version import __version__

#: Names of the files in the folder of a step: the table, its attributes, what it was made from.
TABLE, ATTRIBUTES, RECORD = "result.tsv", "attributes.json", "step.json"
#: The file in the folder of all steps with the call that made them, and its key among the attributes of their tables.
CALL, CALLED = "call.json", "interpret"
#: Name of the background peaks among the groups of the table of peaks.
BACKGROUND = "background"
_LONGEST = 20  # items of an argument that is kept as code


def fingerprint(value: object) -> str:
    """Return a hash of what a step is made from.

    Files and prefixes of files count by their names, sizes and times of change, not by their contents.
    """
    digest = hashlib.sha256()
    _feed(digest, value)
    return digest.hexdigest()


def _feed(digest: Any, value: object) -> None:
    digest.update(type(value).__name__.encode())
    if isinstance(value, (pd.DataFrame, pd.Series, pd.Index)):
        if isinstance(value, pd.DataFrame):
            _feed(digest, [str(c) for c in value.columns])
        digest.update(pd.util.hash_pandas_object(value).to_numpy().tobytes())
    elif isinstance(value, np.ndarray):
        digest.update(np.ascontiguousarray(value).tobytes() if value.dtype != object else repr(value.tolist()).encode())
    elif isinstance(value, Mapping):
        for key, item in value.items():
            digest.update(repr(key).encode())
            _feed(digest, item)
    elif isinstance(value, (str, os.PathLike)):
        digest.update(os.fspath(value).encode() if isinstance(os.fspath(value), str) else os.fspath(value))
        for file in _files_of(Path(value)):
            state = file.stat()
            digest.update(f"{file.name} {state.st_size} {state.st_mtime_ns}".encode())
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        for item in value:
            _feed(digest, item)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            _feed(digest, getattr(value, field.name))
    elif isinstance(value, np.random.Generator):
        digest.update(repr(value.bit_generator.state).encode())
    else:
        digest.update(repr(value).encode())


def _files_of(path: Path) -> list[Path]:
    """Return the file, or the files whose names start with the prefix."""
    try:
        if path.is_file():
            return [path]
        if path.name and path.parent.is_dir() and len(path.parts) > 1:
            return sorted(p for p in path.parent.iterdir() if p.name.startswith(path.name) and p.is_file())
    except OSError:  # a text that is no path, too long for one
        pass
    return []


def run_step(
    folder: Path, name: str, made_from: object, work: Callable[[Path], pd.DataFrame | None], *, overwrite: bool = False
) -> pd.DataFrame | None:
    """Make the folder of one step, or take the one that is there and was made from the same.

    Parameters
    ----------
    folder
        Folder of all steps.
    name
        Name of the step and of its folder, which appears when the step is complete.
    made_from
        Everything that decides the result; see :func:`fingerprint`.
    work
        Called with the folder to write to; what it returns is written as the step's table.
    overwrite
        Make it anew in any case.

    Returns
    -------
    The table as read from the file, or None if the step has none.
    """
    target, mark = folder / name, fingerprint([made_from, __version__])
    record = target / RECORD
    if not overwrite and record.is_file():
        try:
            known = json.loads(record.read_text(encoding="utf-8"))
        except ValueError:
            known = None
        if isinstance(known, dict) and known.get("fingerprint") == mark:
            logger.info("%s: kept from an earlier run", target)
            return read_step(target)
    with replacing(target, folder=True) as temporary:
        temporary.mkdir()
        table = work(temporary)
        if table is not None:
            table.to_csv(temporary / TABLE, sep="\t", index=False, lineterminator="\n")
            attributes = json.dumps(dict(table.attrs), default=str)
            (temporary / ATTRIBUTES).write_text(attributes, encoding="utf-8")
        text = json.dumps({"fingerprint": mark, "version": __version__}) + "\n"
        (temporary / RECORD).write_text(text, encoding="utf-8")
    return read_step(target)


def read_step(folder: Path) -> pd.DataFrame | None:
    """Return the table of a finished step with its attributes, or None if the step has none."""
    if not (folder / TABLE).is_file():
        return None
    texts = {"group": str, "trait": str, "condition": str, "chrom": str, "peak": str, "ID": str, "Category": str}
    table = pd.read_csv(folder / TABLE, sep="\t", dtype=texts, keep_default_na=False, na_values=[""], low_memory=False)
    for column in table.columns:
        if not pd.api.types.is_numeric_dtype(table[column]):
            table[column] = table[column].fillna("")
    table.attrs.update(json.loads((folder / ATTRIBUTES).read_text(encoding="utf-8")))
    if (call := _read_call(folder.parent)) is not None:
        table.attrs[CALLED] = call
    return table


def keep_call(folder: Path, arguments: Mapping[str, Any], known: Mapping[str, object]) -> dict[str, Any]:
    """Write, and return, the arguments of the call that made a folder: argument → code, None for what no code can say.

    Arguments that are None are left out; of an object, such as a table, only the name is kept, inside the options of a
    tool too, unless it is one of `known` (code → object).
    """
    call = {name: _code(value, known) for name, value in arguments.items() if value is not None}
    if _read_call(folder) != call:
        with replacing(folder / CALL) as temporary:
            temporary.write_text(json.dumps(call, indent=1) + "\n", encoding="utf-8")
    return call


def _code(value: object, known: Mapping[str, object]) -> Any:
    """Return the code of a value, a mapping of those of options, or None."""
    for code, one in known.items():
        if value is one or (isinstance(value, pd.DataFrame) and isinstance(one, pd.DataFrame) and value.equals(one)):
            return code
    if isinstance(value, (Mapping, list, tuple)) and len(value) > _LONGEST:
        return None
    if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        return {name: _code(item, known) for name, item in value.items() if item is not None}
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, (list, tuple)):
        parts = [_code(item, known) for item in value]
        return f"[{', '.join(parts)}]" if all(isinstance(part, str) for part in parts) else None
    return repr(value) if isinstance(value, (str, bool, int, float)) else None


def _read_call(folder: Path) -> dict[str, Any] | None:
    try:
        call = json.loads((folder / CALL).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return call if isinstance(call, dict) else None
