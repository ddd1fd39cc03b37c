"""Names of regions in the plain form, ``chr1:100-600`` and the like, all at once."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

_NEWLINE = ord("\n")
_LONGEST_NUMBER, _LONGEST_NAME = 15, 24
_IS_DIGIT = np.zeros(256, dtype=bool)
_IS_DIGIT[list(b"0123456789")] = True
_IS_WORD = _IS_DIGIT.copy()
_IS_WORD[list(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")] = True
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
    try:
        text = np.frombuffer("\n".join([*names, ""]).encode("ascii"), dtype=np.uint8)
    except UnicodeEncodeError:
        return None
    signs = np.flatnonzero(~_IS_WORD[text])
    if not len(names) or len(signs) != 3 * len(names):
        return None
    first, second, last = signs.reshape(-1, 3).T
    begin = np.append(0, last[:-1] + 1)
    good = (text[last] == _NEWLINE) & _BEFORE_START[text[first]] & _BEFORE_END[text[second]] & (first > begin)
    start, end = _numbers(text, first + 1, second), _numbers(text, second + 1, last)
    if not good.all() or start is None or end is None:
        return None
    chrom = _words(text, begin, first)
    return None if chrom is None else (chrom, start, end)


def _numbers(text: np.ndarray, begin: np.ndarray, end: np.ndarray) -> np.ndarray | None:
    """Return the numbers written on [begin, end), or None where something else is."""
    length = end - begin
    if length.min() < 1 or length.max() > _LONGEST_NUMBER:
        return None
    value = np.zeros(len(begin), dtype=np.int64)
    for i in range(int(length.max())):
        there = length > i
        letter = text[np.where(there, begin + i, begin)]
        if not _IS_DIGIT[letter].all():
            return None
        value = np.where(there, 10 * value + (letter - np.uint8(ord("0"))), value)
    return value


def _words(text: np.ndarray, begin: np.ndarray, end: np.ndarray) -> np.ndarray | None:
    """Return the words on [begin, end) as text, equal ones as one object, or None where one is long or special."""
    length = end - begin
    if length.max() > _LONGEST_NAME:
        return None
    letters = np.zeros((len(begin), _LONGEST_NAME), dtype=np.uint8)
    for i in range(int(length.max())):
        there = length > i
        letters[there, i] = text[begin[there] + i]
    # Runs of one chromosome are the rule: only where the word changes is it looked at.
    changes = np.append(True, (letters[1:] != letters[:-1]).any(axis=1))
    words = [row.tobytes().rstrip(b"\0").decode() for row in letters[changes]]
    known = {word: word for word in words}
    if any(_SPECIAL.match(word) for word in known):
        return None
    return np.array([known[word] for word in words], dtype=object)[np.cumsum(changes) - 1]
