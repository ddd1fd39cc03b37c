from __future__ import annotations

import numpy as np
import pytest

import sccase_kit as sk
from sccase_kit.metrics import compare


@pytest.fixture
def results(study, tmp_path):
    raw = study.copy()
    raw.X = sk.metrics.raw_tfidf(study)
    thin = study.copy()
    codes = study.obs["cell_type"].cat.codes.to_numpy()
    open_ = np.stack([study.layers["truth"].toarray()[codes == c][0] for c in range(3)], axis=1).astype(float)
    thin.obsm["sccase_cell_factors"], thin.varm["sccase_peak_factors"] = np.eye(3)[codes], open_
    thin.write_h5ad(tmp_path / "thin.h5ad")
    truth = study.copy()
    truth.X = study.layers["truth"]
    return {"raw": raw, "thin": tmp_path / "thin.h5ad"}, truth


def test_table(results):
    given, truth = results
    table = compare(given, "cell_type", truth=truth, batch_key="batch", raw=given["raw"])
    assert list(table.index) == ["raw", "thin"]
    assert table.loc["thin", "cell_auroc"] == pytest.approx(1)
    assert table.loc["thin", "ari"] == 1
    assert table.loc["thin", "smoothing"] > 0.99
    assert table.loc["raw", "over"] == 0
    assert table.loc["thin", "over"] == 0
    assert table.loc["raw", "smoothing"] < 0.7
    assert table.loc["raw", "n_peaks"] == 300
    by_layer = compare(given, "cell_type", truth="truth")
    np.testing.assert_allclose(by_layer["peak_auprc"], table["peak_auprc"])


def test_peaks_and_cells_are_matched_by_name(results):
    given, truth = results
    shuffled = truth[np.random.default_rng(0).permutation(120), np.random.default_rng(1).permutation(300)].copy()
    some = {"raw": given["raw"][:, ::2].copy()}
    a = compare(some, "cell_type", truth=truth)
    b = compare(some, "cell_type", truth=shuffled)
    np.testing.assert_allclose(a["cell_auprc"], b["cell_auprc"])
    fewer = compare({"raw": given["raw"]}, "cell_type", truth=truth[:, :100].copy())
    assert fewer.loc["raw", "n_peaks"] == 300


def test_errors(results, tmp_path):
    given, truth = results
    with pytest.raises(FileNotFoundError, match=r"results\['x'\]: .*none.h5ad does not exist"):
        compare({"x": tmp_path / "none.h5ad"}, "cell_type")
    with pytest.raises(TypeError, match=r"results\['x'\] must be an AnnData or a path, got int"):
        compare({"x": 3}, "cell_type")
    with pytest.raises(KeyError, match="20 cells are not in the other data"):
        compare({"raw": given["raw"]}, "cell_type", truth=truth[:100].copy())
    other = truth.copy()
    other.var_names = [f"p{i}" for i in range(300)]
    with pytest.raises(KeyError, match="no peak name is shared"):
        compare({"raw": given["raw"]}, "cell_type", truth=other)
