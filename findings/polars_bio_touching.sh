#!/bin/sh
# polars-bio pairs regions that only touch: plain pandas tables are taken as closed intervals from 1, so 0-10 and 10-20 of BED share a base in overlap, count_overlaps and coverage. With attrs["coordinate_system_zero_based"] = True on both tables they do not.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check polars-bio==0.36.2 pandas==2.3.3 pyarrow
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import pandas as pd
import polars_bio as pb

peaks = pd.DataFrame({"chrom": ["chr1"], "start": [0], "end": [10]})
others = pd.DataFrame({"chrom": ["chr1"], "start": [10], "end": [20]})
pairs = len(pb.overlap(peaks, others, output_type="pandas.DataFrame"))
count, bases = (f(peaks, others, output_type="pandas.DataFrame").iloc[0, -1] for f in (pb.count_overlaps, pb.coverage))
for table in (peaks, others):
    table.attrs["coordinate_system_zero_based"] = True
told = len(pb.overlap(peaks, others, output_type="pandas.DataFrame"))
print("polars-bio", version("polars-bio"), "0-10 and 10-20: pairs", pairs, "count", int(count), "bases", int(bases), "; with coordinate_system_zero_based:", told)
assert (pairs, count, bases, told) == (1, 1, 1, 0)
PY
