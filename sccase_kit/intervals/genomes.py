"""Genomes: chromosome sizes, gaps and genes, shipped for four assemblies, replaceable by files."""

from __future__ import annotations

import numbers
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .._arguments import checked
from .._atomic import check_path
from .._logging import warn
from .._text_files import naming, open_text
from .chromosomes import chromosome_key
from .columns import NO_POSITION, check_columns, check_names, integers
from .frame import check_regions
from .genepred import is_genepred, read_genepred
from .gtf import GENE_COLUMNS, is_gtf, read_gtf
from .region_files import read_bed
from .shipped import GENOMES, shipped_table
from .size_sources import labels, source_of

_SPECIES = {"hg": "human", "mm": "mouse"}
_CHROMOSOME = re.compile(r"^(?:\d{1,2}|[XYM])$")
_TSS_COLUMNS = ("chrom", "tss", "strand", "gene_id", "symbol")
_BODY = ("start", "end")


def species_of(genome: object) -> str | None:
    """Return "human" or "mouse" for a shipped genome, else None."""
    return _SPECIES.get(genome[:2]) if isinstance(genome, str) and genome in GENOMES else None


def _rows(path: Path):
    """Yield (line number, cells) of a tab- or space-separated text file without comments and blank lines."""
    with open_text(path) as handle:
        for number, line in enumerate(handle, 1):
            if line.strip() and not line.startswith("#"):
                yield number, line.rstrip("\r\n").split("\t") if "\t" in line else line.split()


def _need_file(path: str | os.PathLike[str], name: str) -> Path:
    if not check_path(path, name=name).is_file():
        msg = f"{name}={str(path)!r} is neither a known genome {labels()} nor a file"
        raise FileNotFoundError(msg)
    return Path(path)


@checked()
def chrom_sizes(genome: str | os.PathLike[str] | Mapping[str, int] | pd.DataFrame) -> dict[str, int]:
    """Return chromosome → length in bases, in genome order.

    Parameters
    ----------
    genome
        Name of a shipped genome (hg19, hg38, mm9, mm10: the assembled chromosomes and chrM), path of a two-column
        file (UCSC ``chrom.sizes`` or a FASTA index ``.fai``), a mapping or Series, or a DataFrame chrom, length.

    Returns
    -------
    Dict chromosome → length.

    Raises
    ------
    FileNotFoundError
        If `genome` is neither a known name nor a file.
    ValueError
        If a length is not a positive integer (file and line are given) or a chromosome occurs twice.
    KeyError
        If a DataFrame lacks one of the columns.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> sk.regions.chrom_sizes('hg38')['chr1']
    248956422
    """
    pairs: Iterable[tuple[Any, Any]]
    source = source_of(genome)
    if source is not None:
        pairs = source.load(str(genome))
    elif isinstance(genome, pd.DataFrame):
        if missing := [c for c in ("chrom", "length") if c not in genome.columns]:
            msg = f"chrom_sizes needs the columns chrom, length; {missing} not among {list(genome.columns)}"
            raise KeyError(msg)
        check_columns(genome, ("chrom", "length"), name="chrom_sizes")
        pairs = zip(check_names(genome["chrom"], name="chrom_sizes['chrom']"), genome["length"], strict=True)
    elif isinstance(genome, (Mapping, pd.Series)):
        pairs = zip(genome.keys(), list(genome.values() if isinstance(genome, Mapping) else genome), strict=True)
    else:
        path = _need_file(genome, "genome")
        found = []
        for number, cells in _rows(path):
            if len(cells) < 2 or not cells[1].isdigit():
                msg = f"{path}, line {number}: expected chromosome and length, got {' '.join(cells)[:80]!r}"
                raise ValueError(msg)
            found.append((cells[0], int(cells[1])))
        with naming(path):
            return _sizes(found)
    return _sizes(pairs)


def _sizes(pairs: Iterable[tuple[Any, Any]]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for chrom, length in pairs:
        is_number = isinstance(length, numbers.Real)
        whole = is_number and 0 < float(length) <= NO_POSITION and int(length) == length
        if not whole or isinstance(length, bool) or str(chrom) in sizes:
            msg = f"chromosome sizes: {chrom!r} with length {length!r} is repeated or not a positive integer"
            raise ValueError(msg)
        sizes[str(chrom)] = int(length)
    if not sizes:
        msg = "chromosome sizes are empty"
        raise ValueError(msg)
    return sizes


@checked()
def gaps(genome: str | os.PathLike[str] | pd.DataFrame) -> pd.DataFrame:
    """Return the assembly gaps as regions chrom, start, end.

    Parameters
    ----------
    genome
        Name of a shipped genome, path of a BED file, or a DataFrame chrom, start, end. No gap table is shipped for
        mm9: a warning says so, and the result is empty.

    Returns
    -------
    DataFrame chrom, start, end (int64).

    Raises
    ------
    FileNotFoundError
        If `genome` is neither a known name nor a file.
    KeyError, TypeError, ValueError
        If the table is not one of regions; see :func:`check_regions`.
    """
    if isinstance(genome, pd.DataFrame):
        return check_regions(genome, name="gaps", allow_empty=True)
    if isinstance(genome, str) and genome == "mm9":
        warn(
            "no gap table is shipped for mm9; every base counts as sequence. Pass gaps= with a BED file to change that"
        )
        return pd.DataFrame({"chrom": np.array([], object), "start": np.array([], int), "end": np.array([], int)})
    if isinstance(genome, str) and genome in GENOMES:
        return shipped_table(f"gaps_{genome}.tsv.gz").copy()
    return read_bed(_need_file(genome, "gaps"))


def _parse_tss(path: Path) -> pd.DataFrame:
    """Read a TSS file: ours (with header), GREAT's ``GREATv4.genes`` table, gene bodies as BED6, GTF or GFF3."""
    if is_genepred(path):
        return _starts(_one_place(read_genepred(path), path))
    if is_gtf(path):
        return _starts(_one_place(_protein_coding(read_gtf(path), path), path))
    with open_text(path) as handle:
        first = handle.readline().rstrip("\r\n").split("\t")
    header = [c.lstrip("#").lower() for c in first]
    great = header[:4] == ["gene_ids", "chrom", "pos", "strand"]
    own = set(_TSS_COLUMNS) <= set(header)
    body = not great and (not own or set(_BODY) <= set(header))
    records = []
    for number, cells in _rows(path):
        if own and number == 1:
            continue
        try:
            if own:
                row = dict(zip(header, cells, strict=True))
                record: tuple[Any, ...] = (row["chrom"], int(row["tss"]), row["strand"], row["gene_id"], row["symbol"])
                record += (int(row["start"]), int(row["end"])) if body else ()
            elif great:
                gene_id = cells[4] if cells[0] == "NA" else cells[0]
                record = (cells[1], int(cells[2]) - (cells[3] == "-"), cells[3], gene_id, cells[4])
            else:
                strand = cells[4] if len(cells) == 5 else cells[5]  # some leave out the score
                position = int(cells[1]) if strand == "+" else int(cells[2]) - 1
                record = (cells[0], position, strand, cells[3], cells[3], int(cells[1]), int(cells[2]))
        except (IndexError, ValueError):
            msg = (
                f"{path}, line {number}: expected a TSS table (header chrom, tss, strand, gene_id, symbol), GREAT's "
                "gene table, gene bodies as BED6 (chrom start end name score strand), GTF or GFF3, UCSC's refGene, got "
                f"{' '.join(cells)[:80]!r}"
            )
            raise ValueError(msg) from None
        records.append(record)
    return pd.DataFrame.from_records(records, columns=[*_TSS_COLUMNS, *(_BODY if body else ())])


def _protein_coding(genes: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return the protein-coding genes, as in the shipped tables; all, with a warning, where no type is given."""
    coding = (genes["gene_type"] == "protein_coding").to_numpy(bool)
    if coding.all():
        return genes
    if not coding.any():
        types = sorted(set(genes["gene_type"]) - {""})[:5]
        warn(f"{path}: no gene is called protein_coding ({types or 'no types are given'}); all {len(genes)} are taken")
        return genes
    warn(
        f"{path}: {int((~coding).sum())} of {len(genes)} genes are not protein-coding and left out, as in the shipped "
        "tables; for others pass tss=sccase_kit.regions.read_gtf(path, gene_type=...)"
    )
    return genes[coding]


def _one_place(genes: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return every gene at its first place; files of UCSC and RefSeq give genes of PAR and of patches several times."""
    order = np.argsort(genes["chrom"].str.contains("_").to_numpy(bool), kind="stable")  # chr1 before chr1_alt
    repeated = genes.iloc[order].duplicated(["gene_id", "gene"]).to_numpy(bool)
    if not repeated.any():
        return genes
    first = genes["gene"].iloc[order[repeated][0]]
    warn(f"{path}: {int(repeated.sum())} genes occur at a second place, which is left out (first: {first})")
    return genes.iloc[np.sort(order[~repeated])]


def _starts(genes: pd.DataFrame) -> pd.DataFrame:
    """Return the TSS table of gene bodies as :func:`read_gtf` gives them."""
    forward = (genes["strand"] == "+").to_numpy(bool)
    tss = np.where(forward, genes["start"], genes["end"] - 1)
    table = genes[["chrom", "strand", "gene_id", *_BODY]].assign(tss=tss, symbol=genes.get("gene", genes["gene_id"]))
    return table[[*_TSS_COLUMNS, *_BODY]].reset_index(drop=True)


def _shipped_genes(genome: str) -> pd.DataFrame:
    """Return the shipped table, in which a gene body is given by its length from the start of transcription."""
    table = shipped_table(f"tss_{genome}.tsv.gz").copy()
    forward, length = (table["strand"] == "+").to_numpy(bool), table.pop("length")
    table["start"] = np.where(forward, table["tss"], table["tss"] + 1 - length)
    return table.assign(end=table["start"] + length)


@checked()
def tss_table(genome: str | os.PathLike[str] | pd.DataFrame) -> pd.DataFrame:
    """Return one transcription start site per gene, with the gene body where it is known.

    Parameters
    ----------
    genome
        Name of a shipped genome (protein-coding genes; sources and licences are in ``intervals/data/README.md``); path
        of a table with header chrom, tss, strand, gene_id, symbol, of GREAT's own ``GREATv4.genes.<genome>.tsv.gz``,
        of gene bodies as BED6, of UCSC's refGene, refFlat or genePred (all genes), or of GTF or GFF3 (its
        protein-coding genes, where the file gives types; the others are left out with a warning); or a DataFrame with
        columns chrom, tss, strand, gene_id and, if there are any, symbol, start and end, or with gene bodies alone
        (from :func:`~sccase_kit.regions.read_gtf`). Plain or packed.

    Returns
    -------
    DataFrame chrom, tss (int64, 0-based position of the first transcribed base on either strand), strand (+ or -),
    gene_id (several ids of one gene are joined by commas), symbol; and start, end (int64, 0-based half-open) of the
    gene body, except from tables that have none, such as GREAT's. Every row counts as one gene; GREAT's own table has
    one gene at two loci.

    Raises
    ------
    ValueError
        If more than 1 % of the genes repeat (one row per transcript), a strand is neither + nor -, or a line of a file
        cannot be read (file and line are given).
    KeyError
        If a DataFrame lacks one of the columns.
    """
    if isinstance(genome, pd.DataFrame):
        if "tss" not in genome.columns and {"chrom", "start", "end", "strand", "gene_id"} <= set(genome.columns):
            check_columns(genome, GENE_COLUMNS, name="tss")
            genome = _starts(genome.assign(**{c: integers(genome, c, "tss") for c in ("start", "end")}))
        if missing := [c for c in _TSS_COLUMNS[:4] if c not in genome.columns]:
            msg = f"tss needs the columns {list(_TSS_COLUMNS[:4])}; {missing} not among {list(genome.columns)}"
            raise KeyError(msg)
        check_columns(genome, _TSS_COLUMNS, name="tss")
        table = genome.copy()
        if "symbol" not in table.columns:
            table["symbol"] = table["gene_id"]
        elif table["symbol"].isna().any():
            table["symbol"] = table["symbol"].astype(object).where(table["symbol"].notna(), table["gene_id"])
        body = _BODY if set(_BODY) <= set(table.columns) else ()
        check_columns(table, body, name="tss")
        table = table[[*_TSS_COLUMNS, *body]].reset_index(drop=True)
    elif isinstance(genome, str) and genome in GENOMES:
        table = _shipped_genes(genome)
    else:
        path = _need_file(genome, "tss")
        with naming(path):
            return _check_tss(_parse_tss(path))
    return _check_tss(table)


def _check_tss(table: pd.DataFrame) -> pd.DataFrame:
    if table.empty:
        msg = "tss is empty: there is not a single gene"
        raise ValueError(msg)
    table["tss"] = integers(table, "tss", "tss")
    beyond = table["tss"] < 0
    if beyond.any():
        msg = f"tss: {table['tss'][beyond].iloc[0]} is no position, for gene {table['gene_id'][beyond].iloc[0]!r:.80}"
        raise ValueError(msg)
    if "start" in table.columns:
        table["start"], table["end"] = (integers(table, column, "tss") for column in _BODY)
        empty = (table["start"] < 0) | (table["start"] >= table["end"])
        if empty.any():
            row = table[empty].iloc[0]
            msg = f"tss: the gene body {row['start']}-{row['end']} of {row['gene_id']!r:.80} is not 0 <= start < end"
            raise ValueError(msg)
    for column in ("chrom", "strand", "gene_id", "symbol"):
        table[column] = check_names(table[column], name=f"tss[{column!r}]")
    bad = ~table["strand"].isin(["+", "-"])
    if bad.any():
        msg = (
            f"tss: strand must be '+' or '-', got {table['strand'][bad].iloc[0]!r:.80} for "
            f"{table['gene_id'][bad].iloc[0]:.80}"
        )
        raise ValueError(msg)
    twice = table.duplicated(["gene_id", "symbol"])
    if twice.mean() > 0.01:
        first = table[twice].iloc[0]
        msg = f"tss: {int(twice.sum())} genes occur more than once (first: {first['gene_id']} {first['symbol']})"
        raise ValueError(msg + "; keep one TSS per gene")
    return table


def fitting_genomes(regions: pd.DataFrame) -> list[str]:
    """Return the shipped genomes whose chromosomes could hold all regions (scaffolds, which are not shipped, aside)."""
    ends = regions.groupby(regions["chrom"].map(chromosome_key), sort=False)["end"].max()
    ends = ends[[_CHROMOSOME.match(str(key)) is not None for key in ends.index]]
    fits = []
    for genome in GENOMES if len(ends) else ():
        sizes = {chromosome_key(c): size for c, size in chrom_sizes(genome).items()}
        if all(sizes.get(str(c), -1) >= e for c, e in ends.items()):
            fits.append(genome)
    return fits
