"""Read gene activities of :func:`sccase_kit.tl.gene_activity`: scores of the genes and cells that are asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .._arguments import checked
from .._logging import warn
from .._record import Record, required
from .._validate import check_adata, check_some
from ..genes import count_activity, factor_activity
from ..intervals.gene_names import find_genes
from ..matrix.access import get_matrix
from ..matrix.blocks import iter_row_blocks
from .thin import Selector, check_fitted, dense_matrix, factors, is_dense, positions_of


@checked()
def gene_activity(
    adata: AnnData, genes: Iterable[str] | str, key: str = "gene_activity", *, obs_names: Selector = None
) -> AnnData:
    """Compute the activity of genes in cells, as an AnnData that scanpy's plots take.

    Parameters
    ----------
    adata
        Data with :func:`sccase_kit.tl.gene_activity` written; a subset of the cells works as well.
    genes
        Symbols or gene ids, in any case; ``"all"`` for every gene with a peak in reach (cells × genes in memory).
    key
        The `key_added` of the activities.
    obs_names
        Cells: names, a boolean mask, positions or a slice; `None` for all.

    Returns
    -------
    AnnData cells × genes: `X` (float32) is log1p of the gene's share of the cell's accessibility, times the open peaks
    of the median cell; `obs`, two-dimensional `obsm` layouts and colours of `adata`; `var` the gene table, indexed by
    symbol.

    Raises
    ------
    KeyError
        If there are no activities under `key`, the fit or the counts are gone, or a gene is not in the annotation.
    ValueError
        If the peaks were cut since, or `genes` is empty.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> study = sk.datasets.toy_study(n_cells=100, n_peaks=500)
    >>> planted = study.genes[study.genes["specific_to"] != ""]
    >>> sk.tl.gene_activity(study.adata, planted, source="counts")
    >>> sk.get.gene_activity(study.adata, planted["symbol"][:2]).n_vars
    2
    """
    check_adata(adata)
    entry = required(adata, key, "tl.gene_activity")
    weights = _weights(adata, key, entry)
    table: pd.DataFrame = entry.results["genes"]
    n_peaks = table["n_peaks"].to_numpy()
    if isinstance(genes, str) and genes == "all":
        columns = np.flatnonzero(n_peaks > 0)
    else:
        wanted = find_genes(table, check_some(genes, name="genes"))
        columns = pd.unique(wanted)
        if closed := [str(table["symbol"].iloc[at]) for at in columns if n_peaks[at] == 0]:
            warn(f"{len(closed)} of {len(columns)} genes have no peak in reach and are 0 in every cell: {closed[:10]}")
    rows = np.arange(adata.n_obs)[positions_of(obs_names, adata.obs_names, name="obs_names")]
    part = weights[:, columns]
    values = _activity(adata, part, rows, entry)
    var = table.iloc[columns].copy()
    names = var["symbol"].astype(str)
    again = names.duplicated()
    var.index = pd.Index(names.where(~again, names + "_" + var["gene_id"].astype(str)).to_numpy(dtype=object))
    layouts = {name: np.asarray(adata.obsm[name])[rows] for name in adata.obsm if name.startswith("X_")}
    colors = {name: adata.uns[name] for name in adata.uns if name.endswith("_colors")}
    return AnnData(values, obs=adata.obs.iloc[rows].copy(), var=var, obsm=layouts, uns=colors)


def _weights(adata: AnnData, key: str, entry: Record) -> sparse.csc_matrix:
    if adata.n_vars != int(entry.results["n_vars"]) or key not in adata.varm:
        msg = f"key={key!r}: the activities were prepared with {int(entry.results['n_vars'])} peaks, adata has "
        msg += f"{adata.n_vars}; run sccase_kit.tl.gene_activity again, or cut the peaks afterwards"
        raise ValueError(msg)
    return sparse.csc_matrix(adata.varm[key])


def _activity(adata: AnnData, weights: sparse.csc_matrix, rows: np.ndarray, entry: Record) -> np.ndarray:
    """Return the activities of the wanted cells, float32."""
    given: dict[str, Any] = entry.params
    scale, key = float(entry.results["scale"]), str(given["key"])
    if given["source"] == "enhanced":
        if is_dense(adata, key):
            return factor_activity(dense_matrix(adata, key, None)[rows], np.eye(adata.n_vars), weights, scale=scale)
        cells, peaks = factors(adata, key=key)
        return factor_activity(cells[rows], peaks, weights, scale=scale)
    layer = given.get("layer")
    if layer is None and key in adata.uns:
        check_fitted(adata, key)
        layer = required(adata, key, "tl.enhance").params.get("layer")
    out = np.empty((adata.n_obs, weights.shape[1]), dtype=np.float32)
    for block_rows, block in iter_row_blocks(get_matrix(adata, layer)):
        out[block_rows] = count_activity(block, weights, scale=scale)
    return out[rows]
