"""Bars of heritability enrichment."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import sccase_kit as sk


@pytest.fixture
def table():
    rows = [
        ("height", "background", 0.9, 0.3, 0.4, -0.2),
        ("height", "B", 6.0, 1.0, 1e-4, 4.0),
        ("height", "T", 2.0, 1.5, 0.03, 1.0),
        ("bmi", "B", 1.1, 0.5, 0.9, 0.1),
    ]
    names = ["trait", "group", "Enrichment", "Enrichment_std_error", "Enrichment_p", "Coefficient_z-score"]
    frame = pd.DataFrame(rows, columns=names)
    return frame.assign(**{"Prop._h2": frame["Enrichment"] / 10, "Prop._h2_std_error": 0.05})


def heights(ax):
    return [bar.get_height() for bar in ax.patches]


def test_bars_errors_and_the_background_last(table):
    ax = sk.pl.ldsc(table, "height")
    assert [t.get_text() for t in ax.get_xticklabels()] == ["B", "T", "background"]
    assert heights(ax) == [6.0, 2.0, 0.9]
    assert ax.patches[0].get_facecolor() != ax.patches[2].get_facecolor()
    segments = ax.containers[0].lines[2][0].get_segments()
    np.testing.assert_allclose([s[1][1] - s[0][1] for s in segments], [2.0, 3.0, 0.6])
    assert ax.get_title() == "height"


def test_stars_are_bonferroni_over_the_groups_drawn(table):
    assert sum(t.get_text() == "*" for t in sk.pl.ldsc(table, "height").texts) == 1
    assert sum(t.get_text() == "*" for t in sk.pl.ldsc(table, "height", groups=["T"]).texts) == 1


def test_depletion_has_no_star(table):
    table.loc[0, ["Enrichment", "Enrichment_p"]] = [0.1, 1e-6]
    ax = sk.pl.ldsc(table, "height", groups=["background"])
    assert not ax.texts


@pytest.mark.parametrize("value", ["coefficient", "h2"])
def test_other_values(table, value):
    ax = sk.pl.ldsc(table, "height", value=value, groups=["T", "B"])
    column = {"coefficient": "Coefficient_z-score", "h2": "Prop._h2"}[value]
    own = table[table["trait"] == "height"].set_index("group")
    assert heights(ax) == own.loc[["T", "B"], column].tolist()
    if value == "coefficient":
        significant = norm.sf(own.loc[["T", "B"], column]) < 0.05 / 2
        assert sum(t.get_text() == "*" for t in ax.texts) == significant.sum()


def test_given_axes_and_a_single_trait(table):
    _, ax = plt.subplots()
    assert sk.pl.ldsc(table[table["trait"] == "bmi"], ax=ax) is ax


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({}, ValueError, "several traits"),
        ({"trait": "iq"}, ValueError, "trait='iq'"),
        ({"trait": "bmi", "groups": ["T"]}, ValueError, r"\['T'\] are not in the table"),
        ({"trait": "bmi", "value": "p"}, ValueError, "value must be one of"),
    ],
)
def test_what_is_not_there(table, options, error, match):
    with pytest.raises(error, match=match):
        sk.pl.ldsc(table, **options)


def test_table_of_something_else(table):
    with pytest.raises(KeyError, match=r"Pass what tl\.ldsc returns"):
        sk.pl.ldsc(table.drop(columns="Enrichment_p"), "height")
