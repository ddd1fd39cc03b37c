"""Which members of a family of factors fit their motif: deviations against the activity of the factor's gene."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse
from scipy.cluster.hierarchy import fcluster, linkage

from .._arguments import checked
from .._labels import column_name
from .._logging import warn
from .._record import recorded
from .._validate import check_adata, check_int, check_key, check_number
from ..get.chromvar import read_deviations
from ..get.genes import gene_activity
from ..matrix.access import get_matrix
from ..neighbors.pools import neighbor_pools

_SHOWN = 5
_ROUNDING = 1e-9
_TAIL = re.compile(r"(\(var\.\d+\)|[ _]MA\d+.*|[ |/(].*)$", re.IGNORECASE)


@checked()
def motif_genes(
    adata: AnnData,
    genes: AnnData | str = "gene_activity",
    *,
    sets: Sequence[str] | None = None,
    use_rep: str = "X_sccase",
    n_pools: int = 200,
    pool_size: int = 50,
    same_family: float = 0.8,
    key: str = "chromvar",
    motifs_key: str = "motifs",
    rng: int | np.random.Generator | None = 0,
) -> pd.DataFrame:
    """Correlate the deviations of every motif with the activity of its factor's gene, to tell family members apart.

    Factors of a family share a motif, so their deviations say the same; which of them is there, the gene tells. Cells
    are pooled with their nearest ones first, because one cell has too few reads for either (as ArchR does).

    Parameters
    ----------
    adata
        Data with :func:`sccase_kit.tl.chromvar` of motifs written; nothing is changed.
    genes
        Key of :func:`sccase_kit.tl.gene_activity`; or an AnnData of the same cells × genes (symbols as `var_names`),
        such as measured expression, log-normalised.
    sets
        Names of the motifs; all by default.
    use_rep
        Key of `obsm` with the embedding that pools are made on.
    n_pools
        Random cells, each with its nearest ones.
    pool_size
        Cells per pool.
    same_family
        Families are joined while the pooled deviations of their motifs correlate by at least so much on average.
    key
        The `key_added` of the deviations.
    motifs_key
        The `key_added` of :func:`sccase_kit.tl.match_motifs`, for the names of the factors; names of sets otherwise.
    rng
        Seed or generator of the pools.

    Returns
    -------
    DataFrame, one row per motif and gene (dimers such as TAL1::GATA1 have two), best first: set, gene, correlation
    (Pearson over pools; NaN where the gene is never active), deviation_range (largest less smallest pooled deviation
    z), family (number of the family), rank_in_family (1 is the member whose gene fits best). There is no p-value: pools
    share cells.

    Raises
    ------
    KeyError
        If deviations, gene activities, the embedding or a set are missing.
    ValueError
        If no factor has a gene in `genes`, or cells differ.

    References
    ----------
    Granja et al., Nature Genetics 2021 (ArchR, "positive regulators").
    """
    check_adata(adata)
    values, names = read_deviations(adata, key, "z")
    check_key(use_rep, adata.obsm.keys(), name="use_rep", where="adata.obsm")
    n_pools = check_int(n_pools, name="n_pools", minimum=3)
    pool_size = check_int(pool_size, name="pool_size", minimum=1)
    same_family = check_number(same_family, name="same_family", minimum=-1, maximum=1)
    chosen = list(names) if sets is None else [sets] if isinstance(sets, str) else [str(name) for name in sets]
    if unknown := [name for name in chosen if name not in names]:
        msg = f"sets: {unknown[:_SHOWN]} are not among the sets of {key!r}, such as {list(names[:_SHOWN])}"
        raise KeyError(msg)
    rows = [(name, gene) for name in chosen for gene in factor_genes(adata, name, motifs_key)]
    known = _known(adata, genes, [gene for _, gene in rows])
    if not known:
        shown = list(dict.fromkeys(gene for _, gene in rows))[:_SHOWN]
        msg = f"no factor of the motifs has a gene in genes (looked for {shown}); same species?"
        raise ValueError(msg)
    if lost := len({gene for _, gene in rows if gene.upper() not in known}):
        warn(f"{lost} factor(s) have no gene in genes; their correlation is NaN")
    pools = neighbor_pools(np.asarray(adata.obsm[use_rep], dtype=np.float32), n_pools, pool_size, rng)
    active = _activity(adata, genes, list(known.values()))
    pooled_genes = dict(zip(known, (pools @ active).T, strict=True))
    columns = [list(names).index(name) for name in chosen]
    finite = np.isfinite(values[:, columns])
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled = (pools @ np.where(finite, values[:, columns], 0)) / (pools @ finite.astype(np.float64))
    place = {name: k for k, name in enumerate(chosen)}
    table = pd.DataFrame(rows, columns=["set", "gene"])
    table["correlation"] = [
        _pearson(pooled[:, place[name]], pooled_genes[gene.upper()]) if gene.upper() in known else np.nan
        for name, gene in rows
    ]
    spread = np.nanmax(pooled, axis=0, initial=-np.inf) - np.nanmin(pooled, axis=0, initial=np.inf)
    table["deviation_range"] = [float(spread[place[name]]) for name, _ in rows]
    family = _families(pooled, same_family)
    table["family"] = [int(family[place[name]]) for name, _ in rows]
    ranks = table.groupby("family")["correlation"].rank(ascending=False, method="first", na_option="bottom")
    table["rank_in_family"] = ranks.astype(np.int64)
    return table.sort_values("correlation", ascending=False, kind="stable", na_position="last", ignore_index=True)


def factor_genes(adata: AnnData, name: str, motifs_key: str) -> list[str]:
    """Return the genes of the factors of a motif: what match_motifs kept, else the name of the set."""
    found = recorded(adata.uns.get(motifs_key), "tl.match_motifs")
    text = name
    if found is not None:
        labels = [column_name(label) for label in found.results["names"]]
        if name in labels:
            text = str(found.results["tf"][labels.index(name)])
    parts = [_TAIL.sub("", part.strip()) for part in text.split("::")]
    return list(dict.fromkeys(part for part in parts if part))


def _known(adata: AnnData, genes: AnnData | str, wanted: list[str]) -> dict[str, str]:
    """Return, for every wanted gene that is there: its symbol in capitals → its name in `genes`."""
    if isinstance(genes, AnnData):
        if not genes.obs_names.equals(adata.obs_names):
            msg = "genes must have the cells of adata, in the same order"
            raise ValueError(msg)
        listed = [str(name) for name in genes.var_names]
    else:
        check_key(
            genes, adata.uns.keys(), name="genes", where="adata.uns", hint="Run sccase_kit.tl.gene_activity first."
        )
        table = adata.uns[genes]["genes"]
        listed = [str(name) for name in table["symbol"][table["n_peaks"].to_numpy() > 0]]
    there = {name.upper(): name for name in reversed(listed)}
    return {gene.upper(): there[gene.upper()] for gene in wanted if gene.upper() in there}


def _activity(adata: AnnData, genes: AnnData | str, wanted: list[str]) -> np.ndarray:
    if isinstance(genes, AnnData):
        columns = genes.var_names.get_indexer_for(wanted)
        part = get_matrix(genes, None)[:, columns]
    else:
        part = gene_activity(adata, wanted, genes).X
    return np.asarray(part.toarray() if sparse.issparse(part) else part, dtype=np.float64)


def _pearson(x: np.ndarray, y: np.ndarray) -> float:
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    if known.sum() < 3 or x.std() == 0 or y.std() == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def _families(pooled: np.ndarray, same_family: float) -> np.ndarray:
    """Return the number of the family of every motif, the largest family 0."""
    labels = np.zeros(pooled.shape[1], dtype=np.int64)
    if len(labels) > 1:
        filled = np.where(np.isfinite(pooled), pooled, 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            apart = 1 - np.nan_to_num(np.corrcoef(filled, rowvar=False))
        pairs = apart[np.triu_indices(len(labels), k=1)]
        labels = fcluster(linkage(pairs, "average"), 1 - same_family + _ROUNDING, "distance") - 1
    order = np.argsort(-np.bincount(labels), kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank[labels]
