"""Leading eigenpairs of a symmetric map by block Lanczos with full orthogonalisation and Rayleigh–Ritz."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_DOUBLE = np.dtype(np.float64)


class Krylov:
    """An orthonormal basis that grows by blocks, and what its vectors become under a linear map.

    Parameters
    ----------
    n, m
        Length of the vectors, and of their images.
    size
        Most vectors.
    dtype
        Type of what is kept.
    """

    def __init__(self, n: int, m: int, size: int, dtype: np.dtype) -> None:
        self._vectors, self._images = np.empty((n, size), dtype=dtype), np.empty((m, size), dtype=dtype)
        self._used = 0

    @property
    def vectors(self) -> np.ndarray:
        """The basis, (n × used)."""
        return self._vectors[:, : self._used]

    @property
    def images(self) -> np.ndarray:
        """What its vectors become, (m × used)."""
        return self._images[:, : self._used]

    def add(self, block: np.ndarray, image: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray | None]:
        """Add what is new in a block; return it, orthonormal, and its image.

        Without `image` the caller writes the image of the new vectors into the last columns of `images`.
        """
        dtype, block = self._vectors.dtype, block.astype(np.float64)
        image = None if image is None else image.astype(np.float64)
        for _ in range(2):
            largest = np.max(np.sum(block**2, axis=0), initial=0)
            known = self.vectors.T @ block.astype(dtype, copy=False)
            block -= self.vectors @ known
            values, turn = np.linalg.eigh(block.T @ block)
            new = values > 1e-10 * largest  # the rest is rounding
            new[: max(0, len(new) - self._vectors.shape[1] + self._used)] = False
            turn = turn[:, new] / np.sqrt(values[new])
            if image is not None:
                image = (image - self.images @ known) @ turn
            block = block @ turn
        where = slice(self._used, self._used + block.shape[1])
        self._vectors[:, where] = block
        if image is not None:
            self._images[:, where] = image
        self._used = where.stop
        return block, image


def leading_eigenpairs(
    apply: Callable[[np.ndarray], np.ndarray],
    block: np.ndarray,
    n_components: int,
    *,
    n_blocks: int,
    across: np.ndarray | None = None,
    dtype: np.dtype = _DOUBLE,
) -> tuple[np.ndarray, np.ndarray]:
    """Return leading eigenvectors (n × n_components) and eigenvalues, by decreasing value, of a symmetric map.

    Parameters
    ----------
    apply
        Multiplies a block of vectors by the map.
    block
        Where to start, (n × width).
    n_components
        Number of eigenpairs.
    n_blocks
        Blocks of the Krylov space; `apply` is called once for each.
    across
        A known eigenvector, (n × 1), that is left out.
    dtype
        Type of the space, and of the eigenvectors.
    """
    n, width = block.shape
    krylov = Krylov(n, 0, 1 + n_blocks * width, dtype)
    first = 0 if across is None else krylov.add(across)[0].shape[1]
    ritz = np.zeros((1 + n_blocks * width,) * 2)
    for _ in range(n_blocks):
        block, _ = krylov.add(block)
        if block.shape[1] == 0:
            break
        known = krylov.vectors.shape[1]
        block_image = apply(block)
        ritz[:known, known - block.shape[1] : known] = krylov.vectors.T @ block_image.astype(dtype, copy=False)
        block = block_image
    basis = krylov.vectors[:, first:]
    values, rotation = np.linalg.eigh(ritz[first : first + basis.shape[1], first : first + basis.shape[1]], UPLO="U")
    order = np.argsort(values)[::-1][:n_components]
    return basis @ rotation[:, order].astype(dtype), values[order]
