"""From SNPs to sets of genes: overlap of LD blocks with genes, merged loci, and the pools of matched null sets."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..intervals.arrays import linearise, overlap_pairs
from ..intervals.assembly import in_names_of

#: Gene sets with this many genes or more are matched with each other.
MAX_BIN = 10


@dataclass(frozen=True)
class Sets:
    """Sets of genes, one behind the other.

    Attributes
    ----------
    genes
        Rows of the gene matrix, int64; a gene with two intervals occurs twice.
    bounds
        Set i is ``genes[bounds[i]:bounds[i + 1]]``.
    """

    genes: np.ndarray
    bounds: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """Number of genes in every set."""
        return np.diff(self.bounds)

    def __getitem__(self, i: int) -> np.ndarray:
        """Return the genes of set i."""
        return self.genes[self.bounds[i] : self.bounds[i + 1]]

    def take(self, positions: np.ndarray) -> Sets:
        """Return the sets at `positions`."""
        return stack([self[i] for i in positions])


def stack(parts: list[np.ndarray]) -> Sets:
    """Return sets from a list of integer arrays."""
    genes = np.concatenate(parts) if parts else np.empty(0)
    return Sets(genes.astype(np.int64), np.cumsum([0, *(len(p) for p in parts)]))


def gene_sets_of(blocks: pd.DataFrame, genes: pd.DataFrame, rows: np.ndarray, *, slop: int) -> Sets:
    """Return the genes at every LD block; where there is none, those within `slop` bases.

    Both ends of blocks and genes belong to them, on the numbers as they are written in the files (SNPsea 1.0.3).

    Parameters
    ----------
    blocks
        LD blocks chrom, start, end.
    genes
        Gene intervals chrom, start, end.
    rows
        Row of the gene matrix of every gene interval.
    slop
        Bases by which a block without genes is widened on both sides, from 1 on.
    """
    genes = in_names_of(genes, blocks["chrom"].unique(), name="gene_intervals", where="snp_intervals")
    order = np.lexsort((genes["end"], genes["start"], genes["chrom"].to_numpy(str)))
    genes, rows = genes.iloc[order], rows[order]
    owner, gene = _closed_pairs(blocks, genes)
    empty = np.setdiff1d(np.arange(len(blocks)), owner)
    if len(empty) and slop:
        wide = blocks.iloc[empty][["chrom", "start", "end"]].copy()
        wide["start"] = np.maximum(1, wide["start"] - slop)
        wide["end"] += slop
        more, found = _closed_pairs(wide, genes)
        owner, gene = np.concatenate([owner, empty[more]]), np.concatenate([gene, found])
        keep = np.lexsort((gene, owner))
        owner, gene = owner[keep], gene[keep]
    return Sets(rows[gene], np.searchsorted(owner, np.arange(len(blocks) + 1)))


def _closed_pairs(a: pd.DataFrame, b: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Overlap pairs of intervals that hold both of their ends."""
    return overlap_pairs(*linearise(a.assign(end=a["end"] + 1), b.assign(end=b["end"] + 1)))


def merge_loci(names: list[str], blocks: pd.DataFrame, sets: Sets) -> tuple[pd.DataFrame, Sets]:
    """Merge SNPs that share a gene, in one greedy pass over the sorted names.

    For a SNP that is not merged yet, every other unmerged SNP that shares a gene with the set grown so far joins it;
    an earlier SNP that only meets the grown set is not visited again (SNPsea 1.0.3).

    Returns
    -------
    loci
        DataFrame chrom, start, end (outermost ends), snp (names joined by commas), sorted by position.
    sets
        Their genes.
    """
    order = sorted(range(len(names)), key=names.__getitem__)
    places: dict[int, list[int]] = {}  # gene → places in `order` of the SNPs that have it
    for place, snp in enumerate(order):
        for gene in set(sets[snp].tolist()):
            places.setdefault(gene, []).append(place)
    merged = np.zeros(len(order), dtype=bool)
    rows, parts = [], []
    start, end = blocks["start"].to_numpy(), blocks["end"].to_numpy()
    chrom = blocks["chrom"].to_numpy(object)
    for place, a in enumerate(order):
        if merged[place]:
            continue
        genes, members, here = Counter(sets[a].tolist()), [a], place
        waiting = [p for gene in genes for p in places[gene] if p > place]
        heapq.heapify(waiting)
        while waiting:
            other = heapq.heappop(waiting)
            if other <= here or merged[other]:
                continue
            here, merged[other] = other, True
            members.append(order[other])
            more = Counter(sets[order[other]].tolist())
            for gene in more.keys() - genes.keys():
                for p in places[gene]:
                    if p > here:
                        heapq.heappush(waiting, p)
            genes |= more  # a gene with two intervals stays there twice
        rows.append((chrom[a], start[members].min(), end[members].max(), ",".join(names[m] for m in members)))
        parts.append(np.array(sorted(genes.elements()), dtype=np.int64))
    loci = pd.DataFrame(rows, columns=["chrom", "start", "end", "snp"])
    by_place = np.lexsort((loci["end"], loci["start"], loci["chrom"].to_numpy(str)))
    return loci.iloc[by_place].reset_index(drop=True), stack([parts[i] for i in by_place])


def null_pools(sets: Sets) -> dict[int, np.ndarray]:
    """Return min(number of genes, 10) → positions of the null sets of that size; sets without genes are left out."""
    sizes = np.minimum(sets.sizes, MAX_BIN)
    return {int(size): np.flatnonzero(sizes == size) for size in np.unique(sizes) if size}
