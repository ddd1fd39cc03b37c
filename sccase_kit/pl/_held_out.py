"""Held-out scores of methods next to each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from anndata import AnnData

from .._arguments import checked
from ..metrics.verdicts import CALIBRATED, HeldOut, stored_held_out
from ._style import PALETTE, get_panels, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@checked()
def held_out(result: AnnData | HeldOut, *, key: str = "held_out", ax: Sequence[Any] | None = None) -> list[Axes]:
    """Draw how much more probable methods make hidden entries, and whether their deviations have the right size.

    Parameters
    ----------
    result
        Result of :func:`sccase_kit.metrics.held_out`, or data in which it was stored.
    key
        Of data: the `key_added` of the result.
    ax
        Two Axes.

    Returns
    -------
    Two Axes. Left the gain over the peak mean in nats per hidden entry, with two standard errors (cells bootstrapped)
    and a small dot per split; right the deviation slope with two standard errors, and the band in which it counts as
    right. A method that says the peak mean itself has no slope.

    Raises
    ------
    KeyError
        If data hold no such result under `key`.
    TypeError
        If `result` is something else.
    ValueError
        If every method failed.
    """
    if isinstance(result, AnnData):
        result = stored_held_out(result, key)
    if not isinstance(result, HeldOut):
        msg = f"result must come from sccase_kit.metrics.held_out, got {type(result).__name__}"
        raise TypeError(msg)
    table = result.table[np.isfinite(result.table["gain"])]
    if table.empty:
        msg = f"no method has a score: {result.table['error'].to_dict()}"
        raise ValueError(msg)
    at = np.arange(len(table))[::-1]
    panels = get_panels(2, ax, width=3.6, height=0.9 + 0.36 * len(table))
    gain, slope = panels
    for y, (name, row) in zip(at, table.iterrows(), strict=True):
        mine = result.splits[result.splits["method"] == name]
        gain.plot(mine["gain"], np.full(len(mine), y), "o", color="0.65", markersize=3)
        gain.errorbar(row["gain"], y, xerr=2 * row["se"], fmt="o", color=PALETTE[0], markersize=6, capsize=3)
        slope.plot(mine["slope"], np.full(len(mine), y), "o", color="0.65", markersize=3)
        error = 2 * row.get("slope_se", np.nan)  # results stored before it was there have none
        slope.errorbar(row["slope"], y, xerr=error, fmt="o", color=PALETTE[0], markersize=6, capsize=3)
    gain.axvline(0, color="0.4", linewidth=1)
    gain.set_xlabel("gain over the peak mean\n(nats per hidden entry)")
    slope.axvspan(*CALIBRATED, color="0.92", zorder=0)
    slope.axvline(1, color="0.4", linewidth=1)
    slope.set_xlabel("deviation slope\n(1: differences have the right size)")
    for panel, names in ((gain, [plain(name, 32) for name in table.index]), (slope, [""] * len(at))):
        panel.set_yticks(at, names)
        panel.locator_params(axis="x", nbins=4)  # numbers such as 0.025 have room
        panel.set_ylim(-0.6, len(at) - 0.4)
        panel.spines[["top", "right"]].set_visible(False)
    return list(panels)
