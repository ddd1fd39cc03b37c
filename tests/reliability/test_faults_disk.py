"""Full disks and disks that can be read only: every writer, on a real disk of 512 kB."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

DATA = "sk.read({enhanced!r})"
CLI = "sys.exit(sccase_kit.cli.main({argv!r}))"
BEDTOOLS = pytest.mark.skipif(shutil.which("bedtools") is None, reason="the program bedtools is not installed")


def fill(disk, *, left):
    """Leave that many bytes free on a disk."""
    with open(disk / "ballast", "wb") as ballast:
        free = os.statvfs(disk)
        ballast.write(bytes(max(0, free.f_bavail * free.f_bsize - left)))


def previous(target):
    """Put something at the target that a writer may replace, and return what it holds."""
    mark = {".zarr": "zarr.json", ".out": "run_ldsc.sh"}.get(target.suffix)
    if mark is None:
        ours = "# What the peaks mean\n" if target.name == "README.md" else ""  # another one is refused
        target.write_text(ours + "previous")
        return target
    target.mkdir()
    (target / mark).write_text("previous")
    return target / mark


def panel(folder, study):
    """Return the prefix of .bim files with the SNPs of the study."""
    for chrom, part in study.snps.groupby("chrom", sort=False):
        lines = [f"{chrom[3:]}\t{s}\t0\t{p}\tA\tC\n" for s, p in zip(part["snp"], part["pos"], strict=True)]
        (folder / f"panel.{chrom[3:]}.bim").write_text("".join(lines))
    return folder / "panel."


LIBRARY = {
    "write_enhanced h5ad": ("sk.io.write_enhanced(" + DATA + ", {target!r})", "e.h5ad", 40_000),
    "write_enhanced zarr": ("sk.io.write_enhanced(" + DATA + ", {target!r})", "e.zarr", 40_000),
    "convert zarr": ("sk.io.convert({counts!r}, {target!r})", "e.zarr", 40_000),
    "convert h5ad": ("sk.io.convert({counts!r}, {target!r})", "e.h5ad", 40_000),
    "write_great": ("sk.io.write_great({peaks!r}, {target!r}, genome='hg38')", "g.bed", 8192),
    "write_bed": ("sk.io.write_bed({peaks!r}, {target!r})", "b.bed", 8192),
    "write_snpsea": ("sk.io.write_snpsea({peaks!r}, pandas.read_csv({snps!r}, sep='\\t'), {target!r})", "s.gwas", 0),
    "write_ldsc_annot": ("sk.io.write_ldsc_annot({peaks!r}, {target!r}, panel={panel!r})", "l.out", 8192),
}
MARKS = {"write_bed": BEDTOOLS, "write_snpsea": BEDTOOLS, "write_ldsc_annot": BEDTOOLS}


@pytest.fixture(scope="module")
def given(files, study, tmp_path_factory):
    names = {name: str(path) for name, path in files.items()}
    return {**names, "panel": str(panel(tmp_path_factory.mktemp("panel"), study))}


@pytest.mark.parametrize("name", [pytest.param(n, marks=MARKS.get(n, ())) for n in LIBRARY])
def test_full_disk(child, small_disk, given, name):
    code, file, left = LIBRARY[name]
    target = small_disk / file
    old = previous(target)
    fill(small_disk, left=left)
    ended = child(code.format(**given, target=str(target)))
    assert ended.code == 99, ended.text
    last = ended.text.strip().splitlines()[-1]
    assert last.startswith("OSError: [Errno 28] No space left on device"), ended.text
    assert file in last
    assert old.read_text() == "previous"
    assert sorted(os.listdir(small_disk)) == sorted([file, "ballast"])


def test_hdf5_at_every_size_of_the_disk(child, small_disk, files):
    """HDF5 by itself ends the interpreter with a segmentation fault at some of these sizes."""
    code = f"""
import pathlib
disk, target, failed = pathlib.Path({str(small_disk)!r}), {str(small_disk / "e.h5ad")!r}, 0
adata = sk.read({str(files["enhanced"])!r})
for left in range(0, 480_000, 15_551):
    (disk / "ballast").write_bytes(b"")
    free = os.statvfs(disk)
    (disk / "ballast").write_bytes(bytes(free.f_bavail * free.f_bsize - left))
    try:
        sk.io.write_enhanced(adata, target)
    except OSError as error:
        assert "No space left" in str(error), error
        assert os.listdir(disk) == ["ballast"]
        failed += 1
    else:
        os.remove(target)
print("failed", failed)
"""
    ended = child(code)
    assert ended.code == 0, ended.text
    assert int(ended.text.rpartition("failed ")[2]) > 10


COMMANDS = {
    "enhance h5ad": (["enhance", "{counts}", "-o", "{disk}/e.h5ad"], "e.h5ad", 40_000),
    "enhance zarr": (["enhance", "{counts}", "-o", "{disk}/e.zarr"], "e.zarr", 40_000),
    "report": (["report", "{enhanced}", "-o", "{disk}/r.html", "--max-cells", "60"], "r.html", 40_000),
    "demo": (["demo", "-o", "{disk}", "--cells", "100", "--peaks", "400"], "enhanced.h5ad", 40_000),
    "interpret": (
        ["interpret", "{enhanced}", "-g", "cell_type", "-n", "40", "--genome", "hg38", "-o", "{disk}"],
        "README.md",
        12_288,
    ),
}


#: A page and a figure that take no time to make, in place of those with maps.
PLAIN = """
import sccase_kit.report._write
sccase_kit.report._write.render = lambda *a, **k: "text" * 25_000
sk.pl.raw_against_enhanced = lambda *a, **k: [matplotlib.pyplot.figure().gca()]
"""


@pytest.mark.parametrize("name", COMMANDS)
def test_full_disk_from_the_command_line(child, small_disk, given, name):
    if name == "interpret" and shutil.which("bedtools") is None:
        pytest.skip("the program bedtools is not installed")
    argv, file, left = COMMANDS[name]
    old = previous(small_disk / file)
    fill(small_disk, left=left)
    argv = [part.format(**given, disk=small_disk) for part in argv]
    ended = child(PLAIN + CLI.format(argv=[*argv, "--quiet"]))
    assert ended.code == 1, ended.text
    assert ended.text.startswith(f"sccase-kit {argv[0]}: [Errno 28] No space left on device"), ended.text
    assert len(ended.text.splitlines()) <= 2  # interpret adds that finished steps are kept
    assert old.read_text().endswith("previous")
    assert not [name for name in os.listdir(small_disk) if name.startswith(".")]


def test_full_temporary_folder(child, small_disk, given, tmp_path):
    """BEDTools work in TMPDIR, whatever the target."""
    if shutil.which("bedtools") is None:
        pytest.skip("the program bedtools is not installed")
    fill(small_disk, left=0)
    code = f"import tempfile; tempfile.tempdir = {str(small_disk)!r}\n"
    ended = child(code + LIBRARY["write_bed"][0].format(**given, target=str(tmp_path / "b.bed")))
    assert ended.code == 99
    assert "No space left on device" in ended.text
    assert os.listdir(small_disk) == ["ballast"]
    assert not (tmp_path / "b.bed").exists()


READ_ONLY = {
    "enhance": ["enhance", "{counts}", "-o", "{disk}/old.h5ad"],
    "report": ["report", "{enhanced}", "-o", "{disk}/old.html"],
    "demo": ["demo", "-o", "{disk}/new/folder"],
    "interpret": ["interpret", "{enhanced}", "-g", "cell_type", "--genome", "hg38", "-o", "{disk}/new"],
}


@pytest.mark.parametrize("name", READ_ONLY)
def test_read_only_disk_is_told_before_any_work(child, read_only, given, name):
    argv = [part.format(**given, disk=read_only) for part in READ_ONLY[name]]
    work = "import sccase_kit.tl._enhance, sccase_kit.report._write\ndef no(*a, **k): die(9)\n"
    work += "sk.tl.enhance = sk.tl.specific_peaks = sccase_kit.report._write.render = sk.datasets.toy_study = no\n"
    ended = child(work + CLI.format(argv=[*argv, "--quiet"]))
    assert ended.code == 1, ended.text
    assert "Read-only file system" in ended.text
    assert len(ended.text.splitlines()) == 1
    assert sorted(os.listdir(read_only)) == ["old.bed", "old.h5ad", "old.html"]


@pytest.mark.parametrize("name", ["write_enhanced h5ad", "write_enhanced zarr", "convert zarr", "write_great"])
def test_read_only_disk(child, read_only, given, name):
    code, file, _ = LIBRARY[name]
    ended = child(code.format(**given, target=str(read_only / file)))
    assert ended.code == 99
    assert ended.text.strip().splitlines()[-1].startswith("OSError: [Errno 30] Read-only file system"), ended.text
    assert sorted(os.listdir(read_only)) == ["old.bed", "old.h5ad", "old.html"]


@pytest.fixture
def foreign_folder():
    """A folder that everybody may read and nobody but its owner (root) write."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a folder of somebody else")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "g.bed").write_text("previous")
        yield folder


def test_folder_of_somebody_else(child, foreign_folder):
    """As root every folder is open: the child becomes nobody first."""
    ended = child(
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        f"regions = pandas.DataFrame(dict(chrom=['chr1'], start=[1000], end=[2000]))\n"
        f"sk.io.write_great(regions, {str(foreign_folder / 'g.bed')!r}, genome='hg38')",
    )
    assert ended.code == 99
    last = ended.text.strip().splitlines()[-1]
    assert last.startswith("PermissionError: [Errno 13] Permission denied: 'g.bed' cannot be written in"), ended.text
    assert os.listdir(foreign_folder) == ["g.bed"]
    assert (foreign_folder / "g.bed").read_text() == "previous"


def test_full_standard_output(child, given):
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full here")
    for extra in ([], ["--json"]):
        code = "sys.stdout = open('/dev/full', 'w')\n" + CLI.format(argv=["info", given["enhanced"], *extra, "--quiet"])
        ended = child(code)
        assert (ended.code, ended.text) == (1, "sccase-kit info: [Errno 28] No space left on device\n")


def test_files_are_the_same_as_those_of_anndata(fitted, tmp_path):
    """The file below HDF5 changes nothing: what anndata writes by itself reads back equal."""
    import anndata as ad

    from sccase_kit.io.hdf5 import write_h5ad

    adata = fitted.copy()
    adata.obs["text"] = [f"cell of {t}" for t in adata.obs["cell_type"]]
    adata.raw = adata.copy()
    write_h5ad(adata, tmp_path / "a.h5ad")
    adata.write_h5ad(tmp_path / "b.h5ad")
    ours, theirs = ad.read_h5ad(tmp_path / "a.h5ad"), ad.read_h5ad(tmp_path / "b.h5ad")
    for name in ("obs", "var"):
        assert getattr(ours, name).equals(getattr(theirs, name))
    for name in ("obsm", "varm", "layers", "uns"):
        assert getattr(ours, name).keys() == getattr(theirs, name).keys()
    np.testing.assert_array_equal(ours.X.toarray(), theirs.X.toarray())
    np.testing.assert_array_equal(ours.raw.X.toarray(), theirs.raw.X.toarray())
