"""The name of every group, or why it has none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ..genes import smallest_lineage

UNKNOWN = "unknown"
_HALF = 0.5


def give_names(
    table: pd.DataFrame,
    support: pd.DataFrame | None,
    families: Mapping[str, Iterable[str]],
    failing: Mapping[str, float],
    *,
    min_support: float,
    min_margin: float,
) -> None:
    """Give every row its label, the support of that, and the reason of those that are unknown."""
    labels: list[str] = []
    reasons: list[str] = []
    own = table["support"].to_numpy(copy=True)
    for g, row in table.iterrows():
        reason, label, share = _reason(row, failing), "", float(row["support"])
        behind = bool(row["margin"] < min_margin)
        if share >= min_support and not behind:
            label = str(row["best"])
        elif support is not None:
            shares = dict(zip(support.columns, support.iloc[len(labels)], strict=True))
            label, share = smallest_lineage(str(row["best"]), shares, families, min_support=min_support)
        if not label and not reason:
            rivals = (
                f"{row['best']} is best in only {row['support']:.0%} of resamplings, a name needs {min_support:.0%}"
            )
            if support is not None:
                others = support.iloc[len(labels)].drop(row["best"]).nlargest(2)
                rivals += f" ({', '.join(f'{kind} in {other:.0%}' for kind, other in others[others > 0].items())})"
                rivals += _together(shares, families)
            reason = f"{row['second']} is only {row['margin']:.3g} behind" if row["support"] >= min_support else rivals
        labels.append(UNKNOWN if reason else label)
        table.loc[g, "support"] = row["support"] if reason else share
        reasons.append(reason)
    table.insert(2, "label", labels)
    table.insert(list(table.columns).index("support") + 1, "support_best", own)
    table["reason"] = reasons


def _together(shares: Mapping[str, float], families: Mapping[str, Iterable[str]]) -> str:
    """Return how often a type of the smallest lineage that has more than half of the draws is best, or ""."""
    sums = {name: (len(list(kinds)), sum(shares.get(kind, 0.0) for kind in kinds)) for name, kinds in families.items()}
    likely = [(size, -total, name) for name, (size, total) in sums.items() if total >= _HALF]
    if not likely:
        return ""
    _, total, name = min(likely)
    return f"; one of {name} in {-total:.0%}"


def _reason(row: pd.Series, failing: Mapping[str, float]) -> str:
    """Return why a group cannot have a name whatever fits best, or ""."""
    if not np.isfinite(row["score"]) or row["score"] <= 0:
        return "no type scores above chance"
    if "n_markers_covered" in failing and row["n_markers_covered"] < failing["n_markers_covered"]:
        n = row["n_markers_covered"]
        return f"only {n} marker {'gene has' if n == 1 else 'genes have'} a peak in reach"
    if "n_peaks" in failing and row["n_peaks"] < failing["n_peaks"]:
        return f"only {row['n_peaks']} peaks are shared with the reference"
    if "padj" in failing and row["padj"] > failing["padj"]:
        return f"adjusted p-value {row['padj']:.2g}"
    return ""
