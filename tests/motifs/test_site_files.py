"""Sites of factors from a folder and from one file."""

import gzip

import pandas as pd
import pytest

from sccase_kit.motifs import read_sites

GATA1, SPI1 = "chr1\t10\t20\nchr2\t5\t9\n", "track name=x\nchr1\t15\t40\t.\t1000\t.\t5\t-1\t5\t7\n"


def folder_of(path, **files):
    path.mkdir()
    for name, text in files.items():
        (path / name.replace("_", ".")).write_text(text)
    return path


def test_a_file_per_factor(tmp_path):
    folder = folder_of(tmp_path / "chip", SPI1_narrowPeak=SPI1)
    with gzip.open(folder / "GATA1.v2.bed.gz", "wt") as handle:
        handle.write(GATA1)
    (folder / ".hidden.bed").write_text("nothing")
    sites = read_sites(folder)
    assert list(sites) == ["GATA1.v2", "SPI1"]
    assert sites["GATA1.v2"].to_numpy().tolist() == [["chr1", 10, 20], ["chr2", 5, 9]]
    assert list(sites["SPI1"].columns) == ["chrom", "start", "end"]


def test_what_else_lies_in_the_folder_is_named(tmp_path):
    folder = folder_of(tmp_path / "chip", GATA1_bed=GATA1, EBF1_bed="# none\n", README_txt="read me")
    with pytest.warns(UserWarning, match="chip: 1 file") as said:
        sites = read_sites(str(folder))
    assert [len(sites[name]) for name in ("GATA1", "EBF1")] == [2, 0]
    assert {str(w.message).split(": ", 1)[1] for w in said} == {
        "1 file(s) that are not BED are left out, such as ['README.txt']",
        "1 file(s) hold no site: ['EBF1']",
    }


@pytest.mark.parametrize("header", ["", "chrom\tstart\tend\tname\n"])
def test_one_file_with_names(tmp_path, header):
    path = tmp_path / "clusters.bed"
    path.write_text(header + "chr1\t10\t20\tSPI1\nchr1\t12\t30\tGATA1\nchr2\t1\t4\tSPI1\n")
    sites = read_sites(path)
    assert list(sites) == ["SPI1", "GATA1"]
    expected = pd.DataFrame({"chrom": ["chr1", "chr2"], "start": [10, 1], "end": [20, 4]})
    pd.testing.assert_frame_equal(sites["SPI1"], expected, check_dtype=False)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("chr1\t1\t5\n", "fourth column must name the factor"),
        ("chr1\t1\t5\tA\nchr1\t1\t5\t.\n", "fourth column must name the factor"),
        ("".join(f"chr1\t{k}\t{k + 5}\tpeak_{k}\n" for k in range(80)), "they name single sites"),
        ("chr1\t9\t5\tA\n", "line 1"),
    ],
)
def test_files_of_which_no_factor_is_known(tmp_path, text, match):
    path = tmp_path / "sites.bed"
    path.write_text(text)
    with pytest.raises(ValueError, match=match):
        read_sites(path)


def test_folders_that_hold_no_sites(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no BED file"):
        read_sites(folder_of(tmp_path / "empty", notes_txt="no"))
    with pytest.raises(FileNotFoundError):
        read_sites(tmp_path / "absent")
    twice = folder_of(tmp_path / "twice", GATA1_bed=GATA1, GATA1_narrowPeak=GATA1)
    with pytest.raises(ValueError, match=r"several files of \['GATA1'\]"):
        read_sites(twice)
    with pytest.raises(TypeError):
        read_sites(5)
