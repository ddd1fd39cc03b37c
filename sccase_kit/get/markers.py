"""Read marker peaks of :func:`sccase_kit.tl.specific_peaks` as a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._record import required
from .._validate import check_adata, check_choice, check_number, check_some

#: Our columns → those of scanpy's `get.rank_genes_groups_df`.
SCANPY = {"peak": "names", "score": "scores", "log2fc": "logfoldchanges", "pvalue": "pvals", "padj": "pvals_adj"}


@checked()
def specific_peaks(
    adata: AnnData,
    group: str | Iterable[str] | None = None,
    *,
    max_padj: float | None = None,
    min_log2fc: float | None = None,
    columns: Literal["own", "scanpy"] = "own",
    key: str = "specific_peaks",
) -> pd.DataFrame:
    """Return the marker peaks of one, some or all groups as a DataFrame, as scanpy's `get.rank_genes_groups_df` does.

    Parameters
    ----------
    adata
        Data with :func:`sccase_kit.tl.specific_peaks` written.
    group
        Group or groups; `None` for all.
    max_padj, min_log2fc
        Leave out peaks with a larger adjusted p-value, or a smaller log2 fold change of the counts.
    columns
        ``"own"``: as they are stored; ``"scanpy"``: group, names, scores, logfoldchanges, pvals, pvals_adj,
        pct_nz_group, pct_nz_reference.
    key
        The `key_added` of the peaks.

    Returns
    -------
    DataFrame, by group and rank, with a new index.

    Raises
    ------
    KeyError
        If there are no marker peaks under `key`.
    ValueError
        If a group is unknown, or an argument is out of range.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=600, n_peaks=1000).adata
    >>> sk.tl.enhance(adata)
    >>> sk.tl.specific_peaks(adata, "cell_type", n_top=10)
    >>> sk.get.specific_peaks(adata, "type_1", columns="scanpy").columns[:3].tolist()
    ['group', 'names', 'scores']
    """
    check_adata(adata)
    check_choice(columns, ["own", "scanpy"], name="columns")
    entry = required(adata, key, "tl.specific_peaks")
    table: pd.DataFrame = entry.results["peaks"]
    keep = pd.Series(np.ones(len(table), dtype=bool), index=table.index)
    if group is not None:
        groups = entry.results.get("groups", table)["group"].astype(str).unique().tolist()
        wanted = [str(name) for name in check_some(group, name="group")]
        for name in wanted:
            check_choice(name, groups, name="group")
        keep &= table["group"].astype(str).isin(wanted)
    if max_padj is not None:
        keep &= table["padj"] <= check_number(max_padj, name="max_padj", minimum=0, maximum=1)
    if min_log2fc is not None:
        keep &= table["log2fc"] >= check_number(min_log2fc, name="min_log2fc")
    table = table[keep].reset_index(drop=True)
    if columns == "own":
        return table
    table = table.rename(columns=SCANPY | {"pct_in": "pct_nz_group", "pct_out": "pct_nz_reference"})
    return table[["group", *SCANPY.values(), "pct_nz_group", "pct_nz_reference"]]
