"""Compiled counting: fragments against peaks, the sums that describe cells, and pairs into a sparse matrix.

Imported where it runs, so that importing the package compiles nothing. Peaks are sorted by chromosome and start;
`reach` is the largest end so far on the chromosome, so that the first peak that can meet a fragment is found by
bisection, whether peaks overlap, contain each other or not.
"""

from __future__ import annotations

import numba
import numpy as np

#: Counting rules; see :data:`sccase_kit.fragments.COUNTING`.
FRAGMENTS, INSERTIONS, PAIRED = 0, 1, 2
#: Columns of the sums by cell.
N_FRAGMENTS, N_READS, N_SHORT, N_MONO, N_MITO, N_IN_PEAKS, N_TSS, N_FLANK = range(8)
#: Number of those columns.
SUMS = 8
#: Fragments shorter than this hold no nucleosome; up to twice this length, one.
NUCLEOSOME = 147
#: Bases on either side of a transcription start site that the profile shows; of the window in its middle.
TSS_REACH, TSS_MIDDLE, TSS_FLANK = 2000, 50, 100


@numba.njit(cache=True, nogil=True)
def first_reaching(reach, low, high, hint, position):
    """Return the first index in [low, high) whose `reach` lies beyond `position`; quick if it is near `hint`."""
    a, b = low, high
    if low <= hint < high:
        if reach[hint] > position:
            step = 1
            b = hint
            while b - step >= low and reach[b - step] > position:
                b -= step
                step *= 2
            a = max(low, b - step)
        else:
            step = 1
            a = hint + 1
            while a + step < high and reach[a + step - 1] <= position:
                a += step
                step *= 2
            b = min(high, a + step)
    while a < b:
        middle = (a + b) // 2
        if reach[middle] > position:
            b = middle
        else:
            a = middle + 1
    return a


@numba.njit(cache=True, nogil=True)
def keep_inside(n, chrom, start, end, cell, reads, limits, outside):
    """Move the fragments that end by the limit of their chromosome to the front and return their number.

    `outside` (int64, by chromosome) counts those that do not.
    """
    kept = 0
    for f in range(n):
        if end[f] > limits[chrom[f]]:
            outside[chrom[f]] += 1
            continue
        if kept != f:
            chrom[kept], start[kept], end[kept] = chrom[f], start[f], end[f]
            cell[kept], reads[kept] = cell[f], reads[f]
        kept += 1
    return kept


@numba.njit(cache=True, nogil=True)
def pair_up(n, chrom, start, end, cell, names, bounds, peak_start, peak_end, reach, rule, sums):
    """Return the (peak, cell) pairs of fragments as ``peak << 32 | cell``, one for every count, in no order.

    Parameters
    ----------
    n
        Number of fragments.
    chrom, start, end, cell
        int32 arrays.
    names
        Chromosome of the peaks for every number in `chrom`, −1 for those without a peak.
    bounds
        int64, one more than chromosomes: the peaks of each chromosome.
    peak_start, peak_end, reach
        int32 arrays of the sorted peaks.
    rule
        What counts.
    sums
        int32 array, cells × `SUMS`: the fragments that meet a peak are added.
    """
    keys = np.empty(max(1024, n), dtype=np.int64)
    found, hint, before = 0, -1, -1
    for f in range(n):
        where = names[chrom[f]]
        if where < 0:
            continue
        low, high = bounds[where], bounds[where + 1]
        if where != before:
            hint, before = low, where
        s, e, row = start[f], end[f], cell[f]
        p = first_reaching(reach, low, high, hint, s)
        hint = min(p, high - 1)
        met = False
        while p < high and peak_start[p] < e:
            if peak_end[p] > s:
                met = True
                times = 1
                if rule != FRAGMENTS:
                    times = int(peak_start[p] <= s) + int(peak_end[p] >= e)
                    if rule == PAIRED and times == 2:
                        times = 1
                for _ in range(times):
                    if found == len(keys):
                        longer = np.empty(2 * found, dtype=np.int64)
                        longer[:found] = keys
                        keys = longer
                    keys[found] = (np.int64(p) << 32) | row
                    found += 1
            p += 1
        if met:
            sums[row, N_IN_PEAKS] += 1
    return keys[:found]


@numba.njit(cache=True, nogil=True)
def describe(n, chrom, start, end, cell, reads, is_mito, lengths, sums):
    """Add fragments to the sums of their cells and to the histogram `lengths` (the last bin holds the longer ones)."""
    last = len(lengths) - 1
    for f in range(n):
        row, length = cell[f], end[f] - start[f]
        sums[row, N_FRAGMENTS] += 1
        sums[row, N_READS] += reads[f]
        if is_mito[chrom[f]]:
            sums[row, N_MITO] += 1
            continue
        if length < NUCLEOSOME:
            sums[row, N_SHORT] += 1
        elif length < 2 * NUCLEOSOME:
            sums[row, N_MONO] += 1
        lengths[min(length, last)] += 1


@numba.njit(cache=True, nogil=True)
def around_tss(n, chrom, start, end, cell, names, bounds, site, forward, profile, sums):
    """Add the insertions near transcription start sites to `profile` (by distance, downstream on the right) and `sums`.

    `site` (int32) is sorted inside each chromosome; `forward` tells its strand. An insertion near several sites counts
    for each of them.
    """
    hint, before = -1, -1
    for f in range(n):
        where = names[chrom[f]]
        if where < 0:
            continue
        low, high = bounds[where], bounds[where + 1]
        if where != before:
            hint, before = low, where
        row = cell[f]
        for side in range(2):
            position = start[f] if side == 0 else end[f] - 1
            t = first_reaching(site, low, high, hint, position - TSS_REACH - 1)
            if side == 0:
                hint = min(t, high - 1)
            while t < high and site[t] <= position + TSS_REACH:
                distance = position - site[t]
                if not forward[t]:
                    distance = -distance
                profile[distance + TSS_REACH] += 1
                if abs(distance) <= TSS_MIDDLE:
                    sums[row, N_TSS] += 1
                elif abs(distance) > TSS_REACH - TSS_FLANK:
                    sums[row, N_FLANK] += 1
                t += 1


@numba.njit(cache=True, nogil=True)
def pack_pairs(keys):
    """Return sorted keys as peaks, the first entry of each (one more), and the cells and counts (uint8) of the entries.

    More than 255 of one pair take several entries.
    """
    n_peaks, n = 0, 0
    i = 0
    while i < len(keys):
        j = i
        while j < len(keys) and keys[j] == keys[i] and j - i < 255:
            j += 1
        if i == 0 or (keys[i] >> 32) != (keys[i - 1] >> 32):
            n_peaks += 1
        n += 1
        i = j
    peaks, first = np.empty(n_peaks, np.int32), np.empty(n_peaks + 1, np.int32)
    cells, counts = np.empty(n, np.int32), np.empty(n, np.uint8)
    p, k, i = 0, 0, 0
    while i < len(keys):
        j = i
        while j < len(keys) and keys[j] == keys[i] and j - i < 255:
            j += 1
        if i == 0 or (keys[i] >> 32) != (keys[i - 1] >> 32):
            peaks[p], first[p] = np.int32(keys[i] >> 32), k
            p += 1
        cells[k], counts[k] = np.int32(keys[i] & 0xFFFFFFFF), j - i
        k += 1
        i = j
    first[n_peaks] = n
    return peaks, first, cells, counts


@numba.njit(cache=True, nogil=True)
def add_lengths(peaks, first, cells, shift, last, lengths):
    """Add the entries of one block to the lengths of the rows; `last` (int32) is each row's latest peak.

    Returns whether the peaks of a row ever went back.
    """
    back = False
    for p in range(len(peaks)):
        peak = peaks[p]
        for k in range(first[p], first[p + 1]):
            row = cells[k] + shift
            if last[row] != peak:
                back |= last[row] > peak
                lengths[row] += 1
                last[row] = peak
    return back


@numba.njit(cache=True, nogil=True)
def place(peaks, first, cells, counts, shift, last, at, indices, data):
    """Write the entries of one block into the rows of a CSR matrix; `at` is the next free place of each row."""
    for p in range(len(peaks)):
        peak = peaks[p]
        for k in range(first[p], first[p + 1]):
            row = cells[k] + shift
            if last[row] != peak:
                last[row] = peak
                indices[at[row]] = peak
                data[at[row]] = counts[k]
                at[row] += 1
            else:
                data[at[row] - 1] += counts[k]
