"""What the page says of sister groups: lines of cards, doubts, and the call that merges."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk
from sccase_kit._record import record
from sccase_kit.pages.blocks import Cards, Details, Lines
from sccase_kit.pages.table import Table
from sccase_kit.report._found import Study, found_section
from sccase_kit.report._sisters import (
    _split,
    merge_call,
    mixed_doubt,
    sister_blocks,
    sister_doubts,
    sister_lines,
    told_lines,
    unled_doubt,
)


@pytest.fixture(scope="module")
def adata():
    """A toy study whose third type is dealt at random to two groups, with a fit and sister groups."""
    study = sk.datasets.toy_study(n_cells=800, n_peaks=1500, rng=1)
    adata = study.adata
    sk.tl.enhance(adata, 8, method="sccase", batch_key="batch")
    kind = adata.obs["cell_type"].astype(str).to_numpy()
    first = np.random.default_rng(0).random(len(kind)) < 0.5
    adata.obs["split"] = pd.Categorical(np.where((kind == "type_1") & first, "type_1b", kind))
    planted = study.genes[study.genes["specific_to"] != ""]
    markers = planted.groupby("specific_to")["symbol"].agg(list).to_dict()
    sk.tl.sister_groups(adata, "split", genome=study.genes, markers=markers, n_next=3)
    return adata


def test_every_card_says_what_it_is_the_same_as_and_what_tells_it_apart(adata):
    lines = sister_lines(adata, "split")
    entry = adata.uns["sister_groups"]
    assert list(lines) == entry["groups"]["group"].tolist()
    assert lines["type_1"][0] == ("same as", "type_1b: nothing tells them apart, one type split in 2")
    assert [word for word, _ in lines["type_3"]] == ["against", "against"]
    row = entry["contrasts"].query("family == 'type_3'").sort_values("difference").iloc[0]
    text = lines["type_3"][0][1]
    n_peaks = row["n_more"] + row["n_less"]
    begin = f"{row['other']} (profiles differ by {row['difference']:.0%}, {n_peaks} peaks certain): more open here "
    of = f"family == 'type_3' and other == {row['other']!r}"
    mark = entry["genes"].query(f"{of} and padj <= 0.05 and fold >= 1.5 and z > 0").iloc[0]
    assert text.startswith(f"{begin}{mark['gene']} {mark['fold']:.1f}× (type_3)")
    near = entry["peaks"].query(f"{of} and direction == 'more' and padj <= 0.05")
    near = near[near["distance"].abs() <= 25_000].drop_duplicates("nearest_gene")
    marks = set(entry["genes"].query(f"{of} and padj <= 0.05 and fold >= 1.5 and z > 0")["gene"].head(4))
    for own in near[~near["nearest_gene"].isin(marks)].head(2).itertuples():
        assert f"{own.nearest_gene} {2**own.log2fc:.1f}× (" in text
    assert "less open here" in text


def test_genes_that_rest_on_one_peak_are_told_as_one(adata):
    view = adata.copy()
    entry = dict(view.uns["sister_groups"])
    row = {"family": "type_3", "other": "type_4", "z": -9.0, "padj": 1e-9, "n_peaks": 1, "peak": "chr1:1-2"}
    rows = [row | {"gene": gene, "fold": 0.1, "types": "CD8 T cell"} for gene in ("CD8A", "CD8B")]
    rows += [row | {"gene": "LONE", "fold": 0.0, "peak": "chr1:5-6", "types": "Pre-B, CLP"}]
    rows += [row | {"gene": "WEAK", "fold": 0.9, "peak": "c", "types": "CLP"}]
    entry["genes"] = pd.DataFrame(rows)
    view.uns["sister_groups"] = entry
    text = next(text for _, text in sister_lines(view, "split")["type_3"] if text.startswith("type_4"))
    assert "CD8A/CD8B 10.0× (CD8 T cell), LONE (Pre-B, CLP; nowhere else)" in text
    assert "WEAK" not in text


def test_a_contrast_without_a_certain_peak_says_so(adata):
    view = adata.copy()
    entry = dict(view.uns["sister_groups"])
    entry["contrasts"] = entry["contrasts"].assign(n_more=0, n_less=0)
    entry["peaks"] = entry["peaks"].assign(padj=1.0)
    del entry["genes"]
    view.uns["sister_groups"] = entry
    assert sister_lines(view, "split")["type_4"][0][1].endswith("no single peak is certain)")


def test_doubts_name_the_split_types_and_the_call(adata):
    (text,) = sister_doubts(adata, "split")
    assert text.startswith("nothing tells these groups apart, each list is one type split: type_1, type_1b. Merge ")
    assert text.endswith("sk.tl.merge_clusters(adata, 'split') (5 groups are left)")
    assert "sccase-kit" not in text  # no clusters of ours
    assert sister_doubts(adata, "cell_type") is None
    assert sister_lines(adata, "cell_type") == {}
    view = adata[adata.obs["split"] != "type_1b"].copy()
    assert sister_doubts(view, "split") is None  # other groups than were compared
    del view.obs["split"]
    sk.tl.cluster(view, 2, key_added="split")
    assert "sccase-kit cluster --merge, then --groupby split_merged" in merge_call(view, "split")


def test_groups_without_a_peak_of_their_own_are_doubted():
    peaks = pd.DataFrame({"group": ["a", "a", "b"], "log2fc_nearest": [-1.0, 0.5, -0.1]})
    assert unled_doubt(peaks) == ["groups without a marker peak that is highest there: b"]
    assert unled_doubt(peaks.assign(log2fc_nearest=1.0)) == []
    assert unled_doubt(None) == unled_doubt(peaks[["group"]]) == []


def test_the_first_section_has_them(adata):
    study = Study(adata, "split", "sccase", None, {}, (), {}, {}, None)
    blocks = found_section(study).blocks
    cards = next(block for block in blocks if isinstance(block, Cards)).cards
    lines = dict(next(block for block in blocks if isinstance(block, Lines)).lines)
    for card in cards:
        lines_of = sister_lines(adata, "split")[card.title]
        shown = [line for line in card.lines if line[0] in ("same as", "against")]
        assert shown + list(card.folded) == lines_of
        assert [word for word, _ in shown].count("against") == 1
    assert "Nothing tells these groups apart" in lines["To doubt"]
    how = dict(next(block for block in blocks if isinstance(block, Details)).lines)
    assert how["Same as"].startswith("Groups")
    assert how["Against"].startswith("The most alike")


def test_the_section_on_peaks_has_the_tables(adata):
    blocks = sister_blocks(adata)
    tables = {block.caption: block.frame for block in blocks if isinstance(block, Table)}
    entry = adata.uns["sister_groups"]
    assert len(tables["All pairs of groups of split"]) == len(entry["pairs"])
    assert tables["Families against the next ones"]["difference"].is_monotonic_increasing
    assert len(tables["Peaks that differ between them"]) == (entry["peaks"]["padj"] <= 0.05).sum() > 0
    assert sister_blocks(adata[:, :5].copy()[:20].copy()) != []  # results go with the data
    view = adata.copy()
    del view.uns["sister_groups"]
    assert sister_blocks(view) == []


def test_of_many_groups_that_nothing_tells_apart_the_counts_may_be_too_few():
    assert _split(5) == "one type split in 5"
    assert _split(14) == "one type split in 14, or these counts are too few to tell"


def test_cards_say_where_half_of_the_counts_puts_the_cells(adata):
    lines = told_lines(adata, "split")
    assert lines["type_3"][0] > 0.7
    assert lines["type_3"][1].startswith(f"{lines['type_3'][0]:.0%} of its cells")
    assert mixed_doubt(adata, "split") == []
    view = adata.copy()
    entry = dict(view.uns["sister_groups"])
    rows = [("type_3", "type_3", 0.3, True), ("type_3", "type_4", 0.5, False), ("type_3", "type_2", 0.2, False)]
    entry["told"] = pd.DataFrame(rows, columns=["group", "family", "share", "own"])
    view.uns["sister_groups"] = entry
    said = "30% of its cells; others go to type_4 50%, type_2 20%"
    assert told_lines(view, "split") == {"type_3": (0.3, said)}
    (doubt,) = mixed_doubt(view, "split")
    assert doubt.endswith(f"type_3 ({said})")


def test_genes_of_types_that_neither_group_may_be_are_left_out(adata):
    view = adata.copy()
    groups = list(view.obs["split"].cat.categories)
    kinds = [f"type_{i}" for i in range(1, 5)]
    support = pd.DataFrame(0.0, index=groups, columns=kinds).assign(type_3=1.0)
    record(view, "annotation", "tl.annotate", params={"groupby": "split"}, support=support)
    texts = [text for lines in sister_lines(view, "split").values() for word, text in lines if word == "against"]
    assert any("(type_3)" in text for text in texts)
    assert not any(f"({kind})" in text for text in texts for kind in kinds if kind != "type_3")
