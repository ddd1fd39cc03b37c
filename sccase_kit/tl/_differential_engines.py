"""Tests of pseudo-bulk counts, one function per engine with the same columns."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd

from .. import r
from .._optional import import_optional
from ..peaks.designs import Design

#: Columns of every engine, in order.
COLUMNS = ["log2fc", "lfc_se", "stat", "pvalue", "padj", "base_mean"]


def pydeseq2(counts: np.ndarray, design: Design) -> list[pd.DataFrame]:
    """Test with PyDESeq2: Wald tests of negative binomial models, independent filtering, outliers by Cook's distance.

    Parameters
    ----------
    counts
        Whole counts, shape (n_samples, n_peaks).
    design
        Design with one row per sample.

    Returns
    -------
    One DataFrame per contrast, rows as the peaks, columns :data:`COLUMNS`.
    """
    dds_module = import_optional("pydeseq2.dds", extra="da")
    ds_module = import_optional("pydeseq2.ds", extra="da")
    names = [f"s{i}" for i in range(len(counts))]
    peaks = [f"p{j}" for j in range(counts.shape[1])]
    frame = pd.DataFrame(counts.astype(np.int64), index=names, columns=peaks)
    matrix = design.matrix.set_axis(names)
    matrix.columns = [f"c{k}" for k in range(matrix.shape[1])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its trend curve, and of pandas and anndata about its own code
        model = dds_module.DeseqDataSet(
            counts=frame, metadata=pd.DataFrame(index=names), design=matrix, quiet=True, n_cpus=1
        )
        model.deseq2()
        tables = []
        for contrast in design.contrasts:
            stats = ds_module.DeseqStats(model, contrast=contrast, quiet=True, n_cpus=1)
            stats.summary()
            result = stats.results_df
            columns = ["log2FoldChange", "lfcSE", "stat", "pvalue", "padj", "baseMean"]
            tables.append(result[columns].set_axis(COLUMNS, axis=1).reset_index(drop=True))
    return tables


def edger(counts: np.ndarray, design: Design) -> list[pd.DataFrame]:
    """Test with edgeR in R: quasi-likelihood F tests; `stat` is F, and there is no `lfc_se`. See :func:`pydeseq2`."""
    return _tables(r.edger(counts, design.matrix.to_numpy(), design.contrasts), counts)


def limma(counts: np.ndarray, design: Design) -> list[pd.DataFrame]:
    """Test with limma in R: moderated t tests on voom's weights; `stat` is t. See :func:`pydeseq2`."""
    return _tables(r.limma(counts, design.matrix.to_numpy(), design.contrasts), counts)


def _tables(result: dict[str, np.ndarray], counts: np.ndarray) -> list[pd.DataFrame]:
    """Return the columns of every engine from what an R package gives, one table per contrast; attrs: the R session."""
    base_mean = 2 ** result["logcpm"] * counts.sum(axis=1).mean() / 1e6
    tables = [
        pd.DataFrame(
            {
                "log2fc": result["logfc"][k],
                "lfc_se": result["se"][k] if "se" in result else np.nan,
                "stat": result["statistic"][k],
                "pvalue": result["pvalue"][k],
                "padj": result["padj"][k],
                "base_mean": base_mean,
            }
        )
        for k in range(len(result["logfc"]))
    ]
    for table in tables:
        table.attrs["r_session"] = list(result["session"])
    return tables


ENGINES: dict[str, Callable[[np.ndarray, Design], list[pd.DataFrame]]] = {
    "pydeseq2": pydeseq2,
    "edger": edger,
    "limma": limma,
}
