#!/bin/sh
# gseapy.enrich turns the query into upper case where the gene sets are: symbols of mouse are tested against human sets, and nothing in the result says so.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check gseapy==1.3.1
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import gseapy

human = {"erythroid": ["GATA1", "KLF1", "TAL1", "EPOR", "HBB", "ALAS2"], "T cell": ["CD3D", "CD3E", "LCK", "CD4", "TRAC", "ZAP70"]}
mouse = ["Gata1", "Klf1", "Tal1", "Epor", "Alas2"]
table = gseapy.enrich(gene_list=mouse, gene_sets=human, background=20000, outdir=None).results
print("gseapy", version("gseapy"), table[["Term", "Overlap", "Genes"]].values.tolist())
assert table.set_index("Term").loc["erythroid", "Overlap"] == "5/6"
PY
