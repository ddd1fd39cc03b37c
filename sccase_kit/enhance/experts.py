"""Several predictions of expected accessibility, the experts, and the weighted whole of them.

They are, for every number of components K, the memberships and profiles after some steps
(:mod:`sccase_kit.enhance.mixture`), and the K-th part of the consensus, unsmoothed and after one smoothing step; and
the mean of all cells. :mod:`sccase_kit.enhance.choosing` weighs them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import DTypeLike
from scipy import sparse

from ..matrix.operator import ScaledOperator
from ..matrix.rows import row_slices
from .expected import PeakScaling, count_factors, factor_sums, shares
from .graph import smoothed
from .mixture import Mixtures, column_parts
from .preparation import Places
from .robust import unit_columns, unit_rows

_ROWS = 50_000


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
    error
        Standard error of the gain, over the cells.
    n_folds
        How many times a tenth of the entries was hidden.
    """

    alpha: float
    climbed: np.ndarray
    plain: np.ndarray
    smooth: np.ndarray
    mean: float
    stretch: float
    gain: float
    error: float = 0.0
    n_folds: int = 1

    @property
    def nothing(self) -> Choice:
        """The mean of all cells alone, with the gain and error of what was turned down."""
        none = np.zeros_like(self.climbed)
        return replace(self, climbed=none, plain=none, smooth=none, mean=1.0, stretch=1.0)

    def combined(
        self,
        climbed: Mixtures,
        consensus: Consensus,
        mean: np.ndarray,
        *,
        places: Places | None = None,
        dtype: DTypeLike = np.float64,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return θ (cells × r) and φ (peaks × r) of the weighted whole; rows of θ and columns of φ sum to 1.

        Parameters
        ----------
        climbed
            The mixtures after the steps.
        consensus
            The consensus.
        mean
            π.
        places
            Where the peaks stand among those of φ, if there are more.
        dtype
            Type of θ.
        """
        weights = np.repeat(self.climbed, climbed.bank)
        plain, smooth = np.repeat(self.plain, consensus.bank), np.repeat(self.smooth, consensus.bank)
        climbs, used = weights > 0, plain + smooth > 0
        phis = [(climbed.phi, climbs), (consensus.profiles, used), (mean[:, None], np.array([self.mean > 0]))]
        cuts = np.cumsum([np.count_nonzero(chosen) for _, chosen in phis])
        theta = np.empty((len(climbed.theta), cuts[-1]), dtype=dtype)
        for rows in row_slices(len(theta)):
            theta[rows, : cuts[0]] = _some(climbed.theta[rows], climbs) * weights[climbs]
            own = _some(consensus.plain[rows], used) * plain[used]
            theta[rows, cuts[0] : cuts[1]] = own + _some(consensus.smooth[rows], used) * smooth[used]
            theta[rows, cuts[1] :] = self.mean
        return theta, _stretched(phis, mean, self.stretch, np.float32, places=places)


def _some(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return some columns, without a copy where they are all."""
    return values if chosen.all() else values[:, chosen]


def stretched(phi: np.ndarray, mean: np.ndarray, factor: float) -> np.ndarray:
    """Return profiles whose deviations from π are `factor` times as large, at least a hundredth of π, of sum 1."""
    return _stretched([(phi, np.ones(phi.shape[1], dtype=bool))], mean, factor, phi.dtype)


def _stretched(
    parts: list[tuple[np.ndarray, np.ndarray]],
    mean: np.ndarray,
    factor: float,
    dtype: DTypeLike,
    *,
    places: Places | None = None,
) -> np.ndarray:
    """Return stretched profiles: columns (a mask) of several arrays, next to each other; some peaks at a time."""
    places = Places(len(mean)) if places is None else places
    whole, out = places.room(sum(int(np.count_nonzero(chosen)) for _, chosen in parts), dtype)
    sums = np.zeros(out.shape[1])
    for rows in row_slices(len(mean)):
        pi = mean[rows, None].astype(dtype)
        values = np.concatenate([_some(v[rows], chosen) for v, chosen in parts], 1, out=out[rows], casting="same_kind")
        values -= pi
        values *= factor
        values += pi
        sums += np.maximum(values, pi / 100, out=values).sum(axis=0, dtype=np.float64)
    for rows in row_slices(len(out)):
        out[rows] /= sums.astype(dtype)
    return places.shared_out(out, whole)


@dataclass(frozen=True)
class Consensus:
    """The parts of the consensus, one for every number of components K, as mixtures of peak profiles.

    Attributes
    ----------
    plain, smooth
        Memberships without, and with one smoothing step, (cells × ΣK), float32; the rows of each K sum to 1.
    profiles
        Profiles in counts, (peaks × ΣK), float32; columns sum to 1.
    bank
        The numbers K, in the order of the columns.
    """

    plain: np.ndarray
    smooth: np.ndarray
    profiles: np.ndarray
    bank: tuple[int, ...]

    @classmethod
    def none(cls, shape: tuple[int, int]) -> Consensus:
        """Return the parts of no K."""
        cells, peaks = (np.zeros((n, 0), dtype=np.float32) for n in shape)
        return cls(cells, cells, peaks, ())


def consensus_profiles(
    op: ScaledOperator,
    hs: list[np.ndarray],
    kernel: sparse.csr_matrix,
    peaks: PeakScaling,
    *,
    images: list[np.ndarray] | None = None,
) -> Consensus:
    """Return the consensus of factorisations, in counts.

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
    images
        X̃ᵀ H of every K, H with columns of unit sum, where they are known.
    """
    bank = tuple(h.shape[1] for h in hs)
    if images is None:
        profiles = op.rmatmul(np.hstack([unit_columns(h) for h in hs])).astype(np.float32, copy=False)
    else:
        profiles = np.hstack(images).astype(np.float32, copy=False)
    sums = factor_sums(profiles, peaks)
    totals = np.where(sums > 0, sums, 1)
    plain, smooth = (np.empty((op.shape[0], sum(bank)), dtype=np.float32) for _ in range(2))
    for h, part in zip(hs, column_parts(bank), strict=True):
        members = unit_rows(unit_columns(h))
        for own, out in ((members, plain), (smoothed(kernel, members), smooth)):
            for rows in row_slices(len(own), _ROWS):
                out[rows, part] = shares(own[rows], sums[part]) * totals[part]
    for rows in row_slices(len(profiles)):
        profiles[rows] = count_factors(profiles[rows], PeakScaling(peaks.idf[rows], peaks.share[rows]), sums) / totals
    return Consensus(plain, smooth, profiles, bank)
