"""The simulated data set of the scCASE paper."""

from __future__ import annotations

from typing import Literal

import numpy as np
from anndata import AnnData
from scipy import sparse

from .._arguments import checked
from .._validate import check_choice
from ._simulate import simulate
from ._simulate_like import FIVE_TYPES, simulate_like
from ._statistics import CountStatistics

_CANDIDATES_PER_TYPE = 6000
_DA_PER_TYPE = 3000
_CELLS_PER_TYPE = 500
_N_TYPES = 5


@checked()
def paper_simulation(
    *,
    model: Literal["simulate", "simcas"] = "simulate",
    source: AnnData | CountStatistics | None = None,
    rng: int | np.random.Generator | None = 0,
) -> AnnData:
    """Simulate the paper's set: five clusters of 500 cells, 3,000 differentially accessible peaks each.

    As the paper describes ("Data collection and preprocessing"): discrete mode, then the top 3,000 differentially
    accessible peaks of each cell type, 2,500 cells and 15,000 peaks in all, picked from twice as many. The paper used
    the program simCAS, which learns from a real data set, and EpiScanpy's ranking. Every peak counts for the type that
    it tells apart best.

    Parameters
    ----------
    model
        ``"simulate"``: :func:`simulate`, and peaks by Welch's t of the observed open fraction. ``"simcas"``:
        :func:`simulate_like` on simCAS's own tree (types A to E), whose types differ in depth and lose entries, and
        peaks by the t of EpiScanpy's ranking.
    source
        Real counts or statistics that ``"simcas"`` takes depths, peak means and sparsity from; `None` for
        :meth:`CountStatistics.typical`.
    rng
        Seed or generator.

    Returns
    -------
    AnnData as the simulation makes it, with `var["specific_to"]`: the type a peak was picked for. Memory about 80 MB
    with ``"simulate"`` and 400 MB with ``"simcas"``; seconds.

    Raises
    ------
    ValueError
        If `source` is given with ``model="simulate"``, or `model` is neither.

    References
    ----------
    Tang et al., "Accurately enhancing single-cell chromatin accessibility data with scCASE" (2024); Li et al., simCAS,
    Bioinformatics 39, btad453 (2023).
    """
    check_choice(model, ["simulate", "simcas"], name="model")
    n_cells, n_peaks = _N_TYPES * _CELLS_PER_TYPE, _N_TYPES * _CANDIDATES_PER_TYPE
    if model == "simulate":
        if source is not None:
            msg = "source is what model='simcas' learns from; model='simulate' has none"
            raise ValueError(msg)
        adata = simulate(n_cells, n_peaks, n_types=_N_TYPES, rng=rng)
    else:
        adata = simulate_like(source, n_cells, n_peaks, tree=FIVE_TYPES, rng=rng)
    codes = adata.obs["cell_type"].cat.codes.to_numpy()
    ranked = welch_t(adata.X, codes, _N_TYPES) if model == "simulate" else overestimated_t(adata.X, codes, _N_TYPES)
    owner, score = _owners(ranked)
    picked = np.full(adata.n_vars, -1)
    for t in range(_N_TYPES):
        own = np.flatnonzero(owner == t)
        top = own[np.argsort(-score[own], kind="stable")[:_DA_PER_TYPE]]
        picked[top] = t
    result = adata[:, picked >= 0].copy()
    result.var["specific_to"] = adata.obs["cell_type"].cat.categories.to_numpy()[picked[picked >= 0]]
    result.obs["depth"] = np.asarray(result.X.sum(axis=1)).ravel().astype(np.int64)
    return result


def overestimated_t(counts: sparse.csr_matrix, codes: np.ndarray, n_types: int) -> np.ndarray:
    """Return the t by which EpiScanpy ranks peaks, of each type against all other cells, shape (n_types, n_peaks).

    EpiScanpy 0.4 ranks by scanpy's t test that takes the rest for as few cells as the type has ("overestimated
    variance"), on the logarithm of counts scaled to the median depth.

    Parameters
    ----------
    counts
        Cells × peaks.
    codes
        Type of every cell.
    n_types
        Number of types.
    """
    depth = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
    scale = np.median(depth[depth > 0]) / np.where(depth > 0, depth, 1)
    logs = (sparse.diags(scale) @ counts).log1p().tocsr()
    member = sparse.csr_matrix((np.ones(len(codes)), (codes, np.arange(len(codes)))), shape=(n_types, len(codes)))
    sums, squares = (member @ logs).toarray(), (member @ logs.power(2)).toarray()
    size = np.bincount(codes, minlength=n_types)[:, None].astype(float)
    rest = len(codes) - size
    mean, other = sums / size, (sums.sum(axis=0) - sums) / rest
    spread = (squares - size * mean**2) / (size - 1)
    other_spread = (squares.sum(axis=0) - squares - rest * other**2) / (rest - 1)
    error = np.sqrt(np.maximum(spread, 0) / size + np.maximum(other_spread, 0) / size)
    return np.divide(mean - other, error, out=np.zeros_like(mean), where=error > 0)


def welch_t(counts: sparse.csr_matrix, codes: np.ndarray, n_types: int) -> np.ndarray:
    """Return Welch's t of the open fraction of each type against all other cells, shape (n_types, n_peaks)."""
    opened = sparse.csr_matrix((np.ones(counts.nnz), counts.indices, counts.indptr), shape=counts.shape)
    member = sparse.csr_matrix((np.ones(len(codes)), (codes, np.arange(len(codes)))), shape=(n_types, len(codes)))
    inside = (member @ opened).toarray()
    size = np.bincount(codes, minlength=n_types)[:, None].astype(float)
    total, n_cells = inside.sum(axis=0), float(len(codes))
    p, q = inside / size, (total - inside) / (n_cells - size)
    variance = p * (1 - p) / (size - 1) + q * (1 - q) / (n_cells - size - 1)
    return np.divide(p - q, np.sqrt(variance), out=np.zeros_like(p), where=variance > 0)


def _owners(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the type with the largest t of every peak, and that t; every type owns at least its 3,000 best left.

    Types are given the peaks of their largest t; a type short of peaks takes its best from those of types with more
    than enough.
    """
    owner = t.argmax(axis=0)
    need = [max(0, _DA_PER_TYPE - int((owner == k).sum())) for k in range(len(t))]
    for k, missing in enumerate(need):
        if missing:
            rich = np.flatnonzero(np.bincount(owner, minlength=len(t)) > _DA_PER_TYPE)
            spare = np.concatenate(
                [
                    own[np.argsort(-t[r, own], kind="stable")[_DA_PER_TYPE:]]
                    for r in rich
                    for own in [np.flatnonzero(owner == r)]
                ]
            )
            owner[spare[np.argsort(-t[k, spare], kind="stable")[:missing]]] = k
    return owner, t[owner, np.arange(t.shape[1])]
