"""How results are printed: lines, tables, JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

#: Key of a result that holds the table (DataFrame) the command prints.
TABLE = "table"


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k}: {_words(v)}" for k, v in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(_words(v) for v in value) or "none"
    return str(value)


def show_lines(result: dict[str, Any]) -> str:
    """Return the default text form of a result: one `name  value` per line."""
    width = max((len(k) for k in result), default=0)
    return "\n".join(f"{name:<{width}}  {_words(value)}".rstrip() for name, value in result.items())


def table_text(table: pd.DataFrame) -> str:
    """Return a table as tab-separated text with a header, floats with six digits."""
    return table.to_csv(sep="\t", index=False, float_format="%.6g", lineterminator="\n")


def plain(value: Any) -> Any:
    """Return `value` as what JSON has: NaN and infinities become null, arrays lists, tables lists of objects."""
    import numpy as np
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        return [plain(row) for row in value.to_dict("records")]
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, np.ndarray, pd.Index, pd.Series)):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, (str, bool, int)) else str(value)


def to_json(result: Mapping[str, Any]) -> str:
    """Return a result as one JSON object that any parser reads."""
    return json.dumps(plain(result), indent=1, allow_nan=False)
