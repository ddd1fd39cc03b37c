"""What the first section says: only what the stored results hold, group by group."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk
from sccase_kit.pages.blocks import Cards, Details, Figure, Lines, Text, Tiles
from sccase_kit.pages.table import Table
from sccase_kit.report import _groups
from sccase_kit.report._batches import batches_of
from sccase_kit.report._found import Study, found_section
from sccase_kit.report._terms import enrichment_section, large_share, rule_of, terms_of


@pytest.fixture(scope="module")
def study():
    study = sk.datasets.toy_study(n_cells=150, n_peaks=500)
    sk.tl.enhance(study.adata, 5, method="sccase")
    return study


def section(adata, groupby="cell_type", **given):
    defaults = {"colors": {}, "others": (), "tables": {}, "tests": {}, "verdict": None}
    defaults["batches"] = batches_of(adata, groupby, "sccase")
    found = found_section(Study(adata, groupby, "sccase", None, **(defaults | given)))
    parts = {type(block): block for block in found.blocks}
    cards = parts[Cards].cards if Cards in parts else []
    return parts[Tiles].values, " ".join(text for _, text in parts[Lines].lines), {card.title: card for card in cards}


def test_nothing_is_said_that_was_not_computed(study):
    tiles, lines, cards = section(study.adata)
    assert "names suggested" not in tiles
    assert "Not measured on these data" in lines
    assert "No names were suggested (sk.tl.annotate)" in lines
    assert "Not corrected: the fit was given no batch_key. 'batch' is taken for batches by its name. batch: 2" in lines
    assert "batch_key='batch'" not in lines  # mixed inside the types: nothing to doubt
    assert all(not card.head and not card.lines for card in cards.values())
    counts = study.adata.obs["cell_type"].value_counts()
    assert {name: card.aside for name, card in cards.items()} == {
        name: f"{n} cells, {n / 150:.1%}" for name, n in counts.items()
    }
    assert section(study.adata, verdict="Enhancing helps.")[1].count("Enhancing helps.") == 1
    for word in ("interpret --fasta genome.fa", "--gene-sets GO:BP", "--variants TRAIT="):
        assert lines.count(word) == 1
    _, lines, cards = section(study.adata, None)
    assert cards == {}
    assert "--fasta" not in lines
    assert "None yet: sccase-kit cluster, annotate, peaks and interpret" in lines


def test_names_genes_and_doubts_of_groups(study):
    adata = study.adata.copy()
    planted = study.genes[study.genes["specific_to"] != ""]
    markers = planted.groupby("specific_to")["symbol"].agg(list).to_dict()
    sk.tl.annotate(adata, "cell_type", markers, genome=study.genes)
    sk.tl.specific_peaks(adata, "cell_type", n_top=20, genome=study.genes, min_significant=15)
    table = adata.uns["annotation"]["table"].set_index("group")
    tiles, lines, cards = section(adata)
    assert tiles["names suggested"] == f"{(table['reason'] == '').sum()} of 5"
    for name, card in cards.items():
        row, words = table.loc[name], dict(card.lines)
        assert [text.split()[0] for text in words["markers"].split("), ")] == row["genes"].split(", ")
        assert "× (" in words["markers"]
        assert "kb)" in words["markers"]
        if row["reason"]:
            assert (card.head, row["reason"] in card.note) == (f"unknown, nearest {row['best']}", True)
        else:
            assert card.head == row["label"]
            assert words["support"].startswith(f"{row['support']:.0%} of resamplings")
            lead = f"lead of {row['margin']:.2g} over {row['second']}"
            assert (lead if row["label"] == row["best"] else f"nearest type {row['best']}") in words["support"]
            at_floor = row["pvalue"] < 0.0005  # of 2,000 random sets none scores as high
            told = f"adjusted p ≤ {row['padj']:.2g}, score {row['score']:.1f}" if at_floor else f"p {row['padj']:.2g}"
            assert words["support"].endswith(told)
    few = adata.uns["specific_peaks"]["groups"].set_index("group")["reason"]
    few = [str(name) for name in few.index[few != ""]]
    assert ("groups with few significant marker peaks".capitalize() in lines) == bool(few)
    assert all(("Few markers" in cards[name].note) == (name in few) for name in cards)


def test_cells_without_a_label_are_counted_and_in_no_group(study):
    adata = study.adata.copy()
    labels = adata.obs["cell_type"].astype(str).to_numpy(object)
    labels[:2] = np.nan
    adata.obs["some"] = labels
    tiles, lines, cards = section(adata, "some")
    assert "2 cells have no label and are in no group of some" in lines
    assert tiles["groups (some)"] == len(cards) == 5
    assert "nan" not in lines


def test_given_tables_of_motifs_and_traits_are_said_of_their_groups(study):
    groups = sorted(study.adata.obs["cell_type"].unique())
    test = pd.DataFrame(
        {
            "group": [groups[0]] * 3 + [groups[1]],
            "set": ["GATA1", "GATA2", "SPI1", "SPI1"],
            "effect_size": [2.0, 1.5, 0.2, 0.9],
            "p_value_adj": [1e-9, 1e-9, 0.5, 0.9],
        }
    )
    traits = pd.DataFrame(
        {
            "trait": ["platelets", "monocytes"],
            "group": [groups[0], groups[1]],
            "score": [2.5, 1.1],
            "z_mean": [0.3, 0.0],
            "p_value_adj": [0.01, 0.4],
        }
    )
    tests = _groups.given_tests(study.adata, "cell_type", {"m/motifs": test, "t": traits})
    assert list(tests) == ["m/motifs"]
    assert _groups.given_tests(study.adata, "cell_type", {"m": test.assign(group="other")}) == {}
    fits = pd.DataFrame({"gene_correlation": [0.75, -0.2], "family": [0, 1]}, index=["GATA1", "GATA2"])
    cards = section(study.adata, tests=tests, fits=fits, effects={"t": traits})[2]
    said = section(study.adata, tests=tests, fits=fits, effects={"t": traits})[1]
    assert ("--gene-sets" in said, "--fasta" in said, "--variants" in said) == (True, False, False)
    lines = dict(cards[groups[0]].lines)
    assert lines["motifs"] == "GATA1 (2.0, gene r 0.75), GATA2 (1.5, gene r -0.20)"
    assert lines["traits"] == "platelets (2.5 × chance)"
    blocks = found_section(Study(study.adata, "cell_type", "sccase", None, {}, (), {}, tests, None, fits)).blocks
    said = {word: text for block in blocks if isinstance(block, Details) for word, text in block.lines}
    assert said["Motifs and other sets"].startswith("Effect in standard deviations")
    assert "Terms" not in said
    assert cards[groups[1]].lines == [("motifs", "none passes"), ("traits", "none passes")]
    assert cards[groups[2]].lines == []


def test_of_a_family_the_member_whose_gene_fits_is_named():
    rows = [("GATA1", 2.0, 0, -0.3), ("GATA2", 1.6, 0, 0.8), ("GATA3", 0.9, 0, 0.9), ("SPI1", 1.0, 1, np.nan)]
    rows += [("X", 0.8, np.nan, np.nan), ("Y", 0.7, np.nan, np.nan)]
    table = pd.DataFrame(rows, columns=["set", "effect_size", "family", "gene_correlation"])
    table = table.assign(group="a", p_value_adj=0.001)
    assert _groups.motifs_of({"m": table}) == {"a": ["GATA2 (1.6, gene r 0.80)", "SPI1 (1.0)", "X (0.8)", "Y (0.7)"]}
    plain = table.drop(columns=["family", "gene_correlation"])
    assert _groups.motifs_of({"m": plain})["a"][:3] == ["GATA1 (2.0)", "GATA2 (1.6)", "SPI1 (1.0)"]
    fits = table.dropna(subset="family").set_index("set")[["gene_correlation", "family"]]
    assert _groups.motifs_of({"m": plain}, fits) == _groups.motifs_of({"m": table})
    weak = plain.assign(effect_size=[0.1, 0.44, -0.6, 0.3, 0.2, 0.1], p_value_adj=[0.01, 0.01, 0.01, 0.2, 0.2, 0.2])
    assert _groups.motifs_of({"m": weak}) == {}
    assert _groups.strongest_of({"m": weak}) == {"a": "none passes; nearest: GATA2 (0.4)"}
    assert _groups.strongest_of({"m": weak.assign(n_peaks=[10, 9, 50, 50, 50, 50])})["a"].endswith("GATA1 (0.1)")
    few = plain.assign(n_peaks=[9, 10, 50, 50, 50, 50])
    assert _groups.motifs_of({"m": few})["a"][0] == "GATA2 (1.6)"


def test_terms_of_another_grouping_are_not_taken(study):
    adata = study.adata.copy()
    adata.obs["other"] = (
        adata.obs["cell_type"].cat.rename_categories(lambda name: f"{name}").astype(str).astype("category")
    )
    sk.tl.specific_peaks(adata, "other", n_top=40)
    sk.tl.great(adata, "hg38", study.gene_sets, tss=study.genes)
    table = adata.uns["great"]["table"]
    where = {"uns['great']['table']": table}
    assert terms_of(adata, "other", where)
    assert terms_of(adata, "cell_type", where) == {}
    assert terms_of(adata, "cell_type", {"given": table}) == terms_of(adata, "other", where)
    elsewhere = table.assign(group=table["group"].astype(str) + "x")
    assert terms_of(adata, "cell_type", {"given": elsewhere}) == {}


def test_terms_of_cards_are_those_of_figures_and_the_nearest_is_said(study):
    """Against the genome both tests and twice as many peaks; against a background its test alone."""
    adata = study.adata.copy()
    genome = pd.DataFrame({"group": ["type_1"] * 3 + ["type_2"], "ID": list("abcd"), "name": list("abcd")})
    genome["Binom_Log10_PValue"] = [-3.0, -9.0, -8.0, -1.0]
    genome["Binom_Adjp_BH"], genome["Hyper_Adjp_BH"] = [0.04, 1e-5, 1e-4, 0.3], [0.04, 1e-3, 0.06, 0.2]
    genome["Binom_Fold_Enrichment"] = [2.0, 1.9, 5.0, 9.0]
    found = terms_of(adata, "cell_type", {"great": genome})
    alone = "the only one of 3 that passes"
    assert found == {
        "type_1": f"a (2.0×, adjusted p 0.04, {alone})",
        "type_2": "none passes; nearest: d (9.0×, adjusted p 0.3)",
    }
    drawn = {text.get_text() for text in sk.pl.great_bar(genome).get_yticklabels()}
    assert drawn == {"a"}
    background = genome.drop(columns=["Binom_Log10_PValue", "Binom_Adjp_BH", "Binom_Fold_Enrichment"])
    background["Hyper_Log10_PValue"], background["Hyper_Fold_Enrichment"] = [-3.0, -5.0, -2.0, -1.0], 1.2
    found = terms_of(adata, "cell_type", {"great": background})
    assert found["type_1"] == "b (1.2×, adjusted p 0.001); a (1.2×, adjusted p 0.04)"
    genes = background.assign(Genes=["x,y", "x,y,z", "", ""], Hyper_Foreground_Gene_Hits=[2, 3, 0, 0])
    genes["Hyper_Background_Gene_Hits"] = [20, 30, 4, 5]
    found = terms_of(adata, "cell_type", {"great": genes})
    assert found["type_1"] == "b (1.2×, adjusted p 0.001, 3 of 30 genes, 1 like it)"
    assert {text.get_text() for text in sk.pl.great_bar(genes).get_yticklabels()} == {"b +1"}
    lone = terms_of(adata, "cell_type", {"great": genes.iloc[[1, 2, 3]]})["type_1"]
    assert lone.endswith("the only one of 2 that passes, and less than twice: weak)")
    assert {text.get_text() for text in sk.pl.great_dot(background).get_yticklabels()} == {"a", "b"}
    assert "2 times as many peaks" in rule_of({"great": genome})


def test_the_section_of_terms_says_how_many_are_drawn_and_has_the_genes():
    table = pd.DataFrame({"group": ["g1", "g2", "background"], "ID": list("abc"), "name": list("abc")})
    table["Hyper_Log10_PValue"], table["Hyper_Adjp_BH"] = [-9.0, -1.0, -1.0], [1e-7, 0.5, 0.6]
    table["Hyper_Fold_Enrichment"], table["Genes"] = 2.5, ["A,B,C,D,E,F", "A", ""]
    section = enrichment_section({"great": table}, order={"great": ["background", "g2", "g1"]})
    captions = " ".join(block.caption for block in section.blocks if isinstance(block, (Figure, Table)))
    assert "The strongest terms, at most 5 a group, of the 1 of 2 groups that have one, by adjusted p" in captions
    assert "dotted: 0.05" in captions
    (shown,) = (block for block in section.blocks if isinstance(block, Table))
    assert (shown.anchor, shown.lists, shown.max_rows) == ("terms", ("Genes",), 600)
    assert "A, B, C, D … (6)" in shown.html()
    assert shown.frame["group"].tolist() == ["background", "g2", "g1"]
    many = pd.concat([table.iloc[[0]]] * 300).assign(ID=[f"t{i}" for i in range(300)])
    (shown,) = (block for block in enrichment_section({"x": many}).blocks if isinstance(block, Table))
    assert shown.max_rows == 300  # all that pass


def test_a_large_part_of_a_small_background_is_said(study):
    adata = study.adata.copy()
    table = pd.DataFrame({"group": ["type_1", "type_1", "type_2"], "ID": ["a", "b", "a"], "name": ["a", "b", "a"]})
    table["Hyper_Total_Regions"], table["Hyper_Expected"] = [10, 30, 10], [3.0, 9.0, 0.5]
    table["Hyper_Log10_PValue"], table["Hyper_Adjp_BH"], table["Hyper_Fold_Enrichment"] = -0.5, 0.9, 1.1
    share, *rest = large_share(table)
    assert (round(share, 3), *rest) == (0.3, 1, 2, 20.0)
    _, lines, cards = section(adata, tables={"great": table})
    assert "the marker peaks of a group are 30% or more of all peaks, so few terms can pass" in lines
    assert dict(cards["type_2"].lines)["terms"].startswith("none passes; nearest: a")
    text = " ".join(block.text for block in enrichment_section({"great": table}).blocks if isinstance(block, Text))
    assert "0 of 2 groups have a term that passes" in text
    assert "1 of 2 groups are 30% or more of the background" in text
    assert "enriched more than 3.33 times" in text
    assert "half of the terms have at most 20 peaks" in text
    assert large_share(table.assign(Hyper_Expected=0.5)) is None
    assert large_share(table.assign(Hyper_Adjp_BH=[0.01, 0.9, 0.9])) is not None
    assert large_share(table.assign(Hyper_Adjp_BH=0.01)) is None  # most groups have a term all the same
    assert large_share(table.drop(columns="Hyper_Expected")) is None


def test_batches_mixed_and_apart(study):
    adata = study.adata.copy()
    sk.tl.enhance(adata, 5, method="sccase", batch_key="batch")
    assert "Corrected by 'batch' (the batch_key of the fit). batch: 2 values" in section(adata)[1]
    adata.obsm["X_sccase"] = np.c_[adata.obsm["X_sccase"], 1e3 * (adata.obs["batch"] == adata.obs["batch"].iloc[0])]
    lines = section(adata)[1]
    assert "apart inside the groups: 0% of a cell's neighbours" in lines
    assert "are not mixed inside the groups although they were corrected" in lines
    adata.obs["batch"] = [f"donor {name}" for name in adata.obs["cell_type"]]
    assert "5 values, never two in one group" in section(adata)[1]
    del adata.obs["batch"]
    assert "Corrected by 'batch', which is no longer in the data" in section(adata)[1]


def test_columns_taken_for_batches_are_said_with_the_reason(study):
    """By their names where these say so, else where the values are apart inside the groups."""
    adata = study.adata.copy()
    apart = adata.obs.pop("batch").astype(str).to_numpy()
    adata.obs["mixed"] = np.random.default_rng(0).choice(["x", "y"], adata.n_obs)
    assert "no column of the cells is called like one" in section(adata)[1]
    assert "Batches were not given, so none were corrected" in section(adata)[1]
    adata.obsm["X_sccase"] = np.c_[adata.obsm["X_sccase"], 1e3 * (apart == apart[0])]
    adata.obs["where"] = apart
    lines = section(adata)[1]
    assert "'where' is taken for batches because cells of one value lie together inside the groups" in lines
    assert "'where' may be batches and was not given to the fit (batch_key='where')" in lines
    assert "sccase-kit enhance --batch-key where;" in lines
    assert "condition, a tissue or a label, do not" in lines
    adata.obs = adata.obs.rename(columns={"where": "PrepID", "mixed": "lane"})
    lines = section(adata)[1]
    assert "'PrepID' is taken for batches by its name. PrepID: 2 values, apart" in lines
    assert "'lane' is taken for batches by its name. lane: 2 values, mixed" in lines
    assert "'lane' may be batches" not in lines  # mixed: nothing to doubt
    assert "nothing needs to be corrected" not in lines
    adata.obsm["X_sccase"] = study.adata.obsm["X_sccase"]
    assert "Mixed as they are inside the groups, nothing needs to be corrected there" in section(adata)[1]


def test_depth_small_groups_and_clusters(study):
    adata = study.adata.copy()
    label = adata.obs["cell_type"].astype(str).to_numpy(dtype=object)
    label[:3] = "tiny"
    adata.obs["label"] = label
    adata.X = adata.X.tocsr().copy()
    adata.X[:3] = adata.X[:3] * 9
    _, lines, cards = section(adata, "label")
    assert "Groups of fewer than 30 cells: " in lines
    assert "tiny" in lines
    assert "times that of all cells" in cards["tiny"].note
    adata.obsm["X_sccase"] = np.c_[adata.obsm["X_sccase"], np.asarray(adata.X.sum(axis=1))]
    assert "of the embedding follow the depth" in section(adata, "label")[1]
    adata.obsm["X_sccase"] = study.adata.obsm["X_sccase"]
    sk.tl.cluster(adata, 3)
    sk.tl.specific_peaks(adata, "louvain", n_top=5)
    assert "p-values of marker peaks are too small" in section(adata, "louvain")[1]


def test_pairs_that_are_alike_come_once():
    groups = pd.DataFrame({"group": list("abc"), "resembles": list("bab"), "similarity": [0.99, 0.99, 0.5]})
    assert _groups.alike(groups, least=0.9) == [("a", "b", 0.99)]
    assert _groups.most_like(groups) == {"a": "b (r 0.99)", "b": "a (r 0.99)", "c": "b (r 0.50)"}
    assert _groups.most_like(groups.assign(similarity=[0.99, 0.4, -0.1])) == {"a": "b (r 0.99)"}
    assert _groups.most_like(groups.assign(similarity=np.nan)) == _groups.most_like(None) == {}
    names = pd.DataFrame({"group": ["b", "c"], "label": ["T cell", "unknown"]})
    near = pd.DataFrame({"group": ["a", "b"], "resembles": ["b", "c"], "similarity": [0.99, 0.9]})
    assert _groups.most_like(near, names) == {"a": "b (T cell, r 0.99)", "b": "c (r 0.90)"}


def test_the_grouping_with_most_results_is_described(study):
    adata = study.adata.copy()
    assert _groups.described(adata, "cell_type", asked=False) == "cell_type"
    sk.tl.cluster(adata, 3)
    sk.tl.specific_peaks(adata, "louvain", n_top=5)
    assert _groups.described(adata, "cell_type", asked=False) == "louvain"
    assert _groups.described(adata, "cell_type", asked=True) == "cell_type"


def test_confidence_in_words():
    row = {"reason": "", "label": "T cell", "best": "CD4 T cell", "second": "NK cell", "margin": 1.5, "support": 0.93}
    assert _groups.named(row) == ("T cell", "93% of resamplings say T cell; nearest type CD4 T cell", "")
    alone = _groups.named(row | {"support_best": 0.55})[1]
    assert alone == "93% of resamplings say T cell; nearest type CD4 T cell, 55% alone"
    of_best = row | {"label": "CD4 T cell", "padj": 0.0123}
    said = "93% of resamplings; lead of 1.5 over NK cell; adjusted p 0.012"
    assert _groups.named(of_best) == ("CD4 T cell", said, "")
    unknown = row | {"reason": "adjusted p-value 0.4", "label": "unknown"}
    check = "To check: what speaks for and against CD4 T cell and NK cell (below)."
    assert _groups.named(unknown) == ("unknown, nearest CD4 T cell", "", f"No name: adjusted p-value 0.4. {check}")
    counted = _groups.named(unknown | {"n_markers": 8, "n_markers_covered": 3})[2]
    assert counted.endswith("NK cell (below); 3 of 8 genes of CD4 T cell have a peak in reach.")


def test_finer_groups_are_listed_and_the_same_ones_left_out():
    from anndata import AnnData

    obs = pd.DataFrame({"merged": list("aaab"), "fine": list("1123"), "same": list("xxxy"), "crossed": list("pqpp")})
    adata = AnnData(np.zeros((4, 1)), obs=obs.set_axis([f"c{i}" for i in range(4)]))
    assert _groups.composition(adata, "merged", "fine") == {"a": "1, 2", "b": "3"}
    assert _groups.composition(adata, "merged", "same") == {}
    assert _groups.composition(adata, "merged", "crossed") == {"a": "67% p", "b": "100% p"}


def test_groups_in_words():
    names = pd.DataFrame({"group": ["0", "1", "2", "9"], "label": ["T cell", "B cell", "B cell", "x"], "reason": ""})
    names["best"] = names["label"]
    cells = {"0": 30, "1": 40, "2": 20, "3": 10}
    assert _groups.in_words(names, cells) == "B cell: 1, 2 (60% of cells); T cell: 0 (30% of cells)"
    lineage = names.assign(best=["CD4 T cell", "B cell", "Pre-B", "x"], support_best=[0.6, 0.9, 0.4, 1.0], note="")
    assert _groups.in_words(lineage, cells) == "B cell: 1, 2 (60% of cells); T cell: 0 (CD4 T cell?) (30% of cells)"
    noted = lineage.assign(note=["rather a progenitor", "", "", ""])
    assert _groups.in_words(noted, cells) == "B cell: 1, 2 (60% of cells); T cell: 0 (30% of cells)"
    names.loc[1, ["label", "reason", "best"]] = "unknown", "adjusted p-value 0.4", "NK cell"
    said = "T cell: 0 (30% of cells); B cell: 2 (20% of cells); no clear name: 1 (nearest NK cell)"
    assert _groups.in_words(names, cells) == said


def test_marker_genes_in_words():
    rows = [("a", "CD3E", 3.21, 3, 0), ("a", "GZMK", 2.0, 1, 77_228), ("b", "LYZ", 1.25, 2, 960)]
    table = pd.DataFrame(rows, columns=["group", "gene", "fold", "n_peaks", "distance"])
    found = _groups.marker_genes(table)
    assert found["a"] == "CD3E 3.2× (3 peaks, at its start), GZMK 2.0× (1 peak, 77 kb)"
    assert found["b"] == "LYZ 1.2× (2 peaks, 1.0 kb)"
    assert _groups.marker_genes(None) == {}
