"""Expected counts and accessibility of a fit: whole, by blocks, of subsets, from files and after damage."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest
from scipy import sparse

import sccase_kit as sk


@pytest.fixture(scope="module")
def fitted():
    adata = sk.datasets.toy_study(n_cells=80, n_peaks=300).adata
    x = adata.X.toarray()
    x[:, 5] = np.maximum(x[:, 5], 1)
    adata.X = sparse.csr_matrix(x)
    sk.tl.enhance(adata)
    return adata


def as_of_version_0_1(adata):
    """Return the data without depth, IDF and expected accessibility, which that version did not keep."""
    adata = adata.copy()
    for slots in (adata.obsm, adata.varm):
        for name in ("depth", "idf", "shares", "profiles"):
            slots.pop(f"sccase_{name}", None)
    del adata.uns["sccase"]["factor_sums"]
    return adata


def by_hand(adata):
    x = adata.X.toarray() if sparse.issparse(adata.X) else np.asarray(adata.X)
    n_open = (x > 0).sum(axis=0)
    idf = np.log(len(x) / n_open)
    flat = idf == 0
    values = sk.get.enhanced(adata).astype(np.float64)
    values[:, ~flat] /= idf[~flat]
    share = x.sum(axis=0) / x.sum()
    values[:, ~flat] *= (1 - share[flat].sum()) / values[:, ~flat].sum(axis=1, keepdims=True)
    values[:, flat] = share[flat]
    return values, x.sum(axis=1)


@pytest.mark.parametrize(
    "options", [{}, {"method": "sccase", "n_components": 4}, {"batch_key": "batch"}, {"depth": True}]
)
def test_scales_undo_the_idf(options):
    adata = sk.datasets.toy_study(n_cells=60, n_peaks=200).adata
    sk.pp.filter_peaks(adata)
    sk.tl.enhance(adata, **options)
    values, depth = by_hand(adata)
    np.testing.assert_allclose(sk.get.enhanced(adata, scale="accessibility"), 1e4 * values, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(sk.get.enhanced(adata, scale="counts"), depth[:, None] * values, rtol=1e-3, atol=1e-6)


def test_the_published_solver_has_them_too():
    adata = sk.datasets.toy_study(n_cells=40, n_peaks=150).adata
    sk.pp.filter_peaks(adata)
    sk.tl.enhance(adata, 4, solver="published")
    values, depth = by_hand(adata)
    np.testing.assert_allclose(sk.get.enhanced(adata, scale="counts"), depth[:, None] * values, rtol=1e-3, atol=1e-6)
    assert sk.get.enhanced(adata, scale="accessibility", obs_names=[3], var_names=[1, 2]).shape == (1, 2)
    with pytest.raises(ValueError, match="needs the whole data"):
        sk.get.enhanced(adata[:, :10].copy(), scale="counts")


def test_blocks_and_subsets_are_cut_from_the_whole(fitted, tmp_path):
    adata = as_of_version_0_1(fitted)
    early = adata[3:9].copy()
    with pytest.raises(ValueError, match=r"cut from \(80, 300\) to \(6, 300\); call"):
        sk.get.enhanced(early, scale="counts")
    whole = sk.get.enhanced(adata, scale="counts")
    np.testing.assert_allclose(whole.sum(axis=1), adata.X.sum(axis=1).A1, rtol=1e-4)
    part = sk.get.enhanced(adata, scale="counts", obs_names=[7, 2], var_names=[5, 250])
    np.testing.assert_allclose(part, whole[np.ix_([7, 2], [5, 250])], rtol=1e-5)
    cells, peaks = sk.get.factors(adata, scale="counts")
    np.testing.assert_allclose(cells @ peaks.T, whole, rtol=1e-5)
    cut = adata[10:20, [5, 17, 3]].copy()
    del cut.X
    cut.write_h5ad(tmp_path / "cut.h5ad")
    cut = ad.read_h5ad(tmp_path / "cut.h5ad")
    np.testing.assert_allclose(sk.get.enhanced(cut, scale="counts"), whole[10:20][:, [5, 17, 3]], rtol=1e-5)


def test_counts_that_are_no_longer_there_are_told(fitted):
    adata = as_of_version_0_1(fitted)
    adata.X = adata.X.log1p()
    with pytest.raises(ValueError, match=r"adata.X holds others now; put them back"):
        sk.get.enhanced(adata, scale="counts")
    adata = fitted.copy()
    sk.get.enhanced(adata, scale="counts")
    adata.X = adata.X.log1p()
    np.testing.assert_array_equal(
        sk.get.enhanced(adata, scale="counts"), sk.get.enhanced(fitted.copy(), scale="counts")
    )


def test_a_second_fit_forgets_the_depth_of_the_first(fitted):
    adata = fitted.copy()
    first = sk.get.enhanced(adata, scale="counts")
    adata.layers["double"] = 2 * adata.X
    sk.tl.enhance(adata, layer="double")
    np.testing.assert_allclose(sk.get.enhanced(adata, scale="counts"), 2 * first, rtol=1e-3, atol=1e-6)


def test_backed_counts_give_the_same(fitted, tmp_path):
    fitted.write_h5ad(tmp_path / "a.h5ad")
    backed = ad.read_h5ad(tmp_path / "a.h5ad", backed="r")
    with sk.settings.override(block_bytes=20_000):
        found = sk.get.enhanced(backed, scale="accessibility")
    np.testing.assert_allclose(found, sk.get.enhanced(fitted.copy(), scale="accessibility"), rtol=1e-4)
    backed.file.close()


def test_a_file_of_version_0_1_gives_the_same(fitted):
    for scale in ("counts", "accessibility"):
        old = sk.get.enhanced(as_of_version_0_1(fitted), scale=scale)
        np.testing.assert_allclose(old, sk.get.enhanced(fitted, scale=scale), rtol=1e-4, atol=1e-7)


def test_empty_cells_are_zero():
    adata = sk.datasets.toy_study(n_cells=40, n_peaks=150).adata
    x = adata.X.toarray()
    x[3] = 0
    x[0, x.sum(axis=0) == 0] = 1
    adata.X = sparse.csr_matrix(x)
    with pytest.warns(UserWarning, match="have no counts"):
        sk.tl.enhance(adata, 3, method="sccase")
    values = sk.get.enhanced(adata, scale="accessibility")
    assert np.isfinite(values).all()
    assert not values[3].any()


def test_errors(fitted):
    with pytest.raises(ValueError, match=r"'accessibility' .expected counts per 10,000"):
        sk.get.enhanced(fitted, scale="cpm")
    with pytest.raises(ValueError, match="has no thin factors"):
        sk.get.factors(fitted, scale="minmax")
    with pytest.raises(ValueError, match=r"is for the result of sccase_kit\.tl.enhance"):
        sk.metrics.evaluate(fitted, "cell_type", key=None, scale="counts")
    table = sk.metrics.accuracy(fitted.copy(), "truth", scale="counts")
    assert table["auroc"].mean() > 0.6
