"""MuData (.h5mu, .zarr): one modality as AnnData, with what the object holds of all modalities together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .._left_out import say_left_out
from .._logging import warn
from ..intervals.features import choose_peaks
from ..intervals.names import share_of_places
from ._errors import FormatError

_USUAL = ("atac", "ATAC", "peaks", "Peaks", "chromatin", "accessibility")
#: Put before the name of a joint column or embedding where the modality has one of that name with other values.
JOINT = "joint_"


def is_mudata(group: Any) -> bool:
    """Return whether an open HDF5 or zarr group holds MuData."""
    return "mod" in group and str(group.attrs.get("encoding-type", "MuData")) == "MuData"


def choose_modality(names: list[str], features: Mapping[str, list[str]], wanted: str | None, *, source: object) -> str:
    """Return the modality that is asked for, or the one that holds peaks.

    Parameters
    ----------
    names
        The modalities.
    features
        Modality → some names of its features.
    wanted
        Name asked for, or None.
    source
        The file, for messages.

    Raises
    ------
    FormatError
        If there is no such modality, or none or several could hold peaks.
    """
    if wanted is not None:
        if wanted not in names:
            msg = f"{source}: no modality {wanted!r}; there are {names}"
            raise FormatError(msg)
        return wanted
    if usual := next((name for name in _USUAL if name in names), None):
        return usual
    peaks = [name for name in names if share_of_places(features.get(name, [])) > 0.5]
    if len(peaks) != 1:
        why = "none has the names of peaks" if not peaks else f"{peaks} all have the names of peaks"
        msg = f"{source}: no modality 'atac'; found {names}, and {why}. Name one: sccase_kit.read(path, modality=...)"
        raise FormatError(msg)
    return peaks[0]


def read_modality(group: Any, x: Any, wanted: str | None, *, source: object) -> tuple[AnnData, list[str]]:
    """Read one modality of an open MuData group, with the labels, embeddings and graphs of all modalities together.

    Parameters
    ----------
    group
        Open HDF5 or zarr group.
    x
        Function of a stored `X` that returns it, in memory or as blocks to be read.
    wanted
        Modality, or None for the one that holds peaks.
    source
        The file, for messages.

    Returns
    -------
    The modality, and sentences that say what was left out.
    """
    names = list(group["mod"])
    features = {name: _some_names(group["mod"][name]) for name in names} if wanted is None else {}
    name = choose_modality(names, features, wanted, source=source)
    part = group["mod"][name]
    adata = _read_part(part, x)
    others = {other: _shape(group["mod"][other]) for other in names if other != name}
    said = []
    if others:
        shown = ", ".join(f"{other} ({n} × {m})" for other, (n, m) in others.items())
        said.append(f"{source}: modality {name!r} is read; left out: {shown}")
        warn(said[-1])
    obs = ad.io.read_elem(group["obs"]) if "obs" in group else pd.DataFrame(index=adata.obs_names)
    rows = obs.index.get_indexer(adata.obs_names)
    if (rows < 0).any():
        said.append(
            say_left_out(
                "cells", int((rows < 0).sum()), adata.n_obs, why="have no joint labels and embeddings", source=source
            ).replace("they are left out", "these stay empty")
        )
    _join_obs(adata, obs, rows, name)
    said += _join_arrays(adata, group, rows, names, source)
    return adata, said


def _read_part(part: Any, x: Any) -> AnnData:
    if x is None:
        return ad.io.read_elem(part)
    elements = {
        key: ad.io.read_elem(part[key]) for key in ("obs", "var", "obsm", "varm", "obsp", "varp", "uns") if key in part
    }
    if "X" not in part:
        msg = "there is no X"
        raise FormatError(msg)
    return AnnData(X=x(part["X"]), **elements)


def _names(part: Any, axis: str) -> list[str]:
    """Return the index of `obs` or `var`; newer versions store texts as a group with a mask."""
    table = part[axis]
    index = ad.io.read_elem(table[table.attrs.get("_index", "_index")])
    return [str(name) for name in index]


def _shape(part: Any) -> tuple[int, int]:
    return len(_names(part, "obs")), len(_names(part, "var"))


def _some_names(part: Any) -> list[str]:
    return _names(part, "var")[:200] if "var" in part else []


def _join_obs(adata: AnnData, obs: pd.DataFrame, rows: np.ndarray, name: str) -> None:
    """Write joint columns; those that MuData copies from the modality (``atac:total``) are there already."""
    for column in obs.columns:
        if str(column).startswith(f"{name}:") and str(column).partition(":")[2] in adata.obs:
            continue
        values = obs[column].take(np.maximum(rows, 0)).set_axis(adata.obs_names)
        if (rows < 0).any():
            values = values.astype(object if values.dtype.kind in "biu" else values.dtype)
            values[rows < 0] = None if values.dtype == object else np.nan
        target = column
        if column in adata.obs:
            if adata.obs[column].astype(str).equals(values.astype(str)):
                continue
            target = f"{JOINT}{column}"
        adata.obs[target] = values


def _join_arrays(adata: AnnData, group: Any, rows: np.ndarray, names: list[str], source: object) -> list[str]:
    """Write joint embeddings, graphs and unstructured entries; return what could not be."""
    said = []
    for slot in ("obsm", "obsp"):
        for key in list(group[slot]) if slot in group else []:
            if slot == "obsm" and key in names:
                continue  # which cells a modality has
            if (rows < 0).any():
                said.append(
                    f"{source}: {slot}[{key!r}] of all modalities together lacks cells of this one; it is left out"
                )
                warn(said[-1])
                continue
            value = ad.io.read_elem(group[slot][key])
            value = value.iloc[rows] if isinstance(value, pd.DataFrame) else value[rows]
            if isinstance(value, pd.DataFrame):
                value.index = adata.obs_names
            if slot == "obsp":
                value = sparse.csr_matrix(value)[:, rows] if sparse.issparse(value) else value[:, rows]
            target = getattr(adata, slot)
            target[f"{JOINT}{key}" if key in target else key] = value
    if "uns" in group:
        for key in group["uns"]:
            if key not in adata.uns:
                adata.uns[key] = ad.io.read_elem(group["uns"][key])
    return said


def keep_peaks(adata: AnnData, *, source: object, kinds: list[str] | None = None) -> tuple[AnnData, list[str]]:
    """Return the peaks of a matrix by its feature types, and a sentence for what leaves.

    Raises
    ------
    FormatError
        If the features are motifs, or types are given and none is peaks.
    """
    try:
        choice = choose_peaks(adata.var, source=str(source), kinds=kinds)
    except ValueError as err:
        raise FormatError(str(err)) from None
    if choice.keep is None:
        return adata, []
    why = f"are no peaks ({', '.join(f'{kind}: {n}' for kind, n in choice.left_out.items())})"
    gone = adata.var_names[~choice.keep]
    said = say_left_out("features", len(gone), adata.n_vars, why=why, examples=gone[:3], source=source)
    return adata[:, choice.keep].copy(), [said]
