"""R values of rpy2 ↔ Python: what comes back, and a ``Converter`` for code that uses rpy2 itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .._arguments import checked
from .._logging import warn
from ._from_r import from_value, summary
from ._session import exclusive, r_session


def python_of(value: Any) -> Any:
    """Convert a low-level R value to Python; say in one warning what is left out. Call it inside ``exclusive()``."""
    from ._sexp import read_sexp

    lost: list[str] = []
    converted = from_value(read_sexp(value), lost)
    if lost:
        warn(summary(lost))
    return converted


@checked()
def from_r(value: Any, *, x_name: str | None = None, alt_exp: str | None = None, assay: str | None = None) -> Any:
    """Return an R object as Python; a SummarizedExperiment or a Seurat object becomes an AnnData (cells × peaks).

    Assays become ``X`` and layers, colData ``obs``, rowData ``var``, rowRanges chrom, start and end (0-based,
    half-open; strand where there is one), reducedDims ``obsm``, colPairs ``obsp``, metadata ``uns``. Sparse assays come
    as CSR on the arrays of R's dgCMatrix. What has no place is left out and named in a warning.

    Parameters
    ----------
    value
        An R object, e.g. what :func:`to_r`, :func:`~sccase_kit.r.evaluate` or rpy2 returned.
    x_name
        Assay (of Seurat: layer) that becomes ``X``: by default what :func:`to_r` made of ``X``, else "counts" if there
        is one, else the first.
    alt_exp
        Alternative experiment of a SingleCellExperiment to return instead of the main one.
    assay
        Assay of a Seurat object; by default the one with peaks, else the active one.

    Returns
    -------
    AnnData or other
        AnnData for experiments; arrays, DataFrames, sparse matrices, … for other R objects.

    Raises
    ------
    ImportError
        If R or rpy2 is missing or they do not fit together.
    KeyError
        If there is no assay `x_name`, no alternative experiment `alt_exp` or no assay `assay`.
    """
    if not hasattr(value, "__sexp__"):
        return value
    with exclusive():
        from ._objects import anndata_from
        from ._s4 import is_cistopic, is_experiment, is_seurat
        from ._sexp import read_sexp

        read = read_sexp(value)
        if not (is_experiment(read) or is_seurat(read) or is_cistopic(read)):
            return python_of(value)
        lost: list[str] = []
        adata = anndata_from(read, lost, x_name=x_name, alt_exp=alt_exp, assay=assay)
    if lost:
        warn(summary(lost))
    return adata


def _sexp_of(value: Any) -> Any:
    from ._sexp import write_sexp
    from ._to_r import to_value

    return write_sexp(to_value(value))


def converter() -> Any:
    """Return an rpy2 ``Converter`` value with these conversions on top of rpy2's default ones.

    For code that uses rpy2 itself::

        with sk.r.converter().context():
            rpy2.robjects.globalenv["counts"] = adata.X

    Returns
    -------
    The rpy2 ``Converter``.

    Raises
    ------
    ImportError
        If R or rpy2 is missing or they do not fit together.
    """
    r_session()
    import rpy2.robjects as ro

    rules = ro.conversion.Converter("sccase_kit", template=ro.default_converter)
    tables = (AnnData, pd.DataFrame, pd.Series, pd.Index, pd.api.extensions.ExtensionArray)
    arrays = (np.ndarray, np.generic, sparse.spmatrix, sparse.sparray)
    for cls in (*tables, *arrays, list, tuple, dict, type(None)):
        rules.py2rpy.register(cls, _sexp_of)
    ri = r_session().rinterface
    vectors = (ri.IntSexpVector, ri.FloatSexpVector, ri.BoolSexpVector, ri.StrSexpVector, ri.ComplexSexpVector)
    for cls in (*vectors, ri.ListSexpVector, ri.SexpS4):  # rpy2 itself needs NULL as it is
        rules.rpy2py.register(cls, _high_level)
        rules.rpy2py_nc_map.pop(cls, None)
    return rules


def _high_level(value: Any) -> Any:
    """Convert to Python, or to rpy2's usual object where there is no Python counterpart."""
    import rpy2.robjects as ro

    converted = python_of(value)
    return ro.default_converter.rpy2py(converted) if converted is value else converted
