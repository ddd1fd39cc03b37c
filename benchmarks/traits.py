"""Trait scores of groups of cells: which groups come first for every trait, and the time.

Run: python benchmarks/traits.py DATA.h5ad FOLDER_OF_BED_FILES [--groupby cell_type] [--batch-key batch] [--figure PNG]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import anndata as ad

import sccase_kit as sk


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help=".h5ad with counts and coordinates")
    parser.add_argument("variants", type=Path, help="folder with one BED file per trait, weights in the fifth column")
    parser.add_argument("--groupby", default="cell_type")
    parser.add_argument("--batch-key")
    parser.add_argument("-n", "--n-permutations", type=int, default=1000)
    parser.add_argument("--figure", type=Path)
    args = parser.parse_args()
    adata = ad.read_h5ad(args.data)
    sk.pp.filter_peaks(adata, min_fraction=0)
    sk.tl.enhance(adata, batch_key=args.batch_key)
    variants = {path.name.split("_PP")[0]: path for path in sorted(args.variants.glob("*.bed.gz"))}
    wall, cpu = time.perf_counter(), time.process_time()
    sk.tl.trait_scores(adata, variants, args.groupby, bias=None, n_permutations=args.n_permutations)
    print(f"{time.perf_counter() - wall:.1f} s, CPU {time.process_time() - cpu:.1f} s")
    print(adata.uns["traits"]["traits"].to_string(index=False))
    print(adata.uns["traits"]["groups"].groupby("trait").head(5).round(3).to_string(index=False))
    if args.figure:
        sk.pl.trait_groups(adata).figure.savefig(args.figure, dpi=110, bbox_inches="tight")


if __name__ == "__main__":
    main()
