"""Fits with degenerate factors in everything that reads a fit: a finite result, or a clear error and no change."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from others import ANNDATA

import sccase_kit as sk

READERS = {
    "get.enhanced": lambda a: sk.get.enhanced(a),
    "get.enhanced, minmax": lambda a: sk.get.enhanced(a, scale="minmax"),
    "get.similarity": lambda a: sk.get.similarity(a),
    "get.ranges": lambda a: sk.get.ranges(a).cell,
    "tl.cluster": lambda a: sk.tl.cluster(a, 3, key_added="c"),
    "tl.specific_peaks": lambda a: sk.tl.specific_peaks(a, "cell_type", n_top=20),
    "tl.specific_peaks, contrast": lambda a: sk.tl.specific_peaks(a, "cell_type", n_top=20, ranking="contrast"),
    "tl.sister_groups": lambda a: sk.tl.sister_groups(a, "cell_type", n_top=20),
    "tl.merge_clusters": lambda a: sk.tl.merge_clusters(a, "cell_type"),
    "tl.background_peaks": lambda a: sk.tl.background_peaks(a, n_top=20),
    "tl.background_peaks, groups": lambda a: sk.tl.background_peaks(a, n_top=20, groupby="cell_type"),
    "metrics.evaluate": lambda a: sk.metrics.evaluate(a, "cell_type").to_numpy(float),
    "metrics.silhouette": lambda a: sk.metrics.silhouette(a.obs["cell_type"], *sk.get.factors(a)),
    "metrics.pca_from_factors": lambda a: sk.metrics.pca_from_factors(*sk.get.factors(a), 3),
    "metrics.accuracy": lambda a: sk.metrics.accuracy(a, a.X).to_numpy(float),
    "pl.embedding_heatmap": lambda a: sk.pl.embedding_heatmap(a, "cell_type") and None,
}
SLOTS = ("X_sccase", "sccase_cell_factors", "sccase_sources"), ("sccase_projection", "sccase_peak_factors")


def set_all(value):
    def change(adata):
        for key in SLOTS[0]:
            adata.obsm[key][:] = value
        for key in SLOTS[1]:
            adata.varm[key][:] = value

    return change


def one_component_empty(adata):
    for key in SLOTS[0]:
        adata.obsm[key][:, 0] = 0
    for key in SLOTS[1]:
        adata.varm[key][:, 0] = 0


def one_cell_empty(adata):
    for key in SLOTS[0]:
        adata.obsm[key][3] = 0


def one_value_missing(adata):
    for key in SLOTS[0]:
        adata.obsm[key][3, 0] = np.nan
    for key in SLOTS[1]:
        adata.varm[key][5, 0] = np.nan


def equal_cells(adata):
    for key in SLOTS[0]:
        adata.obsm[key][:] = adata.obsm[key][:1]


CHANGES = {
    "all zero": set_all(0),
    "all one": set_all(1),
    "all NaN": set_all(np.nan),
    "one component empty": one_component_empty,
    "one cell empty": one_cell_empty,
    "one value missing": one_value_missing,
    "equal cells": equal_cells,
}


@pytest.fixture(scope="module")
def fitted():
    adata = sk.datasets.toy_study(n_cells=60, n_peaks=200, n_types=3).adata
    sk.tl.enhance(adata, 4, method="sccase")
    for key in ("sccase_range",):
        del adata.obsm[key], adata.varm[key]  # computed again from the changed factors
    return adata


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", READERS)
def test_degenerate_fit(fitted, name, change):
    adata = fitted.copy()
    CHANGES[change](adata)
    axes = ("obs", "var", "obsm", "varm", "obsp", "layers", "uns")  # anndata 0.13 lists X among the layers, as None
    before = {axis: sorted(map(str, getattr(adata, axis))) for axis in axes}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=ANNDATA)
        warnings.filterwarnings("ignore", category=UserWarning)
        try:
            result = READERS[name](adata)
        except ValueError as err:
            kind, message, place = type(err), str(err), err.__traceback__
        else:
            if result is not None and "NaN" not in change and "missing" not in change:
                values = np.asarray(result, dtype=float)
                assert np.isfinite(values).all() or name.startswith("metrics")  # scores of what has no variance
            return
    while place.tb_next is not None:
        place = place.tb_next
    assert "sccase_kit" in place.tb_frame.f_code.co_filename, f"{kind.__name__} of a library: {message}"
    assert len(message) > 20
    after = {axis: sorted(map(str, getattr(adata, axis))) for axis in before}
    ranges = {"sccase_range"}
    assert all(set(after[axis]) - ranges == set(before[axis]) - ranges for axis in before)
