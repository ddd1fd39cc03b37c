#!/bin/sh
# gseapy.enrich adds one half to every cell of the table behind its "Odds Ratio" (Haldane and Anscombe); the p-value is the plain hypergeometric.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check gseapy==1.3.1
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import gseapy

drawn = [f"g{i}" for i in range(10)]
sets = {"S": [f"g{i}" for i in range(5, 25)]}
row = gseapy.enrich(gene_list=drawn, gene_sets=sets, background=100, outdir=None).results.iloc[0]
both, only_drawn, only_set, neither = 5, 5, 15, 75
plain = both * neither / (only_drawn * only_set)
halves = (both + 0.5) * (neither + 0.5) / ((only_drawn + 0.5) * (only_set + 0.5))
print("gseapy", version("gseapy"), "odds ratio", row["Odds Ratio"], "| plain", plain, "| with halves", halves)
assert abs(row["Odds Ratio"] - halves) < 1e-9 < abs(row["Odds Ratio"] - plain)
PY
