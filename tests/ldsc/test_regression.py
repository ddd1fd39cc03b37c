"""Partitioned heritability: ldsc 1.0.1's tables, a literal jackknife, and what does not fit."""

import shutil

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sccase_kit import regions
from sccase_kit.ldsc.regression import block_bounds, heritability_weights, jackknife, regress
from sccase_kit.regions import ReferenceScores, combine_scores, ldsc_cts, ldsc_h2

pytestmark = pytest.mark.filterwarnings("ignore:.*fewer than 200,000.*")


@pytest.fixture(scope="module")
def files(golden, tmp_path_factory):
    """Put scores, annotations and frequencies of the golden run into one folder, as their prefixes need it."""
    folder = tmp_path_factory.mktemp("ldsc")
    source = golden / "ldsc"
    for file in [*source.glob("output/*.l2.*"), *source.glob("input/annot/*"), *source.glob("input/*.frq")]:
        shutil.copy(file, folder / file.name)
    return folder


@pytest.fixture(scope="module")
def scores(files):
    return {name: regions.read_ld_scores(files / f"{name}.") for name in ("base", "celltype", "background", "weights")}


@pytest.fixture(scope="module")
def sumstats(golden):
    return golden / "ldsc/output/gwas.sumstats.gz"


def test_results_of_the_original(golden, files, scores, sumstats):
    names = ["base", "celltype", "background"]
    joint = combine_scores([scores[n] for n in names])
    overlap, n = regions.common_overlap([files / f"{n}." for n in names], files / "panel.")
    found = ldsc_h2(sumstats, ReferenceScores(joint.table, joint.m, overlap, n), scores["weights"]).table
    expected = pd.read_csv(golden / "ldsc/output/part.results", sep="\t")
    assert list(found.columns) == list(expected.columns)
    assert found["Category"].tolist() == expected["Category"].tolist()
    np.testing.assert_allclose(found.iloc[:, 1:].to_numpy(float), expected.iloc[:, 1:].to_numpy(float), rtol=1e-8)


def test_cell_type_test_of_the_original(golden, scores, sumstats):
    types = {"celltype": [scores["celltype"], scores["background"]], "background": scores["background"]}
    found = ldsc_cts(sumstats, scores["base"], scores["weights"], cell_types=types)
    expected = pd.read_csv(golden / "ldsc/output/cts.cell_type_results.txt", sep="\t")
    assert found["Name"].tolist() == expected["Name"].tolist()
    np.testing.assert_allclose(found.iloc[:, 1:].to_numpy(float), expected.iloc[:, 1:].to_numpy(float), rtol=1e-8)


def test_log_of_the_original(golden, scores, sumstats):
    found = ldsc_h2(sumstats, combine_scores([scores["base"]]), scores["weights"])
    log = (golden / "ldsc/output/h2.log").read_text()
    assert f"Total Observed scale h2: {round(found.h2, 4)} ({round(found.h2_se, 4)})" in log
    assert f"Intercept: {round(found.intercept, 4)} ({round(found.intercept_se, 4)})" in log
    assert f"Lambda GC: {round(found.info['lambda_gc'], 4)}" in log
    assert f"Mean Chi^2: {round(found.info['mean_chi2'], 4)}" in log


def made_up(rng, n_snps=900, names=("base", "one")):
    """Return statistics and references of random, positive LD scores."""
    base = {"CHR": ["1"] * n_snps, "SNP": [f"rs{i}" for i in range(n_snps)], "BP": np.arange(n_snps) * 100}
    ld = rng.gamma(4.0, 6.0, size=(n_snps, len(names)))
    table = pd.DataFrame(base | {name: ld[:, j] for j, name in enumerate(names)})
    m = rng.integers(2_000, 5_000, size=len(names)).astype(float)
    weight = pd.DataFrame(base | {"w": rng.gamma(4.0, 4.0, size=n_snps)})
    tau = rng.random(len(names)) * 1e-5
    n = rng.integers(9_000, 11_000, size=n_snps).astype(float)
    z = rng.normal(size=n_snps) * np.sqrt(1 + n * (ld @ tau))
    statistics = pd.DataFrame({"SNP": base["SNP"], "N": n, "Z": z})
    return statistics, ReferenceScores(table, m), ReferenceScores(weight, np.array([1e4]))


def test_jackknife_equals_deleting_the_rows():
    rng = np.random.default_rng(0)
    x, y, w = rng.normal(size=(203, 3)), rng.normal(size=203), rng.random(203) + 0.1
    bounds = block_bounds(203, 10)
    found = jackknife(x, y, w, bounds)

    def solve(keep):
        root = np.sqrt(w[keep])[:, None]
        return np.linalg.lstsq(x[keep] * root, y[keep] * root[:, 0], rcond=None)[0]

    np.testing.assert_allclose(found.estimate, solve(np.ones(203, bool)), rtol=1e-10)
    deleted = []
    for i in range(10):
        keep = np.ones(203, bool)
        keep[bounds[i] : bounds[i + 1]] = False
        deleted.append(solve(keep))
    np.testing.assert_allclose(found.deleted, deleted, rtol=1e-9)
    pseudo = 10 * found.estimate - 9 * np.array(deleted)
    np.testing.assert_allclose(found.covariance, np.cov(pseudo.T) / 10, rtol=1e-9)


def test_two_step_equals_its_definition():
    statistics, reference, weights = made_up(np.random.default_rng(3), names=("base",))
    chi2, ld = statistics["Z"].to_numpy() ** 2, reference.table["base"].to_numpy()
    n, w, m = statistics["N"].to_numpy(), weights.table["w"].to_numpy(), reference.m[0]
    found = regress(chi2, ld[:, None], w, n, reference.m, n_blocks=20, two_step=5.0)

    mean_n = n.mean()
    x = n * ld / mean_n
    start = heritability_weights(ld, w, n, m, m * (chi2.mean() - 1) / np.mean(ld * n))

    def fit(regressors, y, weight):  # ldsc takes these weights as squared factors of rows that sum to 1
        root = np.sqrt(weight) / np.sqrt(weight).sum()
        return np.linalg.lstsq(regressors * root[:, None], y * root, rcond=None)[0]

    low = chi2 < 5
    one = np.column_stack([x, np.ones_like(x)])[low]
    weight = start[low]
    for _ in range(2):
        b = fit(one, chi2[low], weight)
        weight = heritability_weights(x[low], w[low], n[low], m, m * b[0] / mean_n, b[1])
    intercept = fit(one, chi2[low], weight)[1]
    weight = start
    for _ in range(2):
        b = fit(x[:, None], chi2 - intercept, weight)
        weight = heritability_weights(x, w, n, m, m * b[0] / mean_n, intercept)
    slope = fit(x[:, None], chi2 - intercept, weight)[0]
    assert found.intercept == pytest.approx(intercept, rel=1e-9)
    assert found.coefficients[0] == pytest.approx(slope / mean_n, rel=1e-9)


def test_enrichment_without_overlap_is_share_over_share():
    statistics, reference, weights = made_up(np.random.default_rng(4))
    found = ldsc_h2(statistics, reference, weights, n_blocks=50)
    tau, m = found.table["Coefficient"].to_numpy(), reference.m
    np.testing.assert_allclose(found.table["Prop._h2"], tau * m / (tau @ m), rtol=1e-12)
    np.testing.assert_allclose(found.table["Prop._SNPs"], m / m.sum(), rtol=1e-12)
    np.testing.assert_allclose(found.table["Enrichment"], found.table["Prop._h2"] / found.table["Prop._SNPs"])
    assert found.h2 == pytest.approx(tau @ m)
    error = found.table["Coefficient"] / found.table["Coefficient_std_error"]
    np.testing.assert_allclose(found.table["Coefficient_z-score"], error)


def test_overlap_makes_the_whole_genome_carry_everything():
    statistics, reference, weights = made_up(np.random.default_rng(5))
    overlap = np.array([[8_000.0, 900.0], [900.0, 900.0]])
    nested = ReferenceScores(reference.table, np.array([8_000.0, 900.0]), overlap, 8_000)
    table = ldsc_h2(statistics, nested, weights, n_blocks=50).table.set_index("Category")
    assert table.loc["base", "Prop._h2"] == pytest.approx(1)
    assert table.loc["base", "Enrichment"] == pytest.approx(1)
    assert np.isnan(table.loc["base", "Enrichment_p"])
    tau = table["Coefficient"]
    share = 900 * tau.sum() / (8_000 * tau["base"] + 900 * tau["one"])
    assert table.loc["one", "Prop._h2"] == pytest.approx(share)


def test_z_of_the_cell_type_gives_the_one_sided_p():
    statistics, reference, weights = made_up(np.random.default_rng(6), names=("base", "one"))
    base = ReferenceScores(reference.table.drop(columns="one"), reference.m[:1])
    one = ReferenceScores(reference.table.drop(columns="base"), reference.m[1:])
    found = ldsc_cts(statistics, base, weights, cell_types={"one": one}, n_blocks=50).iloc[0]
    z = found["Coefficient"] / found["Coefficient_std_error"]
    assert found["Coefficient_P_value"] == pytest.approx(stats.norm.sf(z))
    swapped = combine_scores([one, base])
    assert found["Coefficient"] == pytest.approx(
        ldsc_h2(statistics, swapped, weights, n_blocks=50).table["Coefficient"].iloc[0]
    )


def test_order_of_the_snps_does_not_matter():
    rng = np.random.default_rng(7)
    statistics, reference, weights = made_up(rng)
    order = rng.permutation(len(statistics))
    shuffled = ReferenceScores(reference.table.iloc[order], reference.m)
    a = ldsc_h2(statistics, reference, weights, n_blocks=50).table
    b = ldsc_h2(statistics.sample(frac=1, random_state=0), shuffled, weights, n_blocks=50).table
    pd.testing.assert_frame_equal(a, b)


def test_large_chi2_and_annotations_that_do_not_vary_are_left_out():
    statistics, reference, weights = made_up(np.random.default_rng(8), names=("base", "one", "flat"))
    reference.table["flat"] = 3.0
    statistics["Z"] = statistics["Z"].clip(-8.9, 8.9)
    statistics.loc[[5, 9], "Z"] = 9.0  # χ² = 81; the limit is 80
    with pytest.warns(UserWarning, match=r"without variation .*\['flat'\]"):
        found = ldsc_h2(statistics, reference, weights, n_blocks=50)
    assert found.table["Category"].tolist() == ["base", "one"]
    assert found.info["n_removed"] == 2
    assert found.info["n_snps"] == len(statistics) - 2


def test_collinear_annotations_are_named():
    statistics, reference, weights = made_up(np.random.default_rng(9))
    reference.table["one"] = reference.table["base"] * 2 + 1e-7 * np.arange(len(statistics))
    with pytest.warns(UserWarning, match="almost collinear"):
        ldsc_h2(statistics, reference, weights, n_blocks=50)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda s, r, w: (s.assign(SNP="x" + s["SNP"]), r, w), "no SNP in common"),
        (lambda s, r, w: (s.head(40), r, w), "only 40 SNPs remain for 50"),
        (lambda s, r, w: (s, r, ReferenceScores(r.table, r.m)), "weights must hold one column"),
        (lambda s, r, w: (pd.concat([s, s]), r, w), "more than once, such as 'rs0'"),
        (lambda s, r, w: (s.assign(Z=np.nan), r, w), "no SNP with N and Z"),
        (lambda s, r, w: (s, ReferenceScores(r.table.assign(base=1.0, one=2.0), r.m), w), "no annotation has LD"),
    ],
)
def test_inputs_that_do_not_fit(change, match):
    with pytest.raises(ValueError, match=match):
        ldsc_h2(*change(*made_up(np.random.default_rng(0))), n_blocks=50)


def test_statistics_that_were_not_munged():
    _, reference, weights = made_up(np.random.default_rng(0))
    with pytest.raises(KeyError, match=r"use regions\.munge_sumstats first"):
        ldsc_h2(pd.DataFrame({"SNP": ["rs1"], "P": [0.1]}), reference, weights)
    with pytest.raises(FileNotFoundError, match="there is no file 'nowhere"):
        ldsc_h2("nowhere.sumstats.gz", reference, weights)


def test_references_over_different_snps():
    _, reference, _ = made_up(np.random.default_rng(0))
    with pytest.raises(ValueError, match="hold different SNPs"):
        combine_scores([reference, ReferenceScores(reference.table.iloc[1:], reference.m)])


def test_few_snps_warn_as_in_the_original():
    with pytest.warns(UserWarning, match=r"\d+ SNPs are in the regression; fewer than 200,000"):
        ldsc_h2(*made_up(np.random.default_rng(1)), n_blocks=50)


def write_scores(folder, name, chroms=("1", "2"), columns=("a",)):
    for chrom in chroms:
        table = pd.DataFrame({"CHR": [chrom] * 3, "SNP": [f"rs{chrom}{i}" for i in range(3)], "BP": [30, 10, 20]})
        for j, column in enumerate(columns):
            table[column] = np.arange(3.0) + j
        table.to_csv(folder / f"{name}{chrom}.l2.ldscore.gz", sep="\t", index=False)
        (folder / f"{name}{chrom}.l2.M").write_text("\t".join(["10"] * len(columns)) + "\n")
        (folder / f"{name}{chrom}.l2.M_5_50").write_text("\t".join(["7"] * len(columns)) + "\n")


def test_chromosomes_are_joined_in_natural_order(tmp_path):
    write_scores(tmp_path, "s.", chroms=("1", "2", "10"))
    found = regions.read_ld_scores(tmp_path / "s.")
    assert found.table["SNP"].tolist() == [f"rs{c}{i}" for c in (1, 2, 10) for i in (1, 2, 0)]
    assert found.m.tolist() == [21]
    assert regions.read_ld_scores(tmp_path / "s.", common=False).m.tolist() == [30]


def test_files_of_scores_that_are_not_right(tmp_path):
    write_scores(tmp_path, "s.")
    with pytest.raises(FileNotFoundError, match=r"Did you mean '.*s\.'"):
        regions.read_ld_scores(tmp_path / "s")
    (tmp_path / "s.2.l2.M_5_50").write_text("7 7\n")
    with pytest.raises(ValueError, match="holds 2 numbers for 1 annotations"):
        regions.read_ld_scores(tmp_path / "s.")
    (tmp_path / "s.2.l2.M_5_50").write_text("seven\n")
    with pytest.raises(ValueError, match="must hold numbers only"):
        regions.read_ld_scores(tmp_path / "s.")
    (tmp_path / "s.2.l2.M_5_50").unlink()
    with pytest.raises(FileNotFoundError, match=r"2\.l2\.M_5_50"):
        regions.read_ld_scores(tmp_path / "s.")
    write_scores(tmp_path, "s.", chroms=("2",), columns=("a", "b"))
    with pytest.raises(ValueError, match=r"holds the annotations \['a', 'b'\]"):
        regions.read_ld_scores(tmp_path / "s.")
    (tmp_path / "s.1.l2.ldscore.gz").write_bytes(b"\x1f\x8bnot gzip")
    with pytest.raises(ValueError, match="cannot be read as gzip-compressed"):
        regions.read_ld_scores(tmp_path / "s.")
