#!/bin/sh
# scanpy.get.aggregate neither leaves out nor groups cells without a group: sums of sparse counts fail with an error on a negative index.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check scanpy==1.11.5 anndata==0.12.19
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import anndata as ad
import numpy as np
import pandas as pd
import scanpy as sc
import scipy.sparse as sp

obs = pd.DataFrame({"group": pd.Categorical(["a", "b", None, "a"])}, index=list("wxyz"))
counts = ad.AnnData(sp.csr_matrix(np.arange(12, dtype=np.float32).reshape(4, 3)), obs=obs)
try:
    sc.get.aggregate(counts, "group", "sum")
    seen = "works"
except ValueError as err:
    seen = str(err)
print("scanpy", version("scanpy"), "->", seen)
assert "negative" in seen
PY
