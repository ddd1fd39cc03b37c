"""References for scCASER: bulk data, pseudo-bulk of another data set, or of the target itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .._arguments import checked
from .._logging import logger, warn
from .._rng import check_rng
from .._validate import check_adata, check_int, check_labels, check_number
from ..enhance.nmf import sketch
from ..enhance.preparation import prepare
from ..intervals.coordinates import find_columns, find_coordinates
from ..matrix.access import check_counts, get_matrix
from ..matrix.blocks import iter_row_blocks
from ..matrix.sums import row_pieces
from ..neighbors.communities import community_search


@checked()
def bulk_reference(counts: AnnData | pd.DataFrame, *, mapped_reads: Any = None) -> AnnData:
    """Make a reference of bulk samples, scaled by their mapped reads.

    Parameters
    ----------
    counts
        Samples × peaks AnnData, or a peaks × samples DataFrame indexed by peak name; columns chrom, start, end of a
        DataFrame are used as coordinates (and, under a plain numbered index, as names).
    mapped_reads
        Mapped reads of every sample (Series or dict by sample name, or an array in order); by default the samples'
        totals in the peaks.

    Returns
    -------
    AnnData samples × peaks, float32, each sample scaled to the median of the mapped reads (Tang et al. 2024), with
    ``obs["mapped_reads"]``.

    Raises
    ------
    TypeError
        If `counts` is neither, or a column of a DataFrame is not numeric.
    ValueError
        If there is no sample, values are negative or not finite, or a sample has no mapped reads.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> import pandas as pd
    >>> table = pd.DataFrame({'liver': [3, 5], 'lung': [1, 0]}, index=['chr1:0-10', 'chr1:20-30'])
    >>> sk.pp.bulk_reference(table).shape
    (2, 2)
    """
    if isinstance(counts, AnnData):
        values, samples, var = _dense(get_matrix(counts), name="counts"), counts.obs_names, counts.var.copy()
    elif isinstance(counts, pd.DataFrame):
        values, samples, var = _bulk_table(counts)
    else:
        msg = (
            f"counts must be an AnnData (samples × peaks) or a DataFrame (peaks × samples), got {type(counts).__name__}"
        )
        raise TypeError(msg)
    if not len(samples):
        msg = f"counts hold no sample; shape (samples × peaks) is {values.shape}"
        raise ValueError(msg)
    if isinstance(mapped_reads, dict):
        mapped_reads = pd.Series(mapped_reads)
    if isinstance(mapped_reads, pd.Series):
        mapped_reads = mapped_reads.reindex(samples).to_numpy()
    reads = values.sum(axis=1) if mapped_reads is None else np.asarray(mapped_reads, dtype=np.float64)
    if reads.shape != (len(samples),):
        msg = f"mapped_reads must have one value per sample ({len(samples)}), got shape {reads.shape}"
        raise ValueError(msg)
    good = np.isfinite(reads) & (reads > 0)
    if not good.all():
        what = "counts hold no read for" if mapped_reads is None else "mapped_reads must be positive; they are not for"
        msg = f"{what} {int((~good).sum())} of {len(samples)} samples, e.g. {[str(s) for s in samples[~good][:5]]}"
        raise ValueError(msg)
    scaled = (values * (np.median(reads) / reads)[:, None]).astype(np.float32)
    return AnnData(scaled, obs=pd.DataFrame({"mapped_reads": reads}, index=samples), var=var)


def _dense(matrix: Any, *, name: str) -> np.ndarray:
    """Return a small matrix (groups × peaks) as float64, or raise if its values are no counts."""
    blocks = []
    for _, block in iter_row_blocks(matrix):
        check_counts(block, name=name)
        blocks.append(block.toarray().astype(np.float64))
    return np.concatenate(blocks) if blocks else np.zeros(matrix.shape)


def _bulk_table(counts: pd.DataFrame) -> tuple[np.ndarray, pd.Index, pd.DataFrame]:
    """Return values (samples × peaks), sample names and var of a peaks × samples table."""
    coordinates = find_columns(counts.columns)
    table = counts if coordinates is None else counts.drop(columns=list(coordinates))
    if other := [str(c) for c in table.columns if not pd.api.types.is_numeric_dtype(table[c])]:
        msg = f"counts has columns that are not numeric: {other[:10]}; drop them, every column is a sample"
        raise TypeError(msg)
    names = counts.index.astype(str)
    var = pd.DataFrame(index=names)
    if coordinates is not None:
        places = find_coordinates(counts, name="counts").table
        if isinstance(counts.index, pd.RangeIndex):
            columns = (places[c] for c in ("chrom", "start", "end"))
            var.index = [f"{chrom}:{start}-{end}" for chrom, start, end in zip(*columns, strict=True)]
        for column in places:
            var[column] = places[column].to_numpy()
    values = table.to_numpy(dtype=np.float64).T
    check_counts(values, name="counts")
    return values, table.columns.astype(str), var


def _group_sums(matrix: Any, codes: np.ndarray, n_groups: int) -> np.ndarray:
    total = np.zeros((n_groups, matrix.shape[1]))
    for rows, block in row_pieces(matrix):
        check_counts(block)
        member = sparse.csr_matrix(
            (np.ones(block.shape[0]), (codes[rows], np.arange(block.shape[0]))), shape=(n_groups, block.shape[0])
        )
        sums = member @ block
        total += sums.toarray() if sparse.issparse(sums) else sums
    return total


@checked()
def pseudobulk(adata: AnnData, groupby: str, *, layer: str | None = None) -> AnnData:
    """Sum the counts of each group of cells.

    Parameters
    ----------
    adata
        Counts, cells × peaks (another labelled data set, or the target).
    groupby
        Column of `obs`.
    layer
        Layer with the counts; `None` for `X`.

    Returns
    -------
    AnnData groups × peaks, float32 sums, with ``obs["n_cells"]``.

    Raises
    ------
    KeyError
        If the column or the layer is missing.
    ValueError
        If labels are missing or clash as text, or a count is negative, NaN or infinite.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> sk.pp.pseudobulk(adata, "cell_type").n_obs == adata.obs["cell_type"].nunique()
    True
    """
    check_adata(adata)
    labels = check_labels(adata, groupby, text=True)
    names = labels.cat.categories
    return _pseudobulk(get_matrix(adata, layer), labels.cat.codes.to_numpy(), names, adata.var)


def _pseudobulk(matrix: Any, codes: np.ndarray, names: Sequence[str], var: pd.DataFrame) -> AnnData:
    sums = _group_sums(matrix, codes, len(names))
    obs = pd.DataFrame({"n_cells": np.bincount(codes, minlength=len(names))}, index=pd.Index(names, dtype=object))
    return AnnData(sums.astype(np.float32), obs=obs, var=var.copy())


@checked()
def self_reference(
    adata: AnnData,
    *,
    resolution: float = 1.0,
    n_components: int = 50,
    n_neighbors: int = 15,
    layer: str | None = None,
    rng: int | np.random.Generator | None = 0,
) -> AnnData:
    """Make a reference of the target's own clusters: TF-IDF, SVD, neighbours, Louvain, pseudo-bulk.

    Parameters
    ----------
    adata
        Counts, cells × peaks.
    resolution
        Resolution of the Louvain clustering.
    n_components, n_neighbors
        Size of the SVD (at most one less than the smaller side of the matrix) and of the neighbour graph.
    layer
        Layer with the counts; `None` for `X`.
    rng
        Seed or generator.

    Returns
    -------
    AnnData clusters × peaks, as :func:`pseudobulk`; clusters are named ``cluster_0``, ``cluster_1`` ...

    Raises
    ------
    ValueError
        If a size is out of range, or a count is negative, NaN or infinite.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> sk.pp.self_reference(adata, n_components=10).n_vars
    500
    """
    check_adata(adata)
    check_number(resolution, name="resolution", minimum=0, exclusive=True)
    check_int(n_components, name="n_components", minimum=2)
    check_int(n_neighbors, name="n_neighbors", minimum=2)
    matrix = get_matrix(adata, layer)
    if min(adata.shape) < 3:
        msg = f"adata must have at least 3 cells and 3 peaks to be clustered, got shape {adata.shape}"
        raise ValueError(msg)
    op = prepare(matrix).op
    size = min(n_components, min(op.shape) - 1)
    generator = check_rng(rng)
    u, s, _ = sketch(op, min(size + 10, min(op.shape)), rng=generator).svd()
    clusters = community_search((u * s)[:, :size], n_neighbors, rng=generator).partition("louvain", resolution)
    return _pseudobulk(matrix, clusters, [f"cluster_{c}" for c in range(clusters.max() + 1)], adata.var)


def _overlap_map(target: pd.DataFrame, other: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return all overlapping pairs (row of target, row of other) of half-open regions."""
    left, right = [], []
    by_chrom = dict(list(other.groupby("chrom", sort=False)))
    for chrom, t in target.groupby("chrom", sort=False):
        if chrom not in by_chrom:
            continue
        o = by_chrom[chrom].sort_values("start", kind="stable")
        starts, ends = o["start"].to_numpy(), np.maximum.accumulate(o["end"].to_numpy())
        first = np.searchsorted(ends, t["start"].to_numpy(), side="right")
        last = np.searchsorted(starts, t["end"].to_numpy(), side="left")
        counts = np.maximum(last - first, 0)
        rows = np.repeat(t["row"].to_numpy(), counts)
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        cols = np.repeat(first, counts) + within
        real = o["end"].to_numpy()[cols] > np.repeat(t["start"].to_numpy(), counts)
        left.append(rows[real])
        right.append(o["row"].to_numpy()[cols[real]])
    empty = np.array([], dtype=np.int64)
    return (np.concatenate(left), np.concatenate(right)) if left else (empty, empty)


def _coordinates(adata: AnnData) -> pd.DataFrame:
    found = find_coordinates(adata.var)
    return found.table.assign(row=np.arange(adata.n_vars))[~found.missing]


@checked()
def align_reference(reference: AnnData, adata: AnnData, *, min_matched: float = 0.1) -> AnnData:
    """Bring a reference onto the target's peaks, by name where all agree, else by genomic overlap.

    Parameters
    ----------
    reference
        Groups × peaks.
    adata
        The target.
    min_matched
        Least share of the target's peaks that must be matched.

    Returns
    -------
    AnnData groups × target peaks, float32. A peak gets the mean over the reference peaks it overlaps, 0 without any.
    ``uns["alignment"]`` reports `method`, `matched`, `n_peaks` and `share`.

    Raises
    ------
    ValueError
        If fewer than `min_matched` of the peaks are matched, the reference has no group, or it has negative, NaN or
        infinite values.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> reference = sk.pp.pseudobulk(adata[:, ::2].copy(), 'cell_type')
    >>> sk.pp.align_reference(reference, adata).n_vars
    500
    """
    check_adata(reference, name="reference")
    check_adata(adata)
    check_number(min_matched, name="min_matched", minimum=0, maximum=1)
    if not reference.n_obs:
        msg = "reference has no group (row)"
        raise ValueError(msg)
    values = _dense(get_matrix(reference), name="reference")
    m = adata.n_vars
    if reference.var_names.is_unique and adata.var_names.isin(reference.var_names).all():
        aligned = values[:, reference.var_names.get_indexer(adata.var_names)]
        method, matched = "name", m
    else:
        rows, cols = _overlap_map(_coordinates(adata), _coordinates(reference))
        method, matched = "overlap", len(np.unique(rows))
        pairs = sparse.csr_matrix((np.ones(len(rows)), (rows, cols)), shape=(m, reference.n_vars))
        hits = np.asarray(pairs.sum(axis=1)).ravel()
        aligned = (pairs @ values.T).T / np.maximum(hits, 1)
    if m == 0:
        msg = "adata has no peaks to align the reference with"
        raise ValueError(msg)
    share = matched / m
    report = f"reference matched {matched} of {m} peaks ({share:.1%}) by {method}"
    if share < min_matched:
        msg = f"{report}; at least {min_matched:.0%} are needed. Same genome and chromosome names? target "
        msg += f"{list(adata.var_names[:2])}, reference {list(reference.var_names[:2])}"
        raise ValueError(msg)
    logger.info(report)
    if share < 0.5:
        warn(report)
    result = AnnData(np.asarray(aligned, dtype=np.float32), obs=reference.obs.copy(), var=adata.var.copy())
    result.uns["alignment"] = {"method": method, "matched": matched, "n_peaks": m, "share": share}
    return result
