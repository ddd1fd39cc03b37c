"""Smoothing scores against the number of components (the paper's Supplementary Figs S26-S28).

Run: python benchmarks/smoothing.py [FILE.h5ad --label cell_type]; writes benchmarks/results/smoothing.csv.

Without a file: simulated cells of eight types, well apart and close together. The enhanced values are unscaled.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

import sccase_kit as sk

HERE = Path(__file__).parent
COMPONENTS = (2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 30, 40, 60)


def rows(name: str, adata: ad.AnnData, label: str, seed: int) -> list[dict]:
    sk.pp.filter_peaks(adata)
    labels = adata.obs[label].to_numpy()
    raw, found = sk.metrics.Profiles(sk.metrics.raw_tfidf(adata)), []
    for k in COMPONENTS:
        sk.tl.enhance(adata, k, method="sccase", rng=seed)
        enhanced = sk.metrics.Profiles(*sk.get.factors(adata))
        found.append({"data": name, "seed": seed, "K": k} | dict(sk.metrics.smoothing_scores(labels, enhanced, raw)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--label", default="cell_type")
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in range(args.seeds):
            for name, options in (
                ("simulated, 8 types", {"library_size": 300}),
                ("simulated, 8 close types", {"library_size": 150, "separation": 0.6}),
            ):
                found += rows(name, sk.datasets.simulate(600, 3000, n_types=8, rng=seed, **options), args.label, seed)
        for path in args.files:
            found += rows(Path(path).stem, sk.read(path), args.label, 0)
    table = pd.DataFrame(found)
    table.round(4).to_csv(HERE / "results" / "smoothing.csv", index=False)
    means = table.groupby(["data", "K"], sort=False).mean().drop(columns="seed")
    print(means.unstack("data").swaplevel(axis=1).sort_index(axis=1, level=0).round(np.int64(2)).to_string())


if __name__ == "__main__":
    main()
