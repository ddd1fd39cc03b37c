"""Quality of enhancement: the scCASE paper's measures and experiments, over seeds, as one tidy table.

    python benchmarks/quality.py --quick                 # two small data sets, two seeds
    python benchmarks/quality.py                         # everything, five seeds
    python benchmarks/quality.py --datasets bm0828 --methods raw ours --experiments base dropout

Every seed draws its own cells (a random 90 % of every group, unless the experiment says otherwise), and seeds the
method and the clustering. Rows of what failed say why in the column `error`; methods that are not installed are named
at the end and have no rows. The table is written after every data set, so a run that is stopped leaves what it has.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

import sccase_kit as sk

sys.path.insert(0, str(Path(__file__).resolve().parent / "adapters"))
from runner import AdapterUnavailableError, adapters

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("SCCASE_KIT_SHARED", HERE.parents[1] / "shared")) / "data"
QUICK = ("bm0828", "simulated")
SCORES = (
    "ari",
    "ami",
    "fmi",
    "silhouette",
    "cell_auprc",
    "cell_auroc",
    "peak_auprc",
    "peak_auroc",
    "kbet",
    "kbet_label",
    "batch_asw",
)
PEER_TIMEOUT = 3600.0


# --- data sets ----------------------------------------------------------------------------------------------------


def _stored(name: str) -> ad.AnnData:
    path = DATA / f"{name}.h5ad"
    if not path.exists():
        msg = f"{path} does not exist (set SCCASE_KIT_SHARED to the folder that holds data/)"
        raise FileNotFoundError(msg)
    adata = ad.read_h5ad(path)
    adata.obs_names_make_unique()
    return _open_peaks(adata)


def _open_peaks(adata: ad.AnnData) -> ad.AnnData:
    is_open = np.asarray((adata.X > 0).sum(axis=0)).ravel() >= 0.01 * adata.n_obs
    return adata[:, is_open].copy()


def _simulated(mode: str) -> ad.AnnData:
    return _open_peaks(sk.datasets.simulate(800, 6000, mode=mode, n_types=6, library_size=250, rng=1))


DATASETS: dict[str, Callable[[], ad.AnnData]] = {
    "bm0828": partial(_stored, "bm0828"),
    "granja_bmmc_2k": partial(_stored, "granja_bmmc_2k"),
    "granja_bmmc": partial(_stored, "granja_bmmc"),
    "scabc_bj_tf1": partial(_stored, "scabc_bj_tf1"),
    "chromvar50": partial(_stored, "chromvar50"),
    "simulated": partial(_simulated, "discrete"),
    "simulated_batch": partial(_simulated, "batch"),
    "toy_study": lambda: _open_peaks(sk.datasets.toy_study().adata),
    "paper_simulation": lambda: _open_peaks(sk.datasets.paper_simulation(rng=0)),
}


# --- methods ------------------------------------------------------------------------------------------------------


def _types(adata: ad.AnnData) -> int:
    return adata.obs["cell_type"].nunique()


def _ours(adata: ad.AnnData, *, rng: int, times: int | None = None, batch: bool = False) -> None:
    options = {"batch_key": "batch"} if batch else {}
    if batch and "batch" not in adata.obs:
        raise LookupError("the data set has no batches")
    n_components = "auto" if times is None else times * _types(adata)
    sk.tl.enhance(adata, n_components, rng=rng, **options)


def _published(adata: ad.AnnData, *, rng: int, times: int = 1) -> None:
    """Run the published model, thin; its NMF start is fixed, so its seeds differ by their cells."""
    sk.tl.enhance(adata, times * _types(adata), method="sccase", init="published", rng=rng)


def _peer(adata: ad.AnnData, *, rng: int, name: str) -> ad.AnnData:
    return adapters()[name].run(adata, n_components=_types(adata), seed=rng, timeout=PEER_TIMEOUT)


def methods() -> dict[str, Callable]:
    """Return every method by name; T is the number of types, which a user does not know."""
    own = {
        "raw": sk.metrics.raw_tfidf,
        "knn": sk.metrics.knn_smoothing,
        "published_T": _published,
        "published_2T": partial(_published, times=2),
        "published_3T": partial(_published, times=3),
        "ours": _ours,
        "ours_T": partial(_ours, times=1),
        "ours_2T": partial(_ours, times=2),
        "ours_3T": partial(_ours, times=3),
        "ours_batch": partial(_ours, batch=True),
    }
    return own | {f"peer_{name}": partial(_peer, name=name) for name in adapters()}


# --- experiments --------------------------------------------------------------------------------------------------


def _base(adata: ad.AnnData, chosen: dict[str, Callable], seeds: list[int], **options: object) -> pd.DataFrame:
    if "batch" in adata.obs and adata.obs["batch"].nunique() > 1:
        return sk.metrics.batch_experiment(
            adata, "cell_type", chosen, batch_key="batch", seeds=seeds, on_error="record", **options
        )
    return sk.metrics.size_experiment(
        adata, "cell_type", chosen, fractions=[0.9], seeds=seeds, on_error="record", **options
    )


EXPERIMENTS: dict[str, tuple[str, Callable]] = {
    "base": ("", _base),
    "dropout": ("rate", partial(sk.metrics.dropout_experiment, rates=(0.2, 0.4, 0.6, 0.8))),
    "imbalance": ("evenness", partial(sk.metrics.imbalance_experiment, evenness=(-0.9, -0.5, 0.5, 1.0))),
    "size": ("fraction", partial(sk.metrics.size_experiment, fractions=(0.1, 0.25, 0.5))),
}


def run(dataset: str, experiment: str, chosen: dict[str, Callable], seeds: list[int]) -> pd.DataFrame:
    """Return the tidy table of one experiment on one data set."""
    adata = DATASETS[dataset]()
    level, function = EXPERIMENTS[experiment]
    truth = "truth" if "truth" in adata.layers else None
    if experiment == "base":
        table = function(adata, chosen, seeds, truth=truth)
        table["level"] = 0.9
    else:
        table = function(adata, "cell_type", chosen, seeds=seeds, truth=truth, on_error="record")
        table["level"] = table[level]
    table.insert(0, "dataset", dataset)
    table.insert(1, "experiment", experiment)
    return table.drop(columns=[c for c in (level, "fraction", "batch_key") if c in table])


def not_installed(table: pd.DataFrame) -> pd.Series:
    """Return the rows of methods that have no environment to run in."""
    return table["error"].fillna("").str.startswith(AdapterUnavailableError.__name__)


def save(tables: list[pd.DataFrame], path: Path) -> pd.DataFrame:
    """Write the table atomically and return it."""
    table = pd.concat(tables, ignore_index=True)
    table = table[~not_installed(table)]
    first = ["dataset", "experiment", "level", "seed", "method", *(s for s in SCORES if s in table)]
    table = table[[*first, *(c for c in table if c not in first)]]
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".csv", delete=False) as file:
        table.to_csv(file, index=False, float_format="%.5g")
    os.replace(file.name, path)
    os.chmod(path, 0o644)
    return table


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over seeds of every score, per data set, experiment, level and method."""
    columns = [score for score in (*SCORES, "seconds") if score in table and table[score].notna().any()]
    keys = ["dataset", "experiment", "level", "method"]
    return table.groupby(keys, sort=False)[columns].mean().dropna(how="all").round(3)


def main(arguments: list[str] | None = None) -> None:
    """Run what was asked for, print the means and what could not be run."""
    known = methods()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"data sets {QUICK}, two seeds, experiment base")
    parser.add_argument("--seeds", type=int, help="number of seeds (5)")
    parser.add_argument("--datasets", nargs="+", choices=list(DATASETS))
    parser.add_argument("--experiments", nargs="+", choices=list(EXPERIMENTS))
    parser.add_argument("--methods", nargs="+", choices=list(known))
    parser.add_argument("--out", type=Path, default=HERE / "results" / "quality.csv")
    args = parser.parse_args(arguments)
    seeds = list(range(args.seeds or (2 if args.quick else 5)))
    names = args.datasets or list(QUICK if args.quick else DATASETS)
    experiments = args.experiments or (["base"] if args.quick else list(EXPERIMENTS))
    chosen = {name: known[name] for name in (args.methods or known)}
    tables: list[pd.DataFrame] = []
    for dataset in names:
        for experiment in experiments:
            started = time.perf_counter()
            try:
                tables.append(run(dataset, experiment, chosen, seeds))
            except FileNotFoundError as err:
                tables.append(pd.DataFrame([{"dataset": dataset, "experiment": experiment, "error": str(err)}]))
            save(tables, args.out)
            print(f"{dataset} / {experiment}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    table = save(tables, args.out)
    with pd.option_context("display.width", 200, "display.max_rows", None, "display.max_columns", None):
        print(summary(table).to_string())
        whole = pd.concat(tables, ignore_index=True)
        failed = whole.loc[whole["error"].fillna("") != ""]
        if len(failed):
            print("\nnot run:")
            print(failed.groupby(["method", "error"], dropna=False).size().rename("rows").to_string())
    print(f"\n{len(table)} rows in {args.out}")


if __name__ == "__main__":
    main()
