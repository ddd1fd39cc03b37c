"""Gene Ontology: the human file that is shipped, and what ``sccase-kit gene-sets build`` made of other species."""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

from ..compact import read_compact
from ..folder import built_file
from ..go import ONTOLOGIES
from ..sets import GeneSets
from . import Source

LABELS = ("GO", "GO:BP", "GO:MF", "GO:CC")
_SHIPPED = {"human": "go_human.tsv.gz"}


def build_command(species: str) -> str:
    """Return the command that makes the gene sets of a species."""
    return f"sccase-kit gene-sets build --species {species}"


def _load(label: str, species: str | None) -> GeneSets:
    sets = _read(species or "human", _stamp(species or "human"))
    return sets if label == "GO" else sets.only([ONTOLOGIES[label.removeprefix("GO:")]])


def _stamp(species: str) -> int:
    """Return the time of the file, so that a file that was built anew is read anew."""
    path = built_file("go", species)
    return path.stat().st_mtime_ns if path.is_file() else 0


@cache
def _read(species: str, stamp: int) -> GeneSets:
    if stamp:
        return read_compact(built_file("go", species))
    if species not in _SHIPPED:
        msg = f"there is no Gene Ontology of {species} on this machine yet; make it once with\n{build_command(species)}"
        raise FileNotFoundError(msg)
    with as_file(files("sccase_kit.gene_sets").joinpath("data", _SHIPPED[species])) as path:
        return read_compact(Path(path))


def _status(label: str, species: str | None) -> str:
    try:
        sets = _load(label, species)
    except FileNotFoundError:
        return f"not there; {build_command(species or 'human')}"
    where = "built here" if _stamp(species or "human") else "shipped"
    return f"{len(sets):,} sets, {where}; {next(iter(sets.provenance.values()), '')}"


SOURCE = Source("gene ontology", "Gene Ontology, annotations propagated to ancestors", LABELS, _load, _status)
