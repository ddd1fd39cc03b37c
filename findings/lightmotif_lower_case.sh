#!/bin/sh
# lightmotif refuses lower-case letters, so the soft-masked half of a UCSC genome cannot be scanned as it is; memelite takes them as bases.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check lightmotif==0.10.1
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import lightmotif

matrix = lightmotif.create(["ACGTAAG"] * 2).counts.normalize(0.1).log_odds()
hits = [hit.position for hit in lightmotif.scan(matrix, lightmotif.stripe("TTTACGTAAGTTT"), threshold=5)]
try:
    lightmotif.stripe("tttacgtaagttt")
    said = ""
except ValueError as err:
    said = str(err)
print("lightmotif", version("lightmotif"), "upper case: hits at", hits, "; lower case:", said)
assert hits == [3] and "Invalid symbol" in said
PY
