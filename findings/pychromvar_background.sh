#!/bin/sh
# pychromvar's background peaks are the nearest neighbours of a peak, itself among them, the same on every run; chromVAR's, which they stand for, are draws with replacement from a kernel.
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
data = anndata.AnnData(rng.poisson(0.6, (60, 400)).astype(np.float32) + (np.arange(60) == 0)[:, None])
data.var["gc_bias"] = rng.uniform(0.3, 0.7, 400)
runs = []
for seed in (0, 1):
    np.random.seed(seed)
    pc.get_bg_peaks(data, niterations=50)
    runs.append(data.varm["bg_peaks"].copy())
own = [int(k in row) for k, row in enumerate(runs[0])]
distinct = [len(set(row)) for row in runs[0]]
print("pychromvar", version("pychromvar"), "same for two seeds:", bool((runs[0] == runs[1]).all()), "; peaks that are their own background:", sum(own), "of 400; distinct of 50:", min(distinct))
assert (runs[0] == runs[1]).all() and sum(own) > 390 and min(distinct) == 50
PY
