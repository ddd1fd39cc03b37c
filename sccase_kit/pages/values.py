"""Values as people read them, and tables packed for a script of the page."""

from __future__ import annotations

import base64
import gzip
import json
import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

_LONGEST = 300
_NAMES = 4  # shown of a list
#: Integers above this are not exact in a browser.
_EXACT = 2**53


def shown(value: Any) -> str:
    """Return a value as people read it.

    Numbers below 1,000 have four digits, larger ones are rounded to integers, very small and very large ones have an
    exponent; missing values are nothing. ``format`` of ``page.js`` does the same.
    """
    if isinstance(value, (list, tuple, np.ndarray)):
        return ", ".join(shown(v) for v in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{k}: {shown(v)}" for k, v in value.items())
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (int, np.integer)):
        return f"{value:,}".replace("-", "−")
    if isinstance(value, (float, np.floating)):
        return _float(float(value))
    text = str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _float(value: float) -> str:
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    if value == 0:
        return "0"
    if size < 1e-3 or size >= 1e9:
        text = f"{value:.2e}"
        number, _, power = text.partition("e")
        text = f"{number}e{int(power)}"
    elif size >= 1000:
        text = f"{round(value):,}"
    else:
        text = f"{value:.{max(0, 3 - math.floor(math.log10(size)))}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", "−")


def percent(value: Any) -> str:
    """Return a share in percent with three digits, as ``format`` of ``page.js`` does."""
    if value is None or pd.isna(value):
        return ""
    return f"{_float(float(f'{100 * float(value):.3g}'))} %"


def names_of(value: Any) -> list[str]:
    """Return names that are joined by commas or semicolons; none where there is no text."""
    parts = value.replace(";", ",").split(",") if isinstance(value, str) else []
    return [part.strip() for part in parts if part.strip()]


def first_names(value: Any) -> str:
    """Return the first of names that are joined, and how many there are, as ``format`` of ``page.js`` does."""
    names = names_of(value)
    return ", ".join(names[:_NAMES]) + (f" … ({len(names):,})" if len(names) > _NAMES else "")


def is_number(column: pd.Series) -> bool:
    """Return whether a column holds numbers that sort as such."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def pack(data: Any) -> str:
    """Return any JSON value as compressed base64, which ``unpack`` of ``page.js`` reads."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode("utf-8", "replace"), 9, mtime=0)).decode("ascii")


def columns_of(
    frame: pd.DataFrame, *, percent: Collection[str] = (), lists: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Return the columns of a table as JSON: name, kind, and values (numbers) or words and codes (texts).

    Numbers of the columns `percent` are of that kind; texts of the columns `lists` are names, which are kept whole.
    """
    names = [str(name) for name in frame.columns]
    found = [
        _names(name, frame.iloc[:, j]) if name in lists else _column(name, frame.iloc[:, j])
        for j, name in enumerate(names)
    ]
    return [c | {"kind": "percent"} if c["name"] in percent and c["kind"] == "number" else c for c in found]


def _column(name: str, column: pd.Series) -> dict[str, Any]:
    if is_number(column) and not pd.api.types.is_complex_dtype(column):
        whole = pd.api.types.is_integer_dtype(column)
        if not whole or column.abs().max() < _EXACT or column.empty:
            return {"name": name, "kind": "integer" if whole else "number", "values": _numbers(column, whole=whole)}
    codes, words = pd.factorize(pd.Series([shown(value) for value in column], dtype=object))
    return {"name": name, "kind": "text", "words": list(words), "codes": codes.tolist()}


def _names(name: str, column: pd.Series) -> dict[str, Any]:
    codes, words = pd.factorize(pd.Series([", ".join(names_of(value)) for value in column], dtype=object))
    return {"name": name, "kind": "names", "words": list(words), "codes": codes.tolist()}


def _numbers(column: pd.Series, *, whole: bool) -> list[Any]:
    if whole:
        return [None if value is pd.NA else int(value) for value in column]
    values = column.to_numpy(np.float64, na_value=np.nan).tolist()
    return [_plain(value) for value in values]


def _plain(value: float) -> Any:
    """Return a float with six digits; infinities are texts, which JSON lacks."""
    if math.isnan(value):
        return None
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    short = float(f"{value:.6g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short
