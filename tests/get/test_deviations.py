"""Deviations as they are stored by this package and by others."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk
from sccase_kit.get.chromvar import read_deviations, read_variability


@pytest.fixture
def adata():
    result = ad.AnnData(np.ones((3, 2)))
    result.obsm["chromvar_z"] = np.arange(6.0).reshape(3, 2)
    result.obsm["chromvar_deviations"] = result.obsm["chromvar_z"] / 10
    result.uns["chromvar"] = {"names": np.array(["A", "B"])}
    return result


def test_arrays_have_the_names_beside_them(adata):
    values, names = read_deviations(adata, "chromvar", "z")
    assert names == ["A", "B"]
    np.testing.assert_array_equal(values, adata.obsm["chromvar_z"])


def test_tables_have_their_own_names(adata):
    adata.obsm["other_z"] = pd.DataFrame(adata.obsm["chromvar_z"], index=adata.obs_names, columns=["C", "D"])
    assert read_deviations(adata, "other", "z")[1] == ["C", "D"]


def test_arrays_without_names_are_numbered(adata):
    del adata.uns["chromvar"]
    assert read_deviations(adata, "chromvar", "z")[1] == ["0", "1"]


def test_what_is_missing_is_said(adata):
    with pytest.raises(KeyError, match="nothing_z"):
        read_deviations(adata, "nothing", "z")
    with pytest.raises(KeyError, match="nothing"):
        read_variability(adata, "nothing")
    with pytest.raises(KeyError, match="variability"):
        sk.get.variability(adata)
