"""Arcs of links: what is drawn, from a table and from data, and bad input."""

from __future__ import annotations

import anndata as ad
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from picture_data import linked

import sccase_kit as sk
from sccase_kit._record import record


def test_arcs_are_as_high_as_the_correlation():
    table = linked()
    ax = sk.pl.peak_gene_links(table, "GENE2")
    arcs = [line for line in ax.lines if len(line.get_xdata()) > 2]
    heights = sorted(max(line.get_ydata(), key=abs) for line in arcs)
    np.testing.assert_allclose(heights, sorted(table["correlation"]), rtol=1e-3)
    ends = {round(max(line.get_xdata(), key=lambda v: abs(v - 12_999))) for line in arcs}
    assert ends == {int(v) for v in (table["start"] + table["end"]) / 2}
    assert ax.get_title() == "GENE2: 3 of 5 peaks linked"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "positive (2)",
        "negative (1)",
        "not linked (2)",
    ]
    plt.close("all")


def test_of_data_and_limits():
    adata = ad.AnnData(np.ones((2, 2), dtype=np.float32))
    record(adata, "links", "tl.peak_gene_links", params={}, links=linked())
    ax = sk.pl.peak_gene_links(adata, "GENE2", key="links", alpha=1e-4, flank=3_000)
    assert ax.get_xlim() == (9_999, 15_999)
    assert ax.get_title() == "GENE2: 1 of 5 peaks linked"
    plt.close("all")


def test_one_pair_at_the_start():
    table = linked()[:1].assign(start=12_900, end=13_100, correlation=0.0)
    ax = sk.pl.peak_gene_links(table, "GENE2")
    assert np.isfinite([*ax.get_xlim(), *ax.get_ylim()]).all()
    plt.close("all")


@pytest.mark.parametrize(
    ("error", "match", "call"),
    [
        (KeyError, "gene='nobody' has no links.*GENE2", lambda: sk.pl.peak_gene_links(linked(), "nobody")),
        (KeyError, "tl.peak_gene_links", lambda: sk.pl.peak_gene_links(ad.AnnData(np.ones((2, 2))), "GENE2")),
        (ValueError, "alpha", lambda: sk.pl.peak_gene_links(linked(), "GENE2", alpha=2)),
        (ValueError, "flank", lambda: sk.pl.peak_gene_links(linked(), "GENE2", flank=0)),
        (KeyError, "links", lambda: sk.pl.peak_gene_links(pd.DataFrame({"gene": ["a"]}), "a")),
        (KeyError, "GENE2", lambda: sk.pl.peak_gene_links(linked().assign(correlation=np.nan), "GENE2")),
    ],
)
def test_bad_input(error, match, call):
    with pytest.raises(error, match=match):
        call()
    assert not plt.get_fignums()
