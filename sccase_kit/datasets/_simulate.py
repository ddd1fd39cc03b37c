"""Simulated count matrices from a latent cell embedding, after simCAS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from anndata import AnnData

from .._arguments import checked
from .._record import record, recorded, seeded
from .._rng import check_rng
from .._validate import check_adata, check_choice, check_int, check_key, check_number
from ._genome import peak_names, peaks_in_bins, random_bins
from ._simulate_counts import draw_fragments, expected_fragments, thin
from ._simulate_like import check_proportions, expected_like
from ._toy_counts import allot
from ._tree import branches, brownian_leaves, type_names

Mode = Literal["discrete", "continuous", "batch"]
Activation = Literal["exp", "sigmoid", "exp_linear"]
Counts = Literal["poisson", "bernoulli"]


@checked()
def simulate(
    n_cells: int,
    n_peaks: int,
    *,
    mode: Mode = "discrete",
    n_types: int = 5,
    proportions: list[float] | np.ndarray | None = None,
    n_batches: int = 2,
    n_latent: int = 12,
    separation: float = 1.0,
    within: float = 0.3,
    batch_effect: float = 0.5,
    peak_sd: float = 1.0,
    activation: Activation = "exp",
    counts: Counts = "poisson",
    library_size: float | None = None,
    library_sd: float = 0.4,
    capture: float = 0.25,
    zero_inflation: float = 0.0,
    rng: int | np.random.Generator | None = 0,
) -> AnnData:
    r"""Simulate counts from a low-dimensional cell embedding, in the manner of simCAS (Li et al. 2023).

    Cells have an embedding :math:`e_i`, peaks have sparse loadings :math:`l_j` and an offset :math:`b_j`; the expected
    fragments are :math:`\lambda_{ij} \propto f(e_i \cdot l_j + b_j)` with f an exponential or a sigmoid, the same total
    for every cell. Poisson fragments are drawn from it (the truth), each is seen with a probability that varies between
    cells (their depth), and a share of the entries may be lost altogether.

    It follows the model of simCAS, not its program, and needs no real data set to learn from; :func:`simulate_like`
    takes depths, peak means and sparsity from one.

    Parameters
    ----------
    n_cells
        Number of cells.
    n_peaks
        Number of peaks, on the chromosome lengths of hg38.
    mode
        ``"discrete"``: clusters at the leaves of a balanced binary tree. ``"continuous"``: cells anywhere along the
        branches of that tree. ``"batch"``: clusters, each spread over batches that differ by a random offset of
        every peak.
    n_types
        Number of leaves, named ``type_1``, …
    proportions
        Relative sizes of the types (``"continuous"``: of the lineages to the leaves). Equal by default.
    n_batches
        Number of batches; only ``mode="batch"`` uses it.
    n_latent
        Dimensions of the cell embedding.
    separation
        Distance between types in the embedding (root mean square per dimension).
    within
        Standard deviation of the cells of a type in each dimension.
    batch_effect
        Standard deviation of the batch offsets of the peaks' scores; only ``mode="batch"`` uses it.
    peak_sd
        Standard deviation of the peaks' offsets, which spreads their mean accessibility.
    activation
        ``"exp"``, ``"sigmoid"``, or ``"exp_linear"``: exponential up to 4, then linear, as in simCAS.
    counts
        ``"poisson"``: fragment counts; ``"bernoulli"``: 1 where there is at least one fragment.
    library_size
        Fragments seen in an average cell. By default 0.05 × `n_peaks`.
    library_sd
        Standard deviation of the log of the library sizes.
    capture
        Share of the fragments seen in an average cell; a cell's own share never exceeds 1.
    zero_inflation
        Share of the remaining entries set to zero.
    rng
        Seed or generator.

    Returns
    -------
    AnnData with

    - `X` (CSR, int32): the observed counts; `layers["truth"]` (CSR, int32): the same before any loss;
    - `obs`: cell_type (categorical), depth (int64), and per mode batch (categorical), or lineage position as
      pseudotime (float64, 0 at the root to 1 at the leaves) and branch (categorical);
    - `var`: chrom, start, end (int64), offset; `obsm["latent"]`, `varm["loadings"]` (float64): the planted model;
      `varm["batch_shift"]` in batch mode; `uns["simulation"]["params"]`.

    :func:`simulated_expectation` gives the noise-free expectation of any block.

    Notes
    -----
    Memory: 8 bytes per stored entry; about n_cells × library_size entries in `X` and 1 / `capture` times as many in
    the truth at most (peaks with several fragments share an entry). No cells × peaks array is made: fragments are
    drawn two million entries at a time.

    References
    ----------
    Li et al., "simCAS: an embedding-based method for simulating single-cell chromatin accessibility sequencing data",
    Bioinformatics 39, btad453 (2023).

    Examples
    --------
    >>> import sccase_kit as sk
    >>> adata = sk.datasets.simulate(200, 1000, mode="batch", n_types=3)
    >>> adata.obs["batch"].nunique()
    2
    """
    mode = check_choice(mode, get_args(Mode), name="mode")
    activation = check_choice(activation, get_args(Activation), name="activation")
    counts = check_choice(counts, get_args(Counts), name="counts")
    n_types = check_int(n_types, name="n_types", minimum=1, maximum=1000)
    n_cells = check_int(n_cells, name="n_cells", minimum=n_types)
    n_peaks = check_int(n_peaks, name="n_peaks", minimum=1)
    n_batches = check_int(n_batches, name="n_batches", minimum=1, maximum=n_cells)
    n_latent = check_int(n_latent, name="n_latent", minimum=1)
    numbers = {"separation": separation, "within": within, "batch_effect": batch_effect, "peak_sd": peak_sd}
    numbers["library_sd"] = library_sd
    for name, value in numbers.items():
        check_number(value, name=name, minimum=0, maximum=10)
    if library_size is None:
        library_size = 0.05 * n_peaks
    library_size = check_number(library_size, name="library_size", minimum=0, exclusive=True)
    capture = check_number(capture, name="capture", minimum=0.001, maximum=1)
    zero_inflation = check_number(zero_inflation, name="zero_inflation", minimum=0, maximum=1)
    weights = check_proportions(proportions, n_types, what="n_types")
    rng, seed = seeded(rng)
    params = {
        "n_cells": n_cells, "n_peaks": n_peaks, "mode": mode, "n_types": n_types, "proportions": weights.tolist(),
        "n_batches": n_batches if mode == "batch" else 1, "n_latent": n_latent, **numbers, "activation": activation,
        "counts": counts, "library_size": library_size, "capture": capture, "zero_inflation": zero_inflation,
        "rng": seed,
    }  # fmt: skip
    cell_rng, peak_rng, count_rng = check_rng(rng).spawn(3)

    obs, latent, batch = _draw_cells(params, rng=cell_rng)
    var = peaks_in_bins(np.sort(random_bins(n_peaks, taken=np.array([], dtype=int), rng=peak_rng)), rng=peak_rng)
    var.index = peak_names(var)
    loadings = peak_rng.standard_normal((n_peaks, n_latent)) * (peak_rng.random((n_peaks, n_latent)) < 0.5)
    loadings *= np.sqrt(2 / n_latent)
    var["offset"] = peak_rng.normal(0.0, peak_sd, n_peaks)
    shifts = peak_rng.normal(0.0, batch_effect, (n_batches, n_peaks)) if mode == "batch" else None

    truth = draw_fragments(
        latent,
        loadings,
        var["offset"].to_numpy(),
        library_size / capture,
        activation=activation,
        shifts=shifts,
        batch=batch,
        rng=count_rng,
    )
    kept = capture * np.exp(library_sd * count_rng.standard_normal(n_cells) - library_sd**2 / 2)
    observed = thin(truth, np.minimum(kept, 1.0), zero_inflation=zero_inflation, rng=count_rng)
    if counts == "bernoulli":
        truth.data[:] = 1
        observed.data[:] = 1
    obs["depth"] = np.asarray(observed.sum(axis=1)).ravel().astype(np.int64)
    adata = AnnData(observed, obs=obs, var=var)
    adata.layers["truth"] = truth
    adata.obsm["latent"] = latent
    adata.varm["loadings"] = loadings
    if shifts is not None:
        adata.varm["batch_shift"] = pd.DataFrame(shifts.T, index=var.index, columns=obs["batch"].cat.categories)
    record(adata, "simulation", "datasets.simulate", params=params, genome="hg38")
    return adata


@checked()
def simulated_expectation(
    adata: AnnData, *, obs_names: list[str] | None = None, var_names: list[str] | None = None
) -> np.ndarray:
    """Return the noise-free expectation of a simulated block: fragments before any loss.

    Parameters
    ----------
    adata
        From :func:`simulate` (rows sum to the same total over all peaks) or :func:`simulate_like`, all peaks of it.
    obs_names
        Cells of the block; all by default.
    var_names
        Peaks of the block; all by default.

    Returns
    -------
    Float64 array of shape (cells, peaks) of the block. A cells × peaks array if both are left out.

    Raises
    ------
    KeyError
        If `adata` comes from neither, or a name is not in it.
    ValueError
        If peaks were removed from `adata`.
    """
    check_adata(adata)
    check_key(
        "simulation", adata.uns, name="key", where="adata.uns", hint="Make it with sccase_kit.datasets.simulate()."
    )
    params = _params(adata)
    if adata.n_vars != params["n_peaks"]:
        msg = f"adata has {adata.n_vars} of the {params['n_peaks']} simulated peaks; all of them are needed"
        raise ValueError(msg)
    rows = _positions(adata.obs_names, obs_names, name="obs_names")
    columns = _positions(adata.var_names, var_names, name="var_names")
    if "rate" in adata.var:  # of simulate_like
        return expected_like(adata, rows)[:, columns]
    shift = None
    if "batch_shift" in adata.varm:
        shift = adata.varm["batch_shift"].to_numpy().T[adata.obs["batch"].cat.codes.to_numpy()[rows]]
    expected = expected_fragments(
        adata.obsm["latent"][rows],
        adata.varm["loadings"],
        adata.var["offset"].to_numpy(),
        params["library_size"] / params["capture"],
        activation=params["activation"],
        shift=shift,
    )
    return expected[:, columns]


def _params(adata: AnnData) -> Mapping[str, Any]:
    """Return the arguments of :func:`simulate`; version 0.1 stored them without the function's name."""
    entry = adata.uns["simulation"]
    for function in ("datasets.simulate", "datasets.simulate_like"):
        if (found := recorded(entry, function)) is not None:
            return found.params
    if isinstance(entry, Mapping) and set(entry) == {"genome", "params"}:
        return entry["params"]
    msg = "adata.uns['simulation'] is no result of sccase_kit.datasets.simulate()"
    raise KeyError(msg)


def _positions(index: pd.Index, names: list[str] | None, *, name: str) -> np.ndarray:
    if names is None:
        return np.arange(len(index))
    at = index.get_indexer(names)
    if (at < 0).any():
        missing = [str(n) for n, i in zip(names, at, strict=True) if i < 0]
        msg = f"{name}: {len(missing)} name(s) not in adata, e.g. {missing[:3]}"
        raise KeyError(msg)
    return at


def _draw_cells(params: dict, *, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray, np.ndarray | None]:
    """Return obs, the cell embedding (n_cells, n_latent) and the batch numbers (batch mode)."""
    n_cells, n_types, n_latent = params["n_cells"], params["n_types"], params["n_latent"]
    tree = branches(n_types)
    starts, stops = brownian_leaves(n_types, n_latent, rng=rng)
    size = 1 + allot(n_cells - n_types, params["proportions"])
    types = rng.permutation(np.repeat(np.arange(n_types), size))
    digits = len(str(n_cells))
    obs = pd.DataFrame(index=[f"cell_{i + 1:0{digits}d}" for i in range(n_cells)])
    obs["cell_type"] = pd.Categorical.from_codes(types, type_names(n_types))
    batch = None
    if params["mode"] == "continuous":
        lineage = [[b for b, leaves in enumerate(tree) if i in leaves] for i in range(n_types)]
        steps = np.array([len(path) for path in lineage])[types]
        along = rng.random(n_cells) * steps
        step = np.minimum(np.floor(along).astype(int), steps - 1)
        branch = np.array([lineage[t][s] for t, s in zip(types, step, strict=True)])
        part = (along - step)[:, None]
        centre = (1 - part) * starts[branch] + part * stops[branch]
        names = ["+".join(type_names(n_types)[i] for i in leaves) for leaves in tree]
        obs["branch"] = pd.Categorical.from_codes(branch, names)
        obs["pseudotime"] = along / steps
    else:
        leaf = np.array([tree.index([i]) for i in range(n_types)])
        centre = stops[leaf[types]]
    if params["mode"] == "batch":
        batch = np.empty(n_cells, dtype=int)
        for t in range(n_types):
            own = rng.permutation(np.flatnonzero(types == t))
            batch[own] = np.arange(len(own)) % params["n_batches"]
        obs["batch"] = pd.Categorical.from_codes(batch, [f"batch_{b + 1}" for b in range(params["n_batches"])])
    latent = params["separation"] * centre + params["within"] * rng.standard_normal((n_cells, n_latent))
    return obs, latent, batch
