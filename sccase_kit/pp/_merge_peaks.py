"""Samples with peaks of their own: one set of peaks for all, and counts brought to it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .._arguments import checked
from .._logging import logger, warn
from .._tables import table_layout
from .._validate import check_adata, check_choice, check_int
from ..intervals.assembly import in_names_of
from ..intervals.consensus import best_match, iterative_consensus, quantiles, resize, union_consensus
from ..intervals.frame import check_regions
from ..intervals.genomes import chrom_sizes
from ..intervals.peaks import require_coordinates
from ..matrix.access import as_csr, get_matrix

_NARROW = 10  # columns of a narrowPeak file


@checked()
def merge_peaks(
    peaks: Mapping[str, Any] | Sequence[Any],
    *,
    method: Literal["iterative", "union"] = "iterative",
    width: int | None = 501,
    score: str | None = None,
    min_samples: int = 1,
    distance: int = 0,
    genome: str | os.PathLike[str] | Mapping[str, int] | None = None,
) -> pd.DataFrame:
    """Make one set of peaks of those of several samples, for all of them to be counted in.

    Parameters
    ----------
    peaks
        The samples' peaks, as a dict sample → peaks or a list: BED or narrowPeak files, tables with chrom, start and
        end, AnnData.
    method
        ``"iterative"``, as ArchR and the TCGA ATAC-seq atlas: all peaks get one width, the best is kept, what overlaps
        it is dropped, the best of the rest is kept, and so on; first in each sample, then in all. Scores are compared
        as quantiles of their sample. ``"union"``: what overlaps is joined, which grows long chains with many samples.
    width
        Width in bases around the summit (column 10 of a narrowPeak file) or the middle; None keeps the peaks as they
        are. Only for ``"iterative"``.
    score
        Column with the scores, higher is better. By default a column score, of a narrowPeak file its q-value (p-value,
        score) column, of an AnnData the counts of each peak; where there is none, the sample's peaks are equal and the
        first in position wins.
    min_samples
        Samples that must have a peak that overlaps.
    distance
        Gap in bases up to which ``"union"`` joins peaks.
    genome
        Shipped genome, file or mapping of chromosome sizes: peaks beyond a chromosome's end are dropped, and those on
        unknown sequences left out with a warning.

    Returns
    -------
    DataFrame indexed by names such as ``chr1:100-601``: chrom, start, end (int64, 0-based half-open), score (quantile
    in its sample), n_samples (samples with a peak that overlaps) and, for ``"iterative"``, sample (whose peak it is).

    Raises
    ------
    ValueError
        If there are no peaks, chromosomes are named in two styles, or arguments do not fit.
    KeyError
        If a table lacks the column `score`.

    References
    ----------
    Corces et al., Science 2018; Granja et al., Nat. Genet. 2021 (ArchR).

    Examples
    --------
    >>> import pandas as pd
    >>> import sccase_kit as sk
    >>> a = pd.DataFrame({'chrom': ['chr1'], 'start': [1000], 'end': [1500], 'score': [9]})
    >>> b = pd.DataFrame({'chrom': ['chr1', 'chr1'], 'start': [1200, 5000], 'end': [1600, 5300], 'score': [3, 8]})
    >>> sk.pp.merge_peaks({'a': a, 'b': b}, width=501)[['start', 'end', 'n_samples', 'sample']].values.tolist()
    [[1000, 1501, 2, 'a'], [4900, 5401, 1, 'b']]
    """
    check_choice(method, ["iterative", "union"], name="method")
    named = peaks if isinstance(peaks, Mapping) else {f"sample_{i + 1}": one for i, one in enumerate(_several(peaks))}
    if not named:
        msg = "peaks is empty: give the peaks of at least one sample"
        raise ValueError(msg)
    if width is not None:
        width = check_int(width, name="width", minimum=1)
    check_int(min_samples, name="min_samples", minimum=1, maximum=len(named))
    check_int(distance, name="distance", minimum=0)
    if distance and method == "iterative":
        warn("distance has no effect with method='iterative'")
    sizes = None if genome is None else chrom_sizes(genome)
    sets = [
        _scored(one, str(name), score, sizes, width if method == "iterative" else None) for name, one in named.items()
    ]
    first = f"peaks[{next(iter(named))!r}]"
    known = sets[0]["chrom"].unique()
    sets[1:] = [
        in_names_of(other, known, name=f"peaks[{name!r}]", where=first)
        for other, name in zip(sets[1:], list(named)[1:], strict=True)
    ]
    if method == "iterative":
        found = iterative_consensus(sets, chrom_sizes=sizes, min_sets=min_samples)
        found["sample"] = np.array([str(name) for name in named], dtype=object)[found.pop("set")]
    else:
        found = union_consensus(sets, distance=distance, min_sets=min_samples)
    if found.empty:
        msg = f"no peak is left: none overlaps in {min_samples} samples"
        raise ValueError(msg)
    found = found.rename(columns={"n_sets": "n_samples"})
    starts, ends = found["start"].tolist(), found["end"].tolist()
    found.index = pd.Index([f"{c}:{s}-{e}" for c, s, e in zip(found["chrom"], starts, ends, strict=True)], dtype=object)
    logger.info("merge_peaks: %d peaks of %d samples became %d", sum(map(len, sets)), len(sets), len(found))
    return found


def _several(peaks: object) -> Sequence[Any]:
    if isinstance(peaks, (list, tuple)):
        return peaks
    msg = f"peaks must be a dict sample → peaks or a list of peaks, got {type(peaks).__name__}"
    raise TypeError(msg)


def _scored(
    peaks: Any, name: str, score: str | None, sizes: Mapping[str, int] | None, width: int | None
) -> pd.DataFrame:
    """Return one sample's peaks with their scores as quantiles, resized if `width` is given."""
    what = f"peaks[{name!r}]"
    table = _narrow_peaks(peaks) if isinstance(peaks, (str, os.PathLike)) else None
    if table is None:
        table = check_regions(peaks, name=what, chrom_sizes=None)
        if isinstance(peaks, AnnData) and score is None and "score" not in table.columns:
            table["score"] = np.asarray(get_matrix(peaks).sum(axis=0)).ravel()
    column = score or ("score" if "score" in table.columns else None)
    if column is not None and column not in table.columns:
        msg = f"{what} has no column {column!r}; available: {list(table.columns)}"
        raise KeyError(msg)
    values = np.zeros(len(table)) if column is None else pd.to_numeric(table[column], errors="coerce").to_numpy(float)
    if np.isnan(values).any():
        msg = f"{what}[{column!r}] must hold numbers; {int(np.isnan(values).sum())} of {len(values)} are none"
        raise ValueError(msg)
    found = table[["chrom", "start", "end"]].assign(score=quantiles(values))
    found["summit"] = table["summit"] if "summit" in table.columns else (found["end"] - found["start"]) // 2
    if sizes is not None:
        found = check_regions(found, name=what, chrom_sizes=sizes, unknown="drop")
    if width is not None:
        found = resize(found, width, summit=found["summit"].to_numpy(np.int64))
    return found.drop(columns="summit").reset_index(drop=True)


def _narrow_peaks(path: str | os.PathLike[str]) -> pd.DataFrame | None:
    """Read a narrowPeak file with score and summit (bases from the start); None for other files."""
    if not Path(path).is_file():
        return None
    rows = [row for row in table_layout(path).rows if len(row) == _NARROW]
    if not rows or not all(row[9].lstrip("-").isdigit() and row[5] in "+-." for row in rows):
        return None
    raw = pd.read_csv(path, sep="\t", header=None, comment="#", compression="infer")
    table = check_regions(pd.DataFrame({"chrom": raw[0].astype(str), "start": raw[1], "end": raw[2]}), name=str(path))
    best = next((raw[column] for column in (8, 7, 4) if (raw[column] > 0).any()), raw[4])
    summit = raw[9].to_numpy(np.int64)
    middle = ((table["end"] - table["start"]) // 2).to_numpy(np.int64)
    return table.assign(score=best.to_numpy(float), summit=np.where(summit >= 0, summit, middle))


@checked()
def remap_counts(adata: AnnData, peaks: Any, *, layer: str | None = None) -> AnnData:
    """Bring counts to other peaks: every peak's counts go to the new peak that it shares most bases with.

    This is what can be done without the fragments, and only that. A peak that lies partly outside its new one brings
    all its counts; two old peaks that become one may both have counted the same fragment; and a new peak that none of
    the old ones overlaps was not measured here, although its counts are 0. Where there are fragments, count them anew
    with :func:`sccase_kit.read_fragments`.

    Parameters
    ----------
    adata
        Cells × peaks.
    peaks
        The new peaks: a table (such as :func:`merge_peaks` returns), BED file, AnnData or names.
    layer
        Layer with the counts; `X` by default.

    Returns
    -------
    AnnData, cells × new peaks (CSR, dtype of the counts), with the same `obs`; nothing else is taken over. `var`: the
    new peaks' columns and n_sources (int64), the old peaks that went into each.

    Raises
    ------
    ValueError
        If peaks have no coordinates, chromosomes are named in two styles, or no old peak overlaps a new one.

    Warns
    -----
    UserWarning
        How many old peaks, and counts, have no place, and how many new peaks no source.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> new = sk.pp.merge_peaks([adata], width=None)
    >>> sk.pp.remap_counts(adata, new).shape
    (100, 500)
    """
    check_adata(adata)
    old = require_coordinates(adata).reset_index(drop=True)
    new = check_regions(peaks, name="peaks")
    target = best_match(in_names_of(old, new["chrom"].unique(), name="adata.var", where="peaks"), new)
    placed = np.flatnonzero(target >= 0)
    if not len(placed):
        msg = f"none of the {len(old)} peaks of adata overlaps one of the {len(new)} new ones; another assembly?"
        raise ValueError(msg)
    counts = as_csr(get_matrix(adata, layer))
    ones = np.ones(len(placed), dtype=counts.dtype)
    mapping = sparse.csr_matrix((ones, (placed, target[placed])), shape=(len(old), len(new)))
    moved = sparse.csr_matrix(counts @ mapping)
    moved.sort_indices()
    sources = np.bincount(target[placed], minlength=len(new))
    before, after = float(counts.sum()), float(moved.sum())
    lost, empty = len(old) - len(placed), int((sources == 0).sum())
    if lost or empty:
        warn(
            f"remap_counts: {lost:,} of {len(old):,} peaks, with {1 - after / max(before, 1):.1%} of the counts, "
            f"overlap no new one and are left out; {empty:,} of {len(new):,} new peaks overlap no old one, so "
            "their zeros are not measured. Counting the fragments anew (sccase_kit.read_fragments) has neither"
        )
    var = new.assign(n_sources=sources)
    if isinstance(new.index, pd.RangeIndex):
        starts, ends = new["start"].tolist(), new["end"].tolist()
        var.index = pd.Index([f"{c}:{s}-{e}" for c, s, e in zip(new["chrom"], starts, ends, strict=True)], dtype=object)
    return AnnData(moved, obs=adata.obs.copy(), var=var)
