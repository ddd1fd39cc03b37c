"""The toy study's genome: which peak belongs to what, where peaks, genes, gene sets and SNPs lie."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from ._genome import BIN, bin_ids, hg38_sizes, peak_names, peaks_in_bins, random_bins
from ._tree import branches, type_names

NEAR = 50_000
"""Planted peaks lie within this many bp of a planted gene's TSS."""

LOCUS = 120_000
"""Half-width in bp of the LD block around every gene locus."""

NEAR_FRACTION = 0.8
"""Share of a type's specific peaks that lie near its planted genes."""

_MAX_LOCI = 10_000
_LD_BLOCK = 250_000
_EDGE = 350_000


@dataclass(frozen=True, slots=True)
class Sizes:
    """Numbers of things, all derived from the arguments of ``toy_study`` and checked."""

    n_peaks: int
    n_types: int
    n_specific: int
    """specific peaks per type"""
    n_shared: int
    """peaks per inner branch of the tree"""
    n_constitutive: int
    """peaks open in every type"""
    n_near: int
    """specific peaks per type that lie near a planted gene"""
    genes_per_type: int
    n_loci: int


def plan_sizes(n_peaks: int, n_types: int, n_specific: int | None) -> Sizes:
    """Derive all sizes; raise ValueError if they do not fit."""
    if n_specific is None:
        n_specific = max(1, min(n_peaks // 20, n_peaks // (2 * n_types)))
    n_shared = n_specific * 2 // 3
    n_inner = sum(len(b) > 1 for b in branches(n_types))
    n_constitutive = n_peaks // 10
    used = n_types * n_specific + n_inner * n_shared + n_constitutive
    if used > n_peaks:
        msg = (
            f"n_peaks={n_peaks} is too small for n_types={n_types} with n_specific={n_specific} specific peaks each: "
            f"at least {n_types * n_specific + n_inner * n_shared} / 0.9 peaks are needed; "
            "raise n_peaks or lower n_specific"
        )
        raise ValueError(msg)
    n_near = int(np.ceil(NEAR_FRACTION * n_specific))
    genes_per_type = max(1, min(-(-n_near // 6), _MAX_LOCI // (5 * n_types)))
    if n_near > genes_per_type * NEAR // BIN:
        msg = f"n_specific={n_specific} is too large: at most {genes_per_type * NEAR // BIN} peaks fit near the genes"
        raise ValueError(msg)
    n_loci = max(200, 5 * n_types * genes_per_type)
    return Sizes(n_peaks, n_types, n_specific, n_shared, n_constitutive, n_near, genes_per_type, n_loci)


def place_genes(sizes: Sizes, *, rng: np.random.Generator) -> pd.DataFrame:
    """Place gene loci evenly over the genome, and one planted gene or up to three other genes on each.

    Returns
    -------
    DataFrame sorted by position: chrom, start, end (int64; 0-based, half-open), strand, gene_id, symbol, tss (int64,
    0-based), specific_to (type or ""), chrom_index (0-based), locus (centre of the locus in bp).
    """
    length = np.array(list(hg38_sizes().values()), dtype=float) - 2 * _EDGE
    quota = sizes.n_loci * length / length.sum()
    count = np.floor(quota).astype(int)
    count[np.argsort(count - quota)[: sizes.n_loci - count.sum()]] += 1
    chrom = np.repeat(np.arange(len(length)), count)
    rank = np.concatenate([np.arange(c) for c in count])
    spacing = (length / np.maximum(count, 1))[chrom]
    jitter = rng.uniform(-0.5, 0.5, sizes.n_loci) * (spacing - 2.1 * LOCUS)
    centre = (_EDGE + (rank + 0.5) * spacing + jitter).astype(np.int64)

    owner = np.full(sizes.n_loci, -1)
    planted = rng.permutation(sizes.n_loci)[: sizes.n_types * sizes.genes_per_type]
    owner[planted] = np.repeat(np.arange(sizes.n_types), sizes.genes_per_type)

    n_genes = np.where(owner >= 0, 1, rng.choice([1, 2, 3], p=[0.6, 0.25, 0.15], size=sizes.n_loci))
    locus = np.repeat(np.arange(sizes.n_loci), n_genes)
    within = np.concatenate([np.arange(n) for n in n_genes])
    shift = np.array([0, 45_000, -45_000])[within] + np.where(within > 0, rng.integers(-9000, 9000, len(locus)), 0)
    tss = centre[locus] + shift
    body = rng.integers(4000, 25_000, len(locus))
    plus = rng.random(len(locus)) < 0.5
    names = np.array([*type_names(sizes.n_types), ""])
    genes = pd.DataFrame(
        {
            "chrom": np.array(list(hg38_sizes()))[chrom[locus]],
            "start": np.where(plus, tss, tss - body + 1),
            "end": np.where(plus, tss + body, tss + 1),
            "strand": np.where(plus, "+", "-"),
            "tss": tss,
            "specific_to": names[owner[locus]],
            "chrom_index": chrom[locus],
            "locus": centre[locus],
        }
    )
    genes = genes.sort_values(["chrom_index", "start"], ignore_index=True)
    number = [f"{i + 1:05d}" for i in range(len(genes))]
    genes.insert(4, "gene_id", [f"TOYG{n}" for n in number])
    genes.insert(5, "symbol", [f"Toy{int(n)}" for n in number])
    return genes


def place_peaks(sizes: Sizes, genes: pd.DataFrame, *, rng: np.random.Generator) -> pd.DataFrame:
    """Give every peak a program and a place; only the specific peaks of a type lie near its planted genes.

    Returns
    -------
    DataFrame of the sorted, non-overlapping peaks, named ``chr:start-end``: chrom, start, end, program (a type,
    "type_1+type_2" for an inner branch of the tree, "constitutive" or "background"), specific_to (type or "").
    """
    names = type_names(sizes.n_types)
    bins, program = [], []
    for name in names:
        own = genes[genes["specific_to"] == name]
        offsets = np.arange(-NEAR // BIN + 1, NEAR // BIN)
        slots = np.concatenate([rng.permutation(offsets)[: len(offsets)] for _ in range(len(own))])
        slots = slots.reshape(len(own), -1)
        per_gene = np.arange(sizes.n_near) // len(own)
        gene = np.arange(sizes.n_near) % len(own)
        position = own["tss"].to_numpy()[gene] + slots[gene, per_gene] * BIN
        bins.append(bin_ids(own["chrom_index"].to_numpy()[gene], position))
        program += [name] * sizes.n_near
    for name in names:
        program += [name] * (sizes.n_specific - sizes.n_near)
    for leaves in branches(sizes.n_types):
        if len(leaves) > 1:
            program += ["+".join(names[i] for i in leaves)] * sizes.n_shared
    program += ["constitutive"] * sizes.n_constitutive
    program += ["background"] * (sizes.n_peaks - len(program))

    near = np.concatenate(bins)
    taken = np.concatenate([near, bin_ids(genes["chrom_index"], genes["tss"])])
    all_bins = np.concatenate([near, random_bins(sizes.n_peaks - len(near), taken=taken, rng=rng)])
    order = np.argsort(all_bins)
    peaks = peaks_in_bins(all_bins[order], rng=rng)
    peaks["program"] = np.array(program)[order]
    peaks["specific_to"] = peaks["program"].where(peaks["program"].isin(names), "")
    peaks.index = peak_names(peaks)
    return peaks


def make_gene_sets(
    genes: pd.DataFrame, n_types: int, *, n_decoys: int, rng: np.random.Generator
) -> dict[str, list[str]]:
    """Return one planted term per type and `n_decoys` random terms of the other genes."""
    sets = {
        f"TERM_{i + 1}": genes.loc[genes["specific_to"] == name, "gene_id"].tolist()
        for i, name in enumerate(type_names(n_types))
    }
    size = len(sets["TERM_1"])
    others = genes.loc[genes["specific_to"] == "", "gene_id"].to_numpy()
    for i in range(n_decoys):
        chosen = rng.choice(len(others), size=min(size, len(others)), replace=False)
        sets[f"DECOY_TERM_{i + 1}"] = others[np.sort(chosen)].tolist()
    return sets


def make_expression(genes: pd.DataFrame, n_types: int, *, n_decoys: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return genes × tissues in which the planted genes of a type are 8 to 30 times higher in its tissue."""
    n_tissues = n_types + n_decoys
    level = rng.lognormal(3.0, 1.0, (len(genes), 1)) * rng.lognormal(0.0, 0.4, (len(genes), n_tissues))
    for i, name in enumerate(type_names(n_types)):
        own = np.flatnonzero(genes["specific_to"] == name)
        level[own, i] *= rng.uniform(8, 30, len(own))
    columns = [f"tissue_{i + 1}" for i in range(n_types)] + [f"decoy_tissue_{i + 1}" for i in range(n_decoys)]
    return pd.DataFrame(level.round(3), index=pd.Index(genes["gene_id"], name="gene_id"), columns=columns)


def place_snps(
    peaks: pd.DataFrame, genes: pd.DataFrame, n_types: int, *, per_locus: int = 10, rng: np.random.Generator
) -> pd.DataFrame:
    """Place SNPs in the peaks (two on average) and around every gene locus, in LD blocks, and plant trait hits.

    The LD blocks partition each chromosome; one block spans each gene locus. Of each trait's lead SNPs, four in five
    lie in the specific peaks of its type, the rest anywhere.

    Returns
    -------
    DataFrame sorted by position: chrom, pos (1-based, as in a .bim), snp, ld_start, ld_end (0-based half-open block),
    peak (name of the peak that holds the SNP, or ""), trait (or ""), pip (posterior probability of the hit, else 0),
    null (bool: the first SNP of an LD block that holds a gene, as in an LD-pruned list for SNPsea).
    """
    chrom_index = {c: i for i, c in enumerate(hg38_sizes())}
    n_in = 1 + rng.binomial(2, 0.5, len(peaks))
    peak = np.repeat(np.arange(len(peaks)), n_in)
    width = (peaks["end"] - peaks["start"]).to_numpy()
    position = peaks["start"].to_numpy()[peak] + 1 + rng.integers(0, width[peak])
    loci = genes.drop_duplicates("locus")
    around = np.repeat(loci["locus"].to_numpy(), per_locus) + rng.integers(-LOCUS + 1, LOCUS, per_locus * len(loci))
    chrom = np.concatenate(
        [
            peaks["chrom"].map(chrom_index).to_numpy()[peak],
            np.repeat(loci["chrom_index"].to_numpy(), per_locus),
        ]
    )
    table = pd.DataFrame({"chrom_index": chrom, "pos": np.concatenate([position, around])})
    table = table.drop_duplicates().sort_values(["chrom_index", "pos"], ignore_index=True)

    blocks = []
    for c, (name, size) in enumerate(hg38_sizes().items()):
        centres = np.sort(loci.loc[loci["chrom_index"] == c, "locus"].to_numpy())
        edges = np.unique(np.concatenate([[0], centres - LOCUS, centres + LOCUS, [size]]))
        pieces = [
            np.linspace(a, b, 1 + (1 if b - a == 2 * LOCUS else max(1, round((b - a) / _LD_BLOCK))))[:-1]
            for a, b in pairwise(edges)
        ]
        edges = np.append(np.concatenate(pieces), size).astype(np.int64)
        own = table.loc[table["chrom_index"] == c, "pos"].to_numpy()
        at = np.searchsorted(edges, own - 1, side="right") - 1
        frame = {"chrom": name, "ld_start": edges[at], "ld_end": edges[at + 1]}
        if len(own):
            blocks.append(pd.DataFrame(frame))
    table = pd.concat([table, pd.concat(blocks, ignore_index=True)], axis=1)

    table["peak"] = _peak_of(table, peaks, chrom_index)
    table["trait"], table["pip"] = "", 0.0
    specific_to = peaks["specific_to"].reindex(table["peak"]).fillna("").to_numpy()
    for i, name in enumerate(type_names(n_types)):
        own = np.flatnonzero((specific_to == name) & (table["trait"] == ""))
        inside = rng.choice(own, size=max(1, len(own) // 4), replace=False)
        free = np.flatnonzero((specific_to == "") & (table["trait"] == ""))
        outside = rng.choice(free, size=len(inside) // 4, replace=False)
        hits = np.concatenate([inside, outside])
        table.loc[hits, "trait"] = f"trait_{i + 1}"
        table.loc[hits, "pip"] = rng.uniform(0.05, 1.0, len(hits)).round(4)
    table["snp"] = [f"rs{90_000_001 + i}" for i in range(len(table))]
    table["null"] = _block_holds_gene(table, genes) & ~table.duplicated(["chrom", "ld_start"])
    return table[["chrom", "pos", "snp", "ld_start", "ld_end", "peak", "trait", "pip", "null"]]


def _block_holds_gene(snps: pd.DataFrame, genes: pd.DataFrame) -> np.ndarray:
    """Return whether the LD block of each SNP meets a gene (half-open intervals)."""
    span = max(hg38_sizes().values()) + 1
    shift = genes["chrom_index"].to_numpy() * span
    begun = np.searchsorted(np.sort(shift + genes["start"].to_numpy()), snps["chrom_index"] * span + snps["ld_end"])
    ended = np.searchsorted(
        np.sort(shift + genes["end"].to_numpy()), snps["chrom_index"] * span + snps["ld_start"], side="right"
    )
    return begun > ended


def _peak_of(snps: pd.DataFrame, peaks: pd.DataFrame, chrom_index: dict[str, int]) -> np.ndarray:
    """Return the name of the peak with start < pos <= end, or ""."""
    span = max(hg38_sizes().values()) + 1
    start = peaks["chrom"].map(chrom_index).to_numpy() * span + peaks["start"].to_numpy()
    end = peaks["chrom"].map(chrom_index).to_numpy() * span + peaks["end"].to_numpy()
    where = snps["chrom_index"].to_numpy() * span + snps["pos"].to_numpy()
    at = np.searchsorted(start, where, side="left") - 1
    inside = (at >= 0) & (where <= end[at])
    return np.where(inside, peaks.index.to_numpy()[at], "")
