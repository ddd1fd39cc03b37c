"""Ctrl-C, SIGTERM and kill -9 in the middle of everything that takes time or writes."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import anndata as ad
import numpy as np
import pytest

import sccase_kit as sk

INT, KILL, TERM = int(signal.SIGINT), int(signal.SIGKILL), int(signal.SIGTERM)


def hidden(folder):
    return sorted(p.name for p in Path(folder).rglob(".*"))


def read_back(path):
    return ad.read_zarr(path) if path.suffix == ".zarr" else ad.read_h5ad(path)


def test_interrupted_fit_writes_nothing(child, files):
    code = f"""
from sccase_kit.matrix.operator import ScaledOperator
adata = sk.read({str(files["counts"])!r})
sk.tl.enhance(adata)
before = [sorted(map(str, getattr(adata, a))) for a in ("obs", "var", "obsm", "varm", "obsp", "layers", "uns")]
first = adata.obsm["X_sccase"].copy()
once(ScaledOperator, "sweep", {INT}, calls=3)
try:
    sk.tl.enhance(adata, rng=1)
except KeyboardInterrupt:
    print("interrupted")
assert [sorted(map(str, getattr(adata, a))) for a in ("obs", "var", "obsm", "varm", "obsp", "layers", "uns")] == before
assert (adata.obsm["X_sccase"] == first).all()
assert "rng" not in adata.uns["sccase"]["params"] or adata.uns["sccase"]["params"]["rng"] == 0
sk.tl.enhance(adata, rng=1)
assert adata.uns["sccase"]["params"]["rng"] == 1
"""
    ended = child(code)
    assert (ended.code, ended.text) == (0, "interrupted\n")


LIBRARY = {
    "write_enhanced h5ad": (
        "sk.settings.block_bytes = 4 * 383 * 20\nadata = sk.read({enhanced!r})\n"
        "once(_write_enhanced, '_product', {number}, calls=3)\nsk.io.write_enhanced(adata, 'e.h5ad')",
        "e.h5ad",
    ),
    "write_enhanced h5ad, inside HDF5": (
        "from sccase_kit.io.hdf5 import PatientFile\nadata = sk.read({enhanced!r})\n"
        "once(PatientFile, 'write', {number}, calls=9)\nsk.io.write_enhanced(adata, 'e.h5ad')",
        "e.h5ad",
    ),
    "write_enhanced zarr": (
        "sk.settings.block_bytes = 4 * 383 * 20\nadata = sk.read({enhanced!r})\n"
        "once(_write_enhanced, '_product', {number}, calls=3)\nsk.io.write_enhanced(adata, 'e.zarr')",
        "e.zarr",
    ),
    "convert h5ad": (
        "once(h5py.Group, 'create_dataset', {number}, calls=4)\nsk.io.convert({counts!r}, 'c.h5ad')",
        "c.h5ad",
    ),
    "convert zarr": (
        "once(_atomic, '_take_place', {number})\nsk.io.convert({counts!r}, 'c.zarr')",
        "c.zarr",
    ),
    "write_great": (
        "import pathlib as p\nonce(p.Path, 'write_text', {number})\n"
        "sk.io.write_great({peaks!r}, 'g.bed', genome='hg38')",
        "g.bed",
    ),
    "write_bed": (
        "import tempfile; tempfile.tempdir = 'tmp'\n"
        "once(pandas, 'read_csv', {number})\nsk.io.write_bed({peaks!r}, 'b.bed')",
        "b.bed",
    ),
}


@pytest.mark.parametrize("number", [INT, KILL], ids=["Ctrl-C", "kill -9"])
@pytest.mark.parametrize("name", LIBRARY)
def test_stopped_writer(child, files, tmp_path, name, number):
    if name == "write_bed" and shutil.which("bedtools") is None:
        pytest.skip("the program bedtools is not installed")
    code, file = LIBRARY[name]
    names = {key: str(path) for key, path in files.items()}
    (tmp_path / "tmp").mkdir()
    target = tmp_path / file
    old = target
    if target.suffix == ".zarr":
        target.mkdir()
        old = target / "zarr.json"
    old.write_text("previous")
    ended = child(code.format(**names, number=number))
    assert old.read_text() == "previous"
    if number == INT:
        assert ended.code == 99
        assert ended.text.strip().splitlines()[-1] == "KeyboardInterrupt"
        assert hidden(tmp_path) == []
        assert os.listdir(tmp_path / "tmp") == []
        return
    assert ended.code == -KILL, ended.text
    (left,) = {h for h in os.listdir(tmp_path) if h.startswith(".")}
    assert left.startswith(f".{file}.unfinished.")
    ended = child("def once(*a, **k): pass\n" + code.format(**names, number=number))
    assert ended.code == 0, ended.text
    assert not old.exists() or old.read_bytes() != b"previous"
    assert [h for h in os.listdir(tmp_path) if h.startswith(".")] == []
    if target.suffix in {".h5ad", ".zarr"}:
        assert read_back(target).n_obs == 120


CLI = "sys.exit(sccase_kit.cli.main({argv!r}))"
PLAIN = """
import sccase_kit.report._write, sccase_kit.tl._interpret, pathlib, matplotlib.figure
sccase_kit.report._write.render = lambda *a, **k: "text" * 25_000
sk.pl.raw_against_enhanced = lambda *a, **k: [matplotlib.pyplot.figure().gca()]
"""
INTERPRET = ["interpret", "{enhanced}", "-g", "cell_type", "-n", "40", "--genome", "hg38", "-o", "out"]
COMMANDS = {
    "enhance": (["enhance", "{counts}", "-o", "out.h5ad"], "once(h5py.Group, 'create_dataset', {number}, calls=9)"),
    "report": (["report", "{enhanced}", "-o", "out.html"], "once(_atomic, '_flush', {number})"),
    "demo": (
        ["demo", "-o", "out", "--cells", "100", "--peaks", "400"],
        "once(matplotlib.figure.Figure, 'savefig', {number}, calls=2)",
    ),
    "interpret": (
        [*INTERPRET, "--gene-sets", "{gene_sets}", "--tss", "{genes}"],
        "once(sccase_kit.tl._interpret, 'run_great', {number})",
    ),
}


@pytest.mark.parametrize(
    ("name", "number"), [*((name, number) for name in COMMANDS for number in (INT, KILL)), ("enhance", TERM)]
)
def test_stopped_command_and_the_run_after_it(child, files, tmp_path, name, number):
    if name == "interpret" and shutil.which("bedtools") is None:
        pytest.skip("the program bedtools is not installed")
    argv, stop = COMMANDS[name]
    names = {key: str(path) for key, path in files.items()}
    run = CLI.format(argv=[part.format(**names) for part in [*argv, "--quiet"]])
    ended = child(PLAIN + stop.format(number=number) + "\n" + run)
    if number == KILL:
        assert ended.code == -KILL, ended.text
        assert any(".unfinished." in h for h in hidden(tmp_path))
    else:
        assert (ended.code, ended.text) == (128 + number, "interrupted; nothing half-written was kept\n")
        assert hidden(tmp_path) == []
    finished = {p: p.stat().st_mtime_ns for p in tmp_path.glob("out/peaks/*")}
    assert bool(finished) == (name == "interpret")
    ended = child(PLAIN + run)
    assert ended.code == 0, ended.text
    assert hidden(tmp_path) == []
    assert {p: p.stat().st_mtime_ns for p in finished} == finished  # the finished step is kept
    if name == "interpret":
        assert (tmp_path / "out" / "great" / "result.tsv").is_file()


CONTENT = bytes(range(256)) * 1000
DOWNLOAD = """
import requests
from sccase_kit.datasets import _load, _manifest
from sccase_kit.datasets._manifest import Entry, File
file = File("data.bin", {url!r}, {size}, {digest!r})
entry = Entry("thing", "resource", "A thing", "https://example.org", files=dict(f=file))
_manifest.manifest = _load.manifest = lambda: dict(thing=entry)
_load._cache = lambda: __import__("pathlib").Path("cache")
real = requests.Response.iter_content
def pieces(self, **options):
    for number, piece in enumerate(real(self, chunk_size=10_000)):
        if number == 3 and {number}:
            die({number})
        yield piece
requests.Response.iter_content = pieces
print(sk.datasets.fetch("thing")["f"])
"""


@pytest.fixture
def url(tmp_path_factory):
    root = tmp_path_factory.mktemp("server")
    (root / "data.bin").write_bytes(CONTENT)
    http = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(SimpleHTTPRequestHandler, directory=root))
    http.RequestHandlerClass.log_message = lambda *_: None
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{http.server_address[1]}/data.bin"
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.mark.parametrize("number", [INT, KILL], ids=["Ctrl-C", "kill -9"])
def test_stopped_download_and_the_next(child, url, tmp_path, number):
    given = {"url": url, "size": len(CONTENT), "digest": hashlib.sha256(CONTENT).hexdigest()}
    ended = child(DOWNLOAD.format(**given, number=number))
    assert ended.code == (99 if number == INT else -KILL)
    left = os.listdir(tmp_path / "cache")
    if number == INT:
        assert left == []
    else:
        assert len(left) == 1
        assert left[0].startswith(".data.bin.unfinished.")
    ended = child(DOWNLOAD.format(**given, number=0))
    assert (ended.code, ended.text) == (0, "cache/data.bin\n")
    assert os.listdir(tmp_path / "cache") == ["data.bin"]
    assert (tmp_path / "cache" / "data.bin").read_bytes() == CONTENT


def test_download_to_a_full_disk(child, url, small_disk, tmp_path):
    (tmp_path / "cache").symlink_to(small_disk)
    with open(small_disk / "ballast", "wb") as ballast:
        ballast.write(bytes(400_000))
    given = {"url": url, "size": len(CONTENT), "digest": hashlib.sha256(CONTENT).hexdigest()}
    ended = child(DOWNLOAD.format(**given, number=0))
    last = ended.text.strip().splitlines()[-1]
    assert "DataNotFoundError" in last
    assert "The download failed: [Errno 28] No space left on device" in last
    assert os.listdir(small_disk) == ["ballast"]


@pytest.mark.parametrize("file", ["e.h5ad", "e.zarr"])
def test_two_processes_write_one_matrix(child, files, tmp_path, file):
    code = f"""
adata = sk.read({str(files["enhanced"])!r})
sk.settings.block_bytes = 4 * 383 * 20
pids = []
for scale in (None, "minmax"):
    if (pid := os.fork()) == 0:
        try:
            for _ in range(3):
                sk.io.write_enhanced(adata, {file!r}, scale=scale)
        except BaseException:
            traceback.print_exc(); os._exit(1)
        os._exit(0)
    pids.append(pid)
sys.exit(sum(os.waitpid(pid, 0)[1] != 0 for pid in pids))
"""
    ended = child(code)
    assert ended.code == 0, ended.text
    assert os.listdir(tmp_path) == [file]
    written = read_back(tmp_path / file)
    scale = {"none": None, "minmax": "minmax"}[written.uns["sccase"]["scale"]]
    (tmp_path / "alone").mkdir()
    with sk.settings.override(block_bytes=4 * 383 * 20):
        sk.io.write_enhanced(sk.read(files["enhanced"]), tmp_path / "alone" / file, scale=scale)
    assert np.array_equal(written.X, read_back(tmp_path / "alone" / file).X)


def test_the_installed_command_stopped_from_outside(tmp_path):
    """A process of its own, met by the signal of a terminal somewhere in its work."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "enhanced.h5ad").write_text("previous")
    command = [sys.executable, "-m", "sccase_kit.cli", "demo", "-o", "out", "--cells", "1500", "--peaks", "10000"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    for line in process.stderr:
        if "filter_peaks" in line:
            break
    process.send_signal(signal.SIGINT)
    _, text = process.communicate(timeout=60)
    assert process.returncode == 130, text
    assert text.strip().splitlines()[-1] == "interrupted; nothing half-written was kept"
    assert "Traceback" not in text
    assert os.listdir(tmp_path / "out") == ["enhanced.h5ad"]
    assert (tmp_path / "out" / "enhanced.h5ad").read_text() == "previous"


BEFORE_THE_IMPORTS = """
import os, sys
class Stop:
    def find_spec(self, name, *rest):
        if name == "sccase_kit.cli":
            os.kill(os.getpid(), {number})
sys.meta_path.insert(0, Stop())
from sccase_kit import start
assert "numpy" not in sys.modules and "typing" not in sys.modules
sys.exit(start.main())
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_before_the_command_is_imported(name):
    number = int(getattr(signal, name))
    ended = subprocess.run(
        [sys.executable, "-S", "-c", BEFORE_THE_IMPORTS.format(number=number)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        preexec_fn=lambda: (signal.signal(signal.SIGINT, signal.SIG_DFL), signal.signal(number, signal.SIG_DFL)),
    )
    assert (ended.returncode, ended.stderr) == (128 + number, "interrupted; nothing half-written was kept\n")
