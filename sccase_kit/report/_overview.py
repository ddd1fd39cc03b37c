"""What was computed in a data set, by which calls, and what can be done next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from anndata import AnnData

from .._arguments import checked
from .._calls import steps
from .._record import Record, records
from .._validate import check_adata
from ..intervals.likely import data_genome
from ..pages.values import shown
from ._reproduce import call, recorded_call

#: What follows what: function, the one it needs, the call, what it is for.
_NEXT = (
    ("tl.enhance", "", "sk.tl.enhance(adata)", "enhance the counts"),
    ("tl.cluster", "tl.enhance", "sk.tl.cluster(adata)", "cluster the cells"),
    (
        "metrics.held_out",
        "tl.enhance",
        "{before}sk.metrics.held_out(adata, {methods}key_added='held_out')",
        "does enhancing help?",
    ),
    (
        "tl.annotate",
        "tl.cluster",
        "sk.tl.annotate(adata, {by!r}, 'blood', genome={genome})",
        "names for the groups; or 'brain', 'general', your own table",
    ),
    ("tl.specific_peaks", "tl.cluster", "sk.tl.specific_peaks(adata, {by!r}, genome={genome})", "marker peaks"),
    (
        "tl.sister_groups",
        "tl.cluster",
        "sk.tl.sister_groups(adata, {by!r}, genome={genome})",
        "what tells alike groups apart, or that nothing does",
    ),
    ("tl.great", "tl.specific_peaks", "sk.tl.great(adata, {genome}, 'GO:BP')", "functions of the genes near them"),
    ("tl.chromvar", "tl.match_motifs", "sk.tl.chromvar(adata)", "motifs in the cells"),
    ("", "tl.specific_peaks", "sk.browse(adata, {by!r})", "look at the markers"),
    ("", "tl.enhance", "sk.report.write_report(adata, 'report.html')", "all of it as one page"),
)


@dataclass(frozen=True, slots=True)
class Overview:
    """What a data set holds; notebooks show it as tables.

    Attributes
    ----------
    size
        Cells and peaks in words.
    done
        Where a result is stored, the call that made it, and what it is in a few words.
    following
        Calls that can be made next, and what they are for.
    """

    size: str
    done: tuple[tuple[str, str, str], ...]
    following: tuple[tuple[str, str], ...]

    def __repr__(self) -> str:
        lines = [self.size]
        for where, code, what in self.done:
            lines.append(f"  {where}: {code}" + (f"  # {what}" if what else ""))
        lines += ["next:"] if self.following else []
        return "\n".join([*lines, *(f"  {code}  # {what}" for code, what in self.following)])

    def _repr_html_(self) -> str:
        done = "".join(
            f"<tr><td>{escape(where)}</td><td><code>{escape(code)}</code></td><td>{escape(what)}</td></tr>"
            for where, code, what in self.done
        )
        following = "".join(
            f"<tr><td><code>{escape(code)}</code></td><td>{escape(what)}</td></tr>" for code, what in self.following
        )
        head = "<tr><th>stored in</th><th>by</th><th>result</th></tr>"
        text = f"<p>{escape(self.size)}</p>" + (f"<table>{head}{done}</table>" if done else "")
        return text + (f"<p>Next:</p><table>{following}</table>" if following else "")


@checked()
def overview(adata: AnnData) -> Overview:
    """Say what was computed in a data set, by which calls, and what can be done next.

    Parameters
    ----------
    adata
        Any data; results and steps of this package are found by what they recorded.

    Returns
    -------
    Overview
        Printed as lines, and in notebooks as tables.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=300).adata
    >>> sk.overview(adata).following[0]
    ('sk.tl.enhance(adata)', 'enhance the counts')
    """
    check_adata(adata)
    known = records(adata.uns)
    done = [("steps", call(function, "", params)[-1], "") for function, params in steps(adata.uns)]
    for key, made in sorted(known.items(), key=lambda item: item[1].number):
        code = recorded_call(key, made)[-1]
        done.append((f"uns[{key!r}]", code.partition("  # ")[0], _result(made)))
    functions = {made.function for made in known.values()} | _inside(known)
    words = {"by": _groups_of(adata, known), "genome": _genome_of(adata), "methods": _methods_of(known)}
    words["before"] = "from functools import partial; " if words["methods"] else ""
    following = [
        (code.format(**words), what)
        for function, needed, code, what in _NEXT
        if function not in functions and (not needed or needed in functions)
    ]
    return Overview(f"{adata.n_obs:,} cells × {adata.n_vars:,} peaks", tuple(done), tuple(following))


def _inside(known: Mapping[str, Record]) -> set[str]:
    """Return what interpretations did, besides what they wrote into the data."""
    steps = {"great": "tl.great", "motifs": "tl.chromvar"}
    made = [one.results.get("steps", "") for one in known.values() if one.function == "tl.interpret"]
    return {steps[name] for text in made for name in str(text).split(", ") if name in steps}


def _groups_of(adata: AnnData, known: Mapping[str, Record]) -> str:
    """Return the groups of the results, else the clusters, else the name that clusters get."""
    given = [str(made.params["groupby"]) for made in known.values() if made.params.get("groupby") in adata.obs]
    clusters = [key for key, made in known.items() if made.function == "tl.cluster" and key in adata.obs]
    return [*given, *clusters, "louvain"][0]


def _genome_of(adata: AnnData) -> str:
    """Return the code of the genome, or a name to replace where nothing tells it."""
    named = data_genome(adata)
    return "genome" if named is None else repr(named)


def _methods_of(known: Mapping[str, Record]) -> str:
    """Return the argument that judges a fit as it was made, where that is not the default."""
    fits = [made for made in known.values() if made.function == "tl.enhance"]
    names = ("batch_key", "depth", "method")
    own = {name: fits[0].params[name] for name in names if fits[0].params.get(name)} if fits else {}
    if own in ({}, {"method": "robust"}) or (fits and fits[0].objects):
        return ""
    options = ", ".join(f"{name}={value!r}" for name, value in own.items())
    return f"{{{own['method']!r}: partial(sk.tl.enhance, {options})}}, "


def _result(made: Record) -> str:
    """Return the sizes of what a call stored: numbers as they are, tables by their rows."""
    parts = []
    for name, value in made.results.items():
        word = _WORDS.get(name, name.replace("_", " "))
        if hasattr(value, "columns"):
            parts.append(f"{word}: {len(value):,} row{'' if len(value) == 1 else 's'}")
        elif word and _is_small(value):
            parts.append(f"{word}: {shown(value)}")
    return ", ".join(parts[:3])


#: What results are called here; those without a name say nothing to a reader.
_WORDS = {
    "n_clusters": "clusters",
    "reached": "number reached",
    "n_cells": "cells",
    "n_peaks": "peaks",
    "n_hidden": "hidden entries",
    **dict.fromkeys(["expected_skipped", "n_steps_before", "n_vars", "peaks_checksum"], ""),
}


def _is_small(value: Any) -> bool:
    return isinstance(value, (int, float, str, bool)) or getattr(value, "ndim", 1) == 0
