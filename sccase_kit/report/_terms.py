"""Terms on the page: which pass, by one rule for cards and figures, and how far these data can tell."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import partial

import pandas as pd
from anndata import AnnData

from .. import pl
from ..great.passing import LARGE_SHARE, Kind, kind_of, passing, remedy_for_share
from ..interpret.steps import BACKGROUND
from ..pages.blocks import Block, Text
from ..pages.page import Section
from ._figures import draw
from ._groups import grouping_of
from ._headers import TERMS, TERMS_BACKGROUND, grouped_table

_TERMS = 3
_COLUMNS = [
    *["group", "ontology", "ID", "name", "Binom_Fold_Enrichment", "Binom_Observed_Region_Hits", "Binom_Adjp_BH"],
    *["Hyper_Fold_Enrichment", "Hyper_Foreground_Region_Hits", "Hyper_Total_Regions", "Hyper_Observed_Gene_Hits"],
    *["Hyper_Adjp_BH", "Odds Ratio", "Adjusted P-value"],
]


def is_enrichment(table: pd.DataFrame) -> bool:
    """Return whether a table comes from GREAT or from gene-level enrichment."""
    kind = kind_of(table)
    return kind is not None and {"ID", "name", *kind.adjusted} <= set(table.columns)


def terms_of(adata: AnnData, groupby: str, tables: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Return the terms of every group that pass by the rule of their table, the strongest first, as figures draw them.

    A group without one has the term that is nearest to pass, with its p-value. Tables of another grouping are left
    out: by the record of the peaks they were made from or, for tables that were given, where they name other groups.
    """
    passed: dict[str, list[str]] = {}
    nearest: dict[str, tuple[float, str]] = {}
    for where, table in tables.items():
        kind = kind_of(table)
        if (
            kind is None
            or "group" not in table.columns
            or not is_enrichment(table)
            or grouping_of(adata, groupby, where, table) != groupby
        ):
            continue
        ranked = _ranked(table, kind)
        for group, part in ranked[passing(ranked, kind)].groupby("group", sort=False, observed=True):
            passed.setdefault(str(group), []).extend(part["name"].astype(str).head(_TERMS))
        worst = ranked[list(kind.adjusted)].max(axis=1)
        for group, values in worst.groupby(ranked["group"], sort=False, observed=True):
            if values.notna().any() and (value := float(values.min())) < nearest.get(str(group), (1.0, ""))[0]:
                nearest[str(group)] = value, str(ranked.loc[values.idxmin(), "name"])
    close = {
        group: f"none passes; nearest: {name} (adjusted p {value:.2g})" for group, (value, name) in nearest.items()
    }
    return close | {group: "; ".join(names) for group, names in passed.items()}


def _ranked(table: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    return table.sort_values([kind.raw, kind.effect], ascending=[True, False], kind="stable", ignore_index=True)


def rule_of(tables: Mapping[str, pd.DataFrame]) -> str:
    """Return by which rule terms pass on cards and in figures."""
    kinds = [kind for table in tables.values() if (kind := kind_of(table)) is not None]
    rules = "; or ".join(dict.fromkeys(kind.rule for kind in kinds))
    return f"Terms pass, here and in the figures, with an {rules}." if rules else ""


def large_share(table: pd.DataFrame) -> tuple[float, int, int, float] | None:
    """Return how large a part of the background the peaks of groups are, where that may cost terms.

    None where they are a small part, or where most groups have a term all the same. Else the least share among the
    groups above a tenth, how many these are, of how many, and the peaks of a term in the middle.
    """
    if not {"group", "Hyper_Expected", "Hyper_Total_Regions"} <= set(table.columns):
        return None
    known = table[
        (table["Hyper_Total_Regions"] > 0) & (table["group"].astype(str) != BACKGROUND)
    ]  # expected = regions of the term × share of the group
    shares = (known["Hyper_Expected"] / known["Hyper_Total_Regions"]).groupby(known["group"], observed=True).median()
    large = shares[shares > LARGE_SHARE]
    kind = kind_of(known)
    found = 0 if kind is None else known.loc[passing(known, kind), "group"].nunique()
    if large.empty or 2 * found > len(shares):
        return None
    return (
        float(large.min()),
        len(large),
        len(shares),
        float(known.drop_duplicates("ID")["Hyper_Total_Regions"].median()),
    )


def _share_note(table: pd.DataFrame) -> str:
    """Return what a reader must know where the peaks of groups are a large part of the background, else ""."""
    if (found := large_share(table)) is None:
        return ""
    share, n_large, n, middle = found
    remedy = remedy_for_share(share)
    return (
        f"Few terms can pass here: the peaks of {n_large} of {n} groups are {share:.0%} or more of the background, so "
        f"that no term can be enriched more than {1 / share:.3g} times, and half of the terms have at most "
        f"{middle:.0f} peaks. A group without terms is no sign that nothing is there. "
        f"{remedy[0].upper()}{remedy[1:]}: if these are a choice of the peaks that were counted, keep more."
    )


def enrichment_section(
    tables: Mapping[str, pd.DataFrame], colors: Mapping[str, Mapping[str, str]] | None = None
) -> Section | None:
    """Return the section on the functions of the genes near peaks; `colors` holds those of groups by table."""
    blocks: list[Block] = []
    for where, table in tables.items():
        safe = table.assign(name=table["name"].astype(str).str.replace("$", r"\$", regex=False))
        if "group" in table.columns:
            safe["group"] = safe["group"].astype(str).str.replace("$", r"\$", regex=False)
        blocks += [Text(where, kind="heading"), *_passed(table)]
        known = {"background": "#888888"} | dict((colors or {}).get(where, {}))
        groups = set(table["group"].astype(str)) if "group" in table.columns else {""}
        own: dict[Hashable, str] | None
        own = {name.replace("$", r"\$"): color for name, color in known.items()} if groups <= set(known) else None
        blocks.append(draw(partial(pl.great_bar, safe, colors=own), "The strongest terms of every group."))
        if table.get("group", pd.Series(dtype=object)).nunique() > 1:
            blocks.append(draw(partial(pl.great_dot, safe), "The strongest terms across the groups."))
        shown = [column for column in _COLUMNS if column in table.columns]
        headers = TERMS_BACKGROUND if "Hyper_Total_Regions" in table.columns else TERMS
        blocks.append(grouped_table(table[shown], "Terms", headers))
    return Section("Functions of nearby genes", blocks, "Functions") if blocks else None


def _passed(table: pd.DataFrame) -> list[Block]:
    """Return how many groups have terms, by which rule, and what limits that."""
    kind = kind_of(table)
    if kind is None:
        return []
    text = f"Terms pass with an {kind.rule}."
    if "group" in table.columns:
        named = table["group"].astype(str)
        cells = named != BACKGROUND
        n, n_groups = named[passing(table, kind) & cells].nunique(), named[cells].nunique()
        text = f"{n} of {n_groups} group{'' if n_groups == 1 else 's'} have a term that passes. {text}"
    note = _share_note(table)
    return [Text(text), *([Text(note, kind="note")] if note else [])]
