"""Differential accessibility of conditions: planted peaks, both engines, refusals."""

from __future__ import annotations

import importlib.util

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats

import sccase_kit as sk

needs_pydeseq2 = pytest.mark.skipif(
    importlib.util.find_spec("pydeseq2") is None, reason="PyDESeq2 (extra da) is not installed"
)
PLANTED = 30
CALL = {"condition_key": "condition", "sample_key": "donor", "reference": "control"}


@pytest.fixture(scope="module")
def adata():
    rng = np.random.default_rng(0)
    rate = rng.gamma(4, 0.2, 150)
    change = np.zeros(150)
    change[:PLANTED] = rng.choice([-2, 2], PLANTED)
    blocks, rows = [], []
    for condition in ("control", "treated"):
        for donor in range(3):
            spread = rng.gamma(60, 1 / 60, 150)
            for group, n in (("A", 30), ("B", 20), ("few", 3)):
                factor = 2 ** (change * (condition == "treated" and group != "B"))
                blocks.append(rng.poisson(rng.gamma(8, 1 / 8, n)[:, None] * rate * spread * factor))
                rows += [(condition, f"{condition}{donor}", group, "mf"[donor % 2], 30.0 + donor)] * n
    obs = pd.DataFrame(rows, columns=["condition", "donor", "group", "sex", "age"]).set_index(
        pd.Index([f"c{i}" for i in range(len(rows))])
    )
    names = [f"chr1:{1000 * i}-{1000 * i + 500}" for i in range(150)]
    return ad.AnnData(sparse.csr_matrix(np.vstack(blocks).astype(np.float32)), obs, pd.DataFrame(index=names))


@pytest.fixture(scope="module")
def table(adata):
    with pytest.warns(UserWarning, match=r"too few samples, left out: few, control \(0 samples"):
        return sk.tl.differential(adata, "group", **CALL)


@needs_pydeseq2
def test_planted_peaks_are_found_where_they_are(adata, table):
    planted = set(adata.var_names[:PLANTED])
    a, b = (table[table["group"] == name] for name in "AB")
    called = set(a.loc[a["padj"] < 0.05, "peak"])
    assert len(called & planted) > 0.8 * PLANTED
    assert len(called - planted) <= 4
    assert (b["padj"] < 0.05).sum() <= 3
    assert set(table["condition"]) == {"treated"}
    assert a["pvalue"].is_monotonic_increasing
    assert set(table.attrs["skipped"]["group"]) == {"few"}
    samples = table.attrs["samples"]
    assert samples.loc[samples["group"] == "few", "n_cells"].tolist() == [3] * 6
    assert not samples.loc[samples["group"] == "few", "used"].any()


@needs_pydeseq2
def test_base_mean_and_fold_change_are_of_the_pseudo_bulk(adata, table):
    a = table[table["group"] == "A"].set_index("peak")
    inside = (adata.obs["group"] == "A").to_numpy()
    sums = pd.DataFrame(adata.X[inside].toarray()).groupby(adata.obs["donor"][inside].to_numpy()).sum()
    sums = sums.loc[:, (sums > 0).all().to_numpy()]
    logs = np.log(sums)
    factors = np.exp((logs - logs.mean()).median(axis=1))
    scaled = sums.div(factors, axis=0).set_axis(adata.var_names[sums.columns], axis=1)
    a = a.loc[a.index.isin(scaled.columns)]
    assert len(a) > 140
    np.testing.assert_allclose(a["base_mean"], scaled.mean()[a.index], rtol=1e-6)
    treated = scaled.index.str.startswith("treated")
    change = np.log2(scaled[treated].mean() / scaled[~treated].mean())
    assert stats.pearsonr(a["log2fc"], change[a.index])[0] > 0.995


@needs_pydeseq2
@pytest.mark.slow
@pytest.mark.skipif(not sk.r.available("edgeR"), reason="R with edgeR is not installed")
@pytest.mark.filterwarnings("ignore:too few samples")
def test_edger_agrees(adata, table):
    other = sk.tl.differential(adata, "group", engine="edger", **CALL)
    both = table.merge(other, on=["peak", "group", "condition"], suffixes=("", "_r"))
    assert len(both) == len(table)
    assert stats.pearsonr(both["log2fc"], both["log2fc_r"])[0] > 0.99
    assert stats.spearmanr(both["pvalue"], both["pvalue_r"])[0] > 0.9
    assert stats.pearsonr(np.log(both["base_mean"]), np.log(both["base_mean_r"]))[0] > 0.99
    assert other["lfc_se"].isna().all()


@needs_pydeseq2
@pytest.mark.filterwarnings("ignore:too few samples")
def test_covariates_and_genes(adata):
    genes = pd.DataFrame({"chrom": "chr1", "tss": [5_000], "strand": "+", "gene_id": "g", "symbol": "G"})
    part = adata[adata.obs["group"] == "A"].copy()
    table = sk.tl.differential(part, "group", covariates=["sex", "age"], genome=genes, **CALL)
    assert (table["nearest_gene"] == "G").all()
    assert table["distance"].min() < 0 < table["distance"].max()


def test_cells_are_tested_only_by_that_name(adata):
    with pytest.warns(UserWarning, match="counts every cell as a replicate"):
        table = sk.tl.differential(adata, "group", engine="cells", min_counts=0, **CALL)
    assert set(table["group"]) == {"A", "B", "few"}
    assert table.attrs["engine"] == "cells"
    row = table.iloc[0]
    inside = (adata.obs["group"] == row["group"]).to_numpy()
    opens = adata.X[inside].toarray() > 0
    treated = (adata.obs["condition"][inside] == "treated").to_numpy()
    total = opens[:, adata.var_names.get_loc(row["peak"])]
    share = opens[treated].sum() / opens.sum()
    sides = [
        stats.binomtest(int(total[treated].sum()), int(total.sum()), share, alternative=side).pvalue
        for side in ("greater", "less")
    ]
    assert row["pvalue"] == pytest.approx(2 * min(sides), rel=1e-8)


@pytest.mark.parametrize(
    ("change", "arguments", "error", "message"),
    [
        ({}, {"reference": "x"}, ValueError, "reference must be one of"),
        ({}, {"min_cells": 40}, ValueError, "no group has 2 samples .* engine='cells' tests the cells"),
        ({}, {"covariates": ["age2"]}, KeyError, "'age2' is not in adata.obs"),
        ({"donor": "one"}, {}, ValueError, "sample 'one' has several values of 'condition'"),
        ({}, {"engine": "deseq"}, ValueError, "engine must be one of"),
        ({}, {"layer": "raw"}, KeyError, "layer='raw'"),
        ({"condition": "control"}, {}, ValueError, "at least 2 are needed"),
        ({}, {"min_samples": 1}, ValueError, "min_samples must be at least 2"),
    ],
)
def test_what_cannot_be_tested_is_refused(adata, change, arguments, error, message):
    adata = adata.copy()
    for name, value in change.items():
        adata.obs[name] = value
    with pytest.raises(error, match=message):
        sk.tl.differential(adata, "group", **(CALL | arguments))


def test_fractional_counts_are_refused(adata):
    adata = adata.copy()
    adata.X = adata.X * 0.5
    with pytest.raises(ValueError, match="must hold integers"):
        sk.tl.differential(adata, "group", **CALL)


def test_plots(adata):
    with pytest.warns(UserWarning, match="replicate"):
        table = sk.tl.differential(adata, "group", engine="cells", **CALL)
    ax = sk.pl.accessibility_volcano(table, "A", n_label=3)
    assert len(ax.texts) == 3
    assert "A: treated" in ax.get_title()
    ax = sk.pl.accessibility_ma(table.assign(nearest_gene="G"), "A", "treated", min_log2fc=1)
    assert ax.get_xscale() == "log"
    with pytest.raises(ValueError, match="group must be one of"):
        sk.pl.accessibility_volcano(table)
    with pytest.raises(ValueError, match=r"must come from tl\.differential"):
        sk.pl.accessibility_ma(table.drop(columns="padj"), "A")
