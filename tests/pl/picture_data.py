"""Results to draw, as the functions that compute them write them, from a seed alone."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd

import sccase_kit as sk
from sccase_kit._record import record

MOTIFS = {"CTCF": "ACGTAC", "GATA1": "AGATAA", "SPI1": "GGAAGT", "TBX21::EOMES": "TCACAC"}


def differential_table():
    """Return what `sk.tl.differential` returns: 40 of 300 peaks change in B cells."""
    rng = np.random.default_rng(3)
    base = rng.gamma(2.0, 8.0, 300)
    effect = rng.normal(size=300) * 1.2 / np.sqrt(base)
    effect[:40] += rng.choice([-1.5, 1.5], 40)
    pvalue = 10.0 ** -(np.abs(effect) * np.sqrt(base) * 0.9)
    names = [f"chr1:{1000 * i}-{1000 * i + 400}" for i in range(300)]
    genes = np.where(np.arange(300) % 2 == 0, [f"GENE{i}" for i in range(300)], "")
    table = pd.DataFrame({"group": "B", "condition": "treated", "peak": names, "log2fc": effect, "base_mean": base})
    return table.assign(pvalue=pvalue, padj=np.minimum(pvalue * 8, 1), nearest_gene=genes).sort_values("pvalue")


def annotated(adata):
    """Return what `sk.tl.annotate` writes: five groups, the last unknown."""
    rng = np.random.default_rng(4)
    types = ["B cell", "CD14+ monocyte", "CD4+ T cell", "Dendritic cell", "NK cell", "Plasma cell", "Erythroblast"]
    groups = [f"cluster {i}" for i in range(5)]
    values = rng.normal(-0.4, 0.5, size=(5, 7))
    values[range(4), [4, 2, 0, 1]] = [3.2, 2.4, 2.8, 1.9]
    scores = pd.DataFrame(values, index=groups, columns=types)
    best = scores.idxmax(axis=1).tolist()
    table = pd.DataFrame({"group": groups, "label": [*best[:4], "unknown"], "best": best})
    record(adata, "annotation", "tl.annotate", params={"groupby": "cluster"}, table=table, scores=scores)
    return adata


def with_traits(adata):
    """Return what `sk.tl.trait_scores` writes, for three traits and five groups."""
    rng = np.random.default_rng(5)
    traits, groups = ["lymphocyte count", "monocyte count", "height"], ["B", "CD4 T", "CD8 T", "Monocyte", "NK"]
    score = rng.uniform(0.4, 1.2, size=(3, 5))
    score[0, [1, 2]], score[1, 3] = [2.1, 1.8], 2.6
    rows = [(t, g, score[i, j]) for i, t in enumerate(traits) for j, g in enumerate(groups)]
    table = pd.DataFrame(rows, columns=["trait", "group", "score"])
    table["p_value_adj"] = np.where(table["score"] > 1.5, 0.01, 0.6)
    summary = pd.DataFrame({"trait": traits})
    record(adata, "traits", "tl.trait_scores", params={"groupby": "cell_type"}, traits=summary, groups=table)
    return adata


def fragments():
    """Return cells of two samples as `sk.read_fragments` returns them."""
    rng = np.random.default_rng(6)
    at, length = np.arange(-2000, 2001), np.arange(1001)
    curves, lengths, profiles, obs = {}, {}, {}, []
    for name, n, depth, score in (("donor 1", 150, 9000, 12.0), ("donor 2", 90, 5000, 7.0)):
        cells = np.sort(rng.lognormal(np.log(depth), 0.5, n).astype(int))[::-1]
        empty = np.sort(rng.pareto(0.8, 2000) * 6 + 1).astype(int).clip(1, cells.min() - 1)[::-1]
        every = np.concatenate([cells, empty])
        rank = np.arange(1, len(every) + 1)
        curves[name] = pd.DataFrame({"rank": rank, "fragments": every, "cell": rank <= n})
        waves = [(70, 30, 1.0), (200, 35, score / 15), (380, 45, score / 60)]
        lengths[name] = sum(1e5 * h * np.exp(-(((length - m) / s) ** 2) / 2) for m, s, h in waves).astype(int)
        profiles[name] = 1 + (score - 1) * np.exp(-np.abs(at) / 250) * (1 + 0.06 * np.sin(at / 30))
        frame = pd.DataFrame({"sample": name, "n_fragments": cells})
        frame["tss_enrichment"] = rng.normal(score, 1.5, n).clip(1)
        frame["frip"], frame["nucleosome_signal"] = rng.beta(8, 6, n), rng.gamma(20, 0.04, n)
        frame["duplicate_rate"], frame["fraction_mito"] = rng.beta(30, 40, n), rng.beta(1.5, 40, n)
        obs.append(frame)
    table = pd.concat(obs, ignore_index=True)
    table["sample"] = pd.Categorical(table["sample"])
    table.index = [f"c{i}" for i in range(len(table))]
    adata = ad.AnnData(np.ones((len(table), 1), dtype=np.float32), obs=table)
    results = {
        "files": pd.DataFrame({"tss_enrichment": {name: profile.max() for name, profile in profiles.items()}}),
        "lengths": pd.DataFrame(lengths, index=length.astype(str)),
        "tss_profile": pd.DataFrame(profiles, index=at.astype(str)),
        "barcode_rank": curves,
    }
    record(adata, "fragments", "io.read_fragments", params={}, **results)
    return adata


def held_out_scores():
    """Return what `sk.metrics.held_out` returns, for three methods on three splits."""
    methods, gain, slope = ["peak mean", "other tool", "enhanced"], [0.0, 0.12, 0.21], [1.0, 1.6, 1.03]
    table = pd.DataFrame({"gain": gain, "se": [0.0, 0.01, 0.012], "slope": slope, "error": ""}, index=methods)
    rows = [
        (split, name, g + 0.008 * (split - 1), s + 0.05 * (split - 1))
        for split in range(3)
        for name, g, s in zip(methods, gain, slope, strict=True)
    ]
    splits = pd.DataFrame(rows, columns=["split", "method", "gain", "slope"])
    return sk.metrics.HeldOut(table, splits, 54, 90, 400, 0.3)


def matched(adata):
    """Return what of `sk.tl.match_motifs` the logos read."""
    profiles = np.concatenate([10.0 * (np.array(list("ACGT"))[:, None] == list(s)) for s in MOTIFS.values()], axis=1)
    names = list(MOTIFS)
    ids = [f"MA{i:04d}.1" for i in range(len(names))]
    results = {"names": names, "ids": ids, "tf": names, "widths": [len(s) for s in MOTIFS.values()]}
    record(adata, "motifs", "tl.match_motifs", params={}, profiles=profiles + 0.5, **results)
    return adata


def motif_effects():
    """Return what `sk.tl.differential_deviations` returns, for one group; the last set is no motif."""
    table = pd.DataFrame({"group": "NK", "set": [*MOTIFS, "a set of peaks"]})
    return table.assign(effect_size=[0.3, 1.1, 0.8, 1.9, 0.5], p_value_adj=[0.4, 1e-3, 0.01, 1e-6, 0.2])


def linked():
    """Return what `sk.tl.peak_gene_links` writes, for one gene: two peaks above zero are linked, one below, two not."""
    start = np.array([1_000, 5_500, 11_800, 15_000, 19_000])
    table = pd.DataFrame({"peak": [f"chr1:{s}-{s + 500}" for s in start], "gene": "GENE2", "chrom": "chr1"})
    table = table.assign(start=start, end=start + 500, tss=12_999, correlation=[0.1, 0.32, 0.25, -0.2, 0.05])
    return table.assign(z=[1.0, 6.0, 4.5, -4.0, 0.4], p_value_adj=[0.4, 1e-6, 1e-3, 1e-2, 0.9])
