"""R's default uniform generator, so that a seed means in Python what it means in R."""

from __future__ import annotations

import numpy as np

_N = 624
_SCALE = 2.3283064365386963e-10
_TINY = 2.328306437080797e-10


class RUniform:
    """The stream of ``unif_rand()`` after ``set.seed(seed)`` (Mersenne-Twister, R ≥ 1.7).

    Parameters
    ----------
    seed
        The integer given to ``set.seed``; negative values wrap to 32 bits as in R.
    """

    def __init__(self, seed: int) -> None:
        x = seed & 0xFFFFFFFF
        for _ in range(50):
            x = (69069 * x + 1) & 0xFFFFFFFF
        words = np.empty(_N + 1, dtype=np.uint32)
        for i in range(_N + 1):
            x = (69069 * x + 1) & 0xFFFFFFFF
            words[i] = x
        self._bits = np.random.MT19937()
        self._bits.state = {"bit_generator": "MT19937", "state": {"key": words[1:], "pos": _N}}

    def draw(self, n: int) -> np.ndarray:
        """Return the next `n` uniforms, float64 strictly between 0 and 1."""
        return np.clip(self._bits.random_raw(n) * _SCALE, _TINY / 2, 1 - _TINY / 2)
