"""What the enhancer is given beside the counts: checked, and brought to arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from anndata import AnnData

from .._logging import logger, warn
from .._validate import check_adata, check_int, check_labels
from ..intervals.columns import are_peaks
from ..matrix.access import get_matrix
from ..matrix.batches import warn_of_closed_peaks

# Arguments that have no effect with a method, a solver, or without an input.
_ROBUST = ("init", "lam", "gamma1", "gamma2", "keep_probability", "batch_method", "max_iter", "tol")
_PUBLISHED = ("alpha", "keep_probability", "batch_method", "max_iter", "tol")
_WITHOUT = {"reference": ("n_reference", "alpha"), "batch_key": ("batch_method",)}


def check_combination(method: str, solver: str, *, device: str | None, checkpoint: Any) -> None:
    """Raise ValueError on arguments that exclude each other."""
    if solver != "published":
        return
    if method == "robust":
        msg = "solver='published' is the program's scCASE; method='robust' needs solver='thin'"
    elif device is not None:
        msg = f"device={device!r} needs solver='thin'; the published program works on the CPU"
    elif checkpoint is not None:
        msg = "checkpoint needs solver='thin'; the published program's small fits keep nothing"
    else:
        return
    raise ValueError(msg)


def warn_of_ignored(method: str, solver: str, inputs: dict[str, Any], front: Callable[..., Any], **given: Any) -> None:
    """Warn of arguments that are not the defaults of `front` and that this method, solver or lack of input ignores."""
    defaults = {name: parameter.default for name, parameter in inspect.signature(front).parameters.items()}
    unused = [(f"method={method!r}", _ROBUST)] if method == "robust" else []
    unused += [("solver='published'", _PUBLISHED)] if solver == "published" else []
    unused += [(f"no {name}", needed_by) for name, needed_by in _WITHOUT.items() if inputs[name] is None]
    for why, names in unused:
        if changed := [f"{name}={given[name]!r}" for name in names if given[name] != defaults[name]]:
            warn(f"{', '.join(changed)} has no effect with {why}")


def check_shape(adata: AnnData) -> None:
    """Raise ValueError on data with fewer than two cells or peaks."""
    if adata.n_obs < 2 or adata.n_vars < 2:
        msg = f"adata must have at least 2 cells and 2 peaks, got shape {adata.shape}"
        raise ValueError(msg)


def check_orientation(adata: AnnData) -> None:
    """Raise ValueError where cells bear names of peaks, and peaks do not."""
    if are_peaks(adata.obs_names) and not are_peaks(adata.var_names):
        msg = f"cells have names of peaks such as {adata.obs_names[0]!r}, peaks have none ({adata.var_names[0]!r}): "
        msg += "the matrix is peaks × cells; turn it round with adata.T"
        raise ValueError(msg)


def check_n_components(value: Any, adata: AnnData) -> int:
    """Return the number of components, or raise ValueError where the data have none so large."""
    if isinstance(value, str):
        msg = f"n_components must be a positive integer or 'auto', got {value!r}"
        raise ValueError(msg)
    k = check_int(value, name="n_components", minimum=1)
    limit = min(adata.shape)
    if k > limit:
        msg = f"n_components={k} exceeds the smaller side of the data ({adata.n_obs} cells × {adata.n_vars} peaks)"
        raise ValueError(msg)
    return k


def batch_codes(adata: AnnData, batch_key: str | None, *, layer: str | None = None) -> np.ndarray | None:
    """Return integer codes of the batches, shape (n_obs,), or None without a key; a column of batches is then named.

    Warns where many peaks are closed in all cells of one batch.
    """
    if batch_key is None:
        for name in (column for column in set(adata.obs) if str(column).lower() in ("batch", "batches")):
            if (n_batches := len(adata.obs[name].astype(str).drop_duplicates())) > 1:
                logger.info("obs[%r] holds %d batches: batch_key=%r would correct for them", name, n_batches, name)
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
    from .. import pp

    check_adata(reference, name="reference")
    if reference.n_obs < 2:
        msg = "reference has one group; at least two are needed to tell what is specific to each"
        raise ValueError(msg)
    aligned = pp.align_reference(reference, adata)
    values = aligned.X.toarray() if hasattr(aligned.X, "toarray") else np.asarray(aligned.X)
    return values.astype(np.float64)


def reference_components(n_reference: Any, n_components: int | None, aligned: np.ndarray | None) -> int:
    """Return k₁: that given, one per group, or by the program's rule a third of `n_components`."""
    if aligned is None:
        return 0
    groups = aligned.shape[0]
    if n_reference == "auto":
        return groups if n_components is None else max(1, min(round(n_components / 3), groups))
    return check_int(n_reference, name="n_reference", minimum=1, maximum=groups)


def estimated_components(adata: AnnData, n_cells: int, *, layer: str | None, rng: np.random.Generator) -> int:
    """Return ASTER's number of types + 1, as far as the data, with `n_cells` that are not empty, allow."""
    from ._estimate_k import estimate_k

    sizes = range(3, min(15, n_cells, adata.n_vars))
    if len(sizes) < 3:
        msg = f"n_components='auto' cannot be estimated from {n_cells} cells × {adata.n_vars} peaks; give a number"
        raise ValueError(msg)
    k = estimate_k(adata, layer=layer, k_values=sizes, rng=rng) + 1
    logger.info("n_components='auto': estimated %d components (ASTER's number of types + 1)", k)
    return min(k, *adata.shape)
