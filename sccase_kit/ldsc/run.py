"""Partitioned heritability: the tables that ``ldsc.py --h2`` and ``--h2-cts`` 1.0.1 print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
import scipy

from .._arguments import Made, checked
from .._logging import warn
from .._validate import check_int, check_number, check_some
from .regression import Regression, pseudo_covariance, regress
from .tables import ReferenceScores, check_numbers_of_snps, read_sumstats, sort_by_position

#: χ² above max(this × largest N, 80) are left out with more than one annotation (ldsc 1.0.1).
CHI2_PER_SAMPLE, LEAST_CHI2_MAX = 0.001, 80.0
TWO_STEP = 30.0


@dataclass(frozen=True)
class LdscResult:
    """Result of :func:`ldsc_h2`.

    Attributes
    ----------
    table
        DataFrame with the columns of a ``.results`` file: Category, Prop._SNPs, Prop._h2, Prop._h2_std_error,
        Enrichment, Enrichment_std_error, Enrichment_p, Coefficient, Coefficient_std_error, Coefficient_z-score.
    h2, h2_se, intercept, intercept_se
        Observed-scale heritability and the intercept of the regression.
    info
        n_snps (used), mean_chi2, lambda_gc, ratio, n_removed (χ² too large), m (SNPs per annotation).
    """

    table: pd.DataFrame
    h2: float
    h2_se: float
    intercept: float
    intercept_se: float
    info: dict[str, Any]


@checked()
def combine_scores(parts: Sequence[ReferenceScores]) -> ReferenceScores:
    """Join annotations of several references side by side.

    Names get ``_0``, ``_1``, … by their reference, as in the original's tables.

    Parameters
    ----------
    parts
        References over the same SNPs in the same order.

    Returns
    -------
    ReferenceScores with the annotations of all; the overlap is not kept.

    Raises
    ------
    ValueError
        If the references hold different SNPs, or one has not as many numbers of SNPs as annotations.
    """
    parts = check_some(parts, name="parts")
    for part in parts:
        check_numbers_of_snps(Made(ReferenceScores, "read_ld_scores")(part, "parts", {}))
    tables = [
        part.table.reset_index(drop=True).rename(columns={name: f"{name}_{i}" for name in part.names})
        for i, part in enumerate(parts)
    ]
    for table in tables[1:]:
        if not np.array_equal(table["SNP"], tables[0]["SNP"]):
            msg = (
                f"the references hold different SNPs ({len(tables[0])} and {len(table)}): print the scores of all "
                "for one list of SNPs"
            )
            raise ValueError(msg)
    joined = pd.concat([tables[0], *(t.drop(columns=["CHR", "SNP", "BP"]) for t in tables[1:])], axis=1)
    return ReferenceScores(joined, np.concatenate([part.m for part in parts]))


@dataclass(frozen=True)
class _Data:
    chi2: np.ndarray
    ld: np.ndarray
    weight_ld: np.ndarray
    n: np.ndarray
    m: np.ndarray
    names: list[str]
    kept: np.ndarray
    info: dict[str, Any]


def _prepare(sumstats: pd.DataFrame, reference: ReferenceScores, weights: ReferenceScores, n_blocks: int) -> _Data:
    """Merge statistics and scores by position; leave out columns that do not vary and χ² that are too large."""
    if len(weights.names) != 1:
        msg = f"weights must hold one column of LD scores, got {weights.names[:5]}"
        raise ValueError(msg)
    check_numbers_of_snps(reference)
    right = weights.table[["SNP", weights.names[0]]].set_axis(["SNP", "_weight"], axis=1)
    merged = reference.table.merge(sumstats[["SNP", "N", "Z"]], on="SNP", sort=False).merge(right, on="SNP", sort=False)
    if merged.empty:
        msg = "summary statistics, reference and weights have no SNP in common: rs ids of one build are needed"
        raise ValueError(msg)
    merged = sort_by_position(merged)
    ld = merged[reference.names].to_numpy(np.float64)
    kept = ld.var(axis=0) > 0
    if not kept.any():
        msg = "no annotation has LD scores that vary over the SNPs"
        raise ValueError(msg)
    if not kept.all():
        gone = [name for name, k in zip(reference.names, kept, strict=True) if not k]
        warn(f"annotations without variation of their LD scores are left out: {gone}")
    chi2, n = merged["Z"].to_numpy(np.float64) ** 2, merged["N"].to_numpy(np.float64)
    n_all = len(chi2)
    good = np.ones(n_all, bool)
    info = {"mean_chi2": float(chi2.mean())}
    if kept.sum() > 1:
        good = chi2 < max(CHI2_PER_SAMPLE * n.max(), LEAST_CHI2_MAX)
    if good.sum() <= max(n_blocks, kept.sum() + 1):
        msg = f"only {int(good.sum())} SNPs remain for {n_blocks} jackknife blocks and {int(kept.sum())} annotations"
        raise ValueError(msg)
    info |= {"n_snps": int(good.sum()), "n_removed": int(n_all - good.sum())}
    info |= {"mean_chi2": float(chi2[good].mean()), "lambda_gc": float(np.median(chi2[good]) / 0.4549)}
    if np.ptp(chi2[good]) == 0:
        msg = f"Z² is {chi2[good][0]:g} for every SNP: these are no z-scores of a trait"
        raise ValueError(msg)
    names = [name for name, k in zip(reference.names, kept, strict=True) if k]
    columns = np.column_stack([ld[good][:, kept], np.ones(int(good.sum()))])
    columns /= np.linalg.norm(columns, axis=0)
    if np.linalg.matrix_rank(columns.T @ columns, hermitian=True) < columns.shape[1]:
        msg = f"the LD scores of {names[:5]} are collinear (one is a copy or a sum of others): leave one out"
        raise ValueError(msg)
    weight = merged["_weight"].to_numpy(np.float64)[good]
    return _Data(chi2[good], ld[good][:, kept], weight, n[good], reference.m[kept], names, kept, info)


@checked()
def ldsc_h2(
    sumstats: object,
    reference: ReferenceScores,
    weights: ReferenceScores,
    *,
    n_blocks: int = 200,
    two_step: float = TWO_STEP,
) -> LdscResult:
    """Estimate heritability and its partition over annotations.

    Parameters
    ----------
    sumstats
        Munged statistics: DataFrame SNP, N, Z or a ``.sumstats.gz`` file.
    reference
        LD scores of the annotations; with `overlap`, enrichments account for overlapping annotations
        (``--overlap-annot``), otherwise every annotation is taken by itself.
    weights
        LD scores over the regression SNPs (one column).
    n_blocks
        Blocks of the jackknife.
    two_step
        With one annotation, χ² below which SNPs estimate the intercept.

    Returns
    -------
    LdscResult

    Raises
    ------
    KeyError
        If statistics lack columns.
    ValueError
        If there are no common SNPs, too few for the blocks, no annotation varies, or annotations are collinear.

    Notes
    -----
    Enrichment_p is the two-sided t test (`n_blocks` degrees of freedom) of the difference of the heritability per SNP
    in and out of the annotation. The original's check of the condition number looks at column names and never warns;
    here the LD scores themselves are checked.
    """
    check_int(n_blocks, name="n_blocks", minimum=2)
    check_number(two_step, name="two_step", minimum=0, exclusive=True)
    result = fit_h2(read_sumstats(sumstats), reference, weights, n_blocks=n_blocks, two_step=two_step)
    warn_if_few(result.info["n_snps"])
    return result


def warn_if_few(n_snps: int) -> None:
    """Warn, as the original does, of a regression on fewer than 200,000 SNPs."""
    if n_snps < 200_000:
        warn(f"{n_snps} SNPs are in the regression; fewer than 200,000 is almost always too few")


def fit_h2(
    sumstats: pd.DataFrame, reference: ReferenceScores, weights: ReferenceScores, *, n_blocks: int, two_step: float
) -> LdscResult:
    """Fit one trait; see :func:`ldsc_h2`."""
    data = _prepare(sumstats, reference, weights, n_blocks)
    _warn_if_collinear(data)
    single = len(data.names) == 1
    fit = regress(
        data.chi2, data.ld, data.weight_ld, data.n, data.m, n_blocks=n_blocks, two_step=two_step if single else None
    )
    category = fit.coefficients * data.m
    category_cov = fit.covariance * np.outer(data.m, data.m)
    ratio = (fit.intercept - 1) / (data.info["mean_chi2"] - 1) if data.info["mean_chi2"] > 1 else np.nan
    return LdscResult(
        _results(data, fit, reference, n_blocks),
        float(category.sum()),
        float(np.sqrt(category_cov.sum())),
        fit.intercept,
        fit.intercept_se,
        data.info | {"ratio": float(ratio), "m": dict(zip(data.names, data.m.tolist(), strict=True))},
    )


def _warn_if_collinear(data: _Data) -> None:
    if len(data.names) < 2:
        return
    scaled = data.ld / np.linalg.norm(data.ld, axis=0)
    condition = np.linalg.cond(scaled.T @ scaled)
    if condition > 1e10:
        warn(f"the LD scores of the annotations are almost collinear (condition number {condition:.1e})")


def _results(data: _Data, fit: Regression, reference: ReferenceScores, n_blocks: int) -> pd.DataFrame:
    m = data.m
    category = fit.coefficients * m
    proportion = category / category.sum()
    deleted = fit.deleted * m
    prop_cov = pseudo_covariance(proportion, deleted / deleted.sum(axis=1, keepdims=True))
    if reference.overlap is None or reference.n_common is None:
        overlap, total, size = np.diag(m), float(m.sum()), m
    else:
        overlap = reference.overlap[np.ix_(data.kept, data.kept)]
        total, size = float(reference.n_common), m
    share = overlap / size[None, :]
    prop_h2 = share @ proportion
    variance = np.diag(share @ prop_cov @ share.T)
    rounding = 16 * np.finfo(float).eps * np.diag(np.abs(share) @ np.abs(prop_cov) @ np.abs(share).T)
    prop_se = np.sqrt(np.where(variance > rounding, variance, 0))  # that of all SNPs is 0
    prop_m = size / total
    difference = np.zeros_like(overlap)
    part = size != total
    inside, outside = overlap[part] / size[part, None], (size - overlap[part]) / (total - size[part, None])
    difference[part] = inside - outside
    estimate = difference @ fit.coefficients
    error = np.sqrt(np.maximum(np.diag(difference @ fit.covariance @ difference.T), 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.where(error > 0, 2 * scipy.stats.t.sf(np.abs(estimate / error), n_blocks), np.nan)
    se = np.sqrt(np.diag(fit.covariance))
    return pd.DataFrame(
        {
            "Category": data.names,
            "Prop._SNPs": prop_m,
            "Prop._h2": prop_h2,
            "Prop._h2_std_error": prop_se,
            "Enrichment": prop_h2 / prop_m,
            "Enrichment_std_error": prop_se / prop_m,
            "Enrichment_p": p,
            "Coefficient": fit.coefficients,
            "Coefficient_std_error": se,
            "Coefficient_z-score": fit.coefficients / se,
        }
    )


@checked()
def ldsc_cts(
    sumstats: object,
    reference: ReferenceScores,
    weights: ReferenceScores,
    *,
    cell_types: Mapping[str, ReferenceScores | Sequence[ReferenceScores]],
    n_blocks: int = 200,
) -> pd.DataFrame:
    """Test the annotations of cell types one at a time, each together with the reference (``--h2-cts``).

    Parameters
    ----------
    sumstats, weights, n_blocks
        See :func:`ldsc_h2`.
    reference
        LD scores of the baseline.
    cell_types
        Name → LD scores of its annotation, or a list of them of which the first is tested (annotation, control).

    Returns
    -------
    DataFrame Name, Coefficient, Coefficient_std_error, Coefficient_P_value (one-sided), sorted by p.

    Raises
    ------
    KeyError, ValueError
        As :func:`ldsc_h2`; or if an annotation to test has LD scores that do not vary.
    """
    statistics = read_sumstats(sumstats)
    rows = []
    for name, value in cell_types.items():
        parts = [value] if isinstance(value, ReferenceScores) else list(value)
        data = _prepare(statistics, combine_scores([*parts, reference]), weights, n_blocks)
        if not data.kept[0]:
            msg = f"the LD scores of {name!r} do not vary over the SNPs: its annotation is empty or too small"
            raise ValueError(msg)
        fit = regress(data.chi2, data.ld, data.weight_ld, data.n, data.m, n_blocks=n_blocks)
        estimate, error = fit.coefficients[0], float(np.sqrt(fit.covariance[0, 0]))
        rows.append((name, estimate, error, scipy.stats.norm.sf(estimate / error)))
    columns = ["Name", "Coefficient", "Coefficient_std_error", "Coefficient_P_value"]
    return pd.DataFrame(rows, columns=columns).sort_values("Coefficient_P_value", kind="stable", ignore_index=True)


def merge_chromosomes(parts: Sequence[tuple[pd.DataFrame, np.ndarray, np.ndarray, int]]) -> ReferenceScores:
    """Join chromosomes: (scores, M_5_50, annotᵀ annot over common SNPs, their number) each."""
    table = sort_by_position(pd.concat([p[0] for p in parts], ignore_index=True))
    m, overlap, n = (reduce(lambda a, b: a + b, values) for values in zip(*(p[1:] for p in parts), strict=True))
    return ReferenceScores(table.drop_duplicates("SNP"), m, overlap, n)
