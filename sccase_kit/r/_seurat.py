"""Seurat objects (v3 to v5, with Assay, Assay5 and Signac's ChromatinAssay) and cisTopic objects → AnnData."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from ._from_r import from_value, plain, row_names
from ._note import read_note, restore_matrix
from ._s4 import is_matrix, matrix_from, ranges_from
from ._values import NULL, RValue

FRAGMENTS = "fragments"
_SPLIT = re.compile(r"\..*$")


def seurat_from(value: RValue, lost: list[str], *, assay: str | None = None, x_name: str | None = None) -> AnnData:
    """Build the AnnData of one assay of a Seurat object.

    Counts become ``X``, other layers layers, meta.data ``obs``, the features' table and Signac's ranges ``var``,
    reductions ``obsm["X_<name>"]`` and ``varm["<name>_loadings"]``, graphs ``obsp``, Signac's fragment files
    ``uns["fragments"]``.

    Raises
    ------
    KeyError
        If there is no such assay or layer.
    """
    assays = dict(value.slot("assays").items())
    name = _chosen(value, assays, assay)
    if others := [other for other in assays if other != name]:
        lost.append(f"the assays {others} (assay={others[0]!r} takes one)")
    chosen = assays[name]
    features, cells, layers = (_layers5 if "layers" in chosen.attributes else _layers3)(chosen, lost)
    if x_name is not None and x_name not in layers:
        msg = f"x_name={x_name!r} is not a layer of the assay {name!r}; available: {list(layers)}"
        raise KeyError(msg)
    first = x_name or next((key for key in ("counts", "data") if key in layers), next(iter(layers), None))
    note = read_note(_note(value))
    x = layers.pop(first, None) if first is not None else None
    data = layers.get("data")
    if data is not None and x is not None and x.shape == data.shape and (abs(x - data) > 0).sum() == 0:
        del layers["data"]  # Seurat fills it with the counts
    table = from_value(value.slot("meta.data"), lost)
    obs = table.set_axis(pd.Index(row_names(value.slot("meta.data")), dtype=object)).reindex(cells)
    adata = AnnData(
        X=restore_matrix(x, note.get("matrices", {}).get(note.get("x"))),
        obs=obs,
        var=_features(chosen, features, lost),
        layers=layers,
        shape=(len(cells), len(features)) if x is None else None,
    )
    adata.uns["seurat_assay"] = name
    _add_idents(adata, value)
    _add_reductions(adata, value, name, lost)
    _add_graphs(adata, value, lost)
    _add_fragments(adata, chosen, lost)
    for slot in ("neighbors", "images", "tools", "misc"):
        if names := [key for key, item in value.slot(slot).items() if item.kind != "NULL" and key != "sccase_kit"]:
            lost.append(f"{slot} {names}")
    return adata


def _note(value: RValue) -> Any:
    own = value.slot("misc").get("sccase_kit")
    return own.data[0] if own.kind == "character" and len(own) else None


def _chosen(value: RValue, assays: dict[str, RValue], assay: str | None) -> str:
    if assay is not None:
        if assay not in assays:
            msg = f"assay={assay!r} is not an assay of the Seurat object; available: {list(assays)}"
            raise KeyError(msg)
        return assay
    active = next(iter(value.slot("active.assay").data), next(iter(assays)))
    peaks = [name for name, item in assays.items() if "ranges" in item.attributes]
    return active if active in peaks or not peaks else peaks[0]


def _names(matrix: RValue, side: int) -> list[str]:
    dimnames = matrix.slot("Dimnames" if matrix.kind == "S4" else "dimnames")
    names = dimnames.data[side] if dimnames.kind == "list" and len(dimnames) == 2 else NULL
    return [str(item) for item in names.data] if names.kind == "character" else []


def _transposed(matrix: Any) -> Any:
    return sparse.csr_matrix(matrix.T) if sparse.issparse(matrix) else np.ascontiguousarray(matrix.T)


def _layers3(chosen: RValue, lost: list[str]) -> tuple[list[str], list[str], dict[str, Any]]:
    """Return features, cells and layers of an Assay (Seurat 3 and 4, Signac)."""
    slots = {key: chosen.slot(key) for key in ("counts", "data", "scale.data")}
    whole = next((item for item in (slots["data"], slots["counts"]) if min(_shape(item)) > 0), slots["counts"])
    features, cells = _names(whole, 0), _names(whole, 1)
    layers = {}
    for key, item in slots.items():
        if 0 in _shape(item) or item.kind == "NULL":
            continue
        if _shape(item) == (len(features), len(cells)):
            layers[key] = _transposed(matrix_from(item))
        else:
            lost.append(f"{key} ({_shape(item)[0]} of {len(features)} features)")
    return features, cells, layers


def _shape(item: RValue) -> tuple[int, int]:
    dim = item.slot("Dim" if item.kind == "S4" else "dim")
    return (int(dim.data[0]), int(dim.data[1])) if len(dim) == 2 else (0, 0)


def _layers5(chosen: RValue, lost: list[str]) -> tuple[list[str], list[str], dict[str, Any]]:
    """Return features, cells and layers of an Assay5; layers split by sample (counts.1, counts.2) are joined."""
    features, cells = _names(chosen.slot("features"), 0), _names(chosen.slot("cells"), 0)
    pieces: dict[str, list[tuple[np.ndarray, np.ndarray, Any]]] = {}
    for key, item in chosen.slot("layers").items():
        rows, cols = (np.flatnonzero(_map(chosen.slot(slot), key)) for slot in ("features", "cells"))
        whole = len(rows) == len(features) and len(cols) == len(cells)
        if not is_matrix(item):
            lost.append(f"the layer {key!r} (class {'/'.join(item.classes)}; needs R to read it)")
            continue
        stem = key if whole else _SPLIT.sub("", key)
        if not whole and key == "scale.data":
            lost.append(f"{key} ({len(rows)} of {len(features)} features)")
            continue
        pieces.setdefault(stem, []).append((rows, cols, matrix_from(item)))
    return features, cells, {stem: _joined(parts, len(cells), len(features)) for stem, parts in pieces.items()}


def _map(logmap: RValue, layer: str) -> np.ndarray:
    """Return one column of a LogMap: which names the layer has."""
    where = _names(logmap, 1).index(layer)
    return logmap.data.reshape(_shape(logmap), order="F")[:, where] == 1


def _joined(parts: list[tuple[np.ndarray, np.ndarray, Any]], n_cells: int, n_features: int) -> Any:
    if len(parts) == 1 and parts[0][2].shape == (n_features, n_cells):
        return _transposed(parts[0][2])
    rows, cols, data = [], [], []
    for features, cells, matrix in parts:
        coo = sparse.coo_matrix(matrix)
        rows.append(cells[coo.col])
        cols.append(features[coo.row])
        data.append(coo.data)
    where = (np.concatenate(rows), np.concatenate(cols))
    return sparse.csr_matrix((np.concatenate(data), where), shape=(n_cells, n_features))


def _features(chosen: RValue, features: list[str], lost: list[str]) -> pd.DataFrame:
    index = pd.Index(features, dtype=object)
    table = chosen.slot("meta.features" if "meta.features" in chosen.attributes else "meta.data")
    var = from_value(table, lost) if table.kind == "list" else pd.DataFrame(index=range(len(index)))
    var = var.set_axis(index) if len(var) == len(index) else pd.DataFrame(index=index)
    ranges = chosen.slot("ranges")
    if ranges.kind == "S4":
        where = ranges_from(ranges).set_axis(index)
        where = where.drop(columns="strand") if (where["strand"] == "*").all() else where
        var = pd.concat([where, var.drop(columns=[c for c in where if c in var.columns])], axis=1)
    variable = chosen.slot("var.features")
    if variable.kind == "character" and len(variable) and "highly_variable" not in var:
        var["highly_variable"] = index.isin(variable.data)
    return var


def _add_idents(adata: AnnData, value: RValue) -> None:
    idents = value.slot("active.ident")
    if "factor" in idents.classes and "active_ident" not in adata.obs:
        found = pd.Series(from_value(idents, []), index=idents.text("names")).reindex(adata.obs_names)
        if found.nunique() > 1:
            adata.obs["active_ident"] = found


def _add_reductions(adata: AnnData, value: RValue, assay: str, lost: list[str]) -> None:
    for name, item in value.slot("reductions").items():
        embedding = item.slot("cell.embeddings")
        if _shape(embedding)[0] == 0:
            continue
        where = pd.Index(_names(embedding, 0)).get_indexer(adata.obs_names)
        full = matrix_from(embedding)[where]
        if (where < 0).any():
            full = np.where((where < 0)[:, None], np.nan, full)
        adata.obsm[f"X_{name}"] = full
        loadings = item.slot("feature.loadings")
        if min(_shape(loadings)) > 0 and item.text("assay.used") == [assay]:
            position = pd.Index(_names(loadings, 0)).get_indexer(adata.var_names)
            values = np.where((position < 0)[:, None], np.nan, matrix_from(loadings)[position])
            adata.varm[f"{name}_loadings"] = values
        if len(item.slot("stdev")):
            adata.uns[name] = {"stdev": plain(item.slot("stdev"))}


def _add_graphs(adata: AnnData, value: RValue, lost: list[str]) -> None:
    for name, item in value.slot("graphs").items():
        if _names(item, 0) == list(adata.obs_names):
            adata.obsp[name] = sparse.csr_matrix(matrix_from(item))
        else:
            lost.append(f"the graph {name!r} (of other cells)")


def _add_fragments(adata: AnnData, chosen: RValue, lost: list[str]) -> None:
    if "fragments" not in chosen.attributes:
        return
    files = [path for item in chosen.slot("fragments").data or [] for path in item.text("path")]
    if files:
        adata.uns[FRAGMENTS] = np.array(files, dtype=object)
    if chosen.slot("annotation").kind == "S4":
        lost.append("Annotation(x), the genes")
    if chosen.slot("motifs").kind == "S4":
        lost.append("Motifs(x)")


def cistopic_from(value: RValue, lost: list[str]) -> AnnData:
    """Build the AnnData of a cisTopic object: counts, cells, regions and the topics of the selected model."""
    counts = value.slot("count.matrix")
    if min(_shape(counts)) == 0:
        counts = value.slot("binary.count.matrix")
    cells = value.slot("cell.names").data or _names(counts, 1)
    regions = value.slot("region.names").data or _names(counts, 0)
    obs, var = (from_value(value.slot(slot), lost) for slot in ("cell.data", "region.data"))
    obs, var = obs.set_axis(pd.Index(cells, dtype=object)), var.set_axis(pd.Index(regions, dtype=object))
    adata = AnnData(X=_transposed(matrix_from(counts)), obs=obs, var=_places(var, value.slot("region.ranges")))
    model = value.slot("selected.model")
    topics = model.get("document_expects")
    if topics.kind != "NULL":
        adata.obsm["X_cistopic"] = np.ascontiguousarray(matrix_from(topics).T)
    regions_by_topic = model.get("topics")
    if regions_by_topic.kind != "NULL" and _shape(regions_by_topic)[1] == adata.n_vars:
        adata.varm["cistopic_topics"] = np.ascontiguousarray(matrix_from(regions_by_topic).T)
    return adata


def _places(var: pd.DataFrame, where: RValue) -> pd.DataFrame:
    """Put chrom, start and end before the other columns of region.data.

    cisTopic hands the numbers of a BED file to GRanges as they are (its own width is end − start): they are 0-based.
    """
    if where.kind == "S4":
        ranges = ranges_from(where)[["chrom", "start", "end"]].set_axis(var.index)
        ranges["start"] += 1
    elif {"seqnames", "start", "end"} <= set(var.columns):
        ranges = pd.DataFrame({"chrom": var["seqnames"].astype(str), "start": var["start"], "end": var["end"]})
        ranges = ranges.astype({"start": np.int64, "end": np.int64})
    else:
        return var
    return pd.concat(
        [ranges, var.drop(columns=["seqnames", "start", "end", "width", *ranges], errors="ignore")], axis=1
    )


__all__ = ["cistopic_from", "seurat_from"]
