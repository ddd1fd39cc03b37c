"""The sections of the report on marker peaks of groups and on the names suggested for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
from anndata import AnnData

from .. import pl
from .._record import records
from ..pages.blocks import Block, Text
from ..pages.page import Section
from ._figures import draw
from ._headers import AMONG, GROUPS, NAMES, PANEL, described_table
from ._order import rows_in_order

#: Columns of marker peaks on the page, where they are there; the files hold all.
PEAK_COLUMNS = [
    *["group", "rank", "peak", "nearest_gene", "distance", "score", "log2fc", "log2fc_enhanced"],
    *["log2fc_nearest", "pct_in", "pct_out", "pvalue", "padj", "component", "coefficient", "contrast"],
]

_ALPHA = 0.05
_AMONG_TITLE = "Groups of one lineage, scored against each other alone: is one rather a progenitor?"
#: Columns of names that come first.
_NAME_COLUMNS = ["group", "n_cells", "label", "genes", "reason", "best", "support", "padj", "score", "second", "margin"]


def naming_section(adata: AnnData, order: Mapping[str, Sequence[str]] | None = None) -> Section | None:
    """Return the section on what the groups may be: names, scores, and the genes or samples that speak for them.

    `order`: column → its groups in the order of the page.
    """
    blocks: list[Block] = []
    for name, made in records(adata.uns).items():
        if made.function != "tl.annotate":
            continue
        table: pd.DataFrame = made.results["table"]
        by = str(made.params.get("groupby", ""))
        table = rows_in_order(table, (order or {}).get(by, []))
        named = int((table["reason"] == "").sum())
        blocks.append(Text(f"Names for {by} ({name})", kind="heading"))
        text = (
            f"{named} of {len(table)} groups have a name; where marker genes do not tell related types apart, that of "
        )
        text += "their lineage; the others are unknown, with the reason. "
        blocks.append(Text(text + "Names are suggestions: check the genes."))
        blocks.append(
            draw(
                partial(pl.annotation, adata, key=name, groups=table["group"].tolist()),
                "Scores of types in groups, groups in the order of the cards, types in the order of the first group "
                "that they are best in: z of their marker genes, added, over the root of their number n. A dot marks "
                "the name (half-filled: a lineage), a ring the best of an unknown group.",
            )
        )
        first = [name for name in _NAME_COLUMNS if name in table.columns]
        ordered = table[[*first, *(name for name in table.columns if name not in first)]]
        blocks.append(described_table(ordered, "What the groups may be", NAMES))
        blocks += _behind_names(made.results, (order or {}).get(by, []))
    return Section("Names", blocks) if blocks else None


def _behind_names(results: Mapping[str, Any], order: Sequence[str]) -> list[Block]:
    """Return the tables behind the names: groups of one name against each other, and the types looked for."""
    blocks: list[Block] = []
    for name, title, headers in (("among", _AMONG_TITLE, AMONG), ("panel", "Types that were looked for", PANEL)):
        table = results.get(name)
        if isinstance(table, pd.DataFrame) and len(table):
            table = rows_in_order(table, order) if name == "among" else table
            blocks.append(described_table(table, title, headers))
    return blocks


def peak_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of marker peaks that a reader wants, or a table of another kind as it is."""
    if "score" not in table.columns or "log2fc_enhanced" not in table.columns:
        return table
    return table[[column for column in PEAK_COLUMNS if column in table.columns]]


def group_blocks(entry: Any, order: Sequence[str] = ()) -> list[Block]:
    """Return the table of all groups of marker peaks, in an order, with a sentence on those with few."""
    groups = entry.get("groups")
    if not isinstance(groups, pd.DataFrame) or "reason" not in groups.columns:
        return []
    groups = rows_in_order(groups, order)
    few = groups.loc[groups["reason"].astype(str) != "", "group"].astype(str).tolist()
    what = "Every group: its marker peaks, how many of them are significant and higher than in any other group"
    peaks = entry.get("peaks")
    if isinstance(peaks, pd.DataFrame):
        groups = groups.copy()
        at = list(groups.columns).index("n_peaks") + 1
        for name, column, passes in (
            ("n_highest", "log2fc_nearest", lambda values: values > 0),
            ("n_listed", "padj", lambda values: values <= _ALPHA),
        ):
            if column in peaks.columns:
                counted = passes(peaks[column]).groupby(peaks["group"].astype(str)).sum()
                groups.insert(at, name, groups["group"].astype(str).map(counted).fillna(0).astype(int))
    blocks: list[Block] = [described_table(groups, what, GROUPS)]
    if few:
        blocks.append(Text(f"Groups with few marker peaks, with the reason in the table: {', '.join(few)}."))
    return blocks
