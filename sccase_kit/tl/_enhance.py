"""The front of the enhancer."""

from __future__ import annotations

import os
from functools import partial
from typing import Literal

import numpy as np
from anndata import AnnData

from .._arguments import checked
from .._calls import check_free
from .._logging import logger
from .._record import record, seeded
from .._validate import check_adata
from ..enhance import Method
from ..enhance.method import check_takes, used_options
from ..enhance.run import choose, fit
from ..matrix.access import get_matrix, in_memory_copy, warn_of_fractions
from ._enhance_inputs import (
    aligned_reference,
    batch_codes,
    check_orientation,
    check_shape,
    estimated_components,
    options_given,
    write_fields,
)


@checked()
def enhance(
    adata: AnnData,
    n_components: int | Literal["auto"] = "auto",
    reference: AnnData | None = None,
    *,
    depth: bool = False,
    batch_key: str | None = None,
    method: Literal["robust", "sccase", "published", "paper", "knn", "tfidf"] | Method | type[Method] | None = None,
    solver: Literal["thin", "published", "paper"] = "thin",
    init: Literal["fast", "published"] = "fast",
    n_reference: int | Literal["auto"] = "auto",
    alpha: float = 1.0,
    lam: float | None = None,
    gamma1: float = 1.0,
    gamma2: float = 1.0,
    keep_probability: float = 0.95,
    batch_method: Literal["balanced", "published"] = "balanced",
    max_iter: int | None = None,
    tol: float | None = None,
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
    similarity and latent components are fitted together (Eq. 2):

    .. math::

        \min_{W,H,Z \ge 0} \|X (Z \circ R) - W H\|^2 + \lambda \|Z - H^\top H\|^2 + \gamma_1 \|W\|^2 + \gamma_2 \|H\|^2

    ``solver="paper"`` does this as printed, on small data; ``method="sccase"`` does it with the mask R replaced by its
    expectation and Z of rank k, without any n × n array. The default, ``method="robust"``, is another model on the same
    idea. The page "Methods" has a table of what each computes.

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
        Reference counts, groups × peaks; aligned to the peaks by name or overlap
        (:func:`sccase_kit.pp.align_reference`). ``solver="paper"`` puts them into the model as scCASER does (α‖P − W₁‖²
        of Eq. 3). The thin methods do not: the groups that the cells resemble become further components at the start.
    depth
        Correct for sequencing depth: Z ≈ P HᵀH, P = depth / median depth (Supplementary Text S3). With the thin
        solver Z's columns are also scaled to sum 1, as the paper defines Z.
    batch_key
        Column of `obs` with batches to correct.
    method
        `"robust"` (default): a consensus over several numbers of components, smoothed on neighbour graphs, which does
        not collapse when that number is wrong. `"sccase"`: the paper's model (the default with ``init="published"``).
        `"published"`: what the published program (`sccase` 0.2.5) computes, and `"paper"`: the printed equations, both
        dense, on small data. `"knn"` and `"tfidf"`: baselines. Or an object of a method with its options, such as
        ``sk.enhance.Knn(n_neighbors=30)``. :data:`sccase_kit.enhance.METHODS` holds them all, with what each can use.
    solver
        ``solver="published"`` is another spelling of ``method="published"``, which takes one of `reference`, `depth`,
        `batch_key` at a time, and ``solver="paper"`` of ``method="paper"``, which takes a `reference`.
    init
        `"fast"`, a sketched start, or `"published"`, scikit-learn's NMF with `random_state=100`.
    n_reference
        Components k₁ that start from the reference, in addition to `n_components`; `"auto"` takes one per group (with
        ``solver="published"`` a third of `n_components`, the program's rule). They come first.
    alpha
        Weight of the reference: its components start with the share α / (1 + α) of each cell's other components. With
        ``solver="paper"`` the weight of ‖P − W₁‖².
    lam, gamma1, gamma2
        λ, γ₁, γ₂ of the objective; λ is 10⁶ by default, with ``solver="published"`` and a reference 10⁵, as in the
        program.
    keep_probability
        Probability s that an entry of Z is kept by R.
    batch_method
        `"balanced"` aligns the embedding over the batches and gives each the same share of a cell's similarity;
        `"published"` only reweights, as the program.
    max_iter, tol
        Most iterations, and the relative fall of the objective that ends them; `None` for 3 and 10⁻⁴ (thin solver), or
        1000 and 10⁻⁶ (``solver="paper"``). Where Z's columns are free, the objective's global minimum is the trivial
        Z = W = H = 0, so a few iterations from a good start are meant, as in the program (3).
    dtype
        Precision of the products with the data.
    device
        PyTorch device that does the products with the data (extra `gpu`), such as `"cuda"`. `None` for the CPU without
        PyTorch. The result is the same up to rounding.
    layer
        Layer with the counts; `None` for `X`.
    rng
        Seed or generator. Its state at the beginning is recorded, so that the call can be repeated.
    checkpoint
        Folder where finished parts of a long fit are kept. The same call takes up a run that was stopped where it was,
        with the same result; remove the folder afterwards.
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
    `obsm["sccase_shares"]`, `varm["sccase_profiles"]`
        Expected accessibility of the default method without corrections, (n_obs × s) and (n_vars × s) float32: the
        share of every peak in the counts of a cell is shares @ profiles.T.
    `obsm["sccase_depth"]`, `varm["sccase_idf"]`
        Total counts of every cell, (n_obs × 1); IDF of every peak, and where that is 0 its share of all counts,
        (n_vars × 2); for ``scale="counts"`` of :func:`sccase_kit.get.enhanced`.
    `obsm["sccase_range"]`, `varm["sccase_range"]`
        Ranges of the min–max scaling; on large data absent until first needed.
    `uns["sccase"]`
        The call (`function`, `version`, `params`), `objective` (after each iteration), `timing` (seconds per stage),
        `shape`.
    `layers["sccase"]`, `obsp["sccase_similarity"]`
        Only of methods that are not thin, in place of the factors: the enhanced matrix (n_obs × n_vars), dense of
        ``method="published"`` and ``"paper"``, and CSR of the baselines, and Z (n_obs × n_obs).

    Raises
    ------
    TypeError, ValueError, KeyError
        If an argument or the counts are unusable, or the method cannot use what is given; the message names it, and
        the methods that can.

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
    call = dict(locals())
    check_adata(adata)
    check_free(adata, key_added, "tl.enhance")
    chosen = choose(method, options_given(enhance, call), solver=solver)
    inputs = {"reference": reference, "depth": depth, "batch": batch_key, "checkpoint": checkpoint, "device": device}
    check_takes(chosen, inputs)
    matrix = get_matrix(adata, layer)
    check_shape(adata)
    check_orientation(adata)
    chosen.resolve(adata.shape, 0)
    codes = batch_codes(adata, batch_key, layer=layer)
    rng, seed = seeded(rng)
    done = fit(
        matrix,
        chosen,
        reference=None if reference is None else aligned_reference(reference, adata),
        depth=depth,
        batch=codes,
        dtype=dtype,
        device=device,
        rng=rng,
        checkpoint=checkpoint,
        estimate=partial(estimated_components, adata, layer),
        inspect=lambda data: warn_of_fractions(data.depth, adata, layer),
    )
    target = in_memory_copy(adata) if copy else adata
    write_fields(target, done.result, key_added)
    used = {name: call[name] for name in ("reference", "depth", "batch_key", "dtype", "device", "layer")}
    params = {"method": done.method.name, **used_options(done.method, inputs), **used, "rng": seed}
    result = done.result
    found = {"objective": result.objective, **result.info, "timing": done.seconds, "shape": np.array(adata.shape)}
    record(target, key_added, "tl.enhance", params=params, **found)
    logger.info("enhanced %d cells × %d peaks in %.2f s", *adata.shape, sum(done.seconds.values()))
    return target if copy else None
