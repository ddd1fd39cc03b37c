"""The fields that :func:`sccase_kit.tl.enhance` writes."""

from __future__ import annotations

from typing import Any

import numpy as np
from anndata import AnnData

from .._calls import forget_layouts
from .._logging import logger
from ..enhance.factors import compute_ranges
from ..enhance.runner import Enhancement, Stopwatch
from ..matrix.access import in_memory_copy

_EAGER_RANGES = 50_000_000  # entries of the enhanced matrix up to which the ranges are computed at once


def thin_slots(fit: Enhancement, key: str) -> dict[str, dict[str, Any]]:
    """Return the fields of a thin fit; the min-max ranges only where they cost little."""
    slots: dict[str, dict[str, Any]] = {
        "obsm": {
            f"X_{key}": fit.embedding.astype(np.float32),
            f"{key}_cell_factors": fit.cell_factors,
            f"{key}_sources": fit.sources,
        },
        "varm": {
            f"{key}_projection": fit.projection.astype(np.float32),
            f"{key}_peak_factors": fit.peak_factors,
        },
        "uns": {"objective": fit.objective, **fit.info},
    }
    if len(fit.cell_factors) * len(fit.peak_factors) <= _EAGER_RANGES:
        limits = compute_ranges(fit.cell_factors, fit.peak_factors)
        slots["obsm"][f"{key}_range"], slots["varm"][f"{key}_range"] = limits.cell, limits.peak
    return slots


def write_slots(
    adata: AnnData,
    slots: dict[str, dict[str, Any]],
    params: dict[str, Any],
    watch: Stopwatch,
    *,
    key: str,
    copy: bool,
) -> AnnData | None:
    """Write all fields at once, after everything that can fail; those of an earlier fit under the key go."""
    target = in_memory_copy(adata) if copy else adata
    forget_layouts(target, key)
    for prefix in ("cell_factors", "sources", "range", "peak_factors"):
        target.obsm.pop(f"{key}_{prefix}", None)
        target.varm.pop(f"{key}_{prefix}", None)
    target.obsp.pop(f"{key}_similarity", None)
    if adata.uns.get(key, {}).get("params", {}).get("solver") == "published":
        target.layers.pop(key, None)
    for axis in ("obsm", "varm", "obsp", "layers"):
        for name, value in slots.get(axis, {}).items():
            getattr(target, axis)[name] = value
    target.uns[key] = {
        "params": params,
        **slots["uns"],
        "timing": dict(watch.seconds),
        "shape": np.array(adata.shape),
    }
    logger.info("enhanced %d cells × %d peaks in %.2f s", *adata.shape, sum(watch.seconds.values()))
    return target if copy else None
