"""Read results of :func:`sccase_kit.tl.enhance` back out, block by block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .._arguments import Labels, Text, checked
from .._progress import progress
from .._record import recorded, records
from .._remedy import with_remedy
from .._validate import Scale, check_adata, check_scale
from ..enhance.expected import PER_CELL, accessibility
from ..enhance.factors import Ranges, block, compute_ranges, minmax_scale, scaled_block, sparse_ranges
from .scaling import count_scaling

Selector = Sequence[str] | np.ndarray | slice | str | None


def positions_of(selector: Selector, names: pd.Index, *, name: str) -> slice | np.ndarray:
    """Turn names, a mask, integers or a slice into positions."""
    if selector is None:
        return slice(None)
    if isinstance(selector, slice):
        return selector
    nested = isinstance(selector, (list, tuple)) and any(isinstance(v, (list, tuple, dict, set)) for v in selector)
    if isinstance(selector, (dict, set)) or nested or getattr(selector, "ndim", 1) > 1:
        msg = f"{name} must be names, positions, a mask or a slice, got {type(selector).__name__}"
        raise TypeError(msg)
    if not np.isscalar(selector):
        selector = Labels("names", fit=False)(selector, name, {})
    wanted = np.atleast_1d(np.asarray(selector))
    if wanted.dtype == bool:
        if len(wanted) != len(names):
            msg = f"{name} is a mask of length {len(wanted)}, expected {len(names)}"
            raise ValueError(msg)
        return np.flatnonzero(wanted)
    if wanted.dtype.kind in "iu":
        if len(wanted) and (wanted.min() < -len(names) or wanted.max() >= len(names)):
            msg = f"{name} has positions outside 0..{len(names) - 1}: {wanted.min()}..{wanted.max()}"
            raise IndexError(msg)
        return wanted
    if not names.is_unique:
        msg = f"{name} cannot be looked up by name: names are duplicated; use positions or make them unique"
        raise ValueError(msg)
    found = names.get_indexer(pd.Index(wanted))
    if (found < 0).any():
        missing = wanted[found < 0]
        msg = f"{name}: {len(missing)} name(s) not found, e.g. {missing[:5].tolist()}; known names look like "
        msg += f"{names[:3].tolist()}"
        raise KeyError(msg)
    return found


def check_fitted(adata: AnnData, key: str) -> dict[str, Any]:
    """Return `adata.uns[key]` of a fitted model.

    Raises
    ------
    KeyError
        If there is none; it names the fitted keys.
    ValueError
        If `adata` has more cells than were fitted: parts of several fits do not make one.
    """
    check_adata(adata)
    key = Text()(key, "key", {})
    entry = adata.uns.get(key)
    found = recorded(entry, "tl.enhance")
    if found is None or "objective" not in found.results:
        fitted = [name for name, other in records(adata.uns).items() if other.function == "tl.enhance"]
        msg = f"key={key!r}: adata holds no enhanced data under this key (found: {fitted}); "
        if f"{key}_cell_factors" in adata.obsm:
            msg += (
                "what obsm holds lost its fit, as by concatenation: run sccase_kit.tl.enhance on the concatenated data"
            )
        else:
            msg += "run sccase_kit.tl.enhance(adata) first"
        raise with_remedy(KeyError(msg), "tl.enhance")
    if "shape" in entry and adata.n_obs > int(entry["shape"][0]):
        msg = f"key={key!r}: fitted on {int(entry['shape'][0])} cells, but adata has {adata.n_obs}; fits cannot be "
        msg += "concatenated: run sccase_kit.tl.enhance on the concatenated data"
        raise with_remedy(ValueError(msg), "tl.enhance")
    return entry


@checked()
def factors(adata: AnnData, *, key: str = "sccase", scale: Scale | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return (cell_factors, peak_factors) of shapes (n_obs, r) and (n_vars, r): enhanced = cells @ peaks.T.

    Parameters
    ----------
    adata
        Data enhanced by :func:`sccase_kit.tl.enhance`.
    key
        The `key_added` of the fit.
    scale
        What their product is, see :func:`enhanced`: `None` for the signal, `"counts"` or `"accessibility"`. Min–max
        scaled values have no such factors.

    Returns
    -------
    Two float32 arrays of shapes (n_obs, r) and (n_vars, r).

    Raises
    ------
    KeyError
        If `adata` was not enhanced under `key`, or with ``solver="published"``, which has no thin factors.
    ValueError
        If `scale` is another one, or depth and IDF cannot be had from these data (see :func:`enhanced`).

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> sk.tl.enhance(adata)
    >>> cells, peaks = sk.get.factors(adata)
    >>> cells.shape[1] == peaks.shape[1]
    True
    """
    check_scale(scale)
    if scale == "minmax":
        msg = "scale='minmax' has no thin factors of its own: read blocks with sccase_kit.get.enhanced"
        raise ValueError(msg)
    return _factors(adata, key, scale, slice(None), slice(None))


def _factors(adata: AnnData, key: str, scale: str | None, rows: Any, cols: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the factors of some cells and peaks whose product is in `scale` (not min–max)."""
    entry = check_fitted(adata, key)
    if f"{key}_cell_factors" not in adata.obsm:
        msg = f"key={key!r} was fitted by a method without thin factors, such as solver='published': read "
        msg += f"adata.layers[{key!r}]"
        raise KeyError(msg)
    if f"{key}_peak_factors" not in adata.varm:
        msg = f"key={key!r}: adata.varm has lost {key}_peak_factors, as by concatenation; "
        msg += "run sccase_kit.tl.enhance on the concatenated data"
        raise with_remedy(KeyError(msg), "tl.enhance")
    cells, peaks = adata.obsm[f"{key}_cell_factors"], adata.varm[f"{key}_peak_factors"]
    if scale is None:
        return cells[rows], peaks[cols]
    scaling = count_scaling(adata, key, entry)
    if f"{key}_shares" in adata.obsm and f"{key}_profiles" in adata.varm:
        return scaling.expected(adata.obsm[f"{key}_shares"], adata.varm[f"{key}_profiles"], scale, rows, cols)
    return scaling.factors(cells, peaks, scale, rows, cols)


@checked()
def ranges(adata: AnnData, *, key: str = "sccase") -> Ranges:
    """Return the min–max ranges of the enhanced matrix, computing and storing them when absent.

    Parameters
    ----------
    adata
        Data enhanced by :func:`sccase_kit.tl.enhance`.
    key
        The `key_added` of the fit.

    Returns
    -------
    :class:`sccase_kit.enhance.Ranges` with the ranges of the peaks and of the cells. They are also written to
    ``obsm["<key>_range"]`` (n_obs × 2) and ``varm["<key>_range"]`` (n_vars × 2), float32: per peak the minimum and
    maximum over all cells, and per cell over the scaled peaks. Computed by streaming blocks.

    Raises
    ------
    ValueError
        If the ranges are absent and `adata` is a subset of the data that were fitted: its own ranges would differ.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> sk.tl.enhance(adata)
    >>> sk.get.ranges(adata).peak.shape
    (500, 2)
    """
    entry = check_fitted(adata, key)
    slot = f"{key}_range"
    if slot in adata.obsm and slot in adata.varm:
        return Ranges(peak=adata.varm[slot], cell=adata.obsm[slot])
    shape = tuple(int(v) for v in entry["shape"])
    if adata.shape != shape:
        msg = f"the min–max ranges were not computed before adata was cut from {shape} to {adata.shape}; "
        msg += "call sccase_kit.get.ranges(adata) on the whole object first"
        raise ValueError(msg)
    if is_dense(adata, key) and sparse.issparse(adata.layers[key]):
        result = sparse_ranges(adata.layers[key])
        adata.varm[slot], adata.obsm[slot] = result.peak, result.cell
        return result
    cells, peaks = factors(adata, key=key)
    with progress(total=2 * adata.n_obs, desc="min–max ranges", unit="cell") as bar:
        result = compute_ranges(cells, peaks, report=bar.update)
    adata.varm[slot], adata.obsm[slot] = result.peak, result.cell
    return result


@checked()
def enhanced(
    adata: AnnData,
    key: str = "sccase",
    *,
    obs_names: Selector = None,
    var_names: Selector = None,
    scale: Scale | None = None,
) -> np.ndarray:
    """Compute a block of the enhanced matrix on demand.

    Parameters
    ----------
    adata
        Data enhanced by :func:`sccase_kit.tl.enhance`; a subset works as well.
    key
        The `key_added` of the fit.
    obs_names, var_names
        Cells and peaks: names, a boolean mask, positions or a slice; `None` for all.
    scale
        `"counts"`: expected counts, in the unit of the counts that were enhanced (fragments or insertions); depth of
        the cell × accessibility. `"accessibility"`: expected counts per 10,000 of the cell, which does not depend on
        its depth; rows sum to 10,000 over the fitted peaks. `None`: the signal, a weighted mean of TF-IDF profiles.
        `"minmax"`: the published output, each peak scaled to [0, 1] over all cells, then each cell over all peaks. The
        guide *Which output for what* says which serves which question.

    Returns
    -------
    Array of shape (cells, peaks), float32; cells without counts are 0.

    Raises
    ------
    KeyError
        If a name is unknown or nothing was fitted under `key`.
    ValueError
        If `scale` is unknown; if the min–max ranges (see :func:`ranges`), or depth and IDF, which are read from the
        counts when first needed, cannot be had from a subset; or if the counts are not those that were enhanced.

    Notes
    -----
    Reading depth and IDF writes ``obsm["<key>_depth"]`` (n_obs × 1) and ``varm["<key>_idf"]`` (n_vars × 2: IDF, share
    of all counts), float64.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> sk.tl.enhance(adata)
    >>> sk.get.enhanced(adata, obs_names=slice(0, 10), var_names=adata.var_names[:3]).shape
    (10, 3)
    >>> bool((sk.get.enhanced(adata, scale="accessibility").sum(axis=1).round() == 10_000).all())
    True
    """
    check_fitted(adata, key)
    check_scale(scale)
    rows = positions_of(obs_names, adata.obs_names, name="obs_names")
    cols = positions_of(var_names, adata.var_names, name="var_names")
    if is_dense(adata, key):
        return _layer_block(adata, key, scale, rows, cols)
    if scale != "minmax":
        return block(*_factors(adata, key, scale, rows, cols))
    cells, peaks = factors(adata, key=key)
    limits = ranges(adata, key=key)
    return block(cells[rows], peaks[cols], peak_range=limits.peak[cols], cell_range=limits.cell[rows])


def is_dense(adata: AnnData, key: str) -> bool:
    """Return whether the result is a layer, as of ``method="published"``, instead of factors."""
    return key in adata.layers and f"{key}_cell_factors" not in adata.obsm


def _layer_block(adata: AnnData, key: str, scale: str | None, rows: Any, cols: Any) -> np.ndarray:
    """Return a block of a result that is a layer; of a sparse one nothing else becomes dense."""
    layer = adata.layers[key]
    if not sparse.issparse(layer):
        return dense_matrix(adata, key, scale)[rows][:, cols]
    if scale is None:
        return layer[rows][:, cols].toarray()
    if scale == "minmax":
        limits = ranges(adata, key=key)
        return scaled_block(layer[rows][:, cols].toarray(), limits.peak[cols], limits.cell[rows])
    _check_whole(adata, key, scale)
    known = count_scaling(adata, key, adata.uns[key])
    values = accessibility(layer[rows].toarray(), known.peaks)
    values *= known.depth[rows, None] if scale == "counts" else PER_CELL
    return values[:, cols].astype(np.float32)


def _check_whole(adata: AnnData, key: str, scale: str) -> None:
    shape = tuple(int(v) for v in adata.uns[key]["shape"])
    if adata.shape != shape:
        msg = f"scale={scale!r} of solver='published' needs the whole data of shape {shape}, got {adata.shape}"
        raise ValueError(msg)


def dense_matrix(adata: AnnData, key: str, scale: str | None) -> np.ndarray:
    """Return the whole enhanced matrix of a method without factors, scaled if wanted (which makes a copy)."""
    layer = adata.layers[key]
    dense = layer.toarray() if sparse.issparse(layer) else np.asarray(layer)
    if scale is None:
        return dense
    _check_whole(adata, key, scale)
    if scale == "minmax":
        return minmax_scale(dense)
    known = count_scaling(adata, key, adata.uns[key])
    values = accessibility(dense, known.peaks)
    values *= known.depth[:, None] if scale == "counts" else PER_CELL
    return values.astype(np.float32)


@checked()
def similarity(adata: AnnData, key: str = "sccase", *, obs_names: Selector = None, to: Selector = None) -> np.ndarray:
    """Compute a block of the cell-to-cell similarity Z on demand.

    Parameters
    ----------
    adata
        Data enhanced by :func:`sccase_kit.tl.enhance`.
    key
        The `key_added` of the fit.
    obs_names
        Source cells, the rows of Z.
    to
        Target cells, the columns of Z; column j holds the weights of the cells in the enhanced profile of cell j.

    Returns
    -------
    Array of shape (sources, targets), float32.

    Raises
    ------
    KeyError
        If `adata` was not enhanced under `key`, its factors are missing, or a name is unknown.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> sk.tl.enhance(adata)
    >>> sk.get.similarity(adata, obs_names=slice(0, 3)).shape
    (3, 100)
    """
    check_fitted(adata, key)
    rows = positions_of(obs_names, adata.obs_names, name="obs_names")
    cols = positions_of(to, adata.obs_names, name="to")
    if f"{key}_similarity" in adata.obsp:
        part = adata.obsp[f"{key}_similarity"][rows][:, cols]
        return part.toarray() if sparse.issparse(part) else np.asarray(part)
    slot = f"{key}_sources"
    if slot not in adata.obsm:
        msg = f"adata.obsm[{slot!r}] is missing; run sccase_kit.tl.enhance(adata, key_added={key!r}) again"
        raise with_remedy(KeyError(msg), "tl.enhance")
    return adata.obsm[slot][rows] @ adata.obsm[f"{key}_cell_factors"][cols].T
