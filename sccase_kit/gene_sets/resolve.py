"""Gene sets from whatever a user gives: a name such as "GO:BP", a file, a dict, several of them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from .._logging import warn
from .compact import is_compact, read_compact
from .sets import GeneSets, combine, read_gmt, renamed
from .sources import labels, source_of

#: Smallest share of the genes of gene sets that must be known.
MIN_KNOWN = 0.2


def as_gene_sets(sets: object, *, species: str | None = None, name: str = "gene_sets") -> GeneSets:
    """Return gene sets from a name, a file, a dict, gene sets, or several of these.

    Parameters
    ----------
    sets
        A :class:`GeneSets`; a dict term → genes; a name such as ``"GO:BP"`` (see :func:`labels`); the path of a GMT
        file, or of one that ``sccase-kit gene-sets build`` wrote; a dict ontology → any of these; or a list of them.
        P-values are corrected within each ontology.
    species
        Species of the genome, for names: "human", "mouse", or None.
    name
        Name of the argument, for messages.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or the gene sets of a name are not on this machine; the message says what to run.
    TypeError
        If it is none of these.
    ValueError
        If there is not a single term, or two parts of a list have the same name.
    """
    if isinstance(sets, GeneSets):
        result = sets
    elif (source := source_of(sets)) is not None:
        result = source.load(str(sets), species)
    elif isinstance(sets, (str, os.PathLike)):
        result = _read(Path(sets), name)
    elif isinstance(sets, Mapping):
        if any(isinstance(v, (Mapping, GeneSets, str, os.PathLike)) for v in sets.values()):
            parts = {str(k): as_gene_sets(v, species=species, name=f"{name}[{k!r}]") for k, v in sets.items()}
            result = combine(*(p if p.terms["ontology"].nunique() > 1 else renamed(p, k) for k, p in parts.items()))
        else:
            result = GeneSets.from_mapping(sets)
    elif isinstance(sets, Sequence) and not isinstance(sets, (bytes, bytearray)):
        result = _several(sets, species, name)
    else:
        msg = f"{name} must be a dict term → genes, a GMT path, one of {labels()}, GeneSets, or a list of these, "
        msg += f"got {type(sets).__name__}"
        raise TypeError(msg)
    if not len(result):
        msg = f"{name} is empty: there is not a single term"
        raise ValueError(msg)
    return result


def there(sets: object, *, species: str | None = None) -> tuple[object | None, list[str]]:
    """Return gene sets without those collections that are known by name and not on this machine, and why.

    Parameters
    ----------
    sets, species
        As in :func:`as_gene_sets`; nothing but names is looked up.

    Returns
    -------
    kept
        What is left, as it was given; None if nothing is.
    reasons
        A line for every collection that was left out, which says what makes it.
    """
    if source_of(sets) is not None:
        try:
            as_gene_sets(sets, species=species)
        except FileNotFoundError as error:
            return None, [f"{sets}: " + " ".join(str(error).split())]
        return sets, []
    parts: list[tuple[object, object]]
    if isinstance(sets, Mapping) and any(isinstance(v, (str, Mapping, GeneSets, os.PathLike)) for v in sets.values()):
        parts = list(sets.items())
    elif isinstance(sets, Sequence) and not isinstance(sets, (str, bytes, bytearray)):
        parts = list(enumerate(sets))
    else:
        return sets, []
    found = [(name, *there(part, species=species)) for name, part in parts]
    reasons = [reason for _, _, some in found for reason in some]
    kept = [(name, part) for name, part, _ in found if part is not None]
    if not kept and reasons:
        return None, reasons
    return (dict(kept) if isinstance(sets, Mapping) else [part for _, part in kept]), reasons


def _read(path: Path, name: str) -> GeneSets:
    if not path.is_file():
        more = [label for label in labels() if not label.startswith("GO")]
        others = f"; other names: {', '.join(more)}" if more else ""
        msg = (
            f"{name}: no GMT file {str(path)!r} (Gene Ontology is GO, GO:BP, GO:MF or GO:CC{others}; genes are a list)"
        )
        raise FileNotFoundError(msg)
    return read_compact(path) if is_compact(path) else read_gmt(path)


def _several(sets: Sequence[object], species: str | None, name: str) -> GeneSets:
    """Join the parts of a list, each under its own name."""
    parts: list[GeneSets] = []
    taken: dict[str, int] = {}
    for place, given in enumerate(sets):
        part = as_gene_sets(given, species=species, name=f"{name}[{place}]")
        if set(part.terms["ontology"]) == {""}:
            part = renamed(part, f"collection {place + 1}")
        for ontology in part.terms["ontology"].unique():
            if ontology in taken:
                msg = f"{name}[{taken[ontology]}] and {name}[{place}] both hold the collection {ontology!r}; "
                msg += "leave one out, or name them: {'mine': ..., 'other': ...}"
                raise ValueError(msg)
            taken[ontology] = place
        parts.append(part)
    if not parts:
        msg = f"{name} is empty: there is not a single collection"
        raise ValueError(msg)
    return combine(*parts)


def check_known(sets: GeneSets, genes: pd.DataFrame, unknown: float, *, force: bool) -> None:
    """Raise ValueError if too few genes of the gene sets are in a TSS table; warn below a half.

    Parameters
    ----------
    sets
        The gene sets.
    genes
        The table, with the columns gene_id and symbol.
    unknown
        Share of the genes that the table lacks, from :meth:`GeneSets.match`.
    force
        Go on with the few that it has.
    """
    if not len(sets.names):
        msg = "gene_sets holds no gene: every set is empty"
        raise ValueError(msg)
    first = genes.iloc[0]
    names = f"(gene_sets: {sets.names['name'].iloc[0]!r}, tss: {first['gene_id']!r} or {first['symbol']!r})"
    if unknown >= 1:
        msg = f"not a single gene of gene_sets is in tss {names}: same species and ids?"
        raise ValueError(msg)
    if 1 - unknown < MIN_KNOWN and not force:
        msg = f"only {1 - unknown:.1%} of the genes of gene_sets are in tss {names}: same species and ids? "
        msg += "force=True tests the terms by the genes that are known"
        raise ValueError(msg)
    if unknown > 0.5:
        warn(f"{unknown:.0%} of the genes of gene_sets are not in tss; are species and kind of ids right?")
