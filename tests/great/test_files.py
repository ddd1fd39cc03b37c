"""The files for the GREAT web tool."""

import pandas as pd
import pytest

from sccase_kit.io import write_great
from sccase_kit.regions import read_bed


@pytest.fixture
def regions():
    frame = pd.DataFrame(
        {"chrom": ["chr2", "chr1", "chr1"], "start": [5, 9, 2], "end": [8, 20, 4], "group": ["a", "b", "a"]}
    )
    return frame.set_index(pd.Index(["peak 1", "p2", "p3"]))


def test_test_and_background(tmp_path, regions):
    more = pd.concat([regions, pd.DataFrame({"chrom": ["chrX"], "start": [1], "end": [3]}, index=["p4"])])
    files = write_great(regions, tmp_path / "x.bed", more, genome="hg38")
    assert files == {"test": tmp_path / "x.bed", "background": tmp_path / "x_background.bed"}
    assert files["test"].read_text() == "chr1\t2\t4\tp3\nchr1\t9\t20\tp2\nchr2\t5\t8\tpeak_1\n"
    assert len(read_bed(files["background"])) == 4


def test_one_file_per_group(tmp_path, regions):
    files = write_great(regions, tmp_path / "new", regions, genome="hg38", groupby="group")
    assert {k: len(read_bed(p)) for k, p in files.items()} == {"a": 2, "b": 1, "background": 3}
    with pytest.raises(KeyError, match="groupby='type'"):
        write_great(regions, tmp_path, genome="hg38", groupby="type")
    long = "T cell " * 60
    again = regions.assign(group=["a/1", "a 1", long])
    files = write_great(again, tmp_path / "again", genome="hg38", groupby="group")
    assert {k: len(read_bed(p)) for k, p in files.items()} == {"a/1": 1, "a 1": 1, long: 1}
    assert sorted(p.name for p in (tmp_path / "again").iterdir()) == sorted(p.name for p in files.values())


def test_unnamed_and_repeated_regions(tmp_path, regions):
    twice = pd.concat([regions, regions.iloc[:1]], ignore_index=True)
    with pytest.warns(UserWarning, match="1 repeated"):
        files = write_great(twice, tmp_path / "x.bed", genome="hg38")
    assert read_bed(files["test"])["name"].tolist() == ["chr1:2-4", "chr1:9-20", "chr2:5-8"]


def test_limits_are_checked_and_nothing_is_written(tmp_path, regions, monkeypatch):
    path = tmp_path / "x.bed"
    bad = [
        (lambda: write_great(regions, path, regions.iloc[:2], genome="hg38"), "1 of 3 regions are not in background"),
        (lambda: write_great(regions.iloc[:0], path, genome="hg38"), "empty"),
        (lambda: write_great(regions.assign(chrom="HLA-A"), path, genome="hg38"), "3 of 3 rows lie on sequences"),
        (lambda: write_great(regions.assign(end=10**9), path, genome="hg38"), "beyond"),
        (lambda: write_great(regions, path, genome="hg18"), "genome must be one of"),
    ]
    for call, match in bad:
        with pytest.raises(ValueError, match=match):
            call()
    monkeypatch.setattr("sccase_kit.great.files.MAX_TEST", 2)
    with pytest.raises(ValueError, match="accepts at most 2"):
        write_great(regions, path, genome="hg38")
    assert list(tmp_path.iterdir()) == []
