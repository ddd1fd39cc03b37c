"""Terms on the page: which pass, by one rule for cards and figures, and how far these data can tell."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .. import pl
from ..great.alike import genes_behind, leaders
from ..great.passing import LARGE_SHARE, MAX_FDR, Kind, kind_of, passing, ranked, remedy_for_share
from ..interpret.steps import BACKGROUND
from ..pages.blocks import Block, Text
from ..pages.page import Section
from ._figures import draw
from ._groups import grouping_of
from ._headers import TERMS, TERMS_BACKGROUND, grouped_table
from ._order import rows_in_order

_TERMS, _DRAWN, _WEAK = 3, 5, 2.0
#: Terms of every group in the table of the page at least, and rows of the table at most.
_KEPT, _MOST_KEPT = 200, 20_000
#: Columns with the genes of a term that are hit, and that can be.
_GENE_COUNTS = [
    ("Hyper_Foreground_Gene_Hits", "Hyper_Background_Gene_Hits"),
    ("Hyper_Observed_Gene_Hits", "Hyper_Total_Genes"),
]
_COLUMNS = [
    *["group", "name", "Genes", "Binom_Fold_Enrichment", "Binom_Observed_Region_Hits", "Binom_Adjp_BH"],
    *["Hyper_Fold_Enrichment", "Hyper_Foreground_Region_Hits", "Hyper_Total_Regions", "Hyper_Observed_Gene_Hits"],
    *["Hyper_Adjp_BH", "Odds Ratio", "Adjusted P-value", "ID", "ontology"],
]


def is_enrichment(table: pd.DataFrame) -> bool:
    """Return whether a table comes from GREAT or from gene-level enrichment."""
    kind = kind_of(table)
    return kind is not None and {"ID", "name", *kind.adjusted} <= set(table.columns)


def terms_of(adata: AnnData, groupby: str, tables: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Return the terms of every group that pass by the rule of their table, the strongest first, as figures draw them.

    Every term has its enrichment, its adjusted p, the genes behind it where they are known, and how many other terms
    say the same. A group without one has the term that is nearest to pass. Tables of another grouping are left out: by
    the record of the peaks they were made from or, for tables that were given, where they name other groups.
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
        rows = ranked(table, kind)
        n_tested = rows.groupby("group", observed=True).size()
        for group, part in rows[passing(rows, kind)].groupby("group", sort=False, observed=True):
            alone = f"the only one of {n_tested[group]:,} that passes" if len(part) == 1 else ""
            passed.setdefault(str(group), []).extend(_once(part, kind, alone))
        worst = rows[list(kind.adjusted)].max(axis=1)
        for group, values in worst.groupby(rows["group"], sort=False, observed=True):
            if values.notna().any() and (value := float(values.min())) < nearest.get(str(group), (1.0, ""))[0]:
                nearest[str(group)] = value, _said(rows.loc[values.idxmin()], kind)
    close = {group: f"none passes; nearest: {text}" for group, (_, text) in nearest.items()}
    return close | {group: "; ".join(texts) for group, texts in passed.items()}


def _once(part: pd.DataFrame, kind: Kind, alone: str) -> list[str]:
    """Return the first terms of a group in words, those with largely the same genes as one."""
    genes = genes_behind(part["Genes"].tolist() if "Genes" in part.columns else [""] * len(part))
    first, n = np.unique(leaders(genes), return_counts=True)
    texts = []
    for i, count in list(zip(first, n, strict=True))[:_TERMS]:
        row, more = part.iloc[i], [f"{count - 1} like it"] if count > 1 else []
        if alone:
            more.append(f"{alone}, and less than twice: weak" if row[kind.effect] < _WEAK else alone)
        texts.append(_said(row, kind, *more))
    return texts


def _said(row: Any, kind: Kind, *more: str) -> str:
    """Return a term with what speaks for it."""
    parts = [f"{row[kind.effect]:.1f}×"] if np.isfinite(row[kind.effect]) else []
    parts.append(f"adjusted p {row[list(kind.adjusted)].max():.2g}")
    for hit, total in _GENE_COUNTS:
        if {hit, total} <= set(row.index):
            parts.append(f"{row[hit]:,.0f} of {row[total]:,.0f} genes")
            break
    return f"{row['name']} ({', '.join([*parts, *more])})"


def rule_of(tables: Mapping[str, pd.DataFrame]) -> str:
    """Return by which rule terms pass on cards and in figures."""
    kinds = [kind for table in tables.values() if (kind := kind_of(table)) is not None]
    rules = "; or ".join(dict.fromkeys(kind.rule for kind in kinds))
    if not rules:
        return ""
    text = "Terms: times as enriched as expected, adjusted p, and how many of the term's genes are near the peaks; "
    return f"{text}they pass, here and in the figures, with an {rules}."


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


def _share_note(table: pd.DataFrame, least: float | None) -> str:
    """Return what a reader must know where the peaks of groups are a large part of the background, else ""."""
    if (found := large_share(table)) is None:
        return ""
    share, n_large, n, middle = found
    remedy = remedy_for_share(share, least=least)
    return (
        f"Few terms can pass here: the peaks of {n_large} of {n} groups are {share:.0%} or more of the background, so "
        f"that no term can be enriched more than {1 / share:.3g} times, and half of the terms have at most "
        f"{middle:.0f} peaks. A group without terms is no sign that nothing is there. "
        f"{remedy[0].upper()}{remedy[1:]}."
    )


def enrichment_section(
    tables: Mapping[str, pd.DataFrame],
    colors: Mapping[str, Mapping[str, str]] | None = None,
    *,
    order: Mapping[str, Sequence[str]] | None = None,
    least: float | None = None,
) -> Section | None:
    """Return the section on the functions of the genes near peaks.

    `colors` holds those of groups by table, `order` their order where it is that of the cards, which lead to the first
    of these tables; `least` is the share of cells from which peaks were kept, where it is known.
    """
    blocks: list[Block] = []
    main = next(iter(order or {}), "")
    for where, given in tables.items():
        table = rows_in_order(given, (order or {}).get(where, ())) if "group" in given.columns else given
        safe = table.assign(name=table["name"].astype(str).str.replace("$", r"\$", regex=False))
        if "group" in table.columns:
            safe["group"] = safe["group"].astype(str).str.replace("$", r"\$", regex=False)
        blocks += [Text(where, kind="heading"), *_passed(table, least)]
        known = {"background": "#888888"} | dict((colors or {}).get(where, {}))
        groups = set(table["group"].astype(str)) if "group" in table.columns else {""}
        own: dict[Hashable, str] | None
        own = {name.replace("$", r"\$"): color for name, color in known.items()} if groups <= set(known) else None
        blocks.append(draw(partial(pl.great_bar, safe, colors=own, n_top=_DRAWN), _bar_caption(table)))
        if table.get("group", pd.Series(dtype=object)).nunique() > 1:
            caption = "The same terms across all groups: a dot where the term passes; no dot where it does not."
            blocks.append(draw(partial(pl.great_dot, safe, n_top=_DRAWN), caption))
        shown = [column for column in _COLUMNS if column in table.columns]
        headers = TERMS_BACKGROUND if "Hyper_Total_Regions" in table.columns else TERMS
        anchor = "terms" if where == main else ""
        blocks.append(grouped_table(table[shown], "Terms", headers, anchor=anchor, max_rows=_rows_kept(table)))
    return Section("Functions of nearby genes", blocks, "Functions") if blocks else None


def _passed(table: pd.DataFrame, least: float | None) -> list[Block]:
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
    note = _share_note(table, least)
    return [Text(text), *([Text(note, kind="note")] if note else [])]


def _bar_caption(table: pd.DataFrame) -> str:
    """Return what the bars are, and of how many groups."""
    text = f"The strongest terms, at most {_DRAWN} a group"
    if "group" in table.columns and (kind := kind_of(table)) is not None:
        named, passed = table["group"].astype(str), passing(table, kind)
        cells = named != BACKGROUND
        text += f", of the {named[passed & cells].nunique()} of {named[cells].nunique()} groups that have one"
        text += " and of the background peaks" if (passed & ~cells).any() else ""
    text += f", by adjusted p; dotted: {MAX_FDR:g}."
    if "Genes" in table.columns:
        text += " Of terms with largely the same genes the strongest is drawn: +2 means that two more say the same."
    return text


def _rows_kept(table: pd.DataFrame) -> int:
    """Return how many rows the page keeps, so that every term that passes is among them."""
    kind = kind_of(table)
    if kind is None or "group" not in table.columns:
        return _MOST_KEPT
    passed = int(passing(table, kind).groupby(table["group"], observed=True).sum().max())
    return min(_MOST_KEPT, max(_KEPT, passed) * table["group"].nunique())
