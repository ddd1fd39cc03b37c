"""The compiled loops, compiled and as plain Python, against slow references."""

import numpy as np
import pytest

from sccase_kit.fragments import count_kernels, parse_kernels
from sccase_kit.fragments.barcodes import BarcodeTable
from sccase_kit.fragments.layout import lay_out

KERNELS = "sccase_kit.fragments.count_kernels"


def parse(text, barcodes, module=parse_kernels):
    raw = np.frombuffer(text, dtype=np.uint8)
    n = text.count(b"\n")
    columns = [np.zeros(n, np.int32) for _ in range(5)]
    report = np.zeros(module.REPORT, np.int64)
    names = np.zeros((module.NAME_SLOTS // 2, 2), np.int64)
    slots = np.zeros(module.NAME_SLOTS, np.int32)
    with np.errstate(over="ignore"):  # hashes wrap round
        module.parse_fragments(raw, len(raw), *columns, slots, names, *BarcodeTable(barcodes).arrays, report)
    kept = report[module.KEPT]
    found = [text[a:b].decode() for a, b in names[: report[module.NAMES]]]
    return [column[:kept].tolist() for column in columns], found, report


TEXT = (
    b"#x\nchr1\t5\t9\tA\t2\n\nchr1\t6\t9\tB\t1\r\n\r\nchr2\t0\t7\tA\n"
    b"chr2\t3\t3\tA\t1\nchr2\t-4\t3\tA\t1\nchr2\t1\t4\tA\tx\ty\n"
)


@pytest.mark.parametrize("compiled", [True, False])
def test_lines_become_columns(compiled, uncompiled):
    module = parse_kernels if compiled else uncompiled("sccase_kit.fragments.parse_kernels")
    (chrom, start, end, cell, reads), names, report = parse(TEXT, ["A"], module)
    assert names == ["chr1", "chr2"]
    assert (chrom, start, end) == ([0, 1, 1], [5, 0, 1], [9, 7, 4])
    assert (cell, reads) == ([0, 0, 0], [2, 1, 1])
    assert report[module.LINES] == 9
    assert (report[module.UNLISTED], report[module.EMPTY], report[module.WITH_READS]) == (1, 2, 4)
    assert report[module.UNSORTED] == 0


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"chr1\t5\t9\n", parse_kernels.FEW_COLUMNS),
        (b"chr1\n", parse_kernels.FEW_COLUMNS),
        (b"chr1\tx\t9\tA\n", parse_kernels.NO_NUMBER),
        (b"chr1\t5\t\tA\n", parse_kernels.NO_NUMBER),
        (b"chr1\t5\t9.0\tA\n", parse_kernels.NO_NUMBER),
        (b"chr1\t5\t3000000000\tA\n", parse_kernels.NO_NUMBER),
        (b"chr1\t5\t99999999999\tA\n", parse_kernels.NO_NUMBER),
    ],
)
def test_bad_lines_are_told_with_their_place(line, status):
    _, _, report = parse(b"chr1\t5\t9\tA\n" + line, ["A"])
    assert report[parse_kernels.STATUS] == status
    assert report[parse_kernels.PLACE] == len(b"chr1\t5\t9\tA\n")


@pytest.mark.parametrize(
    ("text", "unsorted"),
    [
        (b"a\t1\t5\tA\na\t1\t4\tA\nb\t0\t3\tA\n", 0),
        (b"a\t2\t5\tA\na\t1\t4\tA\n", 1),
        (b"a\t2\t5\tA\nb\t1\t4\tA\na\t3\t5\tA\n", 1),
        (b"a\t2\t5\tA\na\t2\t5\tA\n", 0),
    ],
)
def test_order_is_seen(text, unsorted):
    assert parse(text, ["A"])[2][parse_kernels.UNSORTED] == unsorted


def test_repeated_lines_are_counted():
    assert parse(b"a\t2\t5\tA\t1\na\t2\t5\tA\t1\na\t2\t5\tB\t1\n", ["A", "B"])[2][parse_kernels.REPEATED] == 1


def test_first_reaching_is_bisection_from_any_hint():
    rng = np.random.default_rng(0)
    reach = np.sort(rng.integers(0, 50, 30)).astype(np.int32)
    for position in range(-2, 52):
        for hint in (-1, 4, 5, 14, 24, 25, 29, 30):
            got = count_kernels.first_reaching(reach, 5, 25, hint, position)
            assert got == 5 + np.searchsorted(reach[5:25], position, side="right")


@pytest.mark.parametrize("rule", [0, 1, 2])
@pytest.mark.parametrize("compiled", [True, False])
def test_pairs_against_all_comparisons(fragments, peaks, slow, rule, compiled, uncompiled):
    module = count_kernels if compiled else uncompiled(KERNELS)
    table = fragments.iloc[::6] if compiled else fragments.iloc[::20]
    table = table[table["chrom"] != "chrM"].sample(frac=1, random_state=1)
    barcodes = sorted(set(table["barcode"]))
    layout = lay_out(peaks["chrom"], peaks["start"], peaks["end"])
    names = list(dict.fromkeys(table["chrom"]))
    columns = [
        table["chrom"].map(names.index).to_numpy(np.int32),
        *(table[c].to_numpy(np.int32) for c in ("start", "end")),
        table["barcode"].map(barcodes.index).to_numpy(np.int32),
    ]
    sums = np.zeros((len(barcodes), count_kernels.SUMS), np.int32)
    where = np.array([layout.chroms[name] for name in names])
    keys = module.pair_up(
        len(table), *columns, where, layout.bounds, layout.start, layout.end, layout.reach, rule, sums
    )
    got = np.zeros((len(barcodes), len(peaks)), int)
    np.add.at(got, (keys & 0xFFFFFFFF, layout.order[keys >> 32]), 1)
    assert np.array_equal(got, slow(table, peaks, barcodes, ["fragments", "insertions", "paired"][rule]))
    meets = slow(table, peaks, barcodes, "fragments")
    assert (sums[:, count_kernels.N_IN_PEAKS] <= meets.sum(axis=1)).all()
    assert ((sums[:, count_kernels.N_IN_PEAKS] > 0) == (meets.sum(axis=1) > 0)).all()


@pytest.mark.parametrize("compiled", [True, False])
def test_profile_around_sites(compiled, uncompiled):
    module = count_kernels if compiled else uncompiled(KERNELS)
    rng = np.random.default_rng(3)
    site = np.sort(rng.integers(0, 20_000, 12)).astype(np.int32)
    forward = rng.random(12) < 0.5
    start = np.sort(rng.integers(0, 20_000, 200)).astype(np.int32)
    end = (start + rng.integers(20, 500, 200)).astype(np.int32)
    cell = rng.integers(0, 3, 200).astype(np.int32)
    profile, expected = np.zeros(4001, np.int64), np.zeros(4001, np.int64)
    sums, wanted = np.zeros((3, count_kernels.SUMS), np.int32), np.zeros((3, 2), int)
    for s, e, c in zip(start, end, cell, strict=True):
        for position in (s, e - 1):
            for t, plus in zip(site, forward, strict=True):
                d = (position - t) if plus else (t - position)
                if abs(d) <= 2000:
                    expected[d + 2000] += 1
                    wanted[c, 0] += abs(d) <= 50
                    wanted[c, 1] += abs(d) > 1900
    chrom = np.zeros(200, np.int32)
    module.around_tss(
        200, chrom, start, end, cell, np.zeros(1, np.int64), np.array([0, 12]), site, forward, profile, sums
    )
    assert np.array_equal(profile, expected)
    assert np.array_equal(sums[:, [count_kernels.N_TSS, count_kernels.N_FLANK]], wanted)


@pytest.mark.parametrize("compiled", [True, False])
def test_sums_by_cell(compiled, uncompiled):
    module = count_kernels if compiled else uncompiled(KERNELS)
    chrom = np.array([0, 0, 0, 1], np.int32)
    start, end = np.array([0, 0, 0, 0], np.int32), np.array([146, 147, 2000, 50], np.int32)
    sums, lengths = np.zeros((2, count_kernels.SUMS), np.int32), np.zeros(11, np.int64)
    cell, reads = np.array([1, 1, 0, 1], np.int32), np.array([1, 2, 3, 4], np.int32)
    module.describe(4, chrom, start, end, cell, reads, np.array([False, True]), lengths, sums)
    assert sums[0, :5].tolist() == [1, 3, 0, 0, 0]
    assert sums[1, :5].tolist() == [3, 7, 1, 1, 1]
    assert lengths[-1] == lengths.sum() == 3


@pytest.mark.parametrize("compiled", [True, False])
def test_more_than_255_of_one_pair(compiled, uncompiled):
    module = count_kernels if compiled else uncompiled(KERNELS)
    keys = np.sort(np.array([7 << 32 | 1] * 600 + [7 << 32 | 2, 9 << 32 | 1], dtype=np.int64))
    peaks, first, cells, counts = module.pack_pairs(keys)
    assert peaks.tolist() == [7, 9]
    assert first.tolist() == [0, 4, 5]
    assert cells.tolist() == [1, 1, 1, 2, 1]
    assert counts.tolist() == [255, 255, 90, 1, 1]


@pytest.mark.parametrize("compiled", [True, False])
def test_fragments_outside_are_dropped_in_place(compiled, uncompiled):
    module = count_kernels if compiled else uncompiled(KERNELS)
    columns = [np.array(c, np.int32) for c in ([0, 1, 0], [1, 2, 3], [10, 20, 30], [5, 6, 7], [1, 1, 1])]
    outside = np.zeros(2, np.int64)
    assert module.keep_inside(3, *columns, np.array([30, -1]), outside) == 2
    assert columns[3][:2].tolist() == [5, 7]
    assert outside.tolist() == [0, 1]
