"""An enhanced study with everything the report shows."""

from __future__ import annotations

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
