"""Differential accessibility between conditions, with samples as replicates."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from .._adjust import benjamini_hochberg
from .._arguments import checked
from .._logging import warn
from .._validate import check_adata, check_choice, check_int, check_labels
from ..matrix.access import check_counts, get_matrix
from ..matrix.blocks import iter_row_blocks
from ..peaks import open_test
from ..peaks.designs import design_of
from ._differential_engines import COLUMNS, ENGINES
from ._nearest_gene import add_nearest_gene, add_places, check_genes
from ._specific_peaks import coordinates


@checked()
def differential(
    adata: AnnData,
    groupby: str,
    *,
    condition_key: str,
    sample_key: str,
    reference: str,
    covariates: Sequence[str] = (),
    engine: Literal["pydeseq2", "edger", "limma", "cells"] = "pydeseq2",
    min_cells: int = 10,
    min_samples: int = 2,
    min_counts: int = 10,
    genome: str | os.PathLike[str] | pd.DataFrame | None = None,
    layer: str | None = None,
) -> pd.DataFrame:
    """Test, within every group of cells, which peaks differ between conditions, with samples as replicates.

    Raw counts are summed per sample and group (pseudo-bulk) and tested with the design ``~ covariates + condition``.
    Enhanced values are never used: they share information between samples.

    Parameters
    ----------
    adata
        Cells × peaks with raw counts.
    groupby
        Column of `obs` with the groups (cell types, clusters), each tested on its own.
    condition_key
        Column of `obs` with the condition; every level is compared with `reference`.
    sample_key
        Column of `obs` with the sample (donor, animal, library): the replicate. A sample has one condition.
    reference
        Level of the condition to compare with.
    covariates
        Columns of `obs` to adjust for, constant within a sample: numbers or categories (sex, batch).
    engine
        ``"pydeseq2"``: Wald tests as DESeq2 (extra ``da``); ``"edger"``: quasi-likelihood F tests by edgeR in R;
        ``"limma"``: moderated t tests on voom's weights by limma in R;
        ``"cells"``: a test of cells, not of samples. It counts every cell as a replicate (exact binomial test of open
        cells at equal depth), and says only whether these cells differ, not whether other samples would: its p-values
        are far too small for that.
    min_cells
        Least cells that a sample must have in a group to count.
    min_samples
        Least samples per condition.
    min_counts
        Least counts of a peak over the samples of a group.
    genome
        Adds the nearest gene, as in :func:`sccase_kit.tl.specific_peaks`.
    layer
        Layer with the raw counts; `None` for `X`.

    Returns
    -------
    DataFrame, one row per group, condition and tested peak, by p-value: chrom, start, end (where known), peak, group,
    condition, log2fc (condition over reference), lfc_se (NaN with edgeR), stat (Wald z, F of edgeR, t of limma),
    pvalue, padj (Benjamini–Hochberg within group and condition; NaN where DESeq2 filters the peak), base_mean (mean
    normalised count), and nearest_gene and distance with `genome`. ``attrs["samples"]`` lists the cells of every sample
    and group and whether it was used, ``attrs["skipped"]`` group and condition with the reason, ``attrs["engine"]`` the
    engine, ``attrs["r_session"]`` R and its packages with their versions where R did it.

    Raises
    ------
    KeyError
        If a column or the layer is missing.
    ValueError
        If no group has enough samples in two conditions, a sample has several conditions or values of a covariate, the
        reference is unknown, covariates and condition cannot be told apart, or counts are not whole.
    ImportError
        If PyDESeq2 is not installed.

    References
    ----------
    Muzellec et al. 2023 (PyDESeq2, Bioinformatics 39:btad547); Chen, Lun and Smyth 2016 (edgeR, F1000Research 5:1438);
    Law et al. 2014 (limma-voom, Genome Biology 15:R29).
    """
    check_adata(adata)
    check_choice(engine, [*ENGINES, "cells"], name="engine")
    min_cells, min_samples, min_counts = (
        check_int(value, name=name, minimum=least)
        for value, name, least in (
            (min_cells, "min_cells", 1), (min_samples, "min_samples", 2), (min_counts, "min_counts", 0),
        )
    )  # fmt: skip
    groups = check_labels(adata, groupby, text=True)
    condition = check_labels(adata, condition_key, name="condition_key", min_groups=2, text=True)
    sample = check_labels(adata, sample_key, name="sample_key", text=True)
    check_choice(str(reference), list(condition.cat.categories), name="reference")
    about = _samples(adata, sample, condition, condition_key, covariates)
    genes = None if genome is None else check_genes(adata, genome)
    names, n_samples = list(groups.cat.categories), len(sample.cat.categories)
    codes = groups.cat.codes.to_numpy() * n_samples + sample.cat.codes.to_numpy()
    sums, opens = _sums(adata, layer, codes, len(names) * n_samples)
    n_cells = np.bincount(codes, minlength=len(names) * n_samples)
    places = coordinates(adata, np.arange(adata.n_vars))
    tables, skipped, used_rows = [], [], []
    session: list[str] = []
    for g, name in enumerate(names):
        rows = slice(g * n_samples, (g + 1) * n_samples)
        cells = n_cells[rows]
        used = cells >= (1 if engine == "cells" else min_cells)
        used_rows.append(pd.DataFrame({"group": name, "sample": about.index, "n_cells": cells, "used": used}))
        kept = about[used]
        n_of = kept[condition_key].value_counts()
        enough = 1 if engine == "cells" else min_samples
        fit = [level for level in n_of.index if n_of[level] >= enough]
        for level in condition.cat.categories:
            if level not in fit:
                skipped.append((name, level, f"{n_of.get(level, 0)} samples with at least {min_cells} cells"))
        if str(reference) not in fit or len(fit) < 2:
            continue
        chosen = np.flatnonzero(used & about[condition_key].isin(fit).to_numpy())
        kept = about.iloc[chosen]
        counts = sums[rows][chosen]
        tested = np.flatnonzero(counts.sum(axis=0) >= min_counts)
        if engine == "cells":
            parts = _by_cells(opens[rows][chosen], cells[chosen], kept[condition_key], str(reference))
            levels, results = list(parts), [part.iloc[tested] for part in parts.values()]
        else:
            design = design_of(kept, condition_key, str(reference), covariates=covariates)
            levels, results = design.levels, ENGINES[engine](counts[:, tested], design)
        for level, result in zip(levels, results, strict=True):
            session = result.attrs.pop("r_session", session)
            place = places.take(tested).reset_index(drop=True).assign(group=name, condition=level)
            table = pd.concat([place, result.reset_index(drop=True)], axis=1)
            tables.append(table.sort_values("pvalue", kind="stable", na_position="last"))
    lost = pd.DataFrame(skipped, columns=["group", "condition", "reason"])
    if not tables:
        msg = f"no group has {min_samples} samples (with {min_cells} cells) in {reference!r} and another condition: "
        msg += f"{lost.to_dict('records')[:6]}. Without replicates no test can tell the condition from the sample. "
        msg += "engine='cells' tests the cells at hand instead, and says nothing about other samples"
        raise ValueError(msg)
    if len(lost):
        told = [f"{row.group}, {row.condition} ({row.reason})" for row in lost.itertuples()]
        warn(f"too few samples, left out: {'; '.join(told[:8])}{'; …' if len(told) > 8 else ''}")
    if engine == "cells":
        warn("engine='cells' counts every cell as a replicate: p-values do not hold for other samples")
    table = pd.concat(tables, ignore_index=True)
    if genes is not None:
        table = add_nearest_gene(add_places(table, adata), genes)
    table.attrs |= {"samples": pd.concat(used_rows, ignore_index=True), "skipped": lost, "engine": engine}
    table.attrs |= {"r_session": session} if session else {}
    return table


def _samples(
    adata: AnnData, sample: pd.Series, condition: pd.Series, condition_key: str, covariates: Sequence[str]
) -> pd.DataFrame:
    """Return condition and covariates of every sample.

    Raises
    ------
    KeyError
        If a covariate is missing.
    ValueError
        If a sample has several values, or a value is missing.
    """
    columns = {condition_key: condition.astype(str)}
    for name in [covariates] if isinstance(covariates, str) else covariates:
        if name not in adata.obs.columns:
            msg = f"covariates: {name!r} is not in adata.obs; available: {list(adata.obs.columns)}"
            raise KeyError(msg)
        columns[name] = adata.obs[name]
    table = pd.DataFrame(columns, index=adata.obs_names)
    by_sample = table.groupby(sample.to_numpy(), observed=True, sort=False)
    for name in table.columns:
        several = by_sample[name].nunique(dropna=False)
        if (several > 1).any():
            first = several.index[several > 1][0]
            values = sorted(map(str, table.loc[(sample == first).to_numpy(), name].unique()))[:4]
            msg = f"sample {first!r} has several values of {name!r}: {values}. A sample (replicate) has one: make a "
            msg += "column of donor and condition together, and give the donor as a covariate if it is in both"
            raise ValueError(msg)
        if table[name].isna().any():
            msg = f"{name!r} is missing for {int(table[name].isna().sum())} cells"
            raise ValueError(msg)
    return by_sample.first().reindex(sample.cat.categories)


def _sums(adata: AnnData, layer: str | None, codes: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return counts and open cells by code and peak, each (n × n_vars), float64."""
    sums, opens = np.zeros((n, adata.n_vars)), np.zeros((n, adata.n_vars))
    for rows, block in iter_row_blocks(get_matrix(adata, layer)):
        check_counts(block, name="counts", integer=True)
        own = codes[rows]
        member = sparse.csr_matrix((np.ones(len(own)), (own, np.arange(len(own)))), shape=(n, len(own)))
        sums += (member @ block).toarray()
        opens += (member @ (block > 0)).toarray()
    return sums, opens


def _by_cells(opens: np.ndarray, n_cells: np.ndarray, condition: pd.Series, reference: str) -> dict[str, pd.DataFrame]:
    """Return level → table of the exact test of open cells against the reference, two-sided."""
    found = {}
    for level in sorted(set(condition) - {reference}):
        parts = [(condition == name).to_numpy() for name in (level, reference)]
        counts = np.array([opens[part].sum(axis=0) for part in parts]).astype(np.int64)
        cells = np.array([n_cells[part].sum() for part in parts])
        up, down = (open_test(counts, cells, side) for side in (0, 1))
        pvalue = np.minimum(2 * np.minimum(up.pvalue, down.pvalue), 1)
        columns = [up.log2fc, np.full(len(pvalue), np.nan), up.z, pvalue, benjamini_hochberg(pvalue)]
        found[level] = pd.DataFrame(dict(zip(COLUMNS, [*columns, counts.mean(axis=0)], strict=True)))
    return found
