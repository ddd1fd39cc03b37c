"""Score any set of enhanced matrices in one table."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import Named, checked
from .._progress import progress
from .._validate import check_labels
from ..matrix.access import get_matrix
from ..matrix.batches import warn_of_closed_peaks
from .methods import as_profiles
from .profiles import Profiles
from .scores import all_scores
from .splits import HiddenEntries


@checked()
def compare(
    results: Mapping[str, AnnData | str | os.PathLike],
    groupby: str,
    *,
    truth: AnnData | str | None = None,
    batch_key: str | None = None,
    raw: AnnData | None = None,
    hidden: HiddenEntries | None = None,
    key: str = "sccase",
    rng: int = 0,
    **clustering: Any,
) -> pd.DataFrame:
    """Score enhanced matrices of any origin by the scCASE paper's measures.

    Parameters
    ----------
    results
        Name → AnnData or path of an .h5ad or .zarr. The enhanced matrix is the thin factors under `key` where there
        are any, else `X`.
    groupby
        Column of `obs`, in every AnnData, with the known groups.
    truth
        AnnData whose `X` is positive where a peak is truly open, or the name of a layer of every AnnData: adds
        cell-wise and peak-wise auPRC and auROC. Cells and peaks are matched by name; peaks that a result lacks are
        left out.
    batch_key
        Column of `obs` with the batches: adds kBET and batch ASW.
    raw
        AnnData whose `X` is the raw matrix (its TF-IDF): adds the smoothing scores. Cells are matched by name.
    hidden
        Result of :func:`sccase_kit.metrics.hide_entries`, if the results were made from its `training`: adds `gain` and
        `slope`, how probable the hidden entries are. Cells must be all of them, in order; peaks are matched by name.
    key
        Key of the thin factors.
    rng
        Seed of the clustering.
    clustering
        Passed on, for instance ``method="leiden"``.

    Returns
    -------
    One row per result, with `n_cells`, `n_peaks` and the scores; see :func:`sccase_kit.metrics.evaluate`.

    Raises
    ------
    TypeError
        If a result is neither an AnnData nor a path.
    FileNotFoundError
        If a path does not exist.
    KeyError
        If the groups, the truth's cells or a layer are missing.

    Examples
    --------
    >>> adata = sk.datasets.toy_study(n_cells=200, n_peaks=1000).adata
    >>> sk.tl.enhance(adata, batch_key="batch")
    >>> raw = adata.copy()
    >>> del raw.obsm["sccase_cell_factors"], raw.varm["sccase_peak_factors"]
    >>> table = sk.metrics.compare({"enhanced": adata, "counts": raw}, "cell_type", truth="truth")
    >>> bool(table.loc["enhanced", "cell_auprc"] > table.loc["counts", "cell_auprc"])
    True
    """
    if raw is not None and batch_key is not None and batch_key in raw.obs:
        batches = check_labels(raw, batch_key, name="batch_key")
        warn_of_closed_peaks(get_matrix(raw), batches.cat.codes.to_numpy(np.int64), list(batches.cat.categories))
    results = Named("AnnData or files")(results, "results", {})
    rows = {}
    for name, given in progress(results.items(), desc="compare", total=len(results)):
        adata = _open(name, given)
        labels = check_labels(adata, groupby, min_groups=2)
        plain, clustered = as_profiles(adata, key=key)
        known = None
        if truth is not None:
            known, plain = _truth(name, adata, truth, plain)
        rows[name] = {"n_cells": adata.n_obs, "n_peaks": adata.n_vars} | all_scores(
            plain,
            clustered,
            labels,
            truth=known,
            batches=None if batch_key is None else check_labels(adata, batch_key, name="batch_key"),
            raw=None if raw is None else Profiles(get_matrix(raw[_positions(name, raw, adata)])),
            rng=rng,
            **clustering,
        )
        if hidden is not None:
            rows[name] |= hidden.score(adata, key=key).to_dict()
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("name")


def _open(name: str, given: Any) -> AnnData:
    if isinstance(given, AnnData):
        return given
    if not isinstance(given, (str, os.PathLike)):
        msg = f"results[{name!r}] must be an AnnData or a path, got {type(given).__name__}"
        raise TypeError(msg)
    path = Path(given)
    if not path.exists():
        msg = f"results[{name!r}]: {path} does not exist"
        raise FileNotFoundError(msg)
    import anndata

    return anndata.read_zarr(path) if path.is_dir() else anndata.read_h5ad(path)


def _positions(name: str, other: AnnData, adata: AnnData) -> np.ndarray:
    found = other.obs_names.get_indexer(adata.obs_names)
    if (found < 0).any():
        missing = adata.obs_names[found < 0]
        msg = f"results[{name!r}]: {len(missing)} cells are not in the other data, e.g. {missing[:3].tolist()}"
        raise KeyError(msg)
    return found


def _truth(name: str, adata: AnnData, truth: AnnData | str, plain: Profiles) -> tuple[Any, Profiles]:
    if isinstance(truth, str):
        return get_matrix(adata, truth), plain
    cells = _positions(name, truth, adata)
    peaks = truth.var_names.get_indexer(adata.var_names)
    ours = np.flatnonzero(peaks >= 0)
    if not len(ours):
        msg = f"results[{name!r}]: no peak name is shared with truth, e.g. {adata.var_names[:2].tolist()} against "
        msg += f"{truth.var_names[:2].tolist()}"
        raise KeyError(msg)
    subset = plain
    if len(ours) < adata.n_vars:
        subset = Profiles(plain.cells, plain.peaks[ours]) if plain.peaks is not None else Profiles(plain.cells[:, ours])
    return get_matrix(truth)[cells][:, peaks[ours]], subset
