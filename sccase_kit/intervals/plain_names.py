"""Names of regions in the plain form, ``chr1:100-600`` and the like, all at once.

Eight letters are looked at together, as one integer of 64 bits whose lowest byte is the first of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

_NEWLINE = ord("\n")
_LONGEST_NUMBER, _LONGEST_NAME = 15, 24
_AT_ONCE = 8
_IS_OTHER = np.ones(256, dtype=bool)
_IS_OTHER[list(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")] = False
_BEFORE_START, _BEFORE_END = (np.isin(np.arange(256), list(signs)) for signs in (b":_|-", b"-_:|/"))
#: Words that other readers of names look at: modalities (``atac:chr1-…``), and R's X before numbers.
_SPECIAL = re.compile(r"^(?:atac|peaks?|cre|dhs|x\d{1,2})$", re.IGNORECASE)


def plain_places(names: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return chromosome (object), start and end (int64) of names that all are letters and digits, a sign, two numbers.

    Parameters
    ----------
    names
        Such as ``chr1:100-600``, ``chr1_100_600`` or ``GL000194-100-600``.

    Returns
    -------
    The three arrays, as written; None where a name has another form, to be read one by one by
    :func:`~sccase_kit.intervals.names.split_name`.
    """
    if not len(names):
        return None
    try:
        joined = "\n".join(names).encode("ascii") + b"\n"
    except UnicodeEncodeError:
        return None
    text = np.frombuffer(joined, dtype=np.uint8)
    signs = np.flatnonzero(np.frombuffer(joined.translate(_IS_OTHER.tobytes()), dtype=bool))
    if len(signs) != 3 * len(names):
        return None
    first, second, last = signs.reshape(-1, 3).T
    begin = np.append(0, last[:-1] + 1)
    good = (text[last] == _NEWLINE) & _BEFORE_START[text[first]] & _BEFORE_END[text[second]] & (first > begin)
    if not good.all():
        return None
    letters = _windows(joined)
    start, end = _numbers(letters, first + 1, second), _numbers(letters, second + 1, last)
    chrom = None if start is None or end is None else _words(letters, joined, begin, first)
    return None if start is None or end is None or chrom is None else (chrom, start, end)


def _bytes(letter: int) -> np.uint64:
    """Return eight times the same byte."""
    return np.uint64(int.from_bytes(bytes([letter]) * _AT_ONCE, "little"))


_LOWEST = np.array([(1 << 8 * n) - 1 for n in range(_AT_ONCE + 1)], dtype=np.uint64)
_ZEROS, _HIGH, _SIX = _bytes(ord("0")), _bytes(0xF0), _bytes(6)
#: Pairs of digits, then of these, then of four: factor, distance in bits, and what is kept.
_STEPS = [
    (np.uint64(10**n), np.uint64(8 * n), np.uint64(kept))
    for n, kept in ((1, 0x00FF00FF00FF00FF), (2, 0x0000FFFF0000FFFF), (4, 0xFFFFFFFF))
]


def _windows(joined: bytes) -> np.ndarray:
    """Return, for every place p of a text, the eight letters before it, with zeros before and after the text."""
    padded = bytes(_AT_ONCE) + joined + bytes(_AT_ONCE)
    return np.ndarray(len(joined) + _AT_ONCE + 1, "<u8", padded, strides=(1,))


def _numbers(letters: np.ndarray, begin: np.ndarray, end: np.ndarray) -> np.ndarray | None:
    """Return the numbers written on [begin, end), or None where something else is."""
    length = end - begin
    if length.min() < 1 or length.max() > _LONGEST_NUMBER:
        return None
    value = _digits(letters[end], np.minimum(length, _AT_ONCE))
    long = np.flatnonzero(length > _AT_ONCE)
    more = _digits(letters[end[long] - _AT_ONCE], length[long] - _AT_ONCE)
    if value is None or more is None:
        return None
    value[long] += more * 10**_AT_ONCE
    return value


def _digits(letters: np.ndarray, length: np.ndarray) -> np.ndarray | None:
    """Return the numbers whose digits are the last `length` of eight letters, int64, or None where others are there."""
    before = _LOWEST[_AT_ONCE - length]
    value = (letters & ~before) | (_ZEROS & before)
    if ((value & _HIGH) != _ZEROS).any() or (((value + _SIX) & _HIGH) != _ZEROS).any():
        return None
    value -= _ZEROS
    for factor, distance, kept in _STEPS:
        value = (value * factor + (value >> distance)) & kept
    return value.astype(np.int64)


def _words(letters: np.ndarray, joined: bytes, begin: np.ndarray, end: np.ndarray) -> np.ndarray | None:
    """Return the words on [begin, end) as text, equal ones as one object, or None where one is long or special."""
    length = end - begin
    if length.max() > _LONGEST_NAME:
        return None
    # Runs of one chromosome are the rule: only where the word changes is it looked at.
    changes = np.append(True, length[1:] != length[:-1])
    for start in range(0, int(length.max()), _AT_ONCE):
        here = np.clip(length - start, 0, _AT_ONCE)
        part = letters[np.minimum(begin + start, end) + _AT_ONCE] & _LOWEST[here]
        changes[1:] |= part[1:] != part[:-1]
    words = [joined[a:b].decode() for a, b in zip(begin[changes].tolist(), end[changes].tolist(), strict=True)]
    known = {word: word for word in words}
    if any(_SPECIAL.match(word) for word in known):
        return None
    return np.array([known[word] for word in words], dtype=object)[np.cumsum(changes) - 1]
