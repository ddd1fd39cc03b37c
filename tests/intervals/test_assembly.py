"""Regions meet a genome: names, unknown sequences, what lies beyond; one rule in every front."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

import sccase_kit as sk
from sccase_kit.intervals.assembly import in_style_of, without_scaffolds

SIZES = {"chr1": 1000, "chr2": 500, "chrX": 300}


def table(*rows):
    return pd.DataFrame(rows, columns=["chrom", "start", "end"])


SCAFFOLD = table(("1", 1, 5), ("KI270713.1", 1, 5), ("X", 1, 5))


def test_names_and_unknown_sequences():
    with pytest.warns(UserWarning, match=r"1 of 3 rows lie on sequences .*left out, e\.g\. \['KI270713\.1'\]"):
        found = sk.regions.check_regions(SCAFFOLD, chrom_sizes=SIZES, unknown="drop")
    assert found["chrom"].tolist() == ["chr1", "chrX"]
    assert sk.regions.check_regions(SCAFFOLD, chrom_sizes=SIZES, unknown="keep")["chrom"].tolist()[1] == "KI270713.1"
    for unknown in ("raise", "error"):
        with pytest.raises(ValueError, match=r"1 of 3 rows .*unknown='drop'"):
            sk.regions.check_regions(SCAFFOLD, chrom_sizes=SIZES, unknown=unknown)
    with pytest.raises(ValueError, match="1 of 1 rows"):
        sk.regions.check_regions(SCAFFOLD.iloc[1:2], chrom_sizes=SIZES, unknown="drop")


def test_the_argument_is_the_same_everywhere():
    fronts = [sk.tl.great, sk.tl.interpret, sk.tl.match_motifs, sk.tl.add_gc_content, sk.tl.snpsea, sk.tl.ldsc]
    fronts += [sk.io.write_bed, sk.io.write_great, sk.io.write_snpsea, sk.io.write_ldsc_annot]
    fronts += [sk.regions.liftover, sk.regions.great]
    for front in fronts:
        assert inspect.signature(front).parameters["unknown"].default == "drop", front


def test_panels_without_x_are_no_reason_to_stop():
    assert (
        len(without_scaffolds(table(("chr1", 1, 5), ("chrX", 1, 5)), ["1"], unknown="error", name="a", where="b")) == 2
    )
    with pytest.raises(ValueError, match="1 of 2 rows"):
        without_scaffolds(table(("chr1", 1, 5), ("GL000194.1", 1, 5)), ["1"], unknown="error", name="a", where="b")
    with pytest.warns(UserWarning, match="1 of 2 rows"):
        kept = without_scaffolds(
            table(("chr1", 1, 5), ("GL000194.1", 1, 5)), ["1"], unknown="drop", name="a", where="b"
        )
    assert kept["chrom"].tolist() == ["chr1"]
    assert len(without_scaffolds(table(("chrX", 1, 5)), ["1", "23"], unknown="error", name="a", where="b")) == 1


def test_style_of_others():
    assert in_style_of(table(("1", 1, 2), ("KI270713.1", 1, 2), ("MT", 1, 2)), ["chr1"])["chrom"].tolist() == [
        *("chr1", "KI270713.1", "chrM")
    ]
    assert in_style_of(table(("chr1", 1, 2), ("chrM", 1, 2)), ["1", "2"])["chrom"].tolist() == ["1", "MT"]


def test_the_hint_of_another_genome():
    """A peak beyond the end of chrM says nothing of the build; one beyond that of a chromosome does."""
    with pytest.raises(ValueError, match="chrM is a circle") as caught:
        sk.regions.check_regions(table(("chrM", 16_290, 16_350)), genome="mm10")
    assert "hg" not in str(caught.value).partition("chrM is")[0]
    assert "would fit" not in str(caught.value)
    with pytest.raises(ValueError, match="Those of other chromosomes than chrM would fit hg19 and hg38"):
        sk.regions.check_regions(table(("chr1", 5, 200_000_000), ("chrM", 17_000, 17_500)), genome="mm10")
    with pytest.warns(UserWarning, match="1 of 2"), pytest.raises(ValueError, match="They would fit hg19"):
        sk.regions.check_regions(table(("1", 5, 249_250_000), ("KI270713.1", 1, 5)), genome="hg38", unknown="drop")


def test_few_peaks_that_hang_over_an_end_are_cut_there():
    rows = [("chr2", 2 * k, 2 * k + 1) for k in range(199)]
    with pytest.warns(UserWarning, match=r"1 of 200 rows, first: chr1:900-1081 reach over the end .* cut there"):
        found = sk.regions.check_regions(table(("chr1", 900, 1081), *rows), chrom_sizes=SIZES)
    assert found.to_numpy().tolist() == [["chr1", 900, 1000], *map(list, rows)]
    for bad in ([("chr1", 900, 2001)], [("chr1", 1000, 1081)], [("chr1", 900, 1081)] * 3):
        with pytest.raises(ValueError, match="reach beyond"):
            sk.regions.check_regions(table(*bad, *rows), chrom_sizes=SIZES)


def test_chains_with_both_styles(tmp_path):
    one = "chain 1 {0} 2000 + 100 1100 {0} 3000 + {2} {3} {1}\n1000\n\n"
    (tmp_path / "a.chain").write_text(one.format("1", 1, 200, 1200) + one.format("chr1", 2, 300, 1300))
    for name, start in (("1", 250), ("chr1", 350)):
        lifted = sk.regions.liftover(table((name, 150, 250)), tmp_path / "a.chain").regions
        assert lifted.to_numpy().tolist() == [[name, start, start + 100]]
    (tmp_path / "b.chain").write_text(one.format("1", 1, 200, 1200))
    with pytest.warns(UserWarning, match="1 of 2 rows"):
        found = sk.regions.liftover(table(("chr1", 150, 250), ("GL000194.1", 1, 5)), tmp_path / "b.chain")
    assert found.regions["chrom"].tolist() == ["chr1"]
    assert found.lost["chrom"].tolist() == ["GL000194.1"]
    with pytest.raises(ValueError, match="1 of 2 rows"):
        sk.regions.liftover(table(("chr1", 150, 250), ("GL000194.1", 1, 5)), tmp_path / "b.chain", unknown="error")


def test_files_for_great(tmp_path):
    with pytest.warns(UserWarning, match=r"1 of 3 rows"):
        sk.io.write_great(SCAFFOLD, tmp_path / "a.bed", genome="hg38")
    assert [line.split("\t")[0] for line in (tmp_path / "a.bed").read_text().splitlines()] == ["chr1", "chrX"]
    with pytest.raises(ValueError, match="1 of 3 rows"):
        sk.io.write_great(SCAFFOLD, tmp_path / "b.bed", genome="hg38", unknown="error")
    assert not (tmp_path / "b.bed").exists()


def test_motifs_of_peaks_the_fasta_lacks(tmp_path):
    pytest.importorskip("pyfaidx")
    (tmp_path / "g.fa").write_text(">1\n" + "ACGTTGCAGT" * 100 + "\n")
    rows = table(("chr1", 0, 50), ("KI270713.1", 10, 40), ("chr1", 100, 150)).set_index(pd.Index(["a", "b", "c"]))
    adata = AnnData(np.ones((2, 3)), var=rows)
    with pytest.warns(UserWarning, match=r"1 of 3 peaks lie on sequences that genome_fasta does not have"):
        sk.tl.match_motifs(adata, {"m": np.eye(4) * 10}, tmp_path / "g.fa")
    assert adata.varm["motifs"].toarray().ravel().tolist() == [True, False, True]
    assert np.isnan(adata.var["gc"]).tolist() == [False, True, False]
    with pytest.raises(ValueError, match="lacks chromosome"):
        sk.tl.match_motifs(adata, {"m": np.eye(4) * 10}, tmp_path / "g.fa", unknown="error", key_added="m2")
