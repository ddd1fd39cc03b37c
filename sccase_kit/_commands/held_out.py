"""Hide a share of the fragments, enhance the rest, and say whether enhancing tells where the hidden ones were.

Needs no labels. A file that was enhanced is judged as it was: by its method, with its batches; other counts by the
default method. One row per method: gain (nats per hidden entry over the peak mean) with its standard error, and
deviation slope (1: differences between cells have the right size).
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING, Any

from .files import (
    add_input,
    add_layer,
    add_output,
    add_seed,
    check_data_or_table,
    check_target,
    finish,
    holds_data,
    read_input,
)

if TYPE_CHECKING:
    from anndata import AnnData

HELP = "judge enhancement by hidden fragments"
EXAMPLE = """example:
  sccase-kit held-out counts.h5ad
  sccase-kit held-out counts.h5ad --methods robust sccase:8 -o scores.tsv
  sccase-kit held-out enhanced.h5ad -o enhanced.h5ad  # the page then says whether enhancing helps"""


def _method(text: str) -> tuple[str, dict[str, Any]]:
    name, _, number = text.partition(":")
    if name not in ("robust", "sccase") or (number and not number.isdecimal()):
        msg = f"robust, sccase, or one of them with a number of components, such as sccase:8, is expected, got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return text, {"method": name, **({"n_components": int(number)} if number else {})}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_input(parser)
    add_layer(parser)
    add_output(parser)
    parser.add_argument(
        "--methods", nargs="+", type=_method, help="robust, sccase:8, ... (what made the fit in the file, else robust)"
    )
    parser.add_argument("--splits", type=int, default=3, help="random splits (3)")
    parser.add_argument("--seeds", type=int, default=1, help="runs of every method per split, for their spread (1)")
    parser.add_argument("--share", type=float, default=0.3, help="share of the open entries that are hidden (0.3)")
    parser.add_argument(
        "--min-fraction",
        type=float,
        help="keep peaks open in this share of cells (those of the fit in the file, else 0.01)",
    )
    parser.add_argument("--groupby", help="column of obs with known types: their means as a yardstick")
    parser.add_argument("--figure", help=".png, .pdf or .svg: draw the scores")
    add_seed(parser, "seed (0)")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Read, filter, split, enhance, score."""
    import sccase_kit as sk

    from .._record import recorded

    target = check_data_or_table(args.output)
    figure = check_target(args.figure, option="--figure", kinds=(".png", ".pdf", ".svg"))
    adata = read_input(args)
    made = recorded(adata.uns.get("sccase"), "tl.enhance")
    layer = args.layer or (None if made is None else made.params.get("layer"))
    judged = adata.copy() if holds_data(target) else adata
    if args.min_fraction is not None or made is None:
        least = 0.01 if args.min_fraction is None else args.min_fraction
        sk.pp.filter_peaks(judged, min_fraction=least, layer=layer)
    result = sk.metrics.held_out(
        judged,
        _methods(adata, args.methods),
        groupby=args.groupby,
        share=args.share,
        n_splits=args.splits,
        n_seeds=args.seeds,
        layer=layer,
        rng=args.seed,
        key_added="held_out" if holds_data(target) else None,
    )
    text, numbers = sk.metrics.held_out_verdict(result)
    if figure is not None:
        _draw(result, figure)
    scores = {"verdict": text, "cells": result.n_cells, "peaks": result.n_peaks, **numbers}
    if holds_data(target):
        adata.uns["held_out"] = judged.uns["held_out"]
        scores["stored in"] = "uns['held_out']"
    return finish(scores, target, adata, result.table.reset_index())


def _methods(adata: AnnData, named: list[tuple[str, dict[str, Any]]] | None) -> dict[str, Any]:
    """Return the methods that were named; without names that of the fit in the file, else the default."""
    import sccase_kit as sk

    from .._record import recorded
    from ..tl.fit_again import fit_again

    if named is not None:
        return {name: partial(sk.tl.enhance, **options) for name, options in named}
    made = recorded(adata.uns.get("sccase"), "tl.enhance")
    if made is None or "reference" in made.objects:
        return {"robust": partial(sk.tl.enhance, method="robust")}
    return fit_again(adata, "sccase")


def _draw(result: Any, figure: Any) -> None:
    import matplotlib.pyplot as plt

    from .._atomic import replacing
    from ..pl import held_out

    drawn: Any = held_out(result)[0].figure
    with replacing(figure) as temporary:
        drawn.savefig(temporary, bbox_inches="tight", dpi=150)
    plt.close(drawn)
