"""A random chain and regions at every bound of it, as text: what UCSC's liftOver and ours are run on."""

from __future__ import annotations

import numpy as np

RATIOS = (0.01, 0.1, 0.3, 0.5, 0.55, 0.7, 0.95, 1.0)
SIZES = {"chr1": 4_000, "chr2": 2_500}


def chain_text() -> str:
    """Return 40 chains with gaps on either side, on both strands; some cover the same bases."""
    rng = np.random.default_rng(23)
    lines = []
    for number in range(40):
        chrom = ["chr1", "chr2"][rng.integers(2)]
        sizes = rng.integers(1, 60, rng.integers(1, 7))
        gaps, new_gaps = (rng.choice([0, 1, 3, 10, 20], len(sizes) - 1) for _ in range(2))
        gaps = np.where(gaps + new_gaps == 0, 2, gaps)
        length, new_length = sizes.sum() + gaps.sum(), sizes.sum() + new_gaps.sum()
        start, new_start = rng.integers(0, SIZES[chrom] - length + 1), rng.integers(0, 900)
        strand = "+-"[rng.integers(2)]
        lines.append(
            f"chain {900 - number} {chrom} {SIZES[chrom]} + {start} {start + length} "
            f"new{number % 7} 2000 {strand} {new_start} {new_start + new_length} {number + 1}"
        )
        lines += [f"{s}\t{a}\t{b}" for s, a, b in zip(sizes, gaps, new_gaps, strict=False)]
        lines += [str(sizes[-1]), ""]
    return "\n".join([*lines, ""])


def regions() -> list[tuple[str, int, int, str]]:
    """Return 400 regions of 1 to 200 bases with a strand."""
    rng = np.random.default_rng(24)
    found = []
    for _ in range(400):
        chrom = ["chr1", "chr2"][rng.integers(2)]
        length = int(rng.choice([1, 2, 10, 20, 40, 100, 200]))
        start = int(rng.integers(0, SIZES[chrom] - length + 1))
        found.append((chrom, start, start + length, "+-"[rng.integers(2)]))
    return found
