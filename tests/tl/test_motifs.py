"""Motif matching on AnnData: keys, planted motifs, storage, sources, the R engine, errors."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest
from scipy import sparse

import sccase_kit as sk
from sccase_kit.motifs import Motif, match
from sccase_kit.tl._motifs import motif_labels


@pytest.fixture(scope="module")
def study():
    return sk.datasets.toy_study(n_cells=100, n_peaks=800, rng=2)


@pytest.fixture(scope="module")
def matched(study):
    return sk.tl.match_motifs(study.adata, study.motifs, sequences=study.sequences, scores=True, copy=True)


@pytest.fixture
def fasta(tmp_path, study):
    """Each peak as the middle of its own chromosome; peaks moved there."""
    pytest.importorskip("pyfaidx", reason="pyfaidx (extra genomics) is not installed")
    adata = study.adata.copy()
    lines, widths = [], []
    for k, name in enumerate(adata.var_names):
        lines.append(f">scaffold{k}\nNNNNN{study.sequences[name].lower()}NN\n")
        widths.append(len(study.sequences[name]))
    adata.var["chrom"] = [f"scaffold{k}" for k in range(adata.n_vars)]
    adata.var["start"], adata.var["end"] = 5, 5 + np.array(widths)
    path = tmp_path / "genome.fa"
    path.write_text("".join(lines))
    return adata, path


def test_writes_what_it_says(study, matched):
    assert "motifs" not in study.adata.varm
    found = match([study.sequences[name] for name in study.adata.var_names], study.motifs)
    for key, expected in (("motifs", found.matches), ("motifs_scores", found.scores), ("motifs_counts", found.counts)):
        stored = matched.varm[key]
        assert sparse.issparse(stored)
        assert stored.format == "csr"
        assert stored.dtype == expected.dtype
        assert (stored != expected).nnz == 0
    entry = matched.uns["motifs"]
    assert list(entry["names"]) == list(entry["ids"]) == list(study.motifs)
    np.testing.assert_array_equal(entry["thresholds"], found.thresholds)
    np.testing.assert_array_equal(entry["profiles"], np.hstack(list(study.motifs.values())))
    np.testing.assert_array_equal(entry["widths"], [m.shape[1] for m in study.motifs.values()])
    assert entry["params"]["p_cutoff"] == 5e-5


def test_finds_planted_motifs(study, matched):
    planted = np.asarray(study.adata.varm["planted_motifs"])
    hits = matched.varm["motifs"].toarray()
    assert (hits & planted).sum() / planted.sum() > 0.75
    stray = (hits & ~planted).sum() / (~planted).sum()
    assert stray < 0.05  # 5e-5 per site and strand, 350 sites: 3.5 %


def test_gc_is_written_where_it_is_missing(study):
    adata = study.adata.copy()
    expected = adata.var["gc"].to_numpy(copy=True)
    adata.var["gc"] = 0.5
    sk.tl.match_motifs(adata, study.motifs, sequences=study.sequences)
    assert (adata.var["gc"] == 0.5).all()
    del adata.var["gc"]
    sk.tl.match_motifs(adata, study.motifs, sequences=study.sequences)
    np.testing.assert_allclose(adata.var["gc"], expected)
    sk.tl.add_gc_content(adata, sequences=study.sequences, key_added="gc2")
    np.testing.assert_array_equal(adata.var["gc2"], adata.var["gc"])
    assert sk.tl.add_gc_content(study.adata, sequences=study.sequences, key_added="x", copy=True).var["x"].notna().all()
    assert "x" not in study.adata.var


@pytest.mark.filterwarnings("ignore:.*zarr v[23].*:UserWarning")  # AnnData announces other defaults of its writer
@pytest.mark.parametrize("kind", ["h5ad", "zarr"])
def test_survives_writing(matched, tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    if kind == "zarr":
        pytest.importorskip("zarr", reason="zarr (extra scale) is not installed")
        matched.write_zarr(path)
        again = ad.read_zarr(path)
    else:
        matched.write_h5ad(path)
        again = ad.read_h5ad(path)
    for key in ("motifs", "motifs_scores", "motifs_counts"):
        assert again.varm[key].dtype == matched.varm[key].dtype
        assert (again.varm[key] != matched.varm[key]).nnz == 0
    assert list(again.uns["motifs"]["names"]) == list(matched.uns["motifs"]["names"])
    part = again[:, :50]
    assert (part.varm["motifs"] != matched.varm["motifs"][:50]).nnz == 0


def test_genome_file_gives_the_same(fasta, matched, study):
    adata, path = fasta
    sk.tl.match_motifs(adata, study.motifs, path)
    assert (adata.varm["motifs"] != matched.varm["motifs"]).nnz == 0
    assert adata.uns["motifs"]["params"]["genome_fasta"] == str(path)


def test_wrong_genome(fasta, study):
    adata, path = fasta
    other = adata.copy()
    other.var["chrom"] = "chr1"
    with pytest.raises(ValueError, match=r"lacks chromosome\(s\) \['chr1'\]"):
        sk.tl.match_motifs(other, study.motifs, path)
    adata.var["end"] += 3
    with pytest.raises(ValueError, match="lie off the chromosomes"):
        sk.tl.add_gc_content(adata, path)
    del adata.var["chrom"]
    adata.var_names = [f"peak_{k}" for k in range(adata.n_vars)]
    with pytest.raises(ValueError, match="peaks have no coordinates"):
        sk.tl.add_gc_content(adata, path)


def test_sequences_in_order_and_peaks_of_n(study):
    adata = study.adata[:, :20].copy()
    del adata.var["gc"]
    dna = [study.sequences[name] for name in adata.var_names]
    dna[3] = "N" * len(dna[3])
    with pytest.warns(UserWarning, match=r"1 peak\(s\) hold no A, C, G or T"):
        sk.tl.match_motifs(adata, study.motifs, sequences=dna)
    assert adata.varm["motifs"][3].nnz == 0
    assert list(np.flatnonzero(adata.var["gc"].isna())) == [3]


def test_motif_sources(study, tmp_path):
    adata = study.adata[:, :60].copy()
    paths = study.write(tmp_path / "study")
    sk.tl.match_motifs(adata, paths["motifs"], sequences=study.sequences, key_added="from_file")
    sk.tl.match_motifs(adata, study.motifs, sequences=study.sequences)
    assert list(adata.uns["from_file"]["ids"]) == list(adata.uns["motifs"]["ids"])
    pytest.importorskip("pyjaspar", reason="pyjaspar (extra genomics) is not installed")
    small = adata[:, :5].copy()
    sk.tl.match_motifs(small, "JASPAR2024", sequences=study.sequences)
    entry = small.uns["motifs"]
    assert len(entry["ids"]) > 800
    assert len(set(entry["names"])) == len(entry["names"])
    assert "CTCF (MA0139.2)" in set(entry["names"]) or "CTCF" in set(entry["names"])
    assert entry["params"]["motifs"] == "JASPAR2024"


def test_labels_are_unique():
    counts = np.ones((4, 3))
    motifs = [Motif("a", "X", counts), Motif("b", "X", counts), Motif("c", "Y", counts)]
    assert motif_labels(motifs) == ["X (a)", "X (b)", "Y"]


def test_r_engine_gives_the_same_keys(study, matched, monkeypatch):
    adata, seen = study.adata.copy(), {}

    def fake(sequences, pfms, *, p_cutoff, background):
        seen.update(sequences=sequences, names=list(pfms))
        found = match(sequences, pfms, p_cutoff, background=background)
        fields = ("matches", "scores", "counts", "thresholds")
        return {name: getattr(found, name) for name in fields} | {"session": ["R"]}

    monkeypatch.setattr(sk.r, "match_motifs", fake)
    sk.tl.match_motifs(adata, study.motifs, sequences=study.sequences, scores=True, engine="r")
    assert seen["sequences"] == [study.sequences[name] for name in adata.var_names]
    for key in ("motifs", "motifs_scores", "motifs_counts"):
        assert (adata.varm[key] != matched.varm[key]).nnz == 0
    for key in ("names", "thresholds", "frequencies"):
        np.testing.assert_array_equal(adata.uns["motifs"][key], matched.uns["motifs"][key])
    with pytest.warns(UserWarning, match="compat=True is ignored"):
        sk.tl.match_motifs(adata, study.motifs, sequences=study.sequences, engine="r", compat=True)


@pytest.mark.slow
def test_r_package_agrees(study):
    from sccase_kit.r._status import available

    for package in ("motifmatchr", "TFBSTools"):
        if not available(package):
            pytest.skip(f"R package {package} is not installed")
    native = sk.tl.match_motifs(
        study.adata, study.motifs, sequences=study.sequences, compat=True, scores=True, copy=True
    )
    through_r = sk.tl.match_motifs(
        study.adata, study.motifs, sequences=study.sequences, engine="r", scores=True, copy=True
    )
    assert (native.varm["motifs"] != through_r.varm["motifs"]).nnz == 0
    assert (native.varm["motifs_counts"] != through_r.varm["motifs_counts"]).nnz == 0
    assert abs(native.varm["motifs_scores"] - through_r.varm["motifs_scores"]).max() < 1e-12


def test_errors(study):
    adata = study.adata
    with pytest.raises(ValueError, match="neither was given"):
        sk.tl.match_motifs(adata, study.motifs)
    with pytest.raises(ValueError, match="both were given"):
        sk.tl.match_motifs(adata, study.motifs, "genome.fa", sequences=study.sequences)
    with pytest.raises(FileNotFoundError, match=r"no file 'genome\.fa'"):
        sk.tl.match_motifs(adata, study.motifs, "genome.fa")
    with pytest.raises(FileNotFoundError, match="'JASPAR', a release such as"):
        sk.tl.match_motifs(adata, "motifs.meme", sequences=study.sequences)
    with pytest.raises(KeyError, match="sequences lacks 799 of 800 peaks"):
        sk.tl.match_motifs(adata, study.motifs, sequences={adata.var_names[0]: "ACGT"})
    with pytest.raises(TypeError, match="sequences must map peak names"):
        sk.tl.match_motifs(adata, study.motifs, sequences="ACGT")
    with pytest.raises(ValueError, match="must have one entry per peak"):
        sk.tl.match_motifs(adata, study.motifs, sequences=["ACGT"])
    with pytest.raises(ValueError, match=r"column\(s\) \[2\] have no counts"):
        sk.tl.match_motifs(adata, {"m": np.array([[1, 0, 1]] * 4)}, sequences=study.sequences)
    with pytest.raises(ValueError, match="motifs is empty"):
        sk.tl.match_motifs(adata, [], sequences=study.sequences)
    with pytest.raises(ValueError, match="engine must be one of"):
        sk.tl.match_motifs(adata, study.motifs, sequences=study.sequences, engine="julia")
    with pytest.raises(ValueError, match="p_cutoff must be greater than 0"):
        sk.tl.match_motifs(adata, study.motifs, sequences=study.sequences, p_cutoff=0)
    with pytest.raises(TypeError, match="adata must be an AnnData"):
        sk.tl.match_motifs(adata.X, study.motifs, sequences=study.sequences)
