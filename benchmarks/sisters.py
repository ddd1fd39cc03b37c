"""Which groups held-out counts tell apart: true types, types split at random, clusters of one drawn type; and merging.

Run: python benchmarks/sisters.py [--data FOLDER] [--more FILE ...] [--only NAME ...] [--seeds N]; writes
benchmarks/results/sisters.csv (numbers) and sister_types.csv (pairs of labelled types), with --only the rows of these
data sets. About 5 minutes of CPU.

`merged`: clusters of the default (resolution 1) before and after sk.tl.merge_clusters, with ARI and AMI against the
labels; `ari_same_number`: of clusters whose resolution was searched for that number. `split types`: every type of at
least 40 cells, dealt at random into two: pairs of halves that are told apart (none should be), and pairs of different
types that are. `one type`: as many cells as the largest type has, at most 2,000, drawn from its mean profile at their
depths, so that they differ by chance alone; enhanced and clustered like any data: pairs of these clusters that are told
apart (none should be). `clusters of one type`: every labelled type of at least 1,000 cells, enhanced and clustered
alone: clusters before and after merging.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from scipy import sparse

import sccase_kit as sk

HERE = Path(__file__).parent


def drawn(counts: sparse.csr_matrix, n_cells: int, rng: np.random.Generator) -> ad.AnnData:
    """Draw cells that differ by depth and chance alone: each peak is open with 1 − exp(−rate × depth of the cell)."""
    opens = sparse.csr_matrix(counts > 0, dtype=np.float64)
    depth = np.asarray(opens.sum(axis=1)).ravel()
    share = np.asarray(opens.mean(axis=0)).ravel()
    rate = share / depth.mean()
    at = np.quantile(depth, np.linspace(0.02, 0.98, 25))
    for _ in range(30):  # so that the mean over the cells is that of the type
        mean = np.mean([1 - np.exp(-rate * value) for value in at], axis=0)
        rate *= np.where(mean > 0, share / np.where(mean > 0, mean, 1), 1)
    rows = [rng.random(len(rate)) < 1 - np.exp(-rate * value) for value in rng.choice(depth, n_cells)]
    return ad.AnnData(sparse.csr_matrix(np.array(rows, dtype=np.float32)))


def merged(adata: ad.AnnData, seeds: int) -> list[dict[str, object]]:
    """Merge the clusters, and compare with the labels."""
    truth, rows = adata.obs["cell_type"], []
    same: dict[object, float] = {}
    before = sk.metrics.agreement(truth, adata.obs["louvain"])
    for seed in range(seeds):
        sk.tl.merge_clusters(adata, rng=seed)
        after = sk.metrics.agreement(truth, adata.obs["louvain_merged"])
        row = {"what": "merged", "seed": seed, "n": adata.obs["louvain"].nunique()}
        row |= {"found": adata.obs["louvain_merged"].nunique()}
        row |= {f"{name}_before": before[name] for name in ("ari", "ami")}
        row |= {f"{name}_after": after[name] for name in ("ari", "ami")}
        if row["found"] not in same:
            sk.tl.cluster(adata, int(row["found"]), key_added="same_number")
            same[row["found"]] = sk.metrics.agreement(truth, adata.obs["same_number"])["ari"]
        rows.append(row | {"ari_same_number": same[row["found"]]})
    return rows


def split_types(adata: ad.AnnData, seed: int) -> tuple[list[dict[str, object]], pd.DataFrame]:
    """Deal the cells of every type into two, and count the pairs that are told apart; and test the types themselves."""
    kind = adata.obs["cell_type"].astype(str).to_numpy()
    side = np.random.default_rng(seed).integers(2, size=len(kind)).astype(str)
    large = pd.Series(kind).map(pd.Series(kind).value_counts() >= 40).to_numpy()
    part = adata[large].copy()
    part.obs["side"] = [f"{a}|{b}" for a, b in zip(kind[large], side[large], strict=True)]
    sk.tl.sister_groups(part, "side", rng=seed)
    pairs = part.uns["sister_groups"]["pairs"]
    own = (pairs["group"].str.split("|").str[0] == pairs["other"].str.split("|").str[0]).to_numpy()
    rows = [
        {"what": "types split at random", "seed": seed, "n": int(own.sum()), "found": int(pairs["apart"][own].sum())},
        {"what": "halves of two types", "seed": seed, "n": int((~own).sum()), "found": int(pairs["apart"][~own].sum())},
    ]
    sk.tl.sister_groups(part, "cell_type", rng=seed)
    return rows, part.uns["sister_groups"]["pairs"]


def one_type(adata: ad.AnnData, seed: int) -> dict[str, object]:
    """Cluster cells drawn from the profile of one type, and count the pairs of clusters that are told apart."""
    name = adata.obs["cell_type"].value_counts().index[0]
    counts = adata[adata.obs["cell_type"] == name].X
    cells = drawn(counts, min(counts.shape[0], 2000), np.random.default_rng(seed))
    sk.pp.filter_peaks(cells, min_fraction=0.001)
    sk.tl.enhance(cells)
    sk.tl.cluster(cells)
    sk.tl.sister_groups(cells, "louvain", rng=seed)
    pairs = cells.uns["sister_groups"]["pairs"]
    return {
        "what": f"clusters of one drawn type ({name})",
        "seed": seed,
        "n": len(pairs),
        "found": int(pairs["apart"].sum()),
    }


def alone(adata: ad.AnnData, batch: str | None, share: float) -> list[dict[str, object]]:
    """Enhance and cluster the cells of every type of at least 1,000 alone, and merge: how many clusters are left."""
    rows = []
    for name, size in adata.obs["cell_type"].value_counts().items():
        if size < 1000:
            continue
        cells = adata[adata.obs["cell_type"] == name].copy()
        sk.pp.filter_peaks(cells, min_fraction=share or 0.001)
        sk.tl.enhance(cells, batch_key=batch)
        sk.tl.cluster(cells)
        sk.tl.merge_clusters(cells)
        n = cells.obs["louvain"].nunique()
        rows.append({"what": f"clusters of one type ({name})", "n": n, "found": cells.obs["louvain_merged"].nunique()})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared" / "data")
    parser.add_argument("--more", action="append", default=[], metavar="FILE")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="data sets to do; rows of others stay")
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    sets = [("bm0828", 0.01, None), ("granja_bmmc_2k", 0.001, "batch"), ("granja_bmmc", 0.001, "batch")]
    runs = [(args.data / f"{name}.h5ad", share, batch) for name, share, batch in sets]
    runs += [(Path(file), 0.0, None) for file in args.more]
    rows, types = [], []
    for path, share, batch in runs:
        if args.only and path.stem not in args.only:
            continue
        adata = sk.read(path)
        if share:
            sk.pp.filter_peaks(adata, min_fraction=share)
        sk.tl.enhance(adata, batch_key=batch)
        sk.tl.cluster(adata)
        found = merged(adata, args.seeds)
        for seed in range(args.seeds):
            more, pairs = split_types(adata, seed)
            found += [*more, one_type(adata, seed)]
            types.append(pairs.assign(data=path.stem, seed=seed))
        found += alone(sk.read(path), batch, share)
        rows += [{"data": path.stem, **row} for row in found]
        print(pd.DataFrame(found).to_string(), flush=True)
    for name, table in (("sisters", pd.DataFrame(rows)), ("sister_types", pd.concat(types))):
        table = table[["data", *(column for column in table.columns if column != "data")]]
        target = HERE / "results" / f"{name}.csv"
        if args.only and target.is_file():
            old = pd.read_csv(target)
            table = pd.concat([old[~old["data"].isin(table["data"])], table])
        table.to_csv(target, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
