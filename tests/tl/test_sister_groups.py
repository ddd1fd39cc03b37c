"""Sister groups and merged clusters on a toy study: splits by chance are found, planted types stay."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk


@pytest.fixture(scope="module")
def study():
    """Types of a toy study, two of them split at random."""
    study = sk.datasets.toy_study(n_cells=800, n_peaks=1500, rng=1)
    adata = study.adata
    sk.tl.enhance(adata, 8, method="sccase", batch_key="batch")
    rng = np.random.default_rng(0)
    kind = adata.obs["cell_type"].astype(str).to_numpy()
    half = np.where((kind == "type_1") & (rng.random(len(kind)) < 0.4), "type_1b", kind)
    adata.obs["split"] = pd.Categorical(half)
    return study


@pytest.fixture(scope="module")
def sisters(study):
    planted = study.genes[study.genes["specific_to"] != ""]
    markers = planted.groupby("specific_to")["symbol"].agg(list).to_dict()
    adata = sk.tl.sister_groups(study.adata, "split", genome=study.genes, markers=markers, copy=True)
    return adata.uns["sister_groups"]


def test_a_type_split_by_chance_is_one_family_and_types_are_not(study, sisters):
    groups = sisters["groups"].set_index("group")
    assert groups.loc["type_1", "members"] == groups.loc["type_1b", "members"] == "type_1, type_1b"
    assert groups.loc["type_1b", "family"] == "type_1"
    pairs = sisters["pairs"].set_index(["group", "other"])
    assert not pairs.loc[("type_1", "type_1b"), "apart"]
    assert abs(pairs.loc[("type_1", "type_1b"), "z"]) < 4
    assert pairs.loc[("type_1", "type_3"), "apart"]
    assert (pairs["padj"] == np.minimum(pairs["pvalue"] * len(pairs), 1)).all()
    assert len(pairs) == 15
    assert (groups["n_cells"] == study.adata.obs["split"].value_counts()[groups.index]).all()
    assert (groups["next"] != groups["family"]).all()


def test_contrasts_are_the_same_from_both_sides(sisters):
    contrasts = sisters["contrasts"].set_index(["family", "other"])
    assert set(contrasts.index) == {(b, a) for a, b in contrasts.index}
    peaks = sisters["peaks"]
    for (a, b), row in contrasts.iterrows():
        turned = contrasts.loc[(b, a)]
        assert row["z"] == turned["z"]
        assert (row["n_more"], row["n_less"]) == (turned["n_less"], turned["n_more"])
        more = peaks[(peaks["family"] == a) & (peaks["other"] == b) & (peaks["direction"] == "more")]
        less = peaks[(peaks["family"] == b) & (peaks["other"] == a) & (peaks["direction"] == "less")]
        assert more["peak"].tolist() == less["peak"].tolist()
        np.testing.assert_allclose(more["log2fc"], -less["log2fc"])
        assert (more["log2fc"] > 0).all()
        assert more["pvalue"].is_monotonic_increasing
        assert more["rank"].tolist() == list(range(1, len(more) + 1))
        assert len(more) <= 50
    assert (peaks["nearest_gene"] != "").all()


def test_planted_markers_tell_types_apart(study, sisters):
    genes = sisters["genes"]
    kind_of = study.genes.set_index("symbol")["specific_to"]
    sure = genes[genes["padj"] <= 0.01]
    assert len(sure) > 10
    own = kind_of[sure["gene"]].to_numpy()
    up = sure["z"].to_numpy() > 0
    right = np.where(up, own == sure["family"].to_numpy(), own == sure["other"].to_numpy())
    assert right.mean() > 0.8
    assert ((sure["fold"] > 1) == up).mean() > 0.95
    assert (genes["n_peaks"] >= 1).all()


def test_they_are_written_and_read(study, sisters, tmp_path):
    adata = study.adata.copy()
    adata.uns["sister_groups"] = sisters
    adata.write_h5ad(tmp_path / "study.h5ad")
    again = sk.read(tmp_path / "study.h5ad").uns["sister_groups"]
    pd.testing.assert_frame_equal(again["contrasts"], sisters["contrasts"], check_dtype=False)
    assert again["params"]["groupby"] == "split"


def test_clusters_are_merged_until_all_are_told_apart(study):
    adata = study.adata
    sk.tl.cluster(adata, resolution=4, key_added="fine")
    merged = sk.tl.merge_clusters(adata, "fine", copy=True)
    assert "fine_merged" not in adata.obs
    entry = merged.uns["fine_merged"]
    assert entry["pairs"]["apart"].all()
    assert entry["n_clusters"] == merged.obs["fine_merged"].nunique() == len(entry["clusters"])
    assert entry["n_clusters"] < adata.obs["fine"].nunique()
    for row in entry["clusters"].itertuples():
        inside = adata.obs["fine"].isin(row.members.split(", "))
        assert (merged.obs["fine_merged"][inside] == row.cluster).all()
        assert row.n_cells == inside.sum()
        assert row.cluster in row.members.split(", ")
    before, after = (
        sk.metrics.agreement(merged.obs["cell_type"], merged.obs[name])["ari"] for name in ("fine", "fine_merged")
    )
    assert after > before
    again = sk.tl.merge_clusters(adata, "fine", copy=True)
    assert (again.obs["fine_merged"] == merged.obs["fine_merged"]).all()


def test_groups_drawn_at_random_are_one_family(study):
    adata = study.adata.copy()
    adata.obs["random"] = np.random.default_rng(0).integers(5, size=adata.n_obs).astype(str)
    sk.tl.merge_clusters(adata, "random", key_added="left", n_splits=2)
    assert adata.obs["left"].nunique() == 1
    assert adata.uns["left"]["pairs"].empty
    sk.tl.sister_groups(adata, "random")
    entry = adata.uns["sister_groups"]
    assert entry["contrasts"].empty
    assert entry["peaks"].empty
    assert (entry["groups"]["next"] == "").all()
    assert "genes" not in entry


def test_dense_methods_are_repeated_too(study):
    adata = study.adata[:150].copy()
    sk.pp.filter_peaks(adata, min_fraction=0.01)
    adata.obs["half"] = np.where(np.arange(150) % 2, "a", "b")
    sk.tl.enhance(adata, method="knn", key_added="other")
    sk.tl.merge_clusters(adata, "half", key="other")
    assert adata.obs["half_merged"].nunique() == 1


def test_what_cannot_be_done_is_told(study):
    adata = study.adata
    with pytest.raises(ValueError, match="markers are genes: give genome="):
        sk.tl.sister_groups(adata, "split", markers="blood")
    with pytest.raises(ValueError, match="alpha"):
        sk.tl.merge_clusters(adata, "split", alpha=2)
    with pytest.raises(KeyError, match="nope"):
        sk.tl.merge_clusters(adata, "nope")
    with pytest.raises(KeyError, match="enhance"):
        sk.tl.merge_clusters(adata, "split", key="nope")
    other = adata.copy()
    other.obs["split_merged"] = "mine"
    with pytest.warns(UserWarning, match="was there before"):
        sk.tl.merge_clusters(other, "split")
