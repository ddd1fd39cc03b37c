"""The R packages scABC, chromVAR and motifmatchr on numpy and scipy inputs, each in a child R."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from scipy import sparse

from .._arguments import checked
from .._labels import encode_labels
from .._logging import warn
from .._validate import check_int, check_number
from ..motifs.chromvar import check_background
from ._child import run_tool
from ._inputs import check_read, counts_matrix, vector


@checked()
def scabc(
    counts: Any,
    depth: Any,
    labels: Iterable[object],
    *,
    max_iter: int = 1000,
    tol_mle: float = 1e-3,
    tol_map: float = 1e-5,
) -> dict[str, Any]:
    """Cluster-specific peaks with the R package scABC (``getClusterSpecificPvalue``).

    The R package holds several dense cells × peaks matrices and fits every peak on its own: minutes for 1,000 peaks.
    It stops on peaks without counts.

    Parameters
    ----------
    counts
        Array or sparse matrix of shape (n_cells, n_peaks).
    depth
        Background level of each cell, shape (n_cells,); scABC drops cells with ``depth <= 0``.
    labels
        Cluster of each cell, any hashable; clusters are taken in category or sorted order.
    max_iter
        Most Newton steps.
    tol_mle, tol_map
        Sum of absolute steps at which a peak counts as converged.

    Returns
    -------
    dict
        ``pvalues`` (n_peaks × n_clusters), ``beta`` (n_clusters + 1 × n_peaks, first row the intercept), ``sigma``
        (n_clusters), all float64, ``groups``, the clusters in the order of the columns, and ``session``, R and its
        packages with their versions.

    Raises
    ------
    RError
        If R fails, as the package does on peaks without counts.
    ValueError
        If shapes do not match, or fewer than two clusters keep a cell with positive depth.

    References
    ----------
    Zamanighomi et al., Nature Communications 2018 (scABC 0.99.0).
    """
    counts = counts_matrix(counts)
    depth = vector(depth, counts.shape[0], name="depth", per="cell")
    codes, groups = encode_labels(labels, counts.shape[0], min_groups=2)
    kept = np.unique(codes[depth > 0])
    if len(kept) < len(groups):
        empty = [group for k, group in enumerate(groups) if k not in kept]
        msg = f"labels: no cell with depth > 0 in cluster(s) {empty}; scABC cannot fit them, drop those cells"
        raise ValueError(msg)
    result = run_tool(
        "scabc",
        {
            "counts": counts.T,
            "depth": depth,
            "labels": (codes + 1).astype(np.int32),
            "max_iter": check_int(max_iter, name="max_iter", minimum=1),
            "tol_mle": check_number(tol_mle, name="tol_mle", minimum=0, exclusive=True),
            "tol_map": check_number(tol_map, name="tol_map", minimum=0, exclusive=True),
        },
    )
    return {**result, "groups": groups}


@checked()
def chromvar(
    counts: Any,
    annotations: Any,
    bias: Any = None,
    *,
    n_iterations: int = 50,
    w: float = 0.1,
    bs: int = 50,
    seed: int = 0,
    background: Any = None,
    expectation: Any = None,
    expectation_norm: bool = False,
    expectation_groups: Iterable[object] | None = None,
    n_bootstrap: int = 0,
    n_jobs: int = 1,
) -> dict[str, Any]:
    """Deviations of peak sets with the R package chromVAR.

    Parameters
    ----------
    counts
        Array or sparse matrix of shape (n_cells, n_peaks); every peak needs a count.
    annotations
        Array or sparse matrix of shape (n_peaks, n_sets), 0/1 or boolean (chromVAR knows no weights).
    bias
        GC content of each peak, shape (n_peaks,). Needed unless `background` is given.
    n_iterations, w, bs
        Background peaks per peak, width of the kernel and bins per axis of ``getBackgroundPeaks``.
    seed
        ``set.seed`` of R's Mersenne-Twister before the background peaks, and ``RNGseed`` of the bootstrap.
    background
        Integer array of shape (n_peaks, n_iterations) with 0-based background peaks, instead of sampling them.
    expectation
        Expected fraction of fragments per peak, shape (n_peaks,), instead of ``computeExpectations``.
    expectation_norm, expectation_groups
        Arguments `norm` and `group` of ``computeExpectations``.
    n_bootstrap
        Bootstrap samples of the variability; 0 leaves out the bounds.
    n_jobs
        R processes.

    Returns
    -------
    dict
        ``deviations`` and ``z`` (n_cells × n_sets), ``fraction_matches`` and ``fraction_background_overlap`` (n_sets),
        ``background`` (n_peaks × n_iterations, int32, 0-based), ``expectation`` (n_peaks) and ``variability``, a
        DataFrame with one row per set and chromVAR's columns; ``session``, R and its packages with their versions.

    Raises
    ------
    RError
        If R fails.
    ValueError
        If shapes do not match, peaks have no counts, annotations are weights or indices are out of range.

    References
    ----------
    Schep et al., Nature Methods 2017 (chromVAR 1.5.0).
    """
    counts = counts_matrix(counts)
    n_cells, n_peaks = counts.shape
    check_read(counts)
    sets = sparse.csc_matrix(annotations)
    if sets.shape[0] != n_peaks:
        msg = f"annotations must have one row per peak ({n_peaks}), got shape {sets.shape}"
        raise ValueError(msg)
    if sets.shape[1] == 0:
        msg = f"annotations must have at least one set, got shape {sets.shape}"
        raise ValueError(msg)
    if not np.isin(sets.data, (0, 1)).all():
        msg = "annotations must be 0/1 for engine 'r' (chromVAR knows no weights); use the Python engine for weights"
        raise ValueError(msg)
    sets = sparse.csc_matrix(sets.astype(bool))
    sets.eliminate_zeros()
    sets.sort_indices()
    if background is None:
        if bias is None:
            msg = "bias (GC content of each peak) is needed to sample background peaks; or pass background="
            raise ValueError(msg)
        bias = vector(bias, n_peaks, name="bias", per="peak")
    else:
        if bias is not None:
            warn("bias is ignored because background is given")
            bias = None
        background = check_background(background, n_peaks) + 1
    if expectation is not None:
        expectation = vector(expectation, n_peaks, name="expectation", per="peak")
    group = None
    if expectation_groups is not None:
        group = (encode_labels(expectation_groups, n_cells, name="expectation_groups")[0] + 1).astype(np.int32)
    result = run_tool(
        "chromvar",
        {
            "counts": counts.T,
            "annotations": sets,
            "bias": bias,
            "background": background,
            "expectation": expectation,
            "norm": bool(expectation_norm),
            "group": group,
            "n_iterations": check_int(n_iterations, name="n_iterations", minimum=2),
            "w": check_number(w, name="w", minimum=0, exclusive=True),
            "bs": check_int(bs, name="bs", minimum=2),
            "seed": check_int(seed, name="seed", minimum=0, maximum=2**31 - 1),
            "n_bootstrap": check_int(n_bootstrap, name="n_bootstrap", minimum=0),
            "n_workers": check_int(n_jobs, name="n_jobs", minimum=1),
        },
    )
    for name in ("deviations", "z"):
        result[name] = np.asarray(result[name].T, dtype=np.float64, order="C")
    result["background"] = np.ascontiguousarray(result["background"]).astype(np.int32) - 1
    return result


@checked()
def match_motifs(
    sequences: Iterable[str],
    pfms: Mapping[str, Any] | Sequence[Any],
    *,
    p_cutoff: float = 5e-5,
    background: Literal["subject", "even"] | Sequence[float] = "subject",
    window: int = 7,
) -> dict[str, Any]:
    """Motif matches with the R package motifmatchr.

    Parameters
    ----------
    sequences
        DNA, one string per peak.
    pfms
        Count matrices with rows A, C, G, T, shape (4, width): a mapping name → matrix or a sequence. Fractional counts
        are used as they are (TFBSTools alone would cut them down to integers).
    p_cutoff
        p-value below which a site is a match.
    background
        ``"subject"``: base frequencies of all `sequences`; ``"even"``; or the frequencies of A, C, G, T.
    window
        Window of the search.

    Returns
    -------
    dict
        ``matches`` (bool), ``scores`` (float64, highest score of a match) and ``counts`` (int32, number of matches),
        CSR of shape (n_sequences, n_motifs); ``thresholds`` (n_motifs), the score a match must reach, NaN where the
        installed motifmatchr does not tell; ``session``, R and its packages with their versions.

    Raises
    ------
    RError
        If R fails.
    ValueError
        If a matrix does not have four rows or has an empty column, or `background` is not valid.

    References
    ----------
    Schep, motifmatchr 1.1.1; Korhonen et al., Bioinformatics 2009 (MOODS).
    """
    sequences = [str(sequence) for sequence in sequences]
    named = pfms.items() if isinstance(pfms, Mapping) else enumerate(pfms)
    profiles = [_profile(matrix, name) for name, matrix in named]
    if not sequences or not profiles:
        msg = f"at least one sequence and one motif are needed, got {len(sequences)} and {len(profiles)}"
        raise ValueError(msg)
    frequencies: Any = background
    if isinstance(background, str):
        if background not in ("subject", "even"):
            msg = f"background must be 'subject', 'even' or four frequencies, got {background!r}"
            raise ValueError(msg)
    else:
        given = np.asarray(background, dtype=np.float64)
        if given.shape != (4,) or not (given > 0).all() or not np.isclose(given.sum(), 1):
            msg = f"background must be four positive frequencies (A, C, G, T) that sum to 1, got {given.tolist()}"
            raise ValueError(msg)
        frequencies = given
    result = run_tool(
        "motifmatchr",
        {
            "sequences": sequences,
            "profiles": np.hstack(profiles),
            "widths": np.array([profile.shape[1] for profile in profiles], dtype=np.int32),
            "p_cutoff": check_number(p_cutoff, name="p_cutoff", minimum=0, maximum=1, exclusive=True),
            "background": frequencies,
            "window": check_int(window, name="window", minimum=1),
        },
    )
    for name, dtype in (("matches", bool), ("scores", np.float64), ("counts", np.int32)):
        matrix = sparse.csr_matrix(result[name], dtype=dtype)
        matrix.eliminate_zeros()
        result[name] = matrix
    return result


def _profile(matrix: Any, name: object) -> np.ndarray:
    profile = np.asarray(matrix, dtype=np.float64)
    if profile.ndim != 2 or profile.shape[0] != 4 or profile.shape[1] == 0:
        msg = f"pfms[{name!r}] must have shape (4, width) with rows A, C, G, T, got {profile.shape}"
        raise ValueError(msg)
    if not np.isfinite(profile).all() or (profile < 0).any() or (profile.sum(axis=0) <= 0).any():
        msg = f"pfms[{name!r}] must hold non-negative counts with a positive sum in every column"
        raise ValueError(msg)
    return profile
