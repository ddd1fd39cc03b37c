"""What version 0.1 stored is read: its codes for None, its words for objects, its resolved defaults."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from sccase_kit._record import recorded

TABLE = pd.DataFrame({"peak": ["a"]})
ENHANCE = {
    **{"n_components": 0, "n_reference": 0, "reference": False, "depth": True, "batch_key": "", "method": "robust"},
    **{"solver": "thin", "init": "fast", "alpha": 1.0, "lam": 1e6, "gamma1": 1.0, "gamma2": 1.0, "layer": ""},
    **{"keep_probability": 0.95, "batch_method": "balanced", "max_iter": 3, "tol": 1e-4, "dtype": "float32"},
    **{"device": "", "rng": "generator"},
}
FIT = {"objective": np.array([0.5]), "timing": {"prepare": 1.0}, "shape": np.array([3, 3])}
CHROMVAR = {
    **{"annotations": "given", "names": "", "weight": "", "source": "counts", "key": "", "layer": "X", "bias": "gc"},
    **{"background": "", "n_background": 50, "n_vars": 3, "peaks_checksum": 77, "r_seed": -1, "compat": False},
    **{"expectation_norm": False, "expectation_groupby": "", "min_expected": -1, "n_bootstrap": 0, "engine": "python"},
    **{"rng": 0},
}
PROFILES = {name: np.zeros(2) for name in ("names", "ids", "tf", "thresholds", "frequencies", "profiles", "widths")}
#: Entry → function, some parameters (absent: None) and objects.
OLD = {
    "tfidf": ({"params": {"variant": "log", "layer": ""}, "n_steps_before": 1}, "pp.tfidf", {"variant": "log"}, ()),
    "estimate_k": (
        {
            **{"n_types": 3, "votes": {"knee": 3}, "curves": TABLE},
            "params": {
                **{"k_values": np.array([2, 3]), "layer": "X", "min_fraction": 0.01, "max_cells": 100},
                **{"seed": 5, "rng": 5},
            },
        },
        "tl.estimate_k",
        {"k_values": [2, 3], "min_fraction": 0.01, "max_cells": 100, "rng": 5},
        (),
    ),
    "enhance": (
        {"params": ENHANCE, **FIT},
        "tl.enhance",
        {"n_components": "auto", "depth": True, "method": "robust", "rng": "generator", "batch_key": None},
        (),
    ),
    "published": (
        {"params": {**ENHANCE, "solver": "published", "method": "sccase", "n_components": 4, "layer": "c"}, **FIT},
        "tl.enhance",
        {"n_components": 4, "method": "published", "layer": "c", "reference": None, "n_reference": None},
        (),
    ),
    "reference": (
        {"params": {**ENHANCE, "reference": True, "n_reference": 5}, **FIT},
        "tl.enhance",
        {"n_reference": 5, "solver": None, "device": None},
        ("reference",),
    ),
    "cluster": (
        {
            **{"resolution": 0.4, "n_clusters": 4, "reached": True},
            "params": {
                **{"method": "leiden", "use_rep": "X_sccase", "key": "", "n_neighbors": 15, "n_clusters": -1},
                **{"rng": 5},
            },
        },
        "tl.cluster",
        {"method": "leiden", "resolution": 0.4, "n_clusters": None, "key": None},
        (),
    ),
    "specific_peaks": (
        {
            **{"peaks": TABLE, "components": TABLE},
            "params": {
                **{"groupby": "g", "n_top": 5, "n_components": 1, "ranking": "contrast", "alpha": 0.05},
                **{"min_specificity": 0.3, "key": "sccase"},
            },
        },
        "tl.specific_peaks",
        {"groupby": "g", "min_specificity": 0.3},
        (),
    ),
    "background_peaks": (
        {"peaks": TABLE, "params": {"n_top": 5, "groupby": "", "key": "sccase"}},
        "tl.background_peaks",
        {"n_top": 5, "groupby": None},
        (),
    ),
    "scabc": (
        {
            **{"groups": np.array(["a"]), "sigma": np.ones(1), "top": TABLE},
            "params": {
                **{"groupby": "g", "engine": "python", "source": "counts", "key": "", "depth": "given"},
                **{"compat": False, "layer": "X", "n_top": 5},
            },
        },
        "tl.scabc",
        {"groupby": "g", "layer": None, "depth": None},
        ("depth",),
    ),
    "match_motifs": (
        {
            **PROFILES,
            "params": {
                **{"p_cutoff": 5e-5, "background": [0.25] * 4, "compat": False, "engine": "python"},
                **{"motifs": "JASPAR", "genome_fasta": "hg38.fa", "sequences": "", "scores": False},
            },
        },
        "tl.match_motifs",
        {"motifs": "JASPAR", "background": [0.25] * 4, "genome_fasta": "hg38.fa", "sequences": None},
        (),
    ),
    "chromvar": (
        {"params": CHROMVAR, "names": np.array(["s"], dtype=object), "variability": TABLE},
        "tl.chromvar",
        {"n_background": 50, "r_seed": None, "min_expected": None, "layer": None, "n_vars": None, "rng": 0},
        ("annotations",),
    ),
    "great": (
        {
            "table": TABLE,
            "params": {
                **{"genome": "hg38", "background": True, "rule": "basal_plus_extension", "upstream": 5000},
                **{"downstream": 1000, "extension": 10**6, "min_genes": 1, "n_regions": 9, "gene_sets": "c5.gmt"},
            },
        },
        "tl.great",
        {"genome": "hg38", "gene_sets": "c5.gmt", "n_regions": None},
        ("background",),
    ),
}


@pytest.mark.parametrize("file", [False, True])
@pytest.mark.parametrize("name", OLD)
def test_entries_of_version_0_1_are_read(tmp_path, name, file):
    entry, function, params, objects = OLD[name]
    if file:
        ad.AnnData(np.eye(3, dtype=np.float32), uns={"x": entry}).write_h5ad(tmp_path / "a.h5ad")
        entry = ad.read_h5ad(tmp_path / "a.h5ad").uns["x"]
    found = recorded(entry)
    assert (found.function, found.version, found.number) == (function, "0.1", -1)
    assert {key: found.params.get(key) for key in params} == params
    assert found.objects == objects
    assert not {"", -1, "X"} & {value for value in found.params.values() if isinstance(value, (str, int))}


def test_what_was_found_is_a_result():
    found = recorded(OLD["chromvar"][0])
    assert (found.results["n_vars"], found.results["peaks_checksum"]) == (3, 77)
    assert recorded(OLD["great"][0]).results["n_regions"] == 9


@pytest.mark.parametrize("name", OLD)
def test_only_whole_entries_are_taken_for_ours(name):
    entry, *_ = OLD[name]
    few = dict(list(entry["params"].items())[:-1])
    assert recorded({**entry, "params": few}) is None
    if name != "great":
        assert recorded({**entry, "params": {**entry["params"], "other": 1}}) is None
    if name != "tfidf":
        assert recorded({"params": entry["params"]}) is None
