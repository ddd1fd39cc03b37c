"""Estimated number of cell types and its cost: sk.tl.estimate_k beside PyPI epiaster, both timed in one run.

    python benchmarks/estimate_k.py --peer-python /path/to/env/bin/python

epiaster 0.0.7 needs an environment of its own (numpy < 2, scanpy < 1.10, episcanpy 0.3.2, louvain, kneed); without
`--peer-python` only ours is timed. Times exclude imports and reading; epiaster gets the dense matrix that it needs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("SCCASE_KIT_SHARED", HERE.parents[1] / "shared")) / "data"


def time_ours(path: Path, numbers: list[int]) -> dict:
    """Return our estimate, its votes and its times."""
    import anndata as ad

    import sccase_kit as sk

    warm_up = sk.datasets.simulate(100, 500, rng=0)
    sk.tl.estimate_k(warm_up, k_values=[2, 3])
    adata = ad.read_h5ad(path)
    wall, cpu = time.perf_counter(), time.process_time()
    k = sk.tl.estimate_k(adata, k_values=numbers)
    times = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    return {"n_types": k, **{name: int(vote) for name, vote in adata.uns["estimate_k"]["votes"].items()}, **times}


def time_epiaster(path: Path, numbers: list[int]) -> dict:
    """Return epiaster's estimate, its votes and its times; runs in its own environment."""
    import anndata as ad
    import numpy as np
    from epiaster import ensemble

    votes = {}
    names = {"ssd_knee_est": "knee", "davies_bouldin_est": "davies_bouldin", "silhouette_est": "silhouette"}

    def recorded(function: object, name: str) -> object:
        def call(*args: object, **kwargs: object) -> object:
            votes[name] = function(*args, **kwargs)
            return votes[name]

        return call

    for function, name in names.items():
        setattr(ensemble, function, recorded(getattr(ensemble, function), name))
    stored = ad.read_h5ad(path)
    adata = ad.AnnData(np.asarray(stored.X.todense(), dtype=np.float32))
    wall, cpu = time.perf_counter(), time.process_time()
    k = ensemble.estimate_k(adata, numbers)
    times = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    return {"n_types": int(k), **{name: int(vote) for name, vote in votes.items() if vote is not None}, **times}


def main() -> None:
    """Time both on the data sets and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", nargs="+", default=["scabc_bj_tf1", "bm0828", "granja_bmmc_2k"])
    parser.add_argument("--numbers", nargs=2, type=int, default=[3, 14], metavar=("FIRST", "LAST"))
    parser.add_argument("--peer-python", type=Path)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "estimate_k.csv")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    numbers = list(range(args.numbers[0], args.numbers[1] + 1))
    if args.child:
        print("RESULT " + json.dumps(time_epiaster(args.child, numbers)))
        return
    import pandas as pd

    rows = []
    for name in args.datasets:
        path = DATA / f"{name}.h5ad"
        rows.append({"dataset": name, "program": "sccase_kit", **time_ours(path, numbers)})
        if args.peer_python:
            command = [str(args.peer_python), str(HERE / "estimate_k.py"), "--child", str(path)]
            command += ["--numbers", *map(str, args.numbers)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            found = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
            outcome = json.loads(found[-1][7:]) if found else {"error": (done.stderr.strip() or "?").splitlines()[-1]}
            rows.append({"dataset": name, "program": "epiaster 0.0.7", **outcome})
            if found:
                rows[-2]["times_faster"] = outcome["seconds"] / rows[-2]["seconds"]
    table = pd.DataFrame(rows)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(args.out, index=False, float_format="%.4g")
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
