"""Programs of others that are compared with the paper's model where they are installed."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from anndata import AnnData
from scipy import sparse


@dataclass(frozen=True)
class Baseline:
    """A program that can be imported.

    Attributes
    ----------
    name
        Of its rows.
    module
        What is imported.
    package
        What is installed.
    run
        From counts and a seed to a cells × peaks matrix.
    """

    name: str
    module: str
    package: str
    run: Callable[..., np.ndarray]


def magic(adata: AnnData, *, rng: int) -> np.ndarray:
    """Return what MAGIC (van Dijk et al. 2018) makes of the square roots of counts of equal totals; dense."""
    program = importlib.import_module("magic")

    counts = sparse.csr_matrix(adata.X, dtype=np.float64)
    depth = np.asarray(counts.sum(axis=1)).ravel()
    scaled = sparse.diags(np.median(depth) / np.maximum(depth, 1)) @ counts
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own dependencies
        operator = program.MAGIC(random_state=rng, n_jobs=1, verbose=0)
        return np.asarray(operator.fit_transform(np.sqrt(scaled).toarray()), dtype=np.float32)


#: Components that a program is asked for where it takes a number: scOpen's default, and SCALE's.
_COMPONENTS = 30
#: Adapters of what this package computes itself.
_OWN = ("sccase_published",)


def find_adapters(folder: str | os.PathLike[str]) -> tuple[dict[str, Callable[..., AnnData]], dict[str, str]]:
    """Return the programs that adapters of a folder run, each in an environment of its own.

    Parameters
    ----------
    folder
        With ``runner.py`` and adapters, as ``benchmarks/adapters`` of the repository; its README says how they are
        installed.

    Returns
    -------
    Name → method, name → how to get it.

    Raises
    ------
    FileNotFoundError
        If there is no ``runner.py``.
    """
    script = Path(folder) / "runner.py"
    if not script.is_file():
        msg = (
            f"adapters={os.fspath(folder)!r} holds no runner.py; give the folder benchmarks/adapters of the repository"
        )
        raise FileNotFoundError(msg)
    spec = importlib.util.spec_from_file_location("sccase_kit_adapters", script)
    if spec is None or spec.loader is None:
        msg = f"{script} cannot be imported"
        raise ImportError(msg)
    runner = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = runner  # its dataclasses look for their module
    try:
        spec.loader.exec_module(runner)
    finally:
        del sys.modules[spec.name]
    found: dict[str, Callable[..., AnnData]] = {}
    missing: dict[str, str] = {}
    for name, adapter in runner.adapters().items():
        if name in _OWN:
            continue
        if adapter.interpreter is None:
            missing[name] = adapter.why_not()
        else:
            found[name] = Program(adapter)
    return found, missing


# Waits for a program and writes its seconds and the peak of its memory (bytes); a small process, because on Linux the
# peak of a child starts at that of its parent.
_WATCH = """
import json, os, subprocess, sys, time
started = time.perf_counter()
process = subprocess.Popen(sys.argv[2:])
_, status, usage = os.wait4(process.pid, 0)
unit = 1 if sys.platform == "darwin" else 1024
with open(sys.argv[1], "w") as file:
    json.dump([time.perf_counter() - started, usage.ru_maxrss * unit], file)
sys.exit(os.waitstatus_to_exitcode(status))
"""


@dataclass(frozen=True, repr=False)
class Program:
    """A program that an adapter runs, as a method of comparisons.

    Attributes
    ----------
    adapter
        Of ``benchmarks/adapters/runner.py``.
    """

    adapter: Any

    def __repr__(self) -> str:
        return f"adapter {self.adapter.name}"

    def __call__(self, adata: AnnData, *, rng: int) -> AnnData:
        """Return what the program makes of counts."""
        result: AnnData = self.adapter.run(adata, n_components=min(_COMPONENTS, min(adata.shape) - 1), seed=rng)
        return result

    def measured(self, adata: AnnData, n_components: int) -> tuple[float, float]:
        """Return the seconds of the program in a process of its own, and the peak of its memory in bytes."""
        with tempfile.TemporaryDirectory() as folder:
            told = Path(folder) / "usage.json"
            prefix = [sys.executable, "-c", _WATCH, str(told)]
            self.adapter.run(adata, n_components=n_components, seed=0, prefix=prefix)
            seconds, peak = json.loads(told.read_text())
        return float(seconds), float(peak)


#: What is looked for. The baselines of the paper cannot be imported beside this package; see :func:`find_adapters`.
BASELINES = (Baseline("MAGIC", "magic", "magic-impute", magic),)


def find_baselines() -> tuple[dict[str, Callable[..., np.ndarray]], dict[str, str]]:
    """Return the methods that are installed, and why the others are not there.

    Returns
    -------
    Name → method, name → how to get it.
    """
    found, missing = {}, {}
    for baseline in BASELINES:
        if importlib.util.find_spec(baseline.module) is None:
            missing[baseline.name] = f"not installed: pip install {baseline.package}"
            continue
        try:
            importlib.import_module(baseline.module)
        except Exception as err:  # noqa: BLE001  a broken program must not take the experiments with it
            missing[baseline.name] = f"installed, but its import fails: {type(err).__name__}: {err}"
        else:
            found[baseline.name] = baseline.run
    return found, missing
