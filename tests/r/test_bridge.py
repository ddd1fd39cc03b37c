"""The bridge with packages that Debian has: limma, TFBSTools and GenomicRanges, through the child process."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk
from sccase_kit.motifs.pwm import log_odds


@pytest.mark.r("limma")
def test_limma_finds_planted_peaks():
    rng = np.random.default_rng(0)
    rate = np.tile(rng.gamma(3, 10, 200), (8, 1))
    rate[4:, :10] *= 4
    code = (
        "library(limma); v <- voom(t(x), model.matrix(~ factor(g))); "
        "topTable(eBayes(lmFit(v)), coef = 2, number = Inf, sort.by = 'none')"
    )
    table = sk.r.run(code, x=rng.poisson(rate), g=list("aaaabbbb"))
    assert list(table) == ["logFC", "AveExpr", "t", "P.Value", "adj.P.Val", "B"]
    assert set(np.flatnonzero(table["adj.P.Val"] < 0.01)) == set(range(10))


@pytest.mark.r("TFBSTools")
def test_weights_are_those_of_tfbstools():
    counts = np.random.default_rng(1).integers(0, 30, (4, 7))
    code = (
        "rownames(x) <- c('A', 'C', 'G', 'T'); m <- TFBSTools::PFMatrix(ID = 'm', name = 'm', profileMatrix = x); "
        "unname(TFBSTools::Matrix(TFBSTools::toPWM(m)))"
    )
    np.testing.assert_allclose(sk.r.run(code, x=counts), log_odds(counts, np.full(4, 0.25)), rtol=1e-12)


@pytest.mark.r("GenomicRanges")
def test_verbs_on_intervals_agree_with_genomicranges():
    rng = np.random.default_rng(2)

    def regions(n):
        start = rng.integers(0, 2000, n)
        end = start + rng.integers(1, 60, n)
        return pd.DataFrame({"chrom": rng.choice(["chr1", "chr2"], n), "start": start, "end": end})

    one, other = regions(60), regions(40)
    code = (
        "library(GenomicRanges); g <- function(d) GRanges(d$chrom, IRanges(d$start + 1L, d$end)); "
        "list(merged = as.data.frame(reduce(g(one))), hits = countOverlaps(g(one), g(other)))"
    )
    seen = sk.r.run(code, one=one, other=other)
    merged, expected = sk.regions.merge(one), seen["merged"].astype({"seqnames": str})
    expected = expected.sort_values(["seqnames", "start"])
    assert merged["chrom"].tolist() == expected["seqnames"].tolist()
    assert merged["start"].tolist() == (expected["start"] - 1).tolist()
    assert merged["end"].tolist() == expected["end"].tolist()
    assert len(sk.regions.overlap(one, other)) == (seen["hits"] > 0).sum()
    assert len(sk.regions.overlap(one, other, how="pairs")) == seen["hits"].sum()
