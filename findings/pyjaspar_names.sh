#!/bin/sh
# pyjaspar compares names without regard to case and returns the matrices of every species: CTCF of JASPAR 2024 is four, one of them of the fruit fly.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pyjaspar==4.0.0
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

from pyjaspar import jaspardb

base = jaspardb(release="JASPAR2024")
found = {name: sorted(m.matrix_id for m in base.fetch_motifs_by_name(name)) for name in ("CTCF", "ctcf")}
groups = {m.matrix_id: m.tax_group for m in base.fetch_motifs_by_name("CTCF")}
print("pyjaspar", version("pyjaspar"), found, groups)
assert found["CTCF"] == found["ctcf"] and len(found["CTCF"]) == 4
assert sorted(set(map(str, groups.values()))) == ["insects", "vertebrates"]
PY
