import gzip
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from sccase_kit.fragments import inflate
from sccase_kit.fragments.inflate import DamagedFileError, first_lines, kind_of, lacks_end, text_blocks

LINES = b"".join(b"chr1\t%d\t%d\tACGT-%d\t1\n" % (i, i + 90, i % 97) for i in range(60_000))


def bgzip(data, *, end=True):
    out = b""
    for i in range(0, len(data), 65_000):
        part = data[i : i + 65_000]
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        body = packer.compress(part) + packer.flush()
        head = struct.pack("<4BI2BH2BHH", 31, 139, 8, 4, 0, 0, 255, 6, 66, 67, 2, len(body) + 25)
        out += head + body + struct.pack("<II", zlib.crc32(part), len(part))
    return out + inflate._END_OF_BGZF * end


def zstd(data):
    zstandard = pytest.importorskip("zstandard")
    return zstandard.compress(data)


KINDS = {
    "plain": lambda data: data,
    "gzip": gzip.compress,
    "bgzip": bgzip,
    "zstd": zstd,
}


def read(path, workers=2):
    with ThreadPoolExecutor(workers) as pool:
        return [text for text, _ in text_blocks(path, pool=pool)]


@pytest.fixture(params=["isal", "zlib"])
def inflater(request, monkeypatch):
    if request.param == "isal":
        pytest.importorskip("isal")
    else:
        monkeypatch.setattr(inflate, "fast_zlib", lambda: zlib)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("data", [LINES, LINES[:-1], b"", b"a\n", b"a"], ids=["long", "no end", "empty", "one", "cut"])
def test_what_comes_out_is_what_went_in(tmp_path, kind, data, inflater, monkeypatch):
    monkeypatch.setattr(inflate, "COMPRESSED", 100_000)
    monkeypatch.setattr(inflate, "PLAIN", 100_000)
    monkeypatch.setattr(inflate, "_AT_ONCE", 50_000)
    path = tmp_path / "f"
    path.write_bytes(KINDS[kind](data))
    blocks = read(path)
    assert all(block.endswith(b"\n") for block in blocks)
    assert b"".join(blocks) == data + b"\n" * (data[-1:] not in (b"", b"\n"))
    if data is LINES:
        assert kind_of(path) == kind
        assert len(blocks) > 3


def test_members_and_padding(tmp_path):
    path = tmp_path / "f.gz"
    path.write_bytes(gzip.compress(b"a\nb") + gzip.compress(b"") + gzip.compress(b"c\n") + b"\0" * 600)
    assert b"".join(read(path)) == b"a\nbc\n"


@pytest.mark.parametrize("kind", ["gzip", "bgzip", "zstd"])
@pytest.mark.parametrize("cut", [40, 5000, -9])
def test_files_that_end_early(tmp_path, kind, cut, inflater):
    path = tmp_path / "cut.gz"
    whole = KINDS[kind](LINES).removesuffix(inflate._END_OF_BGZF)
    path.write_bytes(whole[:cut])
    with pytest.raises(DamagedFileError, match=r"cut\.gz.*end early"):
        read(path)


@pytest.mark.parametrize("kind", ["gzip", "bgzip"])
def test_files_with_a_wrong_byte(tmp_path, kind, inflater):
    path = tmp_path / "f.gz"
    data = bytearray(KINDS[kind](LINES))
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(DamagedFileError, match="damaged"):
        read(path)


def test_an_end_that_lacks_is_told(tmp_path):
    path = tmp_path / "f.gz"
    path.write_bytes(bgzip(LINES, end=False))
    assert lacks_end(path)
    path.write_bytes(bgzip(LINES))
    assert not lacks_end(path)


def test_a_file_without_lines_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(inflate, "_LONGEST_LINE", 1000)
    monkeypatch.setattr(inflate, "PLAIN", 400)
    path = tmp_path / "f"
    path.write_bytes(b"x" * 5000)
    with pytest.raises(ValueError, match="no line end"):
        read(path)


def test_bgzip_followed_by_something_else(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(bgzip(LINES, end=False) + b"x" * 70_000)
    with pytest.raises(DamagedFileError, match="no block at byte"):
        read(path)


def test_first_lines(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"#a\n\nx\r\ny\nz\n")
    assert first_lines(path, 2) == ["x", "y"]
    path.write_bytes(b"")
    assert first_lines(path, 2) == []
