"""Expected accessibility from a fitted consensus: weighted by hidden entries, then fitted to all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse

from ..matrix.operator import ScaledOperator
from .choosing import choose
from .expected import measured_peaks
from .experts import Choice, Consensus, consensus_profiles
from .hiding import MOST_CELLS
from .keys import Keys, data_keys
from .mixture import Mixtures, climb, memberships, peak_shares, start
from .nmf import SMALL
from .preparation import Places
from .reference import Reference
from .robust import RobustOptions, unit_columns
from .survey import SAMPLED, free_samples, sample_of

#: Components that are factorised for expected accessibility alone: data of two types need them.
MORE = (2,)
_FEWEST_ENTRIES = 2_000


def enough(shape: tuple[int, int], n_entries: int, bank: tuple[int, ...]) -> bool:
    """Return whether data hold enough to hide a part of them: twice as many cells and peaks as the largest K."""
    return min(shape) > 2 * max(bank) and n_entries >= _FEWEST_ENTRIES


def hide_and_choose(
    op: ScaledOperator, bank: tuple[int, ...], *, reference: Reference | None = None, rng: np.random.Generator
) -> Choice:
    """Return what hidden entries choose: of large data those of the sample, which is in memory.

    Parameters
    ----------
    op
        TF-IDF of the data, a column for every peak.
    bank
        The numbers K.
    reference
        Reference counts, to which the cells are compared anew.
    rng
        Generator.
    """
    keys = data_keys(op)
    if op.shape[0] > SMALL and SAMPLED >= MOST_CELLS:
        sample = sample_of(op, rng)
        op, keys = sample.op, Keys(keys.cells[sample.kept], keys.peaks)
    return choose(op, bank, keys, RobustOptions(), reference=reference, rng=rng)


def recover(
    op: ScaledOperator,
    choice: Choice,
    hs: dict[int, np.ndarray],
    kernel: sparse.csr_matrix,
    n_open: np.ndarray,
    *,
    images: dict[int, np.ndarray] | None = None,
    groups: np.ndarray | None = None,
    places: Places | None = None,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Return θ (n_obs × r) and φ (n_vars × r), whose product is the share of every peak in a cell.

    Rows of θ and columns of φ sum to 1.

    Parameters
    ----------
    op
        TF-IDF of the data.
    choice
        What hidden entries chose (:func:`hide_and_choose`).
    hs
        H of every K, (n_obs × K).
    kernel
        Neighbour graph of the cells, row-stochastic.
    n_open
        Cells with the peak open, (n_vars,).
    images
        X̃ᵀ H of every K, (n_vars × K), H with columns of unit sum; saves a read of large data.
    groups
        Memberships of the cells in the groups of a reference, (n_obs × groups): one more factorisation.
    places
        Where the peaks stand among those of φ, if there are more.
    rng
        Generator.
    """
    large = op.shape[0] > SMALL
    every = [*hs.values(), *([] if groups is None else [groups])]
    mean, n_entries = peak_shares(op)
    used, experts = choice.climbed > 0, (choice.plain + choice.smooth) > 0
    climbing, chosen = ([h for h, keep in zip(every, which, strict=True) if keep] for which in (used, experts))
    climbed, consensus = Mixtures.none(op.shape), Consensus.none(op.shape)
    if climbing and large:
        first = replace(_of_sample(op, climbing, choice.alpha, rng), theta=memberships(climbing))
        free_samples(op)
        climbed = climb(op, first, kernel, alpha=choice.alpha, mean=mean, n_entries=n_entries, n_passes=1)
        del first
    elif climbing:
        first = start(op, climbing, mean)
        climbed = climb(op, first, kernel, alpha=choice.alpha, mean=mean, n_entries=n_entries)
        del first
    if chosen:
        known = None
        if images is not None:
            known = [*images.values(), *([] if groups is None else [op.rmatmul(unit_columns(groups))])]
            known = [image for image, keep in zip(known, experts, strict=True) if keep]
        consensus = consensus_profiles(op, chosen, kernel, measured_peaks(op, n_open), images=known)
    small = replace(choice, climbed=choice.climbed[used], plain=choice.plain[experts], smooth=choice.smooth[experts])
    return small.combined(climbed, consensus, mean, places=places, dtype=np.float32)


def _of_sample(op: ScaledOperator, hs: list[np.ndarray], alpha: float, rng: np.random.Generator) -> Mixtures:
    """Return the mixtures of a sample of the cells after one step, for their profiles."""
    cells = sample_of(op, rng)
    kept, sample = cells.kept, cells.op
    mean, n_entries = peak_shares(sample)
    alone = sparse.csr_matrix(sparse.identity(sample.shape[0], dtype=np.float32))
    first = start(sample, [h[kept] for h in hs], mean)
    return climb(sample, first, alone, alpha=alpha, mean=mean, n_entries=n_entries, n_passes=1)
