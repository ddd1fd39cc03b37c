"""Entries of `uns` as version 0.1 wrote them: without the function's name, and with codes for None.

An entry is taken for one of its own only if its parameters are all that the function stored and its results are there:
another tool's entry with some of the same names is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

GIVEN = "given"  # stood for an argument that was an object
BEFORE = "n_steps_before"


@dataclass(frozen=True)
class _Old:
    """What version 0.1 stored of one function.

    Attributes
    ----------
    params
        All parameters.
    results
        Parts of the entry that were always there.
    none
        Parameter → the code that stood for None.
    objects
        Parameters that hold "given", or True, for an object.
    found
        Parameters that were no arguments but results.
    """

    params: frozenset[str]
    results: frozenset[str] = frozenset()
    none: Mapping[str, Any] = field(default_factory=dict)
    objects: tuple[str, ...] = ()
    found: tuple[str, ...] = ()


def _old(params: str, results: str = "", **more: Any) -> _Old:
    return _Old(frozenset(params.split()), frozenset(results.split()), **more)


OLD = {
    "pp.tfidf": _old("variant layer", none={"layer": ""}),
    "tl.estimate_k": _old(
        "k_values layer min_fraction max_cells seed rng", "n_types votes curves", none={"layer": "X"}, found=("seed",)
    ),
    "tl.enhance": _old(
        "n_components n_reference reference depth batch_key method solver init alpha lam gamma1 gamma2 "
        "keep_probability batch_method max_iter tol dtype device layer rng",
        "objective timing shape",
        none={"batch_key": "", "device": "", "layer": "", "reference": False, "n_reference": 0},
        objects=("reference",),
    ),
    "tl.cluster": _old(
        "method use_rep key n_neighbors n_clusters rng",
        "resolution n_clusters reached",
        none={"key": "", "n_clusters": -1},
    ),
    "tl.specific_peaks": _old("groupby n_top n_components ranking alpha min_specificity key", "peaks components"),
    "tl.background_peaks": _old("n_top groupby key", "peaks", none={"groupby": ""}),
    "tl.scabc": _old(
        "groupby engine source key depth compat layer n_top",
        "groups sigma top",
        none={"key": "", "layer": "X", "depth": "counts"},
        objects=("depth",),
    ),
    "tl.match_motifs": _old(
        "p_cutoff background compat engine motifs genome_fasta sequences scores",
        "names ids tf thresholds frequencies profiles widths",
        none={"genome_fasta": "", "sequences": ""},
        objects=("motifs", "sequences"),
    ),
    "tl.chromvar": _old(
        "annotations names weight source key layer bias background n_background n_vars peaks_checksum r_seed "
        "expectation_norm expectation_groupby compat min_expected n_bootstrap engine rng",
        "names variability",
        none={
            **{"names": "", "weight": "", "key": "", "layer": "X", "background": ""},
            **{"r_seed": -1, "expectation_groupby": "", "min_expected": -1},
        },
        objects=("annotations", "names", "bias", "background"),
        found=("n_vars", "peaks_checksum"),
    ),
}
#: The command `great` stored these arguments, in addition to numbers of the run.
_GREAT = _old(
    "genome background rule upstream downstream extension min_genes gene_sets",
    "table",
    none={"background": False},
    objects=("background",),
)


def read_old(
    entry: Mapping[str, Any], plain: Callable[[Any], Any]
) -> tuple[str, dict[str, Any], tuple[str, ...], dict[str, Any]] | None:
    """Return function, parameters, objects and results of an entry of version 0.1, or None if it is of another tool.

    Parameters
    ----------
    entry
        An entry of `uns` with `params`.
    plain
        Brings a value to Python's types.
    """
    if "function" in entry or "package" in entry:
        return None
    given = {str(name): plain(value) for name, value in entry["params"].items()}
    results = {name: value for name, value in entry.items() if name != "params"}
    if set(given) >= _GREAT.params and _GREAT.results <= set(results):
        more = {name: value for name, value in given.items() if name not in _GREAT.params | {"max_genes"}}
        own = {name: value for name, value in given.items() if name not in more}
        return "tl.great", *_read(_GREAT, own), {**results, **more}
    for function, old in OLD.items():
        if set(given) == old.params and old.results <= set(results):
            if not old.results and set(results) - {BEFORE}:
                continue
            params, objects = _read(old, given)
            results |= {name: given[name] for name in old.found}
            return function, _as_given(function, params, results), objects, results
    return None


def _read(old: _Old, given: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    objects = tuple(name for name in old.objects if given[name] == GIVEN or given[name] is True)
    kept = {
        name: value
        for name, value in given.items()
        if name not in objects and name not in old.found and not _same(value, old.none.get(name, _UNSET))
    }
    return kept, objects


_UNSET = object()


def _same(value: Any, code: Any) -> bool:
    return type(value) is not list and isinstance(value, bool) == isinstance(code, bool) and value == code


def _as_given(function: str, params: dict[str, Any], results: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters as they are given today."""
    if function == "tl.cluster" and "n_clusters" not in params:
        return params | {"resolution": float(results["resolution"])}
    if function != "tl.enhance":
        return params
    if params["solver"] == "published":
        params = params | {"method": "published"}
    if params["n_components"] == 0:
        params = params | {"n_components": "auto"}
    unused = {"solver", *_UNUSED.get(params["method"], "").split()}
    unused |= set() if "n_reference" in params else {"alpha"}
    unused |= set() if "batch_key" in params else {"batch_method"}
    return {name: value for name, value in params.items() if name not in unused}


#: Method → options that version 0.1 stored although they had no effect.
_UNUSED = {
    "robust": "init lam gamma1 gamma2 keep_probability batch_method max_iter tol",
    "published": "init alpha keep_probability batch_method max_iter tol",
}
