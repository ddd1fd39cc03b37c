#!/bin/sh
# rdata, which reads R files without R, stops at raw vectors: one serialised digest or image inside an object keeps the whole file out.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check rdata==1.1.0
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import gzip
from importlib.metadata import version

import rdata

# saveRDS(as.raw(1:3)), version 2 of the format, as R writes it
body = bytes.fromhex("580a000000020004020200020300") + bytes.fromhex("00000018") + bytes.fromhex("00000003") + bytes([1, 2, 3])
with gzip.open("raw.rds", "wb") as handle:
    handle.write(body)
try:
    seen = rdata.read_rds("raw.rds")
except NotImplementedError as err:
    seen = f"NotImplementedError: {err}"
print("rdata", version("rdata"), seen)
assert str(seen).startswith("NotImplementedError")
PY
