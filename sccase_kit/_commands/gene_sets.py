"""Show the gene sets that are there, or build those of a species from the Gene Ontology.

`build` downloads the annotations and the ontology from geneontology.org, or takes the files that are given, and keeps
the result where `--gene-sets GO:BP` looks for it. `list` shows what each name stands for.
"""

from __future__ import annotations

import argparse
from typing import Any

from .output import TABLE

HELP = "gene sets: show them, build those of mouse and others"
EXAMPLE = """example:
  sccase-kit gene-sets list
  sccase-kit gene-sets build --species mouse
  sccase-kit gene-sets build --species mouse --gaf mgi.gaf.gz --obo go-basic.obo"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("action", choices=["list", "build"], help="what to do")
    parser.add_argument("--species", default="mouse", help="mouse, human, rat, zebrafish, fly, worm, yeast (mouse)")
    parser.add_argument("--gaf", help="annotation file (GAF 2) in place of the download")
    parser.add_argument("--obo", help="ontology (go-basic.obo) in place of the download")
    parser.add_argument("--orgdb", help="org.*.eg.sqlite of Bioconductor, in place of both")
    parser.add_argument("--go-db", help="GO.sqlite of Bioconductor, for --orgdb")
    parser.add_argument("--release", default="current", help="release of the download, such as 2024-01-17 (current)")
    parser.add_argument("--min-genes", type=int, default=10, help="smallest term (10)")
    parser.add_argument("--max-genes", type=int, default=500, help="largest term (500)")
    parser.add_argument("-o", "--output", help="file to write; without it the place where the names are looked up")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """List or build."""
    return _build(args) if args.action == "build" else _list()


def _build(args: argparse.Namespace) -> dict[str, Any]:
    import sccase_kit as sk

    from ..gene_sets.compact import read_compact

    path = sk.datasets.build_gene_sets(
        args.species,
        gaf=args.gaf,
        obo=args.obo,
        orgdb=args.orgdb,
        go_db=args.go_db,
        release=args.release,
        min_genes=args.min_genes,
        max_genes=args.max_genes,
        path=args.output,
    )
    sets = read_compact(path)
    counts = sets.terms["ontology"].value_counts(sort=False)
    return {
        "species": args.species,
        **{name: int(n) for name, n in counts.items()},
        "source": sets.source,
        "file": path,
    }


def _list() -> dict[str, Any]:
    import pandas as pd

    from ..gene_sets.sources import sources

    rows = [
        {"name": label, "species": species, "meaning": source.meaning, "state": source.status(label, species)}
        for source in sources().values()
        for label in source.labels
        for species in ("human", "mouse")
    ]
    return {TABLE: pd.DataFrame(rows)}
