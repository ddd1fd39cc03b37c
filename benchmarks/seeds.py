"""Spread of clusterings over seeds, of the method and of Louvain: mean and standard deviation of ARI.

    python benchmarks/seeds.py                                   # toy study and BM0828, 20 seeds, default and scCASE
    python benchmarks/seeds.py --datasets toy_study --seeds 5

The data stay the same. "fits" is how many of the fits differ: up to 1,500 cells nothing in the default is drawn.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from quality import DATASETS

import sccase_kit as sk

METHODS = {"default": {}, "sccase K=T": {"method": "sccase"}, "sccase K=8": {"method": "sccase", "n_components": 8}}


def run(name: str, method: str, seeds: range) -> dict[str, object]:
    """Return the row of one data set and method."""
    adata = DATASETS[name]()
    options = dict(METHODS[method])
    if method.endswith("=T"):
        options["n_components"] = adata.obs["cell_type"].nunique()
    found, fits = [], set()
    for seed in seeds:
        fitted = adata.copy()
        sk.tl.enhance(fitted, rng=seed, **options)
        fits.add(np.asarray(fitted.obsm["X_sccase"]).tobytes())
        scores = sk.metrics.evaluate(fitted, "cell_type", key="sccase", scale="minmax", rng=seed)
        found.append((scores["ari"], scores["silhouette"]))
    ari, silhouette = np.array(found).T
    row = {"dataset": name, "method": method, "seeds": len(seeds), "fits": len(fits)}
    row |= {"ari": ari.mean(), "ari_sd": ari.std(ddof=1), "ari_lowest": ari.min(), "ari_highest": ari.max()}
    return row | {"silhouette": silhouette.mean(), "silhouette_sd": silhouette.std(ddof=1)}


def main(arguments: list[str] | None = None) -> None:
    """Run what was asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", nargs="+", default=["toy_study", "bm0828"], choices=list(DATASETS))
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args(arguments)
    rows = []
    for name in args.datasets:
        for method in args.methods:
            rows.append(run(name, method, range(args.seeds)))
            print(pd.DataFrame(rows[-1:]).round(3).to_string(index=False, header=len(rows) == 1), flush=True)
    if args.out is not None:
        pd.DataFrame(rows).to_csv(args.out, index=False, float_format="%.5g")


if __name__ == "__main__":
    sys.exit(main())
