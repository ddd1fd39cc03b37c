"""The evidence behind names of groups, over all groups and among some of them: progenitors under the name of a kin.

A progenitor is already open where its descendants are, so that beside all cells a GMP has the marker genes of a
monocyte. Beside the monocytes alone it has not: there the genes of stem cells stand out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from .._adjust import benjamini_hochberg
from ..genes import gene_scores, set_scores, set_support
from ..genes.naming import SetScores
from ..peaks import level_profiles
from ._annotate_cells import cell_pvalues

#: The lineage whose types come before those of other lineages.
PROGENITOR = "Progenitor"


@dataclass(frozen=True, slots=True)
class Scored:
    """Gene values (groups × genes), scores of the types, their p-values and support (groups × types)."""

    values: np.ndarray
    result: SetScores
    pvalues: np.ndarray
    support: np.ndarray


@dataclass(frozen=True, slots=True)
class Evidence:
    """What marker genes are scored on.

    Attributes
    ----------
    opens, profiles
        Open cells and mean enhanced profiles by group and peak, shape (n_groups, n_peaks).
    weights
        Sparse, (n_peaks, n_genes).
    members
        Type → positions of its genes.
    cells, peaks
        Factors of the accessibility of cells.
    codes
        0-based group of each cell.
    """

    opens: np.ndarray
    profiles: np.ndarray
    weights: sparse.csr_matrix
    members: Mapping[str, np.ndarray]
    cells: np.ndarray
    peaks: np.ndarray
    codes: np.ndarray

    def scored(self, groups: np.ndarray, rng: np.random.Generator) -> Scored:
        """Score the types in some groups (ascending), each against the others of these."""
        inside = np.isin(self.codes, groups)
        codes, opens = np.searchsorted(groups, self.codes[inside]), self.opens[groups]
        values = gene_scores(opens, self.weights, level_profiles(self.profiles[groups]))
        result = set_scores(values, self.members, rng=rng)
        own = cell_pvalues(self.cells[inside], self.peaks, opens, self.weights, self.members, codes=codes)
        return Scored(values, result, np.maximum(result.pvalues, own), set_support(values, self.members, rng=rng))


def mark_progenitors(
    table: pd.DataFrame,
    support: pd.DataFrame,
    families: Mapping[str, Iterable[str]],
    evidence: Evidence,
    rng: np.random.Generator,
    *,
    alpha: float,
    min_support: float,
) -> None:
    """Give groups that are rather progenitors than what they are called the name of the lineage of both, with a note.

    Groups of one name are compared with each other. Where a type of the lineage "Progenitor" is best in a group of
    them, with the p-value that a name needs and, over all types of that lineage, the support, and the type that it is
    called after is less than in the others, the group's name becomes the smallest lineage that holds this type and a
    progenitor.
    """
    table["note"] = ""
    early = set(families.get(PROGENITOR, ()))
    kinds = list(support.columns)
    young = [kind in early for kind in kinds]
    named = table.index[(table["reason"] == "").to_numpy()]
    for label, rows in table.loc[named].groupby("label", sort=False).groups.items():
        own = [kind for kind in families.get(str(label), [str(label)]) if kind in kinds]
        wider = _wider(own, families, early)
        if len(rows) < 2 or not own or wider is None:
            continue
        groups = np.sort(rows.to_numpy(dtype=np.int64))
        found = evidence.scored(groups, rng)
        best = found.result.scores.argmax(axis=1)
        at = np.arange(len(groups))
        padj = benjamini_hochberg(found.pvalues[at, best])
        less = found.result.scores[:, [kinds.index(kind) for kind in own]].max(axis=1) < 0
        sure = found.support[:, young].sum(axis=1) >= min_support
        for k in np.flatnonzero(less & (padj <= alpha) & sure):
            if not young[best[k]]:
                continue
            row = groups[k]
            members = [kind for kind in dict.fromkeys(families[wider]) if kind in kinds]
            table.loc[row, "label"] = wider
            table.loc[row, "support"] = min(float(support.iloc[row][members].sum()), 1.0)
            table.loc[row, "note"] = (
                f"of the {len(groups)} groups that fit {label}, this one is nearest to {kinds[best[k]]}: "
                f"rather a progenitor"
            )


def _wider(own: list[str], families: Mapping[str, Iterable[str]], early: set[str]) -> str | None:
    """Return the smallest lineage that holds types and a progenitor, None where they hold one or there is none."""
    if early & set(own):
        return None
    sizes = {
        name: len(set(kinds))
        for name, kinds in ((name, list(kinds)) for name, kinds in families.items())
        if name != PROGENITOR and set(own) <= set(kinds) and early & set(kinds)
    }
    return min(sizes, key=lambda name: (sizes[name], name)) if sizes else None
