"""Arguments of commands that run GREAT, SNPsea and LDSC."""

from __future__ import annotations

import argparse
from typing import Any

from .files import named_files, one_or_all


def add_tools(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add the files of the three tools, a group of arguments each, and return that of GREAT."""
    great = parser.add_argument_group("GREAT")
    great.add_argument("--gene-sets", nargs="+", metavar="SETS", help="GMT files; GO, GO:BP, GO:MF, GO:CC")
    great.add_argument("--tss", help="table of genes in place of the genome's")
    snpsea = parser.add_argument_group("SNPsea")
    snpsea.add_argument("--snps", help="SNPs with positions: HapMap3 list, .bim, BED4, VCF")
    snpsea.add_argument("--gene-matrix", help="expression of genes by tissue (.gct)")
    snpsea.add_argument("--gene-intervals", help="genes (BED4)")
    snpsea.add_argument("--snp-intervals", help="LD block of every SNP (BED4)")
    snpsea.add_argument("--null-snps", help="SNPs for matched null sets")
    ldsc = parser.add_argument_group("LDSC")
    ldsc.add_argument("--panel", help="prefix of the PLINK files up to the chromosome number")
    ldsc.add_argument("--sumstats", action="append", metavar="TRAIT=FILE", help="munged statistics; may be repeated")
    ldsc.add_argument("--baseline", help="prefix of the baseline model")
    ldsc.add_argument("--weights", help="prefix of the regression weights")
    ldsc.add_argument("--regression-snps", help="SNPs of the regression, one a line")
    return great


def tool_options(args: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return what was given for GREAT, SNPsea and LDSC, by the names of the functions' arguments.

    Raises
    ------
    ValueError
        If files are given without those that a tool cannot do without, or a trait twice.
    """
    great = given(gene_sets=one_or_all(args.gene_sets), tss=args.tss)
    snpsea = given(
        snps=args.snps,
        gene_matrix=args.gene_matrix,
        gene_intervals=args.gene_intervals,
        snp_intervals=args.snp_intervals,
        null_snps=args.null_snps,
    )
    ldsc = given(
        panel=args.panel,
        sumstats=named_files(args.sumstats, option="--sumstats"),
        baseline=args.baseline,
        weights=args.weights,
        snps=args.regression_snps,
    )
    for options, needed, flag in ((snpsea, "snps", "--snps"), (ldsc, "panel", "--panel")):
        if options and needed not in options:
            names = ", ".join("--" + name.replace("_", "-") for name in options)
            msg = f"{names} is given without {flag}"
            raise ValueError(msg)
    return great, snpsea, ldsc


def given(**options: Any) -> dict[str, Any]:
    """Return the options that are not None."""
    return {name: value for name, value in options.items() if value is not None}
