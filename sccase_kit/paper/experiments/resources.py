"""Time and peak memory, and how they grow with five times the cells (Fig. S29)."""

from __future__ import annotations

import importlib.util
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from anndata import AnnData

from ...datasets import simulate
from ..baselines import Program
from ..registry import Claim, Drawing, Experiment, Finding, Tables
from ..study import DEFAULT, KNN, OURS, PROGRAM, RAW, Study

#: Method of the table → name for ``sk.tl.enhance``.
_METHODS = {RAW: "tfidf", KNN: "knn", OURS: "sccase", PROGRAM: "published", DEFAULT: "robust"}
_TAKES_K = ("sccase", "published")
_GROWTH = 7.67
#: Cells of the paper's smaller set: below it the growth is no test of the claim.
PAPER_CELLS = 20_000
# ru_maxrss of a child starts at the peak of its parent on Linux; VmHWM is its own, and can be set back.
_CHILD = """
import json, pathlib, resource, sys, time
import sccase_kit as sk

def memory(name):
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024

def fit(adata):
    sk.tl.enhance(adata, int(k) if k != "none" else "auto", method=method)

path, method, k = sys.argv[1:]
adata = sk.read(path)
fit(adata[:80, :800].copy())  # libraries that are loaded at the first call are not of the call
try:
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before, peak = memory("VmRSS"), lambda: memory("VmHWM")
except OSError:  # macOS
    unit = 1 if sys.platform == "darwin" else 1024
    peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    before = peak()
started = time.perf_counter()
fit(adata)
seconds = time.perf_counter() - started
print(json.dumps([seconds, peak(), before]))
"""


def needs(_: Study) -> str:
    """Return that peak memory is measured by a module of POSIX."""
    return "" if importlib.util.find_spec("resource") else "peak memory is measured on Linux and macOS only"


def run(study: Study) -> pd.DataFrame:
    """Fit every method in a process of its own on simulated sets of two sizes.

    The published program is dense: it is fitted on a small set alone, with the others beside it.
    """
    rows: list[dict[str, Any]] = []
    programs: list[dict[str, Any]] = []
    small, n_peaks, dense = (study.settings[name] for name in ("cells", "peaks", "dense"))
    with tempfile.TemporaryDirectory() as folder:
        for n_cells in sorted({min(small, dense), small, 5 * small}):
            path = Path(folder) / f"{n_cells}.h5ad"
            adata = simulate(n_cells, n_peaks, n_types=8, library_size=n_peaks / 20, rng=0)
            del adata.layers["truth"]
            adata.write_h5ad(path)
            programs = programs or _programs(study, adata)  # on the smallest set
            del adata
            for name, method in _METHODS.items():
                if name == PROGRAM and n_cells > dense:
                    continue
                k = "8" if method in _TAKES_K else "none"
                seconds, peak, before = _measure(path, method, k, where=f"{name} on {n_cells:,} cells")
                rows.append(
                    {"method": name, "cells": n_cells, "peaks": n_peaks, "seconds": seconds}
                    | {"added_mb": (peak - before) / 1e6, "peak_mb": peak / 1e6}
                )
            path.unlink()
    return pd.DataFrame([*rows, *programs])


def _programs(study: Study, adata: AnnData) -> list[dict[str, Any]]:
    """Measure the programs of others on counts; what of their memory a call adds cannot be told."""
    rows = []
    for name, method in study.methods.items():
        if isinstance(method, Program):
            seconds, peak = method.measured(adata, 8)
            row = {"method": name, "cells": adata.n_obs, "peaks": adata.n_vars, "seconds": seconds}
            rows.append(row | {"added_mb": math.nan, "peak_mb": peak / 1e6})
    return rows


def _measure(path: Path, method: str, k: str, *, where: str) -> list[float]:
    """Return the seconds, peak and memory before (bytes) of one fit in a process of its own."""
    command = [sys.executable, "-c", _CHILD, str(path), method, k]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit status {done.returncode}"]
        msg = f"{where}: {lines[-1].strip()}"
        raise RuntimeError(msg)
    measured: list[float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def find(tables: Tables) -> Mapping[str, Finding]:
    """Return the growth of the memory that a fit adds, and the time against the published program."""
    table = next(iter(tables.values()))
    added = table.dropna(subset="added_mb").pivot_table(index="method", columns="cells", values="added_mb")
    seconds = table.pivot_table(index="method", columns="cells", values="seconds")
    small, large = added.columns[-2:]
    growth = added[large] / added[small]
    note = f"peak memory above that before the call, {large:,} against {small:,} cells, {table['peaks'].iloc[0]:,} "
    note += f"peaks: scCASE {added.loc[OURS, small]:.0f} to {added.loc[OURS, large]:.0f} MB, {growth[OURS]:.2f} times; "
    note += f"default {growth[DEFAULT]:.2f} times"
    if small < PAPER_CELLS:
        note += f"; no test of the claim, which starts at {PAPER_CELLS:,} cells: memory_cells={PAPER_CELLS} "
        note += f"(--memory-cells {PAPER_CELLS}) runs it there"
        found = {"memory growth": Finding(None, data=("once",), note=note)}
    else:
        own, default = float(growth[OURS]), float(growth[DEFAULT])
        found = {"memory growth": Finding(own, default, own <= _GROWTH, ("once",), note)}
    both = seconds.loc[[OURS, DEFAULT, PROGRAM]].dropna(axis=1) if PROGRAM in seconds.index else pd.DataFrame()
    if len(both.columns):
        cells = both.columns.max()
        note = f"the published program against this package's scCASE, seconds on {cells:,} cells"
        ratio, default = (float(both.loc[PROGRAM, cells] / both.loc[name, cells]) for name in (OURS, DEFAULT))
        others = table[table["added_mb"].isna() | (table["method"].isin([OURS, DEFAULT]) & (table["cells"] == cells))]
        if len(others) > 2:
            note += "; seconds and peak of the whole process: " + ", ".join(
                f"{row.method} {row.seconds:.1f} s, {row.peak_mb:,.0f} MB" for row in others.itertuples()
            )
        found["time"] = Finding(ratio, default, ratio > 1, ("once",), note)
    return found


def draw(tables: Tables) -> Sequence[Drawing]:
    """Draw time and memory of every method and size."""
    text = "Wall time of one fit, and the peak memory that it adds, by number of cells, a process each (Fig. S29)."
    return [Drawing(partial(_bars, next(iter(tables.values()))), text)]


def _bars(table: pd.DataFrame) -> Any:
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(1, 2, figsize=(8.6, 2.9), layout="constrained")
    for ax, column, label in zip(
        axes, ("seconds", "added_mb"), ("seconds", "memory that the call adds, MB"), strict=True
    ):
        wide = table.dropna(subset=column).pivot_table(index="method", columns="cells", values=column, sort=False)
        wide.plot.bar(ax=ax, rot=30, width=0.75, legend=ax is axes[-1])
        ax.set(xlabel="", ylabel=label)
        ax.set_yscale("log")
        ax.spines[["top", "right"]].set_visible(False)
    axes[-1].legend(title="cells", frameon=False, fontsize="small")
    return axes[0]


def _settings(quick: bool) -> Mapping[str, Any]:  # noqa: FBT001
    if quick:
        return {"cells": 100, "peaks": 2000, "dense": 200}
    return {"cells": 2000, "peaks": 20_000, "dense": 500}


EXPERIMENT = Experiment(
    name="resources",
    title="Time and memory",
    shows="Fig. S29",
    about=(
        "One fit in a process of its own on a simulated set, and on one with five times the cells: its wall time, and "
        "the peak of its memory above what Python, its libraries and the data took before. The paper goes from "
        "20,000 to 100,000 cells; here it is from 2,000 to 10,000 unless memory_cells (--memory-cells) says otherwise, "
        "so that a small machine can do it. The published program, which is dense, is timed on 500 cells, as are the "
        "programs of others that adapters run."
    ),
    place=8.1,
    per="once",
    claims=(
        Claim(
            "memory growth",
            "peak memory of scCASE grows 7.67 times with five times the cells (20k to 100k, Muto and simulated)",
            "Methods, 'Run-time and memory usage'; Fig. S29",
            _GROWTH,
            "times",
        ),
        Claim(
            "time",
            "several times faster than baselines on small sets (here: than the published program itself)",
            "Methods, 'Run-time and memory usage'; Fig. S29",
            None,
            "times",
        ),
    ),
    run=run,
    find=find,
    draw=draw,
    needs=needs,
    settings=_settings,
    version=3,
)
