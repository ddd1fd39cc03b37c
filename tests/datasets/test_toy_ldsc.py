from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import sccase_kit as sk


@pytest.fixture(scope="module")
def files(study, tmp_path_factory):
    return sk.datasets.toy_ldsc(study, tmp_path_factory.mktemp("ldsc"))


def read_bim(files, chromosome):
    names = ["chrom", "snp", "cm", "bp", "a1", "a2"]
    return pd.read_csv(f"{files.panel}{chromosome}.bim", sep="\t", header=None, names=names)


def read_bed(files, chromosome, n_snps, n_individuals=300):
    """Slow reference: dosage of A1, person by person, from the two-bit codes of the PLINK format."""
    raw = Path(f"{files.panel}{chromosome}.bed").read_bytes()
    assert raw[:3] == b"\x6c\x1b\x01"
    width = (n_individuals + 3) // 4
    assert len(raw) == 3 + n_snps * width
    dosage = {0b00: 2, 0b10: 1, 0b11: 0}
    return np.array(
        [[dosage[raw[3 + s * width + i // 4] >> 2 * (i % 4) & 3] for i in range(n_individuals)] for s in range(n_snps)]
    )


def test_panel_holds_the_autosomal_snps_in_order(study, files):
    assert files.chromosomes == [str(c) for c in range(1, 23)]
    bim = pd.concat([read_bim(files, c) for c in files.chromosomes], ignore_index=True)
    snps = study.snps[study.snps["chrom"] != "chrX"]
    assert bim["snp"].tolist() == snps["snp"].tolist()
    assert bim["bp"].tolist() == snps["pos"].tolist()
    assert ("chr" + bim["chrom"].astype(str)).tolist() == snps["chrom"].tolist()
    assert np.allclose(bim["cm"], bim["bp"] / 1e6)
    assert files.snps.read_text().split() == bim["snp"].tolist()
    merge = pd.read_csv(files.merge_alleles, sep="\t")
    assert merge["A1"].tolist() == bim["a1"].tolist()
    assert set(merge["A1"] + merge["A2"]) == {"AC", "AG", "TC", "TG"}


def test_genotypes_match_their_frequencies_and_a1_is_minor(files):
    bim = read_bim(files, 21)
    dosage = read_bed(files, 21, len(bim))
    frequency = dosage.mean(axis=1) / 2
    frq = pd.read_csv(f"{files.panel}21.frq", sep=r"\s+")
    assert list(frq) == ["CHR", "SNP", "A1", "A2", "MAF", "NCHROBS"]
    assert frq["SNP"].tolist() == bim["snp"].tolist()
    assert np.allclose(frq["MAF"], frequency, atol=1e-4)
    assert (frq["NCHROBS"] == 600).all()
    assert frequency.min() > 0.05
    assert frequency.max() <= 0.5
    assert len(Path(f"{files.panel}21.fam").read_text().splitlines()) == 300
    with gzip.open(f"{files.base}21.annot.gz", "rt") as handle:
        assert handle.read() == "base\n" + "1\n" * len(bim)


def test_linkage_falls_with_distance_and_stops_at_the_block(study, files):
    bim = read_bim(files, 1)
    snps = study.snps.set_index("snp").loc[bim["snp"]]
    r2 = np.corrcoef(read_bed(files, 1, len(bim))) ** 2
    distance = abs(np.subtract.outer(bim["bp"].to_numpy(), bim["bp"].to_numpy()))
    same_block = np.equal.outer(snps["ld_start"].to_numpy(), snps["ld_start"].to_numpy())
    upper = np.triu(np.ones_like(same_block), 1)
    close = r2[upper & same_block & (distance < 500)].mean()
    far = r2[upper & same_block & (distance > 60_000)].mean()
    none = r2[upper & ~same_block].mean()
    assert close > 0.1
    assert close > 5 * far
    assert none == pytest.approx(1 / 299, rel=0.1)


def test_munged_and_raw_statistics_agree(files):
    assert list(files.sumstats) == list(files.gwas) == [f"trait_{i}" for i in range(1, 6)]
    assert files.cell_type["trait_2"] == "type_2"
    raw = pd.read_csv(files.gwas["trait_2"], sep="\t")
    munged = pd.read_csv(files.sumstats["trait_2"], sep="\t")
    assert list(raw) == ["SNP", "A1", "A2", "N", "P", "BETA", "INFO", "MAF"]
    assert list(munged) == ["SNP", "A1", "A2", "N", "Z"]
    assert raw["SNP"].tolist() == munged["SNP"].tolist()
    assert np.allclose(raw["BETA"] * 100, munged["Z"], atol=1e-3)
    assert np.allclose(raw["P"], np.maximum(2 * norm.sf(abs(raw["BETA"] * 100)), 1e-300), rtol=1e-3)


def test_heritability_lies_in_the_peaks_of_the_type(study, files):
    specific_to = study.adata.var["specific_to"].reindex(study.snps["peak"]).fillna("")
    specific_to.index = study.snps["snp"]
    for trait, path in files.sumstats.items():
        table = pd.read_csv(path, sep="\t").set_index("SNP")
        chi2 = table["Z"] ** 2
        label = specific_to.reindex(table.index)
        mean = chi2.groupby(label).mean()
        own = files.cell_type[trait]
        assert mean[own] > 5
        assert mean[own] > 4 * mean.drop(own).max()
        # outside, chi2 has mean 1 + N h2 (1 - share) / M times the LD score, about 1.7, and a median .455 times that
        assert chi2[label == ""].median() == pytest.approx(0.455 * (1 + 0.16 * 1.7), rel=0.12)


def test_equal_arguments_give_equal_files(small_study, tmp_path):
    first = sk.datasets.toy_ldsc(small_study, tmp_path / "a", n_individuals=50, rng=1)
    second = sk.datasets.toy_ldsc(small_study, tmp_path / "b", n_individuals=50, rng=1)
    names = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert names == sorted(p.name for p in (tmp_path / "b").iterdir())
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    third = sk.datasets.toy_ldsc(small_study, tmp_path / "c", n_individuals=50, rng=2)
    assert first.gwas["trait_1"].read_bytes() == second.gwas["trait_1"].read_bytes()
    assert first.gwas["trait_1"].read_bytes() != third.gwas["trait_1"].read_bytes()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_individuals": 10}, ValueError, "n_individuals must be at least 50"),
        ({"n_samples": 1.5}, TypeError, "n_samples must be an integer"),
        ({"h2": 0}, ValueError, "h2 must be greater than 0"),
        ({"share": 1.5}, ValueError, "share must be at most 1"),
    ],
)
def test_bad_arguments(small_study, tmp_path, arguments, error, message):
    with pytest.raises(error, match=message):
        sk.datasets.toy_ldsc(small_study, tmp_path / "new", **arguments)
    assert not (tmp_path / "new").exists()


def test_a_study_is_needed(small_study, tmp_path):
    with pytest.raises(TypeError, match=r"study must be a ToyStudy .* got AnnData"):
        sk.datasets.toy_ldsc(small_study.adata, tmp_path)
