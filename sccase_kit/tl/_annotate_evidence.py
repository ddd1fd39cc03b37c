"""What speaks for and against the types that a group may be, gene by gene; and which types were looked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from ..genes.naming import gene_sums
from ..genes.reach import same_peaks
from ._annotate_cells import nearest_in_reach

#: Types per group whose genes are told.
N_RIVALS = 3
RIVALS = ["group", "type", "rank", "support", "score", "gene", "says", "fold", "value", "n_peaks", "peak", "distance"]
PANEL = ["type", "n_markers", "n_markers_covered", "group", "score", "support", "n_named", "n_lineage", "n_nearest"]


def rival_table(
    values: np.ndarray,
    scores: pd.DataFrame,
    support: pd.DataFrame,
    members: Mapping[str, np.ndarray],
    *,
    opens: np.ndarray,
    weights: sparse.csr_matrix,
    genes: pd.DataFrame,
    places: pd.DataFrame,
) -> pd.DataFrame:
    """Return the genes of the types that fit a group best, and what each says.

    Parameters
    ----------
    values
        Gene values of :func:`sccase_kit.genes.gene_scores`, shape (n_groups, n_genes).
    scores, support
        Groups × types.
    members
        Type → positions of its genes.
    opens
        Open cells by group and peak, shape (n_groups, n_peaks).
    weights
        Sparse, (n_peaks, n_genes).
    genes, places
        The genes (symbol, tss) and peaks (start, end).

    Returns
    -------
    DataFrame, for every group the best type and those with the most support after it: group, type, rank (1: the best),
    support, score, gene (those that rest on the same peaks as one, "CD8A/CD8B"), says ("for": more open in the group
    than in all cells; "silent": it has a peak and is not; "no peak"), fold, value (standardised score), n_peaks, peak
    (the nearest) and distance.
    """
    columns = weights.tocsc().astype(np.float64)
    columns.sort_indices()
    symbols, tss = genes["symbol"].to_numpy(dtype=object), genes["tss"].to_numpy(np.int64)
    used = np.unique(np.concatenate(list(members.values())))
    depth = opens.sum(axis=1, dtype=np.float64)
    seen, expected = gene_sums(opens.astype(np.float64), columns[:, used], depth)
    fold = seen / np.where(expected > 0, expected, np.nan)
    at = {int(gene): k for k, gene in enumerate(used)}
    together = {kind: same_peaks(columns, map(int, own)) for kind, own in members.items()}
    reach = {gene: _reach(columns, gene, places, int(tss[gene])) for gene in at}
    kinds = list(scores.columns)
    rows: list[dict[str, Any]] = []
    for g, group in enumerate(scores.index):
        ranked = np.lexsort((-scores.iloc[g].to_numpy(), -support.iloc[g].to_numpy()))
        best = int(np.nan_to_num(scores.iloc[g].to_numpy(), nan=-np.inf).argmax())
        order = [best, *(k for k in ranked if k != best and support.iloc[g, k] > 0)][:N_RIVALS]
        for rank, k in enumerate(order, start=1):
            kind = {"group": group, "type": kinds[k], "rank": rank}
            kind |= {"support": support.iloc[g, k], "score": scores.iloc[g, k]}
            own = []
            for part in together[kinds[k]]:
                first = part[0]
                value, times = values[g, first], fold[g, at[first]]
                says = "no peak" if not reach[first]["n_peaks"] else "for" if value > 0 and times > 1 else "silent"
                told = {"gene": "/".join(str(symbols[gene]) for gene in part), "says": says}
                own.append(kind | told | {"fold": times, "value": value} | reach[first])
            rows += sorted(own, key=lambda row: -np.nan_to_num(row["value"], nan=-np.inf))
    return pd.DataFrame(rows, columns=RIVALS)


def _reach(columns: sparse.csc_matrix, gene: int, places: pd.DataFrame, tss: int) -> dict[str, Any]:
    if columns.indptr[gene] == columns.indptr[gene + 1]:
        return {"n_peaks": 0, "peak": "", "distance": np.nan}
    return nearest_in_reach(columns, gene, places, tss)


def panel_table(
    table: pd.DataFrame,
    scores: pd.DataFrame,
    support: pd.DataFrame,
    families: Mapping[str, Iterable[str]],
    *,
    n_markers: Sequence[int],
    n_covered: Sequence[int],
) -> pd.DataFrame:
    """Return the types that were looked for, with where each fits best and how many groups are called after it.

    Parameters
    ----------
    table
        The names: label, best and reason of every group.
    scores, support
        Groups × types.
    families
        Lineage → its types.
    n_markers, n_covered
        Genes of every type, and those in reach of a peak.

    Returns
    -------
    DataFrame, one row per type: type, n_markers, n_markers_covered, group (in which it scores highest; "" where no gene
    has a peak), score and support there, n_named (groups called after it), n_lineage (after a lineage that holds it)
    and n_nearest (without a name, and nearest to it).
    """
    named = (table["reason"] == "").to_numpy()
    label, best = table["label"].astype(str).to_numpy(), table["best"].astype(str).to_numpy()
    rows = []
    for k, kind in enumerate(scores.columns):
        known = bool(scores[kind].notna().any())
        at = int(np.nanargmax(scores[kind].to_numpy())) if known else 0
        wider = [name for name, kinds in families.items() if kind in kinds and name != kind]
        row = {"type": kind, "n_markers": int(n_markers[k]), "n_markers_covered": int(n_covered[k])}
        row |= {"group": str(scores.index[at]) if known else "", "score": scores[kind].iloc[at] if known else np.nan}
        row |= {"support": support[kind].iloc[at] if known else 0.0}
        row |= {"n_named": int((named & (label == kind)).sum())}
        row |= {"n_lineage": int((named & np.isin(label, wider)).sum())}
        rows.append(row | {"n_nearest": int((~named & (best == kind)).sum())})
    return pd.DataFrame(rows, columns=PANEL)
