"""Functions of specific and background peaks by GREAT, ours and EpiScanpy's (Fig. 4a, S11, S15, S16)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import pandas as pd

from ...tl import great
from ..peak_sets import BACKGROUND, EPISCANPY, no_places, peak_sets
from ..registry import Claim, Experiment, Finding, Tables
from ..statistics import exceeds
from ..study import DEFAULT, OURS, Study

_HUMAN = ("hg19", "hg38")
_TOP, _LEVEL, _FOLD = 5, 0.05, 2
#: What the peaks are tested against: the paper's way; and all peaks of the data, which blood terms are common to.
GENOME, DATA = "the genome", "the data's own peaks"
#: Test → end of the names of its claims.
SUFFIXES = {GENOME: "", DATA: ", own peaks"}
#: Terms that the paper finds among the first five.
_EXPECTED = {
    "mono": (
        *("response to bacterium", "response to lipopolysaccharide", "response to molecule of bacterial origin"),
        *("positive regulation of immune system process", "regulation of immune system process"),
    ),
}


def needs(study: Study) -> str:
    """Return what GREAT lacks."""
    if why := no_places(study):
        return why
    if study.data.genome not in _HUMAN and "gene_sets" not in study.tools.get("great", {}):
        return f"no gene sets for {study.data.genome}: pass tools={{'great': {{'gene_sets': 'sets.gmt'}}}}"
    return ""


def run(study: Study) -> pd.DataFrame:
    """Return the first five terms of every set of peaks and group, with the number of significant ones.

    `against` tells apart the paper's test, against the genome, and that against the peaks of the data themselves.
    """
    options = {"gene_sets": "GO:BP", **study.tools.get("great", {})}
    sets, rows = options.pop("gene_sets"), []
    for name, peaks in peak_sets(study, n_top=study.settings["n_top"]).items():
        for against, background in {GENOME: None, DATA: study.adata}.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # of groups with few peaks or far from genes
                given = {"members": False, **options, "background": background}
                table = great(peaks, study.data.genome, sets, **given)
            for group, part in table.groupby("group", sort=False):
                rows += _first_terms(part, {"against": against, "peaks": name, "group": str(group)})
    return pd.DataFrame(rows)


def _first_terms(part: pd.DataFrame, about: Mapping[str, str]) -> list[dict[str, object]]:
    """Return the first terms of one group by p-value, and how many of all are significant: FDRs and a twofold."""
    test = "Binom" if "Binom_Adjp_BH" in part else "Hyper"  # against regions there is one test, of regions
    good = (part["Hyper_Adjp_BH"] < _LEVEL) & (part[f"{test}_Adjp_BH"] < _LEVEL)
    good &= part[f"{test}_Fold_Enrichment"] >= _FOLD
    column = f"{test}_Log10_PValue"
    return [
        {**about, "significant": int(good.sum()), "rank": i + 1, "term": row["name"], "log10_p": float(row[column])}
        for i, (_, row) in enumerate(part.nsmallest(_TOP, column, keep="first").iterrows())
    ]


def counts(tables: Tables, against: str) -> pd.DataFrame:
    """Return the mean number of significant terms per group: data sets × ways to find peaks."""
    found = {}
    for name, table in tables.items():
        each = table[table["against"] == against].drop_duplicates(["peaks", "group"])
        found[name] = each.groupby("peaks")["significant"].mean()
    return pd.DataFrame(found).T


def find(tables: Tables) -> Mapping[str, Finding]:
    """Compare the numbers of significant terms by both tests, and the first terms of monocytes with the paper's."""
    found, data = {}, tuple(tables)
    for against, suffix in SUFFIXES.items():
        means = counts(tables, against)
        note = f"significant terms per type against {against}: " + "; ".join(
            f"{n} " + ", ".join(f"{way} {row[way]:.1f}" for way in means.columns) for n, row in means.iterrows()
        )
        ours, default = (float(means[way].mean()) if way in means else None for way in (OURS, DEFAULT))
        for rival in (BACKGROUND, EPISCANPY):
            known = {OURS, rival} <= set(means)
            holds, tie = exceeds(means[OURS], means[rival]) if known else (None, "")
            found[f"functions against {rival}{suffix}"] = Finding(ours, default, holds, data, note, tie)
    return found | {"monocyte terms": _monocytes(tables)}


def _monocytes(tables: Tables) -> Finding:
    hits: dict[str, dict[str, float]] = {against: {} for against in SUFFIXES}
    for name, table in tables.items():
        own = table[(table["peaks"] == OURS) & table["group"].str.lower().str.contains("mono")]
        for against, part in own.groupby("against"):
            known = part.groupby("group")["term"].agg(lambda terms: terms.isin(_EXPECTED["mono"]).sum())
            hits[str(against)][name] = float(known.max())
    if not hits[GENOME]:
        return Finding(None, note="no data set with monocytes")
    best = max(hits[GENOME].values())
    note = "of the paper's five terms among our first five against the genome"
    if hits[DATA]:
        note += f"; {max(hits[DATA].values()):.0f} against the data's own peaks"
    return Finding(best, None, best > 0, tuple(hits[GENOME]), note)


def summary(tables: Tables) -> pd.DataFrame:
    """Return the first terms by set of peaks and group."""
    whole = pd.concat([table.assign(data=name) for name, table in tables.items()], ignore_index=True)
    return whole[["data", "against", "peaks", "group", "significant", "rank", "term", "log10_p"]]


_WHERE = "Results, 'scCASE intuitively reveals cell type-specific biological insights'; "

_SAYS = (
    (BACKGROUND, "specific peaks reveal functions of the cell types, background peaks do not", "Fig. S11"),
    (EPISCANPY, "enrichment with scCASE's peaks is relatively better than with EpiScanpy's", "Fig. S15, S16"),
)
_CLAIMS = tuple(
    Claim(f"functions against {rival}{suffix}", f"{says} (GREAT against {against})", _WHERE + where, unit="terms")
    for against, suffix in SUFFIXES.items()
    for rival, says, where in _SAYS
)

EXPERIMENT = Experiment(
    name="functions",
    title="Functions of specific peaks",
    shows="Fig. S11, S15, S16, Tables S3, S4",
    about=(
        "GREAT on specific peaks of every type by scCASE's projection as in the paper, by this package's default, by "
        "EpiScanpy's t-test, and on the background peaks. Terms count that are enriched twofold with an FDR below .05. "
        "Against the genome (binomial and hypergeometric test), as in the paper, background peaks find terms of the "
        "tissue too: open chromatin of blood lies near genes of blood. Against the data's own peaks (hypergeometric "
        "test of regions) only what tells the types apart counts. Both are shown, and each is judged by itself."
    ),
    place=4.1,
    claims=(
        *_CLAIMS,
        Claim(
            "monocyte terms",
            "the top five pathways of monocytes agree with their functions",
            _WHERE + "Table S3",
            5,
            "of 5",
            on=("blood",),
        ),
    ),
    run=run,
    find=find,
    summary=summary,
    needs=needs,
    settings=lambda quick: {"n_top": 100 if quick else 1000},
    tools=("great",),
    version=2,
)
