"""Motif matching next to MOODS on one thread: JASPAR's vertebrate motifs on real peak sequences.

Run: python benchmarks/matching.py [--old COMMIT] [--peers PYTHON] [--data FOLDER as SCCASE_KIT_DATA]; writes
benchmarks/results/matching.csv. The peers' Python needs MOODS-python. Each tool makes weights and thresholds (p = 5e-5,
even background) and searches both strands; MOODS lists the sites per sequence, ours the matrices of :func:`match`. The
longer sets repeat the sequences.
"""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from beside import HERE, Case, main

DATA = Path(os.environ.get("SCCASE_KIT_DATA", HERE.parent.parent / "shared" / "data")) / "motifs"
P = 5e-5


def read_inputs(n: int) -> tuple[list[np.ndarray], list[str]]:
    """Return counts of the motifs, (width, 4), and n sequences."""
    matrices: list[list[list[float]]] = []
    reading, sites = False, 0.0
    for line in (DATA / "JASPAR2024_CORE_vertebrates_latest.meme").read_text(encoding="utf-8").splitlines():
        if line.startswith("letter-probability"):
            found = re.search(r"nsites=\s*(\S+)", line)
            reading, sites = True, float(found[1]) if found else 100.0
            matrices.append([])
        elif reading and re.match(r"\s*[\d.]", line):
            matrices[-1].append([float(x) * sites for x in line.split()])
        else:
            reading = False
    text = gzip.open(DATA / "mT1_TAL1_peaks_hg19.fa.gz", "rt", encoding="ascii").read()
    own = ["".join(record.split("\n")[1:]) for record in text.split(">")[1:]]
    return [np.array(matrix) for matrix in matrices], (own * (n // len(own) + 1))[:n]


def ours(n: int) -> Callable[[Path], Callable[[], str]]:
    def ready(folder: Path) -> Callable[[], str]:
        from sccase_kit.motifs import Motif, match

        matrices, sequences = read_inputs(n)
        motifs = [Motif(str(i), str(i), matrix.T) for i, matrix in enumerate(matrices)]
        match(sequences[:3], motifs[:3], P, background="even")  # compiled code is loaded
        return lambda: f"{match(sequences, motifs, P, background='even').counts.sum():,} sites"

    return ready


def moods(n: int) -> Callable[[Path], Callable[[], str]]:
    def ready(folder: Path) -> Callable[[], str]:
        import MOODS.scan
        import MOODS.tools

        matrices, sequences = read_inputs(n)
        counts = [matrix.T.tolist() for matrix in matrices]
        even = [0.25] * 4

        def search() -> str:
            weights = [MOODS.tools.log_odds(matrix, even, 0.8, 2) for matrix in counts]
            thresholds = [MOODS.tools.threshold_from_p(matrix, even, P) for matrix in weights]
            both = weights + [MOODS.tools.reverse_complement(matrix, 4) for matrix in weights]
            scanner = MOODS.scan.Scanner(7)
            scanner.set_motifs(both, even, thresholds * 2)
            return f"{sum(len(sites) for s in sequences for sites in scanner.scan(s)):,} sites"

        return search

    return ready


CASES = [
    Case(f"879 motifs, {n:,} sequences", lambda folder: None, {"sccase_kit": ours(n), "MOODS": moods(n)})
    for n in (5_003, 50_000)
]

if __name__ == "__main__":
    main(__doc__, __file__, CASES, HERE / "results" / "matching.csv")
