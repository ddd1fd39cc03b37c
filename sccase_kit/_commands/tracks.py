"""Write a track for every group of cells, for the UCSC browser and IGV: bedGraph, bigWig, a track hub, sessions.

Raw and enhanced tracks have one unit, counts per million in peaks (or per cell). bigWig needs pyBigWig (extra tracks).
"""

from __future__ import annotations

import argparse
from typing import Any

from .files import add_input, add_layer, read_input

HELP = "tracks of groups of cells for genome browsers"
EXAMPLE = """example:
  sccase-kit tracks enhanced.h5ad --groupby cell_type --genome hg38 -o tracks"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_input(parser, "enhanced .h5ad or .zarr, or counts with --source counts")
    add_layer(parser)
    parser.add_argument("-o", "--output", required=True, metavar="FOLDER", help="target folder")
    parser.add_argument("-g", "--groupby", required=True, help="column of obs with the groups")
    parser.add_argument("--genome", help="hg19, hg38, mm9, mm10, or a file of chromosome sizes")
    parser.add_argument("--source", choices=["both", "counts", "enhanced"], default="both", help="which tracks (both)")
    parser.add_argument("--scaling", choices=["cpm", "cell"], default="cpm", help="per million in peaks, or per cell")
    parser.add_argument("--format", choices=["auto", "bigwig", "bedgraph"], default="auto", help="kind of files (auto)")
    parser.add_argument("--email", default="unknown@example.org", help="address that a UCSC track hub must name")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Read the data, write the folder."""
    import sccase_kit as sk

    adata = read_input(args)
    files = sk.io.write_tracks(
        adata,
        args.groupby,
        args.output,
        genome=args.genome,
        source=args.source,
        layer=args.layer,
        scaling=args.scaling,
        format=args.format,
        email=args.email,
    )
    named: dict[str, Any] = {name: str(files[name]) for name in ("hub", "igv") if name in files}
    return {"output": args.output, "tracks": len(files) - len(files.keys() & {"hub", "igv", "igv_web"}), **named}
