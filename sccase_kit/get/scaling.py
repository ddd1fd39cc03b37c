"""What the enhanced matrix is in counts: depth of the cells, IDF of the peaks, kept next to a fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from anndata import AnnData

from .._record import required
from ..enhance.expected import PER_CELL, PeakScaling, count_factors, factor_sums, measure_counts, shares
from ..matrix.access import get_matrix

_TOLERANCE = 1e-3  # of float32 products over all cells


@dataclass(frozen=True)
class CountScaling:
    """Depth and IDF of a fit, for the cells and peaks of an AnnData.

    Attributes
    ----------
    depth
        Total counts of every cell, (n_obs,).
    peaks
        :class:`sccase_kit.enhance.expected.PeakScaling` of every peak.
    sums
        Sums over all fitted peaks of the peak factors with the IDF undone, (r,); empty for a dense result.
    """

    depth: np.ndarray
    peaks: PeakScaling
    sums: np.ndarray

    def factors(
        self, cell_factors: np.ndarray, peak_factors: np.ndarray, scale: str, rows: Any, cols: Any
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the factors of some cells and peaks whose product is in `scale`, float32."""
        cells = shares(cell_factors[rows], self.sums) * self._amounts(scale, rows)
        part = PeakScaling(self.peaks.idf[cols], self.peaks.share[cols])
        return cells.astype(np.float32), count_factors(peak_factors[cols], part, self.sums).astype(np.float32)

    def expected(
        self, cell_shares: np.ndarray, profiles: np.ndarray, scale: str, rows: Any, cols: Any
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the same of a fit that has the expected accessibility itself."""
        return (cell_shares[rows] * self._amounts(scale, rows)).astype(np.float32), np.asarray(profiles[cols])

    def _amounts(self, scale: str, rows: Any) -> np.ndarray:
        """Return what the rows sum to over all fitted peaks, (cells × 1)."""
        depth = self.depth[rows, None]
        return depth if scale == "counts" else np.where(depth > 0, PER_CELL, 0)


def count_scaling(adata: AnnData, key: str, entry: Mapping[str, Any]) -> CountScaling:
    """Return depth and IDF of the fit under `key`, reading and keeping them where they are absent.

    Parameters
    ----------
    adata
        Enhanced data. Where they are absent, ``obsm["<key>_depth"]`` (n_obs × 1), ``varm["<key>_idf"]`` (n_vars × 2:
        IDF, share of all counts) and ``uns["<key>"]["factor_sums"]`` are written.
    key
        The `key_added` of the fit.
    entry
        ``adata.uns[key]``.

    Raises
    ------
    ValueError
        If they are absent and `adata` is a subset of the data that were fitted, or holds other counts.
    KeyError
        If they are absent and the layer that was fitted is no longer there.
    """
    depth, idf = f"{key}_depth", f"{key}_idf"
    if depth in adata.obsm and idf in adata.varm and "factor_sums" in entry:
        stored = np.asarray(adata.varm[idf], dtype=np.float64)
        known = PeakScaling(stored[:, 0], stored[:, 1])
        return CountScaling(np.asarray(adata.obsm[depth])[:, 0], known, np.asarray(entry["factor_sums"]))
    shape = tuple(int(v) for v in entry["shape"])
    if adata.shape != shape:
        msg = f"scale='counts' needs depth and IDF, which were not read before adata was cut from {shape} to "
        msg += f"{adata.shape}; call sccase_kit.get.enhanced(adata, scale='counts', obs_names=[0]) on the whole first"
        raise ValueError(msg)
    found = _measured(adata, key, entry)
    adata.obsm[depth] = found.depth[:, None]
    adata.varm[idf] = np.column_stack([found.peaks.idf, found.peaks.share])
    adata.uns[key] = {**entry, "factor_sums": found.sums}
    return found


def _measured(adata: AnnData, key: str, entry: Mapping[str, Any]) -> CountScaling:
    """Read the counts that were fitted; whether they are those is seen from the product of one random vector."""
    layer = required(adata, key, "tl.enhance").params.get("layer")
    op, depth, peaks = measure_counts(get_matrix(adata, layer))
    probe = np.random.default_rng(0).random
    if f"{key}_sources" in adata.obsm:
        factors = np.asarray(adata.varm[f"{key}_peak_factors"])
        weights = probe((factors.shape[1], 1))
        stored, now = factors @ weights, op.rmatmul(np.asarray(adata.obsm[f"{key}_sources"]) @ weights)
        sums = factor_sums(factors, peaks)
    else:
        weights = probe((adata.n_vars, 1))
        stored = adata.layers[key] @ weights
        now = adata.obsp[f"{key}_similarity"].T @ op.matmul(weights)
        sums = np.zeros(0)
    if np.linalg.norm(now - stored) > _TOLERANCE * np.linalg.norm(stored):
        where = "adata.X" if layer is None else f"adata.layers[{layer!r}]"
        msg = f"scale='counts' needs the counts that were enhanced under key={key!r}, and {where} holds others now; "
        msg += "put them back, or run sccase_kit.tl.enhance again"
        raise ValueError(msg)
    return CountScaling(depth, peaks, sums)
