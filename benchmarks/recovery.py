"""Recovery of hidden fragments and clustering side by side: gain, deviation slope and ARI of methods and settings.

    python benchmarks/recovery.py                               # two small data sets, two splits
    python benchmarks/recovery.py --datasets bm0828 --splits 5 --out recovery.csv

The gain is a share of that of the true types' means; "before" is the enhanced matrix with the IDF undone. The last
lines are the rank correlations of gain and ARI over the methods.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from quality import DATASETS

import sccase_kit as sk
from sccase_kit.enhance.expected import PeakScaling, count_factors, factor_sums


def before(adata: ad.AnnData, *, rng: int, **options: object) -> tuple[np.ndarray, np.ndarray]:
    """Return the enhanced matrix with the IDF undone, as factors."""
    sk.tl.enhance(adata, rng=rng, **options)
    cells, peaks = sk.get.factors(adata)
    scaling = PeakScaling(*np.asarray(adata.varm["sccase_idf"], dtype=np.float64).T)
    return cells, count_factors(peaks, scaling, factor_sums(peaks, scaling))


def methods(n_types: int) -> dict[str, object]:
    """Return name → method."""
    given = {f"sccase K={k}": {"method": "sccase", "n_components": k} for k in (n_types, 2 * n_types, 3 * n_types)}
    return {
        "default": sk.tl.enhance,
        "default, before": before,
        **{name: partial(sk.tl.enhance, **options) for name, options in given.items()},
        "kNN mean": lambda adata: sk.metrics.knn_smoothing(adata),
    }


def run(name: str, n_splits: int, most_peaks: int) -> pd.DataFrame:
    """Return the scores of one data set."""
    adata = DATASETS[name]()
    if adata.n_vars > most_peaks:
        adata = adata[:, np.sort(np.random.default_rng(0).choice(adata.n_vars, most_peaks, replace=False))].copy()
    chosen = methods(adata.obs["cell_type"].nunique())
    table = sk.metrics.held_out(adata, chosen, groupby="cell_type", n_splits=n_splits, on_error="record").table
    for method, function in chosen.items():
        fitted = adata.copy()
        result = function(fitted, rng=0) if method == "default, before" else function(fitted)
        if method == "kNN mean":
            fitted.X = result
        key = None if method == "kNN mean" else "sccase"
        scores = sk.metrics.evaluate(fitted, "cell_type", key=key, scale=None if key is None else "minmax")
        table.loc[method, ["ari", "silhouette"]] = scores["ari"], scores["silhouette"]
    return table.reset_index().assign(dataset=name)


def main(arguments: list[str] | None = None) -> None:
    """Run what was asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--datasets", nargs="+", default=["scabc_bj_tf1", "bm0828", "granja_bmmc_2k"], choices=list(DATASETS)
    )
    parser.add_argument("--splits", type=int, default=2)
    parser.add_argument("--most-peaks", type=int, default=6000)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args(arguments)
    tables = []
    for name in args.datasets:
        tables.append(run(name, args.splits, args.most_peaks))
        shown = tables[-1].set_index(["dataset", "method"])
        print(
            shown[["of_types", "gain", "se", "slope", "ari", "silhouette", "seconds"]].round(3).to_string(), flush=True
        )
    table = pd.concat(tables)
    if args.out is not None:
        table.to_csv(args.out, index=False, float_format="%.5g")
    for name, rows in table.dropna(subset="ari").groupby("dataset"):
        print(f"{name}: rank correlation of gain and ARI {rows['gain'].corr(rows['ari'], method='spearman'):.2f}")


if __name__ == "__main__":
    sys.exit(main())
