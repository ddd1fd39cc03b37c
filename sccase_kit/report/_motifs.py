"""The section of the report on motifs: which deviate in which groups, which vary, which gene of a family fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from anndata import AnnData

from .. import pl
from .._record import record, records
from ..pages.blocks import Block, Grid, Text
from ..pages.page import Section
from ._figures import draw
from ._given import given_title
from ._headers import SETS, VARIABILITY, described_table, grouped_table
from ._order import rows_in_order

_SETS_DRAWN, _LOGOS_DRAWN = 30, 5
_FAMILIES = (
    "Factors of a family share a motif. Which of them is there, the activity of its gene tells: the correlation is "
    "over pools of like cells, and rank 1 is the member of the family whose gene fits best."
)


def is_motif_test(table: pd.DataFrame) -> bool:
    """Return whether a table holds deviations of sets by group."""
    return {"group", "set", "effect_size", "p_value_adj"} <= set(table.columns)


def gene_fits(adata: AnnData) -> pd.DataFrame | None:
    """Return the best correlation with the gene of a factor and the family of every motif, where these were computed.

    Columns gene_correlation and family, the index is the motif.
    """
    for made in records(adata.uns).values():
        table = made.results.get("table") if made.function == "tl.motif_genes" else None
        if isinstance(table, pd.DataFrame):
            by = table.groupby("set", sort=False)
            return pd.DataFrame({"gene_correlation": by["correlation"].max(), "family": by["family"].first()})
    return None


def motif_section(
    adata: AnnData,
    view: AnnData,
    groupby: str | None,
    key: str,
    tests: Mapping[str, pd.DataFrame],
    order: Sequence[str] = (),
) -> Section | None:
    """Return the section on motifs (or other sets of peaks): by chromVAR as stored, and tests that were given.

    `order`: the groups in the order of the page.
    """
    blocks: list[Block] = []
    tests = {name: rows_in_order(test, order) for name, test in tests.items()}
    for name, test in tests.items():
        if name not in adata.uns:
            blocks.append(Text(given_title("Motifs by group", name), kind="heading"))
            if test.attrs.get("n_peaks") != test.attrs.get("n_peaks_all"):
                some, of = test.attrs["n_peaks"], test.attrs["n_peaks_all"]
                blocks.append(Text(f"Tested on {some:,} of {of:,} peaks, those with a sequence.", kind="note"))
            blocks.append(Grid(_top_motifs(_with_profiles(test), test)))
            blocks.append(grouped_table(test, "Motifs by group, against all other cells", SETS))
    for name, made in records(adata.uns).items():
        if not isinstance(made.results.get("variability"), pd.DataFrame):
            continue
        table = made.results["variability"].sort_values("variability", ascending=False, kind="stable")
        blocks.append(Text(f"chromVAR ({name})", kind="heading"))
        if name in tests:
            blocks.append(Grid(_top_motifs(adata, tests[name])))
        figures = _motif_figures(view, table, groupby, key, name)
        blocks += [Grid(figures[:2]), *figures[2:]]
        if name in tests:
            blocks.append(grouped_table(tests[name], f"Sets by {groupby}, against all other cells ({name})", SETS))
        blocks.append(described_table(table, "Variability of the sets", VARIABILITY))
    for name, made in records(adata.uns).items():
        if made.function == "tl.motif_genes" and isinstance(made.results.get("table"), pd.DataFrame):
            blocks.append(Text(_FAMILIES))
            what = f"Motifs and the genes of their factors ({name})"
            blocks.append(described_table(made.results["table"], what, SETS))
    return Section("Motifs", blocks) if blocks else None


def _top_motifs(adata: AnnData, test: pd.DataFrame) -> list[Block]:
    """Return a figure of every group: its sets with the largest effects, and logos where they are matched motifs."""
    matched = next((k for k, made in records(adata.uns).items() if made.function == "tl.match_motifs"), "motifs")
    return [
        draw(
            partial(pl.top_motifs, adata, test, group, n_top=_LOGOS_DRAWN, key=matched),
            f"{group}: sets that deviate most against all other cells; grey: adjusted p > 0.05.",
        )
        for group in pd.unique(test.loc[test["effect_size"].notna(), "group"])
    ]


def _motif_figures(view: AnnData, table: pd.DataFrame, groupby: str | None, key: str, name: str) -> list[Block]:
    figures = [
        draw(
            partial(pl.variability_rank, view, key=name),
            "Variability (standard deviation of z over the cells) of every set of peaks, with bootstrap intervals; "
            "1 is expected by chance, orange sets vary more than that (adjusted p ≤ 0.05).",
        )
    ]
    if groupby is not None:
        figures.append(
            draw(
                partial(pl.motif_heatmap, view, groupby, n_top=_SETS_DRAWN, key=name),
                f"Deviations (z) of the most variable sets in the cells, ordered by {groupby}.",
            )
        )
    if f"X_umap_{key}" in view.obsm:
        first = [str(c) for c in table.index[:3]]
        figures.append(
            draw(
                partial(pl.deviation_map, view, first, basis=f"X_umap_{key}", key=name),
                f"Deviations (z) on the map of the enhanced data: {', '.join(first)}.",
            )
        )
    return figures


def _with_profiles(test: pd.DataFrame) -> AnnData:
    """Return data in which the plots find the matrices that a step of interpretation kept with its table."""
    kept = test.attrs.get("motifs")
    stand_in = AnnData(obs=pd.DataFrame(index=["0"]))
    if isinstance(kept, Mapping):
        texts = {name: np.array(kept[name], dtype=object) for name in ("names", "ids", "tf")}
        widths, profiles = np.array(kept["widths"], dtype=np.int64), np.array(kept["profiles"], dtype=np.float64)
        record(stand_in, "motifs", "tl.match_motifs", params={}, **texts, widths=widths, profiles=profiles)
    return stand_in
