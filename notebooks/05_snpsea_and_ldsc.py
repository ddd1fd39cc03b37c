# %% [markdown]
# # Tissues and traits of cell type-specific peaks (SNPsea and LDSC)
#
# **Goal**: ask in which tissues the genes at the SNPs inside specific peaks are expressed, and how much of the heritability of
# traits lies in the peaks (Fig. 4b-c of the scCASE paper), with the background peaks next to them.
#
# **Inputs**: the built-in toy study, with a reference panel and summary statistics made to match. The public files for real data
# are listed at the end.
#
# **Run time**: about half a minute. **Memory**: 1 GB. **Programs**: `bedtools`.

# %%
import logging
import tempfile
import warnings
from pathlib import Path

import matplotlib.pyplot as plt

import sccase_kit as sk

study = sk.datasets.toy_study()
adata = study.adata
sk.tl.enhance(adata, batch_key="batch")
sk.tl.specific_peaks(adata, "cell_type", n_top=150)
sk.tl.background_peaks(adata, n_top=150, groupby="cell_type")
adata.uns["specific_peaks"]["peaks"].head()

# %% [markdown]
# ## SNPsea: the tissues
#
# SNPs inside the peaks lead to loci, loci to genes, genes to the tissues they are specific to. The p-value compares with matched
# sets of random loci.

# %%
snps = study.snps
blocks = snps[["chrom", "ld_start", "ld_end", "snp"]].set_axis(["chrom", "start", "end", "snp"], axis=1)
tissues = sk.tl.snpsea(
    adata,
    snps,
    study.expression,
    gene_intervals=study.genes,
    snp_intervals=blocks,
    null_snps=snps.loc[snps["null"], "snp"],
    background=adata,
)
tissues.sort_values("pvalue").groupby("group").head(1)

# %% [markdown]
# Bars are −log₁₀ p. The dashed line is p = 0.05, the solid one Bonferroni's limit; tissues are ordered by the correlation of their
# expression profiles, drawn to the left.

# %%
sk.pl.snpsea(tissues, ["type_1", "type_2", "background"])
plt.show()

# %% tags=["hide-cell"]
wide = tissues.pivot(index="condition", columns="group", values="pvalue")
for name, truth in study.planted.items():
    assert wide[name].idxmin() == truth["tissue"]
    assert wide.loc[truth["tissue"], name] < 0.05 / len(wide)
# a few background peaks are peaks of a type, so its tissue may be near: by far not as near as for the type itself
own = [wide.loc[truth["tissue"], name] for name, truth in study.planted.items()]
assert wide["background"].min() > 50 * max(own)

# %% [markdown]
# ## LDSC: the traits
#
# Stratified LD score regression: do the SNPs in the peaks carry more heritability than their number explains? The toy study
# can write a small reference panel (PLINK files) and the summary statistics of one trait per cell type. The regression has few SNPs
# here, about which the engine warns, as the original does.

# %%
folder = Path(tempfile.mkdtemp(prefix="toy_ldsc_"))
files = sk.datasets.toy_ldsc(study, folder)
files.cell_type

# %% [markdown]
# Summary statistics must be brought into one form first (alleles, sample size, Z):

# %%
raw = files.gwas["trait_1"]
munged = sk.regions.munge_sumstats(raw, merge_alleles=files.merge_alleles)
munged.table.head(3), munged.log

# %%
with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)
    traits = sk.tl.ldsc(
        adata, files.sumstats, panel=files.panel, baseline=files.base, snps=files.snps, background=adata
    )
traits[["trait", "group", "Prop._SNPs", "Prop._h2", "Enrichment", "Enrichment_std_error", "Enrichment_p"]].head(6)

# %%
fig, axes = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
for ax, trait in zip(axes, ["trait_1", "trait_2", "trait_3"], strict=True):
    sk.pl.ldsc(traits, trait, ax=ax)
plt.show()

# %% tags=["hide-cell"]
for trait, name in files.cell_type.items():
    own = traits[traits["trait"] == trait].set_index("group")
    assert own["Enrichment"].idxmax() == name
    assert own.loc[name, "Enrichment_p"] < 0.05 / len(own)

# %% [markdown]
# A bar of 1 means: as much heritability as any SNPs. The star marks more than that after Bonferroni correction.
#
# ## One call
#
# `sk.tl.interpret` goes from the enhanced data to all of these tables and figures, as a folder that can be taken up again. It also
# writes the inputs for the GREAT server and for the programs `snpsea` and `ldsc.py`.

# %%
logging.getLogger("sccase_kit").setLevel(logging.WARNING)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)
    tables = sk.tl.interpret(
        adata,
        "cell_type",
        folder / "meaning",
        genome="hg38",
        data_genome="hg38",
        n_top=150,
        great={"gene_sets": study.gene_sets, "tss": study.genes},
        snpsea={
            "snps": snps,
            "gene_matrix": study.expression,
            "gene_intervals": study.genes,
            "snp_intervals": blocks,
            "null_snps": snps.loc[snps["null"], "snp"],
        },
        ldsc={"panel": files.panel, "sumstats": files.sumstats, "baseline": files.base, "snps": files.snps},
    )
print((folder / "meaning" / "README.md").read_text())

# %% tags=["hide-cell"]
assert set(tables) == {"peaks", "great", "snpsea", "ldsc"}
assert (folder / "meaning" / "ldsc" / "trait_1.png").is_file()

# %% [markdown]
# ## Fine-mapped variants on real data
#
# Five blood traits of UK Biobank and 533 sorted progenitors, if the files are there: `SCCASE_KIT_FULL=1`, and `SCCASE_KIT_DATA` their folder. Variants with their
# posterior probabilities say in which cells they act; no panel is needed.

# %%
import os

there = sk.datasets.available()["on_disk"]
if os.environ.get("SCCASE_KIT_FULL") == "1" and there[["bm0828", "finemapped_blood_traits"]].all():
    blood = sk.datasets.load("bm0828")
    sk.pp.filter_peaks(blood, min_fraction=0.01)
    sk.tl.enhance(blood)
    files = Path(os.environ["SCCASE_KIT_DATA"], "gwas").glob("*_PP001.bed.gz")
    variants = {path.name.removesuffix("_PP001.bed.gz"): path for path in sorted(files)}
    sk.tl.trait_scores(blood, variants, "cell_type", bias=None, n_permutations=500)
    sk.pl.trait_groups(blood)
    plt.show()
else:
    print("skipped: set SCCASE_KIT_FULL=1, and SCCASE_KIT_DATA to the folder with bm0828.h5ad and gwas")

# %% [markdown]
# ## With other real data
#
# | needed | public file | manifest |
# |---|---|---|
# | SNPs | HapMap3 list with positions | `sk.datasets.available()` |
# | SNPsea | `SNPsea_data_20140520.zip`: GeneAtlas2004, NCBIgenes2013, TGP2011, Lango2010 | `snpsea_data` |
# | LDSC | 1000 Genomes EUR panel, baseline, weights; munged statistics | |
#
# All of these are on hg19; for peaks of another genome pass `chain=` to `sk.tl.interpret`, or use `sk.regions.liftover`.
#
# ## Where to go next
#
# * `docs/snpsea.md` and `docs/ldsc.md`: what is computed and how to read it.
# * `06_motifs`: the motifs in the same peaks.

# %%
import shutil

from session_info2 import session_info

shutil.rmtree(folder)
session_info(dependencies=False)
