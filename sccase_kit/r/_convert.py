"""An rpy2 ``Converter`` with this package's conversions, for code that uses rpy2 itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from ._from_r import from_sexp
from ._session import door
from ._to_r import to_sexp


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
    door()
    import rpy2.robjects as ro

    rules = ro.conversion.Converter("sccase_kit", template=ro.default_converter)
    tables = (AnnData, pd.DataFrame, pd.Series, pd.Index, pd.api.extensions.ExtensionArray)
    arrays = (np.ndarray, np.generic, sparse.spmatrix, sparse.sparray)
    for cls in (*tables, *arrays, list, tuple, dict, type(None)):
        rules.py2rpy.register(cls, to_sexp)
    ri = door().rinterface
    vectors = (ri.IntSexpVector, ri.FloatSexpVector, ri.BoolSexpVector, ri.StrSexpVector, ri.ComplexSexpVector)
    for cls in (*vectors, ri.ListSexpVector, ri.SexpS4):  # rpy2 itself needs NULL as it is
        rules.rpy2py.register(cls, _high_level)
        rules.rpy2py_nc_map.pop(cls, None)
    return rules


def _high_level(value: Any) -> Any:
    """Convert to Python, or to rpy2's usual object where there is no Python counterpart."""
    import rpy2.robjects as ro

    converted = from_sexp(value)
    return ro.default_converter.rpy2py(converted) if converted is value else converted
