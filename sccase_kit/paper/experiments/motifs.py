"""Motifs in the peaks of clusters: scABC on enhanced data, then chromVAR (Fig. 4d, S14, S20)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from ...enhance import Sccase
from ...tl import add_gc_content, chromvar, cluster, enhance, match_motifs, scabc
from ..features import episcanpy_peaks
from ..figures import heatmaps
from ..peak_sets import EPISCANPY, no_places
from ..registry import Claim, Drawing, Experiment, Finding, Tables
from ..statistics import exceeds
from ..study import OURS, Study

_TOP = 50
#: Beginning of the columns with the mean deviations of a type.
_MEAN = "mean z in "
_SHOWN = ["data", "peaks", "name", "variability", "between_types", "type"]
#: Factors that the paper finds specific to a type, by the beginning of their names.
_SPECIFIC = {
    "MEP": ("GATA1", "GATA2", "GATA3", "GATA5", "TAL1"),
    "GMP": ("CEBPA", "CEBPB", "CEBPD", "CEBPE", "CEBPG"),
    "pDC": ("SPI1", "IRF7", "IRF8", "SPIC", "SPIB"),
    "HSC": ("BATF", "JUNB"),
}


def needs(study: Study) -> str:
    """Return what the motifs lack."""
    given = study.tools.get("motifs", {})
    if not {"genome_fasta", "sequences"} & set(given):
        return (
            "the sequence of the genome is not given: sk.datasets.fetch('hg19_fasta'), and pass "
            "tools={'motifs': {'genome_fasta': 'hg19.fa'}} (--fasta)"
        )
    return "" if "sequences" in given else no_places(study)


def run(study: Study) -> pd.DataFrame:
    """Return the variability of every motif in the cluster-specific peaks, and the type in which it deviates most."""
    options, parts = dict(study.tools["motifs"]), []
    sequences = options.pop("sequences", None)
    n_top = study.settings["n_top"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        own = AnnData(study.adata.X, obs=study.adata.obs.copy(), var=study.adata.var.copy())
        enhance(own, method=Sccase(study.n_components))
        cluster(own, n_clusters=study.n_types)
        scabc(own, "louvain", source="enhanced", n_top=n_top)
        ours = own.var_names.get_indexer(own.uns["scabc"]["top"]["peak"].unique())
        others = np.unique(np.concatenate(list(episcanpy_peaks(own.X, study.labels, n_top=n_top).values())))
        for name, positions in {OURS: ours, EPISCANPY: others}.items():
            chosen = own[:, np.sort(positions)].copy()
            if sequences is not None:
                options["sequences"] = {peak: sequences[peak] for peak in chosen.var_names}
            match_motifs(chosen, **options)
            add_gc_content(chosen, options.get("genome_fasta"), sequences=options.get("sequences"))
            chromvar(chosen, source="enhanced", n_bootstrap=0)
            names = [str(motif) for motif in chosen.uns["chromvar"]["names"]]
            z = pd.DataFrame(np.asarray(chosen.obsm["chromvar_z"]), columns=names)
            highest = z.fillna(0.0).groupby(study.labels).mean().idxmax()
            variability = chosen.uns["chromvar"]["variability"]["variability"].to_numpy()
            parts.append(pd.DataFrame({"name": names, "variability": variability, "type": highest.to_numpy()}))
            parts[-1]["between_types"] = between_types(z.to_numpy(dtype=float), study.labels)
            means = z.groupby(study.labels).mean()
            for kind in means.index:
                parts[-1][f"{_MEAN}{kind}"] = means.loc[kind].to_numpy()
            parts[-1]["peaks"] = name
    return pd.concat(parts, ignore_index=True)


def between_types(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the share of the variance of every column that lies between the types (0 to 1); NaN where it has none."""
    frame = pd.DataFrame(values)
    between = frame.groupby(labels).transform("mean").where(frame.notna())
    total = frame.var(ddof=0)
    return (between.var(ddof=0) / total.where(total > 0)).to_numpy()


def find(tables: Tables) -> Mapping[str, Finding]:
    """Return the factors that the paper names, and how well the motifs in the peaks of two ways tell types apart."""
    return {"factors of types": _factors(tables), "motifs against EpiScanpy": _against_episcanpy(tables)}


def _against_episcanpy(tables: Tables) -> Finding:
    rows = {}
    for name, table in tables.items():
        first = table.sort_values("variability", ascending=False, kind="stable").groupby("peaks").head(_TOP)
        rows[name] = first.groupby("peaks")["between_types"].mean()
    means = pd.DataFrame(rows).T
    holds, tie = exceeds(means[OURS], means[EPISCANPY])
    note = f"share of the variance of deviations between types, mean of the {_TOP} most variable motifs: " + "; ".join(
        f"{n} scCASE {row[OURS]:.3f}, EpiScanpy {row[EPISCANPY]:.3f}" for n, row in means.iterrows()
    )
    return Finding(float(means[OURS].mean()), None, holds, tuple(tables), note, tie)


def _factors(tables: Tables) -> Finding:
    """Return how many of the factors that the paper names are among the first fifty, and in the type it says."""
    hits, right, named = 0, 0, 0
    for table in tables.values():
        own = table[table["peaks"] == OURS].nlargest(_TOP, "variability")
        for kind, factors in _SPECIFIC.items():
            if kind in set(table["type"].astype(str)):
                for factor in factors:
                    named += 1
                    found = own[own["name"].astype(str).str.upper().str.contains(factor)]
                    hits += bool(len(found))
                    right += bool((found["type"] == kind).any())
    if not named:
        return Finding(None, note="no data set with these types")
    note = f"of {named} factors named by the paper, {hits} are among the 50 most variable, {right} highest in its type"
    return Finding(float(hits), None, right > named / 2, tuple(tables), note)


def draw(tables: Tables) -> Sequence[Drawing]:
    """Draw the mean deviations of the fifty most variable motifs by type, for both ways to find peaks."""
    text = "mean deviation by type of the 50 most variable motifs in scCASE's peaks (Fig. 4d, S14, S20)."
    return [Drawing(partial(_deviations, table), f"{name}: {text}") for name, table in tables.items()]


def _deviations(table: pd.DataFrame) -> Any:
    own = table[table["peaks"] == OURS].nlargest(_TOP, "variability")
    columns = [name for name in table.columns if str(name).startswith(_MEAN)]
    order = own.sort_values("type", kind="stable")["name"].drop_duplicates()
    frames = {}
    for way, part in table.groupby("peaks", sort=False):
        wide = part.drop_duplicates("name").set_index("name")[columns].reindex(order)
        frames[str(way)] = wide.set_axis([str(name).removeprefix(_MEAN) for name in columns], axis=1)
    return heatmaps(frames, label="mean deviation z", centred=True)


def summary(tables: Tables) -> pd.DataFrame:
    """Return the fifty most variable motifs."""
    whole = pd.concat([table.assign(data=name) for name, table in tables.items()], ignore_index=True)
    first = whole.sort_values("variability", ascending=False, kind="stable")
    return first.groupby(["data", "peaks"], sort=False).head(_TOP)[_SHOWN]


EXPERIMENT = Experiment(
    name="motifs",
    title="Motifs of clusters",
    shows="Fig. 4d, S14, S20",
    about=(
        "scABC on the enhanced data names 1,000 peaks of every Louvain cluster, chromVAR the motifs that vary in them, "
        "on the enhanced data; the same with EpiScanpy's peaks."
    ),
    place=4.4,
    claims=(
        Claim(
            "factors of types",
            "GATA1-3, 5 and TAL1 are specific to MEP, CEBPA, B, D, E, G to GMP, SPI1, IRF7, IRF8, SPIC, SPIB to pDC, "
            "BATF and JUNB to HSC, among the 50 most variable motifs",
            "Results, 'scCASE intuitively reveals cell type-specific biological insights'; Fig. 4d",
            17,
            "factors",
            on=("blood",),
        ),
        Claim(
            "motifs against EpiScanpy",
            "enrichment with the peaks of scCASE is relatively better than with those of EpiScanpy (motifs)",
            "Results, 'scCASE intuitively reveals cell type-specific biological insights'; Fig. S20",
            None,
            "of variance",
            on=("blood",),
        ),
    ),
    run=run,
    find=find,
    draw=draw,
    summary=summary,
    needs=needs,
    settings=lambda quick: {"n_top": 200 if quick else 1000},
    tools=("motifs",),
    version=3,
)
