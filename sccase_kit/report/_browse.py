"""Tracks of groups of cells to look through, in a notebook or on the page: values, genes, and where to go first."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._atomic import check_place, replacing
from .._logging import warn
from .._validate import check_adata, check_choice, check_int, check_labels, check_some
from ..get.group_sums import group_enhanced, scaled
from ..get.raw import raw_layer
from ..get.thin import check_fitted
from ..intervals.bodies import gene_bodies, locus_of
from ..intervals.gene_names import gene_positions
from ..intervals.genomes import tss_table
from ..intervals.likely import data_genome
from ..pages.page import document
from ..pages.tracks import Tracks
from ..pl.colors import colors_of
from ..pp import pseudobulk, require_coordinates
from . import _groups

#: Values (groups × peaks × sides) that are kept whole; with more, only what surrounds the places.
MOST_VALUES = 12_000_000
_AROUND = 250_000  # bases kept on both sides of a place, where not all are
_NEXT_TO = 5_000  # bases from a gene within which a peak is next to it
_KNOWN, _PER_GROUP = 3, 3  # known marker genes of a group to go to, and genes next to its marker peaks
_CAPTION = (
    "Bars are peaks, not bases; both columns are counts per million of the group, each on its own axis, which all "
    "groups share."
)
_ROW, _REST = 40, 260  # pixels of a group, and of what is around the tracks

Place = tuple[str, str, int, int]


@dataclass(frozen=True, slots=True)
class Browser:
    """Tracks as one HTML document that needs no network; notebooks show it as the last value of a cell.

    Attributes
    ----------
    html
        The document.
    height
        Its height in a notebook, in pixels.
    """

    html: str
    height: int

    def _repr_html_(self) -> str:
        """Return a frame around the document, which can reach nothing of the notebook."""
        style = "border:0;width:100%"
        return (
            f'<iframe srcdoc="{escape(self.html)}" sandbox="allow-scripts" width="100%" height="{self.height}" '
            f'style="{style}" title="tracks"></iframe>'
        )

    def __repr__(self) -> str:
        return f"Browser({len(self.html) / 1e3:,.0f} kB of HTML; show it in a notebook, or .save('tracks.html'))"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the document to a file; return its path.

        Raises
        ------
        FileNotFoundError
            If the folder does not exist.
        OSError
            If it cannot be written.
        """
        with replacing(check_place(path)) as temporary:
            temporary.write_text(self.html, encoding="utf-8")
        return Path(path)


@checked()
def browse(
    adata: AnnData,
    groupby: str,
    loci: str | Sequence[str] | None = None,
    *,
    genes: pd.DataFrame | str | os.PathLike[str] | None = None,
    flank: int = 25_000,
    groups: Sequence[str] | None = None,
    show: Literal["both", "raw", "enhanced"] = "both",
    key: str = "sccase",
    layer: str | None = None,
) -> Browser:
    """Look through the genome in a notebook: tracks of groups of cells, raw and enhanced, with gene bodies.

    Drag, buttons, arrow keys, or ctrl and the wheel move and zoom; a gene or region can be entered. What is shown is
    self-contained: it works offline, in rendered pages, and in files (:meth:`Browser.save`).

    Parameters
    ----------
    adata
        Enhanced data with coordinates in `var`; with ``show="raw"`` counts are enough.
    groupby
        Column of `obs`; one track per group.
    loci
        Where to go: ``"chr1:100,000-200,000"`` or genes, one or several; `None` takes the marker genes or peaks that
        :func:`sccase_kit.tl.specific_peaks` found for the same groups.
    genes
        Genes to draw: a genome (hg19, hg38, mm9, mm10), a file or a table, see :func:`sccase_kit.pl.genome_tracks`;
        `None` takes the genome of the results in `adata`, of ``uns["genome"]``, or that the peaks fit.
    flank
        Bases to show on both sides of a gene.
    groups
        Groups to show, in this order.
    show
        Counts (``"raw"``), expected counts (``"enhanced"``), or both next to each other; all in counts per million of
        the group in all peaks.
    key, layer
        The fit, and the layer of the counts (`None` for what was enhanced).

    Returns
    -------
    Browser
        Shown by notebooks; ``save(path)`` writes an HTML file. Where there are more than 12 million values, it holds
        the peaks within 250 kb of `loci` alone, and a warning says so.

    Raises
    ------
    KeyError
        If there is no fit under `key`, a column is missing, or a gene is not among `genes`.
    ValueError
        If peaks have no coordinates, a locus cannot be read, a group is unknown, or there are too many values and no
        places.
    TypeError
        If `genes` is none of these.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> study = sk.datasets.toy_study(n_cells=200, n_peaks=500)
    >>> tracks = sk.browse(study.adata, "cell_type", show="raw", genes=study.genes)  # the last line of a cell shows it
    >>> tracks.html[:15]
    '<!DOCTYPE html>'
    """
    check_adata(adata)
    check_choice(show, ["both", "raw", "enhanced"], name="show")
    check_int(flank, name="flank", minimum=0)
    table = _genes_of(adata, genes)
    places = None
    if loci is not None:
        named = check_some(loci, name="loci")
        places = [(str(name), *locus_of(name, table, flank)) for name in named]
    tracks, cut = group_tracks(
        adata, groupby, key=key, layer=layer, genes=table, places=places, flank=flank, groups=groups, show=show
    )
    if cut:
        warn(f"only the {len(tracks.peaks):,} peaks within {_AROUND // 1000} kb of the loci are shown")
    body = f'<main class="bare">{tracks.html()}</main>'
    height = _REST + _ROW * len(tracks.colors)
    return Browser(document("Tracks", body, scripts=Tracks.scripts), height)


def _genes_of(adata: AnnData, genes: Any) -> pd.DataFrame | None:
    genes = data_genome(adata) if genes is None else genes
    return tss_table(genes) if isinstance(genes, (str, os.PathLike)) else genes


def group_tracks(
    adata: AnnData,
    groupby: str,
    *,
    key: str,
    layer: str | None,
    genes: Any = None,
    places: Sequence[Place] | None = None,
    flank: int = 25_000,
    groups: Sequence[str] | None = None,
    show: str = "both",
    colors: Mapping[str, str] | None = None,
    most_values: int | None = None,
) -> tuple[Tracks, bool]:
    """Return the tracks of groups, and whether peaks were left out to keep within `most_values` (`MOST_VALUES`).

    Raises
    ------
    ValueError
        If there are more values and no places.
    """
    sides = ["raw", "enhanced"] if show == "both" else [show]
    if "enhanced" in sides:
        check_fitted(adata, key)
    where = require_coordinates(adata)
    labels = check_labels(adata, groupby, text=True)
    names = list(labels.cat.categories) if groups is None else check_some(groups, name="groups")
    if absent := [name for name in names if name not in set(labels.cat.categories)]:
        msg = f"groups: {absent} are not in obs[{groupby!r}]; available: {list(labels.cat.categories)}"
        raise ValueError(msg)
    if colors is None:
        colors = {str(name): color for name, color in colors_of(adata, groupby)[1].items()}
    table = _genes_of(adata, genes)
    bodies = None if table is None else gene_bodies(table)
    if places is None:
        places = marker_places(adata, groupby, table, where, flank=flank, groups=names)
    kept = np.arange(len(where))
    cut = len(where) * len(names) * len(sides) > (MOST_VALUES if most_values is None else most_values)
    if cut:
        if not places:
            msg = f"{len(where):,} peaks × {len(names)} groups are too many to show at once; name loci, or run "
            msg += "sccase_kit.tl.specific_peaks for the same groups"
            raise ValueError(msg)
        kept = _near(where, places)
        bodies = None if bodies is None else bodies.iloc[_near(bodies, places)]
    rows = np.array([list(labels.cat.categories).index(name) for name in names], dtype=np.intp)
    values = {}
    for side in sides:
        sums = _raw(adata, groupby, labels, key, layer) if side == "raw" else group_enhanced(adata, labels, key)
        values[_TITLES[side]] = scaled(sums, np.ones(len(sums)), "cpm")[np.ix_(rows, kept)]
    shown = {name: _hex(colors.get(name, "#888888")) for name in names}
    peaks = where.iloc[kept].reset_index(drop=True)
    chroms = set(peaks["chrom"].astype(str))
    there = [place for place in places if place[1] in chroms]
    return Tracks(peaks, values, shown, there, bodies, _CAPTION), cut


_TITLES = {
    "raw": "raw, counts per million",
    "enhanced": "enhanced, expected counts per million",
}


def _hex(color: str) -> str:
    from matplotlib.colors import to_hex

    return to_hex(color)


def _raw(adata: AnnData, groupby: str, labels: pd.Series, key: str, layer: str | None) -> np.ndarray:
    layer = raw_layer(adata, key, layer) if key in adata.uns else layer
    bulk = pseudobulk(adata, groupby, layer=layer)[list(labels.cat.categories)].X
    return np.asarray(bulk.toarray() if hasattr(bulk, "toarray") else bulk, dtype=np.float64)


def _near(regions: pd.DataFrame, places: Iterable[Place]) -> np.ndarray:
    chrom, start, end = (regions[name].to_numpy() for name in ("chrom", "start", "end"))
    inside = np.zeros(len(regions), dtype=bool)
    for _, where, low, high in places:
        inside |= (chrom == where) & (end > low - _AROUND) & (start < high + _AROUND)
    return np.flatnonzero(inside)


def marker_places(
    adata: AnnData,
    groupby: str,
    genes: pd.DataFrame | None,
    where: pd.DataFrame,
    *,
    flank: int,
    groups: Iterable[str],
) -> list[Place]:
    """Return where to go first: known marker genes of every group, then those next to its first marker peaks.

    Known ones are those that speak for the names of :func:`sccase_kit.tl.annotate`, those with a peak in or next
    to them before those whose only peak is in the neighbourhood of another gene. Where no gene is known, marker peaks
    are named themselves.
    """
    peaks = _groups.first_of(adata, "tl.specific_peaks", groupby, "peaks")
    markers = _known_markers(adata, groupby)
    if peaks is None and not markers:
        return []
    by_gene, by_peak = _groups.gene_peaks(peaks), _groups.marker_peaks(peaks)
    columns = (where[name] for name in ("chrom", "start", "end"))
    rows = {str(name): row for name, *row in zip(adata.var_names, *columns, strict=True)}
    known = genes is not None and {"gene_id", "start", "end"} <= set(genes.columns)
    found: list[Place] = []
    for group in groups:
        own = _gene_places(markers.get(group, []), genes, where, flank=flank) if genes is not None and known else {}
        found += [(f"{group}: {gene}", *place) for gene, place in list(own.items())[:_KNOWN]]
        shown = set(list(own)[:_KNOWN])
        pairs = list(by_gene.get(group, {}).items()) if known else []
        pairs = pairs or [(peak, peak) for peak in by_peak.get(group, [])]
        for name, peak in [pair for pair in pairs if pair[1] in rows and pair[0] not in shown][:_PER_GROUP]:
            chrom, low, high = rows[peak]
            at = -1 if genes is None or name == peak else gene_positions(genes, [name])[0]
            if genes is not None and at >= 0:
                low, high = min(low, genes["start"].iloc[at]), max(high, genes["end"].iloc[at])
            around = max(flank, 0) if at >= 0 else 2 * flank
            found.append((f"{group}: {name}", str(chrom), max(0, int(low) - around), int(high) + around))
    return found


def _gene_places(
    names: Iterable[str], genes: pd.DataFrame, where: pd.DataFrame, *, flank: int
) -> dict[str, tuple[str, int, int]]:
    """Return the surroundings of genes that have a peak: first of those with one in or next to them.

    Then come genes whose nearest peak is nearer to no other gene; last those with a peak in the neighbourhood of
    another gene, which a reader would take for what is shown.
    """
    inside: dict[str, tuple[str, int, int]] = {}
    nearest: dict[str, tuple[str, int, int]] = {}
    others: dict[str, tuple[str, int, int]] = {}
    for gene in names:
        at = gene_positions(genes, [gene])[0]
        if at < 0:
            continue
        chrom, body = str(genes["chrom"].iloc[at]), (int(genes["start"].iloc[at]), int(genes["end"].iloc[at]))
        peak = _nearest_peak(where, chrom, *body)
        if peak is None:  # it was named by peaks that are not in these data
            continue
        low, high, away = peak
        near = body if away <= flank else (min(body[0], low), max(body[1], high))
        place = chrom, max(0, near[0] - flank), near[1] + flank
        if away <= _NEXT_TO:
            inside[gene] = place
        elif away <= _away(genes[genes["chrom"].astype(str) == chrom], low, high).min():
            nearest[gene] = place
        else:
            others[gene] = place
    return inside | nearest | others


def _nearest_peak(where: pd.DataFrame, chrom: str, low: int, high: int) -> tuple[int, int, int] | None:
    """Return start and end of the peak next to a gene and how far it is; None if that is too far."""
    part = where[where["chrom"].astype(str) == chrom]
    away = _away(part, low, high)
    if not len(away) or away.min() > _groups.FAR:
        return None
    best = int(away.argmin())
    return int(part["start"].iloc[best]), int(part["end"].iloc[best]), int(away[best])


def _away(regions: pd.DataFrame, low: int, high: int) -> np.ndarray:
    """Return how far regions are from another, in bases; 0 where they meet."""
    start, end = regions["start"].to_numpy(np.int64), regions["end"].to_numpy(np.int64)
    return np.maximum(np.maximum(low - end, start - high), 0)


def _known_markers(adata: AnnData, groupby: str) -> dict[str, list[str]]:
    """Return the marker genes that speak for the name of every group, the strongest first."""
    names = _groups.first_of(adata, "tl.annotate", groupby, "table")
    if names is None or "genes" not in names.columns:
        return {}
    pairs = zip(names["group"], names["genes"].astype(str), strict=True)
    return {group: [gene for gene in genes.split(", ") if gene] for group, genes in pairs}
