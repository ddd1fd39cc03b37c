"""What :func:`sccase_kit.tl.chromvar` reads: counts or factors, GC content, background peaks; and its checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from anndata import AnnData

from .._arguments import Numbers
from .._logging import warn
from .._remedy import with_remedy
from .._validate import check_key
from ..matrix.access import get_matrix, warn_of_fractions
from ._params import check_background_slot

_SHOWN = 5


@dataclass(frozen=True)
class Signal:
    """What deviations are computed of: counts, or cell and peak factors; and the sum of every peak."""

    counts: Any
    factors: tuple[np.ndarray, np.ndarray] | None
    per_peak: np.ndarray


def counts_signal(adata: AnnData, layer: str | None) -> Signal:
    """Return the counts with their sums per peak."""
    from ..motifs.blocks import totals

    counts = get_matrix(adata, layer)
    sums = totals(counts)
    warn_of_fractions(sums.per_cell, adata, layer)
    return Signal(counts, None, sums.per_peak)


def enhanced_signal(adata: AnnData, key: str) -> Signal:
    """Return the factors of the enhanced matrix with its sums per peak."""
    from ..get.thin import factors
    from ..motifs.chromvar import factor_totals

    cells, peaks = (np.asarray(factor, dtype=np.float64) for factor in factors(adata, key=key))
    return Signal(None, (cells, peaks), factor_totals(cells, peaks).per_peak)


def check_analytic(engine: str, background: object, r_seed: int | None, *, norm: bool) -> None:
    """Raise ValueError for what drawn background peaks would need, and what betterChromVAR does not have."""
    if engine == "r" and norm:
        msg = "expectation_norm is not in the R package betterChromVAR; use engine='python', or expectation_groupby"
        raise ValueError(msg)
    if background is not None or r_seed is not None:
        name = "r_seed" if background is None else "background"
        msg = f"{name} is for drawn background peaks; leave it out with method='analytic', or use method='permuted'"
        raise ValueError(msg)


def check_enhanced(engine: str, layer: str | None, groupby: str | None, *, norm: bool) -> None:
    """Raise ValueError for what needs counts."""
    if engine == "r":
        msg = "engine='r' would need the dense enhanced matrix; use engine='python' with source='enhanced'"
        raise ValueError(msg)
    if norm or groupby is not None:
        msg = "expectation_norm and expectation_groupby need source='counts'"
        raise ValueError(msg)
    if layer is not None:
        warn("layer is ignored with source='enhanced'")


def check_reads(adata: AnnData, per_peak: np.ndarray) -> None:
    """Raise ValueError naming the peaks without reads."""
    empty = np.flatnonzero(~(per_peak > 0))
    if empty.size:
        msg = f"{empty.size} of {adata.n_vars} peaks have no reads in any cell: {list(adata.var_names[empty[:_SHOWN]])}"
        msg += ", …" * (empty.size > _SHOWN) + "; sccase_kit.pp.filter_peaks(adata, min_fraction=0) drops them"
        raise with_remedy(ValueError(msg), "pp.filter_peaks")


def read_bias(adata: AnnData, bias: str | np.ndarray) -> np.ndarray:
    """Return the GC content of the peaks, shape (n_vars,)."""
    from ..motifs.background import check_bias

    if isinstance(bias, str):
        hint = "Run sccase_kit.tl.add_gc_content(adata, genome_fasta) or match_motifs first."
        check_key(bias, adata.var.columns, name="bias", where="adata.var", hint=hint, remedy="tl.add_gc_content")
        bias = adata.var[bias].to_numpy(dtype=np.float64)
    bias = Numbers("peaks", fit=False)(bias, "bias", {})
    return check_bias(bias.astype(np.float64), adata.n_vars, names=adata.var_names)


def read_background(adata: AnnData, background: str | np.ndarray) -> np.ndarray:
    """Return background peaks, shape (n_vars, B)."""
    from ..motifs.chromvar import check_background

    if isinstance(background, str):
        check_key(background, adata.varm.keys(), name="background", where="adata.varm")
        check_background_slot(adata, background)
        background = np.asarray(adata.varm[background])
    return check_background(background, adata.n_vars)
