import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

import sccase_kit as sk
from sccase_kit.matrix.batches import closed_peaks, open_by_batch, warn_of_closed_peaks

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.filterwarnings("ignore:The .(future.infer_string|mode.chained_assignment). option"),  # of anndata
]


@pytest.fixture(scope="module")
def apart():
    """Two batches; a tenth of the peaks is closed in all cells of the second."""
    rng = np.random.default_rng(0)
    counts = (rng.random((200, 400)) < 0.4).astype(np.int32)
    codes = np.repeat([0, 1], 100)
    counts[codes == 1, :40] = 0
    return counts, codes


@pytest.mark.parametrize("kind", ["dense", "csr", "csc", "explicit zeros", "dask"])
def test_open_cells_by_batch(apart, kind):
    counts, codes = apart
    matrix = {"dense": counts, "csr": sparse.csr_matrix(counts), "csc": sparse.csc_matrix(counts)}.get(kind)
    if kind == "explicit zeros":
        full = np.where(counts > 0, counts, 0)
        matrix = sparse.csr_matrix(np.ones_like(full))
        matrix.data = full.ravel()
    if kind == "dask":
        matrix = pytest.importorskip("dask.array").from_array(counts, chunks=(30, 400))
    found = open_by_batch(matrix, codes, 2)
    assert np.array_equal(found, [counts[:100].sum(axis=0), counts[100:].sum(axis=0)])


def test_only_peaks_that_would_be_open_are_told():
    n_open = np.array([[50, 6, 0, 40], [50, 0, 25, 0], [50, 0, 0, 44]])
    closed, told = closed_peaks(n_open)
    depth = n_open.sum(axis=1)
    for b in range(3):
        for j in range(4):
            others = n_open[:, j].sum() - n_open[b, j]
            expected = others * depth[b] / (depth.sum() - depth[b])
            assert told[b, j] == (expected >= 15)
            assert closed[b, j] == (told[b, j] and n_open[b, j] == 0)
    assert closed.sum() == 1


def test_the_batch_and_the_way_out_are_named(apart):
    counts, codes = apart
    with pytest.warns(UserWarning, match=r"40 of 400 peaks .* closed in every cell of 'b'\. .*merge_peaks"):
        warn_of_closed_peaks(sparse.csr_matrix(counts), codes, ["a", "b"])


def test_ordinary_batches_give_no_warning():
    adata = sk.datasets.toy_study(n_cells=300, n_peaks=600).adata
    labels = adata.obs["batch"]
    warn_of_closed_peaks(adata.X, labels.cat.codes.to_numpy(np.int64), list(labels.cat.categories))


def test_the_fronts_that_take_batches_warn(apart):
    counts, codes = apart
    obs = pd.DataFrame({"batch": pd.Categorical.from_codes(codes, ["a", "b"]), "type": np.tile(list("xy"), 100)})
    obs.index = obs.index.astype(str)
    adata = AnnData(sparse.csr_matrix(counts), obs=obs)
    with pytest.warns(UserWarning, match="closed in every cell of 'b'"):
        sk.tl.enhance(adata, batch_key="batch")
    with pytest.warns(UserWarning, match="closed in every cell of 'b'"):
        sk.metrics.compare({"x": adata}, "type", batch_key="batch", raw=adata)
