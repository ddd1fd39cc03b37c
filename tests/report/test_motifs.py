"""The section on motifs: tests that were given have logos where their matrices were kept; genes of families."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from sccase_kit._record import record
from sccase_kit.pages.blocks import Grid, Text
from sccase_kit.pages.table import Table
from sccase_kit.pl._logos import stored_motifs
from sccase_kit.report._motifs import _with_profiles, gene_fits, is_motif_test, motif_section


@pytest.fixture
def data():
    adata = AnnData(np.eye(4, dtype=np.float32), obs=pd.DataFrame({"type": list("aabb")}, index=list("0123")))
    table = pd.DataFrame(
        {
            "set": ["GATA1", "TAL1::GATA1", "TAL1::GATA1", "SPI1"],
            "gene": ["GATA1", "TAL1", "GATA1", "SPI1"],
            "correlation": [0.8, 0.2, 0.6, np.nan],
            "deviation_range": 1.0,
            "family": 0,
            "rank_in_family": [1, 3, 2, 4],
        }
    )
    record(adata, "motif_genes", "tl.motif_genes", params={"genes": "gene_activity"}, table=table)
    return adata


def test_the_best_gene_of_every_motif(data):
    found = gene_fits(data)
    assert found["gene_correlation"].dropna().to_dict() == {"GATA1": 0.8, "TAL1::GATA1": 0.6}
    assert found.loc["SPI1", "family"] == 0
    assert gene_fits(AnnData(np.eye(2))) is None


def test_given_tests_and_families(data):
    test = pd.DataFrame({"group": ["a", "b"], "set": "GATA1", "effect_size": [1.0, -1.0], "p_value_adj": 0.01})
    assert is_motif_test(test)
    assert not is_motif_test(test.drop(columns="set"))
    profile = np.arange(24.0).reshape(4, 6)
    test.attrs["motifs"] = {
        "names": ["GATA1"], "ids": ["MA0035"], "tf": ["GATA1"], "widths": [6], "profiles": profile.tolist()
    }  # fmt: skip
    np.testing.assert_array_equal(stored_motifs("GATA1", _with_profiles(test), "motifs")[0].counts, profile)
    section = motif_section(data, data, "type", "sccase", {"m/motifs": test})
    kinds = [type(block) for block in section.blocks]
    assert kinds == [Text, Grid, Table, Text, Table]
    assert len(section.blocks[1].blocks) == 2
    assert "rank 1 is the member of the family" in section.blocks[3].text
    assert motif_section(AnnData(np.eye(2)), data, None, "sccase", {}) is None
