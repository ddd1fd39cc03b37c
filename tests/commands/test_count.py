"""`sccase-kit count`."""

import pytest

import sccase_kit as sk


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toy")
    study = sk.datasets.toy_study(n_cells=60, n_peaks=400, n_types=3)
    sk.datasets.write_toy_fragments(study, folder / "fragments.tsv.gz")
    study.adata.var[["chrom", "start", "end"]].to_csv(folder / "peaks.bed", sep="\t", header=False, index=False)
    (folder / "barcodes.tsv").write_text("\n".join(study.adata.obs_names) + "\n")
    return folder, study


def test_count(toy, call_json, tmp_path):
    folder, study = toy
    out = tmp_path / "counts.h5ad"
    found = call_json(
        *["count", folder / "fragments.tsv.gz", "--peaks", folder / "peaks.bed", "-o", out],
        *["--cells", folder / "barcodes.tsv", "--genome", "hg38"],
    )
    assert (found["cells"], found["peaks"]) == (60, 400)
    assert found["median frip"] == pytest.approx(0.5, abs=0.1)
    assert (sk.read(out).X != study.adata.X).nnz == 0


def test_samples_and_a_least_number_of_fragments(toy, call_json, tmp_path):
    file = toy[0] / "fragments.tsv.gz"
    out = tmp_path / "counts.zarr"
    found = call_json(
        "count", f"A={file}", f"B={file}", "--tiles", "1000000", "--genome", "hg38", "-o", out, "--cells", 50
    )
    assert found["cells"] % 2 == 0
    assert set(sk.read(out).obs["sample"]) == {"A", "B"}


@pytest.mark.parametrize(
    ("files", "message"),
    [(["A={}", "{}"], "either all files or none"), (["A={}", "A={}"], "one name twice"), (["nowhere"], "no file")],
)
def test_files_that_do_not_fit(toy, call, tmp_path, files, message):
    names = [f.format(toy[0] / "fragments.tsv.gz") for f in files]
    code, _, err = call("count", *names, "--peaks", toy[0] / "peaks.bed", "-o", tmp_path / "c.h5ad")
    assert code == 1
    assert message in err
    assert not list(tmp_path.iterdir())
