"""Which terms of a table of enrichment pass: one rule for figures, the page and the files of a folder."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

#: Largest adjusted p-value of a term that passes.
MAX_FDR = 0.05
#: Shares of the background above which the peaks of a group are a large part of it, and one that costs terms by itself.
LARGE_SHARE, TOO_LARGE_SHARE = 0.1, 0.2
#: Share of cells in which a peak is open at which a filter leaves out few: what is advised where peaks are wanting.
FEW_CELLS = 0.001


class Kind(NamedTuple):
    """A kind of table: its columns, the rule by which a term passes, and its words.

    Attributes
    ----------
    raw
        Column of the p-value, or of its −log10, that terms are ranked by.
    adjusted
        Columns of the adjusted p-values, which must all pass.
    effect
        Column of the enrichment.
    min_fold
        Enrichment that a term must have at least.
    label, test
        Of the enrichment, and of the test that `raw` is of.
    rule
        The rule in words.
    """

    raw: str
    adjusted: tuple[str, ...]
    effect: str
    min_fold: float
    label: str
    test: str
    rule: str


#: GREAT against the genome (as in the default view of the server), against a background, and tests of genes.
KINDS = (
    Kind(
        "Binom_Log10_PValue",
        ("Binom_Adjp_BH", "Hyper_Adjp_BH"),
        "Binom_Fold_Enrichment",
        2.0,
        "fold enrichment of regions",
        "binomial",
        f"adjusted p ≤ {MAX_FDR:g} in both tests against the genome, and at least 2 times as many peaks as expected",
    ),
    Kind(
        "Hyper_Log10_PValue",
        ("Hyper_Adjp_BH",),
        "Hyper_Fold_Enrichment",
        1.0,
        "fold enrichment of regions",
        "hypergeometric",
        f"adjusted p ≤ {MAX_FDR:g} against all peaks of the background",
    ),
    Kind(
        "P-value",
        ("Adjusted P-value",),
        "Odds Ratio",
        2.0,
        "odds ratio",
        "hypergeometric",
        f"adjusted p ≤ {MAX_FDR:g} in the test of genes, and an odds ratio of at least 2",
    ),
)


def kind_of(table: pd.DataFrame) -> Kind | None:
    """Return the kind of a table by its p-value, the first adjusted one and the enrichment; None for other tables."""
    columns = set(table.columns)
    return next((kind for kind in KINDS if {kind.raw, kind.adjusted[0], kind.effect} <= columns), None)


def remedy_for_share(share: float, *, least: float | None = None) -> str:
    """Return what helps where the peaks of groups are such a share of the background, as it was measured.

    `least`: share of cells from which peaks were kept, None where that is not known.
    """
    more = "more peaks in the data (enhance --min-fraction 0.001, if it dropped many)"
    if least is not None and least <= FEW_CELLS:
        more = f"more peaks in the data (called on more cells; those open in {least:.4g} of the cells are there)"
    if share > TOO_LARGE_SHARE:
        return f"at most a fifth of all peaks per group (n_top, -n) helps a little, {more} most"
    return f"fewer peaks per group do not help, {more} do"


def passing(table: pd.DataFrame, kind: Kind) -> pd.Series:
    """Return which rows pass by the rule of their kind; a missing enrichment does not count against a term."""
    significant = (table[list(kind.adjusted)] <= MAX_FDR).all(axis=1)
    return significant & ~(table[kind.effect] < kind.min_fold)


def ranked(table: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    """Return the rows by what decides whether they pass: the larger adjusted p, then the raw p, then the enrichment."""
    worst = table[list(kind.adjusted)].max(axis=1)
    order = table.assign(_worst=worst).sort_values(
        ["_worst", kind.raw, kind.effect], ascending=[True, True, False], kind="stable", ignore_index=True
    )
    return order.drop(columns="_worst")
