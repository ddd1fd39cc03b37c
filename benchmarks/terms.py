"""Terms of clusters: how many clusters get terms, by the number of marker peaks, and whether these are of the lineage.

Run: python benchmarks/terms.py [--data FOLDER]; writes benchmarks/results/terms.csv. About 3 minutes.

Clusters of the default fit are tested with the human GO:BP that is shipped, against all peaks of the data and against
the genome, by the rule of :mod:`sccase_kit.great.passing`. `with_terms`: clusters with a term that passes. Of the first
three terms of every cluster, `own` name the lineage of most of its cells, `other` another lineage, by the words below;
the rest name none. `random`: 20 sets of as many peaks drawn at random, which should have no terms. `peaks` below 8,000:
so many peaks of granja_bmmc drawn at random before the fit.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import sccase_kit as sk
from sccase_kit.great.passing import kind_of, passing

HERE = Path(__file__).parent
#: Words in names of terms, by lineage; what is of T cells or B cells is also of lymphocytes.
MYELOID = (
    r"myeloid|neutrophil|monocyte|macrophage|granulocyte|phagocyt|mononuclear|lipopolysaccharide|bacteri|"
    r"interleukin-[168]\b|inflammatory|leukocyte migration|chemotaxis|toll-like|pattern recognition|degranul|"
    r"osteoclast|endocyt|tumor necrosis|defense response"
)
LYMPHOCYTE = "lymphocyte"
WORDS = {
    "T": r"T cell|T-helper|thymocyte",
    "NK": r"natural killer|cytotoxic|cell killing",
    "B": r"B cell|immunoglobulin|germinal",
    "M": MYELOID,
    "E": r"erythro|heme|hemoglobin|porphyrin|megakaryocyte|platelet|oxygen|iron|coagul|hemostasis",
    "P": r"hemopoiesis|hematopoie|stem cell|progenitor",
}
LINEAGES = {"HSC": "P", "MPP": "PM", "CMP": "PM", "LMPP": "PM", "CMP.LMPP": "PM", "GMP": "MP", "MEP": "EP"}
LINEAGES |= {"CLP": "BTP", "CLP.1": "BTP", "CLP.2": "BTP", "B": "B", "Pre.B": "B", "CD14.Mono.1": "M"}
LINEAGES |= {"CD14.Mono.2": "M"} | dict.fromkeys(["CD4.N1", "CD4.N2", "CD4.M", "CD8.N", "CD8.CM", "CD8.EM"], "T")
FITS = {"granja_bmmc_2k": "batch", "bm0828": None, "granja_bmmc": "batch"}
N_TOP = [200, 500, 1000, 2000]


def lineages_of(cell_type: str) -> set[str]:
    return {"NK", "T"} if cell_type == "NK" else set(LINEAGES[cell_type])


def judged(table: pd.DataFrame, main: dict[str, str]) -> dict[str, int]:
    kind = kind_of(table)
    passed = table[passing(table, kind)].sort_values(kind.raw, kind="stable")
    own = other = right = 0
    for group, part in passed.groupby("group", observed=True):
        if group not in main:
            continue
        mine = lineages_of(main[group])
        words = [WORDS[name] for name in mine] + ([LYMPHOCYTE] if mine & {"T", "NK", "B"} else [])
        first = part["name"].head(3)
        hit = first.str.contains("|".join(words), case=False)
        miss = ~hit & first.str.contains("|".join(w for name, w in WORDS.items() if name not in mine), case=False)
        own, other, right = own + int(hit.sum()), other + int(miss.sum()), right + bool(hit.any())
    n = {"groups": table["group"].nunique(), "with_terms": passed["group"].nunique(), "terms": len(passed)}
    return n | ({"groups_with_own": right, "own": own, "other": other} if main else {})


def fitted(path: Path, batch_key: str | None, n_peaks: int | None = None):
    adata = sk.read(path)
    if n_peaks is not None:
        adata = adata[:, np.sort(np.random.default_rng(0).choice(adata.n_vars, n_peaks, replace=False))].copy()
    sk.pp.filter_peaks(adata, min_fraction=0.01 if batch_key is None else 0.001)
    sk.tl.enhance(adata, batch_key=batch_key)
    sk.tl.cluster(adata)
    return adata


def rows_of(adata, name: str, sizes: list[int]):
    """Yield a row for every number of peaks and background, of clusters and of random peaks."""
    main = pd.crosstab(adata.obs["louvain"], adata.obs["cell_type"]).idxmax(axis=1)
    main = {str(group): str(kind) for group, kind in main.items()}
    everything = adata.var[["chrom", "start", "end"]]
    rng = np.random.default_rng(0)
    for n_top in sizes:
        sk.tl.specific_peaks(adata, "louvain", n_top=n_top)
        drawn = [everything.iloc[np.sort(rng.choice(adata.n_vars, n_top, replace=False))] for _ in range(20)]
        drawn = pd.concat([part.assign(group=f"random {i}") for i, part in enumerate(drawn)])
        for what, peaks, known in (("clusters", adata.uns["specific_peaks"]["peaks"], main), ("random", drawn, {})):
            for background in ("peaks", "genome"):
                given = everything if background == "peaks" else None
                table = sk.tl.great(peaks, "hg19", "GO:BP", background=given, members=False)
                row = {"data": name, "cells": adata.n_obs, "peaks": adata.n_vars, "n_top": n_top}
                row |= {"share": n_top / adata.n_vars, "what": what, "background": background}
                yield row | judged(table.assign(group=table["group"].astype(str)), known)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared" / "data")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    for name, batch_key in FITS.items():
        adata = fitted(args.data / f"{name}.h5ad", batch_key)
        rows += rows_of(adata, name, [n for n in N_TOP if n < adata.n_vars / 4])
        print(f"{name} done", flush=True)
    for n_peaks in (2000, 5000):
        adata = fitted(args.data / "granja_bmmc.h5ad", "batch", n_peaks)
        rows += rows_of(adata, "granja_bmmc", [int(f * adata.n_vars) for f in (0.05, 0.1, 0.2)])
        print(f"{n_peaks} peaks done", flush=True)
    table = pd.DataFrame(rows).astype(dict.fromkeys(("groups_with_own", "own", "other"), "Int64"))
    table.round({"share": 3}).to_csv(HERE / "results" / "terms.csv", index=False)
    print(table.to_string())


if __name__ == "__main__":
    main()
