r"""How sure a name is: resampled marker genes, coarser names for several types, and a test on the cells.

**Support.** The marker genes of every type are drawn again, with replacement; the support of a type is the share of the
draws in which it scores highest. Where two related types compete (a B cell and its precursor), none has much support,
but their lineage has: its support is the sum of its types'. The name of a group is the best type if its support is
enough, else the smallest lineage that holds it and has enough.

**Cells.** A cell's score of a set is the sum over its genes of the enhanced activities, each standardised over all
cells. Under groups drawn at random, the sum of a score of variance :math:`s^2` over g of N cells has variance
:math:`s^2 g (N - g) / (N - 1)`. Types that fall into groups in unequal numbers by chance are in this variance, which a
Poisson model of the counts of a group leaves out. Clusters found from the same counts are no random groups: nearly
all pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import scipy
from scipy import sparse

from .._arguments import Generator, Named, Number, Numbers, Text, Whole, checked
from .naming import HIGHEST, LOWEST


@checked(
    genes=Numbers("groups genes", empty=False),
    sets=Named("positions of genes", Numbers("genes", whole=True, fit=False)),
    n_random=Whole(1),
    rng=Generator(),
)
def set_support(
    genes: np.ndarray, sets: Mapping[str, np.ndarray], *, n_random: int = 500, rng: np.random.Generator
) -> np.ndarray:
    """Return how often every set scores highest in a group when the genes of all sets are drawn again.

    Parameters
    ----------
    genes
        Result of :func:`gene_scores`, shape (n_groups, n_genes).
    sets
        Name → positions of its genes; those that are NaN do not count.
    n_random
        Draws.
    rng
        Their generator.

    Returns
    -------
    Array of shape (n_groups, n_sets), float64; rows sum to 1, or to 0 where no set has a gene.
    """
    known = np.isfinite(genes).all(axis=0)
    cut = np.clip(genes, LOWEST, HIGHEST)
    scores = np.full((n_random, len(genes), len(sets)), -np.inf)
    for s, positions in enumerate(sets.values()):
        own = positions[known[positions]]
        if len(own):
            drawn = rng.choice(own, size=(n_random, len(own)))
            scores[:, :, s] = cut[:, drawn].sum(axis=2).T / np.sqrt(len(own))
    out = np.zeros((len(genes), len(sets)))
    if not np.isfinite(scores).any():
        return out
    best = scores.argmax(axis=2)
    for g in range(len(genes)):
        out[g] = np.bincount(best[:, g], minlength=len(sets)) / n_random
    return out


@checked(best=Text(), support=Named("numbers", Number()), lineages=Named("lists of types"), min_support=Number())
def smallest_lineage(
    best: str, support: Mapping[str, float], lineages: Mapping[str, Iterable[str]], *, min_support: float
) -> tuple[str, float]:
    """Return the narrowest lineage of a type that has enough support.

    Parameters
    ----------
    best
        Type that scores highest.
    support
        Type → support.
    lineages
        Name → its types; types without a support count 0. Of lineages of the same size, the one with more support.
    min_support
        Least support of a name.

    Returns
    -------
    Name, and its support (the sum over its types); "" with the support of `best` where none has enough.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> support = {"B cell": 0.5, "Pre-B": 0.45, "NK cell": 0.05}
    >>> sk.genes.smallest_lineage("B cell", support, {"B lineage": ["Pre-B", "B cell"]}, min_support=0.8)
    ('B lineage', 0.95)
    """
    found = []
    for name, members in lineages.items():
        kinds = [kind for kind in dict.fromkeys(members) if kind in support]
        total = float(sum(support[kind] for kind in kinds))
        if best in kinds and len(kinds) > 1 and total >= min_support:
            found.append((len(kinds), -total, name))
    if not found:
        return "", float(support.get(best, 0.0))
    _, total, name = min(found)
    return name, min(-total, 1.0)


@checked(activity=Numbers("cells genes"))
def cell_set_scores(activity: np.ndarray) -> np.ndarray:
    """Return the score of a set in every cell: its genes' activities, each standardised over the cells, summed.

    Parameters
    ----------
    activity
        Activities of the genes of the set, shape (n_cells, n_genes); see :func:`factor_activity`.

    Returns
    -------
    Array of shape (n_cells,), float64; genes that do not vary count 0.
    """
    values = np.asarray(activity, dtype=np.float64)
    spread = values.std(axis=0)
    varies = spread > 1e-9 * np.maximum(np.abs(values).max(axis=0, initial=0.0), 1e-300)
    return np.asarray(((values - values.mean(axis=0)) * (varies / np.where(varies, spread, 1))).sum(axis=1))


@checked(scores=Numbers("cells sets"), codes=Numbers("cells", whole=True), n_groups=Whole(1))
def group_pvalues(scores: np.ndarray, codes: np.ndarray, n_groups: int) -> np.ndarray:
    """Test whether scores are higher in a group than in as many cells drawn at random (normal approximation).

    Parameters
    ----------
    scores
        Any scores of the cells, shape (n_cells, n_sets); see :func:`cell_set_scores`.
    codes
        0-based group of each cell, shape (n_cells,).
    n_groups
        Number of groups.

    Returns
    -------
    One-sided p-values, shape (n_groups, n_sets); 1 where the scores do not vary or a group holds all cells.
    """
    n_cells = len(codes)
    member = sparse.csr_matrix((np.ones(n_cells), (codes, np.arange(n_cells))), shape=(n_groups, n_cells))
    size = np.bincount(codes, minlength=n_groups).astype(np.float64)
    excess = member @ (scores - scores.mean(axis=0))
    variance = np.outer(size * (n_cells - size) / max(n_cells - 1, 1), scores.var(axis=0))
    known = variance > 1e-12 * max(float(variance.max(initial=0.0)), 1e-300)
    return np.where(known, scipy.stats.norm.sf(excess / np.sqrt(np.where(known, variance, 1))), 1.0)
