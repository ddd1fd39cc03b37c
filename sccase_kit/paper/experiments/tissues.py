"""Tissues of specific and background peaks by SNPsea, ours and EpiScanpy's (Fig. 4b, S12, S17, S18)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ...tl import snpsea
from ..figures import heatmaps, side_by_side
from ..peak_sets import BACKGROUND, EPISCANPY, no_places, peak_sets
from ..registry import Claim, Drawing, Experiment, Finding, Tables
from ..statistics import exceeds
from ..study import DEFAULT, OURS, Study

_LEVEL = 0.05
#: Tissues in the figure, as in the paper's.
_SHOWN = 30
_FILES = ("snps", "gene_matrix", "gene_intervals", "snp_intervals", "null_snps")


def needs(study: Study) -> str:
    """Return what SNPsea lacks."""
    if left := [name for name in _FILES if name not in study.tools.get("snpsea", {})]:
        return (
            f"of SNPsea's data (138 MB) {', '.join(left)} are not given: get sk.datasets.fetch('snpsea_data') and pass "
            f"tools={{'snpsea': {{{', '.join(f'{name!r}: ...' for name in _FILES)}}}}} (--snps, --gene-matrix, ...)"
        )
    return no_places(study)


def run(study: Study) -> pd.DataFrame:
    """Return the p-value of every tissue for every set of peaks and group."""
    options, parts = dict(study.tools["snpsea"]), []
    first = [options.pop(name) for name in ("snps", "gene_matrix")]
    for name, peaks in peak_sets(study, n_top=study.settings["n_top"]).items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            table = pd.DataFrame(snpsea(peaks, *first, **options))
        parts.append(table[["group", "condition", "pvalue"]].assign(peaks=name))
    return pd.concat(parts, ignore_index=True)


def counts(tables: Tables) -> pd.DataFrame:
    """Return the mean number of tissues below Bonferroni's limit per group: data sets × ways to find peaks."""
    found = {}
    for name, table in tables.items():
        limit = _LEVEL / table["condition"].nunique()
        each = table.assign(good=table["pvalue"] < limit).groupby(["peaks", "group"])["good"].sum()
        found[name] = each.groupby("peaks").mean()
    return pd.DataFrame(found).T


def find(tables: Tables) -> Mapping[str, Finding]:
    """Compare the numbers of enriched tissues."""
    means, data = counts(tables), tuple(tables)
    note = "tissues below Bonferroni's limit per type: " + "; ".join(
        f"{n} " + ", ".join(f"{way} {row[way]:.1f}" for way in means.columns) for n, row in means.iterrows()
    )
    ours, default = (float(means[way].mean()) if way in means else None for way in (OURS, DEFAULT))
    found = {}
    for claim, rival in {"tissues against background": BACKGROUND, "tissues against EpiScanpy": EPISCANPY}.items():
        holds, tie = exceeds(means[OURS], means[rival])
        found[claim] = Finding(ours, default, holds, data, note, tie)
    return found


def draw(tables: Tables) -> Sequence[Drawing]:
    """Draw the first thirty tissues of every data set by group and way to find peaks."""
    text = "p-values of SNPsea by type, the tissues with the smallest for scCASE's peaks (Fig. 4b, S12, S17, S18)."
    return [Drawing(partial(_tissues, table), f"{name}: {text}") for name, table in tables.items()]


def _tissues(table: pd.DataFrame) -> Any:
    own = table[table["peaks"] == OURS]
    first = own.groupby("condition")["pvalue"].min().nsmallest(_SHOWN).index
    shown = table.assign(strength=-np.log10(table["pvalue"].clip(lower=1e-300)))
    frames = side_by_side(shown, rows="condition", values="strength", order=first)
    return heatmaps(frames, label="−log₁₀ p")


def summary(tables: Tables) -> pd.DataFrame:
    """Return the first three tissues by set of peaks and group."""
    whole = pd.concat([table.assign(data=name) for name, table in tables.items()], ignore_index=True)
    first = whole.sort_values("pvalue", kind="stable").groupby(["data", "peaks", "group"], sort=False).head(3)
    return first.sort_values(["data", "peaks", "group"], kind="stable")[
        ["data", "peaks", "group", "condition", "pvalue"]
    ]


_WHERE = "Results, 'scCASE intuitively reveals cell type-specific biological insights'; "

EXPERIMENT = Experiment(
    name="tissues",
    title="Tissues of specific peaks",
    shows="Fig. 4b, S12, S17, S18",
    about="SNPsea on the SNPs inside the same sets of peaks: in which tissues the genes at these SNPs are specific.",
    place=4.2,
    claims=(
        Claim(
            "tissues against background",
            "tissues of blood are enriched for specific peaks, and less for background peaks",
            _WHERE + "Fig. 4b, S12",
            None,
            "tissues",
            on=("blood",),
        ),
        Claim(
            "tissues against EpiScanpy",
            "enrichment with the peaks of scCASE is relatively better than with those of EpiScanpy (SNPsea)",
            _WHERE + "Fig. S17, S18",
            None,
            "tissues",
            on=("blood",),
        ),
    ),
    run=run,
    find=find,
    draw=draw,
    summary=summary,
    needs=needs,
    settings=lambda quick: {"n_top": 150 if quick else 1000},
    tools=("snpsea",),
)
