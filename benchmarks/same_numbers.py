"""Run other programs on the corner cases of the tests, and store what they wrote.

    python benchmarks/same_numbers.py --ldsc CHECKOUT --python2 python2.7
    python benchmarks/same_numbers.py --liftover PROGRAM
    python benchmarks/same_numbers.py --great PROGRAM

CHECKOUT is bulik/ldsc at aa33296; its Python is 2.7 with numpy 1.16.6, pandas 0.20.3, scipy 0.19.1, bitarray 0.8.3. Its
munge_sumstats.py writes ``tests/ldsc/munge_ldsc_1.0.1.json``, which ``tests/ldsc/test_munge_ldsc.py`` reads.

PROGRAM is UCSC's liftOver, such as built from ENCODE-DCC/kentUtils at 3e7ba71 (``src/hg/liftOver``); it writes
``tests/intervals/liftover_ucsc.json``, which ``tests/intervals/test_liftover_ucsc.py`` reads.

GREAT's PROGRAM is createRegulatoryDomains of its published core (zyzzyplyx/GREAT at 1069777), built with the library of
the same kentUtils; it writes ``tests/great/regdoms_great.json``, which ``tests/great/test_regdoms.py`` reads.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType

TESTS = Path(__file__).resolve().parents[1] / "tests"
MUNGED = TESTS / "ldsc" / "munge_ldsc_1.0.1.json"
DRAWN = TESTS / "great" / "regdoms_great.json"
LIFTED = TESTS / "intervals" / "liftover_ucsc.json"


def load(name: str) -> ModuleType:
    """Return a module of the tests, such as ``ldsc/munge_cases``."""
    spec = importlib.util.spec_from_file_location(Path(name).name, TESTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[Path(name).name] = module
    spec.loader.exec_module(module)
    return module


def munge(case: object, ldsc: Path, python2: str) -> dict:
    """Return the rows that ldsc writes, or the last line of its error."""
    with tempfile.TemporaryDirectory() as folder:
        table, out = Path(folder) / "in.txt", Path(folder) / "out"
        table.write_text(case.text)
        command = [python2, str(ldsc / "munge_sumstats.py"), "--sumstats", str(table), "--out", str(out), *case.flags]
        if case.alleles is not None:
            (Path(folder) / "alleles.txt").write_text(case.alleles)
            command += ["--merge-alleles", str(Path(folder) / "alleles.txt"), "--chunksize", "500000"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
        result = Path(f"{out}.sumstats.gz")
        if done.returncode or not result.is_file():
            return {"error": done.stderr.strip().splitlines()[-1]}
        header, *rows = gzip.decompress(result.read_bytes()).decode().splitlines()
        return {"header": header.split("\t"), "rows": [row.split("\t") for row in rows]}


def lift(chain: str, regions: list[tuple[str, int, int, str]], ratio: float, program: str) -> list[str]:
    """Return for every region where liftOver puts it, or why it does not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "c.chain").write_text(chain)
        rows = [f"{c}\t{s}\t{e}\t{k}\t0\t{strand}\n" for k, (c, s, e, strand) in enumerate(regions)]
        (folder / "in.bed").write_text("".join(rows))
        files = [folder / name for name in ("in.bed", "c.chain", "moved.bed", "lost.bed")]
        subprocess.run([program, f"-minMatch={ratio}", *files], check=True, capture_output=True)
        found = {}
        for line in files[2].read_text().splitlines():
            chrom, start, end, k, _, strand = line.split("\t")
            found[int(k)] = f"{chrom}:{start}-{end}{strand}"
        lines = files[3].read_text().splitlines()
        for why, line in zip(lines[::2], lines[1::2], strict=True):
            found[int(line.split("\t")[3])] = why.lstrip("#").removesuffix(" in new")
    return [found[k] for k in range(len(regions))]


def domains(cases: ModuleType, rule: str, program: str) -> list[tuple[str, int, int, str]]:
    """Return the domains that GREAT draws: chrom, start, end, gene. Its positions lie between bases."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [
            f"{g.chrom}\t{g.tss + (g.strand == '-')}\t{g.strand}\t{g.gene_id}\n" for g in cases.genes().itertuples()
        ]
        (folder / "tss").write_text("".join(rows))
        (folder / "sizes").write_text("".join(f"{chrom}\t{size}\n" for chrom, size in cases.SIZES.items()))
        command = [program, folder / "tss", folder / "sizes", rule, folder / "out", f"-maxExtension={cases.EXTENSION}"]
        subprocess.run(command, check=True, capture_output=True)
        lines = [line.split("\t") for line in (folder / "out").read_text().splitlines()]
    return [(chrom, int(start), int(end), gene) for chrom, start, end, gene, *_ in lines]


def write_json(path: Path, found: dict) -> None:
    """Write a line per entry."""
    body = ",\n".join(f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in found.items())
    path.write_text("{\n" + body + "\n}\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ldsc", type=Path, help="checkout of bulik/ldsc")
    parser.add_argument("--python2", default="python2.7", help="its Python")
    parser.add_argument("--liftover", help="UCSC's program liftOver")
    parser.add_argument("--great", help="GREAT's program createRegulatoryDomains")
    args = parser.parse_args()
    if args.ldsc is not None:
        found = {}
        for name, case in load("ldsc/munge_cases").cases().items():
            found[name] = munge(case, args.ldsc, args.python2)
            print(f"{name}: {found[name].get('error') or str(len(found[name]['rows'])) + ' rows'}")
        write_json(MUNGED, found)
    if args.liftover is not None:
        cases = load("intervals/liftover_cases")
        chain, regions = cases.chain_text(), cases.regions()
        moved = {str(ratio): lift(chain, regions, ratio, args.liftover) for ratio in cases.RATIOS}
        print({ratio: sum(":" in place for place in places) for ratio, places in moved.items()}, "lifted")
        write_json(LIFTED, moved)
    if args.great is not None:
        cases = load("great/regdom_cases")
        drawn = {ours: domains(cases, theirs, args.great) for ours, theirs in cases.RULES.items()}
        print({rule: len(rows) for rule, rows in drawn.items()}, "domains")
        write_json(DRAWN, drawn)


if __name__ == "__main__":
    main()
