"""Two-dimensional maps of the cells (UMAP, t-SNE, any layout) before and after enhancement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._record import recorded
from .._validate import check_adata, check_choice, check_key, check_some
from ..get.raw import raw_layer
from ..get.thin import check_fitted
from ._style import (
    MISSING,
    RASTER_ABOVE,
    SEQUENTIAL,
    check_cmap,
    colors_of,
    get_axes,
    get_panels,
    layout_of,
    legend_inches,
    legend_outside,
    plain,
)
from .layouts import RAW, stored_layout

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_METHODS = {"umap": "UMAP", "tsne": "t-SNE", "pca": "PC"}


@checked()
def cell_map(
    adata: AnnData,
    color: str | Sequence[str],
    *,
    basis: str | None = None,
    title: str | None = None,
    log10: bool = False,
    cmap: str = SEQUENTIAL,
    legend: bool = True,
    ax: Any | None = None,
) -> Axes | list[Axes]:
    """Scatter the cells of a two-dimensional layout, coloured by a column of `obs`.

    Parameters
    ----------
    adata
        Data with ``obsm[basis]`` of shape (n_obs, ≥ 2).
    color
        Column of `obs`, or several, one panel each: categories and booleans take the colours of
        ``uns["<color>_colors"]``, numbers a sequential map with a colour bar. Cells without a value are grey.
    basis
        Key of `obsm`. `None` takes the UMAP of the enhanced data, computing it where it is missing (written to
        ``obsm["X_umap_sccase"]``), and without a fit ``"X_umap"``.
    title
        Title of the panel; the column by default.
    log10
        Colour by log₁₀ of a number, for instance of the depth; zeros and negative numbers count as missing.
    cmap
        Colour map of numbers.
    legend
        Draw the legend (right of the data) or the colour bar.
    ax
        Axes, one per column; `None` makes a figure.

    Returns
    -------
    The Axes; a list of them for several columns.

    Raises
    ------
    KeyError
        If the layout or a column is missing.
    ValueError
        If the layout has fewer than two columns, or `ax` holds another number of Axes than there are colours.

    Notes
    -----
    Writes ``uns["<color>_colors"]`` where it is missing, as scanpy does.
    """
    check_adata(adata)
    wanted = _colors_wanted(adata, color)
    check_cmap(cmap)
    if basis is None:
        fitted = recorded(adata.uns.get("sccase"), "tl.enhance") is not None
        basis = stored_layout(adata, "sccase", method="umap") if fitted else "X_umap"
    layout_of(adata, basis)
    room = max(_legend_room(adata.obs[name]) for name in wanted) if legend else 0.0
    if isinstance(color, str):
        panels = [get_axes(ax, figsize=(max(4.8, 3.0 + room), 3.6))]
    else:
        panels = get_panels(len(wanted), ax, width=max(4.4, 2.6 + room), height=3.4, columns=3)
    for panel, name in zip(panels, wanted, strict=True):
        _draw_map(panel, adata, name, basis=basis, log10=log10, cmap=cmap, legend=legend)
        panel.set_title(plain(name) if title is None else title)
    return panels[0] if isinstance(color, str) else panels


def _colors_wanted(adata: AnnData, color: str | Sequence[str]) -> list[str]:
    wanted = check_some(color if isinstance(color, Sequence) else [color], name="color")
    return [check_key(name, adata.obs.columns, name="color", where="adata.obs") for name in wanted]


def _legend_room(column: pd.Series) -> float:
    """Return about how wide the legend of a column is, in inches; 0 for numbers."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return 0.0
    names = list(column.dropna().unique())
    return -(-len(names) // 14) * legend_inches(names)


def _draw_map(ax: Any, adata: AnnData, color: str, *, basis: str, log10: bool, cmap: str, legend: bool) -> None:
    xy = layout_of(adata, basis)
    column = adata.obs[color]
    style = {
        "s": float(np.clip(12_000 / max(adata.n_obs, 1), 1, 30)),
        "linewidths": 0,
        "rasterized": adata.n_obs > RASTER_ABOVE,
    }
    order = np.random.default_rng(0).permutation(adata.n_obs)
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values, label = column.to_numpy(dtype=float, na_value=np.nan), plain(color)
        if log10:
            values, label = np.log10(np.where(values > 0, values, np.nan)), f"log₁₀ {label}"
        known = np.isfinite(values[order])
        ax.scatter(*xy[order[~known]].T, color=MISSING, **style)
        drawn = ax.scatter(*xy[order[known]].T, c=values[order[known]], cmap=cmap, **style)
        if legend:
            bar = ax.inset_axes([1.04, 0.15, 0.05, 0.7])  # next to its panel, however wide the legends of others are
            ax.figure.colorbar(drawn, cax=bar, label=label)
    else:
        from matplotlib.colors import to_rgba_array

        labels, colors = colors_of(adata, color, name="color", allow_missing=True)
        codes = labels.cat.codes.to_numpy()[order]
        table = to_rgba_array([*colors.values(), MISSING])  # code −1, no label, takes the last
        named = codes >= 0
        ax.scatter(*xy[order[~named]].T, color=MISSING, **style)
        ax.scatter(*xy[order[named]].T, c=table[codes[named]], **style)
        if legend:
            legend_outside(ax, colors if named.all() else {**colors, "NA": MISSING})
    name = next((shown for part, shown in _METHODS.items() if part in basis.lower()), basis.removeprefix("X_"))
    ax.set(xticks=[], yticks=[])
    ax.set_xlabel(f"{name} 1", fontsize="small")
    ax.set_ylabel(f"{name} 2", fontsize="small")
    ax.set_aspect("equal", adjustable="datalim")


@checked()
def raw_against_enhanced(
    adata: AnnData,
    color: str | Sequence[str],
    *,
    key: str | Sequence[str] = "sccase",
    layer: str | None = None,
    method: Literal["umap", "tsne"] = "umap",
    pipeline: Literal["components", "tfidf"] = "components",
    log10: bool = False,
    rng: int = 0,
    ax: Sequence[Any] | None = None,
) -> list[Axes] | np.ndarray:
    """Maps of the cells from the raw TF-IDF and from the enhanced data, side by side (Figs 2h-i and 3).

    Both start from 50 principal components; the enhanced ones come from the thin factors.

    Parameters
    ----------
    adata
        Enhanced data.
    color
        Column of `obs` (label, batch, cluster, depth, …), or several, one row of maps each.
    key, layer
        The fit, or several fits, one map each; and the layer of the raw counts (`None` for what was enhanced).
    method
        `"umap"` or `"tsne"`.
    pipeline
        `"components"`: of the raw TF-IDF and of the enhanced data as they are. `"tfidf"`: as in the scCASE paper, after
        EpiScanpy's workflow, TF-IDF first: of the binary counts, and of the enhanced data too (the raw counts are read
        into memory).
    log10
        Colour by log₁₀ of numbers, for instance of the depth.
    rng
        Seed of the layouts.
    ax
        Axes, as many as maps, row by row; `None` makes a figure.

    Returns
    -------
    List of Axes, raw first; with several columns an array of Axes, columns of `obs` × maps. Layouts stored in
    ``obsm["X_<method>_raw"]`` and ``obsm["X_<method>_<key>"]`` are reused if they are the user's own or were drawn here
    with the same settings (``uns["sccase_kit_layouts"]``); others are computed and stored there, (n_obs × 2) float32.

    Raises
    ------
    KeyError
        If there is no fit under `key`, what was enhanced is no longer there, or a column is missing.
    ValueError
        If several fits were made from different matrices and `layer` is not given.
    """
    check_adata(adata)
    check_choice(method, ["umap", "tsne"], name="method")
    check_choice(pipeline, ["components", "tfidf"], name="pipeline")
    keys = check_some(key, name="key")
    for one in keys:
        check_fitted(adata, one)
    layer = raw_layer(adata, keys, layer)
    wanted = _colors_wanted(adata, color)
    slots = [stored_layout(adata, one, method=method, layer=layer, rng=rng, pipeline=pipeline) for one in [RAW, *keys]]
    titles = ["raw TF-IDF", *(["enhanced"] if len(keys) == 1 else keys)]
    room = max(_legend_room(adata.obs[name]) for name in wanted)
    width = max(3.7, 2.8 + room / len(slots))
    axes = get_panels(len(wanted) * len(slots), ax, width=width, height=3.2, columns=len(slots))
    grid = np.array(axes, dtype=object).reshape(len(wanted), len(slots))
    for row, name in zip(grid, wanted, strict=True):
        for panel, slot, title in zip(row, slots, titles, strict=True):
            logs, last = log10 and _is_number(adata, name), panel is row[-1]
            cell_map(adata, name, basis=slot, title=title, log10=logs, legend=last, ax=panel)
    return axes if isinstance(color, str) else grid


def _is_number(adata: AnnData, column: str) -> bool:
    values = adata.obs[column]
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
