"""Peaks × cells text matrices, read line by line into a sparse matrix."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .._logging import logger
from ..intervals.columns import are_peaks
from ._tenx import FormatError

_SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": None}


def _separator(path: Path, header: str) -> str:
    suffix = next(s for s in reversed(path.suffixes) if s.lower() != ".gz").lower()
    known = _SEPARATORS[suffix]
    if known is not None:
        return known
    return max("\t, ", key=header.count)


def read_text(path: Path) -> AnnData:
    """Read a csv, tsv or txt matrix (gzipped or not): a header with the cells, then a line per peak.

    The header may or may not have a field above the peak names. Values must be numbers. Where the columns have names of
    peaks and the rows none, the rows are the cells.

    Raises
    ------
    FormatError
        If a line has another number of fields or a value is not a number; names the file and line.
    """
    opener = gzip.open if path.suffix.lower() == ".gz" else open
    data, indices, indptr, names = [], [], [0], []
    try:
        with opener(path, "rt", encoding="utf-8-sig") as handle:
            header = handle.readline().rstrip("\r\n")
            if not header:
                msg = f"{path}: the file is empty"
                raise FormatError(msg)
            sep = _separator(path, header)
            cells = [field.strip('"') for field in header.split(sep)]
            for number, line in enumerate(handle, 2):
                if not line.strip():
                    continue
                fields = line.rstrip("\r\n").split(sep)
                if not names and len(fields) == len(cells):
                    cells = cells[1:]
                if len(fields) != len(cells) + 1:
                    msg = f"{path}, line {number}: {len(fields) - 1} values, expected {len(cells)}"
                    raise FormatError(msg)
                try:
                    values = np.array(fields[1:], dtype=np.float64)
                except ValueError as err:
                    msg = f"{path}, line {number}: not a number ({err!s:.200})"
                    raise FormatError(msg) from err
                nonzero = np.flatnonzero(values)
                names.append(fields[0].strip('"'))
                data.append(values[nonzero])
                indices.append(nonzero)
                indptr.append(indptr[-1] + len(nonzero))
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as err:
        msg = f"{path}: cannot be read ({err})"
        raise FormatError(msg) from err
    if not names:
        msg = f"{path}: a header but no peaks"
        raise FormatError(msg)
    if not cells:
        msg = f"{path}: names of peaks but no cells"
        raise FormatError(msg)
    rows = sparse.csr_matrix(
        (np.concatenate(data), np.concatenate(indices), np.array(indptr)), shape=(len(names), len(cells))
    )
    if are_peaks(cells) and not are_peaks(names):
        logger.info("%s: the columns are peaks, so its rows are taken as cells", path)
        return AnnData(rows, obs=pd.DataFrame(index=names), var=pd.DataFrame(index=cells))
    return AnnData(rows.T.tocsr(), obs=pd.DataFrame(index=cells), var=pd.DataFrame(index=names))
