#!/bin/sh
# bioframe.overlap: an interval of no bases counts at the start of a region but not at its end (BEDTools counts both).
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check bioframe==0.8.0
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import bioframe
import pandas as pd

columns = ["chrom", "start", "end"]
region = pd.DataFrame([["chr1", 100, 200]], columns=columns)
points = pd.DataFrame([["chr1", 100, 100], ["chr1", 150, 150], ["chr1", 200, 200]], columns=columns)
hits = bioframe.overlap(region, points, how="inner", suffixes=("", "_point"))["start_point"].tolist()
print("bioframe", version("bioframe"), "points of no bases that overlap [100, 200):", sorted(hits))
assert sorted(hits) == [100, 150]
PY
