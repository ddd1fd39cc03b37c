"""tl.great and tl.enrich_genes on the toy study."""

import shutil
import sys

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import sccase_kit as sk

needs_bedtools = pytest.mark.skipif(shutil.which("bedtools") is None, reason="the program bedtools is not installed")


@pytest.fixture(scope="module")
def toy():
    return sk.datasets.toy_study()


@pytest.fixture(scope="module")
def peaks(toy):
    var = toy.adata.var
    return var[var["specific_to"] != ""].rename(columns={"specific_to": "group"})


def background_peaks(toy, n=150):
    var = toy.adata.var
    return var[var["specific_to"] == ""].sample(n, random_state=0)[["chrom", "start", "end"]]


def test_planted_terms_come_back_for_the_right_type_only(toy, peaks):
    table = sk.tl.great(peaks, "hg38", toy.gene_sets, tss=toy.genes)
    passed = table[
        (table["Binom_Adjp_BH"] < 0.05) & (table["Hyper_Adjp_BH"] < 0.05) & (table["Binom_Fold_Enrichment"] >= 2)
    ]
    assert {(g, t) for g, t in zip(passed["group"], passed["ID"], strict=True)} == {
        (group, planted["term"]) for group, planted in toy.planted.items()
    }
    assert len(table) == len(toy.planted) * len(toy.gene_sets)
    assert table.attrs["great"]["genome"] == "hg38"
    none = sk.tl.great(background_peaks(toy), "hg38", toy.gene_sets, tss=toy.genes)
    assert "group" not in none.columns
    assert not (
        (none["Binom_Adjp_BH"] < 0.05) & (none["Hyper_Adjp_BH"] < 0.05) & (none["Binom_Fold_Enrichment"] >= 2)
    ).any()


def test_against_background_regions(toy, peaks):
    table = sk.tl.great(peaks, "hg38", toy.gene_sets, tss=toy.genes, background=toy.adata)
    best = table.sort_values("Hyper_Raw_PValue").groupby("group").head(1)
    assert dict(zip(best["group"], best["ID"], strict=True)) == {g: p["term"] for g, p in toy.planted.items()}


def test_reads_peaks_of_an_anndata(toy, peaks):
    adata = toy.adata.copy()
    with pytest.raises(KeyError, match="specific_peaks"):
        sk.tl.great(adata, "hg38", toy.gene_sets, tss=toy.genes)
    expected = sk.tl.great(peaks, "hg38", toy.gene_sets, tss=toy.genes)
    for stored in (peaks, {"params": {}, "table": peaks}):
        adata.uns["specific_peaks"] = stored
        pd.testing.assert_frame_equal(sk.tl.great(adata, "hg38", toy.gene_sets, tss=toy.genes), expected)
    adata.uns["specific_peaks"] = {"params": {}}
    with pytest.raises(KeyError, match="no table"):
        sk.tl.great(adata, "hg38", toy.gene_sets, tss=toy.genes)
    renamed = peaks.rename(columns={"group": "cell_type"})
    by_name = sk.tl.great(renamed, "hg38", toy.gene_sets, groupby="cell_type", tss=toy.genes)
    pd.testing.assert_frame_equal(by_name, expected)
    with pytest.raises(KeyError, match="cell_typ"):
        sk.tl.great(renamed, "hg38", toy.gene_sets, groupby="cell_typ", tss=toy.genes)


def test_result_object(toy, peaks):
    result = sk.tl.great(peaks, "hg38", toy.gene_sets, tss=toy.genes, return_result=True)
    term = result.term(toy.planted["type_1"]["term"], "type_1")
    assert set(term["gene_id"]) <= set(toy.gene_sets[toy.planted["type_1"]["term"]])
    assert len(term)


def test_go_of_mouse_says_how_to_get_it(peaks, tmp_path, monkeypatch):
    monkeypatch.setenv("SCCASE_KIT_GENE_SETS", str(tmp_path))
    with pytest.raises(FileNotFoundError) as caught:
        sk.tl.great(peaks, "mm10", "GO:BP")
    assert str(caught.value).splitlines()[-1] == "sccase-kit gene-sets build --species mouse"


def test_human_go_is_there(peaks):
    table = sk.tl.great(peaks, "hg38", "GO:CC", members=False)
    assert table["ID"].nunique() > 700
    assert set(table["ontology"]) == {"GO Cellular Component"}
    assert "CC-BY-4.0" in table.attrs["great"]["gene_sets_source"]
    assert "2022-07-01" in table.attrs["great"]["gene_sets_source"]


def test_several_collections_are_corrected_each_on_its_own(toy, peaks, tmp_path):
    path = tmp_path / "mine.gmt"
    path.write_text("".join(f"{t}\t\t" + "\t".join(g) + "\n" for t, g in list(toy.gene_sets.items())[:5]))
    options = {"tss": toy.genes, "members": False}
    both = sk.tl.great(peaks, "hg38", [path, toy.gene_sets], **options)
    alone = sk.tl.great(peaks, "hg38", path, **options)
    assert both["ontology"].unique().tolist() == ["mine", "collection 2"]
    pd.testing.assert_frame_equal(
        both[both["ontology"] == "mine"].reset_index(drop=True), alone, check_index_type=False
    )
    assert both.attrs["great"]["gene_sets_source"] == "mine: file mine.gmt"
    with pytest.raises(ValueError, match=r"gene_sets\[0\] and gene_sets\[1\] both hold the collection 'mine'"):
        sk.tl.great(peaks, "hg38", [path, path], **options)


def test_gene_sets_of_another_species_are_refused(toy, peaks):
    names = [gene for genes in toy.gene_sets.values() for gene in genes][:40]
    foreign = {"A": [*(f"Gene{i}" for i in range(90)), *names[:3]], "B": ["Xkr4", *names[3:5]]}
    with pytest.raises(ValueError, match=r"only 5.2% of the genes of gene_sets are in tss .*force=True"):
        sk.tl.great(peaks, "hg38", foreign, tss=toy.genes)
    with pytest.warns(UserWarning, match="95% of the genes"):
        table = sk.tl.great(peaks, "hg38", foreign, tss=toy.genes, force=True)
    assert set(table["ID"]) == {"A", "B"}


def test_go_from_the_installed_database(golden):
    try:
        sets = sk.regions.go_from_orgdb()
    except FileNotFoundError as err:
        pytest.skip(str(err))
    folder = golden / "great"
    for name, genome in (("04_ultra_hg38", "hg38"), ("05_ultra_hg19", "hg19"), ("07_height_snps_hg19", "hg19")):
        ours = sk.tl.great(
            folder / f"{name}.bed", genome, sets, tss=folder / f"data/GREATv4.genes.{genome}.tsv.gz", members=False
        )
        server = pd.read_csv(folder / f"{name}_output_great_webserver.tsv.gz", sep="\t", skiprows=1)
        server.columns = [c.strip("# ") for c in server.columns]
        both = server.merge(ours, left_on="Term ID", right_on="ID")
        assert len(both) > 1_500
        theirs = -np.log10(both["Binom Raw P-Value"].astype(float))
        # The server has the GO of 2019. A term with the same genes since has the same p to the 7 digits printed (4e-8
        # in log10 p); any other p, as any change of the test itself would give, is far from it. With org.Hs.eg.db 3.16
        # 232, 244 and 160 terms are such, and not one more within ten times that; GO drifts on, so 50 are asked.
        apart = np.abs(theirs + both["Binom_Log10_PValue"])
        same = apart < 1e-6
        assert same.sum() > 50
        assert (apart < 1e-5).sum() - same.sum() <= 0.02 * same.sum()
        # The genes of the other terms changed: Pearson r of log10 p is 0.875, 0.931, 0.909 with org.Hs.eg.db 3.16.
        enriched = both["Binom_Fold_Enrichment"] >= 2
        assert stats.pearsonr(theirs[enriched], -both.loc[enriched, "Binom_Log10_PValue"]).statistic > 0.85


@needs_bedtools
def test_gene_level_enrichment(toy, peaks):
    pytest.importorskip("gseapy")
    table = sk.tl.enrich_genes(peaks, "hg38", toy.gene_sets, tss=toy.genes, max_distance=None)
    first = table.groupby("group", sort=False).head(1)
    assert dict(zip(first["group"], first["ID"], strict=True)) == {g: p["term"] for g, p in toy.planted.items()}
    near = sk.regions.closest_genes(peaks, toy.genes)
    for row in table.itertuples():
        drawn = set(near["gene_id"][near["region"].isin(peaks.index[peaks["group"] == row.group])])
        marked = set(toy.gene_sets[row.ID])
        hits = drawn & marked
        assert row.Overlap == f"{len(hits)}/{len(marked)}"
        assert len(row.Genes.split(";")) == len(hits)
        tail = stats.hypergeom.sf(len(hits) - 1, len(toy.genes), len(marked), len(drawn))
        assert row[table.columns.get_loc("P-value") + 1] == pytest.approx(tail, rel=1e-6)


@needs_bedtools
def test_gene_level_enrichment_with_background_and_bad_input(toy, peaks):
    pytest.importorskip("gseapy")
    table = sk.tl.enrich_genes(peaks, "hg38", toy.gene_sets, tss=toy.genes, background=toy.adata, max_distance=200_000)
    assert table["P-value"].min() < 1e-6
    with pytest.raises(ValueError, match="no gene lies within"):
        sk.tl.enrich_genes(["chr1:0-10"], "hg38", toy.gene_sets, tss=toy.genes, max_distance=0)
    with pytest.raises(ValueError, match="not a single gene"):
        sk.tl.enrich_genes(peaks, "hg38", {"T": ["nobody"]}, tss=toy.genes, max_distance=None)
    with pytest.raises(ValueError, match="pass a TSS table"):
        sk.tl.enrich_genes(peaks, None, toy.gene_sets)


def test_without_gseapy(toy, peaks, monkeypatch):
    monkeypatch.setitem(sys.modules, "gseapy", None)
    with pytest.raises(ImportError) as info:
        sk.tl.enrich_genes(peaks, "hg38", toy.gene_sets, tss=toy.genes)
    assert "sccase_kit[enrich]" in "".join(info.value.__notes__)


def test_an_unknown_genome_is_named_before_the_database(peaks):
    with pytest.raises(ValueError, match=r"genome must be one of .*, got 'hg99'"):
        sk.tl.great(peaks, "hg99", "GO:BP")


def test_an_unknown_ontology_is_told_the_known_ones(peaks):
    with pytest.raises(FileNotFoundError, match=r"no GMT file 'GO:XX' .Gene Ontology is GO, GO:BP, GO:MF or GO:CC"):
        sk.tl.great(peaks, "hg38", "GO:XX")


def test_an_anndata_keeps_the_result_and_the_plots_take_it(toy, peaks, tmp_path):
    adata = toy.adata.copy()
    adata.uns["specific_peaks"] = peaks
    table = sk.tl.great(adata, "hg38", toy.gene_sets, tss=toy.genes)
    adata.write_h5ad(tmp_path / "a.h5ad")
    again = sk.read(tmp_path / "a.h5ad")
    stored = again.uns["great"]["table"]
    assert {"Genes", "Regions"} <= set(stored.columns)
    assert stored["Regions"].iloc[0].startswith("chr")
    assert stored["ID"].tolist() == table["ID"].tolist()
    assert again.uns["great"]["params"]["genome"] == "hg38"
    assert again.uns["great"]["info"]["n_terms"] == len(toy.gene_sets)
    for draw in (sk.pl.great_bar, sk.pl.great_dot, sk.pl.great_distances):
        assert draw(again).has_data()
    assert (
        sk.pl.great_bar(again).get_yticklabels()[0].get_text() == sk.pl.great_bar(table).get_yticklabels()[0].get_text()
    )
    with pytest.raises(KeyError, match=r"run sccase_kit.tl.great first|the keys that are"):
        sk.pl.great_dot(again, key="other")
    del again.uns["great"]["associations"]
    with pytest.raises(KeyError, match="holds no associations"):
        sk.pl.great_distances(again)
    del again.uns["great"]
    sk.tl.great(again, "hg38", toy.gene_sets, tss=toy.genes, key_added=None)
    assert "great" not in again.uns
