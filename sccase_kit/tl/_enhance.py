"""The front of the enhancer."""

from __future__ import annotations

import os
from typing import Literal

import numpy as np
from anndata import AnnData

from .._calls import check_free, stored_seed
from .._logging import logger, warn
from .._progress import progress
from .._validate import check_adata, check_choice, check_int, check_number
from ..enhance.checkpoint import Checkpoint
from ..enhance.memory import expected_memory
from ..enhance.nmf import sketch_width
from ..enhance.preparation import fingerprint, prepare
from ..enhance.published import LAMBDA, LAMBDA_REFERENCE
from ..enhance.reference import Reference
from ..enhance.robust import choose_bank
from ..enhance.runner import ModelOptions, Stopwatch, fit_consensus, fit_sccase
from ..matrix.access import get_matrix, warn_of_fractions
from ._enhance_inputs import (
    aligned_reference,
    batch_codes,
    check_combination,
    check_n_components,
    check_orientation,
    check_shape,
    estimated_components,
    reference_components,
    warn_of_ignored,
)
from ._enhance_published import published_slots
from ._enhance_slots import thin_slots, write_slots


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
    lam: float | None = None,
    gamma1: float = 1.0,
    gamma2: float = 1.0,
    keep_probability: float = 0.95,
    batch_method: Literal["balanced", "published"] = "balanced",
    max_iter: int = 3,
    tol: float = 1e-4,
    dtype: Literal["float32", "float64"] = "float32",
    device: str | None = None,
    layer: str | None = None,
    rng: int | np.random.Generator = 0,
    checkpoint: str | os.PathLike[str] | None = None,
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
        Components k₁ that start from the reference, in addition to `n_components`; `"auto"` takes one per group (with
        ``solver="published"`` a third of `n_components`, the program's rule). They come first.
    alpha
        Weight of the reference: its components start with the share α / (1 + α) of each cell's other components.
    lam, gamma1, gamma2
        λ, γ₁, γ₂ of the objective; λ is 10⁶ by default, with ``solver="published"`` and a reference 10⁵, as in the
        program.
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
    device
        PyTorch device that does the products with the data (extra `gpu`; thin solver), such as `"cuda"`. `None` for
        the CPU without PyTorch. The result is the same up to rounding.
    layer
        Layer with the counts; `None` for `X`.
    rng
        Seed or generator.
    checkpoint
        Folder where finished parts of a long fit are kept (thin solver). The same call takes up a run that was stopped
        where it was, with the same result; remove the folder afterwards.
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
    >>> sk.tl.enhance(adata, 5, method="sccase")
    >>> adata.obsm["X_sccase"].shape
    (200, 5)
    """
    check_adata(adata)
    check_free(adata, key_added, "tl.enhance")
    if method is None:
        method = "sccase" if solver == "published" or init == "published" else "robust"
    check_choice(method, ["robust", "sccase"], name="method")
    check_choice(solver, ["thin", "published"], name="solver")
    check_choice(init, ["fast", "published"], name="init")
    check_choice(batch_method, ["balanced", "published"], name="batch_method")
    check_choice(dtype, ["float32", "float64"], name="dtype")
    check_combination(method, solver, device=device, checkpoint=checkpoint)
    if lam is not None:
        check_number(lam, name="lam", minimum=0, exclusive=True)
    check_number(gamma1, name="gamma1", minimum=0)
    check_number(gamma2, name="gamma2", minimum=0)
    check_number(alpha, name="alpha", minimum=0)
    check_number(keep_probability, name="keep_probability", minimum=0, maximum=1)
    check_number(tol, name="tol", minimum=0)
    check_int(max_iter, name="max_iter", minimum=1)
    warn_of_ignored(
        method,
        solver,
        {"reference": reference, "batch_key": batch_key},
        enhance,
        init=init,
        n_reference=n_reference,
        alpha=alpha,
        lam=lam,
        gamma1=gamma1,
        gamma2=gamma2,
        keep_probability=keep_probability,
        batch_method=batch_method,
        max_iter=max_iter,
        tol=tol,
    )
    if lam is None:
        lam = LAMBDA_REFERENCE if solver == "published" and reference is not None else LAMBDA
    matrix = get_matrix(adata, layer)
    check_shape(adata)
    check_orientation(adata)
    if n_components != "auto":
        check_n_components(n_components, adata)
    codes = batch_codes(adata, batch_key, layer=layer)
    generator = np.random.default_rng(rng)
    watch = Stopwatch()
    watch.stage("prepare")
    data = prepare(matrix, dtype=np.dtype(dtype), device=device)
    warn_of_fractions(data.depth, adata, layer)
    if depth and np.ptp(data.depth) == 0:
        warn("depth=True has no effect: all cells have the same depth")
    aligned = None if reference is None else aligned_reference(reference, adata)
    automatic = n_components == "auto"
    if automatic and method == "sccase":
        watch.stage("estimate_k")
        n_components = estimated_components(adata, int((data.depth > 0).sum()), layer=layer, rng=generator.spawn(1)[0])
    elif automatic:
        logger.info("n_components='auto': method='robust' averages several numbers of components and needs none")
        n_components = 0
    elif method == "robust" and solver == "thin":
        bank = choose_bank(None, adata.shape)
        known = "is among them already" if n_components in bank else "is added to them"
        logger.info("method='robust' averages %s components; n_components=%d %s", bank, n_components, known)
    k_ref = reference_components(n_reference, int(n_components) if solver == "published" else None, aligned)
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
        "device": device or "",
        "layer": layer or "",
        "rng": stored_seed(rng),
    }
    if solver == "thin" and not data.op.in_memory:
        _tell_memory(adata, int(n_components), robust=method == "robust")
    kept = None if checkpoint is None else Checkpoint(checkpoint, params | fingerprint(data, codes, aligned), generator)
    if solver == "published":
        watch.stage("published")
        slots = published_slots(data, params, aligned, codes, key_added)
        watch.stage(None)
    elif method == "robust":
        fit = fit_consensus(
            data,
            n_components or None,
            reference=None if aligned is None else Reference(aligned, k_ref, alpha),
            depth=depth,
            batch=codes,
            rng=generator,
            watch=watch,
            checkpoint=kept,
        )
        slots = thin_slots(fit, key_added)
    else:
        options = ModelOptions(
            n_components=int(n_components),
            init=init,
            lam=lam,
            gamma1=gamma1,
            gamma2=gamma2,
            keep_probability=keep_probability,
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
                reference=None if aligned is None else Reference(aligned, k_ref, alpha),
                depth=depth,
                batch=codes,
                rng=generator,
                watch=watch,
                report=report,
                checkpoint=kept,
            )
            bar.total = bar.n  # the objective may stop falling before max_iter
            bar.refresh()
        slots = thin_slots(fit, key_added)
    return write_slots(adata, slots, params, watch, key=key_added, copy=copy)


def _tell_memory(adata: AnnData, n_components: int, *, robust: bool) -> None:
    columns = sum(choose_bank(n_components or None, adata.shape)) if robust else sketch_width(n_components)
    size = expected_memory(adata.shape, columns, robust=robust, in_memory=False)
    logger.info("the counts are read in blocks; the fit takes about %.1f GiB of memory", size / 2**30)
