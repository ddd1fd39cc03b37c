"""liftOver: a chain written by hand, and the real one of hg19 to hg38."""

import gzip

import pandas as pd
import pytest

from sccase_kit.intervals.chains import read_chain
from sccase_kit.regions import chrom_sizes, liftover, tss_table

# chr1: 0-100 → A 50-150, 20 bases deleted, 120-200 → A 160-240; 300-400 → B, backward; 500-560 → C and D;
# 600-650 → E, 650-700 → F
CHAIN = """chain 1000 chr1 1000 + 0 200 chrA 500 + 50 240 1
100\t20\t10
80

chain 900 chr1 1000 + 300 400 chrB 1000 - 100 200 2
100

chain 800 chr1 1000 + 500 560 chrC 900 + 0 60 3
60

chain 700 chr1 1000 + 500 560 chrD 900 + 0 60 4
60

chain 600 chr1 1000 + 600 650 chrE 900 + 0 50 5
50

chain 500 chr1 1000 + 650 700 chrF 900 + 0 50 6
50
"""


@pytest.fixture
def chain(tmp_path):
    path = tmp_path / "old_to_new.chain.gz"
    with gzip.open(path, "wt") as handle:
        handle.write(CHAIN)
    return path


def one(start, end, **more):
    return pd.DataFrame({"chrom": ["chr1"], "start": [start], "end": [end], **more}, index=["r"])


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 10, ("chrA", 50, 60)),
        (90, 100, ("chrA", 140, 150)),
        (130, 140, ("chrA", 170, 180)),
        (1, 200, None),  # 20 of 199 bases are gone
        (300, 310, ("chrB", 890, 900)),
        (390, 400, ("chrB", 800, 810)),
    ],
)
def test_coordinates(chain, start, end, expected):
    lifted = liftover(one(start, end), chain)
    if expected is None:
        assert lifted.lost["reason"].tolist() == ["partial"]
        over = liftover(one(start, end), chain, min_match=0.8).regions
        assert over.loc["r", ["chrom", "start", "end"]].tolist() == ["chrA", 51, 240]
    else:
        assert tuple(lifted.regions.loc["r", ["chrom", "start", "end"]]) == expected
        assert lifted.summary.to_dict() == {"lifted": 1, "deleted": 0, "partial": 0, "split": 0, "duplicated": 0}


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [(101, 119, "deleted"), (510, 520, "duplicated"), (620, 680, "split"), (95, 115, "partial"), (800, 810, "deleted")],
)
def test_losses(chain, start, end, reason):
    lifted = liftover(one(start, end, score=[1.5]), chain)
    assert lifted.regions.empty
    assert lifted.lost.loc["r"].tolist() == ["chr1", start, end, 1.5, reason]
    assert lifted.summary[reason] == 1


def test_strand_and_columns(chain):
    table = pd.concat([one(300, 310, strand=["+"], genome=["hg19"]), one(0, 9, strand=["-"], genome=["hg19"])])
    table.attrs["genome"] = "hg19"
    lifted = liftover(table, chain).regions
    assert lifted["strand"].tolist() == ["-", "-"]
    assert "genome" not in lifted.columns
    assert "genome" not in lifted.attrs


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("chain 1 chr1 10 + 0 5 chrA 9 + 0 5 1\n4\n", "line 2: the blocks do not add up"),
        ("chain 1 chr1 10 + 0 5 chrA 9 + 0 5 1\nx\n", "line 2: expected a chain header"),
        ("5\n", "line 1: expected a line that starts"),
        ("chain 1 chr1 10 + 0 5\n", "line 1"),
        ("chain 1 chr1 10 + 0 9 chrA 9 + 0 9 1\n4 1 1\n", "ends inside a chain"),
        ("chain 1 chr1 10 + 0 9 chrA 9 + 0 9 1\n4 1 1\nchain 1 chr1 10 + 0 9 chrA 9 + 0 9 1\n", "line 3: a new chain"),
        ("\n", "no chain was found"),
    ],
)
def test_bad_files(tmp_path, text, match):
    path = tmp_path / "bad.chain"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"bad\\.chain, {match}" if match.startswith("line") else match):
        read_chain(path)


def test_bad_regions(chain):
    with pytest.raises(ValueError, match="1 of 1 rows lie on sequences that are not among those that the chain"):
        liftover(one(0, 5).assign(chrom="chr7"), chain)
    with pytest.raises(ValueError, match="regions: rows reach beyond"):
        liftover(one(0, 1_001), chain)
    with pytest.raises(ValueError, match="min_match"):
        liftover(one(0, 5), chain, min_match=0)


def test_known_genes_move_to_their_place(shared_data):
    path = shared_data / "hg19/hg19ToHg38.over.chain.gz"
    old = tss_table("hg19").set_index("symbol")
    new = tss_table("hg38").set_index("symbol")
    points = old.assign(start=old["tss"], end=old["tss"] + 1)
    lifted = liftover(points[["chrom", "start", "end"]], path)
    assert lifted.summary["lifted"] > 0.99 * len(old)
    both = lifted.regions.join(new[["chrom", "tss"]].set_axis(["chrom_new", "tss"], axis=1), how="inner")
    near = (both["chrom"] == both["chrom_new"]) & ((both["start"] - both["tss"]).abs() <= 1_000)
    assert near.mean() > 0.8  # the annotations differ by release
    sizes = chrom_sizes("hg38")
    known = lifted.regions[lifted.regions["chrom"].isin(sizes)]
    assert (known["end"] <= known["chrom"].map(sizes)).all()
