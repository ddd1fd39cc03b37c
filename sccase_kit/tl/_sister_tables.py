"""Peaks and marker genes of families of groups against those nearest to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import scipy
from anndata import AnnData
from scipy import sparse

from .._adjust import benjamini_hochberg
from ..genes import peak_gene_weights
from ..genes.contrasts import gene_contrast
from ..genes.weights import NEARER
from ..intervals.gene_names import gene_positions
from ..peaks.sisters import PeakContrast, peak_contrast
from ._annotate_cells import nearest_in_reach
from ._nearest_gene import add_nearest_gene, add_places, peak_places
from ._sisters import PEAK_ALPHA, Sisters
from ._specific_peaks import coordinates

_CONTRASTS = ["family", "other", "z", "padj", "difference", "n_more", "n_less"]
_PEAKS = ["family", "other", "direction", "rank", "peak", "log2fc", "pvalue", "padj"]
_GENES = ["family", "other", "gene", "types", "fold", "z", "pvalue", "padj", "n_peaks", "peak", "distance"]


@dataclass(frozen=True, eq=False)
class Markers:
    """Marker genes in reach of a peak: their table, with the types that they mark, the weights of peaks, and these."""

    genes: pd.DataFrame
    weights: sparse.csc_matrix
    places: pd.DataFrame


def reached_markers(adata: AnnData, genes: pd.DataFrame, sets: Mapping[str, list[str]]) -> Markers:
    """Return the marker genes that a peak reaches."""
    places = peak_places(adata)
    found = [gene_positions(genes, part) for part in sets.values()]
    at = np.unique(np.concatenate([part[part >= 0] for part in found]))
    model: Literal["archr", "exponential"] = "archr" if "start" in genes.columns else "exponential"
    weights = peak_gene_weights(places, genes, weights=model, nearer=NEARER)
    at = at[np.asarray((weights[:, at] > 0).sum(axis=0)).ravel() > 0]
    marks = [", ".join(kind for kind, part in zip(sets, found, strict=True) if k in part) for k in at]
    return Markers(genes.iloc[at].reset_index(drop=True).assign(types=marks), weights[:, at].tocsc(), places)


def contrast_tables(
    adata: AnnData,
    found: Sisters,
    compared: Sequence[tuple[int, int]],
    genes: pd.DataFrame | None,
    markers: Markers | None,
    *,
    n_top: int,
) -> dict[str, pd.DataFrame]:
    """Return the tables of contrasts and of their peaks, and with `markers` that of their genes."""
    n_pairs = len(found.names) * (len(found.names) - 1) // 2
    rows: list[dict[str, Any]] = []
    peaks, own = [], []
    for a, b in compared:
        both = {"family": found.labels[a], "other": found.labels[b]}
        test = found.test(a, b)
        contrast = peak_contrast(found.halves, found.families[a], found.families[b])
        differs, log2fc = contrast.padj <= PEAK_ALPHA, contrast.log2fc
        padj = min(float(scipy.stats.norm.sf(test.z)) * n_pairs, 1.0)
        n_more, n_less = (int((differs & (sign * log2fc > 0)).sum()) for sign in (1, -1))
        rows.append(
            {**both, "z": test.z, "padj": padj, "difference": test.difference, "n_more": n_more, "n_less": n_less}
        )
        peaks += [_top_peaks(adata, contrast, both, direction, n_top) for direction in ("more", "less")]
        if markers is not None:
            own.append(_marker_rows(markers, contrast, both))
    table = pd.concat(peaks, ignore_index=True) if peaks else pd.DataFrame(columns=_PEAKS)
    if genes is not None and len(table):
        table = add_nearest_gene(add_places(table, adata), genes)
    tables = {"contrasts": pd.DataFrame(rows, columns=_CONTRASTS), "peaks": table}
    if markers is not None:
        tables["genes"] = pd.concat(own, ignore_index=True) if own else pd.DataFrame(columns=_GENES)
    return tables


def _top_peaks(
    adata: AnnData, contrast: PeakContrast, both: Mapping[str, str], direction: str, n_top: int
) -> pd.DataFrame:
    sign, log2fc = 1 if direction == "more" else -1, contrast.log2fc
    order = np.lexsort((-sign * log2fc, contrast.pvalue))
    order = order[sign * log2fc[order] > 0][:n_top]
    table = coordinates(adata, order)
    first = {**both, "direction": direction, "rank": np.arange(1, len(order) + 1)}
    for at, (column, values) in enumerate(first.items()):
        table.insert(at, column, values)
    return table.assign(log2fc=log2fc[order], pvalue=contrast.pvalue[order], padj=contrast.padj[order])


def _marker_rows(markers: Markers, contrast: PeakContrast, both: Mapping[str, str]) -> pd.DataFrame:
    excess = contrast.opens - contrast.expected
    found = gene_contrast(markers.weights, excess, contrast.variance, contrast.rates)
    padj = benjamini_hochberg(found.pvalue)
    rows: list[dict[str, Any]] = []
    for k in np.argsort(found.pvalue, kind="stable"):
        gene = markers.genes.iloc[k]
        values = {
            "gene": gene["symbol"],
            "types": gene["types"],
            "fold": found.fold[k],
            "z": found.z[k],
            "pvalue": found.pvalue[k],
        }
        where = nearest_in_reach(markers.weights, int(k), markers.places, int(gene["tss"]))
        rows.append({**both, **values, "padj": padj[k], **where})
    return pd.DataFrame(rows, columns=_GENES)
