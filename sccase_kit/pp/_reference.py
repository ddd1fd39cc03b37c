"""References for scCASER: bulk data, pseudo-bulk of another data set, or of the target itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .._logging import logger, warn
from .._matrix import get_matrix
from .._validate import check_adata, check_int, check_labels, check_number
from ._peaks import parse_peak_names


def bulk_reference(counts: AnnData | pd.DataFrame, *, mapped_reads: Any = None) -> AnnData:
    """Make a reference of bulk samples, scaled by their mapped reads.

    Parameters
    ----------
    counts
        Samples × peaks AnnData, or a peaks × samples DataFrame indexed by peak name; columns chrom, start, end of a
        DataFrame are used as coordinates.
    mapped_reads
        Mapped reads of every sample (Series, dict or array, in order); by default the samples' totals in the peaks.

    Returns
    -------
    AnnData samples × peaks, float32, each sample scaled to the median of the mapped reads (Tang et al. 2024).

    Raises
    ------
    ValueError
        If values are negative or not finite, or a sample has no mapped reads.
    """
    if isinstance(counts, AnnData):
        values = counts.X.toarray() if sparse.issparse(counts.X) else np.asarray(counts.X, dtype=np.float64)
        samples, var = counts.obs_names, counts.var.copy()
    elif isinstance(counts, pd.DataFrame):
        coordinates = [c for c in ("chrom", "start", "end") if c in counts.columns]
        table = counts.drop(columns=coordinates).select_dtypes("number")
        names = counts.index.astype(str)
        if len(coordinates) == 3 and isinstance(counts.index, pd.RangeIndex):
            names = pd.Index([f"{r.chrom}:{r.start}-{r.end}" for r in counts[coordinates].itertuples()])
        values, samples, var = table.to_numpy(dtype=np.float64).T, table.columns.astype(str), pd.DataFrame(index=names)
    else:
        msg = (
            f"counts must be an AnnData (samples × peaks) or a DataFrame (peaks × samples), got {type(counts).__name__}"
        )
        raise TypeError(msg)
    if not np.isfinite(values).all() or (values < 0).any():
        msg = "counts of the reference must be finite and not negative"
        raise ValueError(msg)
    if isinstance(mapped_reads, dict):
        mapped_reads = pd.Series(mapped_reads)
    if isinstance(mapped_reads, pd.Series):
        mapped_reads = mapped_reads.reindex(samples).to_numpy()
    reads = values.sum(axis=1) if mapped_reads is None else np.asarray(mapped_reads, dtype=np.float64)
    if reads.shape != (len(samples),) or not np.isfinite(reads).all() or (reads <= 0).any():
        msg = f"mapped_reads must be positive for each of the {len(samples)} samples, got {reads.tolist()[:10]}"
        raise ValueError(msg)
    scaled = (values * (np.median(reads) / reads)[:, None]).astype(np.float32)
    return AnnData(scaled, obs=pd.DataFrame({"mapped_reads": reads}, index=samples), var=var)


def _group_sums(matrix: Any, codes: np.ndarray, n_groups: int) -> np.ndarray:
    from ..io._blocks import iter_row_blocks

    total = np.zeros((n_groups, matrix.shape[1]))
    for rows, block in iter_row_blocks(matrix):
        member = sparse.csr_matrix(
            (np.ones(block.shape[0]), (codes[rows], np.arange(block.shape[0]))), shape=(n_groups, block.shape[0])
        )
        total += (member @ block).toarray()
    return total


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
    KeyError, ValueError
        If the column is missing or has missing labels.
    """
    check_adata(adata)
    labels = check_labels(adata, groupby)
    names = labels.cat.categories
    sums = _group_sums(get_matrix(adata, layer), labels.cat.codes.to_numpy(), len(names))
    sizes = labels.value_counts().reindex(names).to_numpy()
    obs = pd.DataFrame({"n_cells": sizes}, index=names.astype(str))
    return AnnData(sums.astype(np.float32), obs=obs, var=adata.var.copy())


def self_reference(
    adata: AnnData,
    *,
    resolution: float = 1.0,
    n_components: int = 50,
    n_neighbors: int = 15,
    layer: str | None = None,
    rng: int = 0,
) -> AnnData:
    """Make a reference of the target's own clusters: TF-IDF, SVD, neighbours, Louvain, pseudo-bulk.

    Parameters
    ----------
    adata
        Counts, cells × peaks.
    resolution
        Resolution of the Louvain clustering.
    n_components, n_neighbors
        Size of the SVD and of the neighbour graph.
    layer
        Layer with the counts; `None` for `X`.
    rng
        Seed.

    Returns
    -------
    AnnData clusters × peaks, as :func:`pseudobulk`.
    """
    from ..enhance._nmf import sketch
    from ..enhance._prepare import prepare
    from ..metrics._clustering import CommunitySearch
    from ..metrics._graph import neighbor_graph

    check_adata(adata)
    check_number(resolution, name="resolution", minimum=0, exclusive=True)
    check_int(n_components, name="n_components", minimum=2)
    op = prepare(get_matrix(adata, layer)).op
    size = min(n_components, min(op.shape) - 1)
    u, s, _ = sketch(op, min(size + 10, min(op.shape)), rng=np.random.default_rng(rng)).svd()
    graph = neighbor_graph((u * s)[:, :size], n_neighbors, rng=np.random.default_rng(rng))
    clusters = CommunitySearch(graph, seed=rng).partition("louvain", resolution)
    view = AnnData(get_matrix(adata, layer), obs=pd.DataFrame(index=adata.obs_names), var=adata.var.copy())
    view.obs["cluster"] = pd.Categorical([f"cluster_{c}" for c in clusters])
    return pseudobulk(view, "cluster")


def _overlap_map(target: pd.DataFrame, other: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return all overlapping pairs (row of target, row of other) of half-open regions."""
    left, right = [], []
    for chrom, t in target.groupby("chrom", sort=False):
        o = other[other["chrom"] == chrom].sort_values("start", kind="stable")
        if not len(o) or not chrom:
            continue
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
    known = {"chrom", "start", "end"} <= set(adata.var.columns)
    table = adata.var[["chrom", "start", "end"]].copy() if known else parse_peak_names(adata.var_names)
    table["chrom"] = table["chrom"].astype(str)
    table["row"] = np.arange(len(table))
    return table


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
        If fewer than `min_matched` of the peaks are matched, or the reference has negative or non-finite values.
    """
    check_adata(reference, name="reference")
    check_adata(adata)
    values = reference.X.toarray() if sparse.issparse(reference.X) else np.asarray(reference.X)
    if not np.isfinite(values).all() or (values < 0).any():
        msg = "reference must be finite and not negative"
        raise ValueError(msg)
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
