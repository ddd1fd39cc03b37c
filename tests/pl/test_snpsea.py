"""The SNPsea figure: bars, thresholds, order and the half heatmap."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from scipy.cluster.hierarchy import leaves_list, linkage

import sccase_kit as sk

NAMES = [f"tissue_{i}" for i in range(12)]


@pytest.fixture
def correlation():
    rng = np.random.default_rng(0)
    base = rng.normal(size=(3, 200))
    profiles = base[np.arange(12) % 3] + 0.7 * rng.normal(size=(12, 200))
    return pd.DataFrame(np.corrcoef(profiles), NAMES, NAMES)


@pytest.fixture
def table(correlation):
    rng = np.random.default_rng(1)
    parts = []
    for group, best in (("monocytes", 1e-4), ("background", 0.3)):
        p = rng.uniform(0.02, 1, 12)
        p[4] = best
        parts.append(pd.DataFrame({"group": group, "condition": NAMES, "pvalue": p}))
    frame = pd.concat(parts, ignore_index=True)
    frame.attrs["correlation"] = correlation.to_dict("split")
    return frame


def shown(axes):
    return [text.get_text().replace(" ", "_") for text in axes[-1].get_yticklabels()]


def test_bars_are_the_pvalues_in_leaf_order(table, correlation):
    axes = sk.pl.snpsea(table, ["monocytes", "background"], n_top=8)
    wide = table.pivot(index="condition", columns="group", values="pvalue")
    top = wide.min(axis=1).sort_values().index[:8]
    order = leaves_list(linkage(correlation.loc[top, top].to_numpy(), "average"))
    assert shown(axes) == list(top[order])
    for ax, group in zip(axes[1:], ["monocytes", "background"], strict=True):
        assert ax.get_title() == group
        lengths = [bar.get_width() for bar in ax.patches]
        np.testing.assert_allclose(lengths, -np.log10(wide.loc[top[order], group]))


def test_thresholds_are_nominal_and_bonferroni_over_all_conditions(table):
    for ax in sk.pl.snpsea(table, n_top=3)[1:]:
        lines = {line.get_linestyle(): line.get_xdata()[0] for line in ax.lines}
        assert lines == pytest.approx({"--": -np.log10(0.05), "-": -np.log10(0.05 / 12)})


def test_only_bars_beyond_the_solid_line_are_coloured(table):
    axes = sk.pl.snpsea(table, ["monocytes", "background"])
    colors = [{to_hex(bar.get_facecolor()) for bar in ax.patches} for ax in axes[1:]]
    assert len(colors[0]) == 2
    assert len(colors[1]) == 1
    first = [to_hex(bar.get_facecolor()) for bar in axes[1].patches]
    assert first.count(first[shown(axes).index("tissue_4")]) == 1


def test_panels_share_scale_and_rows(table):
    axes = sk.pl.snpsea(table)
    assert len({ax.get_xlim() for ax in axes[1:]}) == 1
    assert len({ax.get_ylim() for ax in axes}) == 1


def test_heatmap_is_the_lower_triangle_between_the_rows(table, correlation):
    axes = sk.pl.snpsea(table)
    names = shown(axes)
    mesh = axes[0].collections[0]
    values = np.ma.filled(mesh.get_array(), np.nan).reshape(12, 12)
    expected = correlation.loc[names, names].to_numpy()
    lower = np.tril_indices(12, -1)
    np.testing.assert_allclose(values[lower], expected[lower])
    assert np.isnan(values[np.triu_indices(12)]).all()
    corners = mesh.get_coordinates()
    centre = (corners[1, 0] + corners[2, 1]) / 2  # cell (1, 0): the pair of the two lowest rows
    np.testing.assert_allclose(centre, [-0.5, 0.5])


def test_given_axes_are_used(table):
    _, axes = plt.subplots(1, 2)
    assert list(sk.pl.snpsea(table, "monocytes", ax=axes)) == list(axes)
    with pytest.raises(ValueError, match="ax must hold 3 Axes"):
        sk.pl.snpsea(table, ax=axes)


@pytest.mark.parametrize("n_top", [1, 2, 100])
def test_any_number_of_conditions(table, n_top):
    assert len(shown(sk.pl.snpsea(table, n_top=n_top))) == min(n_top, 12)


def test_long_names_are_shortened_in_the_middle(table, correlation):
    long = "a_" * 30
    names = [long, *NAMES[1:]]
    table["condition"] = table["condition"].replace(NAMES[0], long)
    axes = sk.pl.snpsea(table, correlation=correlation.set_axis(names).set_axis(names, axis=1))
    longest = max((t.get_text() for t in axes[-1].get_yticklabels()), key=len)
    assert "…" in longest
    assert len(longest) <= 40


def test_pvalue_of_zero_is_drawn(table):
    table.loc[0, "pvalue"] = 0.0
    axes = sk.pl.snpsea(table, "monocytes")
    assert np.isfinite([bar.get_width() for bar in axes[1].patches]).all()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"groups": ["B"]}, ValueError, r"groups: \['B'\] are not in the table; available: \['monocytes'"),
        ({"n_top": 0}, ValueError, "n_top must be at least 1"),
        ({"alpha": 1.0}, ValueError, "alpha must be less than 1"),
        ({"correlation": pd.DataFrame([[1.0]], ["x"], ["x"])}, KeyError, "is not in correlation"),
    ],
)
def test_bad_options_are_named(table, options, error, message):
    with pytest.raises(error, match=message):
        sk.pl.snpsea(table, **options)


def test_other_tables_are_refused(table):
    with pytest.raises(KeyError, match=r"Pass what tl\.snpsea returns"):
        sk.pl.snpsea(table.drop(columns="pvalue"))
    table.attrs.clear()
    with pytest.raises(ValueError, match="pass correlation="):
        sk.pl.snpsea(table)
