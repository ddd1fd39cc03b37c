"""sk.r.run: any R code in a child process."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from sccase_kit import r

OBJECTS = Path(__file__).with_name("objects.R")


@pytest.mark.r("SummarizedExperiment")
def test_objects_go_in_and_the_last_value_comes_back(capsys):
    counts = sparse.csr_matrix(np.arange(6, dtype=np.int32).reshape(2, 3))
    table = pd.DataFrame({"k": np.array([1, 2], dtype=np.int32), "f": pd.Categorical(["u", "v"])}, index=["a", "b"])
    code = (
        "library(SummarizedExperiment); cat('live\\n'); x$total <- Matrix::colSums(assay(x)); "
        "list(x = x, table = table, n = n, nothing = nothing, names = names(more))"
    )
    back = r.run(code, x=AnnData(counts, obs=table), table=table, n=3, nothing=None, more={"a b": 1})
    assert "live\n" in capsys.readouterr().out
    assert back["x"].obs["total"].tolist() == [3, 12]
    assert back["x"].X.dtype == np.int32
    assert (back["x"].X != counts).nnz == 0
    pd.testing.assert_frame_equal(back["table"], table)
    assert back["n"].tolist() == [3]
    assert back["nothing"] is None
    assert back["names"].tolist() == ["a b"]


@pytest.mark.r
def test_errors_syntax_and_values_without_counterpart():
    with pytest.raises(r.RError, match="no such thing") as caught:
        r.run("f <- function(x) stop('no such ', x); f('thing')")
    assert caught.value.r_traceback[0] == 'f("thing")'
    assert "R version" in caught.value.session_info
    with pytest.raises(r.RError, match="unexpected end of input"):
        r.run("1 +")
    with pytest.warns(UserWarning, match="a value of class 'function'"):
        assert r.run("function(x) 1") is None
    with pytest.raises(TypeError, match=r"objects\['x'\]: no R counterpart for builtins.object"):
        r.run("1", x=object())


@pytest.mark.r
def test_ctrl_c_ends_the_child():
    timer = threading.Timer(2, os.kill, (os.getpid(), signal.SIGINT))
    start = time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        r.run("x <- 0; repeat x <- tryCatch(x + 1, interrupt = function(e) x)")
    assert time.monotonic() - start < 30


@pytest.mark.r("SeuratObject")
def test_seurat_without_rpy2():
    with pytest.warns(UserWarning, match="the assays"):
        adata = r.run("source(path); make('v5')", path=str(OBJECTS))
    assert adata.shape == (5, 6)
    assert adata.obsm["X_lsi"].shape == (5, 2)
