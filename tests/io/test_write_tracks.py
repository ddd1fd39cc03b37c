"""Tracks for genome browsers, read back by the libraries that read them."""

import json
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

import sccase_kit as sk


@pytest.fixture(scope="module")
def adata():
    found = sk.datasets.toy_study(n_cells=80, n_peaks=400, n_types=3).adata
    found.obs["cell_type"] = found.obs["cell_type"].cat.rename_categories(
        {"type_1": "B cell/naive", "type_2": "B cell naive"}
    )
    found.uns["cell_type_colors"] = ["#ff0000", "#00ff00", "#0000ff"]
    sk.tl.enhance(found)
    return found


def bedgraph(path):
    table = pd.read_csv(path, sep="\t", skiprows=1, header=None, names=["chrom", "start", "end", "value"])
    table.index = [f"{c}:{s}-{e}" for c, s, e in zip(table["chrom"], table["start"], table["end"], strict=True)]
    return table


def test_values_are_counts_per_million_of_the_group(adata, tmp_path):
    files = sk.io.write_tracks(adata, "cell_type", tmp_path / "t", format="bedgraph")
    assert set(files) == {f"{s} {g}" for s in ("counts", "enhanced") for g in adata.obs["cell_type"].cat.categories}
    expected_counts = sk.get.enhanced(adata, scale="counts")
    for group in adata.obs["cell_type"].cat.categories:
        own = (adata.obs["cell_type"] == group).to_numpy()
        for section, matrix in (("counts", adata.X.toarray()), ("enhanced", expected_counts)):
            sums = matrix[own].sum(axis=0, dtype=np.float64)
            wanted = pd.Series(1e6 * sums / sums.sum(), index=adata.var_names)
            table = bedgraph(files[f"{section} {group}"])
            got = table["value"].reindex(adata.var_names).fillna(0)
            assert np.allclose(got, wanted, rtol=1e-4, atol=1e-3)
    order = pd.factorize(table["chrom"])[0]
    assert (np.diff(order) >= 0).all()


def test_bigwig_hub_and_sessions(adata, tmp_path):
    module = pytest.importorskip("pyBigWig")
    files = sk.io.write_tracks(adata, "cell_type", tmp_path / "t", genome="hg38", source="counts", scaling="cell")
    assert {"hub", "igv", "igv_web"} <= set(files)
    folder = tmp_path / "t"
    table = bedgraph(files["counts type_3"])
    with module.open(str(folder / "counts_type_3.bw")) as bigwig:
        assert bigwig.chroms() == sk.regions.chrom_sizes("hg38")
        for row in table.head(20).itertuples():
            assert bigwig.stats(row.chrom, row.start, row.end, exact=True)[0] == pytest.approx(row.value, rel=1e-5)
        assert sum(len(bigwig.intervals(c) or []) for c in bigwig.chroms()) == len(table)
    sums = adata.X[(adata.obs["cell_type"] == "type_3").to_numpy()].mean(axis=0)
    assert table["value"].sum() == pytest.approx(float(sums.sum()), rel=1e-4)
    hub = dict(line.split(" ", 1) for line in (folder / "hub.txt").read_text().splitlines())
    genomes = dict(line.split(" ", 1) for line in (folder / hub["genomesFile"]).read_text().splitlines())
    assert genomes["genome"] == "hg38"
    stanzas = (folder / genomes["trackDb"]).read_text().split("\n\n")
    tracks = [dict(line.split(" ", 1) for line in stanza.strip().splitlines()) for stanza in stanzas]
    assert len({t["track"] for t in tracks}) == len(tracks) == 4
    for track in tracks[1:]:
        assert track["track"].replace("_", "").isalnum()
        assert ((folder / genomes["trackDb"]).parent / track["bigDataUrl"]).resolve().is_file()
        assert len(track["shortLabel"]) <= 17
    assert tracks[1]["color"] == "255,0,0"
    session = ElementTree.parse(folder / "igv_session.xml").getroot()
    assert session.get("genome") == "hg38"
    assert all((folder / r.get("path")).is_file() for r in session.iter("Resource"))
    web = json.loads((folder / "igv_session.json").read_text())
    assert [t["name"] for t in web["tracks"]] == ["B cell/naive counts", "B cell naive counts", "type_3 counts"]
    assert all((folder / t["url"]).is_file() for t in web["tracks"])


def test_a_folder_of_tracks_is_replaced_and_others_are_not(adata, tmp_path):
    target = tmp_path / "t"
    sk.io.write_tracks(adata, "cell_type", target, format="bedgraph", source="counts")
    sk.io.write_tracks(adata, "cell_type", target, format="bedgraph", source="enhanced")
    assert not list(target.glob("counts*"))
    other = tmp_path / "mine"
    other.mkdir()
    (other / "hub.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="holds other files"):
        sk.io.write_tracks(adata, "cell_type", other, format="bedgraph")


def test_overlapping_peaks_show_the_larger(tmp_path):
    names = ["chr2:0-10", "chr1:5-20", "chr1:15-30", "chr1:100-110"]
    data = AnnData(sparse.csr_matrix([[1, 2, 6, 1], [0, 0, 0, 0]]), var=pd.DataFrame(index=names))
    data.obs["g"] = ["x", "y"]
    files = sk.io.write_tracks(data, "g", tmp_path / "t", source="counts", scaling="cell")
    lines = files["counts x"].read_text().splitlines()[1:]
    assert lines == ["chr1\t5\t15\t2", "chr1\t15\t20\t6", "chr1\t20\t30\t6", "chr1\t100\t110\t1", "chr2\t0\t10\t1"]
    assert files["counts y"].read_text().count("\n") == 1


def test_peaks_off_the_genome(tmp_path):
    data = AnnData(sparse.csr_matrix([[1, 2]]), var=pd.DataFrame(index=["chr1:5-20", "chrUn:1-4"]))
    data.obs["g"] = "x"
    with pytest.warns(UserWarning, match="left out"):
        files = sk.io.write_tracks(data, "g", tmp_path / "t", source="counts", genome={"chr1": 100}, scaling="cell")
    assert files["counts x"].read_text().splitlines()[1:] == ["chr1\t5\t20\t1"]
    with pytest.raises(ValueError, match="beyond"):
        sk.io.write_tracks(data[:, :1].copy(), "g", tmp_path / "t", source="counts", genome={"chr1": 10})


def test_a_dense_result_and_a_fit_without_counts(adata, tmp_path):
    dense = adata.copy()
    sk.tl.enhance(dense, 5, method="sccase", solver="published", key_added="published")
    files = sk.io.write_tracks(dense, "cell_type", tmp_path / "t", source="enhanced", key="published")
    assert bedgraph(files["enhanced type_3"])["value"].sum() == pytest.approx(1e6, rel=1e-3)


def test_nothing_is_left_where_writing_fails(adata, tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("disk")

    monkeypatch.setattr("sccase_kit.io._write_tracks.write_igv", fail)
    with pytest.raises(OSError, match="disk"):
        sk.io.write_tracks(adata, "cell_type", tmp_path / "t", genome="hg38", format="bedgraph")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"groupby": "nothing"}, KeyError, "groupby='nothing'"),
        ({"source": "raw"}, ValueError, "source must be one of"),
        ({"scaling": "rpm"}, ValueError, "scaling must be one of"),
        ({"format": "wig"}, ValueError, "format must be one of"),
        ({"format": "bigwig"}, ValueError, "needs genome="),
        ({"key": "other"}, KeyError, "holds no enhanced data"),
    ],
)
def test_arguments(adata, tmp_path, options, error, message):
    with pytest.raises(error, match=message):
        sk.io.write_tracks(adata, options.pop("groupby", "cell_type"), tmp_path / "t", **options)
    assert not list(tmp_path.iterdir())
