"""Messages written for Python end with the way out in the shell."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy import sparse

import sccase_kit as sk
from sccase_kit._commands.hints import WAYS_OUT, shell_way_out
from sccase_kit.cli import build_parser


def told(function, *args, **kwargs):
    with pytest.raises((KeyError, ValueError, OSError)) as caught:
        function(*args, **kwargs)
    return shell_way_out(caught.value)


def test_of_the_messages_themselves(study, tmp_path, monkeypatch):
    counts = study.adata.copy()
    enhance = "sccase-kit enhance INPUT -o OUTPUT"
    assert told(sk.tl.cluster, counts) == enhance
    assert told(sk.tl.specific_peaks, counts, "cell_type") == enhance
    assert told(sk.tl.great, counts, "hg38", study.gene_sets).startswith("sccase-kit peaks INPUT")
    assert told(sk.tl.scabc, counts, "louvain").startswith("sccase-kit cluster INPUT")
    assert told(sk.tl.chromvar, counts, "motifs").startswith("sccase-kit motifs INPUT --fasta")
    (tmp_path / "a.txt").write_text("1 2\n")
    assert "'MEME version'" in told(sk.motifs.read_motifs, tmp_path / "a.txt")
    monkeypatch.setattr("sccase_kit.gene_sets.go._find_database", lambda _name: None)
    assert told(sk.regions.go_from_orgdb) == "--gene-sets FILE.gmt needs no database"
    other = {"genome": "hg38", "ldsc": {"panel": "p."}}
    assert told(sk.tl.interpret, counts, "cell_type", tmp_path / "o", **other).startswith("--chain FILE")


def test_closed_peaks(study):
    counts = study.adata[:, :50].copy()
    counts.X = sparse.csr_matrix(counts.X.toarray() * (np.arange(50) > 0))
    counts.var["gc"] = 0.5
    sets = {"a": counts.var[["chrom", "start", "end"]].iloc[:5]}
    assert told(sk.tl.chromvar, counts, sets).startswith("sccase-kit enhance INPUT -o OUTPUT drops them")


def test_other_messages_stay_as_they_are():
    assert shell_way_out(ValueError("run sccase_kit.tl.enhance first, says the text alone")) == ""


def test_the_commands_and_options_exist(capsys):
    texts = {}
    for command in ("enhance", "cluster", "peaks", "motifs", "great", "interpret"):
        with pytest.raises(SystemExit):
            build_parser().parse_args([command, "--help"])
        texts[command] = capsys.readouterr().out
    for way in WAYS_OUT.values():
        for command in re.findall(r"sccase-kit (\w+)", way):
            assert command in texts
        for option in re.findall(r"--[a-z-]+", way):
            assert any(option in text for text in texts.values()), option
