"""Accuracy boxes, objective traces, depth bars and genome tracks."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk


@pytest.fixture(scope="module")
def study():
    study = sk.datasets.toy_study(n_cells=150, n_peaks=900, depth_sd=1.0)
    sk.tl.enhance(study.adata, 6, method="sccase", max_iter=4, tol=0.0, key_added="plain")
    sk.tl.enhance(study.adata, 6, method="sccase", depth=True, key_added="corrected")
    sk.tl.enhance(study.adata, key_added="robust")
    return study


def frame(values, names=None):
    return pd.DataFrame({"auprc": values}, index=names or [f"c{i}" for i in range(len(values))])


def test_boxes_show_quartiles_and_stars_are_paired_tests():
    rng = np.random.default_rng(0)
    base = rng.random(60)
    tables = {"raw": frame(base), "same": frame(base + rng.normal(0, 1e-6, 60)), "better": frame(base + 0.3)}
    ax = sk.pl.accuracy_boxplot(tables, reference="raw")
    assert [t.get_text() for t in ax.get_xticklabels()] == ["raw", "same", "better"]
    stars = [t for t in ax.texts if t.get_text() == "*"]
    assert [round(s.xy[0]) for s in stars] == [3]
    medians = [line.get_ydata()[0] for line in ax.lines if len(line.get_ydata()) == 2 and line.get_color() == "black"]
    assert any(abs(m - np.median(base)) < 1e-9 for m in medians)
    assert not sk.pl.accuracy_boxplot(tables).texts


def test_boxes_ignore_cells_without_a_value_and_match_by_name():
    a, b = frame([0.1, np.nan, 0.3, 0.2], list("abcd")), frame([0.9, 0.8, 0.7], list("xyz"))
    sk.pl.accuracy_boxplot({"a": a, "b": b})
    with pytest.raises(ValueError, match="shares no row"):
        sk.pl.accuracy_boxplot({"a": a, "b": b}, reference="a")


def test_boxes_say_what_is_missing():
    with pytest.raises(ValueError, match="tables is empty"):
        sk.pl.accuracy_boxplot({})
    with pytest.raises(KeyError, match="auroc"):
        sk.pl.accuracy_boxplot({"a": frame([0.1])}, "auroc")
    with pytest.raises(KeyError, match="raw"):
        sk.pl.accuracy_boxplot({"a": frame([0.1])}, reference="raw")


def test_trace_is_the_stored_objective(study):
    objective = study.adata.uns["plain"]["objective"]
    ax = sk.pl.objective_trace(study.adata, "plain", relative=False)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), objective)
    assert len(objective) > 1
    ax = sk.pl.objective_trace(study.adata, ["plain", "corrected"])
    assert [line.get_ydata()[0] for line in ax.lines] == [1, 1]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["plain", "corrected"]


def test_trace_of_the_robust_method_is_refused(study):
    with pytest.raises(ValueError, match="no objective trace"):
        sk.pl.objective_trace(study.adata, "robust")


def test_depth_bars_equal_the_correlations(study):
    adata = study.adata
    ax = sk.pl.depth_correlation(adata, ["plain", "corrected"], n_components=4)
    assert len(ax.patches) == 12
    depth = np.log(np.asarray(adata.X.sum(axis=1)).ravel())
    from sccase_kit.metrics.evaluation import profiles_of

    scores = profiles_of(adata, key="plain", scale="minmax").pca(4)
    expected = [abs(np.corrcoef(scores[:, j], depth)[0, 1]) for j in range(4)]
    np.testing.assert_allclose([bar.get_height() for bar in ax.patches[4:8]], expected, rtol=1e-4, atol=1e-5)
    labels = [t.get_text() for t in ax.get_legend().get_texts()]
    assert labels == ["raw TF-IDF", "plain", "corrected"]


def locus_of(study, width=300_000):
    var = study.adata.var[study.adata.var["specific_to"] == "type_1"].iloc[0]
    return var, f"{var['chrom']}:{max(0, var['start'] - width):,}-{var['end'] + width:,}"


def test_tracks_are_means_by_group_at_the_peaks(study):
    adata = study.adata
    peak, locus = locus_of(study)
    before = set(adata.uns)
    axes = sk.pl.genome_tracks(adata, locus, "cell_type", genes=study.genes, key="plain")
    assert set(adata.uns) - before <= {"cell_type_colors"}
    assert len(axes) == 2 * 5 + 2
    cells = (adata.obs["cell_type"] == "type_1").to_numpy()
    at = (peak["start"] + peak["end"]) / 2
    raw = {round(b.get_x() + b.get_width() / 2, 3): b.get_height() for b in axes[0].patches}
    assert raw[round(at, 3)] == pytest.approx((adata[cells, peak.name].X > 0).mean())
    smooth = {round(b.get_x() + b.get_width() / 2, 3): b.get_height() for b in axes[1].patches}
    expected = sk.get.enhanced(adata, "plain", obs_names=cells, var_names=[peak.name], scale="accessibility").mean()
    assert smooth[round(at, 3)] == pytest.approx(float(expected), rel=1e-5)
    assert len({ax.get_ylim() for ax in axes[1:10:2]}) == 1


def test_tracks_of_one_side_and_chosen_groups(study):
    _, locus = locus_of(study)
    axes = sk.pl.genome_tracks(study.adata, locus, "cell_type", show="raw", groups=["type_3", "type_1"])
    assert [ax.get_ylabel() for ax in axes] == ["type_3", "type_1"]
    _, given = plt.subplots(2, 1)
    assert sk.pl.genome_tracks(
        study.adata, locus, "cell_type", show="raw", groups=["type_3", "type_1"], ax=given
    ) == list(given)


def test_a_gene_is_a_locus(study):
    adata = study.adata.copy()
    place = adata.var.iloc[5]
    genes = pd.DataFrame(
        {"chrom": [place["chrom"]], "tss": [place["start"]], "strand": "+", "gene_id": "ENSG7.1", "symbol": "Abc"}
    )
    genes["start"], genes["end"] = genes["tss"], genes["tss"] + 3_000
    for name in ("Abc", "ABC", "ENSG7"):
        axes = sk.pl.genome_tracks(adata, name, "cell_type", show="raw", groups=["type_1"], genes=genes, flank=1_000)
        assert axes[0].get_xlim() == (max(place["start"] - 1_000, 0), place["start"] + 4_000)
        assert any(text.get_text() == "Abc" for text in axes[-1].texts)
    with pytest.raises(KeyError, match="locus: 1 of 1 are not among the 1 genes"):
        sk.pl.genome_tracks(adata, "Abd", "cell_type", show="raw", genes=genes)
    with pytest.raises(ValueError, match="for a gene pass genes='hg38'"):
        sk.pl.genome_tracks(adata, "Abc", "cell_type", show="raw")
    adata.uns["x"] = {"package": "sccase_kit", "function": "tl.great", "version": "1", "params": {"genome": "hg38"}}
    with pytest.raises(ValueError, match="holds no peak"):
        sk.pl.genome_tracks(adata, "HBB", "cell_type", show="raw", flank=0)


@pytest.mark.parametrize("span", [2, 20, 500, 20_000, 9_000_000])
def test_ticks_of_every_window_differ_and_have_no_needless_zeros(study, span):
    peak = study.adata.var.iloc[5]
    locus = f"{peak['chrom']}:{peak['start'] + 3}-{peak['start'] + 3 + span}"
    ax = sk.pl.genome_tracks(study.adata, locus, "cell_type", show="raw", groups=["type_1"])[0]
    ax.figure.canvas.draw()
    low, high = ax.get_xlim()
    texts = [
        text.get_text() for at, text in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True) if low <= at <= high
    ]
    assert len(set(texts)) == len(texts) >= 2
    assert not all(text.endswith("0") and "." in text for text in texts)
    ax.set_xlim(low, low + 100)  # as one who looks closer
    assert len({text.get_text() for text in ax.get_xticklabels()}) >= 3


def test_gene_names_do_not_collide(study):
    genes = pd.DataFrame({"chrom": "chr1", "tss": [1000, 1010, 1020], "strand": ["+", "-", "+"], "symbol": list("ABC")})
    adata = study.adata.copy()
    first = adata.var_names[0]
    adata.var.loc[first, ["chrom", "start", "end"]] = ["chr1", 900, 1100]
    axes = sk.pl.genome_tracks(adata, "chr1:0-10000", "cell_type", show="raw", groups=["type_1"], genes=genes)
    rows = [t.xy[1] for t in axes[-1].texts if t.get_text()]
    assert len(set(rows)) == 3


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"locus": "chr1"}, ValueError, "must look like"),
        ({"locus": "chr1:500-100"}, ValueError, "ends before it starts"),
        ({"locus": "chrM:1-100"}, ValueError, "holds no peak"),
        ({"groups": ["type_9"]}, ValueError, r"\['type_9'\] are not in"),
        ({"show": "all"}, ValueError, "show must be one of"),
        ({"scale": "zscore", "show": "raw"}, ValueError, "scale must be None .* or 'minmax'"),
        ({"key": "other"}, KeyError, "other"),
    ],
)
def test_tracks_say_what_is_wrong(study, options, error, match):
    arguments = {"locus": locus_of(study)[1], "key": "plain"} | options
    with pytest.raises(error, match=match):
        sk.pl.genome_tracks(study.adata, arguments.pop("locus"), "cell_type", **arguments)
