"""How much each of several predictions counts, from entries that are hidden for it: no labels are needed.

A sample of the cells is taken, a share of its open entries is hidden, and the consensus and the mixtures
(:mod:`sccase_kit.enhance.mixture`) are fitted anew to the others. The weights maximise the likelihood of the hidden
entries. The experts are, for every number of components K, the memberships and profiles after some steps, the K-th part
of the consensus, unsmoothed and after one smoothing step; and the mean of all cells. A factor of all deviations from
that mean is chosen last. So where the signal is too weak for the steps, the consensus, or the mean, gets the weight.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from ..matrix.operator import ScaledOperator
from .bank import nmf_bank
from .expected import PeakScaling, count_factors, factor_sums, measure_counts, shares
from .keys import Keys, uniform
from .mixture import Mixtures, climb, peak_shares, start
from .reference import Reference, reference_memberships
from .robust import RobustOptions, cell_graph, unit_columns, unit_rows

ALPHAS = (100.0, 300.0, 1000.0)
HIDDEN = 0.2
MOST_CELLS = 1_200
MOST_ENTRIES = 12_000
LEAST = 0.02  # weight below which an expert is dropped
STRETCHES = (0.0, 0.1, 0.25, 0.4, 0.6, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2.0, 2.5)
_N_STEPS = 100
_N_POLISH = 6


@dataclass(frozen=True)
class Choice:
    """What the hidden entries chose.

    Attributes
    ----------
    alpha
        Pseudo-entries of the memberships.
    climbed, plain, smooth
        Weight of every K after the steps, in the consensus without smoothing, and with one smoothing step.
    mean
        Weight of the mean of all cells.
    stretch
        Factor of all deviations from the mean of all cells.
    gain
        Mean log-likelihood of a hidden entry beyond the mean of all cells, of the weighted whole (nats).
    """

    alpha: float
    climbed: np.ndarray
    plain: np.ndarray
    smooth: np.ndarray
    mean: float
    stretch: float
    gain: float

    def combined(
        self,
        climbed: Mixtures,
        plain: list[np.ndarray],
        smooth: list[np.ndarray],
        profiles: list[np.ndarray],
        mean: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return θ (cells × r) and φ (peaks × r) of the weighted whole; rows of θ and columns of φ sum to 1.

        Parameters
        ----------
        climbed
            The mixtures after the steps.
        plain, smooth, profiles
            Of :func:`consensus_profiles`.
        mean
            π.
        """
        thetas = [weight * climbed.theta[:, part] for weight, part in zip(self.climbed, climbed.parts(), strict=True)]
        phis = [climbed.phi[:, part] for part in climbed.parts()]
        known = (self.plain + self.smooth) > 0
        for i in np.flatnonzero(known):
            thetas.append(self.plain[i] * plain[i] + self.smooth[i] * smooth[i])
            phis.append(profiles[i])
        if self.mean > 0:
            thetas.append(np.full((len(climbed.theta), 1), self.mean))
            phis.append(mean[:, None])
        return np.hstack(thetas), stretched(np.hstack(phis), mean, self.stretch)

    def without_small(self) -> Choice:
        """Return the choice with the weights below :data:`LEAST` at 0, and the others of sum 1 again."""
        kept = [np.where(w < LEAST, 0, w) for w in (self.climbed, self.plain, self.smooth)]
        mean = 0.0 if self.mean < LEAST else self.mean
        total = sum(w.sum() for w in kept) + mean
        if total <= 0:
            return self
        return replace(
            self, **dict(zip(("climbed", "plain", "smooth"), (w / total for w in kept), strict=True)), mean=mean / total
        )


def stretched(phi: np.ndarray, mean: np.ndarray, factor: float) -> np.ndarray:
    """Return profiles whose deviations from π are `factor` times as large, at least a hundredth of π, of sum 1."""
    values = np.maximum(mean[:, None] + factor * (phi - mean[:, None]), 0.01 * mean[:, None])
    return values / values.sum(axis=0)


def likelihood_weights(ratios: np.ndarray, *, n_steps: int = _N_STEPS) -> np.ndarray:
    """Return the weights of sum 1 that maximise the mean log of ``ratios @ weights``, by expectation–maximisation.

    Parameters
    ----------
    ratios
        Probability of every hidden entry under every expert, by that of the peak mean: (entries × experts), positive.
    n_steps
        Steps from equal weights; few, so that weights of nearly equal experts stay near each other.
    """
    weights = np.full(ratios.shape[1], 1 / ratios.shape[1])
    for _ in range(n_steps):
        weights = weights * (ratios / (ratios @ weights)[:, None]).mean(axis=0)
    return weights / weights.sum()


def consensus_profiles(
    op: ScaledOperator, hs: list[np.ndarray], kernel: sparse.csr_matrix, peaks: PeakScaling
) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """Return, for every K of the consensus, memberships without and with a smoothing step, and profiles, in counts.

    Parameters
    ----------
    op
        TF-IDF of the data.
    hs
        H of every K.
    kernel
        Neighbour graph.
    peaks
        :class:`~sccase_kit.enhance.expected.PeakScaling` of the data.
    """
    images = op.rmatmul(np.hstack([unit_columns(h) for h in hs]))
    cuts = np.cumsum([h.shape[1] for h in hs])[:-1]
    plain, smooth, profiles = [], [], []
    for h, image in zip(hs, np.split(images, cuts, axis=1), strict=True):
        sums = factor_sums(image, peaks)
        members = unit_rows(unit_columns(h))
        totals = np.where(sums > 0, sums, 1)
        plain.append(shares(members, sums) * totals)
        smooth.append(shares(kernel @ members, sums) * totals)
        profiles.append(count_factors(image, peaks, sums) / totals)
    return plain, smooth, profiles


def choose(
    op: ScaledOperator,
    bank: tuple[int, ...],
    keys: Keys,
    options: RobustOptions,
    *,
    reference: Reference | None = None,
    rng: np.random.Generator,
) -> Choice:
    """Return what entries hidden in a sample of the cells choose.

    Parameters
    ----------
    op
        The data.
    bank
        The numbers K.
    keys
        Keys of cells and peaks, which draw the sample and what is hidden.
    options
        Options of the consensus.
    reference
        Its groups, to which the cells are compared anew, are one more factorisation, the last.
    rng
        Generator.
    """
    training, hidden = _split(op, keys, int(rng.integers(2**62)))
    inner, _, peaks = measure_counts(training)
    bank = tuple(sorted({min(k, min(inner.shape) - 1) for k in bank}))
    hs, *_ = nmf_bank(inner, bank, rng=rng, n_iter=_N_POLISH)
    members = [unit_rows(unit_columns(h)) for h in hs]
    coarse = np.hstack(members[: max(1, len(members) // 2)])
    kernel = cell_graph(inner, coarse, options, codes=None, rng=rng)
    if reference is not None:
        hs.append(
            reference_memberships(inner, reference.counts, reference.n_components, kernel=kernel, codes=None, rng=rng)
        )
    judge = _Judge(training, hidden)
    plain, smooth, profiles = consensus_profiles(inner, hs, kernel, peaks)
    others = [
        judge.ratios(theta, phi) for thetas in (plain, smooth) for theta, phi in zip(thetas, profiles, strict=True)
    ]
    others.append(np.ones(len(others[0])))
    mean, n_entries = peak_shares(inner)
    first = start(inner, hs, mean)
    nothing = np.zeros(len(hs))
    best, chosen = Choice(0.0, nothing, nothing, nothing, 1.0, 1.0, -np.inf), first
    for alpha in ALPHAS:
        mixtures = climb(inner, first, kernel, alpha=alpha, mean=mean, n_entries=n_entries)
        climbed = [judge.ratios(mixtures.theta[:, part], mixtures.phi[:, part]) for part in mixtures.parts()]
        ratios = np.column_stack([*climbed, *others])
        weights = likelihood_weights(ratios)
        gain = float(np.log(ratios @ weights).mean())
        if gain > best.gain:
            by_k = np.split(weights[:-1], 3)
            best = Choice(alpha, by_k[0], by_k[1], by_k[2], float(weights[-1]), 1.0, gain)
            chosen = mixtures
    best = best.without_small()
    theta, phi = best.combined(chosen, plain, smooth, profiles, judge.mean)
    gains = judge.gains_of_stretches(theta, phi)
    return replace(best, stretch=STRETCHES[int(np.argmax(gains))], gain=max(gains))


def _split(op: ScaledOperator, keys: Keys, seed: int) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Return the counts left for training, and those hidden, of a sample of the cells."""
    order = uniform(keys.cells, seed)
    n = op.shape[0]
    sampled = order <= np.partition(order, MOST_CELLS - 1)[MOST_CELLS - 1] if n > MOST_CELLS else np.ones(n, dtype=bool)
    kept: list[sparse.csr_matrix] = []
    gone: list[sparse.csr_matrix] = []
    for rows, block in op.iter_blocks():
        inside = np.flatnonzero(sampled[rows])
        part = block[inside]
        part.eliminate_zeros()
        cell = np.repeat(keys.cells[rows][inside], np.diff(part.indptr))
        hide = uniform(cell ^ (keys.peaks[part.indices] << np.uint64(1)), seed + 1) < HIDDEN
        for values, wanted in ((kept, ~hide), (gone, hide)):
            chosen = sparse.csr_matrix((part.data * wanted, part.indices.copy(), part.indptr.copy()), shape=part.shape)
            chosen.eliminate_zeros()
            values.append(chosen)
    return sparse.vstack(kept, format="csr"), sparse.vstack(gone, format="csr")


class _Judge:
    """Probabilities of hidden entries among the peaks that training left closed, by those of the peak mean."""

    def __init__(self, training: sparse.csr_matrix, hidden: sparse.csr_matrix) -> None:
        self._training = training
        seen = np.bincount(training.indices, minlength=training.shape[1])
        self.mean = seen / max(1, seen.sum())
        known = self.mean[hidden.indices] > 0
        row = np.repeat(np.arange(hidden.shape[0]), np.diff(hidden.indptr))
        row, column = row[known], hidden.indices[known]
        step = max(1, len(row) // MOST_ENTRIES)
        self._row, self._column = row[::step], column[::step]
        self._left_mean = 1 - self._inside(self.mean[training.indices])

    def _inside(self, values: np.ndarray) -> np.ndarray:
        rows = np.repeat(np.arange(self._training.shape[0]), np.diff(self._training.indptr))
        return np.bincount(rows, weights=values, minlength=self._training.shape[0])

    def ratios(self, theta: np.ndarray, phi: np.ndarray) -> np.ndarray:
        """Return the ratio at every hidden entry, positive."""
        return np.maximum(self._ratios(*self._values(theta, phi), 1.0), 1e-6)

    def gains_of_stretches(self, theta: np.ndarray, phi: np.ndarray) -> list[float]:
        """Return the mean log ratio with all deviations from π multiplied by each of :data:`STRETCHES`."""
        values = self._values(theta, phi)
        return [float(np.log(np.maximum(self._ratios(*values, s), 0.01)).mean()) for s in STRETCHES]

    def _values(self, theta: np.ndarray, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return P / π at the hidden entries, and P summed over the training entries of every cell."""
        from .mixture_kernels import values_at

        theta = np.ascontiguousarray(theta, dtype=np.float64)
        phi = np.ascontiguousarray(phi, dtype=np.float64)
        inside = np.empty(self._training.nnz)
        values_at(self._training.indptr, self._training.indices, theta, phi, inside)
        p = np.einsum("ik,ik->i", theta[self._row], phi[self._column])
        return p / self.mean[self._column], self._inside(inside)

    def _ratios(self, relative: np.ndarray, inside: np.ndarray, stretch: float) -> np.ndarray:
        left = np.maximum(self._left_mean - stretch * (inside - 1 + self._left_mean), 1e-9)
        return (1 + stretch * (relative - 1)) * (self._left_mean / left)[self._row]
