"""Marker genes in any form, and references at the peaks of the data."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from .._text_files import open_text
from ..gene_sets.sets import GeneSets, read_gmt
from ..genes import lineages as shipped_lineages
from ..genes import panel
from ..genes.panels import PANELS, TISSUES
from ..pp import align_reference, bulk_reference

#: Least share of the peaks of the data that a reference must have.
MIN_MATCHED = 0.01
_TYPE_COLUMNS = ("cell_type", "type", "label", "cluster", "celltype")
_GENE_COLUMNS = ("gene", "symbol", "gene_symbol", "gene_name", "marker")


def read_markers(
    markers: Mapping[str, Iterable[str]] | GeneSets | str | os.PathLike[str], genome: object
) -> dict[str, list[str]]:
    """Return type → genes of a dict, gene sets, a GMT file, a table, or a shipped panel.

    Raises
    ------
    FileNotFoundError
        If it is neither a file nor a shipped panel.
    ValueError
        If there are fewer than two types, a type has no gene, or a file cannot be read.
    TypeError
        If it is none of these.
    """
    if isinstance(markers, GeneSets):
        markers = markers.to_dict()
    if isinstance(markers, Mapping):
        sets = {str(kind): _listed(kind, genes) for kind, genes in markers.items()}
    elif isinstance(markers, (str, os.PathLike)):
        name = os.fspath(markers)
        if name in PANELS or name in TISSUES:
            sets = panel(name, species=_species(genome))
        elif Path(name).is_file():
            sets = _from_file(Path(name))
        else:
            msg = f"markers={name!r} is neither a file nor a shipped panel {list(PANELS)}"
            raise FileNotFoundError(msg)
    else:
        msg = f"markers must be a dict, a path or the name of a panel, got {type(markers).__name__}"
        raise TypeError(msg)
    if empty := [kind for kind, genes in sets.items() if not genes]:
        msg = f"markers: types without a gene: {empty[:5]}"
        raise ValueError(msg)
    if len(sets) < 2:
        msg = f"markers have {len(sets)} type(s) {list(sets)}: at least two are needed to tell them apart"
        raise ValueError(msg)
    return sets


def check_lineages(
    lineages: Mapping[str, Iterable[str]] | None, markers: object, genome: object
) -> dict[str, list[str]]:
    """Return lineage → types: those given, else those of a shipped panel, else none.

    Raises
    ------
    TypeError
        If they are not a dict of lists.
    """
    if lineages is None:
        name = os.fspath(markers) if isinstance(markers, (str, os.PathLike)) else ""
        known = name in PANELS or (name in TISSUES and _species(genome) is not None)
        return shipped_lineages(name, species=_species(genome)) if known else {}
    if not isinstance(lineages, Mapping):
        msg = f"lineages must be a dict lineage → types, got {type(lineages).__name__}"
        raise TypeError(msg)
    return {str(name): _listed(name, kinds, what="lineages", of="types") for name, kinds in lineages.items()}


def _listed(kind: object, genes: Iterable[str], *, what: str = "markers", of: str = "genes") -> list[str]:
    if isinstance(genes, (str, bytes)) or not isinstance(genes, Iterable):
        msg = f"{what}[{kind!r}] must be a list of {of}, got {genes!r:.80}"
        raise TypeError(msg)
    return list(dict.fromkeys(str(gene) for gene in genes))


def _species(genome: object) -> str | None:
    if isinstance(genome, str):
        return {"hg19": "human", "hg38": "human", "mm9": "mouse", "mm10": "mouse"}.get(genome)
    return None


def _from_file(path: Path) -> dict[str, list[str]]:
    """Return the types of a table with a header of cell_type and gene, or else of a GMT file."""
    with open_text(path) as handle:
        first = handle.readline().rstrip("\r\n")
    separator = "\t" if "\t" in first else ","
    header = [cell.strip().strip('"').lower() for cell in first.split(separator)]
    kind = next((c for c in _TYPE_COLUMNS if c in header), None)
    gene = next((c for c in _GENE_COLUMNS if c in header), None)
    if kind is None or gene is None:
        return read_gmt(path).to_dict()
    with open_text(path) as handle:
        table = pd.read_csv(handle, sep=separator, dtype=str, na_filter=False).set_axis(header, axis=1)
    rows = table[(table[kind] != "") & (table[gene] != "")]
    return {str(name): list(dict.fromkeys(part[gene])) for name, part in rows.groupby(kind, sort=False)}


def matched_reference(adata: AnnData, reference: Any) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Return a reference at the peaks that it shares with the data and that are open in any sample.

    Parameters
    ----------
    adata
        The data.
    reference
        AnnData samples × peaks, or DataFrame peaks × samples.

    Returns
    -------
    Values (samples × shared peaks), names of the samples, and the positions of these peaks in `adata`.

    Raises
    ------
    ValueError
        If there are fewer than two samples, or fewer than 1 % of the peaks are shared.
    """
    samples = bulk_reference(reference)
    names = [str(name) for name in samples.obs_names]
    if len(names) < 2:
        msg = f"reference has {len(names)} sample(s) {names}: at least two are needed"
        raise ValueError(msg)
    aligned = np.asarray(align_reference(samples, adata, min_matched=MIN_MATCHED).X, dtype=np.float64)
    columns = np.flatnonzero(aligned.any(axis=0))
    return aligned[:, columns], names, columns
