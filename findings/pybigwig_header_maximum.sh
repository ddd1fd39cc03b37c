#!/bin/sh
# The header of a bigWig written by pyBigWig never takes its first value as the maximum: 0 for a track of one value, or one that begins with its peak. stats() is right.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pyBigWig==0.3.29 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import pyBigWig

seen = []
for values in ([5.0], [7.0, 5.0], [5.0, 7.0]):
    with pyBigWig.open("t.bw", "w") as track:
        track.addHeader([("chr1", 1000)])
        starts = [100 * i for i in range(len(values))]
        track.addEntries(["chr1"] * len(values), starts, ends=[s + 100 for s in starts], values=values)
    with pyBigWig.open("t.bw") as track:
        seen.append((values, track.header()["maxVal"], track.stats("chr1", 0, 1000, type="max", exact=True)[0]))
print("pyBigWig", version("pyBigWig"), "values, header's maximum, stats:", seen)
assert [(h, s) for _, h, s in seen] == [(0, 5.0), (0, 7.0), (7, 7.0)]
PY
