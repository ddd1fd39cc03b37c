"""Motifs as users hold them: names of sources, files, arrays, Biopython motifs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from .._arguments import checked
from .._validate import check_list
from .motif import Motif
from .motif_files import read_motifs
from .motif_sources import source_of


@checked()
def as_motifs(motifs: Any) -> list[Motif]:
    """Return motifs as a list of :class:`Motif`.

    Parameters
    ----------
    motifs
        A label of a source (``"JASPAR"``, ``"JASPAR2024"``), a path (see :func:`read_motifs`), a mapping name → counts
        (4 × width), an iterable of :class:`Motif`, of count arrays, or of Biopython motifs (such as pyjaspar's).

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
    source = source_of(motifs)
    if source is not None:
        found = source.load(motifs)
    elif isinstance(motifs, (str, os.PathLike)):
        found = read_motifs(motifs)
    elif isinstance(motifs, Motif):
        found = [motifs]
    elif isinstance(motifs, Mapping):
        found = [motif_of(value, str(name)) for name, value in motifs.items()]
    else:
        found = [motif_of(value, str(k)) for k, value in enumerate(check_list(motifs, name="motifs", what="motifs"))]
    if not found:
        msg = "motifs is empty; give at least one motif"
        raise ValueError(msg)
    ids = [motif.id for motif in found]
    if len(set(ids)) < len(ids):
        twice = sorted({i for i in ids if ids.count(i) > 1})
        msg = f"motif ids must be unique, {twice[:5]} appear(s) more than once"
        raise ValueError(msg)
    return found


def motif_of(value: Any, label: str) -> Motif:
    """Return one motif; `label` names an array."""
    if isinstance(value, Motif):
        return value
    if hasattr(value, "counts") and hasattr(value, "matrix_id"):  # Biopython's JASPAR motif
        counts = np.array([list(value.counts[base]) for base in "ACGT"], dtype=np.float64)
        return Motif(value.matrix_id, value.name, counts)
    try:
        array = np.asarray(value)
    except (ValueError, TypeError):
        array = np.asarray(None)
    if array.dtype.kind not in "iufb":
        msg = f"motif {label!r} must be a Motif or an array of counts (4 × width), got {type(value).__name__}"
        raise TypeError(msg)
    return Motif(label, label, array)
