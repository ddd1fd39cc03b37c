"""Motif matching, chromVAR deviations and scABC p-values on arrays.

Counts are cells × peaks, annotations peaks × sets. Nothing here knows AnnData; :mod:`sccase_kit.tl` does.
"""

from .analytic import BackgroundBins, background_bins
from .annotations import kmer_annotations, region_annotations, variant_annotations
from .background import sample_background_peaks
from .chromvar import Deviations, deviations, deviations_of_factors
from .differential import differential_deviations, differential_variability
from .expectation import expectations
from .filters import filter_peaks, filter_samples
from .landmarks import Landmarks, assign_landmarks, cell_weights, scabc_landmarks
from .matching import MotifMatches, match
from .motif import Motif
from .motif_files import read_motifs
from .motif_sources.jaspar import jaspar_motifs
from .pwm import log_odds, score_threshold
from .scabc import ScabcResult, scabc_pvalues
from .sequences import EncodedSequences, encode_sequences, fetch_sequences, gc_content
from .site_files import read_sites
from .sources import as_motifs
from .synergy import annotation_correlation, annotation_synergy
from .variance import variability

__all__ = [
    "BackgroundBins",
    "Deviations",
    "EncodedSequences",
    "Landmarks",
    "Motif",
    "MotifMatches",
    "ScabcResult",
    "annotation_correlation",
    "annotation_synergy",
    "as_motifs",
    "assign_landmarks",
    "background_bins",
    "cell_weights",
    "deviations",
    "deviations_of_factors",
    "differential_deviations",
    "differential_variability",
    "encode_sequences",
    "expectations",
    "fetch_sequences",
    "filter_peaks",
    "filter_samples",
    "gc_content",
    "jaspar_motifs",
    "kmer_annotations",
    "log_odds",
    "match",
    "read_motifs",
    "read_sites",
    "region_annotations",
    "sample_background_peaks",
    "scabc_landmarks",
    "scabc_pvalues",
    "score_threshold",
    "variability",
    "variant_annotations",
]
