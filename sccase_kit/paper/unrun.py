"""Claims of the paper that no experiment of this package repeats, and why."""

from __future__ import annotations

from .registry import Claim

_GPU = "needs hours and 256 GB, which were not spent; `adapters=` runs those that are installed on the data there are"

UNRUN = (
    Claim(
        "scopen memory growth",
        "peak memory of scOpen grows 8.62 times from 20,000 to 100,000 cells",
        "Methods, 'Run-time and memory usage'; Fig. S29",
        8.62,
        "times",
        reason="scOpen runs on small sets (adapters=), but its matrix is dense: 100,000 cells need a larger machine",
    ),
    Claim(
        "scbfa out of memory",
        "scBFA cannot run on 100,000 cells; scBFA and scBasset not on LungA within 48 h and 256 GB",
        "Methods, 'Run-time and memory usage'; Results, robustness",
        48,
        "h",
        reason=_GPU,
    ),
    Claim(
        "tf literature",
        "35 of the 50 most variable motifs are associated with blood cells in the literature",
        "Results; Fig. 4d, Table S6",
        35,
        "of 50",
        reason="a reading of the literature, not a computation",
    ),
    Claim(
        "browser",
        "peaks were looked up in the UCSC genome browser and UniProt",
        "Results, 'scCASE intuitively reveals ...'",
        reason="done by hand; the places of the genes named there are checked by the experiment 'places'",
    ),
)
