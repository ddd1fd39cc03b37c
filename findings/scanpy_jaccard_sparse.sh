#!/bin/sh
# scanpy.pp.neighbors(metric="jaccard") refuses sparse matrices, the form that binary accessibility comes in: scikit-learn has no sparse Jaccard, and scanpy hands small data to it.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check scanpy==1.11.5 scikit-learn==1.9.1
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import anndata
import numpy as np
import scanpy as sc
from scipy import sparse

opens = (np.random.default_rng(0).random((60, 200)) < 0.1).astype(np.float32)
try:
    sc.pp.neighbors(anndata.AnnData(sparse.csr_matrix(opens)), use_rep="X", metric="jaccard", n_neighbors=5)
    said = ""
except ValueError as err:
    said = str(err).split(". ")[0]
dense = anndata.AnnData(opens)
sc.pp.neighbors(dense, use_rep="X", metric="jaccard", n_neighbors=5)
print("scanpy", version("scanpy"), "scikit-learn", version("scikit-learn"), "sparse:", said, "; dense: graph of", dense.obsp["distances"].nnz, "distances")
assert "not valid for sparse input" in said
PY
