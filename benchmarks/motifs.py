"""Time and memory of motif matching, chromVAR and scABC on data of the usual sizes, each in a process of its own.

Run: python benchmarks/motifs.py [--quick]; writes benchmarks/results/motifs.csv (not with --quick).
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

HERE = Path(__file__).parent


def random_sequences(n: int, width: int, rng: np.random.Generator):
    from sccase_kit.motifs import encode_sequences

    letters = np.frombuffer(b"ACGT", dtype=np.uint8)[rng.integers(0, 4, size=(n, width))]
    return encode_sequences([row.tobytes().decode() for row in letters])


def random_counts(n_cells: int, n_peaks: int, density: float, rng: np.random.Generator) -> sparse.csr_matrix:
    per_cell = max(1, int(n_peaks * density))
    indices = np.sort(rng.integers(0, n_peaks, size=(n_cells, per_cell)), axis=1).ravel()
    indptr = np.arange(0, n_cells * per_cell + 1, per_cell)
    counts = sparse.csr_matrix((np.ones(len(indices), np.int32), indices, indptr), shape=(n_cells, n_peaks))
    counts.sum_duplicates()
    return counts


def match_motifs(n_motifs: int, n_peaks: int) -> str:
    from sccase_kit.motifs import Motif, match

    rng = np.random.default_rng(0)
    widths = rng.integers(6, 20, size=n_motifs)
    motifs = [Motif(f"m{k}", f"m{k}", rng.dirichlet([0.3] * 4, size=w).T * 100 + 0.1) for k, w in enumerate(widths)]
    sequences = random_sequences(n_peaks, 500, rng)
    start = time.perf_counter()
    found = match(sequences, motifs)
    return f"{time.perf_counter() - start:.1f}\t{found.matches.nnz:,} matches"


def chromvar(n_cells: int, n_peaks: int, n_sets: int) -> str:
    from sccase_kit.motifs import deviations, sample_background_peaks

    rng = np.random.default_rng(0)
    counts = random_counts(n_cells, n_peaks, 0.03, rng)
    sets = sparse.random(n_peaks, n_sets, density=0.05, format="csr", random_state=0, dtype=np.float32)
    sets.data[:] = 1
    start = time.perf_counter()
    totals = np.asarray(counts.sum(axis=0)).ravel()
    background = sample_background_peaks(totals, rng.random(n_peaks), n_iterations=50, seed=0)
    drawn = time.perf_counter() - start
    result = deviations(counts, sets, background)
    return f"{time.perf_counter() - start:.1f}\tbackground {drawn:.1f} s; z {result.z.shape}"


def scabc(n_cells: int, n_peaks: int, n_clusters: int) -> str:
    from sccase_kit.motifs import scabc_pvalues

    rng = np.random.default_rng(0)
    counts = random_counts(n_cells, n_peaks, 0.02, rng)
    labels = rng.integers(0, n_clusters, n_cells)
    start = time.perf_counter()
    result = scabc_pvalues(counts, np.asarray(counts.sum(axis=1)).ravel(), labels)
    return f"{time.perf_counter() - start:.1f}\tpvalues {result.pvalues.shape}"


STEPS = {"match_motifs": match_motifs, "chromvar": chromvar, "scabc": scabc}
SIZES = [
    ("match_motifs", (880, 100_000), (40, 2_000), "motifs × peaks of 500 bp"),
    ("chromvar", (14_000, 10_000, 800), (500, 1_000, 20), "cells × peaks × sets, 50 backgrounds"),
    ("chromvar", (100_000, 20_000, 800), (800, 1_000, 20), "cells × peaks × sets, 50 backgrounds, by blocks"),
    ("scabc", (2_000, 100_000, 10), (200, 2_000, 3), "cells × peaks × clusters"),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, nothing written")
    parser.add_argument("--step", nargs="+", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.step:
        text = STEPS[args.step[0]](*map(int, args.step[1:]))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"RESULT\t{text}\t{peak:.2f}")
        return
    rows = []
    for step, full, quick, what in SIZES:
        sizes = quick if args.quick else full
        command = [sys.executable, __file__, "--step", step, *map(str, sizes)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        line = next((text for text in done.stdout.splitlines() if text.startswith("RESULT")), None)
        if line is None:
            print(done.stderr[-2000:], file=sys.stderr)
            sys.exit(f"{step} failed")
        _, seconds, detail, peak = line.split("\t")
        rows.append({"step": step, "size": " × ".join(f"{s:,}" for s in sizes), "what": what})
        rows[-1] |= {"seconds": float(seconds), "peak RSS GiB": float(peak), "detail": detail}
        print(rows[-1], flush=True)
    if not args.quick:
        pd.DataFrame(rows).to_csv(HERE / "results" / "motifs.csv", index=False)


if __name__ == "__main__":
    main()
