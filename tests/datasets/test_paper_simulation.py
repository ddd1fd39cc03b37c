from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse, stats

import sccase_kit as sk
from sccase_kit.datasets._paper_simulation import overestimated_t, welch_t


def test_welch_t_by_hand():
    rng = np.random.default_rng(0)
    counts = rng.poisson(rng.uniform(0, 1.5, 30), (60, 30))
    counts[:, 0] = 0
    codes = np.repeat([0, 1, 2], [10, 20, 30])
    t = welch_t(sparse.csr_matrix(counts), codes, 3)
    for k in range(3):
        for peak in range(30):
            inside, outside = counts[codes == k, peak] > 0, counts[codes != k, peak] > 0
            error = np.sqrt(inside.var(ddof=1) / len(inside) + outside.var(ddof=1) / len(outside))
            expected = (inside.mean() - outside.mean()) / error if error > 0 else 0
            assert t[k, peak] == pytest.approx(expected)
    assert (t[:, 0] == 0).all()


@pytest.fixture(scope="module")
def paper():
    return sk.datasets.paper_simulation()


def test_shape_as_the_paper_describes(paper):
    assert paper.shape == (2500, 15_000)
    assert paper.obs["cell_type"].value_counts().tolist() == [500] * 5
    assert paper.var["specific_to"].value_counts().to_dict() == {f"type_{i}": 3000 for i in range(1, 6)}
    assert isinstance(paper.X, sparse.csr_matrix)
    assert isinstance(paper.layers["truth"], sparse.csr_matrix)
    assert 0.02 < paper.X.nnz / np.prod(paper.shape) < 0.15
    assert np.array_equal(paper.obs["depth"], np.asarray(paper.X.sum(axis=1)).ravel())
    assert paper.var_names.is_unique


def test_peaks_are_more_open_in_the_type_they_were_picked_for(paper):
    for name in paper.obs["cell_type"].cat.categories:
        cells = (paper.obs["cell_type"] == name).to_numpy()
        own = (paper.var["specific_to"] == name).to_numpy()
        truth = paper.layers["truth"][:, own]
        inside = np.asarray(truth[cells].mean(axis=0)).ravel()
        outside = np.asarray(truth[~cells].mean(axis=0)).ravel()
        assert (inside > outside).mean() > 0.97
        assert inside.mean() > 1.5 * outside.mean()


def test_the_ranking_is_that_of_episcanpy():
    """By scipy, as scanpy's "t-test_overestim_var", which EpiScanpy calls, computes it; the rest counts as the type."""
    adata = sk.datasets.toy_study(n_cells=90, n_peaks=100).adata
    codes = adata.obs["cell_type"].cat.codes.to_numpy()
    dense = adata.X.toarray()
    depth = dense.sum(axis=1)
    logs = np.log1p(dense / depth[:, None] * np.median(depth))
    found = overestimated_t(adata.X, codes, codes.max() + 1)
    for code, row in enumerate(found):
        inside, rest = logs[codes == code], logs[codes != code]
        n = len(inside)
        with np.errstate(invalid="ignore"):
            expected = stats.ttest_ind_from_stats(
                inside.mean(axis=0),
                inside.std(axis=0, ddof=1),
                n,
                rest.mean(axis=0),
                rest.std(axis=0, ddof=1),
                n,
                False,
            ).statistic
        np.testing.assert_allclose(row, np.nan_to_num(expected), rtol=1e-9)


def test_the_set_after_simcas(monkeypatch):
    for name, value in (("_CANDIDATES_PER_TYPE", 300), ("_DA_PER_TYPE", 120), ("_CELLS_PER_TYPE", 40)):
        monkeypatch.setattr(f"sccase_kit.datasets._paper_simulation.{name}", value)
    real = sk.datasets.toy_study(n_cells=150, n_peaks=1500).adata
    for source in (None, real):
        adata = sk.datasets.paper_simulation(model="simcas", source=source, rng=2)
        assert adata.shape == (200, 600)
        assert adata.var["specific_to"].value_counts().to_dict() == dict.fromkeys("ABCDE", 120)
        assert np.array_equal(adata.obs["depth"], np.asarray(adata.X.sum(axis=1)).ravel())
        means = adata.to_df().groupby(adata.obs["cell_type"], observed=True).mean()
        depth = adata.obs.groupby("cell_type", observed=True)["depth"].mean()
        own = [(means.div(depth, axis=0)[peak].idxmax() == kind) for peak, kind in adata.var["specific_to"].items()]
        assert np.mean(own) > 0.6
    with pytest.raises(ValueError, match="source is what model='simcas' learns from"):
        sk.datasets.paper_simulation(source=real)
    with pytest.raises(ValueError, match="model must be one of"):
        sk.datasets.paper_simulation(model="simCAS2")
