#!/bin/sh
# SnapATAC2's export_fragments writes by barcode, not by position, and 1 in the column of reads: the file cannot be indexed as it is, and counts of duplicates are gone.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check snapatac2==2.9.0
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import gzip

import numpy as np
import snapatac2 as snap

rng = np.random.default_rng(0)
starts = np.sort(rng.integers(1000, 900000, 2000))
with gzip.open("fragments.tsv.gz", "wt") as handle:
    for i, start in enumerate(starts):
        handle.write(f"chr1\t{start}\t{start + 150}\tC{i % 4}-1\t{1 + i % 3}\n")
data = snap.pp.import_fragments("fragments.tsv.gz", chrom_sizes={"chr1": 1_000_000}, sorted_by_barcode=False)
data.obs["group"] = "all"
path = snap.ex.export_fragments(data, groupby="group", out_dir="out", suffix=".bed.gz")["all"]
rows = [line.split("\t") for line in gzip.open(path, "rt").read().splitlines()]
where = [int(row[1]) for row in rows]
print("snapatac2", snap.__version__, len(rows), "rows; by position:", where == sorted(where), "; reads:", {row[4] for row in rows})
assert len(rows) == 2000 and where != sorted(where) and {row[4] for row in rows} == {"1"}
PY
