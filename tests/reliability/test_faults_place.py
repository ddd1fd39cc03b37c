"""Targets that are hard to write to: odd names, folders in the way, parents that are missing."""

from __future__ import annotations

import os
import shutil

import pytest

import sccase_kit as sk

CLI = "sccase_kit.cli.main({argv!r})"
PLAIN = """
import sccase_kit.report._write
sccase_kit.report._write.render = lambda *a, **k: "text"
sk.pl.raw_against_enhanced = lambda *a, **k: [matplotlib.pyplot.figure().gca()]
codes = []
"""


def argvs(given, folder):
    """Return the arguments of every command that writes, with its results in `folder`."""
    commands = {
        "enhance": ["enhance", given["counts"], "-o", f"{folder}/e.h5ad", "--matrix", f"{folder}/m.zarr"],
        "cluster": ["cluster", given["enhanced"], "-o", f"{folder}/c.tsv"],
        "peaks": ["peaks", given["enhanced"], "-g", "cell_type", "-n", "20", "-o", f"{folder}/p.bed"],
        "report": ["report", given["enhanced"], "-o", f"{folder}/r.html"],
        "demo": ["demo", "-o", f"{folder}/d", "--cells", "100", "--peaks", "400"],
    }
    if shutil.which("bedtools") is not None:
        commands["interpret"] = [
            *("interpret", given["enhanced"], "-g", "cell_type", "-n", "20", "--genome", "hg38", "-o", f"{folder}/i"),
            *("--gene-sets", given["gene_sets"], "--tss", given["genes"]),
        ]
    return {name: [*map(str, argv), "--quiet"] for name, argv in commands.items()}


def test_blanks_and_letters_of_all_kinds(child, files, tmp_path):
    folder = tmp_path / "mein Ordner – данные 表 'x' $HOME; &"
    folder.mkdir()
    given = {}
    for name in ("counts", "enhanced", "gene_sets", "genes"):
        given[name] = folder / f"ä {files[name].name}"
        shutil.copy(files[name], given[name])
    before = set(os.listdir(folder))
    commands = argvs(given, folder)
    code = PLAIN + "".join(f"codes.append({CLI.format(argv=argv)})\n" for argv in commands.values())
    ended = child(code + "print(codes)")
    assert ended.text.strip().splitlines()[-1] == str([0] * len(commands)), ended.text
    made = {"e.h5ad", "m.zarr", "c.tsv", "p.bed", "r.html", "d"} | ({"i"} if "interpret" in commands else set())
    assert set(os.listdir(folder)) - before == made
    assert os.listdir(tmp_path) == [folder.name]


def test_parent_is_missing(child, files, tmp_path):
    commands = {n: a for n, a in argvs(files, tmp_path / "no" / "such").items() if n not in {"demo", "interpret"}}
    code = PLAIN + "".join(f"codes.append({CLI.format(argv=argv)})\n" for argv in commands.values())
    ended = child(code + "print(codes)")
    *lines, codes = ended.text.strip().splitlines()
    assert codes == str([1] * len(commands)), ended.text
    assert len(lines) == len(commands)
    assert all("folder" in line and "does not exist" in line for line in lines), ended.text
    assert os.listdir(tmp_path) == []


def test_target_is_a_folder_or_a_file_is_in_the_way(child, files, tmp_path):
    for name in ("e.h5ad", "c.tsv", "p.bed", "r.html"):
        (tmp_path / name).mkdir()
    for name in ("d", "i"):
        (tmp_path / name).write_text("previous")
    before = sorted(os.listdir(tmp_path))
    commands = argvs(files, tmp_path)
    code = PLAIN + "".join(f"codes.append({CLI.format(argv=argv)})\n" for argv in commands.values())
    ended = child(code + "print(codes)")
    *lines, codes = ended.text.strip().splitlines()
    assert codes == str([1] * len(commands)), ended.text
    assert len(lines) == len(commands), ended.text
    assert all("is a folder" in line or "is a file" in line for line in lines), ended.text
    assert sorted(os.listdir(tmp_path)) == before
    assert (tmp_path / "d").read_text() == "previous"


@pytest.mark.skipif(shutil.which("bedtools") is None, reason="the program bedtools is not installed")
def test_folders_of_the_user_are_not_taken_for_steps(fitted, tmp_path):
    (tmp_path / "peaks").mkdir()
    (tmp_path / "peaks" / "thesis.tex").write_text("precious")
    with pytest.raises(FileExistsError, match=r"holds other files, such as 'thesis\.tex'"):
        sk.tl.interpret(fitted.copy(), "cell_type", tmp_path, genome="hg38", n_top=20)
    assert (tmp_path / "peaks" / "thesis.tex").read_text() == "precious"


@pytest.mark.parametrize("name", ["out.h5ad", "out.zarr"])
@pytest.mark.parametrize("what", ["folder with files", "missing parent"])
def test_write_enhanced_and_convert(fitted, files, tmp_path, name, what):
    target = tmp_path / name
    if what == "missing parent":
        target, error = target / name, FileNotFoundError
    else:
        target.mkdir()
        (target / "precious").write_text("precious")
        error = IsADirectoryError if name == "out.h5ad" else FileExistsError
    before = sorted(tmp_path.rglob("*"))
    for write in (lambda: sk.io.write_enhanced(fitted, target), lambda: sk.io.convert(files["counts"], target)):
        with pytest.raises(error):
            write()
    assert sorted(tmp_path.rglob("*")) == before
