r"""The cells behind a name: profiles of groups and activities of cells at the fitted peaks, or at all measured peaks.

Peaks that the fit left out get factors from the fitted cells: of component k, the open cells of a peak weighted by
their memberships :math:`c_{ik}`, per open peak of these cells, :math:`p_{jk} = \sum_i c_{ik} x_{ij} / \sum_i c_{ik}
s_i` (one step of a KL-divergence factorisation from equal factors). All peaks get theirs so, for one scale.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .._calls import steps
from .._logging import warn
from .._validate import check_adata
from ..genes import cell_set_scores, factor_activity, group_pvalues
from ..genes.naming import gene_sums, gene_z
from ..get.thin import dense_matrix, factors, is_dense
from ..matrix.access import get_matrix
from ..matrix.blocks import iter_row_blocks


def matched_counts(adata: AnnData, counts: AnnData | str | os.PathLike[str]) -> AnnData:
    """Return the cells of `adata` in the counts of all peaks, given or read from a file, in the same order.

    Raises
    ------
    TypeError
        If `counts` is neither AnnData nor a path.
    ValueError
        If a cell is missing, or names of cells are not unique.
    """
    if isinstance(counts, (str, os.PathLike)):
        from ..io import read

        counts = read(counts)
    check_adata(counts, name="counts")
    for name, data in (("adata", adata), ("counts", counts)):
        if not data.obs_names.is_unique:
            msg = f"{name}.obs_names are not unique: cells cannot be matched by name; call obs_names_make_unique()"
            raise ValueError(msg)
    at = counts.obs_names.get_indexer(adata.obs_names)
    if (missing := adata.obs_names[at < 0]).size:
        msg = f"counts: {len(missing)} of the {adata.n_obs} cells are missing, e.g. {missing[:3].tolist()}; its cells "
        msg += f"are named like {counts.obs_names[:3].tolist()}. Give the data as they were before peaks were dropped"
        raise ValueError(msg)
    same = len(at) == counts.n_obs and bool((at == np.arange(len(at))).all())
    return counts if same else counts[at]


def warn_dropped(adata: AnnData, uncovered: int, n_genes: int) -> None:
    """Say that marker genes are in reach of no peak although peaks were dropped that may reach them."""
    if uncovered and any(function == "pp.filter_peaks" for function, _ in steps(adata.uns)):
        msg = f"{uncovered} of {n_genes} marker genes are in reach of no peak, but peaks were dropped before the fit: "
        warn(msg + "give the data before pp.filter_peaks as counts= (--counts) to score marker genes at all peaks")


def naming_factors(
    adata: AnnData, key: str, counts: AnnData | None = None, *, layer: str | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return cell and peak factors whose product is the accessibility by which groups are named.

    Parameters
    ----------
    adata
        Enhanced data.
    key
        The `key_added` of the fit.
    counts, layer
        Result of :func:`matched_counts` and its layer; `None` for the fitted peaks.

    Returns
    -------
    Arrays of shapes (n_cells, r) and (n_peaks, r).
    """
    dense = is_dense(adata, key)
    if counts is None:
        return (dense_matrix(adata, key, None), np.eye(adata.n_vars)) if dense else factors(adata, key=key)
    cells = np.asarray(adata.obsm[f"X_{key}"] if dense else factors(adata, key=key)[0], dtype=np.float64)
    cells = np.maximum(cells, 0)
    peaks, weight = np.zeros((counts.n_vars, cells.shape[1])), np.zeros(cells.shape[1])
    for rows, block in iter_row_blocks(get_matrix(counts, layer)):
        opens = (block > 0).astype(np.float64)
        peaks += opens.T @ cells[rows]
        weight += np.asarray(opens.sum(axis=1)).ravel() @ cells[rows]
    return cells, peaks / np.where(weight > 0, weight, 1)


def cell_pvalues(
    cells: np.ndarray,
    peaks: np.ndarray,
    opens: np.ndarray,
    weights: sparse.csr_matrix,
    members: Mapping[str, np.ndarray],
    *,
    codes: np.ndarray,
) -> np.ndarray:
    """Return the p-value of every type in every group against cells drawn at random, times the number of types.

    Parameters
    ----------
    cells, peaks
        Result of :func:`naming_factors`.
    opens
        Open cells by group and peak, shape (n_groups, n_peaks).
    weights
        Sparse, (n_peaks, n_genes).
    members
        Type → positions of its genes.
    codes
        0-based group of each cell.
    """
    scale, columns = float(opens.sum()) / max(len(codes), 1), weights.tocsc()
    parts = (factor_activity(cells, peaks, columns[:, part], scale=scale) for part in members.values())
    scores = np.column_stack([cell_set_scores(part) for part in parts])
    return np.minimum(group_pvalues(scores, codes, len(opens)) * len(members), 1.0)


def more_open(opens: np.ndarray, weights: sparse.csr_matrix) -> np.ndarray:
    """Return which genes are more open in which groups than in all cells at that depth, in the counts alone.

    Parameters
    ----------
    opens
        Open cells by group and peak, shape (n_groups, n_peaks).
    weights
        Sparse, (n_peaks, n_genes).

    Returns
    -------
    Booleans of shape (n_groups, n_genes).
    """
    return gene_z(opens.astype(np.float64), weights.tocsc(), opens.sum(axis=1, dtype=np.float64)) > 0


def listed_genes(
    tops: Mapping[str, Sequence[Sequence[int]]],
    genes: pd.DataFrame,
    places: pd.DataFrame,
    *,
    opens: np.ndarray,
    weights: sparse.csr_matrix,
) -> pd.DataFrame:
    """Return what speaks for the genes that a group is named by: how much more open they are, and by which peaks.

    Parameters
    ----------
    tops
        Positions of the genes of every group, in the order of the rows of `opens`; of those that rest on the same peaks
        a list.
    genes
        symbol and tss (0-based), one row per column of `weights`.
    places
        chrom, start, end of the peaks, one row per row of `weights`; a start of -1 where there is none.
    opens
        Open cells by group and peak, shape (n_groups, n_peaks).
    weights
        Sparse, (n_peaks, n_genes).

    Returns
    -------
    DataFrame, one row per group and gene: group, gene (several as "CD8A/CD8B"), fold (weighted open peaks over those
    expected at the group's depth), n_peaks (in reach), peak (the nearest of them) and distance (bases from it to the
    transcription start, 0 if it covers it).
    """
    used = sorted({int(part[0]) for top in tops.values() for part in top})
    columns = weights[:, used].tocsc().astype(np.float64)
    seen, expected = gene_sums(opens.astype(np.float64), columns, opens.sum(axis=1, dtype=np.float64))
    fold = seen / np.where(expected > 0, expected, np.nan)
    tss, symbols = genes["tss"].to_numpy(np.int64), genes["symbol"].to_numpy(dtype=object)
    rows = []
    for g, (group, top) in enumerate(tops.items()):
        for part in top:
            at = used.index(int(part[0]))
            row = {"group": group, "gene": "/".join(str(symbols[gene]) for gene in part), "fold": fold[g, at]}
            rows.append(row | nearest_in_reach(columns, at, places, int(tss[part[0]])))
    return pd.DataFrame(rows, columns=["group", "gene", "fold", "n_peaks", "peak", "distance"])


def nearest_in_reach(weights: sparse.csc_matrix, column: int, places: pd.DataFrame, tss: int) -> dict[str, Any]:
    """Return how many peaks have a weight for a gene, the nearest of them, and its distance from the start.

    Parameters
    ----------
    weights
        Sparse, (n_peaks, n_genes), by columns.
    column
        Position of the gene, which a peak reaches.
    places
        start and end of the peaks, one row per row of `weights`, under their names.
    tss
        Start of its transcription, 0-based.
    """
    reach = weights.indices[weights.indptr[column] : weights.indptr[column + 1]]
    start, end = (places[name].to_numpy()[reach].astype(np.int64) for name in ("start", "end"))
    far = np.maximum(np.maximum(start - tss, tss - end + 1), 0)
    return {"n_peaks": len(reach), "peak": str(places.index[reach[far.argmin()]]), "distance": int(far.min())}
