"""The one result of every method, and the fields of an AnnData that hold it."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from scipy import sparse

from .factors import compute_ranges

#: Entries of the enhanced matrix up to which the ranges of its min–max scaling are computed at once.
EAGER_RANGES = 50_000_000
#: Ends of the names of fields in `obsm` and `varm`.
PARTS = ("cell_factors", "sources", "range", "peak_factors", "projection", "depth", "idf", "shares", "profiles")


class Fields(Protocol):
    """The parts of an AnnData that a result is kept in."""

    obsm: MutableMapping[str, Any]
    varm: MutableMapping[str, Any]
    obsp: MutableMapping[str, Any]
    layers: MutableMapping[str, Any]


@dataclass(frozen=True)
class Enhancement:
    """A fitted enhancer: thin factors or, for small data, the enhanced matrix itself.

    Attributes
    ----------
    embedding
        Array of shape (n_obs, k).
    projection
        Array of shape (n_vars, k); component j belongs to column j of the embedding. None if the method has none.
    cell_factors, peak_factors
        Thin factors of the enhanced matrix: enhanced = cell_factors @ peak_factors.T.
    sources
        Array of shape (n_obs, r): the similarity is Z = sources @ cell_factors.T; its columns are the weights with
        which a cell's enhanced profile averages all cells.
    objective
        Objective after every iteration, or what else the method minimises.
    info
        What else the method reports; kept in `uns`.
    shares, profiles
        Expected accessibility of a method that fits it beyond the enhanced matrix: the share of every peak in the
        counts of a cell is shares @ profiles.T, (n_obs × s) and (n_vars × s). None: the enhanced matrix tells it.
    depth
        Total counts of every cell, (n_obs,).
    peak_scaling
        IDF of every peak, and where that is 0 its share of all counts, (n_vars × 2).
    matrix
        The enhanced matrix of a method without thin factors: array or CSR of shape (n_obs, n_vars).
    similarity
        Z of such a method: array or sparse, (n_obs, n_obs).
    """

    embedding: np.ndarray
    projection: np.ndarray | None = None
    cell_factors: np.ndarray | None = None
    peak_factors: np.ndarray | None = None
    sources: np.ndarray | None = None
    objective: np.ndarray = field(default_factory=lambda: np.zeros(0))
    info: dict[str, Any] = field(default_factory=dict)
    shares: np.ndarray | None = None
    profiles: np.ndarray | None = None
    depth: np.ndarray | None = None
    peak_scaling: np.ndarray | None = None
    matrix: np.ndarray | sparse.csr_matrix | None = None
    similarity: np.ndarray | sparse.csr_matrix | None = None

    def __post_init__(self) -> None:
        """Check that there are factors, or a matrix, of fitting shapes."""
        whole = self.cell_factors if self.matrix is None else self.matrix
        if (self.cell_factors is None) != (self.peak_factors is None):
            msg = "cell_factors and peak_factors must be given together"
        elif whole is None or (self.matrix is not None and self.cell_factors is not None):
            msg = "a result holds thin factors or a matrix, and not both"
        elif len(self.embedding) != whole.shape[0]:
            msg = f"the embedding has {len(self.embedding)} cells, the enhanced data {whole.shape[0]}"
        else:
            return
        raise ValueError(msg)

    def __repr__(self) -> str:
        n, k = self.embedding.shape
        if self.peak_factors is not None:
            kind, m = f"thin factors of {self.peak_factors.shape[1]} columns", len(self.peak_factors)
        else:
            kind, m = "a matrix", 0 if self.matrix is None else self.matrix.shape[1]
        expected = ", expected accessibility" if self.shares is not None else ""
        return f"Enhancement: {n:,} cells × {m:,} peaks, embedding of {k} components, {kind}{expected}"

    @property
    def thin(self) -> bool:
        """Whether the result is thin factors."""
        return self.matrix is None

    @property
    def factors(self) -> tuple[np.ndarray, np.ndarray]:
        """Cell factors and peak factors of a thin result."""
        if self.cell_factors is None or self.peak_factors is None:
            msg = "this result has no thin factors; it is in `matrix`"
            raise ValueError(msg)
        return self.cell_factors, self.peak_factors

    def fields(self, key: str) -> dict[str, dict[str, Any]]:
        """Return the fields that hold the result: axis of an AnnData → name → float32 array.

        The ranges of the min–max scaling are among them where they cost little.

        Parameters
        ----------
        key
            The `key_added` of the call.
        """
        parts: dict[str, dict[str, Any]] = {
            "obsm": {
                f"X_{key}": self.embedding,
                f"{key}_cell_factors": self.cell_factors,
                f"{key}_sources": self.sources,
                f"{key}_shares": self.shares,
                f"{key}_depth": None if self.depth is None else self.depth[:, None],
            },
            "varm": {
                f"{key}_projection": self.projection,
                f"{key}_peak_factors": self.peak_factors,
                f"{key}_profiles": self.profiles,
                f"{key}_idf": self.peak_scaling,
            },
            "obsp": {f"{key}_similarity": self.similarity},
            "layers": {key: self.matrix},
        }
        if self.thin and np.prod([len(part) for part in self.factors]) <= EAGER_RANGES:
            cells, peaks = self.factors
            limits = compute_ranges(_single(cells), _single(peaks))
            parts["obsm"][f"{key}_range"], parts["varm"][f"{key}_range"] = limits.cell, limits.peak
        return {
            axis: {name: _single(value) for name, value in values.items() if value is not None}
            for axis, values in parts.items()
        }

    def write(self, target: Fields, key: str, *, replaces_layer: bool) -> None:
        """Put the result into an AnnData in place of an earlier one under the key.

        Parameters
        ----------
        target
            The AnnData.
        key
            The `key_added` of the call.
        replaces_layer
            Whether a layer of this name is of an earlier result, which goes; else it is the user's and stays.
        """
        fields = self.fields(key)
        for name in PARTS:
            target.obsm.pop(f"{key}_{name}", None)
            target.varm.pop(f"{key}_{name}", None)
        target.obsp.pop(f"{key}_similarity", None)
        if replaces_layer:
            target.layers.pop(key, None)
        for axis, values in fields.items():
            for name, value in values.items():
                getattr(target, axis)[name] = value

    @classmethod
    def read(cls, source: Fields, key: str, *, objective: np.ndarray | None = None) -> Enhancement:
        """Return the result that an AnnData holds under a key.

        Parameters
        ----------
        source
            The AnnData.
        key
            The `key_added` of the call.
        objective
            What ``uns[key]["objective"]`` holds.

        Raises
        ------
        KeyError
            If a field is missing.
        """
        thin = f"{key}_cell_factors" in source.obsm
        return cls(
            embedding=source.obsm[f"X_{key}"],
            projection=source.varm.get(f"{key}_projection"),
            cell_factors=source.obsm[f"{key}_cell_factors"] if thin else None,
            peak_factors=source.varm[f"{key}_peak_factors"] if thin else None,
            sources=source.obsm.get(f"{key}_sources"),
            objective=np.zeros(0) if objective is None else np.asarray(objective),
            matrix=None if thin else source.layers[key],
            similarity=source.obsp.get(f"{key}_similarity"),
            shares=source.obsm.get(f"{key}_shares"),
            profiles=source.varm.get(f"{key}_profiles"),
            depth=source.obsm[f"{key}_depth"][:, 0] if f"{key}_depth" in source.obsm else None,
            peak_scaling=source.varm.get(f"{key}_idf"),
        )


def _single(values: Any) -> Any:
    """Return an array or sparse matrix in float32, C-contiguous."""
    if sparse.issparse(values):
        return values.astype(np.float32)
    return np.ascontiguousarray(values, dtype=np.float32)


def is_zero(result: Enhancement) -> bool:
    """Return whether every enhanced value is 0."""
    if result.matrix is not None:
        values = result.matrix.data if sparse.issparse(result.matrix) else result.matrix
        return not np.any(values)
    if result.cell_factors is None or result.peak_factors is None:
        return False
    return not np.any(result.cell_factors.any(axis=0) & result.peak_factors.any(axis=0))
