"""Names for groups: planted markers, references, unknown groups, and bad input."""

from __future__ import annotations

import warnings

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import sccase_kit as sk
from sccase_kit.tl._annotate import _lead
from sccase_kit.tl._annotate_cells import listed_genes, more_open, naming_factors


@pytest.fixture(scope="module")
def study():
    study = sk.datasets.toy_study(n_cells=300, n_peaks=1500, rng=0)
    sk.tl.enhance(study.adata, 8)
    return study


@pytest.fixture(scope="module")
def markers(study):
    planted = study.genes[study.genes["specific_to"] != ""]
    return planted.groupby("specific_to")["symbol"].agg(list).to_dict()


def test_planted_types_are_named(study, markers):
    adata = sk.tl.annotate(study.adata, "cell_type", markers, genome=study.genes, copy=True)
    assert "annotation" not in study.adata.obs
    table = adata.uns["annotation"]["table"]
    assert table["best"].tolist() == table["group"].tolist()
    named = table["label"] != "unknown"
    assert named.sum() >= 3
    assert (table["label"][named] == table["group"][named]).all()
    assert (table.loc[named, "reason"] == "").all()
    assert (table.loc[~named, "reason"] != "").all()
    assert (table["padj"] >= table["pvalue"] - 1e-12).all()
    first = table.iloc[0]
    assert set(first["genes"].split(", ")) <= set(markers[first["best"]])
    label = dict(zip(table["group"], table["label"], strict=True))
    assert (adata.obs["annotation"] == adata.obs["cell_type"].map(label).astype(str)).all()
    again = sk.tl.annotate(study.adata, "cell_type", markers, genome=study.genes, copy=True)
    pd.testing.assert_frame_equal(again.uns["annotation"]["table"], table)


def test_types_that_share_their_genes_are_named_after_their_lineage(study, markers):
    """Two names for halves of the genes of one type: none can win, the lineage does."""
    first = next(iter(markers))
    halves = {"left": markers[first][::2], "right": markers[first][1::2]}
    split = halves | {name: genes for name, genes in markers.items() if name != first}
    families = {"both": ["left", "right"], "everything": list(split)}
    adata = sk.tl.annotate(study.adata, "cell_type", split, genome=study.genes, lineages=families, copy=True)
    entry = adata.uns["annotation"]
    table = entry["table"].set_index("group")
    support = entry["support"].loc[first]
    assert table.loc[first, "best"] in halves
    label = table.loc[first, "label"]
    assert label in ("both", *halves)
    shown = support["left"] + support["right"] if label == "both" else support[label]
    assert table.loc[first, "support"] == pytest.approx(shown)
    assert table.loc[first, "support"] >= 0.8
    strict = sk.tl.annotate(
        study.adata, "cell_type", split, genome=study.genes, lineages=families, min_margin=1e3, copy=True
    ).uns["annotation"]["table"]
    named = strict[strict["reason"] == ""]
    assert set(named["label"]) <= set(families)
    assert (named["support"] >= 0.8).all()
    ax = sk.pl.annotation(adata)
    assert len(ax.lines) == len(table)


def test_groups_drawn_at_random_have_no_name(study, markers):
    adata = study.adata.copy()
    for seed in range(3):
        adata.obs["random"] = np.random.default_rng(seed).integers(6, size=adata.n_obs).astype(str)
        sk.tl.annotate(adata, "random", markers, genome=study.genes)
        assert (adata.uns["annotation"]["table"]["label"] == "unknown").sum() >= 5


def test_files_give_what_the_dict_gives(study, markers, tmp_path):
    expected = sk.tl.annotate(study.adata, "cell_type", markers, genome=study.genes, copy=True).uns["annotation"]
    gmt = tmp_path / "sets.gmt"
    gmt.write_text("".join("\t".join([name, "", *genes]) + "\n" for name, genes in markers.items()))
    rows = [(name, gene) for name, genes in markers.items() for gene in genes]
    pd.DataFrame(rows, columns=["cell_type", "gene"]).to_csv(tmp_path / "sets.tsv", sep="\t", index=False)
    pd.DataFrame(rows, columns=["Cluster", "Symbol"]).to_csv(tmp_path / "sets.csv", index=False)
    for path in (gmt, tmp_path / "sets.tsv", str(tmp_path / "sets.csv")):
        found = sk.tl.annotate(study.adata, "cell_type", path, genome=study.genes, copy=True).uns["annotation"]
        pd.testing.assert_frame_equal(found["scores"], expected["scores"])


def test_a_reference_names_the_groups_and_survives_a_file(study, tmp_path):
    bulk = sk.pp.pseudobulk(study.adata, "cell_type")
    adata = sk.tl.annotate(study.adata, "cell_type", reference=bulk, copy=True)
    table = adata.uns["annotation"]["table"]
    assert (table["label"] == table["group"]).all()
    assert (table["support"] > 0.95).all()
    frame = bulk.to_df().T
    frame.index = [f"{c}:{s + 5}-{e + 5}" for c, s, e in bulk.var[["chrom", "start", "end"]].itertuples(index=False)]
    moved = sk.tl.annotate(study.adata, "cell_type", reference=frame, copy=True)
    assert moved.uns["annotation"]["table"]["label"].tolist() == table["label"].tolist()
    adata.write_h5ad(tmp_path / "a.h5ad")
    again = ad.read_h5ad(tmp_path / "a.h5ad").uns["annotation"]
    pd.testing.assert_frame_equal(again["table"], table, check_dtype=False)
    ax = sk.pl.annotation(adata)
    assert [text.get_text() for text in ax.get_yticklabels()] == table["group"].tolist()
    assert len(ax.lines) == len(table)


@pytest.mark.parametrize("ending", ["h5ad", "zarr"])
def test_names_with_a_slash_survive_a_file(study, markers, tmp_path, ending):
    """Files read ``HSC/MPP`` as a folder, and anndata will refuse it: columns are written with ``|``."""
    first, second, *others = markers
    renamed = {"HSC/MPP": markers[first], "HSC": markers[second]} | {name: markers[name] for name in others}
    adata = sk.tl.annotate(study.adata, "cell_type", renamed, genome=study.genes, copy=True)
    entry = adata.uns["annotation"]
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Forward slashes")
        warnings.filterwarnings("ignore", message=".*zarr.*")
        getattr(adata, f"write_{ending}")(tmp_path / f"a.{ending}")
    again = sk.read(tmp_path / f"a.{ending}")
    stored = again.uns["annotation"]
    assert entry["scores"].columns.tolist() == ["HSC|MPP", *list(renamed)[1:]]
    assert list(stored["types"]) == list(renamed)
    for name in ("scores", "support"):
        pd.testing.assert_frame_equal(stored[name], entry[name], check_dtype=False)
    assert stored["table"]["best"].tolist()[0] == "HSC/MPP"
    assert again.obs["annotation"].isin([*renamed, "unknown"]).all()
    old = adata.copy()  # as files of earlier versions come back
    del old.uns["annotation"]["types"]
    old.uns["annotation"]["scores"].columns = list(renamed)
    for made in (adata, again, old):
        ax = sk.pl.annotation(made)
        assert "HSC/MPP" in [text.get_text() for text in ax.get_xticklabels()]
        assert len(ax.lines) == len(entry["table"])


def test_support_is_that_of_the_label_beside_that_of_the_best(study, markers):
    first = next(iter(markers))
    halves = {"left": markers[first][::2], "right": markers[first][1::2]}
    split = halves | {name: genes for name, genes in markers.items() if name != first}
    adata = sk.tl.annotate(study.adata, "cell_type", split, genome=study.genes, lineages={"both": halves}, copy=True)
    entry = adata.uns["annotation"]
    for row in entry["table"].to_dict("records"):
        shares = entry["support"].loc[row["group"]]
        assert row["support_best"] == shares[row["best"]]
        own = shares[list(halves)].sum() if row["label"] == "both" else shares[row["best"]]
        assert row["support"] == pytest.approx(own)


@pytest.fixture(scope="module")
def dropped(study):
    """Return a fit without eleven of twelve of the types' own peaks, and the counts of all peaks."""
    counts = ad.AnnData(study.adata.X.copy(), obs=study.adata.obs.copy(), var=study.adata.var.copy())
    own = np.flatnonzero(counts.var["specific_to"] != "")
    kept = np.ones(counts.n_vars, dtype=bool)
    kept[np.delete(own, slice(None, None, 12))] = False
    fitted = counts[:, kept].copy()
    sk.tl.enhance(fitted, 8)
    return fitted, counts


def test_marker_genes_are_scored_at_peaks_that_the_fit_left_out(study, markers, dropped, tmp_path):
    fitted, counts = dropped
    counts.write_h5ad(tmp_path / "counts.h5ad")
    without = sk.tl.annotate(fitted, "cell_type", markers, genome=study.genes, copy=True).uns["annotation"]["table"]
    shuffled = counts[np.random.default_rng(0).permutation(counts.n_obs)]
    for given in (counts, shuffled, tmp_path / "counts.h5ad"):
        adata = sk.tl.annotate(fitted, "cell_type", markers, genome=study.genes, counts=given, copy=True)
        table = adata.uns["annotation"]["table"]
        assert table["best"].tolist() == table["group"].tolist()
        assert table["n_markers_covered"].sum() > without["n_markers_covered"].sum()
        assert table["score"].sum() > 1.2 * without["score"].sum()
    assert adata.n_vars == fitted.n_vars


def test_genes_that_are_named_are_more_open_in_the_counts():
    opens = np.array([[8, 0, 2], [2, 6, 2]])  # depths 10 and 10
    weights = sparse.csr_matrix([[1.0, 0, 0, 0], [0, 1.0, 0, 0.5], [0, 0, 1.0, 0.5]])
    assert more_open(opens, weights).tolist() == [[True, False, False, False], [False, True, False, True]]


def test_factors_of_left_out_peaks_are_weighted_shares_of_open_cells(dropped):
    fitted, counts = dropped
    cells, peaks = naming_factors(fitted, "sccase", counts)
    opens = counts.X.toarray() > 0
    assert peaks.shape == (counts.n_vars, cells.shape[1])
    for k in range(0, cells.shape[1], 3):
        weight = cells[:, k]
        expected = (weight[:, None] * opens).sum(axis=0) / (weight * opens.sum(axis=1)).sum()
        np.testing.assert_allclose(peaks[:, k], expected, rtol=1e-9)
    np.testing.assert_allclose(peaks.sum(axis=0), 1)


def test_dropped_peaks_are_said_where_marker_genes_have_none(study, markers):
    adata = sk.datasets.toy_study(n_cells=300, n_peaks=1500, rng=0).adata
    sk.pp.filter_peaks(adata, min_fraction=0.06)
    sk.pp.filter_cells(adata, min_peaks=1)
    sk.tl.enhance(adata, 8)
    with pytest.warns(UserWarning, match=r"marker genes are in reach of no peak, .* as counts= \(--counts\)"):
        sk.tl.annotate(adata, "cell_type", markers, genome=study.genes)


def test_bad_counts(study, markers, dropped):
    fitted, counts = dropped
    few = counts[5:]
    with pytest.raises(ValueError, match="5 of the 300 cells are missing"):
        sk.tl.annotate(fitted, "cell_type", markers, genome=study.genes, counts=few)
    twice = counts[[0, *range(counts.n_obs)]]
    with pytest.raises(ValueError, match=r"counts\.obs_names are not unique"):
        sk.tl.annotate(fitted, "cell_type", markers, genome=study.genes, counts=twice)
    with pytest.raises(TypeError, match="counts"):
        sk.tl.annotate(fitted, "cell_type", markers, genome=study.genes, counts=counts.X)
    reference = sk.pp.pseudobulk(counts, "cell_type")
    with pytest.raises(ValueError, match="counts are for scoring markers"):
        sk.tl.annotate(fitted, "cell_type", reference=reference, counts=counts)


def test_types_without_a_covered_gene_have_no_margin():
    """Both score minus infinity; their difference is no number, and nothing warns."""
    row = _lead("g", ["a", "b"], np.array([-np.inf, -np.inf]), 0, 1)
    assert row["second"] == "b"
    assert np.isnan(row["margin"])
    assert _lead("g", ["a", "b"], np.array([2.0, 0.5]), 0, 1)["margin"] == 1.5


def test_groups_of_all_types_are_unknown(study, markers):
    """Every group holds the types in the same shares."""
    adata = study.adata.copy()
    within = adata.obs.groupby("cell_type", observed=True).cumcount().to_numpy()
    adata.obs["mixed"] = (within % 4).astype(str)
    sk.tl.annotate(adata, "mixed", markers, genome=study.genes)
    assert (adata.uns["annotation"]["table"]["label"] == "unknown").sum() >= 3


def test_groups_of_one_cell_and_without_reads_have_a_row(study, markers):
    adata = study.adata.copy()
    label = adata.obs["cell_type"].astype(str).to_numpy(dtype=object)
    label[0], label[1:4] = "alone", "empty"
    adata.obs["label"] = label
    matrix = adata.X.tolil()
    matrix[1:4] = 0
    adata.X = matrix.tocsr()
    sk.tl.annotate(adata, "label", markers, genome=study.genes)
    table = adata.uns["annotation"]["table"].set_index("group")
    assert {"alone", "empty"} <= set(table.index)
    assert table["n_cells"].sum() == adata.n_obs


def test_few_covered_genes_are_said(study, markers):
    genes = study.genes[study.genes["specific_to"] != ""]
    few = {name: part[:1] for name, part in markers.items()}
    adata = sk.tl.annotate(study.adata, "cell_type", few, genome=genes, copy=True)
    reasons = adata.uns["annotation"]["table"]["reason"]
    assert reasons.str.contains("only 1 marker gene has a peak in reach").any()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, ValueError, "give either markers"),
        ({"markers": {"a": ["x"], "b": ["y"]}}, ValueError, "give genome= too"),
        ({"markers": {"a": ["Cd3e"], "b": ["Cd19"]}, "genome": "toy"}, ValueError, "markers of another species"),
        ({"markers": {"a": ["Toy1"]}, "genome": "toy"}, ValueError, "at least two are needed"),
        ({"markers": {"a": ["Toy1"], "b": []}, "genome": "toy"}, ValueError, "types without a gene"),
        ({"markers": {"a": "Toy1", "b": ["Toy2"]}, "genome": "toy"}, TypeError, "must be a list of genes"),
        ({"markers": "kidney", "genome": "toy"}, FileNotFoundError, "neither a file nor a shipped panel"),
        ({"markers": "blood", "genome": "toy"}, ValueError, "species is not known"),
        ({"markers": {"a": ["Toy1"], "b": ["Toy2"]}, "lineages": 3}, TypeError, "lineages must be a dict"),
        ({"markers": {"a": ["Toy1"], "b": ["Toy2"]}, "lineages": {"x": "a"}}, TypeError, r"lineages\['x'\] must be"),
        ({"markers": 7, "genome": "toy"}, TypeError, "markers must be a dict, a path"),
    ],
)
def test_bad_markers(study, arguments, error, message):
    if arguments.get("genome") == "toy":
        arguments = arguments | {"genome": study.genes}
    with pytest.raises(error, match=message):
        sk.tl.annotate(study.adata, "cell_type", **arguments)


def test_bad_references(study):
    bulk = sk.pp.pseudobulk(study.adata, "cell_type")
    with pytest.raises(ValueError, match="at least two are needed"):
        sk.tl.annotate(study.adata, "cell_type", reference=bulk[:1].copy())
    bulk.var_names = [f"chr9:{i}-{i + 1}" for i in range(bulk.n_vars)]
    bulk.var = bulk.var.drop(columns=["chrom", "start", "end"])
    with pytest.raises(ValueError, match="Same genome and chromosome names"):
        sk.tl.annotate(study.adata, "cell_type", reference=bulk)
    with pytest.raises(KeyError, match=r"tl\.annotate"):
        sk.pl.annotation(study.adata)


def test_command(study, markers, tmp_path, capsys):
    from sccase_kit.cli import main

    study.adata.write_h5ad(tmp_path / "a.h5ad")
    study.genes.to_csv(tmp_path / "genes.tsv", sep="\t", index=False)
    rows = [(name, gene) for name, genes in markers.items() for gene in genes]
    pd.DataFrame(rows, columns=["cell_type", "gene"]).to_csv(tmp_path / "m.tsv", sep="\t", index=False)
    given = ["annotate", str(tmp_path / "a.h5ad"), "-g", "cell_type", "-q"]
    assert main([*given, "--markers", str(tmp_path / "m.tsv"), "--genome", str(tmp_path / "genes.tsv")]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("group\tn_cells\tlabel\tbest")
    assert len(printed) == 6
    frame = sk.pp.pseudobulk(study.adata, "cell_type").to_df().T
    frame.to_csv(tmp_path / "bulk.tsv", sep="\t")
    assert main([*given, "--reference", str(tmp_path / "bulk.tsv"), "-o", str(tmp_path / "b.h5ad")]) == 0
    assert (ad.read_h5ad(tmp_path / "b.h5ad").obs["annotation"] != "unknown").all()
    assert main([*given, "--reference", str(tmp_path / "bulk.tsv"), "--genome", "hg38"]) == 1


def test_what_speaks_for_the_genes_of_a_name():
    """Against loops: two groups, two genes, four peaks of which one covers a start."""
    opens = np.array([[3, 1, 0, 2], [1, 1, 4, 0]])
    weights = np.array([[1.0, 0], [0.5, 0], [0, 2], [0, 1]])
    genes = pd.DataFrame({"symbol": ["G", "H"], "tss": [105, 1000]})
    places = pd.DataFrame({"chrom": "chr1", "start": [100, 300, 700, 1100], "end": [110, 320, 720, 1120]})
    places.index = list("pqrs")
    tops = {"x": [[0], [1]], "y": [[1, 0]]}
    found = listed_genes(tops, genes, places, opens=opens, weights=sparse.csr_matrix(weights))
    share = opens.sum(axis=1) / opens.sum()
    expected = []
    for g, gene in ((0, 0), (0, 1), (1, 1)):
        seen = sum(opens[g, p] * weights[p, gene] for p in range(4))
        expected.append(seen / (share[g] * sum(opens[:, p].sum() * weights[p, gene] for p in range(4))))
    np.testing.assert_allclose(found["fold"], expected)
    assert found["group"].tolist() == ["x", "x", "y"]
    assert found["gene"].tolist() == ["G", "H", "H/G"]
    assert found["peak"].tolist() == ["p", "s", "s"]
    assert found["distance"].tolist() == [0, 100, 100]
    assert found["n_peaks"].tolist() == [2, 2, 2]


def test_genes_of_names_are_stored(study, markers):
    adata = sk.tl.annotate(study.adata, "cell_type", markers, genome=study.genes, copy=True)
    entry = adata.uns["annotation"]
    listed = entry["genes"].groupby("group", sort=False)["gene"].agg(", ".join)
    table = entry["table"].set_index("group")["genes"]
    assert listed.to_dict() == table[table != ""].to_dict()
    assert set(entry["genes"]["peak"]) <= set(adata.var_names)
    assert (entry["genes"]["n_peaks"] > 0).all()
