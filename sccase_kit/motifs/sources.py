"""Where motifs come from: arrays, Biopython motifs, files, and JASPAR through pyjaspar."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping
from contextlib import closing, redirect_stdout
from typing import Any

import numpy as np

from .._optional import import_optional
from .motif import Motif
from .motif_files import read_motifs


def as_motifs(motifs: Any) -> list[Motif]:
    """Return motifs as a list of :class:`Motif`.

    Parameters
    ----------
    motifs
        A path (see :func:`read_motifs`), a mapping name → counts (4 × width), an iterable of :class:`Motif`, of count
        arrays, or of Biopython motifs (such as pyjaspar's).

    Returns
    -------
    List of :class:`Motif`, in the order given.

    Raises
    ------
    ValueError
        If there is no motif, identifiers repeat, or a matrix is not valid.
    TypeError
        If an entry is none of these.
    """
    if isinstance(motifs, (str, os.PathLike)):
        found = read_motifs(motifs)
    elif isinstance(motifs, Motif):
        found = [motifs]
    elif isinstance(motifs, Mapping):
        found = [_one(value, str(name)) for name, value in motifs.items()]
    else:
        found = [_one(value, str(k)) for k, value in enumerate(motifs)]
    if not found:
        msg = "motifs is empty; give at least one motif"
        raise ValueError(msg)
    ids = [motif.id for motif in found]
    if len(set(ids)) < len(ids):
        twice = sorted({i for i in ids if ids.count(i) > 1})
        msg = f"motif ids must be unique, {twice[:5]} appear(s) more than once"
        raise ValueError(msg)
    return found


def _one(value: Any, label: str) -> Motif:
    if isinstance(value, Motif):
        return value
    if hasattr(value, "counts") and hasattr(value, "matrix_id"):  # Biopython's JASPAR motif
        counts = np.array([list(value.counts[base]) for base in "ACGT"], dtype=np.float64)
        return Motif(value.matrix_id, value.name, counts)
    array = np.asarray(value)
    if array.dtype.kind not in "iufb":
        msg = f"motif {label!r} must be a Motif or an array of counts (4 × width), got {type(value).__name__}"
        raise TypeError(msg)
    return Motif(label, label, array)


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
    groups = list(tax_group) if isinstance(tax_group, Iterable) and not isinstance(tax_group, str) else tax_group
    options = {"collection": collection, "tax_group": groups, "all_versions": all_versions}
    if species is not None:
        options["species"] = [str(species)]
    with closing(database.conn):
        found = database.fetch_motifs(**options)
    if not found:
        msg = f"JASPAR has no motif for collection={collection!r}, tax_group={tax_group!r}, species={species!r}"
        raise ValueError(msg)
    return sorted((_one(motif, "") for motif in found), key=lambda motif: motif.id)
