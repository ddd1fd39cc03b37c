"""A locus as in a genome browser: pseudo-bulk of the counts and of the enhanced data by group, with genes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._remedy import with_remedy
from .._validate import Scale, check_adata, check_choice, check_int, check_labels, check_scale, check_some
from ..get.raw import raw_layer
from ..get.thin import check_fitted, enhanced
from ..intervals.bodies import gene_bodies, is_region, locus_of
from ..intervals.genomes import tss_table
from ..intervals.likely import data_genome
from ..matrix.access import get_matrix
from ..pp import require_coordinates
from ._style import colors_of, get_panels, open_frame, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_UNITS = {
    "accessibility": "enhanced: counts per 10,000",
    "counts": "enhanced: counts per cell",
    "minmax": "enhanced: mean, min-max scaled",
    None: "enhanced: mean TF-IDF signal",
}
_THINNEST = 0.004  # of the locus: narrower peaks are drawn that wide


@checked()
def genome_tracks(
    adata: AnnData,
    locus: str,
    groupby: str,
    *,
    genes: pd.DataFrame | str | os.PathLike[str] | None = None,
    flank: int = 25_000,
    groups: Sequence[str] | None = None,
    show: Literal["both", "raw", "enhanced"] = "both",
    key: str = "sccase",
    layer: str | None = None,
    scale: Scale | None = "accessibility",
    ax: Sequence[Any] | None = None,
) -> list[Axes]:
    """Draw the accessibility of the peaks in a locus by group, raw and enhanced, with the genes below.

    Parameters
    ----------
    adata
        Enhanced data with coordinates in `var`.
    locus
        ``"chr1:100,000-200,000"``, or a gene such as ``"TAL1"``; peaks that overlap it are drawn at their places,
        widened to be seen in wide loci.
    groupby
        Column of `obs`; one row of tracks per group.
    genes
        Genes to draw below: a genome (hg19, hg38, mm9, mm10), a file (see :func:`sccase_kit.regions.tss_table`), or a
        table with chrom, strand, symbol (or gene_id), and start and end of the gene bodies or tss alone. `None` takes
        the genome of the results in `adata`, of ``uns["genome"]``, or that the peaks fit; for a region on `ax` none.
    flank
        Bases to show on both sides of a gene.
    groups
        Groups to draw, in this order.
    show
        ``"raw"``: share of the group's cells with a fragment in the peak. ``"enhanced"``: mean of the group, by
        default expected counts per 10,000 of the cell. ``"both"``: two columns. Tracks of one column share their axis.
    key, layer, scale
        The fit, the layer of the counts (`None` for what was enhanced; without a fit `X`), and the scaling of the
        enhanced values (:func:`sccase_kit.get.enhanced`); the title of the column says which.
    ax
        Axes, row by row, those of the genes last if there are genes; `None` makes a figure.

    Returns
    -------
    List of Axes.

    Raises
    ------
    KeyError
        If there is no fit under `key`, what was enhanced is no longer there, columns are missing, or the gene is not
        among `genes`.
    ValueError
        If the locus cannot be read or holds no peak, a group is unknown, or enhanced values are missing or infinite.
    TypeError
        If `genes` is none of these.
    """
    check_adata(adata)
    check_choice(show, ["both", "raw", "enhanced"], name="show")
    check_scale(scale)
    if show != "raw":
        check_fitted(adata, key)
    check_int(flank, name="flank", minimum=0)
    if genes is None and (ax is None or not is_region(locus)):
        genes = data_genome(adata)
    table = tss_table(genes) if isinstance(genes, (str, os.PathLike)) else genes
    bodies = None if table is None else gene_bodies(table)
    chrom, start, end = locus_of(locus, table, flank)
    place = require_coordinates(adata)
    inside = (place["chrom"] == chrom) & (place["end"] > start) & (place["start"] < end)
    peaks = np.flatnonzero(inside.to_numpy())
    if not len(peaks):
        known = sorted(place["chrom"].astype(str).unique())[:5]
        msg = f"locus={locus!r} holds no peak of the data (chromosomes look like {known})"
        raise ValueError(msg)
    labels = check_labels(adata, groupby)
    names = list(labels.cat.categories) if groups is None else check_some(groups, name="groups")
    if absent := [name for name in names if name not in set(labels.cat.categories)]:
        msg = f"groups: {absent} are not in obs[{groupby!r}]; available: {list(labels.cat.categories)}"
        raise ValueError(msg)
    sides = ["raw", "enhanced"] if show == "both" else [show]
    extra = 0 if bodies is None else len(sides)
    rows = [np.flatnonzero((labels == name).to_numpy()) for name in names]
    tracks = {side: _means(adata, side, rows, peaks, key=key, layer=layer, scale=scale) for side in sides}
    panels = get_panels(
        len(names) * len(sides) + extra, ax, width=4.2, height=0.75, columns=len(sides), sharex=True, sharey=False
    )
    _, colors = colors_of(adata, groupby)
    middle = (place["start"].to_numpy()[peaks] + place["end"].to_numpy()[peaks]) / 2
    width = np.maximum(place["end"].to_numpy()[peaks] - place["start"].to_numpy()[peaks], _THINNEST * (end - start))
    for j, side in enumerate(sides):
        values = tracks[side]
        top = float(values.max()) * 1.08 or 1.0
        for i, name in enumerate(names):
            panel = panels[i * len(sides) + j]
            panel.bar(middle, values[i], width, color=colors[name], linewidth=0)
            panel.set(xlim=(start, end), ylim=(0, top), yticks=[0, round(top / 1.08, 3)])
            panel.tick_params(axis="y", labelsize=7)
            panel.tick_params(axis="x", labelbottom=False)
            open_frame(panel)
            if j == 0:
                panel.set_ylabel(plain(name, 24), rotation=0, ha="right", va="center", fontsize="small")
        panels[j].set_title("raw: share of open cells" if side == "raw" else _UNITS[scale], fontsize="medium")
    bottom = panels[-len(sides) :]
    for panel in bottom:
        if bodies is not None:
            draw_genes(panel, bodies, chrom, start, end)
        place_ticks(panel, chrom)
    return list(panels)


def place_ticks(ax: Any, chrom: str) -> None:
    """Label the places on the horizontal axis in megabases of a chromosome."""
    ax.tick_params(axis="x", labelbottom=True, labelsize=7)
    ax.xaxis.get_major_locator().set_params(nbins=4, integer=True)
    ax.xaxis.set_major_formatter(lambda value, _, axis=ax.xaxis: _megabases(value, axis.get_ticklocs()))
    ax.set_xlabel(f"{plain(chrom)} (Mb)", fontsize="small")


def _megabases(place: float, ticks: np.ndarray) -> str:
    """Return a place in bases as megabases, with the decimals that write every tick as it is."""
    decimals = next((d for d in range(6) if not (np.rint(ticks) % 10 ** (6 - d)).any()), 6)
    return f"{place / 1e6:,.{decimals}f}"


def _means(adata: AnnData, side: str, rows: list[np.ndarray], peaks: np.ndarray, *, key, layer, scale) -> np.ndarray:
    """Return the share of open cells, or the mean enhanced value, by group and peak."""
    out = np.empty((len(rows), len(peaks)))
    counts: Any = get_matrix(adata, raw_layer(adata, key, layer)) if side == "raw" else None
    for i, cells in enumerate(rows):
        if side == "raw":
            block = counts[cells][:, peaks]
            out[i] = np.asarray((block > 0).mean(axis=0)).ravel()
        else:
            with np.errstate(over="ignore", invalid="ignore"):  # told by the check below
                out[i] = enhanced(adata, key, obs_names=cells, var_names=peaks, scale=scale).mean(axis=0)
    if not np.isfinite(out).all():
        msg = f"key={key!r}: the {side} data of the locus hold missing or infinite values; run tl.enhance again"
        raise with_remedy(ValueError(msg), "tl.enhance")
    return out


def draw_genes(ax: Any, genes: pd.DataFrame, chrom: str, start: int, end: int) -> None:
    """Draw gene bodies (or starts) with an arrow in the direction of transcription; names do not overlap."""
    inside = (genes["chrom"] == chrom) & (genes["end"] > start) & (genes["start"] < end)
    part = genes[inside].sort_values("start", kind="stable")
    span = end - start
    free: list[float] = []
    for _, gene in part.iterrows():
        a, b = max(gene["start"], start), min(gene["end"], end)
        text = plain(gene["symbol"], 24)
        width = 0.022 * span * len(text)
        left = max(min(a, end - width), start)  # names stay inside
        reach = max(b, left + width)
        row = next((i for i, until in enumerate(free) if until < left), len(free))
        free[row:] = [reach + 0.01 * span]
        ax.plot([a, b], [-row, -row], color="0.25", linewidth=2.5, solid_capstyle="butt")
        forward = gene["strand"] == "+"
        tip = a if forward else b
        ax.annotate(
            "", (tip + (0.018 if forward else -0.018) * span, -row), (tip, -row),
            arrowprops={"arrowstyle": "-|>", "color": "0.25", "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0},
        )  # fmt: skip
        ax.annotate(text, (left, -row), xytext=(0, 5), textcoords="offset points", fontsize=6, fontstyle="italic")
    ax.set(xlim=(start, end), ylim=(-max(len(free), 1) + 0.4, 1.0), yticks=[])
    ax.spines[["top", "right", "left"]].set_visible(False)
