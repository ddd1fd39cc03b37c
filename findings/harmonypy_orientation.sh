#!/bin/sh
# harmonypy 2 returns cells x components where releases before it returned components x cells, so scanpy's harmony_integrate, which transposes, fails with it.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check harmonypy==2.1.0 scanpy==1.11.5 anndata==0.12.19
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import logging
from importlib.metadata import version

import anndata as ad
import harmonypy
import numpy as np
import pandas as pd
import scanpy as sc

logging.disable(logging.CRITICAL)
obs = pd.DataFrame({"batch": ["a", "b"] * 30}, index=[str(i) for i in range(60)])
scores = np.random.default_rng(0).normal(size=(60, 5))
shape = harmonypy.run_harmony(scores, obs, ["batch"]).Z_corr.shape
cells = ad.AnnData(np.ones((60, 3)), obs=obs, obsm={"X_pca": scores})
try:
    sc.external.pp.harmony_integrate(cells, "batch")
    seen = "works"
except ValueError as err:
    seen = str(err)
print("harmonypy", version("harmonypy"), "Z_corr", shape, "scanpy", version("scanpy"), "->", seen)
assert shape == (60, 5) and "incorrect shape" in seen
PY
