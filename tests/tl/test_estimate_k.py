from __future__ import annotations

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import sccase_kit as sk


@pytest.fixture
def study():
    return sk.datasets.simulate(200, 1500, n_types=4, rng=0)


def test_result_and_slots(study, tmp_path):
    k = sk.tl.estimate_k(study, min_fraction=0.02)
    assert 3 <= k <= 9
    entry = study.uns["estimate_k"]
    assert entry["n_types"] == k
    assert abs(entry["votes"]["silhouette"] - 4) <= 1
    assert list(entry["curves"]["k"]) == list(range(3, 15))
    assert int(np.ceil(np.mean(list(entry["votes"].values())))) == k
    study.write_h5ad(tmp_path / "a.h5ad")
    back = anndata.read_h5ad(tmp_path / "a.h5ad")
    assert list(back.uns["estimate_k"]["curves"].columns) == list(entry["curves"].columns)


def test_deterministic_and_writes_nothing_on_request(study):
    first = sk.tl.estimate_k(study, rng=5, key_added=None)
    assert "estimate_k" not in study.uns
    assert sk.tl.estimate_k(study, rng=5, key_added=None) == first
    sk.tl.estimate_k(study, rng=np.random.default_rng(1), k_values=[2, 3, 4])


def test_entries_stored_twice_are_one_peak(study):
    """Every third count of 2 or more is held as two entries, which binarised would count twice."""
    expected = sk.tl.estimate_k(study)
    curves = study.uns["estimate_k"]["curves"]
    coo = study.X.tocoo()
    split = np.flatnonzero(coo.data > 1)[::3]
    assert len(split) > 100
    data = np.concatenate([coo.data, np.ones(len(split), dtype=coo.dtype)])
    data[split] -= 1
    row, col = (np.concatenate([part, part[split]]) for part in (coo.row, coo.col))
    order = np.argsort(row, kind="stable")
    pointers = np.r_[0, np.cumsum(np.bincount(row, minlength=study.n_obs))]
    study.X = sparse.csr_matrix((data[order], col[order], pointers), shape=study.shape)
    assert sk.tl.estimate_k(study) == expected
    pd.testing.assert_frame_equal(study.uns["estimate_k"]["curves"], curves)


def test_empty_cells_and_subsets(study):
    dense = study.X.toarray()
    dense[:3] = 0
    study.X = dense
    assert sk.tl.estimate_k(study, max_cells=150, k_values=range(2, 8)) <= 7


def test_few_cells(study):
    assert sk.tl.estimate_k(study[::6].copy(), k_values=range(2, 8)) <= 7


# what epiaster 0.0.7 returned (numpy 1.26, scipy 1.11, scikit-learn 1.4, scanpy 1.9.8; default seed):
# (data, numbers) → (estimate, knee, Davies–Bouldin, silhouette)
PUBLISHED = {
    ("bm0828", range(3, 15)): (8, 7, 13, 4),
    ("bm0828", range(2, 21)): (11, 8, 20, 4),
    ("granja_bmmc_2k", range(3, 15)): (8, 6, 14, 4),
    ("granja_bmmc_2k", range(2, 21)): (9, 6, 16, 4),
    ("scabc_bj_tf1", range(3, 15)): (5, 7, 4, 3),
    ("scabc_bj_tf1", range(2, 21)): (8, 9, 13, 2),
}


@pytest.mark.parametrize(("name", "numbers"), PUBLISHED, ids=[f"{n}-{max(r)}" for n, r in PUBLISHED])
def test_within_one_of_the_published_program(shared_data, name, numbers):
    adata = anndata.read_h5ad(shared_data / f"{name}.h5ad")
    k = sk.tl.estimate_k(adata, k_values=numbers)
    expected, knee, davies_bouldin, silhouette = PUBLISHED[name, numbers]
    votes = adata.uns["estimate_k"]["votes"]
    assert abs(k - expected) <= 1
    assert abs(votes["silhouette"] - silhouette) <= 1
    assert abs(votes["knee"] - knee) <= 2
    assert abs(votes["davies_bouldin"] - davies_bouldin) <= 3


def test_errors(study):
    with pytest.raises(ValueError, match="at least two numbers"):
        sk.tl.estimate_k(study, k_values=[4])
    with pytest.raises(ValueError, match="k_values must be at least 2"):
        sk.tl.estimate_k(study, k_values=[1, 2])
    with pytest.raises(ValueError, match="only 10 cells"):
        sk.tl.estimate_k(study[:10].copy())
    study.X = study.X * 0
    with pytest.raises(ValueError, match="no nonzero value"):
        sk.tl.estimate_k(study)


def test_plot(study):
    sk.tl.estimate_k(study, k_values=range(2, 8))
    panels = sk.pl.estimate_k(study)
    assert [ax.get_ylabel() for ax in panels] == ["k-means inertia", "Davies–Bouldin score", "silhouette"]
    np.testing.assert_array_equal(panels[0].lines[0].get_xdata(), range(2, 8))
    with pytest.raises(KeyError, match="estimate_k first"):
        sk.pl.estimate_k(study, key="other")
