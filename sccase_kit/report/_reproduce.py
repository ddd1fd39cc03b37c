"""The calls that made the stored results, and the versions of what is installed."""

from __future__ import annotations

import inspect
import platform
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Any

import numpy as np
import pandas as pd

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


def call(function: str, key: str, params: Mapping[str, Any]) -> str:
    """Return the line that calls `function` with what differs from its defaults."""
    import sccase_kit

    package, name = function.split(".")
    target: Callable[..., Any] | None = getattr(getattr(sccase_kit, package), name, None)
    if target is None:
        return f"# sk.{function}: not in this version"
    given, notes = [], []
    parameters = inspect.signature(target).parameters
    for parameter in list(parameters.values())[1:]:
        if parameter.name == "key_added":
            if key not in (parameter.default, params.get("method")):
                given.append(f"key_added={key!r}")
            continue
        if parameter.name not in params:
            if parameter.default is parameter.empty:
                given.append(f"{parameter.name}=...")
            continue
        value = _argument(params[parameter.name], parameter.default, name=parameter.name)
        if parameter.name in {"reference", "background"} and isinstance(value, bool):
            if value:
                given.append(f"{parameter.name}={parameter.name}")
                notes.append(f"{parameter.name}: the data used then")
            continue
        if isinstance(value, str) and value == "given":
            given.append(f"{parameter.name}={parameter.name}")
            notes.append(f"{parameter.name}: the data used then")
            continue
        if parameter.name == "rng" and value == "generator":
            notes.append("rng: a generator was given")
            continue
        if parameter.name == "n_reference" and not params.get("reference"):
            continue
        if parameter.default is parameter.empty or not _same(value, parameter.default):
            given.append(f"{parameter.name}={value!r}")
    text = f"sk.{function}({', '.join(['adata', *given])})"
    return f"{text}  # {'; '.join(notes)}" if notes else text


def _same(value: Any, default: Any) -> bool:
    if isinstance(default, range):
        return list(value) == list(default)
    return isinstance(value, bool) == isinstance(default, bool) and value == default


def _stored_params(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the parameters of an entry, with the resolution of a clustering that had no wanted number."""
    params = entry["params"]
    if made_by(params) == "tl.cluster" and params["n_clusters"] == -1:
        return {**params, "resolution": entry["resolution"]}
    return params


def code(uns: Mapping[str, Any], *, source: str = "counts.h5ad") -> str:
    """Return a script of the calls whose parameters are stored, in the order of a study.

    Parameters
    ----------
    uns
        `adata.uns`.
    source
        File that is read.
    """
    order = list(STORED)
    found = [(made_by(e["params"]), key, _stored_params(e)) for key, e in uns.items() if has_params(e)]
    known = sorted((f for f in found if f[0]), key=lambda f: order.index(f[0]))
    lines = ["import sccase_kit as sk", "", f"adata = sk.read({source!r})"]
    lines += [call(function, key, params) for function, key, params in known]
    return "\n".join(lines)
