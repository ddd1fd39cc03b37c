"""Sites of factors as matches of motifs: what is written, what follows from it, bad input."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import sccase_kit as sk


@pytest.fixture(scope="module")
def study():
    study = sk.datasets.toy_study(n_cells=100, n_peaks=500, rng=3)
    del study.adata.var["gc"]
    return study


@pytest.fixture(scope="module")
def planted(study):
    """Factor → which peaks hold it, of those that any peak holds."""
    columns = np.asarray(study.adata.varm["planted_motifs"]).T
    return {name: column for name, column in zip(study.motifs, columns, strict=True) if column.any()}


@pytest.fixture(scope="module")
def folder(study, planted, tmp_path_factory):
    """A file per planted motif with the middle of the peaks that hold it, and one off every peak."""
    path = tmp_path_factory.mktemp("sites")
    var = study.adata.var
    for name, column in planted.items():
        own = var[column]
        middle = ((own["start"] + own["end"]) // 2).to_numpy()
        lines = [f"{chrom}\t{m}\t{m + 8}\n" for chrom, m in zip(own["chrom"], middle, strict=True)]
        (path / f"{name}.bed").write_text("".join(lines))
    (path / "Elsewhere.bed").write_text(f"{var['chrom'].iloc[0]}\t1\t2\n")
    return path


def test_peaks_that_hold_a_site(study, planted, folder):
    adata = sk.tl.match_sites(study.adata, folder, copy=True)
    assert "motifs" not in study.adata.varm
    matches = adata.varm["motifs"]
    assert sparse.issparse(matches)
    assert matches.dtype == bool
    names = list(adata.uns["motifs"]["names"])
    assert names == sorted(path.stem for path in folder.iterdir())
    assert len(names) == len(planted) + 1 > 3
    for name, column in planted.items():
        np.testing.assert_array_equal(matches[:, names.index(name)].toarray().ravel(), column)
    assert adata.uns["motifs"]["n_peaks"].tolist() == matches.sum(axis=0).ravel().tolist()[0]
    assert adata.uns["motifs"]["n_sites"][names.index("Elsewhere")] == 1
    assert adata.uns["motifs"]["params"]["sites"] == str(folder)


def test_mappings_of_every_kind_agree(study, folder):
    from_files = sk.tl.match_sites(study.adata, folder, copy=True)
    names = list(from_files.uns["motifs"]["names"])
    paths = {name: folder / f"{name}.bed" for name in names}
    tables = sk.motifs.read_sites(folder)
    for given in (paths, tables):
        other = sk.tl.match_sites(study.adata, given, copy=True)
        assert (other.varm["motifs"] != from_files.varm["motifs"]).nnz == 0
        np.testing.assert_array_equal(other.uns["motifs"]["n_sites"], from_files.uns["motifs"]["n_sites"])


@pytest.mark.filterwarnings("ignore:1 set.s. without any peak")
def test_deviations_are_those_of_the_same_matches(study, folder):
    adata = sk.pp.filter_peaks(study.adata, copy=True)
    sk.tl.match_sites(adata, folder)
    sk.tl.chromvar(adata, method="analytic", bias=None, key_added="by_sites")
    names = list(adata.uns["motifs"]["names"])
    sk.tl.chromvar(adata, adata.varm["motifs"], names=names, method="analytic", bias=None, key_added="by_matrix")
    np.testing.assert_array_equal(adata.obsm["by_sites_z"], adata.obsm["by_matrix_z"])
    assert list(adata.obsm["by_sites_z"].columns) == names


def test_other_genomes_and_things_that_are_no_sites(study, folder, tmp_path):
    with pytest.raises(ValueError, match="on the genome of the peaks"):
        sk.tl.match_sites(study.adata, {"Elsewhere": folder / "Elsewhere.bed"})
    with pytest.raises(TypeError, match="factor → regions"):
        sk.tl.match_sites(study.adata, 5)
    with pytest.raises(ValueError, match="sets is empty"):
        sk.tl.match_sites(study.adata, {})
    with pytest.raises(ValueError, match="stand for several factors"):
        sk.tl.match_sites(study.adata, {name: list(study.adata.var_names[:3]) for name in ("a/b", "a|b")})
    with pytest.raises(FileNotFoundError):
        sk.tl.match_sites(study.adata, tmp_path / "absent")
    without = study.adata.copy()
    without.var = without.var.drop(columns=["chrom", "start", "end"])
    without.var_names = [f"peak{k}" for k in range(without.n_vars)]
    with pytest.raises(ValueError, match="coordinates"):
        sk.tl.match_sites(without, folder)


def test_results_of_others_are_not_replaced(study, folder):
    adata = study.adata.copy()
    sk.tl.match_motifs(adata, study.motifs, sequences=study.sequences)
    with pytest.raises(ValueError, match=r"holds the result of sccase_kit\.tl\.match_motifs"):
        sk.tl.match_sites(adata, folder)
    sk.tl.match_sites(adata, folder, key_added="chip")
    assert adata.varm["chip"].shape == (adata.n_vars, len(list(folder.iterdir())))
