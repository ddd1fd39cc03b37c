"""Genes from UCSC's gene tables: genePred, refGene, refFlat, with or without the number of a bin."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import pandas as pd

from .._text_files import check_file, open_text
from .names import whole_number

#: Fields of a line by its kind: chrom, strand, start, end, number of exons, transcript, symbol (−1: none).
_KINDS = {"genePred": (1, 2, 3, 4, 7, 0, 11), "with bin": (2, 3, 4, 5, 8, 1, 12), "refFlat": (2, 3, 4, 5, 8, 1, 0)}


def kind_of(cells: Sequence[str]) -> str | None:
    """Return which of UCSC's gene tables a line is of, or None."""
    for kind, (_, strand, start, end, exons, *_) in _KINDS.items():
        if len(cells) < exons + 3 or cells[strand] not in {"+", "-"}:
            continue
        numbers = [whole_number(cells[at]) for at in (start, end, exons)]
        if None in numbers or cells[exons + 1].rstrip(",").count(",") + 1 != numbers[2]:
            continue
        if kind == "with bin" and whole_number(cells[0]) is None:
            continue  # refFlat has the same places, and a symbol in place of the bin
        return kind
    return None


def is_genepred(path: str | os.PathLike[str]) -> bool:
    """Return whether the first line of a file, comments aside, is one of UCSC's gene tables."""
    with open_text(path) as handle:
        line = next((line for line in handle if line.strip() and not line.startswith("#")), "")
    return kind_of(_cells(line)) is not None


def _cells(line: str) -> list[str]:
    """Return the cells of a line, by tabs or, as some copies are, by blanks."""
    return line.rstrip("\r\n").split("\t") if "\t" in line else line.split()


def read_genepred(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read the genes of a genePred, refGene or refFlat table of UCSC, plain or packed.

    A line is a transcript; a gene reaches from the first to the last base of its transcripts on one chromosome and
    strand. Tables without symbols (the first ten columns of genePred) give a gene per transcript.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    DataFrame chrom, start, end (int64, 0-based half-open, as in the file), strand, gene, gene_id, gene_type (empty), as
    :func:`read_gtf` gives it, in file order.

    Raises
    ------
    ValueError
        If a line cannot be read; file and line are given.
    """
    path = check_file(path)
    rows: list[tuple[str, int, int, str, str]] = []
    with open_text(path) as handle:
        for number, line in enumerate(handle, 1):
            if not line.strip() or line.startswith("#"):
                continue
            cells = _cells(line)
            kind = kind_of(cells)
            if kind is None:
                msg = f"{path}, line {number}: expected a line of UCSC's gene tables, got {line.strip()[:80]!r}"
                raise ValueError(msg)
            chrom, strand, start, end, _, transcript, symbol = _KINDS[kind]
            name = cells[symbol] if symbol < len(cells) and cells[symbol] else cells[transcript]
            rows.append((cells[chrom], int(cells[start]), int(cells[end]), cells[strand], name))
    table = pd.DataFrame(rows, columns=["chrom", "start", "end", "strand", "gene"])
    by = table.groupby(["gene", "chrom", "strand"], sort=False, as_index=False)
    genes = by.agg(start=("start", "min"), end=("end", "max"))
    genes = genes.assign(gene_id=genes["gene"], gene_type="")
    genes[["start", "end"]] = genes[["start", "end"]].astype(np.int64)
    return genes[["chrom", "start", "end", "strand", "gene", "gene_id", "gene_type"]]
