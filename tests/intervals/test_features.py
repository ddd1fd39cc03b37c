"""Peaks stay, genes leave, motifs are refused; which axis of a matrix holds the peaks."""

from __future__ import annotations

import pandas as pd
import pytest

from sccase_kit.intervals.features import choose_peaks, peaks_axis

PEAKS = ["chr1:1-9", "GL000194.1:5-7", "2:3-4"]


@pytest.mark.parametrize("column", ["feature_types", "feature_type", "modality"])
@pytest.mark.parametrize("kind", ["Peaks", "peaks", "ATAC", "Chromatin Accessibility"])
def test_genes_leave(column, kind):
    var = pd.DataFrame(
        {column: pd.Categorical([kind, "Gene Expression", kind])}, index=["chr1:1-9", "GATA1", "chr1:20-30"]
    )
    choice = choose_peaks(var, source="x")
    assert choice.keep.tolist() == [True, False, True]
    assert choice.left_out == {"Gene Expression": 1}


def test_all_stay_where_nothing_else_is_said():
    assert choose_peaks(pd.DataFrame(index=["GATA1"]), source="x").keep is None
    assert choose_peaks(pd.DataFrame({"feature_types": ["Peaks"] * 3}, index=PEAKS), source="x").keep is None
    assert choose_peaks(pd.DataFrame({"feature_types": ["Gene Expression"] * 3}, index=PEAKS), source="x").keep is None
    assert choose_peaks(pd.DataFrame({"feature_types": []}, index=[]), source="x").keep is None


def test_genes_alone_are_refused():
    with pytest.raises(
        ValueError, match=r"x holds no peaks: the features are \['Gene Expression'\], such as \['GATA1'"
    ):
        choose_peaks(pd.DataFrame({"feature_types": ["Gene Expression"] * 2}, index=["GATA1", "KLF1"]), source="x")


@pytest.mark.parametrize(
    "names",
    [
        ["MA0030.1_FOXF2", "MA0139.1"],
        ["FOXF2_MA0030.1", "CTCF_MA0139.2"],
        ["M00123_2.00", "M04567_2.00"],
        ["CTCF_HUMAN.H11MO.0.A"] * 2,
    ],
)
def test_motifs_are_refused(names):
    with pytest.raises(ValueError, match="named like motifs"):
        choose_peaks(pd.DataFrame(index=names), source="x")
    with pytest.raises(ValueError, match="holds motifs"):
        choose_peaks(pd.DataFrame({"feature_types": ["Motifs"] * 2}, index=["FOXF2", "CTCF"]), source="x")


@pytest.mark.parametrize(
    "cells", [["AAACGAAAGCTTACGG-1", "AAACGAAAGCTTACGT-1"], ["cell_1_2", "s3_10_20"], ["a", "b"], ["0", "1"]]
)
def test_the_axis_of_the_peaks(cells):
    assert peaks_axis(PEAKS, cells) == "rows"
    assert peaks_axis(cells, PEAKS) == "columns"


def test_the_axis_by_all_names_and_not_by_chr():
    assert peaks_axis(["c1", "c2"], [*PEAKS, "ERCC-1", "chrUn"]) == "columns"
    assert peaks_axis(["peak_1", "peak_2"], ["sample#AAACGAAAGCTTACGG-1", "sample#AAACGAAAGCTTACGT-1"]) == "rows"
    assert peaks_axis(["a"], ["b"]) is None


@pytest.mark.parametrize(
    "names", [["ENSG00000223972.5", "ENSG00000227232"], ["ENSMUSG00000051951", "ENSDART00000123456"]]
)
def test_genes_by_their_identifiers_are_refused(names):
    """Those of a RangedSummarizedExperiment have coordinates, as peaks have."""
    var = pd.DataFrame({"chrom": "chr1", "start": [5, 9], "end": [900, 5000]}, index=names)
    with pytest.raises(ValueError, match=r"x: the features are genes \(\['ENS.*not peaks"):
        choose_peaks(var, source="x")
    assert choose_peaks(var.set_axis([names[0], "chr1:9-5000"]), source="x").keep is None
