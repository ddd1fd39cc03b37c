"""A split of counts into training and hidden entries: what methods are given, and how what they say is scored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .._arguments import checked
from .._atomic import check_path
from .._rng import check_rng
from .._settings import settings
from .._validate import check_adata, check_int, check_number
from ..get.thin import enhanced, factors, is_dense
from ..matrix.access import check_counts, get_matrix
from ..matrix.blocks import iter_row_blocks
from ..matrix.rows import canonical
from .hidden import (
    SHRINKS,
    CellScores,
    Mask,
    MatrixShares,
    ThinShares,
    open_entries,
    row_sums,
    score_entries,
    take_entries,
)


@dataclass(frozen=True, eq=False)
class HiddenEntries:
    """Counts with a random share of the open entries hidden, whole.

    Attributes
    ----------
    training
        What a method may see: AnnData with the other counts in `X` and `obs` and `var` of the data. Peaks with few
        training entries and cells without one are left out.
    cells, peaks
        Boolean arrays over the cells and the peaks of the data: which of them are in `training`.
    n_hidden
        Hidden entries at those cells and peaks.
    """

    training: AnnData
    cells: np.ndarray
    peaks: np.ndarray
    n_hidden: int
    _counts: Any
    _mask: Mask
    _mean: np.ndarray

    @property
    def share(self) -> float:
        """Share of the open entries that were hidden."""
        return self._mask.share

    def score(self, result: Any, *, key: str = "sccase") -> pd.Series:
        """Score what a method made of `training`.

        Parameters
        ----------
        result
            An AnnData enhanced by :func:`sccase_kit.tl.enhance`, an AnnData with the enhanced matrix in `X` (its cells
            all those of `training`, in order; its peaks by name), a matrix, or (cell_factors, peak_factors). Values are
            taken as proportional to the expected counts of a cell; where peaks are missing the peak mean stands in.
        key
            The `key_added` of an enhanced AnnData.

        Returns
        -------
        Series with `gain` (nats per hidden entry over the peak mean) and `slope` (the deviation slope).

        Raises
        ------
        ValueError
            If cells or peaks do not agree with `training`, or a value is negative.
        """
        scores = self.score_cells(result, key=key)
        return pd.Series({"gain": scores.mean_gain(), "slope": scores.slope()})

    def score_cells(self, result: Any, *, key: str = "sccase") -> CellScores:
        """Return the sums of every cell of `training`; see :meth:`score`."""
        return score_entries(self._shares(result, key), self._blocks(), self._mean)

    def score_groups(self, codes: np.ndarray) -> CellScores:
        """Return the sums of the groups' means, each shrunk to the peak mean: what knowing the types gives."""
        member = sparse.csr_matrix((np.ones(len(codes)), codes, np.arange(len(codes) + 1)))
        totals = np.zeros((int(self.peaks.sum()), member.shape[1]))
        for rows, block, hidden in self._blocks():
            kept = take_entries(block, ~hidden)
            kept.data = np.ones(kept.nnz)
            totals += kept.T @ member[rows]
        profiles = totals / np.maximum(totals.sum(axis=0), 1)
        shares = ThinShares(np.asarray(member.todense()), profiles, self._mean)
        return score_entries(shares, self._blocks(), self._mean, shrinks=SHRINKS)

    def _shares(self, result: Any, key: str) -> ThinShares | MatrixShares:
        n, m = int(self.cells.sum()), int(self.peaks.sum())
        names = None
        if isinstance(result, AnnData):
            names = result.var_names
            if f"{key}_cell_factors" in result.obsm:
                result = factors(result, key=key, scale="accessibility")
            elif is_dense(result, key):
                result = enhanced(result, key, scale="accessibility")
            else:
                result = get_matrix(result)
        cells, peaks = result if isinstance(result, tuple) else (result, None)
        shape = cells.shape[0], (cells.shape[1] if peaks is None else peaks.shape[0])
        if shape[0] != n:
            msg = f"a method returned {shape[0]} cells for {n}; the result must hold every cell of the training data"
            raise ValueError(msg)
        if names is None or names.equals(self.training.var_names):
            if shape[1] != m:
                msg = f"a method returned {shape[1]} peaks for {m}; return an AnnData with their names"
                raise ValueError(msg)
        else:
            cells, peaks = self._at_all_peaks(cells, peaks, names)
        if peaks is not None:
            return ThinShares(np.asarray(cells), np.asarray(peaks), self._mean)
        return MatrixShares(sparse.csr_matrix(cells) if sparse.issparse(cells) else np.asarray(cells), self._mean)

    def _at_all_peaks(self, cells: Any, peaks: Any, names: pd.Index) -> tuple[Any, Any]:
        """Give the peaks that a method left out their share of all counts, as factors or a sparse or dense matrix."""
        where = self.training.var_names.get_indexer(names)
        if (where < 0).any() or len(np.unique(where)) < len(where):
            msg = f"a method returned {int((where < 0).sum())} peaks that the training data lack, or some twice"
            raise ValueError(msg)
        absent = np.ones(len(self._mean), dtype=bool)
        absent[where] = False
        rest = np.where(absent, self._mean, 0)
        if peaks is not None:
            sums = cells @ peaks.sum(axis=0)
            cells = cells / np.where(sums > 0, sums, 1)[:, None] * (1 - rest.sum())
            wide = np.zeros((len(rest), peaks.shape[1] + 1))
            wide[where, :-1], wide[:, -1] = peaks, rest
            return np.hstack([cells, np.ones((len(cells), 1))]), wide
        wide = np.zeros((cells.shape[0], len(rest)), dtype=np.float32)
        wide[:, where] = cells.toarray() if sparse.issparse(cells) else cells
        sums = wide.sum(axis=1, keepdims=True)
        return wide / np.where(sums > 0, sums, 1) * (1 - rest.sum()) + rest.astype(np.float32), None

    def _blocks(self) -> Iterator[tuple[slice, sparse.csr_matrix, np.ndarray]]:
        """Yield (rows of `training`, open entries at its cells and peaks, whether each is hidden)."""
        start = 0
        for rows, block, hidden in _masked(self._counts, self._mask):
            marked = sparse.csr_matrix((hidden + 1, block.indices, block.indptr), shape=block.shape)
            marked = marked[self.cells[rows]][:, self.peaks]
            yield slice(start, start + marked.shape[0]), marked, marked.data == 2
            start += marked.shape[0]


def _masked(counts: Any, mask: Mask) -> Iterator[tuple[slice, sparse.csr_matrix, np.ndarray]]:
    for rows, stored in iter_row_blocks(counts, block_bytes=settings.block_bytes):
        block = open_entries(stored)
        yield rows, block, mask.hides(rows, block)


@checked()
def hide_entries(
    adata: AnnData,
    *,
    share: float = 0.3,
    min_cells: int = 5,
    layer: str | None = None,
    folder: Path | None = None,
    rng: int | np.random.Generator | None = 0,
) -> HiddenEntries:
    """Hide a random share of the open entries, to see how probable a method makes them.

    Entries are hidden whole: where both ends of a fragment are counted, as by 10x and SnapATAC2, taking one count of
    two would leave the other in the training data.

    Parameters
    ----------
    adata
        Counts, cells × peaks, in any storage; not changed.
    share
        Probability with which an open entry is hidden.
    min_cells
        Peaks with fewer training entries are left out.
    layer
        Layer with the counts; `None` for `X`.
    folder
        Where the training counts are written, and read from in blocks, if `adata` is backed or dask; the file must stay
        as long as the result is used. `None` keeps them in memory.
    rng
        Seed or generator.

    Returns
    -------
    :class:`HiddenEntries`. Run any tool on its `training`, and give the result to its `score`, or several to
    :func:`sccase_kit.metrics.compare` with ``hidden=``.

    Raises
    ------
    ValueError
        If an argument is out of bounds, a count is negative or not finite, or nothing is left.
    FileNotFoundError
        If there is no such `folder`.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=200, n_peaks=800).adata
    >>> split = sk.metrics.hide_entries(adata)
    >>> sk.tl.enhance(split.training)
    >>> bool(split.score(split.training)["gain"] > 0)
    True
    """
    check_adata(adata)
    check_number(share, name="share", minimum=0, maximum=1, exclusive=True)
    check_int(min_cells, name="min_cells", minimum=1)
    if folder is not None and not check_path(folder, name="folder").is_dir():
        msg = f"folder: there is no folder {str(folder)!r}; make it first"
        raise FileNotFoundError(msg)
    counts = canonical(get_matrix(adata, layer))
    mask = Mask(share, int(check_rng(rng).integers(2**62)))
    n_open, cells, n_hidden = np.zeros(adata.n_vars), np.zeros(adata.n_obs, dtype=bool), 0
    for _, block, hidden in _masked(counts, mask):
        check_counts(block)
        kept = take_entries(block, ~hidden)
        n_open += np.bincount(kept.indices, minlength=adata.n_vars)
    peaks = n_open >= min_cells
    for rows, block, hidden in _masked(counts, mask):
        cells[rows] = row_sums(block, peaks[block.indices] & ~hidden) > 0
        n_hidden += int(row_sums(block, peaks[block.indices] & hidden)[cells[rows]].sum())
    if n_hidden == 0:
        msg = f"nothing can be scored: {int(peaks.sum())} peaks have {min_cells} training entries with share={share}"
        raise ValueError(msg)
    parts = (take_entries(block, ~hidden)[cells[rows]][:, peaks] for rows, block, hidden in _masked(counts, mask))
    obs, var = adata.obs[cells].copy(), adata.var[peaks].copy()
    if folder is None:
        training = AnnData(sparse.vstack(list(parts), format="csr"), obs, var)
    else:
        training = _stored(parts, obs, var, folder)
    return HiddenEntries(training, cells, peaks, n_hidden, counts, mask, n_open[peaks] / n_open[peaks].sum())


def _stored(parts: Iterator[sparse.csr_matrix], obs: pd.DataFrame, var: pd.DataFrame, folder: Path) -> AnnData:
    import anndata
    import h5py

    path = Path(folder) / "training.h5ad"
    AnnData(obs=obs, var=var).write_h5ad(path)
    with h5py.File(path, "r+") as store:
        if "X" in store:
            del store["X"]
        anndata.io.write_elem(store, "X", next(parts))
        stored = anndata.io.sparse_dataset(store["X"])
        for part in parts:
            stored.append(part)
    return anndata.read_h5ad(path, backed="r")
