from __future__ import annotations

import numpy as np
import pytest

import sccase_kit as sk


def test_a_row_per_method():
    adata = sk.datasets.simulate(60, 150, mode="discrete", n_types=3, library_size=60, rng=0)
    adata = adata[:, np.asarray((adata.X > 0).sum(axis=0)).ravel() > 14].copy()
    flat = lambda a: np.ones(a.shape)  # noqa: E731
    with np.errstate(all="ignore"):
        result = sk.metrics.held_out(adata, {"one": flat, "enhanced": sk.tl.enhance}, n_splits=2, n_boot=20)
    gain, slope = sk.pl.held_out(result)
    assert [t.get_text() for t in gain.get_yticklabels()] == ["one", "enhanced"]
    assert "nats" in gain.get_xlabel()
    assert "slope" in slope.get_xlabel()
    lines = [line for line in gain.lines if line.get_color() == "0.65"]
    np.testing.assert_allclose(lines[1].get_xdata(), result.splits.query("method == 'enhanced'")["gain"])
    with pytest.raises(TypeError, match="must come from"):
        sk.pl.held_out(result.table)
