from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sccase_kit.datasets._genome import BIN, bin_ids, hg38_sizes, peaks_in_bins, random_bins


def test_chromosome_lengths_are_those_of_hg38(golden):
    table = pd.read_csv(golden / "great" / "data" / "chrlen_hg38.tsv", sep="\t", header=None, index_col=0)[1]
    assert hg38_sizes() == {c: int(table[c]) for c in hg38_sizes()}
    assert list(hg38_sizes()) == [f"chr{i}" for i in range(1, 23)] + ["chrX"]


def test_bins_and_peaks_agree():
    rng = np.random.default_rng(0)
    bins = np.sort(random_bins(5000, taken=np.array([10_000, 20_000]), rng=rng))
    assert len(np.unique(bins)) == 5000
    assert not np.isin([10_000, 20_000], bins).any()
    peaks = peaks_in_bins(bins, rng=rng)
    index = {c: i for i, c in enumerate(hg38_sizes())}
    chrom = peaks["chrom"].map(index).to_numpy()
    assert np.array_equal(bin_ids(chrom, peaks["start"]), bins)
    assert np.array_equal(bin_ids(chrom, peaks["end"] - 1), bins)
    assert (peaks["start"] >= 300 * BIN).all()
    assert (peaks["end"] <= peaks["chrom"].map(hg38_sizes()) - 300 * BIN).all()


def test_too_many_peaks_for_the_genome():
    with pytest.raises(ValueError, match="n_peaks is too large"):
        random_bins(4_000_000, taken=np.array([], dtype=int), rng=np.random.default_rng(0))
