"""Time and memory of counting fragments in peaks, beside SnapATAC2 on the same file.

Run: python benchmarks/make_fragments.py FOLDER, then
python benchmarks/fragments.py FOLDER [FOLDER ...] [--snapatac2 PYTHON]; writes benchmarks/results/fragments.csv.
PYTHON is an interpreter with SnapATAC2, which need not be this one. Every run is a process of its own, the tools take
turns, and the counts of both must agree.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent

_COMMON = """
import json, resource, sys, time
folder, sizes = sys.argv[1], json.loads(sys.argv[2])
def report(tool, counts, wall, cpu):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"tool": tool, "cells": counts.shape[0], "peaks": counts.shape[1], "counts": int(counts.sum()),
                      "nonzeros": int(counts.nnz), "seconds": round(wall, 1), "cpu_seconds": round(cpu, 1),
                      "peak_rss_gib": round(peak, 2)}))
"""
_OURS = """
import sccase_kit as sk
def run(cells):
    return sk.read_fragments(f"{folder}/fragments.tsv.gz", f"{folder}/peaks.bed", cells, genome="hg38")
wall, cpu = time.time(), time.process_time()
adata = run(None if sys.argv[3] == "called" else f"{folder}/barcodes.tsv")
report(f"sccase_kit {sk.__version__}, cells {sys.argv[3]}", adata.X, time.time() - wall, time.process_time() - cpu)
"""
_SNAP = """
import snapatac2 as snap
if __name__ == "__main__":
    cells = [line.strip() for line in open(f"{folder}/barcodes.tsv")]
    wall, cpu = time.time(), time.process_time()
    data = snap.pp.import_fragments(f"{folder}/fragments.tsv.gz", sizes, whitelist=cells, min_num_fragments=0,
                                    sorted_by_barcode=False, n_jobs=2)
    matrix = snap.pp.make_peak_matrix(data, peak_file=f"{folder}/peaks.bed", counting_strategy="fragment")
    report(f"snapatac2 {snap.__version__}", matrix.X, time.time() - wall, time.process_time() - cpu)
"""


def measure(python: str, code: str, folder: Path, *extra: str) -> dict:
    """Run code in a process of its own and return what it reports."""
    import sccase_kit as sk

    sizes = json.dumps(sk.regions.chrom_sizes("hg38"))
    script = folder / "_run.py"
    script.write_text(_COMMON + code)
    done = subprocess.run([python, str(script), str(folder), sizes, *extra], capture_output=True, text=True, check=True)
    script.unlink()
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--snapatac2", metavar="PYTHON")
    parser.add_argument("--repeats", type=int, default=2)
    args = parser.parse_args()
    rows = []
    for folder in args.folders:
        size = round((folder / "fragments.tsv.gz").stat().st_size / 1e6)
        measure(sys.executable, _OURS, folder, "given")  # compiles
        for repeat in range(args.repeats):
            found = [measure(sys.executable, _OURS, folder, "given"), measure(sys.executable, _OURS, folder, "called")]
            if args.snapatac2:
                found.append(measure(args.snapatac2, _SNAP, folder))
                assert found[-1]["counts"] == found[0]["counts"], found
            load = round(os.getloadavg()[0], 1)
            rows += [{"file": folder.name, "megabytes": size, "repeat": repeat, **row, "load": load} for row in found]
            print(pd.DataFrame(rows[-len(found) :]).to_string(), flush=True)
    pd.DataFrame(rows).to_csv(HERE / "results" / "fragments.csv", index=False)


if __name__ == "__main__":
    main()
