"""Kill every command at random moments: what was there stays whole or is replaced whole, and a rerun succeeds.

    python tests/reliability/kills.py                        # 8 kills of each command; a table
    python tests/reliability/kills.py --kills 3 --only enhance "cluster, in place" --seed 7 --faults faults.txt

Every job is a command on a toy study with its outputs. It is run twice as it is, which tells its time and what of its
outputs is the same each time; then it is killed (SIGKILL in half of the cases, else SIGTERM, SIGINT or SIGHUP) at a
random moment of that time, with nothing in the place of its outputs, or earlier ones. Three of four kills meet a forked
process with everything imported, the fourth a process of its own that starts from nothing. Then it is run again.

A kill that comes before the command has begun, while Python starts, is counted as too early.

After the kill every output must be as it was before or as a whole run makes it, inputs unchanged, nothing else there
(after SIGKILL: hidden folders ``.….unfinished.…``), no child process left; after the other signals the code must be
128 + the signal's number, the last line say that nothing half-written was kept, and nothing hidden stay, in the
temporary folder too. After the rerun: code 0, all outputs whole and new, nothing hidden.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

import sccase_kit as sk
from sccase_kit.cli import main as command_line

LAST = "interrupted; nothing half-written was kept"
SIGNALS = [signal.SIGKILL] * 5 + [signal.SIGTERM] * 2 + [signal.SIGINT] * 2 + [signal.SIGHUP]


@dataclass(frozen=True)
class Job:
    """A command and what it writes.

    Attributes
    ----------
    argv
        Arguments; ``{name}`` is an input.
    outputs
        Files and folders that it writes, in its own folder.
    starts_with
        Output → the input whose copy is there at first: of commands that change a file in its place.
    """

    argv: list[str]
    outputs: tuple[str, ...] = ()
    starts_with: dict[str, str] = field(default_factory=dict)


ENHANCED = ("{enhanced}", "-g", "cell_type")
SETS = ("--gene-sets", "{gene_sets}")
JOBS = {
    "info": Job(["info", "{counts}", "--json"]),
    "count": Job(
        ["count", "{fragments}", "--peaks", "{peaks}", "-o", "out.h5ad", "--min-fragments", "5"], ("out.h5ad",)
    ),
    "enhance": Job(["enhance", "{counts}", "-o", "out.h5ad"], ("out.h5ad",)),
    "enhance, zarr, matrix": Job(
        ["enhance", "{counts}", "-o", "out.zarr", "--matrix", "whole.h5ad"], ("out.zarr", "whole.h5ad")
    ),
    "enhance, checkpoint": Job(["enhance", "{counts}", "-o", "out.h5ad", "--checkpoint", "kept"], ("out.h5ad", "kept")),
    "held-out": Job(
        ["held-out", "{counts}", "--splits", "1", "-o", "out.tsv", "--figure", "out.png"], ("out.tsv", "out.png")
    ),
    "cluster, in place": Job(
        ["cluster", "data.h5ad", "-n", "3", "-o", "data.h5ad"], ("data.h5ad",), {"data.h5ad": "enhanced"}
    ),
    "annotate": Job(
        ["annotate", *ENHANCED, "--markers", "{gene_sets}", "--genome", "{genes}", "-o", "out.h5ad"], ("out.h5ad",)
    ),
    "peaks": Job(["peaks", *ENHANCED, "-n", "40", "-o", "out.bed"], ("out.bed",)),
    "peaks, in place": Job(
        ["peaks", "data.h5ad", "-g", "cell_type", "-n", "40", "-o", "data.h5ad"],
        ("data.h5ad",),
        {"data.h5ad": "enhanced"},
    ),
    "tracks": Job(["tracks", *ENHANCED, "-o", "out", "--genome", "hg38"], ("out",)),
    "motifs": Job(
        ["motifs", "{enhanced}", "--fasta", "{sequences}", "--motifs", "{motifs}", "-g", "cell_type", "-o", "out.h5ad"],
        ("out.h5ad",),
    ),
    "great": Job(
        ["great", "{specific}", "--genome", "hg38", "--tss", "{genes}", "--gene-sets", "{gene_sets}", "-o", "out.tsv"],
        ("out.tsv",),
    ),
    "gene-sets": Job(
        ["gene-sets", "build", "--species", "human", "--gaf", "{gaf}", "--obo", "{obo}", "-o", "out.gmt"],
        ("out.gmt",),
    ),
    "interpret": Job(
        ["interpret", *ENHANCED, "-n", "40", "--genome", "hg38", "--tss", "{genes}", *SETS, "-o", "out"],
        ("out",),
    ),
    "report": Job(["report", *ENHANCED, "-o", "out.html"], ("out.html",)),
    "reproduce": Job(["reproduce", "{counts}", "-o", "out", "--quick", "--only", "settings", "depth"], ("out",)),
    "demo": Job(["demo", "-o", "out", "--cells", "100", "--peaks", "400"], ("out",)),
    "doctor": Job(["doctor", "--no-r"]),
}


def write_inputs(folder: Path) -> dict[str, str]:
    """Write the inputs of the jobs; return name → file."""
    study = sk.datasets.toy_study(n_cells=120, n_peaks=600)
    files = {name: str(path) for name, path in study.write(folder).items()}
    adata = study.adata.copy()
    sk.pp.filter_peaks(adata)
    sk.tl.enhance(adata)
    files["enhanced"] = str(folder / "enhanced.h5ad")
    adata.write_h5ad(files["enhanced"])
    rng = np.random.default_rng(0)
    peaks = pd.read_csv(files["peaks"], sep="\t", header=None)
    at = peaks.iloc[np.sort(rng.integers(len(peaks), size=20_000))].reset_index(drop=True)
    cells = [f"cell{k}" for k in rng.integers(40, size=len(at))]
    table = pd.DataFrame({"c": at[0], "s": at[1] + 5, "e": at[1] + rng.integers(50, 300, len(at)), "b": cells, "n": 1})
    files["fragments"] = str(folder / "fragments.tsv.gz")
    table.to_csv(files["fragments"], sep="\t", header=False, index=False)
    genes = [f"G{k}" for k in range(40)]
    terms = [
        f"[Term]\nid: GO:{k:07d}\nname: t{k}\nnamespace: biological_process\n"
        + (f"is_a: GO:{k // 2:07d} ! t{k // 2}\n" if k else "")
        for k in range(200)
    ]
    files["obo"], files["gaf"] = str(folder / "go.obo"), str(folder / "go.gaf")
    Path(files["obo"]).write_text("format-version: 1.2\n\n" + "\n".join(terms))
    lines = [
        "\t".join(["UniProtKB", f"P{k}", genes[k % 40], "", f"GO:{k % 200:07d}", "R", "IDA", "", "P", "Gene", ""])
        + "\tprotein\ttaxon:9606\t20240101\tU\t\t"
        for k in range(2000)
    ]
    Path(files["gaf"]).write_text("\n".join(["!gaf-version: 2.2", *lines, ""]))
    return files


@dataclass(frozen=True)
class Ended:
    """How a run ended: its code (minus the signal that killed it), seconds, what it printed, whether it was met."""

    code: int
    seconds: float
    text: str
    met: bool


def run(argv: list[str], folder: Path, *, own: bool, number: int | None = None, after: float = 0) -> Ended:
    """Run a command in a folder, in a fork of this process or one of its `own`; send it a signal after some seconds."""
    log, temporary = folder.parent / "log", folder.parent / "tmp"
    temporary.mkdir(exist_ok=True)
    pid = _own(argv, folder, log, temporary) if own else _fork(argv, folder, log, temporary)
    started = time.monotonic()
    met, status, reaped = False, 0, False
    while not reaped:
        done, status = os.waitpid(pid, os.WNOHANG)
        reaped = done == pid
        if not reaped and number is not None and not met and time.monotonic() - started >= after:
            os.kill(pid, number)
            met = True
        if not reaped:
            time.sleep(0.002)
    code = os.waitstatus_to_exitcode(status)
    return Ended(code, time.monotonic() - started, log.read_text(errors="replace"), met)


def _fork(argv: list[str], folder: Path, log: Path, temporary: Path) -> int:
    ready, tell = os.pipe()
    pid = os.fork()
    if pid:
        os.close(tell)
        os.read(ready, 1)
        os.close(ready)
        return pid
    code = 99
    try:
        os.setpgid(0, 0)
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1), os.dup2(out, 2)
        os.chdir(folder)
        os.environ["TMPDIR"], tempfile.tempdir = str(temporary), None
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.write(tell, b"1")
        code = command_line(argv)
        sys.stdout.flush(), sys.stderr.flush()
    except SystemExit as stop:
        code = int(stop.code or 0)
    except BaseException:  # noqa: BLE001  what the interpreter would print
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _own(argv: list[str], folder: Path, log: Path, temporary: Path) -> int:
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "sccase_kit", *argv],
            **{"cwd": folder, "stdout": out, "stderr": out, "env": {**os.environ, "TMPDIR": str(temporary)}},
            preexec_fn=lambda: (os.setpgid(0, 0), signal.signal(signal.SIGINT, signal.SIG_DFL)),
        )
    process.returncode = 0  # it is waited for by its number
    return process.pid


def digest(path: Path) -> dict[str, str]:
    """Return element → digest of a file, or of the files of a folder: arrays of HDF5, lines of text, else all bytes."""
    if path.is_dir():
        inner = [p for p in sorted(path.rglob("*")) if p.is_file() and ".unfinished." not in str(p)]
        return {f"{p.relative_to(path)}/{k}": v for p in inner for k, v in digest(p).items()}
    if path.suffix in (".h5ad", ".h5"):
        found = {}
        with h5py.File(path, "r") as store:
            store.visititems(lambda name, e: found.update({name: _hash(e)}) if isinstance(e, h5py.Dataset) else None)
        return found
    if path.suffix in (".tsv", ".txt", ".bed", ".gmt", ".csv", ".md", ".sh", ".json", ".bedgraph", ".bedGraph"):
        lines = path.read_text(errors="replace").splitlines()
        return {f"line {k}": _hash_bytes(line.encode()) for k, line in enumerate(lines)}
    if path.suffix == ".html":  # the minute at which it was made aside
        return {"bytes": _hash_bytes(re.sub(rb"\d{4}-\d\d-\d\d \d\d:\d\d UTC", b"", path.read_bytes()))}
    return {"bytes": _hash_bytes(path.read_bytes())}


def _hash(element: h5py.Dataset) -> str:
    value = element[()]
    raw = value.tobytes() if isinstance(value, np.ndarray) and value.dtype.kind != "O" else repr(value).encode()
    if isinstance(value, np.ndarray) and value.dtype.kind == "O":
        raw = b"\0".join(v if isinstance(v, bytes) else str(v).encode() for v in value.ravel())
    return _hash_bytes(raw)


def _hash_bytes(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


ENDS = {".html": b"</html>", ".png": b"IEND\xaeB`\x82", ".pdf": b"%%EOF", ".svg": b"</svg>"}


def ends_well(path: Path) -> bool:
    """Return whether files of pages and pictures have their end."""
    files = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
    return all(p.read_bytes().rstrip().endswith(ENDS[p.suffix]) for p in files if p.suffix in ENDS)


def snapshot(folder: Path) -> dict[str, str]:
    """Return file → digest of its bytes, hidden ones too."""
    return {str(p.relative_to(folder)): _hash_bytes(p.read_bytes()) for p in sorted(folder.rglob("*")) if p.is_file()}


def hidden(folder: Path) -> list[str]:
    """Return what is hidden below a folder, the innards of zarr aside."""
    return [str(p.relative_to(folder)) for p in folder.rglob("*") if ".unfinished." in p.name]


@dataclass
class Whole:
    """What whole runs of a job make: elements of its outputs (None where they change), and times."""

    elements: dict[str, dict[str, str | None]]
    kept: Path
    seconds: dict[bool, float]

    def is_new(self, folder: Path, output: str, *, part: str | None = None) -> str | None:
        """Return what is wrong with an output that should be as whole runs make it, or None."""
        path = folder / output
        if not path.exists():
            return f"{output} is missing"
        try:
            found = digest(path)
        except OSError as err:
            return f"{output} cannot be read: {err}"
        want = self.elements[output]
        if part is not None:
            want = {k: v for k, v in want.items() if k.startswith(f"{part}/")}
            found = {k: v for k, v in found.items() if k.startswith(f"{part}/")}
        if found.keys() != want.keys():
            return f"{output}: elements differ: {sorted(found.keys() ^ want.keys())[:4]}"
        wrong = [k for k, v in want.items() if v is not None and found[k] != v]
        if wrong:
            return f"{output}: other values in {wrong[:4]}"
        return None if ends_well(path) else f"{output} has lost its end"


def prepare(job: Job, folder: Path, files: dict[str, str], *, earlier: Path | None) -> list[str]:
    """Empty the folder, put copies of inputs and earlier outputs there, and return the arguments."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(folder.parent / "tmp", ignore_errors=True)
    folder.mkdir(parents=True)
    for name, source in job.starts_with.items():
        shutil.copyfile(files[source], folder / name)
    if earlier is not None:
        for output in job.outputs:
            place = earlier / output
            if output not in job.starts_with:
                (shutil.copytree if place.is_dir() else shutil.copyfile)(place, folder / output)
    return [*(part.format(**files) for part in job.argv), "--quiet"]


def whole_runs(job: Job, base: Path, files: dict[str, str]) -> Whole:
    """Run a job twice: forked, and in a process of its own."""
    folder, kept = base / "at work", base / "kept"
    seconds, found = {}, []
    for own in (False, True):
        argv = prepare(job, folder, files, earlier=None)
        ended = run(argv, folder, own=own)
        if ended.code != 0:
            msg = f"{argv} ended with {ended.code}: {ended.text[-2000:]}"
            raise RuntimeError(msg)
        seconds[own] = ended.seconds
        found.append({output: digest(folder / output) for output in job.outputs})
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(folder, kept)
    first, second = found
    elements = {
        output: {k: v if first[output].get(k) == v else None for k, v in second[output].items()} for output in second
    }
    return Whole(elements, kept, seconds)


def after_kill(job: Job, whole: Whole, folder: Path, before: dict[str, str], number: int) -> list[str]:
    """Return what is wrong in the folder of a killed run."""
    wrong = []
    now = snapshot(folder)
    strange = [
        name
        for name in now
        if ".unfinished." not in name and not any(name == o or name.startswith(f"{o}/") for o in job.outputs)
    ]
    if strange:
        wrong.append(f"other files: {strange[:4]}")
    if number != signal.SIGKILL and hidden(folder):
        wrong.append(f"hidden files stay: {hidden(folder)[:3]}")
    for output in job.outputs:
        old = {k: v for k, v in before.items() if k == output or k.startswith(f"{output}/")}
        mine = {k: v for k, v in now.items() if (k == output or k.startswith(f"{output}/")) and ".unfinished." not in k}
        if mine == old:
            continue
        if not (folder / output).is_dir() or output.endswith(".zarr"):
            if not mine and _set_aside(folder, output):
                continue  # between the two moves that replace a folder: the next run puts it back
            if problem := whole.is_new(folder, output):
                wrong.append(problem)
            continue
        for name, value in mine.items():  # a folder of files, each old or new
            inner = str(Path(name).relative_to(output))
            if old.get(name) != value and (problem := whole.is_new(folder, output, part=inner)):
                wrong.append(problem)
        gone = [name for name in old if name not in mine and not _set_aside(folder, output)]
        if gone:
            wrong.append(f"{output}: lost {gone[:4]}")
    return wrong


def _set_aside(folder: Path, output: str) -> bool:
    """Return whether what was there before lies in a hidden folder, from which the next run takes it back."""
    return any(p.name == "replaced" for p in folder.rglob("replaced"))


def left_running(group: int) -> bool:
    """Return whether processes of a group are there after two seconds."""
    for _ in range(40):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.05)
    return True


def kill_once(
    job: Job, whole: Whole, base: Path, files: dict[str, str], rng: np.random.Generator, *, own: bool
) -> tuple[str, list[str]]:
    """Kill a job once and run it again; return the signal (or "too late", "too early") and what is wrong."""
    folder = base / "at work"
    number = SIGNALS[rng.integers(len(SIGNALS))]
    earlier = whole.kept if rng.random() < 0.5 else None
    argv = prepare(job, folder, files, earlier=earlier)
    before = snapshot(folder)
    inputs = {path: Path(path).stat().st_mtime_ns for path in files.values()}
    ended = run(argv, folder, own=own, number=number, after=rng.random() * whole.seconds[own])
    done = number != signal.SIGKILL and ended.text.strip() and LAST not in ended.text  # its results are printed
    if not ended.met or ended.code == 0 or (done and not any(whole.is_new(folder, o) for o in job.outputs)):
        return "too late", []
    wrong = after_kill(job, whole, folder, before, number)
    if number == signal.SIGKILL:
        if ended.code != -number:
            wrong.append(f"code {ended.code}")
    else:
        lines = ended.text.strip().splitlines()
        if own and not lines and ended.code == -number and not wrong:  # Python itself was starting: it meets no signals
            return "too early", []
        codes = {128 + number}
        if own and number == signal.SIGINT:  # `python -m` can end so after Ctrl-C inside exec(text); a shell shows 130
            codes.add(-number)
        if ended.code not in codes or not lines or lines[-1] != LAST or "Traceback" in ended.text:
            wrong.append(f"{number.name}: code {ended.code}, said {ended.text.strip()[-300:]!r}")
        if left := os.listdir(folder.parent / "tmp"):
            wrong.append(f"temporary files stay: {left[:3]}")
    if {path: Path(path).stat().st_mtime_ns for path in files.values()} != inputs:
        wrong.append("an input was changed")
    again = run(argv, folder, own=False)
    if again.code != 0:
        wrong.append(f"the rerun ended with {again.code}: {again.text[-300:]}")
    wrong += [f"after the rerun: {p}" for o in job.outputs if (p := whole.is_new(folder, o))]
    if hidden(folder):
        wrong.append(f"hidden after the rerun: {hidden(folder)[:3]}")
    return number.name, wrong


def main(arguments: list[str] | None = None) -> int:
    """Kill and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=8, help="kills of each job")
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--faults", type=Path)
    args = parser.parse_args(arguments)
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    os.environ["MPLBACKEND"] = "agg"
    table: dict[str, collections.Counter] = {}
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        (base / "inputs").mkdir()
        made = subprocess.run(
            [sys.executable, __file__, "--make", str(base / "inputs")], check=True, capture_output=True, text=True
        )
        files = json.loads(made.stdout.splitlines()[-1])
        _import_everything()
        for job_name in JOBS if args.only is None else args.only:
            job, rng = JOBS[job_name], np.random.default_rng([args.seed, list(JOBS).index(job_name)])
            whole = whole_runs(job, base, files)
            counts = table[job_name] = collections.Counter()
            tries = 0
            while sum(counts[s.name] for s in set(SIGNALS)) < args.kills and tries < 3 * args.kills:
                tries += 1
                kind, wrong = kill_once(job, whole, base, files, rng, own=tries % 4 == 0)
                counts[kind] += 1
                counts["faults"] += bool(wrong)
                faults += [f"{job_name}\t{kind}\t{text}" for text in wrong]
                for text in wrong:
                    print(f"{job_name}: {kind}: {text}", file=sys.stderr, flush=True)
            print(f"{job_name}: {dict(counts)}", file=sys.stderr, flush=True)
    columns = ["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "too early", "too late", "faults"]
    frame = pd.DataFrame(table).T.reindex(columns=columns).fillna(0).astype(int)
    frame.loc["all"] = frame.sum()
    print(frame.to_string())
    if args.faults is not None:
        args.faults.write_text("\n".join([*faults, ""]))
    return int(bool(faults))


def _import_everything() -> None:
    import importlib

    import sccase_kit.cli as cli

    for name in ["matplotlib.pyplot", "sklearn.decomposition", "sklearn.cluster", "scanpy", "zarr", "numba", "pooch"]:
        importlib.import_module(name)
    for name in cli.COMMANDS:
        importlib.import_module(f"sccase_kit._commands.{name.replace('-', '_')}")
    for name in sk.__all__:
        getattr(sk, name)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--make"]:
        print(json.dumps(write_inputs(Path(sys.argv[2]))))
        sys.exit(0)
    sys.exit(main())
