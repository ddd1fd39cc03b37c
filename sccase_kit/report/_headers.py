"""What the columns of our own tables are called on the page, with units; the CSV keeps the stored names."""

from __future__ import annotations

_TEST = {"pvalue": "p", "padj": "adjusted p"}
#: Of marker peaks: specific and background peaks, scABC.
PEAKS = _TEST | {
    "nearest_gene": "nearest gene",
    "distance": "distance to it (bp)",
    "log2fc": "log₂ fold change, counts",
    "log2fc_enhanced": "log₂ fold change, enhanced",
    "pct_in": "share open, group",
    "pct_out": "share open, others",
}
#: Of the table of groups of marker peaks.
GROUPS = {
    "n_cells": "cells",
    "n_peaks": "peaks",
    "n_significant": "significant peaks",
}
#: Of names for groups.
NAMES = _TEST | {
    "n_cells": "cells",
    "n_markers": "markers",
    "n_markers_covered": "markers in reach of peaks",
    "n_peaks": "peaks compared",
    "genes": "genes that speak for it",
}
#: Of fragment files; every number counts lines of the file or fragments.
FILES = {
    "lines": "lines read",
    "cells": "cells",
    "fragments": "fragments of cells",
    "not_in_cells": "not of a cell",
    "unknown_sequence": "on unknown sequences",
    "beyond_the_end": "beyond chromosome ends",
    "without_length": "without length",
    "repeated": "repeated lines",
    "no_peak_on_chromosome": "on chromosomes without peaks",
    "tss_enrichment": "TSS enrichment",
}
