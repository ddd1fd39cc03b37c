"""What is known of every group of cells, read from the results that are stored: names, genes, motifs, terms, traits."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._record import Record, records
from ..genes.naming import N_RANDOM
from ..tl import differential_deviations

_GENES, _PEAKS, _MOTIFS = 6, 3, 4
_NEAR_GENES = 4
_FEW_PEAKS = 10  # of a set of peaks, below which its deviations are those of single peaks
#: Bases from a peak within which the nearest gene is shown.
FAR = 100_000
#: Bases from a marker peak within which a gene that starts there is shown on a card.
NEAR = 10_000
#: Marker peaks of a group, the first ones, whose genes are shown on its card.
FIRST = 50
_LEAST_FOLD = 1.2  # of a marker gene that a card shows, other than the first
_LEAST_EFFECT, _NEAR_EFFECT, _ALPHA, _SOME = 0.5, 0.7, 0.05, 0.5
_DESCRIBES = ("tl.annotate", "tl.specific_peaks", "tl.scabc", "tl.trait_scores")


def described(adata: AnnData, groupby: str | None, *, asked: bool) -> str | None:
    """Return the column of `obs` whose groups the page describes.

    `groupby` if the user asked for it or any result is of it and none has more results; else the column with the most.
    """
    columns = [made.params.get("groupby") for f in _DESCRIBES for made in made_with(adata, f).values()]
    columns = [str(name) for name in columns if name is not None and name in adata.obs]
    if asked or not columns:
        return groupby
    return max(dict.fromkeys(columns), key=lambda name: (columns.count(name), name == groupby))


def made_with(adata: AnnData, function: str, groupby: str | None = None) -> dict[str, Record]:
    """Return the results of a function: key → call; those of one grouping, if it is given."""
    found = {key: made for key, made in records(adata.uns).items() if made.function == function}
    return {k: made for k, made in found.items() if groupby is None or made.params.get("groupby") == groupby}


def table_of(adata: AnnData, function: str, groupby: str, result: str) -> pd.DataFrame | None:
    """Return a table of the first result of a function for a grouping that has it; None where there is none."""
    tables = (made.results.get(result) for made in made_with(adata, function, groupby).values())
    return next((table for table in tables if isinstance(table, pd.DataFrame)), None)


def first_of(adata: AnnData, function: str, groupby: str, result: str) -> pd.DataFrame | None:
    """Return a table of the first result of a function for a grouping, by group; None where there is none."""
    for made in made_with(adata, function, groupby).values():
        table = made.results.get(result)
        if isinstance(table, pd.DataFrame) and "group" in table.columns:
            return table.assign(group=table["group"].astype(str))
    return None


def gene_peaks(peaks: pd.DataFrame | None) -> dict[str, dict[str, str]]:
    """Return the genes nearest to the first marker peaks of every group, in the order of the peaks: gene → peak."""
    if peaks is None or "nearest_gene" not in peaks.columns:
        return {}
    near = peaks[(peaks["nearest_gene"].astype(str) != "") & (peaks["distance"].abs() <= FAR)]
    found: dict[str, dict[str, str]] = {}
    for group, gene, peak in zip(*(near[name].astype(str) for name in ("group", "nearest_gene", "peak")), strict=True):
        genes = found.setdefault(group, {})
        if gene not in genes and len(genes) < _GENES:
            genes[gene] = peak
    return found


def near_genes(peaks: pd.DataFrame | None) -> dict[str, dict[str, int]]:
    """Return the genes that start next to one of the first marker peaks of every group: gene → distance in bases."""
    if peaks is None or "nearest_gene" not in peaks.columns:
        return {}
    first = peaks.groupby("group", sort=False, observed=True).head(FIRST)
    first = first[(first["nearest_gene"].astype(str) != "") & (first["distance"].abs() <= NEAR)]
    found: dict[str, dict[str, int]] = {}
    for row in first[["group", "nearest_gene", "distance"]].to_dict("records"):
        genes = found.setdefault(str(row["group"]), {})
        if len(genes) < _NEAR_GENES:
            genes.setdefault(str(row["nearest_gene"]), abs(int(row["distance"])))
    return found


def in_kb(distance: float) -> str:
    """Return a distance in bases in words."""
    far = distance / 1000
    return "at its start" if far < 0.05 else f"{far:.0f} kb" if far >= 10 else f"{far:.1f} kb"


def marker_peaks(peaks: pd.DataFrame | None) -> dict[str, list[str]]:
    """Return the first marker peaks of every group."""
    if peaks is None:
        return {}
    by_group = peaks.groupby("group", sort=False, observed=True)["peak"]
    return {str(group): names.astype(str).tolist()[:_PEAKS] for group, names in by_group}


def deviations_of(adata: AnnData, groupby: str) -> dict[str, pd.DataFrame]:
    """Return the test of every result of chromVAR between the groups: key → table, the largest effects first."""
    found = {}
    for key in made_with(adata, "tl.chromvar"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that nearly all pass: they are ranked by effect here
            try:
                table = differential_deviations(adata, groupby, key=key)
            except (ValueError, KeyError):  # one group
                continue
        found[key] = table.assign(group=table["group"].astype(str))
    return found


def given_tests(adata: AnnData, groupby: str, tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the tests of motifs between the groups among tables that were given."""
    found = {k: t for k, t in tables.items() if {"group", "set", "effect_size", "p_value_adj"} <= set(t.columns)}
    return {k: t for k, t in found.items() if grouping_of(adata, groupby, k, t) == groupby}


def motifs_of(tests: Mapping[str, pd.DataFrame], fits: pd.DataFrame | None = None) -> dict[str, list[str]]:
    """Return the sets of peaks that deviate most in every group, with the effect and how well the gene fits.

    Sets of fewer than 10 peaks are left out, where the table says how many they have. Of a family of motifs, whose
    deviations say the same, one is named: that whose gene fits best among those with nearly the largest effect.

    Parameters
    ----------
    tests
        Tables of :func:`sccase_kit.tl.differential_deviations`, perhaps with the columns gene_correlation and family.
    fits
        These columns by set, for tables that lack them.
    """
    found: dict[str, list[str]] = {}
    for table in tests.values():
        strong = table[(table["effect_size"] >= _LEAST_EFFECT) & (table["p_value_adj"] <= _ALPHA)]
        if "n_peaks" in strong.columns:
            strong = strong[strong["n_peaks"] >= _FEW_PEAKS]
        if fits is not None and "family" not in strong.columns:
            strong = strong.join(fits, on="set")
        for group, part in strong.groupby("group", sort=False, observed=True):
            for row in _members(part).head(_MOTIFS).to_dict("records"):
                fit = float(row.get("gene_correlation", np.nan))
                gene = f", gene r {fit:.2f}" if np.isfinite(fit) else ""
                found.setdefault(str(group), []).append(f"{row['set']} ({row['effect_size']:.1f}{gene})")
    return found


def strongest_of(tests: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Return, for every group, which set of peaks deviates most of those that are significant, however little."""
    found: dict[str, str] = {}
    for table in tests.values():
        sure = table[(table["effect_size"] > 0) & (table["p_value_adj"] <= _ALPHA)]
        if "n_peaks" in sure.columns:
            sure = sure[sure["n_peaks"] >= _FEW_PEAKS]
        for row in sure.sort_values("effect_size", ascending=False, kind="stable").to_dict("records"):
            found.setdefault(str(row["group"]), f"none passes; nearest: {row['set']} ({row['effect_size']:.1g})")
    return found


def _members(part: pd.DataFrame) -> pd.DataFrame:
    """Return one set of every family, the family with the largest effect first; all sets where none is known."""
    part = part.sort_values("effect_size", ascending=False, kind="stable")
    if "family" not in part.columns:
        return part
    alone = part["family"].isna()
    family = part["family"].where(~alone, pd.Series(-1 - np.arange(len(part)), index=part.index))
    lead = part["effect_size"].groupby(family).transform("max")
    near = part.assign(family=family, lead=lead)[part["effect_size"] >= _NEAR_EFFECT * lead]
    best = near.sort_values("gene_correlation", ascending=False, kind="stable", na_position="last")
    return best.drop_duplicates("family").sort_values("lead", ascending=False, kind="stable")


def grouping_of(adata: AnnData, groupby: str, where: str, table: pd.DataFrame) -> str | None:
    """Return the column of `obs` whose groups a table is of: by its peaks, else `groupby` if all are there."""
    known = records(adata.uns)
    key = next((k for k in known if where.startswith(f"uns[{k!r}]")), None)
    peaks = None if key is None else known.get(str(known[key].params.get("key")))
    if peaks is not None:
        return peaks.params.get("groupby")
    groups = set(adata.obs[groupby].astype(str)) | {"background"}
    return groupby if set(table["group"].astype(str)) <= groups else None


def tested_groups(
    adata: AnnData,
    groupby: str,
    *,
    tests: Mapping[str, pd.DataFrame],
    tables: Mapping[str, pd.DataFrame],
    effects: Mapping[str, pd.DataFrame],
) -> dict[str, set[str]]:
    """Return which groups were tested for "motifs", "terms" and "traits", whether something passed or not."""
    stored = first_of(adata, "tl.trait_scores", groupby, "groups")
    given = {where: table for where, table in {**tables, **effects}.items() if "group" in table.columns}
    own = {k: t for k, t in given.items() if grouping_of(adata, groupby, k, t) == groupby}
    parts = {
        "motifs": list(tests.values()),
        "terms": [table for where, table in own.items() if where in tables],
        "traits": [table for where, table in own.items() if where in effects] + ([] if stored is None else [stored]),
    }
    return {word: {str(g) for table in found for g in pd.unique(table["group"])} for word, found in parts.items()}


def is_trait_groups(table: pd.DataFrame) -> bool:
    """Return whether a table holds the scores of groups for traits."""
    return {"trait", "group", "score", "z_mean", "p_value_adj"} <= set(table.columns)


def traits_of(adata: AnnData, groupby: str, tables: Mapping[str, pd.DataFrame]) -> dict[str, list[str]]:
    """Return the traits whose variants act in a group more than by chance, with the score; stored, else as given."""
    given = [t for k, t in tables.items() if grouping_of(adata, groupby, k, t) == groupby]
    table = first_of(adata, "tl.trait_scores", groupby, "groups")
    if table is None and not given:
        return {}
    table = pd.concat(given) if table is None else table
    passed = table[table["p_value_adj"] <= _ALPHA].sort_values("score", ascending=False, kind="stable")
    texts = passed["trait"].astype(str) + passed["score"].map(" ({:.1f} × chance)".format)
    return {str(group): part.tolist() for group, part in texts.groupby(passed["group"], sort=False)}


def composition(adata: AnnData, groupby: str, other: str) -> dict[str, str]:
    """Return what most cells of every group are called in another column; of finer groups, which it holds.

    Where both columns hold the same groups, there is nothing to say.
    """
    cells = pd.crosstab(adata.obs[groupby].astype(str), adata.obs[other].astype(str))
    if cells.empty:
        return {}
    held = cells > 0
    if (held.sum(axis=0) == 1).all():  # every group there lies in one here
        if len(held) == held.shape[1]:
            return {}
        texts = {str(group): ", ".join(row.index[row].astype(str)) for group, row in held.iterrows()}
        return {group: text for group, text in texts.items() if text != group}
    shares = cells.div(cells.sum(axis=1), axis=0)
    best = shares.idxmax(axis=1)
    return {str(group): f"{shares.loc[group, name]:.0%} {name}" for group, name in best.items()}


def depths_of(depth: np.ndarray, labels: pd.Series) -> pd.Series:
    """Return the median depth of every group, by its name as text."""
    return pd.Series(depth).groupby(labels.astype(str).to_numpy()).median()


def most_like(groups: pd.DataFrame | None, names: pd.DataFrame | None = None) -> dict[str, str]:
    """Return which group every group resembles most, what it is called, and the correlation of profiles, from .5."""
    if groups is None or "resembles" not in groups.columns:
        return {}
    called = {} if names is None else dict(zip(names["group"].astype(str), names["label"].astype(str), strict=True))
    found = {}
    for row in groups[groups["similarity"].astype(float) >= _SOME].to_dict("records"):
        other = str(row["resembles"])
        name = f"{called[other]}, " if called.get(other, "unknown") != "unknown" else ""
        found[str(row["group"])] = f"{other} ({name}r {row['similarity']:.2f})"
    return found


def alike(groups: pd.DataFrame | None, *, least: float) -> list[tuple[str, str, float]]:
    """Return pairs of groups whose mean profiles correlate at least so much, each once, the most alike first."""
    if groups is None or "resembles" not in groups.columns:
        return []
    pairs: dict[frozenset[str], tuple[str, str, float]] = {}
    for name, other, value in zip(groups["group"], groups["resembles"].astype(str), groups["similarity"], strict=True):
        if value >= least:
            pairs.setdefault(frozenset((name, other)), (name, other, float(value)))
    return sorted(pairs.values(), key=lambda pair: -pair[2])


def marker_genes(table: pd.DataFrame | None) -> dict[str, str]:
    """Return the marker genes of every group: how many times as open as expected, and where the nearest peak is."""
    if table is None:
        return {}
    found: dict[str, list[str]] = {}
    for row in table[(table["fold"] >= _LEAST_FOLD) | ~table["group"].duplicated()].to_dict("records"):
        where = in_kb(row["distance"])
        n = int(row["n_peaks"])
        peaks = "1 peak" if n == 1 else f"{n} peaks"
        found.setdefault(str(row["group"]), []).append(f"{row['gene']} {row['fold']:.1f}× ({peaks}, {where})")
    return {group: ", ".join(texts) for group, texts in found.items()}


def named(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return what a group is, how sure that is, and why it has no name ("" where it has one)."""
    if row["reason"]:
        note = f" {note[:1].upper()}{note[1:]}." if (note := str(row.get("note", ""))) else ""
        return f"unknown, nearest {row['best']}", "", f"No name: {row['reason']}. {_to_check(row)}{note}"
    measures = []
    lineage = row["label"] != row["best"]
    if np.isfinite(share := row.get("support", np.nan)):
        measures.append(f"{share:.0%} of resamplings" + (f" say {row['label']}" if lineage else ""))
    if lineage:
        alone = row.get("support_best", np.nan)
        measures.append(f"nearest type {row['best']}" + (f", {alone:.0%} alone" if np.isfinite(alone) else ""))
    elif np.isfinite(row["margin"]):
        measures.append(f"lead of {row['margin']:.2g} over {row['second']}")
    if np.isfinite(value := row.get("padj", np.nan)):
        at_floor = row.get("pvalue", 1.0) <= 1.001 / (1 + N_RANDOM)
        measures.append(
            f"adjusted p ≤ {value:.2g}, score {row['score']:.1f}" if at_floor else f"adjusted p {value:.2g}"
        )
    if note := row.get("note", ""):
        measures.append(str(note))
    return str(row["label"]), "; ".join(measures), ""


def _to_check(row: Mapping[str, Any]) -> str:
    """Return what a reader can look at where a group has no name."""
    text = f"To check: what speaks for and against {row['best']} and {row['second']} (below)"
    if "n_markers_covered" in row:
        text += f"; {row['n_markers_covered']} of {row['n_markers']} genes of {row['best']} have a peak in reach"
    return f"{text}."


def _listed(groups: list[str], likely: Mapping[str, str]) -> str:
    return ", ".join([*(likely[g] for g in groups if g in likely), *(g for g in groups if g not in likely)])


def in_words(names: pd.DataFrame, cells: Mapping[str, int]) -> str:
    """Return in a line what the groups are: names with their groups and share of the cells, then those without one.

    A group that is named by its lineage has its type with a question mark, where half of the resamplings say it;
    such groups come first.

    Parameters
    ----------
    names
        The table of :func:`sccase_kit.tl.annotate`.
    cells
        Cells of every group.
    """
    rows = {str(row["group"]): row for row in names.to_dict("records") if str(row["group"]) in cells}
    found: dict[str, list[str]] = {}
    likely: dict[str, str] = {}
    for group, row in rows.items():
        if not row["reason"]:
            found.setdefault(str(row["label"]), []).append(group)
            if row["label"] != row["best"] and row.get("support_best", 0.0) >= _SOME and not row.get("note"):
                likely[group] = f"{group} ({row['best']}?)"
    total = max(1, sum(cells.values()))
    shares = {name: sum(cells[group] for group in groups) / total for name, groups in found.items()}
    parts = [
        f"{name}: {_listed(found[name], likely)} ({shares[name]:.0%} of cells)"
        for name in sorted(found, key=lambda n: -shares[n])
    ]
    if unknown := [f"{group} (nearest {row['best']})" for group, row in rows.items() if row["reason"]]:
        parts.append(f"no clear name: {', '.join(unknown)}")
    return "; ".join(parts)
