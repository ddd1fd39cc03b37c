"""Cell types on a balanced binary tree."""

from __future__ import annotations

import itertools
import re

import numpy as np


def type_names(n_types: int) -> list[str]:
    """Return ``type_1`` … ``type_n``."""
    return [f"type_{i + 1}" for i in range(n_types)]


def branches(n_types: int) -> list[list[int]]:
    """Return the leaves under each branch of a balanced binary tree, the root left out, parents first.

    The tree of five types is ``((1,2),(3,(4,5)))``; its branches are (1,2), 1, 2, (3,4,5), 3, (4,5), 4, 5.
    """

    def below(leaves: list[int]) -> list[list[int]]:
        if len(leaves) == 1:
            return []
        half = len(leaves) // 2
        return [b for part in (leaves[:half], leaves[half:]) for b in (part, *below(part))]

    return below(list(range(n_types))) if n_types > 1 else [[0]]


def brownian_leaves(n_types: int, n_dims: int, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Let a Gaussian vector diffuse down the tree.

    Every branch adds an independent standard normal step; leaves are scaled to unit variance on average.

    Returns
    -------
    Positions at the two ends of every branch, each of shape (n_branches, n_dims): the branch starts and
    the branch ends, in the order of :func:`branches`.
    """
    tree = branches(n_types)
    ends: dict[tuple[int, ...], np.ndarray] = {tuple(range(n_types)): np.zeros(n_dims)}
    starts = np.empty((len(tree), n_dims))
    stops = np.empty((len(tree), n_dims))
    for i, leaves in enumerate(tree):
        parent = min((p for p in ends if set(leaves) < set(p)), key=len, default=tuple(range(n_types)))
        starts[i] = ends[parent]
        stops[i] = starts[i] + rng.standard_normal(n_dims)
        ends[tuple(leaves)] = stops[i]
    leaf = [len(leaves) == 1 for leaves in tree]
    scale = np.sqrt(np.mean(stops[leaf] ** 2))
    return starts / scale, stops / scale


def newick_leaves(text: str) -> tuple[list[str], np.ndarray]:
    """Return the leaves of a tree in Newick format, and the correlations of a Gaussian value that diffuses down it.

    Parameters
    ----------
    text
        Such as ``((A:0.2,B:0.2):0.5,C:1);``. A branch without a length has 1; names of inner nodes and a length of the
        root are ignored.

    Returns
    -------
    Names of the leaves in their order, and the array (n_leaves × n_leaves): the shared length of two paths from the
    root, over the root of the product of their lengths.

    Raises
    ------
    TypeError
        If it is no text.
    ValueError
        If it is no tree, a leaf has no or a repeated name, or no length from the root.
    """
    if not isinstance(text, str):
        msg = f"tree must be a text in Newick format, got {text!r} ({type(text).__name__})"
        raise TypeError(msg)
    parts = [part for part in re.split(r"([(),;:])|\s+", text) if part]
    branches_made = itertools.count()

    def part(at: int) -> str:
        return parts[at] if at < len(parts) else ""

    def node(at: int) -> tuple[list[tuple[str, dict[int, float]]], int]:
        """Return the leaves under the node that begins here, each with the branches above it, and where it ends."""
        leaves: list[tuple[str, dict[int, float]]] = []
        inner = part(at) == "("
        while inner and part(at) in ("(", ","):
            below, at = node(at + 1)
            leaves += below
        if inner:
            if part(at) != ")":
                raise _broken(text, f"',' or ')' is missing at {part(at) or 'the end'!r}")
            at += 1
        name = part(at)
        if name and name not in "(),;:":
            at += 1
        elif not inner:
            raise _broken(text, "a leaf has no name")
        length = 1.0
        if part(at) == ":":
            try:
                length = float(part(at + 1))
            except ValueError:
                raise _broken(text, f"{part(at + 1)!r} after ':' is no number") from None
            if not 0 <= length < np.inf:
                raise _broken(text, f"a length is {length!r}, and not 0 or more")
            at += 2
        branch = next(branches_made)
        leaves = leaves if inner else [(name, {})]
        return [(leaf, {**above, branch: length}) for leaf, above in leaves], at

    found, end = node(0)
    if parts[end:] not in ([], [";"]):
        raise _broken(text, f"{''.join(parts[end:])!r} follows the end")
    names = [name for name, _ in found]
    if len(set(names)) < len(names):
        raise _broken(text, "two leaves have the same name")
    if len(names) == 1:
        return names, np.ones((1, 1))
    root = max(found[0][1])  # the last branch that was made
    paths = [{branch: length for branch, length in above.items() if branch != root} for _, above in found]
    shared = np.array([[sum(a[branch] for branch in a if branch in b) for b in paths] for a in paths])
    size = np.sqrt(shared.diagonal())
    if (size == 0).any():
        raise _broken(text, f"leaf {names[int(np.argmin(size))]!r} has length 0 from the root")
    return names, shared / np.outer(size, size)


def _broken(text: str, why: str) -> ValueError:
    return ValueError(f"tree={text!r} is no tree in Newick format, such as '((A:0.2,B:0.2):0.5,C:1);': {why}")
