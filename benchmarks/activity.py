"""Gene activity: how well the activity of a single marker gene tells its type from the other cells.

Run: python benchmarks/activity.py [--data FOLDER]; writes benchmarks/results/activity.csv.

Marker genes are those of the shipped blood panel for the labelled types. `auc`: mean area under the ROC curve over
markers, cells of the type against all others; `n_markers`: markers that a peak reaches, which differ between weights,
so `auc_shared` is over the markers that all weights reach.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from naming import TRUTH
from sklearn.metrics import roc_auc_score

import sccase_kit as sk

HERE = Path(__file__).parent
WEIGHTS = ("promoter", "body", "exponential", "archr")


def markers_of(adata) -> dict[str, np.ndarray]:
    """Return "type|gene" → cells of the type, for the types of the panel that the labels name without doubt."""
    panel = sk.genes.panel("human:blood")
    labels = adata.obs["cell_type"].astype(str).to_numpy()
    own: dict[str, np.ndarray] = {}
    for kind, genes in panel.items():
        cells = np.isin(labels, [name for name in set(labels) if TRUTH.get(name) == [kind]])
        if cells.any():
            own |= {f"{kind}|{gene}": cells for gene in genes}
    return own


def judged(adata, weights: str, source: str) -> dict[str, float]:
    """Return marker → AUC, for the markers that a peak reaches."""
    sk.tl.gene_activity(adata, "hg19", weights=weights, source=source)
    table = adata.uns["gene_activity"]["genes"]
    there = set(table.loc[table["n_peaks"] > 0, "symbol"])
    own = {name: cells for name, cells in markers_of(adata).items() if name.split("|")[1] in there}
    genes = sorted({name.split("|")[1] for name in own})
    activity = sk.get.gene_activity(adata, genes)
    values = activity.X.toarray() if hasattr(activity.X, "toarray") else np.asarray(activity.X)
    place = {gene: k for k, gene in enumerate(genes)}
    return {name: roc_auc_score(cells, values[:, place[name.split("|")[1]]]) for name, cells in own.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared" / "data")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    for name, batch in (("bm0828", None), ("granja_bmmc_2k", "batch"), ("granja_bmmc", "batch")):
        adata = sk.read(args.data / f"{name}.h5ad")
        sk.pp.filter_peaks(adata, min_fraction=0)
        sk.tl.enhance(adata, batch_key=batch)
        found = {(w, source): judged(adata, w, source) for w in WEIGHTS for source in ("counts", "enhanced")}
        shared = set.intersection(*(set(aucs) for aucs in found.values()))
        for (weights, source), aucs in found.items():
            common = float(np.mean([aucs[marker] for marker in shared])) if shared else np.nan
            row = {"data": name, "weights": weights, "source": source, "auc": float(np.mean(list(aucs.values())))}
            rows.append({**row, "n_markers": len(aucs), "auc_shared": common, "n_shared": len(shared)})
            print(rows[-1], flush=True)
    pd.DataFrame(rows).round(3).to_csv(HERE / "results" / "activity.csv", index=False)


if __name__ == "__main__":
    main()
