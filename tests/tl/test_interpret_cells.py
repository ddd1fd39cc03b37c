"""The steps of an interpretation that look at cells: motifs and genes of their factors, traits; gene sets by name."""

import json
import shutil
import warnings

import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk

pytestmark = pytest.mark.skipif(shutil.which("bedtools") is None, reason="the program bedtools is not installed")


@pytest.fixture(scope="module")
def study():
    study = sk.datasets.toy_study(n_cells=120, n_peaks=600)
    sk.pp.filter_peaks(study.adata)
    sk.tl.enhance(study.adata)
    return study


@pytest.fixture(scope="module")
def motifs(study):
    """The toy's motifs under the names of genes next to peaks, one of them a dimer."""
    table = sk.get.specific_peaks(sk.tl.specific_peaks(study.adata, "cell_type", genome="hg38", copy=True), "type_1")
    genes = [gene for gene in dict.fromkeys(table["nearest_gene"]) if gene][: len(study.motifs)]
    named = {gene: list(study.motifs.values())[k] for k, gene in enumerate(genes)}
    first, second = genes[:2]
    return {f"{first}::{second}" if gene == first else gene: counts for gene, counts in named.items()}


@pytest.fixture(scope="module")
def variants(study):
    """Variants in the peaks that are specific to the second type, and in peaks of no type."""
    own = study.adata.var["specific_to"].astype(str) == "type_2"
    tables = {}
    for name, chosen in (("second", own), ("none", ~own)):
        peaks = study.adata.var[chosen].iloc[:40]
        tables[name] = pd.DataFrame({"chrom": peaks["chrom"], "start": peaks["start"] + 5, "end": peaks["start"] + 6})
        tables[name]["pip"] = 0.9
    return tables


@pytest.fixture(scope="module")
def done(study, motifs, variants, tmp_path_factory):
    folder = tmp_path_factory.mktemp("meaning") / "toy"
    options = {
        "genome": "hg38",
        "n_top": 40,
        "motifs": {"motifs": motifs, "sequences": study.sequences},
        "traits": {"variants": variants, "n_permutations": 49},
    }
    with pytest.warns(UserWarning, match="have a peak in reach|have no gene in genes"):
        tables = sk.tl.interpret(study.adata, "cell_type", folder, **options)
    return tables, folder, options


@pytest.mark.filterwarnings("ignore:only .* of the .* genes have a peak in reach", "ignore:.*have no gene in genes")
def test_motifs_are_those_of_the_single_calls(study, motifs, done):
    tables, folder, _ = done
    table = tables["motifs"]
    assert not {"motifs", "chromvar_z", "gene_activity"} & {*study.adata.varm, *study.adata.obsm, *study.adata.uns}
    alone = study.adata.copy()
    sk.tl.match_motifs(alone, motifs, sequences=study.sequences)
    sk.tl.chromvar(alone, method="analytic")
    expected = sk.tl.differential_deviations(alone, "cell_type")
    assert table["set"].tolist() == expected["set"].tolist()
    np.testing.assert_allclose(table["effect_size"], expected["effect_size"], rtol=1e-9)
    known = table.dropna(subset="effect_size").sort_values("effect_size")
    best = known.groupby("group").tail(1).set_index("group")["set"]
    planted = dict(zip(study.motifs, motifs, strict=True))
    assert best.to_dict() == {name: planted[truth["motif"]] for name, truth in study.planted.items()}
    hits = dict(zip(alone.uns["motifs"]["names"], np.asarray(alone.varm["motifs"].sum(axis=0)).ravel(), strict=True))
    assert table["n_peaks"].tolist() == [hits[name] for name in table["set"]]
    sk.tl.gene_activity(alone, "hg38")
    fits = sk.tl.motif_genes(alone).drop_duplicates("set").set_index("set")
    found = table.drop_duplicates("set").set_index("set")
    np.testing.assert_allclose(found["gene_correlation"], fits.loc[found.index, "correlation"], rtol=1e-9)
    dimer = next(name for name in motifs if "::" in name)
    assert found.loc[dimer, "gene"] in dimer.split("::")
    assert pd.read_csv(folder / "motifs" / "genes.tsv", sep="\t")["set"].tolist().count(dimer) == 2
    assert (folder / "motifs" / "motifs.png").stat().st_size > 0
    text = (folder / "README.md").read_text()
    assert "`motifs/genes.tsv`" in text
    assert "`traits/traits.png`" in text


def test_matrices_of_the_leading_motifs_are_kept_for_the_page(motifs, done):
    _, folder, _ = done
    kept = json.loads((folder / "motifs" / "attributes.json").read_text())["motifs"]
    ends = np.cumsum(kept["widths"])
    profiles = np.array(kept["profiles"])
    assert profiles.shape == (4, ends[-1])
    for name, end, width in zip(kept["names"], ends, kept["widths"], strict=True):
        np.testing.assert_allclose(profiles[:, end - width : end], motifs[name])


def test_traits_are_those_of_the_single_call(study, variants, done):
    table = done[0]["traits"]
    assert "traits" not in study.adata.uns
    alone = sk.tl.trait_scores(study.adata, variants, "cell_type", bias="gc", n_permutations=49, copy=True)
    expected = alone.uns["traits"]["groups"]
    assert table[["trait", "group"]].values.tolist() == expected[["trait", "group"]].values.tolist()
    np.testing.assert_allclose(table["score"], expected["score"], rtol=1e-9)
    assert table[table["trait"] == "second"].iloc[0]["group"] == "type_2"


@pytest.mark.filterwarnings("ignore:only .* of the .* genes have a peak in reach", "ignore:.*have no gene in genes")
def test_steps_are_kept_and_made_anew_for_another_option(study, done):
    _, folder, options = done
    times = {name: (folder / name / "step.json").stat().st_mtime_ns for name in ("motifs", "traits")}
    changed = {**options, "traits": {**options["traits"], "n_permutations": 19}}
    sk.tl.interpret(study.adata, "cell_type", folder, **changed)
    assert (folder / "motifs" / "step.json").stat().st_mtime_ns == times["motifs"]
    assert (folder / "traits" / "step.json").stat().st_mtime_ns != times["traits"]


def test_peaks_without_sequence_are_counted_and_left_out(study, motifs, tmp_path):
    names = list(study.adata.var_names)
    sequences = {name: study.sequences[name] if k % 3 else "N" * 50 for k, name in enumerate(names)}
    given = {"motifs": motifs, "sequences": sequences}
    adata = study.adata.copy()
    del adata.var["gc"]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        table = sk.tl.interpret(adata, "cell_type", tmp_path / "out", genome="hg38", n_top=20, motifs=given)["motifs"]
    assert set(table["group"]) == set(study.adata.obs["cell_type"])
    texts = [str(one.message) for one in said]
    assert any(f"{len(names[::3])} of {len(names)} peaks have no sequence" in text for text in texts), texts


@pytest.mark.filterwarnings("ignore:only .* of the .* genes have a peak in reach", "ignore:.*have no gene in genes")
def test_matches_of_another_tool_need_no_sequence(study, motifs, done, tmp_path):
    adata = study.adata.copy()
    sk.tl.match_motifs(adata, motifs, sequences=study.sequences)
    matches = pd.DataFrame(adata.varm["motifs"].toarray() != 0, adata.var_names, adata.uns["motifs"]["names"])
    del adata.uns["motifs"], adata.var["gc"]
    adata.varm["motifs"] = matches
    with pytest.warns(UserWarning, match=r"GC content of the peaks is not known .* matched by reads alone"):
        table = sk.tl.interpret(adata, "cell_type", tmp_path / "out", genome="hg38", n_top=20, motifs={})["motifs"]
    expected = done[0]["motifs"]
    assert set(table["set"]) == set(expected["set"])
    alone = adata.copy()
    sk.tl.chromvar(alone, method="analytic", bias=None)
    effects = sk.tl.differential_deviations(alone, "cell_type")["effect_size"]
    np.testing.assert_allclose(table["effect_size"], effects, rtol=1e-9)
    genes = [t.drop_duplicates("set").set_index("set")["gene"].dropna() for t in (table, expected)]
    assert genes[0].sort_index().to_dict() == genes[1].sort_index().to_dict()


@pytest.mark.filterwarnings("ignore:only .* of the .* genes have a peak in reach", "ignore:.*have no gene in genes")
@pytest.mark.filterwarnings(
    "ignore:.*GC content of the peaks is not known", "ignore:no factor of the motifs has a gene"
)
def test_sites_of_factors_need_no_sequence(study, motifs, tmp_path):
    adata = study.adata.copy()
    del adata.var["gc"]
    adata.uns["motifs"] = {"mine": 1}
    columns = zip(motifs, np.asarray(adata.varm["planted_motifs"]).T, strict=True)
    sites = {name.replace("::", "-"): adata.var.loc[column, ["chrom", "start", "end"]] for name, column in columns}
    sites = {name: table for name, table in sites.items() if len(table)}
    folder = tmp_path / "sites"
    folder.mkdir()
    for name, table in sites.items():
        table.to_csv(folder / f"{name}.bed", sep="\t", header=False, index=False)
    options = {"genome": "hg38", "n_top": 20, "motifs": {"sites": folder}}
    table = sk.tl.interpret(adata, "cell_type", tmp_path / "out", **options)["motifs"]
    assert adata.uns["motifs"] == {"mine": 1}
    alone = adata.copy()
    sk.tl.chromvar(alone, sites, method="analytic", bias=None, key_added="sites")
    expected = sk.tl.differential_deviations(alone, "cell_type", key="sites").set_index(["group", "set"])
    found = table.set_index(["group", "set"]).loc[expected.index, "effect_size"]
    np.testing.assert_allclose(found, expected["effect_size"], rtol=1e-9)
    step = tmp_path / "out" / "motifs" / "step.json"
    before = step.stat().st_mtime_ns
    sk.tl.interpret(adata, "cell_type", tmp_path / "out", **options)
    assert step.stat().st_mtime_ns == before
    first = next(iter(sites))
    sites[first].iloc[:-1].to_csv(folder / f"{first}.bed", sep="\t", header=False, index=False)
    sk.tl.interpret(adata, "cell_type", tmp_path / "out", **options)
    assert step.stat().st_mtime_ns != before
    with pytest.raises(ValueError, match=r"\['p_cutoff'\] belong to motifs that are looked for"):
        sk.tl.interpret(adata, "cell_type", tmp_path / "x", **options | {"motifs": {"sites": sites, "p_cutoff": 0.1}})


def test_one_group_and_missing_options(study, tmp_path):
    adata = study.adata.copy()
    adata.obs["one"] = "all"
    with pytest.raises(KeyError, match="traits needs the option 'variants'"):
        sk.tl.interpret(adata, "one", tmp_path / "a", genome="hg38", traits={})
    with pytest.raises(KeyError, match="motifs needs genome_fasta or sequences"):
        sk.tl.interpret(adata, "cell_type", tmp_path / "b", genome="hg38", n_top=20, motifs={})
    assert (tmp_path / "b" / "peaks" / "result.tsv").is_file()


def test_a_collection_that_is_not_on_this_machine_is_named_and_the_rest_is_done(study, tmp_path, monkeypatch):
    monkeypatch.setenv("SCCASE_KIT_GENE_SETS", str(tmp_path / "none"))
    adata = study.adata.copy()  # hg38 positions taken for mm10: coordinates are coordinates
    adata.var["chrom"] = "chr1"
    adata.var["start"] = 3_000_000 + 10_000 * np.arange(adata.n_vars)
    adata.var["end"] = adata.var["start"] + 500
    with pytest.warns(UserWarning, match=r"GO:BP: .*sccase-kit gene-sets build --species mouse"):
        tables = sk.tl.interpret(
            adata, "cell_type", tmp_path / "out", genome="mm10", n_top=30, great={"gene_sets": "GO:BP"}
        )
    assert set(tables) == {"peaks"}
    assert (tmp_path / "out" / "great" / "input").is_dir()
    with pytest.warns(UserWarning, match="gene sets are left out: GO:BP"):
        tables = sk.tl.interpret(
            adata, "cell_type", tmp_path / "out", genome="mm10", n_top=30,
            great={"gene_sets": ["GO:BP", {"set": ["Sox17", "Xkr4", "Mrpl15", "Lypla1", "Tcea1"]}], "min_genes": 1},
        )  # fmt: skip
    assert set(tables["great"]["name"]) == {"set"}
    with pytest.raises(FileNotFoundError, match=r"no GMT file 'mine\.gmt'"):
        sk.tl.interpret(adata, "cell_type", tmp_path / "x", genome="mm10", n_top=30, great={"gene_sets": "mine.gmt"})
