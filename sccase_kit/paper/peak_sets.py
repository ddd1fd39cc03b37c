"""Specific peaks of every type by three ways, and background peaks, as tables of regions."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from anndata import AnnData

from ..enhance import Robust, Sccase
from ..tl import background_peaks, enhance, specific_peaks
from .features import episcanpy_peaks
from .study import DEFAULT, OURS, Study

EPISCANPY, BACKGROUND = "EpiScanpy", "background"


def no_places(study: Study) -> str:
    """Return that peaks need coordinates on a known genome, or nothing."""
    if study.data.name == "simulated":
        return "the peaks are simulated, no genes belong to them"
    if study.data.genome is None:
        return "the genome of the peaks is not known: put its name into uns['genome']"
    columns = {"chrom", "start", "end"} <= set(study.adata.var)
    return "" if columns and (study.adata.var["start"] >= 0).all() else "some peaks have no coordinates"


def peak_sets(study: Study, *, n_top: int) -> dict[str, pd.DataFrame]:
    """Return the peaks of every type by scCASE's projection, by the default method, by EpiScanpy; and the background.

    scCASE's are the peaks with the largest coefficients in the component of the type, as in the paper; the default's
    are those of :func:`sccase_kit.tl.specific_peaks`.

    Parameters
    ----------
    study
        A data set with coordinates.
    n_top
        Peaks per type.

    Returns
    -------
    Name of the way → DataFrame group, chrom, start, end, peak; the background peaks are a group of that name.
    """
    groupby = study.data.groupby
    sets = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of groups with few marker peaks
        own = AnnData(study.adata.X, obs=study.adata.obs.copy(), var=study.adata.var.copy())
        enhance(own, method=Sccase(study.n_components))
        specific_peaks(own, groupby, n_top=n_top, ranking="coefficient")
        sets[OURS] = own.uns["specific_peaks"]["peaks"]
        background_peaks(own, n_top=n_top)
        sets[BACKGROUND] = own.uns["background_peaks"]["peaks"].assign(group=BACKGROUND)
        if DEFAULT in study.methods:
            enhance(own, method=Robust(), key_added="robust")
            specific_peaks(own, groupby, n_top=n_top, key="robust", key_added="robust_peaks")
            sets[DEFAULT] = own.uns["robust_peaks"]["peaks"]
    parts = []
    for name, positions in episcanpy_peaks(study.adata.X, study.labels, n_top=n_top).items():
        part = study.adata.var.iloc[positions][["chrom", "start", "end"]].copy()
        parts.append(part.assign(group=name, peak=np.asarray(study.adata.var_names)[positions]))
    sets[EPISCANPY] = pd.concat(parts, ignore_index=True)
    columns = ["group", "chrom", "start", "end", "peak"]
    return {name: table[columns].astype({"group": str}).reset_index(drop=True) for name, table in sets.items()}
