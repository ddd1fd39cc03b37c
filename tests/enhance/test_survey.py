"""One read of large data that gives norms, keys, sums and a sample."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest
from scipy import sparse

import sccase_kit as sk
from sccase_kit.enhance import nmf, preparation, survey
from sccase_kit.enhance.extension import extended_embedding
from sccase_kit.enhance.keys import data_keys, drawn
from sccase_kit.enhance.preparation import prepared
from sccase_kit.enhance.survey import SampledCells, free_samples, n_wide, sample_of, survey_of
from sccase_kit.matrix.operator import ScaledOperator

SALT = 7


@pytest.fixture
def counts():
    matrix = sparse.random(300, 90, 0.2, format="csr", random_state=0)
    matrix.data = np.random.default_rng(0).integers(0, 4, matrix.nnz)  # some stored zeros
    return matrix


@pytest.fixture(params=["memory", "stored"])
def data(request, counts, tmp_path, monkeypatch):
    monkeypatch.setattr(preparation, "SMALL", 200)
    for name, value in {"SAMPLED": 100, "_FEW": 60}.items():
        monkeypatch.setattr(survey, name, value)
    monkeypatch.setattr(sk.settings, "block_bytes", 20_000)
    if request.param == "memory":
        return prepared(counts, salt=SALT)
    ad.AnnData(counts).write_h5ad(tmp_path / "counts.h5ad")
    return prepared(ad.read_h5ad(tmp_path / "counts.h5ad", backed="r").X, salt=SALT)


def test_norms_keys_and_sums_are_those_of_reads_of_their_own(data, counts):
    found, plain = survey_of(data.op), ScaledOperator(counts, None, data.op.col_scale)
    keys = data_keys(plain)
    np.testing.assert_array_equal(data_keys(data.op).cells, keys.cells)
    np.testing.assert_array_equal(data_keys(data.op).peaks, keys.peaks)
    scaled = counts.toarray() * data.op.col_scale
    opened = (counts.toarray() > 0) * data.op.col_scale
    np.testing.assert_allclose(found.squares, (scaled**2).sum(axis=1))
    np.testing.assert_allclose(found.open_squares, (opened**2).sum(axis=1))
    np.testing.assert_allclose(found.unit_sums, (opened / np.linalg.norm(opened, axis=1, keepdims=True)).sum(axis=0))
    np.testing.assert_allclose(data.op.row_scale, 1 / np.linalg.norm(scaled, axis=1))
    other = survey_of(data.op.with_scales(np.ones(300), 2 * data.op.col_scale))
    np.testing.assert_allclose(other.open_squares, 4 * found.open_squares)


def test_the_sample_is_drawn_by_keys_and_not_read_again(data, counts, monkeypatch):
    if not data.op.in_memory:
        monkeypatch.setattr(type(data.op), "iter_stored", None)
    sample = sample_of(data.op, np.random.default_rng(0))
    np.testing.assert_array_equal(sample.kept, drawn(data_keys(data.op).cells, 100, SALT))
    np.testing.assert_array_equal(sample.op.stored().toarray(), counts[sample.kept].toarray())
    np.testing.assert_array_equal(sample.op.row_scale, data.op.row_scale[sample.kept])
    assert sample_of(data.op, np.random.default_rng(1)) is sample


def test_more_of_shallow_cells_are_drawn_and_freed(data, counts, monkeypatch):
    monkeypatch.setattr(survey, "ENTRIES", -(-data.nnz * 6 // 10) + 1)
    assert n_wide(data.op) == 180
    wide, few = (sample_of(data.op, np.random.default_rng(0), wide=wide) for wide in (True, False))
    assert wide.kept.sum() == 180
    assert few.kept.sum() == 100
    assert wide.kept[few.kept].all()
    np.testing.assert_array_equal(few.op.stored().toarray(), counts[few.kept].toarray())
    free_samples(data.op, wide=True)
    assert list(data.op.memo["samples"]) == [100]
    free_samples(data.op)
    assert not data.op.memo["samples"]
    monkeypatch.setattr(survey, "ENTRIES", data.nnz)
    assert sample_of(data.op, np.random.default_rng(0), wide=True).op is data.op


def test_many_equal_cells_are_read_again(monkeypatch, tmp_path):
    monkeypatch.setattr(preparation, "SMALL", 200)
    for name, value in {"SAMPLED": 40, "_FEW": 0}.items():
        monkeypatch.setattr(survey, name, value)
    one = sparse.random(1, 60, 0.3, format="csr", random_state=0)
    others = sparse.random(50, 60, 0.3, format="csr", random_state=1)
    counts = (sparse.vstack([one] * 250 + [others], format="csr") > 0).astype(np.int32)
    ad.AnnData(counts).write_h5ad(tmp_path / "counts.h5ad")
    stored = ad.read_h5ad(tmp_path / "counts.h5ad", backed="r").X
    for salt in range(8):  # the equal cells are all kept, or none
        sample = sample_of(prepared(stored, salt=salt).op, np.random.default_rng(0))
        np.testing.assert_array_equal(sample.op.stored().toarray(), counts[sample.kept].toarray())
        assert sample.kept.sum() == 40


def test_components_of_a_sample_extended_are_near_those_of_all():
    assert nmf.SMALL > 600  # the sample's own are those of the block Lanczos method
    adata = sk.datasets.simulate(600, 1500, mode="discrete", n_types=4, library_size=300, rng=0)
    opened = (adata.X > 0).astype(np.float32).tocsr()
    n_open = np.asarray(opened.sum(axis=0)).ravel()
    scale = np.where(n_open > 0, np.log(600 / np.maximum(n_open, 1)), 0)
    dense = opened.toarray() * scale
    norms = np.linalg.norm(dense, axis=1)
    op = ScaledOperator(opened, 1 / norms, scale)
    unit = dense / norms[:, None]
    affinity = unit @ unit.T - np.eye(600)
    degree = affinity.sum(axis=1)
    values, vectors = np.linalg.eigh(affinity / np.sqrt(np.outer(degree, degree)))
    for share, size_error, angle in ((1.0, 1e-3, 0.9999), (0.4, 0.04, 0.995)):
        kept = np.random.default_rng(0).random(600) < share
        sample = SampledCells(kept, op.with_rows(kept))
        found, sizes = extended_embedding(op, unit.sum(axis=0), sample, 10, rng=np.random.default_rng(0))
        np.testing.assert_allclose(np.linalg.norm(found, axis=0), 1, rtol=1e-5)
        assert np.abs(found.T @ vectors[:, -1]).max() < 1e-4  # the trivial one is left out
        np.testing.assert_allclose(sizes[:3], values[::-1][1:4], rtol=size_error)
        assert np.linalg.svd(found[:, :3].T @ vectors[:, ::-1][:, 1:4])[1].min() > angle
        assert (np.diff(sizes) <= 0).all()
