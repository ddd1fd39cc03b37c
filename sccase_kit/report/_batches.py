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

_MIXED, _APART = 0.8, 0.5  # of what chance gives
_ONE_BATCH = 0.95
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
        return f"Corrected by {given!r} (the batch_key of the fit). {taken[0].text}", doubts
    if not taken:
        return _NO_BATCHES, ["batches were not given, so none were corrected"]
    texts = [f"{name!r} is taken for batches {_WHY[why]}. {text}" for name, why, text, _ in taken]
    what = " or ".join(f"--batch-key {column.name}" for column in taken)
    if all(ratio is not None and ratio >= _MIXED for *_, ratio in taken):
        after = "Mixed as they are, nothing needs to be corrected."
        return " ".join(["Not corrected: the fit was given no batch_key.", *texts, after]), doubts
    after = (
        f"Where that is a batch, fit again with it (sccase-kit enhance {what}; batch_key= in Python). Where it is a "
        "condition, a tissue or a label, do not: then this says how far its values differ inside the groups."
    )
    return " ".join(["Not corrected: the fit was given no batch_key.", *texts, after]), doubts


def _held(adata: AnnData, groupby: str | None, column: str) -> list[str]:
    held = _one_batch(adata, groupby, column)
    return [f"groups with nearly all cells of one {column}: {some(held)}; a type or a batch effect"] if held else []


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
    return text + f"{column}, {shares[1]:.0%} by chance.", ratio


def _one_batch(adata: AnnData, groupby: str | None, column: str) -> list[str]:
    if groupby is None:
        return []
    cells = adata.obs[adata.obs[groupby].notna()]
    shares = pd.crosstab(cells[groupby].astype(str), cells[column].astype(str), normalize="index").max(axis=1)
    overall = adata.obs[column].astype(str).value_counts(normalize=True).max()
    return [str(group) for group in shares.index[(shares >= _ONE_BATCH) & (shares > overall)]]


def some(names: Sequence[str]) -> str:
    """Return names in a line, and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
