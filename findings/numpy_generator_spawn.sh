#!/bin/sh
# A numpy Generator whose recorded bit_generator.state is set back draws the same numbers, but its spawn() gives other children: they come from seed_seq, which the state does not hold.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "numpy==2.3.5; python_version >= '3.11'" "numpy==2.2.6; python_version < '3.11'"
cd "$work"
"$work/venv/bin/python" - <<'PY'
import numpy as np

first = np.random.default_rng(5)
first.spawn(2)
again = np.random.default_rng(5)
again.bit_generator.state = first.bit_generator.state
numbers = first.random(3), again.random(3)
children = first.spawn(1)[0].random(3), again.spawn(1)[0].random(3)
print("numpy", np.__version__, "| own numbers equal:", np.array_equal(*numbers), "| children equal:", np.array_equal(*children))
assert np.array_equal(*numbers) and not np.array_equal(*children)
PY
