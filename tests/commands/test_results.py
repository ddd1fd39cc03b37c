"""`cluster`, `peaks` and `great`: equal to the functions they call, as tables, as data, and through pipes."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk
from sccase_kit.cli import main


@pytest.fixture(scope="module")
def road(tmp_path_factory, enhanced_file):
    """A file with clusters and specific peaks in it, and the study's gene files."""
    folder = tmp_path_factory.mktemp("road")
    adata = sk.read(enhanced_file)
    sk.tl.specific_peaks(adata, "cell_type", n_top=40)
    adata.write_h5ad(folder / "peaks.h5ad")
    return folder


@pytest.fixture(scope="module")
def gene_files(study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("genes")
    study.genes.to_csv(folder / "genes.tsv", sep="\t", index=False)
    lines = ["\t".join([term, "simulated", *genes]) for term, genes in study.gene_sets.items()]
    (folder / "sets.gmt").write_text("\n".join(lines) + "\n")
    return ["--genome", "hg38", "--tss", folder / "genes.tsv", "--gene-sets", folder / "sets.gmt"]


def as_table(text):
    return pd.read_csv(io.StringIO(text), sep="\t").rename(columns={"#chrom": "chrom"})


# --- cluster ----------------------------------------------------------------------------------------------------------


def test_cluster_prints_a_line_per_cell(call, enhanced_file):
    code, out, err = call("cluster", enhanced_file, "-n", 4)
    assert code == 0
    adata = sk.read(enhanced_file)
    sk.tl.cluster(adata, 4)
    table = as_table(out)
    assert table["cell"].tolist() == list(adata.obs_names)
    assert table["louvain"].astype(str).tolist() == adata.obs["louvain"].tolist()
    assert "clusters" in err
    assert "louvain" not in sk.read(enhanced_file).obs


def test_cluster_into_data_and_onto_itself(call_json, enhanced_file, tmp_path):
    file = tmp_path / "a.h5ad"
    shutil.copy(enhanced_file, file)
    argv = ["cluster", file, "--resolution", 0.7, "--method", "leiden", "--key-added", "types", "-o", file]
    result = call_json(*argv)
    adata = sk.read(file)
    assert adata.obs["types"].nunique() == result["clusters"]
    assert sum(result["cells per cluster"].values()) == 120
    assert result["output"] == str(file)
    assert "table" not in result
    np.testing.assert_array_equal(sk.get.factors(adata)[0], sk.get.factors(sk.read(enhanced_file))[0])


@pytest.mark.parametrize(("name", "sep"), [("c.tsv", "\t"), ("c.csv", ",")])
def test_cluster_into_a_table(call_json, enhanced_file, tmp_path, name, sep):
    call_json("cluster", enhanced_file, "-o", tmp_path / name)
    assert list(pd.read_csv(tmp_path / name, sep=sep).columns) == ["cell", "louvain"]


def test_cluster_merges_what_held_out_counts_do_not_tell_apart(call_json, enhanced_file, tmp_path):
    result = call_json("cluster", enhanced_file, "--resolution", 3, "--merge", "-o", tmp_path / "a.h5ad")
    adata = sk.read(tmp_path / "a.h5ad")
    again = sk.tl.merge_clusters(adata, "louvain", key_added="again", copy=True)
    assert adata.obs["louvain_merged"].tolist() == again.obs["again"].tolist()
    assert result["merged clusters"] == adata.obs["louvain_merged"].nunique() < result["clusters"]
    assert result["column of merged clusters"] == "louvain_merged"
    assert set(result["members of merged clusters"]) == set(adata.obs["louvain_merged"])
    call_json("cluster", enhanced_file, "--resolution", 3, "--merge", "-o", tmp_path / "c.tsv")
    table = pd.read_csv(tmp_path / "c.tsv", sep="\t", dtype=str)
    assert table["louvain_merged"].tolist() == adata.obs["louvain_merged"].tolist()


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["-n", "0"], "n_clusters must be at least 1"),
        (["-n", "1000"], "n_clusters must be at most 120"),
        (["--resolution", "0"], "resolution must be greater than 0"),
        (["--use-rep", "X_pca"], "use_rep='X_pca' is not in adata.obsm"),
        (["-o", "c.xlsx"], "--output must end in .h5ad, .zarr, .tsv"),
        (["-o", "c.bed"], "--output must end in .h5ad, .zarr, .tsv, .txt, .csv, got"),
        (["-o", "none/c.tsv"], "the folder of --output does not exist"),
    ],
)
def test_cluster_refusals(call, enhanced_file, tmp_path, monkeypatch, argv, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = call("cluster", enhanced_file, *argv)
    assert (code, out) == (1, "")
    assert message in err
    assert list(tmp_path.iterdir()) == []


def test_cluster_needs_an_enhanced_file(call, counts_file):
    code, _, err = call("cluster", counts_file)
    assert code == 1
    assert "Run sccase_kit.tl.enhance first" in err
    assert err.endswith(" (sccase-kit enhance INPUT -o OUTPUT)\n")


@pytest.mark.filterwarnings("always:.*holds other labels")
@pytest.mark.filterwarnings("always:obs")
def test_cluster_warns_where_labels_are_replaced(call, enhanced_file, tmp_path):
    file = tmp_path / "a.h5ad"
    warned = []
    for argv in (
        ["--key-added", "cell_type"],  # printed: nothing is replaced
        ["--key-added", "cell_type", "-o", tmp_path / "c.tsv"],
        ["-o", file],
        ["--key-added", "cell_type", "-o", tmp_path / "c2.h5ad"],
    ):
        code, _, err = call("cluster", enhanced_file, "-n", 4, *argv)
        assert code == 0
        warned.append("obs['cell_type'] was there before and is replaced" in err)
    assert warned == [False, False, False, True]
    assert "was there before" not in call("cluster", file, "-n", 5, "-o", file)[2]  # its own clusters


def test_help_offers_the_endings_that_are_taken(capsys):
    endings = {}
    for command in ("cluster", "motifs", "great", "peaks"):
        with pytest.raises(SystemExit):
            main([command, "--help"])
        text = " ".join(capsys.readouterr().out.split())
        endings[command] = text.split("(may be the input); ")[1].split(": the table")[0]
    assert endings.pop("peaks") == ".tsv, .txt, .bed, .csv"
    assert set(endings.values()) == {".tsv, .txt, .csv"}


# --- peaks ------------------------------------------------------------------------------------------------------------


def test_peaks_print_a_bed_with_a_header(call, enhanced_file):
    code, out, _ = call("peaks", enhanced_file, "-g", "cell_type", "-n", 30)
    assert code == 0
    assert out.startswith("#chrom\tstart\tend\tpeak\tgroup\t")
    adata = sk.read(enhanced_file)
    sk.tl.specific_peaks(adata, "cell_type", n_top=30)
    expected = adata.uns["specific_peaks"]["peaks"]
    table = as_table(out)
    assert table["peak"].tolist() == expected["peak"].tolist()
    assert table["group"].tolist() == expected["group"].tolist()
    np.testing.assert_allclose(table["coefficient"], expected["coefficient"], rtol=1e-5)


@pytest.mark.parametrize(
    ("method", "key"), [("model", "specific_peaks"), ("scabc", "scabc"), ("background", "background_peaks")]
)
def test_peaks_into_data_and_tables(call_json, enhanced_file, tmp_path, method, key):
    argv = ["peaks", enhanced_file, "-g", "cell_type", "-n", 20, "--method", method]
    data = call_json(*argv, "-o", tmp_path / "a.h5ad")
    bed = call_json(*argv, "-o", tmp_path / "a.bed")
    assert data["stored in"] == f"uns['{key}']"
    assert "stored in" not in bed
    assert key in sk.read(tmp_path / "a.h5ad").uns
    assert len(sk.regions.read_bed(tmp_path / "a.bed")) == bed["peaks"] == data["peaks"]
    printed = call_json(*argv)
    assert "stored in" not in printed
    records = printed["table"]
    assert len(records) == data["peaks"]
    assert list(records[0])[:4] == ["chrom", "start", "end", "peak"]


def test_peaks_of_an_unknown_column(call, enhanced_file):
    code, out, err = call("peaks", enhanced_file)
    assert (code, out) == (1, "")
    assert "groupby='louvain' is not in adata.obs; available: ['cell_type', 'batch'" in err
    assert "(sccase-kit cluster INPUT -o INPUT writes it; --groupby names another)" in err


def test_background_peaks_take_the_groups(call_json, enhanced_file):
    adata = sk.read(enhanced_file)
    for groupby, argv in ((None, []), ("cell_type", ["-g", "cell_type"])):
        table = call_json("peaks", enhanced_file, "--method", "background", "-n", 60, *argv)["table"]
        sk.tl.background_peaks(adata, n_top=60, groupby=groupby)
        assert [row["peak"] for row in table] == adata.uns["background_peaks"]["peaks"]["peak"].tolist()


@pytest.mark.parametrize("method", ["scabc", "background"])
def test_a_ranking_that_would_be_ignored_is_refused(call, enhanced_file, method):
    code, out, err = call("peaks", enhanced_file, "-g", "cell_type", "--method", method, "--ranking", "contrast")
    assert (code, out) == (1, "")
    assert f"--ranking is of --method model, and --method {method} is given" in err


def test_the_ranking_of_the_model(call_json, enhanced_file):
    adata = sk.read(enhanced_file)
    sk.tl.specific_peaks(adata, "cell_type", n_top=20, ranking="contrast")
    table = call_json("peaks", enhanced_file, "-g", "cell_type", "-n", 20, "--ranking", "contrast")["table"]
    assert [row["peak"] for row in table] == adata.uns["specific_peaks"]["peaks"]["peak"].tolist()


@pytest.mark.filterwarnings("ignore:.*peak names have no coordinates")
def test_peaks_without_coordinates(call, study, tmp_path):
    adata = study.adata.copy()
    adata.var = pd.DataFrame(index=[f"peak{i}" for i in range(adata.n_vars)])
    sk.pp.filter_peaks(adata)
    sk.tl.enhance(adata, 4)
    adata.write_h5ad(tmp_path / "a.h5ad")
    argv = ["peaks", tmp_path / "a.h5ad", "-g", "cell_type", "--method", "scabc", "-n", 5]
    code, out, _ = call(*argv)
    assert code == 0
    assert out.startswith("chrom\tstart\tend\tpeak\t")
    code, _, err = call(*argv, "-o", tmp_path / "a.bed")
    assert code == 1
    assert "a .bed needs chrom, start and end of every peak" in err
    assert [p.name for p in tmp_path.iterdir()] == ["a.h5ad"]


# --- great ------------------------------------------------------------------------------------------------------------


def expected_terms(road, gene_files, **kwargs):
    _, genome, _, tss, _, sets = gene_files
    return sk.tl.great(sk.read(road / "peaks.h5ad"), genome, str(sets), tss=str(tss), **kwargs)


def test_great_prints_the_terms_that_pass(call, road, gene_files):
    code, out, _ = call("great", road / "peaks.h5ad", *gene_files)
    assert code == 0
    table = expected_terms(road, gene_files)
    passed = table[(table["Binom_Adjp_BH"] <= 0.05) & (table["Hyper_Adjp_BH"] <= 0.05)]
    printed = as_table(out)
    assert printed[["group", "ID"]].to_numpy().tolist() == passed[["group", "ID"]].to_numpy().tolist()
    assert len(printed) >= 3
    assert "Regions" not in printed


def test_great_files_hold_all_terms(call_json, road, gene_files, tmp_path):
    result = call_json("great", road / "peaks.h5ad", *gene_files, "-o", tmp_path / "g.tsv")
    table = expected_terms(road, gene_files)
    written = pd.read_csv(tmp_path / "g.tsv", sep="\t")
    pd.testing.assert_frame_equal(
        written[["group", "ID", "Binom_Raw_PValue"]], table[["group", "ID", "Binom_Raw_PValue"]], check_dtype=False
    )
    assert result["terms tested"] == table["ID"].nunique()


def test_great_into_data(call_json, road, gene_files, tmp_path):
    call_json("great", road / "peaks.h5ad", *gene_files, "--background", "peaks", "-o", tmp_path / "g.h5ad")
    stored = sk.read(tmp_path / "g.h5ad").uns["great"]
    assert len(stored["table"]) > 0
    assert stored["params"]["genome"] == "hg38"
    assert list(stored["objects"]) == ["background"]


def test_great_reads_tables_and_beds(call_json, road, gene_files, tmp_path):
    adata = sk.read(road / "peaks.h5ad")
    peaks = adata.uns["specific_peaks"]["peaks"]
    peaks.to_csv(tmp_path / "p.csv", index=False)
    peaks[["chrom", "start", "end", "group"]].to_csv(tmp_path / "p.bed", sep="\t", index=False, header=False)
    whole = call_json("great", road / "peaks.h5ad", *gene_files)
    assert call_json("great", tmp_path / "p.csv", *gene_files) == whole
    assert call_json("great", tmp_path / "p.bed", *gene_files, "--groupby", "name") == whole


def test_peaks_and_great_in_a_pipe(road, gene_files, call):
    sccase = [sys.executable, "-m", "sccase_kit.cli"]
    first = subprocess.Popen(
        [*sccase, "peaks", str(road / "peaks.h5ad"), "-g", "cell_type", "-n", "40", "-q"], stdout=subprocess.PIPE
    )
    second = subprocess.run(
        [*sccase, "great", "-", *map(str, gene_files), "-q"],
        stdin=first.stdout, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    first.stdout.close()
    assert first.wait(timeout=60) == 0
    assert second.stderr == ""
    assert second.stdout == call("great", road / "peaks.h5ad", *gene_files, "-q")[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "standard input: there is not a single region"),
        ("chr1\t5\n", "standard input, line 1: expected chrom, start, end"),
        ("chr1\t9\t5\n", "standard input, line 1: expected 0 <= start < end"),
        ("chrom\twhere\tend\nchr1\t1\t5\n", "standard input, line 1: expected chrom, start, end"),
    ],
)
def test_bad_standard_input_is_named(call, gene_files, monkeypatch, text, message):
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    code, out, err = call("great", "-", *gene_files)
    assert (code, out) == (1, "")
    assert message in err


def test_great_refusals(call, road, enhanced_file, gene_files, tmp_path):
    bed = tmp_path / "p.bed"
    bed.write_text("chr1\t100\t200\n")
    cases = [
        ([enhanced_file, *gene_files], "key='specific_peaks' is not in adata.uns"),
        ([tmp_path / "none.bed", *gene_files], "no such file"),
        ([bed, *gene_files, "--background", "peaks"], "--background peaks needs an .h5ad"),
        ([bed, *gene_files, "-o", tmp_path / "o.bed"], "--output must end in .h5ad, .zarr, .tsv, .txt, .csv, got"),
        ([bed, *gene_files, "-o", tmp_path / "o.h5ad"], "which was a table; write a .tsv instead"),
        ([road / "peaks.h5ad", *gene_files[:4], "--gene-sets", tmp_path / "no.gmt"], "no.gmt"),
        ([road / "peaks.h5ad", "--genome", "hg99", *gene_files[4:]], "hg99"),
        ([road / "peaks.h5ad", *gene_files, "--max-fdr", "2"], "--max-fdr must be at most 1"),
    ]
    for argv, message in cases:
        code, out, err = call("great", *argv)
        assert (code, out) == (1, ""), argv
        assert message in err
    assert [p.name for p in tmp_path.iterdir()] == ["p.bed"]


# --- what sets alike groups apart -------------------------------------------------------------------------------------


def test_peaks_into_data_tell_sister_groups_apart(call, call_json, enhanced_file, tmp_path):
    result = call_json("peaks", enhanced_file, "-g", "cell_type", "-o", tmp_path / "a.h5ad")
    stored = sk.read(tmp_path / "a.h5ad")
    n_groups = stored.obs["cell_type"].nunique()
    families = stored.uns["sister_groups"]["groups"]["family"].nunique()
    assert result["groups told apart by held-out counts"] == f"{families} of {n_groups}"
    again = sk.tl.sister_groups(sk.read(enhanced_file), "cell_type", copy=True).uns["sister_groups"]
    pd.testing.assert_frame_equal(stored.uns["sister_groups"]["pairs"], again["pairs"], check_dtype=False)
    call_json("peaks", enhanced_file, "-g", "cell_type", "--no-sisters", "-o", tmp_path / "b.h5ad")
    assert "sister_groups" not in sk.read(tmp_path / "b.h5ad").uns
    code, _, err = call("peaks", enhanced_file, "-g", "cell_type", "--sisters", "-o", tmp_path / "c.tsv")
    assert code == 1
    assert "--sisters are stored with the data: give -o FILE.h5ad" in err
    code, _, err = call("peaks", enhanced_file, "--method", "background", "--sisters")
    assert code == 1
    assert "--sisters is of --method model" in err


@pytest.mark.filterwarnings("always:what sets alike groups apart")
def test_peaks_go_on_where_the_fit_cannot_be_repeated(call, enhanced_file, tmp_path):
    adata = sk.read(enhanced_file)
    adata.uns["sccase"]["objects"] = np.array(["reference"], dtype=object)
    adata.write_h5ad(tmp_path / "a.h5ad")
    code, _, err = call("peaks", tmp_path / "a.h5ad", "-g", "cell_type", "-o", tmp_path / "b.h5ad")
    assert code == 0
    assert "left out: what was enhanced used a reference" in err
    assert "specific_peaks" in sk.read(tmp_path / "b.h5ad").uns
