"""Run the experiments of the scCASE paper on the data there are; write one page that compares the numbers.

Data sets are the files given by path (or folders with such files), those of the manifest on disk, and the simulated
set. What is missing is named. Interrupted, the same call goes on with what is left. SNPsea, LDSC and motifs run on the
data with the files given for them, else on a simulated study with planted answers.
"""

from __future__ import annotations

import argparse
from typing import Any

from .tools import add_tools, given, tool_options

HELP = "the scCASE paper, repeated claim by claim"
EXAMPLE = """example:
  sccase-kit reproduce -o paper --quick
  sccase-kit reproduce data/bm0828.h5ad data/other -o paper --only clustering depth"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files with counts and cell types, or folders of them")
    parser.add_argument("-o", "--output", required=True, help="folder for the page, the table and the results")
    parser.add_argument("--quick", action="store_true", help="small subsets, one seed: minutes")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="experiments (all)")
    parser.add_argument("-g", "--groupby", help="column of obs with the cell types (the usual names)")
    parser.add_argument("--max-cells", type=int, help="cells of a data set at most (1000; 250 with --quick)")
    parser.add_argument("--max-peaks", type=int, help="peaks of a data set at most (40000; 2500 with --quick)")
    parser.add_argument("--memory-cells", type=int, help="cells of the smaller set for memory (2000; the paper: 20000)")
    parser.add_argument("--memory-peaks", type=int, help="peaks of both sets for memory (20000)")
    parser.add_argument("--data-dir", help="folder with files of the manifest")
    parser.add_argument("--download", action="store_true", help="download data sets that are not on disk (gigabytes)")
    parser.add_argument("--adapters", help="folder benchmarks/adapters: programs of others that are installed there")
    parser.add_argument("--overwrite", action="store_true", help="make every result anew")
    add_tools(parser)
    motifs = parser.add_argument_group("motifs")
    motifs.add_argument("--fasta", help="sequence of the genome on which the peaks were called")
    motifs.add_argument(
        "--motifs", help="file (MEME, JASPAR, HOMER ...), or JASPAR, JASPAR2024 (JASPAR); needs --fasta"
    )


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Run, write, say what came out."""
    import matplotlib as mpl

    mpl.use("agg")
    import sccase_kit as sk

    great, snpsea, ldsc = tool_options(args)
    motifs = given(genome_fasta=args.fasta, motifs=args.motifs)
    if "motifs" in motifs and "genome_fasta" not in motifs:
        msg = "--motifs is given without --fasta"
        raise ValueError(msg)
    options = {"great": great, "snpsea": snpsea, "ldsc": ldsc, "motifs": motifs}
    found = sk.reproduce(
        *args.paths,
        out=args.output,
        quick=args.quick,
        only=args.only,
        groupby=args.groupby,
        tools={name: arguments for name, arguments in options.items() if arguments},
        max_cells=args.max_cells,
        max_peaks=args.max_peaks,
        memory_cells=args.memory_cells,
        memory_peaks=args.memory_peaks,
        data_dir=args.data_dir,
        download=args.download,
        adapters=args.adapters,
        overwrite=args.overwrite,
    )
    states = found.claims["state"].value_counts()
    return {
        "page": str(found.page),
        "claims": len(found.claims),
        **{str(state): int(n) for state, n in states.items()},
        "hold": int((found.claims["holds"] == "yes").sum()),
        "do not hold": int((found.claims["holds"] == "no").sum()),
        "missing": len(found.missing),
    }
