"""The default fit of another build, of this one, and SnapATAC2's spectral embedding, side by side in one run.

    git worktree add ../old 20538af && python -m venv snap && snap/bin/pip install snapatac2
    python benchmarks/fit.py --old ../old --snapatac2 snap/bin/python        # some minutes
    python benchmarks/fit.py --old ../old --snapatac2 snap/bin/python --only "20k x 50k" --repeats 5
    python benchmarks/fit.py --before ../before                               # a build with the same default, b4f9c3a
    python benchmarks/fit.py --large  # also 40k x 40k and 100k x 100k

Every run has a process of its own that is warmed up first (imports, compiled code) and one thread; engines take turns.
CPU seconds and memory (peak above what was there before the call) are medians. SnapATAC2 computes 30 components of all
peaks without sampling, and 15 neighbours; enhancing also factorises, smooths, and fits expected accessibility. Writes
benchmarks/results/fit.csv; rows of what is not run again stay.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scale import status, write_counts

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("SCCASE_KIT_SHARED", HERE.parents[1] / "shared")) / "data"
STORED = {"bm0828": "bm0828", "bm0828_full": "bm0828_full", "granja_bmmc": "granja_bmmc"}
SIMULATED = {"14k x 10k": (14_000, 10_000, 500), "20k x 50k": (20_000, 50_000, 1000)}
LARGE = {"40k x 40k": (40_000, 40_000, 1000), "100k x 100k": (100_000, 100_000, 2720)}
KEYS = ["data", "engine"]
_READY = 2**30  # bytes


def ours(path: str) -> tuple:
    """Return the call that is measured: the default of the package that is imported."""
    import anndata as ad
    from scale import warm_up

    import sccase_kit as sk

    sk.settings.n_threads = 1
    adata = ad.read_h5ad(path)
    warm_up({"rng": 0}, dtype=adata.X.dtype)
    return lambda: sk.tl.enhance(adata, rng=0), adata


def snapatac2(path: str) -> tuple:
    """Return the call of SnapATAC2."""
    import anndata as ad
    import numpy as np
    import snapatac2 as snap
    from scipy import sparse

    def run(adata: ad.AnnData) -> None:
        snap.tl.spectral(adata, features=None, n_comps=min(30, adata.n_obs - 2))
        snap.pp.knn(adata, n_neighbors=15, use_rep="X_spectral")

    small = ad.AnnData(sparse.random(300, 500, 0.2, format="csr", random_state=0, dtype=np.float32))
    small.X.data[:] = 1
    run(small)
    adata = ad.read_h5ad(path)
    return lambda: run(adata), adata


def child(engine: str, path: str) -> dict:
    """Measure one call in this process."""
    call, adata = (snapatac2 if engine == "snapatac2" else ours)(path)
    np.ones(_READY, dtype=np.uint8)  # freed at once
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before, cpu, wall = status("VmRSS"), time.process_time(), time.perf_counter()
    call()
    row = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}
    row |= {"mb_above": (status("VmHWM") - before) / 2**20, "mb_peak": status("VmHWM") / 2**20}
    return row | {"cells": adata.n_obs, "peaks": adata.n_vars, "nonzeros": int(adata.X.nnz)}


def measure(engines: dict[str, tuple[str, Path]], path: Path, repeats: int) -> dict[str, dict[str, object]]:
    """Return the medians of `repeats` runs of every engine, in turn, each in a process."""
    rows: dict[str, list[dict]] = {engine: [] for engine in engines}
    errors = {}
    for _ in range(repeats):
        for engine, (python, package) in engines.items():
            environment = os.environ | {"PYTHONPATH": str(package), "OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}
            command = [python, "-W", "ignore", str(HERE / "fit.py"), "--child", engine, str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
            if done.returncode:
                errors[engine] = {"error": (done.stderr.strip().splitlines() or ["no message"])[-1]}
            else:
                rows[engine].append(json.loads(done.stdout.strip().splitlines()[-1]))
    found = {
        e: {name: statistics.median(row[name] for row in runs) for name in runs[0]} for e, runs in rows.items() if runs
    }
    return found | errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--old", type=Path, help="folder of another build (a git worktree)")
    parser.add_argument("--before", type=Path, help="folder of a further build")
    parser.add_argument("--snapatac2", help="Python of an environment that has SnapATAC2")
    parser.add_argument("--only", nargs="+", choices=[*STORED, *SIMULATED, *LARGE])
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "fit.csv")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(child(*args.child)))
        return
    engines = {"new": (sys.executable, HERE.parent)}
    for engine, folder in (("old", args.old), ("before", args.before)):
        if folder is None:
            continue
        if not (folder / "sccase_kit").is_dir():  # else another build that is installed would be measured
            parser.error(f"{folder} holds no sccase_kit")
        engines[engine] = (sys.executable, folder.resolve())
    if args.snapatac2 is not None:
        engines["snapatac2"] = (args.snapatac2, HERE)
    sizes = SIMULATED | (LARGE if args.large or set(args.only or ()) & set(LARGE) else {})
    rows = []
    with tempfile.TemporaryDirectory(prefix="sccase_kit_fit_") as folder:
        for name in args.only or [*STORED, *sizes]:
            path = DATA / f"{STORED[name]}.h5ad" if name in STORED else Path(folder) / "counts.h5ad"
            if name in sizes:
                write_counts(path, *sizes[name])
            elif not path.exists():
                print(f"{name}: {path} does not exist, left out")
                continue
            for engine, found in measure(engines, path, args.repeats).items():
                rows.append({"data": name, "engine": engine, "repeats": args.repeats, **found})
                print({key: round(v, 2) if isinstance(v, float) else v for key, v in rows[-1].items()}, flush=True)
    table = pd.DataFrame(rows)
    if args.out.exists():
        table = pd.concat([table, pd.read_csv(args.out)], ignore_index=True).drop_duplicates(KEYS)
    table = table.sort_values(["cells", "nonzeros", "engine"], ignore_index=True)
    table.to_csv(args.out, index=False, float_format="%.4g")
    print(
        table.pivot_table(index="data", columns="engine", values=["cpu_s", "mb_above", "mb_peak"], sort=False).round(2)
    )


if __name__ == "__main__":
    main()
