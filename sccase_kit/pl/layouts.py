"""Principal components and two-dimensional layouts that the maps are drawn from."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from anndata import AnnData

from .._calls import LAYOUTS, layout_settings
from .._record import recorded
from ..enhance.nmf import sketch
from ..enhance.preparation import prepare
from ..get.thin import check_fitted, factors, ranges
from ..matrix.access import get_matrix, layer_names
from ..metrics import Profiles
from ..metrics.evaluation import profiles_of

#: Name of the untreated data next to the keys of fits.
RAW = "raw"


def raw_layer(adata: AnnData, key: str | Sequence[str], layer: str | None = None) -> str | None:
    """Return the layer of the raw data (`None` for `X`): `layer` if it is given, else what was enhanced under `key`.

    Raises
    ------
    ValueError
        If several fits are of different matrices.
    KeyError
        If what was enhanced is no longer there.
    """
    if layer is not None:
        return layer
    keys = [key] if isinstance(key, str) else list(key)
    fits = [recorded(adata.uns.get(one), "tl.enhance") for one in keys]
    read = {fit.params.get("layer") for fit in fits if fit is not None}
    if len(read) > 1:
        names = sorted("X" if name is None else name for name in read)
        msg = f"key={keys}: these fits were made from different matrices, {names}; pass layer= with the raw counts"
        raise ValueError(msg)
    name = next(iter(read), None)
    if name is not None and name not in layer_names(adata):
        msg = f"key={keys[0]!r} was made from adata.layers[{name!r}], which is no longer there (layers: "
        msg += f"{layer_names(adata)}); put it back, or pass layer= with the raw counts"
        raise KeyError(msg)
    return name


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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of groups that are not connected: umap places them all the same
        sc.tl.umap(view, random_state=rng)
    return view.obsm["X_umap"]


def raw_pca(adata: AnnData, *, layer: str | None = None, n_components: int = 50, rng: int = 0) -> np.ndarray:
    """Return principal scores (left singular vectors × values) of the TF-IDF counts, (n_obs × n_components)."""
    op = prepare(get_matrix(adata, layer)).op
    u, s, _ = sketch(op, min(n_components + 20, min(op.shape)), n_power=2, rng=np.random.default_rng(rng)).svd()
    return (u * s)[:, :n_components]


def enhanced_pca(adata: AnnData, *, key: str = "sccase", n_components: int = 50) -> np.ndarray:
    """Return principal scores of the min–max scaled enhanced matrix from its thin factors, (n_obs × n_components)."""
    check_fitted(adata, key)
    if f"{key}_cell_factors" not in adata.obsm:  # solver="published" leaves a dense layer
        return profiles_of(adata, key=key, scale="minmax").pca(n_components)
    cells, peaks = factors(adata, key=key)
    limits = ranges(adata, key=key)
    return Profiles(cells, peaks).minmax_scaled(limits.peak, limits.cell).pca(n_components)


def scores_of(adata: AnnData, key: str, *, layer: str | None = None, rng: int = 0) -> np.ndarray:
    """Return 50 principal scores of the raw TF-IDF (`RAW`) or of a fit."""
    return raw_pca(adata, layer=layer, rng=rng) if key == RAW else enhanced_pca(adata, key=key)


def stored_layout(
    adata: AnnData, key: str, *, method: Literal["umap", "tsne"], layer: str | None = None, rng: int = 0
) -> str:
    """Return the key of `obsm` with the layout of the raw data (`RAW`) or of a fit, computing it where needed.

    One that was drawn with another `rng`, or of another `layer` of raw data, is replaced; one of the user stays.
    Written: ``obsm["X_<method>_<key>"]``, (n_obs × 2) float32, and its settings in ``uns["sccase_kit_layouts"]``.
    """
    slot = f"X_{method}_{key}"
    settings = {"rng": rng, **({"layer": layer or ""} if key == RAW else {})}
    if slot not in adata.obsm or layout_settings(adata, slot) not in (None, settings):
        layout = layout_cells(scores_of(adata, key, layer=layer, rng=rng), method=method, rng=rng)
        adata.obsm[slot] = np.asarray(layout, dtype=np.float32)
        adata.uns[LAYOUTS] = {**adata.uns.get(LAYOUTS, {}), slot: settings}
    return slot
