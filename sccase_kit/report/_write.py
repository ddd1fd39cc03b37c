"""The report of an enhanced study as one HTML file."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._calls import least_fraction, made_by, source_of
from .._logging import logger
from .._progress import progress
from .._validate import check_adata, check_int, check_key
from .._version import __version__
from ..get.raw import raw_layer
from ..get.thin import check_fitted
from ..interpret.steps import CALLED
from ..pages.page import Section, page, shortened
from ..pl.colors import column_colors
from ._batches import batch_section, batches_of
from ._figures import drawing_copy
from ._found import Study, found_section
from ._fragments import fragment_section
from ._given import given_tables
from ._groups import described, deviations_of, given_tests, grouping_of, is_trait_groups, made_with
from ._held_out import held_out_section, judge_fit, stored_results, verdict
from ._maps import drawn_by, map_section, track_section
from ._motifs import gene_fits, is_motif_test, motif_section
from ._naming import naming_section
from ._order import kin_of
from ._reproduce import page_call
from ._sections import (
    choose_groups,
    closing_sections,
    cluster_section,
    clusterings,
    data_section,
    enhancement_section,
    is_ldsc,
    is_snpsea,
    other_section,
    peak_section,
    stored_tables,
    tissue_section,
    trait_section,
    variant_section,
)
from ._terms import enrichment_section, is_enrichment

#: Bytes of a page at most, as far as shorter tables can help, and rows that a table has then.
_MOST_BYTES, _MOST_ROWS, _LEAST_ROWS = 5_000_000, 20_000, 200


@checked()
def write_report(
    adata: AnnData,
    path: str | os.PathLike[str],
    groupby: str | None = None,
    *,
    title: str | None = None,
    tables: Mapping[str, pd.DataFrame] | None = None,
    key: str = "sccase",
    layer: str | None = None,
    source: str | None = None,
    max_cells: int = 10_000,
    held_out: bool = False,
    rng: int = 0,
    command: str | None = None,
) -> Path:
    """Write one self-contained HTML page of an enhanced study.

    On top stands what was found: what each group of cells is, by which genes, motifs and terms, whether batches are
    mixed and enhancing helps, and what to doubt. Maps, tracks at the marker genes, figures, tables that sort, filter
    and are saved, parameters, the calls that repeat the study and the versions installed follow. It loads nothing from
    a network, reads on a phone, in dark or light, and prints; tables are cut where it would exceed 5 MB.

    Parameters
    ----------
    adata
        Data enhanced by :func:`sccase_kit.tl.enhance`; nothing is written into it. Whatever else is stored in `uns`
        (clusters, specific peaks, scABC, GREAT, other tables) gets its section.
    path
        Target, ending in ``.html``; it appears only when complete.
    groupby
        Column of `obs` that orders and colours the cells; by default the cell types, else the clusters.
    title
        First line of the page; `None` for the name of the file of counts where it is known, else of the page's file,
        with the number of cells and groups.
    tables
        What :func:`sccase_kit.tl.interpret` returned, and more tables by caption, such as the result of
        :func:`sccase_kit.tl.great`.
    key
        The `key_added` of the fit.
    layer
        Layer with the raw counts; `None` for what was enhanced.
    source
        File of counts that the code which repeats the study reads; `None` takes what the data record (files made by the
        command ``enhance``), else "counts.h5ad".
    max_cells
        Cells in the figures at most, a random subset; the numbers are of all cells.
    held_out
        Judge the fit by hidden fragments (:func:`sccase_kit.metrics.held_out`, three more fits) and say whether
        enhancing helps these data. What ``held_out(..., key_added=...)`` stored is shown without that.
    rng
        Seed of the subset and the maps.
    command
        The line of a shell that writes the page, for its last section.

    Returns
    -------
    The path.

    Raises
    ------
    KeyError
        If nothing was enhanced under `key`, or `groupby`, `layer` or what was enhanced is missing.
    ValueError
        If `path` does not end in ``.html``, or a fit with a reference is to be judged by `held_out`.
    FileNotFoundError
        If the folder of `path` does not exist.
    OSError
        If it cannot be written (said before any work), or the disk is full; what was at `path` stays.
    TypeError
        If `tables` holds something that is not a DataFrame.
    """
    from .._atomic import check_path, check_place, replacing

    target = check_path(path)
    if target.suffix.lower() not in {".html", ".htm"}:
        msg = f"path must end in .html, got {str(path)!r}"
        raise ValueError(msg)
    check_place(target)
    options: dict[str, Any] = {"title": title, "key": key, "layer": layer, "source": source, "max_cells": max_cells}
    options |= {"held_out": held_out, "rng": rng}

    def called() -> list[str]:
        counts = source or (source_of(adata.uns) or (None,))[0]
        return page_call(str(path), groupby, {**options, "source": counts}, tables=tables or {}, command=command)

    text = render(adata, groupby, tables=tables, called=called, name=target.stem, **options)
    with replacing(target) as temporary:
        temporary.write_text(text, encoding="utf-8")
    logger.info("wrote %s (%.1f MB)", target, len(text) / 1e6)
    return target


def render(
    adata: AnnData,
    groupby: str | None,
    *,
    title: str | None,
    tables: Mapping[str, pd.DataFrame] | None,
    key: str,
    layer: str | None,
    source: str | None,
    max_cells: int,
    held_out: bool,
    rng: int,
    name: str = "report",
    called: Callable[[], list[str]] = list,
) -> str:
    """Return the page of :func:`write_report` as text.

    `name` is that of its file, `called` gives the lines that write it.
    """
    check_adata(adata)
    check_fitted(adata, key)
    layer = raw_layer(adata, key, layer)
    check_int(max_cells, name="max_cells", minimum=10)
    asked = groupby is not None
    if groupby is None:
        groupby = choose_groups(adata)
    else:
        check_key(groupby, adata.obs.columns, name="groupby", where="adata.obs")
    shown = given_tables(adata, tables)
    given = shown.tables
    everything = {**dict(stored_tables(adata.uns)), **given}
    judged = stored_results(adata)
    if held_out:
        judged = {"this fit": judge_fit(adata, key, rng=rng)} | judged
    main = described(adata, groupby, asked=asked)
    others = drawn_by(adata, [main, groupby, choose_groups(adata), *clusterings(adata)])
    batches = batches_of(adata, main, key)
    columns = drawn_by(adata, [*others, *made_with(adata, "tl.annotate"), *(column.name for column in batches)])
    colors = column_colors(adata.obs, adata.uns, columns)
    tests = {} if main is None else deviations_of(adata, main) | given_tests(adata, main, given)
    effects = {k: t for k, t in given.items() if is_trait_groups(t)}
    kin = [] if main is None else kin_of(adata, main, _categories(adata.obs[main]))
    order = {} if main is None else {main: [name for part in kin for name in part.groups]}
    view = drawing_copy(
        adata,
        key=key,
        layer=layer,
        max_cells=max_cells,
        rng=rng,
        colors=colors,
        order=order,
    )
    terms = {k: t for k, t in everything.items() if is_enrichment(t)}
    study = Study(
        adata,
        main,
        key,
        layer,
        colors={} if main is None else colors[main],
        others=tuple(name for name in others if name != main)[:2],
        tables=terms,
        tests=tests,
        fits=gene_fits(adata),
        effects=effects,
        verdict=verdict(judged, adata.n_vars),
        batches=batches,
        kin=kin,
    )
    makers = {
        "found": lambda: found_section(study),
        "maps": lambda: map_section(adata, view, columns, colors, key, order),
        "tracks": lambda: track_section(adata, main, colors, key, layer, order.get(str(main))),
        "names": lambda: naming_section(adata, order),
        "peaks": lambda: peak_section(adata, view, main, key, background=shown.background, order=order),
        "motifs": lambda: motif_section(adata, view, main, key, tests, order.get(str(main), ())),
        "functions": lambda: enrichment_section(
            terms,
            _colors_of_tables(adata, main, terms, colors),
            order={where: order[str(main)] for where in _of_groups(adata, main, terms)},
            least=least_fraction(adata.uns),
        ),
        "variants": lambda: variant_section(adata, effects, order.get(str(main), ())),
        "tissues": lambda: tissue_section({k: t for k, t in everything.items() if is_snpsea(t)}),
        "traits": lambda: trait_section({k: t for k, t in everything.items() if is_ldsc(t)}),
        "clusters": lambda: cluster_section(adata, groupby),
        "batches": lambda: batch_section(adata, main, batches, order.get(str(main), ())),
        "enhancement": lambda: enhancement_section(adata, view, main, key),
        "held-out": lambda: held_out_section(judged),
        "fragments": lambda: fragment_section(adata),
        "data": lambda: data_section(adata, groupby, layer, order.get(str(groupby), ())),
        "tables": lambda: other_section({k: t for k, t in everything.items() if not _has_place(adata, k, t)}),
    }
    sections: list[Section] = []
    bar = progress(makers.items(), desc="report", unit="section")
    for part, make in bar:
        bar.set_description(f"report: {part}")
        section = make()
        sections += [section] if section is not None else []
    interpreted = next(
        (t.attrs[CALLED] for t in (tables or {}).values() if isinstance(t.attrs.get(CALLED), dict)), None
    )
    sections += closing_sections(adata, source, interpreted, called())
    now = datetime.datetime.now(tz=datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    known = source if source is not None else (source_of(adata.uns) or ("",))[0]
    if title is None:
        in_groups = "" if main is None else f" in {len(order[main])} groups"
        title = f"{Path(known).stem if known else name}: {adata.n_obs:,} cells{in_groups}"
    subtitle = " · ".join(
        [f"{adata.n_obs:,} cells × {adata.n_vars:,} peaks", *([Path(known).name] if known else []), now]
    )
    footer = f"Made by sccase_kit {__version__}" + (f" from {source}." if source is not None else ".")
    text = page(title, subtitle, sections, footer=footer)
    rows = _MOST_ROWS
    while len(text) > _MOST_BYTES and rows >= _LEAST_ROWS:
        rows //= 2
        text = page(title, subtitle, [shortened(section, rows) for section in sections], footer=footer)
    return text


def _categories(column: pd.Series) -> list[str]:
    return [str(name) for name in column.astype("category").cat.remove_unused_categories().cat.categories]


def _colors_of_tables(
    adata: AnnData, groupby: str | None, tables: Mapping[str, pd.DataFrame], colors: Mapping[str, Mapping[str, str]]
) -> dict[str, Mapping[str, str]]:
    """Return the colours of the groups of every table whose grouping is known and drawn."""
    grouped = {where: t for where, t in tables.items() if groupby is not None and "group" in t.columns}
    named = {where: grouping_of(adata, str(groupby), where, table) for where, table in grouped.items()}
    return {where: colors[by] for where, by in named.items() if by is not None and by in colors}


def _of_groups(adata: AnnData, groupby: str | None, tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """Return where the tables of the groups that the page describes are."""
    if groupby is None:
        return []
    by_group = [where for where, table in tables.items() if "group" in table.columns]
    return [where for where in by_group if grouping_of(adata, groupby, where, tables[where]) == groupby]


def _has_place(adata: AnnData, where: str, table: pd.DataFrame) -> bool:
    """Return whether a table is shown by a section of its own."""
    if is_enrichment(table) or is_snpsea(table) or is_ldsc(table):
        return True
    if not where.startswith("uns[") and (is_motif_test(table) or is_trait_groups(table)):
        return True
    own = {"tl.specific_peaks", "tl.scabc", "tl.background_peaks", "tl.chromvar", "tl.estimate_k"}
    own |= {"tl.annotate", "tl.gene_activity", "metrics.held_out", "tl.trait_scores", "io.read_fragments"}
    own |= {"tl.motif_genes", "tl.sister_groups", "tl.merge_clusters"}
    keys = [k for k, e in adata.uns.items() if made_by(e) in own]
    return any(where.startswith(f"uns[{k!r}]") for k in keys)
