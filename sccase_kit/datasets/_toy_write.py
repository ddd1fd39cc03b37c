"""The toy study as files, in the formats of the tools that read them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .._atomic import replacing
from .._version import __version__
from ..io.hdf5 import write_h5ad
from ._files import write_table, write_text

if TYPE_CHECKING:
    from ._toy import ToyStudy

_README = """\
A simulated study with planted truth (sccase_kit {version}; uns["toy_study"] of toy.h5ad holds its parameters).
Coordinates are on the chromosome lengths of hg38; sequences, genes and SNPs are invented.

toy.h5ad            counts, cells x peaks; layers["truth"]: open peaks before any loss
peaks.bed           all peaks
specific.bed        peaks of one type alone; column 4 is the type
peaks.fa            sequences of the peaks
motifs.meme         TF_1 is planted in the peaks of type_1, and so on; DECOY_TF_* in none
genes.tsv           genes with their TSS (0-based)
genes.bed           gene intervals; column 4 is the gene id
gene_sets.gmt       TERM_1 lies near the peaks of type_1, and so on; DECOY_TERM_* are random
expression.gct      genes x tissues; tissue_1 goes with type_1, and so on
snps.tsv            SNPs; those of trait_1 fall into peaks of type_1, and so on
snp_intervals.bed   LD block of every SNP; column 4 is the SNP
null_snps.txt       one SNP of every LD block that holds a gene
planted.json        the truth in one place
"""


def write_study(study: ToyStudy, folder: Path) -> dict[str, Path]:
    """Write every part of `study` into `folder`; see :meth:`ToyStudy.write`."""
    folder.mkdir(parents=True, exist_ok=True)
    writers: dict[str, tuple[str, Callable[[Path], None]]] = {
        "counts": ("toy.h5ad", lambda path: _write_counts(study, path)),
        "peaks": ("peaks.bed", lambda path: write_table(path, _bed(study, specific=False), header=False)),
        "specific": ("specific.bed", lambda path: write_table(path, _bed(study, specific=True), header=False)),
        "sequences": ("peaks.fa", lambda path: write_text(path, _fasta(study.sequences))),
        "motifs": ("motifs.meme", lambda path: write_text(path, _meme(study.motifs))),
        "gene_sets": ("gene_sets.gmt", lambda path: write_text(path, _gmt(study.gene_sets))),
        "genes": ("genes.tsv", lambda path: write_table(path, study.genes)),
        "gene_intervals": (
            "genes.bed",
            lambda path: write_table(path, study.genes[["chrom", "start", "end", "gene_id"]], header=False),
        ),
        "expression": ("expression.gct", lambda path: write_text(path, _gct(study))),
        "snps": ("snps.tsv", lambda path: write_table(path, study.snps)),
        "snp_intervals": (
            "snp_intervals.bed",
            lambda path: write_table(path, study.snps[["chrom", "ld_start", "ld_end", "snp"]], header=False),
        ),
        "null_snps": (
            "null_snps.txt",
            lambda path: write_text(path, _lines(study.snps.loc[study.snps["null"], "snp"])),
        ),
        "planted": ("planted.json", lambda path: write_text(path, json.dumps(study.planted, indent=1) + "\n")),
        "readme": ("README.txt", lambda path: write_text(path, _README.format(version=__version__))),
    }
    paths = {}
    for key, (name, write) in writers.items():
        paths[key] = folder / name
        write(paths[key])
    return paths


def _write_counts(study: ToyStudy, path: Path) -> None:
    with replacing(path) as temporary:
        write_h5ad(study.adata, temporary)


def _lines(values: Iterable[str]) -> str:
    return "".join(f"{value}\n" for value in values)


def _bed(study: ToyStudy, *, specific: bool) -> pd.DataFrame:
    var = study.adata.var
    table = var[["chrom", "start", "end"]].assign(name=var["specific_to"] if specific else var.index)
    return table[table["name"] != ""] if specific else table


def _fasta(sequences: dict[str, str]) -> str:
    return "".join(f">{name}\n{sequence}\n" for name, sequence in sequences.items())


def _meme(motifs: dict[str, np.ndarray]) -> str:
    lines = ["MEME version 4", "", "ALPHABET= ACGT", "", "strands: + -", ""]
    lines += ["Background letter frequencies", "A 0.25 C 0.25 G 0.25 T 0.25", ""]
    for name, counts in motifs.items():
        n_sites = int(counts[:, 0].sum())
        lines += [f"MOTIF {name} {name}"]
        lines += [f"letter-probability matrix: alength= 4 w= {counts.shape[1]} nsites= {n_sites} E= 0"]
        lines += [" ".join(f"{p:.6f}" for p in column) for column in (counts / counts.sum(axis=0)).T]
        lines += [""]
    return "\n".join(lines)


def _gmt(gene_sets: dict[str, list[str]]) -> str:
    return _lines(["\t".join([term, term, *genes]) for term, genes in gene_sets.items()])


def _gct(study: ToyStudy) -> str:
    table = study.expression.copy()
    table.insert(0, "Description", study.genes.set_index("gene_id")["symbol"].reindex(table.index))
    body = table.to_csv(sep="\t", index_label="Name", lineterminator="\n")
    return f"#1.2\n{table.shape[0]}\t{table.shape[1] - 1}\n{body}"
