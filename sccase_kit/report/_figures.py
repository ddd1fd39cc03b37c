"""Figures for the page: drawn off screen, as PNG, without touching the data or the caller's figures."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._matrix import get_matrix
from ..enhance._prepare import count_statistics
from ._page import Block, Figure, Text

_DPI = 160
_LONGEST = 24
DEPTH = "log10 depth"


def draw(function: Callable[[], Any], caption: str) -> Block:
    """Return the figure that `function` draws (it returns Axes, several, or a Figure), or a note why there is none."""
    import matplotlib.pyplot as plt

    style = {"font.size": 10, "figure.dpi": 100, "savefig.dpi": _DPI, "text.usetex": False}
    with plt.ioff(), plt.rc_context(style), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of subsets of the cells and crowded labels; the data were checked before
        before = set(plt.get_fignums())
        try:
            figure = _figure_of(function())
            buffer = io.BytesIO()
            figure.savefig(buffer, format="png", bbox_inches="tight", pad_inches=0.08, facecolor="white")
        except (ValueError, KeyError) as err:
            why = err.args[0] if isinstance(err, KeyError) and err.args else err
            return Text(f"Not drawn: {caption} Reason: {why}", kind="note")
        finally:
            for number in set(plt.get_fignums()) - before:
                plt.close(number)
    png = buffer.getvalue()
    width, height = (int.from_bytes(png[i : i + 4], "big") for i in (16, 20))
    return Figure(png, caption, (round(width * 100 / _DPI), round(height * 100 / _DPI)))


def _figure_of(drawn: Any) -> Any:
    from matplotlib.figure import Figure as Canvas

    first = np.ravel(np.asarray(drawn, dtype=object))[0]
    return first if isinstance(first, Canvas) else first.figure


def plain_label(value: object) -> str:
    """Return a label that matplotlib draws as it is: no mathematics, no line breaks, not too long."""
    text = " ".join(str(value).split()).replace("\\", "/")
    text = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return text.replace("$", r"\$")


def _plain_labels(column: pd.Series) -> pd.Series:
    labels = column.astype("category")
    names = pd.Index([plain_label(c) for c in labels.cat.categories])
    if names.has_duplicates:
        names = pd.Index([f"{name} ({i})" for i, name in enumerate(names)])
    return labels.cat.rename_categories(dict(zip(labels.cat.categories, names, strict=True)))


def drawing_copy(adata: AnnData, *, key: str, layer: str | None, max_cells: int, rng: int) -> AnnData:
    """Return what the plots may write to and draw from: arrays shared, labels safe to draw, at most `max_cells` cells.

    `obs` gets the column ``log10 depth``; everything else of the original stays as it is.
    """
    from ..get import ranges

    view = AnnData(
        obs=adata.obs.copy(),
        var=adata.var.copy(),
        uns=dict(adata.uns),
        obsm=dict(adata.obsm),
        varm=dict(adata.varm),
        layers=dict(adata.layers),
    )
    view.X = adata.X.to_memory() if adata.isbacked else adata.X
    depth, *_ = count_statistics(get_matrix(view, layer))
    view.obs[DEPTH] = np.log10(np.maximum(depth, 1))
    for name, column in view.obs.items():
        if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            view.obs[name] = _plain_labels(column)
    if f"{key}_cell_factors" in view.obsm:
        ranges(view, key=key)
    if view.n_obs > max_cells:
        chosen = np.sort(np.random.default_rng(rng).choice(view.n_obs, max_cells, replace=False))
        view = view[chosen].copy()
    return view


def objective_trace(entry: dict[str, Any]) -> Any:
    """Draw the objective from the start on or, for the consensus, the residual of each fit; return the Axes."""
    import matplotlib.pyplot as plt

    values = np.asarray(entry["objective"], dtype=np.float64)
    bank = entry.get("bank")
    _, ax = plt.subplots(figsize=(4.8, 3.0), layout="constrained")
    if bank is not None and len(bank) == len(values):
        ax.plot(np.asarray(bank), values, marker="o", color="#0072B2")
        ax.set(xlabel="number of components of the fit", ylabel="relative residual")
    else:
        ax.plot(np.arange(len(values)), values, marker="o", color="#0072B2")
        ax.set(xlabel="iteration", ylabel="objective")
        ax.xaxis.get_major_locator().set_params(integer=True)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def variability_bars(table: pd.DataFrame, n_top: int = 25) -> Any:
    """Draw the most variable sets of chromVAR as bars with their bootstrap interval; return the Axes."""
    import matplotlib.pyplot as plt

    top = table.sort_values("variability", ascending=False).head(n_top)
    value = top["variability"].to_numpy(np.float64)
    _, ax = plt.subplots(figsize=(5.6, 0.9 + 0.22 * len(top)), layout="constrained")
    bounds = ["bootstrap_lower_bound", "bootstrap_upper_bound"]
    errors = None
    if set(bounds) <= set(top.columns):
        low, high = (top[c].to_numpy(np.float64) for c in bounds)
        errors = np.nan_to_num(np.clip([value - low, high - value], 0, None))
    ax.barh(np.arange(len(top)), value, xerr=errors, color="#56B4E9", ecolor="0.35", height=0.75)
    ax.set_yticks(np.arange(len(top)), [plain_label(name) for name in top.index], fontsize="small")
    ax.set_ylim(len(top) - 0.4, -0.6)
    ax.axvline(1, color="0.4", linewidth=0.8, linestyle=":")
    ax.set_xlabel("variability (standard deviation of z over the cells)")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def group_means(values: pd.DataFrame, labels: pd.Series, names: list[str]) -> Any:
    """Draw the mean of each set (column of `values`) in each group as a heatmap around zero; return the Axes."""
    import matplotlib.pyplot as plt

    groups = labels.astype("category").cat.remove_unused_categories()
    means = values[names].groupby(groups.to_numpy(), observed=True).mean().reindex(groups.cat.categories)
    order = np.lexsort((-means.max().to_numpy(), means.to_numpy().argmax(axis=0)))
    image = means.to_numpy().T[order]
    limit = float(np.nanmax(np.abs(image))) or 1.0
    _, ax = plt.subplots(figsize=(2.6 + 0.4 * len(means), 1.1 + 0.22 * len(names)), layout="constrained")
    drawn = ax.imshow(image, aspect="auto", cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest")
    ax.set_yticks(range(len(names)), [plain_label(names[i]) for i in order], fontsize="small")
    ax.set_xticks(range(len(means)), [str(c) for c in means.index], rotation=45, ha="right", rotation_mode="anchor")
    ax.figure.colorbar(drawn, ax=ax, label="mean z", shrink=0.7)
    return ax
