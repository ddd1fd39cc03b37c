"""Plots of chromVAR's deviations: heatmap, and maps of the cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._labels import all_named
from .._record import recorded
from .._validate import check_choice, check_int, check_key, check_labels, check_number, check_some
from ..get.chromvar import read_deviations, read_variability
from ._heatmaps import _sample, cells_of
from ._strips import color_strip, extra_inches
from ._style import (
    DIVERGING,
    PALETTE,
    RASTER_ABOVE,
    colors_of,
    get_axes,
    get_panels,
    layout_of,
    order_cells,
    plain,
)
from .layouts import stored_layout

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STRONG, _WEAK = PALETTE[4], "0.7"
_LAYOUTS = (
    "sccase_kit.pl.raw_against_enhanced writes 'X_umap_sccase', for basis=. For a map of the deviations themselves: "
    "part = sccase_kit.get.deviations(adata), scanpy.pp.neighbors(part, use_rep='X'), scanpy.tl.umap(part), "
    "adata.obsm['X_umap'] = part.obsm['X_umap']."
)


@checked()
def motif_heatmap(
    adata: AnnData,
    groupby: str,
    *,
    sets: Sequence[str] | None = None,
    n_top: int = 50,
    which: Literal["z", "deviations"] = "z",
    limit: float | None = None,
    max_cells: int = 2000,
    key: str = "chromvar",
    rng: int = 0,
    ax: Any | None = None,
) -> Axes:
    """Heatmap of the most variable sets (motifs) × cells, cells ordered by group (figure 4d).

    Parameters
    ----------
    adata
        Data with :func:`sccase_kit.tl.chromvar` written.
    groupby
        Column of `obs` that orders the cells.
    sets
        Names of the sets; the `n_top` most variable by default. The name of a motif stands for all its matrices.
    n_top
        Number of sets without `sets`.
    which
        z-scores or deviations.
    limit
        Value at which the colours end, the same on both sides of 0; the 98 % quantile of the sizes by default.
    max_cells
        Cells drawn at most, a random subset.
    key
        The `key_added` of the deviations.
    rng
        Seed of the subset.
    ax
        Axes; `None` makes a figure.

    Returns
    -------
    The Axes. Sets are ordered by the group in which their mean is highest; unknown values (NaN) are grey.

    Raises
    ------
    KeyError
        If there are no deviations under `key`, or a set is unknown.
    ValueError
        If `sets` is empty or cells have no label.
    """
    check_choice(which, ["z", "deviations"], name="which")
    values, names = read_deviations(adata, key, which)
    columns = _columns(adata, sets, n_top, key, names)
    labels = check_labels(adata, groupby)
    values = np.where(np.isfinite(values[:, columns]), values[:, columns], np.nan)
    means = pd.DataFrame(values).groupby(labels.cat.codes.to_numpy()).mean().to_numpy()
    filled = np.where(np.isnan(means), -np.inf, means)
    order = np.lexsort((-filled.max(axis=0), filled.argmax(axis=0)))
    chosen = _sample(adata.n_obs, check_int(max_cells, name="max_cells", minimum=2), rng)
    rows = chosen[order_cells(labels.iloc[chosen])]
    shown = values[rows][:, order].T
    if limit is None:
        known = np.abs(shown[~np.isnan(shown)])
        limit = float(np.quantile(known, 0.98)) if known.size else 1.0
    limit = check_number(limit, name="limit", minimum=0) or 1.0
    crowded = len(order) > 60
    height = 1.2 + (0.08 if crowded else 0.15) * max(len(order), 8) + extra_inches(labels)
    ax = get_axes(ax, figsize=(6.4, height))
    _, colors = colors_of(adata, groupby)
    ax.set_facecolor("0.85")
    image = ax.imshow(
        shown, aspect="auto", cmap=DIVERGING, vmin=-limit, vmax=limit, interpolation="nearest", rasterized=True
    )
    step = max(1, -(-len(order) // 60))
    shown_names = [plain(names[columns[i]]) for i in order[::step]]
    ax.set_yticks(range(0, len(order), step), shown_names, fontsize=5 if crowded else 7)
    ax.tick_params(axis="y", length=0)
    ax.set(xticks=[], xlabel=cells_of(len(rows), adata.n_obs))
    color_strip(ax, labels.iloc[rows], colors)
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.5, pad=0.02)
    bar.set_label("deviation z-score" if which == "z" else "deviation", fontsize="small")
    return ax


@checked()
def deviation_map(
    adata: AnnData,
    sets: str | Sequence[str],
    *,
    basis: str | None = None,
    which: Literal["z", "deviations"] = "z",
    limit: float | None = None,
    key: str = "chromvar",
    ax: Any | None = None,
) -> list[Axes]:
    """Scatter the cells of a two-dimensional layout, coloured by the deviations of sets (motifs), a panel each.

    Parameters
    ----------
    adata
        Data with :func:`sccase_kit.tl.chromvar` written and ``obsm[basis]``.
    sets
        Name or names of sets; the name of a motif stands for all its matrices.
    basis
        Key of `obsm`. `None`: ``"X_umap"`` if it is there, else the map of the enhanced data, as in
        :func:`sccase_kit.pl.cell_map`.
    which
        z-scores or deviations.
    limit
        Value at which the colours end, the same on both sides of 0; each panel's own 98 % quantile by default.
    key
        The `key_added` of the deviations.
    ax
        Axes, one per set (matrix).

    Returns
    -------
    The Axes. Cells with the strongest deviations lie on top; unknown values (NaN) are grey.

    Raises
    ------
    KeyError
        If there are no deviations under `key`, `basis` is missing, or a set is unknown.
    ValueError
        If `sets` is empty or the layout has fewer than two columns.
    """
    check_choice(which, ["z", "deviations"], name="which")
    values, names = read_deviations(adata, key, which)
    if basis is None:
        fitted = recorded(adata.uns.get("sccase"), "tl.enhance") is not None
        basis = "X_umap" if "X_umap" in adata.obsm or not fitted else stored_layout(adata, "sccase", method="umap")
    check_key(basis, adata.obsm.keys(), name="basis", where="adata.obsm", hint=_LAYOUTS)
    columns = _columns(adata, check_some(sets, name="sets"), 1, key, names)
    xy = layout_of(adata, basis)
    if limit is not None:
        check_number(limit, name="limit", minimum=0)
    size = float(np.clip(12_000 / max(adata.n_obs, 1), 1, 30))
    style = {"s": size, "linewidths": 0, "rasterized": adata.n_obs > RASTER_ABOVE}
    panels = get_panels(len(columns), ax, width=3.6, height=3.0)
    for panel, column in zip(panels, columns, strict=True):
        value = np.where(np.isfinite(values[:, column]), values[:, column], np.nan)
        known = np.flatnonzero(~np.isnan(value))
        order = known[np.argsort(np.abs(value[known]), kind="stable")]
        end = (float(np.quantile(np.abs(value[known]), 0.98)) if known.size else 1.0) if limit is None else limit
        end = check_number(end, name="limit", minimum=0) or 1.0
        panel.scatter(*xy[np.isnan(value)].T, c="0.85", **style)
        drawn = panel.scatter(*xy[order].T, c=value[order], cmap=DIVERGING, vmin=-end, vmax=end, **style)
        panel.figure.colorbar(drawn, ax=panel, shrink=0.7, label="z-score" if which == "z" else "deviation")
        panel.set(xticks=[], yticks=[], title=plain(names[column], 30))
        panel.set_aspect("equal", adjustable="datalim")
    return panels


def _columns(adata: AnnData, sets: Sequence[str] | None, n_top: int, key: str, names: list[str]) -> list[int]:
    if sets is None:
        ranked = read_variability(adata, key)["variability"].dropna().sort_values(ascending=False)
        sets = list(ranked.index[: check_int(n_top, name="n_top", minimum=1)])
    return [names.index(name) for name in named_sets(check_some(sets, name="sets"), names, name="sets", key=key)]


def named_sets(asked: Sequence[str], names: Sequence[str], *, name: str, key: str) -> list[str]:
    """Return the sets that names stand for: the name of a motif stands for all its matrices."""
    found, unknown = all_named(asked, list(names))
    for lost in unknown:
        check_key(lost, names, name=name, where=f"the sets of {key!r}")
    return found
