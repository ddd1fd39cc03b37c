"""Plots of what `sk.read_fragments` found."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import sccase_kit as sk


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    study = sk.datasets.toy_study(n_cells=60, n_peaks=400, n_types=3)
    path = sk.datasets.write_toy_fragments(study, tmp_path_factory.mktemp("f") / "fragments.tsv.gz", background=0.1)
    return sk.read_fragments(
        {"one": path, "$two_": path}, study.adata, genome="hg38", tss=study.genes, min_fragments=10
    )


def test_barcode_rank_shows_every_barcode_and_the_cells(counted):
    ax = sk.pl.barcode_rank(counted)
    curve = counted.uns["fragments"]["barcode_rank"]["one"]
    every, cells = ax.lines[0], ax.lines[1]
    assert every.get_xdata().max() == curve["rank"].max()
    assert cells.get_ydata().min() == curve.loc[curve["cell"], "fragments"].min()
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["one", r"\$two_"]


def test_lengths_sum_to_all_fragments(counted):
    ax = sk.pl.fragment_lengths(counted, max_length=1000)
    shares = ax.lines[0].get_ydata()
    assert np.nansum(shares) == pytest.approx(100)
    assert len(sk.pl.fragment_lengths(counted, max_length=200).lines[0].get_ydata()) == 201


def test_tss_profile_has_its_score_in_the_legend(counted):
    ax = sk.pl.tss_profile(counted)
    score = counted.uns["fragments"]["files"]["tss_enrichment"].iloc[0]
    assert score == pytest.approx(np.max(ax.lines[0].get_ydata()[1950:2051]))
    assert f"{score:.1f}" in ax.get_legend().get_texts()[0].get_text()


def test_violins_show_every_measure(counted):
    panels = sk.pl.fragment_quality(counted)
    assert panels[0].get_ylabel() == "log10 fragments"
    assert len(panels) == 6
    _, axes = plt.subplots(1, 2)
    assert sk.pl.fragment_quality(counted, ["frip", "n_in_peaks"], ax=axes)[1] is axes[1]
    with pytest.raises(KeyError, match="measures='depth'"):
        sk.pl.fragment_quality(counted, ["depth"])
    counted.obs["nothing"] = np.nan
    with pytest.raises(ValueError, match="no finite number"):
        sk.pl.fragment_quality(counted, ["nothing"])


def test_tss_by_depth_counts_the_cells_that_pass(counted):
    ax = sk.pl.tss_by_depth(counted, min_fragments=100, min_tss=0.05)
    obs = counted.obs
    passing = ((obs["n_fragments"] >= 100) & (obs["tss_enrichment"] >= 0.05)).sum()
    assert ax.get_title().startswith(f"{passing} of ")
    assert len(ax.collections[0].get_offsets()) == (obs["n_fragments"] > 0).sum()


@pytest.mark.parametrize("plot", ["barcode_rank", "fragment_lengths", "tss_profile"])
def test_other_data_are_refused(plot):
    adata = sk.datasets.toy_study(n_cells=40, n_peaks=200).adata
    with pytest.raises(KeyError, match=r"run sccase_kit\.io\.read_fragments first"):
        getattr(sk.pl, plot)(adata)
    with pytest.raises(KeyError, match="n_fragments"):
        sk.pl.tss_by_depth(adata)


def test_what_was_not_counted_is_named(counted):
    bare = counted.copy()
    del bare.uns["fragments"]["tss_profile"], bare.uns["fragments"]["barcode_rank"]
    with pytest.raises(KeyError, match="genome= or tss="):
        sk.pl.tss_profile(bare)
    with pytest.raises(KeyError, match="barcodes were given"):
        sk.pl.barcode_rank(bare)


def test_plots_after_a_file(counted, tmp_path):
    counted.write_h5ad(tmp_path / "a.h5ad")
    again = sk.read(tmp_path / "a.h5ad")
    for plot in (sk.pl.barcode_rank, sk.pl.fragment_lengths, sk.pl.tss_profile):
        plot(again)
