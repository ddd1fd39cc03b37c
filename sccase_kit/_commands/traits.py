"""Find the cells and groups in which fine-mapped variants of traits act (as g-chromVAR and SCAVENGE).

Variants are BED files with the posterior probability in the fifth column. A score of 1 is what chance gives; p-values
are from random walks with random seeds. Without --output the table of the groups is printed.
"""

from __future__ import annotations

import argparse
from typing import Any

from .files import (
    add_input,
    add_layer,
    add_output,
    add_seed,
    add_variants,
    check_data_or_table,
    finish,
    holds_data,
    named_files,
    read_input,
)

HELP = "cells and groups in which variants of traits act"
EXAMPLE = """example:
  sccase-kit traits enhanced.h5ad -g louvain --variants MONO_COUNT_PP001.bed.gz -o enhanced.h5ad
  sccase-kit traits enhanced.h5ad -g cell_type --variants monocytes=mono.bed.gz --variants platelets=plt.bed.gz"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_input(parser, "enhanced .h5ad or .zarr")
    add_output(parser)
    add_variants(parser, required=True)
    parser.add_argument("-g", "--groupby", default="louvain", help="column of obs with the groups (louvain)")
    parser.add_argument(
        "--bias", help="column of var with the GC content, to match background peaks on; without it by reads alone"
    )
    parser.add_argument("--permutations", type=int, default=1000, help="random sets of seeds (1000)")
    add_layer(parser)
    parser.add_argument("--key-added", default="traits", help="start of the keys written (traits)")
    add_seed(parser, "seed of the random walks (0)")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Read, score, write."""
    import sccase_kit as sk

    target = check_data_or_table(args.output)
    variants = named_files(args.variants, option="--variants")
    adata = read_input(args)
    sk.tl.trait_scores(
        adata,
        variants or {},
        args.groupby,
        bias=args.bias,
        n_permutations=args.permutations,
        layer=args.layer,
        key_added=args.key_added,
        rng=args.seed,
    )
    entry = adata.uns[args.key_added]
    traits = entry["traits"].set_index("trait")
    result: dict[str, Any] = {"peaks with a variant": traits["n_peaks"].to_dict()}
    if "groups" not in entry:
        msg = "no trait has a cell with enough variants to start from; the warnings say which"
        raise ValueError(msg)
    table = entry["groups"]
    passed = table[table["p_value_adj"] <= 0.05]
    result["groups that pass (FDR 0.05)"] = {
        str(trait): ", ".join(part["group"].astype(str)) or "none"
        for trait, part in ((trait, passed[passed["trait"] == trait]) for trait in traits.index)
    }
    if holds_data(target):
        key = args.key_added
        result["stored in"] = f"obsm['{key}_z'], obsm['{key}_scores'], obsm['{key}_p'], uns[{key!r}]"
    return finish(result, target, adata, table)
