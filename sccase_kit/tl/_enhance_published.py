"""The published program behind :func:`sccase_kit.tl.enhance`."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from ..enhance.preparation import Prepared
from ..enhance.published import PublishedFit, fit_published, published_nmf

_DENSE_CELLS = 8_000


def published_slots(
    data: Prepared, params: dict[str, Any], reference: np.ndarray | None, codes: np.ndarray | None, key: str
) -> dict[str, dict[str, Any]]:
    """Run the published program's mode that the arguments ask for."""
    n = data.op.shape[0]
    if n > _DENSE_CELLS:
        msg = f"solver='published' is dense, O(peaks × cells²); {n} cells exceed {_DENSE_CELLS}: use solver='thin'"
        raise ValueError(msg)
    asked = [name for name in ("reference", "depth", "batch_key") if params[name]]
    if len(asked) > 1:
        msg = f"solver='published' takes one of reference, depth, batch_key at a time, got {asked}; "
        msg += "solver='thin' combines them"
        raise ValueError(msg)
    x = data.op.to_csr().T.tocsc()
    with np.errstate(divide="ignore", invalid="ignore"):  # judged by the result
        fit = _fit(data, x, params, reference, codes)
    enhanced = (x @ fit.similarity).T.astype(np.float32)
    if not (np.isfinite(enhanced).all() and np.isfinite(fit.embedding).all()):
        empty = int((data.depth == 0).sum())
        msg = f"the published program gives NaN for these data: {n} cells ({empty} of them empty), {x.shape[0]} peaks, "
        msg += f"n_components={params['n_components']}. Drop empty cells, lower n_components, or take solver='thin'"
        raise ValueError(msg)
    return {
        "obsm": {f"X_{key}": fit.embedding.T.astype(np.float32)},
        "varm": {f"{key}_projection": fit.projection.astype(np.float32)},
        "obsp": {f"{key}_similarity": fit.similarity.astype(np.float32)},
        "layers": {key: enhanced},
        "uns": {"objective": fit.objective},
    }


def _fit(
    data: Prepared,
    x: sparse.csc_matrix,
    params: dict[str, Any],
    reference: np.ndarray | None,
    codes: np.ndarray | None,
) -> PublishedFit:
    total = params["n_components"] + params["n_reference"]
    w, h = published_nmf(x, total, max_iter=3000 if params["depth"] else 10_000)
    projection = None
    if reference is not None:
        projection = published_nmf(_published_tfidf(reference).T, params["n_reference"], max_iter=1000)[0]
    return fit_published(
        x.toarray(),
        w,
        h,
        reference=projection,
        depth=data.depth if params["depth"] else None,
        batch=codes,
        lam=params["lam"],
        gamma1=params["gamma1"],
        gamma2=params["gamma2"],
    )


def _published_tfidf(reference: np.ndarray) -> np.ndarray:
    """TF-IDF of the reference by its own document frequencies, as the program (groups × peaks)."""
    n_open = (reference > 0).sum(axis=0)
    x = reference * np.where(n_open > 0, np.log(len(reference) / np.maximum(n_open, 1)), 0)
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    return x / np.where(norms > 0, norms, 1)
