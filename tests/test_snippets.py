"""Every Python and sccase-kit snippet of the pages and the README runs, in the order of its page.

The files that the pages name (genomes, panels, statistics) are small stand-ins made from the toy study, whose specific
peaks are laid beside marker genes of blood. What cannot run here is listed in `NOT_HERE` with the reason; what a user
has elsewhere is replaced as `STAND_INS` says.
"""

from __future__ import annotations

import gzip
import importlib.util
import logging
import re
import shlex
import shutil
import textwrap
import warnings
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse

import sccase_kit as sk
from sccase_kit.cli import main

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]
FENCE = re.compile(r"^( *)```(python|bash|sh)\n(.*?)^ *```", flags=re.DOTALL | re.MULTILINE)
NOT_HERE = {  # a line of the snippet → why it is not run
    "%%R": "magics of a notebook with R: tests/r/test_ipython.py",
    'engine="r"': "the engines: tests/r/test_recipes.py, test_stand_ins.py",
    "study.rds": "objects of R users: tests/r/test_recipes.py",
    "gene-sets build": "needs the annotation of a species, which is not here: tests/commands",
}
STAND_INS = {  # few peaks are enriched for few terms; a scheduler that is not here; cells with few fragments
    '"GO:BP"': '"sets.gmt"',
    '"CD14 monocyte"': '"HSC"',
    'Client("scheduler:8786")': "Client(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None)",
    'gene_activity(adata, "hg38")\nsk.tl.motif_genes': 'gene_activity(adata, "factors.tsv")\nsk.tl.motif_genes',
    "--genome hg38 -o counts.h5ad": "--genome hg38 --min-fragments 50 -o counts.h5ad",
    "multiome.h5mu --genome hg38": "multiome.h5mu --genome toy_genes.tsv",
    "--expression rna.h5ad --genome hg38": "--expression rna.h5ad --genome toy_genes.tsv",
}
NEEDS = {
    "match_motifs": "pyjaspar",
    "tl.differential": "pydeseq2",
    "tl.great": "pybedtools",
    "interpret": "pybedtools",
    "distributed": "distributed",
    "atlas.zarr": "zarr",
    "multiome.h5mu": "mudata",
}
GENES = {"genes", "great"}  # pages on genes that really are there
SLOW = {"interpret", "fragments", "motifs", "README"}  # more than ten seconds
TYPES = ["B cell", "HSC", "monocytes", "Erythroid", "NK cell"]
MARKERS = {  # near which the specific peaks of a type lie
    "B cell": ["MS4A1", "CD79A", "CD79B", "CD19", "PAX5", "BANK1", "CD22", "FCRL1", "BLK", "VPREB3"],
    "HSC": ["TAL1", "HLF", "AVP", "CRHBP", "MECOM", "MEIS1", "MLLT3", "PRDM16", "HOPX", "MPL"],
    "monocytes": ["CD14", "LYZ", "S100A8", "S100A9", "VCAN", "FCN1", "CSF1R", "CD36", "S100A12", "MNDA"],
    "Erythroid": ["GATA1", "KLF1", "HBB", "HBA1", "ALAS2", "GYPA", "EPOR", "AHSP", "CA1", "SLC4A1"],
    "NK cell": ["NKG7", "GNLY", "KLRD1", "NCAM1", "PRF1", "GZMB", "KLRF1", "KLRC1", "CD247", "CD3E"],
}


def snippets(page: Path) -> list[tuple[str, str]]:
    """Return language and text of the snippets of a page that are to be run."""
    found = []
    for _, language, body in FENCE.findall(page.read_text(encoding="utf-8")):
        text = textwrap.dedent(body)
        if language == "python" and not any(word in text for word in NOT_HERE):
            found.append((language, text))
        elif language != "python" and any(line.startswith("sccase-kit ") for line in text.splitlines()):
            found.append((language, text))
    return found


def pages() -> list:
    """Return the pages that have snippets, the slow ones marked."""
    return [
        pytest.param(page, id=page.stem, marks=[pytest.mark.slow] if page.stem in SLOW else [])
        for page in PAGES
        if snippets(page)
    ]


@pytest.fixture(scope="module")
def study():
    """Return the toy study with cell types called as on the pages."""
    made = sk.datasets.toy_study(n_cells=240, n_peaks=900)
    made.adata.obs["cell_type"] = made.adata.obs["cell_type"].cat.rename_categories(TYPES)
    donor = np.arange(made.adata.n_obs) // 5 % 6
    made.adata.obs["donor"] = pd.Categorical([f"donor {k}" for k in donor])
    made.adata.obs["sex"] = pd.Categorical(np.where(donor % 2, "f", "m"))
    made.adata.obs["condition"] = pd.Categorical(np.where(donor < 3, "control", "treated"))
    return made


@pytest.fixture(scope="module")
def files(tmp_path_factory, study):
    """Return a folder with every file that the pages name."""
    folder = tmp_path_factory.mktemp("snippets")
    toy = study.write(folder / "parts")
    _genome(folder, study)
    for part, name in {
        "expression": "GeneAtlas2004.gct.gz",
        "gene_intervals": "NCBIgenes2013.bed.gz",
        "snp_intervals": "TGP2011.bed.gz",
        "null_snps": "Lango2010.txt.gz",
        "peaks": "peaks.bed",
    }.items():
        content = Path(toy[part]).read_bytes()
        (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    snps = study.snps[["snp", "chrom", "pos"]].set_axis(["rsid", "chr", "pos"], axis=1)
    snps.to_csv(folder / "hapmap3_db150_hg19.snplist.gz", sep="\t", index=False)
    sizes = sk.regions.chrom_sizes("hg38")
    for trait, name in (("trait_1", "MONO_COUNT"), ("trait_2", "RBC_COUNT")):
        fine = study.snps[study.snps["trait"] == trait]
        fine = fine.assign(start=fine["pos"] - 1)[["chrom", "start", "pos", "snp", "pip"]]
        fine.to_csv(folder / f"{name}_PP001.bed.gz", sep="\t", index=False, header=False)
    chain = [f"chain 1 {c} {n} + 0 {n} {c} {n} + 0 {n} 1\n{n}\n\n" for c, n in sizes.items()]
    (folder / "hg38ToHg19.over.chain.gz").write_bytes(gzip.compress("".join(chain).encode()))
    symbols = sk.regions.tss_table("hg38")["symbol"].to_numpy(object)
    rng = np.random.default_rng(0)
    sets = MARKERS | {f"decoy {k}": list(rng.choice(symbols, 10, replace=False)) for k in range(20)}
    (folder / "sets.gmt").write_text("".join(f"{term}\t\t" + "\t".join(g) + "\n" for term, g in sets.items()))
    _ldsc(folder, study)
    factors = pd.DataFrame({"symbol": ["RUNX1", "GATA1", "TAL1", "SPI1", "CEBPA", "FOXO1"], "chrom": "chr1"})
    factors["tss"] = factors["start"] = 20_000 * np.arange(6) + 1_000  # where the peaks of `_genome` lie
    factors = factors.assign(gene_id=factors["symbol"], strand="+", end=factors["start"] + 5_000)
    factors.to_csv(folder / "factors.tsv", sep="\t", index=False)
    sk.datasets.write_toy_fragments(study, folder / "fragments.tsv.gz")
    _multiome(folder)
    _mouse_brain(folder, study)
    return folder


def _mouse_brain(folder: Path, study: object) -> None:
    """Write peaks beside mouse genes as they are published, Matrix Market with names of peaks and cells; and sets."""
    panel = sk.genes.panel("mouse:brain")
    adata = _beside_markers(study.adata, dict(zip(TYPES, panel.values(), strict=False)), "mm10")
    adata = adata[:, adata.var["specific_to"].astype(str) != ""]  # the others are not laid anew
    scipy.io.mmwrite(folder / "SHAREseq_brain_DNA20k.mtx", scipy.sparse.coo_matrix(adata.X.T).astype(int))
    adata.var_names.to_series(name="x").to_csv(folder / "SHAREseq_brain_DNA20kbins.csv", index=False)
    adata.obs_names.to_series(name="x").to_csv(folder / "SHAREseq_brain_barcodes.csv", index=False)
    (folder / "mouse_go.gmt").write_text("".join(f"{k}\t\t" + "\t".join(g) + "\n" for k, g in panel.items()))


def _multiome(folder: Path) -> None:
    """Write peaks and genes of the same cells, apart and, where there is mudata, in one file."""
    toy = sk.datasets.toy_multiome(n_cells=150, n_peaks=400)
    toy.atac.write_h5ad(folder / "atac.h5ad")
    toy.rna.write_h5ad(folder / "rna.h5ad")
    toy.genes.to_csv(folder / "toy_genes.tsv", sep="\t", index=False)
    if importlib.util.find_spec("mudata"):
        import mudata

        with (
            mudata.set_options(pull_on_update=False) if hasattr(mudata, "set_options") else nullcontext()
        ):  # before 0.4
            mudata.MuData({"atac": toy.atac, "rna": toy.rna}).write(folder / "multiome.h5mu")


def _genome(folder: Path, study: object) -> None:
    """Write counts whose peaks lie one after the other on a chromosome, and its sequence."""
    adata = study.adata.copy()
    dna = ["".join(study.sequences[name]) for name in adata.var_names]
    ends = np.cumsum([len(s) for s in dna])
    adata.var = adata.var.assign(chrom="chr1", start=np.r_[0, ends[:-1]], end=ends)
    adata.var_names = [f"chr1:{s}-{e}" for s, e in zip(adata.var["start"], adata.var["end"], strict=True)]
    adata.write_h5ad(folder / "counts.h5ad")
    if importlib.util.find_spec("zarr"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the format's version
            adata.write_zarr(folder / "atlas.zarr")
    variants = adata.var[adata.var["specific_to"].astype(str) == "type_3"].iloc[:30]
    bed = pd.DataFrame(
        {"c": "chr1", "start": variants["start"] + 5, "end": variants["start"] + 6, "name": "rs", "p": 0.9}
    )
    bed.to_csv(folder / "monocytes.bed.gz", sep="\t", header=False, index=False)
    (folder / "chip_peaks").mkdir()
    for factor, kind in (("GATA1", "type_1"), ("SPI1", "type_2")):
        own = adata.var.loc[adata.var["specific_to"].astype(str) == kind, ["chrom", "start", "end"]]
        own.to_csv(folder / "chip_peaks" / f"{factor}.bed", sep="\t", header=False, index=False)
    (folder / "hg38.fa").write_text(">chr1\n" + "\n".join(textwrap.wrap("".join(dna), 60)) + "\n")


def _ldsc(folder: Path, study: object) -> None:
    """Write panel, baseline, weights and statistics under the names of the consortium."""
    made = sk.datasets.toy_ldsc(study, folder / "ldsc", n_individuals=100)
    shutil.copy(made.gwas["trait_1"], folder / "height.txt.gz")
    shutil.copy(made.sumstats["trait_1"], folder / "height.sumstats.gz")
    shutil.copy(made.merge_alleles, folder / "w_hm3.snplist")
    places = [(folder, folder), (folder / "1000G_EUR_Phase3_plink", folder / "1000G_EUR_Phase3_baseline")]
    weights = folder / "weights_hm3_no_hla"
    weights.mkdir()
    for panel, baseline in places:
        for place in (panel, baseline):
            place.mkdir(exist_ok=True)
        for chrom in made.chromosomes:
            for ending in (".bed", ".bim", ".fam", ".frq"):
                shutil.copy(f"{made.panel}{chrom}{ending}", panel / f"1000G.EUR.QC.{chrom}{ending}")
            shutil.copy(f"{made.base}{chrom}.annot.gz", baseline / f"baseline.{chrom}.annot.gz")
    for chrom in made.chromosomes:
        bim = sk.regions.read_bim(f"{made.panel}{chrom}.bim")
        table = bim[["CHR", "SNP", "BP"]].assign(L2=1.5)
        table.to_csv(weights / f"weights.{chrom}.l2.ldscore.gz", sep="\t", index=False)


@pytest.fixture
def place(tmp_path, files, study, monkeypatch, request):
    """Return data as the pages have them; the working directory is a folder with a copy of every file."""
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    page = request.node.callspec.params["page"].stem
    adata = _beside_markers(study.adata) if page in GENES else study.adata.copy()
    sk.tl.enhance(adata)
    adata.write_h5ad(tmp_path / "enhanced.h5ad")
    return adata


def _beside_markers(adata: object, markers: dict[str, list[str]] = MARKERS, genome: str = "hg38") -> object:
    """Return the specific peaks of every type, laid around the starts of its marker genes, and some others."""
    own = (adata.var["specific_to"].astype(str) != "").to_numpy()
    adata = adata[:, own | (np.cumsum(~own) <= 60)]
    adata = adata[np.asarray(adata.X.sum(axis=1)).ravel() > 2]
    adata = adata[:, np.asarray(adata.X.sum(axis=0)).ravel() > 0].copy()
    table = sk.regions.tss_table(genome).drop_duplicates("symbol").set_index("symbol")
    places = adata.var[["chrom", "start", "end"]].astype({"chrom": object})
    groups = adata.var["specific_to"].astype(str).map({f"type_{k}": t for k, t in enumerate(TYPES, 1)})
    for kind, genes in markers.items():
        known = table.loc[[gene for gene in genes if gene in table.index]]
        for k, peak in enumerate(np.flatnonzero((groups == kind).to_numpy())):
            gene = known.iloc[k % len(known)]
            start = int(gene["tss"]) + 1_500 * (k // len(known)) - 2_000
            places.iloc[peak] = [gene["chrom"], start, start + 400]
    adata.var = adata.var.assign(**{c: places[c].to_numpy() for c in places})
    adata.var_names = [f"{c}:{s}-{e}" for c, s, e in places.itertuples(index=False)]
    adata.var_names_make_unique()
    return adata


@pytest.mark.parametrize("page", pages())
def test_snippets_of(page, place):
    text = page.read_text(encoding="utf-8")
    for word, module in NEEDS.items():
        if word in text and importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    if "bedtools" in " ".join(NEEDS[w] for w in NEEDS if w in text) and shutil.which("bedtools") is None:
        pytest.skip("the program bedtools is not installed")
    import matplotlib.pyplot as plt

    spaces: dict[str, object] = {"sk": sk, "np": np, "pd": pd, "adata": place}
    logger = logging.getLogger("sccase_kit")
    level, methods = logger.level, dict(sk.enhance.METHODS)
    root = logging.root.level, list(logging.root.handlers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few SNPs, small panels, files that are replaced
        try:
            for language, body in snippets(page):
                code = body
                for word, other in STAND_INS.items():
                    code = code.replace(word, other)
                if language == "python":
                    exec(compile(code, page.name, "exec"), spaces)
                    plt.close("all")
                else:
                    _run_commands(code)
        finally:
            plt.close("all")
            logger.setLevel(level)
            logging.root.setLevel(root[0])  # a page shows logging.basicConfig
            logging.root.handlers[:] = root[1]
            sk.enhance.METHODS.clear()  # pages register methods of their own
            sk.enhance.METHODS.update(methods)
            if client := spaces.get("client"):
                client.close()


def _run_commands(text: str) -> None:
    """Run the lines of a shell snippet that call sccase-kit; the others install or build."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["sccase-kit"] and words[1:] != ["doctor"] and not any(w in line for w in NOT_HERE):
            assert main(words[1:]) in (0, None), line


def test_there_are_snippets():
    assert sum(len(snippets(page)) for page in PAGES) > 20


def test_what_is_not_run_is_still_there():
    """A reason to leave a snippet out that no page needs any more is to be dropped."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    for word in [*NOT_HERE, *STAND_INS]:
        assert word in text, word
