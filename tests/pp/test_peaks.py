"""Peak names: the three spellings, contigs with odd names, and what has no coordinates."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sccase_kit as sk

CONTIGS = st.from_regex(r"[A-Za-z][A-Za-z0-9._-]{0,12}[A-Za-z]", fullmatch=True) | st.sampled_from(
    ["chr1", "1", "X", "chrUn_KI270742v1", "GL000194.1", "chr6_GL000250v2_alt", "HLA-A", "chrM"]
)


@given(chrom=CONTIGS, start=st.integers(0, 10**9), width=st.integers(1, 10**6), style=st.integers(0, 3))
@settings(max_examples=300, deadline=None)
def test_every_spelling_is_read_back(chrom, start, width, style):
    end = start + width
    form = ["{}:{}-{}", "{}_{}_{}", "{}-{}-{}", "{}:{:,}-{:,}"][style]
    row = sk.pp.parse_peak_names([form.format(chrom, start, end)]).iloc[0]
    assert (row["chrom"], row["start"], row["end"]) == (chrom, start, end)


@given(st.lists(st.text(max_size=30), max_size=8))
@settings(max_examples=200, deadline=None)
def test_any_text_is_either_parsed_or_marked(names):
    table = sk.pp.parse_peak_names(names)
    assert len(table) == len(names)
    assert table["start"].dtype == table["end"].dtype == np.int64
    parsed = table["chrom"] != ""
    assert (table.loc[parsed, "end"] > table.loc[parsed, "start"]).all()
    assert (table.loc[~parsed, ["start", "end"]] == -1).all(axis=None)


@pytest.mark.parametrize(
    "name",
    " gene chr1 chr1:100 chr1:600-100 chr1:5-5 chr1:-5-10 chr1:a-b chr1:1.5-2.5 :1-2 1-2".split(" "),
)
def test_what_has_no_coordinates(name):
    assert sk.pp.parse_peak_names([name]).iloc[0].tolist() == ["", -1, -1]


def test_blanks_and_numbers_too_large_have_no_coordinates():
    table = sk.pp.parse_peak_names(["chr 1:1-2", f"chr1:1-{10**25}"])
    assert (table["start"] == -1).all()


def test_no_names_at_all():
    table = sk.pp.parse_peak_names([])
    assert table.shape == (0, 3)
    assert table["start"].dtype == np.int64


def test_parse_peaks_writes_var_only(adata, unchanged):
    result = sk.pp.parse_peaks(adata, copy=True)
    assert list(adata.var.columns) == []
    assert sk.pp.parse_peaks(adata) is None
    pd.testing.assert_frame_equal(adata.var, result.var)
    assert adata.var["start"].tolist() == [1000 * i for i in range(12)]
    assert adata.var["end"].dtype == np.int64
    assert list(adata.var["chrom"].unique()) == ["chr1", "chr2"]


def test_names_without_coordinates_are_reported_once_and_kept():
    names = ["chr1:1-5", "IL7R", "CD3E", "x", "y"]
    adata = ad.AnnData(np.ones((2, 5)), var=pd.DataFrame(index=names))
    with pytest.warns(
        UserWarning, match=r"4 of 5 peak names have no coordinates, e\.g\. \['IL7R', 'CD3E', 'x'\]"
    ) as seen:
        sk.pp.parse_peaks(adata)
    assert len(seen) == 1
    assert list(adata.var_names) == names
    assert adata.var["start"].tolist() == [1, -1, -1, -1, -1]
    with pytest.raises(ValueError, match=r"4 of 5 peaks have no coordinates, e\.g\. \['IL7R'"):
        sk.pp.require_coordinates(adata)


def test_duplicated_names_are_fine():
    adata = ad.AnnData(np.ones((1, 2)))
    adata.var_names = ["chr1:1-5", "chr1:1-5"]
    sk.pp.parse_peaks(adata)
    assert adata.var["end"].tolist() == [5, 5]


def test_coordinates_come_from_var_first(adata, unchanged):
    from_names = sk.pp.require_coordinates(adata)
    assert from_names["start"].tolist() == [1000 * i for i in range(12)]
    adata.var["chrom"] = pd.Categorical(["chr7"] * 12)
    adata.var["start"] = np.arange(12, dtype=np.float64)
    adata.var["end"] = np.arange(12) + 10
    check = unchanged(adata)
    table = sk.pp.require_coordinates(adata)
    check()
    assert table["chrom"].tolist() == ["chr7"] * 12
    assert table["start"].tolist() == list(range(12))
    assert table["start"].dtype == np.int64


@pytest.mark.parametrize(
    ("column", "value"), [("start", -1), ("start", np.nan), ("end", 5), ("end", np.nan), ("chrom", ""), ("chrom", None)]
)
def test_broken_coordinates_are_refused(adata, column, value):
    adata.var["chrom"], adata.var["start"], adata.var["end"] = (
        "chr1",
        np.arange(12) * 10.0 + 10,
        np.arange(12) * 10.0 + 15,
    )
    adata.var[column] = adata.var[column].astype(object if column == "chrom" else float)
    adata.var.loc[adata.var_names[2], column] = value
    with pytest.raises(ValueError, match=r"1 of 12 peaks have no coordinates.*drop them or fill"):
        sk.pp.require_coordinates(adata)


@pytest.mark.parametrize("function", [sk.pp.parse_peaks, sk.pp.require_coordinates])
def test_not_an_anndata(function):
    with pytest.raises(TypeError, match="adata must be an AnnData"):
        function(["chr1:1-5"])
