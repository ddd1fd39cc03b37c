"""One call from peaks to GREAT, SNPsea and LDSC: planted truth, the folder, going on after a stop, errors."""

import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest

import sccase_kit as sk
from sccase_kit.interpret.steps import fingerprint

pytestmark = [
    pytest.mark.skipif(shutil.which("bedtools") is None, reason="the program bedtools is not installed"),
    pytest.mark.filterwarnings("ignore:.*fewer than 200,000.*", "ignore:annotations with few SNPs.*"),
]


@pytest.fixture(scope="module")
def study():
    study = sk.datasets.toy_study()
    sk.tl.enhance(study.adata)
    return study


@pytest.fixture(scope="module")
def options(study, tmp_path_factory):
    files = sk.datasets.toy_ldsc(study, tmp_path_factory.mktemp("ldsc"))
    blocks = study.snps[["chrom", "ld_start", "ld_end", "snp"]].set_axis(["chrom", "start", "end", "snp"], axis=1)
    snpsea = {
        "snps": study.snps,
        "gene_matrix": study.expression,
        "gene_intervals": study.genes,
        "snp_intervals": blocks,
        "null_snps": study.snps.loc[study.snps["null"], "snp"],
        "min_observations": 50,
        "max_iterations": 10_000,
    }
    return {
        "great": {"gene_sets": study.gene_sets, "tss": study.genes},
        "snpsea": snpsea,
        "ldsc": {"panel": files.panel, "sumstats": files.sumstats, "baseline": files.base, "snps": files.snps},
        "genome": "hg38",
        "data_genome": "hg38",
        "n_top": 150,
    }


@pytest.fixture(scope="module")
def done(study, options, tmp_path_factory):
    folder = tmp_path_factory.mktemp("meaning") / "toy"
    return sk.tl.interpret(study.adata, "cell_type", folder, **options), folder


def test_every_planted_truth_is_found_for_its_type_and_not_for_the_background(study, done):
    tables, _ = done
    great = tables["great"].pivot(index="ID", columns="group", values="Binom_Adjp_BH")
    tissues = tables["snpsea"].pivot(index="condition", columns="group", values="pvalue")
    traits = tables["ldsc"].pivot(index="trait", columns="group", values="Enrichment")
    trait_p = tables["ldsc"].pivot(index="trait", columns="group", values="Enrichment_p")
    for name, truth in study.planted.items():
        assert great[name].idxmin() == truth["term"]
        assert great.loc[truth["term"], name] < 1e-6
        assert tissues[name].idxmin() == truth["tissue"]
        assert tissues.loc[truth["tissue"], name] < 0.05 / len(tissues)
        assert traits.loc[truth["trait"]].idxmax() == name
        assert trait_p.loc[truth["trait"], name] < 0.05 / traits.shape[1]
    assert (great["background"] > 0.05).all()
    assert (tissues["background"] > 0.05 / len(tissues)).all()
    assert (trait_p["background"] > 0.05 / trait_p.size).all()


def test_folder_holds_inputs_results_figures_and_says_what_they_are(study, done):
    _, folder = done
    text = (folder / "README.md").read_text()
    for step in ("peaks", "great", "snpsea", "ldsc"):
        assert (folder / step / "result.tsv").is_file()
        assert f"`{step}/result.tsv`" in text
        assert not list(folder.glob(".*"))
    for step, ending in (("great", ".bed"), ("snpsea", ".gwas"), ("ldsc", ".bed")):
        names = {p.stem for p in (folder / step / "input").iterdir() if p.suffix == ending}
        assert names == {*study.planted, "background"}
    assert {p.stem for p in (folder / "ldsc").glob("*.png")} == {t["trait"] for t in study.planted.values()}
    assert {p.stem for p in (folder / "snpsea").glob("*.png")} == set(study.planted)
    assert (folder / "great" / "great.png").stat().st_size > 10_000


def test_tables_are_those_of_the_single_calls(study, done, options):
    tables, _ = done
    peaks = tables["peaks"]
    direct = sk.tl.great(peaks, "hg38", **options["great"])
    assert tables["great"].columns.tolist() == direct.columns.tolist()
    assert tables["great"]["Genes"].tolist() == direct["Genes"].tolist()
    np.testing.assert_allclose(tables["great"]["Binom_Raw_PValue"], direct["Binom_Raw_PValue"], rtol=1e-12)
    assert peaks.groupby("group").size().eq(150).all()
    stored = study.adata.uns["specific_peaks"]["peaks"]
    assert peaks.loc[peaks["group"] != "background", "peak"].tolist() == stored["peak"].tolist()
    ax = sk.pl.snpsea(tables["snpsea"], ["type_1"])
    assert len(ax) == 2  # the correlation of the tissues has come back with the table


def times(folder):
    return {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file() and p.name != "README.md"}


def test_second_call_keeps_everything_and_gives_the_same(study, done, options):
    tables, folder = done
    before = times(folder)
    again = sk.tl.interpret(study.adata, "cell_type", folder, **options)
    assert times(folder) == before
    for name, table in tables.items():
        pd.testing.assert_frame_equal(again[name], table)


def test_changed_options_make_only_their_step_anew(study, done, options, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(done[1], folder)
    before = times(folder)
    changed = options | {"great": options["great"] | {"extension": 500_000}}
    sk.tl.interpret(study.adata, "cell_type", folder, **changed)
    touched = {p.relative_to(folder).parts[0] for p, t in times(folder).items() if before.get(p) != t}
    assert touched == {"great", "call.json"}


def test_stopped_step_is_made_again_and_the_others_kept(study, options, tmp_path, monkeypatch):
    import sccase_kit.tl._interpret as module

    folder = tmp_path / "stopped"
    real = module.run_snpsea

    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "run_snpsea", stop)
    with pytest.raises(KeyboardInterrupt):
        sk.tl.interpret(study.adata, "cell_type", folder, **options)
    assert {p.name for p in folder.iterdir()} == {"peaks", "great"}
    before = times(folder)
    monkeypatch.setattr(module, "run_snpsea", real)
    tables = sk.tl.interpret(study.adata, "cell_type", folder, **options)
    assert set(tables) == {"peaks", "great", "snpsea", "ldsc"}
    assert {p: t for p, t in times(folder).items() if p in before} == before


def test_inputs_only(study, options, tmp_path):
    only = {"snps": options["snpsea"]["snps"]}
    tables = sk.tl.interpret(
        study.adata, "cell_type", tmp_path / "out", genome="hg38", data_genome="hg38", n_top=150, snpsea=only,
        ldsc={"panel": options["ldsc"]["panel"]},
    )  # fmt: skip
    assert set(tables) == {"peaks"}
    for step in ("great", "snpsea", "ldsc"):
        assert sorted(p.name for p in (tmp_path / "out" / step).iterdir()) == ["input", "step.json"]


def test_peaks_are_lifted_over_and_losses_are_told(study, options, tmp_path):
    """A chain that moves chr1 by 1,000 and knows no other chromosome."""
    size = 248_956_422
    chain = tmp_path / "to.chain"
    chain.write_text(f"chain 1 chr1 {size} + 0 {size - 1000} chr1 {size} + 1000 {size} 1\n{size - 1000}\n\n")
    snps = study.snps.assign(pos=study.snps["pos"] + 1000)
    with (
        pytest.warns(UserWarning, match="sequences that are not among those that the chain starts from"),
        pytest.warns(UserWarning, match="peaks could not be lifted over"),
    ):
        sk.tl.interpret(
            study.adata, "cell_type", tmp_path / "out", genome="hg38", chain=chain, n_top=150, snpsea={"snps": snps}
        )
    peaks = pd.read_csv(tmp_path / "out/peaks/result.tsv", sep="\t")
    lifted = pd.read_csv(tmp_path / "out/peaks/lifted.tsv", sep="\t")
    lost = pd.read_csv(tmp_path / "out/peaks/lost.tsv", sep="\t")
    own = peaks[peaks["chrom"] == "chr1"]
    np.testing.assert_array_equal(np.sort(lifted["start"]), np.sort(own["start"] + 1000))
    assert len(lost) == len(peaks) - len(own)
    assert "lost.tsv" in (tmp_path / "out/README.md").read_text()


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"data_genome": "hg19"}, ValueError, r"give chain=.*data_genome='hg38'"),
        ({"genome": "hg17"}, ValueError, "genome must be one of"),
        ({"snpsea": {"gene_matrix": None}}, KeyError, "needs the option 'snps'"),
        ({"ldsc": {"sumstats": {}}}, KeyError, "needs the option 'panel'"),
        ({"key": "other"}, KeyError, "other"),
    ],
)
def test_what_is_missing_is_said_before_any_work(study, options, tmp_path, change, error, match):
    with pytest.raises(error, match=match):
        sk.tl.interpret(study.adata, "cell_type", tmp_path / "out", **options | change)
    assert not (tmp_path / "out").exists()


def test_error_names_the_step(study, options, tmp_path):
    partial = {k: v for k, v in options["snpsea"].items() if k != "null_snps"}
    with pytest.raises(KeyError, match="null_snps") as caught:
        sk.tl.interpret(study.adata, "cell_type", tmp_path / "out", **options | {"snpsea": partial})
    assert "the step 'snpsea'" in caught.value.__notes__[0]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["great", "peaks"]


def test_groups_that_are_a_large_part_of_the_background_are_told(study, options, tmp_path):
    great = {**options["great"], "background": study.adata}
    with pytest.warns(UserWarning, match=r"groups are more than 10% of the 3,000 .* fewer peaks per group do not help"):
        sk.tl.interpret(study.adata.copy(), "cell_type", tmp_path / "large", genome="hg38", great=great, n_top=400)


def test_group_called_background(study, options, tmp_path):
    adata = study.adata.copy()
    adata.obs["label"] = adata.obs["cell_type"].cat.rename_categories({"type_1": "background"})
    with pytest.raises(ValueError, match="a group is called 'background'"):
        sk.tl.interpret(adata, "label", tmp_path / "out", **options)


def test_groups_of_any_name_have_files_and_the_table_names_them(study, tmp_path):
    """Slashes, alike names, and 400 characters: each has its files, under the name that groups.tsv gives."""
    adata = study.adata[:300].copy()
    kinds = list(adata.obs["cell_type"].astype("category").cat.categories)
    names = dict(zip(kinds, ["T/NK", "T NK", "long " * 80, *kinds[3:]], strict=True))
    adata.obs["odd"] = adata.obs["cell_type"].astype(str).map(names).astype("category")
    tables = sk.tl.interpret(
        adata,
        "odd",
        tmp_path / "out",
        genome="hg38",
        great={"gene_sets": study.gene_sets, "tss": study.genes},
        n_top=50,
    )
    assert set(tables["great"]["group"]) >= {"T/NK", "T NK"}
    groups = pd.read_csv(tmp_path / "out" / "peaks" / "groups.tsv", sep="\t", dtype=str)
    assert set(groups["group"]) == set(names.values())
    for folder in ("peaks", "great/input"):
        assert all((tmp_path / "out" / folder / file).is_file() for file in groups["file"])
    assert groups["file"].is_unique


def test_damaged_record_is_not_trusted(study, tmp_path):
    folder = tmp_path / "out"
    sk.tl.interpret(study.adata, "cell_type", folder, genome="hg38", n_top=50)
    record = folder / "great" / "step.json"
    for text in ("{", json.dumps({"fingerprint": "0"}), "[]"):
        record.write_text(text)
        sk.tl.interpret(study.adata, "cell_type", folder, genome="hg38", n_top=50)
        assert len(json.loads(record.read_text())["fingerprint"]) == 64


def test_fingerprint_sees_what_matters(tmp_path):
    file = tmp_path / "panel.1.bim"
    file.write_text("a")
    frame = pd.DataFrame({"a": [1, 2]})
    values = [
        *({"a": 1}, {"a": 2}, {"b": 1}, [1, 2], [2, 1], "x", None, str(tmp_path / "panel.")),
        *(frame, frame.assign(a=[1, 3]), frame.rename(columns={"a": "b"})),
        *(np.arange(3), np.arange(4), np.random.default_rng(0), np.random.default_rng(1)),
    ]
    marks = [fingerprint(v) for v in values]
    assert len(set(marks)) == len(marks)
    assert marks == [fingerprint(v) for v in values]
    file.write_text("bb")
    assert fingerprint(str(tmp_path / "panel.")) not in marks
    os.utime(file, ns=(0, 0))
    assert fingerprint(str(file)) == fingerprint(str(file))


def test_a_chain_that_nothing_needs_is_named(study, options, tmp_path):
    with pytest.warns(UserWarning, match="chain is for snpsea and ldsc, of which none is asked for"):
        sk.tl.interpret(study.adata, "cell_type", tmp_path / "out", genome="hg38", n_top=50, chain="to.chain")
