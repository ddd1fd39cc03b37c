"""Compiled inner loops of the motif search: score distribution, index of words, and the scan."""

from __future__ import annotations

import numba
import numpy as np

_SLACK = 1e-9


@numba.njit(cache=True, nogil=True)
def score_tail(steps: np.ndarray, background: np.ndarray, p: float) -> int:
    """Return the largest r with P(score ≥ r) > p; −2 if the top score alone exceeds p, −1 if there is none.

    Parameters
    ----------
    steps
        Non-negative integer scores, shape (width, 4).
    background
        Frequencies of the bases.
    p
        Probability.
    """
    width = steps.shape[0]
    top = 0
    for c in range(width):
        top += steps[c].max()
    current, following = np.zeros(top + 1), np.zeros(top + 1)
    current[0] = 1.0
    reach = 0
    for c in range(width):
        grown = reach + steps[c].max()
        following[: grown + 1] = 0.0
        for b in range(4):
            f, shift = background[b], steps[c, b]
            for s in range(reach + 1):
                following[s + shift] += f * current[s]
        current, following = following, current
        reach = grown
    if current[top] > p:
        return -2
    tail = 0.0
    for r in range(top, -1, -1):
        tail += current[r]
        if tail > p:
            return r
    return -1


@numba.njit(cache=True, nogil=True)
def index_words(codes: np.ndarray, k: int) -> tuple:
    """Sort the positions of all words of length k.

    Parameters
    ----------
    codes
        Bases as 0 to 3; 4 breaks a word.
    k
        Word length.

    Returns
    -------
    pointer (int64, 4^k + 1) and positions (int32): the word with number w (first base most significant) starts at
    ``positions[pointer[w] : pointer[w + 1]]``; and the starts of the stretches shorter than k that end at a break.
    """
    n = len(codes)
    n_words = 4**k
    mask = n_words - 1
    pointer = np.zeros(n_words + 1, dtype=np.int64)
    n_tails = 0
    for fill in range(2):
        if fill == 1:
            total = 0
            for w in range(n_words + 1):
                count = pointer[w]
                pointer[w] = total
                total += count
            positions = np.empty(total, dtype=np.int32)
            tails = np.empty(n_tails, dtype=np.int32)
            n_tails = 0
        word, length = 0, 0
        for i in range(n + 1):
            base = codes[i] if i < n else 4
            if base < 4:
                word = ((word << 2) | base) & mask
                length += 1
                if length >= k:
                    if fill == 1:
                        positions[pointer[word]] = i - k + 1
                    pointer[word] += 1
                continue
            for start in range(i - min(length, k - 1), i):
                if fill == 1:
                    tails[n_tails] = start
                n_tails += 1
            word, length = 0, 0
    for w in range(n_words, 0, -1):
        pointer[w] = pointer[w - 1]
    pointer[0] = 0
    return pointer, positions, tails


@numba.njit(cache=True, nogil=True)
def _score(codes, start, weights, rest, threshold):
    """Return the score of the site at `start`, or −inf as soon as it cannot reach the threshold."""
    total = 0.0
    for c in range(weights.shape[0]):
        base = codes[start + c]
        if base > 3:
            return -np.inf
        total += weights[c, base]
        if total + rest[c] < threshold - _SLACK:
            return -np.inf
    return total if total >= threshold else -np.inf


@numba.njit(cache=True, nogil=True)
def _grow(positions, scores):
    new_positions = np.empty(2 * len(positions), dtype=positions.dtype)
    new_scores = np.empty(2 * len(scores), dtype=scores.dtype)
    new_positions[: len(positions)] = positions
    new_scores[: len(scores)] = scores
    return new_positions, new_scores


@numba.njit(cache=True, nogil=True)
def find_sites(codes: np.ndarray, index: tuple, k: int, weights: np.ndarray, threshold: float, core: int) -> tuple:
    """Find all sites of one matrix on one strand.

    Words of the `core` columns that can still reach the threshold are enumerated depth first, best possible rest
    added; only their positions are looked at.

    Parameters
    ----------
    codes
        Bases as 0 to 3; 4 breaks a site.
    index
        Result of :func:`index_words` for words of length k.
    k
        Word length.
    weights
        Shape (width, 4).
    threshold
        Score that a site must reach.
    core
        First column of the core; it has min(k, width) columns.

    Returns
    -------
    Start positions (int64) and scores (float64), in no particular order.
    """
    pointer, positions, tails = index
    n, width = len(codes), weights.shape[0]
    depth = min(k, width)
    best = np.empty(width)
    for c in range(width):
        best[c] = weights[c].max()
    rest = np.zeros(width)
    for c in range(width - 2, -1, -1):
        rest[c] = rest[c + 1] + best[c + 1]
    missing = np.zeros(depth + 1)
    outside = 0.0
    for c in range(width):
        if c < core or c >= core + depth:
            outside += best[c]
    missing[depth] = outside
    for c in range(depth - 1, -1, -1):
        missing[c] = missing[c + 1] + best[core + c]

    out, scores = np.empty(256, dtype=np.int64), np.empty(256)
    found = 0
    shift = 2 * (k - depth)
    base = np.zeros(depth + 1, dtype=np.int64)
    partial = np.zeros(depth + 1)
    word = np.zeros(depth + 1, dtype=np.int64)
    level = 0
    base[0] = -1
    while level >= 0:
        base[level] += 1
        if base[level] > 3:
            level -= 1
            continue
        total = partial[level] + weights[core + level, base[level]]
        if total + missing[level + 1] < threshold - _SLACK:
            continue
        code = (word[level] << 2) | base[level]
        if level + 1 < depth:
            level += 1
            partial[level] = total
            word[level] = code
            base[level] = -1
            continue
        for t in range(pointer[code << shift], pointer[(code + 1) << shift]):
            start = positions[t] - core
            if start < 0 or start + width > n:
                continue
            score = _score(codes, start, weights, rest, threshold)
            if score > -np.inf:
                if found == len(out):
                    out, scores = _grow(out, scores)
                out[found], scores[found] = start, score
                found += 1
    if width < k:
        for t in range(len(tails)):
            start = np.int64(tails[t])
            if start + width > n:
                continue
            score = _score(codes, start, weights, rest, threshold)
            if score > -np.inf:
                if found == len(out):
                    out, scores = _grow(out, scores)
                out[found], scores[found] = start, score
                found += 1
    return out[:found].copy(), scores[:found].copy()
