"""Go from an enhanced file to the functions, motifs, tissues and traits of every group, as a folder.

Specific and background peaks are found. Inputs are written for GREAT always, for SNPsea with --snps and for LDSC with
--panel; with gene sets, tissue expression or summary statistics these are run, and their tables and figures are laid
next to the inputs. --fasta adds motifs, --variants the groups in which fine-mapped variants act. A second call with the
same input keeps what is finished.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .files import add_input, add_unknown, add_variants, named_files, one_or_all, read_input
from .motifs import sequence_options

HELP = "what every group means: GREAT, motifs, traits, SNPsea, LDSC, as a folder"
EXAMPLE = """example:
  sccase-kit interpret enhanced.h5ad -g cell_type --genome hg38 --gene-sets GO:BP -o meaning
  sccase-kit interpret enhanced.h5ad -g louvain --genome hg19 --gene-sets GO:BP --fasta hg19.fa --motifs JASPAR \\
    --variants monocytes=MONO_COUNT.bed.gz --variants platelets=PLT_COUNT.bed.gz -o meaning
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
    great.add_argument(
        "--background",
        choices=["genome", "peaks"],
        default="genome",
        help="test the peaks of a group against the genome, or against all peaks of the data: then terms tell the "
        "groups apart (genome)",
    )
    motifs = parser.add_argument_group("motifs")
    motifs.add_argument("--fasta", help="sequences of the genome, or of the peaks under the peaks' names")
    motifs.add_argument(
        "--motifs", help="file (MEME, JASPAR, HOMER ...), or JASPAR, JASPAR2024 (JASPAR); needs --fasta"
    )
    motifs.add_argument(
        "--stored-motifs", action="store_true", help="take the matches that sccase-kit motifs left in the file"
    )
    add_variants(parser.add_argument_group("traits"))
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
        sumstats=named_files(args.sumstats, option="--sumstats"),
        baseline=args.baseline,
        weights=args.weights,
        snps=args.regression_snps,
    )
    for options, needed, flag in ((snpsea, "snps", "--snps"), (ldsc, "panel", "--panel")):
        if options and needed not in options:
            given = ", ".join("--" + name.replace("_", "-") for name in options)
            msg = f"{given} is given without {flag}"
            raise ValueError(msg)
    if args.motifs and not args.fasta:
        msg = "--motifs needs --fasta: the sequences in which they are looked for"
        raise ValueError(msg)
    if args.stored_motifs and args.fasta:
        msg = "--stored-motifs takes the matches in the file, and --fasta looks for new ones; leave one of them out"
        raise ValueError(msg)
    variants = named_files(args.variants, option="--variants")
    adata = read_input(args)
    if args.background == "peaks":
        great["background"] = adata.var[["chrom", "start", "end"]] if "chrom" in adata.var else adata
    motifs: dict[str, Any] | None = {} if args.stored_motifs else None
    if args.fasta:
        motifs = {"motifs": args.motifs or "JASPAR", **sequence_options(adata, Path(args.fasta))}
    tables = sk.tl.interpret(
        adata,
        args.groupby,
        args.output,
        genome=args.genome,
        great=great,
        snpsea=snpsea or None,
        ldsc=ldsc or None,
        motifs=motifs,
        traits=None if variants is None else {"variants": variants},
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
