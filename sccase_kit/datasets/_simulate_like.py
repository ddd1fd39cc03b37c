"""Simulated cell types with the depths, peak means and sparsity of real counts, after simCAS's discrete mode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .._arguments import Numbers, checked
from .._progress import progress
from .._record import record, seeded
from .._rng import check_rng
from .._validate import check_choice, check_int, check_number
from ._genome import peak_names, peaks_in_bins, random_bins
from ._simulate_counts import activate
from ._statistics import CountStatistics
from ._toy_counts import allot
from ._tree import newick_leaves

Activation = Literal["exp_linear", "exp", "sigmoid"]
#: The tree of simCAS's own example.
FIVE_TYPES = "(((A:0.2,B:0.2):0.2,C:0.4):0.5,(D:1,E:1):1);"
_ENTRIES_AT_ONCE = 2_000_000
_CORRECTIONS = 2
_NEWTON_STEPS = 60


@checked()
def simulate_like(
    source: AnnData | CountStatistics | None = None,
    n_cells: int | None = None,
    n_peaks: int | None = None,
    *,
    tree: str = FIVE_TYPES,
    proportions: list[float] | np.ndarray | None = None,
    n_latent: int = 12,
    n_common: int = 2,
    within: float = 0.5,
    activation: Activation = "exp_linear",
    zero_inflation: bool = True,
    layer: str | None = None,
    rng: int | np.random.Generator | None = 0,
) -> AnnData:
    r"""Simulate cell types with the depths, peak means and sparsity of real counts (simCAS's discrete mode).

    1. The types are the leaves of `tree`. Their means in each of `n_latent` − `n_common` dimensions are Gaussian around
       1 with the correlations of the tree; cells scatter around them. The common dimensions are the same for all.
    2. Peaks have Gaussian loadings, half of them 0; the activity of a peak in a cell is :math:`f(e_i \cdot l_j)`.
    3. Mean counts of real peaks are given to the peaks by the rank of their mean activity. Depths and open peaks of
       real cells are given to the cells by the rank of a second, independent embedding on the same tree: so types
       differ in depth. Activities are scaled to both, twice.
    4. In each cell a share π of the entries is lost and the others are raised to k = 1 / (1 − π) times, such that the
       cell has its number of open peaks. Poisson counts are drawn.

    Parameters
    ----------
    source
        Real counts, or their :class:`CountStatistics`; `None` for :meth:`CountStatistics.typical`.
    n_cells, n_peaks
        Size; by default that of the source. With another number of peaks depths are scaled by its ratio.
    tree
        Newick format, with the names of the types and lengths of branches.
    proportions
        Relative sizes of the types, in the order of the tree. Equal by default.
    n_latent, n_common
        Dimensions of the embedding, and how many of them do not differ between types.
    within
        Standard deviation of the cells of a type in each dimension.
    activation
        f: ``"exp_linear"`` is exponential up to 4 and linear from there on.
    zero_inflation
        Whether step 4 loses entries; without it, cells have more open peaks than real ones where counts pile up.
    layer
        Layer of `source` with the counts; `None` for `X`.
    rng
        Seed or generator.

    Returns
    -------
    AnnData with

    - `X` (CSR, int32): the counts; `layers["truth"]` (CSR, int32): the same before entries were lost;
    - `obs`: cell_type (categorical), depth (int64), dropout (float64: π), rate (float64: factor of the cell);
    - `var`: chrom, start, end (int64, random places on hg38), rate (float64: factor of the peak);
    - `obsm["latent"]`, `varm["loadings"]` (float64): the planted model; `uns["simulation"]`.

    :func:`simulated_expectation` gives the expectation of `layers["truth"]`.

    Raises
    ------
    TypeError, ValueError
        If the source has no counts, the tree cannot be read, or a number is out of bounds.

    Notes
    -----
    Memory: the stored entries, and two million activities at a time. The program simCAS draws depths and open peaks
    independently and brings them together by rank; here both are those of one real cell.

    References
    ----------
    Li et al., "simCAS: an embedding-based method for simulating single-cell chromatin accessibility sequencing data",
    Bioinformatics 39, btad453 (2023).

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.simulate_like(n_cells=200, n_peaks=1000, tree="((A:1,B:1):1,C:2);")
    >>> list(adata.obs["cell_type"].cat.categories)
    ['A', 'B', 'C']
    """
    known = _statistics(source, layer)
    names, correlation = newick_leaves(tree)
    n_cells = len(known.depths) if n_cells is None else n_cells
    n_peaks = len(known.peak_means) if n_peaks is None else n_peaks
    n_cells = check_int(n_cells, name="n_cells", minimum=len(names))
    n_peaks = check_int(n_peaks, name="n_peaks", minimum=1)
    n_latent = check_int(n_latent, name="n_latent", minimum=1)
    n_common = check_int(n_common, name="n_common", minimum=0, maximum=n_latent)
    within = check_number(within, name="within", minimum=0, maximum=10)
    check_choice(activation, get_args(Activation), name="activation")
    weights = check_proportions(proportions, len(names), what="leaves of the tree")
    rng, seed = seeded(rng)
    cell_rng, peak_rng, count_rng = check_rng(rng).spawn(3)

    types = np.repeat(np.arange(len(names)), 1 + allot(n_cells - len(names), weights))
    latent, second = (
        _embedding(types, correlation, n_latent, n_common, within, rng=generator) for generator in cell_rng.spawn(2)
    )
    depths, n_open = known.draw_cells(n_cells, rng=cell_rng)
    scale = n_peaks / len(known.peak_means)
    rank = np.argsort(np.argsort(second @ cell_rng.standard_normal(n_latent), kind="stable"))
    depths, n_open = scale * depths[rank], scale * n_open[rank]
    loadings = peak_rng.standard_normal((n_peaks, n_latent)) * (peak_rng.random((n_peaks, n_latent)) < 0.5)
    rates = _Rates(latent, loadings, activation)
    means = known.draw_peaks(n_peaks, rng=peak_rng)
    means = means[np.argsort(np.argsort(rates.column_sums(np.ones(n_cells)), kind="stable"))]
    cells, peaks = rates.fitted(depths, means)
    truth, dropout, raised = rates.draw(cells, peaks, n_open if zero_inflation else None, rng=count_rng)
    observed = _lose(truth, dropout, rng=count_rng)

    order = cell_rng.permutation(n_cells)
    digits = len(str(n_cells))
    obs = pd.DataFrame(index=[f"cell_{i + 1:0{digits}d}" for i in range(n_cells)])
    obs["cell_type"] = pd.Categorical.from_codes(types[order], names)
    obs["depth"] = np.asarray(observed.sum(axis=1)).ravel().astype(np.int64)[order]
    obs["dropout"], obs["rate"] = dropout[order], (cells * raised)[order]
    var = peaks_in_bins(np.sort(random_bins(n_peaks, taken=np.array([], dtype=int), rng=peak_rng)), rng=peak_rng)
    var.index = peak_names(var)
    var["rate"] = peaks
    adata = AnnData(observed[order], obs=obs, var=var)
    adata.layers["truth"] = truth[order]
    adata.obsm["latent"], adata.varm["loadings"] = latent[order], loadings
    params = {
        "source": source, "n_cells": n_cells, "n_peaks": n_peaks, "tree": tree, "proportions": weights.tolist(),
        "n_latent": n_latent, "n_common": n_common, "within": within, "activation": activation,
        "zero_inflation": zero_inflation, "layer": layer, "rng": seed,
    }  # fmt: skip
    record(adata, "simulation", "datasets.simulate_like", params=params, genome="hg38")
    return adata


def expected_like(adata: AnnData, rows: np.ndarray) -> np.ndarray:
    """Return the expectation of `layers["truth"]` of some cells of :func:`simulate_like`, (cells × peaks), float64."""
    activation = adata.uns["simulation"]["params"]["activation"]
    activity = activate(adata.obsm["latent"][rows] @ adata.varm["loadings"].T, activation)
    result: np.ndarray = activity * adata.obs["rate"].to_numpy()[rows, None] * adata.var["rate"].to_numpy()
    return result


def check_proportions(proportions: list[float] | np.ndarray | None, n_types: int, *, what: str) -> np.ndarray:
    """Return positive weights that sum to 1."""
    if proportions is None:
        return np.full(n_types, 1 / n_types)
    weights = Numbers("types")(proportions, "proportions", {}).astype(float)
    if weights.shape != (n_types,) or not np.isfinite(weights).all() or (weights <= 0).any():
        msg = f"proportions must be {n_types} positive numbers ({what}), got {proportions!r}"
        raise ValueError(msg)
    return weights / weights.sum()


def _statistics(source: AnnData | CountStatistics | None, layer: str | None) -> CountStatistics:
    if isinstance(source, AnnData):
        return CountStatistics.of(source, layer=layer)
    if layer is not None:
        msg = f"layer={layer!r} is of counts, and source is {'not given' if source is None else 'CountStatistics'}"
        raise ValueError(msg)
    if source is None or isinstance(source, CountStatistics):
        return CountStatistics.typical() if source is None else source
    msg = f"source must be an AnnData, CountStatistics or None, got {source!r} ({type(source).__name__})"
    raise TypeError(msg)


def _embedding(
    types: np.ndarray,
    correlation: np.ndarray,
    n_latent: int,
    n_common: int,
    within: float,
    *,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return the cells in the embedding, (n_cells × n_latent); the common dimensions come first."""
    means = np.ones((len(correlation), n_latent))
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.maximum(values, 0))
    means[:, n_common:] += root @ rng.standard_normal((len(correlation), n_latent - n_common))
    cells: np.ndarray = means[types] + within * rng.standard_normal((len(types), n_latent))
    return cells


def _lose(truth: sparse.csr_matrix, dropout: np.ndarray, *, rng: np.random.Generator) -> sparse.csr_matrix:
    """Return the counts without a share of the entries of every cell."""
    row = np.repeat(np.arange(truth.shape[0]), np.diff(truth.indptr))
    data = np.where(rng.random(len(row)) < dropout[row], 0, truth.data).astype(np.int32)
    kept = sparse.csr_matrix((data, truth.indices.copy(), truth.indptr.copy()), shape=truth.shape)
    kept.eliminate_zeros()
    return kept


def inflation(rate: np.ndarray, n_open: float) -> float:
    """Return k ≥ 1 with which a cell has `n_open` open peaks: a share 1 − 1/k is lost, the rest raised k times.

    The number of open peaks is Σ (1 − exp(−kλ)) / k, convex and falling in k, so Newton's steps from 1 go to the root
    from one side. 1 where it is not above `n_open` before.

    Parameters
    ----------
    rate
        λ of the peaks, (n_peaks,).
    n_open
        Open peaks that are wanted.
    """
    k = 1.0
    for _ in range(_NEWTON_STEPS):
        closed = np.exp(-k * rate)
        total = float((1 - closed).sum())
        excess = total / k - n_open
        slope = float((rate * closed).sum()) / k - total / k**2
        if slope >= 0 or excess <= 1e-6 * n_open or n_open <= 0:
            break
        k -= excess / slope
    return k


class _Rates:
    """Activities of all peaks in all cells, a block of cells at a time."""

    def __init__(self, latent: np.ndarray, loadings: np.ndarray, activation: str) -> None:
        self.latent, self.loadings = latent.astype(np.float32), loadings.astype(np.float32)
        self.activation = activation

    def blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield rows and their activities, (rows × n_peaks), float32."""
        step = max(1, _ENTRIES_AT_ONCE // len(self.loadings))
        for first in range(0, len(self.latent), step):
            rows = slice(first, first + step)
            yield rows, activate(self.latent[rows] @ self.loadings.T, self.activation)

    def column_sums(self, cells: np.ndarray) -> np.ndarray:
        """Return Σ_i cells_i A_ij, (n_peaks,)."""
        total = np.zeros(len(self.loadings))
        for rows, block in self.blocks():
            total += cells[rows] @ block
        return total

    def fitted(self, depths: np.ndarray, means: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return factors of cells and peaks: peak means are met, and then depths, twice."""
        cells, peaks = np.ones(len(depths)), np.ones(len(means))
        for _ in range(_CORRECTIONS):
            sums = self.column_sums(cells)
            peaks = np.divide(means * len(depths), sums, out=np.zeros_like(sums), where=sums > 0)
            for rows, block in self.blocks():
                cells[rows] = depths[rows] / (block @ peaks)
        return cells, peaks

    def draw(
        self, cells: np.ndarray, peaks: np.ndarray, n_open: np.ndarray | None, *, rng: np.random.Generator
    ) -> tuple[sparse.csr_matrix, np.ndarray, np.ndarray]:
        """Return Poisson counts before entries are lost (CSR, int32), the share lost and the factor k of every cell.

        The first count of an entry comes after an exponential waiting time; where that exceeds the rate there is none,
        and elsewhere the rest is Poisson.
        """
        wait_rng, more_rng = rng.spawn(2)
        raised, drawn = np.ones(len(cells)), []
        with progress(desc="simulate", total=len(cells), unit="cell") as bar:
            for rows, block in self.blocks():
                rate = block * peaks.astype(np.float32) * cells[rows, None].astype(np.float32)
                if n_open is not None:
                    raised[rows] = [inflation(own, n) for own, n in zip(rate, n_open[rows], strict=True)]
                    rate *= raised[rows, None].astype(np.float32)
                rate -= wait_rng.standard_exponential(rate.shape, dtype=np.float32)
                row, column = np.nonzero(rate > 0)
                counts = 1 + more_rng.poisson(rate[row, column])
                indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(rate)))])
                drawn.append(sparse.csr_matrix((counts.astype(np.int32), column.astype(np.int32), indptr), rate.shape))
                bar.update(len(rate))
        return sparse.vstack(drawn, format="csr", dtype=np.int32), 1 - 1 / raised, raised
