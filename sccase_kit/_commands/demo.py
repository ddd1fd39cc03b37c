"""Run the main job on the built-in toy study and leave figures and files to look at."""

from __future__ import annotations

import argparse
from typing import Any

from .files import save_data

HELP = "the main job on built-in data"
EXAMPLE = """example:
  sccase-kit demo -o demo_output"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("-o", "--output", default="demo_output", help="folder for the results (demo_output)")
    parser.add_argument("--cells", type=int, default=600, help="cells of the toy study (600)")
    parser.add_argument("--peaks", type=int, default=3000, help="peaks of the toy study (3000)")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Make the toy study, enhance it, score it, draw it."""
    import matplotlib as mpl

    mpl.use("agg")
    import sccase_kit as sk

    from .._atomic import check_folder, replacing

    folder = check_folder(args.output)
    adata = sk.datasets.toy_study(n_cells=args.cells, n_peaks=args.peaks).adata
    n_types = adata.obs["cell_type"].nunique()
    sk.pp.filter_peaks(adata)
    raw = sk.metrics.evaluate(adata, "cell_type", key=None)
    sk.tl.enhance(adata, batch_key="batch")
    sk.tl.cluster(adata, n_clusters=n_types)
    sk.tl.specific_peaks(adata, "cell_type", n_top=100, genome="hg38")
    score = sk.metrics.evaluate(adata, "cell_type")
    clusters = sk.metrics.agreement(adata.obs["cell_type"], adata.obs["louvain"])
    planted = adata.var_names[adata.var["specific_to"] != ""]
    planted = planted[adata.var.loc[planted, "specific_to"].argsort(kind="stable")]
    figures: dict[str, Any] = {
        "raw_against_enhanced.png": sk.pl.raw_against_enhanced(adata, "cell_type")[0].figure,
        "planted_peaks.png": sk.pl.peak_heatmap(adata, planted, "cell_type")[0].figure,
        "embedding.png": sk.pl.embedding_heatmap(adata, "cell_type").figure,
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        with replacing(folder / name) as temporary:
            figure.savefig(temporary, dpi=150)
    save_data(adata, folder / "enhanced.h5ad")
    sk.report.write_report(adata, folder / "report.html", "cell_type", title="Toy study", source="enhanced.h5ad")
    return {
        "folder": str(folder.resolve()),
        "enhanced data": str(folder / "enhanced.h5ad"),
        "figures": [str(folder / name) for name in figures],
        "report": str(folder / "report.html"),
        "ARI of clusters and planted types, raw": round(float(raw["ari"]), 3),
        "ARI of clusters and planted types, enhanced": round(float(clusters["ari"]), 3),
        "silhouette of the planted types, raw": round(float(raw["silhouette"]), 3),
        "silhouette of the planted types, enhanced": round(float(score["silhouette"]), 3),
    }
