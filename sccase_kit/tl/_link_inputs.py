"""What :func:`sccase_kit.tl.peak_gene_links` reads: expression or activities of genes, and where the genes lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .._logging import logger, warn
from .._record import required
from .._validate import check_some
from ..get.genes import gene_activity
from ..intervals.gene_names import find_genes, gene_positions
from ..matrix.access import check_counts, get_matrix
from ..matrix.blocks import iter_row_blocks
from ._nearest_gene import check_genes

PER = 1e4
_SHOWN = 5


@dataclass(frozen=True)
class Genes:
    """Genes with their places, and their values over cells or pools, read block by block.

    Attributes
    ----------
    table
        symbol (the name in the data), chrom, tss, strand of every gene.
    values
        Columns of that table → cells (or pools) × genes, sparse or dense.
    in_activity
        Peaks × genes, which peaks an activity is made of; None for expression.
    """

    table: pd.DataFrame
    values: Callable[[np.ndarray], Any]
    in_activity: sparse.csr_matrix | None


def log_normalised(counts: Any, depth: np.ndarray) -> Any:
    """Return log(1 + counts per 10,000), sparse where the counts are; rows without counts stay 0."""
    scale = np.divide(PER, depth, out=np.zeros(len(depth)), where=depth > 0)
    if not sparse.issparse(counts):
        return np.log1p(counts * scale[:, None])
    scaled = sparse.diags_array(scale, format="csr") @ counts
    return sparse.csc_matrix(scaled.log1p())


def expressed_genes(
    adata: AnnData,
    expression: AnnData,
    genome: Any,
    *,
    genes: Sequence[str] | None,
    layer: str | None,
    min_cells: int,
    pools: sparse.csr_matrix | None,
) -> Genes:
    """Return the genes of another modality that have a place and are expressed in enough cells."""
    if not expression.obs_names.equals(adata.obs_names):
        shared = int(expression.obs_names.isin(adata.obs_names).sum())
        msg = (
            f"expression must have the cells of adata in the same order; {shared} of its {expression.n_obs} cells are "
        )
        msg += f"among the {adata.n_obs} of adata. Take expression[adata.obs_names], or cut both to the shared cells"
        raise ValueError(msg)
    if genome is None:
        msg = "genome is needed to place the genes of expression: 'hg38', 'mm10', a GTF file or a table of genes"
        raise ValueError(msg)
    places = check_genes(adata, genome)
    names = [str(name) for name in expression.var_names]
    row = gene_positions(places, names)
    for column in ("gene_ids", "gene_id"):
        if column in expression.var:
            row = np.where(row < 0, gene_positions(places, expression.var[column]), row)
    if not (row >= 0).any():
        msg = f"none of the {len(names)} genes of expression (such as {names[:_SHOWN]}) is in genome, whose genes are "
        msg += f"called {places['symbol'].iloc[:_SHOWN].tolist()}; same species?"
        raise ValueError(msg)
    chosen = np.flatnonzero(row >= 0)
    if genes is not None:
        at = find_genes(places, check_some(genes, name="genes"))
        chosen = np.flatnonzero(np.isin(row, at))
        if lost := [str(places["symbol"].iloc[k]) for k in pd.unique(at) if k not in set(row[chosen])]:
            warn(f"{len(lost)} of the genes are not in expression and left out: {lost[:_SHOWN]}")
    elif n_lost := len(names) - len(chosen):
        warn(f"{n_lost} of {len(names)} genes of expression are not in genome and left out")
    blocks = []
    for _, block in iter_row_blocks(get_matrix(expression, layer)):
        check_counts(block, name="expression")
        blocks.append(block)
    values = sparse.vstack(blocks, format="csr")
    raw = bool((values.data == np.rint(values.data)).all())
    logger.info(
        "expression holds %s", "counts, which are normalised" if raw else "normalised values, taken as they are"
    )
    depth = np.asarray(values.sum(axis=1)).ravel()
    values = sparse.csc_matrix(values)
    chosen = chosen[np.diff(values[:, chosen].indptr) >= min_cells] if len(chosen) else chosen
    if not len(chosen):
        msg = f"no gene is expressed in min_cells={min_cells} cells"
        raise ValueError(msg)

    def read(columns: np.ndarray) -> Any:
        part = values[:, chosen[columns]]
        if pools is None:
            return log_normalised(part, depth) if raw else part
        pooled = np.asarray((pools @ part).todense())
        return log_normalised(pooled, pools @ depth) if raw else pooled

    table = places.iloc[row[chosen]][["chrom", "tss", "strand"]].assign(symbol=[names[k] for k in chosen])
    return Genes(table.reset_index(drop=True), read, None)


def active_genes(adata: AnnData, key: str, *, genes: Sequence[str] | None, pools: sparse.csr_matrix | None) -> Genes:
    """Return the genes of :func:`sccase_kit.tl.gene_activity` that have peaks in reach."""
    stored = required(adata, key, "tl.gene_activity").results["genes"]
    wanted = None if genes is None else find_genes(stored, check_some(genes, name="genes"))
    there = np.flatnonzero(stored["n_peaks"].to_numpy() > 0)
    chosen = there if wanted is None else there[np.isin(there, wanted)]
    if not len(chosen):
        msg = f"genes: none of {list(genes or [])[:_SHOWN]} has a peak in reach in uns[{key!r}]"
        raise ValueError(msg)
    table = stored.iloc[chosen][["chrom", "tss", "strand", "symbol"]].reset_index(drop=True)
    idents = stored["gene_id"].astype(str).to_numpy()[chosen]

    def read(columns: np.ndarray) -> Any:
        part = gene_activity(adata, idents[columns].tolist(), key).X
        dense = np.asarray(part.toarray() if sparse.issparse(part) else part, dtype=np.float64)
        return dense if pools is None else pools @ dense

    weights = sparse.csr_matrix(adata.varm[key])[:, chosen]
    return Genes(table, read, weights)
