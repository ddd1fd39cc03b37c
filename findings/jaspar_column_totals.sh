#!/bin/sh
# Half of JASPAR 2026's vertebrate CORE matrices have columns with different totals, up to sixfold: dividing by the first column's total, or taking it as the number of sites, gives no frequencies.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pyjaspar==4.0.0
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import numpy as np
import pyjaspar

motifs = pyjaspar.jaspardb(release="JASPAR2026").fetch_motifs(collection="CORE", tax_group="vertebrates")
totals = [np.array([motif.counts[base] for base in "ACGT"]).sum(axis=0) for motif in motifs]
apart = np.array([total.max() / total.min() for total in totals])
unequal = int(sum(total.max() - total.min() > 0.5 for total in totals))
print("pyjaspar", version("pyjaspar"), "JASPAR2026:", unequal, "of", len(motifs), "with unequal columns,", int((apart > 1.1).sum()), "by more than a tenth; the largest:", motifs[int(apart.argmax())].matrix_id, apart.max().round(1))
assert unequal > 500 and (apart > 1.1).sum() > 380 and apart.max() > 6
PY
