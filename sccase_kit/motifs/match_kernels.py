"""Compiled inner loops of the motif search: score distribution, index of words, and the scan."""

from __future__ import annotations

import numba
import numpy as np

_SLACK = 1e-9
_COARSE = 16
_FIRST_LOSS = 512
_NEAR = 4  # bases per table of partial scores


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

    Notes
    -----
    Scores are counted as losses against the top score, so that only the losses up to the answer need a place: losses
    only grow from column to column. Where the answer lies is found on losses rounded up to multiples of 16 first.
    """
    width = steps.shape[0]
    losses = np.empty_like(steps)
    top = 0
    for c in range(width):
        best = steps[c].max()
        top += best
        for b in range(4):
            losses[c, b] = best - steps[c, b]
    chance = _loss_chances(losses, background, 0)
    if chance[0] > p:
        return -2
    coarse = (losses + (_COARSE - 1)) // _COARSE
    most = np.int64(0)
    for c in range(width):
        most += coarse[c].max()
    reach = min(np.int64(_FIRST_LOSS), most)
    while True:  # on rounded losses: how far to look
        at = _first_above(_loss_chances(coarse, background, reach), p)
        if at >= 0 or reach == most:
            break
        reach = min(2 * reach, most)
    limit = top if at < 0 else min(top, _COARSE * at)
    while True:
        at = _first_above(_loss_chances(losses, background, limit), p)
        if at >= 0:
            return top - at
        if limit == top:
            return -1
        limit = min(top, 2 * limit + 1)


@numba.njit(cache=True, nogil=True)
def _loss_chances(losses, background, limit):
    """Return the chance of every total loss from 0 to `limit`, the columns added one by one."""
    width = losses.shape[0]
    current, following = np.zeros(limit + 1), np.zeros(limit + 1)
    current[0] = 1.0
    reach = 0
    for c in range(width):
        grown = min(limit, reach + losses[c].max())
        following[: grown + 1] = 0.0
        for b in range(4):
            f, shift = background[b], losses[c, b]
            for s in range(min(reach, grown - shift) + 1):
                following[s + shift] += f * current[s]
        current, following = following, current
        reach = grown
    return current


@numba.njit(cache=True, nogil=True)
def _first_above(chance, p):
    """Return the first place at which the sum of all up to it exceeds p, or −1."""
    tail = 0.0
    for at in range(len(chance)):
        tail += chance[at]
        if tail > p:
            return at
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
    ``positions[pointer[w] : pointer[w + 1]]``; the starts of the stretches shorter than k that end at a break (int32);
    and for every position the 8 bases before and after the word, the nearest in the lowest bits (uint16; breaks are 0).
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
    before, after = _neighbours(codes, positions, k)
    return pointer, positions, tails, before, after


@numba.njit(cache=True, nogil=True)
def _neighbours(codes, positions, k):
    n = len(codes)
    to_left, to_right = np.zeros(n + 1, dtype=np.uint16), np.zeros(n + 1, dtype=np.uint16)
    packed = np.uint32(0)
    for i in range(n):
        packed = np.uint32((packed << np.uint32(2)) | np.uint32(codes[i] & 3)) & np.uint32(0xFFFF)
        to_left[i + 1] = packed
    packed = np.uint32(0)
    for i in range(n - 1, -1, -1):
        packed = np.uint32((packed << np.uint32(2)) | np.uint32(codes[i] & 3)) & np.uint32(0xFFFF)
        to_right[i] = packed
    before, after = np.empty(len(positions), dtype=np.uint16), np.empty(len(positions), dtype=np.uint16)
    for t in range(len(positions)):
        before[t] = to_left[positions[t]]
        after[t] = to_right[positions[t] + k]
    return before, after


@numba.njit(cache=True, nogil=True)
def _partial_scores(weights, first, step, count):
    """Return the score of up to 4 columns (first, first + step, …) for every combination of their bases."""
    table = np.zeros(256)
    for code in range(256):
        for i in range(min(count, _NEAR)):
            table[code] += weights[first + step * i, (code >> (2 * i)) & 3]
    return table


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
    added; only their positions are looked at. The 8 bases on either side, read next to the position, add their scores
    from tables; what can then reach the threshold is scored column by column.

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
    pointer, positions, tails, before, after = index
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

    end = core + depth  # outside the core: up to 8 columns on either side from tables, the rest at their best
    n_left, n_right = core, width - end
    left_near = _partial_scores(weights, core - 1, -1, n_left)
    left_far = _partial_scores(weights, core - 1 - _NEAR, -1, n_left - _NEAR)
    right_near = _partial_scores(weights, end, 1, n_right)
    right_far = _partial_scores(weights, end + _NEAR, 1, n_right - _NEAR)
    beyond = 0.0
    for c in range(width):
        if c < core - 2 * _NEAR or c >= end + 2 * _NEAR:
            beyond += best[c]

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
        least = threshold - _SLACK - total - beyond
        for t in range(pointer[code << shift], pointer[(code + 1) << shift]):
            if n_left + n_right > 0:
                low, high = before[t], after[t]
                near = left_near[low & 255] + right_near[high & 255]
                if near + left_far[low >> 8] + right_far[high >> 8] < least:
                    continue
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
