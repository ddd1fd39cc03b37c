from __future__ import annotations

import functools
import hashlib
import socket
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import sccase_kit as sk
from sccase_kit.datasets import _load, _manifest
from sccase_kit.datasets._manifest import Entry, File

CONTENT = b"what the server holds\n" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    """An empty cache of one's own, and no data folder."""
    monkeypatch.setattr(_load, "_cache", lambda: tmp_path / "cache")
    monkeypatch.delenv("SCCASE_KIT_DATA", raising=False)


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path != "/cut.bin":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(2 * len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT)
        self.close_connection = True


@pytest.fixture
def server(tmp_path):
    root = tmp_path / "server"
    root.mkdir()
    (root / "data.bin").write_bytes(CONTENT)
    http = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=root))
    http.asked = []
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield http
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.fixture
def use(monkeypatch):
    """Put entries in place of the manifest."""

    def put(*entries):
        monkeypatch.setattr(_manifest, "manifest", lambda: {e.name: e for e in entries})
        monkeypatch.setattr(_load, "manifest", lambda: {e.name: e for e in entries})

    return put


def resource(server, *, path="sub/data.bin", name="data.bin", size=None, sha256=None, online=True):
    url = f"http://127.0.0.1:{server.server_address[1]}/{name}" if online else None
    return Entry("thing", "resource", "A thing", "https://example.org", files={"f": File(path, url, size, sha256)})


def leftovers(folder):
    return sorted(p.name for p in folder.rglob("*") if p.is_file()) if folder.exists() else []


# ---- downloads


def test_download_is_verified_kept_and_not_repeated(server, use, tmp_path):
    use(resource(server, size=len(CONTENT), sha256=DIGEST))
    paths = sk.datasets.fetch("thing")
    assert paths == {"f": tmp_path / "cache" / "sub" / "data.bin"}
    assert paths["f"].read_bytes() == CONTENT
    assert sk.datasets.fetch("thing") == paths
    assert server.asked == ["/data.bin"]
    assert leftovers(tmp_path / "cache") == ["data.bin"]


def test_download_goes_to_data_dir(server, use, tmp_path):
    use(resource(server))
    path = sk.datasets.fetch("thing", data_dir=str(tmp_path / "mine"))["f"]
    assert path == tmp_path / "mine" / "sub" / "data.bin"
    assert not (tmp_path / "cache").exists()


def test_a_download_without_a_known_checksum_is_verified_later(server, use, tmp_path):
    use(resource(server))
    path = sk.datasets.fetch("thing")["f"]
    note = path.with_name("data.bin.sha256")
    assert note.read_text() == f"{DIGEST}\n"
    assert sk.datasets.fetch("thing") == {"f": path}
    path.write_bytes(CONTENT[:-1] + b"?")
    with pytest.raises(ValueError, match=r"does not match data\.bin\.sha256, of its download: .*expected.*Remove it"):
        sk.datasets.fetch("thing")
    path.unlink()
    assert sk.datasets.fetch("thing") == {"f": path}  # got again
    assert server.asked == ["/data.bin"] * 2


@pytest.mark.parametrize("wrong", [{"sha256": "0" * 64}, {"size": 3}, {"size": len(CONTENT), "sha256": "0" * 64}])
def test_a_wrong_download_is_not_kept(server, use, tmp_path, wrong):
    use(resource(server, **wrong))
    with pytest.raises(ValueError, match=r"data.bin does not match the manifest and was not kept: "):
        sk.datasets.fetch("thing")
    assert leftovers(tmp_path / "cache") == []


def test_progress_bar_follows_the_download(server, use, capsys):
    use(resource(server, size=len(CONTENT), sha256=DIGEST))
    with sk.settings.override(progress=True):
        sk.datasets.fetch("thing")
    assert "data.bin" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["absent.bin", "cut.bin"])
def test_a_failed_download_says_what_to_do(server, use, tmp_path, name):
    use(resource(server, name=name))
    with pytest.raises(sk.datasets.DataNotFoundError) as caught:
        sk.datasets.fetch("thing")
    message = str(caught.value)
    assert f"Download http://127.0.0.1:{server.server_address[1]}/{name}" in message
    assert str(tmp_path / "cache" / "sub" / "data.bin") in message
    assert "SCCASE_KIT_DATA" in message
    assert "The download failed" in message
    assert isinstance(caught.value, FileNotFoundError)
    assert leftovers(tmp_path / "cache") == []


def test_offline(server, use, tmp_path):
    use(resource(server))
    with socket.socket() as free:  # a port that nobody listens at
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/data.bin"
        use(Entry("thing", "resource", "A thing", "p", files={"f": File("data.bin", url, None, None)}))
        with pytest.raises(sk.datasets.DataNotFoundError, match=rf"Download {url} and save it as .* refused"):
            sk.datasets.fetch("thing")
    with pytest.raises(sk.datasets.DataNotFoundError, match="save it as"):
        sk.datasets.fetch("thing", download=False)


def test_nothing_to_download_from(server, use):
    use(resource(server, online=False))
    with pytest.raises(sk.datasets.DataNotFoundError, match=r"Get it from https://example\.org and save it as"):
        sk.datasets.fetch("thing")
    assert server.asked == []


# ---- files already on disk


def test_files_on_disk_are_used_in_order(server, use, tmp_path, monkeypatch):
    use(resource(server, sha256=DIGEST))
    monkeypatch.setenv("SCCASE_KIT_DATA", str(tmp_path / "env"))
    for folder in ("cache", "env", "mine"):
        path = tmp_path / folder / "sub" / "data.bin"
        path.parent.mkdir(parents=True)
        path.write_bytes(CONTENT)
        given = {"data_dir": tmp_path / "mine"} if folder == "mine" else {}
        assert sk.datasets.fetch("thing", **given) == {"f": path}
    assert server.asked == []


def test_a_changed_file_on_disk_is_refused(server, use, tmp_path):
    use(resource(server, sha256=DIGEST))
    path = tmp_path / "mine" / "sub" / "data.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT + b"!")
    with pytest.raises(ValueError, match=r"\(thing\) does not match the manifest: 22001 bytes .* Remove it"):
        sk.datasets.fetch("thing", data_dir=tmp_path / "mine")
    assert path.read_bytes() == CONTENT + b"!"


# ---- data sets


def small(n=4):
    var = pd.DataFrame({"chrom": "chr1", "start": np.arange(3) * 100, "end": np.arange(3) * 100 + 50})
    var.index = [f"chr1:{s}-{e}" for s, e in zip(var["start"], var["end"], strict=True)]
    counts = sparse.csr_matrix(np.arange(3 * n).reshape(n, 3), dtype=np.int32)
    return ad.AnnData(counts, obs=pd.DataFrame(index=[f"c{i}" for i in range(n)]), var=var)


def test_a_prepared_file_is_loaded_with_its_source(use, tmp_path):
    small().write_h5ad(tmp_path / "ready.h5ad")
    digest = hashlib.sha256((tmp_path / "ready.h5ad").read_bytes()).hexdigest()
    ready = File("ready.h5ad", None, None, digest)
    use(Entry("set", "dataset", "A set", "https://example.org", accession="GSE1", prepared=ready))
    adata = sk.datasets.load("set", data_dir=tmp_path)
    assert (adata.X != small().X).nnz == 0
    assert adata.uns["dataset"] == {
        "name": "set",
        "title": "A set",
        "page": "https://example.org",
        "accession": "GSE1",
    }
    adata.write_h5ad(tmp_path / "again.h5ad")


def test_a_file_named_after_the_set_is_loaded(use, tmp_path, monkeypatch):
    use(Entry("set", "dataset", "A set", "https://example.org", note="Make it, save it as set.h5ad."))
    with pytest.raises(sk.datasets.DataNotFoundError, match=r"'set.h5ad' was not found in .*Make it, save it as"):
        sk.datasets.load("set")
    small().write_h5ad(tmp_path / "set.h5ad")
    monkeypatch.setenv("SCCASE_KIT_DATA", str(tmp_path))
    assert sk.datasets.load("set").shape == (4, 3)


def test_the_ready_file_of_a_set_is_fetched_or_missed(use, tmp_path):
    use(Entry("set", "dataset", "A set", "https://example.org", note="Make it, save it as set.h5ad."))
    with pytest.raises(sk.datasets.DataNotFoundError, match=r"'set.h5ad' was not found in .*Make it, save it as"):
        sk.datasets.fetch("set", data_dir=tmp_path)
    small().write_h5ad(tmp_path / "set.h5ad")
    assert sk.datasets.fetch("set", data_dir=tmp_path) == {"h5ad": tmp_path / "set.h5ad"}


def test_the_files_of_a_set_of_parts_are_those_of_its_parts(use, tmp_path):
    files = {"counts": File("a.txt", None, None, None)}
    part = Entry("a", "dataset", "a", "https://example.org", reader="10x_h5", files=files)
    ready = Entry("b", "dataset", "b", "https://example.org")
    options = {"parts": ["a", "b"]}
    use(part, ready, Entry("both", "dataset", "Both", "https://example.org", reader="concat", options=options))
    (tmp_path / "a.txt").write_text("counts")
    with pytest.raises(sk.datasets.DataNotFoundError, match=r"'b.h5ad' was not found"):
        sk.datasets.fetch("both", data_dir=tmp_path)
    small().write_h5ad(tmp_path / "b.h5ad")
    found = sk.datasets.fetch("both", data_dir=tmp_path)
    assert found == {"a/counts": tmp_path / "a.txt", "b/h5ad": tmp_path / "b.h5ad"}


def test_parts_are_loaded_and_stacked(use, tmp_path):
    for name in ("a", "b"):
        small(4 if name == "a" else 2).write_h5ad(tmp_path / f"{name}.h5ad")
    parts = [Entry(name, "dataset", name, "https://example.org") for name in ("a", "b")]
    options = {"parts": ["a", "b"], "batch_key": "batch"}
    use(*parts, Entry("both", "dataset", "Both", "https://example.org", reader="concat", options=options))
    both = sk.datasets.load("both", data_dir=tmp_path)
    assert both.obs["batch"].tolist() == ["a"] * 4 + ["b"] * 2
    assert both.obs_names.tolist()[:1] == ["c0-a"]
    pd.testing.assert_frame_equal(both.var.astype({"chrom": str}), small().var)
    assert sk.datasets.available(data_dir=tmp_path)["on_disk"].all()
    assert not sk.datasets.available()["on_disk"].any()


def test_the_simulated_set_needs_no_file():
    adata = sk.datasets.load("simulated", download=False)
    assert adata.shape == (2500, 15_000)
    assert adata.uns["dataset"]["name"] == "simulated"


def test_real_sets_at_hand(shared_data, monkeypatch):
    monkeypatch.setenv("SCCASE_KIT_DATA", str(shared_data))
    bm0828 = sk.datasets.load("bm0828", download=False)
    assert bm0828.shape == (533, 35_983)
    assert bm0828.uns["dataset"]["genome"] == "hg19"
    table = sk.datasets.available()
    at_hand = table.index[table["on_disk"] & (table["kind"] == "dataset")]
    assert {"bm0828", "bm0828_full", "granja_bmmc", "granja_bmmc_2k", "scabc_bj_tf1", "chromvar50"} <= set(at_hand)
    for name in ("scabc_bj_tf1", "chromvar50", "granja_bmmc_2k"):
        adata = sk.datasets.load(name, download=False)
        assert adata.shape == tuple(table.loc[name, ["cells", "peaks"]])
    assert len(sk.datasets.fetch("finemapped_blood_traits", download=False)) == 5


def test_table_of_what_there_is(tmp_path):
    table = sk.datasets.available()
    assert table.index.name == "name"
    assert set(table["kind"]) == {"dataset", "resource"}
    assert table.loc["bm0828", ["cells", "peaks"]].tolist() == [533, 35_983]
    assert pd.isna(table.loc["blood", "size"])
    assert table["on_disk"].tolist() == [name == "simulated" for name in table.index]
    table.to_csv(tmp_path / "t.csv")


def test_the_cache_is_the_users(monkeypatch):
    monkeypatch.undo()
    assert _load._cache().name == "sccase_kit"


def test_unknown_names():
    with pytest.raises(KeyError, match="'lungs' is not in the manifest"):
        sk.datasets.load("lungs")
    with pytest.raises(KeyError, match="It is a resource"):
        sk.datasets.load("hapmap3")
    with pytest.raises(KeyError, match="'lungs' is not in the manifest"):
        sk.datasets.fetch("lungs")
