"""The scCASE paper's robustness experiments (Fig. 5): dropout, imbalance, fewer cells, mixed batches."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._progress import progress
from .._rng import check_rng
from .._validate import check_adata, check_choice, check_key, check_labels, check_list, check_number
from ..matrix.access import get_matrix, layer_names
from ..matrix.batches import warn_of_closed_peaks
from ..pp import dropout, subsample_cells
from .agreements import imbalance_degree
from .methods import METHODS, Method, is_method, run_method
from .scores import all_scores

Corruption = Callable[[AnnData, int], AnnData]


@checked()
def dropout_experiment(
    adata: AnnData,
    groupby: str,
    methods: Mapping[str, Method],
    *,
    rates: Sequence[float] = (0.0, 0.2, 0.4, 0.6, 0.8),
    seeds: Iterable[int] = range(5),
    truth: str | None = None,
    on_error: Literal["raise", "record"] = "raise",
    **clustering: Any,
) -> pd.DataFrame:
    """Set nonzero counts to zero with growing probability and score every method (Fig. 5a).

    Parameters
    ----------
    adata
        Counts with known groups.
    groupby
        Column of `adata.obs` with the groups.
    methods
        Name → method of enhancement (its name, or an object such as ``sk.enhance.Knn(n_neighbors=30)``), or function
        of an AnnData (and of `rng`, if it has that parameter) that returns (cell_factors,
        peak_factors), a cells × peaks matrix, an AnnData, or None after writing to its AnnData. See
        :func:`sccase_kit.metrics.raw_tfidf` and :func:`sccase_kit.metrics.knn_smoothing` for two.
    rates
        Dropout probabilities.
    seeds
        Each seed draws the corruption and seeds the method and the clustering.
    truth
        Layer of `adata` with the uncorrupted truth: adds cell- and peak-wise auPRC and auROC.
    on_error
        `"record"` keeps going when a method fails, with the message in the column `error`.
    clustering
        Passed on, for instance ``method="leiden"``, ``n_neighbors=15``.

    Returns
    -------
    Tidy table, one row per rate, seed and method: `rate`, `seed`, `method`, the scores (`ari`, `ami`, `fmi`,
    `silhouette`, …), `seconds`, `n_cells`, `imbalance`, `error` (empty when all went well).
    """
    levels = [check_number(rate, name="rates", minimum=0, maximum=1) for rate in check_list(rates, name="rates")]
    corruptions = {level: _at(dropout, rate=level) for level in levels}
    return _run(adata, groupby, methods, "rate", corruptions, seeds, truth, None, on_error, clustering)


@checked()
def imbalance_experiment(
    adata: AnnData,
    groupby: str,
    methods: Mapping[str, Method],
    *,
    evenness: Sequence[float] = (-0.9, -0.5, 0.0, 0.5, 1.0),
    seeds: Iterable[int] = range(5),
    truth: str | None = None,
    on_error: Literal["raise", "record"] = "raise",
    **clustering: Any,
) -> pd.DataFrame:
    """Subsample groups to change how imbalanced they are and score every method (Fig. 5b).

    The parameters and columns are those of :func:`dropout_experiment`, with `evenness` in place of `rate`; the
    column `imbalance` holds the imbalance degree reached (Eq. 15).

    Parameters
    ----------
    adata, groupby, methods, seeds, truth, on_error, clustering
        As there.
    evenness
        1 cuts all groups to the smallest, values between 0 and 1 shrink the differences (as the paper does, see
        :func:`sccase_kit.pp.subsample_cells`), 0 leaves the cells. Negative values e make the groups less even: the
        group of rank r by size (of C, 0 the largest) keeps a share (1 + e)^(r / (C − 1)) of its cells, at least 5.

    Returns
    -------
    DataFrame, one row per evenness, seed and method; see :func:`dropout_experiment`.

    Raises
    ------
    ValueError
        If `evenness` holds −1 or less.
    """
    corruptions: dict[float, Corruption] = {}
    for value in check_list(evenness, name="evenness"):
        level = check_number(value, name="evenness", minimum=-1, maximum=1)
        if level == -1:
            msg = "evenness must be greater than -1: no cell of the smallest group would be left"
            raise ValueError(msg)
        if level < 0:
            corruptions[level] = _at(skew_groups, groupby=groupby, keep=1 + level)
        else:
            corruptions[level] = _at(subsample_cells, groupby=groupby, evenness=level)
    return _run(adata, groupby, methods, "evenness", corruptions, seeds, truth, None, on_error, clustering)


@checked()
def size_experiment(
    adata: AnnData,
    groupby: str,
    methods: Mapping[str, Method],
    *,
    fractions: Sequence[float] = (0.1, 0.25, 0.5, 0.75, 1.0),
    seeds: Iterable[int] = range(5),
    truth: str | None = None,
    on_error: Literal["raise", "record"] = "raise",
    **clustering: Any,
) -> pd.DataFrame:
    """Keep a fraction of the cells of every group and score every method (Fig. 5c).

    The parameters and columns are those of :func:`dropout_experiment`, with `fraction` in place of `rate`.

    Parameters
    ----------
    adata, groupby, methods, seeds, truth, on_error, clustering
        As there.
    fractions
        Shares of the cells to keep.

    Returns
    -------
    DataFrame, one row per fraction, seed and method; see :func:`dropout_experiment`.
    """
    fractions = [
        check_number(f, name="fractions", minimum=0, maximum=1) for f in check_list(fractions, name="fractions")
    ]
    levels = [check_number(f, name="fractions", minimum=0, exclusive=True) for f in fractions]
    corruptions = {level: _at(subsample_cells, groupby=groupby, fraction=level) for level in levels}
    return _run(adata, groupby, methods, "fraction", corruptions, seeds, truth, None, on_error, clustering)


@checked()
def batch_experiment(
    adata: AnnData,
    groupby: str,
    methods: Mapping[str, Method],
    *,
    batch_key: str,
    fraction: float = 0.9,
    seeds: Iterable[int] = range(5),
    truth: str | None = None,
    on_error: Literal["raise", "record"] = "raise",
    **clustering: Any,
) -> pd.DataFrame:
    """Score every method on data of several batches, with batch mixing (Fig. 5d).

    Each seed takes a random `fraction` of the cells of every group. The parameters and columns are those of
    :func:`dropout_experiment`, and `kbet`, `kbet_label` (inside the types) and `batch_asw` (1: well mixed) on the
    principal components. To mix data sets, concatenate them first: ``anndata.concat({"a": a, "b": b}, label="batch")``.

    Parameters
    ----------
    adata, groupby, methods, seeds, truth, on_error, clustering
        As there.
    batch_key
        Column of `adata.obs` with the batches.
    fraction
        Share of the cells each seed takes.

    Returns
    -------
    DataFrame, one row per seed and method; see :func:`dropout_experiment`.
    """
    check_adata(adata)
    batches = check_labels(adata, batch_key, name="batch_key", min_groups=2)
    warn_of_closed_peaks(get_matrix(adata), batches.cat.codes.to_numpy(np.int64), list(batches.cat.categories))
    level = check_number(fraction, name="fraction", minimum=0, maximum=1)
    corruptions = {batch_key: _at(subsample_cells, groupby=groupby, fraction=level)}
    return _run(adata, groupby, methods, "batch_key", corruptions, seeds, truth, batch_key, on_error, clustering)


def skew_groups(
    adata: AnnData, *, groupby: str, keep: float, min_cells: int = 5, rng: int | np.random.Generator | None = 0
) -> AnnData:
    """Return a subset whose groups are less even; see :func:`imbalance_experiment`.

    Parameters
    ----------
    adata
        Cells × peaks.
    groupby
        Column of `obs` with the groups.
    keep
        Share of its cells that the smallest group keeps.
    min_cells
        Cells that every group keeps at least (all it has, if fewer).
    rng
        Seed or generator.
    """
    codes = check_labels(adata, groupby).cat.codes.to_numpy()
    sizes = np.bincount(codes)
    rank = np.empty(len(sizes))
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    wanted = np.round(sizes * keep ** (rank / max(len(sizes) - 1, 1)))
    wanted = np.minimum(sizes, np.maximum(wanted, min_cells)).astype(int)
    generator = check_rng(rng)
    parts = [generator.choice(np.flatnonzero(codes == g), k, replace=False) for g, k in enumerate(wanted)]
    return adata[np.sort(np.concatenate(parts))].copy()


def _at(function: Callable[..., AnnData], **options: Any) -> Corruption:
    """Bind a corruption to its level; it remains a function of the data and a seed."""
    return lambda adata, seed: function(adata, **options, rng=seed)


def _run(
    adata: AnnData,
    groupby: str,
    methods: Mapping[str, Method],
    name: str,
    corruptions: Mapping[Any, Corruption],
    seeds: Iterable[int],
    truth: str | None,
    batch_key: str | None,
    on_error: str,
    clustering: dict[str, Any],
) -> pd.DataFrame:
    check_adata(adata)
    check_labels(adata, groupby, min_groups=2)
    check_choice(on_error, ["raise", "record"], name="on_error")
    if truth is not None:
        check_key(truth, layer_names(adata), name="truth", where="adata.layers")
    if not isinstance(methods, Mapping) or not methods or not all(is_method(method) for method in methods.values()):
        msg = "methods must map names to functions of an AnnData, to methods of enhancement, or to their names "
        msg += f"({list(METHODS)}), got {methods!r}"
        raise TypeError(msg)
    seeds = check_list(seeds, name="seeds", what="integers")
    rows = []
    with progress(total=len(corruptions) * len(seeds) * len(methods), desc=f"{name} experiment", unit="run") as bar:
        for level, corrupt in corruptions.items():
            for seed in seeds:
                data = corrupt(adata, seed)
                for method_name, method in methods.items():
                    row = {name: level, "seed": seed, "method": method_name}
                    row |= _one(data, groupby, method, seed, truth, batch_key, on_error, clustering)
                    rows.append(row)
                    bar.update()
    return pd.DataFrame(rows)


def _one(
    data: AnnData,
    groupby: str,
    method: Method,
    seed: int,
    truth: str | None,
    batch_key: str | None,
    on_error: str,
    clustering: dict[str, Any],
) -> dict[str, Any]:
    labels = check_labels(data, groupby)
    row: dict[str, Any] = {"n_cells": data.n_obs, "imbalance": imbalance_degree(labels), "error": ""}
    started = time.perf_counter()
    try:
        with warnings.catch_warnings():  # empty peaks are meant here, and a missed number stands in the table
            warnings.simplefilter("ignore", UserWarning)
            plain, clustered, peaks = run_method(method, data, rng=seed)
            row["seconds"] = time.perf_counter() - started
            row |= all_scores(
                plain,
                clustered,
                labels,
                truth=None if truth is None else data.layers[truth][:, peaks],
                batches=None if batch_key is None else data.obs[batch_key],
                rng=seed,
                **clustering,
            )
    except Exception as err:
        if on_error == "raise":
            raise
        row["error"] = f"{type(err).__name__}: {err}"
    return row
