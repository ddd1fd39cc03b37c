"""Which data sets are found, and what they are cut to."""

from __future__ import annotations

import numpy as np
import pytest

import sccase_kit as sk
from sccase_kit.paper import cohorts


@pytest.fixture
def adata():
    found = sk.datasets.toy_study(n_cells=200, n_peaks=300, n_types=3).adata
    labels = found.obs["cell_type"].astype(str).to_numpy()
    labels[:4] = ["Unknown", "UNK", "rare", "nan"]
    found.obs["cell_type"] = labels
    return found


def candidate(adata, name="mine"):
    return cohorts.Candidate(name, "memory", adata.copy)


def test_the_cohort_of_a_set(adata):
    cohort = cohorts.make_cohort(candidate(adata))
    assert cohort.adata.n_obs == 196
    assert sorted(cohort.adata.obs["cell_type"].cat.categories) == ["type_1", "type_2", "type_3"]
    assert (np.asarray((cohort.adata.X > 0).sum(axis=0)).ravel() >= 1.96).all()
    assert "4 cells of unknown or rare types dropped" in cohort.note
    assert (cohort.batch_key, cohort.genome) == ("batch", None)
    small = cohorts.make_cohort(candidate(adata), max_cells=60, max_peaks=100)
    assert small.adata.n_obs == pytest.approx(60, abs=2)
    assert small.adata.n_vars == 100
    assert small.key != cohort.key


def test_sets_without_types_are_refused(adata):
    adata.obs = adata.obs.drop(columns="cell_type")
    with pytest.raises(KeyError, match=r"mine: no cell types.*groupby="):
        cohorts.make_cohort(candidate(adata))
    with pytest.raises(KeyError, match="no column nope"):
        cohorts.make_cohort(candidate(adata), groupby="nope")
    adata.obs["label"] = "one"
    with pytest.raises(ValueError, match="one type of cells is left"):
        cohorts.make_cohort(candidate(adata))


def test_files_folders_and_the_manifest(adata, tmp_path, monkeypatch):
    monkeypatch.delenv("SCCASE_KIT_DATA", raising=False)
    monkeypatch.setattr("sccase_kit.datasets._load._cache", lambda: tmp_path / "cache")
    for name in ("bm0828", "other"):
        adata.write_h5ad(tmp_path / f"{name}.h5ad")
    (tmp_path / "notes.txt").write_text("x")
    found, missing = cohorts.find_candidates([tmp_path])
    assert [c.name for c in found] == ["simulated", "bm0828", "other"]  # in the order of the paper
    assert set(missing) == {*cohorts.PAPER_SETS} - {"simulated", "bm0828"}
    assert "GSE151302" in missing["muto"]
    with pytest.raises(FileNotFoundError, match="nope"):
        cohorts.find_candidates([tmp_path / "nope"])
    (tmp_path / "empty").mkdir()
    with pytest.warns(UserWarning, match="holds no file of the kinds"):
        cohorts.find_candidates([tmp_path / "empty"])


def test_of_files_with_the_same_cells_the_smallest_is_taken(adata, tmp_path):
    adata.write_h5ad(tmp_path / "whole.h5ad")
    adata[:50].copy().write_h5ad(tmp_path / "part.h5ad")
    adata[:, :100].copy().write_h5ad(tmp_path / "narrow.h5ad")
    other = adata.copy()
    other.obs_names = [f"x{name}" for name in other.obs_names]
    other.write_h5ad(tmp_path / "other.h5ad")
    found, _ = cohorts.find_candidates([tmp_path])
    kept, out = cohorts.drop_repeats(found)
    assert {c.name for c in kept} == {"simulated", "part", "other"}
    assert out["whole"] == "it holds the cells of part, which is smaller"
    assert set(out) == {"whole", "narrow"}
