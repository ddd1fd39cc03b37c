"""The calls that made an AnnData: parameters beside the results, and the steps of preparation in their order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from anndata import AnnData

from ._validate import check_slot

#: Functions whose parameters are stored beside their result, in the order of a study, with parameters that tell them.
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
#: Key of `uns` with the steps that changed cells, peaks or counts: number → function and params.
STEPS = "sccase_kit_steps"
#: Key of `uns` with what the layouts in `obsm` were drawn from: slot → settings.
LAYOUTS = "sccase_kit_layouts"
#: Key, in the entry of a result, of the number of steps before it; absent where it came after all of them.
BEFORE = "n_steps_before"


def stored_seed(rng: object) -> int | str:
    """Return an integer seed as it is, and "generator" for a generator or None, which no file holds."""
    return int(rng) if isinstance(rng, (int, np.integer)) else "generator"


def has_params(entry: object) -> bool:
    """Return whether an entry of `uns` holds the parameters of a function."""
    return isinstance(entry, Mapping) and isinstance(entry.get("params"), Mapping)


def made_by(entry: object) -> str | None:
    """Return the function that stores such an entry of `uns`, or None."""
    given = set(entry["params"]) if has_params(entry) else set()
    fitting = [name for name, wanted in STORED.items() if wanted <= given]
    return max(fitting, key=lambda name: len(STORED[name]), default=None)


def check_free(adata: AnnData, key: object, function: str) -> str:
    """Return `key` if it can name a field of `adata` and holds no result of another function than this.

    Raises
    ------
    TypeError, ValueError
        If it is no such name, or holds the result of another function.
    """
    key = check_slot(key)
    maker = made_by(adata.uns.get(key))
    if maker not in (None, function):
        msg = f"key_added={key!r} holds the result of sccase_kit.{maker}, which would be lost; choose another name"
        raise ValueError(msg)
    return key


def layout_settings(adata: AnnData, slot: str) -> dict[str, Any] | None:
    """Return what a layout was drawn from, or None where it is absent or not of this package."""
    known = adata.uns.get(LAYOUTS)
    entry = known.get(slot) if isinstance(known, Mapping) and slot in adata.obsm else None
    return dict(entry) if isinstance(entry, Mapping) else None


def forget_layouts(adata: AnnData, key: str) -> None:
    """Drop the layouts of a fit that this package drew; those of the user stay."""
    for method in ("umap", "tsne"):
        slot = f"X_{method}_{key}"
        if layout_settings(adata, slot) is not None:
            del adata.obsm[slot]
            adata.uns[LAYOUTS] = {name: entry for name, entry in adata.uns[LAYOUTS].items() if name != slot}


def record_step(adata: AnnData, function: str, **params: Any) -> None:
    """Note in `uns` that a function changed the cells, the peaks or the counts, after what was noted before.

    Results that are there keep the number of the steps before them; one that is computed anew loses it.

    Parameters
    ----------
    adata
        The changed data.
    function
        Its name in `pp`.
    params
        Its arguments; those that are None, which no file holds, are left out.
    """
    known = adata.uns.get(STEPS)
    known = dict(known) if isinstance(known, Mapping) else {}
    number = 1 + max((int(name) for name in known if str(name).isdecimal()), default=-1)
    n_before = len(steps(adata.uns))
    for key, entry in list(adata.uns.items()):
        if made_by(entry) and BEFORE not in entry:
            adata.uns[key] = {**entry, BEFORE: n_before}
    given = {name: value for name, value in params.items() if value is not None}
    adata.uns[STEPS] = {**known, f"{number:04d}": {"function": f"pp.{function}", "params": given}}


def steps(uns: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return function and parameters of every step that :func:`record_step` noted, in order."""
    known = uns.get(STEPS)
    if not isinstance(known, Mapping):
        return []
    entries = [known[number] for number in sorted(known, key=lambda number: (len(str(number)), str(number)))]
    return [
        (str(entry["function"]), entry["params"])
        for entry in entries
        if has_params(entry) and re.fullmatch(r"pp\.\w+", str(entry.get("function")))
    ]
