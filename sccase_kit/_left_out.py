"""Saying what is left out: one form for every reader, converter and front."""

from __future__ import annotations

from collections.abc import Iterable

from ._logging import warn

#: Key of `adata.uns` with the sentences of what a reader left out.
LEFT_OUT = "sccase_kit_left_out"
_SHOWN = 3


def left_out_sentence(
    what: str, count: int, total: int, *, why: str, examples: Iterable[object] = (), source: object = ""
) -> str:
    """Return a sentence that says how many of something are left out, why, and which for example."""
    shown = [str(e) for _, e in zip(range(_SHOWN), dict.fromkeys(examples), strict=False)]
    start = f"{source}: " if str(source) else ""
    tail = f", e.g. {shown}" if shown else ""
    return f"{start}{count} of {total} {what} {why}; they are left out{tail}"


def say_left_out(
    what: str, count: int, total: int, *, why: str, examples: Iterable[object] = (), source: object = ""
) -> str:
    """Warn that something is left out, with its number and examples; return the sentence, to be kept.

    Parameters
    ----------
    what
        What it is, in the plural: ``"peaks"``.
    count, total
        How many of how many.
    why
        The reason, as the rest of "3 of 10 peaks …": ``"lie on sequences that the FASTA file lacks"``.
    examples
        Some of them.
    source
        File or argument they come from.
    """
    sentence = left_out_sentence(what, count, total, why=why, examples=examples, source=source)
    warn(sentence)
    return sentence
