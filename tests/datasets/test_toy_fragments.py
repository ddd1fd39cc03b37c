import gzip

import numpy as np
import pytest

import sccase_kit as sk


@pytest.fixture(scope="module")
def study():
    return sk.datasets.toy_study(n_cells=60, n_peaks=400, n_types=3)


def test_counting_gives_the_counts_back(study, tmp_path):
    path = sk.datasets.write_toy_fragments(study, tmp_path / "f.tsv.gz")
    found = sk.read_fragments(path, study.adata, study.adata, genome="hg38")
    assert (found.X != study.adata.X).nnz == 0
    assert found.obs["frip"].mean() == pytest.approx(0.5, abs=0.05)
    assert found.uns["fragments"]["files"]["not_in_cells"].iloc[0] > 0
    assert found.uns["fragments"]["files"]["sorted"].all()


def test_same_seed_same_bytes(study, tmp_path):
    one, two = (sk.datasets.write_toy_fragments(study, tmp_path / f"{i}.tsv.gz", rng=3) for i in range(2))
    assert one.read_bytes() == two.read_bytes()
    lines = gzip.decompress(one.read_bytes()).decode().splitlines()
    assert lines[0].startswith("#")
    assert len(lines[-1].split("\t")) == 5


def test_shares_are_checked(study, tmp_path):
    for bad in (0, 1.5, np.nan):
        with pytest.raises(ValueError, match="in_peaks"):
            sk.datasets.write_toy_fragments(study, tmp_path / "f", in_peaks=bad)
