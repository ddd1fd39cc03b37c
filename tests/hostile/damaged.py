"""Small whole files of every text format, what reads them, and ways to damage them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from others import ANNDATA

import sccase_kit as sk
from sccase_kit._tables import read_table
from sccase_kit.datasets._manifest import read_manifest
from sccase_kit.gene_sets import go as _go
from sccase_kit.intervals import chains as _liftover
from sccase_kit.intervals import genomes as _genomes
from sccase_kit.intervals import snps as _snps
from sccase_kit.intervals.region_files import read_bed
from sccase_kit.ldsc import panel as _ldsc_panel
from sccase_kit.ldsc import tables as _ldsc_tables
from sccase_kit.motifs import read_motifs, read_sites
from sccase_kit.regions import munge_sumstats, read_gmt, read_gtf
from sccase_kit.snpsea import tables as _snpsea_files

GAF = "\t".join(["UniProtKB", "P1", "G1", "", "GO:1", "R", "IDA", "", "P", "Gene", "ENSG1|g", "protein", "t", "d", "U"])
BIM = ["1\trs1\t0\t100\tA\tC", "1\trs2\t0.1\t200\tG\tT", "2\trs3\t0\t50\tA\tG"]
TEXTS = {
    "BED": ("r.bed", ["# peaks", "chr1\t10\t20\ta", "chr1\t30\t45\tb", "chr2\t0\t7\tc"]),
    "sites": ("r.bed", ["chr1\t10\t20\tGATA1", "chr1\t30\t45\tSPI1", "chr2\t0\t7\tGATA1"]),
    "GMT": ("r.gmt", ["T1\tfirst\tG1\tG2", "T2\t\tG2\tG3", "T3\tlast\tG1"]),
    "GCT": ("r.gct", ["#1.2", "2\t2", "Name\tDescription\tliver\tbrain", "G1\tg1\t1.5\t0", "G2\tg2\t-2\t4e1"]),
    "named intervals": ("r.bed4", ["chr1\t10\t20\tG1", "chr1\t30\t45\tG2", "chr2\t0\t7\tG3"]),
    "ids": ("r.snps", ["# mine", "CHR\tSNP", "1\trs1", "1\trs2", "2\trs3"]),
    "SNP table": ("r.txt", ["SNP CHR BP", "rs1 1 100", "rs2 1 200", "rs3 22 50"]),
    "SNPs of a bim": ("r.bim", BIM),
    "bim": ("r.bim", BIM),
    "chain": (
        "r.chain",
        ["chain 9 chr1 90 + 5 30 chr1 95 - 0 27 1", "10 3 5", "12", "", "chain 9 chr2 90 + 0 7 chr2 9 + 1 8 2", "7"],
    ),
    "OBO": (
        "r.obo",
        [
            *["format-version: 1.2", "", "[Term]", "id: GO:1", "name: a", "namespace: biological_process", ""],
            *["[Term]", "id: GO:2", "name: b", "namespace: biological_process", "is_a: GO:1 ! a", "alt_id: GO:9"],
            "relationship: part_of GO:1 ! a",
        ],
    ),
    "GAF": ("r.gaf", ["!gaf-version: 2.2", GAF, GAF.replace("P1", "P2")]),
    "summary statistics": ("r.sumstats", ["SNP\tA1\tA2\tN\tZ", "rs1\tA\tC\t100\t1.5", "rs2\tG\tT\t100\t-0.5"]),
    "annotation": ("r.annot", ["CHR\tBP\tSNP\tCM\ta\tb", "1\t100\trs1\t0\t1\t0", "1\t200\trs2\t0\t0\t1"]),
    "LD scores": ("r.1.l2.ldscore", ["CHR\tSNP\tBP\taL2", "1\trs1\t100\t1.5", "1\trs2\t200\t3.25"]),
    "chromosome sizes": ("r.sizes", ["chr1\t1000", "chr2\t500"]),
    "TSS": ("r.tss", ["chrom\ttss\tstrand\tgene_id\tsymbol", "chr1\t10\t+\tE1\tG1", "chr1\t90\t-\tE2\tG2"]),
    "GTF": (
        "r.gtf",
        [
            "#!build x",
            *[f'chr1\ta\tgene\t{s}\t99\t.\t{c}\t.\tgene_id "g{s}"; gene_type "x";' for s, c in ((5, "+"), (90, "-"))],
        ],
    ),
    "GFF3": ("r.gff3", ["##gff-version 3", "chr1\ta\tgene\t5\t9\t.\t+\t.\tID=gene:g1;Name=A;biotype=x%3By", "##FASTA"]),
    "table": ("r.txt", ["#a\tb\tc", "x\t1\t2.5", "y\t\tNA", "z\t3\t1e5"]),
    "MEME": (
        "r.meme",
        [
            *["MEME version 4", "", "ALPHABET= ACGT", "", "MOTIF M1 one"],
            *["letter-probability matrix: alength= 4 w= 2 nsites= 9", "0.1 0.2 0.3 0.4", "0.25 0.25 0.25 0.25", ""],
            *["MOTIF M2", "letter-probability matrix: w= 1", "1 0 0 0"],
        ],
    ),
    "JASPAR": (
        "r.jaspar",
        [
            *[">MA1.1\tone", "A [ 1 2 ]", "C [ 0 3 ]", "G [ 4 0 ]", "T [ 5 5 ]"],
            *[">MA2", "A [ 1 ]", "C [ 1 ]", "G [ 1 ]", "T [ 9 ]"],
        ],
    ),
    "TRANSFAC": (
        "r.transfac",
        [
            *["AC M1", "NA one", "P0 A C G T", "01 1 2 3 4 N", "02 0 0 9 1 G", "//"],
            *["ID M2", "P0 T G C A", "01 1 0 0 0", "//"],
        ],
    ),
    "HOMER": ("r.motif", [">AC\tA/Homer\t5.5\t-3\t0", "0.9\t0.1\t0\t0", "0\t1\t0\t0", ">G\tB\t1", "0\t0\t1\t0"]),
    "HOCOMOCO": ("r.pcm", [">A.H11MO.0.B", "9\t1\t0\t0", "0\t10\t0\t0", ">B", "0\t0\t5\t5"]),
    "CIS-BP": (
        "r.txt",
        ["TF\tT1", "TF Name\tA", "Motif\tM1_2.00", "Pos\tA\tC\tG\tT", "1\t0.1\t0.2\t0.3\t0.4", "2\t1\t0\t0\t0"],
    ),
    "UniPROBE": ("r.uniprobe", ["Gata3", "", "A:\t0.1\t1", "C:\t0.2\t0", "G:\t0.3\t0", "T:\t0.4\t0"]),
    "GWAS": ("r.gwas", ["SNP\tA1\tA2\tBETA\tP\tN", "rs1\tA\tC\t0.01\t0.5\t90", "rs2\tG\tT\t-0.02\t0.1\t100"]),
    "GWAS-VCF": (
        "r.vcf",
        [
            *["##fileformat=VCFv4.2", "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS"],
            *[f"1\t{k}\trs{k}\tA\tC\t.\tPASS\t.\tES:SE:LP:SS\t0.0{k}:0.1:2.5:100" for k in (1, 2, 3)],
        ],
    ),
    "manifest": (
        "r.yaml",
        [
            *["version: 1", "datasets:", "  marrow:", "    title: Bone marrow", "    page: https://example.org"],
            *[
                "    reader: null",
                "    cells: 90",
                "    files:",
                "      a: {file: a/b.gz, url: 'https://example.org/a'}",
            ],
            *["resources:", "  chain:", "    title: Chain", "    page: https://example.org"],
            *["    files:", "      chain: {file: c.chain, size: 5}"],
        ],
    ),
    "csv": ("r.csv", ["peak,c1,c2,c3", "chr1:10-20,0,1,2", "chr1:30-40,3,0,0", "chr2:5-9,0,0,1"]),
    "tsv": ("r.tsv", ["c1\tc2", "chr1:10-20\t0\t1", "chr1_30_40\t3\t0"]),
}


def read_ld_scores(path: Path) -> Any:
    (path.parent / "r.1.l2.M_5_50").write_text("12\n")
    return _ldsc_tables.read_ld_scores(path.parent / "r.")


def quiet_gtf(path: Path) -> pd.DataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # genes without a strand
        return read_gtf(path)


def quiet_motifs(path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ids that occur again
        return read_motifs(path)


def quiet_sites(path: Path) -> pd.DataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 1-based tables
        return pd.concat(read_sites(path), names=["factor", None])


def munge_quietly(path: Path) -> pd.DataFrame:
    return munge_sumstats(path, n=100).table


READERS = {
    "BED": read_bed,
    "GMT": read_gmt,
    "GCT": _snpsea_files.read_gct,
    "named intervals": lambda path: _snpsea_files.read_intervals(path, name="genes"),
    "ids": lambda path: _snpsea_files.read_ids(path, name="snps"),
    "SNP table": _snps.read_snps,
    "SNPs of a bim": _snps.read_snps,
    "bim": _ldsc_panel.read_bim,
    "chain": _liftover.read_chain,
    "OBO": _go.read_obo,
    "GAF": _go.read_gaf,
    "summary statistics": _ldsc_tables.read_sumstats,
    "annotation": _ldsc_tables.read_annotations,
    "LD scores": read_ld_scores,
    "chromosome sizes": _genomes.chrom_sizes,
    "TSS": _genomes.tss_table,
    "GTF": quiet_gtf,
    "GFF3": quiet_gtf,
    "table": read_table,
    "sites": quiet_sites,
    "MEME": read_motifs,
    "JASPAR": read_motifs,
    "TRANSFAC": read_motifs,
    "HOMER": quiet_motifs,
    "HOCOMOCO": quiet_motifs,
    "CIS-BP": quiet_motifs,
    "UniPROBE": quiet_motifs,
    "GWAS": munge_quietly,
    "GWAS-VCF": munge_quietly,
    "manifest": read_manifest,
    "csv": sk.read,
    "tsv": sk.read,
}
UNPACKED = {"manifest"}  # formats that are never gzipped


def content(name: str) -> bytes:
    return "\n".join([*TEXTS[name][1], ""]).encode()


def check(value: Any) -> None:
    """Raise AssertionError unless what a reader returned is sound."""
    if isinstance(value, tuple):
        for part in value:
            check(part)
    elif isinstance(value, pd.DataFrame):
        for column in ("start", "end", "pos", "BP", "tss"):
            assert column not in value or (value[column] >= 0).all()
        if {"start", "end"} <= set(value.columns):
            assert (value["start"] <= value["end"]).all()
    elif isinstance(value, AnnData) and not isinstance(value.X, np.ndarray):
        value.X.check_format(full_check=True)  # values are checked by what uses them


#: Warnings that are ours, of what a damaged file still holds.
_SAID = (
    r".*(fractional|no coordinates|not unique|no header|share their name|left out|1-based|holds text|must hold|"
    r"are no counts)"
)


@dataclass
class Outcome:
    value: Any = None
    error: str = ""


def outcome(name: str, path: Path) -> Outcome:
    """Read; an error must be one of ours and name the file. Every other one, and a warning of a library, is raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=ANNDATA)
        warnings.filterwarnings("ignore", category=UserWarning, message=_SAID)
        try:
            value = READERS[name](path)
        except (KeyError, ValueError) as err:  # a KeyError: raw statistics, which are to be munged
            kind, message = type(err), str(err)
        else:
            check(value)
            return Outcome(value)
    assert kind in (KeyError, ValueError, sk.io.FormatError), f"a raw {kind.__name__}: {message}"
    assert path.name in message or path.parent.name in message, f"no file is named: {message}"
    assert len(message) < 2000, "a message as long as the file"
    return Outcome(error=message)


NASTY = [b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\r\n", b"\t\t", b"\n\n", b"-1", b"nan", b"inf", b"1e999", b"9" * 30]
NASTY += [b"\xc3", b">", b"#", b"[", b"{", b"&a *a", b"'", b'"', b"x" * 5000, "é\u2028ü".encode()]


def mutate(data: bytes, mutation: tuple[str, float, Any]) -> bytes:
    kind, place, extra = mutation
    at = int(place * len(data))
    if kind == "put":
        return data[:at] + extra + data[at:]
    if kind == "replace":
        return data[:at] + extra + data[at + len(extra) :]
    if kind == "flip":
        return data[:at] + bytes(b ^ extra for b in data[at : at + 1]) + data[at + 1 :]
    if kind == "cut":
        return data[:at] + data[at + extra :]
    if kind == "end":
        return data[:at]
    lines = data.split(b"\n")
    row = min(int(place * len(lines)), len(lines) - 1)
    if kind == "double line":
        lines.insert(row, lines[row])
    elif kind == "drop line":
        del lines[row]
    elif kind == "swap lines":
        other = min(int(extra * len(lines)), len(lines) - 1)
        lines[row], lines[other] = lines[other], lines[row]
    else:
        cells = lines[row].split(b"\t") if b"\t" in lines[row] else lines[row].split(b" ")
        column = at % len(cells)
        cells[column : column + 1] = [] if kind == "drop field" else [extra]
        lines[row] = b"\t".join(cells)
    return b"\n".join(lines)


def same(a: Any, b: Any) -> bool:
    if isinstance(a, tuple):
        return all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, pd.DataFrame):
        return a.equals(b)
    if isinstance(a, AnnData):
        return (a.X != b.X).nnz == 0 and a.obs_names.equals(b.obs_names) and a.var.equals(b.var)
    if hasattr(a, "terms"):
        return a.terms.drop(columns="ontology").equals(b.terms.drop(columns="ontology"))
    for field in ("values", "table", "counts"):
        if hasattr(a, field) and not isinstance(a, dict):
            return np.array_equal(np.asarray(getattr(a, field)), np.asarray(getattr(b, field)))
    if isinstance(a, list) and a and hasattr(a[0], "counts"):
        return all(x.name == y.name and np.array_equal(x.counts, y.counts) for x, y in zip(a, b, strict=True))
    return a == b
