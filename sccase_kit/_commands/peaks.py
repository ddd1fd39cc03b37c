"""Find the specific peaks of every group of cells, or background peaks, from the fitted model or by scABC.

Without --output the peaks are printed, with a header that BED tools skip.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from .files import (
    add_input,
    add_layer,
    add_output,
    as_bed,
    check_data_or_table,
    finish,
    group_names,
    has_coordinates,
    holds_data,
    read_input,
)

if TYPE_CHECKING:
    from anndata import AnnData

HELP = "specific and background peaks"
EXAMPLE = """example:
  sccase-kit peaks enhanced.h5ad --groupby louvain -o enhanced.h5ad
  sccase-kit peaks enhanced.h5ad --groupby cell_type -n 200 | bedtools sort -i -"""
_PLACE = ["chrom", "start", "end", "peak"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_input(parser, "enhanced .h5ad or .zarr")
    add_output(parser, bed=True)
    parser.add_argument(
        "-g",
        "--groupby",
        help="column of obs with the groups (louvain); with --method background, which needs none: take peaks of the "
        "half that varies least between them",
    )
    add_layer(parser)
    parser.add_argument("-n", "--n-top", type=int, default=1000, help="peaks per group (1000)")
    parser.add_argument(
        "--method",
        choices=["model", "scabc", "background"],
        default="model",
        help="model: counts and enhanced profiles, see --ranking; scabc: Poisson regression on the counts; "
        "background: peaks without specificity (model)",
    )
    parser.add_argument(
        "--ranking",
        choices=["score", "coefficient", "component", "contrast"],
        help="of --method model: score: depth-adjusted z of the counts times enhanced log2 fold change; "
        "coefficient (or component): as in the paper; contrast: lead over the next group (score)",
    )
    parser.add_argument(
        "--genome", help="of --method model: add the nearest gene: hg19, hg38, mm9, mm10 or a TSS table"
    )
    parser.add_argument(
        "--sisters",
        action=argparse.BooleanOptionalAction,
        help="of --method model, into .h5ad or .zarr: tell as well what sets groups apart that resemble each other, in "
        "counts that had no part in making them, with the marker genes that annotate used; repeats the fit on two "
        "halves of the counts (yes, where the output holds data)",
    )
    parser.add_argument(
        "--max-padj", type=float, help="of --method model: leave out peaks with a larger adjusted p-value"
    )


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Read, find the peaks, write."""
    import sccase_kit as sk

    for flag, given in (("ranking", args.ranking), ("genome", args.genome), ("max-padj", args.max_padj)):
        if given is not None and args.method != "model":
            msg = f"--{flag} is of --method model, and --method {args.method} is given; leave one of them out"
            raise ValueError(msg)
    if args.sisters is not None and args.method != "model":
        msg = f"--sisters is of --method model, and --method {args.method} is given; leave one of them out"
        raise ValueError(msg)
    if args.layer and args.method != "scabc":
        msg = f"--layer is of --method scabc, and --method {args.method} is given; it takes the fitted model"
        raise ValueError(msg)
    groupby, ranking = args.groupby or "louvain", args.ranking or "score"
    target = check_data_or_table(args.output, bed=True)
    if args.sisters and not holds_data(target):
        msg = "--sisters are stored with the data: give -o FILE.h5ad or .zarr, or leave --sisters out"
        raise ValueError(msg)
    adata = read_input(args)
    result: dict[str, Any] = {}
    if args.method == "background":
        sk.tl.background_peaks(adata, n_top=args.n_top, groupby=args.groupby)
        key, table = "background_peaks", adata.uns["background_peaks"]["peaks"]
    elif args.method == "scabc":
        sk.tl.scabc(adata, groupby, n_top=args.n_top, layer=args.layer)
        key, table = "scabc", adata.uns["scabc"]["top"]
    else:
        options = {"ranking": ranking, "genome": args.genome, "max_padj": args.max_padj}
        sk.tl.specific_peaks(adata, groupby, n_top=args.n_top, **options)
        key, table = "specific_peaks", adata.uns["specific_peaks"]["peaks"]
        if args.sisters is not False and holds_data(target):
            result |= _sisters(adata, groupby, args.genome)
    first = [column for column in _PLACE if column in table.columns]
    table = table[[*first, *(c for c in table.columns if c not in first)]]
    result["peaks"] = len(table)
    if holds_data(target):
        result["stored in"] = f"uns[{key!r}]"
    if "group" in table.columns:
        found = {str(k): int(v) for k, v in table["group"].value_counts(sort=False).items()}
        every = group_names(adata, groupby) if args.method != "background" else []
        result["peaks per group"] = {name: found.get(name, 0) for name in dict.fromkeys([*every, *found])}
    if target is None and not args.json and has_coordinates(table):
        table = as_bed(table)
    return finish(result, target, adata, table)


def _sisters(adata: AnnData, groupby: str, genome: str | None) -> dict[str, Any]:
    """Compare groups with those that they resemble; of a fit that cannot be repeated say why, and go on."""
    import sccase_kit as sk

    from .._logging import warn
    from .._record import recorded

    named = recorded(adata.uns.get("annotation"), "tl.annotate")
    markers = None if named is None or genome is None else named.params.get("markers")
    fit = recorded(adata.uns.get("sccase"), "tl.enhance")
    if fit is None or "reference" in fit.objects:
        why = (
            "what was enhanced used a reference" if fit is not None else "the call that enhanced the data is not known"
        )
        warn(f"what sets alike groups apart is left out: {why}, and the fit cannot be repeated on half of the counts")
        return {}
    sk.tl.sister_groups(adata, groupby, genome=genome, markers=markers)
    groups = adata.uns["sister_groups"]["groups"]
    families = groups.drop_duplicates("family")
    return {"groups told apart by held-out counts": f"{len(families)} of {len(groups)}"}
