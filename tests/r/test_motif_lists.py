"""Motifs of R: TFBSTools' lists and universalmotif's objects, from files and through R."""

import numpy as np
import pytest

import sccase_kit as sk
from sccase_kit.motifs import Motif
from sccase_kit.r._from_r import from_value
from sccase_kit.r._motif_lists import is_motif_list, motifs_from
from sccase_kit.r._values import RValue

COUNTS = np.array([[8.0, 1, 1], [4, 9, 2], [4, 0, 1], [4, 10, 16]])
EVEN = np.full(4, 0.25)


def text(*items):
    return RValue("character", list(items))


def matrix(values):
    return RValue("double", np.asarray(values).ravel(order="F"), {"dim": RValue("integer", np.array(np.shape(values)))})


def tfbs(kind, values, ident="M1", name="TF1", background=EVEN):
    slots = {"profileMatrix": matrix(values), "ID": text(ident), "name": text(name), "bg": RValue("double", background)}
    return RValue("S4", None, slots | {"class": text(kind)})


def universal(kind, values, sites):
    slots = {"motif": matrix(values), "alphabet": text("DNA"), "type": text(kind), "bkg": RValue("double", EVEN)}
    return RValue("S4", None, slots | {"name": text("M1"), "altname": text("TF1"), "nsites": RValue("double", sites)})


SHARES = (COUNTS + 0.2) / (COUNTS + 0.2).sum(axis=0)
SKEWED = np.array([0.3, 0.2, 0.2, 0.3])


@pytest.mark.parametrize(
    ("value", "counts"),
    [
        (tfbs("PFMatrix", COUNTS), COUNTS),
        (tfbs("PFMatrix", SHARES), SHARES * 20),
        (tfbs("PWMatrix", np.log(SHARES / 0.25)), SHARES * 20),
        (tfbs("PWMatrix", np.log2(SHARES / SKEWED[:, None]), background=SKEWED), SHARES * 20),
        (universal("PCM", COUNTS, np.array([20.0])), COUNTS),
        (universal("PPM", SHARES, np.array([55.0])), SHARES * 55),
        (universal("PWM", np.log2(SHARES / 0.25), np.empty(0)), SHARES * 20),
    ],
)
def test_every_kind_of_matrix(value, counts):
    motif = from_value(value, [])
    assert (motif.id, motif.name) == ("M1", "TF1")
    np.testing.assert_allclose(motif.counts, counts)


def test_lists_keep_their_order_and_names():
    entries = RValue("list", [tfbs("PFMatrix", COUNTS, "M2", "A"), tfbs("PFMatrix", COUNTS, "M1", "")])
    for value in (entries, RValue("S4", None, {"listData": entries, "elementType": text("PFMatrix")})):
        assert is_motif_list(value)
        assert [(motif.id, motif.name) for motif in motifs_from(value)] == [("M2", "A"), ("M1", "M1")]
    assert not is_motif_list(RValue("list", []))
    assert not is_motif_list(RValue("list", [text("a")]))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (tfbs("ICMatrix", COUNTS), r"ICMatrix of shape \(4, 3\); PCM, .*PWMatrix with 4 rows are read"),
        (tfbs("PFMatrix", COUNTS[:3]), r"of shape \(3, 3\)"),
        (tfbs("PWMatrix", COUNTS), "its weights are no logarithms"),
    ],
)
def test_what_cannot_be_read_is_said(value, said):
    with pytest.raises(ValueError, match=said):
        from_value(value, [])


@pytest.mark.r("TFBSTools")
def test_files_of_tfbstools_match_as_their_counts_do(tmp_path):
    pytest.importorskip("rdata", reason="rdata (extra rds) is not installed")
    code = (
        "rownames(x) <- c('A', 'C', 'G', 'T'); m <- TFBSTools::PFMatrix(ID = 'M1', name = 'TF1', profileMatrix = x); "
        "found <- TFBSTools::PFMatrixList(m); saveRDS(found, file.path(folder, 'f.rds')); "
        "w <- TFBSTools::PWMatrixList(M1 = TFBSTools::toPWM(m, pseudocounts = 0.8)); "
        "save(w, file = file.path(folder, 'w.rda')); NULL"
    )
    sk.r.run(code, x=COUNTS.astype(int), folder=str(tmp_path))
    wanted = Motif("M1", "TF1", COUNTS)
    assert sk.r.read(tmp_path / "f.rds", engine="python") == [wanted]
    (weights,) = sk.r.read(tmp_path / "w.rda", engine="python")
    np.testing.assert_allclose(weights.counts / 20, (COUNTS + 0.2) / (COUNTS + 0.2).sum(axis=0), rtol=1e-12)
    adata = sk.datasets.toy_study(n_cells=60, n_peaks=100).adata
    rng = np.random.default_rng(0)
    dna = ["".join(rng.choice(list("ACGT"), 300)) for _ in range(adata.n_vars)]
    for motifs, key in (([wanted], "a"), (tmp_path / "f.rds", "b")):
        sk.tl.match_motifs(adata, motifs, sequences=dna, p_cutoff=0.01, key_added=key)
    assert adata.varm["a"].nnz > 0
    assert (adata.varm["a"] != adata.varm["b"]).nnz == 0


def test_files_without_motifs_are_named(tmp_path):
    path = tmp_path / "x.rds"
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="is a file of R; sk"):
        sk.motifs.read_motifs(path)
