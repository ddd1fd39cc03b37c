"""The front of the enhancer."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from anndata import AnnData

from .._logging import logger, warn
from .._matrix import get_matrix
from .._progress import progress
from .._validate import check_adata, check_choice, check_int, check_labels, check_number
from ..enhance._factors import compute_ranges
from ..enhance._prepare import Prepared, prepare
from ..enhance._robust import BANK
from ..enhance._runner import Enhancement, ModelOptions, Stopwatch, fit_consensus, fit_sccase

_EAGER_RANGES = 50_000_000  # entries of the enhanced matrix up to which the ranges are computed at once
_DENSE_CELLS = 8_000


def enhance(
    adata: AnnData,
    n_components: int | Literal["auto"] = "auto",
    reference: AnnData | None = None,
    *,
    depth: bool = False,
    batch_key: str | None = None,
    method: Literal["robust", "sccase"] | None = None,
    solver: Literal["thin", "published"] = "thin",
    init: Literal["fast", "published"] = "fast",
    n_reference: int | Literal["auto"] = "auto",
    alpha: float = 1.0,
    lam: float = 1e6,
    gamma1: float = 1.0,
    gamma2: float = 1.0,
    keep_probability: float = 0.95,
    batch_method: Literal["balanced", "published"] = "balanced",
    max_iter: int = 3,
    tol: float = 1e-4,
    dtype: Literal["float32", "float64"] = "float32",
    layer: str | None = None,
    rng: int | np.random.Generator = 0,
    key_added: str = "sccase",
    copy: bool = False,
) -> AnnData | None:
    r"""Enhance a cells × peaks count matrix.

    Every cell's profile becomes a weighted mean of similar cells' TF-IDF profiles. In scCASE (Tang et al. 2024)
    similarity and latent components are fitted together:

    .. math::

        \min_{W,H,Z \ge 0} \|X (Z \circ R) - W H\|^2 + \lambda \|Z - H^\top H\|^2 + \gamma_1 \|W\|^2 + \gamma_2 \|H\|^2

    The enhanced matrix is kept as two thin factors; read blocks with :func:`sccase_kit.get.enhanced` or write it
    with :func:`sccase_kit.io.write_enhanced`.

    Parameters
    ----------
    adata
        Counts, cells × peaks: ndarray, scipy sparse, backed or dask. Filter peaks first
        (:func:`sccase_kit.pp.filter_peaks`).
    n_components
        Components learned from the target. `"auto"`: the robust method needs no number; for `method="sccase"` it is
        estimated (:func:`sccase_kit.tl.estimate_k`).
    reference
        Reference counts, groups × peaks (scCASER, Eq. 3); aligned to the peaks by name or overlap
        (:func:`sccase_kit.pp.align_reference`).
    depth
        Correct for sequencing depth: Z ≈ P HᵀH, P = depth / median depth (Supplementary Text S3). With the thin
        solver Z's columns are also scaled to sum 1, as the paper defines Z.
    batch_key
        Column of `obs` with batches to correct.
    method
        `"robust"` (default): a consensus over several numbers of components, smoothed on neighbour graphs, which does
        not collapse when that number is wrong. `"sccase"`: the paper's model (the default with
        ``solver="published"`` or ``init="published"``).
    solver
        `"thin"` never forms an n × n or cells × peaks array. `"published"` reproduces the published program
        (`sccase` 0.2.5) literally, dense, on small data; one of `reference`, `depth`, `batch_key` at a time.
    init
        `"fast"`, a sketched start, or `"published"`, scikit-learn's NMF with `random_state=100`.
    n_reference
        Components k₁ that start from the reference, in addition to `n_components`; `"auto"` takes a third of
        `n_components` (the program's rule), at most the number of groups.
    alpha
        Pull of W₁ to the reference's projection, in units of the data term's curvature; used with `reference`.
    lam, gamma1, gamma2
        λ, γ₁, γ₂ of the objective.
    keep_probability
        Probability s that an entry of Z is kept by R.
    batch_method
        `"balanced"` aligns the embedding over the batches and gives each the same share of a cell's similarity;
        `"published"` only reweights, as the program.
    max_iter, tol
        Most iterations, and the relative fall of the objective that ends them (thin solver). The objective's global
        minimum is the trivial Z = W = H = 0, so a few iterations from a good start are meant, as in the program (3).
    dtype
        Precision of the products with the data.
    layer
        Layer with the counts; `None` for `X`.
    rng
        Seed or generator.
    key_added
        Prefix of the fields written.
    copy
        Return a copy instead of writing to `adata`.

    Returns
    -------
    `None`, or the copy. Fields, with `key_added="sccase"`:

    `obsm["X_sccase"]`
        Embedding, (n_obs × k) float32; rows of H.
    `varm["sccase_projection"]`
        Projection coefficients, (n_vars × k) float32; component j belongs to column j of the embedding.
    `obsm["sccase_cell_factors"]`, `varm["sccase_peak_factors"]`
        Thin factors, (n_obs × r) and (n_vars × r) float32: enhanced = cell_factors @ peak_factors.T.
    `obsm["sccase_sources"]`
        (n_obs × r) float32: similarity Z = sources @ cell_factors.T.
    `obsm["sccase_range"]`, `varm["sccase_range"]`
        Ranges of the min–max scaling; on large data absent until first needed.
    `uns["sccase"]`
        `params`, `objective` (after each iteration), `timing` (seconds per stage), `shape`.
    `layers["sccase"]`, `obsp["sccase_similarity"]`
        Only with ``solver="published"``, in place of the factors: X·Z (n_obs × n_vars) and Z (n_obs × n_obs).

    Raises
    ------
    TypeError, ValueError, KeyError
        If an argument or the counts are unusable; the message names it.

    References
    ----------
    Tang, Cui, Wang et al., scCASE, Nature Communications 15 (2024).

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.toy_study(n_cells=200, n_peaks=1000).adata
    >>> sk.tl.enhance(adata, 5)
    >>> adata.obsm["X_sccase"].shape
    (200, 5)
    """
    check_adata(adata)
    if method is None:
        method = "sccase" if solver == "published" or init == "published" else "robust"
    check_choice(method, ["robust", "sccase"], name="method")
    check_choice(solver, ["thin", "published"], name="solver")
    check_choice(init, ["fast", "published"], name="init")
    check_choice(batch_method, ["balanced", "published"], name="batch_method")
    check_choice(dtype, ["float32", "float64"], name="dtype")
    check_number(lam, name="lam", minimum=0, exclusive=True)
    check_number(gamma1, name="gamma1", minimum=0)
    check_number(gamma2, name="gamma2", minimum=0)
    check_number(alpha, name="alpha", minimum=0)
    check_number(keep_probability, name="keep_probability", minimum=0, maximum=1)
    check_number(tol, name="tol", minimum=0)
    check_int(max_iter, name="max_iter", minimum=1)
    matrix = get_matrix(adata, layer)
    _check_shape(adata)
    if n_components != "auto":
        _check_n_components(n_components, adata)
    codes = _batch_codes(adata, batch_key)
    generator = np.random.default_rng(rng)
    watch = Stopwatch()
    watch.stage("prepare")
    data = prepare(matrix, dtype=np.dtype(dtype))
    if depth and np.ptp(data.depth) == 0:
        warn("depth=True has no effect: all cells have the same depth")
    aligned = None if reference is None else _aligned_reference(reference, adata)
    automatic = n_components == "auto"
    if automatic and method == "sccase":
        watch.stage("estimate_k")
        n_components = _estimate(adata, layer=layer, rng=generator)
    elif automatic:
        logger.info("n_components='auto': method='robust' averages several numbers of components and needs none")
        n_components = 0
    k_ref = _n_reference(n_reference, n_components or max(BANK) // 2, aligned)
    params = {
        "n_components": int(n_components),
        "n_reference": k_ref,
        "reference": reference is not None,
        "depth": bool(depth),
        "batch_key": batch_key or "",
        "method": method,
        "solver": solver,
        "init": init,
        "alpha": float(alpha),
        "lam": float(lam),
        "gamma1": float(gamma1),
        "gamma2": float(gamma2),
        "keep_probability": float(keep_probability),
        "batch_method": batch_method,
        "max_iter": int(max_iter),
        "tol": float(tol),
        "dtype": dtype,
        "layer": layer or "",
        "rng": int(rng) if isinstance(rng, (int, np.integer)) else "generator",
    }
    if solver == "published":
        watch.stage("published")
        slots = _published_slots(data, params, aligned, codes, key_added)
        watch.stage(None)
    elif method == "robust":
        fit = fit_consensus(
            data,
            n_components or None,
            reference=aligned,
            n_reference=k_ref,
            alpha=alpha,
            depth=depth,
            batch=codes,
            rng=generator,
            watch=watch,
        )
        slots = _thin_slots(fit, key_added)
    else:
        options = ModelOptions(
            n_components=int(n_components) + k_ref,
            init=init,
            lam=lam,
            gamma1=gamma1,
            gamma2=gamma2,
            keep_probability=keep_probability,
            alpha=alpha,
            batch_method=batch_method,
            max_iter=max_iter,
            tol=tol,
        )
        with progress(desc="enhance", total=max_iter, unit="iteration") as bar:

            def report(_iteration: int, value: float) -> None:
                bar.set_postfix(objective=f"{value:.6g}", refresh=False)
                bar.update()

            fit = fit_sccase(
                data,
                options,
                reference=aligned,
                n_reference=k_ref,
                depth=depth,
                batch=codes,
                rng=generator,
                watch=watch,
                report=report,
            )
        slots = _thin_slots(fit, key_added)
    return _write(adata, slots, params, watch, key=key_added, copy=copy)


def _check_shape(adata: AnnData) -> None:
    if adata.n_obs < 2 or adata.n_vars < 2:
        msg = f"adata must have at least 2 cells and 2 peaks, got shape {adata.shape}"
        raise ValueError(msg)


def _check_n_components(value: Any, adata: AnnData) -> int:
    if isinstance(value, str):
        msg = f"n_components must be a positive integer or 'auto', got {value!r}"
        raise ValueError(msg)
    k = check_int(value, name="n_components", minimum=1)
    limit = min(adata.shape)
    if k > limit:
        msg = f"n_components={k} exceeds the smaller side of the data ({adata.n_obs} cells × {adata.n_vars} peaks)"
        raise ValueError(msg)
    return k


def _batch_codes(adata: AnnData, batch_key: str | None) -> np.ndarray | None:
    if batch_key is None:
        return None
    labels = check_labels(adata, batch_key, name="batch_key", min_groups=2)
    sizes = labels.value_counts()
    if single := [str(name) for name, size in sizes.items() if size < 2]:
        msg = f"batch_key={batch_key!r}: batches {single} have a single cell; merge or drop them"
        raise ValueError(msg)
    return labels.cat.codes.to_numpy().astype(np.int64)


def _aligned_reference(reference: Any, adata: AnnData) -> np.ndarray:
    from .. import pp

    check_adata(reference, name="reference")
    aligned = pp.align_reference(reference, adata)
    values = aligned.X.toarray() if hasattr(aligned.X, "toarray") else np.asarray(aligned.X)
    return values.astype(np.float64)


def _n_reference(n_reference: Any, n_components: int, aligned: np.ndarray | None) -> int:
    if aligned is None:
        return 0
    if n_reference == "auto":
        return max(1, min(round(n_components / 3), aligned.shape[0]))
    return check_int(n_reference, name="n_reference", minimum=1, maximum=aligned.shape[0])


def _estimate(adata: AnnData, *, layer: str | None, rng: np.random.Generator) -> int:
    from ._estimate_k import estimate_k

    k = estimate_k(adata, layer=layer, rng=rng) + 1
    logger.info("n_components='auto': estimated %d components (ASTER's number of types + 1)", k)
    return min(k, *adata.shape)


def _thin_slots(fit: Enhancement, key: str) -> dict[str, dict[str, Any]]:
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


def _published_slots(
    data: Prepared, params: dict[str, Any], reference: np.ndarray | None, codes: np.ndarray | None, key: str
) -> dict[str, dict[str, Any]]:
    """Run the published program's mode that the arguments ask for."""
    from scipy import sparse

    from ..enhance._published import fit_published, published_nmf

    n = data.op.shape[0]
    if n > _DENSE_CELLS:
        msg = f"solver='published' is dense, O(peaks × cells²); {n} cells exceed {_DENSE_CELLS}: use solver='thin'"
        raise ValueError(msg)
    asked = [name for name in ("reference", "depth", "batch_key") if params[name]]
    if len(asked) > 1:
        msg = f"solver='published' takes one of reference, depth, batch_key at a time, got {asked}; "
        msg += "solver='thin' combines them"
        raise ValueError(msg)
    op = data.op
    parts = [sparse.diags(op.row_scale[rows]) @ b @ sparse.diags(op.col_scale) for rows, b in op.iter_blocks()]
    x = sparse.vstack(parts).T.tocsc().astype(np.float32)
    total = params["n_components"] + params["n_reference"]
    w, h = published_nmf(x, total, max_iter=3000 if params["depth"] else 10_000)
    projection = None
    if reference is not None:
        projection = published_nmf(_published_tfidf(reference).T, params["n_reference"], max_iter=1000)[0]
    default = params["lam"] == 1e6
    fit = fit_published(
        x.toarray(),
        w,
        h,
        reference=projection,
        depth=data.depth if params["depth"] else None,
        batch=codes,
        lam=None if default else params["lam"],
        gamma1=params["gamma1"],
        gamma2=params["gamma2"],
    )
    return {
        "obsm": {f"X_{key}": fit.embedding.T.astype(np.float32)},
        "varm": {f"{key}_projection": fit.projection.astype(np.float32)},
        "obsp": {f"{key}_similarity": fit.similarity.astype(np.float32)},
        "layers": {key: (x @ fit.similarity).T.astype(np.float32)},
        "uns": {"objective": fit.objective},
    }


def _published_tfidf(reference: np.ndarray) -> np.ndarray:
    """TF-IDF of the reference by its own document frequencies, as the program (groups × peaks)."""
    n_open = (reference > 0).sum(axis=0)
    x = reference * np.where(n_open > 0, np.log(len(reference) / np.maximum(n_open, 1)), 0)
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    return x / np.where(norms > 0, norms, 1)


def _write(
    adata: AnnData,
    slots: dict[str, dict[str, Any]],
    params: dict[str, Any],
    watch: Stopwatch,
    *,
    key: str,
    copy: bool,
) -> AnnData | None:
    """Write all fields at once, after everything that can fail."""
    target = adata.copy() if copy else adata
    for prefix in ("cell_factors", "sources", "range", "peak_factors"):
        target.obsm.pop(f"{key}_{prefix}", None)
        target.varm.pop(f"{key}_{prefix}", None)
    target.obsp.pop(f"{key}_similarity", None)
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
