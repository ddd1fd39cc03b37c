"""The first section of the page: what was found, group by group, whether enhancing helps, and what to doubt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from ..genes.naming import N_RANDOM
from ..matrix.access import get_matrix
from ..matrix.rows import canonical
from ..matrix.sums import count_statistics
from ..metrics.depth import depth_correlation
from ..pages.blocks import Block, Card, Cards, Contents, Details, Lines, Text, Tiles
from ..pages.page import Section
from . import _groups
from ._among import HOW as AMONG
from ._among import among_lines
from ._batches import Taken, batches_said, skewed, some
from ._order import Kin
from ._rivals import TITLE as WHY_NOT
from ._rivals import not_found, second_types, why_not
from ._sisters import HOW, merge_call, mixed_doubt, sister_doubts, sister_lines, split_lines, told_lines, unled_doubt
from ._terms import large_share, rule_of, terms_of

TITLE = "What was found"
_FEW_CARDS = 4  # which are seen at once
_ALIKE, _FEW_CELLS, _DEPTH_FOLD, _DEPTH_CORRELATION = 0.97, 30, 2.0, 0.5


@dataclass(frozen=True)
class Study:
    """What the section is made from.

    Attributes
    ----------
    adata
        The data.
    groupby
        Column of `obs` whose groups are described, or None.
    key, layer
        The fit, and the layer of the counts.
    colors
        Group → colour.
    others
        Other columns of labels, to say what most cells of a group are called there.
    tables
        All tables of terms by their place.
    tests
        Tests of the deviations between the groups.
    verdict
        Whether enhancing helps, as a sentence, or None where that was not measured.
    fits
        Correlation of every motif with the activity of the gene of its factor, and its family; None if not computed.
    effects
        Tables of groups in which the variants of traits act, by their place.
    batches
        Columns that hold batches, or may.
    kin
        Groups that stand together, in the order of the page; where there are none, they are in their own order.
    """

    adata: AnnData
    groupby: str | None
    key: str
    layer: str | None
    colors: Mapping[str, str]
    others: tuple[str, ...]
    tables: Mapping[str, pd.DataFrame]
    tests: Mapping[str, pd.DataFrame]
    verdict: str | None
    fits: pd.DataFrame | None = None
    effects: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    batches: Sequence[Taken] = ()
    kin: Sequence[Kin] = ()


def found_section(study: Study) -> Section:
    """Return the section: numbers, sentences, a card for every group."""
    adata = study.adata
    depth, _, nnz = count_statistics(canonical(get_matrix(adata, study.layer)))
    tiles: dict[str, Any] = {"cells": adata.n_obs, "peaks": adata.n_vars}
    blocks: list[Block] = []
    lines: list[tuple[str, str]] = []
    doubts: list[str] = []
    left: list[str] = []
    cards: list[Card] = []
    if study.groupby is not None:
        labels = adata.obs[study.groupby].astype("category").cat.remove_unused_categories()
        tiles[f"groups ({study.groupby})"] = len(labels.cat.categories)
        tested = _groups.tested_groups(
            adata, study.groupby, tests=study.tests, tables=study.tables, effects=study.effects
        )
        cards, group_doubts, n_named = _cards(study, labels, depth, tested)
        if n_named is not None:
            tiles["names suggested"] = f"{n_named} of {len(labels.cat.categories)}"
        if len(cards) > _FEW_CARDS:
            linked = {card.title: (card.title + "?" * card.head.startswith("unknown"), card) for card in cards}
            blocks.append(Contents([(kin.title, [linked[name] for name in kin.groups]) for kin in study.kin]))
        blocks.append(Cards(cards))
        if (names := _groups.first_of(adata, "tl.annotate", study.groupby, "table")) is not None:
            cells = {str(name): int(n) for name, n in labels.value_counts().items()}
            said = _groups.in_words(names, cells)
            lines.append(("What they are", f"{said[:1].upper()}{said[1:]}."))
            if missing := not_found(adata, study.groupby):
                lines.append(("Not found", missing))
        doubts += group_doubts
        if n := int(labels.isna().sum()):
            what = "cell has no label and is" if n == 1 else "cells have no label and are"
            doubts.insert(0, f"{n:,} {what} in no group of {study.groupby}")
        left = [text for word, text in _ADDED_BY.items() if not tested[word]]
    else:
        lines.append(("Groups", _NO_GROUPS))
    tiles |= {"median counts per cell": float(np.median(depth)) if len(depth) else 0.0}
    tiles |= {"cell–peak pairs that are open": f"{nnz / max(1, adata.n_obs * adata.n_vars):.2%}"}
    batches, batch_doubts = batches_said(adata, study.groupby, study.key, study.batches)
    lines += [("Batches", batches), ("Enhancing", _plain(study.verdict) if study.verdict else _NOT_JUDGED)]
    lines += [("Not looked at", " ".join(left))] if left else []
    doubts += batch_doubts + _depth_doubts(study, depth)
    doubts = doubts or ["nothing that the stored results can tell"]
    lines += [("To doubt" if i == 0 else "", _sentence(text) + ".") for i, text in enumerate(doubts)]
    first: list[Block] = [Tiles(tiles), Lines(lines)]
    if blocks:
        there = {word for card in cards for word, _ in card.lines}
        rule = {"terms": rule_of(study.tables)}
        how = [
            text.partition(": ")[::2] for word, text in (_HOW | AMONG | HOW | rule).items() if word in there and text
        ]
        first.append(Text(f"The groups of {study.groupby}", kind="heading"))
        first += [Details("How to read the cards", [(word, _sentence(text)) for word, text in how])] if how else []
    return Section(TITLE, [*first, *blocks])


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


#: What the lines of the cards mean, said where there is such a line.
_HOW = {
    "support": (
        "Support: resamplings of the marker genes (or peaks of a reference) in which the name stays the best. A p with "
        f"≤ is the least that {N_RANDOM:,} random sets of genes can give: there the scores say which name is surer."
    ),
    "markers": (
        "Markers: genes of the nearest type, more open in the group than in all cells: how many times as open as "
        "expected, the number of peaks in reach, and how far the nearest is from the gene's start."
    ),
    "or": "Or: another type that is best in a quarter of the resamplings or more, and its genes that speak for it.",
    "near peaks": (
        f"Near peaks: genes whose start is at most {_groups.NEAR // 1000} kb from one of its first "
        f"{_groups.FIRST} marker peaks."
    ),
    "most like": "Most like: the group whose mean profile correlates most (r); beyond .97 compare their marker peaks.",
    "motifs": (
        "Motifs and other sets: effect in standard deviations against all other cells, and how well the activity of "
        "the factor's gene follows (r); of a family of motifs, the member whose gene fits best."
    ),
    "traits": "Traits: how often random walks from the cells with most variants come to the group (adjusted p ≤ 0.05).",
}
#: How to add what was not looked at.
_ADDED_BY = {
    "motifs": (
        "Motifs: they are looked for in the sequence of the genome, which was not given "
        "(sccase-kit interpret --fasta genome.fa; of the peaks alone: --fasta peaks.fa; without a sequence, BED files "
        "of the sites of factors: --sites FOLDER)."
    ),
    "terms": "Functions of nearby genes (sccase-kit interpret --gene-sets GO:BP).",
    "traits": "Traits (sccase-kit interpret --variants TRAIT=variants.bed.gz).",
}
_NO_GROUPS = (
    "None yet: sccase-kit cluster, annotate, peaks and interpret tell what they are and why "
    "(sk.tl.cluster, annotate, specific_peaks, interpret)."
)
_NOT_JUDGED = (
    "Not measured on these data. sccase-kit held-out study.h5ad -o study.h5ad (sk.metrics.held_out(adata, "
    "key_added='held_out')) hides fragments and says whether enhancing finds them."
)


def _cards(
    study: Study, labels: pd.Series, depth: np.ndarray, tested: Mapping[str, set[str]]
) -> tuple[list[Card], list[str], int | None]:
    """Return a card for every group, what to doubt about the groups, and how many have a name (None: not asked)."""
    adata, by = study.adata, str(study.groupby)
    names = _groups.first_of(adata, "tl.annotate", by, "table")
    peaks, groups = (_groups.first_of(adata, "tl.specific_peaks", by, part) for part in ("peaks", "groups"))
    rows = {} if names is None else {str(row["group"]): row for row in names.to_dict("records")}
    reasons = (
        {} if groups is None or "reason" not in groups else dict(zip(groups["group"], groups["reason"], strict=True))
    )
    like, sisters, rivals = _groups.most_like(groups, names), sister_lines(adata, by), why_not(adata, by)
    second = second_types(adata, by)
    among, held_together = among_lines(adata, by, study.kin), told_lines(adata, by)
    evidence = _groups.marker_genes(_groups.first_of(adata, "tl.annotate", by, "genes"))
    genes, places = _groups.near_genes(peaks), _groups.marker_peaks(peaks)
    terms = terms_of(adata, by, study.tables)
    motifs, traits = (
        {group: ", ".join(names) for group, names in found.items()}
        for found in (_groups.motifs_of(study.tests, study.fits), _groups.traits_of(adata, by, study.effects))
    )
    motifs = _groups.strongest_of(study.tests) | motifs
    others = {name: _groups.composition(adata, by, name) for name in study.others}
    held = {taken.name: skewed(adata, by, taken.name) for taken in study.batches}
    depths, middle = _groups.depths_of(depth, labels), float(np.median(depth)) if len(depth) else 0.0
    counts = labels.dropna().astype(str).value_counts()
    cards: list[Card] = []
    deep = []
    for group in [name for kin in study.kin for name in kin.groups] or [str(c) for c in labels.cat.categories]:
        head, sure, doubt = _groups.named(rows[group]) if group in rows else ("", "", "")
        lines = [("support", sure)] if sure else []
        lines += [("among these", among[group])] if group in among else []
        lines += [(name, shares[group]) for name, shares in others.items() if group in shares]
        lines += [
            (name, f"{skew.share:.0%} {skew.batch}, {skew.overall:.0%} of all cells")
            for name, groups_held in held.items()
            if (skew := groups_held.get(group)) is not None
        ]
        if group in rows and rows[group].get("genes"):
            lines.append(("markers", evidence.get(group, str(rows[group]["genes"]))))
        lines += second.get(group, [])
        if genes.get(group):
            near = [f"{gene} ({_groups.in_kb(far)})" for gene, far in genes[group].items()]
            lines.append(("near peaks", ", ".join(near)))
        elif places.get(group) and not rows.get(group, {}).get("genes"):
            lines.append(("peaks", ", ".join(places[group])))
        if group in like:
            lines.append(("most like", like[group]))
        if group in held_together:
            lines.append(("holds", held_together[group][1]))
        apart, next_apart = split_lines(sisters.get(group, []))
        lines += apart
        for word, found in (("motifs", motifs), ("terms", terms), ("traits", traits)):
            if found.get(group):
                lines.append((word, found[group]))
            elif group in tested[word]:
                lines.append((word, "none passes"))
        notes = [doubt] if doubt else []
        if reasons.get(group):
            notes.append(f"Few markers: {reasons[group]}.")
        ratio = depths[group] / middle if middle > 0 else 1.0
        if ratio > _DEPTH_FOLD or ratio < 1 / _DEPTH_FOLD:
            notes.append(f"Depth: median {depths[group]:,.0f} counts per cell, {ratio:.2g} times that of all cells.")
            deep.append(group)
        n = int(counts[group])
        aside = f"{n:,} cell{'' if n == 1 else 's'}, {n / len(labels):.1%}"
        quoted = f'"{group}"' if " " in group else group
        links = [("tracks", "tracks", group), ("marker peaks", "marker-peaks", f"group={quoted}")]
        links += [("terms", "terms", f"group={quoted}")] if group in tested["terms"] else []
        color, anchor = study.colors.get(group, ""), f"group{len(cards)}"
        more = rivals.get(group, []) + next_apart
        cards.append(Card(group, aside, color, head, lines, " ".join(notes), links, anchor, more, WHY_NOT))
    return (
        cards,
        _group_doubts(study, counts, rows, groups, reasons, deep),
        None if names is None else sum(not row["reason"] for row in rows.values()),
    )


def _group_doubts(
    study: Study,
    counts: pd.Series,
    rows: Mapping[str, Any],
    groups: pd.DataFrame | None,
    reasons: Mapping[str, str],
    deep: list[str],
) -> list[str]:
    doubts = sister_doubts(study.adata, str(study.groupby))
    if doubts is None:
        doubts = []
        if pairs := _groups.alike(groups, least=_ALIKE):
            shown = [f"{a} and {b} ({value:.2f})" for a, b, value in pairs]
            what = "groups that are nearly the same, by the correlation of their mean profiles"
            doubts.append(f"{what}: {some(shown)}. {merge_call(study.adata, str(study.groupby))}")
    doubts += mixed_doubt(study.adata, str(study.groupby))
    doubts += unled_doubt(_groups.first_of(study.adata, "tl.specific_peaks", str(study.groupby), "peaks"))
    if few := [group for group, reason in reasons.items() if reason]:
        doubts.append(f"groups with few significant marker peaks: {some(few)}")
    if small := [str(group) for group, n in counts.items() if n < _FEW_CELLS]:
        doubts.append(f"groups of fewer than {_FEW_CELLS} cells: {some(small)}")
    if deep:
        doubts.append(f"groups that are set apart by depth as well (more than {_DEPTH_FOLD:g}-fold): {some(deep)}")
    if unnamed := [group for group, row in rows.items() if row["reason"]]:
        doubts.append(f"groups without a clear name: {some(unnamed)}; names are suggestions, check the genes")
    elif not rows:
        doubts.append("no names were suggested (sk.tl.annotate)")
    if sizes := [found[0] for table in study.tables.values() if (found := large_share(table)) is not None]:
        doubts.append(
            f"groups without terms: the marker peaks of a group are {min(sizes):.0%} or more of all peaks, so few "
            "terms can pass, whatever the group is (Functions, below)"
        )
    made = [_groups.made_with(study.adata, name) for name in ("tl.cluster", "tl.merge_clusters")]
    if any(str(study.groupby) in found for found in made) and groups is not None:
        doubts.append(
            "the groups were clustered from the same counts, so p-values of marker peaks are too small: they rank "
            "peaks and do not prove a group"
        )
    return doubts


def _plain(verdict: str) -> str:
    """Return the sentence without the measures in brackets, which its own section has and explains."""
    return re.sub(r" \((?:gain|slope)[^)]*\)", "", verdict)


def _depth_doubts(study: Study, depth: np.ndarray) -> list[str]:
    slot = f"X_{study.key}"
    if slot not in study.adata.obsm or len(depth) < 10 or np.ptp(depth) == 0:
        return []
    values = depth_correlation(np.asarray(study.adata.obsm[slot]), np.maximum(depth, 1), method="spearman").abs()
    strong = values[values >= _DEPTH_CORRELATION]
    if strong.empty:
        return []
    return [
        f"{len(strong)} of {len(values)} components of the embedding follow the depth of the cells (largest Spearman "
        f"correlation {strong.max():.2f})"
    ]
