"""What columns of our own tables are called on the page, with units and meanings; the CSV keeps the stored names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from ..genes.naming import N_RANDOM
from ..pages.table import Table

#: Stored name → header, and what it means, in a sentence without its full stop.
Headers = Mapping[str, tuple[str, str]]

_SE = ("its standard error", "how far chance may have moved the number to the left of it")
_P = ("p", "how often chance alone gives as much")
_ADJUSTED = (
    "adjusted p",
    "p after Benjamini and Hochberg: the share of false finds among all that are at most so large",
)
#: Of any table, where it says nothing else.
COMMON: Headers = {
    "group": ("group", "the group of cells, as in the cards"),
    "n_cells": ("cells", "number of cells"),
    "share": ("share of cells", "of all cells"),
    "pvalue": _P,
    "padj": _ADJUSTED,
    "p_value": _P,
    "p_value_adj": _ADJUSTED,
    "chrom": ("chromosome", "of the peak"),
    "start": ("start (bp)", "first base, counted from 0"),
    "end": ("end (bp)", "the base after the last"),
    "median counts per cell": ("median counts per cell", "half of the cells have more counts in all peaks"),
}
#: Of marker peaks: specific and background peaks, scABC.
PEAKS: Headers = {
    "rank": ("rank", "1 is the peak that marks the group most"),
    "peak": ("peak", "chromosome and place"),
    "nearest_gene": ("nearest gene", "the gene whose transcription start is next to the peak"),
    "distance": ("distance to it (bp)", "from the gene's transcription start; negative: upstream"),
    "score": (
        "marker score",
        "how sure the difference is (z) times how large (log₂ fold change, enhanced): peaks are ranked by it",
    ),
    "log2fc": ("log₂ fold change, counts", "of the group over all other cells, at equal depth; 1 is twice"),
    "log2fc_enhanced": ("log₂ fold change, enhanced", "the same of the enhanced profiles; 1 is twice"),
    "log2fc_nearest": (
        "log₂ fold, next group",
        "enhanced, over the highest other group; below 0 that has it more open",
    ),
    "pct_in": ("open in the group", "share of the group's cells in which the peak is open"),
    "pct_out": ("open elsewhere", "share of all other cells in which the peak is open"),
    "component": ("component", "number of the component of the embedding that the group uses most, from 0"),
    "coefficient": ("weight in the component", "how much the peak counts in it"),
    "contrast": ("lead over the next group", "difference of the enhanced means, in shares of the peak's mean"),
    "deviation": ("deviation", "of the group's cells from the others"),
}
#: Of the table of groups of marker peaks.
GROUPS: Headers = {
    "n_peaks": ("marker peaks", "kept for the group"),
    "n_listed": ("of them significant", "marker peaks with an adjusted p of at most 0.05"),
    "n_highest": ("of them highest here", "marker peaks whose enhanced profile is higher than in any other group"),
    "n_significant": ("significant of all peaks", "all peaks with an adjusted p of at most 0.05, listed or not"),
    "resembles": ("most like", "the group with the most similar profile"),
    "similarity": ("correlation with it", "of the enhanced profiles; 1 is the same"),
    "ranking": ("ranked by", "what orders the peaks; score: see the table of peaks"),
    "reason": ("why there are few", "empty where there are enough"),
}
#: Of groups against those that they resemble, in held-out counts.
SISTERS: Headers = {
    "family": ("group", "with those that nothing tells apart from it; the name is that of the largest"),
    "members": ("groups", "that nothing tells apart"),
    "other": ("against", "the other group"),
    "z": ("z", "standard normal where the two are one type"),
    "pvalue": ("p", "of the test; of a peak two-sided, exact binomial, in held-out counts"),
    "padj": ("adjusted p", "times the number of pairs; of peaks after Benjamini and Hochberg within the comparison"),
    "difference": ("difference of profiles", "root mean square of relative differences along what the other half says"),
    "apart": ("told apart", "adjusted p and difference pass"),
    "n_more": ("peaks more open", "in the first, with an adjusted p of at most 0.05"),
    "n_less": ("peaks less open", "in the first, with an adjusted p of at most 0.05"),
    "direction": ("here", "whether the peak is more or less open in the first group"),
    "rank": ("rank", "by p"),
    "log2fc": ("log2 fold change", "of held-out opens at equal depth"),
}
#: Of groups of one name against each other.
AMONG: Headers = {
    "among": ("among", "groups of this lineage that are nearest to a type of it that is no progenitor"),
    "n_groups": ("groups compared", "of this lineage"),
    "called": ("nearest other type", "the best type of the lineage that is no progenitor, among these groups"),
    "score_called": ("score of that", "among these groups; below 0: less than in the others"),
    "progenitor": ("nearest progenitor", "the best type of the lineage Progenitor, among these groups"),
    "score_progenitor": ("score of the progenitor", "among these groups"),
    "padj": ("adjusted p", "of the best type of all, among these groups"),
    "support_progenitor": ("support of progenitors", "share of draws of the marker genes in which one is best"),
    "support_called": ("support of the others", "share of draws in which another type of the lineage is best"),
    "rather": ("rather a progenitor", "a progenitor is best, passes, and has nine tenths of the draws"),
    "genes": ("genes of the progenitor", "times as open as in all of these groups"),
}
#: Of the types of a panel.
PANEL: Headers = {
    "type": ("type", "of the markers that were given"),
    "n_markers": ("marker genes", "of the type"),
    "n_markers_covered": ("of them near a peak", "marker genes that a peak reaches"),
    "group": ("highest in", "the group in which it scores highest"),
    "score": ("score there", "z of the marker genes among all genes, added and divided by the root of their number"),
    "support": ("support there", "share of draws of the marker genes in which it is best"),
    "n_named": ("groups named so", "groups that are called after it"),
    "n_lineage": ("of its lineage", "groups that are called after a lineage that holds it"),
    "n_nearest": ("nearest to it", "groups without a name that are nearest to it"),
}
#: Of the components of the embedding that belong to groups.
COMPONENTS: Headers = {
    "component": ("component", "number of a column of the embedding, from 0"),
    "statistic": ("rank statistic (0 to 1)", "1: every cell of the group exceeds every other cell"),
    "difference": ("lead of the group", "mean in the group less the mean elsewhere, in standard deviations"),
    "specificity": ("specificity (0 to 1)", "how probably a cell of the group exceeds a cell outside; 0.5 is chance"),
}
#: Of names for groups.
NAMES: Headers = {
    "padj": (
        "adjusted p",
        f"after Benjamini and Hochberg; p itself cannot be below 1 in {N_RANDOM + 1:,}: there compare the scores",
    ),
    "label": ("name", "the type, or its lineage where related types cannot be told apart; or unknown"),
    "genes": ("genes that speak for it", "marker genes of the nearest type that are most open in the group"),
    "reason": ("why it has no name", "empty where it has one"),
    "best": ("nearest type", "the type with the highest score"),
    "second": ("next type", "the type with the second highest score"),
    "score": (
        "score",
        "z of the marker genes among all genes, added and divided by the root of their number; or correlation",
    ),
    "margin": ("lead over the next", "difference of the two highest scores"),
    "support": ("support", "share of draws of the marker genes in which the name is best"),
    "n_markers": ("marker genes", "of the nearest type"),
    "n_markers_covered": ("of them near a peak", "marker genes that a peak reaches"),
    "n_peaks": ("peaks compared", "with the reference"),
}
#: Of sets of peaks (motifs) by group: differential deviations.
SETS: Headers = {
    "set": ("motif or set", "the peaks that hold it are looked at together"),
    "mean": ("mean z, group", "deviation from what depth and GC content explain, in standard deviations"),
    "mean_reference": ("mean z, others", "the same in all other cells"),
    "difference": ("difference of the means", "in units of z"),
    "effect_size": ("effect size (Cohen's d)", "difference over the standard deviation of cells; 0.8 is large"),
    "n_peaks": ("peaks with it", "number of peaks that hold the motif"),
    "gene": ("gene", "of the factor that binds the motif"),
    "factor": ("factor", "that binds the motif"),
    "family": ("family", "factors that share a motif have one number"),
    "correlation": ("correlation with the gene", "of deviation and gene activity over pools of like cells"),
    "gene_correlation": ("correlation with the gene", "of deviation and gene activity over pools of like cells"),
    "deviation_range": ("range of z", "largest less smallest over pools of like cells"),
    "rank_in_family": ("rank in the family", "1: the member whose gene fits best"),
}
#: Of sets of peaks: variability over all cells.
VARIABILITY: Headers = {
    "variability": ("variability (sd of z)", "over all cells; 1 is expected by chance"),
    "bootstrap_lower_bound": ("lower bound, 95 %", "of the variability, by drawing cells again"),
    "bootstrap_upper_bound": ("upper bound, 95 %", "of the variability, by drawing cells again"),
}
#: Of GREAT against the genome (binomial) or a background (hypergeometric), and of gene-level enrichment.
TERMS: Headers = {
    "ontology": ("collection", "of gene sets"),
    "ID": ("term", "its number in the collection"),
    "name": ("function", "what the genes of the term have in common"),
    "Binom_Fold_Enrichment": ("fold, regions", "peaks near the term's genes over what the genome's size gives"),
    "Binom_Observed_Region_Hits": ("regions hit", "peaks near genes of the term"),
    "Binom_Adjp_BH": ("adjusted p, regions", "binomial test over peaks, after Benjamini and Hochberg"),
    "Hyper_Fold_Enrichment": ("fold, genes", "genes of the term near a peak over chance"),
    "Hyper_Foreground_Region_Hits": ("peaks hit", "peaks of the group near genes of the term"),
    "Hyper_Total_Regions": ("peaks of the term", "in the background, near genes of the term"),
    "Hyper_Observed_Gene_Hits": ("genes hit", "genes of the term near a peak"),
    "Hyper_Adjp_BH": ("adjusted p, genes", "hypergeometric test, after Benjamini and Hochberg"),
    "Genes": ("genes behind it", "genes of the term near peaks of the group; the filter finds all, the file has all"),
    "Odds Ratio": ("odds ratio", "how much likelier genes near peaks are in the term"),
    "Adjusted P-value": ("adjusted p", "after Benjamini and Hochberg"),
    "P-value": _P,
}
#: The same of GREAT against a background, whose test counts peaks.
TERMS_BACKGROUND: Headers = {
    **TERMS,
    "Hyper_Fold_Enrichment": ("fold, peaks", "peaks of the group near genes of the term over those of the background"),
    "Hyper_Adjp_BH": ("adjusted p", "hypergeometric test over peaks, after Benjamini and Hochberg"),
}
#: Of SNPsea.
TISSUES: Headers = {
    "condition": ("tissue or cell type", "in which the genes at the SNPs are expressed"),
    "nulls_observed": ("random SNP sets as high", "sets that score as high by chance"),
    "nulls_tested": ("random SNP sets drawn", "as large as the SNPs in the peaks"),
    "score": ("score (sum of −ln p)", "over the loci"),
    "n_snps": ("SNPs in the peaks", "of the trait"),
    "n_loci": ("loci", "SNPs that lie together count once"),
}
#: Of LD score regression.
HERITABILITY: Headers = {
    "trait": ("trait", "of the association study"),
    "Category": ("annotation", "the peaks of a group, or of the baseline"),
    "Prop._SNPs": ("share of SNPs", "that lie in the annotation"),
    "Prop._h2": ("share of heritability", "that the annotation holds"),
    "Prop._h2_std_error": _SE,
    "Enrichment": ("enrichment (fold)", "share of heritability over share of SNPs"),
    "Enrichment_std_error": _SE,
    "Enrichment_p": ("p of the enrichment", "for an enrichment other than 1"),
    "Coefficient": ("coefficient (per SNP)", "heritability of a SNP beyond the other annotations"),
    "Coefficient_std_error": _SE,
    "Coefficient_z-score": ("z of the coefficient", "coefficient over its standard error"),
    "h2": ("heritability, all SNPs", "on the observed scale"),
    "h2_se": _SE,
    "n_snps": ("SNPs in the regression", "number"),
}
#: Of traits by group, and of the traits themselves.
TRAITS: Headers = {
    "trait": ("trait", "whose fine-mapped variants were looked for"),
    "score": (
        "visits / random walks",
        "how often walks from the cells with most variants reach the group; 1 is chance",
    ),
    "z_mean": ("mean z of the cells alone", "without walks between like cells"),
    "fraction_05": ("cells with p < 0.05", "share of the group's cells"),
    "n_peaks": ("peaks with a variant", "number"),
    "weight_in_peaks": ("posterior probability in peaks (sum)", "of the variants that lie in peaks"),
    "n_seeds": ("seed cells", "with most variants, from which walks start"),
    "n_cells_05": ("cells with p < 0.05", "number"),
}
#: Of links of peaks and genes.
LINKS: Headers = {
    "gene": ("gene", "that the peak may regulate"),
    "peak": ("peak", "chromosome and place"),
    "tss": ("start of the gene (bp)", "transcription start"),
    "distance": ("distance to it (bp)", "from the gene's transcription start; negative: upstream"),
    "correlation": ("correlation", "of peak and gene over pools of like cells"),
    "z": ("z against like peaks", "the correlation against those of peaks elsewhere with like counts and GC content"),
    "in_activity": ("peak is part of the activity", "then a correlation is no surprise"),
}
#: Of scores on hidden fragments.
HELD_OUT: Headers = {
    "method": ("method", "that enhanced what was not hidden"),
    "gain": ("gain (nats per hidden entry)", "log of how many times as probable a hidden entry is as by the peak mean"),
    "se": _SE,
    "sd_splits": ("spread over splits (sd)", "of the gain, over what was hidden at random"),
    "sd_seeds": ("spread over seeds (sd)", "of the gain, over runs of the method"),
    "times": ("times as probable", "exp of the gain: a hidden entry against the peak mean; above 1 enhancing helps"),
    "slope": ("slope (1 is right)", "above 1 differences between cells come out too small, below 1 too large"),
    "slope_se": _SE,
    "difference": ("gain beyond the first", "over the method of the first row"),
    "difference_se": _SE,
    "seconds": ("seconds a fit", "mean over the splits"),
    "error": ("error", "why a method has no score"),
    "of_types": ("share of the types' gain", "gain over that of the means of known types"),
}
#: Of fragment files; every number counts lines of the file or fragments.
FILES: Headers = {
    "sample": ("sample", "of the file"),
    "lines": ("lines read", "of the file"),
    "cells": ("cells", "barcodes that were kept"),
    "fragments": ("fragments of cells", "number"),
    "not_in_cells": ("not of a cell", "fragments of other barcodes"),
    "unknown_sequence": ("on unknown sequences", "that the genome does not have"),
    "beyond_the_end": ("beyond chromosome ends", "left out"),
    "without_length": ("without length", "left out"),
    "repeated": ("repeated lines", "counted once"),
    "no_peak_on_chromosome": ("on chromosomes without peaks", "fragments that cannot be counted"),
    "tss_enrichment": ("TSS enrichment", "insertions at transcription starts over those 2,000 bp away; 1 is none"),
}
#: Of the stages of a fit.
STAGES: Headers = {
    "stage": ("stage", "of the fit"),
    "time (s)": ("time (s)", "that it took"),
}
#: Columns of shares, shown in percent.
PERCENT = (
    *("share", "pct_in", "pct_out", "support", "support_progenitor", "support_called", "fraction_05"),
    *("Prop._SNPs", "Prop._h2", "of_types"),
)

#: Columns of names joined by commas, of which the first and their number are shown.
LISTS = ("Genes",)


def described_table(frame: pd.DataFrame, caption: str, headers: Headers, **options: Any) -> Table:
    """Return a table in which every column has words, a unit where it has one, and a meaning under the pointer.

    Columns that `headers` lacks have those of :data:`COMMON`, else their own name with spaces; columns that are empty
    in all rows are left out.
    """
    known = {**COMMON, **headers}
    empty = [name for name in frame.columns if name in known and len(frame) and _is_empty(frame[name])]
    frame = frame.drop(columns=empty)
    names = [str(name) for name in frame.columns]
    return Table(
        frame,
        caption,
        headers={name: known[name][0] if name in known else name.replace("_", " ") for name in names},
        notes={name: known[name][1] for name in names if name in known},
        percent=tuple(name for name in names if name in PERCENT and pd.api.types.is_float_dtype(frame[name])),
        lists=tuple(name for name in names if name in LISTS and not pd.api.types.is_numeric_dtype(frame[name])),
        **options,
    )


def grouped_table(
    table: pd.DataFrame, caption: str, headers: Headers | None = None, *, anchor: str = "", max_rows: int = 20_000
) -> Table:
    """Return a table in which, where it is too long to keep whole, every group has its first rows.

    Without `headers` it is a user's own, whose columns keep their names.
    """
    file = "_".join(re.findall(r"\w+", caption))[:40] or "table"
    if headers is None:
        return Table(table, caption, by="group", file=file, max_rows=max_rows)
    return described_table(table, caption, headers, by="group", file=file, anchor=anchor, max_rows=max_rows)


def _is_empty(column: Any) -> bool:
    return isinstance(column, pd.Series) and bool((column.isna() | (column.astype(str) == "")).all())
