"""The literal solver against everything the published program printed (sccase 0.2.5, golden/sccase)."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest
from scipy import sparse

import sccase_kit as sk
from sccase_kit.enhance.factors import minmax_scale
from sccase_kit.enhance.published import balance_batches, draw_mask, fit_published, jaccard_start, published_nmf


def load(golden, mode):
    with np.load(golden / "sccase" / f"public_{mode}.npz") as store:
        return {name: store[name] for name in store.files}


@pytest.fixture
def given(golden):
    return load(golden, "input")


def run(given, ref, **kwargs):
    return fit_published(
        given["tfidf"],
        ref["init_W"],
        ref["init_H"],
        z=ref["init_Z"],
        mask=ref["init_R"],
        keep_trace=True,
        **kwargs,
    )


PARITY = 1e-5  # largest relative difference; in float64, from the golden start, 4e-7 was reached


def relative(actual, expected):
    return np.abs(actual - expected).max() / np.abs(expected).max()


@pytest.mark.parametrize("mode", ["scCASE", "scCASER", "depth", "batch"])
def test_every_iteration_equals_the_published_program(golden, given, mode):
    ref = load(golden, mode)
    kwargs = {
        "scCASE": {},
        "scCASER": {"reference": ref["nmf_ref_P"]} if mode == "scCASER" else {},
        "depth": {"depth": ref["depth"]} if mode == "depth" else {},
        "batch": {"batch": given["batch"]},
    }[mode]
    fit = run(given, ref, **kwargs)
    np.testing.assert_allclose(fit.objective, ref["obj"], rtol=PARITY)
    assert len(fit.trace) == len(ref["obj"])
    for i, (z, w, h) in enumerate(fit.trace):
        assert relative(z, ref["Z"][i]) < PARITY
        if mode == "scCASER":
            n_ref = ref["nmf_ref_P"].shape[1]
            assert relative(w[:, n_ref:], ref["W"][i][:, n_ref:]) < PARITY
        else:
            assert relative(w, ref["W"][i]) < PARITY
        assert relative(h, ref["H"][i]) < PARITY
    enhanced = given["tfidf"] @ fit.similarity
    assert relative(enhanced, ref["XZ"]) < PARITY
    np.testing.assert_allclose(minmax_scale(enhanced.T).T, ref["XZ_scaled"], atol=1e-4)  # of values between 0 and 1


def test_start_equals_the_published_program(golden, given):
    ref = load(golden, "scCASE")
    np.testing.assert_allclose(jaccard_start(given["tfidf"]), ref["init_Z0"], rtol=1e-5, atol=1e-9)
    np.testing.assert_array_equal(draw_mask(200), ref["init_R"])
    x, k = given["tfidf"], int(given["K"])
    w, h = published_nmf(x.astype(np.float64), k)
    assert relative(w, given["nmf_W_raw"]) < PARITY
    assert relative(h, given["nmf_H_raw"]) < PARITY
    # In float32, as the program runs it, rounding decides whether an entry that grazes 0 is clipped there: with other
    # BLAS kernels or threads an entry moves by up to 4e-5, the program's own too. What is minimised does not move.
    w32, h32 = published_nmf(x, k)
    assert w32.dtype == h32.dtype == np.float32
    misfit, golden_misfit = (
        np.linalg.norm(x - a.astype(np.float64) @ b) for a, b in ((w32, h32), (given["nmf_W_raw"], given["nmf_H_raw"]))
    )
    assert misfit == pytest.approx(golden_misfit, rel=1e-10)


def test_balance_batches_against_plain_loops():
    rng = np.random.default_rng(0)
    z, batch = rng.random((7, 7)), np.array(list("aabbbcc"))
    expected = z.copy()
    for j in range(7):
        for b in "abc":
            inside = [z[i, j] for i in range(7) if batch[i] == b]
            outside = [z[i, j] for i in range(7) if batch[i] != b]
            a_mean, b_mean = np.mean(inside), np.mean(outside)
            for i in range(7):
                if batch[i] == b:
                    expected[i, j] = z[i, j] * b_mean / (a_mean + b_mean)
    np.testing.assert_allclose(balance_batches(z, batch), expected)
    with pytest.raises(ValueError, match="at least two batches"):
        balance_batches(z, np.array(["a"] * 7))


def test_draw_mask_leaves_the_global_random_state_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    draw_mask(5)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_a_result_of_zeros_is_told():
    rng = np.random.default_rng(0)
    adata = ad.AnnData(sparse.csr_matrix(rng.poisson(0.3, (30, 60)) * rng.integers(1, 50, (30, 1))))
    options = {"lam": 1e3, "gamma1": 1e6, "gamma2": 1e6}
    with pytest.warns(UserWarning, match="every enhanced value is 0: solver='published'"):
        sk.tl.enhance(adata, 4, solver="published", depth=True, **options)
    assert not adata.layers["sccase"].any()
