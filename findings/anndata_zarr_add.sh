#!/bin/sh
# An element added to a store of AnnData.write_zarr is refused by zarr 3 (consolidated metadata); written with use_consolidated=False it is on disk, and read_zarr does not see it and says nothing.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check anndata==0.12.19 zarr==3.1.6
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import anndata
import numpy as np
import zarr
from scipy import sparse

anndata.AnnData(sparse.csr_matrix(np.eye(6, dtype=np.float32))).write_zarr("a.zarr")
try:
    anndata.io.write_elem(zarr.open(str("a.zarr"), mode="r+"), "obsm/X_new", np.ones((6, 2)))
    said = ""
except ValueError as err:
    said = str(err)
anndata.io.write_elem(zarr.open_group("a.zarr", mode="r+", use_consolidated=False), "obsm/X_new", np.ones((6, 2)))
print("anndata", version("anndata"), "zarr", version("zarr"), "said:", said, "; with use_consolidated=False read_zarr shows", list(anndata.read_zarr("a.zarr").obsm))
assert "consolidated" in said and not list(anndata.read_zarr("a.zarr").obsm)
PY
