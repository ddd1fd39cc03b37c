"""Weights of peaks for genes against literal loops."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sccase_kit.genes import gene_windows, length_factors, neighbor_bounds, peak_gene_weights


@pytest.fixture
def places():
    rng = np.random.default_rng(0)
    genes = pd.DataFrame({"chrom": rng.choice(["chr1", "chr2"], 12), "start": rng.integers(0, 600_000, 12)})
    genes["end"] = genes["start"] + rng.integers(500, 60_000, 12)
    genes["strand"] = rng.choice(["+", "-"], 12)
    genes["tss"] = np.where(genes["strand"] == "+", genes["start"], genes["end"] - 1)
    peaks = pd.DataFrame({"chrom": rng.choice(["chr1", "chr2", "chr3"], 60), "start": rng.integers(0, 800_000, 60)})
    peaks["end"] = peaks["start"] + 500
    peaks.loc[7, ["start", "end"]] = -1
    return peaks, genes


def literal(peaks, genes, way):
    out = np.zeros((len(peaks), len(genes)))
    inverse = 1 / (genes["end"] - genes["start"]).to_numpy()
    top = np.quantile(inverse, 0.99)
    for i, peak in enumerate(peaks.itertuples()):
        for j, gene in enumerate(genes.itertuples()):
            if peak.chrom != gene.chrom or peak.start < 0:
                continue
            at, sign = (peak.start + peak.end) // 2, 1 if gene.strand == "+" else -1
            upstream = {"archr": 5_000, "body": 2_000}.get(way, 0)
            low, high = gene.start, gene.end - 1
            low, high = (low - upstream, high) if sign > 0 else (low, high + upstream)
            away = max(low - at, at - high, 0)
            to_start = abs(at - gene.tss)
            if way == "archr" and away <= 100_000:
                factor = min(1 + 4 * (inverse[j] - inverse.min()) / (top - inverse.min()), 5)
                out[i, j] = (np.exp(-away / 5_000) + np.exp(-1)) * factor
            elif way == "body":
                out[i, j] = away == 0
            elif way == "promoter":
                out[i, j] = to_start <= 2_000
            elif way == "exponential" and to_start <= 50_000:
                out[i, j] = np.exp(-to_start / 5_000)
    return out


@pytest.mark.parametrize("way", ["archr", "body", "promoter", "exponential"])
def test_equal_a_loop(places, way):
    peaks, genes = places
    found = peak_gene_weights(peaks, genes, weights=way)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.toarray(), literal(peaks, genes, way), rtol=1e-6)
    if way in ("archr", "exponential"):
        assert found.nnz


def test_long_genes_weigh_less():
    factors = length_factors(np.array([1_000, 2_000, 50_000, 2_000_000]))
    assert (np.diff(factors) <= 0).all()
    assert (factors.max(), factors.min()) == (5, 1)
    assert length_factors(np.array([700, 700])).tolist() == [1, 1]


def test_windows_reach_upstream():
    genes = pd.DataFrame({"strand": ["+", "-"], "start": [1_000, 1_000], "end": [2_000, 2_000]})
    low, high = gene_windows(genes, upstream=100)
    assert low.tolist() == [900, 1_000]
    assert high.tolist() == [1_999, 2_099]


def test_bodies_are_needed_where_they_are_used(places):
    peaks, genes = places
    bare = genes.drop(columns=["start", "end"])
    with pytest.raises(KeyError, match="needs the gene bodies"):
        peak_gene_weights(peaks, bare)
    assert peak_gene_weights(peaks, bare, weights="exponential").nnz
    with pytest.raises(ValueError, match="weights must be one of"):
        peak_gene_weights(peaks, genes, weights="signac")


def test_no_peak_in_reach(places):
    peaks, genes = places
    assert peak_gene_weights(peaks.assign(chrom="chr9"), genes).nnz == 0


def test_bounds_are_those_of_a_loop(places):
    _, genes = places
    first, last = neighbor_bounds(genes)
    for j, gene in enumerate(genes.itertuples()):
        others = genes[(genes["chrom"] == gene.chrom) & (genes.index != j)]
        before, behind = (
            others.loc[others["end"] <= gene.start, "end"],
            others.loc[others["start"] >= gene.end, "start"],
        )
        assert first[j] == before.max() if len(before) else first[j] < -1e15
        assert last[j] == behind.min() - 1 if len(behind) else last[j] > 1e15


def test_a_window_that_is_cut_holds_no_peak_of_a_neighbour(places):
    peaks, genes = places
    whole, cut = peak_gene_weights(peaks, genes).toarray(), peak_gene_weights(peaks, genes, cut=True).toarray()
    low, high = gene_windows(genes, upstream=5_000)
    first, last = neighbor_bounds(genes.assign(start=low, end=high + 1))
    first, last = np.minimum(first, low - 1_000), np.maximum(last, high + 1_000)
    middle = ((peaks["start"] + peaks["end"]) // 2).to_numpy()[:, None]
    inside = (middle >= first) & (middle <= last)
    np.testing.assert_array_equal(cut, np.where(inside, whole, 0))
    assert (cut > 0).sum() < (whole > 0).sum()
    with pytest.raises(ValueError, match="cut=True is of weights='archr'"):
        peak_gene_weights(peaks, genes, weights="body", cut=True)


@pytest.mark.parametrize("way", ["archr", "exponential"])
def test_peaks_nearer_to_another_start_are_left_out(places, way):
    peaks, genes = places
    for table in (genes, genes.assign(symbol=[f"g{i // 2}" for i in range(len(genes))])):
        whole = peak_gene_weights(peaks, table, weights=way).toarray()
        found = peak_gene_weights(peaks, table, weights=way, nearer=3).toarray()
        middle = ((peaks["start"] + peaks["end"]) // 2).to_numpy()
        n_left = 0
        for i, j in zip(*np.nonzero(whole), strict=True):
            gene = table.iloc[j]
            on = table[table["chrom"] == peaks["chrom"][i]]
            away, other = abs(middle[i] - gene["tss"]), (on["tss"] - middle[i]).abs()
            same = "symbol" in table and on.loc[other.idxmin(), "symbol"] == gene["symbol"]
            body = way in ("archr", "exponential") and gene["start"] <= middle[i] <= gene["end"] - 1
            left = away > 5_000 and not body and not same and away > 3 * other.min()
            assert found[i, j] == (0 if left else whole[i, j])
            n_left += left
        assert 0 < n_left < np.count_nonzero(whole)


def test_nearer_must_be_at_least_one(places):
    with pytest.raises(ValueError, match="nearer"):
        peak_gene_weights(*places, nearer=0.5)
