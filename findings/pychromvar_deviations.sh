#!/bin/sh
# pychromvar's compute_deviations ("raw and bias-corrected deviations") puts z-scores into X and keeps no deviations: what chromVAR calls by this name is smaller by the spread of the background.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pychromvar==0.0.4
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import anndata
import numpy as np
import pychromvar as pc

rng = np.random.default_rng(0)
counts = rng.poisson(0.6, (60, 400)).astype(np.float32)
counts[0] += 1
data = anndata.AnnData(counts.copy())
data.var["gc_bias"] = rng.uniform(0.3, 0.7, 400)
data.varm["motif_match"] = (rng.random((400, 5)) < 0.2).astype(np.uint8)
data.uns["motif_name"] = [f"motif{k}" for k in range(5)]
pc.get_bg_peaks(data, niterations=50)
found = pc.compute_deviations(data, n_jobs=1)

sets, background = data.varm["motif_match"].astype(float), data.varm["bg_peaks"]
expected = np.outer(counts.sum(1), counts.sum(0) / counts.sum())
raw = (counts @ sets - expected @ sets) / (expected @ sets)
drawn = np.stack([(counts @ sets[b] - expected @ sets[b]) / (expected @ sets[b]) for b in background.T])
deviations = raw - drawn.mean(0)
print("pychromvar", version("pychromvar"), "sd of X", found.X.std(0).round(2), "of the deviations", deviations.std(0).round(2), "layers", list(found.layers))
assert np.allclose(found.X, deviations / drawn.std(0), atol=1e-2)
assert not np.allclose(found.X, deviations, atol=0.1) and not list(found.layers)
PY
