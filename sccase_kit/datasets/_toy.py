"""A small study with planted truth for the whole road, from counts to heritability."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._record import record, seeded
from .._rng import check_rng
from .._validate import check_int, check_number
from ._toy_counts import allot, draw_counts, draw_states, openness
from ._toy_layout import Sizes, make_expression, make_gene_sets, place_genes, place_peaks, place_snps, plan_sizes
from ._toy_motifs import make_motifs, make_sequences
from ._tree import type_names

_PLANTED_MOTIF = 0.7
_STRAY_MOTIF = 0.04


@dataclass(frozen=True, slots=True)
class ToyStudy:
    """A simulated study in which everything that can be found was planted.

    Attributes
    ----------
    adata
        Counts (CSR, int32), cells × peaks. `obs`: cell_type and batch (categorical), depth (int64, fragments of the
        cell), capture (float64, the planted efficiency). `var`: chrom, start, end (int64, 0-based half-open),
        specific_to (the type whose own peak it is, or ""), program (which part of the tree opens it), gc (share of G
        and C). `layers["truth"]` (CSR, int8): 1 where the peak is open in the cell, before any loss.
        `varm["openness"]`: probability that the peak is open, by type. `varm["planted_motifs"]` (bool): motif
        instances by peak, columns as in `motifs`. `uns["toy_study"]`: genome and params.
    sequences
        Peak name → sequence, as long as the peak.
    motifs
        Motif name → counts of shape (4, length), rows A, C, G, T. ``TF_1`` belongs to ``type_1``, and so on;
        the ``DECOY_TF_*`` are planted nowhere.
    genes
        chrom, start, end, strand, gene_id, symbol, tss (0-based), specific_to; sorted by position.
    gene_sets
        Term → gene ids. The genes of ``TERM_1`` lie near the specific peaks of ``type_1``, and so on;
        ``DECOY_TERM_*`` are random.
    snps
        chrom, pos (1-based), snp, ld_start, ld_end, peak, trait, pip, null (one SNP of every LD block that holds a
        gene). SNPs of ``trait_1`` fall into specific
        peaks of ``type_1``, and so on.
    expression
        Genes × tissues. The planted genes of ``type_1`` are specific to ``tissue_1``, and so on.
    planted
        Type → {"peaks", "motif", "term", "genes", "tissue", "trait", "snps"}: the truth in one place.

    Notes
    -----
    Coordinates are on the chromosome lengths of hg38; the sequences, genes and SNPs are invented.
    """

    adata: AnnData
    sequences: dict[str, str]
    motifs: dict[str, np.ndarray]
    genes: pd.DataFrame
    gene_sets: dict[str, list[str]]
    snps: pd.DataFrame
    expression: pd.DataFrame
    planted: dict[str, dict[str, Any]]

    def __repr__(self) -> str:
        return (
            f"ToyStudy: {self.adata.n_obs} cells × {self.adata.n_vars} peaks, {len(self.planted)} types, "
            f"{len(self.motifs)} motifs, {len(self.genes)} genes, {len(self.gene_sets)} terms, {len(self.snps)} SNPs"
        )

    def write(self, folder: str | Path) -> dict[str, Path]:
        """Write the study as the files that other tools read.

        Parameters
        ----------
        folder
            Where to write; made if absent. Files of the same names are replaced.

        Returns
        -------
        Name → path: "counts" (.h5ad), "peaks" (BED of all peaks), "specific" (BED, type in column 4), "sequences"
        (FASTA), "motifs" (MEME), "gene_sets" (GMT), "genes" (TSV), "gene_intervals" (BED4, gene ids), "expression"
        (GCT 1.2), "snps" (TSV), "snp_intervals" (BED4), "null_snps" (one a line), "planted" (JSON), "readme".
        """
        from ._toy_write import write_study

        return write_study(self, Path(folder))


@checked()
def toy_study(
    *,
    n_cells: int = 600,
    n_peaks: int = 3000,
    n_types: int = 5,
    n_batches: int = 2,
    n_specific: int | None = None,
    n_decoys: int = 10,
    capture: float = 0.15,
    depth_sd: float = 0.5,
    batch_sd: float = 0.5,
    ambient: float = 0.002,
    rng: int | np.random.Generator | None = 0,
) -> ToyStudy:
    """Make a small study with planted truth: counts, sequences, motifs, genes, gene sets, SNPs and expression.

    Cell types are the leaves of a balanced binary tree. Each type has `n_specific` peaks of its own and shares others
    with its sisters; one peak in ten is open everywhere and the rest are background. A cell opens each peak
    independently with the probability of its type (``layers["truth"]``), and open peaks yield Poisson fragments in
    proportion to the cell's depth, which is log-normal, and to the yield of the peak in the cell's batch.

    Four in five of a type's specific peaks lie within 50 kb of the TSS of one of its planted genes; all other peaks are
    spread evenly over the genome, so that they are enriched for nothing.

    Parameters
    ----------
    n_cells
        Number of cells, at least 4 for every type and batch. Type sizes fall linearly, the first being about
        three times the last.
    n_peaks
        Number of peaks, 200 to 500 bp wide, on hg38's chromosomes 1-22 and X.
    n_types
        Number of cell types, named ``type_1``, ``type_2``, …
    n_batches
        Number of batches, ``batch_1``, …; every type is present in all of them.
    n_specific
        Specific peaks per type. By default `n_peaks` / 20, or fewer where there are more than ten types.
    n_decoys
        Number of decoy motifs, of decoy terms and of decoy tissues.
    capture
        Expected fragments of an open peak in a cell of average depth: the lower, the sparser the counts.
    depth_sd
        Standard deviation of the log of the cells' depths.
    batch_sd
        Standard deviation of the log of the peaks' yields between batches; 0 switches batch effects off.
    ambient
        Share of the entries of an average cell that get a stray fragment whatever the state.
    rng
        Seed or generator.

    Returns
    -------
    :class:`ToyStudy`. Equal arguments give equal studies.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or the sizes do not fit.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> study = sk.datasets.toy_study(n_cells=100, n_peaks=500, n_types=3)
    >>> study.adata.shape
    (100, 500)
    >>> study.planted["type_1"]["motif"]
    'TF_1'
    """
    n_types = check_int(n_types, name="n_types", minimum=1, maximum=50)
    n_batches = check_int(n_batches, name="n_batches", minimum=1, maximum=100)
    n_cells = check_int(n_cells, name="n_cells", minimum=4 * n_types * n_batches)
    n_peaks = check_int(n_peaks, name="n_peaks", minimum=20 * n_types)
    if n_specific is not None:
        n_specific = check_int(n_specific, name="n_specific", minimum=1)
    n_decoys = check_int(n_decoys, name="n_decoys", minimum=0, maximum=1000)
    capture = check_number(capture, name="capture", minimum=0, maximum=100, exclusive=True)
    depth_sd = check_number(depth_sd, name="depth_sd", minimum=0, maximum=3)
    batch_sd = check_number(batch_sd, name="batch_sd", minimum=0, maximum=3)
    ambient = check_number(ambient, name="ambient", minimum=0, maximum=1)
    sizes = plan_sizes(n_peaks, n_types, n_specific)
    names = type_names(n_types)
    rng, seed = seeded(rng)
    params = {
        "n_cells": n_cells,
        "n_peaks": n_peaks,
        "n_types": n_types,
        "n_batches": n_batches,
        "n_specific": sizes.n_specific,
        "n_decoys": n_decoys,
        "capture": capture,
        "depth_sd": depth_sd,
        "batch_sd": batch_sd,
        "ambient": ambient,
        "rng": seed,
    }
    place, text, annotate, link, count = check_rng(rng).spawn(5)

    genes = place_genes(sizes, rng=place)
    peaks = place_peaks(sizes, genes, rng=place)
    snps = place_snps(peaks, genes, n_types, rng=link)
    gene_sets = make_gene_sets(genes, n_types, n_decoys=n_decoys, rng=annotate)
    expression = make_expression(genes, n_types, n_decoys=n_decoys, rng=annotate)

    motif_names = [f"TF_{i + 1}" for i in range(n_types)] + [f"DECOY_TF_{i + 1}" for i in range(n_decoys)]
    motifs = make_motifs(motif_names, rng=text)
    planted_motifs = _plant_motifs(peaks["specific_to"].to_numpy(), names, len(motifs), rng=text)
    widths = (peaks["end"] - peaks["start"]).to_numpy()
    sequences, peaks["gc"] = make_sequences(widths, planted_motifs, motifs, rng=text)

    adata = _make_cells(peaks, sizes, n_cells, n_batches, capture, depth_sd, batch_sd, ambient, rng=count)
    adata.varm["planted_motifs"] = planted_motifs
    record(adata, "toy_study", "datasets.toy_study", params=params, genome="hg38", motif_names=motif_names)

    planted = {}
    for i, name in enumerate(names):
        planted[name] = {
            "peaks": peaks.index[peaks["specific_to"] == name].tolist(),
            "motif": f"TF_{i + 1}",
            "term": f"TERM_{i + 1}",
            "genes": gene_sets[f"TERM_{i + 1}"],
            "tissue": f"tissue_{i + 1}",
            "trait": f"trait_{i + 1}",
            "snps": snps.loc[snps["trait"] == f"trait_{i + 1}", "snp"].tolist(),
        }
    return ToyStudy(
        adata=adata,
        sequences=dict(zip(peaks.index, sequences, strict=True)),
        motifs=motifs,
        genes=genes.drop(columns=["chrom_index", "locus"]),
        gene_sets=gene_sets,
        snps=snps,
        expression=expression,
        planted=planted,
    )


def _plant_motifs(specific_to: np.ndarray, names: list[str], n_motifs: int, *, rng: np.random.Generator) -> np.ndarray:
    """Choose the motif instance of every peak: its type's motif in most specific peaks, a stray one in a few others."""
    planted = np.zeros((len(specific_to), n_motifs), dtype=bool)
    for i, name in enumerate(names):
        own = np.flatnonzero(specific_to == name)
        chosen = rng.permutation(own)[: int(np.ceil(_PLANTED_MOTIF * len(own)))]
        planted[chosen, i] = True
    other = np.flatnonzero(specific_to == "")
    stray = other[rng.random(len(other)) < _STRAY_MOTIF * len(names)]
    planted[stray, rng.integers(0, len(names), len(stray))] = True
    return planted


def _make_cells(
    peaks: pd.DataFrame,
    sizes: Sizes,
    n_cells: int,
    n_batches: int,
    capture: float,
    depth_sd: float,
    batch_sd: float,
    ambient: float,
    *,
    rng: np.random.Generator,
) -> AnnData:
    """Draw the cells and assemble the AnnData."""
    names = type_names(sizes.n_types)
    types, batch = _labels(n_cells, sizes.n_types, n_batches, rng=rng)
    program = peaks["program"].to_numpy()
    open_in = np.array([[name in p.split("+") or p == "constitutive" for p in program] for name in names])
    probability = openness(program, open_in, rng=rng)
    states = draw_states(probability, types, rng=rng)
    factor = np.exp(depth_sd * rng.standard_normal(n_cells) - depth_sd**2 / 2)
    spread = batch_sd if n_batches > 1 else 0.0
    efficiency = np.exp(spread * rng.standard_normal((n_batches, sizes.n_peaks)) - spread**2 / 2)
    efficiency *= rng.lognormal(-0.045, 0.3, sizes.n_peaks)
    counts = draw_counts(states, capture * factor, efficiency, batch, ambient=ambient, rng=rng)

    digits = len(str(n_cells))
    obs = pd.DataFrame(
        {
            "cell_type": pd.Categorical.from_codes(types, names),
            "batch": pd.Categorical.from_codes(batch, [f"batch_{b + 1}" for b in range(n_batches)]),
            "depth": np.asarray(counts.sum(axis=1)).ravel().astype(np.int64),
            "capture": capture * factor,
        },
        index=[f"cell_{i + 1:0{digits}d}" for i in range(n_cells)],
    )
    var = peaks[["chrom", "start", "end", "specific_to", "program", "gc"]]
    adata = AnnData(counts, obs=obs, var=var)
    adata.layers["truth"] = states
    adata.varm["openness"] = pd.DataFrame(probability.T, index=adata.var_names, columns=names)
    return adata


def _labels(n_cells: int, n_types: int, n_batches: int, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the type and batch numbers of the cells, in random order; every type is in every batch."""
    size = 2 * n_batches + allot(n_cells - 2 * n_batches * n_types, np.linspace(1.5, 0.5, n_types))
    types = np.repeat(np.arange(n_types), size)
    batch = np.concatenate([np.arange(n) % n_batches for n in size])
    order = rng.permutation(n_cells)
    return types[order], batch[order]
