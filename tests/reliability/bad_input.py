"""Bad input to every public function: what comes back must be a result, or an error that the package raises itself.

    python tests/reliability/bad_input.py                 # a table by module; lines of what failed

Every function gets one strange value for all of its required arguments; then for each of its arguments in turn, with
sound ones for the rest, where the first is called adata or the function says what its arguments must be
(:mod:`sccase_kit._arguments`). An error is told if a `raise` of the package made it, of a class that users are told of;
every other error is raw: one of another library, or what Python says of a wrong type.
"""

from __future__ import annotations

import argparse
import collections
import faulthandler
import inspect
import linecache
import os
import signal
import sys
import tempfile
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

import sccase_kit as sk
from sccase_kit import _arguments
from sccase_kit._optional import MissingProgramError

PARTS = [
    "datasets",
    "enhance",
    "fragments",
    "genes",
    "get",
    "io",
    "metrics",
    "motifs",
    "peaks",
    "pl",
    "pp",
    "regions",
    "tl",
]
PARTS += ["report"]
#: Starts a server. Not here are sk.r, sk.datasets and sk.paper, which start R, downloads and long runs: own tests.
LEFT_OUT = {"browse"}
TOLD = (
    ValueError,
    TypeError,
    LookupError,
    OSError,
    ImportError,
    RuntimeError,
    MissingProgramError,
    NotImplementedError,
)
SECONDS = 20
#: Sizes of sound arrays, by the words of the checks; 4 of whatever else.
SIZES = {"components": 3, "cells": 6, "peaks": 4, "ends": 2}
PACKAGE = Path(sk.__file__).parent


def _frame() -> pd.DataFrame:
    return pd.DataFrame({"chrom": ["chr1", None], "start": [5, -1], "end": [1, 9], "x": ["a", 1.5]})


def _odd() -> AnnData:
    adata = AnnData(np.array([["a", "b"]], dtype=object).astype("U1").view(np.ndarray)[:, :0].astype(float))
    adata.obs["cell_type"] = [None] * adata.n_obs
    return adata


#: Name → how the value is made.
STRANGE: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "a number": lambda: 3,
    "minus one": lambda: -1,
    "NaN": lambda: float("nan"),
    "a huge number": lambda: 10**30,
    "text": lambda: "no such thing",
    "empty text": lambda: "",
    "bytes": lambda: b"\x00\xff",
    "an empty list": list,
    "an empty dict": dict,
    "a list of lists": lambda: [[1, "a"], []],
    "a set": lambda: {1, "a"},
    "an array of objects": lambda: np.array([None, "a", 1], dtype=object),
    "an array of NaN": lambda: np.full((3, 4), np.nan),
    "an array of three dimensions": lambda: np.zeros((2, 2, 2)),
    "an empty array": lambda: np.zeros((0, 0)),
    "a sparse matrix": lambda: sparse.csr_matrix((3, 3)),
    "a table": _frame,
    "an empty table": pd.DataFrame,
    "an AnnData without peaks": _odd,
    "a function": lambda: lambda *_, **__: None,
    "an object": object,
}


def functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield every public function and class with its place."""
    for part in PARTS:
        module = getattr(sk, part)
        for name in module.__all__:
            value = getattr(module, name)
            if isinstance(value, types.FunctionType) and name not in LEFT_OUT:
                yield f"{part}.{name}", value


def required(function: Callable[..., Any]) -> list[str]:
    """Return the names of the arguments without a default."""
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.default is p.empty and p.kind not in kinds]


def cases(function: Callable[..., Any], study: AnnData) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a description and arguments."""
    parameters = [
        p for p in inspect.signature(function).parameters.values() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    needed = required(function)
    for what, make in STRANGE.items():
        if needed:
            yield f"all: {what}", {name: make() for name in needed}
        if needed[:1] == ["adata"]:
            sound: dict[str, Any] = {"adata": study.copy()}
            sound |= dict.fromkeys(needed[1:], "cell_type")
            for name in [p.name for p in parameters if p.name != "adata"]:
                yield f"{name}: {what}", sound | {"adata": study.copy(), name: make()}
        elif checks := getattr(function, "__checks__", {}):
            for name in [p.name for p in parameters]:
                own = {p: _sound(checks.get(p), p) for p in needed}
                if all(value is not None for p, value in own.items() if p != name):
                    yield f"{name}: {what}", own | {name: make()}


def _sound(check: Any, name: str) -> Any:
    """Return a value that an argument may have, by what the function says of it; None where it does not say."""
    match check:
        case _arguments.Numbers(whole=True) as numbers:
            return np.zeros([SIZES.get(word, 4) for word in numbers.sizes.split()], dtype=np.int64)
        case _arguments.Numbers() as numbers:
            return np.random.default_rng(0).uniform(0.1, 1, [SIZES.get(word, 4) for word in numbers.sizes.split()])
        case _arguments.Matrix() as matrix:
            shape = [SIZES.get(word, 4) for word in matrix.sizes.split()]
            return sparse.csr_matrix(np.random.default_rng(0).integers(1, 3, shape))
        case _arguments.Table() as table:
            known = {"chrom": ["chr1"] * 4, "start": [10, 400, 900, 1600], "end": [200, 600, 1100, 1900]}
            known |= {"tss": [10, 600, 900, 1899], "strand": list("+-+-")}
            return pd.DataFrame({c: known[c] for c in table.needed})
        case _arguments.Labels():
            return list("aabb")
        case _arguments.Whole():
            return 1
        case _arguments.Number():
            return 0.5
        case _arguments.Generator():
            return np.random.default_rng(0)
        case _arguments.Text():
            return "human:blood"
        case _arguments.Named():
            return {"a": np.array([0, 1])}
    return None


class _SlowError(Exception):
    pass


def _too_slow(*_: object) -> None:
    raise _SlowError


def _raised(place: types.TracebackType) -> bool:
    """Return whether the line that failed is a `raise` of the package."""
    file = place.tb_frame.f_code.co_filename
    return PACKAGE in Path(file).parents and linecache.getline(file, place.tb_lineno).strip().startswith("raise")


def outcome(function: Callable[..., Any], arguments: dict[str, Any]) -> tuple[str, str]:
    """Return "result", "told", "raw" or "slow", and the error."""
    signal.alarm(SECONDS)
    faulthandler.dump_traceback_later(2 * SECONDS, exit=True)  # compiled code that no signal reaches
    try:
        return judge(function, arguments)
    except _SlowError:
        return "slow", ""
    finally:
        signal.alarm(0)
        faulthandler.cancel_dump_traceback_later()
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")


def judge(function: Callable[..., Any], arguments: dict[str, Any]) -> tuple[str, str]:
    """Return "result", "told" or "raw", and the error."""
    try:
        function(**arguments)
    except _SlowError:
        raise
    except Exception as err:  # noqa: BLE001  every error is judged
        place = err.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        ours = bool(getattr(err, "__notes__", None)) or (place is not None and _raised(place))
        kind = "told" if ours and isinstance(err, TOLD) else "raw"
        where = "" if place is None else f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}"
        return kind, f"{type(err).__name__}: {str(err).splitlines()[0] if str(err) else ''!s:.150} [{where[-60:]}]"
    return "result", ""


def main(arguments: list[str] | None = None) -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", help="functions, such as tl.enhance")
    args = parser.parse_args(arguments)
    os.environ["MPLBACKEND"] = "agg"
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, _too_slow)
    study = sk.datasets.toy_study(n_cells=40, n_peaks=200).adata
    sk.tl.enhance(study, 3, method="sccase", max_iter=2)
    table: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    seen: set[tuple[str, str]] = set()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name, function in functions():
            if args.only and name not in args.only:
                continue
            for what, given in cases(function, study):
                kind, error = outcome(function, given)
                table[name.split(".")[0]][kind] += 1
                key = (name, error.rpartition("[")[2])
                if kind in ("raw", "slow") and key not in seen:
                    seen.add(key)
                    print(f"{kind}: {name}({what}): {error}", flush=True)
    frame = pd.DataFrame(table).T.reindex(columns=["result", "told", "raw", "slow"]).fillna(0).astype(int)
    frame.loc["all"] = frame.sum()
    print(frame.to_string())
    return int(frame.loc["all", "raw"] > 0)


if __name__ == "__main__":
    sys.exit(main())
