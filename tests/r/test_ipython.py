from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import warnings
warnings.simplefilter("ignore")
import numpy as np
from anndata import AnnData
from IPython.core.interactiveshell import InteractiveShell
from scipy import sparse
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "sccase_kit.r")
shell.user_ns.update(adata=AnnData(sparse.csr_matrix(np.diag([1.0, 2.0, 3.0]))), k=2)
shell.run_cell_magic("R", "-i adata -i k -o depth -o frame -o same",
    "depth <- Matrix::colSums(SummarizedExperiment::assay(adata)) * k\\n"
    "frame <- data.frame(a = 1:2, b = factor(c('x', 'y')))\\nsame <- adata")
ns = shell.user_ns
assert ns["depth"].tolist() == [2.0, 4.0, 6.0], ns["depth"]
assert ns["frame"].b.dtype == "category"
assert isinstance(ns["same"], AnnData) and (ns["same"].X != ns["adata"].X).nnz == 0
"""


@pytest.mark.r("rpy2", "SummarizedExperiment")
def test_cells_take_and_give_our_values():
    pytest.importorskip("IPython", reason="IPython is not installed")
    done = subprocess.run([sys.executable, "-c", CODE], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout


ERRORS = """
import os, signal, sys, threading, warnings
warnings.simplefilter("ignore")
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "sccase_kit.r")
from sccase_kit.r import RError
shell.run_cell_magic("R", "", "cat('shown\\n'); message('told'); x <- 3\\nx")
try:
    shell.run_cell_magic("R", "", "f <- function(y) stop('no such ', y)\\nf('thing')")
except RError as error:
    assert error.message == "no such thing" and error.r_traceback[0] == 'f("thing")', error.r_traceback
    assert "R version" in error.session_info
else:
    raise AssertionError("no error")
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    shell.run_cell_magic("R", "", "repeat {}")
except KeyboardInterrupt:
    print("interrupted")
assert shell.run_line_magic("R", "x + 1")[0] == 4
"""


@pytest.mark.r("rpy2")
def test_cells_show_output_and_fail_with_rs_traceback_and_stop():
    pytest.importorskip("IPython", reason="IPython is not installed")
    done = subprocess.run([sys.executable, "-c", ERRORS], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout.startswith("shown\n")
    assert "[1] 3" in done.stdout
    assert "interrupted" in done.stdout
    assert "told" in done.stderr
