#!/bin/sh
# MACS3 callpeak -f FRAG takes column 5 of a fragment file, the reads of a fragment, as a weight: PCR duplicates raise the pileup unless --max-count 1 is given.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check macs3==3.0.4
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
rows = [(1000 + 400 * i, 1150 + 400 * i, f"C{i % 20}", 1) for i in range(2000)]
rows += [(500000 + i % 7, 500150 + i % 7, f"C{i % 20}", 1) for i in range(60)] + [(700000, 700150, "C1", 400)]
with open("fragments.tsv", "w") as handle:
    handle.writelines(f"chr1\t{a}\t{b}\t{c}\t{d}\n" for a, b, c, d in sorted(rows))

import subprocess
import sys
from pathlib import Path

macs = Path(sys.executable).with_name("macs3")


def highest(*more):
    call = [macs, "callpeak", "-f", "FRAG", "-t", "fragments.tsv", "-g", "1000000", "-n", "x", "-B", *more]
    subprocess.run(call, check=True, capture_output=True)
    lines = Path("x_treat_pileup.bdg").read_text().splitlines()
    return max(float(line.split("\t")[3]) for line in lines if line.startswith("chr1\t70"))


version = subprocess.run([macs, "--version"], check=True, capture_output=True, text=True).stdout.strip()
default, once = highest(), highest("--max-count", "1")
print(version, "pileup over one fragment that was read 400 times:", default, "with --max-count 1:", once)
assert default >= 400 and once < 5
PY
