"""Enhance a count matrix and write the data with the fitted model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

HELP = "enhance a count matrix"


def _components(text: str) -> int | str:
    return text if text == "auto" else int(text)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("input", help=".h5ad, .zarr, 10x .h5, 10x mtx folder, or peaks × cells text")
    parser.add_argument("-o", "--output", required=True, help="target .h5ad, with the model in it")
    parser.add_argument("-k", "--n-components", type=_components, default="auto", help="components, or auto (default)")
    parser.add_argument("--method", default=None, help="the method; by default the package's")
    parser.add_argument("--reference", help="reference counts, groups × peaks (.h5ad)")
    parser.add_argument("--depth", action="store_true", help="correct for sequencing depth")
    parser.add_argument("--batch-key", help="column of obs with the batches to correct")
    parser.add_argument(
        "--min-fraction", type=float, default=0.01, help="keep peaks open in this share of cells (0.01)"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed (0)")
    parser.add_argument("--matrix", help="also write the whole enhanced matrix here (.h5ad or .zarr)")
    parser.add_argument("--scale", choices=["minmax"], help="scaling of --matrix")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Read, filter, enhance, write."""
    import sccase_kit as sk
    from sccase_kit.io._atomic import replacing

    target = Path(args.output)
    if target.suffix != ".h5ad":
        msg = f"--output must end in .h5ad, got {args.output!r}"
        raise ValueError(msg)
    if not target.parent.is_dir():
        msg = f"the folder of --output does not exist: {str(target.parent)!r}"
        raise FileNotFoundError(msg)
    adata = sk.read(args.input)
    before = adata.n_vars
    sk.pp.filter_peaks(adata, min_fraction=args.min_fraction)
    reference = sk.read(args.reference) if args.reference else None
    extra = {"method": args.method} if args.method else {}
    sk.tl.enhance(
        adata,
        args.n_components,
        reference,
        depth=args.depth,
        batch_key=args.batch_key,
        rng=args.seed,
        **extra,
    )
    with replacing(target) as temporary:
        adata.write_h5ad(temporary)
    if args.matrix:
        sk.io.write_enhanced(adata, args.matrix, scale=args.scale)
    entry = adata.uns["sccase"]
    return {
        "output": str(target),
        "matrix": args.matrix or "",
        "cells": adata.n_obs,
        "peaks": adata.n_vars,
        "peaks dropped": before - adata.n_vars,
        "embedding": f"obsm['X_sccase'], {adata.obsm['X_sccase'].shape[1]} components",
        "seconds": round(sum(entry["timing"].values()), 2),
        "method": entry["params"]["method"],
    }
