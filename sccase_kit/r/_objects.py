"""SummarizedExperiment, SingleCellExperiment, Seurat and cisTopic objects → AnnData."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from ._from_r import from_value, note_names, plain
from ._note import KEY, key_of, read_note, restore_frame, restore_matrix, restore_pairs
from ._s4 import (
    UnreadMatrixError,
    class_of,
    dataframe_from,
    is_cistopic,
    is_experiment,
    is_seurat,
    matrix_from,
    range_names,
    ranges_from,
)
from ._values import NULL, RValue

_OWN = {"sccase_kit"}


def anndata_from(
    value: RValue, lost: list[str], *, x_name: str | None = None, alt_exp: str | None = None, assay: str | None = None
) -> AnnData:
    """Build the AnnData of an R object; see :func:`~sccase_kit.r.from_r`.

    Raises
    ------
    KeyError
        If there is no assay `x_name`, no alternative experiment `alt_exp` or no assay `assay` of a Seurat object.
    """
    if is_seurat(value):
        from ._seurat import seurat_from

        return seurat_from(value, lost, assay=assay, x_name=x_name)
    if is_cistopic(value):
        from ._seurat import cistopic_from

        return cistopic_from(value, lost)
    return experiment_from(value, lost, x_name=x_name, alt_exp=alt_exp)


def cells_by_peaks(matrix: RValue) -> Any:
    """Return an assay as cells × peaks: CSR on R's own arrays, or a C-ordered ndarray."""
    values = matrix_from(matrix)
    return sparse.csr_matrix(values.T) if sparse.issparse(values) else np.ascontiguousarray(values.T)


def assays_of(value: RValue) -> list[tuple[str, RValue]]:
    """Return the assays of a SummarizedExperiment of any age; unnamed ones are called by their number."""
    holder = value.slot("assays")
    for name in ("data", ".xData"):
        if holder.kind == "S4" and name in holder.attributes:
            holder = holder.slot(name)
    if holder.kind in ("list", "opaque") and holder.get("data").kind != "NULL":  # a reference class of old releases
        holder = holder.get("data")
    if holder.kind == "S4":
        holder = holder.slot("listData")
    return [(name or f"assay{k}", item) for k, (name, item) in enumerate(holder.items(), start=1)]


def experiment_from(
    value: RValue, lost: list[str], *, x_name: str | None = None, alt_exp: str | None = None
) -> AnnData:
    """Build the AnnData of a SummarizedExperiment or SingleCellExperiment."""
    alternatives = _alternatives(value)
    note = read_note(_note_text(value))
    raw = alternatives.pop("raw", None) if "raw" in note else None
    if alt_exp is not None:
        if alt_exp not in alternatives:
            msg = f"alt_exp={alt_exp!r} is not an alternative experiment; available: {list(alternatives)}"
            raise KeyError(msg)
        chosen = experiment_from(alternatives[alt_exp], lost, x_name=x_name)
        main = dataframe_from(value.slot("colData"), lost)
        for name in main.columns:
            if name not in chosen.obs:
                chosen.obs[name] = main[name].array
        return chosen
    if alternatives:
        lost.append(
            f"the alternative experiments {list(alternatives)} (alt_exp={next(iter(alternatives))!r} takes one)"
        )
    matrices = {}
    for name, item in assays_of(value):
        try:
            matrices[name] = cells_by_peaks(item)
        except UnreadMatrixError as err:
            lost.append(f"the assay {name!r} ({err})")
    if not matrices and value.slot("assays").kind != "NULL":
        lost.append("the assays (none of them could be read)")
    first = _first(matrices, x_name, note)
    obs = dataframe_from(value.slot("colData"), lost)
    var, ranges = _rows(value, lost)
    n_obs, n_vars = len(obs), len(var)
    obs = _with_names(obs, value.slot("colData").slot("rownames"), n_obs)
    if ranges is not None:
        var = pd.concat([ranges, var.drop(columns=[c for c in ranges if c in var.columns])], axis=1)
    for name in [name for name, matrix in matrices.items() if matrix.ndim > 2]:
        lost.append(f"the assay {name!r} ({matrices.pop(name).ndim} dimensions)")
        first = next(iter(matrices), None) if name == first else first
    x = matrices.pop(first, None) if first is not None else None
    notes = note.get("matrices", {})
    adata = AnnData(
        X=restore_matrix(x, notes.get(first)),
        obs=restore_frame(obs, note.get("obs")),
        var=restore_frame(var, note.get("var")),
        layers={
            key_of(note, "layers", name): restore_matrix(matrix, notes.get(name)) for name, matrix in matrices.items()
        },
        shape=(n_obs, n_vars) if x is None else None,
    )
    _add_metadata(adata, value, lost)
    _note_hidden(value, lost)
    _add_single_cell(adata, value, note, lost)
    if raw is not None:
        _add_raw(adata, raw, note["raw"], lost)
    return adata


def _first(matrices: dict[str, Any], x_name: str | None, note: dict[str, Any]) -> str | None:
    if x_name is not None and x_name not in matrices:
        msg = f"x_name={x_name!r} is not an assay; available: {list(matrices)}"
        raise KeyError(msg)
    if x_name is not None:
        return x_name
    if note and note.get("x") is None and set(matrices) <= set(note["matrices"]):
        return None
    wanted = (note.get("x"), "counts")
    return next((name for name in wanted if name in matrices), next(iter(matrices), None))


def _with_names(frame: pd.DataFrame, names: RValue, count: int) -> pd.DataFrame:
    """Index a frame by its R names, or by "0", "1", … where R has none."""
    texts = [str(item) for item in names.data] if names.kind == "character" else [str(k) for k in range(count)]
    frame = frame.copy()
    frame.index = pd.Index(texts, dtype=object)
    return frame


def _rows(value: RValue, lost: list[str]) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Return rowData and the ranges (chrom, start, end, strand where there is one) of an experiment."""
    where = value.slot("rowRanges")
    if where.kind == "NULL":
        names = value.slot("NAMES")
        frame = dataframe_from(value.slot("elementMetadata"), lost)
        return _with_names(frame, names, len(frame)), None
    columns = dataframe_from(where.slot("elementMetadata"), lost)
    if "unlistData" in where.attributes:
        names = where.slot("partitioning").slot("NAMES")
        if len(where.slot("unlistData").slot("ranges").slot("start")):
            lost.append("rowRanges (a list of several ranges per row)")
        return _with_names(columns, names, len(columns)), None
    ranges = ranges_from(where)
    found = range_names(where)
    if found is None and len(ranges):  # chromVAR's: a name that can be read again
        places = zip(ranges["chrom"], ranges["start"], ranges["end"], strict=True)
        found = [f"{chrom}:{start}-{end}" for chrom, start, end in places]
    columns = _with_names(columns, NULL if found is None else RValue("character", found), len(ranges))
    ranges.index = columns.index
    if (ranges["strand"] == "*").all():
        ranges = ranges.drop(columns="strand")
    _note_genome(where.slot("seqinfo"), lost)
    return columns, ranges


def _note_genome(seqinfo: RValue, lost: list[str]) -> None:
    """Say that lengths of chromosomes, circular ones and the genome's name are left out, where they are known."""
    known = []
    lengths = seqinfo.slot("seqlengths")
    if lengths.kind == "integer" and not np.isnan(np.asarray(plain(lengths), dtype=np.float64)).all():
        known.append("lengths of chromosomes")
    circular = seqinfo.slot("is_circular")
    if circular.kind == "logical" and (circular.data == 1).any():
        known.append("which are circular")
    genome = seqinfo.slot("genome")
    names = sorted({item for item in genome.data if item}) if genome.kind == "character" else []
    if names:
        known.append(f"genome {', '.join(names)}")
    if known:
        lost.append(f"seqinfo(x) ({'; '.join(known)})")


def _note_hidden(value: RValue, lost: list[str]) -> None:
    """Name what is said about columns and rows, which has no place in AnnData."""
    where = value.slot("rowRanges")
    tables = {"colData(x)": value.slot("colData"), "rowData(x)": value.slot("elementMetadata")}
    if where.kind == "S4":
        tables |= {"rowRanges(x)": where, "rowData(x)": where.slot("elementMetadata")}
    for name, table in tables.items():
        if table.slot("metadata").kind == "list" and len(table.slot("metadata")):
            lost.append(f"metadata({name}) {[key for key, _ in table.slot('metadata').items()]}")
        if name != "rowRanges(x)" and table.slot("elementMetadata").kind == "S4":
            lost.append(f"mcols({name})")
    main = value.slot("int_metadata").get("mainExpName")
    if main.kind == "character" and len(main):
        lost.append(f"mainExpName(x), {main.data[0]!r}")


def _note_text(value: RValue) -> Any:
    own = value.slot("metadata").get(KEY)
    return own.data[0] if own.kind == "character" and len(own) else None


def _add_metadata(adata: AnnData, value: RValue, lost: list[str]) -> None:
    """Put metadata(x) into uns, as far as it is data."""
    for name, item in value.slot("metadata").items():
        if name in _OWN:
            continue
        inner: list[str] = []
        converted = from_value(item, inner) if item.kind != "opaque" else None
        note_names(item, inner)
        usable = isinstance(converted, (np.ndarray, pd.DataFrame, dict, pd.Categorical, AnnData)) or sparse.issparse(
            converted
        )
        if not name or not usable or isinstance(converted, AnnData):
            lost.append(f"metadata(x)[[{name!r}]]")
            continue
        adata.uns[name] = np.asarray(converted, dtype=object) if isinstance(converted, pd.Categorical) else converted
        lost.extend(f"of metadata(x)[[{name!r}]]: {sentence}" for sentence in inner)


def _hidden(value: RValue, slot: str, name: str) -> list[tuple[str, RValue]]:
    """Return a list that a SingleCellExperiment keeps in its internal columns."""
    return value.slot(slot).slot("listData").get(name).slot("listData").items()


def _alternatives(value: RValue) -> dict[str, RValue]:
    return {name: item.slot("se") for name, item in _hidden(value, "int_colData", "altExps")}


def _add_single_cell(adata: AnnData, value: RValue, note: dict[str, Any], lost: list[str]) -> None:
    """Add reducedDims, colPairs and rowPairs."""
    notes = note.get("obsm", {})
    for name, item in _hidden(value, "int_colData", "reducedDims"):
        found = reduction_from(item, adata.obs_names, lost, what=f"reducedDim(x, {name!r})")
        if found is None:
            continue
        wanted, key = notes.get(name), key_of(note, "obsm", name)
        if isinstance(found, pd.DataFrame):
            adata.obsm[key] = restore_frame(found, wanted if isinstance(wanted, dict) else None)
        else:
            adata.obsm[key] = restore_matrix(found, wanted if isinstance(wanted, list) else None)
    for slot, inner, target in (("int_colData", "colPairs", "obsp"), ("int_elementMetadata", "rowPairs", "varp")):
        for name, item in _hidden(value, slot, inner):
            key = key_of(note, target, name)
            pairs = _pairs_from(
                item, adata.n_obs if target == "obsp" else adata.n_vars, lost, f"{inner[:-1]}(x, {name!r})"
            )
            getattr(adata, target)[key] = restore_pairs(pairs, note.get("pairs", {}).get(target, {}).get(key))


def reduction_from(item: RValue, names: Any, lost: list[str], *, what: str) -> Any:
    """Return a reduced dimension: a DataFrame where its columns have names that mean something, else an array."""
    if item.kind == "S4" and "listData" in item.attributes:
        frame = dataframe_from(item, lost)
        frame.index = names
        return frame
    if "data.frame" in item.classes:
        frame = from_value(item, lost)
        frame.index = names
        return frame
    if item.kind == "S4" and {"sampleFactors", "featureLoadings"} <= set(item.attributes):  # LinearEmbeddingMatrix
        lost.append(f"the loadings of {what}")
        item = item.slot("sampleFactors")
    try:
        matrix = matrix_from(item)
    except (TypeError, AttributeError) as err:
        lost.append(f"{what} ({err})")
        return None
    if item.kind != "S4" and (more := [name for name in item.attributes if name not in ("dim", "dimnames", "class")]):
        lost.append(f"of {what}: the attributes {more}")
    dimnames = item.slot("Dimnames" if item.kind == "S4" else "dimnames")
    columns = dimnames.data[1] if dimnames.kind == "list" and len(dimnames) == 2 else NULL
    if columns.kind != "character" or sparse.issparse(matrix) or _numbered(columns.data):
        return sparse.csr_matrix(matrix) if sparse.issparse(matrix) else np.ascontiguousarray(matrix)
    return pd.DataFrame(matrix, index=names, columns=pd.Index(columns.data, dtype=object))


def _numbered(names: list[str]) -> bool:
    """Return whether names say no more than the position, as PC1, PC2 and so on do."""
    stems = {name.rstrip("0123456789") for name in names}
    return len(stems) <= 1 and all(name[len(next(iter(stems))) :] == str(k) for k, name in enumerate(names, start=1))


def _pairs_from(item: RValue, count: int, lost: list[str], what: str) -> sparse.csr_matrix:
    hits = item.slot("hits") if "hits" in item.attributes else item
    rows, cols = (hits.slot(name).data - 1 for name in ("from", "to"))
    values = hits.slot("elementMetadata").slot("listData").items()
    if len(values) > 1:
        lost.append(f"of {what}: {[name for name, _ in values[1:]]}")
    data = plain(values[0][1]) if values else np.ones(len(rows))
    return sparse.csr_matrix((data, (rows, cols)), shape=(count, count))


def _add_raw(adata: AnnData, raw: RValue, note: dict[str, Any], lost: list[str]) -> None:
    inner = experiment_from(raw, lost)
    adata.raw = AnnData(
        X=restore_matrix(inner.X, note["x"]), var=restore_frame(inner.var, note["var"]), obs=adata.obs[[]].copy()
    )


__all__ = ["anndata_from", "class_of", "experiment_from", "is_experiment", "reduction_from"]
