"""Two-dimensional maps of the cells before and after enhancement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData

from .._matrix import get_matrix
from .._validate import check_adata, check_choice, check_key
from ..enhance._nmf import sketch
from ..enhance._prepare import prepare
from ..get._enhanced import check_fitted, factors, ranges
from ..metrics import Profiles
from ._style import RASTER_ABOVE, SEQUENTIAL, colors_of, get_axes, get_panels, legend_outside


def layout_cells(
    pcs: np.ndarray, *, method: Literal["umap", "tsne"] = "umap", n_neighbors: int = 15, rng: int = 0
) -> np.ndarray:
    """Return a (n_obs × 2) layout of the cells from principal components (n_obs × d)."""
    if method == "tsne":
        from sklearn.manifold import TSNE

        perplexity = min(30.0, (len(pcs) - 1) / 3)
        return TSNE(random_state=rng, init="pca", perplexity=perplexity).fit_transform(pcs.astype(np.float32))
    import scanpy as sc

    view = AnnData(obs=pd.DataFrame(index=pd.RangeIndex(len(pcs)).astype(str)), obsm={"X_pca": pcs.astype(np.float32)})
    sc.pp.neighbors(view, n_neighbors=min(n_neighbors, len(pcs) - 1), use_rep="X_pca", random_state=rng)
    sc.tl.umap(view, random_state=rng)
    return view.obsm["X_umap"]


def raw_pca(adata: AnnData, *, layer: str | None = None, n_components: int = 50, rng: int = 0) -> np.ndarray:
    """Return principal scores (left singular vectors × values) of the TF-IDF counts, (n_obs × n_components)."""
    op = prepare(get_matrix(adata, layer)).op
    u, s, _ = sketch(op, min(n_components + 20, min(op.shape)), n_power=2, rng=np.random.default_rng(rng)).svd()
    return (u * s)[:, :n_components]


def enhanced_pca(adata: AnnData, *, key: str = "sccase", n_components: int = 50) -> np.ndarray:
    """Return principal scores of the min–max scaled enhanced matrix from its thin factors, (n_obs × n_components)."""
    cells, peaks = factors(adata, key=key)
    limits = ranges(adata, key=key)
    return Profiles(cells, peaks).minmax_scaled(limits.peak, limits.cell).pca(n_components)


def cell_map(
    adata: AnnData,
    color: str,
    *,
    basis: str,
    title: str | None = None,
    legend: bool = True,
    ax: Any | None = None,
) -> Any:
    """Scatter the cells of a two-dimensional layout, coloured by a column of `obs`.

    Parameters
    ----------
    adata
        Data with ``obsm[basis]`` of shape (n_obs, ≥ 2).
    color
        Column of `obs`: categories take the colours of ``uns["<color>_colors"]``, numbers a sequential map.
    basis
        Key of `obsm`.
    title
        Title of the panel.
    legend
        Draw the legend (right of the data) or the colour bar.
    ax
        Axes; `None` makes a figure.

    Returns
    -------
    The Axes.
    """
    check_adata(adata)
    check_key(basis, adata.obsm.keys(), name="basis", where="adata.obsm")
    check_key(color, adata.obs.columns, name="color", where="adata.obs")
    ax = get_axes(ax, figsize=(4.8, 3.6))
    xy = np.asarray(adata.obsm[basis])[:, :2]
    size = float(np.clip(12_000 / adata.n_obs, 1, 30))
    order = np.random.default_rng(0).permutation(adata.n_obs)
    style = {"s": size, "linewidths": 0, "rasterized": adata.n_obs > RASTER_ABOVE}
    if pd.api.types.is_numeric_dtype(adata.obs[color]):
        drawn = ax.scatter(*xy[order].T, c=adata.obs[color].to_numpy()[order], cmap=SEQUENTIAL, **style)
        if legend:
            ax.figure.colorbar(drawn, ax=ax, shrink=0.7, label=color)
    else:
        labels, colors = colors_of(adata, color)
        ax.scatter(*xy[order].T, c=[colors[v] for v in labels.iloc[order]], **style)
        if legend:
            legend_outside(ax, colors)
    ax.set(xticks=[], yticks=[], title=title or color)
    ax.set_aspect("equal", adjustable="datalim")
    return ax


def raw_against_enhanced(
    adata: AnnData,
    color: str,
    *,
    key: str = "sccase",
    layer: str | None = None,
    method: Literal["umap", "tsne"] = "umap",
    rng: int = 0,
    ax: Sequence[Any] | None = None,
) -> list[Any]:
    """Maps of the cells from the raw TF-IDF and from the enhanced data, side by side (Figs 2h and 3).

    Both start from 50 principal components; the enhanced ones come from the thin factors.

    Parameters
    ----------
    adata
        Enhanced data.
    color
        Column of `obs`.
    key, layer
        The fit, and the layer of the raw counts (`None` for `X`).
    method
        `"umap"` or `"tsne"`.
    rng
        Seed of the layouts.
    ax
        Two Axes; `None` makes a figure.

    Returns
    -------
    Two Axes, raw and enhanced. Layouts stored in ``obsm["X_<method>_raw"]`` and ``obsm["X_<method>_<key>"]`` are
    reused, others are computed and stored there, (n_obs × 2) float32.
    """
    check_adata(adata)
    check_choice(method, ["umap", "tsne"], name="method")
    check_fitted(adata, key)
    slots = [f"X_{method}_raw", f"X_{method}_{key}"]
    if slots[0] not in adata.obsm:
        adata.obsm[slots[0]] = layout_cells(raw_pca(adata, layer=layer, rng=rng), method=method, rng=rng)
    if slots[1] not in adata.obsm:
        adata.obsm[slots[1]] = layout_cells(enhanced_pca(adata, key=key), method=method, rng=rng)
    axes = get_panels(2, ax, width=4.0, height=3.4)
    for i, (panel, slot, title) in enumerate(zip(axes, slots, ["raw TF-IDF", "enhanced"], strict=True)):
        cell_map(adata, color, basis=slot, title=title, legend=i == 1, ax=panel)
    return axes
