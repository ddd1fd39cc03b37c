"""Specific peaks of several ways through GREAT, SNPsea, LDSC and motifs, on the toy study with its planted truth."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest

import sccase_kit as sk
from sccase_kit.paper import peak_sets
from sccase_kit.paper.cohorts import Candidate, Cohort, make_cohort
from sccase_kit.paper.experiments import functions, heritability, motifs, tissues
from sccase_kit.paper.study import DEFAULT, OURS, Study, standard_methods


@pytest.fixture(scope="module")
def toy():
    return sk.datasets.toy_study(n_cells=200, n_peaks=1000, n_types=3)


@pytest.fixture(scope="module")
def study(toy, tmp_path_factory):
    snps = toy.snps
    blocks = snps[["chrom", "ld_start", "ld_end", "snp"]].set_axis(["chrom", "start", "end", "snp"], axis=1)
    gmt = tmp_path_factory.mktemp("sets") / "sets.gmt"
    gmt.write_text("".join("\t".join([k, k, *v]) + "\n" for k, v in toy.gene_sets.items()))
    tools = {
        "great": {"gene_sets": str(gmt), "tss": toy.genes},
        "snpsea": {
            **{"snps": snps, "gene_matrix": toy.expression, "gene_intervals": toy.genes, "snp_intervals": blocks},
            **{"null_snps": snps.loc[snps["null"], "snp"], "max_iterations": 2000},
        },
        "motifs": {"motifs": toy.motifs, "sequences": toy.sequences},
    }
    adata = toy.adata.copy()
    adata.uns["genome"] = "hg38"
    cohort = make_cohort(Candidate("toy", "memory", adata.copy))
    return Study(cohort, standard_methods(5000), {"n_top": 60}, tools)


def test_sets_of_peaks(toy, study):
    sets = peak_sets.peak_sets(study, n_top=30)
    assert set(sets) == {OURS, DEFAULT, "EpiScanpy", "background"}
    planted = toy.adata.var["specific_to"]
    for name in (OURS, DEFAULT, "EpiScanpy"):
        own = sets[name]
        assert own.groupby("group").size().max() == 30
        right = (planted.reindex(own["peak"]).to_numpy() == own["group"].to_numpy()).mean()
        assert right > 0.4, name  # of 1,000 peaks by chance a tenth


def test_functions_of_the_planted_terms(study):
    table = functions.run(study)
    found = functions.find({"toy": table})
    assert set(found) == {claim.name for claim in functions.EXPERIMENT.claims}
    for against, suffix in functions.SUFFIXES.items():
        part = table[table["against"] == against]
        first = part[(part["peaks"] == DEFAULT) & (part["rank"] == 1)].set_index("group")["term"]
        assert first.to_dict() == {f"type_{i}": f"TERM_{i}" for i in (1, 2, 3)}
        each = part.drop_duplicates(["peaks", "group"])
        means = each.groupby("peaks")["significant"].mean()
        claim = found[f"functions against background{suffix}"]
        assert claim.ours == pytest.approx(means[OURS])
        assert claim.default == pytest.approx(means[DEFAULT])
        assert claim.holds == (means[OURS] > means["background"])
        assert f"against {against}" in claim.note
    assert found["monocyte terms"].ours is None
    assert len(functions.summary({"toy": table})) == len(table)
    mono = table.replace({"group": {"type_1": "CD14.Mono"}}).assign(term="response to bacterium")
    assert functions.find({"blood": mono})["monocyte terms"].ours == 5


@pytest.mark.skipif(shutil.which("bedtools") is None, reason="the program bedtools is not installed")
def test_tissues_of_the_planted_types(study):
    table = tissues.run(study)
    own = table[table["peaks"] == DEFAULT]
    best = own.loc[own.groupby("group")["pvalue"].idxmin()].set_index("group")["condition"]
    assert best.to_dict() == {f"type_{i}": f"tissue_{i}" for i in (1, 2, 3)}
    found = tissues.find({"toy": table})
    assert found["tissues against background"].ours >= 0
    assert tissues.summary({"toy": table}).groupby(["peaks", "group"]).size().max() == 3


def test_motifs_of_clusters(study):
    table = motifs.run(study)
    assert set(table["peaks"]) == {OURS, "EpiScanpy"}
    own = table[table["peaks"] == OURS].set_index("name")["variability"]
    planted = own[own.index.str.startswith("TF_")]
    assert planted.median() > own.drop(planted.index).median()
    assert set(table["type"]) <= {"type_1", "type_2", "type_3"}
    assert motifs.find({"toy": table})["factors of types"].ours is None
    named = table.replace({"type": {"type_1": "MEP"}, "name": {"TF_1": "GATA1"}})
    assert motifs.find({"toy": named})["factors of types"].ours == 1
    assert len(motifs.summary({"toy": table}))


def test_enrichment_of_heritability():
    rows = [(OURS, "a", 4.0), (OURS, "b", 2.0), (DEFAULT, "a", 3.0), ("EpiScanpy", "a", 5.0), ("background", "x", 1.0)]
    table = pd.DataFrame(rows, columns=["peaks", "group", "Enrichment"]).assign(trait="t")
    found = heritability.find({"toy": table})
    assert (found["heritability against background"].ours, found["heritability against background"].holds) == (4, True)
    assert found["heritability against EpiScanpy"].holds is False


def test_what_is_missing_is_said(study):
    bare = Study(study.data, study.methods, {"n_top": 60})
    assert "snpsea_data" in tissues.needs(bare)
    assert "ldsc_plink" in heritability.needs(bare)
    assert "hg19_fasta" in motifs.needs(bare)
    assert functions.needs(bare) == ""
    other = Cohort("x", study.adata, "cell_type", None, None, "", ())
    assert "genome of the peaks is not known" in functions.needs(Study(other, {}, {}))
    mouse = Cohort("x", study.adata, "cell_type", None, "mm10", "", ())
    assert "no gene sets for mm10" in functions.needs(Study(mouse, {}, {}))
    placeless = study.adata.copy()
    placeless.var = placeless.var[[]]
    assert "no coordinates" in functions.needs(Study(Cohort("x", placeless, "cell_type", None, "hg19", "", ()), {}, {}))
    with pytest.raises(KeyError, match="tools='nope'"):
        sk.reproduce(out="unused", tools={"nope": {}})


@pytest.mark.slow  # LD scores of a toy panel
@pytest.mark.skipif(shutil.which("bedtools") is None, reason="the program bedtools is not installed")
def test_heritability_of_the_planted_traits(tmp_path):
    toy = sk.datasets.toy_study()
    files = sk.datasets.toy_ldsc(toy, tmp_path / "ldsc")
    tools = {
        "ldsc": {
            **{"sumstats": {name: str(path) for name, path in files.sumstats.items()}, "panel": files.panel},
            **{"baseline": files.base, "snps": str(files.snps), "n_blocks": 50},
        }
    }
    adata = toy.adata.copy()
    adata.uns["genome"] = "hg38"
    cohort = make_cohort(Candidate("toy", "memory", adata.copy))
    table = heritability.run(Study(cohort, standard_methods(5000), {"n_top": 150}, tools))
    assert {"trait", "group", "Enrichment", "peaks"} <= set(table)
    found = heritability.find({"toy": table})
    assert found["heritability against background"].ours > 0
