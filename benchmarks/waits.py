"""What a user waits for after the fit: estimate_k, min–max ranges, write_enhanced, the map of cells and the report.

    python benchmarks/waits.py                     # BM0828, Granja and 20,000 x 50,000 simulated cells
    python benchmarks/waits.py --only bm0828 --calls io.write_enhanced tl.estimate_k
    python benchmarks/waits.py --only bm0828 --no-write

Every data set has a process of its own, which is warmed up on a small one first. For each call: CPU seconds of one
thread, wall seconds, the memory it added at its peak, which bars were seen, and the longest time without one (a
thread looks every tenth of a second). The map is beside scanpy's own two calls (neighbours and UMAP) on the same
embedding. Writing is beside two ways to the same file with anndata: the product of the factors in memory and then
`write_h5ad`, which is what a user without `io.write_enhanced` would do, and `write_h5ad` alone, of values that are
there already. At most 140 million values are written (of the first cells), five times in turn; seconds are medians,
memory is the largest. Writes benchmarks/results/waits.csv; rows of what is not run again stay.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from beside import peak_memory
from scale import write_counts

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("SCCASE_KIT_SHARED", HERE.parents[1] / "shared")) / "data"
STORED, SIMULATED = ("bm0828", "granja_bmmc"), {"20k x 50k": (20_000, 50_000, 1000)}
MOST_VALUES = 140_000_000
WRITING = "io.write_enhanced"


class Watch:
    """Notes which bars are open, and how long there was none."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.longest = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        from sccase_kit import _progress

        since = time.perf_counter()
        while not self._over.wait(0.1):
            bars = [ref() for ref in list(_progress._bars)]
            names = [str(bar.desc).rstrip(": ") for bar in bars if bar is not None and not bar.disable]
            self.seen += [name for name in names if name not in self.seen]
            now = time.perf_counter()
            if names:
                since = now
            self.longest = max(self.longest, now - since)


Calls = dict[str, Callable[[], object]]


def calls(path: Path, folder: Path, *, write: bool) -> Iterator[Calls]:
    """Yield what is measured, in the order in which it can run; what is in one dict is compared."""
    import anndata as ad
    import matplotlib.pyplot as plt
    import scanpy as sc

    import sccase_kit as sk

    a = sk.read(path)
    yield {"tl.enhance": lambda: sk.tl.enhance(a, rng=0)}
    yield {"tl.estimate_k": lambda: sk.tl.estimate_k(a)}
    yield {"tl.cluster": lambda: sk.tl.cluster(a)}
    yield {"get.ranges": lambda: sk.get.ranges(a)}
    n_written = max(1, min(a.n_obs, MOST_VALUES // a.n_vars))
    if write:
        yield writing(a[:n_written].copy() if n_written < a.n_obs else a, folder / "out.h5ad")

    def drawn() -> None:
        sk.pl.cell_map(a, "louvain" if "louvain" in a.obs else a.obs.columns[-1])
        plt.close("all")

    def scanpy_map() -> None:
        theirs = ad.AnnData(obs=a.obs[[]].copy(), obsm={"X": a.obsm["X_sccase"]})
        sc.pp.neighbors(theirs, n_neighbors=15, use_rep="X", transformer="sklearn")
        sc.tl.umap(theirs)

    yield {"pl.cell_map": drawn, "pl.cell_map, scanpy": scanpy_map}
    yield {"report.write_report": lambda: sk.report.write_report(a, folder / "r.html")}


def writing(a: Any, out: Path) -> Calls:
    """Return three ways to one and the same file."""
    import anndata as ad

    import sccase_kit as sk

    def ours() -> None:
        out.unlink(missing_ok=True)
        sk.io.write_enhanced(a, out)

    ours()
    written = ad.read_h5ad(out, backed="r")
    tables = {"obs": written.obs, "var": written.var, "uns": dict(written.uns)}
    tables |= {"obsm": dict(written.obsm), "varm": dict(written.varm)}
    written.file.close()
    cells, peaks = sk.get.factors(a)

    def product() -> None:
        out.unlink(missing_ok=True)
        ad.AnnData(cells @ peaks.T, **tables).write_h5ad(out)

    given = ad.AnnData(cells @ peaks.T, **tables)

    def values() -> None:
        out.unlink(missing_ok=True)
        given.write_h5ad(out)

    return {WRITING: ours, f"{WRITING}, product and anndata": product, f"{WRITING}, anndata given the values": values}


def measure(compared: Calls) -> list[dict[str, object]]:
    """Return what calls cost; writing is short, so it is the median of five, in turn."""
    found: dict[str, list[dict[str, Any]]] = {front: [] for front in compared}
    for _ in range(5 if WRITING in compared else 1):
        for front, call in compared.items():
            grown = peak_memory()
            wall, cpu = time.perf_counter(), time.process_time()
            with Watch() as watch:
                call()
            row = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall, "MiB": grown()}
            found[front].append(row | {"without_bar_s": watch.longest, "bars": ", ".join(watch.seen)})
    rows = []
    for front, runs in found.items():
        middle = {name: float(np.median([run[name] for run in runs])) for name in ("cpu_s", "wall_s")}
        largest = {name: max(run[name] for run in runs) for name in ("MiB", "without_bar_s")}
        rows.append({"call": front, **middle, **largest, "bars": runs[0]["bars"]})
    return rows


def child(path: Path, *, write: bool, only: list[str]) -> None:
    """Measure one data set in this process; print a line of JSON per call."""
    import sccase_kit as sk

    warnings.simplefilter("ignore")
    sk.settings.n_threads, sk.settings.progress = 1, "lines"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = write_counts(folder / "small.h5ad", 1500, 1500, 50)
        for place in (small, path):
            for compared in calls(place, folder, write=write):
                if only and "tl.enhance" not in compared and not set(only) & set(compared):
                    continue
                for row in measure(compared):
                    if place is path:
                        print(json.dumps(row), flush=True)


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=[*STORED, *SIMULATED], default=[*STORED, *SIMULATED])
    parser.add_argument("--no-write", action="store_true")
    parser.add_argument("--calls", nargs="+", default=[], help="some of the calls (after tl.enhance)")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child(args.child, write=not args.no_write, only=args.calls)
        return
    rows, out = [], HERE / "results" / "waits.csv"
    with tempfile.TemporaryDirectory(prefix="sccase_kit_waits_") as folder:
        for name in args.only:
            path = DATA / f"{name}.h5ad" if name in STORED else Path(folder) / "counts.h5ad"
            if name in SIMULATED:
                write_counts(path, *SIMULATED[name])
            command = [sys.executable, __file__, "--child", str(path), *(["--no-write"] if args.no_write else [])]
            command += ["--calls", *args.calls] if args.calls else []
            environment = os.environ | {"PYTHONPATH": f"{HERE.parent}", "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
            rows += [{"data": name, **json.loads(line)} for line in done.stdout.splitlines() if line.startswith("{")]
            print(pd.DataFrame(rows).round(2).to_string(index=False), flush=True)
    table = pd.DataFrame(rows)
    if out.exists():
        table = pd.concat([table, pd.read_csv(out)]).drop_duplicates(["data", "call"])
    table.to_csv(out, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
