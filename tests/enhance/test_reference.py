"""The reference: comparable groups, their peaks, the cells that resemble them, and that it helps."""

import anndata as ad
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.stats import rankdata

import sccase_kit as sk
from sccase_kit.enhance import prepare
from sccase_kit.enhance.graph import smoothing_kernel
from sccase_kit.enhance.reference import (
    MAX_PEAKS,
    group_peaks,
    quantile_normalised,
    reference_memberships,
    reference_weight,
    with_reference,
)
from sccase_kit.metrics import silhouette
from sccase_kit.metrics.evaluation import profiles_of, score_clustering


def bulk(study, rng, *, depth=200):
    """Return bulk counts of every type: other yields of the peaks and other depths than in the cells."""
    openness = np.asarray(study.adata.varm["openness"]).T
    yields = rng.gamma(5, 0.2, size=(1, openness.shape[1]))
    depths = rng.uniform(0.3, 3, size=(len(openness), 1))
    counts = rng.poisson(depth * openness * yields * depths).astype(np.float32)
    reference = ad.AnnData(counts)
    reference.var_names = study.adata.var_names
    reference.obs_names = [f"bulk_{name}" for name in study.adata.obs["cell_type"].cat.categories]
    return reference


@pytest.fixture(scope="module")
def study():
    return sk.datasets.toy_study(rng=3)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), groups=st.integers(1, 6))
def test_every_group_gets_the_same_distribution_in_its_own_order(seed, groups):
    x = np.random.default_rng(seed).gamma(1, 5, size=(groups, 40))
    q = quantile_normalised(x)
    np.testing.assert_allclose(np.sort(q, axis=1), np.tile(np.sort(np.log1p(x), axis=1).mean(axis=0), (groups, 1)))
    np.testing.assert_array_equal(rankdata(q, axis=1), rankdata(x, axis=1))


def test_ties_stay_ties():
    q = quantile_normalised(np.array([[0, 0, 3, 0, 7.0], [1, 2, 3, 4, 5.0]]))
    assert len(set(q[0, [0, 1, 3]])) == 1


def test_peaks_are_those_that_stand_out_whatever_the_depth():
    rng = np.random.default_rng(0)
    x = rng.gamma(2, 1, size=(3, 600))
    for g in range(3):
        x[g, 30 * g : 30 * (g + 1)] += 40
    found = group_peaks(x * [[1], [20], [0.1]], 3, rng=rng).toarray()
    np.testing.assert_allclose(found.sum(axis=0), 1)
    for g in range(3):
        assert set(np.flatnonzero(found[:, g])) == set(range(30 * g, 30 * (g + 1)))


def test_number_of_peaks_has_a_limit():
    rng = np.random.default_rng(0)
    found = group_peaks(rng.gamma(2, 1, size=(2, 40 * MAX_PEAKS)), 2, rng=rng)
    assert (np.diff(found.indptr) == MAX_PEAKS).all()


def test_fewer_components_than_groups_are_shared_programs():
    rng = np.random.default_rng(0)
    x = rng.gamma(2, 0.1, size=(4, 1000))
    x[:2, :50] += 30
    x[2:, 50:100] += 30
    found = group_peaks(x, 2, rng=rng).toarray()
    parts = {frozenset(np.flatnonzero(column)) for column in found.T}
    assert parts == {frozenset(range(50)), frozenset(range(50, 100))}


def test_groups_that_do_not_differ_stand_for_nothing():
    assert group_peaks(np.ones((3, 50)), 3, rng=np.random.default_rng(0)).nnz == 0


def members_of(study, reference, *, codes=None, n_reference=None):
    data = prepare(study.adata.X)
    sk.tl.enhance(study.adata, 8, method="sccase")
    kernel = smoothing_kernel(study.adata.obsm["X_sccase"])
    n = n_reference or reference.n_obs
    counts = np.asarray(reference.X, dtype=float)
    rng = np.random.default_rng(0)
    return reference_memberships(data.op, counts, n, kernel=kernel, codes=codes, rng=rng)


def test_cells_belong_to_the_group_of_their_type(study):
    members = members_of(study, bulk(study, np.random.default_rng(0)))
    truth = study.adata.obs["cell_type"].cat.codes.to_numpy()
    assert (members.argmax(axis=1) == truth).mean() > 0.85
    np.testing.assert_allclose(members.sum(axis=1), 1, rtol=1e-6)


def test_order_of_the_groups_is_that_of_the_reference(study):
    reference = bulk(study, np.random.default_rng(0))
    order = [3, 0, 4, 1, 2]
    np.testing.assert_allclose(members_of(study, reference[order].copy()), members_of(study, reference)[:, order])


def test_groups_without_cells_stay_empty(study):
    reference = bulk(study, np.random.default_rng(0))
    alien = ad.AnnData(np.vstack([reference.X, np.roll(reference.X[:1], 997, axis=1) * 0 + 1.0]).astype(np.float32))
    members = members_of(study, alien)
    assert members.shape[1] == 6
    assert (members[:, 5] == 0).all()


def test_batches_are_compared_within_themselves(study):
    codes = study.adata.obs["batch"].cat.codes.to_numpy()
    members = members_of(study, bulk(study, np.random.default_rng(0)), codes=codes)
    truth = study.adata.obs["cell_type"].cat.codes.to_numpy()
    assert (members.argmax(axis=1) == truth).mean() > 0.85


def test_share_of_the_reference_in_the_start():
    h, members = np.array([[1.0, 1.0], [0.5, 0.0]]), np.array([[1.0, 0.0], [0.5, 0.5]])
    found = with_reference(h, members, 1.0)
    np.testing.assert_allclose(found, [[1.0, 0, 1, 1], [0.125, 0.125, 0.5, 0]])
    assert with_reference(h, members, 0.0)[:, :2].sum() == 0
    assert reference_weight(3.0) == 0.75


def quality(adata, **options):
    sk.tl.enhance(adata, **options)
    profiles, labels = profiles_of(adata, key="sccase", scale="minmax"), adata.obs["cell_type"].astype(str).to_numpy()
    ari = np.mean([score_clustering(profiles, labels, rng=seed)["ari"] for seed in range(2)])
    return ari, silhouette(labels, profiles.cells, profiles.peaks)


@pytest.mark.parametrize("options", [{}, {"method": "sccase", "n_components": 5}], ids=["robust", "sccase"])
def test_informative_reference_helps_on_sparse_data(options):
    gains = []
    for seed in range(5):
        study = sk.datasets.toy_study(n_cells=400, capture=0.05, rng=seed)
        reference = bulk(study, np.random.default_rng(seed))
        adata = study.adata
        sk.pp.filter_peaks(adata)
        without = quality(adata, rng=seed, **options)
        gains.append(np.subtract(quality(adata, reference=reference, rng=seed, **options), without))
    ari, width = np.mean(gains, axis=0)
    assert ari > 0.02
    assert width > 0.02


@pytest.mark.parametrize("method", ["robust", "sccase"])
def test_components_of_the_reference_come_first_and_look_like_it(study, method):
    reference = bulk(study, np.random.default_rng(0))
    adata = study.adata.copy()
    sk.tl.enhance(adata, 5, reference, method=method)
    assert adata.uns["sccase"]["params"]["n_reference"] == 5
    projection = adata.varm["sccase_projection"][:, :5]
    lead = quantile_normalised(np.asarray(reference.X, dtype=float))
    lead -= lead.mean(axis=0)
    own = projection - projection.mean(axis=1, keepdims=True)
    correlation = np.corrcoef(own.T, lead)[:5, 5:]
    assert (correlation.argmax(axis=1) == np.arange(5)).all(), correlation.round(2)


def test_alpha_zero_is_no_reference(study):
    reference = bulk(study, np.random.default_rng(0))
    a, b = study.adata.copy(), study.adata.copy()
    sk.tl.enhance(a, 5, method="sccase")
    sk.tl.enhance(b, 5, reference, alpha=0.0, method="sccase")
    assert np.abs(b.obsm["X_sccase"][:, :5]).max() == 0
    np.testing.assert_allclose(
        sk.get.enhanced(b, obs_names=slice(0, 20)), sk.get.enhanced(a, obs_names=slice(0, 20)), rtol=0.02, atol=1e-4
    )


def test_fewer_components_by_request(study):
    reference = bulk(study, np.random.default_rng(0))
    adata = study.adata.copy()
    sk.tl.enhance(adata, 5, reference, n_reference=3, method="sccase")
    assert adata.obsm["X_sccase"].shape[1] == 8
    with pytest.raises(ValueError, match="n_reference"):
        sk.tl.enhance(adata, 5, reference, n_reference=6)


def test_single_group_is_refused(study):
    reference = bulk(study, np.random.default_rng(0))[:1].copy()
    before = set(study.adata.uns)
    with pytest.raises(ValueError, match="reference has one group"):
        sk.tl.enhance(study.adata, 5, reference)
    assert set(study.adata.uns) == before
    assert sparse.issparse(study.adata.X)
