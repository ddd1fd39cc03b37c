"""Files that were made from fragments, opened by the tools they are handed to."""

import importlib.util

import pytest

import sccase_kit as sk
from sccase_kit.cli import main

needs_snapatac2 = pytest.mark.skipif(importlib.util.find_spec("snapatac2") is None, reason="SnapATAC2 is not installed")
needs_mudata = pytest.mark.skipif(importlib.util.find_spec("mudata") is None, reason="mudata is not installed")


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    """Toy counts, and the file that `sccase-kit count` wrote."""
    folder = tmp_path_factory.mktemp("handoff")
    study = sk.datasets.toy_study(n_cells=60, n_peaks=400, n_types=3)
    sk.datasets.write_toy_fragments(study, folder / "fragments.tsv.gz")
    study.adata.var[["chrom", "start", "end"]].to_csv(folder / "peaks.bed", sep="\t", header=False, index=False)
    (folder / "barcodes.tsv").write_text("\n".join(study.adata.obs_names) + "\n")
    given = ["--peaks", folder / "peaks.bed", "--cells", folder / "barcodes.tsv", "--genome", "hg38"]
    out = folder / "counts.h5ad"
    assert main([str(a) for a in ["count", folder / "fragments.tsv.gz", *given, "-o", out, "-q"]]) == 0
    return study.adata, out


@needs_snapatac2
@pytest.mark.parametrize("backed", [None, "r"])
def test_snapatac2(counted, backed):
    import snapatac2

    counts, path = counted
    found = snapatac2.read(path, backed=backed)
    matrix = found.X if backed is None else found.X[:]
    assert (matrix != counts.X).nnz == 0
    if backed:
        found.close()


@needs_mudata
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_mudata(counted, tmp_path):
    import mudata

    counts, path = counted
    mudata.MuData({"atac": sk.read(path)}).write(tmp_path / "study.h5mu")
    found = mudata.read_h5mu(tmp_path / "study.h5mu")["atac"]
    assert (found.X != counts.X).nnz == 0
    assert (sk.read(tmp_path / "study.h5mu").X != counts.X).nnz == 0
