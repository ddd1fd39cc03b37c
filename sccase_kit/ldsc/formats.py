"""Which column of summary statistics is which: ldsc's own names, and the programs that write others.

Names are compared in upper case with blanks, dashes and points as ``_`` (:func:`sccase_kit._tables.plain_name`).
A new program is one entry of `FORMATS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

#: Names that munge_sumstats.py of ldsc 1.0.1 knows.
LDSC = {
    "SNP": ("SNP", "MARKERNAME", "SNPID", "RS", "RSID", "RS_NUMBER", "RS_NUMBERS"),
    "P": ("P", "PVALUE", "P_VALUE", "PVAL", "P_VAL", "GC_PVALUE"),
    "A1": ("A1", "ALLELE1", "ALLELE_1", "EFFECT_ALLELE", "REFERENCE_ALLELE", "INC_ALLELE", "EA"),
    "A2": ("A2", "ALLELE2", "ALLELE_2", "OTHER_ALLELE", "NON_EFFECT_ALLELE", "DEC_ALLELE", "NEA"),
    "N": ("N", "WEIGHT"),
    "N_CAS": ("NCASE", "CASES_N", "N_CASE", "N_CASES", "N_CAS"),
    "N_CON": ("NCONTROL", "CONTROLS_N", "N_CONTROL", "N_CONTROLS", "N_CON"),
    "NSTUDY": ("NSTUDY", "N_STUDY", "NSTUDIES", "N_STUDIES"),
    "SIGNED": ("Z", "ZSCORE", "GC_ZSCORE", "OR", "B", "BETA", "EFFECT", "EFFECTS", "LOG_ODDS"),
    "INFO": ("INFO",),
    "FRQ": ("EAF", "FRQ", "MAF", "FRQ_U", "F_U"),
}
#: Further names, for what ldsc's leave open.
MORE = {
    "SNP": (
        "RS_ID",
        "RSIDS",
        "SNP_ID",
        "HM_RSID",
        "MARKERID",
        "MARKER",
        "DBSNP",
        "ID",
        "VARIANT_ID",
        "SNPS",
        "VARIANT",
    ),
    "P": ("PVALUE_FIXED", "P_WALD", "P_LRT", "P_SCORE", "P_BOLT_LMM", "P_BOLT_LMM_INF", "P_META", "PVAL_META"),
    "LOG10P": (
        *("NEG_LOG_10_P_VALUE", "NEG_LOG10_P_VALUE", "NEG_LOG10_P", "NEGLOG10P", "LOG10P", "LOG10_P", "MLOG10P"),
        *("MLOGP", "LP", "LOGP", "NEG_LOG10_PVAL", "NEGLOG10_PVAL"),
    ),
    "A1": ("ALT", "TESTED_ALLELE", "CODED_ALLELE", "RISK_ALLELE", "ALLELEB", "ALT_ALLELE"),
    "A2": ("ALLELE0", "ALLELE_0", "REF", "NONCODED_ALLELE", "NON_CODED_ALLELE", "ALLELEA", "REF_ALLELE", "OMITTED"),
    "SIGNED": ("Z_SCORE", "ODDS_RATIO", "LOGOR", "LOG_OR", "LNOR", "LN_OR", "EFFECT_SIZE", "Z_STAT", "T_STAT", "STAT"),
    "N": (
        *("SAMPLESIZE", "SAMPLE_SIZE", "TOTALSAMPLESIZE", "TOTAL_SAMPLE_SIZE", "N_TOTAL", "N_SAMPLES", "OBS_CT"),
        *("NMISS", "N_COMPLETE_SAMPLES", "N_EFF", "NEFF"),
    ),
    "N_CAS": ("NCAS", "NCA", "NUM_CASES"),
    "N_CON": ("NCON", "NCO", "N_CTRL", "NUM_CONTROLS"),
}
#: Signed statistics whose value without effect is 1, not 0.
RATIOS = frozenset({"OR", "ODDS_RATIO", "HM_ODDS_RATIO", "HAZARD_RATIO"})


@dataclass(frozen=True, slots=True)
class Format:
    """What a program writes.

    Attributes
    ----------
    name
        The program.
    needs
        Sets of names; the format is recognised if all names of one set are there.
    columns
        Role → names, the most telling first. Roles are those of `LDSC`, LOG10P (−log₁₀ p), TEST (rows of another test
        than ADD are left out), REF and ALT (where A2 is the one that A1 is not).
    first
        The format goes before ldsc's own names, which read it wrong.
    refuse
        Why it cannot be munged, and the way out.
    hint
        What to do where a column is missing.
    """

    name: str
    needs: tuple[frozenset[str], ...]
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    first: bool = False
    refuse: str = ""
    hint: str = ""


def _sets(*names: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(n.split()) for n in names)


FORMATS = (
    Format(
        "associations of the GWAS Catalog",
        _sets("SNPS STRONGEST_SNP_RISK_ALLELE", "SNPS P_VALUE CHR_ID"),
        refuse="lists the significant associations only; take the study's full summary statistics",
    ),
    Format(
        "Neale lab, UK Biobank",
        _sets("VARIANT MINOR_ALLELE TSTAT PVAL"),
        refuse="names its variants chr:pos:ref:alt; join it with variants.tsv.bgz for rsid, alt (A1) and ref (A2)",
    ),
    Format(
        "SAIGE-GENE, SAIGE-GENE+",
        _sets("GENE PVALUE NMARKER_MACCATE_1", "REGION GROUP MAX_MAF PVALUE PVALUE_BURDEN PVALUE_SKAT"),
        refuse="tests genes, and has no SNPs; take the statistics of single variants (step 2 without groupFile)",
    ),
    Format(
        "SAIGE",  # the effect is that of Allele2
        _sets("ALLELE1 ALLELE2 AF_ALLELE2", "ALLELE1 ALLELE2 AC_ALLELE2"),
        {
            "SNP": ("RSID", "MARKERID", "SNPID"),
            "A1": ("ALLELE2",),
            "A2": ("ALLELE1",),
            "P": ("P_VALUE",),
            "SIGNED": ("BETA",),
            "N": ("N",),
            "N_CAS": ("N_CASE",),
            "N_CON": ("N_CTRL",),
            "FRQ": ("AF_ALLELE2",),
            "INFO": ("IMPUTATIONINFO",),
        },
        first=True,
    ),
    Format(
        "REGENIE",
        _sets("ALLELE0 ALLELE1 LOG10P"),
        {
            "SNP": ("ID",),
            "A1": ("ALLELE1",),
            "A2": ("ALLELE0",),
            "LOG10P": ("LOG10P",),
            "SIGNED": ("BETA",),
            "N": ("N",),
            "N_CAS": ("N_CASES",),
            "N_CON": ("N_CONTROLS",),
            "FRQ": ("A1FREQ",),
            "INFO": ("INFO",),
            "TEST": ("TEST",),
        },
    ),
    Format(
        "BOLT-LMM",
        _sets("ALLELE0 ALLELE1 P_BOLT_LMM_INF", "ALLELE0 ALLELE1 P_BOLT_LMM", "ALLELE0 ALLELE1 P_LINREG"),
        {
            "SNP": ("SNP",),
            "A1": ("ALLELE1",),
            "A2": ("ALLELE0",),
            "P": ("P_BOLT_LMM", "P_BOLT_LMM_INF", "P_LINREG"),
            "SIGNED": ("BETA",),
            "N": ("N",),
            "FRQ": ("A1FREQ",),
            "INFO": ("INFO",),
        },
    ),
    Format(
        "PLINK 2 --glm",
        _sets("ID REF ALT A1"),
        {
            "SNP": ("ID",),
            "A1": ("A1",),
            "A2": ("OMITTED", "AX"),
            "P": ("P",),
            "LOG10P": ("LOG10_P", "NEG_LOG10_P"),
            "SIGNED": ("BETA", "OR", "Z_STAT", "T_STAT", "Z_OR_F_STAT", "T_OR_F_STAT"),
            "N": ("OBS_CT",),
            "FRQ": ("A1_FREQ",),
            "INFO": ("MACH_R2",),
            "TEST": ("TEST",),
            "REF": ("REF",),
            "ALT": ("ALT",),
        },
    ),
    Format(
        "PLINK 1 .assoc.linear, .assoc.logistic or .qassoc",
        _sets("SNP A1 TEST NMISS", "SNP NMISS BETA R2"),
        {
            "SNP": ("SNP",),
            "A1": ("A1",),
            "A2": ("A2",),
            "P": ("P",),
            "SIGNED": ("BETA", "OR", "STAT", "T"),
            "N": ("NMISS",),
            "TEST": ("TEST",),
        },
        hint="PLINK 1 names the tested allele only: add a column A2 (and A1, for .qassoc) from the .bim file",
    ),
    Format(
        "GWAS Catalog, harmonised",
        _sets("HM_RSID HM_EFFECT_ALLELE HM_OTHER_ALLELE"),
        {
            "SNP": ("HM_RSID",),
            "A1": ("HM_EFFECT_ALLELE",),
            "A2": ("HM_OTHER_ALLELE",),
            "P": ("P_VALUE",),
            "LOG10P": MORE["LOG10P"],
            "SIGNED": ("HM_BETA", "HM_ODDS_RATIO"),
            "N": ("N", "SAMPLE_SIZE"),
            "FRQ": ("HM_EFFECT_ALLELE_FREQUENCY",),
        },
    ),
    Format(
        "GWAS-SSF",
        _sets("CHROMOSOME BASE_PAIR_LOCATION EFFECT_ALLELE OTHER_ALLELE"),
        {
            "SNP": ("RSID", "RS_ID", "VARIANT_ID"),
            "A1": ("EFFECT_ALLELE",),
            "A2": ("OTHER_ALLELE",),
            "P": ("P_VALUE",),
            "LOG10P": MORE["LOG10P"],
            "SIGNED": ("BETA", "ODDS_RATIO", "HAZARD_RATIO", "Z_SCORE"),
            "N": ("N", "SAMPLE_SIZE"),
            "N_CAS": ("N_CASES", "NUM_CASES"),
            "N_CON": ("N_CONTROLS", "NUM_CONTROLS"),
            "FRQ": ("EFFECT_ALLELE_FREQUENCY",),
            "INFO": ("INFO",),
        },
    ),
    Format(
        "FinnGen",
        _sets("REF ALT RSIDS BETA"),
        {
            "SNP": ("RSIDS",),
            "A1": ("ALT",),
            "A2": ("REF",),
            "P": ("PVAL",),
            "LOG10P": ("MLOGP",),
            "SIGNED": ("BETA",),
            "N": ("N",),
            "FRQ": ("AF_ALT",),
        },
    ),
    Format(
        "PGC",  # the table with ## lines that the consortium calls VCF
        _sets("ID A1 A2 PVAL NCAS NCON", "ID A1 A2 PVAL NEFFDIV2", "ID A1 A2 PVAL NEFF"),
        {
            "SNP": ("ID",),
            "A1": ("A1",),
            "A2": ("A2",),
            "P": ("PVAL",),
            "SIGNED": ("BETA", "OR", "Z"),
            "N_CAS": ("NCAS",),
            "N_CON": ("NCON",),
            "N": ("N", "NTOT", "NEFF"),
            "FRQ": ("FCON",),
            "INFO": ("IMPINFO",),
        },
    ),
    Format(
        "SNPTEST",  # the effect is that of allele B
        _sets("ALLELEA ALLELEB FREQUENTIST_ADD_PVALUE"),
        {
            "SNP": ("RSID",),
            "A1": ("ALLELEB",),
            "A2": ("ALLELEA",),
            "P": ("FREQUENTIST_ADD_PVALUE",),
            "SIGNED": ("FREQUENTIST_ADD_BETA_1", "FREQUENTIST_ADD_BETA_1:ADD/SEX=1"),
            "N": ("ALL_TOTAL",),
            "N_CAS": ("CASES_TOTAL",),
            "N_CON": ("CONTROLS_TOTAL",),
            "FRQ": ("ALL_MAF",),
            "INFO": ("INFO",),
        },
    ),
)


def recognise(plain: Sequence[str]) -> Format | None:
    """Return the first format whose names are there."""
    names = set(plain)
    return next((f for f in FORMATS if any(needed <= names for needed in f.needs)), None)
