"""0-based or 1-based: told by fragments that meet at a cut, against a literal count of pairs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import sccase_kit as sk
from sccase_kit.fragments.first_base import counts_from_1, gaps_to_the_next, is_one_based


def molecules(n_cells=40, n_cuts=60, *, shift=(4, 5), seed=0):
    """Cut the genome of every cell at places, and keep most fragments between neighbouring cuts: chrom, start, end."""
    rng = np.random.default_rng(seed)
    rows = []
    for cell in range(n_cells):
        cuts = np.sort(rng.choice(1_000_000, n_cuts, replace=False))
        for left, right in pairwise(cuts):
            if rng.random() < 0.4:
                rows.append(("chr1", left + shift[0], right + 9 - shift[1], f"CELL{cell:02d}"))
    return rows


def write(path, rows, *, one_based=False, header=""):
    lines = [f"{c}\t{s + one_based}\t{e}\t{b}\n" for c, s, e, b in rows]
    path.write_text(header + "".join(lines))
    return path


def test_gaps_against_a_loop():
    rng = np.random.default_rng(1)
    rows = [
        (f"c{rng.integers(3)}", f"chr{rng.integers(2)}", s, s + rng.integers(1, 9)) for s in rng.integers(0, 60, 80)
    ]
    cell, chrom, start, end = zip(*rows, strict=True)
    expected = dict.fromkeys(range(-12, 13), 0)
    for b, c, _, e in rows:
        for distance in expected:
            expected[distance] += any(x == b and y == c and s == e + distance for x, y, s, _ in rows)
    assert gaps_to_the_next(cell, chrom, start, end) == expected
    assert set(gaps_to_the_next([], [], [], []).values()) == {0}


@pytest.mark.parametrize("shift", [(4, 5), (0, 0)], ids=["shifted", "as aligned"])
@pytest.mark.parametrize("one_based", [False, True])
def test_the_cuts_tell(tmp_path, shift, one_based):
    path = write(tmp_path / "f.tsv", molecules(shift=shift), one_based=one_based)
    assert is_one_based(path) is one_based


def test_nothing_is_decided_where_nothing_tells(tmp_path):
    rng = np.random.default_rng(2)
    rows = [("chr1", s, s + 100, f"C{rng.integers(50)}") for s in rng.integers(0, 10**6, 2000)]
    assert not is_one_based(write(tmp_path / "f.tsv", rows))
    assert counts_from_1({0: 5, 1: 29}) is None
    assert counts_from_1(dict.fromkeys(range(-12, 13), 500)) is None
    assert counts_from_1({**dict.fromkeys(range(-12, 13), 5), 3: 900}) is None
    assert not is_one_based(write(tmp_path / "e.tsv", []))


def test_counts_are_those_of_the_same_fragments(tmp_path):
    rows = sorted(molecules(), key=lambda row: row[1])
    places = [f"chr1:{row[1] - 1}-{row[1]}" for row in rows[::7]]
    cells = sorted({row[3] for row in rows})
    right = sk.read_fragments(write(tmp_path / "zero.tsv", rows), places, cells)
    one = write(tmp_path / "one.tsv", rows, one_based=True)
    with pytest.warns(UserWarning, match=r"one.tsv: starts are 1-based, .* one_based=False reads them as they are"):
        told = sk.read_fragments(one, places, cells)
    given = sk.read_fragments(one, places, cells, one_based=True)
    for found in (told, given):
        assert (found.X != right.X).nnz == 0
        assert (found.obs["n_fragments"] == right.obs["n_fragments"]).all()
    shifted = [f"chr1:{row[1]}-{row[1] + 1}" for row in rows[::7]]
    kept = sk.read_fragments(one, shifted, cells, one_based=False)
    assert kept.X.sum() < sk.read_fragments(tmp_path / "zero.tsv", shifted, cells).X.sum()


def test_the_header_of_granges_tells(tmp_path):
    header = "seqnames\tstart\tend\tRG\n"
    path = write(tmp_path / "f.tsv", [("chr1", 100, 200, "A")], one_based=True, header=header)
    with pytest.warns(UserWarning, match="1-based, by the header"):
        found = sk.read_fragments(path, ["chr1:100-101"], ["A"])
    assert found.X.sum() == 1


def test_widths_are_not_taken_for_barcodes(tmp_path):
    """as.data.frame(GRanges), as it is written by write.table."""
    for header in ("seqnames\tstart\tend\twidth\tstrand\tRG\n", '"seqnames" "start" "end" "width" "strand" "RG"\n'):
        path = tmp_path / "f.tsv"
        path.write_text(header + "chr1\t101\t200\t100\t*\tA\n")
        with pytest.raises(ValueError, match=r"column 4 is 'width', and barcodes are expected there .*start\(x\) - 1"):
            sk.read_fragments(path, ["chr1:100-101"], ["A"])
