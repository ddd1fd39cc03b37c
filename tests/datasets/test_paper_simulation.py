from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import sccase_kit as sk
from sccase_kit.datasets._paper_simulation import welch_t


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
