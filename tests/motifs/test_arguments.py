"""Arrays that do not fit are refused with a word on which, and what to do."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from sccase_kit.motifs import (
    annotation_correlation,
    annotation_synergy,
    deviations,
    deviations_of_factors,
    expectations,
    sample_background_peaks,
    scabc_pvalues,
    variant_annotations,
)

N_CELLS, N_PEAKS = 5, 8
COUNTS = np.random.default_rng(0).integers(1, 4, size=(N_CELLS, N_PEAKS))
SETS = sparse.csr_matrix(np.eye(N_PEAKS, 3))
BACKGROUND = np.tile(np.arange(N_PEAKS)[:, None], (1, 4))
BIAS = np.linspace(0.3, 0.7, N_PEAKS)


def nan_at(values, place, value=np.nan):
    values = np.array(values, dtype=float)
    values[place] = value
    return values


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"annotations": SETS[:5]}, r"annotations must have one row per peak \(8\), got shape \(5, 3\)"),
        ({"annotations": SETS[:, :0]}, "at least one set"),
        ({"annotations": -SETS}, "0/1 or finite weights >= 0"),
        ({"annotations": SETS * np.inf}, "0/1 or finite weights >= 0"),
        ({"background": BACKGROUND[:, :1]}, "n_iterations >= 2"),
        ({"background": BACKGROUND[:4]}, r"background must be integers of shape \(8,"),
        ({"background": BACKGROUND.astype(float)}, "got float64"),
        ({"background": BACKGROUND + 1}, "positions from 0 to 7, found 1 to 8"),
        ({"background": BACKGROUND - 1}, "positions from 0 to 7, found -1 to 6"),
        ({"counts": COUNTS[:1]}, "at least 2 cells, got 1"),
        ({"counts": COUNTS * (np.arange(N_PEAKS) > 1)}, r"2 of 8 peaks have no reads.*positions 0, 1\)"),
        ({"expectation": np.ones(3)}, r"one value per peak \(8\), got 3"),
        ({"expectation": nan_at(np.ones(8), 2)}, "expectation must be finite and >= 0"),
        ({"expectation": nan_at(np.ones(8), 2, -1)}, "expectation must be finite and >= 0"),
    ],
)
def test_deviations(change, match):
    given = {"counts": COUNTS, "annotations": SETS, "background": BACKGROUND, "expectation": None} | change
    with pytest.raises(ValueError, match=match):
        deviations(
            sparse.csr_matrix(given["counts"]),
            given["annotations"],
            given["background"],
            expectation=given["expectation"],
        )
    cells, peaks = np.asarray(given["counts"], dtype=float), np.eye(N_PEAKS)
    with pytest.raises(ValueError, match=match):
        deviations_of_factors(
            cells, peaks, given["annotations"], background=given["background"], expectation=given["expectation"]
        )


def test_annotations_are_left_as_they_are():
    """Entries given twice are added, and zeros dropped, in a copy."""
    twice = sparse.csc_matrix((np.ones(4), np.array([1, 1, 3, 5]), np.array([0, 2, 4])), shape=(N_PEAKS, 2))
    before = twice.data.copy(), twice.indices.copy()
    deviations(sparse.csr_matrix(COUNTS), twice, BACKGROUND)
    np.testing.assert_array_equal(twice.data, before[0])
    np.testing.assert_array_equal(twice.indices, before[1])


@pytest.mark.parametrize(
    ("counts", "bias", "match"),
    [
        (nan_at(np.ones(8), [1, 3], 0), BIAS, r"2 of 8 peaks have no reads.*\(positions 1, 3\)"),
        (nan_at(np.ones(8), [1]), BIAS, "1 of 8 peaks have no reads"),
        (np.zeros(8), BIAS, r"positions 0, 1, 2, 3, 4, …"),
        (np.arange(1, 9), BIAS[:3], r"bias must have one value per peak \(8\), got shape \(3,\)"),
        (np.arange(1, 9), nan_at(BIAS, [0, 7]), r"NaN or infinite for 2 peak\(s\), at positions \[0, 7\]"),
        (np.arange(1, 3), BIAS[:2], "at least 3 peaks, got 2"),
        (np.ones(8), BIAS, "the number of reads is the same for all peaks"),
        (np.arange(1, 9), np.full(8, 0.5), "bias is the same for all peaks"),
        (10.0 ** np.arange(8), np.arange(8.0), "linear function of log10"),
    ],
)
def test_background_peaks(counts, bias, match):
    with pytest.raises(ValueError, match=match):
        sample_background_peaks(counts, bias)


@pytest.mark.parametrize("function", [annotation_correlation, annotation_synergy])
def test_pairs_of_sets(function):
    counts = sparse.csr_matrix(COUNTS)
    with pytest.raises(ValueError, match="at least 2 sets are needed, got 1"):
        function(counts, SETS[:, :1], BACKGROUND)
    with pytest.raises(ValueError, match=r"one entry per set \(3\), got 1"):
        function(counts, SETS, BACKGROUND, names=["a"])


def test_expected_fractions():
    counts = sparse.csr_matrix(COUNTS * (np.arange(N_CELLS) != 1)[:, None])
    with pytest.raises(ValueError, match=r"groups must have one value per cell \(5\), got 6"):
        expectations(counts, groups=list("abcabc"))
    with pytest.raises(ValueError, match=r"1 cell\(s\) without reads, at positions \[1\]; norm=True"):
        expectations(counts, norm=True)
    with pytest.raises(ValueError, match="groups without any reads have no expectation"):
        expectations(counts, groups=list("abccc"))


@pytest.mark.parametrize(
    ("depth", "labels", "match"),
    [
        (np.ones(3), list("aabbb"), r"depth must have one value per cell \(5\), got shape \(3,\)"),
        (nan_at(np.ones(5), 0), list("aabbb"), r"depth has 1 NaN or infinite value\(s\)"),
        (np.ones(5), list("aab"), r"labels must have one value per cell \(5\), got 3"),
        (np.ones(5), ["a", None, "b", "b", "b"], "labels: 1 of 5 cells have no label"),
    ],
)
def test_scabc(depth, labels, match):
    with pytest.raises(ValueError, match=match):
        scabc_pvalues(sparse.csr_matrix(COUNTS), depth, labels)


def test_variants_of_a_file(tmp_path):
    peaks = pd.DataFrame({"chrom": "chr1", "start": [0, 100], "end": [50, 200]})
    bed = tmp_path / "finemapped.bed"
    bed.write_text(
        "track name=x\n# comment\nchr1\t10\t11\trs1\t0.5\n\nchr1\t120\t121\trs2\t0.25\nchr1\t130\t131\trs3\t0.5\n"
    )
    weights, names = variant_annotations(peaks, {"trait": bed})
    assert weights.toarray().ravel().tolist() == [0.5, 0.75]
    assert names == ["trait"]
    bed.write_text("chr1\t10\t11\trs1\t0.5\nchr1\t12\t13\trs2\thigh\n")
    with pytest.raises(ValueError, match="line 2: expected a number in the fifth column"):
        variant_annotations(peaks, {"trait": bed})
    bed.write_text("chr1\t10\t11\n")
    with pytest.raises(ValueError, match="line 1: expected a number in the fifth column"):
        variant_annotations(peaks, {"trait": bed})
