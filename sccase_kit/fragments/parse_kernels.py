"""Compiled parsing of fragment lines; imported where it runs, so that importing the package compiles nothing.

Text is a block of whole lines as uint8. Columns are separated by tabs: chromosome, start, end, barcode and, where there
is one, the number of read pairs. Lines may end in CR LF; empty lines and lines that start with ``#`` are skipped.

A barcode table is four arrays: `slots` (int32, a power of two long, −1 where empty, open addressing), `hashes`
(uint64, one per barcode), `offsets` (int64, one more than barcodes) and `pool` (uint8, all barcodes in a row).
"""

from __future__ import annotations

import numba
import numpy as np

#: What the first element of the report of :func:`parse_fragments` and :func:`count_barcodes` says.
FINE, FEW_COLUMNS, NO_NUMBER, MANY_NAMES = 0, 1, 2, 3
#: Slots of the table of the chromosome names of one block; at most half are used.
NAME_SLOTS = 1 << 16
#: Positions in the report: status, place of the bad line, lines, fragments of listed barcodes, names, of no listed
#: barcode, with end <= start or start < 0, lines with a number in column 5, out of order, equal to the line before.
STATUS, PLACE, LINES, KEPT, NAMES, UNLISTED, EMPTY, WITH_READS, UNSORTED, REPEATED = range(10)
#: Length of the report.
REPORT = 10
_TAB, _LF, _CR, _HASH, _MINUS = 9, 10, 13, 35, 45
_LIMIT = 2**31 - 1


@numba.njit(cache=True, nogil=True)
def hash_bytes(text, first, last):
    """Return a 64-bit hash of ``text[first:last]``."""
    h = np.uint64(14695981039346656037)
    for i in range(first, last):
        h = (h ^ np.uint64(text[i])) * np.uint64(1099511628211)
    h ^= h >> np.uint64(32)
    return h


@numba.njit(cache=True, nogil=True)
def find_bytes(text, first, last, h, slots, hashes, offsets, pool):
    """Return the number of ``text[first:last]`` in a table, or −1 − (its empty slot)."""
    mask = len(slots) - 1
    slot = np.int64(h & np.uint64(mask))
    while True:
        entry = slots[slot]
        if entry < 0:
            return -1 - slot
        if hashes[entry] == h and offsets[entry + 1] - offsets[entry] == last - first:
            same, at = True, offsets[entry]
            for i in range(first, last):
                if pool[at + i - first] != text[i]:
                    same = False
                    break
            if same:
                return np.int64(entry)
        slot = (slot + 1) & mask


@numba.njit(cache=True, nogil=True)
def add_bytes(text, first, last, h, place, n, slots, hashes, offsets, pool):
    """Write ``text[first:last]`` as entry `n` into the slot that :func:`find_bytes` told by `place`."""
    slots[-1 - place] = n
    hashes[n] = h
    at = offsets[n]
    for i in range(first, last):
        pool[at + i - first] = text[i]
    offsets[n + 1] = at + last - first


@numba.njit(cache=True, nogil=True)
def fill_slots(slots, hashes, n):
    """Put the entries 0 … n − 1 into empty `slots`."""
    mask = len(slots) - 1
    for entry in range(n):
        slot = np.int64(hashes[entry] & np.uint64(mask))
        while slots[slot] >= 0:
            slot = (slot + 1) & mask
        slots[slot] = entry


@numba.njit(cache=True, nogil=True)
def _end_of_field(text, i):
    """Return where the field that starts at `i` ends: a tab, a line feed, or a carriage return before one."""
    while text[i] != _TAB and text[i] != _LF:
        i += 1
    return i


@numba.njit(cache=True, nogil=True)
def _end_of_line(text, i):
    while text[i] != _LF:
        i += 1
    return i


@numba.njit(cache=True, nogil=True)
def _integer(text, first, last):
    """Return the integer in ``text[first:last]`` (may be negative), or −2**40 if there is none below 2**31."""
    negative = last > first and text[first] == _MINUS
    i = first + 1 if negative else first
    if i >= last or last - i > 10:
        return -(2**40)
    value = np.int64(0)
    while i < last:
        digit = np.int64(text[i]) - 48
        if digit < 0 or digit > 9:
            return -(2**40)
        value = value * 10 + int(digit)
        i += 1
    if value > _LIMIT:
        return -(2**40)
    return -value if negative else value


@numba.njit(cache=True, nogil=True)
def _trimmed(text, first, last):
    """Return `last` without a carriage return before a line feed."""
    return last - 1 if last > first and text[last - 1] == _CR and text[last] == _LF else last


@numba.njit(cache=True, nogil=True)
def parse_fragments(text, n, chrom, start, end, cell, reads, name_slots, name_at, slots, hashes, offsets, pool, report):
    """Read the fragments of listed barcodes from ``text[:n]``, whose last byte is a line feed.

    Parameters
    ----------
    text, n
        The block.
    chrom, start, end, cell, reads
        int32 arrays, at least as long as there are lines; the fragments go here. `chrom` numbers the names of this
        block in the order they come, `cell` the barcodes of the table.
    name_slots
        int32 array of `NAME_SLOTS` elements; overwritten.
    name_at
        int64 array of shape (NAME_SLOTS // 2, 2): first and last place in the text of each name.
    slots, hashes, offsets, pool
        The barcode table.
    report
        int64 array of `REPORT` elements; see there.
    """
    report[:] = 0
    name_slots[:] = -1
    mask = len(name_slots) - 1
    i, kept, n_names = 0, 0, 0
    current, before_start, before_end, before_cell = -1, -1, -1, -2
    while i < n:
        line = i
        if text[i] == _LF or text[i] == _HASH or (text[i] == _CR and text[i + 1] == _LF):
            i = _end_of_line(text, i) + 1
            report[LINES] += 1
            continue
        a = _end_of_field(text, i)
        b = a if text[a] == _LF else _end_of_field(text, a + 1)
        c = b if text[b] == _LF else _end_of_field(text, b + 1)
        if text[c] == _LF:
            report[STATUS], report[PLACE] = FEW_COLUMNS, line
            return
        d = _end_of_field(text, c + 1)
        barcode_end = _trimmed(text, c + 1, d)
        low, high = _integer(text, a + 1, b), _integer(text, b + 1, c)
        if low == -(2**40) or high == -(2**40):
            report[STATUS], report[PLACE] = NO_NUMBER, line
            return
        pairs = 1
        if text[d] == _TAB:
            e = _end_of_field(text, d + 1)
            pairs = _integer(text, d + 1, _trimmed(text, d + 1, e))
            if pairs < 1:
                pairs = 1
            else:
                report[WITH_READS] += 1
            d = e if text[e] == _LF else _end_of_line(text, e)
        # the name of the chromosome: that of the line before, one of the block, or a new one
        same = current >= 0 and name_at[current, 1] - name_at[current, 0] == a - i
        if same:
            at = name_at[current, 0]
            for k in range(a - i):
                if text[at + k] != text[i + k]:
                    same = False
                    break
        if not same:
            h = hash_bytes(text, i, a)
            slot = np.int64(h & np.uint64(mask))
            while name_slots[slot] >= 0:
                known = name_slots[slot]
                at = name_at[known, 0]
                equal = name_at[known, 1] - at == a - i
                if equal:
                    for k in range(a - i):
                        if text[at + k] != text[i + k]:
                            equal = False
                            break
                if equal:
                    break
                slot = (slot + 1) & mask
            if name_slots[slot] < 0:
                if n_names == len(name_at):
                    report[STATUS], report[PLACE] = MANY_NAMES, line
                    return
                name_slots[slot] = n_names
                name_at[n_names, 0], name_at[n_names, 1] = i, a
                n_names += 1
            else:
                report[UNSORTED] += 1
            current, before_start = name_slots[slot], -1
        i = d + 1
        report[LINES] += 1
        if low < 0 or high <= low:
            report[EMPTY] += 1
            continue
        if low < before_start:
            report[UNSORTED] += 1
        h = hash_bytes(text, c + 1, barcode_end)
        found = find_bytes(text, c + 1, barcode_end, h, slots, hashes, offsets, pool)
        if found < 0:
            report[UNLISTED] += 1
            found = -1
        else:
            if low == before_start and high == before_end and found == before_cell:
                report[REPEATED] += 1
            chrom[kept], start[kept], end[kept] = current, low, high
            cell[kept], reads[kept] = found, pairs
            kept += 1
        before_start, before_end, before_cell = low, high, found
    report[KEPT], report[NAMES] = kept, n_names


@numba.njit(cache=True, nogil=True)
def count_barcodes(text, n, known, slots, hashes, offsets, pool, counts, report):
    """Count the fragments of every barcode in ``text[:n]``; new barcodes go behind the `known` ones.

    The arrays must have room for a new barcode on every line. Returns the number of barcodes in the table. `report`
    has its status, place and number of lines filled in.
    """
    report[:] = 0
    i = 0
    while i < n:
        line = i
        if text[i] == _LF or text[i] == _HASH or (text[i] == _CR and text[i + 1] == _LF):
            i = _end_of_line(text, i) + 1
            report[LINES] += 1
            continue
        a = _end_of_field(text, i)
        b = a if text[a] == _LF else _end_of_field(text, a + 1)
        c = b if text[b] == _LF else _end_of_field(text, b + 1)
        if text[c] == _LF:
            report[STATUS], report[PLACE] = FEW_COLUMNS, line
            return known
        d = _end_of_field(text, c + 1)
        last = _trimmed(text, c + 1, d)
        h = hash_bytes(text, c + 1, last)
        found = find_bytes(text, c + 1, last, h, slots, hashes, offsets, pool)
        if found < 0:
            add_bytes(text, c + 1, last, h, found, known, slots, hashes, offsets, pool)
            counts[known] = 0
            found = known
            known += 1
        counts[found] += 1
        i = (d if text[d] == _LF else _end_of_line(text, d)) + 1
        report[LINES] += 1
    return known


@numba.njit(cache=True, nogil=True)
def merge_counts(n, from_hashes, from_offsets, from_pool, from_counts, known, slots, hashes, offsets, pool, counts):
    """Add the `n` barcodes of one table, with their counts, to another that has room; return how many it then has."""
    for entry in range(n):
        first, last, h = from_offsets[entry], from_offsets[entry + 1], from_hashes[entry]
        found = find_bytes(from_pool, first, last, h, slots, hashes, offsets, pool)
        if found < 0:
            add_bytes(from_pool, first, last, h, found, known, slots, hashes, offsets, pool)
            counts[known] = 0
            found = known
            known += 1
        counts[found] += from_counts[entry]
    return known
