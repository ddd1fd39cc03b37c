#!/bin/sh
# A sparse matrix with int64 indices comes back from .h5ad with int64 indices however small it is: the index arrays stay twice the size, and code that takes int32 refuses it.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check anndata==0.12.19 scipy==1.17.1
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import anndata as ad
import numpy as np
import scipy.sparse as sp

counts = sp.csr_matrix(np.eye(3, dtype=np.float32))
counts.indices, counts.indptr = counts.indices.astype(np.int64), counts.indptr.astype(np.int64)
ad.AnnData(counts).write_h5ad("x.h5ad")
back = ad.read_h5ad("x.h5ad").X
rebuilt = sp.csr_matrix((back.data, back.indices, back.indptr), shape=back.shape)
print("anndata", version("anndata"), "read", back.indices.dtype, "| built anew by scipy", rebuilt.indices.dtype)
assert back.indices.dtype == np.int64 and rebuilt.indices.dtype == np.int32
PY
