"""Values in and out of a binary file; the Python half of ``r_scripts/lib/exchange.R``, which describes the format."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import numpy as np

from ._from_r import from_value
from ._to_r import to_value
from ._values import NULL, RValue, check_text, listed

_FILE = "values.bin"
_BLOCK = 1 << 22
_KINDS = ("NULL", "logical", "integer", "double", "complex", "character", "raw", "list", "S4", "opaque", "make")
_DTYPES = {"logical": "<i4", "integer": "<i4", "double": "<f8", "complex": "<c16", "raw": "<u1"}


def _write_number(file: IO[bytes], number: int, dtype: str = "<i4") -> None:
    file.write(np.array([number], dtype=dtype).tobytes())


def _write_text(file: IO[bytes], text: str) -> None:
    check_text([text], "the name of an R attribute")
    data = text.encode()
    _write_number(file, len(data))
    file.write(data)


def write_value(file: IO[bytes], value: RValue) -> None:
    """Write one value.

    Raises
    ------
    TypeError
        If it is an R object of rpy2, which lives in another R.
    ValueError
        If text or a name holds a NUL character.
    """
    if value.kind == "opaque":
        msg = "an R object of rpy2 cannot be passed to another R process; pass the Python value it was made from"
        raise TypeError(msg)
    _write_number(file, _KINDS.index(value.kind))
    if value.kind == "make":
        function, arguments = value.data
        _write_text(file, function)
        write_value(file, listed(arguments.values(), list(arguments)))
        return
    _write_number(file, len(value), "<f8")
    if value.kind == "list":
        for item in value.data:
            write_value(file, item)
    elif value.kind == "character":
        check_text(value.data, "text for R")  # one more zero byte would shift every later text
        missing = np.flatnonzero([item is None for item in value.data])
        _write_number(file, len(missing))
        file.write(missing.astype("<i4").tobytes())
        data = b"".join((item or "").encode() + b"\0" for item in value.data)
        _write_number(file, len(data), "<f8")
        file.write(data)
    elif value.kind != "NULL":
        for first in range(0, len(value), _BLOCK):
            file.write(value.data[first : first + _BLOCK].astype(_DTYPES[value.kind]).tobytes())
    _write_number(file, len(value.attributes))
    for name, attribute in value.attributes.items():
        _write_text(file, name)
        write_value(file, attribute)


def _read_array(file: IO[bytes], dtype: str, count: int) -> np.ndarray:
    if not count:
        return np.empty(0, dtype=np.dtype(dtype).newbyteorder("="))
    values = np.fromfile(file, dtype=dtype, count=count)
    if len(values) != count:
        msg = f"the file ends after {len(values)} of {count} values"
        raise EOFError(msg)
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _read_number(file: IO[bytes], dtype: str = "<i4") -> int:
    return int(_read_array(file, dtype, 1)[0])


def _read_text(file: IO[bytes]) -> str:
    return _read_array(file, "<u1", _read_number(file)).tobytes().decode()


def read_value(file: IO[bytes]) -> RValue:
    """Read one value; `file` is unbuffered."""
    kind = _KINDS[_read_number(file)]
    count = _read_number(file, "<f8")
    data: Any = None
    if kind == "list":
        data = [read_value(file) for _ in range(count)]
    elif kind == "character":
        missing = _read_array(file, "<i4", _read_number(file))
        data = _read_array(file, "<u1", _read_number(file, "<f8")).tobytes().decode().split("\0")[:count]
        for position in missing:
            data[position] = None
    elif kind in _DTYPES:
        data = _read_array(file, _DTYPES[kind], count)
    elif kind == "opaque":
        data = [_read_text(file)]
    attributes = {_read_text(file): read_value(file) for _ in range(_read_number(file))}
    return NULL if kind == "NULL" else RValue(kind, data, attributes)


def write_bundle(values: dict[str, Any], folder: Path) -> None:
    """Write named values to `folder` for ``read_bundle()`` in R.

    Parameters
    ----------
    values
        Anything that :func:`~sccase_kit.r._to_r.to_value` takes. None is left out.
    folder
        Folder, created if needed.

    Raises
    ------
    OverflowError
        If a sparse matrix is too large for R's 32-bit indices.
    TypeError
        If a value has no R counterpart.
    ValueError
        If text holds a NUL character.
    """
    folder.mkdir(exist_ok=True)
    converted = {name: to_value(value, name=name) for name, value in values.items() if value is not None}
    bundle = listed(converted.values(), list(converted))
    with (folder / _FILE).open("wb") as file:
        write_value(file, bundle)


def has_bundle(folder: Path) -> bool:
    """Return whether R wrote to a folder."""
    return (folder / _FILE).is_file()


def read_values(folder: Path) -> RValue:
    """Read what ``write_bundle()`` in R wrote, unconverted."""
    with (folder / _FILE).open("rb", buffering=0) as file:
        return read_value(file)


def read_bundle(folder: Path, lost: list[str] | None = None) -> dict[str, Any]:
    """Read what ``write_bundle()`` in R wrote, as Python values by name.

    Integers and logicals that contain NA come as float64 with NaN.

    Parameters
    ----------
    folder
        The folder.
    lost
        Takes what has no place in Python.
    """
    lost = [] if lost is None else lost
    return {name: from_value(value, lost) for name, value in read_values(folder).items()}
