#!/bin/sh
# A .h5mu file holds copies of the columns of its modalities in the joint obs, as modality:column, also where they were never pulled by hand.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check mudata==0.3.10 anndata==0.12.19
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import anndata as ad
import mudata as md
import numpy as np
import pandas as pd

cells = pd.DataFrame({"total": [1, 2, 3]}, index=["a", "b", "c"])
data = md.MuData({"atac": ad.AnnData(np.ones((3, 2)), obs=cells), "rna": ad.AnnData(np.ones((3, 2)), obs=cells.iloc[:, :0])})
data.obs["label"] = ["x", "y", "x"]
data.write("x.h5mu")
columns = sorted(md.read("x.h5mu").obs.columns)
print("mudata", version("mudata"), columns)
assert columns == ["atac:total", "label"]
PY
