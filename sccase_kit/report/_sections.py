"""The sections of the report: what was found in the data, as figures and tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .. import pl
from .._calls import made_by
from .._record import recorded, records, required
from ..matrix.access import get_matrix
from ..matrix.rows import canonical
from ..matrix.sums import count_statistics
from ..pages.blocks import Block, Code, Grid, Text, Tiles
from ..pages.page import Section
from ..pages.table import Table
from ..pages.versions import versions
from ._figures import draw, objective_trace
from ._given import given_title
from ._headers import COMPONENTS, HERITABILITY, LINKS, PEAKS, STAGES, TISSUES, TRAITS, described_table, grouped_table
from ._naming import group_blocks, peak_columns
from ._order import in_order, rows_in_order
from ._reproduce import code, parameter_table
from ._sisters import sister_blocks

_PEAKS_DRAWN = 30
_HIGHEST = (
    "The colour at the right of a row is that of the group in which the peak is highest. Where it is another than at "
    "the left, the peak is more open in the group than in all other cells together, but not than in every other "
    "group: related groups share peaks. Where few are highest in their own group, as the titles count, the groups "
    "differ by little but degree."
)
_WALKS = (
    "How often a random walk from the cells with the most variants visits a group, over random walks from random "
    "cells: 1 is chance. A star: adjusted p ≤ 0.05."
)
#: What the stages of a fit do, by the names that are stored.
_STAGES = {
    "prepare": "weigh the counts (TF-IDF)",
    "bank": "factorise with several numbers of components",
    "graph": "find similar cells",
    "hidden": "weigh predictions by hidden entries",
    "expected": "fit the expected accessibility",
    "neighbours": "find similar cells",
    "start": "find a start",
    "descent": "improve it step by step",
    "factors": "write the factors",
}


def clusterings(adata: AnnData) -> list[str]:
    """Return the columns of `obs` that :func:`sccase_kit.tl.cluster` wrote."""
    return [key for key, entry in adata.uns.items() if key in adata.obs and made_by(entry) == "tl.cluster"]


def choose_groups(adata: AnnData) -> str | None:
    """Return the column of `obs` that orders and colours the cells: cell types, else clusters, else any labels."""
    for name in ("cell_type", "celltype", "cell_types", *clusterings(adata), "leiden", "louvain"):
        if name in adata.obs and not adata.obs[name].isna().any():
            return name
    for name, column in adata.obs.items():
        if not pd.api.types.is_numeric_dtype(column) and 2 <= column.nunique() <= 40 and not column.isna().any():
            return str(name)
    return None


def data_section(adata: AnnData, groupby: str | None, layer: str | None, order: Sequence[str] = ()) -> Section:
    """Return the section on the counts: sizes, depth, groups (in an order)."""
    depth, n_open, nnz = count_statistics(canonical(get_matrix(adata, layer)))
    tiles = {
        "cells": adata.n_obs,
        "peaks": adata.n_vars,
        "cell–peak pairs that are open": f"{nnz / max(1, adata.n_obs * adata.n_vars):.2%}",
        "median counts per cell": float(np.median(depth)),
        "median cells per peak": float(np.median(n_open)),
    }
    blocks: list[Block] = [
        Tiles(tiles),
        draw(lambda: _depths(depth, n_open), "Total counts per cell, and cells in which each peak is open."),
    ]
    if groupby is not None:
        groups = in_order(adata.obs[groupby], order)
        table = pd.DataFrame({"cells": groups.value_counts(sort=False)})
        table["share"] = table["cells"] / max(1, len(groups))
        table["median counts per cell"] = pd.Series(depth, index=groups.index).groupby(groups, observed=False).median()
        table = table.rename_axis(groupby).reset_index()
        blocks += [Text(_clusters_said(adata, groupby))] if groupby in clusterings(adata) else []
        blocks.append(described_table(table, f"Cells by {groupby}", {}))
    return Section("Data", blocks)


def _depths(depth: np.ndarray, n_open: np.ndarray) -> Any:
    import matplotlib.pyplot as plt
    import seaborn as sns
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    _, axes = plt.subplots(1, 2, figsize=(7.6, 2.6), layout="constrained")
    drawn = [
        (depth, "#0072B2", "counts of the cell (log scale)", "cells"),
        (n_open, "#009E73", "cells with the peak open (log scale)", "peaks"),
    ]
    for ax, (values, color, what, unit) in zip(axes, drawn, strict=True):
        sns.histplot(np.maximum(values, 1), bins=40, log_scale=True, color=color, alpha=1, linewidth=0, ax=ax)
        ax.set(xlabel=what, ylabel=unit)
        low, high = ax.get_xlim()
        ax.xaxis.set_major_locator(LogLocator(subs=(1,) if high > 100 * low else (1, 2, 5)))
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.spines[["top", "right"]].set_visible(False)
    return axes[0]


def enhancement_section(adata: AnnData, view: AnnData, groupby: str | None, key: str) -> Section:
    """Return the section on the model: maps raw against enhanced, embedding, similarity, objective, time."""
    entry = adata.uns[key]
    made = recorded(entry)
    params = {} if made is None else made.params
    tiles = {
        "method": params.get("method", ""),
        "components": int(np.shape(adata.obsm.get(f"X_{key}", np.empty((0, 0))))[1]),
        "batches corrected": params.get("batch_key") or "no",
        "depth corrected": bool(params.get("depth")),
        "time of the fit (s)": float(sum(entry.get("timing", {}).values())),
    }
    blocks: list[Block] = [Tiles(tiles)]
    if groupby is not None:
        images = [
            draw(
                lambda: pl.embedding_heatmap(view, groupby, basis=f"X_{key}"),
                f"Components of the embedding in the cells, ordered by {groupby}; each is scaled to its 99 % quantile.",
            ),
            draw(
                lambda: pl.similarity_heatmap(view, groupby, key=key),
                f"Similarity of the cells that the enhanced profiles are averaged with, ordered by {groupby}.",
            ),
        ]
        blocks.append(Grid(images))
    if np.size(entry.get("objective", [])) > 1:
        many = "bank" in entry
        what = "Relative residual of the fits that the consensus averages." if many else "Objective by iteration."
        blocks.append(draw(lambda: objective_trace(entry), what))
    for name, estimate in adata.uns.items():
        if made_by(estimate) == "tl.estimate_k":
            number = int(estimate["n_types"])
            text = f"Estimated number of cell types: {number} ({name}). A dashed line is what each curve names."
            blocks.append(draw(partial(pl.estimate_k, view, key=name), text))
    if entry.get("timing"):
        timing = pd.DataFrame(
            {"stage": list(entry["timing"]), "time (s)": [float(v) for v in entry["timing"].values()]}
        )
        timing["stage"] = [_STAGES.get(name, name) for name in timing["stage"]]
        blocks.append(described_table(timing, "Time of the stages of the fit", STAGES))
    return Section("Enhancement", blocks)


def cluster_section(adata: AnnData, groupby: str | None) -> Section | None:
    """Return the section on the clusters against the groups; the groups themselves are in the section on the data."""
    blocks: list[Block] = []
    for name in [name for name in clusterings(adata) if name != groupby]:
        blocks.append(Text(_clusters_said(adata, name)))
        if groupby is not None:
            table = pd.crosstab(adata.obs[name], adata.obs[groupby].astype(str))
            table.columns = [str(c) for c in table.columns]
            blocks.append(Table(table.reset_index(), f"Cells of the clusters {name} by {groupby}"))
        else:
            counts = adata.obs[name].value_counts(sort=False).rename_axis(name).rename("cells").reset_index()
            blocks.append(Table(counts, f"Cells by {name}"))
    return Section("Clusters", blocks) if blocks else None


def _clusters_said(adata: AnnData, name: str) -> str:
    """Return how many clusters a column holds, and by which resolution."""
    entry = adata.uns[name]
    text = f"{name}: {int(entry['n_clusters'])} clusters at resolution {float(entry['resolution']):.4g}."
    return text if entry.get("reached", True) else f"{text} The number wanted was not reached."


def peak_section(
    adata: AnnData,
    view: AnnData,
    groupby: str | None,
    key: str,
    *,
    background: pd.DataFrame | None = None,
    order: Mapping[str, Sequence[str]] | None = None,
) -> Section | None:
    """Return the section on specific peaks (from the model and by scABC) and background peaks.

    `background`: those of an interpretation, shown in place of the stored ones, which are the same without genes;
    `order`: column → its groups in the order of the page.
    """
    blocks: list[Block] = []
    for name, entry in adata.uns.items():
        function = made_by(entry) or ""
        if function not in {"tl.specific_peaks", "tl.scabc", "tl.background_peaks"}:
            continue
        if function == "tl.background_peaks" and background is not None and name == function.removeprefix("tl."):
            continue
        table = entry["top" if function == "tl.scabc" else "peaks"]
        by = required(adata, name, function).params.get("groupby", groupby)
        in_page = (order or {}).get(str(by), ())
        table = rows_in_order(table, in_page) if "group" in table.columns else table
        title = {"tl.specific_peaks": "Marker peaks", "tl.scabc": "scABC", "tl.background_peaks": "Background peaks"}
        blocks.append(Text(f"{title[function]} ({name})", kind="heading"))
        if function != "tl.background_peaks" and by is not None and by in view.obs:
            top = table.groupby("group", sort=False, observed=True).head(_PEAKS_DRAWN)
            own, asked = top.drop_duplicates("peak"), len(top)
            text = f"The first {_PEAKS_DRAWN} peaks of each group, raw (left) and enhanced (right); cells by {by}. "
            text += _HIGHEST
            if len(own) < asked:
                text += f" {len(own):,} of {asked:,}: a peak of several groups stands with the first of them."
            blocks.append(draw(partial(pl.peak_heatmap, view, own, by, key=key), text))
        blocks += group_blocks(entry, in_page)
        of = f"{title[function]} of {by}" if by is not None and function != "tl.background_peaks" else title[function]
        anchor = "marker-peaks" if function == "tl.specific_peaks" and by == groupby else ""
        blocks.append(grouped_table(peak_columns(table), f"{of} ({name})", PEAKS, anchor=anchor))
        if isinstance(entry.get("components"), pd.DataFrame):
            what = "Components of the embedding that belong to the groups"
            blocks.append(described_table(rows_in_order(entry["components"], in_page), what, COMPONENTS))
    blocks += sister_blocks(adata)
    if background is not None:
        blocks.append(Text("Background peaks (background_peaks)", kind="heading"))
        blocks.append(grouped_table(background, "Background peaks (background_peaks)", PEAKS))
    return Section("Peaks", blocks) if blocks else None


def stored_tables(uns: Mapping[str, Any]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield (where, table) of every DataFrame in `uns`, one level deep."""
    for key, entry in uns.items():
        if isinstance(entry, pd.DataFrame):
            yield f"uns[{key!r}]", entry
        elif isinstance(entry, Mapping):
            for name, value in entry.items():
                if isinstance(value, pd.DataFrame):
                    yield f"uns[{key!r}][{name!r}]", value


def is_snpsea(table: pd.DataFrame) -> bool:
    """Return whether a table comes from SNPsea."""
    return {"group", "condition", "pvalue", "nulls_observed"} <= set(table.columns)


def tissue_section(tables: Mapping[str, pd.DataFrame]) -> Section | None:
    """Return the section on the expression of the genes at SNPs in peaks (SNPsea)."""
    blocks: list[Block] = []
    for where, table in tables.items():
        blocks.append(Text(where, kind="heading"))
        groups = list(pd.unique(table["group"])) if "correlation" in table.attrs else []  # not kept in files
        for first in range(0, len(groups), 2):  # more do not fit side by side
            some = groups[first : first + 2]
            blocks.append(
                draw(
                    partial(pl.snpsea, table, some),
                    f"Conditions in which the genes at the SNPs inside the peaks of {' and '.join(map(str, some))} are "
                    "specifically expressed (−log₁₀ p); dashed: 0.05, solid: Bonferroni.",
                )
            )
        shown = table.sort_values(["group", "pvalue"], kind="stable")
        blocks.append(grouped_table(shown, "Conditions", TISSUES))
    return Section("Tissues", blocks) if blocks else None


def is_ldsc(table: pd.DataFrame) -> bool:
    """Return whether a table comes from LD score regression."""
    return {"trait", "group", "Enrichment", "Enrichment_std_error", "Enrichment_p"} <= set(table.columns)


def variant_section(adata: AnnData, tables: Mapping[str, pd.DataFrame], order: Sequence[str] = ()) -> Section | None:
    """Return the section on the groups of cells in which variants of traits act, stored or as tables of groups.

    `order`: the groups in the order of the page.
    """
    blocks: list[Block] = []
    for name, made in records(adata.uns).items():
        if made.function != "tl.trait_scores" or not isinstance(made.results.get("groups"), pd.DataFrame):
            continue
        blocks.append(
            Text(f"Fine-mapped variants in groups of {made.params.get('groupby', '')} ({name})", kind="heading")
        )
        blocks.append(draw(partial(pl.trait_groups, adata, key=name), _WALKS))
        blocks.append(grouped_table(made.results["groups"], f"Traits by group ({name})", TRAITS))
        if isinstance(made.results.get("traits"), pd.DataFrame):
            what = "Traits: variants and peaks with a variant"
            blocks.append(described_table(made.results["traits"], what, TRAITS))
    for where, given in tables.items():
        table = rows_in_order(given, order)
        blocks.append(Text(given_title("Fine-mapped variants", where), kind="heading"))
        blocks.append(draw(partial(pl.trait_groups, table), _WALKS))
        blocks.append(grouped_table(table, "Traits by group", TRAITS))
    return Section("Traits", blocks) if blocks else None


def trait_section(tables: Mapping[str, pd.DataFrame]) -> Section | None:
    """Return the section on the heritability of traits in peaks (LDSC)."""
    blocks: list[Block] = []
    for where, table in tables.items():
        blocks.append(Text(where, kind="heading"))
        for trait in pd.unique(table["trait"]):
            caption = f"{trait}: enrichment of heritability ± standard error; * above 1 after Bonferroni correction."
            blocks.append(draw(partial(pl.ldsc, table, trait), caption))
        shown = table.sort_values(["trait", "Enrichment_p"], kind="stable")
        blocks.append(grouped_table(shown, "Traits", HERITABILITY))
    return Section("Heritability", blocks) if blocks else None


def other_section(tables: Mapping[str, pd.DataFrame]) -> Section | None:
    """Return the section with all other tables that were stored or given."""
    blocks: list[Block] = [
        grouped_table(table, where, LINKS if {"peak", "gene", "correlation"} <= set(table.columns) else None)
        for where, table in tables.items()
    ]
    return Section("Other tables", blocks) if blocks else None


def closing_sections(
    adata: AnnData, source: str | None, interpreted: Mapping[str, Any] | None = None, called: Sequence[str] = ()
) -> list[Section]:
    """Return the sections on parameters, reproduction (`called`: its last lines) and versions."""
    script = code(adata.uns, source=source, interpreted=interpreted, last=called)
    return [
        Section("Parameters", [Table(parameter_table(adata.uns), "Parameters of the stored results", print_all=True)]),
        Section(
            "Reproduce",
            [
                Text(
                    "The calls that are stored in the data: filters and other steps of sk.pp, and what was computed, "
                    "in an order that repeats it, to this page. What else changed cells, peaks or counts is not "
                    "stored; a comment names what else must be given."
                ),
                Code(script),
                Table(versions(), "Versions installed when this page was made"),
            ],
        ),
    ]
