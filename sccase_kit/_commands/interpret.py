"""Go from an enhanced file to the functions, tissues and traits of every group's peaks, as a folder.

Specific and background peaks are found. Inputs are written for GREAT always, for SNPsea with --snps and for LDSC with
--panel; with gene sets, tissue expression or summary statistics these are run, and their tables and figures are laid
next to the inputs. A second call with the same input keeps what is finished.
"""

from __future__ import annotations

import argparse
from typing import Any

from .files import add_input, add_unknown, one_or_all, read_input

HELP = "specific peaks to GREAT, SNPsea and LDSC, as a folder"
EXAMPLE = """example:
  sccase-kit interpret enhanced.h5ad -g cell_type --genome hg38 --gene-sets GO:BP -o meaning
  sccase-kit interpret enhanced.h5ad -g cell_type --genome hg38 --chain hg38ToHg19.over.chain.gz -o meaning \\
    --panel 1000G.EUR.QC. --baseline baseline. --weights weights. --sumstats height=height.sumstats.gz"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_input(parser, "enhanced .h5ad or .zarr")
    parser.add_argument("-o", "--output", required=True, help="folder to write or to go on with")
    parser.add_argument("-g", "--groupby", default="louvain", help="column of obs with the groups (louvain)")
    parser.add_argument("-n", "--n-top", type=int, default=1000, help="peaks per group (1000)")
    parser.add_argument("--genome", required=True, help="genome of the peaks: hg19, hg38, mm9 or mm10")
    parser.add_argument("--data-genome", default="hg19", help="genome of the files of SNPsea and LDSC (hg19)")
    parser.add_argument("--chain", help="UCSC chain file between the two")
    add_unknown(parser)
    parser.add_argument("--overwrite", action="store_true", help="make every step anew")
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


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Read, interpret, say what came out."""
    import sccase_kit as sk

    great = _given(gene_sets=one_or_all(args.gene_sets), tss=args.tss)
    snpsea = _given(
        snps=args.snps,
        gene_matrix=args.gene_matrix,
        gene_intervals=args.gene_intervals,
        snp_intervals=args.snp_intervals,
        null_snps=args.null_snps,
    )
    ldsc = _given(
        panel=args.panel,
        sumstats=_traits(args.sumstats),
        baseline=args.baseline,
        weights=args.weights,
        snps=args.regression_snps,
    )
    for options, needed, flag in ((snpsea, "snps", "--snps"), (ldsc, "panel", "--panel")):
        if options and needed not in options:
            given = ", ".join("--" + name.replace("_", "-") for name in options)
            msg = f"{given} is given without {flag}"
            raise ValueError(msg)
    tables = sk.tl.interpret(
        read_input(args),
        args.groupby,
        args.output,
        genome=args.genome,
        great=great,
        snpsea=snpsea or None,
        ldsc=ldsc or None,
        n_top=args.n_top,
        data_genome=args.data_genome,
        chain=args.chain,
        unknown=args.unknown,
        overwrite=args.overwrite,
    )
    rows = {name: len(table) for name, table in tables.items()}
    return {"output": args.output, "groups": list(dict.fromkeys(tables["peaks"]["group"])), "rows of the tables": rows}


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _traits(values: list[str] | None) -> dict[str, str] | None:
    """Return trait → file; a file without a name gives its own."""
    if not values:
        return None
    traits = {}
    for value in values:
        name, found, file = value.partition("=")
        if not found:
            name, file = value.rsplit("/", 1)[-1].split(".")[0], value
        if not name or not file or name in traits:
            msg = f"--sumstats {value!r}: TRAIT=FILE is expected, every trait once"
            raise ValueError(msg)
        traits[name] = file
    return traits
