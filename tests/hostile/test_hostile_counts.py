"""Hostile counts and labels in everything that takes counts: a finite result, or a clear error and no change."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import given, settings
from hypothesis import strategies as st
from others import ANNDATA
from scipy import sparse

import sccase_kit as sk

CALLS = {
    "tl.enhance": lambda a: sk.tl.enhance(a),
    "tl.enhance, sccase": lambda a: sk.tl.enhance(a, 3, method="sccase"),
    "tl.enhance, batch and depth": lambda a: sk.tl.enhance(a, batch_key="batch", depth=True),
    "tl.enhance, published": lambda a: sk.tl.enhance(a, 3, solver="published"),
    "tl.enhance, paper": lambda a: sk.tl.enhance(a, 3, solver="paper", max_iter=3),
    "tl.estimate_k": lambda a: sk.tl.estimate_k(a, k_values=range(2, 5), key_added=None),
    "tl.scabc": lambda a: sk.tl.scabc(a, "cell_type", n_top=20),
    "tl.chromvar": lambda a: sk.tl.chromvar(a, "sets", bias="gc", n_background=5),
    "pp.filter_peaks": lambda a: sk.pp.filter_peaks(a),
    "pp.filter_cells": lambda a: sk.pp.filter_cells(a),
    "pp.binarize": lambda a: sk.pp.binarize(a),
    "pp.tfidf": lambda a: sk.pp.tfidf(a),
    "pp.tfidf, signac": lambda a: sk.pp.tfidf(a, variant="signac"),
    "pp.tfidf_scaling": lambda a: sk.pp.tfidf_scaling(a.X).apply(a.X),
    "pp.pseudobulk": lambda a: sk.pp.pseudobulk(a, "cell_type"),
    "pp.bulk_reference": lambda a: sk.pp.bulk_reference(a),
    "pp.self_reference": lambda a: sk.pp.self_reference(a, n_components=3, n_neighbors=4),
    "pp.dropout": lambda a: sk.pp.dropout(a, 0.5),
    "pp.subsample_cells": lambda a: sk.pp.subsample_cells(a, fraction=0.5, groupby="cell_type"),
    "metrics.raw_tfidf": lambda a: sk.metrics.raw_tfidf(a),
    "metrics.knn_smoothing": lambda a: sk.metrics.knn_smoothing(a, n_neighbors=4, n_components=3),
}
ELSEWHERE = {
    "tl": {
        "add_gc_content",
        "match_motifs",
        "match_sites",
        "enrich_genes",
        "great",
        "snpsea",
        "ldsc",
        "interpret",
    }  # files, regions
    | {"cluster", "specific_peaks", "background_peaks", "compare_specific_peaks"}  # after a fit: test_hostile_fits
    | {"merge_clusters", "sister_groups"}
    | {"differential_deviations", "differential_variability", "motif_correlation", "motif_synergy"}
    | {
        "annotate",
        "gene_activity",
        "trait_scores",
        "differential",
        "motif_genes",
        "peak_gene_links",
    },  # genes, samples: tests/tl
    "pp": {"Tfidf", "align_reference", "filter_groups", "parse_peak_names", "parse_peaks", "require_coordinates"}
    | {"call_peaks", "merge_peaks", "remap_counts"},  # fragments, regions: tests/pp
}


def study(n=40, m=160, seed=0) -> AnnData:
    adata = sk.datasets.toy_study(n_cells=n, n_peaks=m, n_types=3, rng=seed).adata
    adata.varm["sets"] = pd.DataFrame(np.random.default_rng(0).random((m, 3)) < 0.3, adata.var_names, list("abc"))
    adata.var["gc"] = np.random.default_rng(1).uniform(0.3, 0.7, m)
    return adata


def with_counts(counts: Any, adata: AnnData | None = None) -> AnnData:
    """Return a study with other counts, of any shape up to that of the study."""
    adata = study() if adata is None else adata
    out = adata[: counts.shape[0], : counts.shape[1]].copy()
    for name in [name for name in out.layers if name is not None]:
        del out.layers[name]
    out.X = counts
    return out


def fields(adata: AnnData) -> dict[str, Any]:
    found = {"X": adata.X}
    for axis in ("obs", "var", "obsm", "varm", "obsp", "layers"):
        keys = [key for key in getattr(adata, axis) if key is not None]
        found |= {f"{axis}/{key}": getattr(adata, axis)[key] for key in keys}
    return found | {"uns": sorted(adata.uns), "shape": adata.shape}


def dense(value: Any) -> np.ndarray:
    return value.toarray() if sparse.issparse(value) else np.asarray(value)


def unchanged(before: dict[str, Any], after: dict[str, Any]) -> bool:
    return before.keys() == after.keys() and all(equal(before[key], after[key]) for key in before)


def equal(a: Any, b: Any) -> bool:
    if isinstance(a, (pd.Series, pd.DataFrame)):
        return a.equals(b)
    a, b = dense(a), dense(b)
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def numbers(value: Any) -> list[np.ndarray]:
    """Return every array of numbers in a result."""
    if isinstance(value, AnnData):
        return [a for part in fields(value).values() for a in numbers(part)] + numbers(dict(value.uns))
    if isinstance(value, pd.DataFrame):
        return [a for column in value for a in numbers(value[column].to_numpy())]
    if isinstance(value, dict):
        return [a for key, part in value.items() if key != "timing" for a in numbers(part)]
    if isinstance(value, (list, tuple)):
        return [a for part in value for a in numbers(part)]
    array = dense(value)
    return [array] if array.dtype.kind in "iufb" else []


def call(name: str, adata: AnnData) -> Any:
    """Return what a call gives, or the message of its error; it must be one of ours and leave the data as they were."""
    before = fields(adata.copy())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=ANNDATA)
        warnings.filterwarnings("ignore", category=UserWarning)  # ours: empty cells and peaks, what was left out
        try:
            result = CALLS[name](adata)
        except (KeyError, TypeError, ValueError) as err:
            kind, message, place = type(err), str(err), err.__traceback__
        else:
            return adata if result is None else result
    while place.tb_next is not None:
        place = place.tb_next
    assert "sccase_kit" in place.tb_frame.f_code.co_filename, f"{kind.__name__} of a library: {message}"
    assert re.search(r"[a-z]{3}.* .*[a-z]{3}", message), f"{kind.__name__} says too little: {message!r}"
    assert unchanged(before, fields(adata)), "changed, although it failed"
    return message


def matrix(kind: str) -> Any:
    counts = study().X.tocsr().astype(np.float64)
    value = {"NaN": np.nan, "inf": np.inf, "-inf": -np.inf, "negative": -1, "fraction": 0.5, "huge": 1e300}.get(kind)
    if value is not None:
        counts.data[7] = value
        return counts
    return {
        "no cell": counts[:0],
        "no peak": counts[:, :0],
        "one cell": counts[:1],
        "one peak": counts[:, :1],
        "two by two": counts[:2, :2],
        "three cells": counts[:3],
        "all zero": counts * 0,
        "all one": sparse.csr_matrix(np.ones(counts.shape)),
        "one count": sparse.csr_matrix(([1.0], ([3], [5])), shape=counts.shape),
        "one full cell": sparse.vstack([np.ones((1, counts.shape[1])), 0 * counts[1:]]).tocsr(),
        "equal cells": sparse.vstack([counts[:1]] * counts.shape[0]).tocsr(),
        "complex": counts.astype(complex),
        "objects": counts.toarray().astype(object),
        "damaged": damaged(counts),
    }[kind]


def damaged(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    out = counts.copy()
    out.indices[3] = counts.shape[1] + 5
    return out


KINDS = ["NaN", "inf", "-inf", "negative", "fraction", "huge", "no cell", "no peak", "one cell", "one peak"]
KINDS += ["two by two", "three cells", "all zero", "all one", "one count", "one full cell", "equal cells"]
KINDS += ["complex", "objects", "damaged"]
REFUSED = {"NaN", "inf", "-inf", "negative", "huge", "complex", "objects", "damaged"}
ANY_NUMBERS = {"pp.subsample_cells"}  # do not look at the counts


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CALLS)
def test_bad_counts(name, kind):
    counts = matrix(kind)
    result = call(name, with_counts(counts))
    if isinstance(result, str):
        return
    assert kind not in REFUSED or name in ANY_NUMBERS
    if name not in ANY_NUMBERS:
        for array in numbers(result):
            assert not np.isinf(array).any()
            if not name.startswith(("tl.scabc", "tl.chromvar")):  # NaN where a p-value or a z-score is not defined
                assert np.isfinite(array).all()


@pytest.mark.parametrize("name", CALLS)
def test_containers_and_types_give_one_result(name):
    """Also unsorted and repeated indices, read-only arrays; the matrix that was given is not modified."""
    plain = study().X.tocsr().astype(np.int32)
    expected = numbers(call(name, with_counts(plain)))
    shuffled = plain.copy()
    for row in range(plain.shape[0]):
        part = slice(plain.indptr[row], plain.indptr[row + 1])
        shuffled.indices[part], shuffled.data[part] = plain.indices[part][::-1], plain.data[part][::-1]
    shuffled.has_sorted_indices = False
    once, rows = np.minimum(plain.data, 1), np.repeat(np.arange(plain.shape[0]), np.diff(plain.indptr))
    twice = sparse.csr_matrix(plain.shape, dtype=np.int32)
    order = np.argsort(np.concatenate([rows, rows]), kind="stable")
    twice.indptr = plain.indptr * 2
    twice.indices = np.concatenate([plain.indices, plain.indices])[order]
    twice.data = np.concatenate([once, plain.data - once])[order]
    frozen = plain.copy()
    for part in (frozen.data, frozen.indices, frozen.indptr):
        part.flags.writeable = False
    forms = [
        plain.toarray(),
        np.asfortranarray(plain.toarray()),
        plain.tocsc(),
        sparse.csr_array(plain),
        shuffled,
        frozen,
    ]
    forms += [plain.astype(t) for t in (np.uint8, np.int16, np.uint32, np.int64, np.float32, np.float64)] + [twice]
    for form in forms:
        adata = with_counts(form)
        given = adata.X.copy()
        result = call(name, adata)
        assert not isinstance(result, str), f"{type(form).__name__} {form.dtype}: {result}"
        if not name.startswith(("pp.filter", "pp.binarize", "pp.tfidf")):
            assert (dense(adata.X) == dense(given)).all()
        got = numbers(result)
        assert len(got) == len(expected)
        for a, b in zip(got, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4 * max(1, np.abs(b[np.isfinite(b)]).max(initial=0)))


@settings(max_examples=40, derandomize=True, deadline=None, database=None)
@given(n=st.integers(2, 30), m=st.integers(2, 60), density=st.floats(0.01, 0.95), seed=st.integers(0, 999))
@pytest.mark.parametrize("name", [n for n in CALLS if n not in ("pp.subsample_cells", "tl.chromvar")])
def test_any_small_matrix(name, n, m, density, seed):
    rng = np.random.default_rng(seed)
    counts = sparse.csr_matrix((rng.random((n, m)) < density) * (rng.poisson(0.7, (n, m)) + 1.0))
    result = call(name, with_counts(counts.astype(np.int32)))
    if not isinstance(result, str) and name != "tl.scabc":
        assert all(np.isfinite(array).all() for array in numbers(result))


LABELS = {
    "missing column": None,
    "one group": ["a"] * 40,
    "a group of one cell": ["a"] * 39 + ["b"],
    "with NaN": ["a"] * 20 + ["b"] * 15 + [np.nan] * 5,
    "numbers": [1, 2] * 20,
    "mixed": [1, "b"] * 20,
    "every cell its own": list(range(40)),
    "unused category": pd.Categorical(["a", "b"] * 20, ["a", "b", "c"]),
}


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("name", ["tl.scabc", "pp.pseudobulk", "pp.subsample_cells", "tl.enhance, batch and depth"])
def test_bad_labels(name, labels):
    adata = study()
    column = "batch" if "batch" in name else "cell_type"
    del adata.obs[column]
    if LABELS[labels] is not None:
        adata.obs[column] = pd.Series(
            LABELS[labels], index=adata.obs_names, dtype=object if labels == "mixed" else None
        )
    result = call(name, adata)
    if labels == "missing column":
        assert column in result
    if isinstance(result, str):
        assert re.search("cell_type|batch|group|cluster|label", result)
    else:
        assert labels != "missing column"


@pytest.mark.parametrize("part", ["tl", "pp"])
def test_the_table_is_complete(part):
    named = {name.partition(".")[2].partition(",")[0] for name in CALLS if name.startswith(part)}
    assert named | ELSEWHERE[part] == set(getattr(sk, part).__all__)
    assert not named & ELSEWHERE[part]


@pytest.mark.parametrize("value", [None, "counts.h5ad", np.ones((4, 5)), pd.DataFrame(np.ones((4, 5)))])
@pytest.mark.parametrize("name", [n for n in CALLS if n not in ("pp.tfidf_scaling", "pp.bulk_reference")])
def test_not_an_anndata(name, value):
    with pytest.raises(TypeError, match="must be an AnnData"):
        CALLS[name](value)
