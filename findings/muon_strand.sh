#!/bin/sh
# muon.atac.tl.count_fragments_features(stranded=True) looks for "-" in the column of chromosomes: genes on the minus strand are extended upstream of their end, not of their start.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check muon==0.1.9 pysam==0.24.1
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY' 2>/dev/null
from importlib.metadata import version

import anndata
import muon
import numpy as np
import pandas as pd
import pysam

with open("f.tsv", "w") as handle:
    handle.write("chr1\t2000\t2200\tleft\t1\nchr1\t6000\t6200\tright\t1\n")
pysam.tabix_compress("f.tsv", "f.tsv.gz")
pysam.tabix_index("f.tsv.gz", preset="bed")
cells = anndata.AnnData(np.zeros((2, 1)), pd.DataFrame(index=["left", "right"]))
cells.uns["files"] = {"fragments": "f.tsv.gz"}
genes = pd.DataFrame({"Chromosome": "chr1", "Start": 3000, "End": 5000, "Strand": ["+", "-"]}, index=["plus", "minus"])
counts = muon.atac.tl.count_fragments_features(cells, genes, stranded=True, extend_upstream=2000).X.toarray()
print("muon", version("muon"), "gene on +: left, right =", counts[:, 0].tolist(), "; gene on - (upstream is right):", counts[:, 1].tolist())
assert counts[:, 0].tolist() == [1, 0] and counts[:, 1].tolist() == [1, 0]
PY
