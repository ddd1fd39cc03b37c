"""Hide a share of the fragments, enhance the rest, and say whether enhancing tells where the hidden ones were.

Needs no labels. One row per method: gain (nats per hidden entry over the peak mean) with its standard error, and
deviation slope (1: differences between cells have the right size).
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

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
        "--methods", nargs="+", type=_method, default=[_method("robust")], help="robust, sccase:8, ... (robust)"
    )
    parser.add_argument("--splits", type=int, default=3, help="random splits (3)")
    parser.add_argument("--seeds", type=int, default=1, help="runs of every method per split, for their spread (1)")
    parser.add_argument("--share", type=float, default=0.3, help="share of the open entries that are hidden (0.3)")
    parser.add_argument(
        "--min-fraction", type=float, default=0.01, help="keep peaks open in this share of cells (0.01)"
    )
    parser.add_argument("--groupby", help="column of obs with known types: their means as a yardstick")
    parser.add_argument("--figure", help=".png, .pdf or .svg: draw the scores")
    add_seed(parser, "seed (0)")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Read, filter, split, enhance, score."""
    import sccase_kit as sk

    target = check_data_or_table(args.output)
    figure = check_target(args.figure, option="--figure", kinds=(".png", ".pdf", ".svg"))
    adata = read_input(args)
    judged = adata.copy() if holds_data(target) else adata
    sk.pp.filter_peaks(judged, min_fraction=args.min_fraction, layer=args.layer)
    result = sk.metrics.held_out(
        judged,
        {name: partial(sk.tl.enhance, **options) for name, options in args.methods},
        groupby=args.groupby,
        share=args.share,
        n_splits=args.splits,
        n_seeds=args.seeds,
        layer=args.layer,
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


def _draw(result: Any, figure: Any) -> None:
    import matplotlib.pyplot as plt

    from .._atomic import replacing
    from ..pl import held_out

    drawn: Any = held_out(result)[0].figure
    with replacing(figure) as temporary:
        drawn.savefig(temporary, bbox_inches="tight", dpi=150)
    plt.close(drawn)
