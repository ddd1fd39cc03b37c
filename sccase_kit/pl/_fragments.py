"""Quality of cells read from fragment files: depth, fragment lengths, transcription start sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from anndata import AnnData

from .._arguments import checked
from .._record import required
from .._validate import check_adata, check_column, check_key, check_labels, check_number, check_some
from ._style import (
    PALETTE,
    RASTER_ABOVE,
    SEQUENTIAL,
    category_colors,
    get_axes,
    get_panels,
    legend_inches,
    name_legend,
    open_frame,
    plain,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FUNCTION = "io.read_fragments"
#: Measures in the order they are drawn: label, whether the axis is logarithmic.
MEASURES = {
    "n_fragments": ("fragments", True),
    "tss_enrichment": ("TSS enrichment", False),
    "frip": ("share of fragments in peaks", False),
    "nucleosome_signal": ("nucleosome signal", False),
    "duplicate_rate": ("duplicate rate", False),
    "fraction_mito": ("mitochondrial share", False),
}


def _result(adata: AnnData, key: str, name: str, hint: str) -> Any:
    """Return a part of ``uns[key]`` as :func:`sccase_kit.read_fragments` wrote it."""
    check_adata(adata)
    found = required(adata, key, _FUNCTION).results.get(name)
    if found is None:
        msg = f"key={key!r}: adata.uns[{key!r}] has no {name!r}; {hint}"
        raise KeyError(msg)
    return found


def _colors_of_samples(names: Sequence[object]) -> dict[Any, str]:
    return dict(zip(names, category_colors(len(names)), strict=True))


def _size(names: Sequence[object]) -> tuple[float, float]:
    """Return the size of a figure whose legend, if any, stands at the right of its Axes."""
    return 4.0 + (legend_inches(names) if len(names) > 1 else 0.0), 3.5


def _legend(ax: Any, handles: Sequence[Any], names: Sequence[object]) -> None:
    if len(names) > 1:
        name_legend(ax, handles, names, loc="center left", bbox_to_anchor=(1.02, 0.5))


def _sample_lines(ax: Any, at: Any, values: Mapping[Any, np.ndarray]) -> list[Any]:
    """Draw a line for every sample, from 0 upwards; return the lines."""
    colors = _colors_of_samples(list(values))
    lines = [ax.plot(at, own, color=colors[name], linewidth=1.3)[0] for name, own in values.items()]
    ax.set_ylim(bottom=0)
    open_frame(ax)
    return lines


@checked()
def barcode_rank(adata: AnnData, *, key: str = "fragments", ax: Any | None = None) -> Axes:
    """Draw the fragments of the barcodes by rank, with those called cells in colour.

    Parameters
    ----------
    adata
        Cells that :func:`sccase_kit.read_fragments` called.
    key
        Entry of `uns` that it wrote.
    ax
        Axes; `None` makes a figure.

    Returns
    -------
    The Axes, both logarithmic.

    Raises
    ------
    KeyError
        If there is no such entry, or the barcodes were given, so that the others were not counted.
    """
    curves = _result(adata, key, "barcode_rank", "the barcodes were given, so no others were counted")
    ax = get_axes(ax, figsize=_size(list(curves)))
    colors = _colors_of_samples(list(curves))
    handles = []
    for name, curve in curves.items():
        is_cell = curve["cell"].to_numpy(bool)
        ax.plot(curve["rank"], curve["fragments"], color="0.75", linewidth=1.5, zorder=1)
        handles += ax.plot(curve["rank"][is_cell], curve["fragments"][is_cell], color=colors[name], linewidth=2.5)
        if is_cell.any():
            last = curve[is_cell].iloc[-1]
            ax.axhline(last["fragments"], color=colors[name], linewidth=0.8, linestyle=":")
    ax.set(xscale="log", yscale="log", xlabel="barcodes by rank", ylabel="fragments")
    open_frame(ax)
    _legend(ax, handles, list(curves))
    return ax


@checked()
def fragment_lengths(adata: AnnData, *, key: str = "fragments", max_length: int = 800, ax: Any | None = None) -> Axes:
    """Draw the distribution of the fragments' lengths, one line a sample; its steps are nucleosomes.

    Parameters
    ----------
    adata
        Cells from :func:`sccase_kit.read_fragments`.
    key
        Entry of `uns` that it wrote.
    max_length
        Longest length shown, at most 1,000 bp.
    ax
        Axes; `None` makes a figure.

    Returns
    -------
    The Axes.

    Raises
    ------
    KeyError
        If there is no such entry.
    """
    check_number(max_length, name="max_length", minimum=10, maximum=1000)
    lengths = _result(adata, key, "lengths", "read the fragments again")
    ax = get_axes(ax, figsize=_size(list(lengths)))
    shares = {name: lengths[name] / max(lengths[name].sum(), 1) * 100 for name in lengths}
    last = int(max_length) if max_length == 1000 else int(max_length) + 1  # the last bin holds all that are longer
    handles = _sample_lines(
        ax, np.arange(last), {name: share.to_numpy(np.float64)[:last] for name, share in shares.items()}
    )
    for edge in (147, 294):
        if edge < max_length:
            ax.axvline(edge, color="0.8", linewidth=0.8, zorder=0)
    ax.set(xlabel="length of fragment (bp)", ylabel="% of fragments", xlim=(0, max_length))
    _legend(ax, handles, list(lengths))
    return ax


@checked()
def tss_profile(adata: AnnData, *, key: str = "fragments", ax: Any | None = None) -> Axes:
    """Draw the insertions around transcription start sites over those at 1,901 to 2,000 bp, one line a sample.

    Parameters
    ----------
    adata
        Cells from :func:`sccase_kit.read_fragments`, with a genome or a table of transcription start sites.
    key
        Entry of `uns` that it wrote.
    ax
        Axes; `None` makes a figure.

    Returns
    -------
    The Axes.

    Raises
    ------
    KeyError
        If there is no such entry, or it was made without transcription start sites.
    """
    profiles: Any = _result(adata, key, "tss_profile", "read the fragments with genome= or tss=")
    scores = _result(adata, key, "files", "read the fragments again")["tss_enrichment"]
    names = [f"{name} ({scores[name]:.1f})" for name in profiles]
    ax = get_axes(ax, figsize=_size(names))
    at = profiles.index.astype(int)
    handles = _sample_lines(ax, at, {name: profiles[name].to_numpy(np.float64) for name in profiles})
    ax.axhline(1, color="0.8", linewidth=0.8, zorder=0)
    ax.set(
        xlabel="distance from TSS (bp)",
        ylabel="insertions over flanks",
        xlim=(at[0], at[-1]),
        xticks=[-2000, -1000, 0, 1000, 2000],
    )
    if len(names) > 1:
        _legend(ax, handles, names)
    else:
        ax.set_title(f"TSS enrichment {scores.iloc[0]:.1f}", fontsize="medium")
    return ax


@checked()
def fragment_quality(
    adata: AnnData,
    measures: Sequence[str] | None = None,
    *,
    groupby: str = "sample",
    ax: Sequence[Any] | Any | None = None,
) -> list[Axes]:
    """Draw the measures of quality of the cells, a violin for every sample or group.

    Parameters
    ----------
    adata
        Cells from :func:`sccase_kit.read_fragments`.
    measures
        Columns of `obs`; those that it wrote, by default.
    groupby
        Column of `obs` with the groups.
    ax
        Axes, one per measure.

    Returns
    -------
    The Axes.

    Raises
    ------
    KeyError
        If a column is missing.
    ValueError
        If a measure has no finite value.
    TypeError
        If a measure is no number.
    """
    check_adata(adata)
    labels = check_labels(adata, groupby)
    there = [name for name in MEASURES if name in adata.obs and adata.obs[name].notna().any()]
    wanted = check_some(there if measures is None else measures, name="measures")
    groups = list(labels.cat.categories)
    width = max(2.2, 1.2 + 0.45 * len(groups))
    panels = get_panels(len(wanted), ax, width=width, height=3.2, columns=max(1, int(14 // width)))
    for axes, name in zip(panels, wanted, strict=True):
        values = check_column(
            adata.obs, check_key(name, adata.obs.columns, name="measures", where="adata.obs"), name="obs"
        )
        label, is_log = MEASURES.get(name, (plain(name), False))
        finite = np.isfinite(values) & ((values > 0) if is_log else True)
        if not finite.any():
            msg = f"measures: adata.obs[{name!r}] holds no finite number: there is nothing to draw"
            raise ValueError(msg)
        for i, (group, color) in enumerate(zip(groups, category_colors(len(groups)), strict=True)):
            own = values[finite & (labels == group).to_numpy()]
            if len(own):
                _violin(axes, np.log10(own) if is_log else own, i, color)
        axes.set_xticks(range(len(groups)), [plain(group, 16) for group in groups])
        if max(len(str(group)) for group in groups) > 4 and len(groups) > 1:
            axes.tick_params("x", labelrotation=45)
            for text in axes.get_xticklabels():
                text.set(ha="right", rotation_mode="anchor")
        axes.set_ylabel(f"log10 {label}" if is_log else label)
        axes.set_xlim(-0.6, len(groups) - 0.4)
        open_frame(axes)
    return panels


def _violin(ax: Any, values: np.ndarray, at: int, color: str) -> None:
    """Draw one violin with its median and quartiles; a line where all values are the same."""
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    if np.ptp(values) > 0 and len(values) > 1:
        body = ax.violinplot(values, [at], widths=0.8, showextrema=False, points=200)["bodies"][0]
        body.set(facecolor=color, edgecolor=color, alpha=0.5)
    else:
        ax.hlines(middle, at - 0.3, at + 0.3, color=color, linewidth=2)
    ax.vlines(at, low, high, color="0.2", linewidth=2)
    ax.scatter([at], [middle], color="white", edgecolor="0.2", s=14, zorder=3)


@checked()
def tss_by_depth(
    adata: AnnData,
    *,
    min_fragments: float | None = None,
    min_tss: float | None = None,
    cmap: str = SEQUENTIAL,
    ax: Any | None = None,
) -> Axes:
    """Draw the TSS enrichment of every cell against its fragments, coloured by the density of cells.

    Parameters
    ----------
    adata
        Cells from :func:`sccase_kit.read_fragments`, with a genome or a table of transcription start sites.
    min_fragments, min_tss
        Thresholds to draw; the share of cells that pass them stands in the title.
    cmap
        Colour map of the density.
    ax
        Axes; `None` makes a figure.

    Returns
    -------
    The Axes.

    Raises
    ------
    KeyError
        If the columns n_fragments or tss_enrichment are missing.
    ValueError
        If no cell has a fragment.
    """
    from scipy.stats import binned_statistic_2d

    from ._style import check_cmap

    check_adata(adata)
    check_cmap(cmap)
    for name in ("n_fragments", "tss_enrichment"):
        check_key(name, adata.obs.columns, name="column", where="adata.obs", hint="Read the fragments with genome=.")
    depth, tss = (check_column(adata.obs, name, name="obs") for name in ("n_fragments", "tss_enrichment"))
    kept = (depth > 0) & np.isfinite(tss)
    if not kept.any():
        msg = "no cell has a fragment: there is nothing to draw"
        raise ValueError(msg)
    x, y = np.log10(depth[kept]), tss[kept]
    found = binned_statistic_2d(x, y, None, statistic="count", bins=40, expand_binnumbers=True)
    density = found.statistic[found.binnumber[0].clip(1, 40) - 1, found.binnumber[1].clip(1, 40) - 1]
    order = np.argsort(density, kind="stable")
    ax = get_axes(ax)
    ax.scatter(
        x[order], y[order], c=np.sqrt(density[order]), s=6, cmap=cmap, linewidths=0, rasterized=len(x) > RASTER_ABOVE
    )
    passing = np.ones(len(depth), dtype=bool)
    if min_fragments is not None:
        least = check_number(min_fragments, name="min_fragments", minimum=0, exclusive=True)
        ax.axvline(np.log10(least), color=PALETTE[4], linewidth=1, linestyle="--")
        passing &= depth >= least
    if min_tss is not None:
        least = check_number(min_tss, name="min_tss", minimum=0)
        ax.axhline(least, color=PALETTE[4], linewidth=1, linestyle="--")
        passing &= tss >= least
    if min_fragments is not None or min_tss is not None:
        ax.set_title(f"{passing.sum():,} of {len(passing):,} cells pass", fontsize="medium")
    ax.set(xlabel="log10 fragments", ylabel="TSS enrichment")
    ax.set_ylim(bottom=0)
    open_frame(ax)
    return ax
