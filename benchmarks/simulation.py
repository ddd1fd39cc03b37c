"""Depths, peak means and sparsity of real counts, of ours, and of the program simCAS.

Run: python benchmarks/simulation.py REAL.h5ad [--simcas SIMULATED.h5ad]; writes benchmarks/results/simulation.csv.

SIMULATED.h5ad is what simCAS (github.com/Chen-Li-17/simCAS) made of the same file: simCAS_generate in discrete mode,
log1p of peak means, library sizes and non-zeros of REAL, its tree of five types and as many cells. KS: distance of the
distributions from the real ones. Types: medians of depth. ARI of Louvain clusters and silhouette of raw TF-IDF.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from scipy import sparse, stats

import sccase_kit as sk
from sccase_kit.metrics.evaluation import score_clustering

HERE = Path(__file__).parent


def measures(counts: sparse.csr_matrix) -> dict[str, np.ndarray]:
    depth, opened = np.asarray(counts.sum(axis=1)).ravel(), np.diff(counts.indptr)
    means = np.asarray(counts.mean(axis=0)).ravel()
    variances = np.asarray(counts.multiply(counts).mean(axis=0)).ravel() - means**2
    seen = means > 0
    return {"depth": depth, "open": opened, "peak mean": means[seen], "peak variance": variances[seen]}


def row(name: str, adata: ad.AnnData, label: str, real: dict[str, np.ndarray], seconds: float) -> dict:
    counts = sparse.csr_matrix(adata.X)
    own, labels = measures(counts), adata.obs[label].astype(str).to_numpy()
    found = {"data": name, "cells": adata.n_obs, "peaks": adata.n_vars, "density": counts.nnz / np.prod(counts.shape)}
    for part, values in own.items():
        found[f"{part}, median"] = float(np.median(values))
        found[f"{part}, KS"] = float(stats.ks_2samp(values, real[part]).statistic)
    found["depth / open"] = float(np.median(own["depth"] / np.maximum(own["open"], 1)))
    types = pd.Series(own["depth"]).groupby(labels).median()
    found |= {"types, least": float(types.min()), "types, most": float(types.max())}
    scores = score_clustering(sk.metrics.Profiles(sk.metrics.raw_tfidf(adata)), labels, rng=0)
    return found | {"ari": scores["ari"], "silhouette": scores["silhouette"], "seconds": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("real")
    parser.add_argument("--label", default="cell_type")
    parser.add_argument("--simcas")
    args = parser.parse_args()
    real = sk.read(args.real)
    known = measures(sparse.csr_matrix(real.X))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = [row("real", real, args.label, known, np.nan)]
        if args.simcas:
            rows.append(row("simCAS", ad.read_h5ad(args.simcas), "celltype", known, np.nan))
        start = time.perf_counter()
        like = sk.datasets.simulate_like(real, rng=0)
        rows.append(row("simulate_like", like, "cell_type", known, time.perf_counter() - start))
        size = float(known["depth"].mean())
        start = time.perf_counter()
        plain = sk.datasets.simulate(*real.shape, n_types=5, library_size=size, rng=0)
        rows.append(row("simulate", plain, "cell_type", known, time.perf_counter() - start))
    table = pd.DataFrame(rows).set_index("data").T
    table.round(4).to_csv(HERE / "results" / "simulation.csv")
    print(table.round(3).to_string())


if __name__ == "__main__":
    main()
