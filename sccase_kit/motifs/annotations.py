"""Other annotations of peaks than motifs: k-mers, sets of regions, and weighted variants."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import sparse

from .._arguments import Named, Table, checked
from .._text_files import open_text
from .._validate import check_choice, check_int
from ..intervals.arrays import linearise, overlap_pairs, overlaps_any
from ..intervals.assembly import in_names_of
from ..intervals.frame import as_regions
from ..intervals.region_files import read_bed
from .sequences import EncodedSequences, encode_sequences

_MAX_K = 10
_IUPAC = {
    "A": "A", "C": "C", "G": "G", "T": "T", "R": "AG", "Y": "CT", "K": "GT", "M": "AC", "S": "CG", "W": "AT",
    "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT",
}  # fmt: skip
_COMPLEMENT = str.maketrans("ACGT", "TGCA")


@checked()
def kmer_annotations(
    sequences: Iterable[str] | Mapping[str, str] | EncodedSequences, kmers: int | Iterable[str] = 6
) -> tuple[sparse.csr_matrix, list[str]]:
    """Return which k-mers occur in which sequence, on either strand (chromVAR's ``matchKmers``).

    Parameters
    ----------
    sequences
        DNA strings; name → DNA, rows in its order; or encoded sequences.
    kmers
        Word length, for all words of it; or words of one length, IUPAC codes allowed (``"GATAAR"``).

    Returns
    -------
    CSR of bool, sequences × k-mers, and the names of the columns. With a word length a word and its reverse complement
    share a column named by the alphabetically first one.

    Raises
    ------
    ValueError
        If words are longer than 10 or of unequal length, repeat, or hold other letters than IUPAC codes.
    """
    from .kmer_kernels import canonical_words, words_of_sequences

    if isinstance(sequences, Mapping):
        sequences = sequences.values()
    encoded = sequences if isinstance(sequences, EncodedSequences) else encode_sequences(sequences)
    if isinstance(kmers, (int, np.integer)):
        k = check_int(kmers, name="kmers", minimum=1, maximum=_MAX_K)
        canonical, column = np.unique(canonical_words(k), return_inverse=True)
        names = ["".join("ACGT"[(word >> 2 * (k - 1 - t)) & 3] for t in range(k)) for word in canonical]
        return _occurrences(encoded, k, column.ravel(), len(names), words_of_sequences), names
    names = [str(kmer).upper() for kmer in kmers]
    k = _check_words(names)
    columns = []
    for name in names:
        column = np.full(4**k, -1, dtype=np.int64)
        column[_words(name)] = 0
        columns.append(_occurrences(encoded, k, column, 1, words_of_sequences))
    return sparse.hstack(columns, format="csr"), names


def _check_words(names: list[str]) -> int:
    lengths = {len(name) for name in names}
    if len(lengths) != 1 or not 1 <= max(lengths) <= _MAX_K:
        msg = f"kmers must be words of one length from 1 to {_MAX_K}, got lengths {sorted(lengths)}"
        raise ValueError(msg)
    bad = [name for name in names if not set(name) <= set(_IUPAC)]
    if bad:
        msg = f"kmers must be written in IUPAC codes {''.join(_IUPAC)}, got {bad[:5]}"
        raise ValueError(msg)
    if len(set(names)) < len(names):
        msg = f"kmers must be unique, got {sorted({n for n in names if names.count(n) > 1})[:5]} more than once"
        raise ValueError(msg)
    return lengths.pop()


def _words(name: str) -> list[int]:
    """Return the numbers of all words that a name in IUPAC codes stands for, and of their reverse complements."""
    words = ["".join(letters) for letters in product(*(_IUPAC[letter] for letter in name))]
    words += [word.translate(_COMPLEMENT)[::-1] for word in words]
    return [int("".join(str("ACGT".index(base)) for base in word), 4) for word in words]


def _occurrences(encoded: EncodedSequences, k: int, column: np.ndarray, n_columns: int, scan: Any) -> sparse.csr_matrix:
    indptr, indices = scan(encoded.codes, encoded.starts, k, column.astype(np.int64), n_columns)
    matrix = sparse.csr_matrix((np.ones(len(indices), dtype=bool), indices, indptr), shape=(len(encoded), n_columns))
    matrix.sort_indices()
    return matrix


@checked(peaks=Table(("chrom", "start", "end")), sets=Named("regions"))
def region_annotations(peaks: pd.DataFrame, sets: Mapping[str, Any]) -> tuple[sparse.csr_matrix, list[str]]:
    """Return which peaks overlap which sets of regions (chromVAR's ``getAnnotations``).

    Parameters
    ----------
    peaks
        chrom, start, end of the peaks, 0-based half-open.
    sets
        Name → regions: a table with chrom, start, end, a BED path, or names such as ``chr1:100-200``.

    Returns
    -------
    CSR of bool, peaks × sets, and the names of the columns.

    Raises
    ------
    ValueError
        If there is no set, or chromosomes are named in different styles.
    """
    if not sets:
        msg = "sets is empty; give at least one set of regions"
        raise ValueError(msg)
    columns = []
    for name, regions in sets.items():
        table = _table(regions, peaks, f"sets[{name!r}]")
        mask = overlaps_any(*linearise(peaks, table)) if len(table) else np.zeros(len(peaks), dtype=bool)
        columns.append(sparse.csc_matrix(mask[:, None]))
    return sparse.hstack(columns, format="csr"), [str(name) for name in sets]


@checked(peaks=Table(("chrom", "start", "end")), variants=Named("variants"))
def variant_annotations(
    peaks: pd.DataFrame,
    variants: Mapping[str, Any],
    *,
    weight: str | None = None,
    combine: Literal["sum", "max"] = "sum",
) -> tuple[sparse.csr_matrix, list[str]]:
    """Return the weight of the variants in each peak, trait by trait (g-chromVAR).

    With posterior probabilities as weights, :func:`deviations` of the result are the scores of g-chromVAR.

    Parameters
    ----------
    peaks
        chrom, start, end of the peaks, 0-based half-open.
    variants
        Trait → variants: a table with chrom, start, end (or chrom and 1-based pos) and a column of weights, or the
        path of a BED file whose fifth column holds them.
    weight
        Column of the weights; by default `weight`, `pip`, `pp` or `score`, whichever there is.
    combine
        Sum of the weights in a peak, or the largest.

    Returns
    -------
    CSR of float64, peaks × traits, and the names of the columns. A trait without a variant in any peak has an empty
    column, whose deviations are NaN.

    Raises
    ------
    KeyError
        If a table has no weights.
    ValueError
        If weights are negative or not finite, there is no trait, or chromosomes are named in different styles.

    References
    ----------
    Ulirsch et al., Nature Genetics 2019.
    """
    check_choice(combine, ["sum", "max"], name="combine")
    if not variants:
        msg = "variants is empty; give at least one trait"
        raise ValueError(msg)
    columns = []
    for name, table in variants.items():
        label = f"variants[{name!r}]"
        if isinstance(table, (str, os.PathLike)):
            table = _scored_bed(table)
        table = _table(table, peaks, label)
        values = _weights(table, weight, label)
        total = np.zeros(len(peaks))
        if len(table):
            i, j = overlap_pairs(*linearise(peaks, table))
            (np.add if combine == "sum" else np.maximum).at(total, i, values[j])
        columns.append(sparse.csc_matrix(total[:, None]))
    return sparse.hstack(columns, format="csr"), [str(name) for name in variants]


def _table(regions: Any, peaks: pd.DataFrame, label: str) -> pd.DataFrame:
    if isinstance(regions, pd.DataFrame) and {"chrom", "pos"} <= set(regions.columns) and "start" not in regions:
        position = regions["pos"].to_numpy(np.int64)
        regions = regions.assign(start=position - 1, end=position)
    table = as_regions(regions, name=label)
    if len(table) and len(peaks):
        table = in_names_of(table, peaks["chrom"].unique(), name=label, where="the peaks")
    return table


def _scored_bed(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a BED file with its fifth column as `score`."""
    table, scores = read_bed(path), []
    with open_text(path) as handle:
        for number, line in enumerate(handle, start=1):
            if not line.strip() or line.startswith(("#", "track", "browser")):
                continue
            try:
                scores.append(float(line.split()[4]))
            except (IndexError, ValueError):
                msg = f"{path}, line {number}: expected a number in the fifth column, got {line.rstrip()[:80]!r}"
                raise ValueError(msg) from None
    return table.assign(score=scores)


def _weights(table: pd.DataFrame, weight: str | None, label: str) -> np.ndarray:
    wanted = [weight] if weight is not None else ["weight", "pip", "pp", "score"]
    found = [column for column in wanted if column in table.columns]
    if not found:
        msg = f"{label} has no column {' or '.join(map(repr, wanted))} with weights; columns: {list(table.columns)}"
        raise KeyError(msg)
    values = pd.to_numeric(table[found[0]], errors="coerce").to_numpy(np.float64)
    if not (np.isfinite(values).all() and (values >= 0).all()):
        msg = f"{label}: weights in {found[0]!r} must be finite and >= 0"
        raise ValueError(msg)
    return values
