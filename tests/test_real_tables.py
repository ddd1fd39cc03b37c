"""Real files of other projects, where they lie beside the project."""

from pathlib import Path

import numpy as np
import pytest

import sccase_kit as sk

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="no folder of real data beside the project")


@pytest.mark.parametrize("genome", ["hg19", "hg38", "mm9", "mm10"])
def test_gene_bodies_of_simba(genome):
    path = DATA / "tss" / f"simba_{genome}_genes.bed.gz"
    if not path.is_file():
        pytest.skip("no such file")
    bodies = sk.regions.read_bed(path).drop_duplicates("name", keep=False)
    table = sk.regions.tss_table(genome).drop_duplicates("symbol", keep=False).set_index("symbol")
    shared = bodies[bodies["name"].isin(table.index)].set_index("name")
    assert len(shared) > 10_000
    near = np.abs(table.loc[shared.index, "tss"].to_numpy() - shared["start"].to_numpy()) < 3_000_000
    assert near.mean() > 0.95


def test_motifs_of_jaspar():
    path = DATA / "motifs" / "JASPAR2024_CORE_vertebrates_latest.meme"
    pytest.importorskip("pyjaspar", reason="pyjaspar (extra genomics) is not installed")
    known = {motif.id: motif for motif in sk.motifs.jaspar_motifs(release="JASPAR2024")}
    found = sk.motifs.read_motifs(path)
    assert {motif.id for motif in found} == set(known)
    for motif in found:
        assert motif.name == known[motif.id].name
        shares = (m.counts / m.counts.sum(axis=0) for m in (motif, known[motif.id]))
        np.testing.assert_allclose(*shares, atol=2e-6)


def test_fine_mapped_variants_are_read_as_snps():
    table = sk.regions.read_snps(DATA / "gwas" / "RBC_COUNT_PP001.bed.gz")
    assert len(table) == 13_671
    assert (table["pos"] > 0).all()
