"""What the page says of groups that resemble each other: what tells them apart, or that nothing does."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._record import records
from ..pages.blocks import Block, Text
from ._batches import some
from ._groups import first_of, in_kb, made_with, table_of
from ._headers import PEAKS, SISTERS, described_table

#: Rows of the table of peaks on the page; the data hold all.
_MOST = 2_000
_WHAT = (
    "One random half of the counts is enhanced alone and tells which group every cell is in; the groups are compared "
    "in the other half, which had no part in that, at equal depth and within batches; the halves change places. Groups "
    "that this does not tell apart are one family. The groups were not chosen by the counts that are tested here."
)
_LIKELY = 5  # groups that one type may be split in; of more, the counts may tell nothing apart
_ALPHA, _GENES, _MARKERS, _LEAST_FOLD, _AGAINST = 0.05, 2, 4, 1.5, 2
_NEAR = 25_000  # bases from a peak to the start of a gene that is named for it

_POSSIBLE = 0.02  # support of a type that a group may be
_FEW_STAY, _AWAY = 0.4, 4  # share of cells that stay, of which a group is doubted; groups that are named

#: What the lines mean, for those that are there.
HOW = {
    "holds": (
        "Holds: share of the cells that half of the counts, which had no part in the groups, puts into the group, and "
        "where it puts others: into many where the group is mixed, into one where it is a part of a gradient."
    ),
    "same as": "Same as: groups that one half of the counts does not tell apart, when the other half makes the groups.",
    "against": (
        "Against: the most alike groups that are told apart. In held-out counts: how much the profiles differ, marker "
        "genes (how many times as open, and of which types), and genes that start next to the most certain peaks."
    ),
}


def split_lines(lines: Sequence[tuple[str, str]]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the lines that a card shows, up to the first other group, and those that it folds."""
    words = [word for word, _ in lines]
    shown = words.index("against") + 1 if "against" in words else len(words)
    return list(lines[:shown]), list(lines[shown:])


def sister_lines(adata: AnnData, groupby: str) -> dict[str, list[tuple[str, str]]]:
    """Return the lines of the card of every group: what it is the same as, and what tells it from the next ones.

    Parameters
    ----------
    adata
        Data, perhaps with :func:`sccase_kit.tl.sister_groups` written for `groupby`.
    groupby
        Column of the groups.
    """
    results = _results(adata, groupby)
    if results is None:
        return {}
    groups = results["groups"]
    members = dict(zip(groups["family"].astype(str), groups["members"].astype(str), strict=True))
    asked = _in_question(adata, groupby, members)
    families: dict[str, list[tuple[str, str]]] = {}
    for row in results["contrasts"].sort_values("difference", kind="stable").to_dict("records"):
        text = _against(row, results, members, asked)
        families.setdefault(str(row["family"]), []).append(("against", text))
    found = {}
    for row in groups.to_dict("records"):
        group, names = str(row["group"]), str(row["members"]).split(", ")
        others = ", ".join(name for name in names if name != group)
        first = [("same as", f"{others}: nothing tells them apart, {_split(len(names))}")] if others else []
        found[group] = first + families.get(str(row["family"]), [])[:_AGAINST]
    return found


def _split(n: int) -> str:
    """Return what groups may be that nothing tells apart: of many, the counts may be too few to tell any."""
    return f"one type split in {n}" if n <= _LIKELY else f"one type split in {n}, or these counts are too few to tell"


def told_lines(adata: AnnData, groupby: str) -> dict[str, tuple[float, str]]:
    """Return, for every group, which share of its cells half of the counts keeps there, and where others go.

    Parameters
    ----------
    adata
        Data, perhaps with :func:`sccase_kit.tl.sister_groups` written for `groupby`.
    groupby
        Column of the groups.
    """
    results = _results(adata, groupby)
    if results is None or "told" not in results:
        return {}
    found = {}
    for group, part in results["told"].groupby("group", sort=False):
        own = part["own"].astype(bool)
        away = part[~own].sort_values("share", ascending=False, kind="stable").head(_AWAY)
        where = ", ".join(f"{row.family} {row.share:.0%}" for row in away.itertuples())
        stay = float(part.loc[own, "share"].sum())
        found[str(group)] = stay, f"{stay:.0%} of its cells" + (f"; others go to {where}" if where else "")
    return found


def mixed_doubt(adata: AnnData, groupby: str) -> list[str]:
    """Return a doubt on groups of which half of the counts keeps few cells."""
    few = [f"{group} ({text})" for group, (stay, text) in told_lines(adata, groupby).items() if stay < _FEW_STAY]
    if not few:
        return []
    return [f"groups that half of the counts does not hold together, mixed ones or parts of a gradient: {some(few)}"]


def sister_doubts(adata: AnnData, groupby: str) -> list[str] | None:
    """Return a doubt on groups that nothing tells apart, with the call that merges them; None where nobody looked."""
    results = _results(adata, groupby)
    if results is None:
        return None
    families = results["groups"].drop_duplicates("family")
    alike = [str(text) for text, n in zip(families["members"], families["n_groups"], strict=True) if n > 1]
    if not alike:
        return []
    shown = "; ".join(alike)
    few = int(results["groups"]["n_groups"].max()) > _LIKELY
    what = "one type split, or these counts are too few to tell" if few else "one type split"
    text = f"nothing tells these groups apart, each list is {what}: {shown}. {merge_call(adata, groupby)}"
    return [f"{text} ({len(families)} groups are left)"]


def sister_blocks(adata: AnnData) -> list[Block]:
    """Return the tables of groups against those that they resemble, of every grouping that was compared."""
    blocks: list[Block] = []
    for name, made in records(adata.uns).items():
        if made.function != "tl.sister_groups":
            continue
        results, by = made.results, made.params.get("groupby", "")
        blocks.append(Text(f"Groups of {by} against those most like them ({name})", kind="heading"))
        blocks.append(Text(_WHAT))
        contrasts = results["contrasts"].sort_values("difference", kind="stable")
        peaks = results["peaks"]
        sure = peaks[peaks["padj"] <= _ALPHA].reset_index(drop=True)
        blocks.append(described_table(results["pairs"], f"All pairs of groups of {by}", SISTERS))
        if len(contrasts):
            blocks.append(described_table(contrasts, "Families against the next ones", SISTERS))
        if len(sure):
            blocks.append(described_table(sure, "Peaks that differ between them", {**PEAKS, **SISTERS}, max_rows=_MOST))
    return blocks


def merge_call(adata: AnnData, groupby: str) -> str:
    """Return the calls that merge what held-out counts do not tell apart."""
    call = f"sk.tl.merge_clusters(adata, {groupby!r})"
    if groupby in made_with(adata, "tl.cluster"):
        call = f"sccase-kit cluster --merge, then --groupby {groupby}_merged; {call}"
    return f"Merge what held-out counts do not tell apart: {call}"


def unled(peaks: pd.DataFrame | None) -> list[str]:
    """Return the groups of marker peaks of which none is higher there than in every other group."""
    if peaks is None or "log2fc_nearest" not in peaks.columns:
        return []
    leads = (peaks["log2fc_nearest"] > 0).groupby(peaks["group"].astype(str), sort=False).any()
    return [str(group) for group in leads.index[~leads]]


def unled_doubt(peaks: pd.DataFrame | None) -> list[str]:
    """Return a doubt on groups without a peak of their own."""
    found = unled(peaks)
    return [f"groups without a marker peak that is highest there: {some(found)}"] if found else []


def _results(adata: AnnData, groupby: str) -> Mapping[str, pd.DataFrame] | None:
    groups = first_of(adata, "tl.sister_groups", groupby, "groups")
    if groups is None or set(groups["group"]) != set(adata.obs[groupby].dropna().astype(str)):
        return None
    made = next(iter(made_with(adata, "tl.sister_groups", groupby).values())).results
    groups = groups.assign(n_groups=groups.groupby("family")["group"].transform("size"))
    return {"groups": groups, **{name: made[name] for name in ("contrasts", "peaks", "genes", "told") if name in made}}


def _in_question(adata: AnnData, groupby: str, members: Mapping[str, str]) -> dict[str, set[str]]:
    """Return, for every family, the types that one of its groups may be; none where no names were suggested."""
    support = table_of(adata, "tl.annotate", groupby, "support")
    if support is None:
        return {}
    likely = support.rename(index=str, columns=lambda name: str(name).replace("|", "/")) >= _POSSIBLE
    found = {}
    for family, names in members.items():
        own = [name for name in names.split(", ") if name in likely.index]
        found[family] = set(likely.columns[likely.loc[own].any(axis=0)])
    return found


def _against(
    row: Mapping[str, Any],
    results: Mapping[str, pd.DataFrame],
    members: Mapping[str, str],
    asked: Mapping[str, set[str]],
) -> str:
    """Return what tells a family from another: how much, how many peaks, genes of both directions."""
    here, there = str(row["family"]), str(row["other"])
    n_peaks = int(row["n_more"]) + int(row["n_less"])
    text = f"{members[there]} (profiles differ by {row['difference']:.0%}"
    text += f", {n_peaks} peak{'' if n_peaks == 1 else 's'} certain)" if n_peaks else ", no single peak is certain)"
    parts = []
    for direction, where in (("more", "more open here"), ("less", "less open here")):
        types = asked[here] | asked[there] if asked else None
        marks = _marker_genes(results.get("genes"), here, there, direction, types)
        known = {name for names in marks for name in names.split("/")}
        near = _peak_genes(results["peaks"], here, there, direction, known=known)
        told = [*marks.values(), *near]
        if told:
            parts.append(f"{where} {', '.join(told)}")
    return f"{text}: {'; '.join(parts)}" if parts else text


def _peak_genes(peaks: pd.DataFrame, here: str, there: str, direction: str, *, known: Collection[str]) -> list[str]:
    """Return the other genes that start next to the most certain peaks of one direction: how many times as open."""
    if "nearest_gene" not in peaks.columns:
        return []
    own = peaks[_of(peaks, here, there) & (peaks["direction"] == direction) & (peaks["padj"] <= _ALPHA)]
    own = own[(own["nearest_gene"].astype(str) != "") & (own["distance"].abs() <= _NEAR)]
    own = own[~own["nearest_gene"].astype(str).isin(list(known))].drop_duplicates("nearest_gene").head(_GENES)
    rows = zip(own["nearest_gene"].astype(str), own["log2fc"], own["distance"], strict=True)
    return [f"{gene} {2 ** abs(float(fold)):.1f}× ({in_kb(abs(int(far)))})" for gene, fold, far in rows]


def _marker_genes(
    genes: pd.DataFrame | None, here: str, there: str, direction: str, asked: set[str] | None
) -> dict[str, str]:
    """Return the marker genes that differ by half or more, with the types that they mark; of one peak, together.

    Of types that neither group may be, nothing is said (`asked`: those that one may be; None for all).
    """
    if genes is None:
        return {}
    sign = 1 if direction == "more" else -1
    own = genes[_of(genes, here, there) & (genes["padj"] <= _ALPHA) & (sign * genes["z"] > 0)]
    with np.errstate(divide="ignore"):
        times = own["fold"].to_numpy(float) ** float(sign)
    own = own.assign(times=times, reach=own["peak"].astype(str).where(own["n_peaks"] == 1, own["gene"].astype(str)))
    own = own[own["times"] >= _LEAST_FOLD]
    found = {}
    for _, part in own.groupby("reach", sort=False):
        fold, names = float(part["times"].iloc[0]), "/".join(part["gene"].astype(str))
        marked = [kind for text in part["types"].astype(str) for kind in text.split(", ")] if "types" in part else []
        kinds = ", ".join(kind for kind in dict.fromkeys(marked) if asked is None or kind in asked) or "marker"
        if asked is not None and marked and kinds == "marker":
            continue
        found[names] = f"{names} {fold:.1f}× ({kinds})" if np.isfinite(fold) else f"{names} ({kinds}; nowhere else)"
    return dict(list(found.items())[:_MARKERS])


def _of(table: pd.DataFrame, here: str, there: str) -> pd.Series:
    return (table["family"].astype(str) == here) & (table["other"].astype(str) == there)
