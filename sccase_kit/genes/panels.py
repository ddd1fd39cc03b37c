"""Marker genes of cell types: the shipped table, by species and tissue."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from itertools import product

import pandas as pd

SPECIES, TISSUES = ("human", "mouse"), ("blood", "brain", "general")
#: Names of the shipped panels.
PANELS = tuple(f"{species}:{tissue}" for species, tissue in product(SPECIES, TISSUES))


@cache
def _shipped() -> pd.DataFrame:
    with files("sccase_kit.genes").joinpath("data", "markers.tsv").open("rb") as handle:
        return pd.read_csv(handle, sep="\t", dtype=str, na_filter=False)


def panel(name: str, *, species: str | None = None) -> dict[str, list[str]]:
    """Return a shipped panel of marker genes: cell type → genes.

    The table ``genes/data/markers.tsv`` gives, for every gene, a publication that uses it as a marker of the type. The
    panels are small (6 to 12 genes per type), written for this package, and no gold standard.

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
    full = name if ":" in name else f"{species}:{name}"
    if full not in PANELS:
        hint = " The species is not known: say 'human:blood'" if species is None and name in TISSUES else ""
        msg = f"markers={name!r} is no shipped panel; available: {list(PANELS)}.{hint}"
        raise ValueError(msg)
    wanted_species, tissue = full.split(":")
    table = _shipped()
    rows = table[(table["species"] == wanted_species) & (table["tissue"] == tissue)]
    return {str(kind): part["gene"].tolist() for kind, part in rows.groupby("cell_type", sort=False)}
