"""Counts in two halves, each enhanced alone, and the other summed over the groups that the first one tells."""

from __future__ import annotations

import warnings

import numpy as np
from anndata import AnnData
from scipy import sparse

from .._logging import said_once
from .._progress import progress
from .._record import required
from ..get.raw import fitted_layer
from ..get.thin import check_fitted, enhanced, factors, is_dense
from ..matrix.access import check_counts, get_matrix
from ..matrix.blocks import iter_row_blocks
from ..matrix.rows import canonical
from ..metrics.hidden import Mask, open_entries, take_entries
from ..peaks import group_profiles
from ..peaks.halves import HalfSums, assigned_groups, depth_strata, half_sums
from .fit_again import fit_again

_FOLDS, _ROWS = 5, 512
_KEY = "sccase"


def held_out_halves(
    adata: AnnData, codes: np.ndarray, n_groups: int, *, key: str, layer: str | None, rng: np.random.Generator
) -> list[HalfSums]:
    """Enhance both halves of the counts, and sum each over the groups that the other tells.

    Parameters
    ----------
    adata
        Data enhanced by :func:`sccase_kit.tl.enhance`, with the counts.
    codes
        0-based group of each cell, shape (n_obs,).
    n_groups
        Number of groups.
    key, layer
        The fit, which is repeated on every half, and the layer of its counts; `None` for what was enhanced.
    rng
        Deals the entries to the halves, and the cells to folds.

    Returns
    -------
    Two :class:`HalfSums`.

    Raises
    ------
    KeyError
        If there is no such fit, or its counts are no longer there.
    ValueError
        If it used a reference, or counts are negative.
    """
    check_fitted(adata, key)
    codes = np.asarray(codes, dtype=np.int64)
    fit = next(iter(fit_again(adata, key).values()))
    batch_key = required(adata, key, "tl.enhance").params.get("batch_key")
    batch = np.zeros(adata.n_obs, dtype=np.int64)
    if batch_key is not None:
        batch = adata.obs[batch_key].astype("category").cat.codes.to_numpy().astype(np.int64)
    mask = Mask(0.5, int(rng.integers(2**62)))
    folds = rng.integers(_FOLDS, size=adata.n_obs)
    folds[: min(2, len(folds))] = np.arange(min(2, len(folds)))  # of a few cells all could be of one
    parts: tuple[list[sparse.csr_matrix], list[sparse.csr_matrix]] = ([], [])
    for rows, stored in iter_row_blocks(canonical(get_matrix(adata, fitted_layer(adata, key, layer)))):
        check_counts(stored)
        block = open_entries(stored)
        hides = mask.hides(rows, block)
        for part, chosen in zip(parts, (~hides, hides), strict=True):
            part.append(take_entries(block, chosen))
    first, second = (sparse.vstack(part, format="csr") for part in parts)
    sums = []
    for kept, hidden in progress([(first, second), (second, first)], desc="halves of the counts"):
        half = AnnData(kept.astype(np.float32), adata.obs.copy(), adata.var.copy())
        with warnings.catch_warnings(), said_once():  # a half lacks what the other has: empty cells and peaks are meant
            warnings.simplefilter("ignore", UserWarning)
            fit(half, key_added=_KEY)
            told = assigned_groups(half.obsm[f"X_{_KEY}"], codes, n_groups, folds=folds)
            level = _levels(half, told, n_groups)
        strata = depth_strata(np.diff(hidden.indptr), batch)
        sums.append(half_sums(kept, hidden, codes=codes, told=told, n_groups=n_groups, strata=strata, level=level))
    return sums


def _levels(half: AnnData, codes: np.ndarray, n_groups: int) -> np.ndarray:
    """Return the mean accessibility of the groups, (n_groups, n_vars); zeros for groups without a cell."""
    size = np.bincount(codes, minlength=n_groups)
    out = np.zeros((n_groups, half.n_vars))
    some = np.flatnonzero(size > 0)
    if not is_dense(half, _KEY):
        cells, peaks = factors(half, key=_KEY, scale="accessibility")
        out[some] = group_profiles(cells, peaks, codes=np.searchsorted(some, codes), n_groups=len(some))
        return np.maximum(out, 0)
    for start in range(0, half.n_obs, _ROWS):
        rows = slice(start, min(start + _ROWS, half.n_obs))
        np.add.at(out, codes[rows], enhanced(half, _KEY, scale="accessibility", obs_names=rows))
    return np.maximum(out / np.maximum(size, 1)[:, None], 0)
