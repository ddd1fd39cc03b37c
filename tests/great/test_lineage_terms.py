"""The recipe of docs/great.md on real data: terms of a lineage against the data's own peaks."""

import anndata as ad
import pytest

import sccase_kit as sk


@pytest.mark.slow  # enhances 533 cells and tests 6,169 terms twice
def test_heme_comes_first_for_the_progenitors_of_red_cells(shared_data):
    adata = ad.read_h5ad(shared_data / "bm0828.h5ad")
    sk.tl.enhance(adata)
    sk.tl.specific_peaks(adata, "cell_type", n_top=1000)
    table = sk.tl.great(adata, "hg19", "GO:BP", background=adata)
    first = table[table["group"] == "MEP"].head(10)
    assert sum("heme" in name or "porphyrin" in name for name in first["name"]) >= 2
    assert first["Hyper_Adjp_BH"].iloc[0] < 0.05
    assert {"ALAS2", "FECH", "UROS", "HMBS"} & set(",".join(first["Genes"].head(3)).split(","))
