"""What the columns of our own tables are called on the page, with units; the CSV keeps the stored names."""

from __future__ import annotations

_TEST = {"pvalue": "p", "padj": "adjusted p"}
#: Of marker peaks: specific and background peaks, scABC.
PEAKS = _TEST | {
    "nearest_gene": "nearest gene",
    "distance": "distance to it (bp)",
    "log2fc": "log₂ fold change, counts",
    "log2fc_enhanced": "log₂ fold change, enhanced",
    "pct_in": "share open, group",
    "pct_out": "share open, others",
}
#: Of the table of groups of marker peaks.
GROUPS = {
    "n_cells": "cells",
    "n_peaks": "peaks",
    "n_significant": "significant peaks",
}
#: Of names for groups.
NAMES = _TEST | {
    "n_cells": "cells",
    "n_markers": "markers",
    "n_markers_covered": "markers in reach of peaks",
    "n_peaks": "peaks compared",
    "genes": "genes that speak for it",
}
_TEST_SETS = {"p_value": "p", "p_value_adj": "adjusted p"}
#: Of sets of peaks (motifs) by group: differential deviations.
SETS = _TEST_SETS | {
    "mean": "mean z, group",
    "mean_reference": "mean z, others",
    "difference": "difference of the means",
    "effect_size": "effect size (Cohen's d)",
    "n_peaks": "peaks with it",
    "correlation": "correlation with the gene",
    "gene_correlation": "correlation with the gene",
    "deviation_range": "range of z",
    "rank_in_family": "rank in the family",
}
#: Of sets of peaks: variability over all cells.
VARIABILITY = _TEST_SETS | {
    "variability": "variability (sd of z)",
    "bootstrap_lower_bound": "lower bound, 95 %",
    "bootstrap_upper_bound": "upper bound, 95 %",
}
#: Of GREAT against the genome (binomial) or a background (hypergeometric), and of gene-level enrichment.
TERMS = {
    "ID": "term",
    "Binom_Fold_Enrichment": "fold, regions",
    "Binom_Observed_Region_Hits": "regions hit",
    "Binom_Adjp_BH": "adjusted p, regions",
    "Hyper_Fold_Enrichment": "fold, genes",
    "Hyper_Observed_Gene_Hits": "genes hit",
    "Hyper_Adjp_BH": "adjusted p, genes",
    "Odds Ratio": "odds ratio",
    "Adjusted P-value": "adjusted p",
}
#: Of SNPsea.
TISSUES = {
    "condition": "tissue or cell type",
    "pvalue": "p",
    "nulls_observed": "random SNP sets as high",
    "nulls_tested": "random SNP sets drawn",
    "score": "score (sum of −ln p)",
    "n_snps": "SNPs in the peaks",
    "n_loci": "loci",
}
#: Of LD score regression.
HERITABILITY = {
    "Category": "annotation",
    "Prop._SNPs": "share of SNPs",
    "Prop._h2": "share of heritability",
    "Prop._h2_std_error": "its standard error",
    "Enrichment": "enrichment (fold)",
    "Enrichment_std_error": "its standard error",
    "Enrichment_p": "p of the enrichment",
    "Coefficient": "coefficient (per SNP)",
    "Coefficient_std_error": "its standard error",
    "Coefficient_z-score": "z of the coefficient",
    "h2": "heritability, all SNPs",
    "h2_se": "its standard error",
    "n_snps": "SNPs in the regression",
}
#: Of traits by group, and of the traits themselves.
TRAITS = _TEST_SETS | {
    "n_cells": "cells",
    "score": "visits / random walks",
    "z_mean": "mean z of the cells alone",
    "fraction_05": "share of cells with p < 0.05",
    "n_peaks": "peaks with a variant",
    "weight_in_peaks": "posterior probability in peaks (sum)",
    "n_seeds": "seed cells",
    "n_cells_05": "cells with p < 0.05",
}
#: Of links of peaks and genes.
LINKS = _TEST_SETS | {
    "tss": "start of the gene (bp)",
    "distance": "distance to it (bp)",
    "z": "z against like peaks",
    "in_activity": "peak is part of the activity",
}
#: Of scores on hidden fragments.
HELD_OUT = {
    "gain": "gain (nats per hidden entry)",
    "se": "its standard error",
    "slope": "slope (1 is calibrated)",
}
#: Of fragment files; every number counts lines of the file or fragments.
FILES = {
    "lines": "lines read",
    "cells": "cells",
    "fragments": "fragments of cells",
    "not_in_cells": "not of a cell",
    "unknown_sequence": "on unknown sequences",
    "beyond_the_end": "beyond chromosome ends",
    "without_length": "without length",
    "repeated": "repeated lines",
    "no_peak_on_chromosome": "on chromosomes without peaks",
    "tss_enrichment": "TSS enrichment",
}
