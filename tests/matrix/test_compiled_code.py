"""Compiled code gives the same bits in the process that compiles it and in those that load it from numba's cache."""

import importlib
import os
import pkgutil
import subprocess
import sys

import pytest
from numba.core.registry import CPUDispatcher

import sccase_kit

#: Factorises a small random matrix; prints what depends on every kernel that is compiled with fastmath.
SCRIPT = """
import hashlib
import numpy as np
from sccase_kit.enhance.kernels import hals_parts, hals_rows
from sccase_kit.matrix.peak_kernels import peak_pass

rng = np.random.default_rng(0)
cuts = np.array([0, 3, 8, 13])
factor, product = rng.random((500, 13), np.float32), rng.random((500, 13), np.float32)
gram = (factor.T @ factor).astype(np.float32)
one = factor.copy()
hals_rows(one, product, gram, 2)
parts = factor.copy()
hals_parts(parts, product, gram, cuts, 2)
indptr = np.arange(0, 3001, 6).astype(np.int64)
indices = rng.integers(40, size=3000).astype(np.int32)
left = np.zeros((40, 16), np.float32)
left[:, :13] = rng.random((40, 13))
image, out, back = np.zeros((40, 16), np.float32), np.zeros((13, 13), np.float32), np.zeros((500, 13), np.float32)
start, w = factor.copy(), factor.copy()
given = indptr, indices, None, np.ones(500, np.float32), left, gram, cuts, start, w, 2
room = np.zeros((13, 128), np.float32), np.zeros(128, np.float32), np.zeros((128, 16), np.float32)
peak_pass(*given, 0.5, image, out, back[:0], *room)
peak_pass(*given, 0.0, image, out, back, *room)
print([hashlib.md5(part.tobytes()).hexdigest() for part in (one, parts, start, w, image, out, back)])
"""


def _compiled() -> dict[str, CPUDispatcher]:
    """Return every compiled function of the package by module and name."""
    found = {}
    for info in pkgutil.walk_packages(sccase_kit.__path__, "sccase_kit."):
        if info.name.endswith("kernels") or info.name == "sccase_kit.matrix.products":
            module = importlib.import_module(info.name)
            for name, value in vars(module).items():
                if isinstance(value, CPUDispatcher) and value.py_func.__module__ == info.name:
                    found[f"{info.name}.{name}"] = value
    return found


def test_reordered_arithmetic_is_not_called_but_inlined():
    """Linked copies of what is compiled with fastmath are optimised apart from cached ones: it must be inlined."""
    compiled = _compiled()
    assert len(compiled) > 20
    called = {
        id(caller.py_func.__globals__.get(name))
        for caller in compiled.values()
        for name in caller.py_func.__code__.co_names
    }
    linked = [
        name
        for name, function in compiled.items()
        if function.targetoptions.get("fastmath")
        and id(function) in called
        and function.targetoptions.get("inline") != "always"
    ]
    assert linked == []


@pytest.mark.slow
def test_a_cold_cache_gives_the_same_bits(tmp_path):
    """15 s: all is compiled twice, in two empty caches; the third run loads."""
    printed = []
    for cache in ("one", "two", "two"):
        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / cache)}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment, check=True
        )
        printed.append(done.stdout)
    assert printed[0].count(",") == 6
    assert printed[0] == printed[1] == printed[2]
