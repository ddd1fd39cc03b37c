"""Small disks that fill up, a study, and a process that forks children to be interrupted or killed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import sccase_kit as sk

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

#: Imports everything once; for every line (output file, folder, code) forks a child that runs the code there, and
#: answers with its exit status. SIGINT is set back to Python's own: a shell starts background jobs with it ignored.
NURSERY = """
import json, os, signal, sys, traceback
import h5py, matplotlib.pyplot, requests, pandas, sklearn.decomposition
import sccase_kit as sk
import sccase_kit.cli, sccase_kit._commands.report
from sccase_kit import _atomic
from sccase_kit.io import _write_enhanced
parts = [getattr(sk, name) for name in sk.__all__]

def die(number):
    os.kill(os.getpid(), number)
    for _ in range(1000): pass

def once(module, name, number, calls=1):
    "Let the call of that number of a function be met by the signal."
    real, count = getattr(module, name), iter(range(1, 10**6))
    def stopped(*args, **kwargs):
        if next(count) == calls:
            die(number)
        return real(*args, **kwargs)
    setattr(module, name, stopped)

for line in sys.stdin:
    log, folder, code = json.loads(line)
    pid = os.fork()
    if pid == 0:
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1), os.dup2(out, 2)
        os.chdir(folder)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        status = 0
        try:
            exec(compile(code, "child", "exec"))
        except SystemExit as stop:
            status = stop.code or 0
        except BaseException:
            traceback.print_exc()
            status = 99
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(status)
    print(json.dumps(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])), flush=True)
"""


@dataclass(frozen=True)
class Ended:
    """How a child ended (minus the signal that killed it) and what it printed."""

    code: int
    text: str


@pytest.fixture(scope="session")
def nursery():
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", NURSERY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **ONE_THREAD, "MPLBACKEND": "agg"},
    )
    yield process
    process.stdin.close()
    process.stdout.close()
    process.wait(timeout=30)


@pytest.fixture
def child(nursery, tmp_path):
    """Run code in a child of its own, in `folder`; `sk`, `die` and `once` are there."""

    def run(code: str, folder: Path = tmp_path) -> Ended:
        log = tmp_path.with_name(f"{tmp_path.name}.log")
        nursery.stdin.write(json.dumps([str(log), str(folder), code]) + "\n")
        nursery.stdin.flush()
        status = json.loads(nursery.stdout.readline())
        return Ended(status, log.read_text())

    return run


@pytest.fixture(scope="session")
def study():
    return sk.datasets.toy_study(n_cells=120, n_peaks=600)


@pytest.fixture(scope="session")
def fitted(study):
    adata = study.adata.copy()
    sk.pp.filter_peaks(adata)
    sk.tl.enhance(adata)
    return adata


@pytest.fixture(scope="session")
def files(study, fitted, tmp_path_factory):
    """Counts, enhanced data and the files of the study."""
    folder = tmp_path_factory.mktemp("files")
    fitted.write_h5ad(folder / "enhanced.h5ad")
    return {**study.write(folder), "enhanced": folder / "enhanced.h5ad"}


def _mount(folder: Path, size: str) -> None:
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("a disk of its own can be mounted by root alone")
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 512 kB."""
    folder = tmp_path / "small disk"
    _mount(folder, "512k")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def read_only(tmp_path):
    """A disk that can be read only; it holds old.h5ad, old.html and old.bed."""
    folder = tmp_path / "read-only"
    _mount(folder, "512k")
    for name in ("old.h5ad", "old.html", "old.bed"):
        (folder / name).write_text("previous")
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
