"""LD scores and annotations: the original's printed numbers, a literal reference, malformed panels."""

import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sccase_kit import regions
from sccase_kit.ldsc.scores import CHUNK, window_starts

PRINTED = 5.1e-4  # three decimals are printed


def write_panel(prefix, dosage, *, chrom="1", cm=None, bp=None):
    """Write dosages of A1 (individuals × SNPs, −1 missing) as a PLINK file set."""
    n, m = dosage.shape
    cm = np.arange(m) * 0.01 if cm is None else cm
    bp = np.arange(1, m + 1) * 1000 if bp is None else bp
    lines = [f"{chrom} rs{chrom}_{j} {cm[j]:.6f} {bp[j]} A G\n" for j in range(m)]
    prefix.with_name(prefix.name + ".bim").write_text("".join(lines))
    prefix.with_name(prefix.name + ".fam").write_text("".join(f"f{i} i{i} 0 0 0 -9\n" for i in range(n)))
    code = {2: 0, -1: 1, 1: 2, 0: 3}
    data = bytearray(b"\x6c\x1b\x01")
    for column in dosage.T:
        codes = [code[int(v)] for v in column] + [0] * (-n % 4)
        data += bytes(sum(c << (2 * k) for k, c in enumerate(codes[i : i + 4])) for i in range(0, len(codes), 4))
    prefix.with_name(prefix.name + ".bed").write_bytes(bytes(data))
    return prefix


def literal_scores(dosage, annotations, cm, width):
    """Return Σ_k a_k r̃²_jk pair by pair, over the windows of the original: whole chunks of 50 SNPs."""
    n, m = dosage.shape
    x = dosage.astype(float)
    x[x < 0] = np.nan
    x = np.where(np.isnan(x), np.nanmean(x, axis=0), x)
    r = np.corrcoef(x.T)
    r2 = r**2 - (1 - r**2) / (n - 2)
    first = [min(k for k in range(j + 1) if cm[j] - cm[k] <= width) for j in range(m)]
    beyond = [j for j in range(m) if first[j] > 0]
    block = min(m, -(-beyond[0] // CHUNK) * CHUNK) if beyond else m
    pairs = np.zeros((m, m), bool)
    pairs[:block, :block] = True
    for start in range(block, m, CHUNK):
        own = slice(start, min(start + CHUNK, m))
        reach = -(-(start - first[start]) // CHUNK) * CHUNK
        pairs[own, own] = True
        pairs[own, start - reach : start] = True
        pairs[start - reach : start, own] = True
    return (r2 * pairs) @ annotations


@pytest.fixture(scope="module")
def golden_panels(golden):
    return {c: regions.open_panel(golden / f"ldsc/input/panel.{c}") for c in (1, 2, 3)}


@pytest.mark.parametrize("chrom", [1, 2, 3])
@pytest.mark.parametrize("name", ["base", "celltype", "background"])
def test_scores_and_numbers_of_the_original(golden, golden_panels, name, chrom):
    folder, panel = golden / "ldsc", golden_panels[chrom]
    annotations = pd.read_csv(folder / f"input/annot/{name}.{chrom}.annot.gz", sep=r"\s+")
    found = regions.ld_scores(panel, annotations)
    expected = pd.read_csv(folder / f"output/{name}.{chrom}.l2.ldscore.gz", sep="\t")
    table = found.table.set_index("SNP").loc[expected["SNP"]]
    np.testing.assert_allclose(table.iloc[:, 2:], expected.iloc[:, 3:], rtol=0, atol=PRINTED)
    for values, suffix in ((found.m, "M"), (found.m_5_50, "M_5_50")):
        printed = (folder / f"output/{name}.{chrom}.l2.{suffix}").read_text().split()
        np.testing.assert_array_equal(values, np.array(printed, float))


@pytest.mark.parametrize("chrom", [1, 2, 3])
def test_regression_weights_of_the_original(golden, golden_panels, chrom):
    panel = golden_panels[chrom]
    listed = pd.read_csv(golden / "ldsc/input/hm3.snp", header=None)[0]
    ones = pd.DataFrame({"L2": np.ones(len(panel.bim))})
    found = regions.ld_scores(panel, ones, keep=panel.bim["SNP"].isin(listed).to_numpy()).table
    expected = pd.read_csv(golden / f"ldsc/output/weights.{chrom}.l2.ldscore.gz", sep="\t")
    assert found["SNP"].tolist() == expected["SNP"].tolist()
    np.testing.assert_allclose(found["L2"], expected["L2"], rtol=0, atol=PRINTED)


@pytest.mark.parametrize("chrom", [1, 2, 3])
@pytest.mark.parametrize("name", ["celltype", "background"])
def test_annotations_of_the_original(golden, golden_panels, name, chrom):
    bed = pd.read_csv(golden / f"ldsc/input/{name}.bed", sep="\t", header=None, usecols=[0, 1, 2])
    found = regions.annotate_snps(golden_panels[chrom].bim, bed.set_axis(["chrom", "start", "end"], axis=1))
    expected = pd.read_csv(golden / f"ldsc/input/annot/{name}.{chrom}.annot.gz", sep=r"\s+").iloc[:, 0]
    np.testing.assert_array_equal(found, expected)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), m=st.integers(2, 170), width=st.sampled_from([0.05, 0.6, 1.1, 9.0]))
def test_scores_equal_a_sum_over_pairs(tmp_path_factory, seed, m, width):
    rng = np.random.default_rng(seed)
    dosage = rng.integers(0, 3, size=(23, m))
    dosage[0], dosage[1] = 0, 2  # every SNP varies
    dosage[rng.random(dosage.shape) < 0.03] = -1
    cm = np.sort(rng.random(m) * m * 0.02)
    panel = regions.open_panel(write_panel(tmp_path_factory.mktemp("panel") / "p", dosage, cm=cm))
    annotations = pd.DataFrame(rng.random((m, 2)), columns=["a", "b"])
    found = regions.ld_scores(panel, annotations, window=width).table[["a", "b"]]
    expected = literal_scores(dosage, annotations.to_numpy(), panel.bim["CM"].to_numpy(), width)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_window_starts_by_hand():
    assert window_starts(np.array([0.0, 0.4, 1.0, 1.5]), 1.0).tolist() == [0, 0, 0, 2]


def test_kilobases_do_not_need_a_genetic_map(tmp_path):
    dosage = np.random.default_rng(0).integers(0, 3, size=(20, 30))
    panel = regions.open_panel(write_panel(tmp_path / "p", dosage, cm=np.zeros(30)))
    ones = pd.DataFrame({"all": np.ones(30)})
    with pytest.raises(ValueError, match="window_unit='kb'"):
        regions.ld_scores(panel, ones)
    found = regions.ld_scores(panel, ones, window=1e6, window_unit="kb").table["all"]
    expected = literal_scores(dosage, np.ones((30, 1)), np.zeros(30), 1.0)[:, 0]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_constant_and_all_heterozygous_snps_are_left_out(tmp_path):
    dosage = np.random.default_rng(1).integers(0, 3, size=(20, 6))
    dosage[:, 2], dosage[:, 4] = 2, 1
    panel = regions.open_panel(write_panel(tmp_path / "p", dosage))
    found = regions.ld_scores(panel, pd.DataFrame({"all": np.ones(6)}))
    assert found.table["SNP"].tolist() == ["rs1_0", "rs1_1", "rs1_3", "rs1_5"]
    assert found.m.tolist() == [4]


def test_genotypes_by_blocks_with_any_number_of_individuals(tmp_path):
    dosage = np.random.default_rng(2).integers(-1, 3, size=(7, 9))
    panel = regions.open_panel(write_panel(tmp_path / "p", dosage))
    expected = np.where(dosage < 0, np.nan, dosage)
    np.testing.assert_array_equal(panel.genotypes(0, 9), expected)
    np.testing.assert_array_equal(panel.genotypes(3, 5), expected[:, 3:5])


def test_snps_that_share_a_position_each_get_their_row():
    bim = pd.DataFrame({"CHR": ["1"] * 4, "BP": [100, 101, 101, 201]})
    inside = pd.DataFrame({"chrom": ["chr1"], "start": [100], "end": [200]})
    assert regions.annotate_snps(bim, inside).tolist() == [0, 1, 1, 0]


def broken(tmp_path, what):
    prefix = write_panel(tmp_path / "p", np.random.default_rng(0).integers(0, 3, size=(9, 5)))
    files = {kind: prefix.with_name(f"p.{kind}") for kind in ("bed", "bim", "fam")}
    if what == "cut":
        files["bed"].write_bytes(files["bed"].read_bytes()[:-1])
    elif what == "magic":
        files["bed"].write_bytes(b"\x6c\x1b\x00" + files["bed"].read_bytes()[3:])
    elif what == "blank":
        files["bim"].write_text(files["bim"].read_text().replace("\n", "\n\n", 1))
    elif what == "word":
        files["bim"].write_text(files["bim"].read_text().replace(" 2000 ", " two "))
    elif what == "empty":
        files["bim"].write_text("")
    elif what == "fam":
        files["fam"].unlink()
    return prefix


@pytest.mark.parametrize(
    ("what", "error", "match"),
    [
        ("cut", ValueError, "Is it complete"),
        ("magic", ValueError, "not a SNP-major"),
        ("blank", ValueError, "line 2: expected CHR SNP CM BP A1 A2"),
        ("word", ValueError, "line 2"),
        ("empty", ValueError, "holds no SNP"),
        ("fam", FileNotFoundError, r"p\.fam"),
    ],
)
def test_malformed_panels(tmp_path, what, error, match):
    with pytest.raises(error, match=match):
        regions.open_panel(broken(tmp_path, what))


def test_gzipped_bim(tmp_path):
    with gzip.open(tmp_path / "p.bim.gz", "wt") as handle:
        handle.write("X rs1 0 17 A C\n")
    assert regions.read_bim(tmp_path / "p.bim.gz").iloc[0].tolist() == ["X", "rs1", 0.0, 17, "A", "C"]


def test_what_does_not_fit_is_refused(tmp_path):
    dosage = np.random.default_rng(0).integers(0, 3, size=(9, 5))
    panel = regions.open_panel(write_panel(tmp_path / "p", dosage))
    with pytest.raises(ValueError, match=r"4 rows, the \.bim file 5"):
        regions.ld_scores(panel, pd.DataFrame({"a": np.ones(4)}))
    with pytest.raises(ValueError, match=r"window_unit must be one of .*'mb'"):
        regions.ld_scores(panel, pd.DataFrame({"a": np.ones(5)}), window_unit="mb")
    unsorted = regions.open_panel(write_panel(tmp_path / "u", dosage, cm=[0, 2, 1, 3, 4]))
    with pytest.raises(ValueError, match="not sorted by their CM position"):
        regions.ld_scores(unsorted, pd.DataFrame({"a": np.ones(5)}))
    two = regions.open_panel(write_panel(tmp_path / "t", dosage[:2]))
    with pytest.raises(ValueError, match="at least 3"):
        regions.ld_scores(two, pd.DataFrame({"a": np.ones(5)}))
    same = regions.open_panel(write_panel(tmp_path / "s", np.ones((9, 5), int)))
    with pytest.raises(ValueError, match=r"no SNP of .* varies"):
        regions.ld_scores(same, pd.DataFrame({"a": np.ones(5)}))
    bim = tmp_path / "p.bim"
    bim.write_text(bim.read_text().replace("1 rs1_4", "2 rs1_4"))
    with pytest.raises(ValueError, match="several chromosomes"):
        regions.ld_scores(regions.open_panel(tmp_path / "p"), pd.DataFrame({"a": np.ones(5)}))


def test_weights_come_without_the_numbers_of_snps(tmp_path):
    """As weights_hm3_no_hla; ldsc does not look for them there."""
    for chrom in ("1", "2"):
        table = pd.DataFrame({"CHR": chrom, "SNP": [f"rs{chrom}{k}" for k in range(3)], "BP": [1, 2, 3], "L2": 1.5})
        table.to_csv(tmp_path / f"weights.{chrom}.l2.ldscore.gz", sep="\t", index=False)
    with pytest.raises(FileNotFoundError, match="M_5_50"):
        regions.read_ld_scores(tmp_path / "weights.")
    scores = regions.read_ld_scores(tmp_path / "weights.", numbers_needed=False)
    assert len(scores.table) == 6
    assert np.isnan(scores.m).all()
