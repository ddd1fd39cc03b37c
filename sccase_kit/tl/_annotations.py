"""Annotations of peaks in whatever form they come, as one sparse matrix with names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .._labels import column_name
from .._logging import warn
from .._record import records
from .._validate import check_key
from ..intervals.peaks import require_coordinates
from ..motifs import region_annotations, variant_annotations
from ._params import sets_slot

_SHOWN = 5


def resolve_annotations(
    adata: AnnData, annotations: Any, *, names: Sequence[str] | None = None, weight: str | None = None
) -> tuple[sparse.csr_matrix, list[str]]:
    """Return annotations as CSR (n_vars × sets) and the unique names of the sets.

    Parameters
    ----------
    adata
        Data with the peaks.
    annotations
        Key of `varm`; a DataFrame by peak names; a matrix, sparse or dense; or a mapping name → regions or variants.
    names
        Names of the columns of a matrix.
    weight
        For a mapping: column of weights in the tables, which makes their rows variants.

    Raises
    ------
    KeyError
        If the key, peaks of the DataFrame or weights are missing.
    TypeError
        If annotations are none of these.
    ValueError
        If shapes do not fit, names repeat, or no peak is in any set.
    """
    if weight is not None and not isinstance(annotations, Mapping):
        warn("weight is ignored: it belongs to annotations given as name → variants")
    if names is not None and (isinstance(annotations, (Mapping, pd.DataFrame)) or isinstance(annotations, str)):
        warn("names is ignored: it belongs to annotations given as a matrix")
        names = None
    if isinstance(annotations, str):
        matrix, names = _from_varm(adata, annotations)
    elif isinstance(annotations, pd.DataFrame):
        matrix, names = _from_frame(adata, annotations), list(annotations.columns)
    elif isinstance(annotations, Mapping):
        if weight is None:
            matrix, names = region_annotations(require_coordinates(adata), annotations)
        else:
            matrix, names = variant_annotations(require_coordinates(adata), annotations, weight=weight)
    elif sparse.issparse(annotations) or isinstance(annotations, np.ndarray):
        matrix = annotations
    else:
        msg = "annotations must be a key of adata.varm, a DataFrame, a matrix (peaks × sets) or a mapping name → "
        msg += f"regions, got {type(annotations).__name__}"
        raise TypeError(msg)
    if matrix.ndim != 2 or matrix.shape[0] != adata.n_vars or matrix.shape[1] == 0:
        msg = f"annotations must have one row per peak ({adata.n_vars}) and at least one set, got {matrix.shape}"
        raise ValueError(msg)
    return _checked(matrix, names)


def _checked(matrix: Any, names: Sequence[Any] | None) -> tuple[sparse.csr_matrix, list[str]]:
    labels = [str(k) for k in range(matrix.shape[1])] if names is None else [column_name(n) for n in names]
    if len(labels) != matrix.shape[1]:
        msg = f"names must have one entry per set ({matrix.shape[1]}), got {len(labels)}"
        raise ValueError(msg)
    if len(set(labels)) < len(labels):
        twice = sorted({label for label in labels if labels.count(label) > 1})
        msg = f"names of the sets must be unique, {twice[:_SHOWN]} appear(s) more than once"
        raise ValueError(msg)
    kind = matrix.dtype.kind
    if kind not in "biuf":
        msg = f"annotations must be boolean or numeric, got dtype {matrix.dtype}"
        raise TypeError(msg)
    result = sparse.csr_matrix(matrix, dtype=bool if kind == "b" else np.float64, copy=True)
    result.eliminate_zeros()
    if result.nnz == 0:
        msg = f"annotations: no peak is in any of the {len(labels)} set(s); check that names and genome are the same"
        raise ValueError(msg)
    empty = np.flatnonzero(np.diff(result.tocsc().indptr) == 0)
    if empty.size:
        shown = [labels[k] for k in empty[:_SHOWN]]
        warn(f"{empty.size} set(s) without any peak have no deviations (NaN), e.g. {shown}")
    return result, labels


def _from_varm(adata: AnnData, key: str) -> tuple[Any, list[str] | None]:
    hint = "Run sccase_kit.tl.match_motifs(adata, ...) first." if key == "motifs" else ""
    check_key(key, adata.varm.keys(), name="annotations", where="adata.varm", hint=hint, remedy="tl.match_motifs")
    stored = adata.varm[key]
    if isinstance(stored, pd.DataFrame):
        return _values(stored), list(stored.columns)
    return stored, _stored_names(adata, key, np.shape(stored)[-1])


def _stored_names(adata: AnnData, slot: str, n_sets: int) -> list[str] | None:
    """Return the names of the sets in a slot of `varm`: of its own entry of `uns`, or of a run that used it."""
    own = adata.uns.get(slot)
    if isinstance(own, Mapping) and "names" in own:
        return list(own["names"])
    for key, found in records(adata.uns).items():
        if found.function == "tl.chromvar" and sets_slot(key, found) == slot:
            names = list(found.results["names"])
            if len(names) == n_sets:
                return names
    return None


def _from_frame(adata: AnnData, table: pd.DataFrame) -> np.ndarray:
    if not table.index.is_unique:
        msg = f"annotations: the index (peak names) repeats, e.g. {table.index[table.index.duplicated()][0]!r}"
        raise ValueError(msg)
    found = table.index.get_indexer(adata.var_names)
    if (found < 0).any():
        missing = adata.var_names[found < 0]
        msg = f"annotations: {len(missing)} of {adata.n_vars} peaks are not in the index, e.g. {list(missing[:_SHOWN])}"
        raise KeyError(msg)
    return _values(table)[found]


def _values(table: pd.DataFrame) -> np.ndarray:
    """Return a DataFrame as booleans if all columns are, else as numbers."""
    if all(pd.api.types.is_bool_dtype(dtype) for dtype in table.dtypes):
        return table.to_numpy(dtype=bool)
    text = [str(name) for name, dtype in table.dtypes.items() if not pd.api.types.is_numeric_dtype(dtype)]
    if text:
        msg = f"annotations must be boolean or numeric, column(s) {text[:_SHOWN]} are not"
        raise TypeError(msg)
    return table.to_numpy(dtype=np.float64)
