"""Groups and the families that held-out counts make of them, with their tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy
from anndata import AnnData

from .._record import seeded
from .._validate import check_int, check_labels, check_number
from ..peaks.halves import HalfSums
from ..peaks.sisters import PairTest, merged_groups, pair_test, told_apart
from ._held_out_halves import held_out_halves

#: Largest adjusted p-value of a peak that counts as different.
PEAK_ALPHA = 0.05
_SOME = 0.05  # share of the cells of a group


@dataclass(frozen=True, eq=False)
class Sisters:
    """Groups and what held-out counts say of them.

    Attributes
    ----------
    names, sizes
        Names of the groups and their numbers of cells.
    codes
        0-based group of each cell.
    halves
        Sums of the held-out halves.
    families
        Positions of the groups that nothing tells apart, by their first.
    tests
        Test of every pair of families.
    seed
        What was given as `rng`.
    """

    names: list[str]
    sizes: np.ndarray
    codes: np.ndarray
    halves: list[HalfSums]
    families: list[list[int]]
    tests: Mapping[tuple[int, int], PairTest]
    seed: Any

    @property
    def labels(self) -> list[str]:
        """Name of every family: that of its largest group."""
        return [self.names[max(family, key=lambda g: (self.sizes[g], -g))] for family in self.families]

    def members(self, family: int) -> str:
        """Return the names of the groups of a family as text."""
        return ", ".join(self.names[g] for g in self.families[family])

    def test(self, first: int, second: int) -> PairTest:
        """Return the test of two families, whichever comes first."""
        return self.tests[min(first, second), max(first, second)]


def find_sisters(
    adata: AnnData,
    groupby: str,
    *,
    alpha: float,
    min_difference: float,
    n_splits: int,
    layer: str | None,
    key: str,
    rng: int | np.random.Generator | None,
) -> Sisters:
    """Check the arguments, hold out halves of the counts, and merge what they do not tell apart."""
    labels = check_labels(adata, groupby, min_groups=2, text=True)
    alpha = check_number(alpha, name="alpha", minimum=0, maximum=1)
    min_difference = check_number(min_difference, name="min_difference", minimum=0)
    n_splits = check_int(n_splits, name="n_splits", minimum=1)
    names, codes = [str(name) for name in labels.cat.categories], labels.cat.codes.to_numpy().astype(np.int64)
    source, seed = seeded(rng)
    generator = np.random.default_rng(source)
    halves = [
        half
        for _ in range(n_splits)
        for half in held_out_halves(adata, codes, len(names), key=key, layer=layer, rng=generator)
    ]
    families, tests = merged_groups(halves, len(names), alpha=alpha, min_difference=min_difference)
    sizes = np.bincount(codes, minlength=len(names))
    return Sisters(names, sizes, codes, halves, families, tests, seed)


def pair_table(
    found: Sisters, groups: Sequence[Sequence[int]], names: Sequence[str], *, alpha: float, min_difference: float
) -> pd.DataFrame:
    """Return the test of every pair of groups, or of sets of groups; p-values are adjusted for all pairs of groups."""
    n_pairs, rows = len(found.names) * (len(found.names) - 1) // 2, []
    for a in range(len(groups)):
        for b in range(a + 1, len(groups)):
            test = pair_test(found.halves, groups[a], groups[b])
            pvalue = float(scipy.stats.norm.sf(test.z))
            row = {"group": names[a], "other": names[b], "z": test.z, "pvalue": pvalue}
            row |= {"padj": min(pvalue * n_pairs, 1.0), "difference": test.difference}
            apart = told_apart(test, n_pairs=n_pairs, alpha=alpha, min_difference=min_difference)
            rows.append(row | {"apart": apart})
    return pd.DataFrame(rows, columns=["group", "other", "z", "pvalue", "padj", "difference", "apart"])


def nearest_pairs(found: Sisters, family: int, n_next: int) -> list[tuple[int, int]]:
    """Return the pairs of a family and those nearest to it, each in both directions."""
    others = [f for f in range(len(found.families)) if f != family]
    others = sorted(others, key=lambda f: (found.test(family, f).difference, f))[:n_next]
    return [pair for f in others for pair in ((family, f), (f, family))]


def group_table(found: Sisters) -> pd.DataFrame:
    """Return a row per group: its family, and the family that is nearest to that."""
    family_of = {g: f for f, members in enumerate(found.families) for g in members}
    rows = []
    for g, name in enumerate(found.names):
        f = family_of[g]
        row = {"group": name, "n_cells": int(found.sizes[g]), "family": found.labels[f], "members": found.members(f)}
        row |= {"next": "", "difference": np.nan, "z": np.nan}
        if nearest := nearest_pairs(found, f, 1):
            other = nearest[0][1]
            test = found.test(f, other)
            row |= {"next": found.labels[other], "difference": test.difference, "z": test.z}
        rows.append(row)
    return pd.DataFrame(rows)


def told_table(found: Sisters) -> pd.DataFrame:
    """Return into which family half of the counts puts the cells of every group: shares of a twentieth, or its own."""
    told = sum((half.told for half in found.halves[1:]), found.halves[0].told).astype(np.float64)
    rows = []
    for g, name in enumerate(found.names):
        total = told[g].sum()
        shares = [float(told[g, members].sum() / total) if total else 0.0 for members in found.families]
        for f in sorted(range(len(shares)), key=lambda f: -shares[f]):
            if shares[f] >= _SOME or g in found.families[f]:
                rows.append(
                    {"group": name, "family": found.labels[f], "share": shares[f], "own": g in found.families[f]}
                )
    return pd.DataFrame(rows, columns=["group", "family", "share", "own"])
