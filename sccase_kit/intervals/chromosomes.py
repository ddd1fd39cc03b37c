"""Names of chromosomes: one table of synonyms, and names of one table written as another has them.

The same chromosome is ``chr1`` at UCSC, ``1`` at Ensembl, ``NC_000001.11`` in RefSeq and ``CM000663.2`` in GenBank;
PLINK writes X, Y, the pseudo-autosomal region of X and the mitochondrion as 23 to 26. Scaffolds are ``KI270713.1`` or
``chr1_KI270713v1_random``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

#: What to do with regions on sequences that the other side does not know: leave out with a warning, or raise.
Unknown = Literal["drop", "error"]

#: Codes of PLINK 1.9 for human chromosomes.
PLINK = {"23": "X", "24": "Y", "25": "X", "XY": "X", "26": "M"}
_LARGEST_PLINK = 26
_MITOCHONDRION = {*"M MT MTDNA MITO MITOCHONDRION NC_012920 J01415 NC_001807 NC_005089 AY172335".split()}
_ASSEMBLY = re.compile(r"^(?:hg\d{2}|GRCh\d{2}|mm\d{1,2}|GRCm\d{2})(?:[_:.]+|#\d+#|-)(?=\S)", re.IGNORECASE)
_ACCESSION = re.compile(r"^(?:lcl\||ref\||gb\|)?(?P<base>[A-Z]{1,4}_?\d{5,9})(?:\.\d+)?\|?$", re.ASCII)
_SCAFFOLD = re.compile(
    r"^chr(?:Un|\d{1,2}|[XYMWZ])_(?P<base>(?:[A-Za-z]{2,4}_?|)\d{5,9})(?:v\d+)?(?:_(?:random|alt|fix|hap\d+))?$"
)
_PREFIX = re.compile(r"^chr(?:omosome)?[_.]?(?=[0-9A-Za-z])", re.IGNORECASE)
_PLAIN = re.compile(r"^(?:\d{1,2}|[XYWZM])$", re.ASCII)
_PLAIN_INTEGER = re.compile(r"^\d{1,9}$", re.ASCII)


def _versions(text: str) -> tuple[int, ...]:
    return tuple(int(v) for v in text.split())


#: Versions of the RefSeq accessions of every assembly: human 1 to 22, X, Y (NC_000001 …), mouse 1 to 19, X, Y
#: (NC_000067 …). They do not go in step: chromosome 2 of mm10 is NC_000068.7, all other autosomes of it end in .6.
_REFSEQ = {
    "hg19": (1, _versions("10 11 11 11 9 11 13 10 11 10 9 11 10 8 9 9 10 9 9 10 8 10 10 9")),
    "hg38": (1, _versions("11 12 12 12 10 12 14 11 12 11 10 12 11 9 10 10 11 10 10 11 9 11 11 10")),
    "mm9": (67, _versions("5 6" + " 5" * 17 + " 6 6")),
    "mm10": (67, _versions("6 7" + " 6" * 17 + " 7 7")),
    "mm39": (67, _versions("7 8" + " 7" * 17 + " 8 8")),
}
#: First GenBank accession (of chromosome 1; the others follow, X and Y last) and version of every assembly.
_GENBANK = {"hg19": (663, 1), "hg38": (663, 2), "mm9": (994, 1), "mm10": (994, 2), "mm39": (994, 3)}


def _chromosomes(genome: str) -> list[str]:
    return [*(str(i) for i in range(1, 23 if genome.startswith("hg") else 20)), "X", "Y"]


def _accession_table() -> dict[str, tuple[str, str]]:
    table = {}
    for genome, (first, versions) in _REFSEQ.items():
        for i, (chrom, version) in enumerate(zip(_chromosomes(genome), versions, strict=True)):
            table[f"NC_{first + i:06d}.{version}"] = (genome, chrom)
    for genome, (first, version) in _GENBANK.items():
        for i, chrom in enumerate(_chromosomes(genome)):
            table[f"CM{first + i:06d}.{version}"] = (genome, chrom)
    return table


#: Accession with version → (assembly, chromosome) of hg19, hg38, mm9, mm10 and mm39.
ACCESSIONS: dict[str, tuple[str, str]] = _accession_table()
_BY_BASE = {accession.partition(".")[0]: chrom for accession, (_, chrom) in ACCESSIONS.items()}


def chromosome_key(name: str) -> str:
    """Return one spelling for all names of a sequence: ``1``, ``X``, ``M``; scaffolds by accession without version.

    Examples
    --------
    >>> from sccase_kit.intervals.chromosomes import chromosome_key
    >>> [chromosome_key(n) for n in ("chr1", "NC_000001.11", "CM000663.2", "chrMT", "chr1_KI270713v1_random")]
    ['1', '1', '1', 'M', 'KI270713']
    """
    text = _ASSEMBLY.sub("", str(name).strip())  # pandas 3 leaves NaN among texts
    if scaffold := _SCAFFOLD.match(text):
        return scaffold["base"].upper()
    bare = _PREFIX.sub("", text)
    upper = bare.upper()
    if accession := _ACCESSION.match(upper):
        upper = accession["base"]
    if upper in _MITOCHONDRION:
        return "M"
    if upper in _BY_BASE:
        return _BY_BASE[upper]
    if _PLAIN_INTEGER.match(upper):
        return upper.lstrip("0") or upper
    return upper if _PLAIN.match(upper) or accession else bare


def is_chromosome(name: str) -> bool:
    """Return whether a text looks like the name of a chromosome or scaffold (and not like a cell or a gene)."""
    text = _ASSEMBLY.sub("", str(name).strip())  # pandas 3 leaves NaN among texts
    if _PREFIX.match(text) or _SCAFFOLD.match(text):
        return True
    key = chromosome_key(text)
    return bool(_PLAIN.match(key) or _ACCESSION.match(text.upper()))


def is_numbered(key: str) -> bool:
    """Return whether a key of :func:`chromosome_key` is that of an assembled chromosome: a number, X, Y, W, Z or M."""
    return bool(_PLAIN.match(key))


def translate(names: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Return name → the name that `known` has for the same sequence, for the names that need another spelling.

    Parameters
    ----------
    names
        Names to be understood.
    known
        Names as the other side writes them (chromosome sizes, a FASTA file, a chain, peaks).

    Returns
    -------
    Dict of the names that change; a name that `known` holds, or does not know in any spelling, is not in it. PLINK's
    23 to 26 are X, Y, X and M where neither side has more than 26 numbered chromosomes and `known` has no such number.

    Examples
    --------
    >>> from sccase_kit.intervals.chromosomes import translate
    >>> translate(["1", "23", "MT", "GL000194.1"], ["chr1", "chrX", "chrM"])
    {'1': 'chr1', '23': 'chrX', 'MT': 'chrM'}
    """
    there = list(dict.fromkeys(known))
    exact = set(there)
    by_key: dict[str, str] = {}
    for name in there:
        by_key.setdefault(chromosome_key(name), name)
    wanted = [name for name in dict.fromkeys(names) if name not in exact]
    keys = {name: chromosome_key(name) for name in wanted}
    numbers = [int(key) for key in [*keys.values(), *by_key] if _PLAIN_INTEGER.match(key)]
    plink = max(numbers, default=0) <= _LARGEST_PLINK
    if plink:
        by_key |= {c: by_key[n] for n, c in PLINK.items() if n in by_key and c not in by_key}
    found = {}
    for name, key in keys.items():
        other = by_key.get(key)
        if other is None and plink:
            other = by_key.get(PLINK.get(key, key))
        if other is not None:
            found[name] = other
    return found


def assemblies_of(names: Iterable[str]) -> set[str]:
    """Return the assemblies that accessions with a version belong to (empty for other names)."""
    return {ACCESSIONS[name][0] for name in names if name in ACCESSIONS}


def species_prefixes(names: Iterable[str]) -> set[str]:
    """Return the assemblies written in front of names such as ``GRCh38_chr1`` and ``mm10_chr1``."""
    return {found[0].rstrip("_:.-#").partition("#")[0] for name in names if (found := _ASSEMBLY.match(name))}
