"""What went wrong while calls were stored by hand, each as it was found."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import sccase_kit as sk
from sccase_kit._record import recorded


def test_counts_in_a_layer_called_x_stay_what_was_read():
    """The synergy of motifs after chromvar(layer="X") is of that layer, not of adata.X."""
    adata = sk.datasets.toy_study(n_cells=80, n_peaks=400).adata
    sk.pp.filter_peaks(adata)
    rng = np.random.default_rng(0)
    adata.varm["sets"] = rng.random((adata.n_vars, 3)) < 0.3
    right = adata.copy()
    adata.layers["X"] = adata.X.copy()
    adata.X = sparse.csr_matrix(rng.poisson(1.0, adata.shape).astype(np.float32))
    for data, layer in ((adata, "X"), (right, None)):
        sk.tl.chromvar(data, "sets", layer=layer, n_background=10, n_bootstrap=0)
    found, expected = (sk.tl.motif_synergy(data) for data in (adata, right))
    np.testing.assert_array_equal(found["synergy"], expected["synergy"])
    sk.tl.scabc(adata, "cell_type", layer="X", n_top=3)
    assert recorded(adata.uns["scabc"]).params["layer"] == "X"
    sk.tl.scabc(adata, "cell_type", n_top=3)
    assert "layer" not in recorded(adata.uns["scabc"]).params


def test_the_page_lists_no_call_that_never_ran(tmp_path):
    adata = sk.datasets.toy_study(n_cells=60, n_peaks=300).adata
    sk.tl.enhance(adata, 3, method="sccase")
    adata.uns["enrich"] = {"params": {"genome": "hg38", "gene_sets": "GO"}}
    adata.uns["look"] = {"function": "tl.chromvar", "version": "1.0", "params": {"layer": "X", "source": "counts"}}
    sk.report.write_report(adata, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "sk.tl.enhance(adata" in page
    assert "sk.tl.great" not in page
    assert "sk.tl.chromvar" not in page


@pytest.mark.parametrize("key", ["enrich", "look"])
def test_what_another_tool_stored_is_no_result_of_ours(key):
    adata = sk.datasets.toy_study(n_cells=60, n_peaks=300).adata
    adata.uns["enrich"] = {"params": {"genome": "hg38", "gene_sets": "GO"}}
    adata.uns["look"] = {
        "function": "tl.enhance",
        "version": "1.0",
        "params": {},
        "objective": [1.0],
        "shape": [60, 300],
    }
    with pytest.warns(UserWarning, match=rf"uns\['{key}'\] is not of this package and is replaced"):
        sk.tl.enhance(adata, 3, method="sccase", key_added=key)
    del adata.uns[key]
    with pytest.raises(KeyError, match=r"holds no enhanced data under this key \(found: \[\]\)"):
        sk.get.enhanced(adata, key)
