"""The command reproduce: its tools, and what it says."""

from __future__ import annotations

import json

import sccase_kit as sk


def test_a_run_without_data(call, tmp_path):
    code, out, _ = call("reproduce", "-o", tmp_path / "paper", "--only", "settings", "--json")
    assert code == 0
    told = json.loads(out)
    assert told["hold"] > 0
    assert (tmp_path / "paper" / "paper.csv").is_file()


def test_files_of_tools_reach_the_experiments(call, tmp_path, monkeypatch):
    given = {}

    def reproduce(*_, **options):
        given.update(options)
        raise KeyboardInterrupt

    monkeypatch.setattr(sk, "reproduce", reproduce)
    argv = [
        "--gene-sets",
        "GO:BP",
        "--snps",
        "s.bed",
        "--gene-matrix",
        "m.gct",
        "--panel",
        "p.",
        "--sumstats",
        "t=a.gz",
    ]
    call("reproduce", "-o", tmp_path, *argv, "--fasta", "hg19.fa", "--motifs", "JASPAR2024")
    assert given["tools"] == {
        "great": {"gene_sets": "GO:BP"},
        "snpsea": {"snps": "s.bed", "gene_matrix": "m.gct"},
        "ldsc": {"panel": "p.", "sumstats": {"t": "a.gz"}},
        "motifs": {"genome_fasta": "hg19.fa", "motifs": "JASPAR2024"},
    }
    call("reproduce", "-o", tmp_path)
    assert given["tools"] == {}


def test_half_given_tools_are_refused(call, tmp_path):
    for argv, flag in ((["--motifs", "JASPAR"], "--fasta"), (["--weights", "w."], "--panel")):
        code, _, err = call("reproduce", "-o", tmp_path, *argv)
        assert code != 0
        assert f"without {flag}" in err
