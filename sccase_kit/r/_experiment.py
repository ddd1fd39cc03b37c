"""AnnData → SummarizedExperiment and SingleCellExperiment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .._arguments import checked
from .._logging import warn
from .._validate import check_adata, check_choice
from ..matrix.access import as_csr
from ._limits import INT32_MAX
from ._note import changes, note_of, r_names
from ._to_r import column_value, sparse_value, strings, to_value, transposed_value
from ._values import NULL, RValue, listed, make, named, text

RANGES = ("chrom", "start", "end")
_KINDS = ("SummarizedExperiment", "SingleCellExperiment")

Kind = Literal["SummarizedExperiment", "SingleCellExperiment"]


@checked()
def to_r(adata: AnnData, *, kind: Kind = "SummarizedExperiment", x_name: str | None = None) -> Any:
    """Return an AnnData as a SummarizedExperiment (peaks × cells) in R.

    ``X`` and the layers become assays: a CSR matrix of cells × peaks hands R its three arrays as they are. ``obs``
    becomes colData, ``var`` rowData; where ``var`` has chrom, start and end they become rowRanges (1-based, as R
    counts). What has no place in R is left out and named in a warning; types that R lacks (32-bit reals, categories of
    numbers, …) are noted in ``metadata(x)$sccase_kit``, and :func:`from_r` restores them.

    Parameters
    ----------
    adata
        Cells × peaks, in memory.
    kind
        ``"SingleCellExperiment"`` also takes ``obsm`` along as reducedDims, ``obsp`` and ``varp`` as colPairs and
        rowPairs, and ``raw`` as the alternative experiment "raw".
    x_name
        Name of the assay that holds ``X``; `None`: "counts", or "X" where a layer is called so.

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
        If a layer has the name of the assay of ``X``, or names of cells or peaks hold a NUL character.
    """
    value = experiment_value(adata, kind=kind, x_name=x_name)
    from ._session import exclusive
    from ._sexp import write_sexp

    with exclusive():
        import rpy2.robjects as ro

        return ro.default_converter.rpy2py(write_sexp(value))


def experiment_value(adata: AnnData, *, kind: str = "SummarizedExperiment", x_name: str | None = None) -> RValue:
    """Make the R value of an AnnData; see :func:`to_r`."""
    check_adata(adata)
    check_choice(kind, list(_KINDS), name="kind")
    single = kind == "SingleCellExperiment"
    lost: list[str] = []
    keys = {slot: _r_keys(getattr(adata, slot)) for slot in ("layers", "obsm", "obsp", "varp")}
    layers = {name: adata.layers[key] for name, key in keys["layers"].items()}
    x_name = _x_name(x_name, layers, has_x=adata.X is not None)
    matrices = ({} if adata.X is None else {x_name: adata.X}) | layers
    converted = {name: _assay(matrix, name, lost, needed=name == x_name) for name, matrix in matrices.items()}
    assays = {name: value for name, value in converted.items() if value is not None}
    ranges, why = _ranges(adata.var)
    if why:
        lost.append(why)
    var = adata.var if ranges is NULL else adata.var.drop(columns=list(RANGES))
    obsm = _obsm({name: adata.obsm[key] for name, key in keys["obsm"].items()}, lost) if single else {}
    pairs = {slot: _pairs(getattr(adata, slot), keys[slot], slot, lost) if single else {} for slot in ("obsp", "varp")}
    raw = _raw(adata, lost) if single else NULL
    note = note_of(
        adata,
        {name: matrices[name] for name in assays},
        x_name=x_name,
        obsm={name: adata.obsm[keys["obsm"][name]] for name in obsm},
        names={slot: {name: key for name, key in found.items() if name != key} for slot, found in keys.items()},
        raw=raw is not NULL,
    )
    value = make(
        "make_experiment",
        kind=text(kind),
        assays=named(assays),
        obs=columns(adata.obs, "adata.obs", lost),
        obs_names=strings(adata.obs_names, "adata.obs_names"),
        var=columns(var, "adata.var", lost),
        var_names=strings(adata.var_names, "adata.var_names"),
        ranges=ranges,
        reduced=named(obsm),
        col_pairs=named(pairs["obsp"]),
        row_pairs=named(pairs["varp"]),
        raw=raw,
        note=text(note),
    )
    changed = [*changes(adata.obs, "adata.obs"), *changes(adata.var, "adata.var")]
    if raw is not NULL:
        changed += changes(adata.raw.var, "adata.raw.var")
    for name in obsm:
        table = adata.obsm[keys["obsm"][name]]
        changed += changes(table, f"adata.obsm[{keys['obsm'][name]!r}]") if isinstance(table, pd.DataFrame) else []
    _say(adata, lost, changed, single=single)
    return value


def _r_keys(slot: Mapping[str, Any]) -> dict[str, str]:
    """Return the names in R of what is in a slot → its keys."""
    keys = [key for key in slot if key is not None]
    return dict(zip(r_names(keys), keys, strict=True))


def _say(adata: AnnData, lost: list[str], changed: list[str], *, single: bool) -> None:
    """Name in one warning what R does not get, or gets otherwise."""
    left_out = [name for name in ("obsm", "varm", "obsp", "varp", "uns") if len(getattr(adata, name))]
    left_out += ["raw"] if adata.raw is not None else []
    taken = ("obsm", "obsp", "varp", "raw")
    if single:
        left_out = [name for name in left_out if name not in taken]
    sentences = []
    if left_out:
        hint = [name for name in left_out if name in taken]
        more = f" (kind='SingleCellExperiment' takes {', '.join(hint)} along)" if hint else ""
        sentences.append(f"adata.{', adata.'.join(left_out)} are not passed to R{more}")
    if lost:
        sentences.append(f"not passed to R: {'; '.join(lost)}")
    if changed:
        sentences.append(f"changed for R: {'; '.join(changed)}")
    if sentences:
        warn(". ".join(sentences))


def _x_name(x_name: str | None, layers: Mapping[str, Any], *, has_x: bool) -> str:
    if x_name is None:
        free = (name for name in ("counts", "X", *(f"X.{k}" for k in range(1, len(layers) + 2))) if name not in layers)
        return next(free)
    if x_name in layers and has_x:
        msg = f"x_name={x_name!r} is also a layer; choose another name for X, layers are {list(layers)}"
        raise ValueError(msg)
    return x_name


def _assay(matrix: Any, name: str, lost: list[str], *, needed: bool) -> RValue | None:
    """Convert cells × peaks to an R matrix peaks × cells; name layers that cannot be, but stop on X."""
    try:
        if sparse.issparse(matrix):
            return transposed_value(as_csr(matrix), name=f"assay {name!r}")
        if isinstance(matrix, np.ma.MaskedArray) or (isinstance(matrix, np.ndarray) and matrix.dtype.kind in "mM"):
            what = "a masked array, fill it first" if isinstance(matrix, np.ma.MaskedArray) else "times"
            msg = f"assay {name!r} holds {what}; matrices of R hold numbers, truth or text"
            raise TypeError(msg)
        if not isinstance(matrix, np.ndarray):
            found = type(matrix).__name__
            msg = f"assay {name!r} must be in memory to be passed to R (ndarray or scipy sparse), got {found}"
            raise TypeError(msg)
        return to_value(np.asarray(matrix).T, name=f"assay {name!r}")
    except (TypeError, ValueError, OverflowError) as err:
        if needed:
            raise
        lost.append(f"adata.layers[{name!r}] ({err})")
        return None


def columns(frame: pd.DataFrame, name: str, lost: list[str]) -> RValue:
    """Convert the columns of a data frame to a named list; what cannot be converted is named in `lost`."""
    names, values = [], []
    for k, (key, r_name) in enumerate(zip(frame.columns.tolist(), r_names(frame.columns), strict=True)):
        try:
            value = column_value(frame.iloc[:, k], f"{name}[{key!r}]")
            strings([r_name], f"{name}.columns")
        except (TypeError, ValueError, OverflowError) as err:
            lost.append(str(err))
            continue
        names.append(r_name)
        values.append(value)
    return listed(values, names)


def _ranges(var: pd.DataFrame) -> tuple[RValue, str]:
    """Return chrom, start and end for GRanges, or NULL and why they stay plain columns."""
    if not set(RANGES) <= set(var.columns) or not var.columns.is_unique:
        return NULL, ""
    stay = "rowRanges: chrom, start and end stay columns of rowData, because"
    if (missing := var[list(RANGES)].isna().any(axis=1)).any():
        return NULL, f"{stay} {int(missing.sum())} peak(s) have no position"
    try:
        start, end = (var[name].to_numpy(dtype=np.float64) for name in ("start", "end"))
    except (TypeError, ValueError):
        return NULL, f"{stay} start or end are not numbers"
    if (wrong := (start != np.rint(start)) | (end != np.rint(end)) | (end < start)).any():
        return NULL, f"{stay} {int(wrong.sum())} peak(s) end before they start or at no whole base"
    if len(end) and (end.max() > INT32_MAX or start.min() < -INT32_MAX):
        return NULL, f"{stay} {int((end > INT32_MAX).sum())} peak(s) end beyond 2**31 - 1, R's last position"
    chrom = var["chrom"].astype(str).to_numpy(dtype=object)
    values = {"chrom": chrom, "start": start.astype(np.int64), "end": end.astype(np.int64)}
    return to_value(values, name="adata.var"), ""


def _obsm(obsm: Mapping[str, Any], lost: list[str]) -> dict[str, RValue]:
    found = {}
    for key, value in obsm.items():
        name = f"adata.obsm[{key!r}]"
        try:
            if isinstance(value, pd.DataFrame):
                found[key] = make("make_frame", columns=columns(value, name, lost), nrow=to_value(len(value)))
            elif sparse.issparse(value):
                found[key] = sparse_value(value, name)
            elif isinstance(value, np.ma.MaskedArray) or getattr(getattr(value, "dtype", None), "kind", "") in (
                "m",
                "M",
            ):
                lost.append(f"{name} ({'masked' if isinstance(value, np.ma.MaskedArray) else 'times'})")
            elif getattr(value, "ndim", 2) == 2:
                found[key] = to_value(np.asarray(value), name=name)
            else:
                lost.append(f"{name} ({value.ndim} dimensions)")
        except (TypeError, ValueError, OverflowError) as err:
            lost.append(str(err))
    return found


def _pairs(pairs: Mapping[str, Any], keys: Mapping[str, str], slot: str, lost: list[str]) -> dict[str, RValue]:
    found = {}
    for name, key in keys.items():
        try:
            found[name] = sparse_value(sparse.csc_matrix(pairs[key]), f"adata.{slot}[{key!r}]")
        except (TypeError, ValueError, OverflowError) as err:
            lost.append(str(err))
    return found


def _raw(adata: AnnData, lost: list[str]) -> RValue:
    if adata.raw is None:
        return NULL
    assay = _assay(adata.raw.X, "raw", lost, needed=False)
    if assay is None:
        return NULL
    if len(adata.raw.varm):
        lost.append(f"adata.raw.varm {list(adata.raw.varm)}")
    raw_var = adata.raw.var
    return listed(
        [assay, columns(raw_var, "adata.raw.var", lost), strings(adata.raw.var_names, "adata.raw.var_names")],
        ["assay", "var", "var_names"],
    )
