"""Count the fragments of every cell in peaks, or in tiles of the genome, with the quality of every cell.

Fragment files are those of Cell Ranger, SnapATAC2, sinto, chromap and others: chrom, start, end, barcode, read pairs.
They may be bgzip, gzip, zstd or plain, with or without an index. Without --cells,
cells are called by the gap between the depth of background and of cells.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .files import check_target, save_data

HELP = "count fragments in peaks"
EXAMPLE = """example:
  sccase-kit count fragments.tsv.gz --peaks peaks.bed --genome hg38 -o counts.h5ad
  sccase-kit count A=a/fragments.tsv.gz B=b/fragments.tsv.gz --peaks peaks.bed --genome hg38 -o counts.h5ad"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("fragments", nargs="+", metavar="[SAMPLE=]FILE", help="fragment file of a sample")
    parser.add_argument("-o", "--output", required=True, help="target .h5ad or .zarr")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--peaks", help="BED or narrowPeak file")
    where.add_argument("--tiles", type=int, metavar="BASES", help="width of tiles of the genome, in place of peaks")
    parser.add_argument("--genome", help="hg19, hg38, mm9, mm10, or a file of chromosome sizes")
    parser.add_argument(
        "--cells", help="barcodes, one a line, or Cell Ranger's singlecell.csv; or the least fragments of a cell"
    )
    parser.add_argument("--min-fragments", type=int, default=200, help="least fragments of a cell that is called (200)")
    parser.add_argument(
        "--counting",
        choices=["fragments", "insertions", "paired"],
        default="fragments",
        help="1 for a fragment that meets the peak (default); 1 for each end in it; 1 for one end or both in it",
    )
    parser.add_argument(
        "--one-based",
        choices=["auto", "yes", "no"],
        default="auto",
        help="whether starts are 1-based, as in tables of R; auto: by the header or by fragments that meet at a cut",
    )
    parser.add_argument("--tss", help="table of genes in place of the genome's (chrom, tss, strand, gene_id, symbol)")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Count and write."""
    import numpy as np

    import sccase_kit as sk

    target = Path(args.output)
    check_target(args.output)
    cells = int(args.cells) if args.cells is not None and args.cells.isdecimal() else args.cells
    adata = sk.read_fragments(
        _samples(args.fragments),
        args.peaks,
        cells,
        tiles=args.tiles,
        genome=args.genome,
        counting=args.counting,
        tss=args.tss,
        min_fragments=args.min_fragments,
        one_based={"auto": None, "yes": True, "no": False}[args.one_based],
    )
    save_data(adata, target)
    medians = {
        f"median {name.replace('_', ' ')}": round(float(np.nanmedian(adata.obs[name])), 3)
        for name in ("n_fragments", "tss_enrichment", "frip", "nucleosome_signal", "duplicate_rate")
        if name in adata.obs and adata.obs[name].notna().any()
    }
    return {"output": str(target), "cells": adata.n_obs, "peaks": adata.n_vars, **medians}


def _samples(given: list[str]) -> str | list[str] | dict[str, str]:
    """Return one file, a list of files, or sample → file."""
    named = [text.partition("=") for text in given if "=" in text and not Path(text).exists()]
    if not named:
        return given[0] if len(given) == 1 else given
    if len(named) < len(given):
        msg = f"either all files or none are given as SAMPLE=FILE, got {given}"
        raise ValueError(msg)
    if len({name for name, _, _ in named}) < len(named):
        msg = f"samples have one name twice: {[name for name, _, _ in named]}"
        raise ValueError(msg)
    return {name: path for name, _, path in named}
