#!/bin/sh
# bioframe.expand leaves starts below 0 (and ends beyond the chromosome) until bioframe.trim is called; bioframe.is_bedframe calls such a table valid.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check bioframe==0.8.0
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import bioframe
import pandas as pd

peaks = pd.DataFrame({"chrom": ["chr1"], "start": [50], "end": [60]})
wide = bioframe.expand(peaks, pad=100)
print("bioframe", version("bioframe"), "chr1:50-60 by 100 on both sides:", wide.values.tolist(), "valid:", bioframe.is_bedframe(wide), "; trimmed:", bioframe.trim(wide).values.tolist())
assert wide.values.tolist() == [["chr1", -50, 160]] and bioframe.is_bedframe(wide) and bioframe.trim(wide).values.tolist() == [["chr1", 0, 160]]
PY
