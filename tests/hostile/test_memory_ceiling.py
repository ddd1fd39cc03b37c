"""Never dense: data whose dense form would not fit run in a process that may not take more than a few GiB."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

pytest.importorskip("resource")
N_CELLS, N_PEAKS, PER_CELL = 18_000, 120_000, 60  # dense float32: 8 GiB, cells × cells float64: 2.4 GiB
LIMIT_GIB = 1.2  # above what the imports and the counts take

PREPARE = f"""
import json, resource, sys, warnings
warnings.simplefilter("ignore")
import numpy as np, pandas as pd
from scipy import sparse
import anndata as ad
import sccase_kit as sk
parts = [getattr(sk, name) for name in sk.__all__]

def status(field):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) / 2**20 for line in file if line.startswith(field + ":"))

rng = np.random.default_rng(0)
n, m, per_cell = {N_CELLS}, {N_PEAKS}, {PER_CELL}
kind = np.arange(n) % 5
open_peaks = np.sort(rng.integers(0, m, (n, per_cell)), axis=1)
open_peaks[:, ::2] = open_peaks[:, ::2] // 5 * 5 + kind[:, None]
pointers = np.arange(0, n * per_cell + 1, per_cell)
counts = sparse.csr_matrix((np.ones(n * per_cell, np.int32), open_peaks.ravel(), pointers), shape=(n, m))
counts.sum_duplicates()
adata = ad.AnnData(counts)
adata.obs["cell_type"] = pd.Categorical(kind.astype(str))
adata.var_names = [f"chr1:{{1000 * i}}-{{1000 * i + 500}}" for i in range(m)]
sk.pp.parse_peaks(adata)
small = adata[:300, :900].copy()
sk.tl.enhance(small, 3, method="sccase")
before = status("VmRSS")
"""

STEPS = {
    "enhance, scCASE": """
        sk.tl.enhance(adata, 5, method="sccase")
        assert sk.get.enhanced(adata, obs_names=slice(50), var_names=slice(70)).shape == (50, 70)
    """,
    "enhance, default": """
        sk.tl.enhance(adata)
        assert adata.obsm["X_sccase"].shape[0] == n
    """,
    "tfidf": """
        sk.pp.tfidf(adata)
    """,
    "specific peaks": """
        sk.tl.enhance(adata, 5, method="sccase")
        sk.tl.specific_peaks(adata, "cell_type", n_top=50)
    """,
    "scABC": """
        sk.tl.scabc(adata, "cell_type")
    """,
}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self/status")
@pytest.mark.parametrize("step", STEPS)
def test_memory_stays_far_below_the_dense_form(step):
    script = PREPARE + textwrap.dedent(STEPS[step]) + "\nprint(json.dumps(status('VmHWM') - before))\n"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    above = json.loads(done.stdout.strip().splitlines()[-1])
    assert 0 <= above <= LIMIT_GIB, f"{step} took {above:.2f} GiB above the counts"
