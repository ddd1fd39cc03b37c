#!/bin/sh
# A column that is deleted from a modality's obs stays in the joint obs of a MuData, also after update() with pulling on, and is written to the file.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check mudata==0.3.10 anndata==0.12.19
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import anndata
import mudata
import numpy as np
import pandas as pd

cells = list("xyz")
atac = anndata.AnnData(np.ones((3, 2)), pd.DataFrame({"cell_type": ["a", "b", "a"]}, index=cells), pd.DataFrame(index=["p1", "p2"]))
rna = anndata.AnnData(np.ones((3, 1)), pd.DataFrame(index=cells), pd.DataFrame(index=["g1"]))
mudata.set_options(pull_on_update=True)
both = mudata.MuData({"atac": atac, "rna": rna})
del both.mod["atac"].obs["cell_type"]
both.update()
both.write("x.h5mu")
again = mudata.read_h5mu("x.h5mu")
print("mudata", version("mudata"), "joint obs after the deletion and update:", list(both.obs), "; read again:", list(again.obs), "; modality:", list(again["atac"].obs))
assert "atac:cell_type" in again.obs and "cell_type" not in again["atac"].obs
PY
