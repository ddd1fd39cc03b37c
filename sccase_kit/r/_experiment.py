"""AnnData ↔ SummarizedExperiment and SingleCellExperiment."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from sccase_kit._logging import warn
from sccase_kit._validate import check_adata, check_choice
from sccase_kit.matrix.access import as_csr

from ._from_r import frame_from, from_sexp, matrix_from, named
from ._session import call_r, door, exclusive
from ._to_r import columns_to_sexp, to_sexp, transposed_to_sexp

_RANGES = ("chrom", "start", "end")

Kind = Literal["SummarizedExperiment", "SingleCellExperiment"]


def to_r(adata: AnnData, *, kind: Kind = "SummarizedExperiment", x_name: str = "counts") -> Any:
    """Return an AnnData as a SummarizedExperiment (peaks × cells) in R.

    ``X`` and the layers become assays: a CSR matrix of cells × peaks hands R its three arrays as they are. ``obs``
    becomes colData, ``var`` rowData; where ``var`` has chrom, start and end they become rowRanges (1-based, as R
    counts).

    Parameters
    ----------
    adata
        Cells × peaks, in memory.
    kind
        ``"SingleCellExperiment"`` also takes ``obsm`` along, as reducedDims.
    x_name
        Name of the assay that holds ``X``.

    Returns
    -------
    rpy2.robjects.methods.RS4
        The R object; pass it to :func:`~sccase_kit.r.evaluate` or to rpy2.

    Raises
    ------
    ImportError
        If R or rpy2 is missing or they do not fit together.
    OverflowError
        If a matrix is too large for R's 32-bit indices.
    RError
        If the R package is missing.
    ValueError
        If a layer has the name of the assay of ``X``.
    """
    check_adata(adata)
    with exclusive():
        import rpy2.robjects as ro

        return ro.default_converter.rpy2py(anndata_to_sexp(adata, kind=kind, x_name=x_name))


def from_r(value: Any, *, x_name: str | None = None) -> Any:
    """Return an R object as Python; a SummarizedExperiment becomes an AnnData (cells × peaks).

    Assays become ``X`` and layers, colData ``obs``, rowData ``var``, rowRanges chrom, start and end (0-based,
    half-open; strand where there is one), reducedDims ``obsm``. Sparse assays come as CSR on the arrays of R's
    dgCMatrix.

    Parameters
    ----------
    value
        An R object, e.g. what :func:`to_r`, :func:`~sccase_kit.r.evaluate` or rpy2 returned.
    x_name
        Assay that becomes ``X``: by default "counts" if there is one, else the first.

    Returns
    -------
    AnnData or other
        AnnData for experiments; arrays, DataFrames, sparse matrices, … for other R objects.

    Raises
    ------
    ImportError
        If R or rpy2 is missing or they do not fit together.
    KeyError
        If there is no assay `x_name`.
    """
    with exclusive() as here:
        if not hasattr(value, "__sexp__"):
            return value
        if value.typeof.name == "S4SXP" and "SummarizedExperiment" in set(here.helper("classes")(value)):
            return sexp_to_anndata(value, x_name=x_name)
        return from_sexp(value)


def _assay(matrix: Any, name: str) -> Any:
    """Convert cells × peaks to an R matrix peaks × cells."""
    if sparse.issparse(matrix):
        return transposed_to_sexp(as_csr(matrix), name=name)
    if not isinstance(matrix, np.ndarray):
        msg = f"{name} must be in memory to be passed to R (ndarray or scipy sparse), got {type(matrix).__name__}"
        raise TypeError(msg)
    return to_sexp(np.asarray(matrix).T, name=name)


def anndata_to_sexp(adata: AnnData, *, kind: str = "SummarizedExperiment", x_name: str = "counts") -> Any:
    """Build the R object; see :func:`to_r`. Call it inside ``exclusive()``."""
    check_choice(kind, ["SummarizedExperiment", "SingleCellExperiment"], name="kind")
    layers = {name: matrix for name, matrix in adata.layers.items() if name is not None}
    if x_name in layers and adata.X is not None:
        msg = f"x_name={x_name!r} is also a layer; choose another name for X, layers are {list(layers)}"
        raise ValueError(msg)
    left_out = [name for name in ("obsm", "varm", "obsp", "varp", "uns") if len(getattr(adata, name))]
    if kind == "SingleCellExperiment":
        left_out = [name for name in left_out if name != "obsm"]
    if left_out:
        hint = " (kind='SingleCellExperiment' takes obsm along)" if "obsm" in left_out else ""
        warn(f"adata.{', adata.'.join(left_out)} are not passed to R{hint}")
    here = door()
    ri = here.rinterface
    matrices = ({} if adata.X is None else {x_name: adata.X}) | layers
    assays = ri.ListSexpVector([_assay(matrix, f"assay {name!r}") for name, matrix in matrices.items()])
    assays.names = ri.StrSexpVector(list(matrices))
    var, ranges = adata.var, ri.NULL
    if set(_RANGES) <= set(var.columns):
        ranges = to_sexp(
            {
                "chrom": var["chrom"].astype(str).to_numpy(dtype=object),
                "start": var["start"].to_numpy(dtype=np.int64),
                "end": var["end"].to_numpy(dtype=np.int64),
            },
            name="adata.var",
        )
        var = var.drop(columns=list(_RANGES))
    reduced = {}
    if kind == "SingleCellExperiment":
        reduced = {name: np.asarray(values) for name, values in adata.obsm.items()}
    return call_r(
        here.helper("make_experiment"),
        ri.StrSexpVector([kind]),
        assays,
        columns_to_sexp(adata.obs, name="adata.obs"),
        ri.StrSexpVector([str(item) for item in adata.obs_names]),
        columns_to_sexp(var, name="adata.var"),
        ri.StrSexpVector([str(item) for item in adata.var_names]),
        ranges,
        to_sexp(reduced, name="adata.obsm"),
    )


def sexp_to_anndata(value: Any, *, x_name: str | None = None) -> AnnData:
    """Build the AnnData; see :func:`from_r`. Call it inside ``exclusive()``."""
    here = door()
    parts = named(call_r(here.helper("experiment_parts"), value))
    n_vars, n_obs = (int(size) for size in parts["dim"])
    matrices = {}
    for name, slots in named(parts["assays"]).items():
        matrix = matrix_from(slots)
        matrices[name] = sparse.csr_matrix(matrix.T) if sparse.issparse(matrix) else np.ascontiguousarray(matrix.T)
    if x_name is not None and x_name not in matrices:
        msg = f"x_name={x_name!r} is not an assay; available: {list(matrices)}"
        raise KeyError(msg)
    first = x_name or ("counts" if "counts" in matrices else next(iter(matrices), None))
    x = matrices.pop(first, None)

    def names(key: str, count: int) -> list[str]:
        known = parts[key].typeof.name != "NILSXP"
        return list(parts[key]) if known else [str(k) for k in range(count)]

    def frame(key: str, index: list[str]) -> pd.DataFrame:
        columns = frame_from(named(parts[key]), None)
        columns = columns if len(columns.columns) else pd.DataFrame(index=range(len(index)))
        columns.index = pd.Index(index, dtype=object)
        return columns

    obs = frame("obs", names("obs_names", n_obs))
    var = frame("var", names("var_names", n_vars))
    if parts["ranges"].typeof.name != "NILSXP":
        ranges = frame_from(named(parts["ranges"]), None)
        ranges.index = var.index
        ranges = ranges.astype({"start": np.int64, "end": np.int64})
        if (ranges["strand"] == "*").all():
            ranges = ranges.drop(columns="strand")
        var = pd.concat([ranges, var.drop(columns=[c for c in ranges if c in var])], axis=1)
    obsm = {name: from_sexp(values) for name, values in named(parts["reduced"]).items()}
    return AnnData(X=x, obs=obs, var=var, layers=matrices, obsm=obsm)
