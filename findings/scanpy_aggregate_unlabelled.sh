#!/bin/sh
# scanpy.get.aggregate does not leave out cells without a label: with one missing value in the column it ends in an error of scipy that names neither the column nor the cells.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check scanpy==1.11.5 scipy==1.17.1
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import anndata
import numpy as np
import pandas as pd
import scanpy as sc

data = anndata.AnnData(np.ones((4, 3), dtype=np.float32))
data.obs["cell_type"] = pd.Categorical(["a", "b", "a", None])
try:
    sc.get.aggregate(data, by="cell_type", func="mean")
    said = ""
except ValueError as err:
    said = str(err)
print("scanpy", version("scanpy"), "one cell without a label:", said, "; pandas groupby gives the groups", list(data.obs.groupby("cell_type", observed=True).groups))
assert "negative axis 0 index" in said
PY
