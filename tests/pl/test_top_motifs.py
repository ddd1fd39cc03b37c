"""Bars of effect sizes with logos."""

import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk


@pytest.fixture(scope="module")
def data():
    study = sk.datasets.toy_study(n_cells=150, n_peaks=600, rng=0)
    adata = study.adata
    sk.tl.match_motifs(adata, study.motifs, sequences=study.sequences)
    table = pd.DataFrame(
        {
            "group": ["a"] * 4 + ["b"] * 2,
            "set": [*list(study.motifs)[:3], "no motif", *list(study.motifs)[:2]],
            "effect_size": [0.2, 1.5, np.nan, 0.9, 0.1, -0.3],
            "p_value_adj": [0.5, 0.001, np.nan, 0.01, 0.2, 0.01],
        }
    )
    return adata, table


def test_largest_effect_first_and_a_logo_for_every_motif(data):
    adata, table = data
    ax = sk.pl.top_motifs(adata, table, "a")
    assert [bar.get_width() for bar in ax.patches] == [1.5, 0.9, 0.2]
    assert len(ax.child_axes) == 2
    assert all(len(inset.patches) for inset in ax.child_axes)
    assert ax.patches[2].get_facecolor() != ax.patches[0].get_facecolor()
    assert len(sk.pl.top_motifs(adata, table, "b", n_top=1).patches) == 1
    one = sk.pl.top_motifs(adata, table.drop(columns="group"))
    assert one.get_title() == ""


def test_bad_input(data):
    adata, table = data
    with pytest.raises(ValueError, match="group is needed"):
        sk.pl.top_motifs(adata, table)
    with pytest.raises(ValueError, match="group must be one of"):
        sk.pl.top_motifs(adata, table, "c")
    with pytest.raises(ValueError, match="no finite effect_size"):
        sk.pl.top_motifs(adata, table.assign(effect_size=np.nan), "a")
