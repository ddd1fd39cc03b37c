"""Run ldsc 1.0.1's own munge_sumstats.py on the corner cases of the tests, and store what it wrote.

    python benchmarks/same_numbers.py --ldsc CHECKOUT --python2 python2.7

CHECKOUT is bulik/ldsc at aa33296; its Python is 2.7 with numpy 1.16.6, pandas 0.20.3, scipy 0.19.1, bitarray 0.8.3.
Prints a line per case and writes ``tests/ldsc/munge_ldsc_1.0.1.json``, which ``tests/ldsc/test_munge_ldsc.py`` reads.
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

TESTS = Path(__file__).resolve().parents[1] / "tests" / "ldsc"
RESULT = TESTS / "munge_ldsc_1.0.1.json"


def the_cases() -> dict:
    """Return name → case of ``tests/ldsc/munge_cases.py``."""
    spec = importlib.util.spec_from_file_location("munge_cases", TESTS / "munge_cases.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["munge_cases"] = module
    spec.loader.exec_module(module)
    return module.cases()


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ldsc", type=Path, required=True, help="checkout of bulik/ldsc")
    parser.add_argument("--python2", default="python2.7", help="its Python")
    args = parser.parse_args()
    found = {}
    for name, case in the_cases().items():
        found[name] = munge(case, args.ldsc, args.python2)
        print(f"{name}: {found[name].get('error') or str(len(found[name]['rows'])) + ' rows'}")
    body = ",\n".join(
        f"{json.dumps(name)}: {json.dumps(value, separators=(',', ':'))}" for name, value in found.items()
    )
    RESULT.write_text("{\n" + body + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
