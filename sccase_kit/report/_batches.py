"""What the page says of batches: the column that was taken for them, why, and how well it is mixed in the groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from anndata import AnnData

from .._batch_columns import batch_columns
from .._record import recorded
from ..metrics.mixing import neighbours_of_other_batches
from ..pages.blocks import Block, Text
from ..pages.page import Section
from ..pages.table import Table
from ._order import rows_in_order

_MIXED, _APART = 0.8, 0.5  # of what chance gives
_MOST, _ODDS, _LEAST_EXPECTED = 0.5, 3.0, 5  # a group is mostly of one batch, far more than all cells are
_WIDE = 8  # batches with a column each in the table
_LOOKED_AT, _SAID = 5, 2  # columns that may hold batches
_NAMED = 30  # things named in a line before it says how many more there are
_WHY = {"name": "by its name", "values": "because cells of one value lie together inside the groups"}
_NO_BATCHES = (
    "None given to the fit (batch_key), and no column of the cells is called like one (batch, donor, sample, library, "
    "lane, prep, run ...) or has values that lie apart inside the groups. Where cells are of several samples, put "
    "these into a column and fit again."
)


class Taken(NamedTuple):
    """A column that holds batches, or may: its name, why it was taken, its mixing in words and over chance."""

    name: str
    why: str
    text: str
    ratio: float | None


def batches_of(adata: AnnData, groupby: str | None, key: str) -> list[Taken]:
    """Return the column that the fit corrected by, else the columns that may hold batches.

    These are the columns that are called so, and those whose values, a few, are not mixed inside the groups.
    """
    made = recorded(adata.uns[key])
    given = None if made is None else made.params.get("batch_key")
    if given is not None:
        return [Taken(given, "given", *_mixing(adata, groupby, key, given))] if given in adata.obs else []
    taken: list[Taken] = []
    for name, why in batch_columns(adata.obs, None if groupby is None else adata.obs[groupby])[:_LOOKED_AT]:
        text, ratio = _mixing(adata, groupby, key, name)
        if why == "name" or (ratio is not None and ratio < _MIXED):
            taken.append(Taken(name, why, text, ratio))
    return taken[:_SAID]


def batches_said(adata: AnnData, groupby: str | None, key: str, taken: Sequence[Taken]) -> tuple[str, list[str]]:
    """Return what is known of batches, and what to doubt."""
    made = recorded(adata.uns[key])
    given = None if made is None else made.params.get("batch_key")
    doubts: list[str] = []
    for name, _, _, ratio in taken:
        if given is None and (ratio is None or ratio < _MIXED):
            doubts.append(f"{name!r} may be batches and was not given to the fit (batch_key={name!r})")
        elif given is not None and ratio is not None and ratio < _MIXED:
            doubts.append(f"batches ({name}) are not mixed inside the groups although they were corrected")
        doubts += _held(adata, groupby, name)
    if given is not None:
        if not taken:
            return f"Corrected by {given!r}, which is no longer in the data.", doubts
        text = f"Corrected by {given!r} (the batch_key of the fit). {taken[0].text}"
        return text + _all_the_same(adata, groupby, given), doubts
    if not taken:
        return _NO_BATCHES, ["batches were not given, so none were corrected"]
    texts = [
        f"{name!r} is taken for batches {_WHY[why]}. {text}{_all_the_same(adata, groupby, name)}"
        for name, why, text, _ in taken
    ]
    what = " or ".join(f"--batch-key {column.name}" for column in taken)
    if all(ratio is not None and ratio >= _MIXED for *_, ratio in taken):
        after = "Mixed as they are inside the groups, nothing needs to be corrected there."
        return " ".join(["Not corrected: the fit was given no batch_key.", *texts, after]), doubts
    after = (
        f"Where that is a batch, fit again with it (sccase-kit enhance {what}; batch_key= in Python). Where it is a "
        "condition, a tissue or a label, do not: then this says how far its values differ inside the groups."
    )
    return " ".join(["Not corrected: the fit was given no batch_key.", *texts, after]), doubts


class Skew(NamedTuple):
    """A batch that most cells of a group are of: its name, its share there, and its share of all cells."""

    batch: str
    share: float
    overall: float


def skewed(adata: AnnData, groupby: str | None, column: str) -> dict[str, Skew]:
    """Return the groups that are mostly of one batch, far more than all cells are: group → batch and shares.

    That is half of the cells or more, at three times the odds of all cells, where five cells of other batches or more
    are expected.
    """
    if groupby is None:
        return {}
    counts = _counts(adata, groupby, column)
    overall = counts.sum() / counts.to_numpy().sum()
    found = {}
    for group, row in counts.iterrows():
        batch, n = str(row.idxmax()), int(row.sum())
        share, usual = float(row.max() / n), float(overall[row.idxmax()])
        odds = share * (1 - usual), usual * (1 - share)
        if share >= _MOST and odds[0] >= _ODDS * odds[1] and n * (1 - usual) >= _LEAST_EXPECTED:
            found[str(group)] = Skew(batch, share, usual)
    return found


def _counts(adata: AnnData, groupby: str, column: str) -> pd.DataFrame:
    """Return the cells of every group (rows) and batch (columns) that have a label of both."""
    cells = adata.obs[adata.obs[groupby].notna() & adata.obs[column].notna()]
    return pd.crosstab(cells[groupby].astype(str), cells[column].astype(str))


def batch_table(adata: AnnData, groupby: str, column: str, order: Sequence[str] = ()) -> pd.DataFrame:
    """Return cells and shares of the batches in every group.

    Up to eight batches have columns of their own, with a first row of all cells; of more, every row is a group and a
    batch.
    """
    counts = rows_in_order(_counts(adata, groupby, column).rename_axis(None, axis=1).reset_index(), order, groupby)
    counts = counts.set_index(groupby)
    whole = counts.sum()
    if counts.shape[1] > _WIDE:
        long = counts.rename_axis(groupby).reset_index().melt(groupby, var_name=column, value_name="cells")
        long["share of the group"] = long["cells"] / long.groupby(groupby, sort=False)["cells"].transform("sum")
        long["share of all cells"] = long[column].map(whole / whole.sum())
        return long[long["cells"] > 0].rename(columns={groupby: "group"}).reset_index(drop=True)
    counts = pd.concat([whole.to_frame("all cells").T, counts]).astype(int)
    shares = counts.div(counts.sum(axis=1), axis=0)
    table = pd.DataFrame({"group": counts.index.astype(str), "cells": counts.sum(axis=1).to_numpy()})
    for batch in counts.columns:
        table[f"{batch}, share"] = shares[batch].to_numpy()
    for batch in counts.columns:
        table[f"{batch}, cells"] = counts[batch].to_numpy()
    return table


def _all_the_same(adata: AnnData, groupby: str | None, column: str) -> str:
    """Say how many groups are mostly of one batch, although cells are mixed inside each."""
    n = len(skewed(adata, groupby, column))
    what = "group is" if n == 1 else "groups are"
    return f" {n} {what} mostly of one {column} all the same (To doubt)." if n else ""


def _held(adata: AnnData, groupby: str | None, column: str) -> list[str]:
    held = skewed(adata, groupby, column)
    if not held:
        return []
    by_share = sorted(held.items(), key=lambda item: -item[1].share)
    texts = [f"{group} ({skew.share:.0%} {skew.batch})" for group, skew in by_share]
    usual = ", ".join(f"{name} {share:.0%}" for name, share in {s.batch: s.overall for s in held.values()}.items())
    text = f"groups that are mostly of one {column}: {some(texts)}; of all cells {usual} (Batches, below)"
    return [f"{text}. A type that others lack, or a batch effect"]


def _mixing(adata: AnnData, groupby: str | None, key: str, column: str) -> tuple[str, float | None]:
    """Return how well the values of a column are mixed in the embedding, and that as a share of chance."""
    slot = f"X_{key}"
    n = adata.obs[column].nunique()
    if groupby is None or slot not in adata.obsm or n < 2:
        return f"{column}: {n} value{'' if n == 1 else 's'}.", None
    in_group = adata.obs[groupby].notna().to_numpy() & adata.obs[column].notna().to_numpy()
    batches, groups = (adata.obs.loc[in_group, name].astype(str) for name in (column, groupby))
    shares = neighbours_of_other_batches(np.asarray(adata.obsm[slot])[in_group], batches, groups)
    if shares is None:
        return f"{column}: {n} values, never two in one group.", 0.0
    ratio = shares[0] / shares[1] if shares[1] > 0 else 1.0
    word = "mixed" if ratio >= _MIXED else "apart" if ratio < _APART else "partly mixed"
    text = f"{column}: {n} values, {word} inside the groups: {shares[0]:.0%} of a cell's neighbours are of another "
    return text + f"{column}, {shares[1]:.0%} by chance in these groups.", ratio


def batch_section(
    adata: AnnData, groupby: str | None, taken: Sequence[Taken], order: Sequence[str] = ()
) -> Section | None:
    """Return the section with the cells of every group by batch."""
    if groupby is None:
        return None
    blocks: list[Block] = []
    for name, *_ in taken:
        table = batch_table(adata, groupby, name, order)
        shares = tuple(column for column in table.columns if "share" in str(column))
        what = f"Cells of every group of {groupby} by {name}"
        notes = dict.fromkeys(shares, "of the group's cells; the first row: of all cells")
        blocks.append(Table(table, what, percent=shares, notes=notes, file=f"{groupby}_by_{name}"))
    if not blocks:
        return None
    return Section("Batches", [Text("A share far from that of all cells is a type, or a batch effect."), *blocks])


def some(names: Sequence[str]) -> str:
    """Return names in a line, and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
