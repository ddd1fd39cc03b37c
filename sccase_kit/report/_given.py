"""Tables that a page is given: those of an interpretation under the same words from Python and from its folder."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from anndata import AnnData

from ..interpret.steps import BACKGROUND, CALLED
from ._groups import made_with

#: What the steps of an interpretation are called on the page.
_STEPS = {
    "great": "GREAT on the marker peaks",
    "motifs": "Motif deviations",
    "traits": "Fine-mapped variants",
    "snpsea": "SNPsea on the marker peaks",
    "ldsc": "LD score regression on the marker peaks",
}


@dataclass(frozen=True)
class Given:
    """Tables by what they are called on the page, and the background peaks among them."""

    tables: dict[str, pd.DataFrame]
    background: pd.DataFrame | None = None


def given_tables(adata: AnnData, tables: Mapping[str, pd.DataFrame] | None) -> Given:
    """Return tables as the page shows them.

    Those of :func:`sccase_kit.tl.interpret` are named after their step and folder. Its marker peaks are left out where
    the data hold marker peaks, which are shown with what else is known of them; its background peaks are taken apart.

    Raises
    ------
    TypeError
        If something is not a DataFrame.
    """
    found: dict[str, pd.DataFrame] = {}
    background = None
    for name, table in dict(tables or {}).items():
        if not isinstance(table, pd.DataFrame):
            msg = f"tables[{name!r}] must be a DataFrame, got {type(table).__name__}"
            raise TypeError(msg)
        call = table.attrs.get(CALLED)
        if not isinstance(call, Mapping) and not (name == "peaks" and _is_joined(table)):
            found[name] = table
        elif name != "peaks":
            found[_STEPS.get(name, name) + _folder(call)] = table
        else:
            own = table["group"].astype(str) == BACKGROUND
            background = table[own].drop(columns="group").dropna(axis=1, how="all").reset_index(drop=True)
            if not made_with(adata, "tl.specific_peaks"):
                found[f"Marker peaks{_folder(call)}"] = table[~own]
    return Given(found, background)


def given_title(what: str, name: str) -> str:
    """Return the heading of a table that was given: its name where that says what it is, else both."""
    return name if any(name.startswith(step) for step in _STEPS.values()) else f"{what} ({name})"


def _is_joined(table: pd.DataFrame) -> bool:
    """Return whether a table holds marker and background peaks, as interpretations without a record of the call do."""
    return {"group", "peak", "rank"} <= set(table.columns) and BACKGROUND in set(table["group"].astype(str))


def _folder(call: Mapping[str, object] | None) -> str:
    """Return the folder of an interpretation, as it was given, in brackets."""
    path = (call or {}).get("path")
    try:
        return f" (folder {ast.literal_eval(path)})" if isinstance(path, str) else ""
    except (ValueError, SyntaxError):  # no text of Python
        return ""
