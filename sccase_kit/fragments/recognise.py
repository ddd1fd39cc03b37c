"""Tell a file of fragments from other tables."""

from __future__ import annotations

import os

from .inflate import first_lines

#: Names of a fourth column that is no barcode.
_NO_BARCODES = {"width", "strand", "score", "length", "size"}


def is_fragment_file(path: str | os.PathLike[str]) -> bool:
    """Return whether the first lines are fragments: chrom, start, end, a barcode that is no number, and read pairs.

    A file without the fifth column passes if its barcodes are DNA, so that regions with names do not.
    """
    try:
        rows = [line.split("\t") for line in first_lines(path, 50)]
    except (OSError, ValueError, ImportError):
        return False
    if not rows or any(len(row) not in {4, 5} for row in rows):
        return False
    if not all(row[1].isdecimal() and row[2].isdecimal() and not _is_number(row[3]) for row in rows):
        return False
    if all(len(row) == 5 for row in rows):
        return all(row[4].isdecimal() for row in rows)
    return all(len(row) == 4 and set(row[3].partition("-")[0].rpartition("#")[2]) <= set("ACGTN") for row in rows)


def check_header(path: str | os.PathLike[str]) -> None:
    """Raise ValueError if a header says that the fourth column holds no barcodes, as in tables of R's GRanges."""
    first = next(iter(first_lines(path, 1)), "")
    cells = [cell.strip().strip('"') for cell in first.split("\t" if "\t" in first else None)]
    if len(cells) > 3 and cells[3].lower() in _NO_BARCODES and not cells[1].isdecimal():
        msg = (
            f"{path}: column 4 is {cells[3]!r}, and barcodes are expected there (chrom, start, end, barcode). In R: "
            "fwrite(data.table(seqnames(x), start(x) - 1, end(x), x$RG), file, sep = '\\t', col.names = FALSE)"
        )
        raise ValueError(msg)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
