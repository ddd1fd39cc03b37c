"""Partitioned heritability of peaks: the toy study's planted traits, the steps by hand, what does not fit."""

import shutil

import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk
from sccase_kit import regions

pytestmark = [
    pytest.mark.skipif(shutil.which("bedtools") is None, reason="the program bedtools is not installed"),
    pytest.mark.filterwarnings("ignore:.*fewer than 200,000.*", "ignore:annotations with few SNPs.*"),
]


@pytest.fixture(scope="module")
def study():
    return sk.datasets.toy_study(n_cells=60)


@pytest.fixture(scope="module")
def files(study, tmp_path_factory):
    return sk.datasets.toy_ldsc(study, tmp_path_factory.mktemp("ldsc"))


@pytest.fixture(scope="module")
def peaks(study):
    """Planted specific peaks with their type, and as many peaks of no type."""
    var = study.adata.var
    own = var[var["specific_to"] != ""]
    return own.assign(group=own["specific_to"]), var[var["program"] == "background"].head(150)


@pytest.fixture(scope="module")
def found(files, peaks):
    return sk.tl.ldsc(
        peaks[0], files.sumstats, panel=files.panel, baseline=files.base, snps=files.snps, background=peaks[1]
    )


def test_trait_is_found_in_its_type_and_not_in_the_background(found, files):
    for trait, name in files.cell_type.items():
        own = found[found["trait"] == trait].set_index("group")
        assert own["Enrichment"].idxmax() == name
        assert own.loc[name, "Enrichment"] > 3
        assert own.loc[name, "Enrichment_p"] < 0.05 / len(own)
        assert own.loc[name, "Coefficient_z-score"] == own["Coefficient_z-score"].max()
        assert own.loc["background", "Enrichment_p"] > 0.05 / len(own)


def test_columns_and_attributes(found, files, peaks):
    assert len(found) == len(files.sumstats) * (peaks[0]["group"].nunique() + 1)
    assert list(found.columns[:5]) == ["trait", "group", "Category", "Prop._SNPs", "Prop._h2"]
    assert (found["Category"] == found["group"]).all()
    assert found.attrs["ldsc"]["baseline"] == files.base
    assert found.attrs["ldsc"]["engine"] == "python"


def test_equals_the_steps_by_hand(found, files, peaks):
    """Annotate, score, join and regress with the functions on arrays."""
    own = peaks[0][peaks[0]["group"] == "type_2"]
    listed = set(files.snps.read_text().split())
    tables, weight_tables, m, weight_m, overlap, common = [], [], 0, 0, 0, 0
    for chrom in files.chromosomes:
        panel = regions.open_panel(f"{files.panel}{chrom}")
        annotation = pd.DataFrame({"base": 1, "type_2": regions.annotate_snps(panel.bim, own)})
        scores = regions.ld_scores(panel, annotation)
        keep = panel.bim["SNP"].isin(listed).to_numpy()
        weights = regions.ld_scores(panel, annotation[["base"]], keep=keep)
        tables.append(scores.table[scores.table["SNP"].isin(listed)])
        weight_tables.append(weights.table)
        m, weight_m = m + scores.m_5_50, weight_m + weights.m_5_50
        values = annotation[panel.bim["SNP"].isin(scores.table["SNP"])].to_numpy(float)[scores.maf > 0.05]
        overlap, common = overlap + values.T @ values, common + len(values)
    reference = regions.ReferenceScores(pd.concat(tables), m, overlap, common)
    weights = regions.ReferenceScores(pd.concat(weight_tables), weight_m)
    expected = regions.ldsc_h2(files.sumstats["trait_2"], reference, weights).table.iloc[-1]
    row = found[(found["trait"] == "trait_2") & (found["group"] == "type_2")].iloc[0]
    for column in expected.index.drop("Category"):
        assert row[column] == pytest.approx(expected[column], rel=1e-9), column


def test_stored_scores_of_the_baseline_give_the_same(study, found, files, peaks, tmp_path):
    for chrom in files.chromosomes:
        panel = regions.open_panel(f"{files.panel}{chrom}")
        scores = regions.ld_scores(panel, pd.DataFrame({"base": np.ones(len(panel.bim))}))
        scores.table.to_csv(tmp_path / f"base.{chrom}.l2.ldscore.gz", sep="\t", index=False)
        (tmp_path / f"base.{chrom}.l2.M_5_50").write_text(f"{scores.m_5_50[0]}\n")
        shutil.copy(f"{files.base}{chrom}.annot.gz", tmp_path / f"base.{chrom}.annot.gz")
    traits = {"trait_1": files.sumstats["trait_1"]}
    stored = sk.tl.ldsc(peaks[0], traits, panel=files.panel, baseline=tmp_path / "base.", snps=files.snps)
    own = found[(found["trait"] == "trait_1") & (found["group"] != "background")]
    np.testing.assert_allclose(stored["Enrichment"], own["Enrichment"], rtol=1e-6)


def test_raw_statistics_munged_give_nearly_the_same(found, files, peaks):
    munged = regions.munge_sumstats(files.gwas["trait_1"], merge_alleles=files.merge_alleles).table
    again = sk.tl.ldsc(peaks[0], munged, panel=files.panel, baseline=files.base, snps=files.snps)
    own = found[(found["trait"] == "trait_1") & (found["group"] != "background")]
    np.testing.assert_allclose(again["Enrichment"], own["Enrichment"], rtol=0.02, atol=0.02)
    assert again["trait"].unique().tolist() == ["trait"]


def test_without_a_baseline_it_warns(files, peaks):
    with pytest.warns(UserWarning, match="no baseline"):
        found = sk.tl.ldsc(peaks[0].head(150), files.sumstats["trait_1"], panel=files.panel, snps=files.snps)
    assert found.attrs["ldsc"]["baseline"] is None


def test_peaks_from_anndata(study, found, files, peaks):
    adata = study.adata.copy()
    adata.uns["specific_peaks"] = {"peaks": peaks[0]}
    adata.uns["background_peaks"] = {"peaks": peaks[1]}
    before = set(adata.uns)
    again = sk.tl.ldsc(
        adata, {"trait_1": files.sumstats["trait_1"]}, panel=files.panel, baseline=files.base, snps=files.snps,
        background=adata,
    )  # fmt: skip
    pd.testing.assert_frame_equal(again, found[found["trait"] == "trait_1"].reset_index(drop=True))
    assert set(adata.uns) == before


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"sumstats": {}}, ValueError, "there is no trait to test"),
        ({"sumstats": "raw"}, KeyError, r"use regions\.munge_sumstats first"),
        ({"engine": "r"}, ValueError, "engine must be one of"),
        ({"n_blocks": 1}, ValueError, "n_blocks"),
        ({"window": -1}, ValueError, "window"),
        ({"groupby": "celltype"}, KeyError, "celltype"),
        ({"baseline": "elsewhere."}, FileNotFoundError, r"elsewhere\.1\.annot\.gz"),
        ({"weights": "elsewhere."}, FileNotFoundError, "elsewhere"),
        ({"snps": ["rs_none"]}, ValueError, "no SNP|SNPs"),
        ({"named": "base"}, ValueError, r"named like annotations of the baseline: \['base'\]"),
    ],
)
def test_inputs_that_do_not_fit(files, peaks, change, error, match):
    options = {"panel": files.panel, "baseline": files.base, "snps": files.snps} | change
    sumstats = options.pop("sumstats", files.sumstats)
    sumstats = files.gwas["trait_1"] if sumstats == "raw" else sumstats
    table = peaks[0].assign(group=options.pop("named", peaks[0]["group"]))
    with pytest.raises(error, match=match):
        sk.tl.ldsc(table, sumstats, **options)


def test_stored_baseline_that_does_not_fit(files, peaks, tmp_path):
    """Fewer SNPs are left out with a word; none in common, or other columns, are refused."""
    traits = {"trait_1": files.sumstats["trait_1"]}

    def write(edit, columns=("base",)):
        for chrom in files.chromosomes:
            panel = regions.open_panel(f"{files.panel}{chrom}")
            scores = regions.ld_scores(panel, pd.DataFrame({name: np.ones(len(panel.bim)) for name in columns}))
            table = edit(scores.table)
            table.to_csv(tmp_path / f"base.{chrom}.l2.ldscore.gz", sep="\t", index=False)
            (tmp_path / f"base.{chrom}.l2.M_5_50").write_text("\t".join(map(str, scores.m_5_50)) + "\n")
            shutil.copy(f"{files.base}{chrom}.annot.gz", tmp_path / f"base.{chrom}.annot.gz")

    def run():
        return sk.tl.ldsc(peaks[0], traits, panel=files.panel, baseline=tmp_path / "base.", snps=files.snps)

    write(lambda table: table.iloc[::2])
    with pytest.warns(UserWarning, match="regression SNPs are not in the baseline; they are left out"):
        assert run()["Enrichment"].notna().all()
    write(lambda table: table.assign(SNP="x" + table["SNP"]))
    with pytest.raises(ValueError, match="no SNP in common"), pytest.warns(UserWarning, match="are left out"):
        run()
    write(lambda table: table, columns=("base", "more"))
    with pytest.raises(ValueError, match="the baseline has 2 columns of LD scores and 1 annotations"):
        run()
