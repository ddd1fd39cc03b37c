"""Blocks of whole lines from a plain, gzip, bgzip or zstd file, decompressed on other threads."""

from __future__ import annotations

import importlib
import os
import struct
import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

T = TypeVar("T")
#: Bytes that are read at once.
COMPRESSED, PLAIN = 1 << 20, 1 << 22
#: A compressed byte gives at most this many in one go, so that a bomb does not fill the memory.
_AT_ONCE = 1 << 23
_LONGEST_LINE = 1 << 24
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
#: The empty block that ends every bgzip file.
_END_OF_BGZF = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


class DamagedFileError(ValueError):
    """A compressed file that ends early or whose content does not agree with its checksum."""


def fast_zlib() -> Any:
    """Return the quickest module with zlib's functions that is installed: isal, zlib-ng, else Python's own."""
    for name in ("isal.isal_zlib", "zlib_ng.zlib_ng"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return zlib


def kind_of(path: str | os.PathLike[str]) -> str:
    """Return how a file is compressed, by its first bytes: "bgzip", "gzip", "zstd" or "plain"."""
    with Path(path).open("rb") as handle:
        head = handle.read(18)
    if head[:2] == _GZIP:
        return "bgzip" if _size_of_block(head) else "gzip"
    return "zstd" if head[:4] == _ZSTD else "plain"


def _size_of_block(head: bytes) -> int:
    """Return the size in bytes of the bgzip block with this beginning, or 0 if it is none."""
    if len(head) < 18 or head[:2] != _GZIP or not head[3] & 4 or head[12:16] != b"BC\x02\x00":
        return 0
    return int(struct.unpack("<H", head[16:18])[0]) + 1


def text_blocks(path: str | os.PathLike[str], *, pool: Executor, ahead: int = 3) -> Iterator[tuple[bytes, int]]:
    """Yield blocks of whole lines, each with the bytes of the file that were read so far.

    Parameters
    ----------
    path
        The file. What it is shows in its first bytes.
    pool
        Threads that decompress; bgzip blocks are decompressed independently of each other.
    ahead
        Blocks that are decompressed ahead.

    Yields
    ------
    text, position
        The last byte of each text is a line feed; that of the last line is added where it lacks.

    Raises
    ------
    DamagedFileError
        If compressed data end early or are damaged.
    """
    kind = kind_of(path)
    with Path(path).open("rb") as handle, _naming(path, kind):
        if kind == "bgzip":
            parts = ordered(_bgzip_jobs(handle, path, pool), ahead)
        elif kind == "gzip":
            parts = ordered(_one_by_one(_gunzip(handle), pool), 1)
        elif kind == "zstd":
            parts = ordered(_one_by_one(_unzstd(handle), pool), 1)
        else:
            parts = ((part, handle.tell()) for part in iter(lambda: handle.read(PLAIN), b""))
        rest, position = b"", 0
        for part, position in parts:
            end = part.rfind(b"\n") + 1
            if not end:
                rest += part
                if len(rest) > _LONGEST_LINE:
                    msg = f"{path}: there is no line end in {len(rest)} bytes, so this is no file of fragments"
                    raise ValueError(msg)
                continue
            yield (rest + part[:end] if rest else part if end == len(part) else part[:end]), position
            rest = part[end:]
        if rest:
            yield rest + b"\n", position


@contextmanager
def _naming(path: str | os.PathLike[str], kind: str) -> Iterator[None]:
    """Let errors of any decompressor name the file."""
    try:
        yield
    except _errors() as err:
        msg = f"{path}: the {kind} data are damaged or end early ({err}); copy or download the file again"
        raise DamagedFileError(msg) from err


def _errors() -> tuple[type[Exception], ...]:
    found: set[type[Exception]] = {EOFError, DamagedFileError, zlib.error, getattr(fast_zlib(), "error", zlib.error)}
    try:
        found.add(importlib.import_module("zstandard").ZstdError)
    except ImportError:
        pass
    return tuple(found)


def ordered(jobs: Iterator[tuple[Future[T], int]], ahead: int) -> Iterator[tuple[T, int]]:
    """Yield the results of jobs in order, with `ahead` of them under way."""
    under_way: deque[tuple[Future[T], int]] = deque()
    try:
        for job in jobs:
            under_way.append(job)
            if len(under_way) > ahead:
                done, position = under_way.popleft()
                yield done.result(), position
        while under_way:
            done, position = under_way.popleft()
            yield done.result(), position
    finally:
        for waiting, _ in under_way:
            waiting.cancel()


def _bgzip_jobs(handle: BinaryIO, path: str | os.PathLike[str], pool: Executor) -> Iterator[tuple[Future[bytes], int]]:
    """Start a job for every megabyte of whole bgzip blocks."""
    held, position = b"", 0
    for more in iter(lambda: handle.read(COMPRESSED), b""):
        held += more
        at, bounds = 0, []
        while (size := _size_of_block(held[at : at + 18])) and at + size <= len(held):
            bounds.append((at, at + size))
            at += size
        if not size and len(held) - at >= 18:
            msg = f"there is no block at byte {position + at}"
            raise DamagedFileError(msg)
        position += at
        if bounds:
            yield pool.submit(_inflate_blocks, held, bounds), position
        held = held[at:]
    if held:
        msg = f"the last {len(held)} bytes are no whole block"
        raise DamagedFileError(msg)


def _inflate_blocks(held: bytes, bounds: list[tuple[int, int]]) -> bytes:
    decompress = fast_zlib().decompress
    view = memoryview(held)
    return b"".join([decompress(view[a:b], wbits=31, bufsize=1 << 16) for a, b in bounds])


def lacks_end(path: str | os.PathLike[str]) -> bool:
    """Return whether a bgzip file lacks the empty block that ends it, as one does that was cut between two blocks."""
    with Path(path).open("rb") as handle:
        handle.seek(0, os.SEEK_END)
        handle.seek(max(0, handle.tell() - len(_END_OF_BGZF)))
        return handle.read() != _END_OF_BGZF


def _one_by_one(parts: Iterator[tuple[bytes, int]], pool: Executor) -> Iterator[tuple[Future[bytes], int]]:
    """Make every next part in the pool; the one before must be done first, so at most one runs."""
    position = [0]

    def advance() -> bytes:
        try:
            part, position[0] = next(parts)
        except StopIteration:
            return b""
        return part

    while True:
        job = pool.submit(advance)
        yield job, position[0]
        if not job.result():
            return


def _gunzip(handle: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Yield the content of all members of a gzip file."""
    module = fast_zlib()
    stream, begun = module.decompressobj(wbits=31), False
    for raw in iter(lambda: handle.read(COMPRESSED), b""):
        data: bytes = raw
        while data:
            if not begun:
                data = data.lstrip(b"\0")  # padding between and behind members
                if not data:
                    break
            part = stream.decompress(data, _AT_ONCE)
            begun = True
            data = stream.unconsumed_tail
            if stream.eof:
                data, begun = stream.unused_data, False
                stream = module.decompressobj(wbits=31)
            if part:
                yield part, handle.tell()
    while begun and (part := stream.decompress(b"", _AT_ONCE)):
        yield part, handle.tell()
    if begun and not stream.eof:
        msg = "the end is missing"
        raise EOFError(msg)


def _unzstd(handle: BinaryIO) -> Iterator[tuple[bytes, int]]:
    from .._optional import import_optional

    decompressor = import_optional("zstandard", extra="fragments").ZstdDecompressor()
    stream, begun = decompressor.decompressobj(), False  # the module's own reader takes a cut file for a whole one
    for raw in iter(lambda: handle.read(COMPRESSED // 4), b""):
        data: bytes = raw
        while data:
            part = stream.decompress(data)
            begun, data = not stream.eof, stream.unused_data
            if stream.eof:
                stream = decompressor.decompressobj()
            if part:
                yield part, handle.tell()
    if begun:
        msg = "the end is missing"
        raise EOFError(msg)


def first_lines(path: str | os.PathLike[str], n: int) -> list[str]:
    """Return the first `n` lines of a file that are not comments, without their ends."""
    from concurrent.futures import ThreadPoolExecutor

    found: list[str] = []
    with ThreadPoolExecutor(1) as pool:
        for text, _ in text_blocks(path, pool=pool, ahead=1):
            lines = (line for line in text.split(b"\n") if line.strip() and not line.startswith(b"#"))
            found += [line.rstrip(b"\r").decode(errors="replace") for line in islice(lines, n - len(found))]
            if len(found) == n:
                break
    return found
