"""Write one self-contained HTML page of an enhanced file: figures, tables, parameters, how to repeat it.

The page loads nothing from a network, reads on a phone, and prints.
"""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import Any

from .files import add_input, check_target, read_input

HELP = "one HTML page of an enhanced file"
EXAMPLE = """example:
  sccase-kit report enhanced.h5ad -o report.html --groupby cell_type --tables meaning"""

_MAX_CELLS = 10_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_input(parser, "enhanced .h5ad or .zarr, with whatever else was computed")
    parser.add_argument("-o", "--output", required=True, help="target .html")
    parser.add_argument(
        "-g", "--groupby", help="column of obs that orders and colours the cells (cell types, clusters)"
    )
    parser.add_argument("--tables", help="folder written by sccase-kit interpret, shown in the page")
    parser.add_argument("--title", help="first line of the page (the name of the file of counts, cells and groups)")
    parser.add_argument("--max-cells", type=int, default=_MAX_CELLS, help="cells in the figures at most (10000)")
    parser.add_argument(
        "--held-out", action="store_true", help="say whether enhancing helps these data (hidden fragments, three fits)"
    )


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Read the data, write the page."""
    import matplotlib as mpl

    mpl.use("agg")
    import sccase_kit as sk

    from .._calls import source_of

    target = check_target(str(args.output), kinds=(".html", ".htm"))
    folder = None if args.tables is None else Path(args.tables)
    if folder is not None:
        _tables(folder)  # said before any work
    adata = read_input(args)
    tables = None if folder is None else _tables(folder)
    name = Path(args.input).name
    source = name if source_of(adata.uns) is None else None
    options = {"title": args.title, "tables": tables, "source": source, "max_cells": args.max_cells}
    command = shlex.join(["sccase-kit", "report", *_given(args)])
    sk.report.write_report(adata, target, args.groupby, held_out=args.held_out, command=command, **options)
    return {"output": str(target), "megabytes": round(target.stat().st_size / 1e6, 2)}


def _given(args: argparse.Namespace) -> list[str]:
    """Return the arguments that were given, as words of a shell."""
    words = [str(args.input), "-o", str(args.output)]
    options = [("--modality", args.modality), ("-g", args.groupby), ("--tables", args.tables), ("--title", args.title)]
    for option, value in options:
        words += [] if value is None else [option, str(value)]
    words += [] if args.max_cells == _MAX_CELLS else ["--max-cells", str(args.max_cells)]
    return words + (["--held-out"] if args.held_out else [])


def _tables(folder: Path) -> dict[str, Any]:
    """Return the tables of the finished steps of `interpret`, whichever there are, as it returned them."""
    from ..interpret.steps import read_step

    steps = ("peaks", "great", "motifs", "traits", "snpsea", "ldsc")
    found = {step: table for step in steps if (table := read_step(folder / step)) is not None}
    if not found:
        msg = f"--tables {str(folder)!r} holds no result of sccase-kit interpret ({', '.join(steps)})"
        raise FileNotFoundError(msg)
    return found
