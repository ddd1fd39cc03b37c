#!/bin/sh
# bioframe reads the browser's text of a region, chr1:1-100, as the half-open interval [1, 100): 99 bases, the first one lost.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check bioframe==0.8.0
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import bioframe

region = bioframe.parse_region("chr1:1-100")
print("bioframe", version("bioframe"), "chr1:1-100 is", region)
assert tuple(region) == ("chr1", 1, 100)
PY
