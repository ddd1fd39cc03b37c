"""Draw the gallery: a small picture of every plot of `sk.pl`, and the page that shows them.

    python docs/gallery.py FOLDER [NAME ...]

FOLDER holds the data sets of data_manifest.yaml (bm0828.h5ad, granja_bmmc_2k.h5ad) and the folder gwas with fine-mapped
variants. Plots that need sequences, fragments or panels, which these sets lack, show the toy study, and say so.
The pictures go to docs/figures/gallery, the page to docs/gallery.md; look at both before they are committed.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")
import matplotlib.pyplot as plt

import sccase_kit as sk

HERE = Path(__file__).parent
PICTURES = HERE / "figures" / "gallery"
DATA = Path(sys.argv[1]) if len(sys.argv) > 1 else Path()
#: Short text of where the data of a picture come from.
MARROW = "human bone marrow, 2,015 cells of two donors (Granja 2019)"
DONOR = "sorted human blood progenitors, 533 cells (Buenrostro 2018, donor BM0828)"
TOY = "toy study with planted truth"


@cache
def marrow():
    adata = sk.read(DATA / "granja_bmmc_2k.h5ad")
    sk.pp.filter_peaks(adata, min_fraction=0.005)
    sk.tl.enhance(adata, batch_key="batch")
    sk.tl.cluster(adata, n_clusters=10)
    sk.tl.specific_peaks(adata, "cell_type", n_top=150, genome="hg19")
    return adata


@cache
def donor():
    adata = sk.read(DATA / "bm0828.h5ad")
    sk.pp.filter_peaks(adata, min_fraction=0.01)
    sk.tl.enhance(adata)
    sk.tl.enhance(adata, 7, method="sccase", init="published", tol=1e-8, max_iter=30, key_added="sccase_7")
    return adata


@cache
def great():
    sk.tl.specific_peaks(donor(), "cell_type", n_top=1000)
    sk.tl.great(donor(), "hg19", "GO:BP", background=donor())
    return donor()


@cache
def study():
    return sk.datasets.toy_study()


@cache
def toy():
    adata = study().adata
    sk.tl.enhance(adata, batch_key="batch")
    sk.tl.specific_peaks(adata, "cell_type", n_top=150)
    sk.tl.background_peaks(adata, n_top=150, groupby="cell_type")
    sk.tl.match_motifs(adata, study().motifs, sequences=study().sequences)
    sk.tl.chromvar(adata)
    return adata


@cache
def motif_table():
    return sk.tl.differential_deviations(toy(), "cell_type")


@cache
def multiome():
    toy = sk.datasets.toy_multiome()
    sk.tl.peak_gene_links(toy.atac, toy.rna, toy.genes)
    return toy


@cache
def tissues():
    snps = study().snps
    blocks = snps[["chrom", "ld_start", "ld_end", "snp"]].set_axis(["chrom", "start", "end", "snp"], axis=1)
    null = snps.loc[snps["null"], "snp"]
    given = {"gene_intervals": study().genes, "snp_intervals": blocks, "null_snps": null, "background": toy()}
    return sk.tl.snpsea(toy(), snps, study().expression, **given)


@cache
def heritability():
    with tempfile.TemporaryDirectory() as folder:
        files = sk.datasets.toy_ldsc(study(), folder)
        given = {"panel": files.panel, "baseline": files.base, "snps": files.snps, "background": toy()}
        return sk.tl.ldsc(toy(), files.sumstats, **given)


@cache
def fragments():
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "toy").mkdir()  # the name of the sample
        path = sk.datasets.write_toy_fragments(study(), Path(folder) / "toy" / "fragments.tsv.gz")
        regions = toy().var[["chrom", "start", "end"]]
        return sk.read_fragments(path, regions, genome="hg38", tss=study().genes)


@cache
def traits():
    names = {
        "LYMPH_COUNT": "lymphocytes",
        "MONO_COUNT": "monocytes",
        "PLT_COUNT": "platelets",
        "RBC_COUNT": "red cells",
    }
    variants = {name: DATA / "gwas" / f"{code}_PP001.bed.gz" for code, name in names.items()}
    sk.tl.trait_scores(marrow(), variants, "cell_type", bias=None, n_permutations=200)
    return marrow()


@cache
def dropout():
    methods = {"raw TF-IDF": sk.metrics.raw_tfidf, "kNN smoothing": sk.metrics.knn_smoothing}
    methods["enhanced"] = lambda adata, rng: sk.tl.enhance(adata, rng=rng)
    return sk.metrics.dropout_experiment(donor(), "cell_type", methods, rates=(0.0, 0.3, 0.6), seeds=range(2))


@cache
def accuracy():
    adata = sk.datasets.toy_study(n_cells=300, n_peaks=2000).adata
    sk.tl.enhance(adata)
    raw = sk.metrics.raw_tfidf(adata)
    import anndata as ad

    plain = ad.AnnData(raw, obs=adata.obs, var=adata.var, layers={"truth": adata.layers["truth"]})
    return {
        "raw TF-IDF": sk.metrics.accuracy(plain, "truth", key=None),
        "enhanced": sk.metrics.accuracy(adata, "truth"),
    }


@cache
def conditions():
    adata = marrow()[marrow().obs["cell_type"].isin(["B", "CD14.Mono.1"])].copy()
    adata.obs["type"] = adata.obs["cell_type"].astype(str)
    adata.obs["sample"] = adata.obs["donor"].astype(str) + " " + adata.obs["type"]
    adata.obs["cells"] = "marrow"
    columns = {"condition_key": "type", "sample_key": "sample", "reference": "B"}
    return sk.tl.differential(adata, "cells", **columns, genome="hg19")


#: Plot → where the data come from, what the picture shows, the call that drew it.
DRAW: dict[str, tuple[str, str, Callable[[], object]]] = {
    "raw_against_enhanced": (
        MARROW,
        "Cells before and after enhancing",
        lambda: sk.pl.raw_against_enhanced(marrow(), "cell_type"),
    ),
    "cell_map": (
        MARROW,
        "Any columns on a map",
        lambda: sk.pl.cell_map(marrow(), ["cell_type", "louvain", "TotalReads"], basis="X_umap_sccase"),
    ),
    "embedding_heatmap": (
        DONOR,
        "Cells by component",
        lambda: sk.pl.embedding_heatmap(donor(), "cell_type", basis="X_sccase_7"),
    ),
    "similarity_heatmap": (DONOR, "Similarity between cells", lambda: sk.pl.similarity_heatmap(donor(), "cell_type")),
    "peak_heatmap": (
        MARROW,
        "Specific peaks, counts and enhanced",
        lambda: sk.pl.peak_heatmap(marrow(), "cell_type"),
    ),
    "genome_tracks": (
        DONOR,
        "A gene's neighbourhood by cell type",
        lambda: sk.pl.genome_tracks(donor(), "MPO", "cell_type", genes="hg19"),
    ),
    "peak_gene_links": (
        TOY,
        "Peaks linked to a gene",
        lambda: sk.pl.peak_gene_links(multiome().atac, "Toy334", genes=multiome().genes, flank=110_000),
    ),
    "estimate_k": (DONOR, "How many components", lambda: (sk.tl.estimate_k(donor()), sk.pl.estimate_k(donor()))),
    "objective_trace": (DONOR, "Objective by iteration", lambda: sk.pl.objective_trace(donor(), "sccase_7")),
    "depth_correlation": (
        DONOR,
        "Components against depth",
        lambda: sk.pl.depth_correlation(donor(), ["sccase", "sccase_7"]),
    ),
    "held_out": (DONOR, "Does enhancing help?", lambda: sk.pl.held_out(sk.metrics.held_out(donor(), n_splits=2))),
    "robustness": (DONOR, "Scores with more and more dropout", lambda: sk.pl.robustness(dropout())),
    "score_bars": (DONOR, "Methods side by side", lambda: sk.pl.score_bars(dropout(), ["ari", "silhouette"])),
    "accuracy_boxplot": (
        TOY,
        "Accuracy against the truth",
        lambda: sk.pl.accuracy_boxplot(accuracy(), reference="raw TF-IDF"),
    ),
    "accessibility_volcano": (
        MARROW,
        "Peaks that differ, two donors as replicates",
        lambda: sk.pl.accessibility_volcano(conditions()),
    ),
    "accessibility_ma": (MARROW, "Change against mean count", lambda: sk.pl.accessibility_ma(conditions())),
    "annotation": (
        MARROW,
        "Names suggested for clusters",
        lambda: (
            sk.tl.annotate(marrow(), "louvain", "blood", genome="hg19", counts=DATA / "granja_bmmc_2k.h5ad"),
            sk.pl.annotation(marrow()),
        ),
    ),
    "trait_groups": (MARROW, "Blood traits by cell type", lambda: sk.pl.trait_groups(traits())),
    "great_bar": (DONOR, "Terms of specific peaks", lambda: sk.pl.great_bar(great(), n_top=3)),
    "great_dot": (DONOR, "Terms by group", lambda: sk.pl.great_dot(great(), n_top=3)),
    "great_distances": (DONOR, "Distances from peaks to genes", lambda: sk.pl.great_distances(great())),
    "motif_logo": (TOY, "A motif", lambda: sk.pl.motif_logo("TF_1", toy())),
    "variability_rank": (TOY, "Motifs by variability", lambda: sk.pl.variability_rank(toy())),
    "motif_heatmap": (TOY, "Deviations by group", lambda: sk.pl.motif_heatmap(toy(), "cell_type")),
    "deviation_map": (
        TOY,
        "A motif's deviations on the map",
        lambda: (
            sk.pl.raw_against_enhanced(toy(), "cell_type"),
            plt.close("all"),
            sk.pl.deviation_map(toy(), ["TF_1", "TF_2"], basis="X_umap_sccase"),
        ),
    ),
    "differential_volcano": (TOY, "Motifs that differ", lambda: sk.pl.differential_volcano(motif_table(), "type_1")),
    "top_motifs": (TOY, "Effects with logos", lambda: sk.pl.top_motifs(toy(), motif_table(), "type_1", n_top=6)),
    "snpsea": (TOY, "Tissues of a trait's genes", lambda: sk.pl.snpsea(tissues(), ["type_1", "type_2", "background"])),
    "ldsc": (TOY, "Heritability by group", lambda: sk.pl.ldsc(heritability(), "trait_1")),
    "barcode_rank": (TOY, "Fragments by barcode", lambda: sk.pl.barcode_rank(fragments())),
    "fragment_lengths": (TOY, "Lengths of fragments", lambda: sk.pl.fragment_lengths(fragments())),
    "fragment_quality": (TOY, "Quality of cells", lambda: sk.pl.fragment_quality(fragments())),
    "tss_profile": (TOY, "Profile at transcription starts", lambda: sk.pl.tss_profile(fragments())),
    "tss_by_depth": (TOY, "Enrichment against depth", lambda: sk.pl.tss_by_depth(fragments())),
}


def draw(name: str) -> None:
    """Draw one plot, 1,000 pixels wide at most, with 256 colours."""
    from PIL import Image

    plt.close("all")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        DRAW[name][2]()
    path = PICTURES / f"{name}.png"
    plt.gcf().savefig(path, dpi=110, bbox_inches="tight", facecolor="white", metadata={"Software": None})
    image = Image.open(path).convert("RGB")
    image.thumbnail((1000, 900))
    image.quantize(256).save(path, optimize=True)


def page() -> str:
    """Return the page: a picture, what it shows and of which data, for every plot that was drawn."""
    lines = ["# Gallery", "", "Every plot of `sk.pl`. The pictures are made by `python docs/gallery.py FOLDER`.", ""]
    for name, (data, title, _) in DRAW.items():
        lines += [f"## {title}", "", f"`sk.pl.{name}` · {data}", "", f"![{title}](figures/gallery/{name}.png)", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    PICTURES.mkdir(parents=True, exist_ok=True)
    for chosen in sys.argv[2:] or DRAW:
        draw(chosen)
        print(chosen, (PICTURES / f"{chosen}.png").stat().st_size // 1000, "kB", flush=True)
    (HERE / "gallery.md").write_text(page())
