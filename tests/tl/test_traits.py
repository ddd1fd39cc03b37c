"""Trait scores: planted variants come out in their cells, what is written, bad input."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import sccase_kit as sk


@pytest.fixture(scope="module")
def planted():
    """Three types; peaks of type b hold the variants of trait "b", random peaks those of "none"."""
    rng = np.random.default_rng(0)
    n_cells, n_peaks = 240, 400
    codes = np.repeat([0, 1, 2], 80)
    own = rng.integers(0, 6, n_peaks)
    rate = 0.25 * rng.gamma(2, 0.5, n_peaks) * np.where(own == codes[:, None], 4.0, 1.0)
    counts = rng.poisson(rate)
    counts[0, counts.sum(axis=0) == 0] = 1
    start = 2000 * np.arange(n_peaks)
    var = pd.DataFrame({"chrom": "chr1", "start": start, "end": start + 500, "gc": rng.normal(0.5, 0.1, n_peaks)})
    var.index = [f"chr1:{s}-{s + 500}" for s in start]
    obs = pd.DataFrame(
        {"type": pd.Categorical(np.array(["a", "b", "c"])[codes])}, index=[f"c{i}" for i in range(n_cells)]
    )
    adata = ad.AnnData(sparse.csr_matrix(counts.astype(np.float32)), obs=obs, var=var)
    sk.tl.enhance(adata)
    at = np.flatnonzero(own == 1)[:30]
    elsewhere = rng.choice(n_peaks, 30, replace=False)
    tables = {
        name: pd.DataFrame(
            {"chrom": "chr1", "start": start[p] + 7, "end": start[p] + 8, "pip": rng.uniform(0.2, 1, 30)}
        )
        for name, p in (("b/x", at), ("none", elsewhere))
    }
    return adata, tables


def test_planted_variants_mark_their_cells(planted, tmp_path):
    adata, tables = planted
    found = sk.tl.trait_scores(adata, tables, "type", n_permutations=99, copy=True)
    assert "traits" not in adata.uns
    groups = found.uns["traits"]["groups"]
    best = groups[groups["trait"] == "b|x"].iloc[0]
    assert best["group"] == "b"
    assert best["p_value"] == pytest.approx(0.01)
    assert best["score"] > 1.5
    assert groups[groups["trait"] == "none"]["score"].max() < best["score"]
    scores, p_values, z = (found.obsm[f"traits_{part}"] for part in ("scores", "p", "z"))
    is_b = (found.obs["type"] == "b").to_numpy()
    auc = (scores["b|x"].to_numpy()[is_b][:, None] > scores["b|x"].to_numpy()[~is_b]).mean()
    alone = (z["b|x"].to_numpy()[is_b][:, None] > z["b|x"].to_numpy()[~is_b]).mean()
    assert auc > max(alone, 0.95)
    assert (p_values["b|x"][is_b] < 0.05).mean() > 0.9
    traits = found.uns["traits"]["traits"].set_index("trait")
    assert traits.loc["b|x", "n_peaks"] == 30
    assert traits.loc["b|x", "n_seeds"] <= 12
    found.write_h5ad(tmp_path / "a.h5ad")
    again = sk.read(tmp_path / "a.h5ad")
    pd.testing.assert_frame_equal(again.uns["traits"]["groups"], groups, check_dtype=False)
    assert again.uns["traits"]["function"] == "tl.trait_scores"
    ax = sk.pl.trait_groups(again)
    assert [t.get_text() for t in ax.get_xticklabels()] == ["b|x", "none"]


def test_z_is_that_of_chromvar(planted):
    adata, tables = planted
    found = sk.tl.trait_scores(adata, tables, n_permutations=1, copy=True)
    sk.tl.chromvar(found, tables, weight="pip", method="analytic", min_expected=0, n_bootstrap=0)
    pd.testing.assert_frame_equal(found.obsm["traits_z"], found.obsm["chromvar_z"])
    assert "groups" not in found.uns["traits"]
    with pytest.raises(ValueError, match="groupby"):
        sk.pl.trait_groups(found)


def test_a_bed_file_a_graph_and_no_gc(planted, tmp_path):
    adata, tables = planted
    path = tmp_path / "b.bed"
    tables["b/x"].assign(name="r1")[["chrom", "start", "end", "name", "pip"]].to_csv(
        path, sep="\t", index=False, header=False
    )
    work = adata.copy()
    work.obsp["mine"] = sparse.csr_matrix(np.kron(np.eye(3), np.ones((80, 80))))
    sk.tl.trait_scores(work, {"b": path}, "type", bias=None, graph="mine", n_permutations=20)
    assert work.uns["traits"]["groups"].iloc[0]["group"] == "b"
    again = sk.tl.trait_scores(work, {"b": path}, "type", bias=None, graph="mine", n_permutations=20, copy=True)
    pd.testing.assert_frame_equal(again.obsm["traits_p"], work.obsm["traits_p"])


def test_a_trait_without_seeds_is_named(planted):
    adata, tables = planted
    off = tables["none"].assign(start=lambda t: t["start"] + 1000, end=lambda t: t["end"] + 1000)
    with pytest.warns(UserWarning, match="trait 'off': no cell has a z above 1.64"):
        found = sk.tl.trait_scores(adata, {"off": off, "b": tables["b/x"]}, n_permutations=5, copy=True)
    assert found.obsm["traits_scores"]["off"].isna().all()
    assert found.uns["traits"]["traits"].loc[0, ["n_peaks", "n_seeds"]].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"use_rep": "X_nothing"}, "X_nothing"),
        ({"graph": "nothing"}, "nothing"),
        ({"bias": "nothing"}, "nothing"),
        ({"max_seeds": 0}, "max_seeds"),
        ({"n_permutations": 0}, "n_permutations"),
        ({"groupby": "nothing"}, "nothing"),
        ({"restart": 0}, "restart"),
    ],
)
def test_bad_input(planted, options, words):
    adata, tables = planted
    with pytest.raises((ValueError, KeyError), match=words):
        sk.tl.trait_scores(adata, tables, **options)


def test_variants_of_another_genome(planted):
    adata, tables = planted
    far = {"b": tables["b/x"].assign(start=10**8, end=10**8 + 1)}
    with pytest.raises(ValueError, match="same genome"):
        sk.tl.trait_scores(adata, far)
