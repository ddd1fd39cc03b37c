"""R's files (.rds, .RData) without R: parsed by the package ``rdata``, which runs no code from the file."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np

from .._optional import import_optional
from ._values import NA_INTEGER, NULL, RValue

_NULL_SLOT = "\x01NULL\x01"
_FIELD = ".->"
_LATIN1 = 4  # CharFlags.LATIN1


def parse(path: str | os.PathLike[str]) -> RValue:
    """Return the value of a file; of .RData the named list of its objects.

    Raises
    ------
    ImportError
        If ``rdata`` is missing.
    NotImplementedError, ValueError, …
        What ``rdata`` raises for files that it cannot parse.
    """
    parser = import_optional("rdata.parser", extra="rds")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of types that are skipped, such as the tags of functions
        # An ending that rdata knows keeps it from guessing at names such as x.RDS.
        found = parser.parse_file(os.fspath(path), extension=".rds" if _ending(path) == ".rds" else ".rda")
    return value_of(found.object)


def _ending(path: str | os.PathLike[str]) -> str:
    return os.path.splitext(os.fspath(path))[1].lower()


def _text(item: Any) -> str | None:
    """Return a CHARSXP as text; None is NA."""
    if item.value is None:
        return None
    latin = bool(int(item.info.gp) & _LATIN1)
    return item.value.decode("latin-1" if latin else "utf-8", errors="surrogateescape")


def _symbol(item: Any) -> str:
    while item.referenced_object is not None:
        item = item.referenced_object
    return _text(item.value) or "" if item.info.type.name == "SYM" else ""


def _pairs(item: Any) -> dict[str, RValue]:
    """Return a pairlist by its tags."""
    found = {}
    while item is not None and item.info.type.name == "LIST":
        head, rest = item.value
        if item.tag is not None:
            found[_symbol(item.tag)] = value_of(head)
        item = rest
    return found


def _environment(value: Any) -> RValue:
    """Return the bindings of an environment, such as the fields of a reference class, without those of the system."""
    table = getattr(value, "hash_table", None)
    frames = [value.frame] if value is not None and value.frame is not None else []
    frames += list(table.value) if table is not None and table.info.type.name == "VEC" else []
    bound: dict[str, RValue] = {}
    for frame in frames:
        bound |= _pairs(frame)
    found = {name: entry for name, entry in bound.items() if name and not name.startswith(".")}
    # a field with a type is a function; what it holds is bound to .->name
    found |= {name.removeprefix(_FIELD): entry for name, entry in bound.items() if name.startswith(_FIELD)}
    if not found:
        return RValue("opaque", ["environment"])
    return RValue("list", list(found.values()), {"names": RValue("character", list(found))})


def _array(values: Any, dtype: Any) -> np.ndarray:
    """Return an array; entries that ``rdata`` masks are R's NA."""
    if isinstance(values, np.ma.MaskedArray):
        return np.where(np.ma.getmaskarray(values), NA_INTEGER, values.data).astype(dtype)
    return np.asarray(values).astype(dtype, copy=False)


def value_of(item: Any) -> RValue:
    """Convert what ``rdata`` parsed; functions and the like are opaque, environments named lists where first met."""
    if item.referenced_object is not None:
        item = item.referenced_object
        if item.info.type.name == "ENV":  # met before; it may hold itself
            return RValue("opaque", ["environment"])
    kind = item.info.type.name
    if kind == "ENV":
        return _environment(item.value)
    if kind in ("NIL", "NILVALUE"):
        return NULL
    if kind == "SYM":
        return NULL if _symbol(item) == _NULL_SLOT else RValue("opaque", ["name"])
    if kind == "LIST":
        found = _pairs(item)
        return RValue("list", list(found.values()), {"names": RValue("character", list(found))})
    attributes = {} if item.attributes is None else _pairs(item.attributes)
    if kind == "S4":
        return RValue("S4", None, attributes)
    if kind in ("LGL", "INT"):
        return RValue("logical" if kind == "LGL" else "integer", _array(item.value, np.int32), attributes)
    if kind == "REAL":
        return RValue("double", _array(item.value, np.float64), attributes)
    if kind == "CPLX":
        return RValue("complex", _array(item.value, np.complex128), attributes)
    if kind == "STR":
        return RValue("character", [_text(text) for text in item.value], attributes)
    if kind in ("VEC", "EXPR"):
        return RValue("list", [value_of(element) for element in item.value], attributes)
    return RValue("opaque", [{"CLO": "function", "LANG": "call"}.get(kind, kind.lower())])


__all__ = ["parse", "value_of"]
