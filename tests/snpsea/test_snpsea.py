"""SNPsea's steps against literal references, its files, and what it says about bad input."""

import gzip
import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sccase_kit.regions import GeneMatrix, prepare_snpsea, read_gct, snpsea
from sccase_kit.snpsea.loci import gene_sets_of, merge_loci, null_pools, stack
from sccase_kit.snpsea.null import batches, null_pvalues
from sccase_kit.snpsea.tables import read_ids, read_intervals

N_GENES, CONDITIONS = 40, ["liver", "lung", "brain", "skin", "blood"]
LIMITS = {"min_observations": 20, "max_iterations": 2000}


@pytest.fixture
def study():
    """Genes 1 kb long every 10 kb; the block of SNP i holds i % 3 genes; the genes of rs1 to rs11 are specific."""
    rng = np.random.default_rng(5)
    names = [f"gene{i}" for i in range(N_GENES)]
    matrix = pd.DataFrame(rng.lognormal(3, 1, (N_GENES, len(CONDITIONS))), names, CONDITIONS)
    matrix.loc[names[:10], "blood"] *= 50
    start = 20_000 + 10_000 * np.arange(N_GENES)
    genes = pd.DataFrame({"chrom": "chr1", "start": start, "end": start + 1000, "name": names})
    first = 1 + np.arange(N_GENES - 2)
    blocks = pd.DataFrame({"chrom": "chr1", "start": start[first] - 2000, "end": start[first] + 2000})
    blocks["end"] += np.where(first % 3 == 2, 10_000, 0)
    blocks["name"] = [f"rs{i}" for i in first]
    return {
        "gene_matrix": matrix,
        "gene_intervals": genes,
        "snp_intervals": blocks,
        "null_snps": blocks["name"].tolist(),
    }


def reference_sets(blocks, genes, rows, slop):
    """Genes of every block, pair by pair, both ends inclusive."""
    found = []
    for block in blocks.itertuples():
        for low, high in ((block.start, block.end), (max(1, block.start - slop), block.end + slop)):
            hits = [
                row
                for gene, row in zip(genes.itertuples(), rows, strict=True)
                if gene.chrom == block.chrom and gene.end >= low and gene.start <= high
            ]
            if hits:
                break
        found.append(sorted(hits))
    return found


def reference_merge(names, sets):
    """The greedy pass over sorted names, with plain sets."""
    left, loci = sorted(names), []
    lookup = dict(zip(names, sets, strict=True))
    while left:
        first, *left = left
        label, genes = first, set(lookup[first])
        for other in list(left):
            if genes & set(lookup[other]):
                genes |= set(lookup[other])
                label += f",{other}"
                left.remove(other)
        loci.append((label, sorted(genes)))
    return sorted(loci)


def reference_p(percentiles, genes, score):
    """p-value of one set in one condition."""
    values = [percentiles[g] for g in genes]
    if score == "single":
        smallest = min(values)
        return 1 - (1 - smallest) ** len(values) if smallest < 1 else 1.0
    return stats.gamma.sf(sum(-math.log(v) for v in values), len(values))


intervals = st.lists(
    st.tuples(st.sampled_from(["chr1", "chr2"]), st.integers(0, 300), st.integers(0, 60)), min_size=1, max_size=25
)


def as_frame(rows):
    return pd.DataFrame([(c, s, s + w) for c, s, w in rows], columns=["chrom", "start", "end"])


@settings(max_examples=60, deadline=None)
@given(intervals, intervals, st.integers(0, 80))
def test_gene_sets_match_pairwise_search(blocks, genes, slop):
    blocks, genes = as_frame(blocks), as_frame(genes)
    rows = np.arange(len(genes))
    found = gene_sets_of(blocks, genes, rows, slop=slop)
    assert [sorted(found[i].tolist()) for i in range(len(blocks))] == reference_sets(blocks, genes, rows, slop)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sets(st.integers(0, 12), min_size=1, max_size=4), min_size=1, max_size=15), st.randoms())
def test_merging_matches_the_greedy_pass(sets, random):
    names = [f"rs{i}" for i in range(len(sets))]
    random.shuffle(names)
    blocks = pd.DataFrame({"chrom": "chr1", "start": np.arange(len(sets)), "end": np.arange(len(sets)) + 5})
    loci, merged = merge_loci(names, blocks, stack([np.array(sorted(s)) for s in sets]))
    found = sorted((label, merged[i].tolist()) for i, label in enumerate(loci["snp"]))
    assert found == reference_merge(names, sets)
    assert sorted(",".join(loci["snp"]).split(",")) == sorted(names)


def test_merged_locus_spans_its_blocks():
    blocks = pd.DataFrame({"chrom": "chr1", "start": [50, 10, 400], "end": [80, 60, 420]})
    loci, _ = merge_loci(["a", "b", "c"], blocks, stack([np.array([1]), np.array([1, 2]), np.array([3])]))
    assert loci.to_numpy().tolist() == [["chr1", 10, 80, "a,b"], ["chr1", 400, 420, "c"]]


def test_merging_keeps_a_gene_with_two_intervals_twice():
    blocks = pd.DataFrame({"chrom": "chr1", "start": [1, 2], "end": [5, 5]})
    _, merged = merge_loci(["a", "b"], blocks, stack([np.array([1, 1]), np.array([1, 1, 2])]))
    assert merged[0].tolist() == [1, 1, 2]


def test_merging_does_not_revisit():
    # "b" meets only what "c" brings to "a", and was passed before: it stays alone
    sets = stack([np.array([1, 2]), np.array([3]), np.array([2, 3])])
    blocks = pd.DataFrame({"chrom": "chr1", "start": [1, 2, 3], "end": [5, 5, 5]})
    assert sorted(merge_loci(["a", "b", "c"], blocks, sets)[0]["snp"]) == ["a,c", "b"]


def test_ends_belong_to_intervals():
    gene = pd.DataFrame({"chrom": ["chr1"], "start": [100], "end": [200]})
    blocks = pd.DataFrame({"chrom": "chr1", "start": [50, 50, 200, 201], "end": [99, 100, 300, 300]})
    assert gene_sets_of(blocks, gene, np.array([0]), slop=0).sizes.tolist() == [0, 1, 1, 0]


def test_only_blocks_without_genes_are_widened():
    genes = pd.DataFrame({"chrom": "chr1", "start": [100, 300], "end": [200, 400]})
    blocks = pd.DataFrame({"chrom": "chr1", "start": [150, 210], "end": [160, 250]})
    sets = gene_sets_of(blocks, genes, np.array([0, 1]), slop=1000)
    assert [sets[i].tolist() for i in range(2)] == [[0], [0, 1]]


def test_pools_join_large_sets():
    sets = stack([np.arange(n) for n in (1, 0, 3, 10, 25, 1)])
    assert {k: v.tolist() for k, v in null_pools(sets).items()} == {1: [0, 5], 3: [2], 10: [3, 4]}


@pytest.mark.parametrize("score", ["single", "total"])
def test_scores_match_a_literal_reference(study, score):
    result = snpsea(["rs1", "rs5", "rs9", "rs12", "rs20"], **study, score=score, **LIMITS)
    matrix = study["gene_matrix"]
    unit = matrix.to_numpy() / np.sqrt((matrix.to_numpy() ** 2).sum(axis=1))[:, None]
    expected = {}
    for j, condition in enumerate(matrix.columns):
        order = stats.rankdata([-v for v in unit[:, j]], method="average") / N_GENES
        percentiles = dict(zip(matrix.index, order, strict=True))
        loci = [genes.split(",") for genes in result.loci["genes"]]
        expected[condition] = -sum(math.log(reference_p(percentiles, genes, score)) for genes in loci)
    found = result.table.set_index("condition")["score"]
    np.testing.assert_allclose(found, [expected[c] for c in found.index], rtol=1e-12)


@pytest.mark.parametrize("score", ["single", "total"])
def test_binary_scores_match_the_hypergeometric(study, score):
    values = (study["gene_matrix"] > study["gene_matrix"].median()).astype(float)
    result = snpsea(["rs1", "rs5", "rs9", "rs20"], **study | {"gene_matrix": values}, score=score, **LIMITS)
    assert result.info["binary"]
    for condition, found in result.table.set_index("condition")["score"].items():
        expected = 0.0
        for genes in result.loci["genes"]:
            genes = genes.split(",")
            hits, ones = int(values.loc[genes, condition].sum()), int(values[condition].sum())
            low = 1 if score == "single" else hits
            ways = [
                math.comb(ones, k) * math.comb(N_GENES - ones, len(genes) - k) / math.comb(N_GENES, len(genes))
                for k in range(low, len(genes) + 1)
            ]
            expected -= math.log(sum(ways)) if hits else 0.0
        assert found == pytest.approx(expected, rel=1e-10)


def test_conditioning_removes_projections_in_the_order_of_names(study):
    matrix = study["gene_matrix"]
    data = prepare_snpsea(**study, condition=["skin", "brain"])
    values = matrix.to_numpy().copy()
    for name in ("brain", "skin"):
        b = values[:, matrix.columns.get_loc(name)].copy()
        for j in range(values.shape[1]):
            values[:, j] -= (values[:, j] @ b) / (b @ b) * b
    assert list(data.matrix.conditions) == ["liver", "lung", "blood"]
    np.testing.assert_allclose(data.matrix.values, values[:, [0, 1, 4]], rtol=1e-9, atol=1e-9)


def test_planted_condition_is_found(study):
    result = snpsea([f"rs{i}" for i in range(1, 9)], **study, **LIMITS)
    table = result.table.set_index("condition")["pvalue"]
    assert table.idxmin() == "blood"
    assert table["blood"] < 0.01
    assert (table.drop("blood") > 0.05).all()


def test_pvalues_match_all_null_sets():
    # two loci with pools of 4 and 5 sets: the 20 null sets can be listed
    rng = np.random.default_rng(0)
    small, large = rng.exponential(size=(4, 3)), rng.exponential(size=(5, 3))
    observed = small[1] + large[2]
    exact = (np.array([a + b for a in small for b in large]) >= observed - 1e-12).mean(axis=0)
    limits = {"min_observations": 30_000, "max_iterations": 40_000}
    p, reached, tested = null_pvalues(observed, [small, large], **limits, rng=rng)
    error = 5 * np.sqrt(exact * (1 - exact) / tested) + 1 / tested
    assert (np.abs(p - exact) <= error).all()
    np.testing.assert_array_equal(p, (reached + 1) / (tested + 1))


def test_conditions_without_score_are_not_sampled():
    table = np.array([[0.0, 1.0], [0.0, 2.0]])
    p, reached, tested = null_pvalues(
        np.array([0.0, 3.0]), [table], min_observations=5, max_iterations=50, rng=np.random.default_rng(0)
    )
    assert p.tolist() == [1.0, 1 / 51]
    assert (reached.tolist(), tested.tolist()) == ([0, 0], [0, 50])


def test_ties_count_as_reached():
    table = np.full((3, 1), 0.1)
    observed = np.array([0.1 + 0.1 + 0.1])
    p, *_ = null_pvalues(observed, [table] * 3, min_observations=1, max_iterations=100, rng=np.random.default_rng(0))
    assert p[0] == 1


@given(st.integers(1, 10**7))
def test_batches_double_and_add_up(maximum):
    sizes = list(batches(maximum))
    assert sum(sizes) == maximum
    assert all(b == 2 * a for a, b in pairwise(sizes[:-1]))
    assert list(batches(5000)) == [100, 200, 400, 800, 1600, 1900]


def test_pvalues_are_uniform_under_the_null(study):
    result = snpsea(["rs3", "rs7", "rs13", "rs19", "rs25"], **study, n_replicates=60, **LIMITS)
    p = result.replicates.loc[result.replicates["condition"] == "lung", "pvalue"]
    assert len(p) == 60
    assert stats.kstest(p, "uniform").pvalue > 0.001


def test_equal_seeds_give_equal_results(study):
    a, b, c = (snpsea(["rs3", "rs7"], **study, rng=seed, **LIMITS).table for seed in (1, 1, 2))
    assert a.equals(b)
    assert not a.equals(c)


def test_order_and_repeats_of_snps_do_not_matter(study):
    a = snpsea(["rs9", "rs3", "rs7"], **study, **LIMITS)
    b = snpsea(["rs7", "rs9", "rs3", "rs7"], **study, **LIMITS)
    assert a.table.equals(b.table)
    assert a.loci.equals(b.loci)


def test_loci_list_lost_snps_first(study):
    study["gene_intervals"] = study["gene_intervals"].drop(index=range(20, 30))
    result = snpsea(["rs3", "rs25", "rs999"], **study, slop=0, **LIMITS)
    assert result.loci["snp"].tolist() == ["rs999", "rs25", "rs3"]
    assert result.loci["n_genes"].astype(object).where(result.loci["n_genes"].notna(), "NA").tolist() == ["NA", 0, 1]
    assert result.info["n_not_found"] == 1
    assert result.info["n_without_genes"] == 1


def test_a_size_without_null_sets_borrows_the_nearest(study):
    study["null_snps"] = ["rs1", "rs4", "rs7"]  # one gene each
    with pytest.warns(UserWarning, match=r"no null SNP has 2 genes; null sets with 1 genes stand in for 1 loci"):
        snpsea(["rs8"], **study, **LIMITS)


def test_genes_that_are_zero_everywhere_are_left_out(study):
    study["gene_matrix"].loc["gene39"] = 0.0
    with pytest.warns(UserWarning, match="1 of 40 genes are zero in every condition"):
        result = snpsea(["rs3"], **study, **LIMITS)
    assert result.info["n_genes"] == N_GENES - 1


def test_few_genes_with_intervals_warn(study):
    study["gene_matrix"].index = [f"x{i}" if i > 12 else f"gene{i}" for i in range(N_GENES)]
    with pytest.warns(UserWarning, match="only 13 of 40 genes of the matrix have an interval"):
        snpsea(["rs3"], **study, **LIMITS)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"gene_intervals": lambda t: t.assign(chrom=["1", *["chr1"] * 39])}, ValueError, "mixes chromosome names"),
        ({"gene_intervals": lambda t: t.assign(name="y")}, ValueError, "share no gene id .*'gene0' and 'y'"),
        ({"gene_intervals": lambda t: t.drop(columns="end")}, KeyError, "gene_intervals needs the columns"),
        ({"snp_intervals": lambda t: t.assign(end=t["start"] - 1)}, ValueError, "0 <= start <= end is needed"),
        ({"snp_intervals": lambda t: t.assign(start=t["start"] + 0.5)}, ValueError, "start must be an integer"),
        ({"snp_intervals": lambda t: t.assign(name="z")}, ValueError, "none of the 1 SNPs has an interval"),
        ({"null_snps": lambda _: []}, ValueError, "null_snps holds no SNP"),
        ({"null_snps": lambda _: ["unknown"]}, ValueError, "null_snps and snp_intervals do not fit together"),
        ({"gene_matrix": lambda t: t.mask(t == t.max().max())}, ValueError, "1 missing or infinite values"),
        ({"gene_matrix": lambda t: pd.concat([t, t.iloc[:1]])}, ValueError, "'gene0' occurs twice"),
        ({"gene_matrix": lambda t: t.iloc[:0]}, ValueError, "shape"),
        ({"gene_matrix": lambda t: t.assign(Description="x")}, TypeError, r"\['Description'\] hold no numbers"),
        ({"gene_intervals": lambda t: t.iloc[:0]}, ValueError, "gene_intervals is empty"),
        ({"snp_intervals": lambda t: t.iloc[:0]}, ValueError, "snp_intervals is empty"),
    ],
)
def test_bad_input_is_named(study, change, error, message):
    for name, edit in change.items():
        study[name] = edit(study[name])
    with pytest.raises(error, match=message):
        snpsea(["rs3"], **study, **LIMITS)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"snps": []}, ValueError, "snps holds no SNP"),
        ({"snps": ["rs3"], "score": "mean"}, ValueError, "score must be one of"),
        ({"snps": ["rs3"], "slop": -1}, ValueError, "slop must be at least 0"),
        ({"snps": ["rs3"], "condition": ["kidney"]}, KeyError, "'kidney' is not among the conditions"),
        ({"snps": ["rs3"], "condition": CONDITIONS}, ValueError, "none is left to test"),
        ({"snps": ["rs3"], "max_iterations": 20}, ValueError, "max_iterations must be at least 21"),
        ({"snps": pd.DataFrame({"x": ["rs3"]})}, KeyError, "snps needs a column named SNP"),
    ],
)
def test_bad_options_are_named(study, options, error, message):
    with pytest.raises(error, match=message):
        snpsea(**study, **LIMITS | options)


def test_condition_of_zeros_cannot_be_removed(study):
    study["gene_matrix"] = study["gene_matrix"].assign(skin=0.0)
    with pytest.raises(ValueError, match="condition='skin' is zero for every gene"):
        snpsea(["rs3"], **study, **LIMITS, condition="skin")


def test_one_condition_may_be_given_as_text(study):
    study["gene_matrix"] = study["gene_matrix"].set_axis(["A", "B", "AB", "C", "D"], axis=1)
    assert list(prepare_snpsea(**study, condition="AB").matrix.conditions) == ["A", "B", "C", "D"]


def test_locus_pvalues_add_up_to_the_set_score(study):
    result = snpsea(["rs1", "rs5", "rs8"], **study, score="total", **LIMITS)
    found = -np.log(result.locus_scores["pvalue"]).groupby(result.locus_scores["condition"]).sum()
    expected = result.table.set_index("condition")["score"]
    np.testing.assert_allclose(found.loc[expected.index], expected, rtol=1e-9)


def test_share_of_genes_without_interval_is_reported(study):
    study["gene_intervals"] = study["gene_intervals"].iloc[:30]
    assert snpsea(["rs3"], **study, **LIMITS).info["share_without_interval"] == pytest.approx(0.25)


def test_annotations_cannot_be_conditioned_on(study):
    study["gene_matrix"] = (study["gene_matrix"] > 20).astype(float)
    with pytest.raises(ValueError, match="condition needs a continuous gene matrix"):
        snpsea(["rs3"], **study, condition=["skin"], **LIMITS)


def gct(rows=2, columns=2, header="Name\tDescription\ta\tb", body=("1\tG1\t1\t2", "2\tG2\t3\t4")):
    return f"#1.2\n{rows}\t{columns}\n{header}\n" + "".join(f"{line}\n" for line in body)


@pytest.mark.parametrize("packed", [False, True])
def test_gct_is_read(tmp_path, packed):
    path = tmp_path / "matrix.gct"
    path.write_bytes(gzip.compress(gct().encode()) if packed else gct().encode())
    matrix = read_gct(path)
    assert isinstance(matrix, GeneMatrix)
    assert matrix.genes.tolist() == ["1", "2"]
    assert matrix.symbols.tolist() == ["G1", "G2"]
    assert list(matrix.conditions) == ["a", "b"]
    np.testing.assert_array_equal(matrix.values, [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("#1.3\n", "line 1: a GCT file starts with '#1.2'"),
        ("#1.2\ntwo\t2\n", "line 2: expected the numbers of rows and columns"),
        (gct(columns=3), "line 3: 3 conditions are announced, the header holds 2"),
        (gct(rows=3), "3 genes are announced, 2 found"),
        (gct(body=("1\tG1\t1\t2", "2\tG2\t3")), "line 5: 1 values for 2 conditions"),
        (gct(body=("1\tG1\t1\tNA", "2\tG2\t3\t4")), "line 4: a value of gene '1' is not a number"),
        (gct(header="Name\tDescription\ta\ta"), "'a' occurs twice"),
    ],
)
def test_malformed_gct(tmp_path, text, message):
    path = tmp_path / "matrix.gct"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_gct(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rs1\nrs2\nrs1\n", ["rs1", "rs2"]),
        ("# note\nCHR\tPOS\tSNP\tP\nchr1\t5\trs7\t1e-9\n\nchr2\t6\trs3\t1e-9\n", ["rs7", "rs3"]),
        ("marker\trs\nrs5\tx\n", ["rs5"]),
        ("rs4\tchr1\t0\n", ["rs4"]),
    ],
)
def test_snp_lists_are_read_by_the_rule_of_the_program(tmp_path, text, expected):
    path = tmp_path / "snps.txt"
    path.write_text(text)
    assert read_ids(path, name="snps") == expected


def test_intervals_skip_comments_and_blank_lines(tmp_path):
    path = tmp_path / "x.bed"
    path.write_text("# note\nchr1\t5\t9\ta\textra\n\nchr1\t9\t9\tb\n")
    assert read_intervals(path, name="x").to_numpy().tolist() == [["chr1", 5, 9, "a"], ["chr1", 9, 9, "b"]]


@pytest.mark.parametrize("line", ["chr1\t1e5\tx\ta", "chr1\t5\t9", "chr1\t9\t5\ta"])
def test_malformed_intervals(tmp_path, line):
    path = tmp_path / "x.bed"
    path.write_text(f"{line}\n")
    with pytest.raises(ValueError, match="gene_intervals"):
        read_intervals(path, name="gene_intervals")
