import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sccase_kit.fragments.barcodes import BarcodeTable
from sccase_kit.fragments.parse_kernels import REPORT


def count(table, barcodes):
    text = "".join(f"chr1\t1\t2\t{b}\t1\n" for b in barcodes).encode()
    table.count(np.frombuffer(text, np.uint8), np.zeros(REPORT, np.int64))


@settings(deadline=None)
@given(st.lists(st.text("ACGTN-1", max_size=6), max_size=60))
def test_counts_are_those_of_a_dictionary(barcodes):
    table, expected = BarcodeTable(), {}
    for part in (barcodes[::2], barcodes[1::2]):
        count(table, part)
        for b in part:
            expected[b] = expected.get(b, 0) + 1
    assert dict(zip(table.barcodes(), table.counts[: table.n].tolist(), strict=True)) == expected


def test_tables_grow_and_merge():
    rng = np.random.default_rng(0)
    names = [f"B{i}" for i in rng.integers(0, 5000, 12_000)]
    one, two = BarcodeTable(), BarcodeTable()
    count(one, names[:5000])
    count(two, names[5000:])
    one.merge(two)
    values, counts = np.unique(names, return_counts=True)
    assert dict(zip(one.barcodes(), one.counts[: one.n], strict=True)) == dict(zip(values, counts, strict=True))


@pytest.mark.parametrize("n", [0, 1, 3000])
def test_numbers_are_the_order_given(n):
    barcodes = [f"é{i}" for i in range(n)]
    table = BarcodeTable(barcodes)
    assert table.n == n
    assert table.barcodes() == barcodes
    assert table.barcodes([n - 1] if n else []) == barcodes[-1:]
