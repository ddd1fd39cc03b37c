"""A small genome browser inside a page: values of peaks by group, gene bodies, pan and zoom, without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from .values import pack

#: Characters that stand for 0, 1, 2 ... steps: printable ASCII without the quotation mark, the backslash and "<".
STEPS = "".join(chr(c) for c in range(33, 127) if chr(c) not in '"\\<')


@dataclass(frozen=True, slots=True)
class Tracks:
    """Bars of peaks by group along the genome; values are drawn with the precision of a pixel, about 1 to 5 %.

    Attributes
    ----------
    peaks
        chrom, start, end (0-based, half-open) of the peaks.
    values
        Title of a column of tracks, with its unit → array of shape (n groups, n peaks), not negative.
    colors
        Group → colour (#rrggbb), in the order of the rows.
    places
        What the reader can go to: label, chrom, start, end; the first is shown.
    genes
        symbol, chrom, start, end, strand of gene bodies; or None.
    caption
        What is seen.
    """

    scripts: ClassVar[tuple[str, ...]] = ("tracks.js",)

    peaks: pd.DataFrame
    values: Mapping[str, np.ndarray]
    colors: Mapping[str, str]
    places: Sequence[tuple[str, str, int, int]]
    genes: pd.DataFrame | None = None
    caption: str = ""

    def html(self) -> str:
        """Return the frame that the script fills, with its data."""
        chroms, codes = np.unique(self.peaks["chrom"].astype(str).to_numpy(dtype=object), return_inverse=True)
        start, end = (self.peaks[name].to_numpy(np.int64) for name in ("start", "end"))
        order = np.lexsort((end, start, codes))
        data: dict[str, Any] = {
            "chroms": chroms.tolist(),
            "sizes": np.bincount(codes, minlength=len(chroms)).tolist(),
            "starts": _steps_of(start[order]),
            "widths": (end - start)[order].tolist(),
            "groups": [str(name) for name in self.colors],
            "colors": list(self.colors.values()),
            "steps": STEPS,
            "sides": [_side(title, values[:, order]) for title, values in self.values.items()],
            "genes": _genes(self.genes, chroms),
            "places": [list(place) for place in self.places],
        }
        options = "".join(f"<option>{escape(str(place[0]))}</option>" for place in self.places)
        options += '<option class="other" hidden></option>'
        choice = f'<label>go to <select class="places">{options}</select></label>' if self.places else ""
        return (
            f'<figure class="tracks" id="tracks"><div class="bar">{choice}<input type="search" class="where" '
            'aria-label="gene or region" placeholder="gene or chr1:100,000-200,000">'
            '<span class="move"><button type="button" data-by="left" aria-label="left">←</button>'
            '<button type="button" data-by="right" aria-label="right">→</button>'
            '<button type="button" data-by="in" aria-label="zoom in">+</button>'
            '<button type="button" data-by="out" aria-label="zoom out">−</button></span>'
            '<span class="told soft" aria-live="polite"></span></div>'
            f'<div class="sides" tabindex="0" role="img" aria-label="{escape(self.caption)}"></div>'
            f'<div class="tip" hidden></div><figcaption>{escape(self.caption)}</figcaption>'
            f'<script type="text/plain">{pack(data)}</script></figure>'
        )


def _steps_of(values: np.ndarray) -> list[int]:
    """Return the first value and the differences, which pack well."""
    return np.diff(values, prepend=0).tolist()


def _side(title: str, values: np.ndarray) -> dict[str, Any]:
    """Return the values as one character each, on a scale of square roots."""
    top = float(values.max(initial=0.0)) or 1.0
    codes = np.rint(np.sqrt(np.clip(values, 0, None) / top) * (len(STEPS) - 1)).astype(np.uint8)
    table = np.frombuffer(STEPS.encode("ascii"), dtype=np.uint8)
    return {"title": title, "top": top, "rows": [table[row].tobytes().decode("ascii") for row in codes]}


def _genes(genes: pd.DataFrame | None, chroms: np.ndarray) -> dict[str, Any]:
    if genes is None:
        return {"symbols": [], "chroms": [], "starts": [], "widths": [], "strands": ""}
    at = {name: i for i, name in enumerate(chroms)}
    part = genes[genes["chrom"].isin(at)]
    part = part.assign(chrom=part["chrom"].map(at)).sort_values(["chrom", "start"], kind="stable")
    return {
        "symbols": part["symbol"].astype(str).tolist(),
        "chroms": part["chrom"].astype(int).tolist(),
        "starts": _steps_of(part["start"].to_numpy(np.int64)),
        "widths": (part["end"] - part["start"]).astype(int).tolist(),
        "strands": "".join("-" if strand == "-" else "+" for strand in part["strand"]),
    }
