"""Peaks × cells text matrices, read line by line into a sparse matrix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .._logging import logger, warn
from ..intervals.coordinates import find_coordinates
from ..intervals.features import peaks_axis
from ..intervals.names import whole_number
from ._errors import FormatError
from ._matrix_market import open_or_format_error, read_cells, read_features
from ._text_layout import Layout, choose_separator, find_layout, split_line, triplet_columns

_SAMPLE = 100
Line = tuple[int, list[str]]


def read_text(
    path: Path, *, peaks: Path | None = None, cells: Path | None = None
) -> tuple[AnnData, dict[str, str | list[str] | None]]:
    """Read a csv, tsv or txt matrix (gzipped or not): a header with the cells, then a line per peak.

    The header may or may not have a field above the peak names, or be missing (the cells are then numbered, with a
    warning). Peaks are named in the first column, or their chromosome, start and end have columns of their own
    (bedtools multicov, deepTools, featureCounts). Values must be numbers. Which axis holds the peaks is decided on all
    names of both.

    Parameters
    ----------
    path
        The matrix.
    peaks, cells
        Files of names, for a matrix whose rows have none.

    Returns
    -------
    The counts, and what was recognised.

    Raises
    ------
    FormatError
        If a line has another number of fields or a value is not a number; names the file and line. If the rows have no
        names and `peaks` is not given, or does not fit.
    ValueError
        If `peaks` or `cells` are given for a matrix that has names.
    """
    with open_or_format_error(path) as handle:
        return _read_lines(path, handle, peaks, cells)


def _fields(lines: Iterable[tuple[int, str]], sep: str) -> Iterator[Line]:
    for number, line in lines:
        if line.strip():
            yield number, split_line(line, sep)


def _read_lines(
    path: Path, handle: Iterable[str], peaks: Path | None, cells: Path | None
) -> tuple[AnnData, dict[str, str | list[str] | None]]:
    numbered = enumerate(handle, 1)
    first = next(((n, line) for n, line in numbered if line.strip() and not line.startswith(("# ", "##", "#!"))), None)
    if first is None:
        msg = f"{path}: the file is empty"
        raise FormatError(msg)
    suffix = next((s for s in reversed(path.suffixes) if s.lower() != ".gz"), "").lower()
    sep = choose_separator(suffix, first[1])
    top = split_line(first[1], sep)
    lines = _fields(numbered, sep)
    sample = list(islice(lines, _SAMPLE))
    if len(top) > 2 and not top[-1] and sample and all(fields[-1] == "" for _, fields in sample):
        top, sample = top[:-1], [(n, fields[:-1]) for n, fields in sample]  # every line ends in a separator
        lines = ((n, fields[:-1] if not fields[-1] else fields) for n, fields in lines)
    if (columns := triplet_columns([fields for _, fields in sample])) is not None:
        return _from_triplets(path, chain([(first[0], top)], sample, lines), columns)
    try:
        layout = find_layout(top, [fields for _, fields in sample if len(fields) == len(sample[0][1])])
    except ValueError as err:
        msg = f"{path}: {err}"
        raise FormatError(msg) from err
    if layout.coordinates and not layout.header and len(layout.labels) < 2:
        msg = f"{path}: regions, with {len(layout.labels)} column of numbers and no header: a file of fragments, or a "
        msg += "BED file, and no matrix. Fragments are counted by sccase_kit.read_fragments(path, peaks=...)"
        raise FormatError(msg)
    body = chain([] if layout.header else [(first[0], top)], sample, lines)
    rows, names, described = _parse(path, body, layout)
    if not names:
        msg = f"{path}: a header but no peaks"
        raise FormatError(msg)
    if not layout.labels:
        msg = f"{path}: names of peaks but no cells"
        raise FormatError(msg)
    if layout.names is None and not layout.coordinates:
        return _named_by_files(path, rows, layout, peaks, cells)
    if peaks is not None or cells is not None:
        msg = f"{path} has names in it: peaks= and cells= are for matrices without; leave them out"
        raise ValueError(msg)
    if not layout.header:
        warn(f"{path}: there is no header with names of cells; the {len(layout.labels)} cells are numbered")
    return _oriented(path, rows, names, described, layout)


def _oriented(
    path: Path, rows: sparse.csr_matrix, names: list[str], described: dict[str, list[str]], layout: Layout
) -> tuple[AnnData, dict[str, str | list[str] | None]]:
    notes: dict[str, str | list[str] | None] = {"format": "text matrix"}
    if layout.coordinates:
        var = pd.DataFrame(_typed(described), index=pd.Index(names, dtype=object))
        notes |= {"orientation": "peaks × cells", "coordinates from": f"columns {', '.join(described)}"}
        return AnnData(rows.T.tocsr(), obs=pd.DataFrame(index=layout.labels), var=var), notes
    axis = peaks_axis(names, layout.labels)
    if axis == "columns":
        logger.info("%s: the columns are peaks, so its rows are taken as cells", path)
        notes["orientation"] = "cells × peaks"
        return AnnData(rows, obs=pd.DataFrame(index=names), var=pd.DataFrame(index=layout.labels)), notes
    notes["orientation"] = "peaks × cells" + (" (taken so: the names do not tell)" if axis is None else "")
    return AnnData(rows.T.tocsr(), obs=pd.DataFrame(index=layout.labels), var=pd.DataFrame(index=names)), notes


def _from_triplets(
    path: Path, lines: Iterable[Line], columns: tuple[int, int]
) -> tuple[AnnData, dict[str, str | list[str] | None]]:
    """Read a table with a line per count: peak and cell in either order, and the number."""
    at_peak, at_cell = columns
    peaks: dict[str, int] = {}
    cells: dict[str, int] = {}
    rows, cols, values = [], [], []
    for k, (number, fields) in enumerate(lines):
        try:
            value = float(fields[2])
        except (ValueError, IndexError):
            if k == 0:
                continue  # a header
            msg = f"{path}, line {number}: expected peak, cell and a number, got {' '.join(fields)[:80]!r}"
            raise FormatError(msg) from None
        rows.append(cells.setdefault(fields[at_cell], len(cells)))
        cols.append(peaks.setdefault(fields[at_peak], len(peaks)))
        values.append(value)
    counts = sparse.csr_matrix((values, (rows, cols)), shape=(len(cells), len(peaks)))
    if repeated := len(values) - counts.nnz:
        warn(f"{path}: {repeated} of {len(values)} pairs of peak and cell occur again; their counts are added")
    notes: dict[str, str | list[str] | None] = {"format": "table of peak, cell and count"}
    return AnnData(counts, obs=pd.DataFrame(index=list(cells)), var=pd.DataFrame(index=list(peaks))), notes


def _named_by_files(
    path: Path, rows: sparse.csr_matrix, layout: Layout, peaks: Path | None, cells: Path | None
) -> tuple[AnnData, dict[str, str | list[str] | None]]:
    """Return a matrix of bare numbers with the names that files give; a header names the columns."""
    if peaks is None:
        what = "its rows have no names" if layout.header else "it holds numbers only, without names of peaks or cells"
        msg = f"{path}: {what}. Give the file of the peaks: sccase_kit.read(path, peaks=...), one a line or BED"
        raise FormatError(msg)
    var, kinds, source = read_features(peaks, rows.shape)
    sizes = {"peaks × cells": rows.shape, "cells × peaks": rows.shape[::-1]}
    axes = next((name for name, (n, _) in sizes.items() if n == len(var)), None)
    if axes is None:
        msg = f"{path}: the matrix is {rows.shape[0]} × {rows.shape[1]}, but {peaks.name} has {len(var)} peaks"
        raise FormatError(msg)
    n_cells = sizes[axes][1]
    if cells is not None:
        names = read_cells(cells, (n_cells,))
        if len(names) != n_cells:
            msg = f"{path}: the matrix has {n_cells} cells, but {cells.name} has {len(names)}"
            raise FormatError(msg)
    elif layout.header and axes == "peaks × cells":
        names = layout.labels
    else:
        names = [f"cell{i}" for i in range(1, n_cells + 1)]
        warn(f"{path}: there are no names of cells (cells=); the {n_cells} cells are numbered")
    counts = rows.T.tocsr() if axes == "peaks × cells" else rows
    notes: dict[str, str | list[str] | None] = {"format": "text matrix", "orientation": axes, "kinds": kinds}
    notes["peaks from"] = f"{peaks.name} ({source})"
    return AnnData(counts, obs=pd.DataFrame(index=names), var=var), notes


def _typed(described: dict[str, list[str]]) -> dict[str, list[str] | np.ndarray]:
    """Return columns of whole numbers as int64, others as text."""
    out: dict[str, list[str] | np.ndarray] = {}
    for column, values in described.items():
        numbers = [whole_number(v) for v in values]
        out[column] = values if None in numbers else np.array(numbers, dtype=np.int64)
    return out


def _parse(
    path: Path, lines: Iterable[Line], layout: Layout
) -> tuple[sparse.csr_matrix, list[str], dict[str, list[str]]]:
    """Return the values, peaks × cells or as the file has them, the names of the rows and what describes them."""
    data, indices, indptr, names = [], [], [0], []
    described: dict[str, list[str]] = {column: [] for column in layout.describing.values()}
    n_cells = len(layout.labels)
    places = list(layout.describing)[:]
    for number, fields in lines:
        if len(fields) != layout.cells + n_cells:
            msg = f"{path}, line {number}: {len(fields) - layout.cells} values, expected {n_cells}"
            raise FormatError(msg)
        try:
            values = np.array(fields[layout.cells :], dtype=np.float64)
        except ValueError as err:
            msg = f"{path}, line {number}: not a number ({err!s:.200})"
            raise FormatError(msg) from err
        nonzero = np.flatnonzero(values)
        for place in places:
            described[layout.describing[place]].append(fields[place])
        names.append("" if layout.names is None else fields[layout.names])
        data.append(values[nonzero])
        indices.append(nonzero)
        indptr.append(indptr[-1] + len(nonzero))
    if layout.names is None and layout.coordinates:
        names = _region_names(described, path) if names else []
    shape = (len(names), n_cells)
    if not names:
        return sparse.csr_matrix(shape), names, described
    matrix = sparse.csr_matrix((np.concatenate(data), np.concatenate(indices), np.array(indptr)), shape=shape)
    return matrix, names, described


def _region_names(described: dict[str, list[str]], path: Path) -> list[str]:
    """Return names such as chr1:100-600, 0-based whatever the columns are."""
    table = pd.DataFrame(_typed(described))
    try:
        found = find_coordinates(table, name=str(path), names=[""] * len(table))
    except (TypeError, ValueError) as err:
        raise FormatError(str(err)) from None
    if found.missing.any():
        row = int(found.missing.argmax())
        shown = table.iloc[row].tolist()
        msg = f"{path}, peak {row + 1}: {shown} are no chromosome, start and end (0 <= start < end)"
        raise FormatError(msg)
    places = found.table
    return [f"{c}:{a}-{b}" for c, a, b in zip(places["chrom"], places["start"], places["end"], strict=True)]
