"""Terms that say the same, because largely the same genes are behind them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

#: Share of the genes behind two terms, of those behind either, from which the terms say the same.
ALIKE = 0.5


def genes_behind(texts: Sequence[object]) -> list[frozenset[str]]:
    """Return the genes of every row of a column Genes (joined by commas or semicolons); none where there is no text."""
    return [
        frozenset(gene.strip() for gene in text.replace(";", ",").split(",") if gene.strip())
        if isinstance(text, str)
        else frozenset()
        for text in texts
    ]


def leaders(genes: Sequence[Collection[str]], *, least: float = ALIKE) -> np.ndarray:
    """Return, for every term, the position of the first term that says the same.

    Terms are taken in their order. One joins the first leader with which it shares at least `least` of the genes behind
    either (Jaccard index), else it leads. Terms without genes are alone.

    Parameters
    ----------
    genes
        Genes behind every term, the strongest term first.
    least
        Share from which terms say the same.

    Returns
    -------
    Array of shape (n_terms,) of positions; a term that leads has its own.
    """
    found = np.arange(len(genes))
    sets = [frozenset(part) for part in genes]
    first: list[int] = []
    for i, own in enumerate(sets):
        for j in first:
            shared = len(own & sets[j])
            if shared and shared >= least * (len(own) + len(sets[j]) - shared):
                found[i] = j
                break
        else:
            first.append(i)
    return found
