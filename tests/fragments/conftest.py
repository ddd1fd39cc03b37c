import numpy as np
import pandas as pd
import pytest

from sccase_kit import settings


@pytest.fixture(params=[1, 2], ids=["1 thread", "2 threads"])
def threads(request):
    with settings.override(n_threads=request.param):
        yield request.param


@pytest.fixture(scope="session")
def fragments():
    """Sorted fragments of 60 barcodes on four sequences, as a table."""
    rng = np.random.default_rng(5)
    n = 6000
    table = pd.DataFrame(
        {
            "chrom": rng.choice(["chr1", "chr2", "chr10", "chrM"], n, p=[0.5, 0.3, 0.1, 0.1]),
            "start": rng.integers(0, 40_000, n),
        }
    )
    table["end"] = table["start"] + rng.integers(20, 700, n)
    table["barcode"] = rng.choice([f"AC{i:02d}GT-1" for i in range(60)], n)
    table["reads"] = rng.integers(1, 5, n)
    return table.sort_values(["chrom", "start", "end"], ignore_index=True)


@pytest.fixture(scope="session")
def peaks():
    """Peaks that overlap, lie in each other and come in no order."""
    rng = np.random.default_rng(6)
    table = pd.DataFrame({"chrom": rng.choice(["chr1", "chr2", "chr10"], 80), "start": rng.integers(0, 40_000, 80)})
    table["end"] = table["start"] + rng.integers(1, 1500, 80)
    return table


def slow_counts(fragments, peaks, barcodes, rule):
    """Count by one comparison of every fragment with every peak."""
    row = {b: i for i, b in enumerate(barcodes)}
    out = np.zeros((len(barcodes), len(peaks)), dtype=int)
    for f in fragments.itertuples():
        if f.barcode not in row:
            continue
        for j, p in enumerate(peaks.itertuples()):
            if p.chrom != f.chrom:
                continue
            ends = (p.start <= f.start < p.end) + (p.start <= f.end - 1 < p.end)
            meets = f.start < p.end and p.start < f.end
            out[row[f.barcode], j] += {"fragments": meets, "insertions": ends, "paired": min(ends, 1)}[rule]
    return out


@pytest.fixture
def slow():
    return slow_counts
