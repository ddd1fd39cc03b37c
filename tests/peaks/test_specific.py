"""Activation of components and ranking of peaks on arrays."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sccase_kit.peaks import (
    background_positions,
    choose_components,
    component_activation,
    contrasts,
    group_profiles,
    rank_peaks,
    variation,
)
from sccase_kit.peaks.specific import sharing


@pytest.fixture
def embedding():
    rng = np.random.default_rng(0)
    codes = rng.integers(3, size=90)
    values = rng.gamma(2, 1, size=(90, 5))
    for g in range(3):
        values[codes == g, g + 1] += 4
    return values, codes


def test_equals_scipy(embedding):
    values, codes = embedding
    result = component_activation(values, codes, 3)
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    for g in range(3):
        inside = codes == g
        for j in range(5):
            paired = scaled[inside, j] - scaled[inside].mean(axis=1)
            ref = stats.wilcoxon(paired, alternative="greater", method="approx", correction=False)
            n = inside.sum()
            np.testing.assert_allclose(result.statistic[g, j], ref.statistic / (n * (n + 1) / 2))
            np.testing.assert_allclose(result.pvalue[g, j], ref.pvalue, rtol=1e-10)
            u = stats.mannwhitneyu(values[inside, j], values[~inside, j]).statistic
            np.testing.assert_allclose(result.specificity[g, j], u / (n * (~inside).sum()))
    np.testing.assert_array_equal(choose_components(result, 1)[:, 0], [1, 2, 3])


def test_scale_of_components_does_not_matter(embedding):
    values, codes = embedding
    scaled = component_activation(values * [1, 1e-3, 50, 7, 2], codes, 3)
    np.testing.assert_allclose(scaled.statistic, component_activation(values, codes, 3).statistic)


def test_constant_embedding_is_not_significant():
    result = component_activation(np.ones((20, 3)), np.arange(20) % 2, 2)
    assert (result.pvalue == 1).all()
    assert (result.specificity == 0.5).all()


def test_ranks_by_coefficient():
    projection = np.array([[5.0, 0.1], [0.0, 0.3], [1.0, 0.0], [0.0, 0.0]])
    positions, coefficients, components = rank_peaks(projection, np.array([0]), 10)
    assert positions.tolist() == [0, 2]
    assert coefficients.tolist() == [5, 1]
    assert components.tolist() == [0, 0]
    positions, coefficients, components = rank_peaks(projection, np.array([0, 1]), 3)
    assert positions.tolist() == [0, 1, 2]
    assert coefficients.tolist() == [5, 0.3, 1]
    assert components.tolist() == [0, 1, 0]


def test_background_is_closest_to_the_mean():
    rng = np.random.default_rng(1)
    projection = rng.gamma(1, 1, size=(50, 4))
    gaps = {p: abs(projection[p].mean() - projection.mean()) for p in range(50)}
    assert set(background_positions(projection, 7)) == set(sorted(gaps, key=gaps.get)[:7])


def test_profiles_are_means_of_the_product():
    rng = np.random.default_rng(2)
    cells, peaks, codes = (
        rng.random((30, 4), dtype=np.float32),
        rng.random((17, 4), dtype=np.float32),
        np.arange(30) % 3,
    )
    profiles = group_profiles(cells, peaks, codes=codes, n_groups=3)
    dense = cells.astype(float) @ peaks.T
    np.testing.assert_allclose(profiles, [dense[codes == g].mean(axis=0) for g in range(3)], rtol=1e-6)


def test_contrast_is_the_lead_over_the_next_group():
    profiles = np.array([[4.0, 1.0, 0.0, 2.0], [1.0, 1.0, 0.0, 2.0], [1.0, 4.0, 0.0, 1.0]])
    expected = np.array([[1.5, -1.5, 0, 0], [-1.5, -1.5, 0, 0], [-1.5, 1.5, 0, -0.6]])
    np.testing.assert_allclose(contrasts(profiles), expected)
    np.testing.assert_allclose(contrasts(profiles * 7), expected)


def test_variation_is_spread_over_mean():
    profiles = np.array([[4.0, 0.0, 2.0], [2.0, 0.0, 2.0]])
    np.testing.assert_allclose(variation(profiles), [1 / 3, 0, 0])


def test_groups_that_share_components_are_named():
    chosen = [np.array([0, 2]), np.array([1, 0]), np.array([2, 0]), np.array([1, 0])]
    assert sharing(chosen, ["a", "b", "c", "d"]) == ["a", "c"]
    assert sharing(chosen, ["a", "b", "c", "d"], told={"c"}) == ["b", "d"]
    assert sharing(chosen, ["a", "b", "c", "d"], told={"b", "c"}) == []
