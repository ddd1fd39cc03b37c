"""Small planted data shared by the tests of the metrics."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse


@pytest.fixture
def thin():
    """Cell factors (60 × 7), peak factors (110 × 7) and four groups."""
    rng = np.random.default_rng(0)
    return rng.random((60, 7)), rng.random((110, 7)), rng.integers(0, 4, 60)


@pytest.fixture
def study():
    """120 cells of three types in two batches over 300 peaks, with the truth in a layer."""
    rng = np.random.default_rng(1)
    types = np.repeat(["a", "b", "c"], [60, 40, 20])
    open_ = rng.random((3, 300)) < 0.25
    truth = open_[np.repeat([0, 1, 2], [60, 40, 20])]
    counts = rng.poisson(np.where(truth, 0.9, 0.02)).astype(np.int32)
    counts[:, counts.sum(axis=0) == 0] = 1
    adata = AnnData(
        sparse.csr_matrix(counts),
        obs=pd.DataFrame(
            {"cell_type": pd.Categorical(types), "batch": pd.Categorical(np.tile(["x", "y"], 60))},
            index=[f"cell{i}" for i in range(120)],
        ),
        var=pd.DataFrame(index=[f"chr1:{i * 1000}-{i * 1000 + 500}" for i in range(300)]),
    )
    adata.layers["truth"] = sparse.csr_matrix(truth.astype(np.int8))
    return adata
