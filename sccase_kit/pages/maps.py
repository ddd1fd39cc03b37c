"""Maps of cells that show what a cell is under the pointer, in the colours of any label or number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from .values import pack

#: Steps along an axis, and of a number's colours.
_PLACES, _SHADES = 4095, 255


@dataclass(frozen=True, slots=True)
class CellMap:
    """Layouts of the same cells side by side, coloured by a column that the reader chooses.

    Attributes
    ----------
    layouts
        Title → places, arrays of shape (n, 2).
    labels
        Columns of labels or numbers, n rows; the first colours the cells at first. Missing ones are grey.
    colors
        Column → category → colour (#rrggbb), for the columns of labels.
    ramp
        Colours of numbers from low to high.
    caption
        What is seen.
    names
        Column → label → what it is, shown after the label.
    """

    scripts: ClassVar[tuple[str, ...]] = ("map.js",)

    layouts: Mapping[str, np.ndarray]
    labels: pd.DataFrame
    colors: Mapping[str, Mapping[str, str]]
    ramp: Sequence[str]
    caption: str
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def html(self) -> str:
        """Return the frame that the script fills, with its data."""
        options = "".join(f"<option>{escape(str(name))}</option>" for name in self.labels.columns)
        panels = "".join(
            f'<div class="panel"><p class="soft">{escape(title)}</p><canvas role="img" '
            f'aria-label="{escape(f"{title}: {self.caption}")}"></canvas></div>'
            for title in self.layouts
        )
        data = {
            "places": [_places(xy) for xy in self.layouts.values()],
            "columns": [
                _column(self.labels[name], self.colors.get(str(name), {}), self.names.get(str(name), {}))
                for name in self.labels.columns
            ],
            "ramp": list(self.ramp),
        }
        return (
            f'<figure class="map"><div class="bar"><label>colour <select>{options}</select></label></div>'
            f'<div class="panels">{panels}</div><ul class="legend"></ul><div class="scale" hidden></div>'
            f'<div class="tip" hidden></div><figcaption>{escape(self.caption)}</figcaption>'
            f'<script type="text/plain">{pack(data)}</script></figure>'
        )


def _places(xy: np.ndarray) -> dict[str, list[int]]:
    """Return places on one grid for both axes, which keeps the shape of the layout; y grows upwards."""
    xy = np.asarray(xy, dtype=np.float64)
    low = xy.min(axis=0)
    span = float((xy.max(axis=0) - low).max()) or 1.0
    grid = np.rint((xy - low) / span * _PLACES).astype(int)
    return {"x": grid[:, 0].tolist(), "y": grid[:, 1].tolist()}


def _column(column: pd.Series, colors: Mapping[str, str], names: Mapping[str, str]) -> dict[str, Any]:
    name = str(column.name)
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = column.to_numpy(np.float64, na_value=np.nan)
        known = np.isfinite(values)
        low, high = (float(v) for v in np.quantile(values[known], [0, 1])) if known.any() else (0.0, 1.0)
        share = (values - low) / ((high - low) or 1.0)
        codes = np.where(known, np.rint(np.where(known, share, 0) * _SHADES), -1).astype(int)
        return {"name": name, "kind": "number", "codes": codes.tolist(), "low": low, "high": high}
    labels = column.astype("category")
    words = [str(word) for word in labels.cat.categories]
    shown = [colors.get(word, "#888888") for word in words]
    found = {"name": name, "kind": "label", "codes": labels.cat.codes.tolist(), "words": words, "colors": shown}
    return found | {"called": [names.get(word, "") for word in words]}
