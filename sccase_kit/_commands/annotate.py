"""Suggest a name for every group of cells, by marker genes or by correlation with a labelled reference.

Names are suggestions: groups that several related types fit have the name of their lineage; others are "unknown".
Without --output the table is printed.
"""

from __future__ import annotations

import argparse
from typing import Any

from .files import add_input, add_layer, add_output, add_seed, check_data_or_table, finish, holds_data, read_input

HELP = "suggest names for groups of cells"
EXAMPLE = """example:
  sccase-kit annotate enhanced.h5ad -g louvain --markers blood --genome hg38 -o enhanced.h5ad
  sccase-kit annotate enhanced.h5ad -g louvain --markers blood --genome hg38 --counts counts.h5ad -o enhanced.h5ad
  sccase-kit annotate enhanced.h5ad -g louvain --markers mine.gmt --genome genes.gtf.gz
  sccase-kit annotate enhanced.h5ad -g louvain --reference bulk.tsv.gz"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_input(parser, "enhanced .h5ad or .zarr")
    add_output(parser)
    parser.add_argument("-g", "--groupby", default="louvain", help="column of obs with the groups (louvain)")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--markers", help="blood, brain or general; or a GMT file; or a table with cell_type and gene")
    source.add_argument("--reference", help="labelled samples: .h5ad samples by peaks, or a table peaks by samples")
    parser.add_argument("--genome", help="of --markers: hg19, hg38, mm9, mm10, a GTF or a TSS table")
    parser.add_argument(
        "--counts", metavar="FILE", help="the input of enhance: score --markers at all its peaks, also those not fitted"
    )
    parser.add_argument(
        "--min-support", type=float, help="least share of resamplings that give the name (0.8; .95 with a reference)"
    )
    parser.add_argument("--min-margin", type=float, help="least lead of the best (0; .01 with a reference)")
    add_layer(parser)
    parser.add_argument("--key-added", default="annotation", help="column of obs and key of uns (annotation)")
    add_seed(parser, "seed (0)")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Read, annotate, write."""
    import sccase_kit as sk

    if args.reference and args.genome:
        msg = "--genome is of --markers, and --reference is given; leave one of them out"
        raise ValueError(msg)
    if args.reference and args.counts:
        msg = "--counts is of --markers, and --reference is given; leave one of them out"
        raise ValueError(msg)
    target = check_data_or_table(args.output)
    adata = read_input(args)
    sk.tl.annotate(
        adata,
        args.groupby,
        args.markers,
        genome=args.genome,
        counts=args.counts,
        reference=None if args.reference is None else _reference(args.reference),
        min_support=args.min_support,
        min_margin=args.min_margin,
        layer=args.layer,
        key_added=args.key_added,
        rng=args.seed,
    )
    table = adata.uns[args.key_added]["table"]
    result: dict[str, Any] = {"groups": len(table), "named": int((table["reason"] == "").sum())}
    if holds_data(target):
        result["stored in"] = f"obs[{args.key_added!r}] and uns[{args.key_added!r}]"
    result["names"] = dict(zip(table["group"].astype(str), table["label"].astype(str), strict=True))
    return finish(result, target, adata, table)


def _reference(path: str) -> Any:
    """Return an AnnData, or a table with the peaks as its first column."""
    if path.rstrip("/").endswith((".h5ad", ".zarr", ".h5", ".h5mu")):
        import sccase_kit as sk

        return sk.read(path)
    import pandas as pd

    return pd.read_csv(path, sep=None, engine="python", index_col=0)
