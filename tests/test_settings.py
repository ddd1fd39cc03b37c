"""Settings, the check of counts, and warnings that point at the caller: what every function leans on."""

import warnings

import numpy as np
import pytest
from scipy import sparse

import sccase_kit as sk
from sccase_kit.matrix.access import check_counts


def test_settings_are_put_back_after_an_error():
    before = sk.settings.block_bytes

    def fail():
        with sk.settings.override(block_bytes=1) as inside:
            assert inside is sk.settings
            assert sk.settings.block_bytes == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert sk.settings.block_bytes == before


def test_unknown_settings_are_named():
    with (
        pytest.raises(AttributeError, match=r"unknown settings \['threads'\]; available: \["),
        sk.settings.override(threads=2),
    ):
        pass


@pytest.mark.parametrize("make", [np.array, sparse.csr_matrix, sparse.csc_matrix])
@pytest.mark.parametrize(
    ("value", "options", "error", "match"),
    [
        (np.nan, {}, ValueError, r"counts has 1 NaN or infinite value\(s\)"),
        (-np.inf, {}, ValueError, "1 NaN or infinite"),
        (-2.0, {}, ValueError, r"counts has 1 negative value\(s\) \(lowest -2\)"),
        (0.5, {"integer": True}, ValueError, "counts must hold integers"),
    ],
)
def test_counts(make, value, options, error, match):
    matrix = make(np.array([[1.0, value], [0.0, 2.0]]))
    with pytest.raises(error, match=match):
        check_counts(matrix, **options)


def test_texts_are_no_counts():
    with pytest.raises(TypeError, match="numeric"):
        check_counts(np.array([["a"]]))


def test_warnings_point_at_the_line_that_called():
    adata = sk.datasets.simulate(30, 100, rng=0)
    adata.X = sparse.csr_matrix(adata.X.multiply(np.arange(100) != 3))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sk.tl.enhance(adata, 3)
    assert {w.filename for w in caught if "peaks are closed" in str(w.message)} == {__file__}


def test_the_package_lists_its_parts_alone():
    assert set(sk.__all__) <= set(dir(sk))
    assert not {name for name in dir(sk) if not name.startswith("__")} - set(sk.__all__)
