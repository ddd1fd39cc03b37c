"""Names that results are stored under: what files can hold, and what belongs to another function."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk
from sccase_kit._labels import column_names
from sccase_kit.io.zarr_store import write_zarr

CALLS = {
    "enhance": lambda adata, key: sk.tl.enhance(adata, 3, method="sccase", key_added=key),
    "cluster": lambda adata, key: sk.tl.cluster(adata, key_added=key),
    "estimate_k": lambda adata, key: sk.tl.estimate_k(adata, k_values=range(2, 6), key_added=key),
    "specific_peaks": lambda adata, key: sk.tl.specific_peaks(adata, "cell_type", n_top=5, key_added=key),
    "background_peaks": lambda adata, key: sk.tl.background_peaks(adata, n_top=5, key_added=key),
    "scabc": lambda adata, key: sk.tl.scabc(adata, "cell_type", key_added=key),
    "match_motifs": lambda adata, key: sk.tl.match_motifs(adata, "JASPAR", sequences=[], key_added=key),
    "add_gc_content": lambda adata, key: sk.tl.add_gc_content(adata, sequences=[], key_added=key),
    "chromvar": lambda adata, key: sk.tl.chromvar(adata, np.eye(adata.n_vars), bias="gc", key_added=key),
    "tfidf": lambda adata, key: sk.pp.tfidf(adata, key_added=key),
}


@pytest.fixture(scope="module")
def fitted():
    adata = sk.datasets.toy_study(n_cells=150, n_peaks=600, batch_sd=0.0).adata
    sk.pp.filter_peaks(adata)
    sk.tl.enhance(adata, 6, method="sccase")
    return adata


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(("key", "error"), [("a/b", ValueError), ("", ValueError), (" ", ValueError), (5, TypeError)])
def test_names_that_no_file_can_hold_are_refused(fitted, name, key, error):
    adata = fitted.copy()
    with pytest.raises(error, match="key_added must be"):
        CALLS[name](adata, key)
    assert str(adata) == str(fitted)


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"enhance", "add_gc_content"}))
def test_results_of_other_functions_are_not_replaced(fitted, name):
    adata = fitted.copy()
    with pytest.raises(ValueError, match=r"key_added='sccase' holds the result of sccase_kit\.tl\.enhance"):
        CALLS[name](adata, "sccase")
    np.testing.assert_array_equal(sk.get.enhanced(adata), sk.get.enhanced(fitted))


def test_a_function_may_replace_its_own_result(fitted):
    adata = fitted.copy()
    for _ in range(2):
        sk.tl.cluster(adata, 3)
        sk.tl.scabc(adata, "cell_type")
        sk.tl.enhance(adata, 4, method="sccase")
    with pytest.raises(ValueError, match=r"holds the result of sccase_kit\.tl\.scabc"):
        sk.tl.enhance(adata, 4, method="sccase", key_added="scabc")


def test_a_column_of_labels_is_not_replaced_silently(fitted):
    adata = fitted.copy()
    with pytest.warns(UserWarning, match=r"obs\['cell_type'\] was there before and is replaced"):
        sk.tl.cluster(adata, 3, key_added="cell_type")


@pytest.mark.parametrize("write", ["h5ad", "zarr"])
def test_groups_and_sets_with_slashes_survive_files(fitted, tmp_path, write):
    adata = fitted.copy()
    adata.obs["kind"] = adata.obs["cell_type"].cat.rename_categories({"type_1": "CD4/CD8 T"})
    sk.tl.scabc(adata, "kind", n_top=3)
    sets = pd.DataFrame(np.random.default_rng(0).random((adata.n_vars, 2)) < 0.2, adata.var_names, ["AP-1/Homer", "B"])
    adata.var["gc"] = np.random.default_rng(1).random(adata.n_vars)
    sk.tl.chromvar(adata, sets, n_background=5)
    path = tmp_path / f"a.{write}"
    if write == "zarr":
        pytest.importorskip("zarr")
        write_zarr(adata, path)
        again = ad.read_zarr(path)
    else:
        adata.write_h5ad(path)
        again = ad.read_h5ad(path)
    assert "CD4|CD8 T" in again.varm["scabc_pvalues"].columns
    assert "CD4/CD8 T" in set(again.uns["scabc"]["top"]["group"])
    assert list(sk.get.deviations(again).var_names) == ["AP-1|Homer", "B"]


def test_columns_that_would_be_the_same_are_refused():
    assert column_names(["a/b", "c"]) == ["a|b", "c"]
    with pytest.raises(ValueError, match=r"'a/b' and 'a\|b' cannot be told apart"):
        column_names(["a/b", "a|b"])
