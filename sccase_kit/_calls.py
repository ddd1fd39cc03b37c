"""The calls that made an AnnData: parameters next to the results, and the steps of preparation in their order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from anndata import AnnData

from ._logging import warn
from ._record import recorded, stored_params
from ._record_old import BEFORE
from ._validate import check_slot

#: Key of `uns` with the steps that changed cells, peaks or counts: number → function and params.
STEPS = "sccase_kit_steps"
#: Key of `uns` with the file that the counts were read from: path, and how it was read.
SOURCE = "sccase_kit_source"
#: Key of `uns` with what the layouts in `obsm` were drawn from: slot → settings.
LAYOUTS = "sccase_kit_layouts"


def made_by(entry: object) -> str | None:
    """Return the function of this package that made an entry of `uns`, or None."""
    found = recorded(entry)
    return None if found is None else found.function


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
    if maker is None and key in adata.uns:
        warn(f"uns[{key!r}] is not of this package and is replaced")
    return key


def layout_settings(adata: AnnData, slot: str) -> dict[str, Any] | None:
    """Return what a layout was drawn from, or None where it is absent or not of this package."""
    known = adata.uns.get(LAYOUTS)
    entry = known.get(slot) if isinstance(known, Mapping) and slot in adata.obsm else None
    return dict(entry) if isinstance(entry, Mapping) else None


def least_fraction(uns: Mapping[str, Any]) -> float | None:
    """Return the share of cells from which :func:`sccase_kit.pp.filter_peaks` kept peaks; None if it is not known."""
    shares = [params.get("min_fraction") for function, params in steps(uns) if function == "pp.filter_peaks"]
    known = [float(share) for share in shares if isinstance(share, (int, float))]
    return max(known, default=None)


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
    given, _ = stored_params(params)
    adata.uns[STEPS] = {**known, f"{number:04d}": {"function": f"pp.{function}", "params": given}}


def record_source(adata: AnnData, path: object, **options: Any) -> None:
    """Note in `uns` the file that the counts were read from, unless the data came with that of earlier counts.

    Parameters
    ----------
    adata
        The data.
    path
        The file, as it was given.
    options
        Arguments of :func:`sccase_kit.read`; those that are None are left out.
    """
    if source_of(adata.uns) is None:
        given, _ = stored_params(options)
        adata.uns[SOURCE] = {"path": str(path), "params": given}


def source_of(uns: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Return the file that the counts were read from and how, as :func:`record_source` noted it, or None."""
    entry = uns.get(SOURCE)
    if not isinstance(entry, Mapping) or not isinstance(entry.get("path"), str):
        return None
    params = entry.get("params")
    return entry["path"], dict(params) if isinstance(params, Mapping) else {}


def steps(uns: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return function and parameters of every step that :func:`record_step` noted, in order."""
    known = uns.get(STEPS)
    if not isinstance(known, Mapping):
        return []
    entries = [known[number] for number in sorted(known, key=lambda number: (len(str(number)), str(number)))]
    return [
        (str(entry["function"]), entry["params"])
        for entry in entries
        if isinstance(entry, Mapping)
        and isinstance(entry.get("params"), Mapping)
        and re.fullmatch(r"pp\.\w+", str(entry.get("function")))
    ]
