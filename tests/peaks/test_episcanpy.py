"""The import of EpiScanpy: lends names, gives them back."""

from __future__ import annotations

import importlib.util
import sys

import anndata
import numpy as np
import pytest

import sccase_kit as sk
from sccase_kit.peaks.episcanpy import import_episcanpy, lend_attributes

INSTALLED = importlib.util.find_spec("episcanpy") is not None


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Make a package `episcanpy` of the given text importable."""
    monkeypatch.syspath_prepend(tmp_path)
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "episcanpy"}

    def write(text):
        (tmp_path / "episcanpy.py").write_text(text)

    yield write
    sys.modules.pop("episcanpy", None)
    sys.modules.update(kept)


def test_names_are_lent_while_importing_only(package):
    package(
        "from numpy import NaN\nfrom anndata import read, read_csv, read_umi_tools\nimport warnings\nwarnings.warn('x')"
    )
    before = set(vars(np)), set(vars(anndata))
    module = import_episcanpy()
    assert np.isnan(module.NaN)
    assert module.read is vars(anndata).get("read", anndata.read_h5ad)  # AnnData 0.11 still has its own
    assert (set(vars(np)), set(vars(anndata))) == before
    assert import_episcanpy() is module


def test_names_are_given_back_after_an_error(package):
    package("from numpy import NaN\nraise ImportError('broken')")
    before = set(vars(np)), set(vars(anndata))
    with pytest.raises(ImportError, match="broken") as caught:
        import_episcanpy()
    assert any("sccase_kit[episcanpy]" in note for note in caught.value.__notes__)
    assert (set(vars(np)), set(vars(anndata))) == before


def test_existing_attributes_are_left_alone():
    with lend_attributes([(np, "pi", 3)]):
        assert np.pi != 3
    assert 3.14 < np.pi < 3.15


@pytest.mark.skipif(INSTALLED, reason="EpiScanpy is installed")
def test_missing_package_says_how_to_install(monkeypatch):
    adata = sk.datasets.toy_study(n_cells=60, n_peaks=400).adata
    with pytest.raises(ImportError) as caught:
        sk.tl.compare_specific_peaks(adata, method="episcanpy")
    assert any("pip install 'sccase_kit[episcanpy]'" in note for note in caught.value.__notes__)


@pytest.mark.skipif(not INSTALLED, reason="EpiScanpy (extra episcanpy) is not installed")
def test_overlap_with_episcanpy():
    adata = sk.datasets.toy_study(rng=0).adata
    sk.tl.enhance(adata, 8)
    sk.tl.specific_peaks(adata, "cell_type", n_top=50)
    table = sk.tl.compare_specific_peaks(adata, method="episcanpy")
    assert (table["overlap"] > 5 * table["expected"]).all()
    assert not hasattr(np, "NaN") or np.__version__.startswith("1.")
