#!/bin/sh
# SnapATAC2 tl.spectral keeps the trivial component: the first column of X_spectral follows the depth of the cells (correlation beyond .95 with the log of their counts), and tl.umap and pp.knn use all columns unless use_dims leaves it out.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check snapatac2==2.9.0
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import inspect

import anndata
import numpy as np
import scipy.sparse as sp
import snapatac2 as snap

rng = np.random.default_rng(0)
kind, open_in, depth = np.repeat([0, 1], 150), rng.random((2, 2000)) * 0.1, rng.lognormal(0, 0.7, 300)
counts = sp.csr_matrix(rng.poisson(open_in[kind] * depth[:, None]).astype("u4"))
adata = anndata.AnnData(counts)
snap.pp.select_features(adata, n_features=2000, verbose=False)
snap.tl.spectral(adata, n_comps=10)
reads = np.log1p(np.asarray(counts.sum(axis=1)).ravel())
found = [float(np.corrcoef(column, reads)[0, 1]) for column in adata.obsm["X_spectral"].T]
default = inspect.signature(snap.pp.knn).parameters["use_dims"].default
print("SnapATAC2", snap.__version__, "correlation of the columns with log counts:", [round(v, 2) for v in found], "; knn's use_dims:", default)
assert abs(found[0]) > 0.95 and max(map(abs, found[1:])) < 0.3 and default is None
PY
