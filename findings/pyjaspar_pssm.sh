#!/bin/sh
# The .pssm of a motif from pyjaspar has -inf wherever a base was never counted: its motifs come with pseudocounts of 0 although Biopython has a rule for JASPAR, so one mismatch there rules a site out.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pyjaspar==4.0.0 biopython==1.88
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import numpy as np
import pyjaspar
from Bio.motifs import jaspar

motif = pyjaspar.jaspardb(release="JASPAR2024").fetch_motif_by_id("MA0139.2")
before = sum(np.isinf(motif.pssm[base]).sum() for base in "ACGT")
motif.pseudocounts = jaspar.calculate_pseudocounts(motif)
after = sum(np.isinf(motif.pssm[base]).sum() for base in "ACGT")
print("pyjaspar", version("pyjaspar"), motif.matrix_id, motif.name, "cells of the .pssm that are -inf:", before, "; with calculate_pseudocounts:", after)
assert before > 0 and after == 0
PY
