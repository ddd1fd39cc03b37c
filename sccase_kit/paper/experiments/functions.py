"""Functions of specific and background peaks by GREAT, ours and EpiScanpy's (Fig. 4a, S11, S15, S16)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import pandas as pd

from ...tl import great
from ..peak_sets import BACKGROUND, EPISCANPY, no_places, peak_sets
from ..registry import Claim, Experiment, Finding, Tables
from ..study import DEFAULT, OURS, Study

_HUMAN = ("hg19", "hg38")
_TOP, _LEVEL, _FOLD = 5, 0.05, 2
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
    """Return the first five terms of every set of peaks and group, with the number of significant ones."""
    options = {"gene_sets": "GO:BP", **study.tools.get("great", {})}
    sets, rows = options.pop("gene_sets"), []
    for name, peaks in peak_sets(study, n_top=study.settings["n_top"]).items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of groups with few peaks or far from genes
            table = great(peaks, study.data.genome, sets, members=False, **options)
        for group, part in table.groupby("group", sort=False):
            good = (part["Binom_Adjp_BH"] < _LEVEL) & (part["Hyper_Adjp_BH"] < _LEVEL)
            good &= part["Binom_Fold_Enrichment"] >= _FOLD
            first = part.nsmallest(_TOP, "Binom_Log10_PValue", keep="first")
            rows += [
                {"peaks": name, "group": str(group), "significant": int(good.sum()), "rank": i + 1}
                | {"term": row["name"], "log10_p": float(row["Binom_Log10_PValue"])}
                for i, (_, row) in enumerate(first.iterrows())
            ]
    return pd.DataFrame(rows)


def counts(tables: Tables) -> pd.DataFrame:
    """Return the mean number of significant terms per group: data sets × ways to find peaks."""
    found = {}
    for name, table in tables.items():
        each = table.drop_duplicates(["peaks", "group"])
        found[name] = each.groupby("peaks")["significant"].mean()
    return pd.DataFrame(found).T


def find(tables: Tables) -> Mapping[str, Finding]:
    """Compare the numbers of significant terms, and the first terms of monocytes with the paper's."""
    means, data = counts(tables), tuple(tables)
    note = "significant terms per type: " + "; ".join(
        f"{n} " + ", ".join(f"{way} {row[way]:.0f}" for way in means.columns) for n, row in means.iterrows()
    )
    ours, default = (float(means[way].mean()) if way in means else None for way in (OURS, DEFAULT))
    found = {}
    for claim, rival in {"functions against background": BACKGROUND, "functions against EpiScanpy": EPISCANPY}.items():
        holds = bool((means[OURS] > means[rival]).all()) if {OURS, rival} <= set(means) else None
        found[claim] = Finding(ours, default, holds, data, note)
    return found | {"monocyte terms": _monocytes(tables)}


def _monocytes(tables: Tables) -> Finding:
    hits = {}
    for name, table in tables.items():
        own = table[(table["peaks"] == OURS) & table["group"].str.lower().str.contains("mono")]
        if len(own):
            hits[name] = own.groupby("group")["term"].agg(lambda terms: terms.isin(_EXPECTED["mono"]).sum()).max()
    if not hits:
        return Finding(None, note="no data set with monocytes")
    best = float(max(hits.values()))
    return Finding(best, None, best > 0, tuple(hits), "of the paper's five terms among our first five")


def summary(tables: Tables) -> pd.DataFrame:
    """Return the first terms by set of peaks and group."""
    whole = pd.concat([table.assign(data=name) for name, table in tables.items()], ignore_index=True)
    return whole[["data", "peaks", "group", "significant", "rank", "term", "log10_p"]]


_WHERE = "Results, 'scCASE intuitively reveals cell type-specific biological insights'; "

EXPERIMENT = Experiment(
    name="functions",
    title="Functions of specific peaks",
    shows="Fig. 4a, S11, S15, S16, Tables S3, S4",
    about=(
        "GREAT (binomial and hypergeometric test, FDR below .05, twofold) on specific peaks of every type by scCASE's "
        "projection as in the paper, by this package's default, by EpiScanpy's t-test, and on the background peaks."
    ),
    place=4.1,
    claims=(
        Claim(
            "functions against background",
            "specific peaks reveal functions of the cell types",
            _WHERE + "Fig. S11",
            None,
            "terms",
        ),
        Claim(
            "functions against EpiScanpy",
            "enrichment with the peaks of scCASE is relatively better than with those of EpiScanpy (GREAT)",
            _WHERE + "Fig. S15, S16",
            None,
            "terms",
        ),
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
)
