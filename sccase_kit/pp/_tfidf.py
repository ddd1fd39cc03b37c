r"""TF-IDF variants, as diagonal scalings wherever the variant is one.

With counts c, depth d of a cell, n cells and m_j cells (or counts t_j) of peak j:

========  ==========================================================  ====================================
variant   value                                                       source
========  ==========================================================  ====================================
sccase    c · ln(n / m_j), then each cell to unit L2 norm             published program, `sccase` 0.2.5
paper     c / d · ln(n / t_j)                                         Tang et al. 2024, Eq. 1
signac    ln(1 + c / d · n / t_j · 10⁴)                               Stuart et al. 2021, method 1
log       ln(1 + c / d · 10⁴) · ln(1 + n / m_j)                       Cusanovich et al. 2018, scaled counts
========  ==========================================================  ====================================

`paper` is negative for peaks with more counts than cells, as printed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from anndata import AnnData
from scipy import sparse

from .._arguments import Matrix, checked
from .._calls import check_free
from .._logging import warn
from .._record import record
from .._validate import check_adata, check_choice
from ..matrix.access import as_csr, in_memory_copy
from ..matrix.operator import ScaledOperator
from ..matrix.rows import canonical
from ..matrix.sums import count_statistics
from ._filter import _column_sums
from .loading import load_counts

Variant = Literal["sccase", "paper", "signac", "log"]
_SCALE = 1e4


@dataclass(frozen=True)
class Tfidf:
    """A TF-IDF as ``after(diag(row) @ counts @ diag(col))``, entry by entry on the nonzeros.

    Attributes
    ----------
    row_scale
        Factors of the cells, shape (n_obs,).
    col_scale
        Factors of the peaks, shape (n_vars,).
    log1p
        Whether ln(1 + x) follows.
    col_after
        Factors of the peaks after the logarithm, shape (n_vars,), or `None`.
    """

    row_scale: np.ndarray
    col_scale: np.ndarray
    log1p: bool = False
    col_after: np.ndarray | None = None

    def apply(self, counts: Any, *, dtype: Any = np.float32) -> sparse.csr_matrix:
        """Return the transformed counts (cells × peaks, in memory) as CSR of `dtype`.

        Parameters
        ----------
        counts
            ndarray or scipy sparse matrix or array of shape (n_obs, n_vars).
        dtype
            Type of the values.

        Returns
        -------
        CSR matrix of shape (n_obs, n_vars), without stored zeros.

        Raises
        ------
        TypeError
            If the counts are no matrix of numbers.
        ValueError
            If the shape is not that of the scalings.
        """
        counts = Matrix("cells peaks", stored=True)(counts, "counts", {})
        if counts.shape != (len(self.row_scale), len(self.col_scale)):
            msg = f"counts have shape {tuple(counts.shape)}, this TF-IDF is for "
            msg += f"{(len(self.row_scale), len(self.col_scale))}"
            raise ValueError(msg)
        csr = as_csr(counts)
        rows = np.repeat(np.arange(csr.shape[0]), np.diff(csr.indptr))
        values = csr.data * self.row_scale[rows] * self.col_scale[csr.indices]
        if self.log1p:
            values = np.log1p(values)
        if self.col_after is not None:
            values = values * self.col_after[csr.indices]
        out = sparse.csr_matrix((values.astype(dtype), csr.indices.copy(), csr.indptr.copy()), shape=csr.shape)
        out.eliminate_zeros()
        return out


def _safe_inverse(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, 1 / np.where(values > 0, values, 1), 0.0)


@checked(counts=Matrix("cells peaks", stored=True))
def tfidf_scaling(counts: Any, variant: Variant = "sccase") -> Tfidf:
    """Return a TF-IDF variant of a count matrix without forming it.

    Parameters
    ----------
    counts
        Cells × peaks, shape (n_obs, n_vars), in any storage.
    variant
        `"sccase"`, `"paper"`, `"signac"` or `"log"`; see the table of this module.

    Returns
    -------
    The :class:`Tfidf`; empty cells and peaks have factor 0.

    Raises
    ------
    ValueError
        If the variant is unknown or the counts are negative or not finite.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> scaling = sk.pp.tfidf_scaling(adata.X)
    >>> scaling.apply(adata.X).shape
    (100, 500)
    """
    check_choice(variant, get_args(Variant), name="variant")
    counts = canonical(counts)
    depth, n_open, _ = count_statistics(counts)
    n = max(1, counts.shape[0])
    if empty := int((depth == 0).sum()):
        warn(f"{empty} of {n} cells have no counts; their TF-IDF is 0")
    if variant == "sccase":
        col = np.where(n_open > 0, np.log(n / np.maximum(n_open, 1)), 0)
        norms = np.sqrt(ScaledOperator(counts, None, col, dtype=np.float64).row_sq_norms())
        return Tfidf(_safe_inverse(norms), col)
    if variant == "log":
        after = np.where(n_open > 0, np.log1p(n / np.maximum(n_open, 1)), 0)
        return Tfidf(_SCALE * _safe_inverse(depth), np.ones(counts.shape[1]), log1p=True, col_after=after)
    totals = _column_sums(counts)
    if variant == "paper":
        col = np.where(totals > 0, np.log(n / np.where(totals > 0, totals, 1)), 0)
        return Tfidf(_safe_inverse(depth), col)
    return Tfidf(_SCALE * _safe_inverse(depth), n * _safe_inverse(totals), log1p=True)


@checked()
def tfidf(
    adata: AnnData,
    *,
    variant: Variant = "sccase",
    layer: str | None = None,
    key_added: str = "tfidf",
    copy: bool = False,
) -> AnnData | None:
    """Write a TF-IDF of the counts to a layer.

    The enhancer applies its own TF-IDF as a scaling and needs no such layer.

    Parameters
    ----------
    adata
        Counts, cells × peaks.
    variant
        `"sccase"`, `"paper"`, `"signac"` or `"log"`; see the table of this module.
    layer
        Layer with the counts; `None` for `X`.
    key_added
        Name of the layer written.
    copy
        Return a copy instead of writing to `adata`.

    Returns
    -------
    `None`, or the copy. Writes ``layers[key_added]``, CSR float32 (n_obs × n_vars), and
    ``uns[key_added]``, the call.

    Raises
    ------
    KeyError
        If the layer is missing.
    ValueError
        If the variant is unknown or a count is negative, NaN or infinite.

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=100, n_peaks=500).adata
    >>> sk.pp.tfidf(adata)
    >>> adata.layers["tfidf"].shape
    (100, 500)
    """
    check_adata(adata)
    check_free(adata, key_added, "pp.tfidf")
    matrix = load_counts(adata, layer)
    target = in_memory_copy(adata) if copy else adata
    target.layers[key_added] = tfidf_scaling(matrix, variant).apply(matrix)
    record(target, key_added, "pp.tfidf", params={"variant": variant, "layer": layer})
    return target if copy else None
