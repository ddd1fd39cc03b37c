"""How much each of several predictions counts, from entries that are hidden for it: no labels are needed.

Some open entries of a sample of the cells are hidden (:mod:`sccase_kit.enhance.hiding`), and the consensus and the
mixtures (:mod:`sccase_kit.enhance.mixture`) are fitted anew to the others. The weights maximise the likelihood of the
hidden entries. The experts are, for every number of components K, the memberships and profiles after some steps, the
K-th part of the consensus, unsmoothed and after one smoothing step; and the mean of all cells. So where the signal is
too weak for the steps, the consensus, or the mean, gets the weight. The pull α of a cell's neighbours is the one that
makes the hidden entries most probable after the first step; only its mixtures take the second. Last all deviations from
the mean of all cells are multiplied by the slope of what was seen on what was said, and where the whole does not gain
more than twice its standard error, the answer is that mean. As long as a gain is uncertain, other entries are hidden as
well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
from scipy import sparse

from ..matrix.operator import ScaledOperator
from .bank import bank_of_cells
from .expected import measure_counts
from .experts import Choice, Consensus, consensus_profiles
from .hiding import MOST_ENTRIES, Hidden, Values, sample_cells
from .keys import Keys
from .mixture import N_PASSES, Mixtures, climb_each, column_parts, peak_shares, start
from .reference import Reference, reference_memberships
from .robust import RobustOptions, cell_graph, unit_columns, unit_rows

ALPHAS = (100.0, 300.0, 1000.0)
LEAST = 0.04  # weight below which an expert is dropped, or seven tenths of the largest if that is less
STRETCHES = (0.1, 0.25, 0.4, 0.6, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2.0, 2.5)
MOST_FOLDS = 8
_SURE, _SOME = 4.0, 2.0  # standard errors
_GIVEN_UP = 0.05  # of the gain, at most, for deviations of the right size
_N_STEPS = 100
_N_POLISH = 6


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
        weights = weights * ((1 / (ratios @ weights)) @ ratios) / len(ratios)
    return weights / weights.sum()


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
    sample = sample_cells(op, keys, int(rng.integers(2**62)))
    none = np.zeros(len(bank) + (reference is not None))
    choice = Choice(ALPHAS[0], none, none, none, mean=1.0, stretch=1.0, gain=0.0, n_folds=0)
    folds: list[_Fold] = []
    for number in range(MOST_FOLDS):
        left, gone, judged = sample.fold(number)
        if gone.nnz == 0 or left.shape[1] < 2:  # like cells at like peaks are hidden together
            continue
        folds.append(_Fold.fitted(left, gone, judged, bank=bank, options=options, reference=reference, rng=rng))
        choice = _weighed(folds)
        enough = sum(len(fold.hidden.row) for fold in folds) >= MOST_ENTRIES
        if enough or choice.gain > _SURE * choice.error:
            break
    return choice if choice.gain > _SOME * choice.error else choice.nothing


@dataclass(frozen=True)
class _Fold:
    """Every expert fitted to what one tenth of the entries, hidden, leaves.

    The mixtures take their first step for every α, and the others for one alone.
    """

    hidden: Hidden
    consensus: Consensus
    others: np.ndarray
    first: dict[float, Mixtures]
    further: Callable[[Mixtures, float], Mixtures]
    known: dict[float, tuple[Mixtures, np.ndarray]]

    @classmethod
    def fitted(
        cls,
        left: sparse.csr_matrix,
        gone: sparse.csr_matrix,
        judged: np.ndarray,
        *,
        bank: tuple[int, ...],
        options: RobustOptions,
        reference: Reference | None,
        rng: np.random.Generator,
    ) -> _Fold:
        """Fit them to what is left; the first three are those of :meth:`~sccase_kit.enhance.hiding.Sample.fold`."""
        inner, _, peaks = measure_counts(left)
        bank = tuple(sorted({min(k, min(inner.shape) - 1) for k in bank}))
        h = bank_of_cells(inner, bank, rng=rng, n_iter=_N_POLISH)
        hs = [h[:, part] for part in column_parts(bank)]
        members = [unit_rows(unit_columns(h)) for h in hs]
        coarse = np.hstack(members[: max(1, len(members) // 2)])
        kernel = cell_graph(inner, coarse, options, codes=None, rng=rng)
        if reference is not None:
            counts = reference.counts[:, judged]
            hs.append(reference_memberships(inner, counts, reference.n_components, kernel=kernel, codes=None, rng=rng))
        hidden = Hidden(inner.columns(), gone)
        consensus = consensus_profiles(inner, hs, kernel, peaks)
        thetas = np.stack([consensus.plain, consensus.smooth])
        others = hidden.ratios_of_parts(thetas, consensus.profiles, consensus.bank)
        others = np.vstack([*others, np.ones((1, others.shape[2]))])
        mean, n_entries = peak_shares(inner)
        step = partial(climb_each, inner, kernel=kernel, mean=mean, n_entries=n_entries)
        found = step(start(inner, hs, mean), alphas=ALPHAS, n_passes=1)
        first = dict(zip(ALPHAS, found, strict=True))

        def further(mixtures: Mixtures, alpha: float) -> Mixtures:
            return next(step(mixtures, alphas=(alpha,), n_passes=N_PASSES - 1))

        return cls(hidden, consensus, others, first, further, {})

    @cached_property
    def first_ratios(self) -> list[np.ndarray]:
        """Return the ratios of all experts at the hidden entries after the first step, for every α."""
        several = list(self.first.values())
        thetas = np.stack([mixtures.theta for mixtures in several])
        found = self.hidden.ratios_of_parts(thetas, several[0].phi, several[0].bank)
        return [self._with_others(own) for own in found]

    def climbed(self, alpha: float) -> tuple[Mixtures, np.ndarray]:
        """Return the mixtures after all steps, and the ratios of all experts."""
        if alpha not in self.known:
            mixtures = self.further(self.first[alpha], alpha)
            own = self.hidden.ratios_of_parts(mixtures.theta[None], mixtures.phi, mixtures.bank)[0]
            self.known[alpha] = mixtures, self._with_others(own)
        return self.known[alpha]

    def _with_others(self, own: np.ndarray) -> np.ndarray:
        return np.maximum(np.vstack([own, self.others]), 1e-6).T

    def whole(self, choice: Choice) -> Values:
        """Return what the weighted whole says."""
        whole = choice.combined(self.climbed(choice.alpha)[0], self.consensus, self.hidden.mean)
        return self.hidden.values(*whole, squares=True)


def large_weights(ratios: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weights of those experts alone that have much of it, of sum 1; those of the others are 0.

    Experts of different K say nearly the same, so the likelihood does not suffer, and the result has fewer columns.
    Parameters as of :func:`likelihood_weights`, and its result.
    """
    kept = weights >= min(LEAST, 0.7 * weights.max())
    out = np.zeros_like(weights)
    out[kept] = likelihood_weights(ratios[:, kept])
    return out


def _weighed(folds: list[_Fold]) -> Choice:
    """Return the choice of all hidden entries together."""
    alpha = _best_alpha(folds)
    ratios = np.vstack([fold.climbed(alpha)[1] for fold in folds])
    weights = large_weights(ratios, likelihood_weights(ratios))
    by_k = np.split(weights[:-1], 3)
    best = Choice(alpha, by_k[0], by_k[1], by_k[2], float(weights[-1]), stretch=1.0, gain=0.0)  # the last two follow
    pairs = [(fold.hidden, fold.whole(best)) for fold in folds]
    stretch = _stretch(pairs)
    row = np.concatenate([hidden.row for hidden, _ in pairs])
    logs = np.concatenate([hidden.log_ratios(values, stretch) for hidden, values in pairs])
    gain = float(logs.mean())
    error = float(np.linalg.norm(np.bincount(row, weights=logs - gain))) / len(logs)
    return replace(best, stretch=stretch, gain=gain, error=error, n_folds=len(folds))


def _best_alpha(folds: list[_Fold]) -> float:
    """Return the α with which the hidden entries are most probable after the first step."""
    gains = []
    for several in zip(*(fold.first_ratios for fold in folds), strict=True):
        ratios = np.vstack(several)
        gains.append(float(np.log(ratios @ likelihood_weights(ratios)).mean()))
    return ALPHAS[int(np.argmax(gains))]


def _stretch(pairs: list[tuple[Hidden, Values]]) -> float:
    """Return the factor that gives deviations the size of those seen, unless the likelihood says otherwise.

    It is the slope of what was seen on what was said, nearer to 1 the larger its standard error (over the cells); of
    the factors that cost at most a twentieth of the gain of the best one, the nearest to it.
    """
    seen, said = np.sum([hidden.deviations(values) for hidden, values in pairs], axis=0)
    if said.sum() <= 1e-9 * sum(len(hidden.row) for hidden, _ in pairs):  # the mean itself, but for rounding
        return 1.0
    slope = float(seen.sum() / said.sum())
    error = float(np.linalg.norm(seen - slope * said) / said.sum())
    off = slope - 1
    wanted = float(np.clip(1 + off * off**2 / max(off**2 + error**2, 1e-12), 0, STRETCHES[-1]))
    factors = np.array([*STRETCHES, wanted])
    gains = np.array([np.mean(np.concatenate([h.log_ratios(v, s) for h, v in pairs])) for s in factors])
    near = gains >= gains.max() - _GIVEN_UP * abs(gains.max())
    return float(factors[near][np.argmin(np.abs(factors[near] - wanted))])
