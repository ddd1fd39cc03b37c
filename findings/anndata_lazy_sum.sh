#!/bin/sh
# Counts that anndata reads lazily cannot be summed: X.sum(axis=1) of a dask array over CSR matrices raises TypeError (keepdims), so depth per cell needs map_blocks.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check anndata==0.12.19 dask==2026.8.0 scipy==1.17.1
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import anndata
import h5py
import numpy as np
from scipy import sparse

counts = np.arange(60).reshape(10, 6).astype(np.float32)
anndata.AnnData(sparse.csr_matrix(counts)).write_h5ad("a.h5ad")
with h5py.File("a.h5ad") as file:
    lazy = anndata.experimental.read_elem_lazy(file["X"], chunks=(3, 6))
    try:
        lazy.sum(axis=1).compute()
        said = ""
    except TypeError as err:
        said = str(err)
    depth = lazy.map_blocks(lambda block: np.asarray(block.sum(axis=1)), chunks=(lazy.chunks[0], (1,)), dtype=np.float32)
    print("anndata", version("anndata"), "dask", version("dask"), "blocks:", type(lazy._meta).__name__, "; sum(axis=1):", said, "; by map_blocks right:", bool((depth.compute().ravel() == counts.sum(1)).all()))
assert "keepdims" in said
PY
