from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from sccase_kit.metrics import Profiles, smoothing_scores


@pytest.fixture
def noisy():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [30, 20, 15])
    truth = rng.normal(size=(3, 400)) + rng.normal(size=400)
    return labels, truth[labels], truth[labels] + 2 * rng.normal(size=(65, 400))


def pair_means(x, labels):
    correlation = np.corrcoef(x)
    means = np.empty((3, 3))
    for c in range(3):
        for d in range(3):
            values = [
                correlation[i, j] for i in np.flatnonzero(labels == c) for j in np.flatnonzero(labels == d) if i != j
            ]
            means[c, d] = np.mean(values)
    return means


def recognised(x, labels):
    """Share of cells that correlate best with the mean standardised profile of their type, themselves left out."""
    unit = x - x.mean(axis=1, keepdims=True)
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    right = {c: [] for c in set(labels)}
    for i, c in enumerate(labels):
        found = {}
        for d in right:
            others = [j for j in np.flatnonzero(labels == d) if j != i]
            found[d] = np.corrcoef(unit[i], unit[others].mean(axis=0))[0, 1]
        right[c].append(max(found, key=found.get) == c)
    return np.mean([np.mean(values) for values in right.values()])


def test_against_loops_over_pairs(noisy):
    labels, truth, raw = noisy
    rng = np.random.default_rng(1)
    raw = raw + 6 * rng.normal(size=raw.shape)  # not all cells are recognised
    enhanced = 0.1 * truth + 0.2 * raw + 0.2 * truth.mean(axis=0) + 1.5 * rng.normal(size=raw.shape)
    ours, base = pair_means(enhanced, labels), pair_means(raw, labels)
    losses, room = [], []
    for c in range(3):
        for d in range(c):
            rho = ours[c, d] / np.sqrt(ours[c, c] * ours[d, d])
            raw_rho = base[c, d] / np.sqrt(base[c, c] * base[d, d])
            losses.append(max(0, min(1, rho) - min(1, raw_rho)))
            room.append(1 - min(1, raw_rho))
    a, a_raw = recognised(enhanced, labels), recognised(raw, labels)
    assert 1 / 3 < a < a_raw < 1
    found = smoothing_scores(labels, Profiles(enhanced), Profiles(raw))
    assert found["under"] == pytest.approx(1 - np.trace(ours) / 3)
    assert found["over"] == pytest.approx(1 - (a - 1 / 3) / (a_raw - 1 / 3))
    kept, tight = 1 - found["over"], 1 - found["under"]
    assert found["smoothing"] == pytest.approx(2 / (1 / kept + 1 / tight))
    assert found["flattened"] == pytest.approx(np.mean(losses) / np.mean(room))


def test_extremes(noisy):
    labels, truth, raw = noisy
    same = smoothing_scores(labels, Profiles(raw), Profiles(raw))
    assert same["over"] == same["flattened"] == 0
    assert same["under"] > 0.5
    ideal = smoothing_scores(labels, Profiles(truth), Profiles(raw))
    assert ideal["smoothing"] == pytest.approx(1)
    assert ideal["under"] == pytest.approx(0, abs=1e-9)
    assert ideal["over"] == 0
    assert ideal["flattened"] < 0.1
    merged = smoothing_scores(labels, Profiles(np.tile(truth.mean(axis=0), (65, 1)) + 0.0), Profiles(raw))
    assert merged["over"] == pytest.approx(1)
    assert merged["smoothing"] == 0
    assert merged["flattened"] == pytest.approx(1)
    constant = smoothing_scores(labels, Profiles(np.ones_like(raw)), Profiles(raw))
    assert constant["over"] == pytest.approx(1)


def test_merged_types_count_and_noise_does_not(noisy):
    labels, truth, raw = noisy
    two = truth.copy()
    two[labels > 0] = truth[labels > 0].mean(axis=0)  # types 1 and 2 are one
    found = smoothing_scores(labels, Profiles(two), Profiles(raw))
    assert found["over"] == pytest.approx(0.5)  # of three types, each of two is right in half of its cells
    assert found["under"] == pytest.approx(0, abs=1e-9)
    rng = np.random.default_rng(2)
    noise = smoothing_scores(labels, Profiles(truth + 3 * rng.normal(size=raw.shape)), Profiles(raw))
    assert noise["over"] < 0.02
    assert noise["under"] > 0.8


def test_what_cannot_be_compared_is_nan(noisy):
    labels, truth, raw = noisy
    alone = smoothing_scores(np.zeros(65), Profiles(truth), Profiles(raw))
    assert np.isnan(alone[["over", "smoothing", "flattened"]]).all()
    assert np.isfinite(alone["under"])
    blank = smoothing_scores(labels, Profiles(truth), Profiles(np.ones_like(raw)))
    assert np.isnan(blank[["over", "smoothing"]]).all()
    single = np.append(labels[:-1], 9)  # a type of one cell
    found = smoothing_scores(single, Profiles(truth), Profiles(raw))
    assert found["over"] < 0.05


def test_it_behaves_as_the_paper_says():
    """Few components merge types, many bring noise back, and the best is near the number of types (8)."""
    import sccase_kit as sk

    adata = sk.datasets.simulate(320, 1500, n_types=8, library_size=250, rng=0)
    sk.pp.filter_peaks(adata)
    raw = Profiles(sk.metrics.raw_tfidf(adata))
    table = {}
    for k in (2, 4, 8, 20, 50):
        sk.tl.enhance(adata, k, method="sccase")
        table[k] = smoothing_scores(adata.obs["cell_type"], Profiles(*sk.get.factors(adata)), raw)
    over, under, smoothing = ([table[k][name] for k in table] for name in ("over", "under", "smoothing"))
    assert over[0] > 0.3
    assert over[0] > over[1] + 0.1
    assert max(over[2:]) < 0.1  # large K does not merge types
    assert under[0] < under[2] < under[3] < under[4]
    assert under[4] > under[2] + 0.08
    assert np.argmax(smoothing) == 2


def test_containers(noisy):
    labels, truth, raw = noisy
    counts = np.maximum(raw, 0)
    dense = smoothing_scores(labels, Profiles(truth), Profiles(counts))
    as_sparse = smoothing_scores(labels, Profiles(truth), Profiles(sparse.csr_matrix(counts)))
    np.testing.assert_allclose(dense, as_sparse)
    left, values, right = np.linalg.svd(truth, full_matrices=False)
    thin = smoothing_scores(labels, Profiles(left * values, right.T), Profiles(counts))
    np.testing.assert_allclose(thin, dense, atol=1e-6)
