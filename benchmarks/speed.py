"""Time of `enhance` on real and simulated data, in passes over the data, beside the published program.

Run: python benchmarks/speed.py [--data FOLDER]; writes benchmarks/results/speed.csv. Large data are in scale.py.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

import sccase_kit as sk

HERE = Path(__file__).parent


def random_counts(n_cells: int, n_peaks: int, density: float, seed: int = 0) -> AnnData:
    """Counts of 10 planted types, made row block by row block."""
    rng = np.random.default_rng(seed)
    per_cell = int(n_peaks * density)
    indices = np.empty((n_cells, per_cell), dtype=np.int32)
    for i in range(n_cells):
        own = rng.integers(0, n_peaks // 10, per_cell // 3) * 10 + i % 10
        rest = rng.integers(0, n_peaks, per_cell - len(own))
        indices[i] = np.sort(np.concatenate([own, rest]))
    data = np.ones(indices.size, dtype=np.int32)
    counts = sparse.csr_matrix(
        (data, indices.ravel(), np.arange(0, indices.size + 1, per_cell)), shape=(n_cells, n_peaks)
    )
    counts.sum_duplicates()
    return AnnData(counts)


def one_pass(adata: AnnData, k: int) -> float:
    """Seconds of one X @ B and one X.T @ B with k columns, float32."""
    op = sk.enhance.prepare(adata.X).op
    right = np.ones((adata.n_vars, k), dtype=np.float32)
    op.rmatmul(op.matmul(right))
    start = time.perf_counter()
    op.rmatmul(op.matmul(right))
    return time.perf_counter() - start


def measure(name: str, adata: AnnData, k: int, *, published: bool, repeats: int = 3) -> list[dict]:
    """Time every solver on one data set; the median of `repeats`."""
    unit = one_pass(adata, k)
    runs = {"robust (default)": {}, "sccase thin": {"n_components": k, "method": "sccase"}}
    if published:
        runs["published program's algorithm"] = {"n_components": k, "solver": "published"}
    rows = []
    for label, arguments in runs.items():
        seconds = []
        for seed in range(1 if label.startswith("published") else repeats):
            start = time.perf_counter()
            sk.tl.enhance(adata, rng=seed, **arguments)
            seconds.append(time.perf_counter() - start)
        rows.append(
            {
                "data": name,
                "cells": adata.n_obs,
                "peaks": adata.n_vars,
                "nonzeros": int(adata.X.nnz),
                "k": k,
                "solver": label,
                "seconds": round(float(np.median(seconds)), 3),
                "passes": round(float(np.median(seconds)) / unit, 1),
                "peak RSS GiB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
                "where": {s: round(v, 2) for s, v in adata.uns["sccase"]["timing"].items()},
            }
        )
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=os.environ.get("SCCASE_KIT_DATA", HERE.parent.parent / "shared" / "data"))
    parser.add_argument("--out", default=HERE / "results" / "speed.csv")
    args = parser.parse_args()
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows += measure("simulated 2k × 9k, 3 %", random_counts(2000, 9000, 0.03), 10, published=True)
        for name, k, published in (("bm0828", 7, True), ("granja_bmmc", 10, False)):
            path = Path(args.data) / f"{name}.h5ad"
            if not path.exists():
                print(f"{name}: not at {path}, skipped")
                continue
            adata = sk.read(path)
            sk.pp.filter_peaks(adata)
            rows += measure(name, adata, k, published=published)
    Path(args.out).parent.mkdir(exist_ok=True)
    pd.DataFrame(rows).to_csv(args.out, index=False)


if __name__ == "__main__":
    main()
