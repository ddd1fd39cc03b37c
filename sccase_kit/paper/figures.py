"""Figures that several experiments draw from their tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def heatmaps(frames: dict[str, pd.DataFrame], *, label: str, centred: bool = False) -> Any:
    """Draw tables side by side on one scale, and return the first Axes.

    Parameters
    ----------
    frames
        Title → rows × columns; all have the same rows.
    label
        Of the colours.
    centred
        Whether 0 is in the middle of the colours.
    """
    import matplotlib.pyplot as plt

    widths = [frame.shape[1] for frame in frames.values()]
    n_rows = len(next(iter(frames.values())))
    size = (2.6 + 0.34 * sum(widths) + 0.3 * len(widths), 1.3 + 0.19 * n_rows)
    figure, axes = plt.subplots(
        1, len(frames), figsize=size, width_ratios=widths, layout="constrained", squeeze=False, sharey=True
    )
    values = np.concatenate([frame.to_numpy(dtype=float).ravel() for frame in frames.values()])
    high = float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 1.0
    image = None
    for ax, (title, frame) in zip(axes[0], frames.items(), strict=True):
        colours = {"cmap": "RdBu_r", "vmin": -high} if centred else {"cmap": "Reds", "vmin": 0.0}
        image = ax.imshow(frame.to_numpy(dtype=float), aspect="auto", vmax=high or 1.0, **colours)
        ax.set_title(title, fontsize="medium")
        ax.set_xticks(range(frame.shape[1]), frame.columns, rotation=90)
        ax.set_yticks(range(n_rows), frame.index)
        ax.tick_params(length=0)
    if image is not None:
        figure.colorbar(image, ax=list(axes[0]), label=label, shrink=0.8)
    return axes[0, 0]


def side_by_side(
    table: pd.DataFrame, *, rows: str, values: str, order: pd.Index, ways: str = "peaks", groups: str = "group"
) -> dict[str, pd.DataFrame]:
    """Return a long table as one table per way to find peaks: `order` (of `rows`) × groups."""
    found = {}
    for way, part in table.groupby(ways, sort=False):
        wide = part.pivot_table(index=rows, columns=groups, values=values, aggfunc="mean")
        found[str(way)] = wide.reindex(order)
    return found
