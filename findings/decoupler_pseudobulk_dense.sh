#!/bin/sh
# decoupler.pp.pseudobulk of sparse integer counts gives a dense float64 matrix, also where nearly all of it is zero.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check decoupler==2.2.0 scanpy==1.11.5 anndata==0.12.19
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import anndata as ad
import decoupler as dc
import numpy as np
import pandas as pd
import scipy.sparse as sp

counts = sp.random(40, 5000, density=0.002, random_state=0, format="csr")
counts.data[:] = 1
obs = pd.DataFrame({"donor": ["1", "2"] * 20, "type": ["a"] * 20 + ["b"] * 20}, index=[f"c{i}" for i in range(40)])
bulk = dc.pp.pseudobulk(ad.AnnData(counts.astype(np.int32), obs=obs), sample_col="donor", groups_col="type", mode="sum")
open_share = float((np.asarray(bulk.X) > 0).mean())
print("decoupler", version("decoupler"), type(bulk.X).__name__, bulk.X.dtype, "share above zero", round(open_share, 3))
assert isinstance(bulk.X, np.ndarray) and bulk.X.dtype == np.float64 and open_share < 0.1
PY
