r"""A cells × peaks matrix as the measures need it: thin factors, sparse or dense, never formed.

With thin factors :math:`E = C P^\top` every quantity below comes from the factors. Centring each cell over the peaks
is centring the columns of :math:`P`; with the QR factorisation :math:`P - \mathbf 1 \bar p^\top = Q T` the centred
profiles are :math:`(C T^\top) Q^\top`, so inner products between cells, and with them Pearson correlations, are those
of the r coordinates :math:`C T^\top`. Centring each peak over the cells works in the same way on :math:`C`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from .._arguments import Matrix, Numbers, Whole, checked
from ..enhance.factors import compute_ranges, minmax_scale, range_width


@dataclass(frozen=True)
class Profiles:
    """Values of all cells at all peaks.

    Attributes
    ----------
    cells
        Cell factors (n_obs × r), or the matrix itself (ndarray or CSR, n_obs × n_vars) where `peaks` is None.
    peaks
        Peak factors (n_vars × r); the matrix is ``cells @ peaks.T``.

    Raises
    ------
    TypeError
        If one of them is no array of numbers in two dimensions.
    ValueError
        If one is not finite, or they have different numbers of columns.
    """

    cells: Any
    peaks: np.ndarray | None = None

    def __post_init__(self) -> None:
        cells = Matrix("cells components")(self.cells, "cell_factors", {})
        peaks = None if self.peaks is None else Numbers("peaks components")(self.peaks, "peak_factors", {})
        object.__setattr__(self, "cells", cells)
        object.__setattr__(self, "peaks", peaks)
        if self.peaks is not None and self.cells.shape[1] != self.peaks.shape[1]:
            msg = f"cell_factors and peak_factors have {self.cells.shape[1]} and {self.peaks.shape[1]} columns; "
            msg += "both must have one per component"
            raise ValueError(msg)
        for name, value in (("cell_factors", self.cells), ("peak_factors", self.peaks)):
            given: Any = value
            data = given.data if sparse.issparse(given) else given
            if data is not None and data.dtype.kind == "f" and not np.isfinite(data).all():
                msg = f"{name} hold {int((~np.isfinite(data)).sum())} NaN or infinite value(s)"
                raise ValueError(msg)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of cells and of peaks."""
        return self.cells.shape[0], (self.cells if self.peaks is None else self.peaks.T).shape[1]

    @property
    def thin(self) -> bool:
        """Whether the matrix is held as factors."""
        return self.peaks is not None

    def minmax_scaled(self, peak_range: np.ndarray | None = None, cell_range: np.ndarray | None = None) -> Profiles:
        r"""Return the matrix scaled to [0, 1] per peak over the cells, then per cell over the peaks.

        Both passes are affine in rows or columns, so the factors' rank grows by two:
        :math:`E'_{ij} = (c_i \cdot p_j / w_j - l_j / w_j - t_i) / s_i`. A sparse matrix becomes such factors only
        where it is given as factors; otherwise it is scaled densely.
        """
        if self.peaks is None:
            dense = self.cells.toarray() if sparse.issparse(self.cells) else np.asarray(self.cells)
            return Profiles(minmax_scale(dense.astype(np.float64)))
        if peak_range is None or cell_range is None:
            ranges = compute_ranges(self.cells, self.peaks)
            peak_range, cell_range = ranges.peak, ranges.cell
        peak_width, cell_width = range_width(peak_range), range_width(cell_range)[:, None]
        ones = np.ones((self.shape[0], 1), dtype=self.cells.dtype)
        cells = np.hstack([self.cells, -ones, -cell_range[:, :1]]) / cell_width
        peaks = np.column_stack(
            [self.peaks / peak_width[:, None], peak_range[:, 0] / peak_width, np.ones(self.shape[1])]
        )
        return Profiles(cells, peaks.astype(cells.dtype))

    def pca(self, n_components: int = 50) -> np.ndarray:
        """Return the principal component scores (peaks centred), shape (n_obs, ≤ n_components), float64.

        Components are sorted by variance; fewer are returned where the rank is lower. Signs are fixed so that the
        largest absolute score of each component is positive.
        """
        n_components = min(n_components, min(self.shape) - 1)
        if n_components < 1 or self._flat():
            return np.zeros((self.shape[0], 0))
        if self.peaks is None and sparse.issparse(self.cells):
            from sklearn.decomposition import PCA

            model = PCA(n_components, svd_solver="arpack", random_state=0)
            scores = model.fit_transform(self.cells.astype(np.float64))
            scale = model.singular_values_
        else:
            left = np.asarray(self.cells, dtype=np.float64)
            if self.peaks is not None:
                left = left @ _triangle(self.peaks).T
            left = left - left.mean(axis=0)
            u, scale, _ = _thin_svd(left)
            scores = u * scale
        keep = scale[:n_components] > 1e-7 * max(scale[0], np.finfo(float).tiny)
        scores = scores[:, :n_components][:, keep]
        signs = np.sign(scores[np.abs(scores).argmax(axis=0), np.arange(scores.shape[1])])
        return scores * signs

    def _flat(self) -> bool:
        """Return whether a sparse matrix has the same row for every cell, from which ARPACK cannot start."""
        if self.peaks is not None or not sparse.issparse(self.cells):
            return False
        csr = sparse.csr_matrix(self.cells)
        low, high = csr.min(axis=0), csr.max(axis=0)
        return (low != high).nnz == 0

    def tfidf(self) -> Profiles:
        """Return the TF-IDF of non-negative values after Eq. 1 of Tang et al. (2024), without forming a thin matrix.

        Each value is divided by the sum of its cell and multiplied by ln(n / sum of its peak): two diagonal scalings,
        which factors take on. Peaks whose sum exceeds the number of cells get 0 instead of a negative weight.
        """
        if self.peaks is None:
            rows = np.asarray(self.cells.sum(axis=1), dtype=np.float64).ravel()
            columns = np.asarray(self.cells.sum(axis=0), dtype=np.float64).ravel()
        else:
            cells, peaks = (np.asarray(part, dtype=np.float64) for part in (self.cells, self.peaks))
            rows, columns = cells @ peaks.sum(axis=0), peaks @ cells.sum(axis=0)
        row = np.where(rows > 0, 1 / np.where(rows > 0, rows, 1), 0)
        known = columns > 0
        idf = np.where(known, np.maximum(np.log(self.shape[0] / np.where(known, columns, 1)), 0), 0)
        if self.peaks is not None:
            return Profiles(cells * row[:, None], peaks * idf[:, None])
        if sparse.issparse(self.cells):
            return Profiles(sparse.csr_matrix(sparse.diags(row) @ self.cells @ sparse.diags(idf)))
        return Profiles(np.asarray(self.cells) * row[:, None] * idf)

    def correlation_coordinates(self) -> CorrelationCoordinates:
        """Return coordinates in which inner products of cells are Pearson correlations over the peaks."""
        if self.peaks is None and sparse.issparse(self.cells):
            csr = sparse.csr_matrix(self.cells, dtype=np.float64)
            mean = np.asarray(csr.mean(axis=1)).ravel()
            square = np.asarray(csr.multiply(csr).sum(axis=1)).ravel()
            norm = np.sqrt(np.maximum(square - csr.shape[1] * mean**2, 0))
            scale = _inverse(norm, np.sqrt(square))
            return CorrelationCoordinates(sparse.diags(scale) @ csr, scale == 0, mean * scale)
        rows = np.asarray(self.cells, dtype=np.float64)
        if self.peaks is None:
            size = np.linalg.norm(rows, axis=1)
            rows = rows - rows.mean(axis=1, keepdims=True)
        else:
            size = np.linalg.norm(rows @ _triangle(self.peaks).T, axis=1)
            peaks = np.asarray(self.peaks, dtype=np.float64)
            rows = rows @ _triangle(peaks - peaks.mean(axis=0)).T
        scale = _inverse(np.linalg.norm(rows, axis=1), size)
        return CorrelationCoordinates(rows * scale[:, None], scale == 0)

    def block(self, cells: Any = slice(None), peaks: Any = slice(None)) -> np.ndarray:
        """Return a dense block of the given cells and peaks."""
        if self.peaks is not None:
            return self.cells[cells] @ self.peaks[peaks].T
        part = self.cells[cells][:, peaks]
        return part.toarray() if sparse.issparse(part) else np.asarray(part)


@dataclass(frozen=True)
class CorrelationCoordinates:
    """Unit vectors u of cells with u_i · u_j the Pearson correlation; constant cells are 0.

    Attributes
    ----------
    rows
        Array of shape (n_obs, r), or CSR of shape (n_obs, n_vars) from which `mean` is still to be subtracted.
    constant
        Which cells have no variance over the peaks.
    mean
        Mean of every row of a sparse `rows`; None where `rows` is centred.
    """

    rows: Any
    constant: np.ndarray
    mean: np.ndarray | None = None

    def group_products(self, codes: np.ndarray, n_groups: int) -> np.ndarray:
        """Return u_i · Σ_{j in group} u_j, array of shape (n_obs, n_groups)."""
        member = indicator(codes, n_groups)
        sums = member.T @ self.rows
        if self.mean is None:
            return self.rows @ sums.T
        sums = np.asarray(sums.todense())
        return self.rows @ sums.T - self.rows.shape[1] * np.outer(self.mean, member.T @ self.mean)


def indicator(codes: np.ndarray, n_groups: int) -> sparse.csr_matrix:
    """Return the 0/1 matrix cells × groups of integer codes."""
    n = len(codes)
    return sparse.csr_matrix((np.ones(n), codes, np.arange(n + 1)), shape=(n, n_groups))


def _triangle(peaks: np.ndarray) -> np.ndarray:
    """Return T (≤ r × r) with TᵀT = PᵀP, from a QR factorisation."""
    return np.asarray(np.linalg.qr(np.asarray(peaks, dtype=np.float64), mode="r"))


def _thin_svd(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """SVD of an n × m array, through the triangle of the longer side."""
    if matrix.shape[0] >= matrix.shape[1]:
        q, t = np.linalg.qr(matrix)
        u, s, vt = np.linalg.svd(t, full_matrices=False)
        return q @ u, s, vt
    q, t = np.linalg.qr(matrix.T)
    u, s, vt = np.linalg.svd(t.T, full_matrices=False)
    return u, s, vt @ q.T


def _inverse(norm: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return 1 / norm, with 0 where the norm is rounding compared with `size`."""
    real = norm > 1e-7 * size
    return np.where(real, 1 / np.where(real, norm, 1), 0)


@checked(n_components=Whole(1))
def pca_from_factors(cell_factors: Any, peak_factors: np.ndarray | None = None, n_components: int = 50) -> np.ndarray:
    """Return principal component scores of the matrix ``cell_factors @ peak_factors.T`` without forming it.

    Parameters
    ----------
    cell_factors
        Cell factors of shape (n_obs, r); or, without `peak_factors`, the matrix itself (dense or sparse).
    peak_factors
        Peak factors of shape (n_vars, r).
    n_components
        Number of components; fewer are returned where the rank is lower.

    Returns
    -------
    Array of shape (n_obs, ≤ n_components), float64, each column centred, by decreasing variance.
    """
    return Profiles(cell_factors, peak_factors).pca(n_components)
