"""The calls that made the stored results, and the versions of what is installed."""

from __future__ import annotations

import inspect
import platform
from collections.abc import Callable, Collection, Mapping
from importlib import metadata
from typing import Any

import numpy as np
import pandas as pd

from .._calls import BEFORE, STORED, has_params, made_by, steps
from ..enhance.published import LAMBDA, LAMBDA_REFERENCE

PACKAGES = [
    "numpy",
    "scipy",
    "pandas",
    "anndata",
    "scanpy",
    "scikit-learn",
    "numba",
    "igraph",
    "matplotlib",
]
#: What the script says of where it starts, and of changes that are not recorded.
UNRECORDED = "read the counts before these steps of sk.pp; repeat here what else changed cells, peaks or counts"
NO_STEPS = "no step of sk.pp is recorded: repeat here what changed cells, peaks or counts"
_Entry = tuple[str, Mapping[str, Any]]
#: Texts that stand for the default of a parameter, beside the empty one.
_DEFAULTS = {"layer": "X", "depth": "counts"}
_UNUSED = object()


def versions() -> pd.DataFrame:
    """Return name and version of Python, this package and what it computes with."""
    rows = [("Python", platform.python_version()), ("system", platform.platform())]
    for name in ["sccase_kit", *PACKAGES]:
        try:
            rows.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            rows.append((name, "missing"))
    return pd.DataFrame(rows, columns=["package", "version"])


def parameter_table(uns: Mapping[str, Any]) -> pd.DataFrame:
    """Return where, function, parameter and value of every stored parameter, the steps of preparation first.

    Parameters that played no part are left out.
    """
    calls = [(f"step {number}", *step) for number, step in enumerate(steps(uns), start=1)]
    calls += [(key, made_by(e) or "", e["params"]) for key, e in uns.items() if has_params(e)]
    rows = []
    for where, function, params in calls:
        known = inspect.signature(target).parameters if (target := _target(function)) else {}
        shown = {name: _shown(params, known[name]) if name in known else value for name, value in params.items()}
        rows += [(where, function, name, value) for name, value in shown.items() if value is not _UNUSED]
    return pd.DataFrame(rows, columns=["stored in", "function", "parameter", "value"]).astype({"value": object})


def _shown(params: Mapping[str, Any], parameter: inspect.Parameter) -> Any:
    """Return a stored argument as the table shows it: in words what None stands for, `_UNUSED` to leave it out."""
    value, name = _argument(params, parameter), parameter.name
    if value is not None:
        return value
    stored = params[name]
    return _DEFAULTS.get(name) or ("none" if isinstance(stored, (str, bool, np.bool_)) else "default")


def _argument(params: Mapping[str, Any], parameter: inspect.Parameter) -> Any:
    """Return an argument from its stored form, `_UNUSED` if it played no part.

    Files hold no None, so '', 'X' and −1 may stand for it, and 0 for "auto"; of what no file holds, such as a
    reference, there is only whether it was given.
    """
    name, default, value = parameter.name, parameter.default, params[parameter.name]
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, np.generic):
        value = value.item()
    if name == "n_reference" and not params.get("reference"):
        return _UNUSED
    if name in {"reference", "background"} and isinstance(value, bool):
        return "given" if value else None
    if isinstance(value, str) and value in {"", _DEFAULTS.get(name)}:
        return None if default is None else _UNUSED
    if default is None and isinstance(value, int) and value == -1:
        return None
    if default == "auto" and value == 0:
        return "auto"
    return value


def call(function: str, key: str, params: Mapping[str, Any], made: Collection[str] = ()) -> str:
    """Return the line that calls `function` with what differs from its defaults.

    A comment names what no parameter holds and must be given; `made` are the keys of `varm` that earlier lines write.
    """
    target = _target(function)
    if target is None:
        return f"# sk.{function}: not in this version"
    given, wanted, notes = [], [], []
    parameters = inspect.signature(target).parameters
    for parameter in list(parameters.values())[1:]:
        if parameter.name == "key_added":
            if key not in (parameter.default, params.get("method")):
                given.append(f"key_added={key!r}")
            continue
        if parameter.name not in params:
            if parameter.default is parameter.empty:
                given.append(f"{parameter.name}={parameter.name}")
                wanted.append(parameter.name)
            continue
        value = _argument(params, parameter)
        if value is _UNUSED:
            continue
        if isinstance(value, str) and value == "given":
            given.append(f"{parameter.name}={parameter.name}")
            wanted.append(parameter.name)
            continue
        if parameter.name == "rng" and value == "generator":
            notes.append("rng: no number was given then, so the results differ by chance")
            continue
        if function == "tl.chromvar" and parameter.name in {"annotations", "background"} and isinstance(value, str):
            if value not in made:
                notes.append(f"adata.varm[{value!r}] must be there, as it was then")
        if parameter.default is parameter.empty or not _same(value, parameter.default):
            given.append(f"{parameter.name}={value!r}")
    text = f"sk.{function}({', '.join(['adata', *given])})"
    if function.startswith("pp.") and "copy" not in parameters:  # it returns other data
        text = f"adata = {text}"
    if wanted:
        notes.insert(0, f"give what was used then: {', '.join(wanted)}")
    return f"{text}  # {'; '.join(notes)}" if notes else text


def _target(function: str) -> Callable[..., Any] | None:
    """Return a function of this package by its name, such as "tl.enhance", or None."""
    import sccase_kit

    package, _, name = function.partition(".")
    return getattr(getattr(sccase_kit, package, None), name, None) if name else None


def _same(value: Any, default: Any) -> bool:
    if isinstance(default, range):
        return list(value) == list(default)
    return isinstance(value, bool) == isinstance(default, bool) and value == default


def _stored_params(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the parameters of an entry as they were given.

    A clustering without a wanted number has its resolution beside them, and a fit holds the λ that None stood for.
    """
    params, function = entry["params"], made_by(entry)
    if function == "tl.cluster" and params["n_clusters"] == -1:
        return {**params, "resolution": entry["resolution"]}
    if function == "tl.enhance":
        default = LAMBDA_REFERENCE if params["solver"] == "published" and params.get("reference") else LAMBDA
        return {**params, "lam": ""} if params.get("lam") == default else params
    return params


def code(uns: Mapping[str, Any], *, source: str = "counts.h5ad") -> str:
    """Return a script of the calls that are stored: steps of preparation as they came, results in a study's order.

    It repeats the results, for numbers as seeds, from the counts that went into the first call.

    Parameters
    ----------
    uns
        `adata.uns`.
    source
        File that is read.
    """
    order = list(STORED)
    known = {key: (name, _stored_params(entry)) for key, entry in uns.items() if (name := made_by(entry))}
    keys = sorted(known, key=lambda key: (order.index(known[key][0]), _generation(key, known)))
    done = steps(uns)
    lines = ["import sccase_kit as sk", "", f"adata = sk.read({source!r})", f"# {UNRECORDED if done else NO_STEPS}"]
    made: set[str] = set()
    for number in range(len(done) + 1):
        for key in (key for key in keys if _steps_before(uns[key], len(done)) == number):
            function, params = known[key]
            lines.append(call(function, key, params, made))
            made |= _made(key, function, params)
        lines += [call(function, "", params) for function, params in done[number : number + 1]]
    return "\n".join(lines)


def _steps_before(entry: Mapping[str, Any], n_steps: int) -> int:
    before = entry.get(BEFORE)
    return min(int(before), n_steps) if isinstance(before, (int, np.integer)) and before >= 0 else n_steps


def _made(key: str, function: str, params: Mapping[str, Any]) -> set[str]:
    """Return the keys of `varm` that a call writes and :func:`sccase_kit.tl.chromvar` may read."""
    if function == "tl.match_motifs":
        return {key}
    if function != "tl.chromvar":
        return set()
    return {f"{key}_background"} | ({f"{key}_sets"} if params.get("annotations") == "given" else set())


def _generation(key: str, known: Mapping[str, _Entry], seen: frozenset[str] = frozenset()) -> int:
    """Return how many runs of chromvar one after the other come before this one, as each reads what the last wrote."""
    function, params = known[key]
    if function != "tl.chromvar":
        return 0
    read = {params.get("annotations"), params.get("background")}
    seen |= {key}
    others = [k for k in known if k not in seen and read & _made(k, *known[k])]
    return max((1 + _generation(k, known, seen) for k in others if known[k][0] == "tl.chromvar"), default=0)
