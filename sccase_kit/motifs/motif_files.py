"""Motifs from files: the table of formats, and how a file is recognised."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from .._arguments import checked
from .._logging import warn
from .._remedy import with_remedy
from .._text_files import check_file, open_text
from .._validate import check_choice
from .file_parts import Lines
from .headed_files import is_headed, parse_headed, parse_homer, parse_positions
from .jaspar_files import parse_jaspar
from .meme_files import is_meme, parse_meme
from .motif import Motif
from .table_files import is_bare, is_cisbp, is_uniprobe, parse_bare, parse_cisbp, parse_uniprobe
from .transfac_files import is_transfac, parse_transfac
from .universalmotif_files import is_universalmotif, parse_universalmotif
from .xml_files import is_xml, parse_xml

MotifFormat = Literal[
    "meme", "jaspar", "transfac", "homer", "hocomoco", "clusterbuster", "cisbp", "uniprobe", "universalmotif"
]


@dataclass(frozen=True, slots=True)
class _Format:
    """A format: whether the lines of a file are of it, and the motifs in them."""

    recognises: Callable[[Lines], bool]
    parse: Callable[[Path, Lines], Iterator[Motif]]


#: Formats that are told by their content, in the order they are tried.
_BY_CONTENT = {
    "universalmotif": _Format(is_universalmotif, parse_universalmotif),
    "MEME's XML": _Format(is_xml, parse_xml),
    "meme": _Format(is_meme, parse_meme),
    "JASPAR, HOMER, HOCOMOCO or Cluster-Buster": _Format(is_headed, parse_headed),
    "transfac": _Format(is_transfac, parse_transfac),
    "cisbp": _Format(is_cisbp, parse_cisbp),
    "uniprobe": _Format(is_uniprobe, parse_uniprobe),
    "bare numbers": _Format(is_bare, parse_bare),
}
#: Endings of R's files, which ``sccase_kit.r`` reads.
R_ENDINGS = (".rds", ".rda", ".rdata")
#: Formats that can be asked for.
FORMATS: dict[str, Callable[[Path, Lines], Iterator[Motif]]] = {
    "meme": parse_meme,
    "jaspar": parse_jaspar,
    "transfac": parse_transfac,
    "homer": parse_homer,
    "hocomoco": parse_positions,
    "clusterbuster": parse_positions,
    "cisbp": parse_cisbp,
    "uniprobe": parse_uniprobe,
    "universalmotif": parse_universalmotif,
}


@checked()
def read_motifs(path: str | os.PathLike[str], *, format: MotifFormat | None = None) -> list[Motif]:
    """Read motifs from a file, plain or packed.

    Formats are MEME (minimal; the text of MEME, DREME, STREME and XSTREME; the XML of the first three), JASPAR (also
    single matrices without letters), TRANSFAC (also of RSAT and STAMP), HOMER, HOCOMOCO (counts, shares or weights),
    Cluster-Buster, CIS-BP, UniPROBE, ENCODE's motifs.txt, and R's universalmotif. Shares are multiplied by the sites
    that the file gives, else by 20; those of JASPAR files stay as they are.

    Parameters
    ----------
    path
        The file.
    format
        Its format; recognised from the content by default. ``"hocomoco"`` and ``"clusterbuster"``: rows are positions;
        ``"jaspar"``: rows are the bases.

    Returns
    -------
    List of :class:`Motif` in file order, with unique identifiers.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If the format is unknown, a line cannot be read (the message has file and line), or nothing tells whether the
        rows of 4 × 4 matrices are positions or bases.

    Warns
    -----
    UserWarning
        If an identifier occurs again: equal matrices are left out, others get a number.
    """
    path = check_file(path)
    if path.suffix.lower() in R_ENDINGS:
        msg = f"{path} is a file of R; sk.r.read(path) gives its motifs, and tl.match_motifs takes the path itself"
        raise ValueError(msg)
    with open_text(path, errors="replace") as handle:
        lines = list(enumerate(handle.read().splitlines(), start=1))
    if format is None:
        name, parse = _recognise(path, lines)
    else:
        name, parse = check_choice(format, FORMATS, name="format"), FORMATS[format]
    motifs = _unique(path, list(parse(path, lines)))
    if not motifs:
        msg = f"{path}: no motif found in {name} format"
        raise ValueError(msg)
    return motifs


def _recognise(path: Path, lines: Lines) -> tuple[str, Callable[[Path, Lines], Iterator[Motif]]]:
    for name, entry in _BY_CONTENT.items():
        if entry.recognises(lines):
            return name, entry.parse
    first = next((line.strip() for _, line in lines if line.strip()), "")
    hint = "; HTML is not read: take the .txt, .xml or .meme file next to it" if first.startswith("<") else ""
    msg = (
        f"{path}: not recognised as MEME, JASPAR or TRANSFAC, HOMER, HOCOMOCO, Cluster-Buster, CIS-BP or UniPROBE{hint}"
        f"; pass format= with one of {list(FORMATS)}"
    )
    raise with_remedy(ValueError(msg), "format")


def _unique(path: Path, motifs: list[Motif]) -> list[Motif]:
    """Return motifs of different ids: equal ones once, others with a number."""
    seen: dict[str, list[Motif]] = {}
    same, other = [], []
    for motif in motifs:
        known = seen.setdefault(motif.id, [])
        if any(np.array_equal(motif.counts, k.counts) for k in known):
            same.append(motif.id)
            continue
        known.append(motif if not known else Motif(f"{motif.id}-{len(known) + 1}", motif.name, motif.counts))
        if len(known) > 1:
            other.append(motif.id)
    if same:
        warn(f"{path}: {len(same)} matrices occur again under the same id and are left out, such as {same[0]!r}")
    if other:
        warn(f"{path}: {len(other)} ids occur again with another matrix, such as {other[0]!r}; they get a number")
    return [motif for known in seen.values() for motif in known]
