"""In which order the page shows groups: those of one name together, one without a name next to what it resembles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from anndata import AnnData

from ._groups import first_of, made_with

_SOME = 0.75  # correlation from which a group without a name stands next to another


@dataclass(frozen=True, slots=True)
class Kin:
    """Groups that stand together: what they are called, and the groups in their order."""

    title: str
    groups: tuple[str, ...]


def kin_of(adata: AnnData, groupby: str, categories: Sequence[str]) -> list[Kin]:
    """Return the groups of a column in the order of the page; without names for them all as one, in their own order.

    Groups of one name stand together, in their own order; names follow each other as their types do in the panel or
    reference. A group without a name stands after the group that it resembles most; one that resembles none stands
    where its nearest type is.

    Parameters
    ----------
    adata
        Data with results.
    groupby
        The column.
    categories
        Its groups, as text, in their own order.
    """
    names = first_of(adata, "tl.annotate", groupby, "table")
    if names is None:
        return [Kin("", tuple(categories))]
    made = next(iter(made_with(adata, "tl.annotate", groupby).values()))
    types = [str(name) for name in made.results.get("types", [])]
    rows = {str(row["group"]): row for row in names.to_dict("records")}
    like = _resembled(first_of(adata, "tl.specific_peaks", groupby, "groups"))
    blocks: dict[str, list[str]] = {}
    waiting = []
    for group in categories:
        if group in rows and not rows[group]["reason"]:
            blocks.setdefault(str(rows[group]["label"]), []).append(group)
        else:
            waiting.append(group)
    unnamed, followers = set(waiting), set[str]()
    while waiting:
        if not _place_next_to(blocks, waiting, like, followers):
            first = waiting.pop(0)
            title = f"unknown, nearest {rows[first]['best']}" if first in rows else "without a name"
            blocks.setdefault(title, []).append(first)
    order = {group: place for place, group in enumerate(categories)}

    def place(title: str) -> tuple[int, bool, int]:
        own = [group for group in blocks[title] if group not in followers]
        return _position(own, rows, types), own[0] in unnamed, order[own[0]]

    titles = sorted(blocks, key=place)
    return [Kin(title, tuple(blocks[title])) for title in titles]


def _place_next_to(
    blocks: dict[str, list[str]], waiting: list[str], like: Mapping[str, str], followers: set[str]
) -> bool:
    """Put every waiting group that resembles one that has a place after it; return whether there was any."""
    n = len(followers)
    for group in list(waiting):
        home = next((groups for groups in blocks.values() if like.get(group) in groups), None)
        if home is None:
            continue
        at = home.index(like[group]) + 1
        while at < len(home) and home[at] in followers and like.get(home[at]) == like[group]:
            at += 1
        home.insert(at, group)
        waiting.remove(group)
        followers.add(group)
    return len(followers) > n


def _position(groups: Sequence[str], rows: Mapping[str, Any], types: Sequence[str]) -> int:
    places = [types.index(best) for group in groups if (best := str(rows.get(group, {}).get("best"))) in types]
    return min(places, default=len(types))


def _resembled(groups: pd.DataFrame | None) -> dict[str, str]:
    if groups is None or "resembles" not in groups.columns:
        return {}
    known = groups[groups["similarity"].astype(float) >= _SOME]
    return dict(zip(known["group"].astype(str), known["resembles"].astype(str), strict=True))


def in_order(column: pd.Series, names: Sequence[str]) -> pd.Series:
    """Return labels as a categorical whose categories are in the order of `names`; those that are not there follow."""
    labels = column.astype("category")
    place = {name: i for i, name in enumerate(names)}
    ordered = sorted(labels.cat.categories, key=lambda c: place.get(str(c), len(place)))
    return labels.cat.reorder_categories(ordered)


def rows_in_order(table: pd.DataFrame, names: Sequence[str], column: str = "group") -> pd.DataFrame:
    """Return a table with its groups in the order of `names`, rows of a group as they were; others follow."""
    place = {name: i for i, name in enumerate(names)}
    at = table[column].astype(str).map(lambda name: place.get(name, len(place)))
    return table.iloc[at.to_numpy().argsort(kind="stable")]
