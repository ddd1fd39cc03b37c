"""What a function says of its arguments is checked before it runs, and every public function says it."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

import sccase_kit as sk
from sccase_kit import _arguments as door
from sccase_kit._arguments import checked

PARTS = ["datasets", "enhance", "fragments", "genes", "get", "io", "metrics", "motifs", "paper"]
PARTS += ["peaks", "pl", "pp", "r", "regions", "report", "tl"]


def one(check):
    """Return a function of one argument with this check, which returns what it gets."""

    @checked(x=check)
    def given(x):
        return x

    return given


@pytest.mark.parametrize("part", PARTS)
def test_every_public_function_is_checked(part):
    module = getattr(sk, part)
    found = [getattr(module, name) for name in module.__all__]
    bare = [
        f.__name__
        for f in found
        if isinstance(f, types.FunctionType) and inspect.signature(f).parameters and not hasattr(f, "__checks__")
    ]
    assert not bare, "put @checked(...) of sccase_kit._arguments above them"


@pytest.mark.parametrize(
    "value",
    [
        [[1, 2], [3, 4]],
        np.array([[1, 2], [3, 4]]),
        pd.DataFrame([[1.0, 2.0], [3.0, 4.0]]),
        ((True, False), (True, True)),
    ],
    ids=lambda v: type(v).__name__,
)
def test_numbers_of_any_kind_are_an_array(value):
    got = one(door.Numbers("cells peaks"))(value)
    assert isinstance(got, np.ndarray)
    np.testing.assert_array_equal(got, np.asarray(value, dtype=float))


def test_an_array_is_not_copied():
    x = np.ones((2, 3))
    assert one(door.Numbers("cells peaks"))(x) is x


@pytest.mark.parametrize(
    "value",
    [
        None,
        3,
        "text",
        b"x",
        {},
        {1},
        [[1, "a"], []],
        np.array(["a"]),
        np.array([1j]),
        sparse.eye(2),
        AnnData(),
        len,
        object(),
    ],
    ids=lambda v: type(v).__name__,
)
def test_what_is_no_array_of_numbers_is_told(value):
    with pytest.raises(TypeError, match=r"x must be an array of numbers of shape \(n_cells, n_peaks\), got"):
        one(door.Numbers("cells peaks"))(value)


@pytest.mark.parametrize(
    ("check", "value", "match"),
    [
        (door.Numbers("cells peaks"), np.ones(3), r"x must have shape \(n_cells, n_peaks\), got \(3,\)"),
        (door.Numbers("cells"), np.ones((3, 1)), r"x must have shape \(n_cells,\), got \(3, 1\)"),
        (door.Numbers("cells", empty=False), [], r"x is empty: its shape is \(0,\)"),
        (door.Numbers("cells", finite=True), [1, np.nan, np.inf], r"x holds 2 NaN or infinite value\(s\)"),
        (door.Numbers("groups", least=2), [1], "x has 1 groups, at least 2 are needed"),
        (door.Numbers("cells", whole=True), [0, -2], "x must hold positions from 0, found -2"),
        (door.Matrix("cells peaks"), np.ones((2, 2, 2)), r"x must have shape \(n_cells, n_peaks\), got \(2, 2, 2\)"),
        (door.Matrix("cells peaks", empty=False), sparse.csr_matrix((0, 3)), r"x is empty: its shape is \(0, 3\)"),
        (door.Matrix("cells peaks", finite=True), sparse.csr_matrix([[np.nan]]), "x holds 1 NaN"),
        (door.Whole(2), 1, "x must be at least 2, got 1"),
        (door.Whole(), 10**30, "x must be at most 2147483647"),
    ],
)
def test_what_does_not_fit_is_told(check, value, match):
    with pytest.raises(ValueError, match=match):
        one(check)(value)


@pytest.mark.parametrize(
    ("check", "value", "match"),
    [
        (door.Numbers("cells", whole=True), [0.5], "an array of integers from 0"),
        (door.Matrix("cells peaks"), None, "x must be a matrix of numbers"),
        (door.Labels("cells"), "aab", "x must be a list or column of labels, one for each of the cells, got str 'aab'"),
        (door.Labels("cells"), [[1], [2]], "x must be a list or column of labels"),
        (door.Labels("cells"), np.ones((2, 2)), "x must be a list or column of labels"),
        (door.Labels("cells"), AnnData(np.ones((2, 2))), "x must be a list or column of labels"),
        (door.Number(), "1", "x must be a number"),
        (door.Text(), 1, "x must be text, got int 1"),
        (door.Flag(), "yes", "x must be True or False, got str 'yes'"),
        (door.Flag(), 3, "x must be True or False"),
        (door.Single(), [1], r"x must be a single value, got list \[1\]"),
        (door.Single(), sparse.eye(3), "x must be a single value, got dia_matrix of shape"),
        (door.Called(), 3, "x must be a function, got int 3"),
        (door.Made(AnnData, "sk.read"), 3, r"x must be AnnData \(sk.read makes one\), got int 3"),
        (door.Named("sets"), [1], "x must be a dict of names and sets, got list"),
        (door.Named("sets", door.Numbers("genes")), {"a": "b"}, r"x\['a'\] must be an array of numbers"),
        (door.Parts(2), [1], "x must be 2 arrays of numbers"),
        (door.Table(("chrom",)), 3, r"x must be a DataFrame with the columns \['chrom'\], got int 3"),
        (door.Generator(), "a", "x must be an integer from 0, a numpy.random.Generator or None, got 'a'"),
    ],
)
def test_what_is_of_another_type_is_told(check, value, match):
    with pytest.raises(TypeError, match=match):
        one(check)(value)


def test_a_table_without_a_column_is_told():
    with pytest.raises(KeyError, match=r"x has no column \['end'\]; there are \['chrom'\]"):
        one(door.Table(("chrom", "end")))(pd.DataFrame({"chrom": []}))


def test_equal_words_are_equal_sizes():
    @checked(a=door.Numbers("cells peaks"), b=door.Matrix("peaks genes", form="csr"), c=door.Labels("cells"))
    def given(a, b, *, c=None):
        return a, b, c

    a, b = np.ones((2, 3)), np.ones((3, 4))
    assert sparse.issparse(given(a, b)[1])
    assert given(a, b, c=["x", "y"])[2] == ["x", "y"]
    with pytest.raises(ValueError, match="b is for 2 peaks and a for 3: one row or column for each is needed in both"):
        given(a, b[:2])
    with pytest.raises(ValueError, match="c is for 3 cells and a for 2"):
        given(a, b, c=["x", "y", "z"])


def test_none_passes_where_it_is_the_default_or_said():
    @checked(a=door.Whole(1), b=door.Numbers("cells"))
    def given(a: int = 3, b: np.ndarray | None = None):
        return a, b

    assert given() == (3, None)
    with pytest.raises(TypeError, match="a must be an integer, got None"):
        given(None)


def test_annotations_check_flags_functions_and_single_values():
    given = checked()(_annotated)
    assert given(1, None, "auto") == (True, None, "auto")
    for wrong, name in (({"flag": None}, "flag"), ({"report": 3}, "report"), ({"k": sparse.eye(2)}, "k")):
        with pytest.raises(TypeError, match=f"{name} must be"):
            given(**wrong)


def _annotated(
    flag: bool = False, report: Callable[[int], None] | None = None, k: int | Literal["auto"] = 3
) -> tuple[object, ...]:
    return flag, report, k


def test_missing_and_unknown_arguments_are_what_python_says():
    given = one(door.Whole())
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        given()
    with pytest.raises(TypeError, match="unexpected keyword argument 'y'"):
        given(1, y=2)
    with pytest.raises(TypeError, match="has no argument"):
        checked(y=door.Whole())(lambda x: x)


def test_any_storage_passes_where_it_is_read_in_blocks():
    da = pytest.importorskip("dask.array")
    x = da.ones((4, 3), chunks=(2, 3))
    assert one(door.Matrix("cells peaks", stored=True))(x) is x
    assert isinstance(one(door.Matrix("cells peaks"))(x), np.ndarray)


@pytest.mark.parametrize("seed", [0, None, np.random.default_rng(3), np.random.SeedSequence(2), [1, 2]])
def test_seeds_become_generators(seed):
    assert isinstance(one(door.Generator())(seed), np.random.Generator)
    assert one(door.Generator(draw=False))(seed) is seed


@pytest.mark.parametrize("seed", [-1, 1.5, "a", np.full(3, np.nan), {}, sparse.eye(2)], ids=str)
def test_other_seeds_are_told(seed):
    with pytest.raises((TypeError, ValueError), match=r"x must be an integer from 0, a numpy\.random\."):
        one(door.Generator())(seed)


def test_flags_may_have_another_spelling():
    given = one(door.Flag(also=("r",)))
    assert (given("r"), given(True), given(0)) == (True, True, False)
    with pytest.raises(TypeError, match="x must be True or False, got str 'w'"):
        given("w")
