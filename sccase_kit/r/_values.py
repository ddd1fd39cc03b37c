"""R's values as plain Python records: what the conversions make and read, whoever carries them.

Carriers speak these records: rpy2 (:mod:`._sexp`) and others. The conversions themselves know none of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

NA_INTEGER = -(2**31)
"""What R stores for a missing integer or logical."""

ATOMIC = ("logical", "integer", "double", "complex", "character", "raw")
_DTYPES = {
    "logical": np.int32,
    "integer": np.int32,
    "double": np.float64,
    "complex": np.complex128,
    "raw": np.uint8,
}


@dataclass(slots=True)
class RValue:
    """One R value.

    Attributes
    ----------
    kind
        ``"NULL"``, an atomic type of R, ``"list"``, ``"S4"``; ``"make"``: the value of a function of
        ``r_scripts/lib/objects.R``; ``"opaque"``: functions, environments and the like.
    data
        ndarray (logical and integer: int32 with :data:`NA_INTEGER`); list of str or None; list of values; for
        ``"make"`` the function's name and a dict of arguments.
    attributes
        R attributes by name (for S4, the slots); may be read on demand.
    origin
        The carrier's own value, None where there is none.
    """

    kind: str
    data: Any = None
    attributes: Mapping[str, RValue] = field(default_factory=dict)
    origin: Any = None

    def __len__(self) -> int:
        return 0 if self.data is None else len(self.data)

    def text(self, name: str) -> list[str]:
        """Return a character attribute, empty if there is none."""
        value = self.attributes.get(name)
        return [str(item) for item in value.data] if value is not None and value.kind == "character" else []

    @property
    def classes(self) -> list[str]:
        """The class attribute."""
        return self.text("class")

    def slot(self, name: str) -> RValue:
        """Return a slot or attribute, NULL where there is none."""
        return self.attributes.get(name, NULL)

    def items(self) -> list[tuple[str, RValue]]:
        """Return the elements of a list with their names (empty where there are none)."""
        if self.kind != "list":
            return []
        names = self.text("names") or [""] * len(self)
        return list(zip(names, self.data, strict=True))

    def get(self, name: str) -> RValue:
        """Return an element of a named list, NULL where there is none."""
        return next((value for key, value in self.items() if key == name), NULL)


NULL = RValue("NULL")


def atomic(kind: str, values: Any) -> RValue:
    """Make a vector of one of R's atomic types."""
    if kind == "character":
        return RValue(kind, list(values))
    return RValue(kind, np.ascontiguousarray(values, dtype=_DTYPES[kind]))


def check_text(items: Iterable[str | None], name: str) -> list[str | None]:
    """Return the items of a character vector.

    Raises
    ------
    ValueError
        If one holds a NUL character, which ends a string in R and would shift those after it, or half a surrogate pair.
    """
    items = list(items)
    for item in items:
        if item is not None and "\0" in item:
            msg = f"{name} holds a NUL character ({item!r}), which text in R cannot hold; rename it first"
            raise ValueError(msg)
        if item is not None and not item.isascii():
            try:
                item.encode()
            except UnicodeEncodeError as err:
                msg = f"{name} holds {item!r}, which is not valid Unicode text ({err.reason}); rename it first"
                raise ValueError(msg) from None
    return items


def text(*items: str | None) -> RValue:
    """Make a character vector; see :func:`check_text` for what is refused."""
    return RValue("character", check_text(items, "text for R"))


def listed(values: Iterable[RValue], names: Sequence[str] | None = None) -> RValue:
    """Make a list; see :func:`check_text` for the names that are refused."""
    values = list(values)
    if names is None:
        return RValue("list", values)
    return RValue("list", values, {"names": RValue("character", check_text(names, "a name in a list"))})


def named(values: Mapping[str, RValue]) -> RValue:
    """Make a named list."""
    return listed(values.values(), list(values))


def make(function: str, **arguments: RValue) -> RValue:
    """Make the value that an R function of this package builds from `arguments`."""
    return RValue("make", (function, arguments))
