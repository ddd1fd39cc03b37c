"""Background peaks of an enhanced AnnData, and specific peaks against a differential test."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._calls import check_free
from .._record import record, required
from .._validate import check_choice, check_int, check_key, check_labels
from ..get.thin import check_fitted
from ..matrix.access import in_memory_copy
from ..peaks import background_positions, variation
from ..peaks.episcanpy import import_episcanpy
from ..pp.loading import load_counts
from ._group_opens import mean_profiles
from ._specific_peaks import coordinates


@checked()
def background_peaks(
    adata: AnnData,
    *,
    n_top: int = 1000,
    groupby: str | None = None,
    key: str = "sccase",
    key_added: str = "background_peaks",
    copy: bool = False,
) -> AnnData | None:
    """Find peaks without specificity: their mean projection coefficient is closest to the mean of the matrix.

    Parameters
    ----------
    adata
        Data enhanced by :func:`sccase_kit.tl.enhance`.
    n_top
        Number of peaks.
    groupby
        Column of `adata.obs` with groups: take only peaks of the half that varies least between their mean enhanced
        profiles. By the paper's rule alone (`None`), many peaks of single groups, whose mean coefficients are average,
        are taken for background in studies with few groups.
    key
        The `key_added` of the fit.
    key_added
        Key in `adata.uns`.
    copy
        Return a copy instead of writing into `adata`.

    Returns
    -------
    `None`, or the copy. Written: `uns[key_added]` with ``peaks`` (DataFrame: chrom, start, end where known, peak, rank,
    coefficient, the mean over components) and ``params``.

    Raises
    ------
    KeyError
        If `adata` was not enhanced under `key`, or `groupby` is missing.
    ValueError
        If there are fewer than two groups, or cells without label.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> sk.tl.enhance(adata)
    >>> sk.tl.background_peaks(adata, n_top=20)
    >>> len(adata.uns["background_peaks"]["peaks"])
    20
    """
    check_fitted(adata, key)
    check_free(adata, key_added, "tl.background_peaks")
    slot = check_key(f"{key}_projection", adata.varm.keys(), name="key", where="adata.varm")
    projection = np.asarray(adata.varm[slot])
    n_top = check_int(n_top, name="n_top", minimum=1)
    positions = background_positions(projection, adata.n_vars)
    if groupby is not None:
        labels = check_labels(adata, groupby, min_groups=2)
        profiles = mean_profiles(adata, labels.cat.codes.to_numpy(), len(labels.cat.categories), key=key)
        varies = variation(profiles)
        positions = positions[varies[positions] <= np.median(varies)]
    positions = positions[:n_top]
    table = coordinates(adata, positions)
    table["rank"] = np.arange(1, len(positions) + 1)
    table["coefficient"] = projection[positions].mean(axis=1, dtype=np.float64)
    target = in_memory_copy(adata) if copy else adata
    params = {"n_top": n_top, "groupby": groupby, "key": key}
    record(target, key_added, "tl.background_peaks", params=params, peaks=table)
    return target if copy else None


@checked()
def compare_specific_peaks(
    adata: AnnData,
    *,
    method: Literal["wilcoxon", "logreg", "episcanpy"] = "wilcoxon",
    detail: Literal["groups", "peaks"] = "groups",
    layer: str | None = None,
    key: str = "specific_peaks",
) -> pd.DataFrame:
    """Compare the specific peaks with those of a differential test on the raw counts.

    Parameters
    ----------
    adata
        Data with :func:`specific_peaks` written; nothing is changed.
    method
        Test on counts brought to equal depth and log1p, each group against the rest: ``"wilcoxon"`` (rank-sum) and
        ``"logreg"`` (logistic regression) by :func:`scanpy.tl.rank_genes_groups`, ``"episcanpy"`` (t-test) by
        EpiScanpy's ``tl.rank_features``, as in the scCASE paper.
    detail
        ``"groups"``: a row per group. ``"peaks"``: a row per group and peak that is among either's first n.
    layer
        Layer with the counts; `None` for `adata.X`.
    key
        The `key_added` of the specific peaks.

    Returns
    -------
    DataFrame, one row per group: group, n (specific peaks), overlap with the first n of the test, expected (overlap of
    random sets), jaccard. With ``detail="peaks"``: chrom, start, end (where known), peak, group, rank (of the specific
    peaks; NaN for those of the test alone), rank_test (from 1, of all peaks), score_test (of the test), specific and
    test (bool: among the first n of each), first the specific peaks by rank, then the others by the test's.

    Raises
    ------
    ImportError
        If EpiScanpy is asked for and not installed (extra ``episcanpy``).
    KeyError
        If `key` or `layer` is missing.
    ValueError
        If `method` is unknown or counts are negative.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=600, n_peaks=1000).adata
    >>> sk.tl.enhance(adata, batch_key="batch")
    >>> sk.tl.specific_peaks(adata, "cell_type", n_top=10)
    >>> len(sk.tl.compare_specific_peaks(adata)) == adata.obs["cell_type"].nunique()
    True
    """
    import scanpy as sc

    check_choice(method, ["wilcoxon", "logreg", "episcanpy"], name="method")
    check_choice(detail, ["groups", "peaks"], name="detail")
    episcanpy = import_episcanpy() if method == "episcanpy" else None
    stored = required(adata, key, "tl.specific_peaks")
    groups = check_labels(adata, stored.params["groupby"], min_groups=2, text=True)
    counts = load_counts(adata, layer).astype(np.float32)
    raw = AnnData(counts, obs=pd.DataFrame({"group": groups.array}, index=adata.obs_names.astype(str)))
    raw.var_names = np.arange(adata.n_vars).astype(str)
    sc.pp.normalize_total(raw)
    sc.pp.log1p(raw)
    if episcanpy is None:
        sc.tl.rank_genes_groups(raw, "group", method=method)
        found = raw.uns["rank_genes_groups"]
    else:
        # Its `method` argument fails and its default asks for `.raw`: the t-test of the default is what runs.
        episcanpy.tl.rank_features(raw, "group", omic="ATAC", use_raw=False, n_features=raw.n_vars)
        found = raw.uns["rank_features_groups"]
    rows, tables, peaks = [], [], stored.results["peaks"]
    for name in groups.cat.categories:
        own = peaks.loc[(peaks["group"] == name).to_numpy(), "peak"]
        order = np.asarray(found["names"][name], dtype=np.intp)
        other = adata.var_names[order[: len(own)]]
        if detail == "peaks":
            tables.append(_peaks_of_both(adata, name, own, order, np.asarray(found["scores"][name], dtype=float)))
        n, overlap = len(own), len(set(own) & set(other))
        rows.append(
            {
                "group": name,
                "n": n,
                "overlap": overlap,
                "expected": n * n / adata.n_vars,
                "jaccard": overlap / (2 * n - overlap) if n else np.nan,
            }
        )
    return pd.concat(tables, ignore_index=True) if detail == "peaks" else pd.DataFrame(rows)


def _peaks_of_both(adata: AnnData, name: str, own: pd.Series, order: np.ndarray, scores: np.ndarray) -> pd.DataFrame:
    """Return the specific peaks of a group, and the first of a test that are not among them.

    Parameters
    ----------
    adata
        The data.
    name
        The group.
    own
        Names of its specific peaks, by rank.
    order, scores
        Positions of all peaks by the rank of the test, and the test's score of each.
    """
    place = np.empty(adata.n_vars, dtype=np.intp)
    place[order] = np.arange(adata.n_vars)
    specific = adata.var_names.get_indexer(pd.Index(own))
    first = order[: len(own)]
    positions = np.concatenate([specific, first[~np.isin(first, specific)]])
    table = coordinates(adata, positions)
    table["group"] = name
    rank = np.arange(1, len(positions) + 1)
    table["rank"] = np.where(rank <= len(own), rank, np.nan)
    table["rank_test"], table["score_test"] = place[positions] + 1, scores[place[positions]]
    table["specific"], table["test"] = rank <= len(own), place[positions] < len(own)
    return table


def _projection(adata: AnnData, key: str) -> np.ndarray:
    slot = check_key(f"{key}_projection", adata.varm.keys(), name="key", where="adata.varm")
    return np.asarray(adata.varm[slot])
