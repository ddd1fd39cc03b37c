"""Build Gene Ontology sets of a species from the public files, and say where they come from."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from .._text_files import open_text
from .._validate import check_int
from .go import go_from_gaf, go_from_orgdb, orgdb_dates
from .sets import GeneSets

#: Annotation file of the Gene Ontology consortium by species.
ANNOTATIONS = {
    "human": "goa_human.gaf.gz",
    "mouse": "mgi.gaf.gz",
    "rat": "rgd.gaf.gz",
    "zebrafish": "zfin.gaf.gz",
    "fly": "fb.gaf.gz",
    "worm": "wb.gaf.gz",
    "yeast": "sgd.gaf.gz",
}
#: NCBI taxa of the species, against files of another one.
TAXA = {
    **{"human": 9606, "mouse": 10090, "rat": 10116, "zebrafish": 7955, "fly": 7227, "worm": 6239},
    "yeast": 559292,
}
ONTOLOGY_FILE = "go-basic.obo"
LICENSE = "CC-BY-4.0, Gene Ontology Consortium (geneontology.org)"
_HEADER_LINES = 200
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def addresses(species: str, release: str = "current") -> tuple[str, str]:
    """Return the addresses of the annotation file and of the ontology.

    Parameters
    ----------
    species
        One of :data:`ANNOTATIONS`.
    release
        ``"current"`` or a release of the Gene Ontology by its date, such as ``"2024-01-17"``.

    Raises
    ------
    ValueError
        If the species has no file here, or the release is no date.
    """
    if species not in ANNOTATIONS:
        msg = f"species must be one of {list(ANNOTATIONS)}, got {species!r}; for others give gaf= and obo="
        raise ValueError(msg)
    if release != "current" and not _DATE.fullmatch(str(release)):
        msg = f"release must be 'current' or a date such as '2024-01-17', got {release!r}"
        raise ValueError(msg)
    site = "http://current.geneontology.org" if release == "current" else f"http://release.geneontology.org/{release}"
    return f"{site}/annotations/{ANNOTATIONS[species]}", f"{site}/ontology/{ONTOLOGY_FILE}"


def of_size(sets: GeneSets, min_genes: int, max_genes: int) -> GeneSets:
    """Return the terms with `min_genes` to `max_genes` genes."""
    check_int(min_genes, name="min_genes", minimum=1)
    check_int(max_genes, name="max_genes", minimum=min_genes)
    size = np.bincount(sets.term_index, minlength=len(sets))
    return sets.take(np.flatnonzero((size >= min_genes) & (size <= max_genes)))


def about(source: str, release: str, changes: str, species: str) -> dict[str, str]:
    """Return what is written next to gene sets of the Gene Ontology."""
    return {
        "collection": "Gene Ontology",
        "species": species,
        "source": source,
        "release": release,
        "license": LICENSE,
        "changes": changes,
    }


def changes_of(min_genes: int, max_genes: int) -> str:
    """Return what was done to the annotations."""
    return (
        "annotations propagated to all ancestors by is_a and part_of, those with evidence ND or the qualifier NOT "
        f"left out, {min_genes} to {max_genes} genes a term"
    )


def build_go(
    gaf: str | os.PathLike[str],
    obo: str | os.PathLike[str],
    *,
    species: str,
    min_genes: int = 10,
    max_genes: int = 500,
) -> tuple[GeneSets, dict[str, str]]:
    """Build the gene sets of a species from its GAF and the ontology.

    Parameters
    ----------
    gaf, obo
        Files as in :func:`go_from_gaf`.
    species
        Name of the species, for the record; of one in :data:`TAXA`, annotations of other taxa are left out.
    min_genes, max_genes
        Leave out smaller and larger terms.

    Returns
    -------
    sets
        The gene sets, ontologies BP, MF and CC.
    about
        Collection, species, source, release, license and changes, for :func:`write_compact`.

    Raises
    ------
    ValueError
        If a file cannot be read or is of another species, or no term has so many genes.
    """
    sets = of_size(go_from_gaf(gaf, obo, taxon=TAXA.get(species)), min_genes, max_genes)
    if not len(sets):
        msg = f"no term of {Path(gaf).name} has {min_genes} to {max_genes} genes; set min_genes and max_genes"
        raise ValueError(msg)
    release = f"ontology {_date_of(obo)}, annotations {_date_of(gaf)}"
    source = f"Gene Ontology, {Path(gaf).name} and {Path(obo).name}"
    return sets, about(source, release, changes_of(min_genes, max_genes), species)


def build_go_from_orgdb(
    path: str | os.PathLike[str] | None = None,
    *,
    species: str = "human",
    go_db: str | os.PathLike[str] | None = None,
    min_genes: int = 10,
    max_genes: int = 500,
) -> tuple[GeneSets, dict[str, str]]:
    """Build the gene sets from a Bioconductor OrgDb, as the human ones that are shipped.

    Parameters
    ----------
    path, go_db
        As in :func:`go_from_orgdb`.
    species, min_genes, max_genes
        As in :func:`build_go`.

    Returns
    -------
    As :func:`build_go`.
    """
    sets = of_size(go_from_orgdb(path, go_db=go_db, relations=("is_a", "part_of")), min_genes, max_genes)
    dates = orgdb_dates(path)
    release = (
        f"ontology {dates['GOSOURCEDATE']}, annotations {dates['GOEGSOURCEDATE']}, Ensembl {dates['ENSOURCEDATE']}"
    )
    source = "Gene Ontology, through Bioconductor's org.Hs.eg.db and GO.db (Artistic-2.0)"
    source = source if species == "human" else source.replace("org.Hs.eg.db", "OrgDb")
    return sets, about(source, release, changes_of(min_genes, max_genes), species)


def _date_of(path: str | os.PathLike[str]) -> str:
    """Return the release date in the first lines of a GAF or OBO file."""
    with open_text(path) as handle:
        for _, line in zip(range(_HEADER_LINES), handle, strict=False):
            key = line.lstrip("!").strip().lower()
            if key.startswith(("date-generated", "data-version", "date:", "generated")) and (day := _DATE.search(key)):
                return day.group()
    return "of unknown date"
