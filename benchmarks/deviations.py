"""Analytic deviations beside drawn ones: time, memory and agreement, each run in a process of its own.

Run: python benchmarks/deviations.py [--old WORKTREE] [--only 0] [--quick]; writes benchmarks/results/deviations.csv
(not with --quick; sizes that are not run again stay). With --old the drawn form of another build, a git worktree,
runs on the same data.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

HERE = Path(__file__).parent
#: cells, peaks, sets, share of the peaks open in a cell, whether the drawn form runs too
SIZES = [(1_500, 60_000, 800, 0.05, True), (31_000, 150_000, 2_000, 0.02, False)]
QUICK = [(300, 2_000, 50, 0.05, True)]


def make(n_cells: int, n_peaks: int, n_sets: int, density: float) -> tuple:
    """Return counts of two types, GC content and sets that prefer a GC content, as motifs do."""
    rng = np.random.default_rng(0)
    gc = rng.beta(12, 12, n_peaks)
    rate = rng.gamma(1.5, 1, n_peaks) * np.exp(3 * (gc - 0.5))
    typed = np.stack([rate * rng.choice([1, 3], n_peaks, p=[0.8, 0.2]) for _ in range(2)])
    size = int(n_peaks * density)
    indices = np.empty((n_cells, size), dtype=np.int32)
    for i in range(n_cells):
        keys = rng.random(n_peaks) ** (1 / typed[i % 2])  # weighted draw without replacement
        indices[i] = np.sort(np.argpartition(-keys, size)[:size])
    data = np.ones(indices.size, dtype=np.float32)
    counts = sparse.csr_matrix((data, indices.ravel(), np.arange(0, data.size + 1, size)), shape=(n_cells, n_peaks))
    seen = np.asarray(counts.sum(axis=0)).ravel() > 0
    columns = []
    for _ in range(n_sets):
        chance = 0.05 * np.exp(rng.normal(0, 6) * (gc - 0.5))
        columns.append(np.flatnonzero(rng.random(n_peaks) < np.minimum(chance, 0.5)).astype(np.int32))
    stops = np.cumsum([0, *map(len, columns)])
    sets = sparse.csc_matrix((np.ones(stops[-1]), np.concatenate(columns), stops), shape=(n_peaks, n_sets))
    return counts[:, seen], gc[seen], sets[seen]


def work(method: str, seed: int, folder: Path) -> dict[str, float]:
    """Time deviations of the stored data; keep z."""
    from sccase_kit import motifs

    deviations, sample_background_peaks = motifs.deviations, motifs.sample_background_peaks
    counts = sparse.load_npz(folder / "counts.npz")
    sets, gc = sparse.load_npz(folder / "sets.npz"), np.load(folder / "gc.npy")
    small = sparse.csr_matrix(counts[:4, :200].toarray() + 1)  # compile first
    drawn = sample_background_peaks(np.asarray(small.sum(axis=0)).ravel(), gc[:200], 2)
    deviations(small, np.ones((200, 1)), drawn)
    if method == "analytic":
        deviations(small, np.ones((200, 1)), motifs.background_bins(np.arange(200.0) + 4, gc[:200]))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, cpu = time.perf_counter(), time.process_time()
    reads = np.asarray(counts.sum(axis=0)).ravel()
    if method == "analytic":
        background = motifs.background_bins(reads, gc)
    else:
        background = sample_background_peaks(reads, gc, 50, rng=seed)
    z = deviations(counts, sets, background).z
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    np.save(folder / f"{method}{seed}.npy", z.astype(np.float32))
    return {"wall_s": wall, "cpu_s": cpu, "peak_mb": peak / 1024, "data_mb": before / 1024}


def in_child(method: str, seed: int, folder: Path, package: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", method, str(seed), str(folder)]
    environment = os.environ | {"PYTHONPATH": str(package), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def agreement(folder: Path, one: str, two: str) -> float:
    a, b = (np.load(folder / f"{name}.npy").ravel() for name in (one, two))
    known = np.isfinite(a) & np.isfinite(b)
    return float(np.corrcoef(a[known], b[known])[0, 1])


def compare(size: tuple, old: Path | None) -> list[dict]:
    n_cells, n_peaks, n_sets, density, both = size
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        counts, gc, sets = make(n_cells, n_peaks, n_sets, density)
        sparse.save_npz(folder / "counts.npz", counts, compressed=False)
        sparse.save_npz(folder / "sets.npz", sets, compressed=False)
        np.save(folder / "gc.npy", gc)
        row = {"cells": n_cells, "peaks": counts.shape[1], "sets": n_sets, "nonzeros": counts.nnz}
        del counts, sets
        runs = [("analytic", 0), *([("permuted", 0), ("permuted", 1)] if both else [])]
        rows = [
            {**row, "method": method, "seed": seed, **in_child(method, seed, folder, HERE.parent)}
            for method, seed in runs
        ]
        if both:
            drawn = sum(np.load(folder / f"permuted{seed}.npy") for seed in (0, 1)) / 2
            np.save(folder / "mean.npy", drawn)
            rows[0]["correlation"] = agreement(folder, "analytic0", "mean")
            rows[0]["times_faster_cpu"] = rows[1]["cpu_s"] / rows[0]["cpu_s"]
            rows[1]["correlation"] = agreement(folder, "permuted0", "permuted1")
            if old is not None:
                before = in_child("permuted", 0, folder, old)
                rows[1]["times_faster_cpu"] = before["cpu_s"] / rows[1]["cpu_s"]
                rows[0]["times_faster_than_old_cpu"] = before["cpu_s"] / rows[0]["cpu_s"]
                rows.append({**row, "method": f"permuted, {old.name}", "seed": 0, **before})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small size, to see that it runs")
    parser.add_argument("--old", type=Path, help="folder of another build (a git worktree)")
    parser.add_argument("--only", type=int, nargs="+", help="numbers of the sizes, from 0")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        method, seed, folder = args.child
        print(json.dumps(work(method, int(seed), Path(folder))))
        return
    old = None if args.old is None else args.old.resolve()
    sizes = QUICK if args.quick else [SIZES[i] for i in args.only or range(len(SIZES))]
    table = pd.DataFrame([row for size in sizes for row in compare(size, old)])
    print(table.round(3).to_string(index=False))
    print("correlation: of z with the mean of two seeds (analytic), of one seed with the other (permuted)")
    if not args.quick:
        out = HERE / "results" / "deviations.csv"
        if out.exists():
            before = pd.read_csv(out)
            table = pd.concat([table, before[~before["sets"].isin(table["sets"])]]).sort_values("sets", kind="stable")
        table.round(4).to_csv(out, index=False)


if __name__ == "__main__":
    main()
