"""Gene sets made on this machine: from the public files of the Gene Ontology, or from files given by path."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from .._arguments import checked
from .._atomic import replacing
from .._logging import logger
from ..gene_sets.build import addresses, build_go, build_go_from_orgdb
from ..gene_sets.compact import write_compact
from ..gene_sets.folder import built_file
from ._load import download_to
from ._manifest import File


@checked()
def build_gene_sets(
    species: str = "mouse",
    *,
    gaf: str | os.PathLike[str] | None = None,
    obo: str | os.PathLike[str] | None = None,
    orgdb: str | os.PathLike[str] | None = None,
    go_db: str | os.PathLike[str] | None = None,
    release: str = "current",
    min_genes: int = 10,
    max_genes: int = 500,
    path: str | os.PathLike[str] | None = None,
) -> Path:
    """Make the Gene Ontology sets of a species, which ``"GO"``, ``"GO:BP"``, ``"GO:MF"``, ``"GO:CC"`` then stand for.

    Annotations are propagated to all ancestors by is_a and part_of.

    Parameters
    ----------
    species
        "mouse", "human", "rat", "zebrafish", "fly", "worm", "yeast"; any name with `gaf` and `obo`.
    gaf, obo
        Annotation file (GAF 2) and ontology (``go-basic.obo``), plain or gzip. What is not given is downloaded from
        geneontology.org.
    orgdb, go_db
        Instead of these: ``org.*.eg.sqlite`` and ``GO.sqlite`` of Bioconductor.
    release
        Release to download: ``"current"``, or a date such as ``"2024-01-17"``.
    min_genes, max_genes
        Terms with fewer or more genes are left out.
    path
        Where to write; None is the place where the names are looked up: the folder of the environment variable
        SCCASE_KIT_GENE_SETS, or one in the user's cache.

    Returns
    -------
    Where the file is. Source, release, license and changes are in its first lines, and in every result made with it.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ConnectionError
        If a file cannot be downloaded; the message says which files to give instead.
    ValueError
        If the species is unknown, or a file cannot be read.
    """
    if orgdb is not None:
        if gaf is not None or obo is not None:
            msg = "give either orgdb= (with go_db=) or gaf= and obo=, not both"
            raise ValueError(msg)
        sets, about = build_go_from_orgdb(orgdb, species=species, go_db=go_db, min_genes=min_genes, max_genes=max_genes)
    else:
        with tempfile.TemporaryDirectory() as name:
            if gaf is None or obo is None:
                from_there = addresses(species, release)
                gaf, obo = (
                    _get(url, Path(name)) if given is None else given
                    for given, url in zip((gaf, obo), from_there, strict=True)
                )
            for file in (gaf, obo):
                if not Path(file).is_file():
                    msg = f"no such file: {str(file)!r}"
                    raise FileNotFoundError(msg)
            sets, about = build_go(gaf, obo, species=species, min_genes=min_genes, max_genes=max_genes)
    target = built_file("go", species) if path is None else Path(path)
    if path is None:
        target.parent.mkdir(parents=True, exist_ok=True)
    write_compact(sets, target, about)
    logger.info("%d gene sets of %s: %s", len(sets), species, target)
    return target


def _get(url: str, folder: Path) -> Path:
    """Download a file, or say what to do without a network."""
    target = folder / url.rsplit("/", 1)[-1]
    try:
        with replacing(target) as temporary:
            download_to(url, temporary, File(path=target.name, url=url, size=None, sha256=None))
    except OSError as err:
        msg = (
            f"{url} could not be downloaded ({err}). On a machine with a network get it, and the ontology "
            "(geneontology.org: go-basic.obo), and give both files: gaf= and obo= (in the shell --gaf and --obo)"
        )
        raise ConnectionError(msg) from err
    return target
