"""Text files and tables written whole or not at all."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd

from .._atomic import replacing


def write_text(path: Path, text: str) -> None:
    """Write a text file; ``.gz`` compresses it, with neither name nor time inside: equal text, equal bytes."""
    data = text.encode()
    if path.suffix == ".gz":
        data = gzip.compress(data, mtime=0)
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_table(path: Path, table: pd.DataFrame, *, header: bool = True) -> None:
    """Write a tab-separated table; see :func:`write_text`."""
    write_text(path, table.to_csv(sep="\t", index=False, header=header, lineterminator="\n"))
