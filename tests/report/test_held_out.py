"""The page's sentence on whether enhancing helps."""

from __future__ import annotations

import re

import anndata as ad
import pandas as pd
import pytest

import sccase_kit as sk
from sccase_kit.report._held_out import TITLE, held_out_section, judge_fit, stored_results, verdict

pytestmark = pytest.mark.filterwarnings("ignore:left out of the held-out scores")


@pytest.fixture(scope="module")
def small():
    adata = sk.datasets.toy_study(n_cells=120, n_peaks=600).adata
    sk.pp.filter_peaks(adata, min_fraction=0.05)
    sk.tl.enhance(adata, 4, method="sccase", batch_key="batch", lam=1e5)
    adata.obsm["X_umap_raw"] = adata.obsm["X_umap_sccase"] = adata.obsm["X_sccase"][:, :2]
    return adata


def test_no_evaluation_no_section(small):
    assert stored_results(small) == {}
    assert verdict({}) is None
    assert held_out_section({}) is None


def test_a_stored_evaluation_is_said_and_drawn(small, tmp_path):
    adata = small.copy()
    result = sk.metrics.held_out(adata, {"robust": sk.tl.enhance}, n_splits=1, n_boot=20, key_added="judged")
    adata.write_h5ad(tmp_path / "a.h5ad")
    text = sk.report.write_report(ad.read_h5ad(tmp_path / "a.h5ad"), tmp_path / "a.html").read_text(encoding="utf-8")
    sentence = sk.metrics.held_out_verdict(result)[0]
    section = re.search(f"<h2>{re.escape(TITLE)}</h2>(.*?)</section>", text, re.DOTALL).group(1)
    assert sentence in section
    assert section.count("data:image/png;base64,") == 1
    assert "Held-out scores" in section
    assert "Not drawn" not in section
    assert "Other tables" not in text
    assert (
        "judged = sk.metrics.held_out(adata, methods={&#x27;robust&#x27;: sk.tl.enhance}, n_splits=1, n_boot=20" in text
    )


def test_which_peaks_were_judged_is_said():
    table = pd.DataFrame({"gain": [0.1], "se": [0.01], "slope": [1.0], "error": [""]}, index=["robust"])
    result = {"held_out": sk.metrics.HeldOut(table, pd.DataFrame(), 10, 20, 1000, 0.3)}
    plain = verdict(result)
    assert "Judged" not in plain
    assert verdict(result, 20) == f"{plain} Judged at the 20 peaks of the fit, in 10 cells."
    assert verdict(result, 30) == f"{plain} Judged at 20 of the 30 peaks of the fit, in 10 cells."
    assert verdict(result, 9) == f"{plain} Judged at 20 peaks, other than the 9 of the fit, in 10 cells."


def test_the_fit_is_judged_with_its_own_options(small):
    def same(adata, rng):
        sk.tl.enhance(adata, 4, method="sccase", batch_key="batch", lam=1e5, rng=rng)

    found = judge_fit(small, "sccase", n_splits=1)
    wanted = sk.metrics.held_out(small, {"sccase": same}, n_splits=1)
    pd.testing.assert_frame_equal(found.table.drop(columns="seconds"), wanted.table.drop(columns="seconds"))
    assert "judged" not in small.uns


def test_a_fit_with_a_reference_cannot_be_repeated(small):
    adata = small.copy()
    reference = ad.AnnData(small.X[:6].toarray(), var=small.var[[]])
    sk.tl.enhance(adata, reference=reference)
    with pytest.raises(ValueError, match="which is not stored with the data"):
        judge_fit(adata, "sccase")
