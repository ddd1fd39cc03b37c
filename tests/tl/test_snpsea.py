"""SNPsea on the toy study: the planted tissue of every type, nothing in the background; both engines."""

import os
import shutil
import stat
import sys

import pandas as pd
import pytest

import sccase_kit as sk

pytestmark = pytest.mark.skipif(shutil.which("bedtools") is None, reason="the program bedtools is not installed")

LIMITS = {"min_observations": 50, "max_iterations": 10_000}


def inputs(study):
    snps = study.snps
    return {
        "gene_matrix": study.expression,
        "gene_intervals": study.genes,
        "snp_intervals": snps[["chrom", "ld_start", "ld_end", "snp"]].set_axis(
            ["chrom", "start", "end", "snp"], axis=1
        ),
        "null_snps": snps.loc[snps["null"], "snp"],
    }


def peaks_of(study):
    """Return the planted specific peaks with their type, and the peaks of no type."""
    var = study.adata.var
    own = var[var["specific_to"] != ""]
    return own.assign(group=own["specific_to"]), var[var["program"] == "background"]


@pytest.fixture(scope="module", params=[0, 1, 2])
def found(request):
    study = sk.datasets.toy_study(n_cells=60, rng=request.param)
    specific, background = peaks_of(study)
    table = sk.tl.snpsea(specific, study.snps, background=background, **inputs(study), **LIMITS)
    return study, table


@pytest.fixture(scope="module")
def small():
    return sk.datasets.toy_study(n_cells=24, n_peaks=600, n_types=2, n_decoys=3)


def test_planted_tissue_is_found_for_its_type_alone(found):
    study, table = found
    limit = 0.05 / table["condition"].nunique()
    for name, truth in study.planted.items():
        own = table[table["group"] == name].set_index("condition")["pvalue"]
        assert own.idxmin() == truth["tissue"]
        assert own[truth["tissue"]] < limit
        assert (own.drop(truth["tissue"]) > limit).all()


def test_background_is_not_significant(found):
    _, table = found
    background = table.loc[table["group"] == "background", "pvalue"]
    assert (background > 0.05 / len(background)).all()


def test_table_has_the_columns_of_the_program(found):
    study, table = found
    assert list(table.columns[:5]) == ["group", "condition", "pvalue", "nulls_observed", "nulls_tested"]
    assert list(table["group"].unique()[-1:]) == ["background"]
    assert len(table) == 6 * study.expression.shape[1]
    assert (table["n_snps"] > table["n_loci"]).all()
    expected = (table["nulls_observed"] + 1) / (table["nulls_tested"] + 1)
    pd.testing.assert_series_equal(table["pvalue"], expected.where(table["nulls_tested"] > 0, 1.0), check_names=False)
    assert table.attrs["snpsea"]["engine"] == "python"


def test_snps_are_those_inside_the_peaks(small):
    specific, _ = peaks_of(small)
    table = sk.tl.snpsea(specific, small.snps, **inputs(small), **LIMITS)
    for group, part in table.groupby("group"):
        inside = small.snps["peak"].isin(specific.index[specific["group"] == group])
        assert part["n_snps"].unique().tolist() == [inside.sum()]


def test_peaks_of_an_adata_and_results_by_group(small):
    adata = small.adata.copy()
    specific, background = peaks_of(small)
    adata.uns["specific_peaks"] = specific
    adata.uns["background_peaks"] = background
    results = sk.tl.snpsea(adata, small.snps, background=adata, **inputs(small), **LIMITS, return_results=True)
    assert sorted(results) == ["background", "type_1", "type_2"]
    planted = set(small.planted["type_1"]["genes"])
    genes = results["type_1"].loci["genes"].dropna().str.split(",").explode()
    assert planted <= set(genes)
    table = sk.tl.snpsea(adata, small.snps, background=adata, **inputs(small), **LIMITS)
    first = table[table["group"] == "type_1"].reset_index(drop=True)
    assert first["pvalue"].equals(results["type_1"].table["pvalue"])


def test_a_group_does_not_depend_on_the_others(small):
    specific, _ = peaks_of(small)
    both = sk.tl.snpsea(specific, small.snps, **inputs(small), **LIMITS, rng=4)
    alone = sk.tl.snpsea(specific[specific["group"] == "type_2"], small.snps, **inputs(small), **LIMITS, rng=4)
    pd.testing.assert_frame_equal(both[both["group"] == "type_2"].reset_index(drop=True), alone, check_flags=False)


def test_conditioning_takes_the_planted_tissue_away(small):
    specific, _ = peaks_of(small)
    own = specific[specific["group"] == "type_1"]
    table = sk.tl.snpsea(own, small.snps, **inputs(small), **LIMITS, condition=["tissue_1"])
    assert "tissue_1" not in set(table["condition"])
    assert (table["pvalue"] > 0.05 / len(table)).all()


def test_study_without_labels_is_one_group(small):
    specific, _ = peaks_of(small)
    own = specific.loc[specific["group"] == "type_1", ["chrom", "start", "end"]]
    assert sk.tl.snpsea(own, small.snps, **inputs(small), **LIMITS)["group"].unique().tolist() == ["peaks"]


def test_files_give_what_tables_give(small, tmp_path):
    paths = small.write(tmp_path / "toy")
    specific, _ = peaks_of(small)
    from_tables = sk.tl.snpsea(specific, small.snps, **inputs(small), **LIMITS)
    from_files = sk.tl.snpsea(
        specific,
        paths["snps"],
        paths["expression"],
        gene_intervals=paths["gene_intervals"],
        snp_intervals=paths["snp_intervals"],
        null_snps=paths["null_snps"],
        **LIMITS,
    )
    pd.testing.assert_frame_equal(from_tables, from_files)


def test_program_is_run_for_every_group(small, tmp_path, monkeypatch):
    paths = small.write(tmp_path / "toy")
    program = tmp_path / "bin" / "snpsea"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\n"
        "import pathlib, sys\n"
        "given = dict(zip(sys.argv[1::2], sys.argv[2::2]))\n"
        "n = len(pathlib.Path(given['--snps']).read_text().splitlines()) - 2\n"
        "rows = f'condition\\tpvalue\\tnulls_observed\\tnulls_tested\\ntissue_1\\t0.5\\t{n}\\t100\\n'\n"
        "pathlib.Path(given['--out'], 'condition_pvalues.txt').write_text(rows)\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    specific, _ = peaks_of(small)
    files = {k: paths[k] for k in ("gene_intervals", "snp_intervals", "null_snps")}
    table = sk.tl.snpsea(specific, small.snps, paths["expression"], **files, **LIMITS, engine="snpsea")
    assert sorted(table["group"]) == ["type_1", "type_2"]
    assert (table["nulls_observed"] == table["n_snps"]).all()
    with pytest.raises(TypeError, match="reads gene_matrix from a file, got DataFrame"):
        sk.tl.snpsea(specific, small.snps, small.expression, **files, **LIMITS, engine="snpsea")
    with pytest.raises(ValueError, match="return_results=True needs engine='python'"):
        sk.tl.snpsea(specific, small.snps, paths["expression"], **files, **LIMITS, engine="snpsea", return_results=True)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"engine": "c++"}, ValueError, "engine must be one of"),
        ({"groupby": "kind"}, KeyError, "groupby='kind' is not in the columns of regions"),
        ({"score": "mean"}, ValueError, "score must be one of"),
        ({"condition": ["kidney"]}, KeyError, "'kidney' is not among the conditions"),
    ],
)
def test_bad_options_are_named(small, options, error, message):
    specific, _ = peaks_of(small)
    with pytest.raises(error, match=message):
        sk.tl.snpsea(specific, small.snps, **inputs(small), **LIMITS, **options)


def test_adata_without_specific_peaks_says_what_to_run(small):
    with pytest.raises(KeyError, match="specific_peaks"):
        sk.tl.snpsea(small.adata, small.snps, **inputs(small), **LIMITS)


def test_group_called_background_is_refused(small):
    specific, background = peaks_of(small)
    with pytest.raises(ValueError, match="a group is called 'background'"):
        sk.tl.snpsea(specific.assign(group="background"), small.snps, background=background, **inputs(small), **LIMITS)
