"""In which cells fine-mapped variants of traits act: g-chromVAR scores, propagated over the neighbour graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .._adjust import benjamini_hochberg
from .._arguments import checked
from .._calls import check_free
from .._labels import column_name
from .._logging import warn
from .._progress import progress
from .._record import as_object, record, seeded
from .._rng import check_rng
from .._validate import check_adata, check_int, check_key, check_labels, check_number
from ..intervals.peaks import require_coordinates
from ..matrix.access import get_matrix, in_memory_copy
from ..motifs import background_bins, deviations, variant_annotations
from ..motifs.blocks import totals
from ..neighbors.nearest import neighbor_graph
from ..neighbors.walk import walk_enrichment
from ._chromvar_inputs import check_reads, read_bias

_SEED_Z = 1.6448536269514722  # one-sided p of 0.05


@checked()
def trait_scores(
    adata: AnnData,
    variants: Mapping[str, Any],
    groupby: str | None = None,
    *,
    weight: str | None = None,
    bias: str | np.ndarray | None = "gc",
    use_rep: str = "X_sccase",
    graph: str | None = None,
    n_neighbors: int = 30,
    restart: float = 0.05,
    max_seeds: float = 0.05,
    n_permutations: int = 1000,
    layer: str | None = None,
    rng: int | np.random.Generator | None = 0,
    key_added: str = "traits",
    copy: bool = False,
) -> AnnData | None:
    """Score every cell for traits by the fine-mapped variants in its open chromatin and in that of cells like it.

    A single cell has few reads near the variants of a trait, so its own score (g-chromVAR's) is noisy. As SCAVENGE
    does, the cells with the highest scores become seeds of a random walk with restart on the neighbour graph; a cell
    that the walk visits more often than walks from random seeds is near in chromatin to where the variants act. Here
    the graph is that of the enhanced embedding, and the scores are in closed form.

    Parameters
    ----------
    adata
        Counts, cells × peaks, with coordinates; enhanced, unless `use_rep` or `graph` name something else.
    variants
        Trait → variants: table with chrom, start, end (or chrom and 1-based pos) and a column of weights, or path of
        a BED file with the weights in its fifth column. Weights are posterior probabilities of causality.
    groupby
        Column of `obs`: groups are then tested as well.
    weight
        Column of the weights; by default `weight`, `pip`, `pp` or `score`.
    bias
        GC content of the peaks: column of `var` or shape (n_vars,); `None` matches background peaks by accessibility
        alone.
    use_rep
        Key of `obsm` with the embedding whose neighbours make the graph.
    graph
        Key of `obsp` with a symmetric graph instead, such as scanpy's ``"connectivities"``.
    n_neighbors
        Neighbours per cell, itself included.
    restart
        Probability that the walk returns to its seeds at a step.
    max_seeds
        Largest share of the cells that are seeds. They are the cells with the highest z among those above 1.64
        (one-sided p of 0.05).
    n_permutations
        Random sets of seeds, as many and with like sums of weights in the graph, for the p-values. Their smallest value
        is 1 / (1 + `n_permutations`).
    layer
        Layer with the counts; `None` for `adata.X`.
    rng
        Seed or generator of the random seeds and of approximate neighbours.
    key_added
        Start of the keys written.
    copy
        Return a copy instead of writing into `adata`.

    Returns
    -------
    `None`, or the copy. Written:

    `obsm[f"{key_added}_z"]`
        DataFrame (n_obs × traits): z-scores of the cells alone (g-chromVAR).
    `obsm[f"{key_added}_scores"]`
        DataFrame (n_obs × traits): visits of the walk over those of random walks, ≥ 0; 1 is what random seeds give.
    `obsm[f"{key_added}_p"]`
        DataFrame (n_obs × traits): permutation p-values of the scores.
    `uns[key_added]`
        ``traits``: DataFrame trait, n_peaks (with a variant), weight_in_peaks, n_seeds, n_cells_05 (cells with
        p < 0.05); ``groups``, with `groupby`: DataFrame trait, group, n_cells, score (visits of the group over those
        of random walks), z_mean (mean of the cells' z), fraction_05 (share of cells with p < 0.05), p_value,
        p_value_adj (Benjamini–Hochberg over all rows); ``params``.

    Raises
    ------
    KeyError
        If a key or column is missing, or a table has no weights.
    ValueError
        If peaks have no coordinates, no reads or no GC content, no trait has a variant in a peak, or an argument is out
        of its range.

    References
    ----------
    Ulirsch et al., Nature Genetics 2019 (g-chromVAR); Yu et al., Nature Biotechnology 2022 (SCAVENGE).
    """
    check_adata(adata)
    check_free(adata, key_added, "tl.trait_scores")
    max_seeds = check_number(max_seeds, name="max_seeds", minimum=0, maximum=1, exclusive=True)
    n_permutations = check_int(n_permutations, name="n_permutations", minimum=1)
    labels = None if groupby is None else check_labels(adata, groupby)
    rng, seed = seeded(rng)
    generator = check_rng(rng)
    network = _graph(adata, graph, use_rep, n_neighbors, generator)
    weights, names = variant_annotations(require_coordinates(adata), variants, weight=weight)
    names = [column_name(name) for name in names]
    if not weights.nnz:
        msg = f"variants: no variant of any trait lies in a peak (traits: {names[:5]}); same genome as the peaks?"
        raise ValueError(msg)
    z = _own_scores(adata, weights, bias, layer)
    codes = np.zeros(adata.n_obs, dtype=np.intp) if labels is None else labels.cat.codes.to_numpy()
    scores, p_values = np.full(z.shape, np.nan), np.full(z.shape, np.nan)
    rows, tests = [], []
    with progress(total=len(names) * n_permutations, desc="random walks", unit="walk") as bar:
        for k, name in enumerate(names):
            seeds = _seeds(z[:, k], max_seeds)
            column = weights[:, [k]]
            about = {"trait": name, "n_peaks": column.nnz, "weight_in_peaks": float(column.sum())}
            if seeds.any():
                found = walk_enrichment(
                    network,
                    seeds,
                    codes=codes,
                    n_permutations=n_permutations,
                    restart=restart,
                    rng=generator,
                    report=bar.update,
                )
                scores[:, k], p_values[:, k] = found.fold, found.p_value
                if labels is not None:
                    tests.append(_group_rows(name, labels, found, z[:, k]))
            else:
                warn(f"trait {name!r}: no cell has a z above {_SEED_Z:.2f}, so it has no seeds and no scores (NaN)")
            rows.append({**about, "n_seeds": int(seeds.sum()), "n_cells_05": int((p_values[:, k] < 0.05).sum())})
    target = in_memory_copy(adata) if copy else adata
    for part, values in (("z", z), ("scores", scores), ("p", p_values)):
        target.obsm[f"{key_added}_{part}"] = pd.DataFrame(values, index=target.obs_names, columns=names)
    results: dict[str, Any] = {"traits": pd.DataFrame(rows)}
    if tests:
        table = pd.concat(tests, ignore_index=True)
        table["p_value_adj"] = benjamini_hochberg(table["p_value"].to_numpy())
        results["groups"] = table.sort_values(
            ["trait", "p_value", "score"], ascending=[True, True, False], kind="stable"
        )
        results["groups"] = results["groups"].reset_index(drop=True)
    params = {
        "variants": as_object(variants),
        "groupby": groupby,
        "weight": weight,
        "bias": bias,
        "use_rep": use_rep if graph is None else None,
        "graph": graph,
        "n_neighbors": n_neighbors,
        "restart": restart,
        "max_seeds": max_seeds,
        "n_permutations": n_permutations,
        "layer": layer,
        "rng": seed,
    }
    record(target, key_added, "tl.trait_scores", params=params, **results)
    return target if copy else None


def _graph(
    adata: AnnData, graph: str | None, use_rep: str, n_neighbors: int, rng: np.random.Generator
) -> sparse.csr_matrix:
    if graph is not None:
        check_key(graph, adata.obsp.keys(), name="graph", where="adata.obsp")
        stored = sparse.csr_matrix(adata.obsp[graph], dtype=np.float64)
        return (stored + stored.T) / 2
    hint = "Run sccase_kit.tl.enhance(adata) first, or name another embedding."
    check_key(use_rep, adata.obsm.keys(), name="use_rep", where="adata.obsm", hint=hint, remedy="tl.enhance")
    n_neighbors = check_int(n_neighbors, name="n_neighbors", minimum=2)
    return neighbor_graph(np.asarray(adata.obsm[use_rep], dtype=np.float32), n_neighbors, rng=rng)


def _own_scores(
    adata: AnnData, weights: sparse.csr_matrix, bias: str | np.ndarray | None, layer: str | None
) -> np.ndarray:
    """Return the z-scores of the cells alone, also of those that expect less than one weighted read."""
    counts = get_matrix(adata, layer)
    reads = totals(counts).per_peak
    check_reads(adata, reads)
    gc = None if bias is None else read_bias(adata, bias)
    return deviations(counts, weights, background_bins(reads, gc), min_expected=0).z


def _seeds(z: np.ndarray, max_seeds: float) -> np.ndarray:
    """Return the cells with the highest z above the bound, at most a share `max_seeds` of all."""
    value = np.where(np.isfinite(z), z, -np.inf)
    wanted = max(1, round(max_seeds * len(z)))
    seeds = np.zeros(len(z), dtype=bool)
    seeds[np.argsort(-value, kind="stable")[:wanted]] = True
    return seeds & (value > _SEED_Z)


def _group_rows(name: str, labels: pd.Series, found: Any, z: np.ndarray) -> pd.DataFrame:
    groups = labels.cat.categories
    codes = labels.cat.codes.to_numpy()
    known = np.isfinite(z)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(codes[known], z[known], len(groups)) / np.bincount(codes[known], minlength=len(groups))
    size = np.bincount(codes, minlength=len(groups))
    return pd.DataFrame(
        {
            "trait": name,
            "group": groups.astype(str).astype(object),
            "n_cells": size,
            "score": found.group_fold,
            "z_mean": mean,
            "fraction_05": np.bincount(codes, found.p_value < 0.05, len(groups)) / np.maximum(size, 1),
            "p_value": found.group_p_value,
        }
    )
