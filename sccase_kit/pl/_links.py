"""Links of peaks and a gene as arcs over their places."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._record import required
from .._validate import check_int, check_number, check_table
from ..intervals.bodies import gene_bodies
from ._style import get_axes, name_legend, open_frame, plain
from ._tracks import draw_genes, place_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_UP, _DOWN, _OTHER = "#b2182b", "#2166ac", "0.8"
_GENES = 0.22  # of the height
_NUMBERS = ["start", "end", "tss", "correlation"]


@checked()
def peak_gene_links(
    links: AnnData | pd.DataFrame,
    gene: str,
    *,
    alpha: float = 0.05,
    flank: int | None = None,
    genes: pd.DataFrame | str | os.PathLike[str] | None = None,
    key: str = "peak_gene_links",
    ax: Any | None = None,
) -> Axes:
    """Draw the peaks that were tested with a gene: arcs from its start, as high as the correlation.

    Parameters
    ----------
    links
        Data with :func:`sccase_kit.tl.peak_gene_links` written, or its table.
    gene
        Name of the gene, as in the table.
    alpha
        Adjusted p-value up to which an arc has a colour: red above, blue below zero; the others are grey.
    flank
        Bases to show on both sides of the start; by default up to the farthest peak.
    genes
        Genes to draw below: a genome, file or table, see :func:`genome_tracks`.
    key
        The `key_added` of the links.
    ax
        Axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib Axes.

    Raises
    ------
    KeyError
        If there are no links under `key`, columns are missing, or `gene` has no links.
    ValueError
        If an argument is out of its range.
    """
    from matplotlib.lines import Line2D

    table = required(links, key, "tl.peak_gene_links").results["links"] if isinstance(links, AnnData) else links
    hint = "Take what sccase_kit.tl.peak_gene_links wrote."
    labels = ["gene", "chrom"]
    table = check_table(table, name="links", labels=labels, numbers=_NUMBERS, p_values=["p_value_adj"], hint=hint)
    alpha = check_number(alpha, name="alpha", minimum=0, maximum=1)
    own = table[table["gene"].astype(str) == str(gene)]
    own = own[np.isfinite(own[_NUMBERS]).all(axis=1)]
    if own.empty:
        known = list(dict.fromkeys(table["gene"].astype(str)))
        msg = f"gene={gene!r} has no links; the table holds {len(known)} genes, such as {known[:5]}"
        raise KeyError(msg)
    bodies = None if genes is None else gene_bodies(genes)
    tss, chrom = float(own["tss"].iloc[0]), str(own["chrom"].iloc[0])
    middle = (own["start"].to_numpy(float) + own["end"].to_numpy(float)) / 2
    if flank is None:
        reach = 1.05 * max(float(np.abs(middle - tss).max()), 500.0)
    else:
        reach = float(check_int(flank, name="flank", minimum=1))
    ax = get_axes(ax, figsize=(7.5, 3.2))
    r = own["correlation"].to_numpy(float)
    passed = (own["p_value_adj"] <= alpha).to_numpy()
    colors = np.where(passed, np.where(r > 0, _UP, _DOWN), _OTHER)
    angle = np.linspace(0, np.pi, 60)
    for at in np.lexsort((np.abs(r), passed)):
        x = (tss + middle[at]) / 2 + (tss - middle[at]) / 2 * np.cos(angle)
        width = 1.4 if passed[at] else 0.7
        ax.plot(x, r[at] * np.sin(angle), color=colors[at], linewidth=width, zorder=2 + passed[at])
    ax.scatter(middle, np.zeros(len(middle)), marker="|", s=60, c=colors, linewidths=1.5, zorder=4)
    top, bottom = max(float(r.max()), 0.02) * 1.2, min(float(r.min()) * 1.2, 0.0)
    ax.axhline(0, color="0.6", linewidth=0.6, zorder=1)
    ax.axvline(tss, color="0.4", linewidth=0.8, linestyle=":", zorder=1)
    low = bottom - 0.06 * (top - bottom)
    if bodies is not None:  # below the arcs, in a part of the same frame
        low -= _GENES / (1 - _GENES) * (top - low)
        below = ax.twinx()
        draw_genes(below, bodies, chrom, int(tss - reach), int(tss + reach))
        start, end = below.get_ylim()
        below.set_ylim(start, start + (end - start) / _GENES)
        below.spines["bottom"].set_visible(False)
    ax.set(xlim=(tss - reach, tss + reach), ylim=(low, top))
    ax.set_yticks([tick for tick in ax.get_yticks() if bottom <= tick <= top])
    place_ticks(ax, chrom)
    ax.set_ylabel("correlation (height of the arc)", fontsize="small")
    ax.set_title(f"{plain(gene)}: {int(passed.sum())} of {len(own)} peaks linked", fontsize="medium")
    open_frame(ax)
    shown = [
        (_UP, "positive", passed & (r > 0)),
        (_DOWN, "negative", passed & (r <= 0)),
        (_OTHER, "not linked", ~passed),
    ]
    shown = [(color, f"{name} ({int(rows.sum())})", rows) for color, name, rows in shown if rows.any()]
    handles = [Line2D([], [], color=color, linewidth=2) for color, _, _ in shown]
    place = {"loc": "center left", "bbox_to_anchor": (1.01, 0.5), "borderaxespad": 0, "ncols": 1}
    name_legend(ax, handles, [text for _, text, _ in shown], title=f"FDR ≤ {alpha:g}", title_fontsize="small", **place)
    return ax
