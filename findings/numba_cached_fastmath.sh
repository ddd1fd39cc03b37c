#!/bin/sh
# numba: the process that compiles a fastmath function gives other last bits (x86-64 with AVX) than those that load it from numba's own cache, where it calls another compiled one.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check numba==0.62.1 numpy==2.3.4
cd "$work"
cat > factorise.py <<'PY'
import hashlib
import numba
import numpy as np

@numba.njit(cache=True, fastmath=True, error_model="numpy")
def sweep(tile, target, rest, gram, m):
    r = len(gram)
    for _ in range(2):
        for j in range(r):
            if gram[j, j] <= 0:
                tile[j, :m] = 0
                continue
            for i in range(m):
                rest[i] = target[j, i]
            stop = r - r % 4
            for t in range(0, stop, 4):
                w0, w1, w2, w3 = gram[j, t], gram[j, t + 1], gram[j, t + 2], gram[j, t + 3]
                for i in range(m):
                    rest[i] -= (w0 * tile[t, i] + w1 * tile[t + 1, i]) + (w2 * tile[t + 2, i] + w3 * tile[t + 3, i])
            for t in range(stop, r):
                for i in range(m):
                    rest[i] -= gram[j, t] * tile[t, i]
            step = 1 / gram[j, j]
            for i in range(m):
                tile[j, i] = max(tile[j, i] + rest[i] * step, 0)

@numba.njit(cache=True, fastmath=True)
def passes(factor, product, gram):
    n, r = factor.shape
    tile = np.empty((r, 64), factor.dtype)
    target = np.empty((r, 64), factor.dtype)
    rest = np.empty(64, factor.dtype)
    for low in range(0, n, 64):
        m = min(64, n - low)
        for i in range(m):
            for j in range(r):
                tile[j, i] = factor[low + i, j]
                target[j, i] = product[low + i, j]
        sweep(tile, target, rest, gram, m)
        for i in range(m):
            for j in range(r):
                factor[low + i, j] = tile[j, i]

rng = np.random.default_rng(0)
factor, product = rng.random((500, 13), np.float32), rng.random((500, 13), np.float32)
gram = factor.T @ factor
passes(factor, product, gram)
print(hashlib.md5(factor.tobytes()).hexdigest(), sum(passes.stats.cache_hits.values()))
PY
for run in compiled loaded again; do NUMBA_CACHE_DIR="$work/cache" "$work/venv/bin/python" factorise.py > "$run"; done
echo "numba 0.62.1, result and loads: compiled $(cat compiled), loaded $(cat loaded), again $(cat again)"
[ "$(cat loaded)" = "$(cat again)" ]
[ "$(cut -d' ' -f1 compiled)" != "$(cut -d' ' -f1 loaded)" ]
