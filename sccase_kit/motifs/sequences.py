"""Peak sequences: from a FASTA file, as integer codes, and their GC content."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .._arguments import Table, checked
from .._atomic import check_path
from .._left_out import say_left_out
from .._optional import import_optional
from .._validate import check_list
from ..intervals.chromosomes import Unknown, translate

_CODES = np.full(256, 4, dtype=np.uint8)
for _code, _letters in enumerate(("Aa", "Cc", "Gg", "Tt")):
    for _letter in _letters:
        _CODES[ord(_letter)] = _code
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class EncodedSequences:
    """Sequences joined into one array of codes.

    Attributes
    ----------
    codes
        uint8: A, C, G, T as 0 to 3, anything else 4; every sequence is followed by one 4.
    starts
        Where each sequence starts, int64 of shape (n + 1,); sequence i has ``starts[i + 1] - starts[i] - 1`` bases.
    """

    codes: np.ndarray
    starts: np.ndarray

    def __len__(self) -> int:
        return len(self.starts) - 1


@checked()
def encode_sequences(sequences: Iterable[str]) -> EncodedSequences:
    """Turn DNA strings, upper or lower case, into codes; letters other than A, C, G, T break a sequence.

    Parameters
    ----------
    sequences
        DNA strings.

    Returns
    -------
    The :class:`EncodedSequences`.

    Raises
    ------
    TypeError
        If an entry is not a string.
    ValueError
        If there are characters that are not letters of DNA (IUPAC codes, gaps).

    Examples
    --------
    >>> import sccase_kit as sk
    >>> sk.motifs.encode_sequences(['ACGTN']).codes[:5].tolist()
    [0, 1, 2, 3, 4]
    """
    sequences = check_list(sequences, name="sequences", what="DNA strings")
    try:
        joined = "\n".join([*sequences, ""]).encode("ascii")
    except TypeError:
        bad = next(k for k, s in enumerate(sequences) if not isinstance(s, str))
        msg = f"sequences must be strings, entry {bad} is {type(sequences[bad]).__name__}"
        raise TypeError(msg) from None
    except UnicodeEncodeError as err:
        msg = f"sequences hold a character that is not DNA: {err.object[err.start]!r}"
        raise ValueError(msg) from None
    letters = np.frombuffer(joined, dtype=np.uint8)
    seen = np.flatnonzero(np.bincount(letters, minlength=256))
    odd = [chr(c) for c in seen if chr(c).upper() not in "ACGTUNRYKMSWBDHVX-\n"]
    if odd:
        msg = f"sequences hold characters that are not DNA: {odd[:10]}"
        raise ValueError(msg)
    lengths = np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))
    if (letters == ord("\n")).sum() != len(sequences):
        msg = "sequences must not hold line breaks"
        raise ValueError(msg)
    return EncodedSequences(_CODES[letters], np.concatenate([[0], np.cumsum(lengths + 1)]))


def base_frequencies(encoded: EncodedSequences) -> np.ndarray:
    """Return the frequencies of A, C, G, T over all sequences (forward strand, other letters ignored).

    Raises
    ------
    ValueError
        If there is no A, C, G or T at all.
    """
    counts = np.bincount(encoded.codes, minlength=5)[:4].astype(np.float64)
    if counts.sum() == 0:
        msg = "sequences hold no A, C, G or T (only N?); check the genome and the coordinates"
        raise ValueError(msg)
    return counts / counts.sum()


@checked()
def gc_content(sequences: Iterable[str] | EncodedSequences) -> np.ndarray:
    """Return (C + G) / (A + C + G + T) of every sequence; NaN for sequences without any of them.

    Parameters
    ----------
    sequences
        DNA strings or encoded sequences.

    Returns
    -------
    Array of shape (n_sequences,), float64.
    """
    encoded = sequences if isinstance(sequences, EncodedSequences) else encode_sequences(sequences)
    is_gc = np.concatenate([[0], np.cumsum((encoded.codes == 1) | (encoded.codes == 2))])
    is_base = np.concatenate([[0], np.cumsum(encoded.codes < 4)])
    gc, bases = (np.diff(total[encoded.starts]) for total in (is_gc, is_base))
    return np.where(bases > 0, gc / np.maximum(bases, 1), np.nan)


@checked(regions=Table(()))
def fetch_sequences(
    regions: pd.DataFrame, genome_fasta: str | os.PathLike[str], *, unknown: Unknown = "error"
) -> list[str]:
    """Read the sequences of regions from an indexed FASTA file (pyfaidx; the index is made where it is missing).

    Parameters
    ----------
    regions
        chrom, start, end, 0-based half-open; the index names the regions in messages.
    genome_fasta
        FASTA file, plain or bgzip. Its names of chromosomes may be spelt otherwise than those of the regions.
    unknown
        Regions on sequences that the file does not have: ``"error"`` raises, ``"drop"`` gives an ``N`` for each, with a
        warning.

    Returns
    -------
    List of upper-case strings, one per region.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ImportError
        If pyfaidx is not installed.
    ValueError
        If a chromosome is not in the file or a region ends after its chromosome (wrong genome).
    """
    if not {"chrom", "start", "end"} <= set(regions.columns):
        msg = f"peaks have no coordinates: columns chrom, start, end are needed, found {list(regions.columns)}"
        raise ValueError(msg)
    if not check_path(genome_fasta, name="genome_fasta").is_file():
        msg = f"genome_fasta: no file {os.fspath(genome_fasta)!r}"
        raise FileNotFoundError(msg)
    pyfaidx = import_optional("pyfaidx", extra="genomics")
    chroms = regions["chrom"].astype(str).to_numpy()
    start, end = regions["start"].to_numpy(np.int64), regions["end"].to_numpy(np.int64)
    with pyfaidx.Fasta(os.fspath(genome_fasta), as_raw=True, sequence_always_upper=True) as fasta:
        names = translate(np.unique(chroms), fasta.keys())
        chroms = np.array([names.get(chrom, chrom) for chrom in chroms], dtype=object)
        known = _check_on_genome(fasta, regions, chroms, (start, end), genome_fasta, unknown)
        order = np.lexsort((start, chroms.astype(str)))
        out = ["N"] * len(regions)
        for k in order[known[order]]:
            out[k] = str(fasta[chroms[k]][start[k] : end[k]])
    return out


def _check_on_genome(
    fasta: Any, regions: pd.DataFrame, chroms: np.ndarray, ends: tuple, path: Any, unknown: Unknown
) -> np.ndarray:
    """Return which regions lie on sequences of the file; those off their ends are refused."""
    start, end = ends
    there = set(fasta.keys())
    known = np.array([chrom in there for chrom in chroms], dtype=bool)
    if not known.all():
        lacking = sorted(set(chroms[~known]))
        if unknown == "error" or not known.any():
            shown = sorted(there)[:_SHOWN]
            msg = f"genome_fasta {os.fspath(path)!r} lacks chromosome(s) {lacking[:_SHOWN]}; it has {shown}, …. "
            msg += "Is it the genome the peaks were called on? unknown='drop' leaves such peaks out"
            raise ValueError(msg)
        why = "lie on sequences that genome_fasta does not have"
        say_left_out("peaks", int((~known).sum()), len(known), why=why, examples=lacking, source=os.fspath(path))
    size = {chrom: len(fasta[chrom]) for chrom in set(chroms[known])}
    sizes = np.array([size.get(chrom, -1) for chrom in chroms], dtype=np.int64)
    bad = np.flatnonzero(known & ((start < 0) | (end > sizes) | (start >= end)))
    if bad.size:
        k = bad[0]
        msg = f"{bad.size} peak(s) lie off the chromosomes of genome_fasta, e.g. {regions.index[k]!r} "
        msg += f"({chroms[k]}:{start[k]}-{end[k]}, chromosome length {sizes[k]}). Is it the right genome?"
        raise ValueError(msg)
    return known


def given_sequences(sequences: Mapping[str, str] | Sequence[str], names: Sequence[str]) -> list[str]:
    """Return one sequence per peak from a mapping by peak name, a Series, or a sequence in peak order.

    Raises
    ------
    KeyError
        If a mapping lacks a peak.
    ValueError
        If a sequence has the wrong length.
    """
    if isinstance(sequences, (Mapping, pd.Series)):
        missing = [name for name in names if name not in sequences]
        if missing:
            msg = f"sequences lacks {len(missing)} of {len(names)} peaks, e.g. {missing[:_SHOWN]}"
            raise KeyError(msg)
        return [sequences[name] for name in names]
    sequences = check_list(sequences, name="sequences", what="DNA strings")
    if len(sequences) != len(names):
        msg = f"sequences must have one entry per peak ({len(names)}), got {len(sequences)}"
        raise ValueError(msg)
    return sequences
