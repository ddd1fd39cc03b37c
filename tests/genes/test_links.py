"""Links of peaks and genes against literal loops."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats

from sccase_kit.genes import like_peaks, link_tests, near_pairs, peak_gene_weights


def places(rng, n_peaks=120, n_genes=15, chroms=("chr1", "chr2", "chr3")):
    peaks = pd.DataFrame({"chrom": rng.choice(chroms, n_peaks), "start": rng.integers(0, 400_000, n_peaks)})
    peaks["end"] = peaks["start"] + rng.integers(1, 3_000, n_peaks)
    genes = pd.DataFrame({"chrom": rng.choice([*chroms, "chrUn"], n_genes), "tss": rng.integers(0, 400_000, n_genes)})
    genes["strand"] = rng.choice(["+", "-"], n_genes)
    return peaks, genes


@pytest.mark.parametrize("distance", [0, 1, 5_000, 1_000_000])
def test_pairs_equal_a_loop(distance):
    peaks, genes = places(np.random.default_rng(distance))
    peaks.loc[3, ["start", "end"]] = -1
    peaks.loc[4, ["chrom", "start", "end"]] = [genes["chrom"][0], genes["tss"][0], genes["tss"][0] + 1]
    wanted = []
    for g, gene in enumerate(genes.itertuples()):
        for p, peak in enumerate(peaks.itertuples()):
            if peak.chrom != gene.chrom or peak.start < 0:
                continue
            bases = np.arange(peak.start, peak.end)
            near = bases[np.argmin(np.abs(bases - gene.tss))] - gene.tss
            if abs(near) <= distance:
                wanted.append((p, g, near if gene.strand == "+" else -near))
    found = list(zip(*(part.tolist() for part in near_pairs(peaks, genes, distance=distance)), strict=True))
    assert found == wanted
    assert wanted


def test_no_pairs():
    peaks, genes = places(np.random.default_rng(0))
    assert [len(part) for part in near_pairs(peaks, genes.assign(chrom="chrX"), distance=10**6)] == [0, 0, 0]
    assert [len(part) for part in near_pairs(peaks[:0], genes, distance=10**6)] == [0, 0, 0]


@pytest.mark.parametrize("n", [5, 100, 4_000])
def test_groups_hold_like_peaks_and_are_of_one_size(n):
    rng = np.random.default_rng(1)
    mean, gc = rng.poisson(5, n), rng.uniform(0.3, 0.7, n)
    groups = like_peaks(mean, gc, size=30)
    size = np.bincount(groups)
    assert size.max() - size.min() <= 2
    assert size.min() >= min(30, n)
    alone = like_peaks(mean, None, size=30)
    bounds = [(mean[alone == k].min(), mean[alone == k].max()) for k in range(alone.max() + 1)]
    assert all(low[1] <= high[0] for low, high in pairwise(bounds))
    if n == 4_000:
        assert alone.max() == 9
        assert groups.max() == 99
        for k in range(10):  # within a group of like accessibility, groups of rising GC content
            inner = [gc[groups == 10 * k + i] for i in range(10)]
            assert all(a.max() <= b.min() for a, b in pairwise(inner))


def literal(x, y, peak, gene, groups, background, peak_chrom, gene_chrom):
    r, z = np.full((2, len(peak)), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        every = np.corrcoef(x, y, rowvar=False)[: x.shape[1], x.shape[1] :]
    for k, (p, g) in enumerate(zip(peak, gene, strict=True)):
        if x[:, p].std() == 0 or y[:, g].std() == 0:
            continue
        r[k] = every[p, g]
        like = [
            every[b, g]
            for b in background
            if groups[b] == groups[p] and peak_chrom[b] != gene_chrom[g] and x[:, b].std() > 0
        ]
        if len(like) >= 10:
            z[k] = (r[k] - np.mean(like)) / np.std(like, ddof=1)
    return r, z, 2 * stats.norm.sf(np.abs(z))


@pytest.mark.parametrize("kind", ["dense", "sparse", "sparse peaks", "sparse genes"])
def test_equal_a_loop(kind, monkeypatch):
    monkeypatch.setattr("sccase_kit.genes.links.PAIRS_AT_ONCE", 50)
    monkeypatch.setattr("sccase_kit.genes.links.GENES_AT_ONCE", 4)
    rng = np.random.default_rng(2)
    peaks, genes = places(rng)
    x = rng.poisson(0.4, (40, 120)) * rng.uniform(0.5, 2, (40, 1))
    y = rng.poisson(0.6, (40, 15)) * 1.0
    x[:, 7], x[:, 8], y[:, 2], y[:, 3] = 0, 1.7, 0, 0.1  # nothing varies; neither does 0.1, whose variance rounds
    peak, gene, _ = near_pairs(peaks, genes, distance=200_000)
    peak, gene = np.r_[peak, 7, 8, 0], np.r_[gene, 0, 1, 3]  # in any order
    groups, background = like_peaks(x.sum(axis=0), None, size=40), rng.permutation(120)[:90]
    about = {"groups": groups, "peak_chrom": peaks["chrom"].to_numpy(), "gene_chrom": genes["chrom"].to_numpy()}
    given_x = sparse.csr_matrix(x) if kind in ("sparse", "sparse peaks") else x
    given_y = sparse.csr_array(y) if kind in ("sparse", "sparse genes") else y
    found = link_tests(given_x, given_y, (peak, gene), background=background, **about)
    r, z, p = literal(x, y, peak, gene, background=background, **about)
    np.testing.assert_allclose(found.correlation, r, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.z, z, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found.p_value, p, rtol=1e-7)
    assert np.isnan(r).sum() >= 3
    assert np.isfinite(z).sum() > 100


def test_one_chromosome_has_no_background():
    rng = np.random.default_rng(3)
    x, y = rng.random((20, 50)), rng.random((20, 2))
    chrom = np.full(50, "chr1")
    about = {"groups": np.zeros(50, int), "background": np.arange(50), "peak_chrom": chrom, "gene_chrom": chrom[:2]}
    found = link_tests(x, y, (np.arange(4), np.zeros(4, int)), **about)
    assert np.isfinite(found.correlation).all()
    assert np.isnan(found.z).all()
    assert np.isnan(found.p_value).all()


def test_independent_values_have_uniform_p_values():
    rng = np.random.default_rng(4)
    x, y = rng.poisson(0.3, (200, 2_000)), rng.poisson(1.0, (200, 20))
    chrom = np.repeat(["chr1", "chr2"], 1_000)
    peak, gene = np.tile(np.arange(1_000), 20), np.repeat(np.arange(20), 1_000)
    about = {"groups": like_peaks(x.sum(axis=0), None, size=300), "background": np.arange(2_000)}
    found = link_tests(x, y, (peak, gene), peak_chrom=chrom, gene_chrom=np.full(20, "chr1"), **about)
    for level in (0.01, 0.05, 0.5):
        assert np.mean(found.p_value < level) == pytest.approx(level, rel=0.25)


def test_pairs_are_those_with_a_weight():
    """The peaks within reach of a start are those with an exponential weight, but for the middle of the peak."""
    rng = np.random.default_rng(5)
    peaks, genes = places(rng)
    peaks["end"] = peaks["start"] + 1  # the middle is the only base
    genes = genes.assign(start=genes["tss"], end=genes["tss"] + 1)
    weights = peak_gene_weights(peaks, genes, weights="exponential").tocoo()
    peak, gene, _ = near_pairs(peaks, genes, distance=50_000)
    assert {*zip(peak.tolist(), gene.tolist(), strict=True)} == {*zip(weights.row, weights.col, strict=True)}
