"""Marker genes of cell types: the shipped table, by species and tissue."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from itertools import product

import pandas as pd

from .._arguments import Text, checked

SPECIES, TISSUES = ("human", "mouse"), ("blood", "brain", "general")
#: Names of the shipped panels.
PANELS = tuple(f"{species}:{tissue}" for species, tissue in product(SPECIES, TISSUES))


@cache
def _shipped(name: str) -> pd.DataFrame:
    with files("sccase_kit.genes").joinpath("data", f"{name}.tsv").open("rb") as handle:
        return pd.read_csv(handle, sep="\t", dtype=str, na_filter=False)


def _rows(name: str, species: str | None, table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table that belong to a panel, or raise."""
    full = name if ":" in name else f"{species}:{name}"
    if full not in PANELS:
        hint = " The species is not known: say 'human:blood'" if species is None and name in TISSUES else ""
        msg = f"markers={name!r} is no shipped panel; available: {list(PANELS)}.{hint}"
        raise ValueError(msg)
    wanted, tissue = full.split(":")
    return table[(table["species"] == wanted) & (table["tissue"] == tissue)]


@checked(name=Text(), species=Text())
def panel(name: str, *, species: str | None = None) -> dict[str, list[str]]:
    """Return a shipped panel of marker genes: cell type → genes.

    The table ``genes/data/markers.tsv`` says for every gene which public lists of markers name it for the type
    (PanglaoDB, CellMarker 2.0, ScType), or the publication that found the lineage to need it; see
    ``genes/data/README.md``. The panels are small (6 to 12 genes per type), and no gold standard.

    Parameters
    ----------
    name
        ``"human:blood"``, ``"human:brain"``, ``"human:general"``, or the same of mouse; or the tissue alone, with
        `species`.
    species
        ``"human"`` or ``"mouse"``, where `name` does not say.

    Returns
    -------
    Dict cell type → symbols.

    Raises
    ------
    ValueError
        If there is no such panel, or the species is not known.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> "GATA1" in sk.genes.panel("human:blood")["MEP"]
    True
    """
    rows = _rows(name, species, _shipped("markers"))
    return {str(kind): part["gene"].tolist() for kind, part in rows.groupby("cell_type", sort=False)}


@checked(name=Text(), species=Text())
def lineages(name: str, *, species: str | None = None) -> dict[str, list[str]]:
    """Return the coarser names of a shipped panel: lineage → cell types. A type may belong to several.

    Parameters
    ----------
    name, species
        As for :func:`panel`.

    Returns
    -------
    Dict lineage → names of the types.

    Raises
    ------
    ValueError
        If there is no such panel, or the species is not known.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> sk.genes.lineages("human:blood")["T cell"]
    ['CD4 T cell', 'CD8 T cell', 'Treg']
    """
    rows = _rows(name, species, _shipped("lineages"))
    return {str(kind): part["cell_type"].tolist() for kind, part in rows.groupby("lineage", sort=False)}
