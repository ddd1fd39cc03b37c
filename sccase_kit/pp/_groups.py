"""Cells of known and frequent groups, as the cohorts of the scCASE paper."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._calls import record_step
from .._logging import logger
from .._validate import check_adata, check_key, check_list, check_number
from ._filter import _subset

#: Labels that stand for no label, in lower case.
UNKNOWN = ("unknown", "unk", "unassigned", "undefined", "na", "nan", "none", "")


@checked()
def filter_groups(
    adata: AnnData,
    groupby: str,
    *,
    min_share: float = 0.03,
    unknown: Sequence[str] = UNKNOWN,
    copy: bool = False,
) -> AnnData | None:
    """Keep the cells of groups that are known and not rare.

    Parameters
    ----------
    adata
        Cells × peaks.
    groupby
        Column of `adata.obs` with the groups.
    min_share
        Least share of all cells, those without a known group included, 0 to 1.
    unknown
        Labels of cells without a known group, whatever their case; cells without a label are always dropped.
    copy
        Return a filtered copy instead of cutting `adata`.

    Returns
    -------
    `None`, or the filtered copy (in memory). A categorical column loses the categories that are left without cells.
    What was dropped is logged, with its number of cells; the call is noted in ``uns["sccase_kit_steps"]``.

    Raises
    ------
    KeyError
        If the column is missing.
    ValueError
        If no group is left, or `adata` is backed and `copy` is False.

    Notes
    -----
    Tang et al. (2024), "Data collection and preprocessing": cell types that accounted for less than three percent of
    the total cells were discarded along with the unknown categories.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> sk.pp.filter_groups(adata, "cell_type", min_share=0.1)
    >>> bool((adata.obs["cell_type"].value_counts() >= 10).all())
    True
    """
    check_adata(adata)
    check_number(min_share, name="min_share", minimum=0, maximum=1)
    check_key(groupby, adata.obs.columns, name="groupby", where="adata.obs")
    unknown = [str(name) for name in check_list(unknown, name="unknown", what="names")]
    labels = adata.obs[groupby]
    text = labels.astype(object).where(labels.notna(), "").astype(str).str.strip()
    nameless = text.str.lower().isin({name.strip().lower() for name in unknown}) | (text == "")
    sizes = text[~nameless].value_counts()
    frequent = sizes.index[sizes >= min_share * adata.n_obs * (1 - 1e-12)]
    if not len(frequent):
        msg = f"groupby={groupby!r}: no group holds {min_share:.0%} of the {adata.n_obs} cells; the groups: "
        msg += f"{sizes.head(10).to_dict()}, and {int(nameless.sum())} cells without a known one"
        raise ValueError(msg)
    keep = text.isin(frequent) & ~nameless
    rare = sizes.drop(frequent)
    logger.info(
        "filter_groups: kept %d of %d cells; dropped %d without a known group and %s",
        *(keep.sum(), len(keep), nameless.sum(), rare.to_dict() or "no rare group"),
    )
    target = _subset(adata, keep.to_numpy(), axis="obs", copy=copy)
    if isinstance(target.obs[groupby].dtype, pd.CategoricalDtype):
        target.obs[groupby] = target.obs[groupby].cat.remove_unused_categories()
    own = None if tuple(unknown) == UNKNOWN else unknown
    record_step(target, "filter_groups", groupby=groupby, min_share=float(min_share), unknown=own)
    return target if copy else None
