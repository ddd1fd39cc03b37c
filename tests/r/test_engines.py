"""The engines against references written here and against stored output of the same packages."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats

from sccase_kit import r

CHROMVAR = pytest.mark.r("chromVAR", "SummarizedExperiment", "BiocParallel")
MOTIFMATCHR = pytest.mark.r("motifmatchr", "TFBSTools")
SCABC = pytest.mark.r("scABC")


def reference_scabc(counts, depth, groups):
    """Fit every peak with dense Newton steps: Poisson with log link, then the Gaussian prior on the cluster effects."""
    totals = np.array([counts[groups == k].sum(axis=0) for k in np.unique(groups)])
    exposure = np.array([depth[groups == k].sum() for k in np.unique(groups)])
    n_groups, n_peaks = totals.shape
    mle = np.zeros((n_groups, n_peaks))
    for peak in range(n_peaks):
        for _ in range(999):
            mean = exposure * np.exp(mle[:, peak])
            if mean.min() / mean.max() < np.finfo(float).eps:
                mle[:, peak] = np.nan
                break
            step = (totals[:, peak] - mean) / mean
            mle[:, peak] += step
            if np.abs(step).sum() <= 1e-3:
                break
    centred = mle - mle.mean(axis=0)
    kept = centred[:, ~np.isnan(centred[0])]
    sigma = np.quantile(np.abs(kept), 0.95, axis=1) / stats.norm.ppf(0.975)
    penalty = np.diag([0, *1 / sigma**2])
    beta, pvalues = np.zeros((n_groups + 1, n_peaks)), np.empty((n_peaks, n_groups))
    for peak in range(n_peaks):
        design = np.column_stack([np.ones(n_groups), np.eye(n_groups)])
        for _ in range(999):
            eta = design @ beta[:, peak]
            mean = exposure * np.exp(eta)
            hessian = design.T @ (mean[:, None] * design)
            new = np.linalg.solve(hessian + penalty, design.T @ (mean * eta + totals[:, peak] - mean))
            step, beta[:, peak] = np.abs(new - beta[:, peak]).sum(), new
            if step <= 1e-5:
                break
        mean = exposure * np.exp(design @ beta[:, peak])
        hessian = design.T @ (mean[:, None] * design)
        inverse = np.linalg.inv(hessian + penalty)
        cov = inverse @ hessian @ inverse
        for i in range(n_groups):
            tails = []
            for j in set(range(n_groups)) - {i}:
                contrast = np.zeros(n_groups + 1)
                contrast[[i + 1, j + 1]] = 1, -1
                tails.append(stats.norm.sf(contrast @ beta[:, peak] / np.sqrt(contrast @ cov @ contrast)))
            pvalues[peak, i] = max(tails)
    return pvalues, beta, sigma


@pytest.fixture
def study():
    rng = np.random.default_rng(3)
    types = np.repeat(["T", "B", "NK"], [14, 10, 12])
    rate = rng.gamma(2, 0.2, size=(3, 40))[pd.factorize(types)[0]]
    dense = rng.poisson(rate)
    dense[0, dense.sum(axis=0) == 0] = 1
    return sparse.csr_matrix(dense.astype(np.int32)), types, rng.uniform(0.5, 3, size=len(types))


@SCABC
def test_scabc_against_reference(study):
    counts, types, depth = study
    depth[3] = 0
    before = counts.copy()
    result = r.scabc(counts, depth, types)
    kept = depth > 0
    pvalues, beta, sigma = reference_scabc(counts.toarray()[kept], depth[kept], types[kept])
    assert result["groups"] == ["B", "NK", "T"]
    np.testing.assert_allclose(result["sigma"], sigma, rtol=1e-9)
    np.testing.assert_allclose(result["beta"], beta, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(result["pvalues"], pvalues, rtol=1e-9, atol=1e-12)
    assert (counts != before).nnz == 0


@SCABC
def test_scabc_peak_without_counts_is_rs_error(study):
    counts, types, depth = study
    counts = counts.toarray()
    counts[:, 5] = 0
    with pytest.raises(r.RError, match="singular") as caught:
        r.scabc(counts, depth, types)
    assert any("getbetaMAP" in frame for frame in caught.value.r_traceback)
    assert "scABC" in caught.value.session_info


@SCABC
@pytest.mark.slow
@pytest.mark.parametrize("name", ["true2", "landmarks4"])
def test_scabc_stored_output(golden, name):
    stored = np.load(golden / "r" / f"scabc_testData_{name}.npz")
    slots = (stored["FG_data"], stored["FG_indices"], stored["FG_indptr"])
    counts = sparse.csc_matrix(slots, shape=tuple(stored["FG_shape"])).T
    result = r.scabc(counts, stored["background_medians"], stored["labels"])
    np.testing.assert_allclose(result["pvalues"], stored["pvalue"], rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(result["beta"], stored["betaMAP"], rtol=1e-12)
    np.testing.assert_allclose(result["sigma"], stored["sigmas"], rtol=1e-12)


def test_scabc_bad_input(study):
    counts, types, depth = study
    with pytest.raises(ValueError, match=r"depth must have one value per cell \(36\), got shape \(3,\)"):
        r.scabc(counts, depth[:3], types)
    with pytest.raises(ValueError, match=r"labels must have one value per cell \(36\), got 2"):
        r.scabc(counts, depth, ["a", "b"])
    with pytest.raises(ValueError, match=r"labels has 1 group\(s\) \['x'\], at least 2"):
        r.scabc(counts, depth, ["x"] * 36)
    with pytest.raises(ValueError, match="1 of 36 cells have no label"):
        r.scabc(counts, depth, [None, *types[1:]])
    depth[types == "NK"] = 0
    with pytest.raises(ValueError, match=r"no cell with depth > 0 in cluster\(s\) \['NK'\]"):
        r.scabc(counts, depth, types)
    with pytest.raises(ValueError, match="depth has 1 NaN"):
        r.scabc(counts, np.r_[np.nan, depth[1:]], types)
    with pytest.raises(ValueError, match="negative value"):
        r.scabc(-counts, depth, types)


def reference_deviations(counts, sets, background, expectation):
    """Loop over cells, sets and iterations."""
    deviations = np.full((counts.shape[0], sets.shape[1]), np.nan)
    z = deviations.copy()
    for s in range(sets.shape[1]):
        peaks = np.flatnonzero(sets[:, s])
        if not len(peaks):
            continue
        for cell, row in enumerate(counts):
            expected = row.sum() * expectation[peaks].sum()
            if expected < 1:
                continue
            observed = (row[peaks].sum() - expected) / expected
            drawn = []
            for b in range(background.shape[1]):
                other = background[peaks, b]
                mean = row.sum() * expectation[other].sum()
                drawn.append((row[other].sum() - mean) / mean)
            deviations[cell, s] = observed - np.mean(drawn)
            z[cell, s] = deviations[cell, s] / np.std(drawn, ddof=1)
    return deviations, z


@CHROMVAR
@pytest.mark.slow
def test_chromvar_against_reference():
    rng = np.random.default_rng(5)
    dense = rng.poisson(0.5, size=(12, 60)).astype(np.float64)
    dense[0, dense.sum(axis=0) == 0] = 1
    sets = rng.random((60, 23)) < 0.3
    sets[:, 4] = False
    sets[:, 5] = np.arange(60) == 7
    result = r.chromvar(dense, sets, rng.random(60), n_iterations=10, seed=4, n_bootstrap=20)
    background = result["background"]
    assert background.shape == (60, 10)
    assert background.min() >= 0
    assert background.max() < 60
    np.testing.assert_allclose(result["expectation"], dense.sum(axis=0) / dense.sum(), rtol=1e-14)
    deviations, z = reference_deviations(dense, sets, background, result["expectation"])
    np.testing.assert_allclose(result["deviations"], deviations, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(result["z"], z, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(result["fraction_matches"], sets.mean(axis=0))
    overlap = [sets[background[sets[:, s]], s].mean() if sets[:, s].any() else np.nan for s in range(23)]
    np.testing.assert_allclose(result["fraction_background_overlap"], overlap)
    variability = result["variability"]
    spread = [
        np.std(column[np.isfinite(column)], ddof=1) if np.isfinite(column).sum() > 1 else np.nan for column in z.T
    ]
    np.testing.assert_allclose(variability["variability"], spread, rtol=1e-9)
    np.testing.assert_allclose(variability["p_value"], stats.chi2.sf(11 * np.square(spread), 11), rtol=1e-8)
    low, high = variability["bootstrap_lower_bound"], variability["bootstrap_upper_bound"]
    assert (low <= high)[np.isfinite(low)].all()


@CHROMVAR
@pytest.mark.slow
def test_chromvar_stored_output(golden):
    stored = np.load(golden / "r" / "chromvar_mini.npz")

    def matrix(name):
        slots = (stored[f"{name}_data"], stored[f"{name}_indices"], stored[f"{name}_indptr"])
        return sparse.csc_matrix(slots, shape=tuple(stored[f"{name}_shape"]))

    result = r.chromvar(matrix("counts").T, matrix("annot"), stored["bias"], seed=2017)
    np.testing.assert_array_equal(result["background"] + 1, stored["bg"])
    np.testing.assert_allclose(result["deviations"], stored["dev"].T, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(result["z"], stored["z"].T, rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(result["expectation"], stored["expectation"])
    np.testing.assert_allclose(result["variability"]["p_value_adj"], stored["variability_padj"], rtol=1e-12)
    again = r.chromvar(matrix("counts").T, matrix("annot"), background=result["background"])
    np.testing.assert_allclose(again["z"], result["z"], rtol=1e-12)


def test_chromvar_bad_input():
    counts, sets, bias = np.ones((4, 6)), np.ones((6, 2)), np.full(6, 0.5)
    with pytest.raises(ValueError, match=r"2 peak\(s\) without any count, at positions \[1, 3\]"):
        r.chromvar(counts * [1, 0, 1, 0, 1, 1], sets, bias)
    with pytest.raises(ValueError, match=r"one row per peak \(6\), got shape \(5, 2\)"):
        r.chromvar(counts, sets[:5], bias)
    with pytest.raises(ValueError, match="no weights"):
        r.chromvar(counts, sets / 2, bias)
    with pytest.raises(ValueError, match="at least one set"):
        r.chromvar(counts, sets[:, :0], bias)
    with pytest.raises(ValueError, match=r"bias .* is needed"):
        r.chromvar(counts, sets)
    with pytest.raises(ValueError, match="bias has 1 NaN"):
        r.chromvar(counts, sets, [np.nan, *bias[1:]])
    with pytest.raises(ValueError, match="from 0 to 5, found 6 to 6"):
        r.chromvar(counts, sets, background=np.full((6, 3), 6))
    with pytest.raises(ValueError, match="background must be integers of shape"):
        r.chromvar(counts, sets, background=np.zeros((6, 3)))
    with pytest.raises(ValueError, match="seed must be at least 0"):
        r.chromvar(counts, sets, bias, seed=-1)


def reference_scores(sequences, pfm):
    """Score every offset of both strands with log odds against even frequencies."""
    weights = np.log2((pfm + 0.2) / (pfm.sum(axis=0) + 0.8) / 0.25)
    width = weights.shape[1]
    for sequence in sequences:
        codes = np.array(["ACGT".find(base) for base in sequence.upper()])
        scores = []
        for matrix in (weights, weights[::-1, ::-1]):
            for start in range(len(codes) - width + 1):
                window = codes[start : start + width]
                if (window >= 0).all():
                    scores.append(matrix[window, np.arange(width)].sum())
        yield np.array(scores)


@MOTIFMATCHR
@pytest.mark.slow
def test_motifs_against_reference():
    rng = np.random.default_rng(1)
    sequences = ["".join(rng.choice(list("ACGT"), 80)) for _ in range(25)]
    sequences[3] = sequences[3][:40] + "N" * 10 + sequences[3][50:].lower()
    pfms = {f"é {k}": rng.dirichlet(np.full(4, 0.3), size=8 + k).T * 50 for k in range(3)}
    result = r.match_motifs(sequences, pfms, p_cutoff=1e-3, background="even")
    assert result["matches"].shape == (25, 3)
    assert (result["matches"].dtype, result["counts"].dtype) == (bool, np.int32)
    for motif, pfm in enumerate(pfms.values()):
        for k, scores in enumerate(reference_scores(sequences, pfm)):
            hits = scores[scores >= result["thresholds"][motif]]
            assert result["matches"][k, motif] == (len(hits) > 0)
            assert result["counts"][k, motif] == len(hits)
            assert result["scores"][k, motif] == pytest.approx(hits.max() if len(hits) else 0, rel=1e-9)
    assert result["matches"].nnz > 0


@MOTIFMATCHR
@pytest.mark.slow
@pytest.mark.parametrize("name", ["subject", "custom"])
def test_motifs_stored_output(golden, name):
    stored = np.load(golden / "r" / "motif_example.npz")
    background = [0.3, 0.2, 0.2, 0.3] if name == "custom" else name
    result = r.match_motifs(stored["seqs"].tolist(), [stored[f"pfm{k}"] for k in range(8)], background=background)
    np.testing.assert_array_equal(result["matches"].toarray(), stored[f"{name}_match"])
    np.testing.assert_array_equal(result["counts"].toarray(), stored[f"{name}_counts"])
    np.testing.assert_allclose(result["scores"].toarray(), stored[f"{name}_scores"], rtol=1e-12)
    np.testing.assert_allclose(result["thresholds"], stored[f"{name}_threshold"], rtol=1e-12)


def test_motifs_bad_input():
    pfm = np.ones((4, 5))
    with pytest.raises(ValueError, match=r"pfms\['m'\] must have shape \(4, width\)"):
        r.match_motifs(["ACGT"], {"m": np.ones((3, 5))})
    with pytest.raises(ValueError, match=r"pfms\[0\] must hold non-negative counts"):
        r.match_motifs(["ACGT"], [np.zeros((4, 5))])
    with pytest.raises(ValueError, match="'subject', 'even' or four frequencies, got 'genome'"):
        r.match_motifs(["ACGT"], [pfm], background="genome")
    with pytest.raises(ValueError, match="sum to 1"):
        r.match_motifs(["ACGT"], [pfm], background=[0.5, 0.5, 0.5, 0.5])
    with pytest.raises(ValueError, match="got 0 and 1"):
        r.match_motifs([], [pfm])
    with pytest.raises(ValueError, match="p_cutoff must be greater than 0"):
        r.match_motifs(["ACGT"], [pfm], p_cutoff=0)


@pytest.mark.r("Matrix")
def test_missing_package_names_the_line_that_installs_it(study):
    counts, types, depth = study
    if r.available("scABC"):
        pytest.skip("scABC is installed, nothing to miss")
    with pytest.raises(r.RError, match=r"not installed: scABC.*install\.R scABC"):
        r.scabc(counts, depth, types)
