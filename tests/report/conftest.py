"""An enhanced study with everything the report shows, and a browser where there is one."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

import sccase_kit as sk


@pytest.fixture(scope="session")
def full():
    """A study with clusters, peaks, scABC, motifs, deviations and GREAT in it."""
    study = sk.datasets.toy_study(n_cells=120, n_peaks=600)
    adata = study.adata
    sk.pp.filter_peaks(adata)
    sk.tl.enhance(adata, batch_key="batch")
    sk.tl.cluster(adata, 4)
    sk.tl.specific_peaks(adata, "cell_type", n_top=40)
    sk.tl.background_peaks(adata, n_top=50)
    sk.tl.scabc(adata, "cell_type", n_top=40)
    sk.tl.match_motifs(adata, study.motifs, sequences=study.sequences)
    sk.tl.chromvar(adata)
    table = sk.tl.great(adata, "hg38", study.gene_sets, tss=study.genes)
    adata.uns["great"] = {"table": table, "params": {"genome": "hg38", "gene_sets": "toy"}}
    adata.obsm["X_umap_raw"] = adata.obsm["X_umap_sccase"] = adata.obsm["X_sccase"][:, :2]
    return adata


@pytest.fixture(scope="session")
def dump():
    """Open a page in headless Chromium and return the document after its scripts ran."""
    program = next((p for p in ("chromium", "chromium-browser", "google-chrome") if shutil.which(p)), None)
    if program is None:
        pytest.skip("no Chromium on the PATH: apt-get install chromium")

    def run(path):
        command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000", "--dump-dom"]
        done = subprocess.run([*command, path.as_uri()], capture_output=True, text=True, timeout=120, check=True)
        return done.stdout

    return run


@pytest.fixture
def without_policy():
    """A copy of a page in which a test's own script runs at the end."""

    def add(path, script):
        text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", path.read_text(encoding="utf-8"))
        other = path.with_name("scripted.html")
        other.write_text(text.replace("</body>", f"<script>{script}</script></body>"), encoding="utf-8")
        return other

    return add
