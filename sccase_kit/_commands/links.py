"""Link peaks to genes: accessibility and expression (or gene activity) of the same cells go together.

Expression comes from another modality of the input (.h5mu), from a file, or, with `--expression gene_activity`, from
the activities of genes in the peaks themselves. Every peak within --distance of the start of a gene is a row; z
compares its correlation with those of like peaks on other chromosomes. Without --output the table is printed.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .files import add_input, add_layer, add_output, add_seed, check_data_or_table, finish, holds_data, read_input

if TYPE_CHECKING:
    from anndata import AnnData

HELP = "which peaks go with which genes (multiome, or gene activities)"
EXAMPLE = """example:
  sccase-kit links multiome.h5mu --genome hg38 -o links.tsv
  sccase-kit links atac.h5ad --expression rna.h5ad --genome hg38 --bias gc -o atac.h5ad
  sccase-kit links enhanced.h5ad --expression gene_activity --genome hg38 --max-padj 0.05"""

_ACTIVITY = "gene_activity"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_input(parser, ".h5ad, .zarr or .h5mu with the counts of the peaks")
    add_output(parser)
    parser.add_argument(
        "--expression",
        metavar="FILE",
        help="expression of the same cells: .h5ad, .zarr, .h5mu, 10x .h5; or gene_activity: those of the peaks "
        "(without it another modality of the input)",
    )
    parser.add_argument("--expression-modality", default="rna", help="of MuData: the modality with the genes (rna)")
    parser.add_argument("--genome", help="where the genes lie: hg19, hg38, mm9, mm10, a GTF or a table of genes")
    parser.add_argument("--genes", nargs="+", metavar="GENE", help="genes to link, by symbol or id (all)")
    parser.add_argument(
        "--distance", type=int, default=500_000, help="bases from the start of a gene to the edge of a peak (500000)"
    )
    parser.add_argument(
        "--use-rep", metavar="KEY", help="embedding (X_sccase) to correlate over pools of neighbouring cells in"
    )
    parser.add_argument("--min-cells", type=int, default=10, help="cells with the peak, and with the gene (10)")
    parser.add_argument(
        "--bias", help="column of var with the GC content, to match background peaks on; without it by reads alone"
    )
    parser.add_argument("--max-padj", type=float, help="largest adjusted p-value of the rows of the table (all rows)")
    add_layer(parser)
    parser.add_argument("--expression-layer", help="layer of the expression, where X holds something else")
    parser.add_argument("--key-added", default="peak_gene_links", help="key written (peak_gene_links)")
    add_seed(parser, "seed of the background peaks (0)")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Read both, link, write."""
    from anndata import AnnData

    import sccase_kit as sk

    from .._validate import check_number

    most = None if args.max_padj is None else check_number(args.max_padj, name="--max-padj", minimum=0, maximum=1)
    target = check_data_or_table(args.output)
    with warnings.catch_warnings():
        if args.expression is None:  # of two modalities of one file both are read, one after the other
            warnings.filterwarnings("ignore", r".*modality '\w+' is read; left out: [^,]+$")  # noqa: TID251
        adata = read_input(args)
        expression: AnnData | str = _ACTIVITY if args.expression == _ACTIVITY else _expression(args)
    work = adata
    if isinstance(expression, str):
        _add_activities(adata, args.genome)
    if isinstance(expression, AnnData):
        if args.genome is None:
            msg = "--genome is needed to place the genes of the expression: hg38, mm10, a GTF or a table of genes"
            raise ValueError(msg)
        work, expression = _same_cells(adata, expression)
    sk.tl.peak_gene_links(
        work,
        expression,
        None if isinstance(expression, str) else args.genome,
        genes=args.genes,
        distance=args.distance,
        use_rep=args.use_rep,
        min_cells=args.min_cells,
        bias=args.bias,
        layer=args.layer,
        expression_layer=args.expression_layer,
        key_added=args.key_added,
        rng=args.seed,
    )
    adata.uns[args.key_added] = work.uns[args.key_added]
    table = adata.uns[args.key_added]["links"]
    passed = table["p_value_adj"] <= 0.05
    result: dict[str, Any] = {
        "cells": work.n_obs,
        "pairs": len(table),
        "genes": int(table["gene"].nunique()),
        "peaks": int(table["peak"].nunique()),
        "links (FDR 0.05)": int(passed.sum()),
        "genes with a link": int(table.loc[passed, "gene"].nunique()),
    }
    if holds_data(target):
        result["stored in"] = f"uns[{args.key_added!r}]"
    return finish(result, target, adata, table if most is None else table[table["p_value_adj"] <= most])


def _add_activities(adata: AnnData, genome: str | None) -> None:
    """Compute the activities of genes, where the data hold none of this genome."""
    import sccase_kit as sk

    from .._logging import logger
    from .._record import recorded

    made = recorded(adata.uns.get(_ACTIVITY), "tl.gene_activity")
    if made is not None and genome in (None, made.params.get("genome")):
        logger.info("activities of genes are those in the file, by weights=%r", made.params.get("weights"))
        return
    if genome is None:
        msg = "--genome is needed for the activities of genes, of which the file has none"
        raise ValueError(msg)
    sk.tl.gene_activity(adata, genome, weights="promoter")


def _expression(args: argparse.Namespace) -> AnnData:
    """Read the expression: a file, or another modality of the input."""
    import sccase_kit as sk

    path = args.input if args.expression is None else args.expression
    ending = Path(path).suffix.lower()
    if args.expression is None and ending != ".h5mu":
        msg = (
            f"--expression is needed: {args.input!r} holds peaks alone. Give a file with the genes of the same cells, "
        )
        msg += "or --expression gene_activity"
        raise ValueError(msg)
    if ending == ".h5":
        import scanpy

        if not Path(path).is_file():
            msg = f"no such file: {path!r}"
            raise FileNotFoundError(msg)
        found: AnnData = scanpy.read_10x_h5(path)
        found.var_names_make_unique()
        return found
    return sk.read(path, **({"modality": args.expression_modality} if ending == ".h5mu" else {}))


def _same_cells(adata: AnnData, expression: AnnData) -> tuple[AnnData, AnnData]:
    """Return both with the cells that they share, in the order of the peaks' data; the first as it is where it can be.

    Raises
    ------
    ValueError
        If no cell is in both, or names of cells repeat.
    """
    import numpy as np

    from .._logging import warn

    for found, what in ((adata, "the peaks"), (expression, "the expression")):
        if not found.obs_names.is_unique:
            msg = f"names of cells of {what} repeat, such as {found.obs_names[found.obs_names.duplicated()][0]!r}; "
            msg += "make them unique first"
            raise ValueError(msg)
    shared = adata.obs_names.isin(expression.obs_names)
    if not shared.any():
        msg = f"no cell is in both: cells of the peaks are called {adata.obs_names[:2].tolist()}, those of the "
        msg += f"expression {expression.obs_names[:2].tolist()}"
        raise ValueError(msg)
    if not shared.all() or expression.n_obs > int(shared.sum()):
        n, both = int(shared.sum()), (adata.n_obs, expression.n_obs)
        warn(f"links are of the {n} cells that are in both (peaks: {both[0]}, expression: {both[1]})")
    work = adata if shared.all() else adata[np.flatnonzero(shared)].copy()
    return work, expression[work.obs_names].copy()
