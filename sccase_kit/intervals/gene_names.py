"""Genes by the names that users write: symbols in any case, ids with or without a version."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

import numpy as np
import pandas as pd


def gene_positions(genes: pd.DataFrame, names: Iterable[str]) -> np.ndarray:
    """Return the rows of genes by symbol, gene id (of several joined by commas any one, the version left out) or case.

    Parameters
    ----------
    genes
        symbol and gene_id, as :func:`sccase_kit.regions.tss_table` returns them. Of rows with the same name, the first
        counts.
    names
        Names to look up.

    Returns
    -------
    Positions, shape (n_names,), intp; -1 where there is no such gene.
    """
    wanted = [str(name) for name in names]
    known: dict[str, int] = {}
    for at, (symbol, ids) in enumerate(zip(genes["symbol"], genes["gene_id"], strict=True)):
        known.setdefault(str(symbol), at)
        for ident in str(ids).split(","):
            known.setdefault(ident, at)
            known.setdefault(ident.split(".")[0], at)
    upper: dict[str, int] = {}
    for name, at in known.items():
        upper.setdefault(name.upper(), at)
    found = [known.get(n, known.get(n.split(".")[0], upper.get(n.upper(), -1))) for n in wanted]
    return np.array(found, dtype=np.intp)


def find_genes(genes: pd.DataFrame, names: Iterable[str], *, name: str = "genes") -> np.ndarray:
    """Return the rows of genes, see :func:`gene_positions`.

    Raises
    ------
    KeyError
        If a gene is not in the table; it names similar ones.
    """
    wanted = [str(value) for value in names]
    found = gene_positions(genes, wanted)
    if (found < 0).any():
        missing = [value for value, at in zip(wanted, found, strict=True) if at < 0]
        symbols = {str(symbol).upper(): str(symbol) for symbol in genes["symbol"]}
        near = [symbols[match] for match in get_close_matches(missing[0].upper(), symbols, n=3, cutoff=0.6)]
        hint = f"; similar to {missing[0]!r}: {near}" if near else ""
        first = genes["symbol"].iloc[:3].tolist()
        msg = f"{name}: {len(missing)} of {len(wanted)} are not among the {len(genes)} genes of the annotation "
        msg += f"({missing[:5]}){hint}. Its names look like {first}; genes of another species, or an alias?"
        raise KeyError(msg)
    return found
