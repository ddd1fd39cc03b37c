from __future__ import annotations

import dataclasses
import time

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.metrics import roc_auc_score

import sccase_kit as sk
from sccase_kit.datasets._genome import hg38_sizes

TYPES = [f"type_{i}" for i in range(1, 6)]


def equal(a, b):
    same = (a.adata.X != b.adata.X).nnz == 0 and (a.adata.layers["truth"] != b.adata.layers["truth"]).nnz == 0
    same &= a.adata.obs.equals(b.adata.obs) and a.adata.var.equals(b.adata.var)
    same &= a.sequences == b.sequences and a.gene_sets == b.gene_sets and a.planted == b.planted
    same &= a.genes.equals(b.genes) and a.snps.equals(b.snps) and a.expression.equals(b.expression)
    return same and all(np.array_equal(a.motifs[m], b.motifs[m]) for m in a.motifs)


# ---- shape, types, determinism


def test_shape_and_types(study):
    a = study.adata
    assert a.shape == (600, 3000)
    assert isinstance(a.X, sparse.csr_matrix)
    assert a.X.dtype == np.int32
    assert a.X.has_canonical_format
    assert a.layers["truth"].dtype == np.int8
    assert set(a.layers["truth"].data) == {1}
    assert list(a.obs["cell_type"].cat.categories) == TYPES
    assert list(a.obs["batch"].cat.categories) == ["batch_1", "batch_2"]
    assert {"chrom", "start", "end", "specific_to", "program", "gc"} <= set(a.var)
    assert a.var["start"].dtype == a.var["end"].dtype == np.int64
    assert a.obs_names.is_unique
    assert a.var_names.is_unique
    assert list(a.varm["openness"].columns) == TYPES
    assert a.varm["planted_motifs"].shape == (3000, len(study.motifs))
    assert "600 cells × 3000 peaks" in repr(study)
    with pytest.raises(dataclasses.FrozenInstanceError):
        study.adata = None


def test_no_cell_and_no_peak_is_empty(study):
    sparse_study = sk.datasets.toy_study(n_cells=40, n_peaks=400, capture=0.01, ambient=0.0)
    for a in (study.adata, sparse_study.adata):
        assert a.X.getnnz(axis=0).min() > 0
        assert a.X.getnnz(axis=1).min() > 0
    opened = sparse_study.adata.layers["truth"].toarray() > 0
    assert opened[sparse_study.adata.X.nonzero()].mean() > 0.9


def test_equal_arguments_give_equal_studies():
    args = {"n_cells": 60, "n_peaks": 300, "n_types": 2}
    first = sk.datasets.toy_study(**args, rng=3)
    np.random.default_rng(99).random(5)
    assert equal(first, sk.datasets.toy_study(**args, rng=3))
    assert equal(first, sk.datasets.toy_study(**args, rng=np.random.default_rng(3)))
    assert not equal(first, sk.datasets.toy_study(**args, rng=4))


def test_made_in_seconds():
    start = time.perf_counter()
    sk.datasets.toy_study()
    assert time.perf_counter() - start < 10


def test_survives_a_round_trip(small_study, tmp_path):
    small_study.adata.write_h5ad(tmp_path / "toy.h5ad")
    back = ad.read_h5ad(tmp_path / "toy.h5ad")
    assert (back.X != small_study.adata.X).nnz == 0
    assert back.X.dtype == np.int32
    pd.testing.assert_frame_equal(back.obs, small_study.adata.obs)
    assert back.var["specific_to"].astype(str).tolist() == small_study.adata.var["specific_to"].tolist()
    assert back.uns["toy_study"]["params"]["n_types"] == 3


# ---- counts


def test_depth_is_unequal_and_log_normal(study):
    obs = study.adata.obs
    assert np.array_equal(obs["depth"], np.asarray(study.adata.X.sum(axis=1)).ravel())
    log_capture = np.log(obs["capture"])
    assert log_capture.std() == pytest.approx(0.5, abs=0.05)
    assert obs["capture"].mean() == pytest.approx(0.15, rel=0.1)
    assert np.corrcoef(log_capture, np.log(obs["depth"]))[0, 1] > 0.9
    equal_depth = sk.datasets.toy_study(n_cells=200, n_peaks=1000, depth_sd=0.0).adata.obs
    assert np.ptp(equal_depth["capture"]) == 0


def test_counts_come_from_open_peaks_up_to_ambient_fragments(study):
    a = study.adata
    outside = 1 - np.asarray(a.layers["truth"][a.X.nonzero()]).mean()
    expected = 0.002 * (1 - a.layers["truth"].nnz / np.prod(a.shape)) / (a.X.nnz / np.prod(a.shape))
    assert outside == pytest.approx(expected, rel=0.3)
    pure = sk.datasets.toy_study(n_cells=200, n_peaks=1000, ambient=0.0).adata
    assert np.asarray(pure.layers["truth"][pure.X.nonzero()]).mean() > 0.999


def test_truth_follows_the_openness_of_the_type(study):
    a = study.adata
    for name in TYPES:
        cells = (a.obs["cell_type"] == name).to_numpy()
        fraction = np.asarray(a.layers["truth"][cells].mean(axis=0)).ravel()
        p = a.varm["openness"][name].to_numpy()
        z = (fraction - p) / np.sqrt(p * (1 - p) / cells.sum())
        assert abs(z.mean()) < 0.1
        assert z.std() == pytest.approx(1, abs=0.06)


def test_specific_peaks_are_more_open_in_their_type(study):
    a = study.adata
    scaled = sparse.diags(1 / a.obs["depth"].to_numpy()) @ a.X
    for name in TYPES:
        own = (a.var["specific_to"] == name).to_numpy()
        assert own.sum() == 150
        cells = (a.obs["cell_type"] == name).to_numpy()
        shared = a.var["program"].str.contains(rf"{name}\b").to_numpy() & ~own  # sisters' peaks are up as well
        for matrix, fold, least in ((a.layers["truth"], 8, 0.999), (scaled, 3, 0.95)):
            inside = np.asarray(matrix[cells].mean(axis=0)).ravel()
            outside = np.asarray(matrix[~cells].mean(axis=0)).ravel()
            assert inside[own].mean() > fold * outside[own].mean()
            # in the counts, the 62 cells of the smallest type hold about six fragments of a specific peak
            assert roc_auc_score(own[~shared], (inside - outside)[~shared]) > least


def test_sister_types_share_programs(study):
    program = study.adata.var["program"]
    sizes = program.value_counts()
    assert sizes["constitutive"] == 300
    for shared in ("type_1+type_2", "type_3+type_4+type_5", "type_4+type_5"):
        assert sizes[shared] == 100
        p = study.adata.varm["openness"][(program == shared).to_numpy()]
        on = shared.split("+")
        assert (p[on].min(axis=1) > p.drop(columns=on).max(axis=1)).all()
    correlation = np.corrcoef(study.adata.varm["openness"].T)
    assert correlation[3, 4] > correlation[3, 0]
    assert correlation[0, 1] > correlation[0, 2]


def test_batches_hold_every_type_and_differ_by_peak(study):
    a = study.adata
    table = pd.crosstab(a.obs["cell_type"], a.obs["batch"])
    assert (table > 0).all(axis=None)
    assert (abs(table["batch_1"] - table["batch_2"]) <= 1).all()

    def spread(b):
        first = (b.obs["batch"] == "batch_1").to_numpy()
        open_peaks = (b.var["program"] == "constitutive").to_numpy()
        ratio = np.asarray(b.X[first].sum(axis=0) + 1) / np.asarray(b.X[~first].sum(axis=0) + 1)
        return np.log(ratio.ravel()[open_peaks]).std()

    without = sk.datasets.toy_study(batch_sd=0.0).adata
    assert spread(a) > 2 * spread(without)
    assert spread(a) == pytest.approx(np.hypot(0.5 * np.sqrt(2), spread(without)), rel=0.2)


def test_types_are_unequal_in_size(study):
    sizes = study.adata.obs["cell_type"].value_counts()[TYPES]
    assert sizes.sum() == 600
    assert (np.diff(sizes) < 0).all()
    assert 2 < sizes.iloc[0] / sizes.iloc[-1] < 4


# ---- genome


def test_peaks_are_sorted_apart_and_on_their_chromosomes(study):
    var = study.adata.var
    order = {c: i for i, c in enumerate(hg38_sizes())}
    chrom = var["chrom"].map(order).to_numpy()
    assert (np.diff(chrom) >= 0).all()
    same = np.diff(chrom) == 0
    assert (var["start"].to_numpy()[1:][same] >= var["end"].to_numpy()[:-1][same]).all()
    assert (var["end"] - var["start"]).between(200, 500).all()
    assert (var["end"] <= var["chrom"].map(hg38_sizes())).all()
    assert [f"{c}:{s}-{e}" for c, s, e in zip(var["chrom"], var["start"], var["end"], strict=True)] == list(var.index)


def distance_to_nearest(regions, genes):
    """Slow reference: distance from each peak to the nearest TSS of `genes`, infinite if none on the chromosome."""
    result = []
    for chrom, start, end in zip(regions["chrom"], regions["start"], regions["end"], strict=True):
        tss = genes.loc[genes["chrom"] == chrom, "tss"]
        result.append(min((max(start - t, t - (end - 1), 0) for t in tss), default=np.inf))
    return np.array(result)


def test_planted_genes_lie_near_the_specific_peaks_and_nothing_else_does(study):
    var, genes = study.adata.var, study.genes.set_index("gene_id", drop=False)
    for name, planted in study.planted.items():
        assert study.gene_sets[planted["term"]] == planted["genes"]
        own_genes = genes.loc[planted["genes"]]
        assert (own_genes["specific_to"] == name).all()
        own = (var["specific_to"] == name).to_numpy()
        near = distance_to_nearest(var, own_genes) <= 50_000
        assert near[own].mean() >= 0.8
        assert near[~own].mean() < 0.01
        reached = [distance_to_nearest(var[own], own_genes.loc[[g]]).min() <= 50_000 for g in planted["genes"]]
        assert all(reached)
    for term, ids in study.gene_sets.items():
        if term.startswith("DECOY"):
            assert len(ids) == len(set(ids)) == len(study.gene_sets["TERM_1"])
            assert (genes.loc[ids, "specific_to"] == "").all()


def test_genes_are_sorted_and_their_tss_is_at_the_right_end(study):
    genes = study.genes
    plus = genes["strand"] == "+"
    assert set(genes["strand"]) == {"+", "-"}
    assert (genes["tss"] == np.where(plus, genes["start"], genes["end"] - 1)).all()
    assert (genes["start"] < genes["end"]).all()
    assert (genes["end"] <= genes["chrom"].map(hg38_sizes())).all()
    assert genes["gene_id"].is_unique
    for _, group in genes.groupby("chrom"):
        assert group["start"].is_monotonic_increasing


def test_planted_genes_are_specific_to_their_tissue(study):
    for planted in study.planted.values():
        best = study.expression.loc[planted["genes"]].idxmax(axis=1)
        assert (best == planted["tissue"]).mean() > 0.95
    assert (study.expression > 0).all(axis=None)
    assert study.expression.index.equals(pd.Index(study.genes["gene_id"], name="gene_id"))
    assert sum(c.startswith("decoy") for c in study.expression) == 10


def test_snps_in_peaks_blocks_and_traits(small_study):
    snps, var = small_study.snps, small_study.adata.var
    assert snps["snp"].is_unique
    assert not snps.duplicated(["chrom", "pos"]).any()
    for row in snps.itertuples():  # slow reference, base by base as in a .bim against a BED
        inside = var.index[(var["chrom"] == row.chrom) & (var["start"] < row.pos) & (row.pos <= var["end"])]
        assert list(inside) == ([row.peak] if row.peak else [])
        assert row.ld_start < row.pos <= row.ld_end
    assert set(snps.loc[snps["peak"] != "", "peak"]) == set(var.index)
    for _, group in snps.drop_duplicates(["chrom", "ld_start"]).groupby("chrom"):
        assert (group["ld_start"].to_numpy()[1:] >= group["ld_end"].to_numpy()[:-1]).all()
    specific_to = var["specific_to"].reindex(snps["peak"]).fillna("").to_numpy()
    for name, planted in small_study.planted.items():
        hit = (snps["trait"] == planted["trait"]).to_numpy()
        assert snps["snp"][hit].tolist() == planted["snps"]
        assert (specific_to[hit] == name).mean() >= 0.75
        assert (snps["pip"][hit] > 0).all()
    assert (snps.loc[snps["trait"] == "", "pip"] == 0).all()


def test_null_snps_are_one_for_each_block_with_a_gene(small_study):
    snps, genes = small_study.snps, small_study.genes
    holds = []
    for row in snps.itertuples():
        g = genes[genes["chrom"] == row.chrom]
        holds.append(((g["start"] < row.ld_end) & (g["end"] > row.ld_start)).any())
    with_gene = snps[np.array(holds)]
    chosen = snps[snps["null"]]
    assert set(chosen["snp"]) <= set(with_gene["snp"])
    assert not chosen.duplicated(["chrom", "ld_start"]).any()
    assert len(chosen) == len(with_gene.drop_duplicates(["chrom", "ld_start"]))


# ---- motifs


def best_score(sequence, pfm):
    """Slow reference: best log-odds score of a motif on either strand, as a share of the highest possible."""
    log_odds = np.log2((pfm + 0.25) / (pfm.sum(axis=0) + 1) / 0.25)
    code = ["ACGT".index(base) for base in sequence]
    length = pfm.shape[1]
    scores = []
    for strand in (code, [3 - c for c in reversed(code)]):
        for start in range(len(strand) - length + 1):
            scores.append(sum(log_odds[strand[start + i], i] for i in range(length)))
    return max(scores) / log_odds.max(axis=0).sum()


def test_motifs_are_in_the_sequences(small_study):
    var = small_study.adata.var
    assert list(small_study.sequences) == list(var.index)
    for name, sequence in small_study.sequences.items():
        assert len(sequence) == var.loc[name, "end"] - var.loc[name, "start"]
        assert set(sequence) <= set("ACGT")
        assert var.loc[name, "gc"] == pytest.approx((sequence.count("G") + sequence.count("C")) / len(sequence))
    for name in ("type_1", "type_3"):
        motif = small_study.planted[name]["motif"]
        scores = np.array(
            [best_score(sequence, small_study.motifs[motif]) for sequence in small_study.sequences.values()]
        )
        planted = small_study.adata.varm["planted_motifs"][:, list(small_study.motifs).index(motif)]
        assert roc_auc_score(planted, scores) > 0.95
        own = (var["specific_to"] == name).to_numpy()
        assert np.median(scores[own]) > np.quantile(scores[~own], 0.85)


def test_planted_motif_matrix(study):
    planted = pd.DataFrame(study.adata.varm["planted_motifs"], index=study.adata.var_names, columns=list(study.motifs))
    assert study.adata.uns["toy_study"]["motif_names"] == list(study.motifs)
    assert planted.sum(axis=1).max() == 1
    for name, truth in study.planted.items():
        own = study.adata.var["specific_to"] == name
        assert planted.loc[own, truth["motif"]].sum() == 105
        assert planted.loc[~own, truth["motif"]].mean() < 0.08
    assert not planted.filter(like="DECOY").any(axis=None)


def test_motifs_are_count_matrices(study):
    assert list(study.motifs)[:5] == [f"TF_{i}" for i in range(1, 6)]
    for pfm in study.motifs.values():
        assert pfm.shape[0] == 4
        assert 11 <= pfm.shape[1] <= 13
        assert pfm.dtype == np.int64
        assert (pfm >= 0).all()
        assert (pfm.sum(axis=0) == 200).all()
    consensus = {"".join("ACGT"[i] for i in pfm.argmax(axis=0)) for pfm in study.motifs.values()}
    assert len(consensus) == len(study.motifs)


# ---- any size


@settings(max_examples=15, deadline=None)
@given(
    n_types=st.integers(1, 7),
    n_batches=st.integers(1, 3),
    extra_cells=st.integers(0, 50),
    peaks_per_type=st.integers(20, 90),
    seed=st.integers(0, 1000),
)
def test_any_size_holds_together(n_types, n_batches, extra_cells, peaks_per_type, seed):
    n_cells, n_peaks = 4 * n_types * n_batches + extra_cells, n_types * peaks_per_type
    s = sk.datasets.toy_study(n_cells=n_cells, n_peaks=n_peaks, n_types=n_types, n_batches=n_batches, rng=seed)
    assert s.adata.shape == (n_cells, n_peaks)
    assert s.adata.var_names.is_unique
    assert (pd.crosstab(s.adata.obs["cell_type"], s.adata.obs["batch"]) >= 2).all(axis=None)
    for planted in s.planted.values():
        assert planted["peaks"]
        assert planted["genes"]
        assert planted["snps"]
    assert s.adata.X.getnnz(axis=0).min() > 0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_cells": 39}, ValueError, "n_cells must be at least 40, got 39"),
        ({"n_cells": 10.5}, TypeError, "n_cells must be an integer"),
        ({"n_peaks": 99}, ValueError, "n_peaks must be at least 100"),
        ({"n_types": 0}, ValueError, "n_types must be at least 1"),
        ({"n_types": True}, TypeError, "n_types must be an integer"),
        ({"n_batches": 0}, ValueError, "n_batches must be at least 1"),
        ({"n_specific": 600}, ValueError, "n_peaks=3000 is too small .* n_specific=600"),
        ({"n_peaks": 900_000, "n_specific": 100_000}, ValueError, "n_specific=100000 is too large"),
        ({"capture": 0}, ValueError, "capture must be greater than 0"),
        ({"depth_sd": -1}, ValueError, "depth_sd must be at least 0"),
        ({"batch_sd": float("nan")}, ValueError, "batch_sd must be finite"),
        ({"ambient": 2}, ValueError, "ambient must be at most 1"),
        ({"n_decoys": -1}, ValueError, "n_decoys must be at least 0"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        sk.datasets.toy_study(**arguments)
