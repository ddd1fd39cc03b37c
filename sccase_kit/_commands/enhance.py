"""Enhance a count matrix and write the data with the fitted model.

Existing outputs are replaced when the new ones are complete; the input is never an output.
"""

from __future__ import annotations

import argparse
import ast
import sys
from pathlib import Path
from typing import Any, cast

from .files import INPUT, add_input, add_layer, add_seed, check_target, read_input, reading_options, save_data

HELP = "enhance a count matrix"
EXAMPLE = """example:
  sccase-kit enhance counts.h5ad -o enhanced.h5ad --batch-key donor"""


def _components(text: str) -> int | str:
    try:
        return text if text == "auto" else int(text)
    except ValueError:
        msg = f"a number or 'auto' is expected, got {text!r}"
        raise argparse.ArgumentTypeError(msg) from None


def methods() -> dict[str, str]:
    """Return the summary of every method by its name, those that others registered among them."""
    loaded = sys.modules.get("sccase_kit.enhance")
    if loaded is None:
        return written_methods()
    return {name: method.summary for name, method in loaded.METHODS.items()}


def written_methods() -> dict[str, str]:
    """Return the package's own, read from the sources: importing the methods takes a second."""
    folder = Path(__file__).parents[1] / "enhance"
    found = {}
    for line in ast.parse((folder / "__init__.py").read_text(encoding="utf-8")).body:
        if isinstance(line, ast.ImportFrom) and str(line.module).startswith("methods."):
            said = _said(folder.joinpath(*str(line.module).split(".")).with_suffix(".py"))
            found[said["name"]] = said["summary"]
    return found


def _said(file: Path) -> dict[str, str]:
    """Return the texts that the class of a method is given, by their names."""
    classes = [one for one in ast.parse(file.read_text(encoding="utf-8")).body if isinstance(one, ast.ClassDef)]
    lines = [line for one in classes for line in one.body if isinstance(line, ast.Assign)]
    texts = {ast.unparse(line.targets[0]): line.value for line in lines if isinstance(line.value, ast.Constant)}
    return {name: str(value.value) for name, value in texts.items()}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_input(parser)
    add_layer(parser)
    parser.add_argument("-o", "--output", required=True, help="target .h5ad or .zarr, with the model in it")
    parser.add_argument("-k", "--n-components", type=_components, default="auto", help="components, or auto (default)")
    known = methods()
    shown = "; ".join(f"{name}: {summary}" for name, summary in known.items())
    parser.add_argument("--method", choices=list(known), help=f"the method. {shown}")
    parser.add_argument("--reference", help=f"reference counts, groups × peaks: {INPUT}")
    parser.add_argument("--depth", action="store_true", help="correct for sequencing depth")
    parser.add_argument("--batch-key", help="column of obs with the batches to correct")
    parser.add_argument(
        "--min-fraction", type=float, default=0.01, help="keep peaks open in this share of cells (0.01)"
    )
    add_seed(parser, "seed (0)")
    parser.add_argument("--device", help="PyTorch device for the products with the data, such as cuda (extra gpu)")
    parser.add_argument("--checkpoint", metavar="FOLDER", help="keep finished parts here, and go on from them")
    parser.add_argument("--matrix", help="also write the whole enhanced matrix here (.h5ad or .zarr)")
    parser.add_argument(
        "--scale",
        choices=["counts", "accessibility", "minmax"],
        help="values of --matrix: expected counts; the same per 10,000 of the cell; as published; or the signal (none)",
    )


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Read, filter, enhance, write."""
    import sccase_kit as sk

    from .._calls import record_source
    from .._record import required

    target = check_target(str(args.output))
    matrix = check_target(cast("str | None", args.matrix), option="--matrix")
    if matrix is not None and matrix.resolve() == target.resolve():
        msg = f"--matrix and --output are the same file: {args.output!r}"
        raise ValueError(msg)
    for option, path in (("--output", target), ("--matrix", matrix)):
        if path is not None and path.resolve() == Path(args.input).resolve():
            msg = f"{option} is the input; peaks would be dropped from it; name another file"
            raise ValueError(msg)
    if args.scale and matrix is None:
        msg = "--scale is about --matrix, which is not given; the model in --output serves every scale"
        raise ValueError(msg)
    adata = read_input(args)
    record_source(adata, args.input, **reading_options(args))
    reference = sk.read(args.reference) if args.reference else None
    before = adata.n_vars
    sk.pp.filter_peaks(adata, min_fraction=args.min_fraction, layer=args.layer)
    sk.tl.enhance(
        adata,
        args.n_components,
        reference,
        depth=args.depth,
        batch_key=args.batch_key,
        method=args.method,
        device=args.device,
        layer=args.layer,
        rng=args.seed,
        checkpoint=args.checkpoint,
    )
    save_data(adata, target)
    if matrix is not None:
        sk.io.write_enhanced(adata, matrix, scale=args.scale)
    entry = adata.uns["sccase"]
    return {
        "output": str(target),
        **({"matrix": args.matrix} if args.matrix else {}),
        "cells": adata.n_obs,
        "peaks": adata.n_vars,
        "peaks dropped": before - adata.n_vars,
        "embedding": f"obsm['X_sccase'], {adata.obsm['X_sccase'].shape[1]} components",
        "seconds": round(sum(entry["timing"].values()), 2),
        "method": required(adata, "sccase", "tl.enhance").params["method"],
    }
