"""The calls that made the stored results, and the versions of what is installed."""

from __future__ import annotations

import inspect
import platform
from collections.abc import Callable, Collection, Mapping
from importlib import metadata
from typing import Any

import numpy as np
import pandas as pd

from ..enhance._published import LAMBDA, LAMBDA_REFERENCE

PACKAGES = [
    "numpy",
    "scipy",
    "pandas",
    "anndata",
    "scanpy",
    "scikit-learn",
    "numba",
    "igraph",
    "leidenalg",
    "matplotlib",
]
#: What no parameters are stored of, as the script says it.
UNRECORDED = "filters of peaks and cells, binarisation and other preparation are not recorded: repeat them here"
#: Functions whose parameters are stored, in the order of a study, with parameters that tell their entries.
STORED = {
    "pp.tfidf": {"variant"},
    "tl.estimate_k": {"k_values", "min_fraction"},
    "tl.enhance": {"solver", "keep_probability"},
    "tl.cluster": {"use_rep", "n_clusters"},
    "tl.specific_peaks": {"groupby", "min_specificity"},
    "tl.background_peaks": {"n_top", "key"},
    "tl.scabc": {"groupby", "engine", "compat", "source"},
    "tl.match_motifs": {"p_cutoff"},
    "tl.chromvar": {"source", "bias", "n_background"},
    "tl.great": {"genome", "gene_sets"},
}
_Entry = tuple[str, Mapping[str, Any]]


def versions() -> pd.DataFrame:
    """Return name and version of Python, this package and what it computes with."""
    rows = [("Python", platform.python_version()), ("system", platform.platform())]
    for name in ["sccase_kit", *PACKAGES]:
        try:
            rows.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            rows.append((name, "missing"))
    return pd.DataFrame(rows, columns=["package", "version"])


def has_params(entry: object) -> bool:
    """Return whether an entry of `uns` holds the parameters of a function."""
    return isinstance(entry, Mapping) and isinstance(entry.get("params"), Mapping)


def made_by(params: Mapping[str, Any]) -> str | None:
    """Return the function that stores such parameters, or None."""
    fitting = [name for name, wanted in STORED.items() if wanted <= set(params)]
    return max(fitting, key=lambda name: len(STORED[name]), default=None)


def parameter_table(uns: Mapping[str, Any]) -> pd.DataFrame:
    """Return key, function, parameter and value of every stored parameter."""
    rows = [
        (key, made_by(entry["params"]) or "", name, value)
        for key, entry in uns.items()
        if has_params(entry)
        for name, value in entry["params"].items()
    ]
    return pd.DataFrame(rows, columns=["stored in", "function", "parameter", "value"]).astype({"value": object})


def _argument(value: Any, default: Any, *, name: str) -> Any:
    """Return an argument from its stored form: files hold no None, so '', 'X' and −1 may stand for it."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str) and (value == "" or (name, value) in {("layer", "X"), ("depth", "counts")}):
        return default
    if default is None and isinstance(value, int) and value == -1:
        return default
    if default == "auto" and value == 0:
        return "auto"
    return value


def call(function: str, key: str, params: Mapping[str, Any], made: Collection[str] = ()) -> str:
    """Return the line that calls `function` with what differs from its defaults.

    A comment names what no parameter holds and must be given; `made` are the keys of `varm` that earlier lines write.
    """
    import sccase_kit

    package, name = function.split(".")
    target: Callable[..., Any] | None = getattr(getattr(sccase_kit, package), name, None)
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
        value = _argument(params[parameter.name], parameter.default, name=parameter.name)
        if parameter.name in {"reference", "background"} and isinstance(value, bool):
            value = "given" if value else ""
            if not value:
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
        if parameter.name == "n_reference" and not params.get("reference"):
            continue
        if parameter.default is parameter.empty or not _same(value, parameter.default):
            given.append(f"{parameter.name}={value!r}")
    text = f"sk.{function}({', '.join(['adata', *given])})"
    if wanted:
        notes.insert(0, f"give what was used then: {', '.join(wanted)}")
    return f"{text}  # {'; '.join(notes)}" if notes else text


def _same(value: Any, default: Any) -> bool:
    if isinstance(default, range):
        return list(value) == list(default)
    return isinstance(value, bool) == isinstance(default, bool) and value == default


def _stored_params(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the parameters of an entry as they were given.

    A clustering without a wanted number has its resolution beside them, and a fit holds the λ that None stood for.
    """
    params, function = entry["params"], made_by(entry["params"])
    if function == "tl.cluster" and params["n_clusters"] == -1:
        return {**params, "resolution": entry["resolution"]}
    if function == "tl.enhance":
        default = LAMBDA_REFERENCE if params["solver"] == "published" and params.get("reference") else LAMBDA
        return {**params, "lam": ""} if params.get("lam") == default else params
    return params


def code(uns: Mapping[str, Any], *, source: str = "counts.h5ad") -> str:
    """Return a script of the calls whose parameters are stored, in the order of a study.

    It repeats the results, for numbers as seeds, from the counts that went into the first call.

    Parameters
    ----------
    uns
        `adata.uns`.
    source
        File that is read.
    """
    order = list(STORED)
    found = {key: (made_by(e["params"]), _stored_params(e)) for key, e in uns.items() if has_params(e)}
    known = {key: entry for key, entry in found.items() if entry[0]}
    lines = ["import sccase_kit as sk", "", f"adata = sk.read({source!r})", f"# {UNRECORDED}"]
    made: set[str] = set()
    for key in sorted(known, key=lambda key: (order.index(known[key][0]), _generation(key, known))):
        function, params = known[key]
        lines.append(call(function, key, params, made))
        made |= _made(key, function, params)
    return "\n".join(lines)


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
