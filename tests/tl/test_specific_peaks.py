"""Marker peaks: every group is there, columns mean what they say, bad groups are named."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk
from sccase_kit.tl._nearest_gene import add_nearest_gene, nearest_genes


@pytest.fixture(scope="module")
def fitted():
    adata = sk.datasets.toy_study(n_cells=300, n_peaks=1500, rng=0).adata
    sk.tl.enhance(adata, 8)
    return adata


def test_columns_hold_what_they_say(fitted):
    adata = sk.tl.specific_peaks(fitted, "cell_type", n_top=40, genome="hg38", copy=True)
    table, groups = (adata.uns["specific_peaks"][name] for name in ("peaks", "groups"))
    assert groups["group"].tolist() == adata.obs["cell_type"].cat.categories.tolist()
    open_ = adata.X.toarray() > 0
    enhanced = sk.get.enhanced(adata)
    for name, part in table.groupby("group"):
        inside = (adata.obs["cell_type"] == name).to_numpy()
        columns = adata.var_names.get_indexer(part["peak"])
        np.testing.assert_allclose(part["pct_in"], open_[inside][:, columns].mean(axis=0))
        np.testing.assert_allclose(part["pct_out"], open_[~inside][:, columns].mean(axis=0))
        mean_in, mean_out = enhanced[inside].mean(axis=0), enhanced[~inside].mean(axis=0)
        rising = (mean_in / mean_in.sum() > mean_out / mean_out.sum())[columns]
        assert rising.mean() > 0.95
        assert part["score"].is_monotonic_decreasing
        assert (part["log2fc"] > 0).all()
        assert (part["padj"] >= part["pvalue"]).all()
        assert groups.set_index("group").loc[name, "n_peaks"] == len(part) == 40
    genes = sk.regions.tss_table("hg38")
    row = table.iloc[7]
    own = genes[genes["chrom"] == row["chrom"]]
    away = np.maximum(np.maximum(row["start"] - own["tss"], own["tss"] - row["end"] + 1), 0)
    assert abs(row["distance"]) == away.min()
    assert row["nearest_gene"] in set(own.loc[away == away.min(), "symbol"])


def test_it_finds_more_of_the_planted_peaks_than_the_component(fitted):
    found = {}
    for ranking in ("score", "coefficient"):
        adata = sk.tl.specific_peaks(
            fitted, "cell_type", n_top=60, ranking=ranking, alpha=1, min_specificity=0, copy=True
        )
        table = adata.uns["specific_peaks"]["peaks"]
        truth = adata.var.loc[table["peak"], "specific_to"].to_numpy()
        found[ranking] = np.mean(truth == table["group"])
    assert found["score"] > found["coefficient"] + 0.1, found


def test_a_group_of_one_cell_and_one_without_reads_are_named_rows(fitted):
    adata = fitted.copy()
    label = adata.obs["cell_type"].astype(str).to_numpy(dtype=object)
    label[0], label[1:4] = "alone", "empty"
    adata.obs["label"] = label
    matrix = adata.X.tolil()
    matrix[1:4] = 0
    adata.X = matrix.tocsr()
    with pytest.warns(UserWarning, match="empty: none of its 3 cells has a read"):
        sk.tl.specific_peaks(adata, "label", n_top=20)
    groups = adata.uns["specific_peaks"]["groups"].set_index("group")
    assert set(groups.index) == set(label)
    assert groups.loc["empty", "n_peaks"] == 0
    assert groups.loc["alone", "n_peaks"] == 20
    assert "it resembles" in groups.loc["alone", "reason"]


def test_groups_that_are_no_groups_keep_their_best_peaks(fitted):
    adata = fitted.copy()
    adata.obs["random"] = np.random.default_rng(0).permutation(np.arange(adata.n_obs) % 3).astype(str)
    with pytest.warns(UserWarning, match=r"groups with few marker peaks .* 0: 0 peaks .* it resembles"):
        sk.tl.specific_peaks(adata, "random", n_top=20)
    assert (adata.uns["specific_peaks"]["groups"]["n_peaks"] == 20).all()
    with pytest.warns(UserWarning, match="no peak passes"):
        sk.tl.specific_peaks(adata, "random", n_top=20, max_padj=0.05)
    assert (adata.uns["specific_peaks"]["groups"]["n_peaks"] == 0).all()
    assert len(adata.uns["specific_peaks"]["peaks"]) == 0


def test_two_groups_do_not_resemble_each_other(fitted):
    adata = fitted[fitted.obs["cell_type"].isin(["type_1", "type_2"])].copy()
    adata.obs["cell_type"] = adata.obs["cell_type"].cat.remove_unused_categories()
    with pytest.warns(UserWarning, match=r"no other group \(the nearest is type_2, correlation -0"):
        sk.tl.specific_peaks(adata, "cell_type", n_top=20, alpha=0)


def test_a_group_without_a_peak_by_contrast_falls_back(fitted):
    adata = fitted.copy()
    label = adata.obs["cell_type"].astype(str).to_numpy(dtype=object)
    adata.obs["label"] = label
    # Cells whose enhanced profile is the mean of all lead at no peak.
    middle = np.arange(5)
    adata.obsm["sccase_cell_factors"] = adata.obsm["sccase_cell_factors"].copy()
    adata.obsm["sccase_cell_factors"][middle] = adata.obsm["sccase_cell_factors"][5:].mean(axis=0)
    adata.obs.iloc[middle, adata.obs.columns.get_loc("label")] = "middle"
    sk.tl.specific_peaks(adata, "label", n_top=5, ranking="contrast", alpha=1, min_specificity=0)
    groups = adata.uns["specific_peaks"]["groups"].set_index("group")
    assert groups.loc["middle", "ranking"] == "score"
    assert (groups["n_peaks"] > 0).all()


def test_component_is_a_spelling_of_coefficient(fitted):
    quiet = {"n_top": 10, "alpha": 1, "min_specificity": 0, "copy": True}
    tables = [
        sk.tl.specific_peaks(fitted, "cell_type", ranking=name, **quiet).uns["specific_peaks"]["peaks"]
        for name in ("component", "coefficient")
    ]
    pd.testing.assert_frame_equal(*tables)


def test_counts_in_a_layer_are_those_that_were_enhanced(fitted):
    adata = fitted.copy()
    adata.layers["counts"] = adata.X.copy()
    sk.tl.enhance(adata, 8, layer="counts")
    adata.X = np.zeros(adata.shape, dtype=np.float32)
    sk.tl.specific_peaks(adata, "cell_type", n_top=5)
    assert (adata.uns["specific_peaks"]["peaks"]["pct_in"] > 0).all()
    with pytest.raises(KeyError, match="layer='raw'"):
        sk.tl.specific_peaks(adata, "cell_type", layer="raw")


def test_results_survive_a_file(fitted, tmp_path):
    adata = sk.tl.specific_peaks(fitted, "cell_type", n_top=5, genome="hg38", copy=True)
    adata.write_h5ad(tmp_path / "a.h5ad")
    again = ad.read_h5ad(tmp_path / "a.h5ad")
    for name in ("peaks", "groups", "components"):
        pd.testing.assert_frame_equal(
            again.uns["specific_peaks"][name], adata.uns["specific_peaks"][name], check_dtype=False
        )


def test_nearest_gene_is_signed_by_the_strand_of_the_gene():
    genes = pd.DataFrame(
        {"chrom": "chr1", "tss": [1000, 5000], "strand": ["+", "-"], "gene_id": ["a", "b"], "symbol": ["A", "B"]}
    )
    peaks = pd.DataFrame(
        {
            "chrom": ["chr1", "chr1", "chr1", "chr1", "chr2", "chr1"],
            "start": [800, 1100, 900, 5100, 10, -1],
            "end": [900, 1200, 1100, 5200, 20, -1],
        }
    )
    table = add_nearest_gene(peaks, genes)
    assert table["nearest_gene"].tolist() == ["A", "A", "A", "B", "", ""]
    assert table["distance"].tolist()[:4] == [-101, 100, 0, -100]
    assert table["distance"].isna().tolist() == [False] * 4 + [True] * 2


def test_of_genes_inside_a_peak_the_middle_one_counts():
    genes = pd.DataFrame({"chrom": "chr1", "tss": [100, 140, 199], "strand": "+", "gene_id": [*"abc"]})
    genes["symbol"] = genes["gene_id"]
    gene, distance = nearest_genes(pd.DataFrame({"chrom": ["chr1"], "start": [90], "end": [200]}), genes)
    assert (gene.tolist(), distance.tolist()) == ([1], [0])


def test_genome_that_names_chromosomes_otherwise_is_understood(fitted):
    genes = sk.regions.tss_table("hg38")
    found = []
    for table in (genes, genes.assign(chrom=genes["chrom"].str[3:])):
        fresh = fitted.copy()
        sk.tl.specific_peaks(fresh, "cell_type", genome=table)
        found.append(fresh.uns["specific_peaks"]["peaks"])
    pd.testing.assert_frame_equal(*found)


@pytest.mark.slow
def test_real_cells_lose_no_group_and_gmp_gets_the_component_of_its_own(shared_data):
    """Buenrostro et al. 2018, donor BM0828: GMP's component by the saturating statistic has an AUC of .76."""
    adata = sk.read(shared_data / "bm0828.h5ad")
    sk.tl.enhance(adata)
    with pytest.warns(UserWarning, match="CMP: 0 peaks"):
        sk.tl.specific_peaks(adata, "cell_type", n_top=200, genome="hg19")
    stored = adata.uns["specific_peaks"]
    assert (stored["groups"]["n_peaks"] == 200).all()
    components = stored["components"].set_index("group")
    assert components.loc["GMP", "specificity"] > 0.9
    significant = stored["groups"].set_index("group")["n_significant"]
    assert significant["MEP"] > 1000
    assert significant["MPP"] == significant["CMP"] == 0


def test_places_of_names_do_for_genes(fitted):
    adata = fitted.copy()
    sk.tl.specific_peaks(adata, "cell_type", n_top=3, genome="hg38")
    expected = adata.uns["specific_peaks"]["peaks"]
    adata.var = adata.var.drop(columns=["chrom", "start", "end"])
    sk.tl.specific_peaks(adata, "cell_type", n_top=3, genome="hg38")
    columns = ["chrom", "start", "end", "nearest_gene", "distance"]
    pd.testing.assert_frame_equal(adata.uns["specific_peaks"]["peaks"][columns], expected[columns])
