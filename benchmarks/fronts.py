"""Peak memory of every front on real data, and whether fits repeat: the tables of docs/reliability.md.

    python benchmarks/fronts.py ../shared/data/granja_bmmc.h5ad                     # memory; a row per front
    python benchmarks/fronts.py ../shared/data/bm0828.h5ad --repeat                 # one and two threads, twice each
    python benchmarks/fronts.py ../shared/data/granja_bmmc_2k.h5ad --only pp. get.   # those whose name begins so

All fronts that read counts of cells run one after the other in one process; before each, freed memory is given back and
the peak set back. The peak is that of the whole process, counts and imports included; `added` is what the front needed
above what was there. Linux only (/proc).
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import hashlib
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

import sccase_kit as sk

MIB = 2**10


def status(field: str) -> float:
    """Return a size of this process in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / MIB
    raise KeyError(field)


def measure(call: Callable[[], object]) -> tuple[float, float, float]:
    """Return CPU seconds, peak and added memory (MiB) of a call."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before, started = status("VmRSS"), time.process_time()
    call()
    return time.process_time() - started, status("VmHWM"), status("VmHWM") - before


def fronts(
    path: Path, labels: str, batch: str, genome: str, folder: Path
) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield name and call of every front, in the order of a study."""
    import matplotlib.pyplot as plt

    held: dict[str, AnnData] = {}

    def read() -> None:
        held["a"] = sk.read(path)

    yield "read", read
    a = held["a"]
    yield "read(backed=True)", lambda: sk.read(path, backed=True)
    yield "pp.filter_peaks(copy=True)", lambda: sk.pp.filter_peaks(a, min_fraction=0.002, copy=True)
    yield "pp.tfidf(copy=True)", lambda: sk.pp.tfidf(a, copy=True)
    yield "pp.pseudobulk", lambda: sk.pp.pseudobulk(a, labels)
    yield "pp.filter_cells(copy=True)", lambda: sk.pp.filter_cells(a, copy=True)
    yield "pp.filter_groups(copy=True)", lambda: sk.pp.filter_groups(a, labels, copy=True)
    yield "pp.binarize(copy=True)", lambda: sk.pp.binarize(a, copy=True)
    yield "pp.dropout", lambda: sk.pp.dropout(a, 0.5)
    yield "pp.subsample_cells", lambda: sk.pp.subsample_cells(a, fraction=0.5)
    yield "pp.self_reference", lambda: sk.pp.self_reference(a)
    yield "pp.align_reference", lambda: sk.pp.align_reference(sk.pp.pseudobulk(a, labels), a)
    yield "pp.remap_counts", lambda: sk.pp.remap_counts(a, a.var[["chrom", "start", "end"]].iloc[::2])
    yield "tl.enhance", lambda: sk.tl.enhance(a)
    yield "tl.enhance(depth, batch_key)", lambda: sk.tl.enhance(a, depth=True, batch_key=batch, key_added="b")
    yield "tl.enhance(method='sccase')", lambda: sk.tl.enhance(a, 10, method="sccase", key_added="c")
    yield "tl.cluster", lambda: sk.tl.cluster(a, use_rep="X_sccase")
    yield "get.enhanced, 1,000 cells", lambda: sk.get.enhanced(a, obs_names=slice(1000))
    yield "get.factors", lambda: sk.get.factors(a)
    yield "get.similarity, 1,000 cells", lambda: sk.get.similarity(a, key="c", obs_names=slice(1000))
    yield "io.write_10x", lambda: sk.io.write_10x(a, folder / "10x")
    yield "io.write_enhanced, .h5ad", lambda: sk.io.write_enhanced(a, folder / "e.h5ad")
    yield "io.convert, .zarr", lambda: sk.io.convert(path, folder / "c.zarr")
    yield "tl.specific_peaks", lambda: sk.tl.specific_peaks(a, labels)
    yield "tl.background_peaks", lambda: sk.tl.background_peaks(a)
    yield "tl.compare_specific_peaks", lambda: sk.tl.compare_specific_peaks(a)
    yield "tl.scabc", lambda: sk.tl.scabc(a, labels)
    rng = np.random.default_rng(0)
    sets = sparse.random(a.n_vars, 100, 0.1, random_state=rng).tocsr() > 0
    a.varm["sets"] = pd.DataFrame(sets.toarray(), index=a.var_names, columns=[f"s{k}" for k in range(100)])
    a.var["gc"] = rng.uniform(0.3, 0.7, a.n_vars)
    yield "tl.chromvar, 100 sets", lambda: sk.tl.chromvar(a, "sets")
    yield "tl.differential_deviations", lambda: sk.tl.differential_deviations(a, labels)
    yield "tl.differential_variability", lambda: sk.tl.differential_variability(a, labels)
    yield "tl.motif_correlation", lambda: sk.tl.motif_correlation(a, n_top=5)
    yield "tl.motif_synergy", lambda: sk.tl.motif_synergy(a, n_top=5)
    yield "tl.chromvar(method='analytic')", lambda: sk.tl.chromvar(a, "sets", method="analytic")
    chosen = a.var.iloc[rng.choice(a.n_vars, 300, replace=False)]
    trait = chosen[["chrom", "start"]].assign(end=chosen["start"] + 1, weight=rng.random(300))
    yield "tl.trait_scores", lambda: sk.tl.trait_scores(a, {"trait": trait}, labels)
    a.obs["condition"] = np.where(rng.random(a.n_obs) < 0.5, "a", "b")
    a.obs["sample"] = a.obs["condition"] + rng.integers(0, 3, a.n_obs).astype(str)
    compared = {"condition_key": "condition", "sample_key": "sample", "reference": "a", "engine": "cells"}
    yield "tl.differential(engine='cells')", lambda: sk.tl.differential(a, labels, **compared)
    yield "tl.gene_activity", lambda: sk.tl.gene_activity(a, genome, copy=True)
    yield "tl.annotate", lambda: sk.tl.annotate(a, labels, markers="blood", genome=genome)
    yield "io.write_tracks", lambda: sk.io.write_tracks(a, labels, folder / "tracks", genome=genome)
    yield "metrics.evaluate", lambda: sk.metrics.evaluate(a, labels)
    yield "metrics.held_out", lambda: sk.metrics.held_out(a, n_splits=1)
    yield "metrics.hide_entries", lambda: sk.metrics.hide_entries(a)
    yield "metrics.raw_tfidf", lambda: sk.metrics.raw_tfidf(a)
    yield "metrics.knn_smoothing", lambda: sk.metrics.knn_smoothing(a)
    yield "metrics.compare", lambda: sk.metrics.compare({"ours": a}, labels)
    yield "tl.estimate_k", lambda: sk.tl.estimate_k(a)

    def drawn(call: Callable[[], object]) -> Callable[[], None]:
        def draw() -> None:
            call()
            plt.close("all")

        return draw

    yield "pl.cell_map", drawn(lambda: sk.pl.cell_map(a, labels, basis="X_sccase"))
    few = a.var_names[:50].tolist()
    locus = f"{a.var['chrom'].iloc[0]}:{a.var['start'].iloc[0]}-{a.var['end'].iloc[0] + 100_000}"
    yield "pl.peak_heatmap", drawn(lambda: sk.pl.peak_heatmap(a, few, labels))
    yield "pl.embedding_heatmap", drawn(lambda: sk.pl.embedding_heatmap(a, labels))
    yield "pl.similarity_heatmap", drawn(lambda: sk.pl.similarity_heatmap(a, labels, key="c"))
    yield "pl.genome_tracks", drawn(lambda: sk.pl.genome_tracks(a, locus, labels))
    yield "pl.motif_heatmap", drawn(lambda: sk.pl.motif_heatmap(a, labels))
    yield "pl.variability_rank", drawn(lambda: sk.pl.variability_rank(a))
    yield "pl.depth_correlation", drawn(lambda: sk.pl.depth_correlation(a))
    yield "pl.objective_trace", drawn(lambda: sk.pl.objective_trace(a, "c"))
    yield "pl.estimate_k", drawn(lambda: sk.pl.estimate_k(a))
    yield "pl.raw_against_enhanced", drawn(lambda: sk.pl.raw_against_enhanced(a, labels))
    yield "report.write_report", drawn(lambda: sk.report.write_report(a, folder / "r.html", groupby=labels))


FIT = """
import sys, hashlib, warnings
warnings.simplefilter("ignore")
import sccase_kit as sk
path, threads, batch = sys.argv[1], int(sys.argv[2]), sys.argv[3] or None
sk.settings.n_threads = threads
adata = sk.read(path)
sk.tl.enhance(adata, rng=7)
first = adata.obsm["X_sccase"], sk.get.enhanced(adata, obs_names=slice(50), scale="accessibility")
sk.tl.enhance(adata, rng=7, depth=True, batch_key=batch)
parts = [*first, adata.obsm["X_sccase"]]
import numpy as np
np.savez(sys.argv[4], *parts)
"""


def repeat(path: Path, batch: str | None) -> pd.DataFrame:
    """Fit with one seed on one and on two threads, twice each, in processes of their own; compare with the first."""
    rows, first = [], None
    with tempfile.TemporaryDirectory() as name:
        for run, threads in enumerate((1, 1, 2, 2)):
            file = Path(name) / f"{run}.npz"
            command = [sys.executable, "-c", FIT, str(path), str(threads), batch or "", str(file)]
            one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
            subprocess.run(command, check=True, env={**os.environ, **one})
            with np.load(file) as arrays:
                parts = [arrays[k] for k in arrays.files]
            first = parts if first is None else first
            digest = hashlib.sha256(b"".join(np.ascontiguousarray(p).tobytes() for p in parts)).hexdigest()[:12]
            apart = max(float(np.abs(p - q).max() / np.abs(q).max()) for p, q in zip(parts, first, strict=True))
            row = {"file": path.name, "threads": threads, "run": run, "sha256": digest, "largest difference": apart}
            rows.append(row)
            print(rows[-1], flush=True)
    return pd.DataFrame(rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--labels", default="cell_type")
    parser.add_argument("--batch", default=None)
    parser.add_argument("--genome", default="hg19")
    parser.add_argument("--repeat", action="store_true")
    parser.add_argument("--only", nargs="+", help="beginnings of names")
    args = parser.parse_args()
    if args.repeat:
        print(repeat(args.path, args.batch).to_string(index=False))
        return
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        print("front\tCPU s\tpeak MiB\tadded MiB")
        for front, call in fronts(args.path, args.labels, args.batch or "batch", args.genome, Path(name)):
            if args.only and not front.startswith((*args.only, "read", "tl.enhance")):
                continue
            try:
                seconds, peak, added = measure(call)
            except (ValueError, KeyError) as err:
                print(f"{front}\t{err!s:.150}", flush=True)
                continue
            print(f"{front}\t{seconds:.1f}\t{peak:.0f}\t{added:.0f}", flush=True)


if __name__ == "__main__":
    main()
