"""How time and memory of `enhance` grow, in memory and streamed from disk, and the largest sizes.

    python benchmarks/scale.py                    # growth in cells, peaks, counts per cell and components; 100k × 100k
    python benchmarks/scale.py --only targets     # the fixed sizes alone; other rows of the table stay
    python benchmarks/scale.py --huge             # also 1M × 100k, streamed (25 GB of disk)

Every run has a process of its own that is warmed up first (imports, compiled code), so that its peak memory is what
the call added to the data. Writes benchmarks/results/scale.csv, and docs/figures/scale.png from it.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import DTypeLike

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "scale.csv"
FIGURE = HERE.parent / "docs" / "figures" / "scale.png"
GIB = 2**30
N_TYPES = 10
BASE = {"cells": 40_000, "peaks": 40_000, "per_cell": 1000, "k": 16}
GROWTH = {
    "cells": (20_000, 40_000, 80_000, 160_000),
    "peaks": (20_000, 40_000, 80_000, 160_000),
    "per_cell": (500, 1000, 2000, 4000),
    "k": (8, 16, 32, 64),
}
TARGETS = [  # cells, peaks, counts per cell, K, streamed
    (2_000, 9_000, 270, 10, False),
    (14_000, 10_000, 500, 10, False),
    (100_000, 100_000, 2720, 16, False),
    (100_000, 100_000, 2720, 16, True),
]
HUGE = (1_000_000, 100_000, 2720, 16, True)


# --- data ---------------------------------------------------------------------------------------------------------


def open_peaks(n_cells: int, n_peaks: int, per_cell: int, *, first: int, rng: np.random.Generator) -> np.ndarray:
    """Return sorted, distinct peaks of cells of ten types, (n_cells, per_cell); a type's own tenth is 4 × as dense."""
    gaps = rng.standard_exponential((n_cells, per_cell + 1))
    at = np.cumsum(gaps, axis=1)
    at = at[:, :-1] / at[:, -1:]
    lengths = np.ones((N_TYPES, N_TYPES)) + 3 * np.eye(N_TYPES)
    bounds = np.concatenate([np.zeros((N_TYPES, 1)), np.cumsum(lengths, axis=1)], axis=1) / lengths[0].sum()
    out = np.empty(at.shape, dtype=np.int64)
    for kind in range(N_TYPES):
        own = (np.arange(n_cells) + first) % N_TYPES == kind
        out[own] = np.interp(at[own], bounds[kind], np.linspace(0, n_peaks, N_TYPES + 1))
    steps = np.arange(per_cell)
    out = np.maximum.accumulate(out - steps, axis=1) + steps
    return np.minimum(out, n_peaks - per_cell + steps).astype(np.int32)


def write_counts(
    path: Path, n_cells: int, n_peaks: int, per_cell: int, *, seed: int = 0, dtype: DTypeLike = np.int32
) -> Path:
    """Write counts block by block into an uncompressed .h5ad."""
    import anndata as ad
    import h5py
    from scipy import sparse

    shell = ad.AnnData(sparse.csr_matrix((n_cells, n_peaks), dtype=np.int32))
    shell.obs["cell_type"] = pd.Categorical(np.arange(n_cells) % N_TYPES)
    shell.var_names = [f"chr1:{1000 * i}-{1000 * i + 500}" for i in range(n_peaks)]
    shell.write_h5ad(path)
    rng = np.random.default_rng(seed)
    with h5py.File(path, "r+") as file:
        group, nnz = file["X"], n_cells * per_cell
        for name in ("data", "indices", "indptr"):
            del group[name]
        group["indptr"] = np.arange(0, nnz + 1, per_cell)
        group.create_dataset("data", shape=nnz, dtype=dtype)
        group.create_dataset("indices", shape=nnz, dtype=np.int32)
        step = max(1, 4_000_000 // per_cell)
        for start in range(0, n_cells, step):
            stop = min(start + step, n_cells)
            rows = open_peaks(stop - start, n_peaks, per_cell, first=start, rng=rng)
            where = slice(start * per_cell, stop * per_cell)
            group["indices"][where] = rows.ravel()
            group["data"][where] = 1 + (rng.random(rows.size) < 0.2)
    return path


# --- one run, in its own process ----------------------------------------------------------------------------------


def status(field: str) -> int:
    """Return a field of /proc/self/status in bytes."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(field + ":"))


def deciding_modules() -> list:
    """Return the modules of the package, of this build or an early one, that decide from when on code is compiled."""
    for name in ("sccase_kit.matrix.operator", "sccase_kit.matrix.peaks", "sccase_kit.enhance._operator"):
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(name)
    return [m for n, m in list(sys.modules.items()) if n.startswith("sccase_kit.") and hasattr(m, "COMPILED_NNZ")]


def warm_up(options: dict, *, dtype: DTypeLike = np.int32) -> None:
    """Import and compile what a run needs, on small pieces of the same kind of data: many cells, and few."""
    import sccase_kit as sk

    with tempfile.TemporaryDirectory() as folder:
        path = write_counts(Path(folder) / "small.h5ad", 1500, 1500, 50, dtype=dtype)
        wide = write_counts(Path(folder) / "wide.h5ad", 200, 1500, 50, dtype=dtype)
        sk.tl.enhance(sk.read(path), **options)
        modules = deciding_modules()
        thresholds = [module.COMPILED_NNZ for module in modules]
        for module in modules:
            module.COMPILED_NNZ = 0
        sk.tl.enhance(sk.read(path), **options)
        sk.tl.enhance(sk.read(wide), **options)
        for module, threshold in zip(modules, thresholds, strict=True):
            module.COMPILED_NNZ = threshold


def child(job: dict) -> dict:
    """Run one call and return seconds, memory above what was there before, and where the time went."""
    import sccase_kit as sk

    options = {"method": job["method"], "rng": 0}
    if job["method"] == "sccase":
        options["n_components"] = job["k"]
    warm_up(options)
    adata = sk.read(job["path"], backed=job["streamed"])
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = status("VmRSS")
    start = time.perf_counter()
    sk.tl.enhance(adata, **options)
    seconds = time.perf_counter() - start
    result = {"seconds": seconds, "gib_above": (status("VmHWM") - before) / GIB, **job}
    result["where"] = {name: round(value, 2) for name, value in adata.uns["sccase"]["timing"].items()}
    if not job["streamed"] and adata.n_obs >= 1000:
        result["block_ms"] = 1000 * median_seconds(
            lambda: sk.get.enhanced(adata, obs_names=slice(1000), var_names=slice(1000))
        )
        result["peak_ms"] = 1000 * median_seconds(lambda: sk.get.enhanced(adata, var_names=slice(7, 8)))
    return result


def median_seconds(function, repeats: int = 21) -> float:
    """Return the median time of a call."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def run(job: dict) -> dict:
    """Run :func:`child` in a new process."""
    command = [sys.executable, "-W", "ignore", str(Path(__file__).resolve()), "--child", json.dumps(job)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {**job, "error": (done.stderr.strip().splitlines() or ["no message"])[-1]}
    return json.loads(done.stdout.strip().splitlines()[-1])


# --- the tables ---------------------------------------------------------------------------------------------------


def measure(part: str, size: dict, methods: tuple[str, ...], *, streamed: bool, folder: Path) -> list[dict]:
    """Return one row per method for counts of a size."""
    path = write_counts(folder / "counts.h5ad", size["cells"], size["peaks"], size["per_cell"])
    rows = []
    for method in methods:
        row = run({"path": str(path), "method": method, "k": size["k"], "streamed": streamed})
        row.pop("path")
        rows.append({"part": part, **size, "nonzeros": size["cells"] * size["per_cell"], **row})
        print({key: round(v, 3) if isinstance(v, float) else v for key, v in rows[-1].items()}, flush=True)
    path.unlink()
    return rows


def published_growth() -> list[dict]:
    """Time the published program's algorithm on small data of growing size."""
    import sccase_kit as sk

    rows = []
    for cells in (200, 400, 800, 1600):
        with tempfile.TemporaryDirectory() as folder:
            adata = sk.read(write_counts(Path(folder) / "counts.h5ad", cells, 4000, 120))
        start = time.perf_counter()
        sk.tl.enhance(adata, 10, solver="published")
        rows.append({"part": "cells", "cells": cells, "peaks": 4000, "per_cell": 120, "k": 10, "method": "published"})
        rows[-1] |= {"nonzeros": cells * 120, "streamed": False, "seconds": time.perf_counter() - start}
        print(rows[-1], flush=True)
    return rows


def stated(row: dict) -> float:
    """Return the memory in GiB that the package states for a run before it starts."""
    from sccase_kit.enhance import Robust
    from sccase_kit.enhance.memory import expected_memory
    from sccase_kit.enhance.nmf import sketch_width

    if row["method"] == "published":
        return np.nan
    robust = row["method"] == "robust"
    shape = (int(row["cells"]), int(row["peaks"]))
    columns = Robust().columns(shape) if robust else sketch_width(int(row["k"]))
    sizes = {"nnz": int(row["nonzeros"]), "in_memory": not row["streamed"]}
    return expected_memory(shape, columns, robust=robust, **sizes) / GIB


def merged(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return the new rows and those of an earlier table that were not measured again."""
    if not path.exists():
        return table
    keys = ["part", "cells", "peaks", "per_cell", "k", "streamed", "method"]
    both = pd.concat([table, pd.read_csv(path)], ignore_index=True)
    return both.drop_duplicates(keys).sort_values(keys, ignore_index=True)


def exponents(table: pd.DataFrame) -> pd.DataFrame:
    """Return the slopes of log time and log memory over the log of what grows."""
    rows = []
    for (part, method), own in table[table["part"].isin(GROWTH)].groupby(["part", "method"], sort=False):
        row = {"grows": part, "method": method}
        for column in ("seconds", "gib_above"):
            known = own[own[column] > 0]
            if len(known) > 2:
                row[column] = np.polyfit(np.log(known[part].astype(float)), np.log(known[column]), 1)[0]
        rows.append(row)
    return pd.DataFrame(rows).round(2)


def draw(table: pd.DataFrame, path: Path) -> None:
    """Draw time and memory over what grows, on logarithmic axes."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import NullFormatter

    colors = {"published": "C7", "robust": "C1", "sccase": "C0"}
    names = {"cells": "cells", "peaks": "peaks", "per_cell": "nonzeros per cell", "k": "components"}
    fits = exponents(table).set_index(["grows", "method"])
    fig, axes = plt.subplots(2, 4, figsize=(13, 6), layout="constrained", sharey="row")
    for axis, part in zip(axes.T, GROWTH, strict=True):
        for method, own in table[table["part"] == part].groupby("method", sort=False):
            own = own.sort_values(part)
            for ax, column in zip(axis, ("seconds", "gib_above"), strict=True):
                if own[column].notna().any():
                    label = f"{method}: {fits.loc[(part, method), column]:.2f}"
                    ax.plot(own[part], own[column], "o-", color=colors[method], label=label)
        for ax in axis:
            ax.set(xscale="log", yscale="log", xlabel=names[part])
            ax.xaxis.set_minor_formatter(NullFormatter())
            ax.yaxis.set_minor_formatter(NullFormatter())
            if part != "cells":
                ax.set_xticks(GROWTH[part], [f"{value:,}" for value in GROWTH[part]])
            ax.legend(title="exponent", fontsize=8, title_fontsize=8)
    axes[0, 0].set_ylabel("seconds")
    axes[1, 0].set_ylabel("GiB above the start")
    axes[1, 0].set_yticks([0.25, 0.5, 1, 2], ["0.25", "0.5", "1", "2"])
    fig.savefig(path, dpi=100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["targets", "growth"])
    parser.add_argument("--huge", action="store_true", help="also 1M × 100k")
    parser.add_argument("--folder", type=Path, help="where the counts are written (a fast disk)")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(child(json.loads(args.child))))
        return
    folder = Path(tempfile.mkdtemp(prefix="sccase_kit_scale_", dir=args.folder))
    both = ("sccase", "robust")
    rows: list[dict] = []
    try:
        if args.only != "growth":
            for cells, peaks, per_cell, k, streamed in [*TARGETS, *([HUGE] if args.huge else [])]:
                size = {"cells": cells, "peaks": peaks, "per_cell": per_cell, "k": k}
                rows += measure("targets", size, both, streamed=streamed, folder=folder)
        if args.only != "targets":
            for part, values in GROWTH.items():
                for value in values:
                    methods = ("sccase",) if part == "k" else both
                    rows += measure(part, BASE | {part: value}, methods, streamed=True, folder=folder)
            rows += published_growth()
    finally:
        shutil.rmtree(folder)
    table = merged(pd.DataFrame(rows), args.out)
    table["gib_stated"] = [stated(row) for row in table.to_dict("records")]
    args.out.parent.mkdir(exist_ok=True)
    table.to_csv(args.out, index=False, float_format="%.4g")
    print(exponents(table).to_string(index=False))
    if set(GROWTH) <= set(table["part"]):
        draw(table, FIGURE)


if __name__ == "__main__":
    main()
