from __future__ import annotations

import anndata as ad
import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import silhouette_score

import sccase_kit as sk
from sccase_kit.datasets import _simulate_counts
from sccase_kit.datasets._simulate_counts import expected_fragments, thin


@pytest.fixture(scope="module")
def discrete():
    return sk.datasets.simulate(400, 3000)


def slow_expectation(adata, activation):
    """Independent reference, entry by entry, for a few cells."""
    params = adata.uns["simulation"]["params"]
    rows = []
    for i in range(3):
        scores = []
        for j in range(adata.n_vars):
            score = adata.var["offset"].iloc[j]
            for k in range(adata.obsm["latent"].shape[1]):
                score += adata.obsm["latent"][i, k] * adata.varm["loadings"][j, k]
            if "batch_shift" in adata.varm:
                score += adata.varm["batch_shift"].iloc[j][adata.obs["batch"].iloc[i]]
            scores.append(np.exp(score) if activation == "exp" else 1 / (1 + np.exp(-score)))
        rows.append(np.array(scores) / np.sum(scores) * params["library_size"] / params["capture"])
    return np.array(rows)


@pytest.mark.parametrize("activation", ["exp", "sigmoid"])
@pytest.mark.parametrize("mode", ["discrete", "batch"])
def test_expectation(mode, activation):
    adata = sk.datasets.simulate(30, 80, mode=mode, activation=activation)
    expected = sk.datasets.simulated_expectation(adata)
    assert np.allclose(expected[:3], slow_expectation(adata, activation), rtol=1e-10)
    block = sk.datasets.simulated_expectation(
        adata, obs_names=list(adata.obs_names[[5, 2]]), var_names=list(adata.var_names[[7]])
    )
    assert np.allclose(block, expected[[5, 2]][:, [7]])


def test_truth_is_poisson_around_the_expectation(discrete):
    expected = sk.datasets.simulated_expectation(discrete)
    residual = discrete.layers["truth"].toarray() - expected
    assert abs(residual.mean()) < 4 * np.sqrt(expected.mean() / expected.size)
    pearson = residual**2 / expected
    # variance of one entry: 2 + 1 / lambda
    assert pearson.mean() == pytest.approx(1, abs=4 * np.sqrt((2 + 1 / expected).mean() / expected.size))
    zeros = (discrete.layers["truth"].toarray() == 0).mean()
    assert zeros == pytest.approx(np.exp(-expected).mean(), abs=0.002)


def test_observed_counts_are_the_truth_thinned(discrete):
    observed, truth = discrete.X, discrete.layers["truth"]
    assert isinstance(observed, sparse.csr_matrix)
    assert isinstance(truth, sparse.csr_matrix)
    assert observed.dtype == truth.dtype == np.int32
    assert (truth - observed).min() >= 0
    assert observed.sum() / truth.sum() == pytest.approx(0.25, rel=0.1)
    assert np.array_equal(discrete.obs["depth"], np.asarray(observed.sum(axis=1)).ravel())
    assert discrete.obs["depth"].mean() == pytest.approx(150, rel=0.1)
    assert np.log(discrete.obs["depth"]).std() == pytest.approx(0.4, abs=0.08)
    assert (observed.data > 0).all()


def test_discrete_clusters_differ_and_sit_on_a_tree(discrete):
    assert discrete.obs["cell_type"].value_counts().tolist() == [80] * 5
    assert silhouette_score(discrete.obsm["latent"], discrete.obs["cell_type"]) > 0.4
    assert "batch" not in discrete.obs


def test_continuous_cells_lie_along_branches():
    adata = sk.datasets.simulate(500, 500, mode="continuous", within=0.0, n_types=4)
    assert adata.obs["pseudotime"].between(0, 1).all()
    assert adata.obs["branch"].nunique() == 6
    for branch, group in adata.obs.groupby("branch", observed=True):
        assert set(group["cell_type"]) <= set(branch.split("+"))
        latent = adata[group.index].obsm["latent"]
        singular = np.linalg.svd(latent - latent.mean(axis=0), compute_uv=False)
        assert singular[1] < 1e-8 * singular[0]  # a straight segment
    early = adata.obs["pseudotime"] < 0.1
    late = adata.obs["pseudotime"] > 0.9
    norm = np.linalg.norm(adata.obsm["latent"], axis=1)
    assert norm[early].mean() < 0.3 * norm[late].mean()


def test_batches_shift_peaks_and_hold_every_type():
    adata = sk.datasets.simulate(300, 2000, mode="batch", n_types=3, n_batches=3, batch_effect=1.0)
    assert list(adata.obs["batch"].cat.categories) == ["batch_1", "batch_2", "batch_3"]
    table = adata.obs.groupby(["cell_type", "batch"], observed=False).size()
    assert table.max() - table.min() <= 1
    profile = np.vstack(
        [
            np.asarray(adata.layers["truth"][(adata.obs["batch"] == b).to_numpy()].mean(axis=0))
            for b in table.index.levels[1]
        ]
    )
    log_ratio = np.log((profile[0] + 0.01) / (profile[1] + 0.01))
    shift = adata.varm["batch_shift"]["batch_1"] - adata.varm["batch_shift"]["batch_2"]
    assert np.corrcoef(log_ratio, shift)[0, 1] > 0.8


def test_proportions():
    sizes = sk.datasets.simulate(100, 50, n_types=3, proportions=[6, 3, 1]).obs["cell_type"].value_counts()
    assert sizes.tolist() == pytest.approx([60, 30, 10], abs=2)


def test_bernoulli_is_the_presence_of_a_fragment():
    poisson = sk.datasets.simulate(60, 400, rng=2)
    bernoulli = sk.datasets.simulate(60, 400, rng=2, counts="bernoulli")
    assert (bernoulli.X != (poisson.X > 0)).nnz == 0
    assert set(bernoulli.layers["truth"].data) == {1}
    assert np.array_equal(bernoulli.obs["depth"], poisson.X.getnnz(axis=1))


def test_zero_inflation_empties_entries():
    full = sk.datasets.simulate(200, 1000, rng=1)
    inflated = sk.datasets.simulate(200, 1000, rng=1, zero_inflation=0.3)
    assert inflated.X.nnz / full.X.nnz == pytest.approx(0.7, abs=0.02)
    assert sk.datasets.simulate(20, 50, zero_inflation=1.0).X.nnz == 0


def test_results_do_not_depend_on_the_block_size(monkeypatch):
    whole = sk.datasets.simulate(50, 300, mode="batch")
    monkeypatch.setattr(_simulate_counts, "_ENTRIES_AT_ONCE", 1)
    cell_by_cell = sk.datasets.simulate(50, 300, mode="batch")
    assert (whole.X != cell_by_cell.X).nnz == 0
    assert (whole.layers["truth"] != cell_by_cell.layers["truth"]).nnz == 0


def test_equal_arguments_give_equal_data():
    first, second = sk.datasets.simulate(40, 200, rng=7), sk.datasets.simulate(40, 200, rng=np.random.default_rng(7))
    assert (first.X != second.X).nnz == 0
    assert (first.X != sk.datasets.simulate(40, 200, rng=8).X).nnz > 0


def test_peaks_have_sorted_coordinates(discrete):
    var = discrete.var
    assert var["start"].dtype == np.int64
    assert var.index.is_unique
    for _, group in var.groupby("chrom"):
        assert (group["start"].to_numpy()[1:] >= group["end"].to_numpy()[:-1]).all()


def test_survives_a_round_trip(tmp_path):
    adata = sk.datasets.simulate(20, 60, mode="batch")
    adata.write_h5ad(tmp_path / "s.h5ad")
    back = ad.read_h5ad(tmp_path / "s.h5ad")
    assert np.allclose(sk.datasets.simulated_expectation(back), sk.datasets.simulated_expectation(adata))


def test_thinning_and_extreme_scores():
    rng = np.random.default_rng(0)
    counts = sparse.csr_matrix(np.full((200, 50), 10, dtype=np.int32))
    kept = np.repeat([0.1, 1.0], 100)
    thinned = thin(counts, kept, zero_inflation=0.0, rng=rng)
    assert thinned[:100].sum() / counts[:100].sum() == pytest.approx(0.1, abs=0.01)
    assert (thinned[100:] != counts[100:]).nnz == 0
    assert (counts.data == 10).all()
    huge = expected_fragments(np.array([[1e6]]), np.array([[1.0], [0.0]]), np.zeros(2), 10.0, activation="exp")
    assert np.isfinite(huge).all()
    assert huge.sum() == pytest.approx(10)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"mode": "discret"}, ValueError, "mode must be one of .* Did you mean 'discrete'"),
        ({"activation": "relu"}, ValueError, "activation must be one of"),
        ({"counts": "normal"}, ValueError, "counts must be one of"),
        ({"n_types": 11}, ValueError, "n_cells must be at least 11, got 10"),
        ({"n_types": 2, "proportions": [1, 2, 3]}, ValueError, "proportions must be 2 positive numbers"),
        ({"n_types": 2, "proportions": [1, 0]}, ValueError, "proportions must be 2 positive numbers"),
        ({"capture": 0}, ValueError, "capture must be at least 0.001"),
        ({"capture": 1.1}, ValueError, "capture must be at most 1"),
        ({"zero_inflation": -0.1}, ValueError, "zero_inflation must be at least 0"),
        ({"library_size": 0}, ValueError, "library_size must be greater than 0"),
        ({"within": float("inf")}, ValueError, "within must be finite"),
        ({"n_batches": 20}, ValueError, "n_batches must be at most 10"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        sk.datasets.simulate(10, 20, **arguments)


def test_expectation_needs_a_whole_simulation(discrete):
    with pytest.raises(ValueError, match="2000 of the 3000 simulated peaks"):
        sk.datasets.simulated_expectation(discrete[:, :2000].copy())
    with pytest.raises(KeyError, match="1 name\\(s\\) not in adata"):
        sk.datasets.simulated_expectation(discrete, obs_names=["nobody"])
    with pytest.raises(KeyError, match="simulate"):
        sk.datasets.simulated_expectation(ad.AnnData(np.ones((2, 2))))
    with pytest.raises(TypeError, match="adata must be an AnnData"):
        sk.datasets.simulated_expectation("file.h5ad")
