"""Time and peak memory, and how they grow with five times the cells (Fig. S29)."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from ...datasets import simulate
from ..registry import Claim, Drawing, Experiment, Finding, Tables
from ..study import DEFAULT, KNN, OURS, PROGRAM, RAW, Study

#: Method of the table → name for ``sk.tl.enhance``.
_METHODS = {RAW: "tfidf", KNN: "knn", OURS: "sccase", PROGRAM: "published", DEFAULT: "robust"}
_TAKES_K = ("sccase", "published")
_CHILD = """
import json, resource, sys, time
import sccase_kit as sk
path, method, k = sys.argv[1:]
adata = sk.read(path)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
started = time.perf_counter()
sk.tl.enhance(adata, int(k) if k != "none" else "auto", method=method)
seconds = time.perf_counter() - started
unit = 1 if sys.platform == "darwin" else 1024
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit, before * unit]))
"""


def needs(_: Study) -> str:
    """Return that peak memory is measured by a module of POSIX."""
    return "" if importlib.util.find_spec("resource") else "peak memory is measured on Linux and macOS only"


def run(study: Study) -> pd.DataFrame:
    """Fit every method in a process of its own on simulated sets of two sizes; the program on the smaller one."""
    rows = []
    small, n_peaks = study.settings["cells"], study.settings["peaks"]
    with tempfile.TemporaryDirectory() as folder:
        for n_cells in (small, 5 * small):
            path = Path(folder) / f"{n_cells}.h5ad"
            adata = simulate(n_cells, n_peaks, n_types=8, library_size=n_peaks / 20, rng=0)
            del adata.layers["truth"]
            adata.write_h5ad(path)
            for name, method in _METHODS.items():
                if name == PROGRAM and n_cells > study.settings["dense"]:
                    continue
                k = "8" if method in _TAKES_K else "none"
                done = subprocess.run(
                    [sys.executable, "-c", _CHILD, str(path), method, k], capture_output=True, text=True, check=True
                )
                seconds, peak, before = json.loads(done.stdout.splitlines()[-1])
                rows.append(
                    {"method": name, "cells": n_cells, "peaks": n_peaks, "seconds": seconds}
                    | {"peak_mb": peak / 1e6, "before_mb": before / 1e6}
                )
    return pd.DataFrame(rows)


def find(tables: Tables) -> Mapping[str, Finding]:
    """Return the growth of the peak memory, and the time against the published program."""
    table = next(iter(tables.values()))
    peaks = table.pivot_table(index="method", columns="cells", values="peak_mb")
    seconds = table.pivot_table(index="method", columns="cells", values="seconds")
    small, large = sorted(table["cells"].unique())
    growth = peaks[large] / peaks[small]
    note = f"peak memory with {large:,} against {small:,} cells and {table['peaks'].iloc[0]:,} peaks: scCASE "
    note += f"{peaks.loc[OURS, small]:.0f} to {peaks.loc[OURS, large]:.0f} MB, of which "
    note += f"{table['before_mb'].min():.0f} MB are Python, its libraries and the smaller set"
    found = {
        "memory growth": Finding(
            float(growth[OURS]), float(growth[DEFAULT]), bool(growth[OURS] <= 7.67), ("once",), note
        )
    }
    if PROGRAM in seconds.index and pd.notna(seconds.loc[PROGRAM, small]):
        note = f"the published program against this package's scCASE, seconds on {small:,} cells"
        ratio = float(seconds.loc[PROGRAM, small] / seconds.loc[OURS, small])
        default = float(seconds.loc[PROGRAM, small] / seconds.loc[DEFAULT, small])
        found["time"] = Finding(ratio, default, ratio > 1, ("once",), note)
    return found


def draw(tables: Tables) -> Sequence[Drawing]:
    """Draw time and memory of every method and size."""
    text = "Wall time and peak memory of one fit by number of cells, a process each (Fig. S29)."
    return [Drawing(partial(_bars, next(iter(tables.values()))), text)]


def _bars(table: pd.DataFrame) -> Any:
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(1, 2, figsize=(8.6, 2.9), layout="constrained")
    for ax, column, label in zip(axes, ("seconds", "peak_mb"), ("seconds", "peak memory, MB"), strict=True):
        wide = table.pivot_table(index="method", columns="cells", values=column, sort=False)
        wide.plot.bar(ax=ax, rot=30, width=0.75, legend=ax is axes[-1])
        ax.set(xlabel="", ylabel=label)
        if column == "seconds":
            ax.set_yscale("log")
        ax.spines[["top", "right"]].set_visible(False)
    axes[-1].legend(title="cells", frameon=False, fontsize="small")
    return axes[0]


def _settings(quick: bool) -> Mapping[str, Any]:  # noqa: FBT001
    if quick:
        return {"cells": 100, "peaks": 2000, "dense": 200}
    return {"cells": 1000, "peaks": 20_000, "dense": 1000}


EXPERIMENT = Experiment(
    name="resources",
    title="Time and memory",
    shows="Fig. S29",
    about=(
        "One fit in a process of its own on simulated sets, and on sets with five times the cells. The paper went from "
        "20,000 to 100,000 cells; here it is from 1,000 to 5,000, so that a small machine can do it."
    ),
    place=8.1,
    per="once",
    claims=(
        Claim(
            "memory growth",
            "peak memory of scCASE grows 7.67 times with five times the cells (20k to 100k, Muto and simulated)",
            "Methods, 'Run-time and memory usage'; Fig. S29",
            7.67,
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
)
