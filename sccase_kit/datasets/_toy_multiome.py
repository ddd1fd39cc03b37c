"""A toy multiome: accessibility and expression of the same cells, with planted links of peaks and genes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .._arguments import checked
from .._record import record, seeded
from .._rng import check_rng
from .._validate import check_int, check_number
from ._toy import toy_study

_REACH = 100_000


@dataclass(frozen=True, slots=True)
class ToyMultiome:
    """Both modalities of simulated cells, and what links them.

    Attributes
    ----------
    atac
        Counts (CSR, int32), cells × peaks, as in :class:`ToyStudy`; `var` has gc.
    rna
        Counts (CSR, int32) of the same cells × genes. `var`: gene_ids, chrom, start, end, strand, tss, specific_to.
    genes
        The table of genes: chrom, start, end, strand, gene_id, symbol, tss (0-based), specific_to.
    links
        DataFrame peak, gene, distance (bases from the start of the gene to the middle of the peak): the planted
        links. The cells in which the peak is open express the gene more.
    """

    atac: AnnData
    rna: AnnData
    genes: pd.DataFrame
    links: pd.DataFrame

    def __repr__(self) -> str:
        return f"ToyMultiome: {self.atac.n_obs} cells × {self.atac.n_vars} peaks and {self.rna.n_vars} genes, " + (
            f"{len(self.links)} links"
        )


@checked()
def toy_multiome(
    *,
    n_cells: int = 1500,
    n_peaks: int = 3000,
    n_types: int = 5,
    n_links: int = 2,
    effect: float = 2.0,
    umis: float = 2000.0,
    rng: int | np.random.Generator | None = 0,
) -> ToyMultiome:
    """Make accessibility and expression of the same cells, where some peaks near a gene drive it and others do not.

    The accessibility is that of :func:`toy_study`. A gene with peaks within 100 kb of its start has up to `n_links` of
    them as drivers: every open one adds `effect` times the gene's base rate in that cell. The other peaks of the same
    cell type that lie near it are decoys, which follow the type, not the gene; genes without peaks nearby follow the
    types at random. Expression is Poisson, with a log-normal depth of its own.

    Parameters
    ----------
    n_cells, n_peaks, n_types
        As in :func:`toy_study`.
    n_links
        Driving peaks of a gene at the most.
    effect
        What an open peak adds, in units of the gene's base rate.
    umis
        Transcripts of the average cell.
    rng
        Seed or generator.

    Returns
    -------
    :class:`ToyMultiome`. Equal arguments give equal data.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or the sizes do not fit.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> toy = sk.datasets.toy_multiome(n_cells=200, n_peaks=600)
    >>> toy.atac.n_obs == toy.rna.n_obs
    True
    """
    n_links = check_int(n_links, name="n_links", minimum=1)
    effect = check_number(effect, name="effect", minimum=0)
    umis = check_number(umis, name="umis", minimum=0, maximum=1e9, exclusive=True)
    rng, seed = seeded(rng)
    study_rng, own = check_rng(rng).spawn(2)
    study = toy_study(n_cells=n_cells, n_peaks=n_peaks, n_types=n_types, rng=study_rng)
    atac, genes = study.adata, study.genes
    pairs = _plant(atac.var, genes, n_links, rng=own)
    states = sparse.csc_matrix(atac.layers["truth"], dtype=np.float64)
    link = sparse.csr_matrix((np.ones(len(pairs)), pairs.T), shape=(atac.n_vars, len(genes)))
    base = own.lognormal(0.0, 1.0, len(genes))
    codes = atac.obs["cell_type"].cat.codes.to_numpy()
    own_program = own.lognormal(0.0, 0.7, (n_types, len(genes)))
    free = np.asarray(link.sum(axis=0)).ravel() == 0
    depth = own.lognormal(-0.08, 0.4, n_cells) * umis
    driven = sparse.csc_matrix(states @ link)
    total = base.sum() * (1 + effect)
    rate = np.where(free, own_program, 1.0) * base  # by type: cells are never made dense at once
    rows = []
    for cell in range(n_cells):
        mean = rate[codes[cell]].copy()
        mean += effect * base * np.asarray(driven[cell].todense()).ravel()
        rows.append(sparse.csr_matrix(own.poisson(mean * depth[cell] / total)[None]))
    counts = sparse.vstack(rows, format="csr").astype(np.int32)
    var = genes.set_index("symbol")[["gene_id", "chrom", "start", "end", "strand", "tss", "specific_to"]]
    var = var.rename(columns={"gene_id": "gene_ids"}).rename_axis(None)
    rna = AnnData(counts, obs=atac.obs[["cell_type", "batch"]].copy(), var=var)
    middle = (atac.var["start"] + atac.var["end"]).to_numpy() // 2
    links = pd.DataFrame(
        {
            "peak": atac.var_names[pairs[:, 0]].to_numpy(object),
            "gene": genes["symbol"].to_numpy(object)[pairs[:, 1]],
            "distance": np.abs(middle[pairs[:, 0]] - genes["tss"].to_numpy()[pairs[:, 1]]),
        }
    )
    params: dict[str, object] = {"n_cells": n_cells, "n_peaks": n_peaks, "n_types": n_types, "n_links": n_links}
    params |= {"effect": effect, "umis": umis, "rng": seed}
    record(rna, "toy_multiome", "datasets.toy_multiome", params=params)
    return ToyMultiome(atac, rna, genes, links)


def _plant(peaks: pd.DataFrame, genes: pd.DataFrame, n_links: int, *, rng: np.random.Generator) -> np.ndarray:
    """Return (peak, gene) of the planted links: half of a gene's nearby peaks at the most, so that decoys remain."""
    chosen: list[np.ndarray] = []
    middle = (peaks["start"] + peaks["end"]).to_numpy() // 2
    chrom = peaks["chrom"].to_numpy()
    for gene, (name, tss) in enumerate(zip(genes["chrom"], genes["tss"], strict=True)):
        near = np.flatnonzero((chrom == name) & (np.abs(middle - tss) <= _REACH))
        n = min(n_links, (len(near) + 1) // 2)
        if n:
            own = rng.choice(near, n, replace=False)
            chosen.append(np.column_stack([own, np.full(n, gene)]))
    return np.concatenate(chosen) if chosen else np.zeros((0, 2), dtype=np.int64)
