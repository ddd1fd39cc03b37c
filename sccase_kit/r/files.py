"""R's files into Python: .rds, .RData and .qs, without R where that is possible; Arrow files and projects of ArchR."""

from __future__ import annotations

import lzma
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .._arguments import checked
from .._logging import logger, warn
from .._optional import MissingProgramError
from .._validate import check_choice
from ..io import FormatError
from ._archr_project import PROJECT, archr_from, is_archr
from ._from_r import from_value, summary
from ._motif_lists import is_motif_list, motifs_from
from ._objects import anndata_from
from ._s4 import UnreadMatrixError, is_cistopic, is_experiment, is_matrix, is_seurat, matrix_from
from ._values import NULL, RValue

ENDINGS = (".rds", ".rdata", ".rda", ".qs", ".arrow")
_RUNS_CODE = "Reading a file through R can run code that is hidden in it: do it only with files you trust"
_NEEDS_R = "needs R"
_READ = {
    ".rds": "readRDS(path)",
    ".qs": "if (!requireNamespace('qs', quietly = TRUE)) stop('R package qs is not installed; in R: "
    'install.packages("qs")\', call. = FALSE); qs::qread(path)',
}
_LOAD = "local({found <- new.env(); load(path, found); mget(sort(ls(found, all.names = TRUE)), found)})"

Engine = Literal["auto", "python", "r"]


@checked()
def read(
    path: str | os.PathLike[str],
    *,
    engine: Engine = "auto",
    name: str | None = None,
    x_name: str | None = None,
    alt_exp: str | None = None,
    assay: str | None = None,
    matrix: str | None = None,
) -> Any:
    """Read a file of R: .rds, .RData, .qs; an Arrow file of ArchR, or the folder of an ArchR project.

    SummarizedExperiments, SingleCellExperiments (and what extends them), Seurat objects of version 3 to 5 with Assay,
    Assay5 or Signac's ChromatinAssay, cisTopic objects, ArchR projects (with the counts of their Arrow files), and
    sparse matrices with names become AnnData, cells × peaks; sparse matrices without names CSC; data frames and dense
    matrices with names DataFrames; lists of motifs (TFBSTools' PFMatrixList and PWMatrixList, universalmotif) lists of
    :class:`~sccase_kit.motifs.Motif`; the rest as :func:`from_r` has it. What is left out is named in a warning.

    Parameters
    ----------
    path
        The file, or the folder that ``saveArchRProject`` wrote.
    engine
        ``"python"``: with the Python package rdata (extra `rds`), which runs no code from the file. ``"r"``: in a
        child R, which can: ``readRDS`` may run code that is hidden in a file. ``"auto"``: the first, and R, with a
        warning that says why, where the first cannot (.qs, matrices kept in other files, types rdata does not know).
    name
        Object of an .RData to return; `None`: the only one, or all as a dict.
    x_name, alt_exp, assay
        As in :func:`from_r`.
    matrix
        Of Arrow files: ``"TileMatrix"`` (the default), ``"PeakMatrix"`` (the default of projects that have one),
        ``"GeneScoreMatrix"``, …

    Returns
    -------
    AnnData or other
        What is in the file.

    Raises
    ------
    FileNotFoundError
        If there is nothing at `path`.
    FormatError
        If the file is damaged or not what its name says (a ValueError).
    KeyError
        If there is no object `name`, or a choice does not exist.
    MissingProgramError
        If R is needed and missing.
    RError
        If R fails.
    ValueError
        If the ending is unknown.
    """
    path = Path(path)
    check_choice(engine, ["auto", "python", "r"], name="engine")
    if path.is_dir() and (path / PROJECT).is_file():
        path = path / PROJECT
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        msg = f"unknown ending of {path.name!r}; files of R end in {', '.join(ENDINGS)}"
        raise ValueError(msg)
    if not path.exists():
        msg = f"no such file: {str(path)!r}"
        raise FileNotFoundError(msg)
    if ending == ".arrow":
        from ._archr import read_arrow

        return read_arrow(path, matrix=matrix or "TileMatrix")
    choices = {"x_name": x_name, "alt_exp": alt_exp, "assay": assay, "matrix": matrix, "folder": path.parent}
    reason = "engine='r' was asked for"
    if engine != "r":
        try:
            value = _without_r(path, ending)
            with _naming(path):
                result, lost = _pick(value, ending, name, choices)
        except _Unreadable as err:
            if engine == "python":
                msg = f"{path}: {err}"
                raise FormatError(msg) from err
            reason = str(err)
        else:
            hidden = next((sentence for sentence in lost if _NEEDS_R in sentence), None)
            if hidden is None or engine == "python":
                logger.info("%s: read without R", path)
                return _said(result, lost)
            reason = hidden
    if engine == "auto":
        warn(f"{path.name} is read through R, because: {reason}. {_RUNS_CODE}")
    try:
        value = _through_r(path, ending)
    except MissingProgramError as err:
        msg = f"{path.name} cannot be read without R, because: {reason}. {err}"
        raise MissingProgramError(msg) from err
    return _said(*_pick(value, ending, name, choices))


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Let what fails in a damaged file name it; a name that is not there and a matrix that needs R are told as such."""
    try:
        yield
    except (FormatError, FileNotFoundError, KeyError, MissingProgramError, UnreadMatrixError):
        raise
    except Exception as err:  # damaged slots fail with many types
        msg = f"{path}: not a readable file of R; is it damaged? ({type(err).__name__}: {err!s:.300})"
        raise FormatError(msg) from err


class _Unreadable(ValueError):
    """The file cannot be read without R."""


def _without_r(path: Path, ending: str) -> RValue:
    if ending == ".qs":
        msg = "only the R package qs reads .qs (saveRDS(x, 'x.rds') in R makes a file that needs none)"
        raise _Unreadable(msg)
    from ._rdata import parse

    try:
        return parse(path)
    except ImportError as err:
        msg = "the Python package rdata is missing: pip install 'sccase_kit[rds]'"
        raise _Unreadable(msg) from err
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as err:
        if isinstance(err, OSError) and err.errno is not None:
            raise
        msg = f"{path}: the packed data are damaged or end early ({err}); copy or download the file again"
        raise FormatError(msg) from err
    except Exception as err:  # rdata fails with many types, assertions among them, on what it does not know
        msg = f"the Python package rdata cannot parse it ({type(err).__name__}: {err})"
        raise _Unreadable(msg) from err


def _through_r(path: Path, ending: str) -> RValue:
    from ._child import run_code

    return run_code(_READ.get(ending, _LOAD), {"path": str(path.resolve())}, echo=None)


def _pick(value: RValue, ending: str, name: str | None, choices: dict[str, Any]) -> tuple[Any, list[str]]:
    """Choose the object and convert it."""
    lost: list[str] = []
    if ending in (".rds", ".qs"):
        if name is not None:
            msg = f"name={name!r} chooses an object of an .RData; {ending} holds one without a name"
            raise ValueError(msg)
        return _convert(value, choices, lost), lost
    found = dict(value.items())
    if name is not None:
        if name not in found:
            msg = f"name={name!r} is not in the file; it holds {list(found)}"
            raise KeyError(msg)
        return _convert(found[name], choices, lost), lost
    if len(found) == 1:
        return _convert(next(iter(found.values())), choices, lost), lost
    return {key: _convert(item, choices, lost) for key, item in found.items()}, lost


def _convert(value: RValue, choices: dict[str, Any], lost: list[str]) -> Any:
    if is_archr(value):
        return archr_from(value, lost, folder=choices["folder"], matrix=choices["matrix"])
    if is_experiment(value) or is_seurat(value) or is_cistopic(value):
        return anndata_from(value, lost, **{name: choices[name] for name in ("x_name", "alt_exp", "assay")})
    if is_matrix(value):
        return _matrix(value)
    if is_motif_list(value):
        return motifs_from(value)
    return from_value(value, lost)


def _said(result: Any, lost: list[str]) -> Any:
    if lost:
        warn(summary(lost))
    return result


def _matrix(value: RValue) -> Any:
    """Return a matrix of R: with names as AnnData (sparse) or DataFrame (dense), else as it is."""
    matrix = matrix_from(value)
    names = value.slot("Dimnames" if value.kind == "S4" else "dimnames")
    sides = list(names.data) if names.kind == "list" and len(names) == 2 else [NULL, NULL]
    if all(side.kind != "character" for side in sides):
        return matrix
    rows, columns = (
        pd.Index(side.data if side.kind == "character" else [str(k) for k in range(size)], dtype=object)
        for side, size in zip(sides, matrix.shape, strict=True)
    )
    if not sparse.issparse(matrix):
        return pd.DataFrame(matrix, index=rows, columns=columns)
    if _peaks(columns) and not _peaks(rows):  # R keeps features in rows, unless only the columns have names of peaks
        return AnnData(sparse.csr_matrix(matrix), obs=pd.DataFrame(index=rows), var=pd.DataFrame(index=columns))
    return AnnData(sparse.csr_matrix(matrix.T), obs=pd.DataFrame(index=columns), var=pd.DataFrame(index=rows))


def _peaks(names: Iterable[str]) -> bool:
    """Return whether the first names are those of peaks, such as chr1:100-600 or chr1-100-600."""
    shown = [str(name) for name in names][:20]
    return bool(shown) and all(re.fullmatch(r".+[:_-]\d+[-_]\d+", item) for item in shown)


def read_counts(path: Path) -> AnnData:
    """Read a file of R for :func:`sccase_kit.read`: an AnnData, or an error that says what is there instead."""
    result = read(path)
    if isinstance(result, dict) and not isinstance(result, AnnData):
        studies = {key: value for key, value in result.items() if isinstance(value, AnnData)}
        if len(studies) == 1:
            return next(iter(studies.values()))
        if studies:
            msg = f"{path}: {list(studies)} all hold counts; sk.r.read(path, name={next(iter(studies))!r}) reads one"
            raise FormatError(msg)
    if isinstance(result, AnnData):
        return result
    if sparse.issparse(result) or (isinstance(result, np.ndarray) and result.ndim == 2):
        return AnnData(sparse.csr_matrix(result.T) if sparse.issparse(result) else np.ascontiguousarray(result.T))
    if isinstance(result, pd.DataFrame) and all(dtype.kind in "iuf" for dtype in result.dtypes):
        table = result if _peaks(result.columns) and not _peaks(result.index) else result.T
        return AnnData(table.astype(np.float64))
    msg = f"{path} holds no counts but {type(result).__name__}; sk.r.read(path) returns it"
    raise FormatError(msg)
