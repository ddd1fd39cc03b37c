"""Munging: every step removes what it says, against a plain loop, and says what is wrong."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sccase_kit.regions import munge_sumstats

PAIRS = ["AC", "AG", "CA", "CT", "GA", "GT", "TC", "TG"]


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    n = 120
    alleles = rng.choice(PAIRS, n)
    beta = rng.normal(size=n)
    return pd.DataFrame(
        {
            "rsid": [f"rs{i}" for i in range(n)],
            "Effect-allele": [a[0].lower() for a in alleles],
            "other.allele": [a[1] for a in alleles],
            "BETA": beta - np.median(beta),
            "PVAL": rng.uniform(1e-4, 1, n),
            "N": rng.integers(900, 1000, n),
            "INFO": rng.uniform(0.91, 1, n),
            "EAF": rng.uniform(0.05, 0.95, n),
        }
    )


def test_z_of_p_and_sign(table):
    result = munge_sumstats(table)
    assert result.table.columns.tolist() == ["SNP", "A1", "A2", "N", "Z"]
    assert sum(result.log.values()) == 0
    np.testing.assert_allclose(2 * stats.norm.sf(result.table["Z"].abs()), table["PVAL"])
    np.testing.assert_array_equal(result.table["Z"] < 0, table["BETA"] < 0)
    assert result.table["A1"].tolist() == [a.upper() for a in table["Effect-allele"]]


def test_every_step_removes_what_it_says(table):
    changes = {
        "missing values": [(0, "BETA", np.nan), (1, "other.allele", None)],
        "INFO < 0.9": [(2, "INFO", 0.8999), (3, "INFO", np.nan)],  # ldsc says "INFO <= 0.9", and keeps 0.9
        "MAF <= 0.01": [(4, "EAF", 0.995), (5, "EAF", 0.01)],
        "p-value out of bounds": [(6, "PVAL", 0.0), (7, "PVAL", 1.1)],
        "repeated": [(9, "rsid", "rs8")],
        "N < 900": [(10, "N", 899)],
    }
    strange = [(11, "AT"), (12, "GC"), (13, "AA"), (14, "DI"), (15, "AN")]
    for row, column, value in [change for step in changes.values() for change in step]:
        table.loc[row, column] = value
    for row, pair in strange:
        table.loc[row, ["Effect-allele", "other.allele"]] = list(pair)
    table["BETA"] -= table["BETA"].median()
    result = munge_sumstats(table, n_min=900)
    expected = {step: len(given) for step, given in changes.items()} | {"not a SNP, or strand-ambiguous": len(strange)}
    assert result.log == expected
    gone = {row for given in changes.values() for row, *_ in given} | {row for row, _ in strange}
    assert result.table["SNP"].tolist() == [f"rs{i}" for i in range(120) if i not in gone]


def test_small_samples_are_left_out_by_default(table):
    table.loc[:9, "N"] = 600
    limit = table["N"].quantile(0.9) / 1.5
    result = munge_sumstats(table)
    assert result.log[f"N < {limit:g}"] == 10


def test_alleles_of_a_list(table, tmp_path):
    pairs = table["Effect-allele"].str.upper() + table["other.allele"]
    turn = str.maketrans("ACGT", "TGCA")
    wanted = pd.DataFrame({"SNP": table["rsid"], "A1": pairs.str[0], "A2": pairs.str[1]}).iloc[:40]
    wanted.loc[0:9, ["A1", "A2"]] = wanted.loc[0:9, ["A2", "A1"]].to_numpy()  # the other order
    for column in ("A1", "A2"):
        wanted.loc[10:19, column] = wanted.loc[10:19, column].str.translate(turn)  # the other strand
    wanted.loc[20, ["A1", "A2"]] = ["A", "T"]  # neither
    wanted = pd.concat([wanted, pd.DataFrame({"SNP": ["rsNew"], "A1": ["A"], "A2": ["C"]})], ignore_index=True)
    path = tmp_path / "w_hm3.snplist"
    wanted.to_csv(path, sep="\t", index=False)
    result = munge_sumstats(table, merge_alleles=path)
    assert result.table["SNP"].tolist() == wanted["SNP"].tolist()
    assert result.log["not in merge_alleles"] == 80
    assert result.log["alleles do not match"] == 1
    assert result.table.index[result.table["Z"].isna()].tolist() == [20, 40]
    plain = munge_sumstats(table.drop(columns=["INFO", "EAF"]).iloc[:40]).table
    kept = result.table["Z"].notna().to_numpy()[:40]
    np.testing.assert_allclose(result.table["Z"][:40][kept], plain["Z"][kept])


def test_odds_ratios_and_another_name(table):
    odds = table.assign(OR=np.exp(table["BETA"])).drop(columns="BETA")
    np.testing.assert_allclose(munge_sumstats(odds).table["Z"], munge_sumstats(table).table["Z"])
    named = table.rename(columns={"BETA": "slope"})
    np.testing.assert_allclose(munge_sumstats(named, signed=("slope", 0)).table["Z"], munge_sumstats(table).table["Z"])


def test_sample_size_by_hand(table):
    assert (munge_sumstats(table.drop(columns="N"), n=500).table["N"] == 500).all()


def test_alleles_as_numbers_are_no_alleles(table):
    """PLINK's 1/2 coding."""
    with pytest.raises(ValueError, match="no SNP remains after the step 'not a SNP"):
        munge_sumstats(table.assign(**{"Effect-allele": 1, "other.allele": 2}))


@pytest.mark.parametrize(
    ("change", "options", "error", "match"),
    [
        (lambda t: t.assign(P=0.5), {}, ValueError, "could all be P; drop or rename all but one"),
        (lambda t: t, {"signed": ("OR", 1)}, KeyError, "there is no column 'OR'"),
        (lambda t: t.assign(OR=1.0), {}, ValueError, r"found \['BETA', 'OR'\]; name it: signed="),
        (lambda t: t.drop(columns="BETA"), {}, ValueError, r"found \[\]"),
        (lambda t: t.drop(columns="N"), {}, KeyError, "pass n= for the sample size"),
        (lambda t: t.drop(columns="PVAL"), {}, KeyError, r"no column for \['P'\]"),
        (lambda t: t, {"n": 0}, ValueError, "n must be"),
        (lambda t: t.assign(INFO=0.1), {}, ValueError, "no SNP remains after the step 'INFO < 0.9'"),
        (lambda t: t.assign(BETA=t["BETA"] + 1), {}, ValueError, "wrong column, or wrong null value"),
        (lambda t: t, {"merge_alleles": pd.DataFrame({"SNP": ["rs1"]})}, KeyError, r"no column \['A1', 'A2'\]"),
        (lambda t: "nowhere.txt", {}, FileNotFoundError, "sumstats: there is no file 'nowhere.txt'"),
    ],
)
def test_what_is_wrong_is_said(table, change, options, error, match):
    with pytest.raises(error, match=match):
        munge_sumstats(change(table), **options)
