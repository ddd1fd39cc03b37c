"""limma on numpy inputs, and as an engine of tl.differential."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

import sccase_kit as sk

DESIGN = np.column_stack([np.ones(8), [0, 0, 0, 0, 1, 1, 1, 1], [0, 1, 2, 0, 1, 2, 0, 1]])
CONTRASTS = [[0, 1, 0], [0, -1, 1]]

pytestmark = pytest.mark.r("limma", "edgeR")


@pytest.fixture(scope="module")
def counts():
    rng = np.random.default_rng(0)
    rate = rng.gamma(3, 20, 80) * rng.gamma(50, 1 / 50, (8, 80))
    rate[4:, :6] *= 4
    return rng.poisson(rate)


def test_numbers_are_those_of_limma(counts):
    result = sk.r.limma(counts, DESIGN, CONTRASTS)
    code = """
    data <- edgeR::calcNormFactors(edgeR::DGEList(t(counts)))
    colnames(design) <- c("a", "b", "c")
    contrasts <- limma::makeContrasts(one = b, other = c - b, levels = design)
    fit <- limma::eBayes(limma::contrasts.fit(limma::lmFit(limma::voom(data, design), design), contrasts))
    lapply(1:2, function(k) limma::topTable(fit, coef = k, number = Inf, sort.by = "none", confint = TRUE))
    """
    tables = sk.r.run(code, counts=counts, design=DESIGN)
    names = {"logfc": "logFC", "statistic": "t", "pvalue": "P.Value", "padj": "adj.P.Val"}
    for k, table in enumerate(tables):
        for name, theirs in names.items():
            np.testing.assert_allclose(result[name][k], table[theirs], rtol=1e-12)
        np.testing.assert_allclose(result["se"][k], (table["logFC"] / table["t"]).abs(), rtol=1e-9)
        np.testing.assert_allclose(result["logcpm"], table["AveExpr"], rtol=1e-12)
    assert set(np.argsort(result["pvalue"][0])[:6]) == set(range(6))


def test_as_an_engine_it_has_the_columns_of_the_others():
    rng = np.random.default_rng(1)
    cells = pd.DataFrame({"donor": [f"d{k}" for k in range(6) for _ in range(20)], "group": "A"})
    cells["condition"] = np.where(cells["donor"] < "d3", "control", "treated")
    rate = np.tile(rng.gamma(3, 0.3, 50), (120, 1))
    rate[60:, 0] += 2
    adata = AnnData(
        sparse.csr_matrix(rng.poisson(rate).astype(np.float32)), obs=cells.set_index(cells.index.astype(str))
    )
    call = {"condition_key": "condition", "sample_key": "donor", "reference": "control"}
    limma, edger = (sk.tl.differential(adata, "group", engine=name, **call) for name in ("limma", "edger"))
    assert list(limma) == list(edger)
    assert limma.dtypes.tolist() == edger.dtypes.tolist()
    assert limma["peak"].iloc[0] == edger["peak"].iloc[0] == "0"
    both = limma.merge(edger, on=["peak", "group", "condition"], suffixes=("", "_edger"))
    assert np.corrcoef(both["log2fc"], both["log2fc_edger"])[0, 1] > 0.98
    np.testing.assert_allclose(both["stat"], both["log2fc"] / both["lfc_se"], rtol=1e-9)
    assert set(limma.attrs) == set(edger.attrs)
    assert limma.attrs["engine"] == "limma"
    assert any(item.startswith("limma 3.") for item in limma.attrs["r_session"])
