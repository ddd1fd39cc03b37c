"""The page of a run: claims first, then every experiment with its figures and its table."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from .._atomic import replacing
from .._version import __version__
from ..pages.blocks import Block, Code, Figure, Grid, Text, Tiles
from ..pages.page import Section, page
from ..pages.table import Table
from ..pages.versions import versions
from ..report.blocks import draw
from .claims import NO_DATA, NOT_RUN, OTHER, SAME
from .cohorts import HOW_TO_GET, PAPER_SETS, Cohort
from .registry import AT_CEILING, EQUAL, Experiment, Tables

_TITLE = "The scCASE paper, repeated"
_PAPER = "Tang et al., Nature Communications 15 (2024), doi:10.1038/s41467-024-46045-w"
_ROWS = 60
_SAYS = {"says": "the paper says"}
#: Width in pixels up to which figures stand side by side.
_NARROW = 560


def write_page(
    path: Path,
    claims: pd.DataFrame,
    missing: pd.DataFrame,
    *,
    experiments: Sequence[Experiment],
    tables: Mapping[str, Tables],
    cohorts: Mapping[str, Cohort],
    quick: bool,
) -> None:
    """Write the page, whole or not at all.

    Parameters
    ----------
    path
        Target.
    claims, missing
        See :class:`~sccase_kit.paper.run.Reproduction`.
    experiments
        In the order of the page.
    tables
        Experiment → tables it reads.
    cohorts
        Data sets that were used.
    quick
        Whether small subsets were taken.
    """
    sections = [_overview(claims, quick=quick), _claims(claims)]
    sections += [_data(cohorts, missing)]
    sections += [s for e in experiments if (s := _section(e, tables[e.name], claims)) is not None]
    sections.append(_closing())
    now = datetime.datetime.now(tz=datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    text = page(_TITLE, f"{_PAPER} · {now}", sections, footer=f"Made by sccase_kit {__version__}.")
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _overview(claims: pd.DataFrame, *, quick: bool) -> Section:
    ran = claims[claims["state"] != NOT_RUN]
    tiles = {
        "claims": len(claims),
        "run": len(ran),
        "on the paper's data": int((ran["state"] == SAME).sum()),
        "hold here": int((ran["holds"] == "yes").sum()),
        "do not hold here": int((ran["holds"] == "no").sum()),
    }
    if (ties := int(ran["holds"].isin([AT_CEILING, EQUAL]).sum())) > 0:
        tiles["ties"] = ties
    blocks: list[Block] = [
        Tiles(tiles),
        Text(
            "'ours' is the paper's model (scCASE) as this package computes it, 'default' the default method. "
            "'holds' says whether the statement is true of the numbers found here; where the data are not the paper's "
            "own, its number need not come out. 'at the ceiling': both sides stand at 1, so that none can be better."
        ),
    ]
    if quick:
        blocks.append(Text("A quick run: small subsets of cells and peaks, one seed: a first look.", "note"))
    return Section("Overview", blocks)


def _claims(claims: pd.DataFrame) -> Section:
    first = ["says", "paper", "ours", "difference", "default", "unit", "holds", "data", "where"]
    on = [_on(state, data) for state, data in zip(claims["state"], claims["data"], strict=True)]
    where = claims["where"].str.replace(r"(Results|Methods), '[^']*'", r"\1", regex=True)  # whole in paper.csv
    shown = claims.assign(data=on, where=where)[first].rename(columns=_SAYS)
    blocks: list[Block] = [
        Table(shown, "Every claim: the paper's number, ours, the difference", print_all=True, file="claims")
    ]
    left = claims.loc[claims["state"] == NOT_RUN, ["says", "where", "note"]]
    if len(left):
        left = left.rename(columns=_SAYS | {"note": "why"}).reset_index(drop=True)
        blocks.append(Table(left, "Claims that were not run, and why", print_all=True, file="not_run"))
    return Section("Claims", blocks)


def _on(state: str, data: str) -> str:
    """Return the data of a claim and whether they are the paper's, in one short text."""
    return {SAME: f"{data}: the paper's", OTHER: f"{data}: not the paper's", NO_DATA: "needs none"}.get(state, state)


def _data(cohorts: Mapping[str, Cohort], missing: pd.DataFrame) -> Section:
    rows = [
        {
            "data": name,
            "cells": cohort.adata.n_obs,
            "peaks": cohort.adata.n_vars,
            "types": cohort.adata.obs[cohort.groupby].nunique(),
            "labels": cohort.groupby,
            "batches": cohort.batch_key or "",
            "genome": cohort.genome or "",
            "left out": cohort.note,
        }
        for name, cohort in cohorts.items()
    ]
    blocks: list[Block] = []
    if rows:
        blocks.append(Table(pd.DataFrame(rows), "Data sets, as they were used"))
    if len(missing):
        blocks.append(Table(missing, "What is missing or did not run, and why", print_all=True))
    if missing["what"].isin([f"data set {name}" for name in PAPER_SETS]).any():
        blocks.append(Text(HOW_TO_GET, "soft"))
    return Section("Data", blocks or [Text("No data set was needed.")])


def _section(experiment: Experiment, tables: Tables, claims: pd.DataFrame) -> Section | None:
    if not tables:
        return None
    blocks: list[Block] = [Text(experiment.about), Text(experiment.shows, "soft")]
    own = claims[claims["experiment"] == experiment.name]
    if len(own):
        columns = ["says", "paper", "ours", "default", "difference", "unit", "holds", "note"]
        blocks.append(Table(own[columns].rename(columns=_SAYS), "Its claims", print_all=True))
    figures = [draw(drawing.draw, drawing.caption) for drawing in experiment.draw(tables)]
    small = [figure for figure in figures if isinstance(figure, Figure) and figure.size[0] <= _NARROW]
    blocks += [figure for figure in figures if figure not in small]
    blocks += [Grid(small)] if small else []
    table = _table(experiment, tables)
    if table is not None:
        spelled = {name: str(name).replace("_", " ") for name in table.columns}
        blocks.append(Table(table.rename(columns=spelled), "Its numbers"))
    return Section(experiment.title, blocks)


def _table(experiment: Experiment, tables: Tables) -> pd.DataFrame | None:
    if experiment.summary is not None:
        return experiment.summary(tables)
    whole = pd.concat([t.assign(data=name) if name != "once" else t for name, t in tables.items()], ignore_index=True)
    return whole if len(whole) <= _ROWS else None


def _closing() -> Section:
    found = versions("umap-learn").set_index("package")["version"]
    found = found[found != "missing"].drop("system")
    text = ", ".join(f"{name} {number}" for name, number in found.items())
    blocks: list[Block] = [
        Text(f"{text}."),
        Text("To repeat it, or to go on after an interruption, with the same folder:"),
        Code("sccase-kit reproduce PATHS... -o FOLDER"),
    ]
    return Section("Versions", blocks)
