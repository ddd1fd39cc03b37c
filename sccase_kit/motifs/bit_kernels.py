"""Compiled loops of the deviations of plain sets from integer counts: counts are kept as bits and added as such.

The cells in which a peak has a count are the set bits of a row of words, one row for each binary digit of its counts.
Rows are added by full adders: three rows of one digit become one row of it and one of the next digit, for 64 cells with
a handful of logical operations, eight rows at a time. Digits that few cells have are added one by one.
"""

from __future__ import annotations

import numba
import numpy as np

WORDS = 16
CELLS = 64 * WORDS  # of a part of a block
BLOCK = 4 * CELLS
WINDOW = 8192  # rows that are worked on at a time: a MiB, which stays in the cache
_DIGITS = 16  # of a count
_LEVELS = 18  # of a sum of fewer than 2**16 rows
_SUMS, _WAIT = 4 * WORDS, (4 + _LEVELS) * WORDS  # where rows of sums and rows that wait begin
_CARRY = (4 + 2 * _LEVELS) * WORDS  # two more


@numba.njit(cache=True, nogil=True)
def pack_counts(indptr: np.ndarray, indices: np.ndarray, data: np.ndarray, n: int, least: int) -> tuple:
    """Return counts by peak as rows of bits, and the rest one by one.

    Parameters
    ----------
    indptr, indices, data
        Counts by peak (CSC of at most BLOCK cells × peaks), uint32 data below 2**16.
    n
        Number of cells.
    least
        Digits of a peak that fewer cells have are kept one by one.

    Returns
    -------
    The rows, uint64 of shape (n_parts, n_rows + 1, WORDS), the last of them empty; the digit of every WINDOW of them;
    of every peak where the list of its rows begins and ends, and that of what is kept one by one; the list of rows;
    the cells, and the values, of what is kept one by one.
    """
    n_peaks = len(indptr) - 1
    have = np.zeros((n_peaks, _DIGITS), np.uint16)
    row_of = np.full((n_peaks, _DIGITS), -1, np.int32)
    first_row, first_entry = np.zeros(n_peaks + 1, np.int64), np.zeros(n_peaks + 1, np.int64)
    of_digit = np.zeros(_DIGITS, np.int64)
    for p in range(n_peaks):
        for t in range(indptr[p], indptr[p + 1]):
            for digit in range(_DIGITS):
                have[p, digit] += (data[t] >> digit) & 1
        entries = 0
        first_row[p + 1] = first_row[p]
        for digit in range(_DIGITS):
            if have[p, digit] >= least:
                row_of[p, digit] = of_digit[digit]
                of_digit[digit] += 1
                first_row[p + 1] += 1
            else:
                entries += have[p, digit]
        first_entry[p + 1] = first_entry[p] + entries
    begin = np.zeros(_DIGITS + 1, np.int64)  # windows hold rows of one digit
    for digit in range(_DIGITS):
        begin[digit + 1] = begin[digit] + -(-of_digit[digit] // WINDOW) * WINDOW
    digits = np.zeros(begin[_DIGITS] // WINDOW, np.uint8)
    bits = np.zeros((-(-n // CELLS), begin[_DIGITS] + 1, WORDS), np.uint64)
    rows = np.zeros(first_row[n_peaks], np.int32)
    cells, values = np.zeros(first_entry[n_peaks], np.uint32), np.zeros(first_entry[n_peaks], np.uint32)
    for digit in range(_DIGITS):
        digits[begin[digit] // WINDOW : begin[digit + 1] // WINDOW] = digit
    for p in range(n_peaks):
        at, which = first_entry[p], first_row[p]
        for digit in range(_DIGITS):
            if not have[p, digit]:
                continue
            row = row_of[p, digit]
            if row >= 0:
                row += begin[digit]
                rows[which] = row
                which += 1
            for t in range(indptr[p], indptr[p + 1]):
                if not (data[t] >> digit) & 1:
                    continue
                cell = indices[t]
                if row >= 0:
                    bits[cell // CELLS, row, cell % CELLS >> 6] |= np.uint64(1) << np.uint64(cell & 63)
                else:
                    cells[at], values[at] = cell, np.uint32(1 << digit)
                    at += 1
    places = np.stack((first_row[:-1], first_row[1:], first_entry[:-1], first_entry[1:]), axis=1)
    return bits, digits, places, rows, cells, values


@numba.njit(cache=True, nogil=True)
def _add_eight(bits: np.ndarray, part: int, groups: np.ndarray, g: int, own: np.ndarray, job: int) -> None:
    """Add eight rows to a job's sums of the first three levels (rows 0 to 2); row 3 becomes what is carried."""
    r0, r1, r2, r3 = groups[g, 0], groups[g, 1], groups[g, 2], groups[g, 3]
    r4, r5, r6, r7 = groups[g, 4], groups[g, 5], groups[g, 6], groups[g, 7]
    for w in range(WORDS):
        one, b, c = own[job, w], bits[part, r0, w], bits[part, r1, w]
        x = one ^ b
        two0 = (one & b) | (x & c)
        one = x ^ c
        b, c = bits[part, r2, w], bits[part, r3, w]
        x = one ^ b
        two1 = (one & b) | (x & c)
        one = x ^ c
        b, c = bits[part, r4, w], bits[part, r5, w]
        x = one ^ b
        two2 = (one & b) | (x & c)
        one = x ^ c
        b, c = bits[part, r6, w], bits[part, r7, w]
        x = one ^ b
        two3 = (one & b) | (x & c)
        own[job, w] = x ^ c
        two = own[job, WORDS + w]
        x = two ^ two0
        four0 = (two & two0) | (x & two1)
        two = x ^ two1
        x = two ^ two2
        four1 = (two & two2) | (x & two3)
        own[job, WORDS + w] = x ^ two3
        four = own[job, 2 * WORDS + w]
        x = four ^ four0
        own[job, 2 * WORDS + w] = x ^ four1
        own[job, 3 * WORDS + w] = (four & four0) | (x & four1)


@numba.njit(cache=True, nogil=True)
def _carry(own: np.ndarray, waits: np.ndarray, job: int) -> None:
    """Add row 3 of a job to its sums from the fourth level on: where a row of that level waits, three become two."""
    place, level = 3 * WORDS, 0
    while waits[job, level]:
        waits[job, level] = False
        into, other = _SUMS + level * WORDS, _WAIT + level * WORDS
        level += 1
        out = _CARRY + (level & 1) * WORDS
        for w in range(WORDS):
            a, b, c = own[job, into + w], own[job, other + w], own[job, place + w]
            x = a ^ b
            own[job, into + w] = x ^ c
            own[job, out + w] = (a & b) | (x & c)
        place = out
    waits[job, level] = True
    into = _WAIT + level * WORDS
    for w in range(WORDS):
        own[job, into + w] = own[job, place + w]


@numba.njit(cache=True, nogil=True)
def _add_words(own: np.ndarray, job: int, first: int, shift: int, reads: np.ndarray, row: int) -> None:
    """Add a row of bits, times 2**shift, to a job's reads, from a row of 64 cells on, and empty it."""
    for w in range(WORDS):
        word = own[job, first + w]
        if word:
            own[job, first + w] = 0
            for bit in range(64):
                reads[job, row + w, bit] += np.uint32(((word >> np.uint64(bit)) & np.uint64(1)) << np.uint64(shift))


@numba.njit(cache=True, nogil=True)
def _collect(
    packed: tuple, sets: tuple, background: np.ndarray, first: int, last: int, reads: np.ndarray, groups: np.ndarray
) -> tuple:
    """Write groups of eight rows to add, with their job (set and background) last, in the order of the windows.

    What is kept one by one is added to the reads of its job. Returned are the order of the groups, and where that of
    every window begins.
    """
    bits, digits, places, rows, cells, values = packed
    indptr, indices = sets
    n_windows, empty = len(digits), bits.shape[1] - 1
    open_groups, filled = np.zeros((n_windows, 8), np.int32), np.zeros(n_windows, np.int64)
    window_of, n, job = np.empty(len(groups), np.int32), 0, 0
    few = np.zeros(reads.shape[1] * 64, np.uint32)  # near, while a job is worked on
    for k in range(first, last):
        for b in range(-1, background.shape[0]):
            for e in range(indptr[k], indptr[k + 1]):
                p = indices[e] if b < 0 else background[b, indices[e]]
                for i in range(places[p, 0], places[p, 1]):
                    row = rows[i]
                    window = row // WINDOW
                    at = filled[window]
                    open_groups[window, at] = row
                    filled[window] = at + 1
                    if at == 7:
                        for j in range(8):
                            groups[n, j] = open_groups[window, j]
                        groups[n, 8], window_of[n] = job, window
                        filled[window] = 0
                        n += 1
                for t in range(places[p, 2], places[p, 3]):
                    few[cells[t]] += values[t]
            for window in range(n_windows):
                if filled[window]:
                    groups[n, :8] = empty
                    for i in range(filled[window]):
                        groups[n, i] = open_groups[window, i]
                    groups[n, 8], window_of[n] = job, window
                    filled[window] = 0
                    n += 1
            for w in range(reads.shape[1]):
                for bit in range(64):
                    reads[job, w, bit] += few[64 * w + bit]
            few[:] = 0
            job += 1
    begin = np.zeros(n_windows + 1, np.int64)
    for g in range(n):
        begin[window_of[g] + 1] += 1
    begin = np.cumsum(begin)
    order, at_window = np.empty(n, np.int32), begin.copy()
    for g in range(n):
        order[at_window[window_of[g]]] = g
        at_window[window_of[g]] += 1
    return order, begin


@numba.njit(cache=True, nogil=True)
def _count(packed: tuple, groups: np.ndarray, order: np.ndarray, begin: np.ndarray, reads: np.ndarray) -> None:
    """Add the rows of all groups to the reads of their jobs."""
    bits, digits = packed[0], packed[1]
    n_jobs = len(reads)
    own, waits = np.zeros((n_jobs, _CARRY + 2 * WORDS), np.uint64), np.zeros((n_jobs, _LEVELS), np.bool_)
    for part in range(len(bits)):
        for window in range(len(digits)):
            for i in range(begin[window], begin[window + 1]):
                g = order[i]
                job = groups[g, 8]
                _add_eight(bits, part, groups, g, own, job)
                _carry(own, waits, job)
            digit = digits[window]
            if window + 1 < len(digits) and digits[window + 1] == digit:
                continue
            for job in range(n_jobs):
                for level in range(3):
                    _add_words(own, job, level * WORDS, digit + level, reads, part * WORDS)
                for level in range(_LEVELS):
                    _add_words(own, job, _SUMS + level * WORDS, digit + 3 + level, reads, part * WORDS)
                    if waits[job, level]:
                        _add_words(own, job, _WAIT + level * WORDS, digit + 3 + level, reads, part * WORDS)
                        waits[job, level] = False


@numba.njit(cache=True, nogil=True)
def sum_expectations(
    indptr: np.ndarray, indices: np.ndarray, background: np.ndarray, expectation: np.ndarray, out: np.ndarray
) -> None:
    """Write the expected shares of sets and of their background peaks, (n_sets, 1 + B), to `out`."""
    for k in range(len(indptr) - 1):
        for b in range(-1, background.shape[0]):
            total = 0.0
            for e in range(indptr[k], indptr[k + 1]):
                p = indices[e] if b < 0 else background[b, indices[e]]
                total += expectation[p]
            out[k, b + 1] = total


@numba.njit(cache=True, nogil=True, error_model="numpy")
def deviate_plain_sets(
    packed: tuple,
    depth: np.ndarray,
    sets: tuple,
    background: np.ndarray,
    shares: np.ndarray,
    min_expected: float,
    first: int,
    last: int,
    deviations: np.ndarray,
    z: np.ndarray,
) -> None:
    """Compute what :func:`deviate_sets` does, for counts that are integers and sets whose weights are 1.

    Parameters
    ----------
    packed
        The counts of the block as :func:`pack_counts` returns them.
    depth, sets, background, min_expected, first, last, deviations, z
        As in :func:`deviate_sets`; of the sets indptr and indices.
    shares
        What :func:`sum_expectations` writes.
    """
    bits, digits, places = packed[0], packed[1], packed[2]
    set_indptr = sets[0]
    n, n_backgrounds = len(depth), background.shape[0]
    n_jobs, most = (last - first) * (n_backgrounds + 1), 0
    for p in range(len(places)):
        most = max(most, places[p, 1] - places[p, 0])
    members = set_indptr[last] - set_indptr[first]
    groups = np.empty((members * (n_backgrounds + 1) * most // 8 + n_jobs * len(digits), 9), np.int32)
    reads = np.zeros((n_jobs, len(bits) * WORDS, 64), np.uint32)
    order, begin = _collect(packed, sets, background, first, last, reads, groups)
    _count(packed, groups, order, begin, reads)
    of_job = reads.reshape((n_jobs, reads.shape[1] * 64))
    observed, shift, value = np.empty(n), np.empty(n), np.empty(n)
    total, square = np.empty(n), np.empty(n)
    for k in range(first, last):
        expected = shares[k, 0]
        if not expected > 0:
            deviations[k] = np.nan
            z[k] = np.nan
            continue
        total[:] = 0
        square[:] = 0
        for b in range(-1, n_backgrounds):
            sampled, job = shares[k, b + 1], (k - first) * (n_backgrounds + 1) + b + 1
            into = observed if b < 0 else shift if b == 0 else value
            for i in range(n):  # in loops of few arrays each, which are compiled for vectors
                mean = depth[i] * sampled
                into[i] = (of_job[job, i] - mean) / mean
            if b <= 0:
                continue
            for i in range(n):
                value[i] -= shift[i]
            for i in range(n):
                total[i] += value[i]
            for i in range(n):
                square[i] += value[i] * value[i]
        for i in range(n):
            mean = depth[i] * expected
            if mean < min_expected or not mean > 0:
                deviations[k, i] = np.nan
                z[k, i] = np.nan
                continue
            centre = total[i] / n_backgrounds
            variance = (square[i] - total[i] * centre) / (n_backgrounds - 1)
            deviation = observed[i] - (shift[i] + centre)
            deviations[k, i] = deviation
            z[k, i] = deviation / np.sqrt(max(variance, 0.0))
