"""Arguments of the enhancer that exclude or do not touch each other; what a fit leaves alone."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest

import sccase_kit as sk


@pytest.fixture(scope="module")
def study():
    adata = sk.datasets.toy_study(n_cells=100, n_peaks=400).adata
    sk.pp.filter_peaks(adata)
    return adata


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"lam": 3.0, "max_iter": 9}, r"lam=3.0, max_iter=9 has no effect with method='robust'"),
        ({"method": "robust", "init": "published"}, "init='published' has no effect with method='robust'"),
        ({"n_components": 4, "solver": "published", "max_iter": 1}, "max_iter=1 has no effect with solver='published'"),
        ({"n_components": 4, "method": "sccase", "alpha": 2.0}, "alpha=2.0 has no effect with no reference"),
        ({"n_components": 4, "method": "sccase", "batch_method": "published"}, "has no effect with no batch_key"),
    ],
)
def test_arguments_without_effect_are_named(study, arguments, why):
    with pytest.warns(UserWarning, match=why):
        sk.tl.enhance(study, **arguments, copy=True)


def test_the_published_program_is_no_consensus(study):
    with pytest.raises(ValueError, match="method='robust' needs solver='thin'"):
        sk.tl.enhance(study, 4, method="robust", solver="published", copy=True)


def test_the_weight_used_is_the_weight_recorded(study):
    reference = sk.pp.pseudobulk(study, groupby="cell_type")
    default = sk.tl.enhance(study, 6, reference, solver="published", copy=True)
    assert default.uns["sccase"]["params"]["lam"] == 1e5
    given = sk.tl.enhance(study, 6, reference, solver="published", lam=1e6, copy=True)
    assert given.uns["sccase"]["params"]["lam"] == 1e6
    assert not np.array_equal(given.obsm["X_sccase"], default.obsm["X_sccase"])


def test_a_layer_of_the_user_stays(study):
    adata = study.copy()
    adata.layers["sccase"] = adata.X.copy()
    sk.tl.enhance(adata, 4, method="sccase", layer="sccase")
    assert (adata.layers["sccase"] != adata.X).nnz == 0


def test_a_dense_result_goes_with_the_next_fit(study):
    adata = sk.tl.enhance(study, 4, solver="published", copy=True)
    sk.tl.enhance(adata, 4, method="sccase")
    assert "sccase" not in adata.layers
    assert "sccase_similarity" not in adata.obsp


def test_few_cells_need_a_number(study):
    few = study[:5].copy()
    sk.pp.filter_peaks(few)
    with pytest.raises(ValueError, match="n_components='auto' cannot be estimated from 5 cells"):
        sk.tl.enhance(few, method="sccase")


def test_a_backed_file_is_read_for_a_copy(study, tmp_path):
    study.write_h5ad(tmp_path / "counts.h5ad")
    backed = sk.read(tmp_path / "counts.h5ad", backed=True)
    done = sk.tl.enhance(backed, 4, method="sccase", copy=True)
    assert not done.isbacked
    assert "X_sccase" in done.obsm
    assert "X_sccase" not in backed.obsm
    assert isinstance(done, ad.AnnData)


def test_the_number_found_gives_the_same_fit_when_it_is_given(study):
    found = sk.tl.enhance(study, method="sccase", rng=3, copy=True)
    k = found.uns["sccase"]["params"]["n_components"]
    given = sk.tl.enhance(study, k, method="sccase", rng=3, copy=True)
    np.testing.assert_array_equal(given.obsm["X_sccase"], found.obsm["X_sccase"])


def test_batches_that_are_not_corrected_are_named(study, caplog):
    with caplog.at_level("INFO", logger="sccase_kit"):
        sk.tl.enhance(study, 4, method="sccase", copy=True)
        assert "obs['batch'] holds 2 batches: batch_key='batch' would correct for them" in caplog.text
        caplog.clear()
        sk.tl.enhance(study, 4, method="sccase", batch_key="batch", copy=True)
        assert "would correct" not in caplog.text


def test_cells_named_as_peaks_are_refused(study):
    with pytest.raises(ValueError, match=r"cells have names of peaks such as 'chr.*transpose it with adata\.T"):
        sk.tl.enhance(study.T.copy(), copy=True)


def test_fractional_counts_are_named_with_the_layers(study):
    adata = study.copy()
    adata.layers["counts"] = adata.X.copy()
    adata.X = np.log1p(adata.X.astype(np.float64))
    why = r"adata\.X has fractional values, so these are not raw counts; pass layer= .* the layers are .*'counts'"
    with pytest.warns(UserWarning, match=why):
        sk.tl.enhance(adata, 4, method="sccase", copy=True)
    with pytest.warns(UserWarning, match=why):
        sk.tl.scabc(adata, "cell_type", copy=True)
    adata.var["gc"] = np.random.default_rng(0).random(adata.n_vars)
    with pytest.warns(UserWarning, match=why):
        sk.tl.chromvar(adata, np.eye(adata.n_vars, 3, dtype=bool), n_background=5, copy=True)
    sk.tl.enhance(adata, 4, method="sccase", layer="counts", copy=True)
