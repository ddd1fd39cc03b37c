"""Terms to draw: tables of enrichment in one form, and the first terms of every group that pass."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from .._validate import check_int, check_key, check_number, check_some, check_table
from ..great.alike import genes_behind, leaders
from ..great.passing import kind_of
from ._style import plain


class Labels(NamedTuple):
    """What the axes and colours show, and the enrichment that a term of such a table must have."""

    effect: str
    score: str
    fdr: str
    min_fold: float


def prepared(
    table: pd.DataFrame, groups: Sequence[Hashable] | None, ontology: str | None
) -> tuple[pd.DataFrame, Labels]:
    """Return ID, name, group, score (−log10 p), fdr, effect, Genes of every row; and their labels."""
    columns = set(check_table(table).columns)
    kind = kind_of(table)
    if kind is None:
        msg = f"table must come from tl.great or tl.enrich_genes; its columns are {list(table.columns)}"
        raise ValueError(msg)
    raw, effect, logs = kind.raw, kind.effect, kind.raw.endswith("Log10_PValue")
    table = check_table(
        table,
        labels=["ID", "name", *(["group"] if "group" in columns else []), *(["ontology"] if ontology else [])],
        numbers=[effect, *([raw] if logs else [])],
        p_values=[*kind.adjusted, *([] if logs else [raw])],
    ).reset_index(drop=True)
    score = (-table[raw] if logs else -np.log10(table[raw].clip(lower=1e-300))) + 0.0
    tidy = pd.DataFrame({"ID": table["ID"], "name": table["name"], "score": score})
    tidy["fdr"] = table[list(kind.adjusted)].max(axis=1, skipna=False)
    tidy["effect"] = table[effect].where(np.isfinite(table[effect]))
    tidy["group"] = table["group"] if "group" in columns else "all"
    tidy["Genes"] = table["Genes"] if "Genes" in columns else ""
    tidy = tidy[np.isfinite(tidy["score"])]
    if ontology is not None:
        check_key(ontology, table["ontology"].unique(), name="ontology", where="the table")
        tidy = tidy[(table["ontology"] == ontology)[tidy.index]]
    if groups is not None:
        groups = check_some(groups, name="groups")
        if missing := [g for g in groups if g not in set(tidy["group"])]:
            msg = f"groups: {missing} are not in the table; available: {list(tidy['group'].unique())}"
            raise ValueError(msg)
        tidy = tidy[tidy["group"].isin(list(groups))]
    names = list(groups) if groups is not None else list(pd.unique(tidy["group"]))
    tidy["group"] = pd.Categorical(tidy["group"].astype(object), categories=names)
    both = "the larger of both tests" if len(kind.adjusted) > 1 else kind.test
    return tidy, Labels(kind.label, f"−log₁₀ adjusted p ({both})", f"−log₁₀ adjusted p\n({both})", kind.min_fold)


def top_terms(
    tidy: pd.DataFrame, n_top: int, max_fdr: float, min_fold: float, similar: float | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the terms with the smallest adjusted p of every group that pass the thresholds, and all that pass.

    Of terms that share at least the part `similar` of their genes the strongest is kept; its column `more` says how
    many others there are.
    """
    if similar is not None:
        check_number(similar, name="similar", minimum=0, maximum=1, exclusive=True)
    check_int(n_top, name="n_top", minimum=1)
    check_number(max_fdr, name="max_fdr", minimum=0, maximum=1)
    passed = tidy[(tidy["fdr"] <= max_fdr) & ~(tidy["effect"] < min_fold)]
    if passed.empty:
        msg = f"no term has an adjusted p <= {max_fdr} and an enrichment >= {min_fold}: "
        significant = tidy[tidy["fdr"] <= max_fdr]
        if significant.empty:
            msg += f"the smallest adjusted p is {tidy['fdr'].min():.3g} (max_fdr={max_fdr})"
        else:
            msg += (
                f"of the {len(significant)} with such a p, the largest enrichment is {significant['effect'].max():.3g} "
            )
            msg += f"(min_fold={min_fold}); peaks that are a large part of the background cannot be enriched more"
        raise ValueError(msg)
    order = {"group": True, "fdr": True, "score": False, "effect": False}
    best = passed.sort_values(list(order), ascending=list(order.values()), kind="stable").assign(more=0)
    if similar is not None:
        best = _once(best, similar)
    return best.groupby("group", observed=True, sort=False).head(n_top), passed


def _once(best: pd.DataFrame, similar: float) -> pd.DataFrame:
    """Return the rows of every group whose genes are not largely those of a row before, with the number of these."""
    kept = []
    for _, part in best.groupby("group", observed=True, sort=False):
        first = leaders(genes_behind(part["Genes"].tolist()), least=similar)
        rows, n = np.unique(first, return_counts=True)
        kept.append(part.iloc[rows].assign(more=n - 1))
    return pd.concat(kept)


def short_name(name: object, limit: int = 48) -> str:
    name = str(name)
    return plain(name if len(name) <= limit else name[: limit - 1].rstrip() + "…", limit)
