"""The enhancer as users call it: fields, containers, variants, determinism, errors."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

import sccase_kit as sk


@pytest.fixture(scope="module")
def study():
    return sk.datasets.toy_study(n_cells=200, n_peaks=800)


@pytest.fixture
def adata(study):
    adata = study.adata.copy()
    sk.pp.filter_peaks(adata)
    return adata


def fields(adata, key="sccase"):
    return sk.get.factors(adata, key=key)


@pytest.mark.parametrize("method", ["sccase", "robust"])
def test_fields_have_the_documented_shapes(adata, method):
    assert sk.tl.enhance(adata, 5, method=method) is None
    cells, peaks = fields(adata)
    k = adata.obsm["X_sccase"].shape[1]
    assert adata.varm["sccase_projection"].shape == (adata.n_vars, k)
    assert cells.shape[0] == adata.n_obs
    assert peaks.shape == (adata.n_vars, cells.shape[1])
    assert cells.dtype == peaks.dtype == adata.obsm["X_sccase"].dtype == np.float32
    assert cells.min() >= 0
    assert peaks.min() >= 0
    entry = adata.uns["sccase"]
    assert entry["params"]["n_components"] == 5
    assert entry["params"]["method"] == method
    assert np.isfinite(entry["objective"]).all()
    assert min(entry["timing"].values()) >= 0
    z = sk.get.similarity(adata)
    op = sk.enhance.prepare(adata.X).op
    np.testing.assert_allclose(z.T @ op.rmatmul(np.eye(adata.n_obs)).T, sk.get.enhanced(adata), rtol=1e-3, atol=1e-7)


def test_objective_never_rises(adata):
    sk.tl.enhance(adata, 6, method="sccase", max_iter=8, tol=0)
    assert np.all(np.diff(adata.uns["sccase"]["objective"]) <= 0)


@pytest.mark.parametrize("method", ["sccase", "robust"])
@pytest.mark.parametrize("container", ["ndarray", "csr", "csc", "csr_array", "backed", "dask"])
def test_every_container_gives_the_same(adata, tmp_path, method, container):
    sk.tl.enhance(adata, 4, method=method)
    expected = sk.get.enhanced(adata, scale="minmax")
    other = adata.copy()
    counts = adata.X
    if container == "backed":
        ad.AnnData(counts, obs=adata.obs[[]], var=adata.var[[]]).write_h5ad(tmp_path / "a.h5ad")
        other = ad.read_h5ad(tmp_path / "a.h5ad", backed="r")
    elif container == "dask":
        da = pytest.importorskip("dask.array")
        other.X = da.from_array(counts.toarray(), chunks=(37, -1)).map_blocks(sparse.csr_matrix)
    else:
        make = {"ndarray": lambda x: x.toarray(), "csr": sparse.csr_matrix, "csc": sparse.csc_matrix}
        other.X = make.get(container, sparse.csr_array)(counts)
    with sk.settings.override(block_bytes=20_000):
        sk.tl.enhance(other, 4, method=method)
        result = sk.get.enhanced(other, scale="minmax")
    np.testing.assert_allclose(result, expected, atol=5e-3)
    assert np.corrcoef(result.ravel(), expected.ravel())[0, 1] > 0.99999
    if container == "backed":
        other.file.close()


@pytest.mark.parametrize("method", ["sccase", "robust"])
def test_dtypes_of_counts_do_not_matter(adata, method):
    results = []
    for dtype in (np.uint8, np.int32, np.int64, np.float32, np.float64):
        other = adata.copy()
        other.X = adata.X.astype(dtype)
        sk.tl.enhance(other, 4, method=method)
        results.append(sk.get.enhanced(other))
    for result in results[1:]:
        np.testing.assert_allclose(result, results[0], rtol=1e-4, atol=1e-8)


def test_float64_agrees_with_float32(adata):
    other = adata.copy()
    sk.tl.enhance(adata, 5, method="sccase")
    sk.tl.enhance(other, 5, method="sccase", dtype="float64")
    assert np.corrcoef(sk.get.enhanced(adata).ravel(), sk.get.enhanced(other).ravel())[0, 1] > 0.9999


@pytest.mark.parametrize("method", ["sccase", "robust"])
def test_same_seed_same_result_and_no_global_state(adata, method):
    other = adata.copy()
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    sk.tl.enhance(adata, 4, method=method, rng=7)
    sk.tl.enhance(other, 4, method=method, rng=7)
    np.testing.assert_array_equal(fields(adata)[0], fields(other)[0])
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_input_is_left_alone(adata):
    before = adata.copy()
    result = sk.tl.enhance(adata, 4, copy=True)
    assert "sccase" in result.uns
    assert "sccase" not in adata.uns
    sk.tl.enhance(adata, 4)
    np.testing.assert_array_equal(adata.X.toarray(), before.X.toarray())
    pd.testing.assert_frame_equal(adata.obs, before.obs)
    pd.testing.assert_frame_equal(adata.var, before.var)


def test_round_trip_through_h5ad(adata, tmp_path):
    sk.tl.enhance(adata, 4, batch_key="batch", depth=True)
    adata.write_h5ad(tmp_path / "a.h5ad")
    back = sk.read(tmp_path / "a.h5ad")
    np.testing.assert_array_equal(sk.get.enhanced(back, scale="minmax"), sk.get.enhanced(adata, scale="minmax"))
    assert back.uns["sccase"]["params"] == adata.uns["sccase"]["params"]


def test_layer_is_used(adata):
    adata.layers["counts"] = adata.X.copy()
    sk.tl.enhance(adata, 4)
    expected = sk.get.enhanced(adata)
    adata.X = sparse.csr_matrix(adata.shape, dtype=np.int32)
    sk.tl.enhance(adata, 4, layer="counts")
    np.testing.assert_array_equal(sk.get.enhanced(adata), expected)


@pytest.mark.parametrize("arguments", [{"n_components": 8, "method": "sccase"}, {"method": "robust"}])
def test_planted_types_are_recovered(arguments):
    adata = sk.datasets.toy_study(n_cells=400, n_peaks=2500).adata
    raw = sk.metrics.evaluate(adata, "cell_type", key=None)
    sk.tl.enhance(adata, **arguments)
    score = sk.metrics.evaluate(adata, "cell_type", scale="minmax")
    assert score["ari"] > 0.9
    assert score["silhouette"] > raw["silhouette"] + 0.5


@pytest.mark.parametrize("method", ["sccase", "robust"])
def test_variants_combine(adata, method):
    reference = sk.pp.pseudobulk(adata, "cell_type")
    sk.tl.enhance(adata, 5, reference, depth=True, batch_key="batch", method=method)
    values = sk.get.enhanced(adata)
    assert np.isfinite(values).all()
    assert values.min() >= 0
    assert adata.uns["sccase"]["params"]["n_reference"] >= 1


def test_depth_correction_removes_depth(adata):
    from sccase_kit.metrics import Profiles

    log_depth = np.log(np.asarray(adata.X.sum(axis=1)).ravel())

    def worst(**kwargs):
        sk.tl.enhance(adata, 6, method="sccase", **kwargs)
        pcs = Profiles(*fields(adata)).pca(10)
        return max(abs(np.corrcoef(pc, log_depth)[0, 1]) for pc in pcs.T)

    assert worst(depth=True) < worst()


def test_published_solver_matches_thin_with_the_same_start(adata):
    other = adata.copy()
    sk.tl.enhance(adata, 5, solver="published")
    sk.tl.enhance(other, 5, method="sccase", init="published")
    dense, thin = sk.get.enhanced(adata, scale="minmax"), sk.get.enhanced(other, scale="minmax")
    assert np.corrcoef(dense.ravel(), thin.ravel())[0, 1] > 0.9999
    assert sk.get.similarity(adata).shape == (adata.n_obs, adata.n_obs)


@pytest.mark.parametrize("mode", [{"depth": True}, {"batch_key": "batch"}, {"reference": True}])
def test_published_solver_runs_every_mode(adata, mode):
    if mode.get("reference"):
        mode = {"reference": sk.pp.pseudobulk(adata, "cell_type")}
    sk.tl.enhance(adata, 4, solver="published", **mode)
    assert np.isfinite(sk.get.enhanced(adata)).all()


@pytest.mark.parametrize("path", ["bm0828.h5ad"])
def test_thin_equals_published_on_real_data(shared_data, path):
    adata = sk.read(shared_data / path)
    adata = adata[:, np.random.default_rng(0).choice(adata.n_vars, 5000, replace=False)].copy()
    sk.pp.filter_peaks(adata, by="counts")
    other = adata.copy()
    sk.tl.enhance(adata, 7, solver="published")
    sk.tl.enhance(other, 7, method="sccase", init="published")
    dense, thin = sk.get.enhanced(adata, scale="minmax"), sk.get.enhanced(other, scale="minmax")
    assert np.corrcoef(dense.ravel(), thin.ravel())[0, 1] > 0.9999


def test_empty_cells_and_peaks_warn_and_stay_zero(adata):
    counts = adata.X.tolil()
    counts[3] = 0
    counts[:, 5] = 0
    adata.X = sparse.csr_matrix(counts)
    with (
        pytest.warns(UserWarning, match="1 of 200 cells have no counts"),
        pytest.warns(UserWarning, match="closed in every cell"),
    ):
        sk.tl.enhance(adata, 4, method="sccase")
    values = sk.get.enhanced(adata)
    assert np.isfinite(values).all()
    assert not values[3].any()
    assert not values[:, 5].any()


BAD = [
    ({"n_components": 0}, ValueError, "n_components must be at least 1"),
    ({"n_components": 2.5}, TypeError, "n_components must be an integer"),
    ({"n_components": "many"}, ValueError, "'auto'"),
    ({"n_components": 10_000}, ValueError, "exceeds the smaller side"),
    ({"batch_key": "nope"}, KeyError, "batch_key='nope'"),
    ({"batch_key": "one"}, ValueError, "at least 2 are needed"),
    ({"batch_key": "lonely"}, ValueError, "single cell"),
    ({"method": "magic"}, ValueError, "method must be one of"),
    ({"solver": "thick"}, ValueError, "solver must be one of"),
    ({"init": "slow"}, ValueError, "init must be one of"),
    ({"lam": -1}, ValueError, "lam must be"),
    ({"lam": float("nan")}, ValueError, "lam must be finite"),
    ({"layer": "none"}, KeyError, "layer='none'"),
    ({"reference": "file.h5ad"}, TypeError, "reference must be an AnnData"),
    ({"solver": "published", "depth": True, "batch_key": "batch"}, ValueError, "one of reference, depth, batch_key"),
    ({"dtype": "int8"}, ValueError, "dtype must be one of"),
    ({"keep_probability": 1.5}, ValueError, "keep_probability"),
    ({"max_iter": 0}, ValueError, "max_iter"),
]


@pytest.mark.parametrize(("arguments", "error", "message"), BAD)
def test_bad_arguments_are_named_and_nothing_is_written(adata, arguments, error, message):
    adata.obs["one"] = "a"
    adata.obs["lonely"] = ["a"] * (adata.n_obs - 1) + ["b"]
    keys = set(adata.obsm), set(adata.varm), set(adata.uns), set(adata.layers)
    with pytest.raises(error, match=message):
        sk.tl.enhance(adata, **{"n_components": 4, **arguments})
    assert keys == (set(adata.obsm), set(adata.varm), set(adata.uns), set(adata.layers))


@pytest.mark.parametrize(
    ("value", "message"), [(-1.0, "negative"), (np.nan, "NaN or infinite"), (np.inf, "NaN or infinite")]
)
def test_bad_counts_are_named(adata, value, message):
    adata.X = adata.X.astype(np.float64)
    adata.X.data[7] = value
    with pytest.raises(ValueError, match=message):
        sk.tl.enhance(adata, 4)


def test_not_an_anndata():
    with pytest.raises(TypeError, match=r"sccase_kit\.read\(path\)"):
        sk.tl.enhance("counts.h5ad", 4)


def test_reference_on_other_peaks_is_refused(adata):
    reference = sk.pp.pseudobulk(adata, "cell_type")
    reference.var_names = [f"chr9:{i}-{i + 1}" for i in range(10**8, 10**8 + reference.n_vars)]
    reference.var = reference.var[[]]
    with pytest.raises(ValueError, match="reference matched 0 of"):
        sk.tl.enhance(adata, 4, reference)


def test_equal_depth_warns(adata):
    dense = adata.X.toarray()
    dense[:, 0] += dense.sum(axis=1).max() - dense.sum(axis=1)
    adata.X = sparse.csr_matrix(dense)
    with pytest.warns(UserWarning, match="same depth"):
        sk.tl.enhance(adata, 4, depth=True, method="sccase")


@given(n=st.integers(8, 30), m=st.integers(8, 40), density=st.floats(0.05, 0.9), seed=st.integers(0, 10**6))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_shape_and_density(n, m, density, seed):
    rng = np.random.default_rng(seed)
    counts = (rng.random((n, m)) < density) * rng.integers(1, 4, (n, m))
    counts[np.arange(n), rng.integers(m, size=n)] = 1
    counts[rng.integers(n, size=m), np.arange(m)] = 1
    adata = ad.AnnData(sparse.csr_matrix(counts.astype(np.int32)))
    for method in ("sccase", "robust"):
        sk.tl.enhance(adata, 3, method=method)
        values = sk.get.enhanced(adata, scale="minmax")
        assert np.isfinite(values).all()
        assert values.min() >= -1e-5
        assert values.max() <= 1 + 1e-5


def neighbours_from_the_other_batch(pcs, batch):
    """Share of the 15 nearest cells that come from another batch (scikit-learn, independent of the package)."""
    from sklearn.neighbors import NearestNeighbors

    found = NearestNeighbors(n_neighbors=16).fit(pcs).kneighbors(pcs, return_distance=False)[:, 1:]
    return np.mean(batch[found] != batch[:, None])


@pytest.mark.parametrize("arguments", [{"method": "robust"}, {"method": "sccase", "n_components": 8}])
def test_batch_correction_mixes_without_losing_types(arguments):
    from sklearn.decomposition import PCA

    adata = sk.datasets.toy_study(n_cells=400, n_peaks=2500).adata
    batch = adata.obs["batch"].astype(str).to_numpy()
    sk.tl.enhance(adata, **arguments)
    plain = sk.metrics.evaluate(adata, "cell_type")["ari"]
    sk.tl.enhance(adata, batch_key="batch", **arguments)
    corrected = sk.metrics.evaluate(adata, "cell_type")["ari"]
    raw = sk.pp.tfidf_scaling(adata.X).apply(adata.X).toarray()
    pcs = {
        name: PCA(30, random_state=0).fit_transform(x)
        for name, x in {"raw": raw, "corrected": sk.get.enhanced(adata, scale="minmax")}.items()
    }
    assert neighbours_from_the_other_batch(pcs["corrected"], batch) > 0.4
    assert neighbours_from_the_other_batch(pcs["corrected"], batch) > neighbours_from_the_other_batch(pcs["raw"], batch)
    assert corrected >= plain - 0.02


def test_number_of_components_is_estimated_for_the_published_model(adata, monkeypatch):
    """ASTER's number of types and one more, and never more than there are cells or peaks."""
    from sccase_kit.tl import _estimate_k

    monkeypatch.setattr(_estimate_k, "estimate_k", lambda data, *, layer, k_values, rng: 4)
    done = sk.tl.enhance(adata, "auto", method="sccase", copy=True)
    assert done.obsm["X_sccase"].shape[1] == 5
    monkeypatch.setattr(_estimate_k, "estimate_k", lambda data, *, layer, k_values, rng: 30)
    few = adata[:20].copy()
    sk.pp.filter_peaks(few)
    assert sk.tl.enhance(few, "auto", method="sccase", copy=True).obsm["X_sccase"].shape[1] == 20


@pytest.mark.parametrize("shape", [(1, 5), (5, 1)])
def test_a_single_cell_or_peak_is_refused(shape):
    single = ad.AnnData(sparse.csr_matrix(np.ones(shape, dtype=np.float32)))
    with pytest.raises(ValueError, match="at least 2 cells and 2 peaks"):
        sk.tl.enhance(single, 1)


def test_published_solver_refuses_many_cells(adata, monkeypatch):
    monkeypatch.setattr("sccase_kit.enhance.methods.published.DENSE_CELLS", 100)
    with pytest.raises(ValueError, match=r"200 cells exceed 100: use solver='thin'"):
        sk.tl.enhance(adata, 4, solver="published")


def test_published_batch_reweighting_is_another_fit(adata):
    balanced, published = (
        sk.tl.enhance(adata, 6, method="sccase", batch_key="batch", batch_method=name, copy=True)
        for name in ("balanced", "published")
    )
    assert np.isfinite(sk.get.enhanced(published)).all()
    assert not np.allclose(sk.get.enhanced(balanced), sk.get.enhanced(published))
