"""Heritability in specific and background peaks by LDSC, ours and EpiScanpy's (Fig. 4c, S13, S19)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ...tl import ldsc
from ..peak_sets import BACKGROUND, EPISCANPY, no_places, peak_sets
from ..registry import Claim, Drawing, Experiment, Finding, Tables
from ..statistics import exceeds
from ..study import DEFAULT, OURS, Study


def needs(study: Study) -> str:
    """Return what LDSC lacks."""
    if not {"panel", "sumstats"} <= set(study.tools.get("ldsc", {})):
        return (
            "no reference panel and summary statistics are given (gigabytes: sk.datasets.fetch('ldsc_plink'), "
            "'gwas_sumstats', ...): pass tools={'ldsc': {'sumstats': ..., 'panel': ..., 'baseline': ..., ...}} "
            "(--sumstats, --panel, --baseline, --weights)"
        )
    return no_places(study)


def run(study: Study) -> pd.DataFrame:
    """Return the enrichment of heritability by set of peaks, group and trait."""
    options, parts = dict(study.tools["ldsc"]), []
    sumstats = options.pop("sumstats")
    for name, peaks in peak_sets(study, n_top=study.settings["n_top"]).items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            table = ldsc(peaks, sumstats, **options)
        columns = ["trait", "group", "Enrichment", "Enrichment_std_error", "Enrichment_p"]
        parts.append(table[columns].assign(peaks=name))
    return pd.concat(parts, ignore_index=True)


def find(tables: Tables) -> Mapping[str, Finding]:
    """Compare the largest enrichment of a group, mean over traits and data sets."""
    means = {}
    for name, table in tables.items():
        largest = table.groupby(["trait", "peaks"])["Enrichment"].max()
        means[name] = largest.groupby("peaks").mean()
    frame, data = pd.DataFrame(means).T, tuple(tables)
    note = "largest enrichment of a type, mean over traits: " + "; ".join(
        f"{n} " + ", ".join(f"{way} {row[way]:.1f}" for way in frame.columns) for n, row in frame.iterrows()
    )
    ours, default = (float(frame[way].mean()) if way in frame else None for way in (OURS, DEFAULT))
    rivals = {"heritability against background": BACKGROUND, "heritability against EpiScanpy": EPISCANPY}
    found = {}
    for claim, rival in rivals.items():
        holds, tie = exceeds(frame[OURS], frame[rival])
        found[claim] = Finding(ours, default, holds, data, note, tie)
    return found


def draw(tables: Tables) -> Sequence[Drawing]:
    """Draw the enrichments of every data set by trait, group and way to find peaks."""
    text = "enrichment of heritability by type, whiskers of one standard error (Fig. 4c, S13, S19)."
    return [Drawing(partial(_bars, table), f"{name}: {text}") for name, table in tables.items()]


def _bars(table: pd.DataFrame) -> Any:
    import matplotlib.pyplot as plt

    traits = list(table["trait"].unique())
    bars = table[["peaks", "group"]].drop_duplicates()
    size = (2.4 + 0.24 * len(bars), 1.0 + 1.3 * len(traits))
    figure, axes = plt.subplots(len(traits), 1, figsize=size, layout="constrained", squeeze=False, sharex=True)
    names = [str(name) for name in bars["group"]]
    ways = list(dict.fromkeys(bars["peaks"]))
    for ax, trait in zip(axes[:, 0], traits, strict=True):
        own = bars.merge(table[table["trait"] == trait], how="left", on=["peaks", "group"])
        for i, way in enumerate(ways):
            at = np.flatnonzero((own["peaks"] == way).to_numpy())
            heights, errors = (own[column].to_numpy()[at] for column in ("Enrichment", "Enrichment_std_error"))
            ax.bar(at, heights, yerr=errors, label=way, color=f"C{i}", error_kw={"elinewidth": 0.7})
        ax.axhline(1, color="0.5", linewidth=0.7, linestyle="--")
        ax.set_title(str(trait), fontsize="small")
        ax.set_xticks(range(len(names)), names, rotation=90)
        ax.spines[["top", "right"]].set_visible(False)
    axes[len(traits) // 2, 0].set_ylabel("enrichment")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), frameon=False, fontsize="small", loc="outside right upper")
    return axes[0, 0]


_WHERE = "Results, 'scCASE intuitively reveals cell type-specific biological insights'; "

EXPERIMENT = Experiment(
    name="heritability",
    title="Heritability in specific peaks",
    shows="Fig. 4c, S13, S19",
    about="Stratified LD score regression on the same sets of peaks.",
    place=4.3,
    claims=(
        Claim(
            "heritability against background",
            "heritability of blood traits (eosinophils, phosphate) is enriched in specific peaks more than in "
            "background peaks, except for CLP",
            _WHERE + "Fig. 4c, S13",
            None,
            "fold",
            on=("blood",),
        ),
        Claim(
            "heritability against EpiScanpy",
            "enrichment with the peaks of scCASE is relatively better than with those of EpiScanpy (LDSC)",
            _WHERE + "Fig. S19",
            None,
            "fold",
            on=("blood",),
        ),
    ),
    run=run,
    find=find,
    draw=draw,
    needs=needs,
    settings=lambda quick: {"n_top": 150 if quick else 1000},
    tools=("ldsc",),
)
