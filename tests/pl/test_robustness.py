from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sccase_kit.pl import robustness, score_bars


@pytest.fixture
def table():
    rows = [
        {"rate": rate, "seed": seed, "method": method, "ari": 1 - rate + 0.01 * seed, "silhouette": 0.5, "kbet": 0.3}
        for rate in (0.0, 0.4, 0.8)
        for seed in range(3)
        for method in ("raw", "ours")
    ]
    return pd.DataFrame(rows)


def test_curves_hold_the_means(table):
    panels = robustness(table)
    assert [ax.get_ylabel() for ax in panels] == ["ARI", "silhouette"]
    line = panels[0].lines[0]
    np.testing.assert_allclose(line.get_xdata(), [0, 0.4, 0.8])
    np.testing.assert_allclose(line.get_ydata(), [1.01, 0.61, 0.21])
    assert [t.get_text() for t in panels[-1].get_legend().get_texts()] == ["raw", "ours"]


def test_other_axis_and_given_axes(table):
    import matplotlib.pyplot as plt

    table = table.rename(columns={"rate": "evenness"}).assign(imbalance=lambda t: 1 - t["evenness"])
    _, ax = plt.subplots()
    assert robustness(table, "ari", x="imbalance", ax=ax) == [ax]
    np.testing.assert_allclose(ax.lines[0].get_xdata(), [0.2, 0.6, 1.0])


def test_bars(table):
    ax = score_bars(table, ("ari", "kbet"))
    assert len(ax.patches) == 4
    compared = pd.DataFrame({"ari": [0.5, 0.6]}, index=pd.Index(["a", "b"], name="name"))
    assert len(score_bars(compared, "ari").patches) == 2


def test_errors(table):
    with pytest.raises(KeyError, match="scores='auc'"):
        robustness(table, ["auc"])
    with pytest.raises(KeyError, match="not the result of an experiment"):
        robustness(table.drop(columns="rate"))
    with pytest.raises(KeyError, match="scores='fmi'"):
        score_bars(table, ["fmi"])


def test_stars_are_paired_tests_over_the_seeds():
    rng = np.random.default_rng(0)
    seeds = np.arange(6)
    base = rng.normal(0.5, 0.2, 6)  # seeds differ much more than the methods
    parts = [
        pd.DataFrame({"seed": seeds, "method": "raw", "ari": base}),
        pd.DataFrame({"seed": seeds, "method": "same", "ari": base + rng.normal(0, 0.05, 6)}),
        pd.DataFrame({"seed": seeds, "method": "ours", "ari": base + 0.05 + rng.normal(0, 0.005, 6)}),
    ]
    table = pd.concat(parts, ignore_index=True)
    assert not score_bars(table, "ari").texts
    ax = score_bars(table, "ari", reference="raw")
    assert [t.get_text() for t in ax.texts] == ["*"]
    assert ax.texts[0].xy[0] == pytest.approx(0.8 / 3)  # the third bar
    with pytest.raises(KeyError, match="nobody"):
        score_bars(table, "ari", reference="nobody")
    with pytest.raises(ValueError, match="at least 3"):
        score_bars(table[table["seed"] < 2], "ari", reference="raw")
    with pytest.raises(ValueError, match="column 'seed'"):
        score_bars(table.drop(columns="seed"), "ari", reference="raw")
