"""Go from an enhanced file to the functions, motifs, tissues and traits of every group, as a folder.

Specific and background peaks are found. Inputs are written for GREAT always, for SNPsea with --snps and for LDSC with
--panel; with gene sets, tissue expression or summary statistics these are run, and their tables and figures are laid
next to the inputs. --fasta adds motifs (--sites, where there is no sequence), --variants the groups in which
fine-mapped variants act. A second call with the same input keeps what is finished.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .files import add_input, add_unknown, add_variants, group_names, named_files, read_input
from .motifs import add_sites, check_sites, sequence_options
from .tools import add_tools, tool_options

HELP = "what every group means: GREAT, motifs, traits, SNPsea, LDSC, as a folder"
EXAMPLE = """example:
  sccase-kit interpret enhanced.h5ad -g cell_type --genome hg38 --gene-sets GO:BP -o meaning
  sccase-kit interpret enhanced.h5ad -g louvain --genome hg19 --gene-sets GO:BP --fasta hg19.fa --motifs JASPAR \\
    --variants monocytes=MONO_COUNT.bed.gz --variants platelets=PLT_COUNT.bed.gz -o meaning
  sccase-kit interpret enhanced.h5ad -g louvain --genome hg38 --sites chip_peaks/ -o meaning
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
    great = add_tools(parser)
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
    add_sites(motifs)
    motifs.add_argument(
        "--stored-motifs", action="store_true", help="take the matches that sccase-kit motifs left in the file"
    )
    add_variants(parser.add_argument_group("traits"))


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Read, interpret, say what came out."""
    import sccase_kit as sk

    great, snpsea, ldsc = tool_options(args)
    if args.motifs and not args.fasta:
        msg = "--motifs needs --fasta: the sequences in which they are looked for"
        raise ValueError(msg)
    if args.stored_motifs and (args.fasta or args.sites):
        other = "--sites takes those of BED files" if args.sites else "--fasta looks for new ones"
        msg = f"--stored-motifs takes the matches in the file, and {other}; leave one of them out"
        raise ValueError(msg)
    check_sites(args)
    variants = named_files(args.variants, option="--variants")
    adata = read_input(args)
    if args.background == "peaks":
        great["background"] = adata.var[["chrom", "start", "end"]] if "chrom" in adata.var else adata
    motifs: dict[str, Any] | None = {} if args.stored_motifs else None
    if args.sites:
        motifs = {"sites": args.sites, **(sequence_options(adata, Path(args.fasta)) if args.fasta else {})}
    elif args.fasta:
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
    found, every = list(dict.fromkeys(tables["peaks"]["group"])), group_names(adata, args.groupby)
    result: dict[str, Any] = {"output": args.output, "groups": list(dict.fromkeys([*every, *found]))}
    if empty := [name for name in every if name not in found]:
        result["groups without peaks"] = empty
    result["rows of the tables"] = rows
    left = {"motifs": "--fasta genome.fa, or --sites FOLDER", "great": "--gene-sets GO:BP"}
    left["traits"] = "--variants TRAIT=FILE"
    if missing := [f"{step} ({option})" for step, option in left.items() if step not in tables]:
        result["not looked at"] = ", ".join(missing)
    return result
