"""Motifs of R: TFBSTools' PFMatrix and PWMatrix, alone or in lists, and universalmotif's objects."""

from __future__ import annotations

import numpy as np

from ..motifs import Motif
from ..motifs.file_parts import DEFAULT_SITES
from ._from_r import plain
from ._values import RValue

_KINDS = ("PCM", "PPM", "PWM", "PFMatrix", "PWMatrix")


def is_motif(value: RValue) -> bool:
    """Return whether a value is one motif."""
    slots = set(value.attributes) if value.kind == "S4" else set()
    return {"profileMatrix", "ID", "bg"} <= slots or {"motif", "alphabet", "type", "bkg"} <= slots


def is_motif_list(value: RValue) -> bool:
    """Return whether a value is a PFMatrixList or the like, or a list of motifs."""
    entries = value.slot("listData") if value.kind == "S4" else value
    return entries.kind == "list" and len(entries) > 0 and all(is_motif(entry) for entry in entries.data)


def motifs_from(value: RValue) -> list[Motif]:
    """Return the motifs of a value that :func:`is_motif_list` knows, in its order."""
    entries = value.slot("listData") if value.kind == "S4" else value
    labels = entries.text("names") or [str(k + 1) for k in range(len(entries))]
    return [motif_from(entry, label) for entry, label in zip(entries.data, labels, strict=True)]


def motif_from(value: RValue, label: str = "motif") -> Motif:
    """Return one motif as counts: shares and weights are multiplied by the sites, where given, else by 20.

    Weights are logarithms of share / background: to base e, as chromVARmotifs has them, or to base 2, as TFBSTools'
    ``toPWM`` makes them: whichever makes the shares of a position add up to 1.

    Raises
    ------
    ValueError
        If the matrix holds neither counts, shares nor weights of A, C, G, T.
    """
    if "profileMatrix" in value.attributes:
        kind, matrix, background = next(iter(value.classes), ""), value.slot("profileMatrix"), value.slot("bg")
        ident, name = next(iter(value.text("ID")), label), next(iter(value.text("name")), "")
    else:
        kind, matrix, background = next(iter(value.text("type")), ""), value.slot("motif"), value.slot("bkg")
        ident = next(iter(value.text("name")), label)
        name = next(iter(value.text("altname")), "")
    shape = [int(size) for size in matrix.slot("dim").data] if matrix.slot("dim").kind != "NULL" else []
    if len(shape) != 2 or shape[0] != 4 or kind not in _KINDS:
        known = ", ".join(_KINDS)
        msg = f"motif {ident!r} of R: {kind or 'a matrix'} of shape {tuple(shape)}; {known} with 4 rows are read"
        raise ValueError(msg)
    values = np.asarray(plain(matrix), dtype=np.float64).reshape(shape, order="F")
    if kind.startswith("PW"):
        values = _shares(ident, values, np.asarray(plain(background), dtype=np.float64)[:4])
    if np.allclose(values.sum(axis=0), 1, atol=0.05):
        sites = plain(value.slot("nsites")) if len(value.slot("nsites")) else np.array([DEFAULT_SITES])
        values = values * (float(sites[0]) if float(sites[0]) > 1 else DEFAULT_SITES)
    return Motif(ident, name or ident, values)


def _shares(ident: str, weights: np.ndarray, background: np.ndarray) -> np.ndarray:
    for base in (np.e, 2.0):
        shares = background[:, None] * base**weights
        if np.allclose(shares.sum(axis=0), 1, atol=0.05):
            return shares
    msg = f"motif {ident!r} of R: its weights are no logarithms, to base e or 2, of shares by its background"
    raise ValueError(msg)


__all__ = ["is_motif", "is_motif_list", "motif_from", "motifs_from"]
