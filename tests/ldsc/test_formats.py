"""The statistics of one study, as many programs would have written them, munge to the same table."""

# ruff: noqa: E501 (headers of real files)

import gzip

import numpy as np
import pandas as pd
import pytest

from sccase_kit.regions import munge_sumstats

N_SNPS = 40
RNG = np.random.default_rng(3)
PAIRS = np.array(["AC", "AG", "CT", "GT", "TC"])[RNG.integers(5, size=N_SNPS)]
BETA = np.round(RNG.normal(0, 0.05, N_SNPS), 5)
TRUTH = pd.DataFrame(
    {
        "rs": [f"rs{k}" for k in range(N_SNPS)],
        "chrom": 1,
        "pos": 1000 + 10 * np.arange(N_SNPS),
        "effect": [p[0] for p in PAIRS],
        "other": [p[1] for p in PAIRS],
        "beta": np.round(BETA - np.median(BETA), 5),
        "se": 0.05,
        "p": np.round(RNG.uniform(1e-6, 1, N_SNPS), 6),
        "frq": np.round(RNG.uniform(0.05, 0.95, N_SNPS), 3),
        "info": 0.99,
        "n": 5000,
        "cases": 2000,
        "controls": 3000,
    }
)
T = TRUTH
LOG = -np.log10(T["p"])
ODDS = np.exp(T["beta"])
PLAIN = pd.DataFrame({"SNP": T["rs"], "A1": T["effect"], "A2": T["other"], "BETA": T["beta"], "P": T["p"], "N": T["n"]})


def rows(sep="\t", **columns):
    """Return a table as text."""
    return pd.DataFrame(columns).to_csv(sep=sep, index=False, na_rep="NA", lineterminator="\n", float_format="%.10g")


def plink2(**more):
    reference = np.where(np.arange(N_SNPS) % 2, T["effect"], T["other"])  # A1 is REF in every second row
    alternative = np.where(np.arange(N_SNPS) % 2, T["other"], T["effect"])
    table = {"#CHROM": T.chrom, "POS": T.pos, "ID": T.rs, "REF": reference, "ALT": alternative, "A1": T.effect}
    table |= {"TEST": "ADD", "OBS_CT": T.n, "BETA": T.beta, "SE": T.se, "T_STAT": T.beta / T.se, "P": T.p}
    frame = pd.DataFrame({name: value for name, value in (table | more).items() if value is not None})
    signed = "BETA" if "BETA" in frame else "OR"
    covariate = frame.assign(**{"TEST": "COVAR1", signed: 9.0})
    return pd.concat([covariate, frame]).sort_index(kind="stable").to_csv(sep="\t", index=False, na_rep="NA")


def vcf(fields="ES:SE:LP:AF:SS:ID", head="", filters="PASS"):
    values = {"ES": T.beta, "SE": T.se, "LP": LOG, "AF": T.frq, "SS": T.n, "ID": T.rs}
    keys = fields.split(":")
    lines = ["##fileformat=VCFv4.2", '##FORMAT=<ID=ES,Number=A,Type=Float,Description="Effect size">']
    lines += [head] * bool(head) + ["#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tieu-a-1"]
    for k in range(N_SNPS):
        cells = ":".join(f"{values[key][k]:.10g}" if key != "ID" else values[key][k] for key in keys)
        lines.append(f"1\t{T.pos[k]}\t{T.rs[k]}\t{T.other[k]}\t{T.effect[k]}\t.\t{filters}\t.\t{fields}\t{cells}")
    return "\n".join(lines) + "\n"


PROGRAMS = {
    "METAL": rows(
        **{"MarkerName": T.rs, "Allele1": T.effect.str.lower(), "Allele2": T.other.str.lower(), "Freq1": T.frq},
        **{"Weight": T.n, "Zscore": T.beta, "P-value": T.p, "Direction": "+-"},
    ),
    "PLINK 2 .glm.linear": plink2(),
    "PLINK 2 with OMITTED, log10 p": plink2(OMITTED=T.other, P=None, NEG_LOG10_P=LOG, ERRCODE="."),
    "PLINK 2 .glm.logistic": plink2(BETA=None, OR=ODDS, **{"LOG(OR)_SE": T.se}),
    "PLINK 1 .assoc.linear with A2": rows(
        " ", CHR=1, SNP=T.rs, BP=T.pos, A1=T.effect, A2=T.other, TEST="ADD", NMISS=T.n, BETA=T.beta, STAT=1.0, P=T.p
    ),
    "REGENIE": rows(
        " ",
        **{"CHROM": 1, "GENPOS": T.pos, "ID": T.rs, "ALLELE0": T.other, "ALLELE1": T.effect, "A1FREQ": T.frq},
        **{
            "INFO": T["info"],
            "N": T.n,
            "TEST": "ADD",
            "BETA": T.beta,
            "SE": T.se,
            "CHISQ": 1.0,
            "LOG10P": LOG,
            "EXTRA": None,
        },
    ),
    "SAIGE": rows(
        **{"CHR": 1, "POS": T.pos, "MarkerID": T.rs, "Allele1": T.other, "Allele2": T.effect, "AC_Allele2": 9},
        **{"AF_Allele2": T.frq, "MissingRate": 0, "BETA": T.beta, "SE": T.se, "Tstat": 1.0, "var": 1.0, "p.value": T.p},
        **{
            "p.value.NA": T.p,
            "Is.SPA": "false",
            "AF_case": T.frq,
            "AF_ctrl": T.frq,
            "N_case": T.cases,
            "N_ctrl": T.controls,
        },
    ),
    "SAIGE of before 1.0": rows(
        " ",
        **{"CHR": 1, "POS": T.pos, "rsid": T.rs, "SNPID": "1:1", "Allele1": T.other, "Allele2": T.effect},
        **{"AC_Allele2": 9, "AF_Allele2": T.frq, "imputationInfo": T["info"], "N": T.n, "BETA": T.beta, "p.value": T.p},
    ),
    "BOLT-LMM": rows(
        **{"SNP": T.rs, "CHR": 1, "BP": T.pos, "GENPOS": 0.1, "ALLELE1": T.effect, "ALLELE0": T.other, "A1FREQ": T.frq},
        **{"INFO": T["info"], "BETA": T.beta, "SE": T.se, "P_BOLT_LMM_INF": 0.5, "P_BOLT_LMM": T.p},
    ),
    "fastGWA": rows(CHR=1, SNP=T.rs, POS=T.pos, A1=T.effect, A2=T.other, N=T.n, AF1=T.frq, BETA=T.beta, SE=T.se, P=T.p),
    "GCTA-COJO": rows(" ", SNP=T.rs, A1=T.effect, A2=T.other, freq=T.frq, b=T.beta, se=T.se, p=T.p, N=T.n),
    "GEMMA": rows(
        chr=1, rs=T.rs, ps=T.pos, n_miss=0, allele1=T.effect, allele0=T.other, af=T.frq, beta=T.beta, p_wald=T.p
    ),
    "SNPTEST": "# Analysis: frequentist\n"
    + rows(
        " ",
        **{
            "alternate_ids": 1,
            "rsid": T.rs,
            "chromosome": 1,
            "position": T.pos,
            "alleleA": T.other,
            "alleleB": T.effect,
        },
        **{"info": T["info"], "all_total": T.n, "all_maf": T.frq, "frequentist_add_pvalue": T.p},
        **{"frequentist_add_beta_1": T.beta, "comment": None},
    ),
    "GWAS-SSF": rows(
        **{"chromosome": 1, "base_pair_location": T.pos, "effect_allele": T.effect, "other_allele": T.other},
        **{
            "beta": T.beta,
            "standard_error": T.se,
            "effect_allele_frequency": T.frq,
            "p_value": T.p,
            "rsid": T.rs,
            "n": T.n,
        },
    ),
    "GWAS-SSF, odds ratios, -log10 p, no rsid": rows(
        **{"chromosome": 1, "base_pair_location": T.pos, "effect_allele": T.effect, "other_allele": T.other},
        **{"beta": None, "odds_ratio": ODDS, "neg_log_10_p_value": LOG, "variant_id": T.rs, "n": T.n},
    ),
    "GWAS Catalog, harmonised before SSF": rows(
        **{"hm_variant_id": "1_1", "hm_rsid": T.rs, "hm_chrom": 1, "hm_pos": T.pos, "hm_other_allele": T.other},
        **{"hm_effect_allele": T.effect, "hm_beta": T.beta, "hm_odds_ratio": None, "hm_effect_allele_frequency": T.frq},
        **{"hm_code": 10, "p_value": T.p, "variant_id": T.rs, "chromosome": 1, "base_pair_location": T.pos},
        **{"effect_allele": T.effect, "other_allele": T.other, "beta": T.beta, "standard_error": T.se},
    ),
    "FinnGen": rows(
        **{"#chrom": 1, "pos": T.pos, "ref": T.other, "alt": T.effect, "rsids": T.rs, "nearest_genes": "A,B"},
        **{"pval": T.p, "mlogp": LOG, "beta": T.beta, "sebeta": T.se, "af_alt": T.frq},
    ),
    "PGC daner": rows(
        **{"CHR": 1, "SNP": T.rs, "BP": T.pos, "A1": T.effect, "A2": T.other, "FRQ_A_2000": T.frq, "FRQ_U_3000": T.frq},
        **{"INFO": T["info"], "OR": ODDS, "SE": T.se, "P": T.p, "ngt": 0},
    ),
    "PGC table with ## lines": '##fileformat=PGCsumstatsVCFv1.0\n##note="x"\n'
    + rows(
        **{"#CHROM": 1, "ID": T.rs, "POS": T.pos, "A1": T.effect, "A2": T.other, "FCAS": T.frq, "FCON": T.frq},
        **{"IMPINFO": T["info"], "BETA": T.beta, "SE": T.se, "PVAL": T.p, "NCAS": T.cases, "NCON": T.controls},
    ),
    "OpenGWAS VCF": vcf(),
    "GWAS-VCF with the people in the head": vcf(
        "ES:SE:LP:ID", "##SAMPLE=<ID=ieu-a-1,TotalControls=3000,TotalCases=2000,StudyType=CaseControl>"
    ),
    "comma-separated, with quotes": PLAIN.to_csv(index=False, quoting=2),
    "R's write.table": PLAIN.rename(columns={"SNP": "SNP"})
    .to_csv(sep=" ", quoting=2)
    .replace('"",', "", 1)
    .replace('"" ', "", 1),
    "other usual names": rows(
        **{"rs_id": T.rs, "coded_allele": T.effect, "noncoded_allele": T.other, "Z.score": T.beta, "MLOG10P": LOG},
        **{"Total_sample_size": T.n},
    ),
}
WITHOUT_N = {"BOLT-LMM", "GEMMA", "GWAS Catalog, harmonised before SSF", "FinnGen"}


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program(tmp_path, name):
    path = tmp_path / "stats.txt.gz"
    path.write_bytes(gzip.compress(PROGRAMS[name].encode()))
    result = munge_sumstats(path, **({"n": 5000} if name in WITHOUT_N else {}))
    wanted = munge_sumstats(PLAIN).table
    pd.testing.assert_frame_equal(result.table, wanted, check_dtype=False, rtol=1e-6)
    assert sum(v for step, v in result.log.items() if step != "another test than ADD") == 0


def test_saige_is_not_read_as_ldsc_reads_it():
    """Its effect is that of Allele2; by ldsc's names Allele1 would be the effect allele, and every sign wrong."""
    result = munge_sumstats(pd.read_csv(pd.io.common.StringIO(PROGRAMS["SAIGE"]), sep="\t"))
    assert result.source == "SAIGE"
    assert result.columns["A1"] == "Allele2"


def test_p_too_small_for_a_number_stays_where_its_logarithm_is_given():
    table = pd.read_csv(pd.io.common.StringIO(PROGRAMS["FinnGen"]), sep="\t")
    table.loc[0, ["pval", "mlogp"]] = [0.0, 400.0]
    result = munge_sumstats(table, n=5000)
    assert result.table["SNP"].iloc[0] == "rs0"
    assert abs(result.table["Z"].iloc[0]) == pytest.approx(37.5, abs=0.5)


def test_filters_of_a_vcf_are_kept_to(tmp_path):
    path = tmp_path / "a.vcf"
    text = vcf()
    path.write_text(text.replace("PASS", "AF", 3))
    assert munge_sumstats(path).log["FILTER of the VCF"] == 3


GENOTYPES = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\n1\t1\trs1\tA\tC\t.\t.\t.\tGT\t0/1\n"
SITES = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n1\t1\trs1\tA\tC\t.\t.\t.\n"
TWO = "".join(
    line + ("" if line.startswith("#") else "\t" + line.split("\t")[-1]) + "\n"
    for line in vcf().replace("ieu-a-1", "a\tb").splitlines()
)


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        (GENOTYPES, {}, r"is a VCF, but not of summary statistics \(its FORMAT is GT\)"),
        (SITES, {}, r"is a VCF, but not .*it has no columns of studies"),
        (TWO, {}, "is a VCF of 2 studies; choose one: sample='a'"),
        (
            vcf().replace("ieu-a-1", "a\tb"),
            {},
            "is a VCF whose line #CHROM has not as many cells as the lines below it",
        ),
        (TWO, {"sample": "c"}, r"sample must be one of \['a', 'b'\], got 'c'"),
        (
            rows(**{"SNPS": T.rs, "STRONGEST SNP-RISK ALLELE": "rs1-A", "P-VALUE": T.p}),
            {},
            "GWAS Catalog, which lists the significant associations only; take the study's full summary statistics",
        ),
        (rows(variant="1:1:A:C", minor_allele="C", tstat=1.0, pval=T.p), {}, r"join it with variants\.tsv\.bgz"),
        (
            rows(" ", CHR=1, SNP=T.rs, BP=1, A1="A", TEST="ADD", NMISS=9, BETA=T.beta, STAT=1.0, P=T.p),
            {},
            r"no column for \['A2'\].*add a column A2 .* from the \.bim",
        ),
        (rows(SNP=T.rs, A1="A", A2="C", N=9, Z=T.beta), {}, "munged already; use it as it is"),
        (
            rows(me=T.rs, A1=T.effect, A2=T.other, N=9, BETA=T.beta, P=T.p),
            {},
            r"no column for \['SNP'\].*name them: columns=",
        ),
        (rows(SNP=T.rs, A1="A", A2="C", N=9, SIGNED_SUMSTAT=ODDS, P=T.p), {}, "not known, 0 or 1: pass signed="),
        ("1\trs1\t0\t5\tA\tC\n", {}, "has no header: its first line is '1 rs1 0 5 A C'"),
        (rows(SNP=T.rs, A1="A", A2="C", N=9, BETA="0,5", P=T.p), {}, r"'0,5'.*Decimal commas"),
        (PLAIN.to_csv(sep="\t", index=False), {"ignore": ["Q"]}, "there is no column 'Q'"),
        (PLAIN.to_csv(sep="\t", index=False), {"columns": {"SNP": "Q"}}, "there is no column 'Q'"),
        (PLAIN.to_csv(sep="\t", index=False), {"columns": {"XYZ": "P"}}, "columns must be one of"),
        (
            PLAIN.assign(SNP=[f"1:{k}:A:C" for k in T.pos]).to_csv(sep="\t", index=False),
            {"merge_alleles": pd.DataFrame({"SNP": ["rs1"], "A1": ["A"], "A2": ["C"]})},
            "ids look like 'rs1', those of sumstats like '1:1000:A:C'",
        ),
        (
            rows(SNP=T.rs, A1="1", A2="3", N=9, BETA=T.beta, P=T.p),
            {},
            r"Alleles are such as '1' and '3'.*PLINK's code of A, C, G, T",
        ),
        (
            rows(SNP=T.rs, A1="A", A2="AT", N=9, BETA=T.beta, P=T.p),
            {},
            r"such as 'A' and 'AT', and A, C, G, T are needed$",
        ),
        ("Gene Pvalue Nmarker_MACCate_1\nG1 0.1 3\n", {}, "SAIGE-GENE.* tests genes, and has no SNPs"),
        (
            "Region Group max_MAF Pvalue Pvalue_Burden Pvalue_SKAT BETA_Burden\nG1 lof 0.01 0.1 0.2 0.3 1\n",
            {},
            "tests genes, and has no SNPs; take the statistics of single variants",
        ),
    ],
)
def test_what_it_is_and_the_way_out(tmp_path, text, options, said):
    path = tmp_path / "stats.txt"
    path.write_text(text)
    with pytest.raises((KeyError, ValueError), match=said):
        munge_sumstats(path, **options)


def test_signed_sumstat_with_negative_values_is_around_zero():
    result = munge_sumstats(PLAIN.rename(columns={"BETA": "SIGNED_SUMSTAT"}))
    pd.testing.assert_frame_equal(result.table, munge_sumstats(PLAIN).table)


def test_a_study_of_a_vcf_is_chosen(tmp_path):
    path = tmp_path / "two.vcf"
    path.write_text(TWO)
    pd.testing.assert_frame_equal(
        munge_sumstats(path, sample="b").table, munge_sumstats(PLAIN).table, check_dtype=False
    )


def test_blocks_of_rows_give_the_same(tmp_path, monkeypatch):
    import sccase_kit.ldsc.munge as module

    path = tmp_path / "stats.txt"
    PLAIN.assign(INFO=np.where(np.arange(N_SNPS) % 7, 1.0, 0.5)).to_csv(path, sep="\t", index=False)
    whole = munge_sumstats(path)
    read = module.read_columns
    monkeypatch.setattr(module, "read_columns", lambda *a, **k: read(*a, **k, rows_at_once=3))
    pieces = munge_sumstats(path)
    pd.testing.assert_frame_equal(whole.table, pieces.table)
    assert whole.log == pieces.log


def test_messages_show_the_start_of_long_fields(tmp_path):
    path = tmp_path / "long.tsv"
    path.write_text(f"SNP\tA1\tA2\tBETA\tP\tN\nrs1\tA\t{'x' * 5000}\t0.01\t0.5\t90\n")
    with pytest.raises(ValueError, match="Alleles are such as 'A' and 'XXX") as stop:
        munge_sumstats(path)
    assert len(str(stop.value)) < 1000
