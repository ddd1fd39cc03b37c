#!/bin/sh
# Columns of obs from anndata.experimental.read_lazy are not pandas columns: notna() is an AttributeError, although the object is called a two-dimensional dataset.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check anndata[lazy]==0.12.19
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import anndata as ad
import numpy as np
import pandas as pd
from anndata.experimental import read_lazy

ad.AnnData(np.ones((3, 2)), obs=pd.DataFrame({"total": [1.0, 2.0, 3.0]}, index=list("abc"))).write_h5ad("x.h5ad")
column = read_lazy("x.h5ad").obs["total"]
try:
    column.notna()
    seen = "works"
except AttributeError as err:
    seen = f"AttributeError: {err}"
print("anndata", version("anndata"), type(column).__name__, seen)
assert seen.startswith("AttributeError")
PY
