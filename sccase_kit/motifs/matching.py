"""Where motifs occur in sequences, with motifmatchr's scores and thresholds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import sparse

from .._arguments import checked
from .._validate import check_choice, check_number
from .chromvar import _n_threads
from .motif import Motif
from .pwm import log_odds, score_threshold
from .sequences import EncodedSequences, base_frequencies, encode_sequences
from .sources import as_motifs

_WINDOW = 7
_BATCH_BASES = 1 << 22
_LONGEST_WORD = 11


@dataclass(frozen=True, slots=True)
class MotifMatches:
    """Result of :func:`match`.

    Attributes
    ----------
    matches
        CSR of bool, sequences × motifs: whether the motif occurs, on either strand.
    scores
        CSR of float64: highest score of the matches, where there is one.
    counts
        CSR of int32: number of matches on both strands; a palindrome counts twice.
    thresholds
        Score that a match reaches, shape (n_motifs,).
    background
        Frequencies of A, C, G, T that were used.
    motifs
        The motifs, in the order of the columns.
    positions
        DataFrame of every match, or None: motif (id), sequence (0-based number), start, end (0-based half-open within
        the sequence, on the forward strand), strand and score; sorted by motif, sequence, strand (+ first) and start.
    """

    matches: sparse.csr_matrix
    scores: sparse.csr_matrix
    counts: sparse.csr_matrix
    thresholds: np.ndarray
    background: np.ndarray
    motifs: list[Motif]
    positions: pd.DataFrame | None = None


@checked()
def match(
    sequences: Iterable[str] | EncodedSequences,
    pfms: Any,
    p_cutoff: float = 5e-5,
    *,
    background: Literal["subject", "even"] | Sequence[float] = "subject",
    compat: bool = False,
    positions: bool = False,
    report: Callable[[int], None] | None = None,
) -> MotifMatches:
    """Find the motifs that occur in sequences, on both strands.

    Parameters
    ----------
    sequences
        DNA strings, upper or lower case, or :class:`EncodedSequences`. Other letters than A, C, G, T break a site.
    pfms
        Motifs as counts; anything that :func:`as_motifs` takes.
    p_cutoff
        Probability that a random site matches; gives every motif its score threshold.
    background
        Base frequencies: those of all the `sequences` (``"subject"``: matches of one sequence then depend a little on
        the others), ``"even"``, or frequencies of A, C, G, T such as those of the genome.
    compat
        Reproduce motifmatchr 1.1.1: its background correction has the wrong sign (no effect with ``"even"``), and
        motifs narrower than 7 miss the last site of every stretch of A, C, G, T. In stretches shorter than 7 bases its
        finds of such motifs depend on the other motifs searched for; here they have none.
    positions
        Also return every match.
    report
        Called with the number of motifs finished in all of the sequences so far, out of ``len(pfms)``.

    Returns
    -------
    :class:`MotifMatches`

    Raises
    ------
    ValueError
        If there is no sequence or motif, `p_cutoff` is not between 0 and 1, frequencies are not valid, or sequences
        hold no A, C, G, T at all with ``background="subject"``.

    Notes
    -----
    Matches reach the threshold of their motif by the same rule on both strands, as in motifmatchr: the threshold is
    that of the forward matrix.

    References
    ----------
    Schep, motifmatchr 1.1.1; Korhonen et al., Bioinformatics 2009 (MOODS); Tan & Lenhard, Bioinformatics 2016
    (TFBSTools, for the weights).
    """
    encoded = sequences if isinstance(sequences, EncodedSequences) else encode_sequences(sequences)
    if len(encoded) == 0:
        msg = "sequences is empty; give at least one sequence"
        raise ValueError(msg)
    motifs = as_motifs(pfms)
    p_cutoff = check_number(p_cutoff, name="p_cutoff", minimum=0, maximum=1, exclusive=True)
    frequencies = background_frequencies(background, encoded)
    weights = [np.ascontiguousarray(log_odds(motif.counts, frequencies, compat=compat).T) for motif in motifs]
    with ThreadPoolExecutor(_n_threads()) as pool:
        thresholds = np.array(list(pool.map(lambda w: score_threshold(w.T, frequencies, p_cutoff), weights)))
        hits = _scan(encoded, weights, thresholds, pool, compat=compat, report=report)
    return _collect(hits, encoded, motifs, thresholds, frequencies, positions=positions)


@dataclass(frozen=True)
class _Hits:
    """Matches of one motif: sequence, start in the sequence, strand (0 forward, 1 reverse) and score."""

    sequence: np.ndarray
    start: np.ndarray
    strand: np.ndarray
    score: np.ndarray


def background_frequencies(background: Any, encoded: EncodedSequences) -> np.ndarray:
    """Return the frequencies of A, C, G, T that `background` asks for: an array of shape (4,) that sums to 1."""
    if isinstance(background, str):
        check_choice(background, ["subject", "even"], name="background")
        frequencies = np.full(4, 0.25) if background == "even" else base_frequencies(encoded)
        if not (frequencies > 0).all():
            msg = f"sequences lack some of the bases A, C, G, T (frequencies {frequencies.round(3).tolist()}); "
            msg += "pass background='even' or frequencies"
            raise ValueError(msg)
        return frequencies
    frequencies = np.asarray(background, dtype=np.float64)
    valid = frequencies.shape == (4,) and np.isfinite(frequencies).all() and (frequencies > 0).all()
    if not valid or abs(frequencies.sum() - 1) > 1e-6:
        msg = "background must be 'subject', 'even' or four positive frequencies (A, C, G, T) that sum to 1, "
        msg += f"got {background!r}"
        raise ValueError(msg)
    return frequencies


def _scan(encoded, weights, thresholds, pool, *, compat, report) -> list[_Hits]:
    from .match_kernels import index_words

    parts: list[list[_Hits]] = [[] for _ in weights]
    batches = _batches(encoded.starts)
    for number, (first, last) in enumerate(batches):
        begin, stop = encoded.starts[first], encoded.starts[last]
        codes, starts = encoded.codes[begin:stop], encoded.starts[first : last + 1] - begin
        k = int(np.clip(np.log(max(len(codes), 16) / 16) / np.log(4), 2, _LONGEST_WORD))
        index = index_words(codes, k)

        def search(m: int, codes=codes, starts=starts, k=k, index=index, first=first) -> None:
            parts[m].append(_both_strands(codes, starts, index, k, weights[m], thresholds[m], first, compat=compat))

        for m, _ in enumerate(pool.map(search, range(len(weights)))):
            if report is not None and number == len(batches) - 1:
                report(m + 1)
    return [_join(part) for part in parts]


def _batches(starts: np.ndarray) -> list[tuple[int, int]]:
    """Cut the sequences into runs of at most about `_BATCH_BASES` bases, each at least one sequence."""
    cuts, first = [], 0
    while first < len(starts) - 1:
        last = int(np.searchsorted(starts, starts[first] + _BATCH_BASES, side="right")) - 1
        last = min(max(last, first + 1), len(starts) - 1)
        cuts.append((first, last))
        first = last
    return cuts


def _both_strands(codes, starts, index, k, weights, threshold, first, *, compat) -> _Hits:
    from .match_kernels import find_sites

    width = len(weights)
    at, score, strand = [], [], []
    for side, matrix in enumerate((weights, np.ascontiguousarray(weights[::-1, ::-1]))):
        position, value = find_sites(codes, index, k, matrix, threshold, _core(matrix, k))
        if compat and width < _WINDOW and len(position):
            keep = _seen_by_motifmatchr(codes, position, width)
            position, value = position[keep], value[keep]
        at.append(position)
        score.append(value)
        strand.append(np.full(len(position), side, dtype=np.int8))
    position, sides = np.concatenate(at), np.concatenate(strand)
    sequence = np.searchsorted(starts, position, side="right") - 1
    order = np.lexsort((position, sides, sequence))
    sequence, position = sequence[order], position[order]
    return _Hits(sequence + first, position - starts[sequence], sides[order], np.concatenate(score)[order])


def _core(weights: np.ndarray, k: int) -> int:
    """Return the first of k columns that tell most: where an average base loses most against the best."""
    if len(weights) <= k:
        return 0
    loss = weights.max(axis=1) - weights.mean(axis=1)
    total = np.concatenate([[0], np.cumsum(loss)])
    return int(np.argmax(total[k:] - total[:-k]))


def _seen_by_motifmatchr(codes: np.ndarray, position: np.ndarray, width: int) -> np.ndarray:
    """Return which sites of a narrow motif are neither last in their stretch nor in one shorter than the window."""
    span = np.arange(-_WINDOW, _WINDOW + width)
    around = position[:, None] + span
    inside = (around >= 0) & (around < len(codes))
    base = inside & (codes[np.clip(around, 0, len(codes) - 1)] < 4)
    before = np.cumprod(base[:, :_WINDOW][:, ::-1], axis=1).sum(axis=1)
    after = np.cumprod(base[:, _WINDOW:], axis=1).sum(axis=1)
    return (after > width) & (before + after >= _WINDOW)


def _join(parts: list[_Hits]) -> _Hits:
    if len(parts) == 1:
        return parts[0]
    names = ("sequence", "start", "strand", "score")
    return _Hits(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _collect(hits: list[_Hits], encoded, motifs, thresholds, frequencies, *, positions: bool) -> MotifMatches:
    rows, best, number = [], [], []
    for hit in hits:
        first = np.flatnonzero(np.diff(hit.sequence, prepend=-1))
        rows.append(hit.sequence[first])
        best.append(np.maximum.reduceat(hit.score, first) if len(first) else np.empty(0))
        number.append(np.diff(first, append=len(hit.sequence)))
    pointer = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    shape = (len(encoded), len(motifs))

    def stack(values: list[np.ndarray], dtype: Any) -> sparse.csr_matrix:
        data = np.concatenate(values).astype(dtype)
        return sparse.csc_matrix((data, np.concatenate(rows), pointer), shape=shape).tocsr()

    table = None
    if positions:
        column = np.repeat(np.arange(len(motifs)), [len(hit.sequence) for hit in hits])
        joined = _join(hits)
        width = np.array([len(motif) for motif in motifs])
        table = pd.DataFrame(
            {
                "motif": pd.Categorical.from_codes(column, categories=[motif.id for motif in motifs]),
                "sequence": joined.sequence,
                "start": joined.start,
                "end": joined.start + width[column],
                "strand": pd.Categorical.from_codes(joined.strand, categories=["+", "-"]),
                "score": joined.score,
            }
        )
    ones = [np.ones(len(row), dtype=bool) for row in rows]
    return MotifMatches(
        stack(ones, bool), stack(best, np.float64), stack(number, np.int32), thresholds, frequencies, motifs, table
    )
