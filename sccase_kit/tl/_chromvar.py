"""Deviations of the accessibility of peak sets with chromVAR."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .._arguments import checked
from .._calls import check_free
from .._logging import warn
from .._progress import progress
from .._record import OBJECT, as_object, record, seeded
from .._rng import check_rng
from .._validate import check_adata, check_choice, check_int, check_labels
from ..matrix.access import in_memory_copy
from ._annotations import resolve_annotations
from ._chromvar_inputs import (
    Signal,
    check_analytic,
    check_enhanced,
    check_reads,
    counts_signal,
    enhanced_signal,
    read_background,
    read_bias,
)
from ._chromvar_r import by_better_chromvar, by_chromvar
from ._params import peaks_checksum, stored_source


@checked()
def chromvar(
    adata: AnnData,
    annotations: Any = "motifs",
    *,
    names: Sequence[str] | None = None,
    weight: str | None = None,
    source: Literal["counts", "enhanced"] = "counts",
    method: Literal["permuted", "analytic"] = "permuted",
    bias: str | np.ndarray | None = "gc",
    background: str | np.ndarray | None = None,
    n_background: int = 50,
    r_seed: int | None = None,
    expectation_norm: bool = False,
    expectation_groupby: str | None = None,
    compat: bool = False,
    min_expected: float | None = None,
    n_bootstrap: int = 1000,
    engine: Literal["python", "r"] = "python",
    layer: str | None = None,
    key: str = "sccase",
    rng: int | np.random.Generator | None = 0,
    key_added: str = "chromvar",
    copy: bool = False,
) -> AnnData | None:
    """Compute how far each cell's accessibility of peak sets deviates from what its depth predicts, by chromVAR.

    Sets may be motifs, k-mers, other experiments' peaks, or weighted variants (as g-chromVAR). Background peaks of like
    accessibility and GC content correct for technical differences between cells.

    Parameters
    ----------
    adata
        Counts, cells × peaks, read in blocks of cells; every peak needs a read.
    annotations
        Key of `varm`, such as the ``"motifs"`` of :func:`sccase_kit.tl.match_motifs`; a DataFrame (peak names × sets);
        a matrix, sparse or dense (n_vars × sets); or name → regions (table, BED file, region names).
    names
        Names of the columns of a matrix. In all names ``/`` becomes ``|``, so that the result can be written.
    weight
        With name → tables of variants: their column of weights, such as posterior probabilities.
    source
        ``"counts"``, or ``"enhanced"``: the enhanced signal of :func:`sccase_kit.tl.enhance` through its factors
        (native engine only). It is smooth, so z and p-values serve to rank sets; as error rates, those of the counts
        are meant.
    method
        ``"permuted"``: drawn background peaks, as chromVAR; ``"analytic"``: mean and variance over all possible draws
        in closed form, the same whenever it runs and some hundred times faster (nothing to draw, so `background`,
        `n_background` and `r_seed` are not for it).
    bias
        GC content of the peaks: column of `var` or shape (n_vars,). `None`, with ``method="analytic"``, matches
        background peaks by their reads alone, where no sequence is at hand.
    background
        Background peaks, instead of drawing them: key of `varm` or integers of shape (n_vars, B). Those that an
        earlier run stored must belong to the same peaks in the same order.
    n_background
        Background peaks drawn per peak.
    r_seed
        Draw exactly the background peaks of R after ``set.seed(r_seed)``; slower. (``engine="r"`` uses 0 by default.)
    expectation_norm
        Let cells count equally in the expected share of a peak, instead of by depth (counts only).
    expectation_groupby
        Column of `obs` with groups that count equally in the expected share (counts only).
    compat
        With `expectation_norm`, sum over cells as chromVAR 1.5.0 does instead of its documented average.
    min_expected
        Fewer expected reads of a cell in a set give NaN; by default 1 for counts, as chromVAR, and 0 for enhanced.
    n_bootstrap
        Bootstrap samples for the interval of the variability; 0 leaves it out.
    engine
        ``"python"``, or ``"r"``: the R package chromVAR on the same data; with ``method="analytic"`` the R package
        betterChromVAR, whose definitions differ a little (:func:`sccase_kit.r.better_chromvar`).
    layer
        Layer with the counts; `None` for `adata.X`.
    key
        The `key_added` of the fit, for ``source="enhanced"``.
    rng
        Seed or generator of the background peaks (without `r_seed`) and of the bootstrap.
    key_added
        Start of the keys written.
    copy
        Return a copy instead of writing into `adata`.

    Returns
    -------
    `None`, or the copy. Written:

    `obsm[f"{key_added}_deviations"]`, `obsm[f"{key_added}_z"]`
        DataFrame (n_obs × sets), float64: bias-corrected deviations (relative excess of reads over the expected) and
        their z-scores over the backgrounds; NaN where too few reads are expected and for sets without peaks.
    `varm[f"{key_added}_background"]`
        int32 (n_vars × B): positions of the background peaks (not with ``method="analytic"``).
    `varm[f"{key_added}_sets"]`
        CSR (n_vars × sets), where `annotations` is not a key of `varm`.
    `uns[key_added]`
        ``names`` of the sets; ``variability``, DataFrame by set: variability (standard deviation of z over the cells),
        bootstrap_lower_bound and bootstrap_upper_bound (95 %), p_value, p_value_adj (Benjamini–Hochberg), n_peaks,
        fraction_matches, fraction_background_overlap; ``params``.

    Raises
    ------
    KeyError
        If a key or column is missing, or nothing was enhanced under `key`.
    ValueError
        If peaks have no reads or no GC content (they are named), no peak is in any set, there are fewer than two
        cells, shapes do not fit, stored background peaks belong to other peaks or another order, the R engine is
        asked for weights or the enhanced signal, or ``method="analytic"`` is given what belongs to draws or to R.

    References
    ----------
    Schep et al., Nature Methods 2017 (chromVAR 1.5.0); Ulirsch et al., Nature Genetics 2019 (g-chromVAR).
    """
    check_adata(adata)
    check_free(adata, key_added, "tl.chromvar")
    check_choice(engine, ["python", "r"], name="engine")
    check_choice(source, ["counts", "enhanced"], name="source")
    check_choice(method, ["permuted", "analytic"], name="method")
    if method == "analytic":
        check_analytic(engine, background, r_seed, norm=expectation_norm)
    n_background = check_int(n_background, name="n_background", minimum=2)
    n_bootstrap = check_int(n_bootstrap, name="n_bootstrap", minimum=0)
    if adata.n_obs < 2:
        msg = f"adata must have at least 2 cells, got {adata.n_obs}"
        raise ValueError(msg)
    sets, labels = resolve_annotations(adata, annotations, names=names, weight=weight)
    signal = enhanced_signal(adata, key) if source == "enhanced" else counts_signal(adata, layer)
    if source == "enhanced":
        check_enhanced(engine, layer, expectation_groupby, norm=expectation_norm)
    check_reads(adata, signal.per_peak)
    groups = None if expectation_groupby is None else check_labels(adata, expectation_groupby)
    given = background
    if bias is None and background is None and (method != "analytic" or engine == "r"):
        msg = "bias=None, background peaks matched by reads alone, is for method='analytic' with engine='python'; else "
        msg += "give the GC content: sccase_kit.tl.add_gc_content(adata, genome_fasta)"
        raise ValueError(msg)
    gc: Any = None if bias is None or background is not None else read_bias(adata, bias)
    drawn: Any = None if background is None else read_background(adata, background)
    rng, seed = seeded(rng)
    rng = check_rng(rng)
    if engine == "r":
        if min_expected is not None:
            warn("min_expected is ignored with engine='r', where the package decides")
        if method == "analytic":
            result = by_better_chromvar(signal, sets, gc, labels, n_bootstrap=n_bootstrap, groups=groups, rng=rng)
        else:
            result = by_chromvar(
                signal,
                sets,
                gc,
                drawn,
                n_background=n_background,
                seed=0 if r_seed is None else r_seed,
                n_bootstrap=n_bootstrap,
                norm=expectation_norm,
                groups=groups,
            )
    else:
        if method == "analytic":
            from ..motifs import background_bins

            drawn = background_bins(signal.per_peak, gc)
        elif drawn is None:
            from ..motifs import sample_background_peaks

            drawn = sample_background_peaks(signal.per_peak, gc, n_background, seed=r_seed, rng=rng)
        result = _python(
            signal,
            sets,
            drawn,
            labels,
            n_bootstrap=n_bootstrap,
            norm=expectation_norm,
            groups=groups,
            compat=compat,
            min_expected=min_expected,
            rng=rng,
        )
    target = in_memory_copy(adata) if copy else adata
    for name in ("deviations", "z"):
        table = pd.DataFrame(result[name], index=target.obs_names, columns=labels)
        target.obsm[f"{key_added}_{name}"] = table
    if method == "analytic":
        target.varm.pop(f"{key_added}_background", None)
    else:
        target.varm[f"{key_added}_background"] = np.asarray(result["background"], dtype=np.int32)
        n_background = int(result["background"].shape[1])
    if not isinstance(annotations, str):
        target.varm[f"{key_added}_sets"] = sets
    table = result["variability"]
    table.index = pd.Index(labels, name="set")
    table["n_peaks"] = np.diff(sets.tocsc().indptr)
    table["fraction_matches"] = result["fraction_matches"]
    table["fraction_background_overlap"] = result["fraction_background_overlap"]
    params = {
        "annotations": stored_source(annotations, f"{key_added}_sets"),
        "names": as_object(names),
        "weight": weight,
        "source": source,
        "key": key if source == "enhanced" else None,
        "layer": layer,
        "bias": bias if bias is None or isinstance(bias, str) else OBJECT,
        "background": stored_source(given, f"{key_added}_background"),
        "method": method,
        "n_background": n_background,
        "r_seed": r_seed,
        "expectation_norm": bool(expectation_norm),
        "expectation_groupby": expectation_groupby,
        "compat": bool(compat),
        "min_expected": min_expected,
        "n_bootstrap": n_bootstrap,
        "engine": engine,
        "rng": seed,
    }
    found = {
        "names": np.array(labels, dtype=object),
        "variability": table,
        "n_vars": target.n_vars,
        "peaks_checksum": peaks_checksum(target),
    }
    found |= {"r_session": result["session"]} if engine == "r" else {}
    record(target, key_added, "tl.chromvar", params=params, **found)
    return target if copy else None


def _python(
    signal: Signal,
    sets: sparse.csr_matrix,
    background: Any,
    labels: list[str],
    *,
    n_bootstrap: int,
    norm: bool,
    groups: pd.Series | None,
    compat: bool,
    min_expected: float | None,
    rng: np.random.Generator,
) -> dict[str, Any]:
    from ..motifs import deviations, deviations_of_factors, expectations, variability

    expectation = None
    if norm or groups is not None:
        expectation = expectations(signal.counts, norm=norm, groups=groups, compat=compat)
    n_cells = signal.counts.shape[0] if signal.factors is None else len(signal.factors[0])
    with progress(total=n_cells, desc="deviations", unit="cell") as bar:
        if signal.factors is not None:
            least = 0.0 if min_expected is None else min_expected
            found = deviations_of_factors(
                *signal.factors, sets, background=background, min_expected=least, report=bar.update
            )
        else:
            least = 1.0 if min_expected is None else min_expected
            found = deviations(
                signal.counts, sets, background, expectation=expectation, min_expected=least, report=bar.update
            )
    fields = ("deviations", "z", "fraction_matches", "fraction_background_overlap")
    table = variability(found.z, names=labels, n_bootstrap=n_bootstrap, rng=rng)
    return {name: getattr(found, name) for name in fields} | {"variability": table, "background": background}
