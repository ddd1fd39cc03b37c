"""JASPAR, from the database that pyjaspar ships."""

from __future__ import annotations

import io
from collections.abc import Iterable
from contextlib import closing, redirect_stdout

from ..._arguments import Text, checked
from ..._optional import import_optional
from ..._validate import check_some
from ..motif import Motif
from ..sources import motif_of
from . import MotifSource

#: Releases that pyjaspar 4 holds; one that the installed pyjaspar lacks is refused with its message.
RELEASES = tuple(f"JASPAR{year}" for year in (2014, 2016, 2018, 2020, 2022, 2024, 2026))


@checked(release=Text(), collection=Text())
def jaspar_motifs(
    *,
    release: str | None = None,
    collection: str = "CORE",
    tax_group: str | Iterable[str] | None = "vertebrates",
    species: str | int | None = None,
    all_versions: bool = False,
) -> list[Motif]:
    """Return motifs of JASPAR from the database that pyjaspar ships; works offline.

    Parameters
    ----------
    release
        Release such as ``"JASPAR2024"``; the newest that the installed pyjaspar has by default.
    collection
        Collection, such as ``"CORE"``.
    tax_group
        Taxonomic group or groups; `None` for all.
    species
        NCBI taxonomy id, such as 9606; `None` for all. (chromVAR's ``getJasparMotifs`` takes human by default.)
    all_versions
        Every version of a matrix instead of the latest.

    Returns
    -------
    List of :class:`Motif`, sorted by identifier.

    Raises
    ------
    ImportError
        If pyjaspar is not installed.
    ValueError
        If there is no such release, or the selection has no motif.
    """
    pyjaspar = import_optional("pyjaspar", extra="genomics")
    said = io.StringIO()
    with redirect_stdout(said):  # pyjaspar prints what is wrong and goes on
        database = pyjaspar.jaspardb() if release is None else pyjaspar.jaspardb(release=release)
    if not hasattr(database, "conn"):
        msg = f"release={release!r}: {' '.join(said.getvalue().split()) or 'pyjaspar could not open its database'}"
        raise ValueError(msg)
    groups = (
        tax_group
        if tax_group is None
        else [Text()(group, "tax_group", {}) for group in check_some(tax_group, name="tax_group")]
    )
    options = {"collection": collection, "tax_group": groups, "all_versions": all_versions}
    if species is not None:
        if not str(species).isdigit():
            msg = f"species must be an NCBI taxonomy id, such as 9606, got {species!r}"
            raise ValueError(msg)
        options["species"] = [str(species)]
    with closing(database.conn):
        found = database.fetch_motifs(**options)
    if not found:
        msg = f"JASPAR has no motif for collection={collection!r}, tax_group={tax_group!r}, species={species!r}"
        raise ValueError(msg)
    return sorted((motif_of(motif, "") for motif in found), key=lambda motif: motif.id)


def load(label: str) -> list[Motif]:
    """Return the vertebrate CORE motifs of a release, or of the newest."""
    return jaspar_motifs(release=None if label == "JASPAR" else label)


SOURCE = MotifSource(
    "JASPAR", "vertebrates, CORE, through pyjaspar; the newest or a release", ("JASPAR", *RELEASES), load
)
