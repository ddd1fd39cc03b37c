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
from ._matrix_market import open_or_format_error
from ._text_layout import Layout, choose_separator, find_layout, split_line

_SAMPLE = 100
Line = tuple[int, list[str]]


def read_text(path: Path) -> tuple[AnnData, dict[str, str]]:
    """Read a csv, tsv or txt matrix (gzipped or not): a header with the cells, then a line per peak.

    The header may or may not have a field above the peak names, or be missing (the cells are then numbered, with a
    warning). Peaks are named in the first column, or their chromosome, start and end have columns of their own
    (bedtools multicov, deepTools, featureCounts). Values must be numbers. Which axis holds the peaks is decided on all
    names of both.

    Returns
    -------
    The counts, and what was recognised.

    Raises
    ------
    FormatError
        If a line has another number of fields or a value is not a number; names the file and line.
    """
    with open_or_format_error(path) as handle:
        return _read_lines(path, handle)


def _fields(lines: Iterable[tuple[int, str]], sep: str) -> Iterator[Line]:
    for number, line in lines:
        if line.strip():
            yield number, split_line(line, sep)


def _read_lines(path: Path, handle: Iterable[str]) -> tuple[AnnData, dict[str, str]]:
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
    widths = {len(fields) for _, fields in sample}
    layout = find_layout(top, [fields for _, fields in sample] if len(widths) == 1 else [])
    if len(widths) > 1 and sample:
        layout = find_layout(top, [fields for _, fields in sample if len(fields) == len(sample[0][1])])
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
    if not layout.header:
        warn(f"{path}: there is no header with names of cells; the {len(layout.labels)} cells are numbered")
    return _oriented(path, rows, names, described, layout)


def _oriented(
    path: Path, rows: sparse.csr_matrix, names: list[str], described: dict[str, list[str]], layout: Layout
) -> tuple[AnnData, dict[str, str]]:
    notes = {"format": "text matrix"}
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
    if layout.names is None:
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
