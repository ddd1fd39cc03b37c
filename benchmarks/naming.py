"""Names for groups by marker genes: how many groups are named, and how many of the names are right.

Run: python benchmarks/naming.py [--data FOLDER] [--more FILE GENOME PANEL ...] [--only NAME ...]; writes
benchmarks/results/naming.csv, with --only the rows of these data sets.

For every data set, `groups` are its labelled types, its clusters, and clusters with their cells drawn at random.
`named`: groups with a name, of these `types` (not lineages) and `right`. A name is right if it is the type of most
cells, or a lineage of it. CMP, which the panel lacks, may be called GMP, MEP or HSC/MPP (its neighbours); MPP is the
last.
Cells of the mouse brain have the letters of their authors: EN and IN neurons, A1 astrocytes, E1 endothelial cells, OG1
oligodendrocytes, P1 polydendrocytes (OPC); neural stem cells (NSC) and mixed ones (MX) are in no panel, so that any
name is wrong.
`best`: groups in which the right type scores highest, named or not.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import sccase_kit as sk

HERE = Path(__file__).parent
MYELOID = ["GMP", "MEP", "HSC/MPP"]
T4, T8, MONO, B = ["CD4 T cell"], ["CD8 T cell"], ["CD14 monocyte"], ["B cell"]
#: Labels of the data sets as types of the panels.
TRUTH = {
    **{"HSC": ["HSC/MPP"], "MPP": ["HSC/MPP"], "CMP": MYELOID, "LMPP": ["LMPP"], "GMP": ["GMP"], "MEP": ["MEP"]},
    **{"CLP": ["CLP"], "CMP.LMPP": ["LMPP", *MYELOID], "CLP.1": ["CLP"], "CLP.2": ["CLP"], "Pre.B": ["Pre-B"]},
    **{"B": B, "NK": ["NK cell"], "CD14.Mono.1": MONO, "CD14.Mono.2": MONO, "CD4.N1": T4, "CD4.N2": T4, "CD4.M": T4},
    **{"CD8.CM": T8, "CD8.N": T8, "CD8.EM": T8, "B.Fo": B, "B.MZ": B, "B.T1": B, "Plasma": ["Plasma cell"]},
    **{"DC.4": ["Conventional DC"], "DC.8": ["Conventional DC"], "pDC": ["Plasmacytoid DC"], "Treg": ["Treg"]},
    **{"EN": ["Excitatory neuron"], "IN": ["Inhibitory neuron"], "A1.E1": ["Astrocyte", "Endothelial"]},
    **{"OG1": ["Oligodendrocyte"], "P1": ["OPC"], "NSC": [], "MX": []},
    **{"Neutrophil": ["Neutrophil"], "Macrophage": ["Monocyte"], "CD4.Nve": T4, "CD8.Nve": T8, "CD8.Mem": T8},
}


def judged(adata, groupby: str, genome: str, panel: str) -> dict[str, int]:
    """Name the groups and compare the names with the type of most cells."""
    sk.tl.annotate(adata, groupby, panel, genome=genome)
    table = adata.uns["annotation"]["table"]
    families = sk.genes.lineages(panel, species="mouse" if genome.startswith("mm") else "human")
    cells = pd.crosstab(adata.obs[groupby].astype(str), adata.obs["cell_type"].astype(str))
    right = types = best = 0
    for row in table[["group", "label", "best", "reason"]].itertuples():
        truth = TRUTH[cells.loc[row.group].idxmax()]
        best += row.best in truth
        if row.reason == "":
            types += row.label == row.best
            correct = row.label in truth or any(kind in truth for kind in families.get(row.label, []))
            right += correct
            if not correct and groupby != "random":
                print(f"  {groupby} {row.group}: {row.label}, in truth {truth}")
    named = int((table["reason"] == "").sum())
    return {"n_groups": len(table), "named": named, "types": types, "right": right, "best": best}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared" / "data")
    parser.add_argument("--more", nargs=3, action="append", default=[], metavar=("FILE", "GENOME", "PANEL"))
    parser.add_argument("--only", nargs="+", metavar="NAME", help="data sets to do; rows of others stay")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    sets = [("bm0828", 0.01, None), ("granja_bmmc_2k", 0.001, "batch"), ("granja_bmmc", 0.001, "batch")]
    runs = [(args.data / f"{name}.h5ad", "hg19", "blood", share, batch) for name, share, batch in sets]
    runs += [(Path(file), genome, panel, 0.0, None) for file, genome, panel in args.more]
    rows = []
    for path, genome, panel, share, batch in runs:
        if args.only and path.stem not in args.only:
            continue
        adata = sk.read(path)
        if share:
            sk.pp.filter_peaks(adata, min_fraction=share)
        sk.tl.enhance(adata, batch_key=batch)
        sk.tl.cluster(adata)
        adata.obs["random"] = np.random.default_rng(0).permutation(adata.obs["louvain"].astype(str))
        for groups, name in (("cell_type", "types"), ("louvain", "clusters"), ("random", "random")):
            found = judged(adata, groups, genome, panel)
            rows.append({"data": path.stem, "peaks": adata.n_vars, "groups": name, **found})
            print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    table.loc[table["groups"] == "random", ["right", "best"]] = np.nan
    target = HERE / "results" / "naming.csv"
    if args.only and target.is_file():
        old = pd.read_csv(target)
        names = [path.stem for path, *_ in runs]
        table = pd.concat([old[~old["data"].isin(table["data"])], table])
        order = table["data"].map({name: k for k, name in enumerate(dict.fromkeys([*names, *old["data"]]))})
        table = table.iloc[np.argsort(order.to_numpy(), kind="stable")]
    table.astype({"right": "Int64", "best": "Int64"}).to_csv(target, index=False)


if __name__ == "__main__":
    main()
