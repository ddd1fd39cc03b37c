"""Tails in log space against scipy and exact fractions."""

from fractions import Fraction
from math import comb, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sccase_kit.great.stats import binom_log_sf, hypergeom_log_sf


def exact_log(value: Fraction) -> float:
    return log(value.numerator) - log(value.denominator)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 400), st.data())
def test_hypergeometric_is_exact(total, data):
    marked, drawn = data.draw(st.integers(0, total)), data.draw(st.integers(0, total))
    k = data.draw(st.integers(0, min(marked, drawn)))
    tail = sum(comb(marked, i) * comb(total - marked, drawn - i) for i in range(k, min(marked, drawn) + 1))
    expected = exact_log(Fraction(tail, comb(total, drawn)))
    got = hypergeom_log_sf(np.array([k]), np.array(total), np.array(marked), np.array(drawn))[0]
    assert got == pytest.approx(expected, rel=1e-9, abs=1e-11)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 300), st.data())
def test_binomial_is_exact(n, data):
    k = data.draw(st.integers(0, n))
    p = Fraction(data.draw(st.integers(1, 999)), 1000)
    tail = sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))
    got = binom_log_sf(np.array([k]), np.array([n]), np.array([float(p)]))[0]
    assert got == pytest.approx(exact_log(tail), rel=1e-10, abs=1e-12)


@pytest.mark.parametrize(("n", "k", "thousandths"), [(194, 161, 11), (200, 163, 11), (150, 116, 2), (200, 120, 1)])
def test_tails_near_the_end_of_the_range_of_floats_are_exact(n, k, thousandths):
    # scipy's incomplete beta function is .6 % off for the second one
    p = Fraction(thousandths, 1000)
    tail = sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))
    got = binom_log_sf(np.array([k]), np.array([n]), np.array([float(p)]))[0]
    assert got == pytest.approx(exact_log(tail), rel=1e-12)


def test_far_tails_do_not_underflow():
    k, n, p = np.array([20_000, 600_000, 5_000]), np.array([100_000, 1_000_000, 5_000]), np.array([0.05, 0.5, 1e-3])
    got = binom_log_sf(k, n, p)
    assert np.isfinite(got).all()
    assert (got < -700).all()
    terms = [stats.binom.logpmf(np.arange(a, min(a + 5000, b) + 1), b, c) for a, b, c in zip(k, n, p, strict=True)]
    np.testing.assert_allclose(got, [np.logaddexp.reduce(t) for t in terms], rtol=1e-10)
    assert hypergeom_log_sf(np.array([3_000]), 18_549, 3_000, 3_500)[0] < -4_000


def test_edges():
    assert binom_log_sf(np.array([0, 1, 5]), np.array([5, 5, 5]), np.array([0.0, 0.0, 1.0])).tolist() == [0, -np.inf, 0]
    assert hypergeom_log_sf(np.array([0, 5]), np.array([10, 10]), np.array([0, 10]), np.array([3, 5])).tolist() == [
        0,
        0,
    ]
