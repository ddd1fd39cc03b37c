"""What the page says for and against the types that a group may be, and which types were found in no group."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from anndata import AnnData

from ._groups import in_kb, table_of

_SECOND, _GENES = 0.25, 5
TITLE = "for and against: other types, the next group"


def why_not(adata: AnnData, groupby: str) -> dict[str, list[tuple[str, str]]]:
    """Return, for every group, lines of the types that fit it best: genes that speak for each, and those that do not.

    Parameters
    ----------
    adata
        Data, perhaps with :func:`sccase_kit.tl.annotate` written for `groupby`.
    groupby
        Column of the groups.
    """
    table = table_of(adata, "tl.annotate", groupby, "rivals")
    if table is None:
        return {}
    found: dict[str, list[tuple[str, str]]] = {}
    for (group, _), part in table.groupby(["group", "rank"], sort=False):
        first = part.iloc[0]
        word = f"{first['type']}, {first['support']:.0%}"
        found.setdefault(str(group), []).append((word, _genes(part)))
    return found


def second_types(adata: AnnData, groupby: str) -> dict[str, list[tuple[str, str]]]:
    """Return, for groups of which another type is best in a quarter of the draws, that type and what speaks for it."""
    table = table_of(adata, "tl.annotate", groupby, "rivals")
    if table is None:
        return {}
    own = table[(table["rank"] == 2) & (table["support"] >= _SECOND)]
    found = {}
    for group, part in own.groupby("group", sort=False):
        speaks = [_told(row) for row in part[part["says"] == "for"].head(_GENES).to_dict("records")]
        if speaks:
            found[str(group)] = [("or", f"{part['type'].iloc[0]}, {part['support'].iloc[0]:.0%}: {', '.join(speaks)}")]
    return found


def _genes(part: pd.DataFrame) -> str:
    texts = []
    speaks = [_told(row) for row in part[part["says"] == "for"].to_dict("records")]
    texts.append(f"for it: {', '.join(speaks)}" if speaks else "no gene speaks for it")
    for says, word in (("silent", "not more open than in all cells"), ("no peak", "no peak in reach")):
        if names := part.loc[part["says"] == says, "gene"].astype(str).tolist():
            texts.append(f"{word}: {', '.join(names)}")
    return "; ".join(texts)


def _told(row: Mapping[str, object]) -> str:
    """Return a gene with how many times as open it is, and where its peaks are."""
    n = int(str(row["n_peaks"]))
    peaks = "one peak" if n == 1 else f"{n} peaks"
    return f"{row['gene']} {float(str(row['fold'])):.1f}× ({peaks}, {in_kb(float(str(row['distance'])))})"


def not_found(adata: AnnData, groupby: str) -> str:
    """Return which types were looked for and are in no group, with their genes in reach, and where they fit; or ""."""
    table = table_of(adata, "tl.annotate", groupby, "panel")
    if table is None:
        return ""
    none = table[(table["n_named"] == 0) & (table["n_lineage"] == 0) & (table["n_nearest"] == 0)]
    texts = []
    for row in none.itertuples():
        where = f"; fits {row.group} best, {row.support:.0%}" if row.group else ""
        texts.append(f"{row.type} ({row.n_markers_covered} of {row.n_markers} genes have a peak{where})")
    if not texts:
        return ""
    return f"Of {len(table)} types that were looked for, no group is nearest to or named after {', '.join(texts)}."
