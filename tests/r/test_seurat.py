"""Seurat objects through rpy2, made by Debian's SeuratObject."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from sccase_kit import r

pytestmark = pytest.mark.r("rpy2", "SeuratObject", "GenomicRanges")

MAKE = "suppressPackageStartupMessages(library(SeuratObject)); "
MAKE += f"source({str(Path(__file__).with_name('objects.R'))!r}, local = TRUE); make(kind)"
COUNTS = np.array(
    [1, 0, 2, 0, 0, 3, 0, 1, 0, 4, 0, 0, 1, 1, 0, 0, 2, 0, 0, 0, 5, 1, 0, 1, 2, 0, 0, 0, 3, 1], dtype=float
).reshape(5, 6)


def check(adata):
    assert adata.shape == (5, 6)
    assert isinstance(adata.X, sparse.csr_matrix)
    np.testing.assert_array_equal(adata.X.toarray(), COUNTS)
    assert adata.obs_names.tolist() == [f"cell{k}" for k in range(1, 6)]
    assert adata.obs["type"].tolist() == list("ababa")
    assert adata.obs["score"].tolist() == [0.5, 1, 1.5, 2, 2.5]
    np.testing.assert_array_equal(adata.obsm["X_lsi"], np.arange(1, 11).reshape(2, 5).T / 4)
    loadings = adata.varm["lsi_loadings"]
    assert np.isnan(loadings[[0, 2, 4]]).all()
    np.testing.assert_array_equal(loadings[[1, 3, 5]], np.arange(1, 7).reshape(2, 3).T / 2)
    assert adata.uns["lsi"]["stdev"].tolist() == [2, 1]
    assert adata.uns["seurat_assay"] == "ATAC"


@pytest.mark.parametrize("kind", ["v3", "chromatin", "v5"])
def test_every_class_of_assay(kind):
    with pytest.warns(UserWarning, match=r"the assays \['RNA'\] \(assay='RNA' takes one\)"):
        adata = r.evaluate(MAKE, kind=kind)
    check(adata)
    assert list(adata.layers) == []
    if kind == "chromatin":
        where = {"chrom": "chr1", "start": np.arange(1, 7) * 100 - 1, "end": np.arange(1, 7) * 100 + 50}
        pd.testing.assert_frame_equal(
            adata.var[["chrom", "start", "end"]], pd.DataFrame(where, index=adata.var_names), check_names=False
        )
        assert adata.uns["fragments"].tolist() == ["/data/fragments.tsv.gz"]
    if kind == "v5":
        assert adata.var["gc"].tolist() == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]


def test_another_assay_by_choice():
    import rpy2.robjects as ro

    value = ro.r(f"local({{kind <- 'v3'; {MAKE}}})")
    with pytest.warns(UserWarning, match=r"the assays \['ATAC'\]"):
        adata = r.from_r(value, assay="RNA")
    assert adata.var_names.tolist() == ["GATA1", "TAL1", "SPI1"]
    with pytest.raises(
        KeyError, match=r"assay='ADT' is not an assay of the Seurat object; available: \['ATAC', 'RNA'\]"
    ):
        r.from_r(value, assay="ADT")
    with pytest.raises(KeyError, match=r"x_name='lognorm' is not a layer of the assay 'ATAC'"):
        r.from_r(value, x_name="lognorm")


def test_cistopic():
    adata = r.evaluate(MAKE, kind="cistopic")
    np.testing.assert_array_equal(adata.X.toarray(), COUNTS)
    assert adata.obs["nCounts"].tolist() == [1, 2, 3, 4, 5]
    assert adata.obsm["X_cistopic"].shape == (5, 2)
    assert adata.varm["cistopic_topics"].shape == (6, 2)
    assert adata.var.columns.tolist() == ["chrom", "start", "end", "nCounts"]  # not those of region.data once more
    assert adata.var["start"].tolist() == [100, 200, 300, 400, 500, 600]  # cisTopic keeps the numbers of the BED file
    assert adata.var["end"].tolist() == [150, 250, 350, 450, 550, 650]
