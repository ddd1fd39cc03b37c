"""The products on a PyTorch device against the dense ones, and the fits with them."""

from __future__ import annotations

import numpy as np
import pytest

import sccase_kit as sk
from sccase_kit.enhance import ScaledOperator
from sccase_kit.matrix import operator as module
from sccase_kit.matrix.torch_block import TorchBlock

torch = pytest.importorskip("torch", reason="PyTorch (extra gpu) is not installed: pip install 'sccase_kit[gpu]'")
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"))]


@pytest.fixture(scope="module")
def study():
    return sk.datasets.toy_study(n_cells=200, n_peaks=800, rng=3).adata


@pytest.fixture
def counts(study):
    return study.X.tocsr()


@pytest.fixture(params=["in memory", "streamed"])
def stored(request, study, counts, tmp_path):
    if request.param == "in memory":
        return counts
    study.write_h5ad(tmp_path / "c.h5ad")
    return sk.read(tmp_path / "c.h5ad", backed=True).X


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("dtype", "tol"), [(np.float32, 1e-4), (np.float64, 1e-11)])
@pytest.mark.parametrize("parts", [1, 3])
def test_products(stored, counts, device, dtype, tol, parts, monkeypatch):
    monkeypatch.setattr(module, "NNZ_PER_BLOCK", counts.nnz // parts + 1)
    rng = np.random.default_rng(0)
    n, m = counts.shape
    row, col, right, left = rng.random(n), rng.random(m), rng.standard_normal((m, 3)), rng.standard_normal((n, 5))
    op = ScaledOperator(stored, row, col, dtype=dtype, device=device)
    if op.in_memory:
        assert len(op._row_blocks) == parts
        assert all(isinstance(block, TorchBlock) for _, block in op._row_blocks)
    dense = row[:, None] * counts.toarray() * col
    np.testing.assert_allclose(op.matmul(right), dense @ right, atol=tol)
    np.testing.assert_allclose(op.rmatmul(left), dense.T @ left, atol=tol)
    np.testing.assert_allclose(op.row_sq_norms(), (dense**2).sum(axis=1), rtol=1e-6)
    binary = op.binarized()
    assert binary.device == device
    ones = row[:, None] * (counts.toarray() > 0) * col
    np.testing.assert_allclose(binary.matmul(right), ones @ right, atol=tol)
    new, back = op.sweep(right, lambda rows, product: left[rows, :2] * product[:, :2], n_left=2)
    assert new.dtype == back.dtype == dtype
    np.testing.assert_allclose(new, left[:, :2] * (dense @ right)[:, :2], atol=10 * tol)
    np.testing.assert_allclose(back, dense.T @ new, atol=10 * tol)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("method", "n_components"), [("sccase", 6), ("robust", "auto")])
def test_fit_equals_that_of_the_cpu(study, device, method, n_components):
    adata = study.copy()
    options = {"method": method, "dtype": "float64"}
    sk.tl.enhance(adata, n_components, **options)
    expected = sk.get.enhanced(adata)
    before = adata.X.copy()
    sk.tl.enhance(adata, n_components, device=device, **options)
    assert adata.uns["sccase"]["params"]["device"] == device
    np.testing.assert_allclose(sk.get.enhanced(adata), expected, rtol=1e-4, atol=1e-5 * expected.max())
    assert (adata.X != before).nnz == 0


@pytest.mark.parametrize("device", ["nonsense", "meta", 1.5])
def test_unusable_device(device):
    adata = sk.datasets.toy_study(n_cells=60, n_peaks=300).adata
    with pytest.raises(ValueError, match=r"PyTorch .* cannot work on device=.*available: 'cpu'"):
        sk.tl.enhance(adata, 4, device=device)
    assert "sccase" not in adata.uns


def test_published_program_has_no_device():
    adata = sk.datasets.toy_study(n_cells=60, n_peaks=300).adata
    with pytest.raises(ValueError, match="device='cpu' needs solver='thin'"):
        sk.tl.enhance(adata, 4, solver="published", device="cpu")
