"""The evidence behind names of groups, over all groups and among some of them: progenitors under the name of a kin.

A progenitor is already open where its descendants are, so that beside all cells a GMP has the marker genes of a
monocyte. Beside the monocytes alone it has not: there the genes of stem cells stand out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from .._adjust import benjamini_hochberg
from ..genes import gene_scores, set_scores, set_support
from ..genes.naming import SetScores, gene_sums
from ..genes.reach import one_per_locus
from ..peaks import level_profiles
from ._annotate_cells import cell_pvalues

#: The lineage whose types come before those of other lineages.
PROGENITOR = "Progenitor"
#: Least support of progenitors among groups of one name, and largest of that name, of one that is rather a progenitor.
MOST, HARDLY = 0.5, 0.1
AMONG = ["group", "among", "n_groups", "called", "score_called", "progenitor", "score_progenitor"]
AMONG += ["padj", "support_progenitor", "support_called", "rather", "genes"]


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
    symbols
        Names of the genes.
    """

    opens: np.ndarray
    profiles: np.ndarray
    weights: sparse.csr_matrix
    members: Mapping[str, np.ndarray]
    cells: np.ndarray
    peaks: np.ndarray
    codes: np.ndarray
    symbols: np.ndarray

    def scored(self, groups: np.ndarray, rng: np.random.Generator) -> Scored:
        """Score the types in some groups (ascending), each against the others of these."""
        inside = np.isin(self.codes, groups)
        codes, opens = np.searchsorted(groups, self.codes[inside]), self.opens[groups]
        values = gene_scores(opens, self.weights, level_profiles(self.profiles[groups]))
        result = set_scores(values, self.members, rng=rng)
        own = cell_pvalues(self.cells[inside], self.peaks, opens, self.weights, self.members, codes=codes)
        return Scored(values, result, np.maximum(result.pvalues, own), set_support(values, self.members, rng=rng))

    def speaking(self, values: np.ndarray, groups: np.ndarray, row: int, kind: str) -> str:
        """Return the genes that speak most for a type in one of some groups, with how many times as open they are.

        Parameters
        ----------
        values
            Gene values among these groups, of :meth:`scored`.
        groups
            The groups, ascending.
        row
            Which of them.
        kind
            The type.
        """
        own = self.members[kind]
        own = own[np.isfinite(values[row, own])]
        opens = self.opens[groups].astype(np.float64)
        weights = self.weights[:, own].tocsc().astype(np.float64)
        seen, expected = gene_sums(opens, weights, opens.sum(axis=1))
        fold = seen[row] / np.where(expected[row] > 0, expected[row], np.nan)
        order = [k for k in np.argsort(-values[row, own], kind="stable") if fold[k] > 1 and values[row, own[k]] > 0]
        return ", ".join(f"{self.symbols[own[k]]} {fold[k]:.1f}×" for k in order[:3])


def mark_progenitors(
    table: pd.DataFrame,
    support: pd.DataFrame,
    families: Mapping[str, Iterable[str]],
    evidence: Evidence,
    rng: np.random.Generator,
    *,
    alpha: float,
) -> pd.DataFrame:
    """Give groups that are rather progenitors than what they are called the name of the lineage of both, with a note.

    Groups of one name, and those without a name that are nearest to it, are compared with each other; genes that share
    a peak count once there (ELANE, PRTN3 and AZU1 lie together). Where a type of
    the lineage "Progenitor" is best in a group of them, with the p-value that a name needs, types of that lineage have
    most of the support, and the type that it is called after is less than in the others, with hardly any support, the
    group's name becomes the smallest lineage that holds this type and a progenitor. A group without a name gets the
    note alone.

    Returns
    -------
    What every group that was compared scores: group, among (the name), n_groups (compared), called (the best type of
    the name), score_called, progenitor (the best type of that lineage), score_progenitor, padj (of the best type of
    all), support_progenitor, support_called, rather (whether it is marked) and genes (those that speak most for the
    progenitor, and how many times as open as in all that were compared).
    """
    table["note"] = ""
    columns = evidence.weights.tocsc()
    evidence = replace(evidence, members={k: one_per_locus(columns, own) for k, own in evidence.members.items()})
    early = set(families.get(PROGENITOR, ()))
    kinds = list(support.columns)
    young = np.array([kind in early for kind in kinds])
    rows: list[dict[str, Any]] = []
    for label, own, wider, groups in _compared(table, families, kinds, early, alpha=alpha):
        found = evidence.scored(groups, rng)
        scores = found.result.scores
        best, at = scores.argmax(axis=1), np.arange(len(groups))
        padj = benjamini_hochberg(found.pvalues[at, best])
        called = np.array([kinds.index(kind) for kind in own])
        progenitor = np.flatnonzero(young)[scores[:, young].argmax(axis=1)]
        shares = found.support[:, young].sum(axis=1), found.support[:, called].sum(axis=1)
        less = scores[:, called].max(axis=1) < 0
        rather = young[best] & less & (padj <= alpha) & (shares[0] >= MOST) & (shares[1] <= HARDLY)
        for k, group in enumerate(groups):
            kind = called[scores[k, called].argmax()]
            row = {"group": str(table.loc[group, "group"]), "among": label, "n_groups": len(groups)}
            row |= {"called": kinds[kind], "score_called": scores[k, kind]}
            row |= {"progenitor": kinds[progenitor[k]], "score_progenitor": scores[k, progenitor[k]]}
            row |= {"padj": padj[k], "support_progenitor": shares[0][k], "support_called": shares[1][k]}
            genes = evidence.speaking(found.values, groups, k, kinds[progenitor[k]])
            rows.append(row | {"rather": bool(rather[k]), "genes": genes})
            if rather[k]:
                _mark(table, support, group, rows[-1], wider, [kind for kind in families[wider] if kind in kinds])
    return pd.DataFrame(rows, columns=AMONG)


def _compared(
    table: pd.DataFrame, families: Mapping[str, Iterable[str]], kinds: list[str], early: set[str], *, alpha: float
) -> Iterator[tuple[str, list[str], str, np.ndarray]]:
    """Yield names with their types, the smallest lineage with a progenitor, and the groups to compare (ascending)."""
    named = (table["reason"] == "").to_numpy()
    sure = (table["padj"] <= alpha).to_numpy() if "padj" in table else np.ones(len(table), dtype=bool)
    unnamed = set(np.flatnonzero(~named & sure))
    for label, rows in table.loc[table.index[named]].groupby("label", sort=False).groups.items():
        own = [kind for kind in families.get(str(label), [str(label)]) if kind in kinds]
        wider = _wider(own, families, early)
        if not own or wider is None:
            continue
        near = [g for g in sorted(unnamed) if table["best"].iloc[g] in own]
        unnamed -= set(near)
        groups = np.sort(np.concatenate([rows.to_numpy(dtype=np.int64), np.array(near, dtype=np.int64)]))
        if len(groups) > 1:
            yield str(label), own, wider, groups


def _mark(
    table: pd.DataFrame, support: pd.DataFrame, group: int, row: Mapping[str, Any], wider: str, members: list[str]
) -> None:
    """Write the note of a progenitor, and the name of the lineage where it has a name."""
    if table.loc[group, "reason"] == "":
        table.loc[group, "label"] = wider
        table.loc[group, "support"] = min(float(support.iloc[group][list(dict.fromkeys(members))].sum()), 1.0)
    table.loc[group, "note"] = (
        f"rather a progenitor: compared with the other {row['n_groups'] - 1} groups nearest to {row['among']} alone, "
        f"it fits {row['progenitor']} best (score {row['score_progenitor']:.1f}, {row['called']} "
        f"{row['score_called']:.1f}; {row['genes']})"
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
