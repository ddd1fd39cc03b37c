"""Motif matching: motifmatchr 1.1.1's numbers, a plain scan, symmetries, bad input."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sccase_kit.motifs import Motif, encode_sequences, log_odds, match, score_threshold

SETTINGS = {
    "even": {"background": "even"},
    "subject": {"background": "subject"},
    "custom": {"background": [0.3, 0.2, 0.2, 0.3]},
    "even_p1e3": {"background": "even", "p_cutoff": 1e-3},
}
COMPLEMENT = str.maketrans("ACGTacgt", "TGCAtgca")


@pytest.fixture(scope="module")
def example(golden):
    with np.load(golden / "r" / "motif_example.npz") as store:
        data = {name: store[name] for name in store.files}
    motifs = [Motif(f"m{k}", f"m{k}", data[f"pfm{k}"]) for k in range(8)]
    return data, motifs, golden / "r"


@pytest.mark.parametrize("name", SETTINGS)
def test_equals_motifmatchr(example, name):
    data, motifs, _ = example
    found = match([str(s) for s in data["seqs"]], motifs, compat=True, **SETTINGS[name])
    np.testing.assert_array_equal(found.matches.toarray(), data[f"{name}_match"])
    np.testing.assert_array_equal(found.counts.toarray(), data[f"{name}_counts"])
    np.testing.assert_allclose(found.background, data[f"{name}_bg"], rtol=1e-12)
    matched = data[f"{name}_match"]
    np.testing.assert_allclose(found.scores.toarray()[matched], data[f"{name}_scores"][matched], atol=1e-9)
    np.testing.assert_allclose(found.thresholds, data[f"{name}_threshold"], atol=1e-9)


@pytest.mark.parametrize("name", SETTINGS)
def test_weights_of_motifmatchr(example, name):
    data, motifs, _ = example
    for k, motif in enumerate(motifs):
        weights = log_odds(motif.counts, data[f"{name}_bg"], compat=True)
        if np.allclose(motif.counts, np.trunc(motif.counts)):  # TFBSTools truncates fractional counts
            np.testing.assert_allclose(weights, data[f"{name}_pwm{k}"], atol=1e-9)


@pytest.mark.parametrize("name", SETTINGS)
def test_positions_of_motifmatchr(example, name):
    data, motifs, folder = example
    found = match([str(s) for s in data["seqs"]], motifs, compat=True, positions=True, **SETTINGS[name]).positions
    expected = pd.read_csv(folder / f"motif_example_{name}_positions.csv")
    own = pd.DataFrame(
        {
            "motif": found["motif"].cat.codes,
            "seq": found["sequence"],
            "start": found["start"] + 1,
            "end": found["end"],
            "strand": found["strand"].astype(str),
            "score": found["score"],
        }
    )
    keys = ["motif", "seq", "start", "end", "strand"]
    own, expected = own.sort_values(keys, ignore_index=True), expected.sort_values(keys, ignore_index=True)
    assert own[keys].to_numpy().tolist() == expected[keys].to_numpy().tolist()
    np.testing.assert_allclose(own["score"], expected["score"], atol=1e-8)


def plain_scan(sequences, weights, threshold):
    """Score every place on both strands."""
    hits = []
    width = weights.shape[1]
    for number, sequence in enumerate(sequences):
        for start in range(len(sequence) - width + 1):
            site = sequence[start : start + width].upper()
            if set(site) - set("ACGT"):
                continue
            for strand, text in (("+", site), ("-", site.translate(COMPLEMENT)[::-1])):
                score = sum(weights["ACGT".index(base), t] for t, base in enumerate(text))
                if score >= threshold:
                    hits.append((number, start, strand, score))
    return hits


motif_counts = st.integers(1, 13).flatmap(
    lambda width: st.lists(st.lists(st.integers(0, 30), min_size=width, max_size=width), min_size=4, max_size=4)
)
dna = st.text(alphabet="ACGTNacgtX", min_size=1, max_size=90)


@settings(max_examples=60, deadline=None)
@given(counts=motif_counts, sequences=st.lists(dna, min_size=1, max_size=4), p=st.sampled_from([1e-3, 0.02, 0.2]))
def test_equals_a_plain_scan(counts, sequences, p):
    counts = np.array(counts, dtype=float)
    counts[0] += counts.sum(axis=0) == 0
    found = match(sequences, {"m": counts}, p, background="even", positions=True)
    weights = log_odds(counts, np.full(4, 0.25))
    expected = plain_scan(sequences, weights, found.thresholds[0])
    rows = found.positions.sort_values(["sequence", "start", "strand"])
    own = list(zip(rows["sequence"], rows["start"], rows["strand"].astype(str), strict=True))
    near = {hit[:3] for hit in expected if abs(hit[3] - found.thresholds[0]) < 1e-9}
    assert set(own) - near == {hit[:3] for hit in expected} - near
    best = {}
    for number, _, _, score in expected:
        best[number] = max(score, best.get(number, -np.inf))
    for number in set(best) & set(np.flatnonzero(found.matches.toarray()[:, 0])):
        assert found.scores[number, 0] == pytest.approx(best[number], abs=1e-9)


@pytest.mark.parametrize("background", [[0.25] * 4, [0.3, 0.2, 0.2, 0.3], [0.1, 0.4, 0.3, 0.2]])
@pytest.mark.parametrize("p", [5e-5, 1.1e-3, 0.051])  # no sums of the chances, whose rounding would decide
def test_threshold_is_the_exact_tail_of_rounded_scores(background, p):
    rng = np.random.default_rng(4)
    weights = log_odds(rng.integers(0, 20, size=(4, 6)) + rng.random((4, 6)), np.array(background))
    rounded = np.trunc(weights * 2000 + np.where(weights >= 0, 0.5, -0.5))
    scores, chances = [], []
    for word in itertools.product(range(4), repeat=6):
        scores.append(sum(rounded[base, t] for t, base in enumerate(word)))
        chances.append(np.prod([background[base] for base in word]))
    scores, chances = np.array(scores), np.array(chances)
    threshold = score_threshold(weights, np.array(background), p) * 2000
    tail = np.array([chances[scores >= value].sum() for value in scores])
    allowed = scores[tail <= p * (1 + 1e-12)]
    if len(allowed):  # the lowest score that random sites reach with probability <= p: the threshold lies just below
        below = scores[scores < allowed.min()].max()
        assert below < threshold <= allowed.min() + 1e-9
    else:  # no score is that rare: only the best site matches
        best = np.sort(np.unique(scores))[::-1]
        assert best[1] < threshold < best[0]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_strands_and_orders_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    sequences = ["".join(rng.choice(list("ACGTN"), size=n, p=[0.24] * 4 + [0.04])) for n in rng.integers(1, 120, 6)]
    pfms = {f"m{k}": rng.integers(0, 15, (4, w)) + 1 for k, w in enumerate((4, 8, 12))}
    base = match(sequences, pfms, 0.01, background="even").counts.toarray()
    turned = match([s.translate(COMPLEMENT)[::-1] for s in sequences], pfms, 0.01, background="even")
    lower = match([s.lower() for s in sequences], pfms, 0.01, background="even")
    order, columns = rng.permutation(6), rng.permutation(3)
    shuffled = match(
        [sequences[i] for i in order], {f"m{k}": pfms[f"m{k}"] for k in columns}, 0.01, background="even"
    ).counts.toarray()
    np.testing.assert_array_equal(turned.counts.toarray().sum(axis=0) > 0, base.sum(axis=0) > 0)
    np.testing.assert_array_equal(lower.counts.toarray(), base)
    np.testing.assert_array_equal(shuffled, base[order][:, columns])


def test_palindrome_counts_on_both_strands():
    counts = np.eye(4)[[0, 1, 2, 3, 0, 1, 2, 3]].T * 50  # ACGTACGT
    found = match(["TTTACGTACGTTTT"], {"p": counts}, 1e-4, background="even", positions=True)
    assert found.counts[0, 0] == 2
    assert found.positions["strand"].tolist() == ["+", "-"]


def test_last_site_of_a_narrow_motif_is_found_but_in_compat_mode():
    counts = np.eye(4)[[2, 0, 3, 0]].T * 50  # GATA
    sequences = ["CCCCCCCCCGATA"]
    assert match(sequences, {"g": counts}, 0.01, background="even").counts[0, 0] == 1
    assert match(sequences, {"g": counts}, 0.01, background="even", compat=True).counts.nnz == 0


def test_sign_of_the_background_is_right_but_in_compat_mode():
    background = np.array([0.4, 0.1, 0.1, 0.4])
    counts = np.array([[8, 0], [1, 5], [1, 5], [0, 0]]) + 1.0
    weights = log_odds(counts, background)
    odds = (counts + 0.2) / (counts.sum(axis=0) + 0.8) / background[:, None]
    np.testing.assert_allclose(weights, np.log2(odds))
    wrong = log_odds(counts, background, compat=True)
    np.testing.assert_allclose((weights + wrong) / 2, log_odds(counts, np.full(4, 0.25)))


def test_sequences_shorter_than_the_motif_and_without_bases():
    found = match(["ACG", "NNNNNNNNNN", "", "ACGTACGTAC"], {"m": np.ones((4, 6)) * 5}, 0.9, background="even")
    assert found.matches.shape == (4, 1)
    assert found.counts.toarray()[:3].sum() == 0


def test_encoded_sequences_give_the_same():
    rng = np.random.default_rng(0)
    sequences = ["".join(rng.choice(list("ACGT"), size=300)) for _ in range(5)]
    pfm = {"m": rng.integers(1, 9, (4, 7))}
    a, b = match(sequences, pfm, 1e-2), match(encode_sequences(sequences), pfm, 1e-2)
    np.testing.assert_array_equal(a.counts.toarray(), b.counts.toarray())


def test_report_counts_the_motifs():
    seen = []
    match(["ACGT" * 20] * 3, {f"m{k}": np.eye(4) + k for k in range(5)}, 0.01, report=seen.append)
    assert seen == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("arguments", "match_text"),
    [
        (([], {"m": np.eye(4)}), "sequences is empty"),
        ((["ACGT"], {}), "motifs is empty"),
        ((["ACGT"], {"m": np.ones((3, 4))}), "rows A, C, G, T"),
        ((["ACGT"], {"m": -np.eye(4)}), "finite and >= 0"),
        ((["ACGT"], {"m": np.zeros((4, 2))}), r"column\(s\) \[1, 2\] have no counts"),
        ((["ACGT"], {"m": np.eye(4)}, 0.0), "p_cutoff"),
        ((["ACGT"], {"m": np.eye(4)}, 1.5), "p_cutoff"),
        ((["AAAA"], {"m": np.eye(4)}), "lack some of the bases"),
    ],
)
def test_bad_input(arguments, match_text):
    with pytest.raises(ValueError, match=match_text):
        match(*arguments)


@pytest.mark.parametrize("background", ["genome", [0.5, 0.5], [0.5, 0.5, 0, 0], [1, 1, 1, 1]])
def test_bad_background(background):
    with pytest.raises(ValueError, match="background must be"):
        match(["ACGT"], {"m": np.eye(4)}, background=background)
