"""What the enhancer is given in addition to the counts: checked, and brought to arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from anndata import AnnData

from .. import pp
from .._batch_columns import batch_columns
from .._calls import forget_layouts
from .._logging import logger, warn
from .._record import recorded
from .._validate import check_adata, check_labels
from ..enhance import Enhancement, Prepared
from ..enhance.method import CALL
from ..intervals.names import share_of_places
from ..matrix.access import get_matrix
from ..matrix.batches import warn_of_closed_peaks
from . import _estimate_k


def options_given(front: Callable[..., Any], call: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of methods among the arguments of a call that are not the defaults of the front."""
    defaults = {name: parameter.default for name, parameter in inspect.signature(front).parameters.items()}
    return {name: value for name, value in call.items() if name not in CALL and not _same(value, defaults[name])}


def _same(value: Any, default: Any) -> bool:
    return value is default or (type(value) is not np.ndarray and value == default)


def check_shape(adata: AnnData) -> None:
    """Raise ValueError on data with fewer than two cells or peaks."""
    if adata.n_obs < 2 or adata.n_vars < 2:
        msg = f"adata must have at least 2 cells and 2 peaks, got shape {adata.shape}"
        raise ValueError(msg)


def check_orientation(adata: AnnData) -> None:
    """Raise ValueError where cells have names of peaks, and peaks do not."""
    if share_of_places(adata.var_names[:100]):  # nearly always: a million cells' names are not looked at
        return
    if share_of_places(adata.obs_names) > 0.5 and not share_of_places(adata.var_names):
        msg = f"cells have names of peaks such as {adata.obs_names[0]!r}, peaks have none ({adata.var_names[0]!r}): "
        msg += "the matrix is peaks × cells; transpose it with adata.T"
        raise ValueError(msg)


def batch_codes(adata: AnnData, batch_key: str | None, *, layer: str | None = None) -> np.ndarray | None:
    """Return integer codes of the batches, shape (n_obs,), or None without a key; a column of batches is then named.

    Warns where many peaks are closed in all cells of one batch.
    """
    if batch_key is None:
        for name, _ in batch_columns(adata.obs)[:2]:
            what = "batches" if "batch" in name.lower() else "values, perhaps batches"
            n_values = adata.obs[name].astype(str).nunique()
            logger.info("obs[%r] holds %d %s: batch_key=%r would correct for them", name, n_values, what, name)
        return None
    labels = check_labels(adata, batch_key, name="batch_key", min_groups=2)
    sizes = labels.value_counts()
    if single := [str(name) for name, size in sizes.items() if size < 2]:
        msg = f"batch_key={batch_key!r}: batches {single} have a single cell; merge or drop them"
        raise ValueError(msg)
    codes = labels.cat.codes.to_numpy().astype(np.int64)
    warn_of_closed_peaks(get_matrix(adata, layer), codes, list(labels.cat.categories))
    return codes


def aligned_reference(reference: Any, adata: AnnData) -> np.ndarray:
    """Return the reference counts on the peaks of `adata`: float64 array of shape (groups, n_vars)."""
    check_adata(reference, name="reference")
    if reference.n_obs < 2:
        msg = "reference has one group; at least two are needed to tell what is specific to each"
        raise ValueError(msg)
    aligned = pp.align_reference(reference, adata)
    values = aligned.X.toarray() if hasattr(aligned.X, "toarray") else np.asarray(aligned.X)
    return values.astype(np.float64)


def estimated_components(adata: AnnData, layer: str | None, data: Prepared, rng: np.random.Generator) -> int:
    """Return ASTER's number of types + 1, as far as the data and its cells that are not empty allow."""
    n_cells = int((data.depth > 0).sum())
    sizes = range(3, min(15, n_cells, adata.n_vars))
    if len(sizes) < 3:
        msg = f"n_components='auto' cannot be estimated from {n_cells} cells × {adata.n_vars} peaks; give a number"
        raise ValueError(msg)
    k = _estimate_k.estimate_k(adata, layer=layer, k_values=sizes, rng=rng.spawn(1)[0]) + 1
    logger.info("n_components='auto': estimated %d components (ASTER's number of types + 1)", k)
    return min(k, *adata.shape)


def write_fields(target: AnnData, result: Enhancement, key: str) -> None:
    """Put a result into an AnnData in place of an earlier one; layouts of that, and a layer of it, go."""
    forget_layouts(target, key)
    earlier = recorded(target.uns.get(key), "tl.enhance")
    own = earlier is not None and f"{key}_cell_factors" not in target.obsm
    if not (own or result.thin) and key in target.layers:
        warn(f"layers[{key!r}] was there before and is replaced by the enhanced matrix")
    result.write(target, key, replaces_layer=own)
