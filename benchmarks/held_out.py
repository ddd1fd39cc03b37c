"""Time and memory of the held-out evaluation beside one fit, in memory and streamed from disk.

    python benchmarks/held_out.py                             # 20k × 50k, then 100k × 100k (3 GB of disk)
    python benchmarks/held_out.py --sizes 14000x10000x500     # cells × peaks × counts per cell
    python benchmarks/held_out.py --splits 3 --streamed

Every run has a process of its own, warmed up first; memory is the peak above what the data took. "fits" is the time of
the evaluation over that of one fit to all counts; processor seconds, because they do not depend on what else runs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from scale import GIB, status, warm_up, write_counts

SIZES = ("20000x50000x1000", "100000x100000x2720")


def child(job: dict) -> dict:
    """Run one fit, or one evaluation of the default, and return processor seconds and the memory on top of the data."""
    import sccase_kit as sk

    warm_up({"rng": 0})
    adata = sk.read(job["path"], backed=job["streamed"])
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before, start, wall = status("VmRSS"), time.process_time(), time.perf_counter()
    if job["what"] == "fit":
        sk.tl.enhance(adata, rng=0)
        found = {}
    else:
        table = sk.metrics.held_out(adata, {"default": sk.tl.enhance}, n_splits=job["splits"], rng=0).table
        row = table.loc["default"]
        found = {"gain": float(row["gain"]), "slope": float(row["slope"])}
    seconds, wall = time.process_time() - start, time.perf_counter() - wall
    return {"what": job["what"], "cpu": seconds, "wall": wall, "gib_above": (status("VmHWM") - before) / GIB, **found}


def run(job: dict) -> dict:
    """Run :func:`child` in a new process."""
    command = [sys.executable, "-W", "ignore", str(Path(__file__).resolve()), "--child", json.dumps(job)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=SIZES)
    parser.add_argument("--splits", type=int, default=1)
    parser.add_argument("--streamed", action="store_true", help="read the counts in blocks from disk")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(child(json.loads(args.child))))
        return
    rows = []
    for size in args.sizes:
        cells, peaks, per_cell = map(int, size.split("x"))
        with tempfile.TemporaryDirectory() as folder:
            path = write_counts(Path(folder) / "counts.h5ad", cells, peaks, per_cell)
            job = {"path": str(path), "splits": args.splits, "streamed": args.streamed}
            both = [{"size": size, **job, **run(job | {"what": what})} for what in ("fit", "held_out")]
        for row in both:
            row["fits"] = row["cpu"] / both[0]["cpu"]
            print({key: round(v, 3) if isinstance(v, float) else v for key, v in row.items()}, flush=True)
        rows += both
    if args.out:
        pd.DataFrame(rows).drop(columns="path").to_csv(args.out, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
