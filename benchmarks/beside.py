"""Builds and peers on the same work, in turn: one process per run, so that imports and memory are each one's own.

A benchmark says its cases (name → what makes the inputs) and its tools (name → function of the inputs, per case), and
calls :func:`main`. `--old COMMIT` times that commit next to this tree (in a worktree made for it), `--peers PYTHON`
runs the peers with that interpreter, where they are installed. Seconds are medians over the runs; CPU seconds count all
threads; memory is what a call adds to the data at its peak (Linux).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
OURS = "sccase_kit"


@dataclass(frozen=True)
class Case:
    """One line of a benchmark.

    Attributes
    ----------
    name
        What is measured.
    make
        Called once with a folder, before all runs: writes what the tools read.
    tools
        Tool → function of the folder that returns the function to time (imports and inputs are ready by then) and
        gives its result's size as text. ``"sccase_kit"`` is run by both builds, the others with the peers' interpreter.
    """

    name: str
    make: Callable[[Path], None]
    tools: Mapping[str, Callable[[Path], Callable[[], str]]]


def peak_memory() -> Callable[[], float]:
    """Return a function that tells by how many MiB memory has grown, at its peak, since this call."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the peak so far
    except OSError:
        return lambda: float("nan")
    before = _status("VmRSS")
    return lambda: (_status("VmHWM") - before) / 1024


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def time_one(call: Callable[[], str], repeats: int) -> dict[str, Any]:
    """Time a function: the first call for the memory, the median of all for the time."""
    seconds, cpu, memory, result = [], [], float("nan"), ""
    for number in range(repeats):
        grown = peak_memory()
        start, used = time.perf_counter(), time.process_time()
        result = call()
        seconds.append(time.perf_counter() - start)
        cpu.append(time.process_time() - used)
        if number == 0:
            memory = grown()
    return {"seconds": seconds, "cpu": cpu, "MiB": memory, "result": result}


@contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """Yield a folder with the package as of a commit."""
    with tempfile.TemporaryDirectory(prefix="old_build_") as folder:
        place = Path(folder) / "build"
        git = ["git", "-C", str(HERE.parent), "worktree"]
        subprocess.run([*git, "add", "--detach", str(place), commit], check=True, capture_output=True)
        try:
            yield place
        finally:
            subprocess.run([*git, "remove", "--force", str(place)], check=True, capture_output=True)


def run(script: str, case: int, tool: str, folder: Path, *, python: str, path: Path, repeats: int) -> dict[str, Any]:
    """Run one case by one tool in a process of its own."""
    command = [python, str(Path(script).resolve()), "--worker", str(case), tool, str(folder), str(repeats)]
    environment = {**os.environ, "PYTHONPATH": f"{path}{os.pathsep}{HERE}", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        return {"failed": (done.stderr.strip().splitlines() or ["no output"])[-1]}
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def main(doc: str, script: str, cases: Sequence[Case], result: Path) -> None:
    """Run the benchmark, print its lines and write them to `result`."""
    if "--worker" in sys.argv:
        _, _, case, tool, folder, repeats = sys.argv
        call = cases[int(case)].tools[tool](Path(folder))
        print(json.dumps(time_one(call, int(repeats))))
        return
    import pandas as pd

    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--old", help="commit or tag to run next to this tree")
    parser.add_argument("--peers", default=sys.executable, help="Python with the peers (default: this one)")
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    parser.add_argument("--rounds", type=int, default=3, help="processes per tool, in turn")
    parser.add_argument("--repeats", type=int, default=2, help="calls per process")
    parser.add_argument("--out", default=str(result), help="table to write")
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as scratch, _old_build(args.old) as old:
        for number, case in enumerate(cases):
            if args.only not in case.name:
                continue
            folder = Path(scratch) / str(number)
            folder.mkdir()
            case.make(folder)
            builds = [(tool, tool, HERE.parent) for tool in case.tools]
            builds += [(f"{OURS} {args.old}", OURS, old)] if old is not None and OURS in case.tools else []
            found: dict[str, list[dict[str, Any]]] = {name: [] for name, _, _ in builds}
            for _ in range(args.rounds):
                for name, tool, path in builds:
                    python = sys.executable if tool == OURS else args.peers
                    one = run(script, number, tool, folder, python=python, path=path, repeats=args.repeats)
                    found[name].append(one)
            own = _summary(found.get(OURS, []))
            for name, runs in found.items():
                row = {"case": case.name, "tool": name, **_summary(runs)}
                if "CPU seconds" in own and "CPU seconds" in row:
                    row["ours / this"] = round(own["CPU seconds"] / row["CPU seconds"], 3)
                rows.append(row)
                print(row, flush=True)
    pd.DataFrame(rows).to_csv(args.out, index=False)


@contextmanager
def _old_build(commit: str | None) -> Iterator[Path | None]:
    if commit is None:
        yield None
        return
    with checkout(commit) as place:
        yield place


def _summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    good = [run for run in runs if "failed" not in run]
    if not good:
        return {"result": f"failed: {runs[0]['failed']}" if runs else ""}
    return {
        "seconds": round(float(np.median(np.concatenate([run["seconds"] for run in good]))), 3),
        "CPU seconds": round(float(np.median(np.concatenate([run["cpu"] for run in good]))), 3),
        "MiB": round(float(np.median([run["MiB"] for run in good]))),
        "result": good[-1]["result"],
    }
