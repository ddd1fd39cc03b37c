#!/bin/sh
# anndata 0.12: write_elem(file, "/", adata) of data without raw writes an element raw of type "null", and anndata 0.11 then refuses the whole file; write_h5ad of the same object is read.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
for version in 0.12.19 0.11.4; do
  python3 -m venv "$work/$version"
  "$work/$version/bin/pip" install --quiet --disable-pip-version-check "anndata==$version" "pandas<3"
done
cd "$work"
0.12.19/bin/python -W ignore - <<'PY'
import anndata as ad
import h5py
import numpy as np

adata = ad.AnnData(np.eye(3, dtype=np.float32))
adata.write_h5ad("by_write_h5ad.h5ad")
with h5py.File("by_write_elem.h5ad", "w") as file:
    ad.io.write_elem(file, "/", adata)
PY
0.11.4/bin/python -W ignore - <<'PY'
from importlib.metadata import version

import anndata as ad

print("anndata", version("anndata"), "reads by_write_h5ad:", ad.read_h5ad("by_write_h5ad.h5ad").shape)
try:
    ad.read_h5ad("by_write_elem.h5ad")
except Exception as err:
    print("by_write_elem:", type(err).__name__, str(err).splitlines()[0])
    assert "null" in str(err)
else:
    raise SystemExit("it is read now")
PY
