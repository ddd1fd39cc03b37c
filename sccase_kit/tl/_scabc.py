"""Cluster-specific peaks with scABC."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData

from .._adjust import benjamini_hochberg
from .._arguments import Numbers, checked
from .._calls import check_free
from .._labels import column_names
from .._logging import warn
from .._record import as_object, record
from .._validate import check_adata, check_choice, check_int, check_key, check_labels
from ..intervals.peaks import known_coordinates
from ..matrix.access import get_matrix, in_memory_copy, warn_of_fractions
from ..motifs.blocks import totals
from ..pp.loading import load_counts

_MEAN_DEPTH = 10.0


@checked()
def scabc(
    adata: AnnData,
    groupby: str,
    *,
    engine: Literal["python", "r"] = "python",
    source: Literal["counts", "enhanced"] = "counts",
    depth: str | np.ndarray | None = None,
    n_top: int = 1000,
    compat: bool = False,
    layer: str | None = None,
    key: str = "sccase",
    key_added: str = "scabc",
    copy: bool = False,
) -> AnnData | None:
    """Find peaks that are more open in one group than in every other, by scABC's Poisson regression.

    Parameters
    ----------
    adata
        Counts, cells × peaks; in memory or backed (``engine="r"`` reads them into memory).
    groupby
        Column of `adata.obs` with the groups.
    engine
        ``"python"``, or ``"r"``: the R package scABC on the same data (minutes for 1,000 peaks).
    source
        ``"counts"``, or ``"enhanced"``: the enhanced signal of :func:`sccase_kit.tl.enhance`, as the scCASE paper does
        (native engine only). Its cluster sums come from the thin factors. The enhanced signal is smooth, so the
        p-values serve to rank peaks; as error rates, those of the counts are meant.
    depth
        Background level of each cell: a column of `adata.obs` or shape (n_obs,); scABC takes the median count of the
        500 kb windows around the peaks. `None`: counts (or signal) of the cell, scaled to a mean of
        10, the level that the authors use without background. Cells with ``depth <= 0`` are left out.
    n_top
        Peaks per group in the table.
    compat
        Follow the R package step by step, see :func:`sccase_kit.motifs.scabc_pvalues`.
    layer
        Layer with the counts; `None` for `adata.X`.
    key
        The `key_added` of the fit, for ``source="enhanced"``.
    key_added
        Start of the keys written.
    copy
        Return a copy instead of writing into `adata`.

    Returns
    -------
    `None`, or the copy. Written (K groups):

    `varm[f"{key_added}_pvalues"]`, `varm[f"{key_added}_padj"]`
        DataFrame (n_vars × K), float64: largest p-value of the group against any other, raw and adjusted by
        Benjamini–Hochberg within the group. NaN for peaks without counts. A ``/`` in the name of a group, which files
        cannot have in a column's name, is written ``|``.
    `varm[f"{key_added}_beta"]`
        DataFrame (n_vars × K + 1), float64: log rates, the first column is the intercept.
    `uns[key_added]`
        ``params``; ``groups``; ``sigma`` (K,), the standard deviations of the prior; ``top``, DataFrame of the `n_top`
        peaks of each group by p-value: group, rank, peak, chrom, start, end (where known), pvalue, padj, beta.

    Raises
    ------
    KeyError
        If `groupby`, `depth` or `layer` is missing, or nothing was enhanced under `key`.
    ValueError
        If labels are missing or clash as text, counts are negative, the R engine is asked for the enhanced signal, or
        a group has no cell with depth or no reads.

    Notes
    -----
    Zamanighomi et al., Nature Communications 2018; R package scABC 0.99.0.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> sk.tl.scabc(adata, "cell_type", n_top=10)
    >>> adata.varm["scabc_pvalues"].shape == (adata.n_vars, adata.obs["cell_type"].nunique())
    True
    """
    check_adata(adata)
    check_free(adata, key_added, "tl.scabc")
    check_choice(engine, ["python", "r"], name="engine")
    n_top = check_int(n_top, name="n_top", minimum=1)
    labels = check_labels(adata, groupby, min_groups=2, text=True)
    names = list(labels.cat.categories)
    check_choice(source, ["counts", "enhanced"], name="source")
    if source == "enhanced":
        if engine == "r":
            msg = "engine='r' would need the dense enhanced matrix; use engine='python' with source='enhanced'"
            raise ValueError(msg)
        if layer is not None:
            warn("layer is ignored with source='enhanced'")
        result = _enhanced(adata, labels, depth, key, compat=compat)
    else:
        counts = get_matrix(adata, layer) if engine == "python" else load_counts(adata, layer)
        per_cell = totals(counts).per_cell
        warn_of_fractions(per_cell, adata, layer)
        level = _depth(adata, depth, per_cell)
        run = _python if engine == "python" else _r
        result = run(counts, level, labels, compat=compat)
    target = in_memory_copy(adata) if copy else adata
    index = target.var_names
    for name, table in (("pvalues", result["pvalues"]), ("padj", result["padj"])):
        target.varm[f"{key_added}_{name}"] = pd.DataFrame(table, index=index, columns=column_names(names))
    target.varm[f"{key_added}_beta"] = pd.DataFrame(result["beta"].T, index=index, columns=_beta_columns(names))
    params = {
        "groupby": groupby,
        "engine": engine,
        "source": source,
        "key": key if source == "enhanced" else None,
        "depth": depth if isinstance(depth, str) else as_object(depth),
        "compat": bool(compat),
        "layer": layer,
        "n_top": n_top,
    }
    found = {"groups": np.array(names, dtype=object), "sigma": np.asarray(result["sigma"])}
    found |= {"r_session": result["session"]} if engine == "r" else {}
    record(target, key_added, "tl.scabc", params=params, **found, top=_top(target, names, result, n_top))
    return target if copy else None


def _beta_columns(names: list[str]) -> list[str]:
    return ["(intercept)" if "intercept" in names else "intercept", *column_names(names)]


def _depth(adata: AnnData, depth: str | np.ndarray | None, total: np.ndarray) -> np.ndarray:
    if depth is None:
        if not total.any():
            msg = "adata holds no counts at all"
            raise ValueError(msg)
        return total * (_MEAN_DEPTH / total.mean())
    if isinstance(depth, str):
        key = check_key(depth, adata.obs.columns, name="depth", where="adata.obs")
        depth = adata.obs[key].to_numpy()
    return Numbers("cells", fit=False)(depth, "depth", {}).astype(np.float64)


def _python(counts: Any, depth: np.ndarray, labels: pd.Series, *, compat: bool) -> dict[str, Any]:
    from ..motifs import scabc_pvalues

    result = scabc_pvalues(counts, depth, labels, compat=compat)
    return {name: getattr(result, name) for name in ("pvalues", "padj", "beta", "sigma")}


def _enhanced(
    adata: AnnData, labels: pd.Series, depth: str | np.ndarray | None, key: str, *, compat: bool
) -> dict[str, Any]:
    """Test on the enhanced signal: its cluster sums are (indicator.T @ cells) @ peaks.T, K × rank × n_vars."""
    from ..get.thin import factors
    from ..motifs.scabc import scabc_from_sums

    cells, peaks = (np.asarray(factor, dtype=np.float64) for factor in factors(adata, key=key))
    level = _depth(adata, depth, cells @ peaks.sum(axis=0))
    if level.shape != (adata.n_obs,):
        msg = f"depth must have one value per cell ({adata.n_obs}), got shape {level.shape}"
        raise ValueError(msg)
    used = (level > 0)[:, None] * pd.get_dummies(labels).to_numpy(dtype=np.float64)
    result = scabc_from_sums(
        (used.T @ cells) @ peaks.T,
        used.T @ level,
        groups=list(labels.cat.categories),
        n_cells=used.sum(axis=0).astype(np.intp),
        compat=compat,
    )
    return {name: getattr(result, name) for name in ("pvalues", "padj", "beta", "sigma")}


def _r(counts: Any, depth: np.ndarray, labels: pd.Series, *, compat: bool) -> dict[str, Any]:
    from .. import r

    if compat:
        warn("compat=True is ignored with engine='r'")
    used = np.asarray(counts[depth > 0].sum(axis=0)).ravel() > 0
    if not used.all():
        warn(f"{int((~used).sum())} peak(s) without counts are left out, because the R package stops on them")
    raw = r.scabc(counts[:, np.flatnonzero(used)], depth, labels)
    pvalues = np.full((counts.shape[1], raw["pvalues"].shape[1]), np.nan)
    beta = np.full((pvalues.shape[1] + 1, counts.shape[1]), np.nan)
    pvalues[used], beta[:, used] = raw["pvalues"], raw["beta"]
    found = {"pvalues": pvalues, "padj": benjamini_hochberg(pvalues), "beta": beta, "sigma": np.asarray(raw["sigma"])}
    return found | {"session": raw["session"]}


def _top(adata: AnnData, names: list[str], result: dict[str, Any], n_top: int) -> pd.DataFrame:
    """Return the first peaks of each group by p-value; peaks without counts never appear."""
    places = known_coordinates(adata)
    parts = []
    for k, name in enumerate(names):
        pvalues = result["pvalues"][:, k]
        order = np.lexsort((-result["beta"][k + 1], pvalues))[: min(n_top, int(np.sum(~np.isnan(pvalues))))]
        part = pd.DataFrame({"group": name, "rank": np.arange(1, len(order) + 1), "peak": adata.var_names[order]})
        if places is not None:
            for column in places:
                part[column] = places[column].to_numpy()[order]
        part["pvalue"], part["padj"] = pvalues[order], result["padj"][order, k]
        part["beta"] = result["beta"][k + 1, order]
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
