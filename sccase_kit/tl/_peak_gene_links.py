"""Which peaks go with which genes: correlation of accessibility with expression or gene activity."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .._adjust import benjamini_hochberg
from .._arguments import checked
from .._calls import check_free
from .._logging import warn
from .._progress import progress
from .._record import as_object, record, seeded
from .._rng import check_rng
from .._validate import check_adata, check_int, check_key
from ..genes import like_peaks, link_tests, near_pairs
from ..genes.links import with_moments
from ..matrix.access import get_matrix, in_memory_copy
from ..matrix.blocks import iter_row_blocks
from ..matrix.sums import count_statistics
from ..neighbors.pools import neighbor_pools
from ._chromvar_inputs import read_bias
from ._link_inputs import Genes, active_genes, expressed_genes, log_normalised
from ._nearest_gene import peak_places

_GENES_AT_ONCE = 256


@checked()
def peak_gene_links(
    adata: AnnData,
    expression: AnnData | str,
    genome: str | os.PathLike[str] | pd.DataFrame | None = None,
    *,
    genes: Sequence[str] | None = None,
    distance: int = 500_000,
    use_rep: str | None = None,
    n_pools: int = 500,
    pool_size: int = 50,
    min_cells: int = 10,
    bias: str | np.ndarray | None = "gc",
    n_background: int = 200,
    layer: str | None = None,
    expression_layer: str | None = None,
    rng: int | np.random.Generator | None = 0,
    key_added: str = "peak_gene_links",
    copy: bool = False,
) -> AnnData | None:
    """Link peaks to genes by the correlation of accessibility with expression, or with gene activity.

    Every peak within `distance` of a gene's start is a candidate. Its correlation with the gene is compared with those
    of peaks of like accessibility and GC content on other chromosomes, as Signac's ``LinkPeaks`` does, because all
    peaks and genes of one cell type correlate. Values are counts per 10,000 of the cell (or pool), as log(1 + x).

    Parameters
    ----------
    adata
        Raw counts, cells × peaks with coordinates.
    expression
        AnnData of the same cells × genes, raw counts or log-normalised (integers are taken for counts and normalised
        here), such as ``mdata["rna"]``; or the key of :func:`sccase_kit.tl.gene_activity`. An activity is a sum over
        peaks near its gene, and correlates with them for that reason: see `in_activity` below.
    genome
        Where the genes of `expression` lie: genome of the peaks, file or table; see
        :func:`sccase_kit.regions.tss_table`. Activities know it.
    genes
        Genes to link, by symbol or id; all that `expression` and `genome` hold by default.
    distance
        Largest distance in bases from the start of the gene to the nearest edge of the peak.
    use_rep
        Key of `obsm` with an embedding, such as ``"X_sccase"``, to correlate over pools of neighbouring cells, as ArchR
        does; `None` correlates over single cells, as Signac does.
    n_pools, pool_size
        With `use_rep`: random cells, each with so many nearest ones, itself included.
    min_cells
        Fewest cells in which a peak is open, and a gene expressed.
    bias
        GC content of the peaks: column of `var` or shape (n_vars,); `None` matches by accessibility alone.
    n_background
        Peaks of a background at the most, those on the gene's own chromosome included, which are left out.
    layer, expression_layer
        Layer of either object; `None` for `X`.
    rng
        Seed or generator of the background peaks and the pools.
    key_added
        Key in `uns`.
    copy
        Return a copy instead of writing into `adata`.

    Returns
    -------
    `None`, or the copy. Written: ``uns[key_added]`` with ``links``, a DataFrame with one row per pair, by p-value and
    correlation: peak, gene, chrom, start, end, tss, distance (bases; 0 where the start lies in the peak, negative where
    the peak lies upstream), correlation (Pearson), z (against the background), p_value (two-sided, of z), p_value_adj
    (Benjamini–Hochberg over all pairs); with activities also in_activity (the peak is part of the gene's activity).
    Pairs of which one does not vary, or with fewer than ten background peaks, have NaN and do not count as tests.

    Raises
    ------
    KeyError
        If activities, an embedding, a layer, the GC content or a gene are missing.
    ValueError
        If cells differ, no gene of `expression` is in `genome`, no pair is within `distance`, counts are negative or
        not finite, or an argument is out of its range.

    Notes
    -----
    Over pools correlations are large and easy to read, over cells they are small; z tells links apart in both. Over
    cells it does so better in our simulations (docs/multiome.md).

    References
    ----------
    Stuart et al., Nature Methods 2021 (Signac, ``LinkPeaks``); Ma et al., Cell 2020; Granja et al., Nature Genetics
    2021 (ArchR, ``addPeak2GeneLinks``).

    Examples
    --------
    >>> import sccase_kit as sk
    >>> toy = sk.datasets.toy_multiome(n_cells=200, n_peaks=600)
    >>> sk.tl.peak_gene_links(toy.atac, toy.rna, toy.genes)
    >>> links = toy.atac.uns["peak_gene_links"]["links"]
    >>> bool(links["p_value_adj"].iloc[0] < 0.05)
    True
    """
    check_adata(adata)
    check_free(adata, key_added, "tl.peak_gene_links")
    distance = check_int(distance, name="distance", minimum=0)
    n_pools = check_int(n_pools, name="n_pools", minimum=3)
    pool_size = check_int(pool_size, name="pool_size", minimum=1)
    min_cells = check_int(min_cells, name="min_cells", minimum=1)
    n_background = check_int(n_background, name="n_background", minimum=20)
    rng, seed = seeded(rng)
    generator = check_rng(rng)
    gc = None if bias is None else read_bias(adata, bias)
    places = peak_places(adata)
    pools = None
    if use_rep is not None:
        hint = "Run sccase_kit.tl.enhance(adata) first, or pass use_rep=None to correlate over single cells."
        check_key(use_rep, adata.obsm.keys(), name="use_rep", where="adata.obsm", hint=hint, remedy="tl.enhance")
        pools = neighbor_pools(np.asarray(adata.obsm[use_rep], dtype=np.float32), n_pools, pool_size, generator)
    if isinstance(expression, str):
        given = active_genes(adata, expression, genes=genes, pools=pools)
    else:
        check_adata(expression, name="expression")
        taken: dict[str, Any] = {"genes": genes, "layer": expression_layer, "min_cells": min_cells, "pools": pools}
        given = expressed_genes(adata, expression, genome, **taken)
    counts = get_matrix(adata, layer)
    depth, n_open, _ = count_statistics(counts)
    usable = np.flatnonzero((n_open >= min_cells) & (places["start"].to_numpy() >= 0))
    peak, gene, away = near_pairs(places.iloc[usable], given.table, distance=distance)
    if not len(peak):
        msg = f"no peak that is open in min_cells={min_cells} cells lies within distance={distance} of any of the "
        msg += f"{len(given.table)} genes; is genome={str(genome)[:60]!r} that of the peaks?"
        raise ValueError(msg)
    groups = like_peaks(n_open[usable], None if gc is None else gc[usable], size=2 * n_background)
    background = _draw(groups, n_background, generator)
    needed, back = np.unique(np.concatenate([peak, background]), return_inverse=True)
    signal = with_moments(_accessibility(counts, usable[needed], depth, pools))
    own, background = back[: len(peak)], back[len(peak) :]
    chroms = places["chrom"].to_numpy()[usable[needed]]
    r, z, p = np.full((3, len(peak)), np.nan)
    for first in progress(range(0, len(given.table), _GENES_AT_ONCE), desc="linking genes", unit="block"):
        block = np.arange(first, min(first + _GENES_AT_ONCE, len(given.table)))
        rows = slice(*np.searchsorted(gene, [block[0], block[-1] + 1]))
        tests = link_tests(
            signal,
            given.values(block),
            (own[rows], gene[rows] - first),
            groups=groups[needed],
            background=background,
            peak_chrom=chroms,
            gene_chrom=given.table["chrom"].to_numpy()[block],
        )
        r[rows], z[rows], p[rows] = tests.correlation, tests.z, tests.p_value
    if untested := int(np.isnan(z).sum()):
        why = "their peak or gene does not vary, or fewer than 10 like peaks lie on other chromosomes"
        warn(f"{untested} of {len(z)} pairs could not be tested and have NaN: {why}")
    links = _table(adata, places, given, usable[peak], gene)
    links = links.assign(distance=away, correlation=r, z=z, p_value=p, p_value_adj=benjamini_hochberg(p))
    if given.in_activity is not None:
        links["in_activity"] = np.asarray(given.in_activity[usable[peak], gene]).ravel() > 0
    links = links.iloc[np.lexsort((-np.abs(r), p))].reset_index(drop=True)
    target = in_memory_copy(adata) if copy else adata
    params = {
        "expression": expression if isinstance(expression, str) else as_object(expression),
        "genome": genome,
        "genes": genes,
        "distance": distance,
        "use_rep": use_rep,
        "n_pools": n_pools,
        "pool_size": pool_size,
        "min_cells": min_cells,
        "bias": bias,
        "n_background": n_background,
        "layer": layer,
        "expression_layer": expression_layer,
        "rng": seed,
    }
    record(target, key_added, "tl.peak_gene_links", params=params, links=links)
    return target if copy else None


def _draw(groups: np.ndarray, n_background: int, rng: np.random.Generator) -> np.ndarray:
    """Return positions of random peaks, up to so many of every group."""
    order = rng.permutation(len(groups))
    order = order[np.argsort(groups[order], kind="stable")]
    size = np.bincount(groups)
    rank = np.arange(len(order)) - np.repeat(np.cumsum(size) - size, size)
    return np.sort(order[rank < n_background])


def _accessibility(counts: Any, columns: np.ndarray, depth: np.ndarray, pools: sparse.csr_matrix | None) -> Any:
    """Return the chosen peaks over cells (sparse) or pools (dense), as log(1 + counts per 10,000)."""
    parts = ((rows, block[:, columns]) for rows, block in iter_row_blocks(counts))
    if pools is None:
        return log_normalised(sparse.vstack([part for _, part in parts], format="csr"), depth)
    pooled = np.zeros((pools.shape[0], len(columns)))
    for rows, part in parts:
        pooled += np.asarray((pools[:, rows] @ part).todense())
    return log_normalised(pooled, pools @ depth)


def _table(adata: AnnData, places: pd.DataFrame, given: Genes, peak: np.ndarray, gene: np.ndarray) -> pd.DataFrame:
    """Return the pairs by name and place; names are categories, because each occurs in many pairs."""
    at = places.iloc[peak]
    return pd.DataFrame(
        {
            "peak": pd.Categorical(np.asarray(adata.var_names, dtype=object)[peak]),
            "gene": pd.Categorical(given.table["symbol"].to_numpy(dtype=object)[gene]),
            "chrom": pd.Categorical(at["chrom"].astype(str).to_numpy(dtype=object)),
            "start": at["start"].to_numpy(np.int64),
            "end": at["end"].to_numpy(np.int64),
            "tss": given.table["tss"].to_numpy(np.int64)[gene],
        }
    )
