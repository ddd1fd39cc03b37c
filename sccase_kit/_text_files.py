"""Text files as people hold them: plain or packed, UTF-8 or what Excel writes; every reader opens its files here."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import lzma
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import pandas as pd

from ._atomic import check_path

_NO_TEXT = {
    b"PK\x03\x04": "a zip archive or an Excel workbook; unpack it, or save the sheet as tab-separated text",
    b"PAR1": "a Parquet file; read it with pandas.read_parquet and pass the DataFrame",
    b"\x89HDF": "an HDF5 file (.h5ad, .h5), not a table of text",
    b"RDX": "a file of R; write it as text with write.table",
    b"RDA": "a file of R; write it as text with write.table",
    b"BCF\x02": "a BCF file; turn it into VCF with bcftools view",
    b"BAM\x01": "a BAM file, not a table of text",
    b"l\x1b\x01": "a .bed of PLINK, which holds genotypes, not regions",
    b"version https://git-lfs": "a pointer of Git LFS, not the file itself; fetch it with git lfs pull",
    b"<!DOCTYPE html": "a web page (HTML), not the file itself; download it again (of MEME, take the .txt)",
    b"<!doctype html": "a web page (HTML), not the file itself; download it again (of MEME, take the .txt)",
    b"<html": "a web page (HTML), not the file itself; download it again (of MEME, take the .txt)",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as tab-separated text",
}
_WITHIN_CELL = frozenset("\t\r\n")
_DAMAGED = (EOFError, UnicodeError, gzip.BadGzipFile, lzma.LZMAError, zlib.error)


def check_file(value: object, *, name: str = "path") -> Path:
    """Return the path of a file that is there.

    Raises
    ------
    TypeError
        If it is not the name of a file.
    FileNotFoundError, IsADirectoryError
        If nothing, or a folder, is there.
    """
    path = check_path(value, name=name)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not path.exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    return path


def _open_zstd(path: Path) -> BinaryIO:
    try:
        from compression import zstd  # Python 3.14 and later
    except ImportError:
        try:
            import zstandard
        except ImportError:
            msg = f"{path} is compressed by zstd, which needs `pip install zstandard` here; or unpack it with zstd -d"
            raise ValueError(msg) from None
        return zstandard.open(path, "rb")
    return zstd.open(path, "rb")


_PACKED: dict[bytes, tuple[str, Callable[[Path], Any]]] = {
    b"\x1f\x8b": ("gzip-compressed ", lambda path: gzip.open(path, "rb")),  # bgzip as well
    b"BZh": ("bzip2-compressed ", lambda path: bz2.open(path, "rb")),
    b"\xfd7zXZ\x00": ("xz-compressed ", lambda path: lzma.open(path, "rb")),
    b"\x28\xb5\x2f\xfd": ("zstd-compressed ", _open_zstd),
}
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}  # Excel's "Unicode text"


def unquoted(cell: str, marks: str = '"') -> str:
    """Return a cell of a table without the quotes around it, and with those inside it once."""
    if len(cell) > 1 and cell[0] == cell[-1] and cell[0] in marks:
        return cell[1:-1].replace(2 * cell[0], cell[0])
    return cell


def bed_text(table: pd.DataFrame) -> str:
    """Return the rows of a table as BED has them: tabs between the cells, no header, no quotes around or inside them.

    Raises
    ------
    ValueError
        If a cell holds a tab or a line end.
    """
    columns = [table[column].astype(str).to_list() for column in table.columns]
    for name, cells in zip(table.columns, columns, strict=True):
        if bad := next((cell for cell in cells if not _WITHIN_CELL.isdisjoint(cell)), None):
            msg = f"{name} holds a tab or a line end, which a BED file cannot: {bad!r:.80}"
            raise ValueError(msg)
    return "".join("\t".join(cells) + "\n" for cells in zip(*columns, strict=True))


def stand_in(path: Path) -> str | None:
    """Return what lies in the place of a file that was not fetched (a page of the web, a pointer), or None."""
    with path.open("rb") as handle:
        start = handle.read(32)
    return next((what for magic, what in _NO_TEXT.items() if len(magic) >= 5 and start.startswith(magic)), None)


@contextmanager
def open_text(path: str | os.PathLike[str], *, errors: str = "strict") -> Iterator[TextIO]:
    """Open a text file for reading: plain, or packed by gzip, bgzip, bzip2, xz or zstd (by its bytes, not by its name).

    The text is UTF-8, or UTF-16 with its mark; `errors` is what :func:`open` knows by this name.

    Raises
    ------
    ValueError
        If the file is a workbook, an archive or another binary file; or what is read inside the `with` block is not
        such text, or the packed data are damaged or end early.
    """
    path = check_file(path)
    with path.open("rb") as handle:
        head = handle.read(6)
    plain = ("", lambda place: place.open("rb"))
    how, opener = next((found for magic, found in _PACKED.items() if head.startswith(magic)), plain)
    try:
        with opener(path) as raw:
            data = raw if hasattr(raw, "peek") else io.BufferedReader(raw)
            start = data.peek(32)[:32]
            for magic, what in _NO_TEXT.items():
                if start.startswith(magic):
                    msg = f"{path} is {what}"
                    raise ValueError(msg)
            encoding = next((e for mark, e in _MARKS.items() if start.startswith(mark)), "utf-8-sig")
            with io.TextIOWrapper(data, encoding=encoding, errors=errors) as text:
                yield text
    except (OSError, *_DAMAGED) as err:
        of_bzip2 = bool(how) and isinstance(err, OSError) and err.errno is None
        if not (isinstance(err, _DAMAGED) or of_bzip2):
            raise
        hint = "; save it as UTF-8" if isinstance(err, UnicodeError) else ""
        msg = f"{path} cannot be read as {how}UTF-8 text: {err}{hint}"
        raise ValueError(msg) from err


@contextmanager
def naming(path: object) -> Iterator[None]:
    """Let every ValueError inside the `with` block name the file, in the class that callers expect."""
    try:
        yield
    except ValueError as err:
        if type(err) is ValueError and str(path) in str(err):
            raise
        msg = f"{path}: {err!s:.500}"
        raise ValueError(msg) from err
