"""Specific and background peaks of the toy study."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import sccase_kit as sk
from sccase_kit.io.zarr_store import write_zarr

COLUMNS = ["chrom", "start", "end", "peak", "group", "rank", "score", "log2fc", "log2fc_enhanced", "log2fc_nearest"]
COLUMNS += ["pct_in", "pct_out", "pvalue", "padj", "component", "coefficient"]


@pytest.fixture(scope="module")
def fitted():
    adata = sk.datasets.toy_study(rng=0).adata
    sk.tl.enhance(adata, 8)
    return adata


def test_finds_planted_peaks(fitted):
    adata = sk.tl.specific_peaks(fitted, "cell_type", n_top=50, copy=True)
    assert "specific_peaks" not in fitted.uns
    table = adata.uns["specific_peaks"]["peaks"]
    truth = adata.var.loc[table["peak"], "specific_to"].to_numpy()
    precision = pd.Series(truth == table["group"]).groupby(table["group"].to_numpy()).mean()
    chance = adata.var["specific_to"].value_counts(normalize=True).drop("").max()
    assert (precision > 6 * chance).all(), precision
    background = sk.tl.background_peaks(fitted, n_top=250, copy=True).uns["background_peaks"]["peaks"]
    share = adata.var.loc[background["peak"], "specific_to"].value_counts(normalize=True).drop("")
    assert share.max() < precision.min() / 3, share


def test_table_is_sorted_and_matches_the_model(fitted, tmp_path):
    adata = sk.tl.specific_peaks(fitted, "cell_type", n_top=30, ranking="coefficient", copy=True)
    table = adata.uns["specific_peaks"]["peaks"]
    assert list(table.columns) == COLUMNS
    rows = adata.var_names.get_indexer(table["peak"])
    np.testing.assert_allclose(table["coefficient"], adata.varm["sccase_projection"][rows, table["component"]])
    for _, part in table.groupby("group"):
        assert part["rank"].tolist() == list(range(1, 31))
        assert part["coefficient"].is_monotonic_decreasing
        top = np.sort(adata.varm["sccase_projection"][:, part["component"].iloc[0]])[-30:]
        np.testing.assert_allclose(np.sort(part["coefficient"]), top)
    np.testing.assert_array_equal(table["start"], adata.var.loc[table["peak"], "start"])
    adata.write_h5ad(tmp_path / "a.h5ad")
    again = ad.read_h5ad(tmp_path / "a.h5ad").uns["specific_peaks"]
    assert again["params"]["groupby"] == "cell_type"
    np.testing.assert_array_equal(again["peaks"]["peak"], table["peak"])


def precision(adata, table):
    truth = adata.var.loc[table["peak"], "specific_to"].to_numpy()
    return pd.Series(truth == table["group"]).groupby(table["group"].to_numpy()).mean()


@pytest.mark.parametrize("rng", [0, 1])
def test_contrast_finds_more_of_the_planted_peaks(rng):
    adata = sk.datasets.toy_study(rng=rng).adata
    sk.tl.enhance(adata)
    found = {}
    for ranking in ("coefficient", "contrast"):
        sk.tl.specific_peaks(adata, "cell_type", n_top=150, ranking=ranking)
        found[ranking] = precision(adata, adata.uns["specific_peaks"]["peaks"])
    assert (found["contrast"] > found["coefficient"] + 0.1).all(), found
    assert found["contrast"].mean() > 0.75, found
    table = adata.uns["specific_peaks"]["peaks"]
    for _, part in table.groupby("group"):
        assert part["contrast"].is_monotonic_decreasing
        assert (part["contrast"] > 0).all()
    sk.tl.background_peaks(adata, n_top=150, groupby="cell_type")
    own = adata.var.loc[adata.uns["background_peaks"]["peaks"]["peak"], "specific_to"] != ""
    sk.tl.background_peaks(adata, n_top=150)
    paper = adata.var.loc[adata.uns["background_peaks"]["peaks"]["peak"], "specific_to"] != ""
    assert own.mean() < 0.15 < paper.mean(), (own.mean(), paper.mean())


@pytest.mark.parametrize("ranking", ["score", "contrast"])
def test_dense_results_have_the_same_peaks_as_their_matrix(ranking):
    adata = sk.datasets.toy_study(n_cells=60, n_peaks=300).adata
    sk.tl.enhance(adata, 6, solver="published")
    sk.tl.specific_peaks(adata, "cell_type", ranking=ranking, n_top=5, alpha=1, min_specificity=0)
    table = adata.uns["specific_peaks"]["peaks"]
    assert set(table["group"]) == set(adata.obs["cell_type"])
    with pytest.raises(ValueError, match="ranking must be one of"):
        sk.tl.specific_peaks(adata, "cell_type", ranking="wilcoxon")


def test_several_components(fitted):
    adata = sk.tl.specific_peaks(fitted, "cell_type", n_top=40, n_components=2, copy=True)
    summary = adata.uns["specific_peaks"]["components"]
    assert (summary.groupby("group")["component"].nunique() == 2).all()
    first = summary.groupby("group", sort=False).head(1)
    np.testing.assert_allclose(summary["padj"] >= summary["pvalue"], True)
    assert (first["padj"] < 1e-6).all()


@pytest.mark.parametrize("method", ["wilcoxon", "logreg"])
def test_comparison_with_a_differential_test(fitted, method):
    adata = sk.tl.specific_peaks(fitted, "cell_type", n_top=50, copy=True)
    before = adata.X.copy()
    table = sk.tl.compare_specific_peaks(adata, method=method)
    assert (adata.X != before).nnz == 0
    assert "log1p" not in adata.uns
    assert "rank_genes_groups" not in adata.uns
    assert list(table["group"]) == list(adata.obs["cell_type"].cat.categories)
    own = adata.uns["specific_peaks"]["peaks"]
    for row in table.itertuples():
        mine = set(own.loc[own["group"] == row.group, "peak"])
        assert row.n == len(mine) == 50
        np.testing.assert_allclose(row.jaccard, row.overlap / (100 - row.overlap))
        np.testing.assert_allclose(row.expected, 50 * 50 / adata.n_vars)
        assert row.overlap > 5 * row.expected


@pytest.mark.parametrize("method", ["wilcoxon", "logreg"])
def test_the_peaks_of_both_are_returned(fitted, method):
    adata = sk.tl.specific_peaks(fitted, "cell_type", n_top=40, copy=True)
    groups = sk.tl.compare_specific_peaks(adata, method=method).set_index("group")
    peaks = sk.tl.compare_specific_peaks(adata, method=method, detail="peaks")
    own = adata.uns["specific_peaks"]["peaks"]
    depth = np.asarray(adata.X.sum(axis=1)).ravel()
    for name, part in peaks.groupby("group", sort=False):
        mine = own.loc[own["group"] == name]
        assert part.loc[part["specific"], "peak"].tolist() == mine["peak"].tolist()
        assert part.loc[part["specific"], "rank"].tolist() == list(range(1, 41))
        assert part.loc[~part["specific"], "rank"].isna().all()
        assert part["test"].sum() == 40
        assert (part["test"] == (part["rank_test"] <= 40)).all()
        assert (part["specific"] & part["test"]).sum() == groups.loc[name, "overlap"]
        assert part["rank_test"].is_unique
        by_rank = part.sort_values("rank_test")
        assert by_rank["score_test"].is_monotonic_decreasing
        assert part["peak"].is_unique
        np.testing.assert_array_equal(part["start"], adata.var.loc[part["peak"], "start"])
        if method == "wilcoxon":  # the largest z is that of ranks by hand
            best, cells = by_rank.iloc[0], (adata.obs["cell_type"] == name).to_numpy()
            level = adata[:, best["peak"]].X.toarray().ravel() / depth
            z = stats.mannwhitneyu(level[cells], level[~cells], alternative="greater", use_continuity=False).pvalue
            assert z < 1e-6
    with pytest.raises(ValueError, match="detail must be one of"):
        sk.tl.compare_specific_peaks(adata, detail="all")


def test_comparison_needs_specific_peaks(fitted):
    with pytest.raises(KeyError, match="specific_peaks"):
        sk.tl.compare_specific_peaks(fitted)
    adata = sk.tl.specific_peaks(fitted, "cell_type", n_top=5, copy=True)
    with pytest.raises(ValueError, match="method must be one of"):
        sk.tl.compare_specific_peaks(adata, method="magic")


def test_warns_without_specific_component(fitted):
    adata = fitted.copy()
    adata.obs["random"] = pd.Categorical(np.random.default_rng(0).permutation(np.arange(adata.n_obs) % 2).astype(str))
    with pytest.warns(UserWarning, match="no component is specific to"):
        sk.tl.specific_peaks(adata, "random", n_top=5, ranking="coefficient", min_significant=0)


def test_errors(fitted):
    with pytest.raises(KeyError, match=r"run sccase_kit\.tl\.enhance"):
        sk.tl.specific_peaks(sk.datasets.toy_study(n_cells=60, n_peaks=400).adata, "cell_type")
    with pytest.raises(KeyError, match="groupby='nothing'"):
        sk.tl.specific_peaks(fitted, "nothing")
    with pytest.raises(ValueError, match="n_top must be at least 1"):
        sk.tl.background_peaks(fitted, n_top=0)
    with pytest.raises(ValueError, match="n_components must be at most"):
        sk.tl.specific_peaks(fitted, "cell_type", n_components=10_000)


def test_groups_of_the_same_name_are_refused(fitted):
    adata = fitted.copy()
    adata.obs["mixed"] = np.where(np.arange(adata.n_obs) % 2, 1, 0).astype(object)
    adata.obs.loc[adata.obs_names[:5], "mixed"] = "1"
    with pytest.raises(ValueError, match=r"groupby='mixed': groups \['1'\] are not distinct as text; rename them"):
        sk.tl.specific_peaks(adata, "mixed")
    adata.obs["number"] = adata.obs["mixed"].astype(int)
    sk.tl.specific_peaks(adata, "number", n_top=3, alpha=1, min_specificity=0, ranking="contrast")
    assert set(adata.uns["specific_peaks"]["peaks"]["group"]) == {"0", "1"}


def test_groups_that_share_a_component_are_named(fitted):
    adata = fitted.copy()
    half = np.where(np.arange(adata.n_obs) % 2, "a", "b")
    own = (adata.obs["cell_type"] == "type_1").to_numpy()
    adata.obs["halves"] = np.where(own, half, "rest")
    adata.obsm["X_sccase"] = np.zeros_like(adata.obsm["X_sccase"])
    adata.obsm["X_sccase"][:, 0], adata.obsm["X_sccase"][:, 1] = own, ~own
    with pytest.warns(UserWarning, match=r"groups \['a', 'b'\] have the same component, hence the same peaks"):
        sk.tl.specific_peaks(adata, "halves", n_top=3, alpha=1, min_specificity=0, ranking="component")
    peaks = adata.uns["specific_peaks"]["peaks"].groupby("group")["peak"].agg(list)
    assert peaks["a"] == peaks["b"] != peaks["rest"]


@pytest.mark.parametrize("suffix", [".h5ad", ".zarr"])
def test_comparison_of_backed_counts(fitted, tmp_path, suffix):
    adata = sk.tl.specific_peaks(fitted, "cell_type", n_top=20, copy=True)
    write = ad.AnnData.write_h5ad if suffix == ".h5ad" else write_zarr
    write(adata, tmp_path / f"a{suffix}")
    backed = sk.read(tmp_path / f"a{suffix}", backed=True)
    pd.testing.assert_frame_equal(sk.tl.compare_specific_peaks(backed), sk.tl.compare_specific_peaks(adata))
    if backed.isbacked:
        backed.file.close()
