"""SNPsea: are the genes at some SNPs more specific to a condition than the genes at matched null SNPs.

Numerics follow SNPsea 1.0.3 (Slowikowski, Hu & Raychaudhuri, Bioinformatics 30, 2014); see docs/snpsea.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from .._arguments import checked
from .._logging import warn
from .._rng import check_rng
from .._validate import check_choice, check_int
from .loci import MAX_BIN, Sets, gene_sets_of, merge_loci, null_pools
from .null import null_pvalues, set_scores
from .scores import (
    best_genes,
    binary_density,
    binary_scores,
    condition_on,
    correlation_of,
    single_scores,
    specificity,
    total_scores,
)
from .tables import GeneMatrix, as_gene_matrix, condition_names, read_ids, read_intervals

Score = Literal["single", "total"]


@dataclass(frozen=True)
class SnpseaResult:
    """Result of :func:`snpsea`.

    Attributes
    ----------
    table
        DataFrame condition, pvalue, nulls_observed, nulls_tested, score (sum of −ln P over the loci), in the order of
        the matrix.
    loci
        DataFrame chrom, start, end, snp, n_genes, genes: SNPs that were not found (chrom "NA"), those without a gene,
        then the loci.
    locus_scores
        DataFrame snp, condition, gene (the most specific one; empty if its percentile is 1 or more, and for a binary
        matrix), score (as the program prints it: P of the locus by its most specific gene, whatever `score` is; for a
        binary matrix a binomial density that is used nowhere), pvalue (P of the locus, which enters the set score).
    replicates
        The columns of `table` with a column replicate, for matched null lists; empty unless asked for.
    correlation
        Pearson correlation of the conditions over all genes, before anything is conditioned on; NaN for a condition
        that has one value for all genes.
    info
        Numbers of the run: SNPs, loci, genes, share of the matrix' genes without interval, null SNPs with a gene.
    """

    table: pd.DataFrame
    loci: pd.DataFrame
    locus_scores: pd.DataFrame
    replicates: pd.DataFrame
    correlation: pd.DataFrame
    info: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SnpseaData:
    """What all lists of SNPs share: matrix, specificities, LD blocks with their genes, scored null sets.

    Made by :func:`prepare_snpsea`; call :meth:`test` for every list.
    """

    matrix: GeneMatrix
    full: GeneMatrix
    percentiles: np.ndarray | None
    n_genes: int
    blocks: pd.DataFrame
    sets: Sets
    null_sets: Sets
    score: Score
    slop: int

    def scores(self, sets: Sets, score: Score) -> np.ndarray:
        """Return −ln P (sets × conditions)."""
        if self.percentiles is None:
            return binary_scores(self.matrix.values, sets, self.n_genes, total=score == "total")
        return (single_scores if score == "single" else total_scores)(self.percentiles, sets)

    def test(
        self,
        snps: object,
        *,
        min_observations: int = 100,
        max_iterations: int = 100_000,
        n_replicates: int = 0,
        rng: int | np.random.Generator | None = 0,
        report: Any = None,
    ) -> SnpseaResult:
        """Test one list of SNPs; see :func:`snpsea`."""
        rng = check_rng(rng)
        check_int(min_observations, name="min_observations", minimum=1)
        check_int(max_iterations, name="max_iterations", minimum=min_observations + 1)
        check_int(n_replicates, name="n_replicates", minimum=0)
        wanted = read_ids(snps, name="snps")
        place = self.blocks.index.get_indexer(wanted)
        absent = [s for s, p in zip(wanted, place, strict=True) if p < 0]
        if len(absent) == len(wanted):
            msg = f"none of the {len(wanted)} SNPs has an interval in snp_intervals (first: {wanted[0]!r})"
            raise ValueError(msg)
        found = np.sort(place[place >= 0])
        sizes = self.sets.sizes[found]
        used = found[sizes > 0]
        if not len(used):
            msg = f"no gene lies within {self.slop} bases of any of the {len(found)} SNPs; raise slop"
            raise ValueError(msg)
        loci, sets = merge_loci(list(self.blocks.index[used]), self.blocks.iloc[used], self.sets.take(used))
        pools = self._tables(np.minimum(sets.sizes, MAX_BIN))
        locus = self.scores(sets, self.score)
        observed = set_scores(locus)
        limits: dict[str, Any] = {"min_observations": min_observations, "max_iterations": max_iterations}
        p, reached, tested = null_pvalues(observed, pools, **limits, rng=rng, report=report)
        table = self._table(p, reached, tested, observed)
        copies = []
        for replicate in range(1, n_replicates + 1):
            drawn = set_scores(np.vstack([pool[rng.integers(len(pool))] for pool in pools]))
            copies.append(
                self._table(*null_pvalues(drawn, pools, **limits, rng=rng), drawn).assign(replicate=replicate)
            )
        info = {
            "n_snps": len(wanted),
            "n_not_found": len(absent),
            "n_without_genes": int((sizes == 0).sum()),
            "n_loci": len(loci),
            "n_genes_tested": len(np.unique(sets.genes)),
            "n_genes": self.n_genes,
            "share_without_interval": 1 - self.n_genes / len(self.matrix.genes),
            "n_null_snps": int((self.null_sets.sizes > 0).sum()),
            "binary": self.percentiles is None,
        }
        replicates = pd.concat(copies, ignore_index=True) if copies else table.iloc[:0].assign(replicate=0)
        return SnpseaResult(
            table,
            self._loci(absent, found[sizes == 0], loci, sets),
            self._locus_table(loci, sets),
            replicates,
            correlation_of(self.full),
            info,
        )

    def _tables(self, sizes: np.ndarray) -> list[np.ndarray]:
        """Return the scored pool for every locus; a size without null sets borrows the nearest one."""
        pools = null_pools(self.null_sets)
        if not pools:
            msg = "no null SNP with an interval lies at a gene: null_snps and snp_intervals do not fit together"
            raise ValueError(msg)
        tables: dict[int, np.ndarray] = {}
        for size in np.unique(sizes):
            near = min((abs(have - size), have) for have in pools)[1]
            if near != size:
                n = int((sizes == size).sum())
                warn(f"no null SNP has {size} genes; null sets with {near} genes stand in for {n} loci")
            tables[int(size)] = self.scores(self.null_sets.take(pools[near]), self.score)
        return [tables[int(size)] for size in sizes]

    def _table(self, p: np.ndarray, reached: np.ndarray, tested: np.ndarray, observed: np.ndarray) -> pd.DataFrame:
        columns = {"condition": self.matrix.conditions, "pvalue": p, "nulls_observed": reached, "nulls_tested": tested}
        return pd.DataFrame({**columns, "score": observed})

    def _loci(self, absent: list[str], empty: np.ndarray, loci: pd.DataFrame, sets: Sets) -> pd.DataFrame:
        lost = pd.DataFrame({"chrom": "NA", "start": pd.NA, "end": pd.NA, "snp": sorted(absent), "n_genes": pd.NA})
        bare = self.blocks.iloc[empty].rename_axis("snp").reset_index()[["chrom", "start", "end", "snp"]]
        bare = bare.sort_values(["chrom", "start", "end"], kind="stable").assign(n_genes=0)
        names = [",".join(self.matrix.genes[sets[i]]) for i in range(len(loci))]
        full = loci.assign(n_genes=sets.sizes, genes=names)
        whole = dict.fromkeys(("start", "end", "n_genes"), "Int64")
        parts = [part.astype(whole) for part in (lost, bare, full) if len(part)]
        return pd.concat(parts, ignore_index=True)

    def _locus_table(self, loci: pd.DataFrame, sets: Sets) -> pd.DataFrame:
        names, conditions = loci["snp"].to_numpy(object), np.array(self.matrix.conditions, object)
        table = pd.DataFrame({"snp": np.repeat(names, len(conditions)), "condition": np.tile(conditions, len(names))})
        if self.percentiles is None:
            table["gene"] = ""
        else:
            best = best_genes(self.percentiles, sets)
            specific = np.take_along_axis(self.percentiles, best, axis=0) < 1
            table["gene"] = np.where(specific, self.matrix.genes[best], "").ravel()
        if self.percentiles is None:
            table["score"] = binary_density(self.matrix.values, sets, self.n_genes).ravel()
        else:
            table["score"] = np.exp(-self.scores(sets, "single")).ravel()
        table["pvalue"] = np.exp(-self.scores(sets, self.score)).ravel()
        return table


@checked()
def prepare_snpsea(
    gene_matrix: object,
    gene_intervals: object,
    snp_intervals: object,
    *,
    null_snps: object,
    condition: str | Sequence[str] = (),
    score: Score = "single",
    slop: int = 10_000,
) -> SnpseaData:
    """Read and score what all lists of SNPs share, to test several of them.

    Parameters
    ----------
    gene_matrix, gene_intervals, snp_intervals, null_snps, condition, score, slop
        See :func:`snpsea`.

    Returns
    -------
    SnpseaData; its method ``test(snps)`` takes a list and the options of :func:`snpsea` that are missing here.

    Raises
    ------
    KeyError, ValueError
        As :func:`snpsea`.
    """
    check_choice(score, ["single", "total"], name="score")
    check_int(slop, name="slop", minimum=0)
    full = as_gene_matrix(gene_matrix)
    if full.is_binary and condition_names(condition):
        msg = "condition needs a continuous gene matrix; this one holds only 0 and 1"
        raise ValueError(msg)
    binary = full.is_binary
    matrix = condition_on(full, condition) if condition_names(condition) else full
    if not binary:
        alive = np.linalg.norm(matrix.values, axis=1) > 0
        if not alive.all():
            warn(f"{int((~alive).sum())} of {len(alive)} genes are zero in every condition; they are left out")
            matrix = GeneMatrix(matrix.genes[alive], matrix.symbols[alive], matrix.conditions, matrix.values[alive])
    genes = read_intervals(gene_intervals, name="gene_intervals")
    rows = pd.Index(matrix.genes).get_indexer(genes["name"])
    genes, rows = genes[rows >= 0], rows[rows >= 0]
    n_genes = len(np.unique(rows))
    if not n_genes:
        first = (matrix.genes[0], read_intervals(gene_intervals, name="gene_intervals")["name"].iloc[0])
        msg = f"gene_matrix and gene_intervals share no gene id (first ids: {first[0]!r} and {first[1]!r})"
        raise ValueError(msg)
    if n_genes < len(matrix.genes) / 2:
        warn(
            f"only {n_genes} of {len(matrix.genes)} genes of the matrix have an interval: same kind of id, same genome?"
        )
    blocks = read_intervals(snp_intervals, name="snp_intervals").drop_duplicates("name", keep="last").set_index("name")
    sets = gene_sets_of(blocks, genes, rows, slop=slop)
    null = blocks.index.get_indexer(read_ids(null_snps, name="null_snps"))
    null_sets = sets.take(null[null >= 0])
    percentiles = None if binary else specificity(matrix.values, n_genes)
    return SnpseaData(matrix, full, percentiles, n_genes, blocks, sets, null_sets, score, slop)


@checked()
def snpsea(
    snps: Iterable[str] | pd.DataFrame | str | os.PathLike[str],
    gene_matrix: object,
    gene_intervals: object,
    *,
    snp_intervals: object,
    null_snps: object,
    condition: str | Sequence[str] = (),
    score: Score = "single",
    slop: int = 10_000,
    min_observations: int = 100,
    max_iterations: int = 100_000,
    n_replicates: int = 0,
    rng: int | np.random.Generator | None = 0,
) -> SnpseaResult:
    r"""Test whether the genes at SNPs are specific to conditions (tissues, cell types), natively.

    Parameters
    ----------
    snps
        SNP ids: a list, a DataFrame with a column SNP, or a text file as SNPsea reads it.
    gene_matrix
        Genes × conditions: a GCT 1.2 file or a DataFrame indexed by gene id. If every value is 0 or 1 loci are scored
        by the hypergeometric distribution, otherwise by specificity ranks.
    gene_intervals
        BED4 file or DataFrame: intervals of the genes, named by the ids of the matrix.
    snp_intervals
        BED4 file or DataFrame: LD block of every SNP. Of several blocks with one name the last is taken.
    null_snps
        SNP ids (LD-pruned) from whose blocks matched null sets are drawn.
    condition
        Columns whose profile is removed from the others first.
    score
        ``"single"``: the most specific gene of a locus; ``"total"``: all of its genes.
    slop
        Bases by which a block without genes is widened.
    min_observations
        Stop for a condition once so many null sets scored at least as high.
    max_iterations
        Largest number of null sets; the smallest p-value is 1 / (max_iterations + 1).
    n_replicates
        Matched random lists that are tested in the same way, to see the distribution under the null.
    rng
        Seed or generator.

    Returns
    -------
    SnpseaResult

    Raises
    ------
    KeyError
        If a condition is not in the matrix.
    ValueError
        If files are malformed, chromosomes are named ``1`` here and ``chr1`` there, no SNP or no gene is found.

    Notes
    -----
    Where SNPsea 1.0.3 misbehaves this does not: blank lines are skipped; a block that starts within `slop` of the
    chromosome's start is widened to 1 (there, unsigned arithmetic wraps round and finds nothing); genes that are zero
    everywhere are left out with a warning (there, NaN with undefined order); a size without null sets borrows the
    nearest size with a warning (there, undefined behaviour).
    """
    data = prepare_snpsea(
        gene_matrix, gene_intervals, snp_intervals, null_snps=null_snps, condition=condition, score=score, slop=slop
    )
    return data.test(
        snps, min_observations=min_observations, max_iterations=max_iterations, n_replicates=n_replicates, rng=rng
    )
