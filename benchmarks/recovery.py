"""Recovery of hidden fragments and clustering side by side: gain, deviation slope and ARI of methods and settings.

    python benchmarks/recovery.py                               # the small data sets, two splits
    python benchmarks/recovery.py --splits 5 --out benchmarks/results/recovery.csv
    python benchmarks/recovery.py --datasets granja_bmmc --splits 2 --methods default "sccase K=T" --no-clusters
    python benchmarks/recovery.py --datasets bm0828 --methods default peer_magic peer_scopen peer_lda peer_peakvi

T is the number of types. The gain is a share of that of the true types' means (where those are known to be); "before"
is the enhanced matrix with the IDF undone. Simulated data of weak signals ("weak_0.7": log-normal differences of that
size at a fifth of the peaks) show what becomes of methods where there is little to find. The last lines are the floors
(default over scCASE at T), and the rank correlations of gain and ARI over the methods.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from quality import DATASETS, PEER_TIMEOUT, adapters
from scipy import sparse

import sccase_kit as sk
from sccase_kit.enhance.expected import PeakScaling, count_factors, factor_sums


def before(adata: ad.AnnData, *, rng: int, **options: object) -> tuple[np.ndarray, np.ndarray]:
    """Return the enhanced matrix with the IDF undone, as factors."""
    sk.tl.enhance(adata, rng=rng, **options)
    cells, peaks = sk.get.factors(adata)
    scaling = PeakScaling(*np.asarray(adata.varm["sccase_idf"], dtype=np.float64).T)
    return cells, count_factors(peaks, scaling, factor_sums(peaks, scaling))


def weak(effect: float, *, n_cells: int = 600, n_peaks: int = 4000, depth: int = 70, rng: int = 0) -> ad.AnnData:
    """Return cells of three types whose profiles differ by factors of e^(effect · normal) at a fifth of the peaks."""
    rng = np.random.default_rng(rng)
    base = rng.gamma(1.0, 1.0, n_peaks) + 0.05
    profiles = base * np.exp(effect * rng.standard_normal((3, n_peaks)) * (rng.random((3, n_peaks)) < 0.2))
    codes = rng.integers(3, size=n_cells)
    shares = (profiles / profiles.sum(axis=1, keepdims=True))[codes]
    adata = ad.AnnData(sparse.csr_matrix((rng.random(shares.shape) < 1 - np.exp(-depth * shares)).astype(np.int32)))
    adata.obs["cell_type"] = pd.Categorical.from_codes(codes, ["a", "b", "c"])
    return adata[:, np.asarray((adata.X > 0).sum(axis=0)).ravel() >= 0.01 * n_cells].copy()


DATASETS = {**DATASETS, **{f"weak_{effect}": partial(weak, effect) for effect in (0.0, 0.5, 0.7, 1.0, 1.5)}}
SMALL = ["scabc_bj_tf1", "chromvar50", "bm0828", "granja_bmmc_2k", "weak_0.5", "weak_0.7", "weak_1.0"]


def peer(adata: ad.AnnData, *, rng: int, name: str, n_types: int) -> ad.AnnData:
    """Return what another program makes of the counts, in its own environment."""
    return adapters()[name].run(adata, n_components=n_types, seed=rng % 2**16, timeout=PEER_TIMEOUT)


def peer_counts(adata: ad.AnnData, *, rng: int, name: str, n_types: int) -> ad.AnnData | tuple[np.ndarray, np.ndarray]:
    """Return the same in proportion to expected counts, each program's own transform undone."""
    result = peer(adata, rng=rng, name=name, n_types=n_types)
    if "sccase_cell_factors" in result.obsm:
        cells, peaks = result.obsm["sccase_cell_factors"], result.varm["sccase_peak_factors"]
        if name == "scopen":  # a TF-IDF with ln(cells / cells with the peak)
            idf = np.log(adata.n_obs / np.asarray((adata.X > 0).sum(axis=0)).ravel())
            peaks = peaks / np.maximum(idf, 1e-3)[:, None]
        return np.maximum(cells, 0), np.maximum(peaks, 0)
    values = result.X.toarray() if sparse.issparse(result.X) else np.asarray(result.X)
    if name == "scbfa":  # log odds
        values = 1 / (1 + np.exp(-values))
    result.X = np.maximum(values, 0) ** (2 if name == "magic" else 1)  # MAGIC gives square roots
    return result


def methods(n_types: int) -> dict[str, Callable]:
    """Return name → method."""
    robust = {f"default K={i}T" if i > 1 else "default K=T": {"n_components": i * n_types} for i in (1, 2, 3)}
    given = {f"sccase K={i}T" if i > 1 else "sccase K=T": {"n_components": i * n_types} for i in (1, 2, 3)}
    return {
        "default": sk.tl.enhance,
        "default, before": before,
        **{name: partial(sk.tl.enhance, **options) for name, options in robust.items()},
        **{name: partial(sk.tl.enhance, method="sccase", **options) for name, options in given.items()},
        "kNN mean": lambda adata: sk.metrics.knn_smoothing(adata),
        **{f"peer_{name}": partial(peer_counts, name=name, n_types=n_types) for name in adapters()},
    }


def run(name: str, n_splits: int, most_peaks: int, wanted: list[str] | None, *, clusters: bool) -> pd.DataFrame:
    """Return the scores of one data set."""
    adata = DATASETS[name]()
    if adata.n_vars > most_peaks:
        adata = adata[:, np.sort(np.random.default_rng(0).choice(adata.n_vars, most_peaks, replace=False))].copy()
    every = methods(adata.obs["cell_type"].nunique())
    ours = [method for method in every if not method.startswith("peer_")]
    chosen = {method: every[method] for method in (wanted or ours)}
    result = sk.metrics.held_out(adata, chosen, groupby="cell_type", n_splits=n_splits, on_error="record")
    table = result.table
    for method, function in chosen.items() if clusters else ():
        if table.loc[method, "error"]:
            continue
        fitted = adata.copy()
        if method.startswith("peer_"):
            function = partial(peer, name=method.removeprefix("peer_"), n_types=adata.obs["cell_type"].nunique())
        made = function(fitted, rng=0) if method.startswith(("default, before", "peer_")) else function(fitted)
        if isinstance(made, ad.AnnData):
            made.obs["cell_type"] = adata.obs["cell_type"].to_numpy()
            fitted = made
        elif method == "kNN mean":
            fitted.X = made
        thin = "sccase_cell_factors" in fitted.obsm
        options = {"key": "sccase", "scale": "minmax"} if thin else {"key": None, "scale": None}
        scores = sk.metrics.evaluate(fitted, "cell_type", **options)
        table.loc[method, ["ari", "silhouette"]] = scores["ari"], scores["silhouette"]
    return table.reset_index().assign(dataset=name, splits=n_splits)


def floors(table: pd.DataFrame) -> None:
    """Print the default's gain over that of scCASE at the true number of types, and what giving K costs."""
    gains = table.pivot_table("gain", "dataset", "method")
    if not {"default", "sccase K=T"} <= set(gains.columns):
        return
    real = gains[~gains.index.str.startswith("weak")]
    print((gains["default"] / gains["sccase K=T"]).rename("default / sccase K=T").round(3).to_string())
    print(f"mean of the real sets: {(real['default'] / real['sccase K=T']).mean():.3f}")
    given = [name for name in gains.columns if name.startswith("default K=")]
    if given:
        print((gains[given].div(gains["default"], axis=0) - 1).round(3).to_string())


def main(arguments: list[str] | None = None) -> None:
    """Run what was asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", nargs="+", default=SMALL, choices=list(DATASETS))
    parser.add_argument("--methods", nargs="+", choices=list(methods(1)), help="all of ours by default")
    parser.add_argument("--splits", type=int, default=2)
    parser.add_argument("--no-clusters", action="store_true", help="no fits to all entries, and no ARI")
    parser.add_argument("--most-peaks", type=int, default=6000)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args(arguments)
    tables = []
    for name in args.datasets:
        tables.append(run(name, args.splits, args.most_peaks, args.methods, clusters=not args.no_clusters))
        shown = tables[-1].set_index(["dataset", "method"])
        columns = ["of_types", "gain", "se", "sd_splits", "slope", "slope_se", "ari", "silhouette", "seconds", "error"]
        print(shown[[c for c in columns if c in shown]].round(4).to_string(), flush=True)
        table = pd.concat(tables)
        if args.out is not None:
            table.to_csv(args.out, index=False, float_format="%.5g")
    floors(table)
    if args.no_clusters:
        return
    for name, rows in table.dropna(subset="ari").groupby("dataset"):
        print(f"{name}: rank correlation of gain and ARI {rows['gain'].corr(rows['ari'], method='spearman'):.2f}")


if __name__ == "__main__":
    sys.exit(main())
