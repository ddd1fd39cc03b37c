r"""Background peaks: for every peak, others of like accessibility and GC content.

The pair (log10 of the reads of a peak, its GC content) is whitened with the Cholesky factor of its covariance. A grid
of bs × bs bins covers the whitened plane; from the bin of a peak another non-empty bin is drawn with probability
proportional to a Gaussian kernel of width w on the distance of the bins' centres, and from that bin a peak at random
(Schep et al., Nature Methods 2017; chromVAR 1.5.0, ``getBackgroundPeaks``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._arguments import Generator, Numbers, checked
from .._remedy import with_remedy
from .._validate import check_int, check_number
from .r_random import RUniform


@dataclass(frozen=True)
class PeakGrid:
    """Where the peaks lie: bin of every peak, the non-empty bins in order, their sizes and centres."""

    member: np.ndarray  # position in `centres` of each peak's bin
    size: np.ndarray
    centres: np.ndarray  # of non-empty bins, first axis slow


@checked(peak_counts=Numbers("peaks"), bias=Numbers("peaks", fit=False), rng=Generator())
def sample_background_peaks(
    peak_counts: np.ndarray,
    bias: np.ndarray,
    n_iterations: int = 50,
    *,
    w: float = 0.1,
    bs: int = 50,
    seed: int | None = None,
    rng: int | np.random.Generator | None = 0,
) -> np.ndarray:
    """Draw background peaks with replacement; a peak may be drawn as its own background.

    Parameters
    ----------
    peak_counts
        Reads per peak over all cells, shape (n_peaks,), all positive.
    bias
        GC content per peak, shape (n_peaks,), see :func:`gc_content`.
    n_iterations
        Background peaks per peak.
    w
        Width of the Gaussian kernel in whitened units.
    bs
        Bins per axis.
    seed
        R seed: the result is bit for bit that of ``set.seed(seed); getBackgroundPeaks(...)`` in R. It costs a table
        over all peaks for every non-empty bin.
    rng
        Without `seed`, seed or generator of the same distribution drawn on bins, which is many times faster.

    Returns
    -------
    Array of shape (n_peaks, n_iterations), int32, 0-based peak positions.

    Raises
    ------
    ValueError
        If a peak has no reads or no GC content, shapes differ, or all peaks share one value (nothing to match on).
    """
    counts = np.asarray(peak_counts, dtype=np.float64).ravel()
    n_iterations = check_int(n_iterations, name="n_iterations", minimum=1)
    w = check_number(w, name="w", minimum=0, exclusive=True)
    bs = check_int(bs, name="bs", minimum=2)
    check_peak_counts(counts)
    grid = peak_grid(counts, check_bias(np.ravel(bias), len(counts)), bs)
    if seed is not None:
        return _draw_as_r(grid, n_iterations, w, check_int(seed, name="seed"))
    return _draw_on_bins(grid, n_iterations, w, np.random.default_rng(rng))


def check_peak_counts(counts: np.ndarray) -> None:
    """Raise ValueError naming the peaks without reads."""
    empty = np.flatnonzero(~(counts > 0))
    if empty.size:
        shown = ", ".join(map(str, empty[:5])) + (", …" if empty.size > 5 else "")
        msg = f"{empty.size} of {len(counts)} peaks have no reads in any cell (positions {shown}); "
        msg += "drop them first, e.g. with sccase_kit.pp.filter_peaks"
        raise with_remedy(ValueError(msg), "pp.filter_peaks")


def check_bias(bias: np.ndarray, n_peaks: int, *, names: Sequence[str] | None = None) -> np.ndarray:
    """Return GC contents as float64 of shape (n_peaks,), or raise ValueError with `names` or positions of peaks."""
    bias = np.asarray(bias, dtype=np.float64)
    if bias.shape != (n_peaks,):
        msg = f"bias must have one value per peak ({n_peaks}), got shape {bias.shape}"
        raise ValueError(msg)
    bad = np.flatnonzero(~np.isfinite(bias))
    if bad.size:
        where = f"at positions {bad[:5].tolist()}" if names is None else f"e.g. {[str(names[k]) for k in bad[:5]]}"
        msg = f"bias is NaN or infinite for {bad.size} peak(s), {where} "
        msg += "(sequences of N only have no GC content); drop those peaks first"
        raise ValueError(msg)
    return bias


def peak_grid(counts: np.ndarray, bias: np.ndarray, bs: int) -> PeakGrid:
    """Place peaks in bs × bs bins over the whitened plane of log10(reads) and bias; the inputs are checked already."""
    if len(counts) < 3:
        msg = f"background peaks need at least 3 peaks, got {len(counts)}"
        raise ValueError(msg)
    values = np.column_stack([np.log10(counts), bias])
    covariance = np.cov(values, rowvar=False)
    for axis, name in enumerate(("the number of reads", "bias")):
        if not covariance[axis, axis] > 0:
            msg = f"{name} is the same for all peaks: background peaks cannot be matched on it"
            raise ValueError(msg)
    try:
        lower = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        msg = "bias is a linear function of log10(reads): their covariance is singular"
        raise ValueError(msg) from None
    white = np.empty_like(values)  # forward substitution, as R's forwardsolve
    white[:, 0] = values[:, 0] / lower[0, 0]
    white[:, 1] = (values[:, 1] - lower[1, 0] * white[:, 0]) / lower[1, 1]
    axes = [np.linspace(column.min(), column.max(), bs) for column in white.T]
    first, second = (_nearest(axis, column) for axis, column in zip(axes, white.T, strict=True))
    occupied, member, size = np.unique(first * bs + second, return_inverse=True, return_counts=True)
    centres = np.column_stack([axes[0][occupied // bs], axes[1][occupied % bs]])
    return PeakGrid(member.ravel(), size, centres)


def count_grid(counts: np.ndarray, bs: int) -> PeakGrid:
    """Place peaks in bs bins of log10(reads) alone, in standard deviations."""
    values = np.log10(counts)
    if not values.std() > 0:
        msg = "the number of reads is the same for all peaks: background peaks cannot be matched on it"
        raise ValueError(msg)
    values = values / values.std(ddof=1)
    axis = np.linspace(values.min(), values.max(), bs)
    occupied, member, size = np.unique(_nearest(axis, values), return_inverse=True, return_counts=True)
    return PeakGrid(member.ravel(), size, axis[occupied][:, None])


def _nearest(axis: np.ndarray, values: np.ndarray) -> np.ndarray:
    right = np.clip(np.searchsorted(axis, values), 1, len(axis) - 1)
    return np.where(values - axis[right - 1] <= axis[right] - values, right - 1, right)


def bin_kernel(grid: PeakGrid, k: int, w: float) -> np.ndarray:
    """Return the normal density at the distances from bin k to all bins."""
    x = np.sqrt(np.sum((grid.centres - grid.centres[k]) ** 2, axis=1)) / w
    return 0.398942280401432677939946059934 * np.exp(-0.5 * x * x) / w


def _draw_as_r(grid: PeakGrid, n_iterations: int, w: float, seed: int) -> np.ndarray:
    from .background_kernels import alias_draw, normalise

    stream = RUniform(seed)
    out = np.empty((len(grid.member), n_iterations), dtype=np.int32)
    order = np.argsort(grid.member, kind="stable")
    stops = np.cumsum(grid.size)
    for k, (stop, size) in enumerate(zip(stops, grid.size, strict=True)):
        weights = (bin_kernel(grid, k, w) / grid.size)[grid.member]
        normalise(weights)
        drawn = np.empty(n_iterations * size, dtype=np.int64)
        alias_draw(weights, stream.draw(len(drawn)), drawn)
        out[order[stop - size : stop]] = drawn.reshape(size, n_iterations)
    return out


def _draw_on_bins(grid: PeakGrid, n_iterations: int, w: float, rng: np.random.Generator) -> np.ndarray:
    out = np.empty((len(grid.member), n_iterations), dtype=np.int32)
    order = np.argsort(grid.member, kind="stable").astype(np.int32)
    stops = np.cumsum(grid.size)
    starts = stops - grid.size
    for k, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        cumulative = np.cumsum(bin_kernel(grid, k, w))
        n = n_iterations * (stop - start)
        bins = np.searchsorted(cumulative, rng.random(n) * cumulative[-1], side="right")
        bins = np.minimum(bins, len(cumulative) - 1)
        peaks = order[starts[bins] + rng.integers(0, grid.size[bins])]
        out[order[start:stop]] = peaks.reshape(stop - start, n_iterations)
    return out
