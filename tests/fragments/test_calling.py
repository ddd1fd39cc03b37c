import numpy as np
import pytest

from sccase_kit.fragments import cell_threshold, rank_curve


def slow_split(values):
    """Try every threshold."""
    x = np.log10(np.sort(values))
    best, at = np.inf, None
    for cut in np.unique(x)[1:]:
        low, high = x[x < cut], x[x >= cut]
        inside = (len(low) * low.var() + len(high) * high.var()) / len(x)
        if inside < best - 1e-12:
            best, at = inside, cut
    return round(10**at) if best < 0.25 * x.var() else None


@pytest.mark.parametrize("seed", range(8))
def test_threshold_against_every_split(seed):
    rng = np.random.default_rng(seed)
    counts = np.concatenate([rng.integers(5, 60, 60), rng.lognormal(8, 0.3 + 0.1 * seed, 30).astype(int)])
    floor = 20
    first = slow_split(counts[counts >= floor])
    second = slow_split(counts[counts >= 2])
    expected = max(floor, first if first is not None else second if second is not None else 0)
    assert cell_threshold(counts, floor=floor) == expected


@pytest.mark.parametrize(
    ("n_cells", "depth", "background"), [(8000, 2250, 8), (8000, 4500, 16), (1000, 14_000, 20), (10_000, 9500, 13)]
)
def test_cells_stand_out_of_their_background(n_cells, depth, background):
    rng = np.random.default_rng(0)
    cells = rng.poisson(rng.lognormal(np.log(depth), 0.6, n_cells))
    noise = rng.poisson(rng.lognormal(np.log(background), 1, 100_000))
    threshold = cell_threshold(np.concatenate([cells, noise]))
    assert (cells >= threshold).mean() > 0.99
    assert (noise >= threshold).sum() < 0.01 * n_cells


def test_cells_alone_are_all_called():
    cells = np.random.default_rng(0).lognormal(8, 0.5, 3000).astype(int)
    assert cell_threshold(cells) == 200
    assert cell_threshold([]) == cell_threshold([5]) == cell_threshold([300, 300]) == 200


def test_the_curve_is_sorted_and_thin():
    counts = np.random.default_rng(0).integers(1, 5000, 20_000)
    rank, fragments = rank_curve(counts, points=50)
    assert len(rank) <= 50
    assert (rank[0], rank[-1]) == (1, 20_000)
    assert np.array_equal(fragments, np.sort(counts)[::-1][rank - 1])
    assert len(rank_curve([])[0]) == 0
