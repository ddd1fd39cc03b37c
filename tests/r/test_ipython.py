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
