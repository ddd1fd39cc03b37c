"""A new source of motifs or of chromosome sizes is one file: names, lists, refusals."""

from __future__ import annotations

import numpy as np
import pytest

import sccase_kit as sk
from sccase_kit._sources import Sources
from sccase_kit.intervals import size_sources
from sccase_kit.motifs import motif_sources
from sccase_kit.motifs.motif_sources import MotifSource

# ---- a whole new source of motifs, as the one file of it would be ---------------------------------------------------


def load_motifs(label):
    return [sk.motifs.Motif("M1", "GATA1", np.array([[9, 1, 1, 9], [1, 1, 1, 1], [9, 1, 1, 1], [1, 9, 9, 1]]))]


MOTIFS = MotifSource("house", "motifs of the house", ("HOUSE", "HOUSE2026"), load_motifs)

# ---- a whole new source of chromosome sizes -------------------------------------------------------------------------

SIZES = size_sources.SizeSource(
    "fish", "two chromosomes", ("danRer11",), lambda genome: [("chr1", 1000), ("chr2", 500)]
)

# ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def house():
    motif_sources.register(MOTIFS)
    yield
    motif_sources.unregister("house")


@pytest.fixture
def fish():
    size_sources.register(SIZES)
    yield
    size_sources.unregister("fish")


def test_motifs_of_a_new_source_are_known_everywhere(house):
    assert [motif.name for motif in sk.motifs.as_motifs("HOUSE2026")] == ["GATA1"]
    sequences = ["ACGTAGATAACC", "CCCCCCCCCCCC"]
    assert sk.motifs.match(sequences, "HOUSE", p_cutoff=0.01).matches.toarray().ravel().tolist() == [True, False]
    adata = sk.datasets.toy_study(n_cells=60, n_peaks=100).adata
    with pytest.raises(FileNotFoundError, match="'HOUSE', 'HOUSE2026'"):
        sk.tl.match_motifs(adata, "HOUSES", sequences=dict.fromkeys(adata.var_names, "ACGTAGATAACC"))
    sk.tl.match_motifs(adata, "house", sequences=dict.fromkeys(adata.var_names, "ACGTAGATAACC"), p_cutoff=0.01)
    assert adata.varm["motifs"].shape == (adata.n_vars, 1)


def test_sizes_of_a_new_source_are_known_everywhere(fish):
    assert sk.regions.chrom_sizes("danRer11") == {"chr1": 1000, "chr2": 500}
    with pytest.raises(FileNotFoundError, match="danRer11"):
        sk.regions.chrom_sizes("danRer12")
    regions = sk.regions.check_regions(sk.regions.parse_names(["chr2:100-200"]), genome="danRer11")
    assert len(regions) == 1
    with pytest.raises(ValueError, match="danRer11"):
        sk.regions.check_regions(sk.regions.parse_names(["chr2:400-600"]), genome="danRer11")


def test_names_and_labels_are_unique(house, fish):
    for sources, entry in ((motif_sources, MOTIFS), (size_sources, SIZES)):
        with pytest.raises(ValueError, match="belong to the source"):
            sources.register(entry)
        with pytest.raises(KeyError, match="no source 'nope' was registered"):
            sources.unregister("nope")
    with pytest.raises(ValueError, match=r"labels \['JASPAR'\]"):
        motif_sources.register(MotifSource("other", "", ("JASPAR",), load_motifs))
    assert isinstance(motif_sources._SOURCES, Sources)


def test_the_shipped_sources():
    assert "JASPAR2024" in motif_sources.labels()
    assert size_sources.labels() == list(sk.regions.GENOMES)
    assert size_sources.source_of(None) is None
