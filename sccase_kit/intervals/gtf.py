"""Genes from GTF and GFF3 files: GENCODE, Ensembl, RefSeq, UCSC."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd

from .._arguments import checked
from .._logging import warn
from .._text_files import check_file, open_text
from .columns import NO_POSITION

GENE_COLUMNS = ("chrom", "start", "end", "strand", "gene", "gene_id", "gene_type")
_GENES = {"gene", "ncRNA_gene", "pseudogene", "protein_coding_gene", "transposable_element_gene"}
_PARTS = {"transcript", "mRNA", "exon"}  # of files that have no lines for genes, such as UCSC's
_NAMES = ("gene_name", "Name", "gene", "gene_symbol", "external_gene_name")
_TYPES = ("gene_type", "gene_biotype", "biotype", "so_term_name")
_QUOTED = re.compile(r'\s*([^\s"=;]+)\s+(?:"([^"]*)"|([^\s;"]+))\s*(?:;|$)')
_STRAND = {"+", "-"}


def is_gtf(path: str | os.PathLike[str]) -> bool:
    """Return whether the first line of a file, comments aside, is one of GTF or GFF3."""
    with open_text(path) as handle:
        for line in handle:
            if line.strip() and not line.startswith("#"):
                cells = line.rstrip("\r\n").split("\t")
                return (
                    len(cells) == 9
                    and cells[3].isdigit()
                    and cells[4].isdigit()
                    and cells[6] in {"+", "-", ".", "?"}
                    and ("=" in cells[8] or " " in cells[8].strip())
                )
    return False


@checked()
def read_gtf(path: str | os.PathLike[str], *, gene_type: str | Iterable[str] | None = None) -> pd.DataFrame:
    r"""Read the genes of a GTF or GFF3 file, plain or packed.

    Lines of genes are read (``gene``; in GFF3 also ``ncRNA_gene`` and ``pseudogene``). Where a file has none, as
    UCSC's GTF files, a gene reaches from the first to the last base of its transcripts on one chromosome and strand.

    Parameters
    ----------
    path
        The file.
    gene_type
        Type or types to keep, such as ``"protein_coding"`` (attribute gene_type of GENCODE, gene_biotype of Ensembl
        and RefSeq, biotype of Ensembl's GFF3); `None` for all.

    Returns
    -------
    DataFrame chrom (str), start, end (int64, 0-based half-open: the file's start minus 1), strand (``+`` or ``-``),
    gene (name; the id where there is none), gene_id (with its version, if the file has one), gene_type (empty where
    the file has none); in file order.

    Raises
    ------
    ValueError
        If a line cannot be read (file and line are given), there is no gene, or none of `gene_type`; the types that
        occur are listed.

    Warns
    -----
    UserWarning
        If genes without a strand are left out; with their number.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> line = 'chr1\tx\tgene\t101\t900\t.\t-\t.\tgene_id "G1"; gene_name "ABC"; gene_type "lncRNA";'
    >>> with open("genes.gtf", "w") as file:
    ...     _ = file.write(line)
    >>> sk.regions.read_gtf("genes.gtf")["start"].tolist()
    [100]
    """
    path = check_file(path)
    genes: list[tuple[str, int, int, str, str, str, str]] = []
    parts: dict[tuple[str, str, str], list] = {}
    for number, cells in _lines(path):
        kind = cells[2]
        if kind not in _GENES and (genes or kind not in _PARTS):
            continue
        if len(cells) != 9:
            msg = f"{path}, line {number}: a line of GTF or GFF3 has 9 cells separated by tabs, got {len(cells)}"
            raise ValueError(msg)
        start, end = _span(path, number, cells)
        found = _attributes(cells[8])
        ident = found.get("gene_id") or found.get("ID", "").removeprefix("gene:").removeprefix("gene-")
        if kind in _GENES:
            if not ident:
                msg = f"{path}, line {number}: a gene without gene_id or ID: {cells[8][:80]!r}"
                raise ValueError(msg)
            genes.append((cells[0], start, end, cells[6], _first(found, _NAMES) or ident, ident, _first(found, _TYPES)))
        elif found.get("gene_id"):
            name = _first(found, ("gene_name", "gene")) or ident
            part = parts.setdefault((cells[0], cells[6], ident), [start, end, name, _first(found, _TYPES)])
            part[:2] = min(part[0], start), max(part[1], end)
    if not genes:
        genes = [
            (chrom, s, e, strand, name, ident, kind) for (chrom, strand, ident), (s, e, name, kind) in parts.items()
        ]
    if not genes:
        msg = f"{path} holds no gene: neither lines of genes nor transcripts with a gene_id"
        raise ValueError(msg)
    table = pd.DataFrame.from_records(genes, columns=list(GENE_COLUMNS)).astype({"start": np.int64, "end": np.int64})
    stranded = table["strand"].isin(_STRAND).to_numpy(bool)
    if not stranded.all():
        first = table["gene"][~stranded].iloc[0]
        warn(f"{path}: {int((~stranded).sum())} of {len(table)} genes have no strand and are left out (first: {first})")
    return of_type(table[stranded].reset_index(drop=True), gene_type, name=str(path))


def of_type(genes: pd.DataFrame, gene_type: str | Iterable[str] | None, *, name: str) -> pd.DataFrame:
    """Return the genes of the given types.

    Raises
    ------
    ValueError
        If there is none; the types that occur are listed with their numbers.
    """
    if gene_type is None:
        return genes
    wanted = [gene_type] if isinstance(gene_type, str) else list(gene_type)
    kept = genes[genes["gene_type"].isin(wanted)].reset_index(drop=True)
    if kept.empty:
        types = Counter(genes["gene_type"].replace("", "none given")).most_common(12)
        msg = f"{name} has no gene with gene_type={gene_type!r}; it has {', '.join(f'{t} ({n})' for t, n in types)}"
        raise ValueError(msg)
    return kept


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield number and cells of the lines with at least three cells, up to the sequences of a GFF3 file."""
    with open_text(path) as handle:
        for number, line in enumerate(handle, 1):
            if line.startswith(("##FASTA", ">")):
                while handle.read(1 << 20):  # to the end: a packed file is checked there
                    pass
                return
            if line.startswith("#") or not line.strip():
                continue
            cells = line.rstrip("\r\n").split("\t")
            if len(cells) < 3:
                shown = line[:80].strip()
                msg = f"{path}, line {number}: not a line of GTF or GFF3 (9 cells separated by tabs): {shown!r}"
                raise ValueError(msg)
            yield number, cells


def _span(path: Path, number: int, cells: list[str]) -> tuple[int, int]:
    try:
        start, end = int(cells[3]), int(cells[4])
    except ValueError:
        start = end = 0
    if not 1 <= start <= end < NO_POSITION:
        msg = f"{path}, line {number}: expected 1 <= start <= end, got {cells[3]!r:.40} and {cells[4]!r:.40}"
        raise ValueError(msg)
    return start - 1, end


def _attributes(text: str) -> dict[str, str]:
    """Return the attributes of GTF (``key "value";``) or GFF3 (``key=value;``); the first of several equal keys."""
    found: dict[str, str] = {}
    quoted = list(_QUOTED.finditer(text))
    if quoted and quoted[0].start() == 0:
        for match in quoted:
            found.setdefault(match[1], match[2] if match[2] is not None else match[3])
        return found
    for item in text.split(";"):
        key, equals, value = item.partition("=")
        if equals:
            found.setdefault(key.strip(), unquote(value.strip().strip('"')))
    return found


def _first(found: dict[str, str], keys: Iterable[str]) -> str:
    return next((found[key] for key in keys if found.get(key)), "")
