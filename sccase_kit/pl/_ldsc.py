"""Enrichment of heritability per group of peaks, with standard errors (paper, Fig. 4c)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._validate import check_choice, check_some, check_table
from ._given import table_of
from ._style import get_axes, plain, slanted_inches

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SPECIFIC, _BACKGROUND = "#0072B2", "#999999"
_VALUES = {
    "enrichment": ("Enrichment", "Enrichment_std_error", "enrichment of heritability", 1.0),
    "coefficient": ("Coefficient_z-score", None, "z of the coefficient", 0.0),
    "h2": ("Prop._h2", "Prop._h2_std_error", "share of heritability", None),
}


@checked()
def ldsc(
    table: AnnData | pd.DataFrame,
    trait: str | None = None,
    *,
    groups: Sequence[str] | None = None,
    value: str = "enrichment",
    background: str = "background",
    key: str | None = None,
    ax: Any | None = None,
) -> Axes:
    """Draw enrichment ± standard error of every group of peaks for one trait, the background next to them.

    Parameters
    ----------
    table
        From :func:`sccase_kit.tl.ldsc`, or data that hold it.
    trait
        Trait to draw; may be left out if there is one.
    groups
        Groups in the order to draw; by default those of the table, the background last.
    value
        ``"enrichment"``, ``"coefficient"`` (z-score; what the group adds to the baseline) or ``"h2"`` (share).
    background
        Name of the group that is drawn in grey.
    key
        Of data: the key of `uns` with the table; `None` takes the only one there.
    ax
        Axes to draw into; otherwise a new figure.

    Returns
    -------
    The Axes. Bars are marked ``*`` where there is more heritability than the SNPs' share and Enrichment_p (or, for
    ``"coefficient"``, the one-sided p of the z-score) is below .05 after Bonferroni correction for the groups drawn.

    Raises
    ------
    KeyError
        If columns are missing, or data hold no such table, or several.
    ValueError
        If trait, group or value is not there, the table is empty or repeats a group, or p-values are not in [0, 1].
    TypeError
        If `table` is not a DataFrame, or a column holds no numbers.
    """
    from scipy.stats import norm

    check_choice(value, _VALUES, name="value")
    column, error, label, neutral = _VALUES[value]
    table = table_of(table, ["trait", "group", "Enrichment", "Enrichment_p"], key=key, run="tl.ldsc")
    numbers = dict.fromkeys(("Enrichment", column, *([error] if error else [])))
    table = check_table(
        table, labels=("trait", "group"), numbers=numbers, p_values=("Enrichment_p",), hint="Pass what tl.ldsc returns."
    )
    table[list(numbers)] = table[list(numbers)].where(np.isfinite(table[list(numbers)]))
    traits = list(pd.unique(table["trait"]))
    if trait is None and len(traits) > 1:
        msg = f"the table holds several traits, name one: {traits}"
        raise ValueError(msg)
    trait = traits[0] if trait is None else trait
    part = table[table["trait"] == trait].set_index("group")
    if part.empty:
        msg = f"trait={trait!r} is not in the table; available: {traits}"
        raise ValueError(msg)
    if part.index.has_duplicates:
        msg = f"the table holds the group {part.index[part.index.duplicated()][0]!r} of {trait!r} more than once"
        raise ValueError(msg)
    if groups is None:
        groups = sorted(part.index, key=lambda g: g == background)
    groups = check_some(groups, name="groups")
    if absent := [g for g in groups if g not in part.index]:
        msg = f"groups: {absent} are not in the table; available: {list(part.index)}"
        raise ValueError(msg)
    part = part.loc[groups]
    if part[column].isna().all():
        msg = f"column {column!r} holds no finite number for {trait!r}: there is nothing to draw"
        raise ValueError(msg)
    ax = get_axes(ax, figsize=(max(2.6, 0.55 * len(part) + 1.3), 3.3 + slanted_inches(list(part.index))))
    height = part[column].to_numpy(float)
    spread = np.zeros(len(part)) if error is None else np.maximum(part[error].fillna(0).to_numpy(float), 0)
    colors = [_BACKGROUND if g == background else _SPECIFIC for g in part.index]
    x = np.arange(len(part))
    whiskers = {} if error is None else {"yerr": spread, "error_kw": {"elinewidth": 1, "capsize": 3}}
    ax.bar(x, height, color=colors, width=0.7, **whiskers)
    if neutral is not None:
        ax.axhline(neutral, color="0.3", linestyle="--" if neutral else "-", linewidth=0.8)
    p = norm.sf(height) if value == "coefficient" else part["Enrichment_p"].to_numpy(float)
    more = height > 0 if value == "coefficient" else part["Enrichment"].to_numpy(float) > 1
    for i in np.flatnonzero(more & (p < 0.05 / len(part))):
        top = height[i] + spread[i] if height[i] >= 0 else spread[i]
        ax.annotate("*", (x[i], max(top, 0)), xytext=(0, 1), textcoords="offset points", ha="center")
    ax.set_xticks(x, [plain(g) for g in part.index], rotation=45, ha="right", rotation_mode="anchor")
    ax.set_ylabel(label)
    ax.set_title(plain(trait))
    ax.margins(y=0.12)
    ax.spines[["top", "right"]].set_visible(False)
    return ax
