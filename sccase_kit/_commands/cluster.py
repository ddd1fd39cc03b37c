"""Cluster the cells of an enhanced file, into a given number of clusters if wanted.

Without --output the clusters are printed, a line per cell.
"""

from __future__ import annotations

import argparse
from typing import Any

from .files import add_input, add_output, add_seed, check_data_or_table, finish, holds_data, read_input

HELP = "cluster the cells"
EXAMPLE = """example:
  sccase-kit cluster enhanced.h5ad -n 8 -o enhanced.h5ad
  sccase-kit cluster enhanced.h5ad --resolution 0.5 > clusters.tsv
  sccase-kit cluster enhanced.h5ad --merge -o enhanced.h5ad  # those that nothing tells apart are one"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_input(parser, "enhanced .h5ad or .zarr")
    add_output(parser)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("-n", "--n-clusters", type=int, help="number of clusters; the resolution is searched")
    size.add_argument("--resolution", type=float, default=1.0, help="resolution, without -n (1.0)")
    parser.add_argument("--method", choices=["louvain", "leiden"], default="louvain", help="(louvain)")
    parser.add_argument("--use-rep", default="X_sccase", help="embedding in obsm, or 'enhanced' (X_sccase)")
    parser.add_argument("--key-added", help="column of obs written (the method's name)")
    parser.add_argument(
        "--merge",
        action="store_true",
        help="merge clusters that held-out counts do not tell apart; a second column of obs, louvain_merged, has them",
    )
    add_seed(parser, "seed (0)")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Read, cluster, write."""
    import pandas as pd

    import sccase_kit as sk

    target = check_data_or_table(args.output)
    adata = read_input(args)
    key = args.key_added or args.method
    merged = f"{key}_merged"
    if not holds_data(target):
        adata.obs = adata.obs.drop(columns=[key, merged], errors="ignore")  # nothing of the input is replaced
    sk.tl.cluster(
        adata,
        args.n_clusters,
        args.method,
        use_rep=args.use_rep,
        resolution=args.resolution,
        rng=args.seed,
        key_added=key,
    )
    entry, labels = adata.uns[key], adata.obs[key]
    result = {
        "clusters": entry["n_clusters"],
        "resolution": entry["resolution"],
        "cells per cluster": {str(k): int(v) for k, v in labels.value_counts(sort=False).items()},
        "column of obs": key,
    }
    table = pd.DataFrame({"cell": adata.obs_names, key: labels.astype(str).to_numpy()})
    if args.merge:
        sk.tl.merge_clusters(adata, key, rng=args.seed, key_added=merged)
        clusters = adata.uns[merged]["clusters"]
        result["merged clusters"] = len(clusters)
        result["members of merged clusters"] = dict(zip(clusters["cluster"], clusters["members"], strict=True))
        result["column of merged clusters"] = merged
        table[merged] = adata.obs[merged].astype(str).to_numpy()
    return finish(result, target, adata, table)
