"""Simulate a fragment file in Cell Ranger's format (bgzip) with the peaks it was drawn from.

Run: python benchmarks/make_fragments.py FOLDER [--fragments 20000000] [--cells 8000]; writes fragments.tsv.gz,
peaks.bed and barcodes.tsv. Half of the fragments of a cell lie in peaks, a tenth of all fragments belongs to 200,000
background barcodes, lengths have the nucleosomes' steps, and read pairs per fragment are geometric.
"""

from __future__ import annotations

import argparse
import struct
import zlib
from pathlib import Path

import numba
import numpy as np

import sccase_kit as sk

END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


@numba.njit(cache=True)
def write_lines(name, starts, ends, owners, barcodes, reads, out):
    """Write the lines of one chromosome into `out` and return their length."""
    at = 0
    digits = np.empty(12, np.uint8)
    for i in range(len(starts)):
        for k in range(len(name)):
            out[at] = name[k]
            at += 1
        for column in range(4):
            out[at] = 9
            at += 1
            if column == 2:
                for k in range(barcodes.shape[1]):
                    out[at] = barcodes[owners[i], k]
                    at += 1
                continue
            value = starts[i] if column == 0 else ends[i] if column == 1 else reads[i]
            n = 0
            while value or not n:
                digits[n] = 48 + value % 10
                value //= 10
                n += 1
            for k in range(n):
                out[at] = digits[n - 1 - k]
                at += 1
        out[at] = 10
        at += 1
    return at


def bgzip_block(data: bytes) -> bytes:
    """Return one bgzip block."""
    packer = zlib.compressobj(5, zlib.DEFLATED, -15)
    body = packer.compress(data) + packer.flush()
    head = struct.pack("<4BI2BH2BHH", 31, 139, 8, 4, 0, 0, 255, 6, 66, 67, 2, len(body) + 25)
    return head + body + struct.pack("<II", zlib.crc32(data), len(data))


def fragment_lengths(n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw lengths: nucleosome-free, one, two and three nucleosomes."""
    kind = rng.choice(4, n, p=[0.55, 0.3, 0.1, 0.05])
    mean, spread = np.array([75, 200, 390, 580])[kind], np.array([25, 25, 40, 50])[kind]
    return np.clip(rng.normal(mean, spread), 20, 1500).astype(np.int64)


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fragments", type=int, default=20_000_000)
    parser.add_argument("--cells", type=int, default=8000)
    parser.add_argument("--peaks", type=int, default=150_000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(args.seed)
    sizes = {c: n for c, n in sk.regions.chrom_sizes("hg38").items() if c not in {"chrM", "chrY"}}
    letters = np.frombuffer(b"ACGT", np.uint8)
    n_barcodes = args.cells + 200_000
    barcodes = np.empty((n_barcodes, 18), np.uint8)
    barcodes[:, :16] = letters[rng.integers(0, 4, (n_barcodes, 16))]
    barcodes[:, 16:] = np.frombuffer(b"-1", np.uint8)
    weight = np.concatenate([rng.lognormal(0, 0.6, args.cells), rng.lognormal(0, 1, 200_000)])
    weight[: args.cells] *= 0.9 / weight[: args.cells].sum()
    weight[args.cells :] *= 0.1 / weight[args.cells :].sum()
    cumulative = np.cumsum(weight)
    total = sum(sizes.values())
    with (args.folder / "fragments.tsv.gz").open("wb") as gz, (args.folder / "peaks.bed").open("w") as bed:
        held = b"# id=simulated\n# description=benchmarks/make_fragments.py\n"
        for chrom, size in sizes.items():
            n_peaks, n = int(args.peaks * size / total), int(args.fragments * size / total)
            slots = np.sort(rng.choice(size // 2000 - 20, n_peaks, replace=False)) * 2000 + 10_000
            widths = rng.integers(300, 1200, n_peaks)
            bed.writelines(f"{chrom}\t{a}\t{a + w}\n" for a, w in zip(slots, widths, strict=True))
            strength = rng.lognormal(0, 1.2, n_peaks)
            inside = rng.random(n) < 0.5
            centre = rng.integers(5_000, size - 5_000, n)
            peak = np.searchsorted(np.cumsum(strength) / strength.sum(), rng.random(int(inside.sum())))
            centre[inside] = slots[peak] + rng.integers(0, widths[peak])
            length = fragment_lengths(n, rng)
            start = np.sort(centre - length // 2)
            owner = np.minimum(np.searchsorted(cumulative, rng.random(n)), n_barcodes - 1)
            out = np.empty(n * 64, np.uint8)
            name = np.frombuffer(chrom.encode(), np.uint8)
            used = write_lines(name, start, start + length, owner, barcodes, rng.geometric(0.6, n), out)
            held += out[:used].tobytes()
            whole = len(held) // 65_280 * 65_280
            gz.writelines(bgzip_block(held[i : i + 65_280]) for i in range(0, whole, 65_280))
            held = held[whole:]
        gz.write(bgzip_block(held) + END)
    names = [bytes(row).decode() for row in barcodes[: args.cells]]
    (args.folder / "barcodes.tsv").write_text("\n".join(names) + "\n")


if __name__ == "__main__":
    main()
