"""bedtools itself on touching, tied and empty features, beside ours: the rows of docs/same_numbers.md."""

from __future__ import annotations

import shutil
import subprocess

import pandas as pd
import pytest

import sccase_kit.regions as rg

pytestmark = pytest.mark.skipif(shutil.which("bedtools") is None, reason="the program bedtools is not installed")


def bed(*rows):
    return "".join("\t".join(map(str, row)) + "\n" for row in rows)


@pytest.fixture
def bedtools(tmp_path):
    """Run a command of bedtools on two texts; return its lines, cut into cells."""

    def run(verb, a, b=None, *options):
        (tmp_path / "a.bed").write_text(a)
        (tmp_path / "b.bed").write_text(b or "")
        files = ["-i", tmp_path / "a.bed"] if b is None else ["-a", tmp_path / "a.bed", "-b", tmp_path / "b.bed"]
        done = subprocess.run(["bedtools", verb, *files, *options], capture_output=True, text=True, check=True)
        return [line.split("\t") for line in done.stdout.splitlines()]

    return run


def table(*rows):
    return pd.DataFrame([row[:3] for row in rows], columns=["chrom", "start", "end"], index=[row[3] for row in rows])


A = ("chr1", 100, 200, "a")


def test_touching_regions(bedtools):
    """They share no base, are 1 apart, and are merged."""
    left, right = ("chr1", 50, 100, "l"), ("chr1", 200, 250, "r")
    assert bedtools("intersect", bed(A), bed(left, right)) == []
    assert len(rg.overlap(table(A), table(left, right), how="pairs")) == 0
    theirs = bedtools("closest", bed(A), bed(left, right), "-D", "ref", "-t", "all")
    assert [(row[7], int(row[8])) for row in theirs] == [("l", -1), ("r", 1)]
    ours = rg.closest(table(A), table(left, right))
    assert list(zip(ours["b"], ours["distance"], strict=True)) == [("l", -1), ("r", 1)]
    assert bedtools("merge", bed(left, A, right)) == [["chr1", "50", "250"]]
    assert rg.merge(table(left, A, right))[["chrom", "start", "end"]].to_numpy().tolist() == [["chr1", 50, 250]]
    assert len(bedtools("window", bed(A), bed(left, right), "-w", "0")) == 0
    assert len(rg.window(table(A), table(left, right), distance=0)) == 0
    assert len(bedtools("window", bed(A), bed(left, right), "-w", "1")) == 2
    assert len(rg.window(table(A), table(left, right), distance=1)) == 2


def test_empty_features_are_points_between_bases(bedtools):
    """bedtools counts one at either edge as overlapping; ours refuses regions without a base and names them."""
    for at, hits in ((99, 0), (100, 1), (150, 1), (200, 1), (201, 0)):
        assert len(bedtools("intersect", bed(A), bed(("chr1", at, at, "p")))) == hits
    with pytest.raises(ValueError, match=r"start must be below end|end .* start|no base|empty"):
        rg.overlap(table(A), table(("chr1", 150, 150, "p")))


def test_ties(bedtools):
    """All of the closest are given; of ties at 0, `-k 2` of bedtools prints the ties alone, ours the next place too."""
    ties = [("chr1", 90, 95, "l"), ("chr1", 205, 210, "r"), ("chr1", 400, 410, "far")]
    theirs = bedtools("closest", bed(A), bed(*ties), "-D", "ref", "-t", "all")
    ours = rg.closest(table(A), table(*ties))
    assert [(row[7], int(row[8])) for row in theirs] == list(zip(ours["b"], ours["distance"], strict=True))
    assert set(ours["b"]) == {"l", "r"}
    inside = [("chr1", 110, 111, "x"), ("chr1", 150, 151, "y"), ("chr1", 300, 301, "z")]
    assert [row[7] for row in bedtools("closest", bed(A), bed(*inside), "-k", "2")] == ["x", "y"]
    genes = pd.DataFrame(
        [(c, s, "+", name, name) for c, s, _, name in inside], columns=["chrom", "tss", "strand", "gene_id", "symbol"]
    )
    assert rg.closest_genes(table(A), genes)["gene_id"].tolist() == ["x", "y"]
    assert rg.closest_genes(table(A), genes, k=2)["gene_id"].tolist() == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("length", "shared", "fraction"), [(10, 1, 0.1), (20, 19, 0.95), (20, 11, 0.55), (3, 1, 1 / 3)]
)
def test_a_fraction_at_its_bound(bedtools, length, shared, fraction):
    """Overlap of just so much counts, in double precision."""
    a, b = ("chr1", 100, 100 + length, "a"), ("chr1", 100, 100 + shared, "b")
    theirs = len(bedtools("intersect", bed(a), bed(b), "-u", "-f", repr(fraction)))
    assert len(rg.overlap(table(a), table(b), min_fraction=fraction)) == theirs


def test_depth_of_touching_regions(bedtools):
    parts = [("chr1", 100, 120, "p"), ("chr1", 120, 150, "q"), ("chr1", 140, 160, "r"), ("chr1", 200, 230, "s")]
    (row,) = bedtools("coverage", bed(A), bed(*parts))
    ours = rg.coverage(table(A), table(*parts)).iloc[0]
    assert (int(row[4]), int(row[5]), float(row[7])) == (3, 60, 0.6)
    assert (ours["n"], ours["covered"], ours["fraction"]) == (3, 60, 0.6)
