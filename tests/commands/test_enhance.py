"""`enhance`: every input, every output, nothing half-written."""

from __future__ import annotations

import gzip
import os
import warnings

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.io import mmwrite

import sccase_kit as sk
from sccase_kit.cli import main
from sccase_kit.io.zarr_store import write_zarr


def write_text(adata, path, sep):
    counts = adata.X.toarray() if sparse.issparse(adata.X) else adata.X
    table = pd.DataFrame(counts.T, index=adata.var_names, columns=adata.obs_names)
    table.to_csv(path, sep=sep)


def write_h5(adata, path):
    peaks = sparse.csc_matrix(adata.X.T)
    with h5py.File(path, "w") as store:
        group = store.create_group("matrix")
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(peaks, name)
        group["shape"] = peaks.shape
        group["barcodes"] = [n.encode() for n in adata.obs_names]
        features = group.create_group("features")
        features["id"] = [n.encode() for n in adata.var_names]
        features["feature_type"] = [b"Peaks"] * adata.n_vars


def write_mtx(adata, folder):
    folder.mkdir()
    mmwrite(folder / "matrix.mtx", sparse.coo_matrix(adata.X.T))
    with gzip.open(folder / "matrix.mtx.gz", "wb") as out:
        out.write((folder / "matrix.mtx").read_bytes())
    (folder / "matrix.mtx").unlink()
    (folder / "barcodes.tsv").write_text("\n".join(adata.obs_names) + "\n")
    coordinates = adata.var[["chrom", "start", "end"]]
    coordinates.to_csv(folder / "peaks.bed", sep="\t", header=False, index=False)


WRITERS = {
    "a.h5ad": lambda a, p: a.write_h5ad(p),
    "dense.h5ad": lambda a, p: ad.AnnData(a.X.toarray(), obs=a.obs, var=a.var).write_h5ad(p),
    "csc.h5ad": lambda a, p: ad.AnnData(a.X.tocsc(), obs=a.obs, var=a.var).write_h5ad(p),
    "float.h5ad": lambda a, p: ad.AnnData(a.X.astype(np.float32), obs=a.obs, var=a.var).write_h5ad(p),
    "a.zarr": lambda a, p: pytest.importorskip("zarr") and write_zarr(a, p),
    "a.h5": write_h5,
    "mtx": write_mtx,
    "a.csv": lambda a, p: write_text(a, p, ","),
    "a.tsv.gz": lambda a, p: write_text(a, p, "\t"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_input_gives_the_same_model(call_json, study, tmp_path, name):
    import sccase_kit.io.zarr_store  # noqa: F401

    adata = study.adata.copy()
    WRITERS[name](adata, tmp_path / name)
    before = sorted(p.name for p in tmp_path.iterdir())
    result = call_json("enhance", tmp_path / name, "-o", tmp_path / "out.h5ad", "-k", 4, "--method", "sccase")
    out = sk.read(tmp_path / "out.h5ad")
    sk.pp.filter_peaks(adata)
    sk.tl.enhance(adata, 4, method="sccase")
    np.testing.assert_allclose(sk.get.enhanced(out), sk.get.enhanced(adata), rtol=1e-3, atol=1e-6)
    assert result["cells"] == 120
    assert result["peaks"] == adata.n_vars
    assert result["peaks dropped"] == 600 - adata.n_vars
    assert result["method"] == "sccase"
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*before, "out.h5ad"])


def test_the_h5mu_of_muon(call_json, study, tmp_path):
    with h5py.File(tmp_path / "a.h5mu", "w") as store:
        ad.io.write_elem(
            store.create_group("mod"), "atac", ad.AnnData(study.adata.X, obs=study.adata.obs, var=study.adata.var)
        )
    assert call_json("enhance", tmp_path / "a.h5mu", "-o", tmp_path / "o.h5ad", "-k", 3)["cells"] == 120


def test_options_reach_the_model(call_json, study, counts_file, tmp_path):
    reference = sk.pp.pseudobulk(study.adata, "cell_type")
    reference.write_h5ad(tmp_path / "reference.h5ad")
    out, matrix = tmp_path / "o.zarr", tmp_path / "m.h5ad"
    pytest.importorskip("zarr")
    argv = ["enhance", counts_file, "-o", out, "-k", 5, "--method", "sccase", "--depth", "--batch-key", "batch"]
    argv += ["--reference", tmp_path / "reference.h5ad", "--min-fraction", 0.05, "--seed", 7]
    argv += ["--matrix", matrix, "--scale", "minmax"]
    result = call_json(*argv)
    adata = sk.read(out)
    params = adata.uns["sccase"]["params"]
    assert params["n_components"] == 5
    assert params["depth"]
    assert list(adata.uns["sccase"]["objects"]) == ["reference"]
    assert params["batch_key"] == "batch"
    assert params["rng"] == 7
    whole = ad.read_h5ad(matrix)
    assert whole.shape == (120, result["peaks"])
    np.testing.assert_allclose(whole.X, sk.get.enhanced(adata, scale="minmax"), atol=1e-6)


@pytest.mark.parametrize("option", ["--output", "--matrix"])
@pytest.mark.parametrize("name", ["a.h5ad", "link.h5ad"])
def test_the_input_is_never_replaced(call, study, tmp_path, option, name):
    study.adata.write_h5ad(tmp_path / "a.h5ad")
    (tmp_path / "link.h5ad").symlink_to("a.h5ad")
    before = (tmp_path / "a.h5ad").read_bytes()
    target = [] if option == "--output" else ["-o", tmp_path / "o.h5ad"]
    argv = ["enhance", tmp_path / "a.h5ad", option, tmp_path / name, *target, "-k", 3, "--min-fraction", 0.2]
    code, out, err = call(*argv)
    assert (code, out) == (1, "")
    assert f"{option} is the input; peaks would be dropped from it; name another file" in err
    assert (tmp_path / "a.h5ad").read_bytes() == before
    assert not (tmp_path / "o.h5ad").exists()


def test_help_says_that_outputs_are_replaced_and_what_a_reference_may_be(capsys):
    with pytest.raises(SystemExit):
        main(["enhance", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "Existing outputs are replaced" in text
    assert "groups × peaks: .h5ad, .zarr, .h5mu, 10x .h5, 10x mtx folder, or peaks × cells text" in text


def test_a_reference_may_be_text(call_json, study, counts_file, tmp_path):
    write_text(sk.pp.pseudobulk(study.adata, "cell_type"), tmp_path / "ref.tsv.gz", "\t")
    argv = ["enhance", counts_file, "-o", tmp_path / "o.h5ad", "-k", 3, "--method", "sccase"]
    call_json(*argv, "--reference", tmp_path / "ref.tsv.gz")
    assert list(sk.read(tmp_path / "o.h5ad").uns["sccase"]["objects"]) == ["reference"]


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="no /proc here")
def test_a_folder_that_takes_no_file_is_refused_before_the_fit(call, counts_file, monkeypatch):
    monkeypatch.setattr(sk.tl, "enhance", lambda *_, **__: pytest.fail("fitted before the target was tried"))
    code, out, err = call("enhance", counts_file, "-o", "/proc/o.h5ad")
    assert (code, out) == (1, "")
    assert "'o.h5ad' cannot be written in '/proc'" in err


BAD = [
    (["-o", "{tmp}/o.txt"], "--output must end in .h5ad, .zarr, got"),
    (["-o", "{tmp}/none/o.h5ad"], "the folder of --output does not exist"),
    (["-o", "{tmp}/o.h5ad", "--matrix", "{tmp}/m.csv"], "--matrix must end in .h5ad, .zarr"),
    (["-o", "{tmp}/o.h5ad", "--matrix", "{tmp}/o.h5ad"], "are the same file"),
    (["-o", "{tmp}/o.h5ad", "--scale", "minmax"], "--scale is about --matrix"),
    (["-o", "{tmp}/o.h5ad", "--batch-key", "donor"], "batch_key='donor' is not in adata.obs; available:"),
    (["-o", "{tmp}/o.h5ad", "-k", "0"], "n_components must be at least 1, got 0"),
    (["-o", "{tmp}/o.h5ad", "-k", "5000"], "exceeds the smaller side"),
    (["-o", "{tmp}/o.h5ad", "--min-fraction", "2"], "min_fraction must be at most 1"),
    (["-o", "{tmp}/o.h5ad", "--min-fraction", "nan"], "min_fraction must be finite"),
    (["-o", "{tmp}/o.h5ad", "--reference", "{tmp}/ref.h5ad"], "no such file"),
]


@pytest.mark.parametrize(("argv", "message"), BAD)
def test_refusals_leave_nothing_behind(call, counts_file, tmp_path, argv, message):
    (tmp_path / "kept.txt").write_text("mine")
    code, out, err = call("enhance", counts_file, *(a.format(tmp=tmp_path) for a in argv))
    assert (code, out) == (1, "")
    assert message in err
    assert [p.name for p in tmp_path.iterdir()] == ["kept.txt"]


def test_a_bad_number_of_components_is_wrong_usage(call, counts_file, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        call("enhance", counts_file, "-o", tmp_path / "o.h5ad", "-k", "many")
    assert stop.value.code == 2
    assert "a number or 'auto' is expected, got 'many'" in capsys.readouterr().err


@pytest.mark.parametrize("error", [OSError("No space left on device"), KeyboardInterrupt()])
def test_an_error_while_writing_keeps_the_old_file(call, counts_file, tmp_path, monkeypatch, error):
    target = tmp_path / "o.h5ad"
    target.write_bytes(b"precious")

    def fail(self, path, *args, **kwargs):
        with open(path, "wb") as out:
            out.write(b"half")
        raise error

    monkeypatch.setattr("sccase_kit.io.hdf5.write_h5ad", fail)
    code, _, err = call("enhance", counts_file, "-o", target, "-k", 3)
    assert code == (130 if isinstance(error, KeyboardInterrupt) else 1)
    assert "No space left" in err or "interrupted" in err
    assert target.read_bytes() == b"precious"
    assert [p.name for p in tmp_path.iterdir()] == ["o.h5ad"]


@pytest.mark.slow
def test_real_data(call_json, shared_data, tmp_path):
    result = call_json("enhance", shared_data / "bm0828.h5ad", "-o", tmp_path / "out.h5ad")
    assert result["cells"] == 533
    enhanced = sk.read(tmp_path / "out.h5ad")
    enhanced.layers["raw"] = sk.metrics.raw_tfidf(enhanced)
    ours, raw = (
        np.mean([sk.metrics.evaluate(enhanced, "cell_type", rng=seed, **what)["ari"] for seed in range(5)])
        for what in ({}, {"key": None, "layer": "raw", "scale": None})
    )  # a run of Louvain on a continuum moves the ARI by .05
    assert ours > raw + 0.03


def test_checkpoint_keeps_the_parts_of_the_fit(call, counts_file, tmp_path):
    folder = tmp_path / "parts"
    options = ["-k", "4", "--method", "sccase", "--checkpoint", folder]
    assert call("enhance", counts_file, "-o", tmp_path / "a.h5ad", *options)[0] == 0
    assert {path.name for path in folder.iterdir()} == {"run.json", "start.npz", "point.npz"}
    code, _, err = call("enhance", counts_file, "-o", tmp_path / "b.h5ad", *options, "--depth")
    assert code == 1
    assert "of another run: ['depth'] differ" in err


def test_counts_of_a_layer(call_json, study, tmp_path):
    adata = study.adata.copy()
    adata.layers["counts"] = adata.X.copy()
    adata.X = np.log1p(adata.X.astype(np.float32))
    adata.write_h5ad(tmp_path / "both.h5ad")
    outputs = {}
    for name, argv in {"X": ["counts.h5ad"], "layer": ["both.h5ad", "--layer", "counts"]}.items():
        study.adata.write_h5ad(tmp_path / "counts.h5ad")
        target = tmp_path / f"{name}.h5ad"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # X has fractional values
            call_json("enhance", str(tmp_path / argv[0]), *argv[1:], "-k", "4", "--method", "sccase", "-o", str(target))
        outputs[name] = ad.read_h5ad(target)
    np.testing.assert_array_equal(outputs["X"].obsm["X_sccase"], outputs["layer"].obsm["X_sccase"])
    assert outputs["layer"].uns["sccase"]["params"]["layer"] == "counts"


def test_the_methods_of_the_help_are_those_there_are():
    from sccase_kit._commands.enhance import methods, written_methods
    from sccase_kit.enhance import METHODS

    assert list(written_methods().items()) == [(name, method.summary) for name, method in METHODS.items()]
    assert methods() == written_methods()
