"""The paper's equations through the front: what is written, read back, refused, and what a reference does."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import sccase_kit as sk
from sccase_kit.cli import main
from sccase_kit.enhance.paper import PaperModel, fit_paper
from sccase_kit.enhance.paper_start import matched_scale, paper_similarity, paper_tfidf, paper_weights


@pytest.fixture(scope="module")
def study():
    adata = sk.datasets.toy_study(n_cells=80, n_peaks=300).adata
    sk.pp.filter_peaks(adata)
    return adata


def test_it_is_the_numerics_from_the_printed_start(study):
    done = sk.tl.enhance(study, 4, solver="paper", max_iter=5, rng=3, copy=True)
    counts = sparse.csr_matrix(study.X, dtype=float)
    x, z = paper_tfidf(counts, paper_weights(counts)), paper_similarity(counts)
    w, h = sk.enhance.published_nmf(x, 4, max_iter=1000)
    scale = matched_scale(h, z)
    mask = np.random.default_rng(3).binomial(1, 0.95, size=z.shape).astype(float)
    fit = fit_paper(PaperModel(x, mask), (w / scale, h * scale, z), max_iter=5)
    np.testing.assert_allclose(done.uns["sccase"]["objective"], fit.objective)
    np.testing.assert_allclose(done.obsp["sccase_similarity"], fit.similarity, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(done.layers["sccase"], (x @ fit.similarity).T, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(done.obsm["X_sccase"], fit.embedding.T, rtol=1e-6)
    np.testing.assert_allclose(done.varm["sccase_projection"], fit.projection, rtol=1e-6)
    found = done.uns["sccase"]
    assert found["params"]["method"] == "paper"
    assert (found["n_iter"], found["converged"]) == (5, False)
    assert found["steps_without_descent_w"] == fit.kept["w"]


@pytest.mark.parametrize("tfidf", ["printed", "program"])
def test_its_counts_are_those_of_the_cells(study, tfidf):
    method = sk.enhance.Paper(4, tfidf=tfidf, max_iter=3)
    done = sk.tl.enhance(study, method=method, copy=True)
    depth = np.asarray(study.X.sum(axis=1)).ravel()
    np.testing.assert_allclose(sk.get.enhanced(done, scale="counts").sum(axis=1), depth, rtol=1e-5)
    # a weighted mean of the cells' counts, each over a number of its cell
    weights = (
        paper_weights(sparse.csr_matrix(study.X)) if tfidf == "printed" else sk.enhance.prepare(study.X).op.col_scale
    )
    counts = study.X.toarray() * (weights > 0)
    sizes = depth if tfidf == "printed" else np.linalg.norm(counts * weights, axis=1)
    mean = done.obsp["sccase_similarity"].T @ (counts / sizes[:, None])
    ours = sk.get.enhanced(done, scale="accessibility") * (weights > 0)
    expected = mean / mean.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(ours / ours.sum(axis=1, keepdims=True), expected, rtol=1e-3, atol=1e-7)


def test_peaks_with_more_counts_than_cells_have_weight_0(study):
    adata = study.copy()
    counts = adata.X.toarray()
    counts[:, 0] = 2
    counts[:2, 0] = 0
    adata.X = sparse.csr_matrix(counts)
    sk.tl.enhance(adata, method=sk.enhance.Paper(4, max_iter=2))
    assert not adata.layers["sccase"][:, 0].any()
    assert adata.varm["sccase_idf"][0, 0] == 0
    shares = sk.get.enhanced(adata, scale="accessibility", var_names=[0])
    np.testing.assert_allclose(shares, 1e4 * counts[:, 0].sum() / counts.sum(), rtol=1e-5)
    adata.X = sparse.csr_matrix(100 * counts)
    with pytest.raises(ValueError, match="at least as many counts as there are cells"):
        sk.tl.enhance(adata, method=sk.enhance.Paper(4), layer=None)


def test_the_reference_acts_through_alpha(study):
    reference = sk.pp.pseudobulk(study, groupby="cell_type")
    away = []
    for alpha in (0.0, 1.0, 1e3):
        method = sk.enhance.Paper(3, alpha=alpha, max_iter=8, mask="expected")
        done = sk.tl.enhance(study, reference=reference, method=method, copy=True)
        k1 = reference.n_obs
        assert done.obsm["X_sccase"].shape[1] == 3 + k1
        first = np.asarray(done.varm["sccase_projection"][:, :k1], dtype=float)
        start = sk.enhance.published_nmf(
            paper_tfidf(sparse.csr_matrix(reference.X), paper_weights(sparse.csr_matrix(study.X))), k1, max_iter=1000
        )[0]
        scale = np.sum(first * start) / np.sum(start**2)
        away.append(np.linalg.norm(first - scale * start) / np.linalg.norm(first))
    assert away[0] > away[1] > away[2]
    assert away[2] < 0.01


def test_starts_and_masks_are_drawn_from_rng(study):
    def fit(rng, **options):
        return sk.tl.enhance(study, method=sk.enhance.Paper(4, max_iter=2, **options), rng=rng, copy=True)

    for options in ({}, {"z_start": "random"}, {"h_start": "random"}):
        ones = [fit(seed, **options).layers["sccase"] for seed in (0, 0, 1)]
        np.testing.assert_array_equal(ones[0], ones[1])
        assert not np.array_equal(ones[0], ones[2])
    expected = [fit(seed, mask="expected").layers["sccase"] for seed in (0, 1)]
    np.testing.assert_array_equal(*expected)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"depth": True}, r"solver='paper' cannot use depth; methods that can: \['robust'"),
        ({"batch_key": "batch"}, "solver='paper' cannot use batch_key"),
        ({"method": "robust"}, "solver='paper' is scCASE as the paper prints it; method='robust' needs solver='thin'"),
        ({"method": sk.enhance.Knn}, "solver='paper' is scCASE as the paper prints it; method='knn' needs"),
        ({"max_iter": 0}, "max_iter must be at least 1"),
    ],
)
def test_what_it_cannot_do_is_refused(study, arguments, why):
    with pytest.raises(ValueError, match=why):
        sk.tl.enhance(study, 4, solver="paper", copy=True, **arguments)


def test_large_data_are_refused_before_they_are_read(study, monkeypatch):
    monkeypatch.setattr("sccase_kit.enhance.methods.paper.CELLS", 79)
    with pytest.raises(ValueError, match=r"at most 79 cells .* 80 cells × .* peaks: use method='sccase'"):
        sk.tl.enhance(study, 4, method="paper")
    monkeypatch.setattr("sccase_kit.enhance.methods.paper.CELLS", 80)
    monkeypatch.setattr("sccase_kit.enhance.methods.paper.ENTRIES", 1000)
    with pytest.raises(ValueError, match="1,000 entries"):
        sk.tl.enhance(study, 4, method="paper")


def test_the_command_line_has_it(study, tmp_path, capsys):
    study.write_h5ad(tmp_path / "counts.h5ad")
    code = main(
        ["enhance", str(tmp_path / "counts.h5ad"), "-o", str(tmp_path / "e.h5ad"), "-k", "4", "--method", "paper"]
    )
    assert code == 0
    assert "paper" in capsys.readouterr().out
    done = sk.read(tmp_path / "e.h5ad")
    np.testing.assert_allclose(done.obsp["sccase_similarity"].sum(axis=0), 1, rtol=1e-5)
