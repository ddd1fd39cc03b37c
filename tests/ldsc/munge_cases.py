"""Corner cases of munging: a table, the options of ldsc's munge_sumstats.py, and ours.

`benchmarks/same_numbers.py` runs the cases through ldsc 1.0.1 itself and stores what it wrote in
``munge_ldsc_1.0.1.json``; the test beside this file holds ours against that.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

PAIRS = ("AC", "AG", "CA", "CT", "GA", "GT", "TC", "TG")
OTHER_STRAND = str.maketrans("ACGT", "TGCA")


@dataclass(frozen=True)
class Case:
    """A table as text, what ldsc is called with, and what we are."""

    text: str
    flags: tuple[str, ...] = ()
    options: dict = field(default_factory=dict)
    alleles: str | None = None  # a list for --merge-alleles


def table(n: int = 60, **columns: object) -> pd.DataFrame:
    """Return plain statistics of n SNPs, with other or further columns; None drops one."""
    rng = np.random.default_rng(7)
    pairs = rng.choice(PAIRS, n)
    beta = np.round(rng.normal(0, 0.05, n), 4)
    base = {
        "SNP": [f"rs{k}" for k in range(n)],
        "A1": [p[0] for p in pairs],
        "A2": [p[1] for p in pairs],
        "BETA": np.round(beta - np.median(beta), 5),
        "P": np.round(rng.uniform(1e-4, 1, n), 6),
        "N": np.full(n, 1000),
    }
    return pd.DataFrame({name: value for name, value in (base | columns).items() if value is not None})


def text(frame: pd.DataFrame, sep: str = "\t") -> str:
    """Return the table as ldsc reads it: missing values are NA."""
    return frame.to_csv(sep=sep, index=False, na_rep="NA", lineterminator="\n")


def spread(values: list, n: int = 60) -> list:
    """Return the values again and again, n in all."""
    return (values * n)[:n]


def renamed(**names: str) -> str:
    return text(table().rename(columns=names))


def cases() -> dict[str, Case]:
    """Return name → case."""
    n = 60
    rng = np.random.default_rng(1)
    cas, con = rng.integers(200, 400, n), rng.integers(300, 900, n)
    info = spread([0.9, 0.8999999, 0.90000001, 1.0, 0.1, 2.5, -0.5, 0.95], n)
    frq = spread([0.01, 0.99, 0.0100001, 0.9899999, 0.5, 0.0, 1.0, 1.5, 0.02, 0.98, 0.021], n)
    p = spread([1.0, 0.0, 1.0000001, 0.5, 1e-300, 1e-307, -0.1, 0.05, 0.3, 0.7], n)
    holes = table().astype(object)
    for row, column in enumerate(["SNP", "A1", "A2", "BETA", "P", "N"]):
        holes.loc[3 * row, column] = np.nan
    strange = table().astype(object)
    for row, pair in enumerate(["AT", "TA", "CG", "GC", "AA", "ID", "AN", "ac", "Ag", "-A", "tG"]):
        strange.loc[row, ["A1", "A2"]] = list(pair)
    strange.loc[12, ["A1", "A2"]] = ["AT", "A"]
    strange.loc[13, ["A1", "A2"]] = ["A", "C,T"]
    strange.loc[14, ["A1", "A2"]] = ["A", "<CN0>"]
    twice = table().astype(object)
    twice.loc[[5, 9, 20], "SNP"] = "rs1"
    twice.loc[30, "SNP"] = "rs31"
    twice.loc[30, "P"] = 2.0  # the first of a pair is gone before repeats are looked for
    plain = table()
    pairs = plain["A1"] + plain["A2"]
    listed = pd.DataFrame({"SNP": plain["SNP"], "A1": pairs.str[0], "A2": pairs.str[1]}).iloc[:40].copy()
    listed.loc[0:9, ["A1", "A2"]] = listed.loc[0:9, ["A2", "A1"]].to_numpy()
    for column in ("A1", "A2"):
        listed.loc[10:19, column] = listed.loc[10:19, column].str.translate(OTHER_STRAND)
    listed.loc[20, ["A1", "A2"]] = ["A", "T"]
    listed.loc[21, ["A1", "A2"]] = ["g", "a"]
    listed.loc[40] = ["rsNew", "A", "C"]
    none_match = listed.assign(A1="A", A2="T")
    daner = table(N=None, BETA=None, OR=np.round(np.exp(table()["BETA"]), 5)).assign(
        **{"FRQ_A_5300": spread([0.2, 0.01], n), "FRQ_U_7700": spread([0.3, 0.009, 0.5], n), "INFO": info}
    )
    daner_n = daner.assign(Nca=cas, Nco=con)
    studies = spread([5, 4, 5, 5, 3], n)
    return {
        "plain": Case(text(table())),
        "separated by blanks": Case(text(table(), " ")),
        "INFO at the bound": Case(text(table(INFO=info))),
        "INFO at another bound": Case(text(table(INFO=info)), ("--info-min", "0.95"), {"info_min": 0.95}),
        "INFO missing": Case(text(table(INFO=spread([1.0, np.nan, 0.95], n)))),
        "info in small letters, missing": Case(text(table(info=spread([1.0, np.nan, 0.95], n)))),
        "MAF at the bound": Case(text(table(MAF=frq))),
        "EAF at another bound": Case(text(table(EAF=frq)), ("--maf-min", "0.02"), {"maf_min": 0.02}),
        "FRQ missing": Case(text(table(FRQ=spread([0.5, np.nan], n)))),
        "P at the bounds": Case(text(table(P=p))),
        "missing values": Case(text(holes)),
        "missing as a point": Case(text(holes).replace("NA", ".")),
        "strand-ambiguous, multi-allelic, indels, small letters": Case(text(strange)),
        "repeated": Case(text(twice)),
        "N of 600 among 1000": Case(text(table(N=spread([1000, 600, 667, 666, 1000, 1000, 1000, 1000], n)))),
        "N at least 900": Case(text(table(N=spread([1000, 899, 900], n))), ("--n-min", "900"), {"n_min": 900}),
        "N by flag": Case(text(table(N=None)), ("--N", "5000"), {"n": 5000}),
        "a column N wins over the flag": Case(text(table()), ("--N", "5000"), {"n": 5000}),
        "n_min does nothing without a column": Case(
            text(table(N=None)), ("--N", "5000", "--n-min", "6000"), {"n": 5000, "n_min": 6000}
        ),
        "cases and controls": Case(text(table(N=None, N_CAS=cas, N_CON=con))),
        "cases and controls, even": Case(text(table(N=None, N_CASES=300, N_CONTROLS=700))),
        "cases and controls win over N": Case(text(table(NCASE=cas, NCONTROL=con))),
        "cases and controls win over the flag": Case(
            text(table(N=None, Cases_n=cas, Controls_n=con)), ("--N", "5000"), {"n": 5000}
        ),
        "only cases, missing in some": Case(text(table(N_CAS=spread([300, np.nan], n)))),
        "N_cas and N_con by flag": Case(
            text(table(N=None)), ("--N-cas", "300", "--N-con", "500"), {"n_cas": 300, "n_con": 500}
        ),
        "studies, N by flag": Case(text(table(N=None, NSTUDY=studies)), ("--N", "5000"), {"n": 5000}),
        "studies at least 4": Case(
            text(table(N=None, N_STUDIES=studies)),
            ("--N", "5000", "--nstudy-min", "4"),
            {"n": 5000, "nstudy_min": 4},
        ),
        "studies do nothing beside N": Case(text(table(NSTUDY=spread([5, np.nan, 3], n)))),
        "no N": Case(text(table(N=None))),
        "OR": Case(text(table(BETA=None, OR=np.round(np.exp(table()["BETA"]), 5)))),
        "ZSCORE of METAL": Case(
            text(table(BETA=None, N=None, Weight=np.full(n, 500.0), Zscore=table()["BETA"])).replace(
                "SNP", "MarkerName"
            )
        ),
        "Z": Case(renamed(BETA="Z")),
        "GC_ZSCORE": Case(renamed(BETA="GC_Zscore")),
        "EFFECTS": Case(renamed(BETA="Effects")),
        "LOG_ODDS": Case(renamed(BETA="log.odds")),
        "B": Case(renamed(BETA="b")),
        "SIGNED_SUMSTAT by flag": Case(
            renamed(BETA="Signed-Sumstat"), ("--signed-sumstats", "signed_sumstat,0"), {"signed": ("signed_sumstat", 0)}
        ),
        "another name by flag, in other letters": Case(
            renamed(BETA="Slope"), ("--signed-sumstats", "SLOPE,0"), {"signed": ("SLOPE", 0)}
        ),
        "the flag among several": Case(
            text(table(OR=1.0, Z=0.0)), ("--signed-sumstats", "BETA,0"), {"signed": ("BETA", 0)}
        ),
        "two signed statistics": Case(text(table(OR=1.0))),
        "two signed, one ignored": Case(text(table(OR=1.0)), ("--ignore", "or"), {"ignore": ["or"]}),
        "no signed statistic": Case(text(table(BETA=None))),
        "A1 is the increasing allele": Case(text(table(BETA=None)), ("--a1-inc",), {"a1_inc": True}),
        "wrong null value": Case(text(table(BETA=table()["BETA"] + 0.2))),
        "null value just near enough": Case(text(table(BETA=table()["BETA"] + 0.09))),
        "two columns of P": Case(text(table(PVAL=0.5))),
        "two columns of P, one ignored": Case(text(table(PVAL=0.5)), ("--ignore", "P"), {"ignore": ["P"]}),
        "two frequencies": Case(text(table(EAF=0.5, MAF=0.5))),
        "names with points and dashes": Case(
            renamed(SNP="rs-number", A1="effect.allele", A2="Other-Allele", P="GC.pvalue", BETA="effect")
        ),
        "names by flag": Case(
            renamed(SNP="ID", A1="tested", A2="untested", P="prob", N="size"),
            ("--snp", "ID", "--a1", "TESTED", "--a2", "untested", "--p", "prob", "--N-col", "size"),
            {"columns": {"SNP": "ID", "A1": "TESTED", "A2": "untested", "P": "prob", "N": "size"}},
        ),
        "no alleles in the file": Case(text(table(A2=None))),
        "daner": Case(text(daner), ("--daner",)),
        "daner with n": Case(text(daner), ("--daner", "--N", "4000"), {"n": 4000}),
        "daner-n": Case(text(daner_n), ("--daner-n",)),
        "alleles of a list": Case(text(plain), alleles=text(listed)),
        "alleles of a list, none match": Case(text(plain), alleles=text(none_match)),
        "alleles of a list, no SNP in it": Case(text(plain), alleles=text(listed.assign(SNP="rsx"))),
        "a letter among the numbers": Case(text(table(P=spread([0.5, "x"], n)))),
        "a letter among the effects": Case(text(table(BETA=spread([0.0, "x"], n)))),
        "nothing remains": Case(text(table(INFO=0.1))),
    }
