#!/bin/sh
# "import igraph" (and so leidenalg) imports matplotlib.pyplot where matplotlib is installed, though nothing is drawn: finding communities pays for a plotting library.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check igraph==1.0.0 leidenalg==0.11.0
cd "$work"
look='
import sys
from importlib.metadata import version
import MODULE
print("MODULE", version("MODULE"), "loads matplotlib.pyplot:", "matplotlib.pyplot" in sys.modules)
'
without=$("$work/venv/bin/python" -c "$(echo "$look" | sed s/MODULE/igraph/g)")
"$work/venv/bin/pip" install --quiet --disable-pip-version-check matplotlib==3.10.7
for module in igraph leidenalg; do
  "$work/venv/bin/python" -c "$(echo "$look" | sed s/MODULE/$module/g)"
done > with.txt
echo "without matplotlib: $without"; echo "with it:"; cat with.txt
case "$without" in *False) ;; *) exit 1 ;; esac
test "$(grep -c 'pyplot: True' with.txt)" = 2
