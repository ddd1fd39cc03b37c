"""The helper below every writer: what stays in place, what is left, what is cleared away."""

from __future__ import annotations

import errno
import os
import signal

import pytest

from sccase_kit._atomic import MARK, check_folder, check_place, replacing


def hidden(folder):
    return sorted(p.name for p in folder.iterdir() if p.name.startswith("."))


def write(path, text, *, folder=None):
    with replacing(path, folder=folder) as temporary:
        if folder:
            temporary.mkdir()
            (temporary / "step.json").write_text(text)
        else:
            temporary.write_text(text)


@pytest.mark.parametrize("name", ["a b.txt", "ärger-表.txt", "x" * 250, "new\nline", "-rf", "*?[a]"])
def test_any_name_a_file_may_have(tmp_path, name):
    for text in ("one", "two"):
        write(tmp_path / name, text)
        assert (tmp_path / name).read_text() == text
    assert os.listdir(tmp_path) == [name]


def test_link_is_followed(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "real")
    write(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "disk" / "real").read_text() == "new"
    assert os.listdir(tmp_path / "disk") == ["real"]


def test_device_is_refused():
    with pytest.raises(OSError, match="device or pipe"):
        write("/dev/null", "text")
    assert not os.path.isfile("/dev/null")


@pytest.mark.parametrize(
    ("kind", "folder", "error", "match"),
    [
        ("full", True, FileExistsError, "holds other files, such as 'precious'"),
        ("full", False, IsADirectoryError, "is a folder"),
        ("empty", False, IsADirectoryError, "is a folder"),
        ("file", True, NotADirectoryError, "is a file"),
    ],
)
def test_what_lies_there_is_not_replaced_by_something_else(tmp_path, kind, folder, error, match):
    target = tmp_path / "target"
    if kind == "file":
        target.write_text("old")
    else:
        target.mkdir()
        if kind == "full":
            (target / "precious").write_text("old")
    reached = False
    with pytest.raises(error, match=match), replacing(target, folder=folder):
        reached = True
    assert not reached
    assert os.listdir(tmp_path) == ["target"]
    if kind == "full":
        assert (target / "precious").read_text() == "old"


def test_own_folder_is_replaced(tmp_path):
    for text in ("one", "two"):
        write(tmp_path / "out", text, folder=True)
    assert (tmp_path / "out" / "step.json").read_text() == "two"
    assert os.listdir(tmp_path) == ["out"]


def test_zarr_is_a_folder_by_its_name(tmp_path):
    (tmp_path / "a.zarr").mkdir()
    check_place(tmp_path / "a.zarr")
    (tmp_path / "b.zarr").write_text("")
    with pytest.raises(NotADirectoryError, match=r"b\.zarr"):
        check_place(tmp_path / "b.zarr")


def test_folder_to_be_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(check_folder("a/b/c")) == "a/b/c"
    check_folder(".")
    assert os.listdir(tmp_path) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="file' is a file"):
        check_folder("file/b")


@pytest.mark.parametrize(
    "raised",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError("Can't write data (file write failed: errno = 28, error message = 'No space left on device')"),
        RuntimeError("Unable to close (errno = 28)"),
    ],
)
def test_full_disk_in_one_line(tmp_path, raised):
    (tmp_path / "a").write_text("old")

    def fill():
        with replacing(tmp_path / "a") as temporary:
            temporary.write_text("half")
            raise raised

    with pytest.raises(OSError, match=r"in '.*': 'a' was not written$") as caught:
        fill()
    assert caught.value.errno in (errno.ENOSPC, errno.EDQUOT)
    assert (tmp_path / "a").read_text() == "old"
    assert hidden(tmp_path) == []


KILLED = """
from pathlib import Path
with _atomic.replacing("target") as temporary:
    temporary.write_text("half")
    die(9)
"""


def test_kill_leaves_a_folder_whose_name_tells_and_the_next_run_clears_it(child, tmp_path):
    (tmp_path / "target").write_text("old")
    assert child(KILLED).code == -signal.SIGKILL
    assert (tmp_path / "target").read_text() == "old"
    (left,) = hidden(tmp_path)
    assert left.startswith(f".target.{MARK}.")
    write(tmp_path / "other", "text")
    write(tmp_path / "target.bak", "text")
    assert hidden(tmp_path) == [left]
    write(tmp_path / "target", "new")
    assert (tmp_path / "target").read_text() == "new"
    assert hidden(tmp_path) == []


def test_writer_at_work_is_left_alone(tmp_path):
    with replacing(tmp_path / "a") as first:
        first.write_text("first")
        write(tmp_path / "a", "second")
        assert (tmp_path / "a").read_text() == "second"
        assert first.read_text() == "first"
    assert (tmp_path / "a").read_text() == "first"
    assert hidden(tmp_path) == []


SWAP = """
real, calls = os.replace, []
def replace(a, b):
    real(a, b)
    calls.append(b)
    if str(b).endswith("replaced"):
        die({number})
os.replace = replace
with _atomic.replacing("out", folder=True) as temporary:
    temporary.mkdir()
    (temporary / "step.json").write_text("new")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_stop_between_the_two_moves_of_a_folder_loses_nothing(child, tmp_path, number):
    write(tmp_path / "out", "old", folder=True)
    ended = child(SWAP.format(number=int(number)))
    if number == signal.SIGINT:
        assert ended.code == 99
        assert "KeyboardInterrupt" in ended.text
    else:
        assert ended.code == -number
        assert not (tmp_path / "out").exists()
        with pytest.raises(FileNotFoundError), replacing(tmp_path / "out", folder=True):
            pass  # nothing is written, and nothing takes its place
    assert (tmp_path / "out" / "step.json").read_text() == "old"
    assert hidden(tmp_path) == []


def test_many_processes_write_the_same_target(nursery, child, tmp_path):
    code = """
children = []
for number in range(6):
    pid = os.fork()
    if pid == 0:
        status = 0
        try:
            for turn in range(40):
                with _atomic.replacing("file") as temporary:
                    temporary.write_text(str(number) * 100_000)
                with _atomic.replacing("folder", folder=True) as temporary:
                    temporary.mkdir()
                    (temporary / "step.json").write_text(str(number) * 1000)
                    (temporary / "other").write_text(str(number) * 1000)
        except BaseException:
            traceback.print_exc()
            status = 1
        os._exit(status)
    children.append(pid)
sys.exit(sum(os.waitpid(pid, 0)[1] != 0 for pid in children))
"""
    ended = child(code)
    assert ended.code == 0, ended.text
    assert len(set((tmp_path / "file").read_text())) == 1
    assert (tmp_path / "file").stat().st_size == 100_000
    texts = {(tmp_path / "folder" / name).read_text() for name in ("step.json", "other")}
    assert len(texts) == 1
    assert hidden(tmp_path) == []
