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
from ..genes.naming import SetScores, gene_sums, set_pvalues
from ..genes.reach import one_per_locus
from ..peaks import level_profiles
from ._annotate_cells import cell_pvalues

#: The lineage whose types come before those of other lineages.
PROGENITOR = "Progenitor"
#: Least support of progenitors, among groups of one lineage, of a group that is rather one.
MOST = 0.9
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

    Groups of one lineage that are nearest to a type of it that is no progenitor are compared with each other; genes
    that share a peak count once there (ELANE, PRTN3 and AZU1 lie together). Where a type of the lineage "Progenitor" is
    best in one of them, with the p-value that a name needs and in the counts alone (groups that are one differ by
    little, which scores do not say), and nine tenths of the draws say progenitors, its name becomes the smallest
    lineage that holds what it was called and a progenitor. A group without a name gets the note
    alone.

    Returns
    -------
    What every group that was compared scores: group, among (the lineage), n_groups (compared), called (its best type
    that is no progenitor), score_called, progenitor (the best type of that lineage), score_progenitor, padj (of the
    best type of all), support_progenitor and support_called (of all progenitors, and of the lineage's other types),
    rather (whether it is marked) and genes (those that speak most for the progenitor, and how many times as open as in
    all that were compared).
    """
    table["note"] = ""
    columns = evidence.weights.tocsc()
    evidence = replace(evidence, members={k: one_per_locus(columns, own) for k, own in evidence.members.items()})
    early = set(families.get(PROGENITOR, ()))
    kinds = list(support.columns)
    young = np.array([kind in early for kind in kinds])
    rows: list[dict[str, Any]] = []
    for wider, own, groups in _compared(table, families, kinds, early, alpha=alpha):
        found = evidence.scored(groups, rng)
        scores = found.result.scores
        best, at = scores.argmax(axis=1), np.arange(len(groups))
        counted = np.minimum(set_pvalues(evidence.opens[groups], evidence.weights, evidence.members) * len(kinds), 1)
        padj = benjamini_hochberg(np.maximum(found.pvalues, counted)[at, best])
        called = np.array([kinds.index(kind) for kind in own])
        progenitor = np.flatnonzero(young)[scores[:, young].argmax(axis=1)]
        shares = found.support[:, young].sum(axis=1), found.support[:, called].sum(axis=1)
        rather = young[best] & (padj <= alpha) & (shares[0] >= MOST)
        for k, group in enumerate(groups):
            kind = called[scores[k, called].argmax()]
            row = {"group": str(table.loc[group, "group"]), "among": wider, "n_groups": len(groups)}
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
) -> Iterator[tuple[str, list[str], np.ndarray]]:
    """Yield lineages that hold a progenitor, their other types, and the groups nearest to these (ascending).

    A group belongs to the smallest such lineage that holds what it is called; one without a name that stands out, to
    that of its nearest type.
    """
    sure = (table["padj"] <= alpha).to_numpy() if "padj" in table else np.ones(len(table), dtype=bool)
    rows: dict[str, list[int]] = {}
    for g, row in enumerate(table[["label", "best", "reason"]].itertuples(index=False)):
        if str(row.best) in early or not (row.reason == "" or sure[g]):
            continue
        name = str(row.label) if row.reason == "" else str(row.best)
        own = [kind for kind in families.get(name, [name]) if kind in kinds]
        wider = _wider(own, families, early)
        if own and wider is not None:
            rows.setdefault(wider, []).append(g)
    for wider, groups in rows.items():
        mature = [kind for kind in dict.fromkeys(families[wider]) if kind in kinds and kind not in early]
        if len(groups) > 1:
            yield wider, mature, np.array(groups, dtype=np.int64)


def _mark(
    table: pd.DataFrame, support: pd.DataFrame, group: int, row: Mapping[str, Any], wider: str, members: list[str]
) -> None:
    """Write the note of a progenitor, and the name of the lineage where it has a name."""
    if table.loc[group, "reason"] == "" and table.loc[group, "label"] != wider:
        table.loc[group, "label"] = wider
        table.loc[group, "support"] = min(float(support.iloc[group][list(dict.fromkeys(members))].sum()), 1.0)
    n = row["n_groups"] - 1
    table.loc[group, "note"] = (
        f"rather a progenitor: compared with the other {'group' if n == 1 else f'{n} groups'} of {row['among']} alone, "
        f"it fits {row['progenitor']} best (score {row['score_progenitor']:.1f}, {row['called']} "
        f"{row['score_called']:.1f}; {row['genes']})"
    )


def _wider(own: list[str], families: Mapping[str, Iterable[str]], early: set[str]) -> str | None:
    """Return the smallest lineage that holds types and a progenitor, None where there is none."""
    sizes = {
        name: len(set(kinds))
        for name, kinds in ((name, list(kinds)) for name, kinds in families.items())
        if name != PROGENITOR and set(own) <= set(kinds) and early & set(kinds)
    }
    return min(sizes, key=lambda name: (sizes[name], name)) if sizes else None
