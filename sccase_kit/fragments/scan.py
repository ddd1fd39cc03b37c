"""One pass over one file of fragments: on several threads, in blocks, with sums that stay small."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from typing import Any

import numpy as np
import numpy.typing as npt

from ..intervals.chromosomes import chromosome_key
from .barcodes import BarcodeTable
from .inflate import ordered, text_blocks
from .layout import Layout

#: Bins of the histogram of fragment lengths; the last holds all that are longer.
LENGTHS = 1001
_FURTHEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Plan:
    """What is counted.

    Attributes
    ----------
    peaks
        Sorted peaks, or None.
    rule
        Counting rule, a number of :mod:`.count_kernels`.
    sites
        Sorted transcription start sites, or None.
    forward
        bool, by sorted site: on the + strand.
    sizes
        Chromosome → length; fragments elsewhere are left out. None: everything is taken.
    one_based
        Whether 1 is taken from every start.
    """

    peaks: Layout | None = None
    rule: int = 0
    sites: Layout | None = None
    forward: npt.NDArray[np.bool_] | None = None
    sizes: Mapping[str, int] | None = None
    one_based: bool = False


@dataclass(slots=True)
class Tally:
    """What one pass over one file found.

    Attributes
    ----------
    sums
        int32, cells × sums of :mod:`.count_kernels`.
    lengths
        int64: fragments by length, without mitochondrial ones.
    profile
        int64: insertions by distance from the transcription start sites, −2,000 to 2,000.
    lines, unlisted, empty, with_reads, repeated
        Lines of the file; fragments of no listed barcode; with end <= start or start < 0; with a number of read
        pairs; equal to the line before.
    unknown, beyond
        Chromosome → fragments that were left out because it has no length, or they reach beyond its end.
    without_peaks
        Chromosome → fragments on chromosomes without a peak.
    is_sorted
        Whether chromosomes are blocks with ascending starts.
    """

    sums: npt.NDArray[np.int32]
    lengths: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(LENGTHS, np.int64))
    profile: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(4001, np.int64))
    lines: int = 0
    unlisted: int = 0
    empty: int = 0
    with_reads: int = 0
    repeated: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    beyond: Counter[str] = field(default_factory=Counter)
    without_peaks: Counter[str] = field(default_factory=Counter)
    is_sorted: bool = True


@dataclass(slots=True)
class _Part:
    """What one block gave."""

    report: npt.NDArray[np.int64]
    text: str = ""  # the bad line
    pairs: tuple[Any, ...] | None = None
    unknown: dict[str, int] = field(default_factory=dict)
    beyond: dict[str, int] = field(default_factory=dict)
    without_peaks: dict[str, int] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    ends: tuple[str, int, str, int] | None = None  # first and last fragment: chromosome and start


class _State:
    """The arrays of one thread, reused from block to block."""

    def __init__(self, n_cells: int) -> None:
        from .count_kernels import SUMS
        from .parse_kernels import NAME_SLOTS

        self.tally = Tally(np.zeros((n_cells, SUMS), dtype=np.int32))
        self.columns = [np.empty(0, dtype=np.int32) for _ in range(5)]
        self.name_slots = np.empty(NAME_SLOTS, dtype=np.int32)
        self.name_at = np.empty((NAME_SLOTS // 2, 2), dtype=np.int64)

    def room(self, n: int) -> list[npt.NDArray[np.int32]]:
        """Return chrom, start, end, cell and reads with room for `n` fragments."""
        if len(self.columns[0]) < n:
            self.columns = [np.empty(n + n // 4, dtype=np.int32) for _ in range(5)]
        return self.columns


def is_mitochondrial(name: str) -> bool:
    """Return whether a sequence is the mitochondrial chromosome, in any spelling."""
    return chromosome_key(name) == "M" or name in {"Mt", "chrMt", "mitochondrion_genome"}


def scan_fragments(
    path: str | os.PathLike[str],
    table: BarcodeTable,
    plan: Plan,
    *,
    keep: Callable[[tuple[Any, ...]], None],
    n_threads: int = 1,
    advance: Callable[[int], object] | None = None,
) -> Tally:
    """Count the fragments of the barcodes of `table`; every block's pairs go to `keep` in the order of the file.

    Parameters
    ----------
    path
        The file.
    table
        Barcodes, numbered as the cells.
    plan
        What is counted.
    keep
        Called with what :func:`.count_kernels.pack_pairs` returns.
    n_threads
        Threads that decompress and count.
    advance
        Called with the bytes of the file read so far.

    Returns
    -------
    The sums over the file.

    Raises
    ------
    ValueError
        If a line is no fragment (file and line are given), or the file is damaged.
    """
    states: SimpleQueue[_State] = SimpleQueue()
    every = [_State(table.n) for _ in range(n_threads)]
    for state in every:
        states.put(state)
    total = every[0].tally
    last: tuple[str, int] | None = None
    closed: set[str] = set()
    for part, header in _blocks(path, partial(_count_block, states, table, plan), n_threads, advance):
        _check_part(part, path, total.lines + header)
        if part.ends is not None:
            chrom, start, last_chrom, last_start = part.ends
            closed |= {last[0]} if last is not None and last[0] != chrom else set()
            back = last is not None and last[0] == chrom and start < last[1]
            total.is_sorted &= not back and not closed.intersection(part.names)
            closed.update(name for name in part.names if name != last_chrom)
            last = (last_chrom, last_start)
        _add_report(total, part)
        if part.pairs is not None:
            keep(part.pairs)
    for state in every[1:]:
        total.sums += state.tally.sums
        total.lengths += state.tally.lengths
        total.profile += state.tally.profile
    return total


def count_barcodes_of(
    path: str | os.PathLike[str], *, n_threads: int = 1, advance: Callable[[int], object] | None = None
) -> BarcodeTable:
    """Return every barcode of a file with the number of its fragments.

    Parameters
    ----------
    path, n_threads, advance
        See :func:`scan_fragments`.

    Returns
    -------
    Table with counts; barcodes in no order that means anything.

    Raises
    ------
    ValueError
        If a line has fewer than four columns, or the file is damaged.
    """
    tables: SimpleQueue[BarcodeTable] = SimpleQueue()
    every = [BarcodeTable() for _ in range(n_threads)]
    for table in every:
        tables.put(table)
    lines = 0
    for part, header in _blocks(path, partial(_count_names, tables), n_threads, advance):
        _check_part(part, path, lines + header)
        lines += int(part.report[2])
    for table in every[1:]:
        every[0].merge(table)
    return every[0]


def _blocks(
    path: str | os.PathLike[str],
    work: Callable[[bytes], _Part],
    n_threads: int,
    advance: Callable[[int], object] | None,
) -> Iterator[tuple[_Part, int]]:
    """Yield what `work` makes of every block, in order, and the number of header lines that were skipped."""
    pool = ThreadPoolExecutor(n_threads, thread_name_prefix="fragments")
    header = 0

    def jobs() -> Iterator[tuple[Any, int]]:
        nonlocal header
        begun = False
        for text, position in text_blocks(path, pool=pool, ahead=n_threads + 1):
            if not begun:
                begun = True
                bare = _without_header(text)
                header = int(bare is not text)
                text = bare
            if text:
                yield pool.submit(work, text), position

    try:
        for part, position in ordered(jobs(), n_threads + 1):
            if advance is not None:
                advance(position)
            yield part, header
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _without_header(text: bytes) -> bytes:
    """Return the text without its first line if that names columns: no number where the start belongs."""
    at = 0
    while text[at : at + 1] == b"#":
        at = text.find(b"\n", at) + 1
    line = text[at : text.find(b"\n", at) + 1]
    cells = line.split(b"\t")
    if len(cells) >= 4 and cells[1].strip().lower() in {b"start", b"chromstart", b"chrom_start", b"begin"}:
        return text[:at] + text[at + len(line) :]
    return text


def _count_block(states: SimpleQueue[_State], table: BarcodeTable, plan: Plan, raw: bytes) -> _Part:
    """Parse and count one block."""
    from . import count_kernels as count
    from .parse_kernels import KEPT, NAMES, REPORT, STATUS, parse_fragments

    text = np.frombuffer(raw, dtype=np.uint8)
    state = states.get()
    try:
        part = _Part(np.zeros(REPORT, dtype=np.int64))
        columns = state.room(int(np.count_nonzero(text == 10)))
        chrom, start, end, cell, reads = columns
        slots, hashes, offsets, pool = table.arrays
        parse_fragments(
            text, len(text), chrom, start, end, cell, reads, state.name_slots, state.name_at,
            slots, hashes, offsets, pool, part.report,
        )  # fmt: skip
        if part.report[STATUS]:
            part.text = _line_at(raw, part.report)
            return part
        n, n_names = int(part.report[KEPT]), int(part.report[NAMES])
        if plan.one_based:
            start[:n] -= 1
        part.names = [raw[a:b].decode(errors="replace") for a, b in state.name_at[:n_names]]
        n = _leave_out(n, columns, plan, part)
        if n == 0:
            return part
        part.ends = (part.names[chrom[0]], int(start[0]), part.names[chrom[n - 1]], int(start[n - 1]))
        tally = state.tally
        is_mito = np.array([is_mitochondrial(name) for name in part.names])
        count.describe(n, chrom, start, end, cell, reads, is_mito, tally.lengths, tally.sums)
        if plan.sites is not None:
            where, sites = _numbers(part.names, plan.sites), plan.sites
            count.around_tss(
                n, chrom, start, end, cell, where, sites.bounds, sites.start, plan.forward, tally.profile, tally.sums
            )
        if plan.peaks is not None:
            where, peaks = _numbers(part.names, plan.peaks), plan.peaks
            if (where < 0).any():
                per_name = np.bincount(chrom[:n], minlength=n_names)
                part.without_peaks = {part.names[i]: int(per_name[i]) for i in np.flatnonzero(where < 0)}
            keys = count.pair_up(
                n, chrom, start, end, cell, where, peaks.bounds, peaks.start, peaks.end, peaks.reach, plan.rule,
                tally.sums,
            )  # fmt: skip
            keys.sort()
            part.pairs = count.pack_pairs(keys)
        return part
    finally:
        states.put(state)


def _leave_out(n: int, columns: list[npt.NDArray[np.int32]], plan: Plan, part: _Part) -> int:
    """Drop fragments on unknown sequences and beyond the ends of known ones; return how many stay."""
    from .count_kernels import keep_inside

    if plan.sizes is None or n == 0:
        return n
    limits = np.array([min(plan.sizes.get(name, -1), _FURTHEST) for name in part.names], dtype=np.int64)
    outside = np.zeros(len(limits), dtype=np.int64)
    chrom, start, end, cell, reads = columns
    n = keep_inside(n, chrom, start, end, cell, reads, limits, outside)
    for i in np.flatnonzero(outside):
        (part.unknown if limits[i] < 0 else part.beyond)[part.names[i]] = int(outside[i])
    return n


def _numbers(names: list[str], layout: Layout) -> npt.NDArray[np.int64]:
    return np.array([layout.chroms.get(name, -1) for name in names], dtype=np.int64)


def _count_names(tables: SimpleQueue[BarcodeTable], raw: bytes) -> _Part:
    """Count the barcodes of one block."""
    from .parse_kernels import REPORT, STATUS

    table = tables.get()
    try:
        part = _Part(np.zeros(REPORT, dtype=np.int64))
        table.count(np.frombuffer(raw, dtype=np.uint8), part.report)
        if part.report[STATUS]:
            part.text = _line_at(raw, part.report)
        return part
    finally:
        tables.put(table)


def _line_at(raw: bytes, report: npt.NDArray[np.int64]) -> str:
    at = int(report[1])
    return raw[at : raw.find(b"\n", at)].rstrip(b"\r")[:120].decode(errors="replace")


def _check_part(part: _Part, path: str | os.PathLike[str], lines_before: int) -> None:
    """Raise ValueError where a line of the block is no fragment."""
    from .parse_kernels import FEW_COLUMNS, LINES, MANY_NAMES, STATUS

    status = int(part.report[STATUS])
    if not status:
        return
    where = f"{path}, line {lines_before + int(part.report[LINES]) + 1}"
    if status == FEW_COLUMNS:
        n = len(part.text.split("\t"))
        found = f"{n} column{'s' * (n != 1)}"
        way_out = " A file of three columns has no barcodes: it is no single-cell data." if n == 3 else ""
        msg = f"{where}: chrom, start, end and barcode are expected, separated by tabs; got {found}: {part.text!r}."
        raise ValueError(msg + way_out)
    if status == MANY_NAMES:
        msg = f"{where}: too many names of sequences in column 1; is it the chromosome? {part.text!r}"
        raise ValueError(msg)
    msg = f"{where}: start and end must be integers below 2**31, got {part.text!r}"
    raise ValueError(msg)


def _add_report(total: Tally, part: _Part) -> None:
    from .parse_kernels import EMPTY, LINES, REPEATED, UNLISTED, UNSORTED, WITH_READS

    report = part.report
    total.lines += int(report[LINES])
    total.unlisted += int(report[UNLISTED])
    total.empty += int(report[EMPTY])
    total.with_reads += int(report[WITH_READS])
    total.repeated += int(report[REPEATED])
    total.is_sorted &= not report[UNSORTED]
    total.unknown.update(part.unknown)
    total.beyond.update(part.beyond)
    total.without_peaks.update(part.without_peaks)
