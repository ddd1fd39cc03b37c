"""Preprocessing: peaks, filters, TF-IDF, references, corruptions."""

from ..intervals.peaks import parse_peak_names, parse_peaks, require_coordinates
from ._call_peaks import call_peaks
from ._corrupt import dropout, subsample_cells
from ._filter import binarize, filter_cells, filter_peaks
from ._groups import filter_groups
from ._merge_peaks import merge_peaks, remap_counts
from ._reference import align_reference, bulk_reference, pseudobulk, self_reference
from ._tfidf import Tfidf, tfidf, tfidf_scaling

__all__ = [
    "Tfidf",
    "align_reference",
    "binarize",
    "bulk_reference",
    "call_peaks",
    "dropout",
    "filter_cells",
    "filter_groups",
    "filter_peaks",
    "merge_peaks",
    "parse_peak_names",
    "parse_peaks",
    "pseudobulk",
    "remap_counts",
    "require_coordinates",
    "self_reference",
    "subsample_cells",
    "tfidf",
    "tfidf_scaling",
]
