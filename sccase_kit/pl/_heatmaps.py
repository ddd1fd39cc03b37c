"""Heatmaps of chosen peaks, of the embedding and of the similarity, with cells ordered by type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import Labels, checked
from .._record import records
from .._remedy import with_remedy
from .._rng import check_rng
from .._validate import check_adata, check_int, check_key, check_labels, check_some
from ..get.raw import raw_layer
from ..get.thin import check_fitted, enhanced, positions_of, similarity
from ..matrix.access import get_matrix
from ..matrix.rows import canonical
from ..matrix.sums import count_statistics
from ._strips import color_strip, extra_inches
from ._style import SEQUENTIAL, colors_of, get_axes, get_panels, order_cells

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_FIRST = 30  # marker peaks of a group that are drawn


def _sample(n: int, limit: int, rng: int) -> np.ndarray:
    return np.arange(n) if n <= limit else np.sort(check_rng(rng).choice(n, limit, replace=False))


def _finite(values: np.ndarray, what: str) -> np.ndarray:
    if n_bad := int((~np.isfinite(values)).sum()):
        msg = f"{what}: {n_bad} of {values.size} values are missing or infinite; run sccase_kit.tl.enhance again"
        raise with_remedy(ValueError(msg), "tl.enhance")
    return values


def _peak_names(peaks: Sequence[str] | pd.DataFrame) -> list[str]:
    if isinstance(peaks, pd.DataFrame):
        check_key("peak", peaks.columns, name="column", where="peaks")
        peaks = peaks["peak"]
    return list(Labels("peaks")(check_some(peaks, name="peaks"), "peaks", {}))


def _markers_of(adata: AnnData, groupby: Any) -> tuple[str, pd.DataFrame]:
    """Return a column of `obs` and the first marker peaks of its groups, each peak once.

    Raises
    ------
    TypeError, KeyError
        If it is no column, or has no marker peaks.
    """
    if not isinstance(groupby, str) or groupby not in adata.obs:
        msg = f"groupby is missing: the column of obs that orders the cells, after peaks={groupby!r}; available: "
        raise TypeError(msg + f"{list(adata.obs.columns)}")
    for made in records(adata.uns).values():
        if made.function == "tl.specific_peaks" and made.params.get("groupby") == groupby:
            table: pd.DataFrame = made.results["peaks"]
            return groupby, table.groupby("group", sort=False, observed=True).head(_FIRST).drop_duplicates("peak")
    msg = (
        f"there are no marker peaks of {groupby!r}: run sccase_kit.tl.specific_peaks(adata, {groupby!r}), or give peaks"
    )
    raise with_remedy(KeyError(msg), "tl.specific_peaks")


def _row_groups(peaks: Any, labels: pd.Series) -> pd.Series | None:
    """Return the group of every peak, as labels of cells; None where a table has no such groups one after another."""
    if not isinstance(peaks, pd.DataFrame) or "group" not in peaks.columns:
        return None
    known = {str(name): name for name in labels.cat.categories}
    groups = peaks["group"].astype(str)
    if not set(groups) <= set(known) or (groups != groups.shift()).sum() != groups.nunique():
        return None
    order = [known[name] for name in dict.fromkeys(groups)]
    return pd.Series(pd.Categorical([known[name] for name in groups], categories=order))


def _row_scaled(values: np.ndarray) -> np.ndarray:
    """Scale each peak (row) to [0, 1] by its 2 % and 98 % quantiles, so that a few cells do not set the colours."""
    low, high = np.quantile(values, [0.02, 0.98], axis=1, keepdims=True)
    top = values.max(axis=1, keepdims=True)
    high = np.where(high > low, high, top)
    return np.clip((values - low) / np.where(high > low, high - low, 1), 0, 1)


def _highest(values: np.ndarray, labels: pd.Series, weights: np.ndarray) -> pd.Series:
    """Return for every peak the group with the largest sum over its cells, divided by that of their weights."""
    codes, categories = labels.cat.codes.to_numpy(), labels.cat.categories
    member = np.zeros((len(categories), len(codes)))
    member[codes, np.arange(len(codes))] = 1
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.nan_to_num((member @ values) / (member @ weights)[:, None], nan=-np.inf)
    return pd.Series(pd.Categorical.from_codes(means.argmax(axis=0), categories=categories))


def cells_of(n: int, n_obs: int) -> str:
    """Return how many cells are drawn, of how many."""
    return f"{n:,} cells" if n == n_obs else f"{n:,} of {n_obs:,} cells"


@checked()
def peak_heatmap(
    adata: AnnData,
    peaks: Sequence[str] | pd.DataFrame | str,
    groupby: str | None = None,
    *,
    key: str = "sccase",
    layer: str | None = None,
    max_cells: int = 2000,
    rng: int = 0,
    ax: Sequence[Any] | None = None,
) -> list[Axes]:
    """Heatmaps of chosen peaks before and after enhancement, cells ordered by group (figure 2f-g).

    Parameters
    ----------
    adata
        Enhanced data.
    peaks
        Names in display order, or a table with a column `peak`; with a column `group` of the same groups, these are
        marked at the left, and at the right the group in which the peak is highest; the titles count the peaks that are
        highest in their own: in the counts by the open cells at equal depth, enhanced by the mean. Alone, a column of
        `obs`: then the first 30 marker peaks of each of its groups are drawn, as
        :func:`sccase_kit.tl.specific_peaks` stored them, a peak of several groups with the first.
    groupby
        Column of `obs` that orders the cells.
    key, layer
        The fit, and the layer of the raw counts (`None` for what was enhanced).
    max_cells
        Cells drawn at most, a random subset.
    rng
        Seed of the subset.
    ax
        Two Axes; `None` makes a figure.

    Returns
    -------
    Two Axes: raw (open or closed) and enhanced (each peak scaled to its 2-98 % range).

    Raises
    ------
    KeyError
        If there is no fit under `key`, what was enhanced is no longer there, or a peak or a column is unknown.
    ValueError
        If `peaks` is empty, cells have no label, or enhanced values are missing or infinite.
    """
    check_adata(adata)
    check_int(max_cells, name="max_cells", minimum=2)
    check_fitted(adata, key)
    if groupby is None:
        groupby, peaks = _markers_of(adata, peaks)
    cols = np.atleast_1d(np.arange(adata.n_vars)[positions_of(_peak_names(peaks), adata.var_names, name="peaks")])
    labels = check_labels(adata, groupby)
    chosen = _sample(adata.n_obs, max_cells, rng)
    rows = chosen[order_cells(labels.iloc[chosen])]
    raw = get_matrix(adata, raw_layer(adata, key, layer))[rows][:, cols]
    raw = raw.toarray() if hasattr(raw, "toarray") else np.asarray(raw)
    with np.errstate(over="ignore", invalid="ignore"):  # told by the check
        after = _finite(enhanced(adata, key, obs_names=rows, var_names=cols), f"enhanced data of key={key!r}")
    axes = get_panels(2, ax, width=4.6, height=4.2 + extra_inches(labels))
    _, colors = colors_of(adata, groupby)
    marks = _row_groups(peaks, labels)
    drawn = labels.iloc[rows]
    for panel, values, title in zip(axes, [(raw > 0).T, _row_scaled(after.T)], ["raw", "enhanced"], strict=True):
        image = panel.imshow(
            values, aspect="auto", cmap=SEQUENTIAL, vmin=0, vmax=1, interpolation="nearest", rasterized=True
        )
        panel.set(xticks=[], yticks=[], xlabel=cells_of(len(rows), adata.n_obs))
        panel.set_title(title)
        color_strip(panel, drawn, colors)
    if marks is None:
        axes[0].set_ylabel(f"{len(cols):,} peaks")
    else:
        color_strip(axes[0], marks, colors, side="left", label=f"{len(cols):,} peaks, by their group")
        depth = count_statistics(canonical(get_matrix(adata, raw_layer(adata, key, layer))))[0][rows]
        for panel, values, weights in zip(axes, [raw > 0, after], [depth, np.ones(len(rows))], strict=True):
            best = _highest(values, drawn, weights)
            color_strip(panel, best, colors, side="right")
            own = int((best.astype(str).to_numpy() == marks.astype(str).to_numpy()).sum())
            title = f"{panel.get_title()}\n{own:,} of {len(cols):,} highest in their own group"
            panel.set_title(title, fontsize="medium")
            text = "right: the group in which it is highest"
            panel.set_xlabel(f"{cells_of(len(rows), adata.n_obs)}\n{text}", fontsize="small")
    bar = axes[1].figure.colorbar(image, ax=axes[1], shrink=0.6, pad=0.02)
    bar.set_label("accessibility, scaled per peak", fontsize="small")
    return axes


@checked()
def embedding_heatmap(
    adata: AnnData,
    groupby: str,
    *,
    basis: str = "X_sccase",
    max_cells: int = 2000,
    rng: int = 0,
    ax: Any | None = None,
) -> Axes:
    """Heatmap of the latent components × cells, cells ordered by group (figure 4a).

    Parameters
    ----------
    adata
        Enhanced data.
    groupby
        Column of `obs` that orders the cells.
    basis
        Key of `obsm`.
    max_cells, rng
        Cells drawn at most, and the seed of the subset.
    ax
        Axes; `None` makes a figure.

    Returns
    -------
    The Axes. Components are ordered by the group in which their mean is highest; each is scaled to its maximum.

    Raises
    ------
    KeyError
        If the layout or the column is missing.
    ValueError
        If cells have no label, or values of the embedding are missing or infinite.
    """
    check_adata(adata)
    hint = "Run sccase_kit.tl.enhance first."
    check_key(basis, adata.obsm.keys(), name="basis", where="adata.obsm", hint=hint, remedy="tl.enhance")
    check_int(max_cells, name="max_cells", minimum=2)
    values = _finite(np.asarray(adata.obsm[basis], dtype=np.float64), f"adata.obsm[{basis!r}]")
    labels = check_labels(adata, groupby)
    chosen = _sample(adata.n_obs, max_cells, rng)
    rows = chosen[order_cells(labels.iloc[chosen])]
    codes = labels.cat.codes.to_numpy()
    means = np.stack([values[codes == c].mean(axis=0) for c in range(len(labels.cat.categories))])
    order = np.lexsort((-means.max(axis=0), means.argmax(axis=0)))
    limit = np.quantile(values, 0.99, axis=0)
    limit = np.where(limit > 0, limit, np.maximum(values.max(axis=0), np.finfo(np.float32).tiny))
    ax = get_axes(ax, figsize=(5.5, 0.9 + extra_inches(labels) + 0.22 * min(max(8, len(order)), 24)))
    _, colors = colors_of(adata, groupby)
    image = ax.imshow(
        np.clip(values[rows] / limit, 0, 1).T[order],
        aspect="auto", cmap=SEQUENTIAL, vmin=0, vmax=1, interpolation="nearest", rasterized=True,
    )  # fmt: skip
    step = max(1, -(-len(order) // 24))
    ax.set_yticks(range(0, len(order), step), [str(i) for i in order[::step]], fontsize="small")
    ax.set(xticks=[], xlabel=cells_of(len(rows), adata.n_obs), ylabel="component")
    color_strip(ax, labels.iloc[rows], colors)
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.7, pad=0.02)
    bar.set_label("share of its 99 % quantile", fontsize="small")
    return ax


@checked()
def similarity_heatmap(
    adata: AnnData,
    groupby: str,
    *,
    key: str = "sccase",
    max_cells: int = 800,
    rng: int = 0,
    ax: Any | None = None,
) -> Axes:
    """Heatmap of the cell-to-cell similarity Z, cells ordered by group.

    Parameters
    ----------
    adata
        Enhanced data.
    groupby
        Column of `obs` that orders the cells.
    key
        The fit.
    max_cells, rng
        Cells drawn at most, and the seed of the subset.
    ax
        Axes; `None` makes a figure.

    Returns
    -------
    The Axes: rows are source cells, columns target cells, whose enhanced profiles they enter by these weights. Colours
    end at the 99 % quantile.

    Raises
    ------
    KeyError
        If there is no fit under `key`, or the column is missing.
    ValueError
        If cells have no label, or similarities are missing or infinite.
    """
    check_fitted(adata, key)
    check_int(max_cells, name="max_cells", minimum=2)
    labels = check_labels(adata, groupby)
    chosen = _sample(adata.n_obs, max_cells, rng)
    rows = chosen[order_cells(labels.iloc[chosen])]
    with np.errstate(over="ignore", invalid="ignore"):  # told by the check
        values = _finite(similarity(adata, key, obs_names=rows, to=rows), f"similarity of key={key!r}")
    from matplotlib.ticker import MaxNLocator

    extra = extra_inches(labels)
    ax = get_axes(ax, figsize=(5 + extra, 4.4 + extra))
    _, colors = colors_of(adata, groupby)
    top = float(np.quantile(values, 0.99)) or float(values.max())
    image = ax.imshow(values, cmap=SEQUENTIAL, vmin=0, vmax=top, interpolation="nearest", rasterized=True)
    ax.set(
        xticks=[],
        yticks=[],
        xlabel=f"target cells ({len(rows):,} of {adata.n_obs:,})" if len(rows) < adata.n_obs else "target cells",
    )
    color_strip(ax, labels.iloc[rows], colors)
    color_strip(ax, labels.iloc[rows], colors, side="left", label="source cells")
    ax.figure.colorbar(image, ax=ax, shrink=0.7, pad=0.02, label="similarity", ticks=MaxNLocator(5))
    return ax
