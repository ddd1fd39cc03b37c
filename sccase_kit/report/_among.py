"""What the page says of types that differ within groups of one name, which the name does not tell."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from anndata import AnnData

from ._groups import table_of
from ._order import Kin

#: What the line means, for the cards that have it.
HOW = {
    "among these": (
        "Among these: of the groups that stand together, the types whose scores differ most: the score here, and the "
        "lowest and the highest of these groups."
    )
}
_SOME = 0.05  # support that makes a type one of those in question
_DIFFERS = 1.5  # of scores, which are in standard deviations of sets of genes drawn at random
_LEAST = 2.0  # of the highest score
_MOST = 2


def among_lines(adata: AnnData, groupby: str, kin: Sequence[Kin]) -> dict[str, str]:
    """Return, for groups that stand together, which types are more and which less theirs than the others'.

    Types are those with a support of a twentieth and a score of 2 in one of these groups, whose scores differ by 1.5.

    Parameters
    ----------
    adata
        Data, perhaps with :func:`sccase_kit.tl.annotate` written for `groupby`.
    groupby
        Column of the groups.
    kin
        Groups that stand together.
    """
    scores, support = (table_of(adata, "tl.annotate", groupby, name) for name in ("scores", "support"))
    if scores is None or support is None:
        return {}
    scores, support = scores.rename(index=str), support.rename(index=str)
    found = {}
    for part in kin:
        groups = [group for group in part.groups if group in scores.index]
        if len(groups) < 2:
            continue
        asked = support.columns[(support.loc[groups] >= _SOME).any(axis=0)]
        own = scores.loc[groups, [name for name in asked if name in scores.columns]]
        own = own.loc[:, own.max(axis=0) >= _LEAST]
        spread = (own.max(axis=0) - own.min(axis=0)).sort_values(ascending=False, kind="stable")
        for group in groups:
            texts = [_told(own[name], group) for name in spread.index[spread >= _DIFFERS][:_MOST]]
            if texts:
                found[group] = "; ".join(texts)
    return found


def _told(scores: pd.Series, group: str) -> str:
    low, high = scores.idxmin(), scores.idxmax()
    name = str(scores.name).replace("|", "/")
    if group in (low, high):
        word, other = ("lowest", high) if group == low else ("highest", low)
        return f"{name} score {scores[group]:.1f}, the {word} ({scores[other]:.1f} in {other})"
    return f"{name} score {scores[group]:.1f} ({scores[low]:.1f} in {low}, {scores[high]:.1f} in {high})"
