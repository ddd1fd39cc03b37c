"""R values to and from rpy2's low level; memory is copied, never shared with R."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ._session import call_r, r_session
from ._values import NA_INTEGER, NULL, RValue

_KINDS = {
    "LGLSXP": "logical",
    "INTSXP": "integer",
    "REALSXP": "double",
    "CPLXSXP": "complex",
    "STRSXP": "character",
    "RAWSXP": "raw",
}
_DTYPES = {"logical": np.int32, "integer": np.int32, "double": np.float64, "complex": np.complex128, "raw": np.uint8}


def write_sexp(value: RValue) -> Any:
    """Build the R value; call it inside ``exclusive()``."""
    ri = r_session().rinterface
    if value.kind == "NULL":
        return ri.NULL
    if value.kind == "opaque":
        return value.origin
    if value.kind == "make":
        function, arguments = value.data
        return call_r(r_session().helper(function), **{name: write_sexp(item) for name, item in arguments.items()})
    if value.kind == "list":
        vector = ri.ListSexpVector([write_sexp(item) for item in value.data])
    elif value.kind == "character":
        vector = ri.StrSexpVector([ri.NA_Character if item is None else item for item in value.data])
    else:
        vector = _vector(value.kind, value.data)
    for name, attribute in value.attributes.items():
        if name == "class":
            vector.rclass = write_sexp(attribute)
        elif name == "names" and len(value) == 0:
            continue
        else:
            vector.do_slot_assign(name, write_sexp(attribute))
    return vector


def _vector(kind: str, values: np.ndarray) -> Any:
    """Copy a one-dimensional array into an R vector with one move of memory."""
    ri = r_session().rinterface
    classes = {
        "integer": ri.IntSexpVector,
        "double": ri.FloatSexpVector,
        "logical": ri.BoolSexpVector,
        "complex": ri.ComplexSexpVector,
        "raw": ri.ByteSexpVector,
    }
    if values.size == 0 or kind in ("complex", "raw"):
        return classes[kind](values.tolist())
    return classes[kind].from_memoryview(values.data)


class _Attributes(Mapping[str, RValue]):
    """Attributes of an R value, read when they are asked for."""

    def __init__(self, value: Any) -> None:
        self._value = value
        self._names = list(value.list_attrs())

    def __getitem__(self, name: str) -> RValue:
        if name not in self._names:
            raise KeyError(name)
        return read_sexp(self._value.do_slot(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def read_sexp(value: Any) -> RValue:
    """Read an R value of rpy2; what is no data (functions, environments) is opaque."""
    kind = value.typeof.name if hasattr(value, "typeof") else ""
    if kind == "NILSXP" or (kind == "SYMSXP" and str(value) == "\x01NULL\x01"):
        return NULL
    if kind == "S4SXP":
        return RValue("S4", None, _Attributes(value), value)
    if kind == "VECSXP":
        return RValue("list", [read_sexp(item) for item in value], _Attributes(value), value)
    if kind not in _KINDS:
        return RValue("opaque", origin=value)
    return RValue(_KINDS[kind], _read_vector(value, _KINDS[kind]), _Attributes(value), value)


def _read_vector(value: Any, kind: str) -> Any:
    if kind == "character":
        from rpy2.rinterface_lib.sexp import NACharacterType

        return [None if isinstance(item, NACharacterType) else str(item) for item in value]
    if len(value) == 0:
        return np.empty(0, dtype=_DTYPES[kind])
    if kind in ("complex", "raw"):
        return np.array(list(value), dtype=_DTYPES[kind])
    return np.array(value.memoryview())


def plain_matrix(value: RValue) -> RValue | None:
    """Let R turn a matrix of any class into a dgCMatrix or a base matrix; None where there is no R to ask."""
    if value.origin is None or not hasattr(value.origin, "__sexp__"):
        return None
    return read_sexp(call_r(r_session().helper("plain_matrix"), value.origin))


__all__ = ["NA_INTEGER", "plain_matrix", "read_sexp", "write_sexp"]
