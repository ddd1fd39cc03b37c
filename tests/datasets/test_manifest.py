from __future__ import annotations

import copy
import hashlib

import pytest
import yaml

from sccase_kit.datasets import _manifest
from sccase_kit.datasets._manifest import READERS, find_entry, manifest, manifest_path, read_manifest

PAPER = [
    "simulated",
    "blood",
    "bm0828",
    "whole_brain_a",
    "whole_brain_b",
    "lung_a",
    "lung_b",
    "large_intestine",
    "spleen",
    "muto",
    "pbmc",
    "mixed_tissues",
    "mixed_protocols",
]
VALID = {
    "version": 1,
    "datasets": {
        "one": {
            "title": "One",
            "page": "https://example.org",
            "cells": 3,
            "reader": "10x_h5",
            "files": {"counts": {"file": "a/b.h5", "url": "https://example.org/b.h5", "size": 5, "sha256": "0" * 64}},
        }
    },
    "resources": {"two": {"title": "Two", "page": "https://example.org", "files": {}}},
}


def write(tmp_path, content):
    path = tmp_path / "m.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path


def test_the_paper_and_the_later_steps_are_covered():
    entries = manifest()
    assert list(entries)[:13] == PAPER
    assert [entries[n].accession for n in ("blood", "muto", "mixed_protocols")] == [
        "GSE96772",
        "GSE151302",
        "GSE126724",
    ]
    assert entries["whole_brain_a"].page == "https://atlas.gs.washington.edu/mouse-atac/data"
    wanted = {"jaspar2024", "snpsea_data", "hapmap3", "gwas_sumstats", "ldsc_plink", "ldsc_weights"}
    wanted |= {"ldsc_baseline_v1_2", "ldsc_baselineld_v2_2", "ldsc_frq", "ldsc_hm3_snplist", "hg19_to_hg38"}
    for genome in ("hg19", "hg38", "mm9", "mm10"):
        wanted |= {f"{genome}_fasta", f"great_genes_{genome}"}
    wanted |= {f"{genome}_blacklist" for genome in ("hg19", "hg38", "mm10")}
    assert wanted <= {name for name, entry in entries.items() if entry.kind == "resource"}


def test_entries_make_sense():
    for entry in manifest().values():
        assert entry.page.startswith("https://")
        assert entry.reader is None or entry.reader in READERS
        if entry.kind == "dataset" and entry.reader is None and entry.prepared is None:
            assert f"{entry.name}.h5ad" in entry.note
        for file in entry.files.values():
            assert file.url or file.sha256 or file.path in entry.note  # what the user makes is described


def test_checksums_of_the_files_at_hand(shared_data):
    checked = 0
    for entry in manifest().values():
        for file in [entry.prepared, *entry.files.values()]:
            if file is not None and (path := shared_data / file.path).is_file():
                assert path.stat().st_size == file.size
                assert hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256
                checked += 1
    assert checked >= 20


def test_found_in_the_source_checkout_and_preferred_where_installed(tmp_path, monkeypatch):
    assert manifest_path().name == "data_manifest.yaml"
    (tmp_path / "data_manifest.yaml").write_text("version: 1")
    monkeypatch.setattr(_manifest, "files", lambda package: tmp_path)
    assert manifest_path() == tmp_path / "data_manifest.yaml"
    (tmp_path / "data_manifest.yaml").unlink()
    monkeypatch.setattr(_manifest, "__file__", str(tmp_path / "a" / "b" / "c" / "_manifest.py"))
    with pytest.raises(FileNotFoundError, match="reinstall sccase_kit"):
        manifest_path()


def test_reading(tmp_path):
    entries = read_manifest(write(tmp_path, VALID))
    assert entries["one"].cells == 3
    assert entries["one"].licence is None
    assert entries["one"].files["counts"].path == "a/b.h5"
    assert entries["two"].kind == "resource"


def broken(path, value):
    """A copy of the valid manifest with `value` put at `path`, or the last key removed where it is None."""
    content = copy.deepcopy(VALID)
    place = content
    for key in path[:-1]:
        place = place[key]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return content


FILE = ("datasets", "one", "files", "counts")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("datasets", "one", "title"), None, r"entry 'one': fields \['title'\] are missing"),
        (("datasets", "one", "title"), 5, "entry 'one': title must be text, got 5"),
        (("datasets", "one", "colour"), "red", r"entry 'one': unknown fields \['colour'\]; allowed: .*'cells'"),
        (("datasets", "one"), "text", "entry 'one': must be a mapping, got str"),
        (("datasets", "one", "reader"), "csv", "entry 'one': reader must be null or one of .* got 'csv'"),
        (("datasets", "one", "cells"), "many", "entry 'one': cells must be null or a whole number, got 'many'"),
        (("datasets", "one", "cells"), True, "entry 'one': cells must be null or a whole number, got True"),
        (("datasets", "one", "options"), [1], "entry 'one': options must be a mapping"),
        (("datasets", "one", "files"), "a.h5", "entry 'one': files must be a mapping"),
        (("datasets", "one", "prepared"), {"size": 3}, "entry 'one': prepared must be a mapping with a file"),
        ((*FILE, "file"), "/etc/passwd", "files.counts.file must be a path inside the data folder"),
        ((*FILE, "file"), "../up.h5", "files.counts.file must be a path inside the data folder"),
        ((*FILE, "url"), "ftp://example.org/a", "files.counts.url must be null or start with https"),
        ((*FILE, "sha256"), "abc", "files.counts.sha256 must be null or 64 hexadecimal digits"),
        ((*FILE, "size"), -1, "files.counts.size must be null or a whole number"),
        ((*FILE, "md5"), "x", r"files.counts has unknown fields \['md5'\]"),
        (("resources", "two", "reader"), "10x_h5", r"entry 'two': unknown fields \['reader'\]"),
        (("resources", "one"), VALID["resources"]["two"], "'one' stands under both datasets and resources"),
        (("version",), 2, "must be a mapping with version: 1, got version 2"),
    ],
)
def test_broken_entries_are_named(tmp_path, path, value, message):
    with pytest.raises(ValueError, match=message):
        read_manifest(write(tmp_path, broken(path, value)))


def test_parts_must_exist(tmp_path):
    content = broken(("datasets", "one", "reader"), "concat")
    content["datasets"]["one"]["options"] = {"parts": ["one", "two"], "batch_key": "batch"}
    with pytest.raises(ValueError, match=r"entry 'one': options.parts names 'two', which is no data set"):
        read_manifest(write(tmp_path, content))


def test_no_yaml_and_nothing_unsafe(tmp_path):
    with pytest.raises(ValueError, match="not valid YAML"):
        read_manifest(write(tmp_path, "version: 1\n  datasets: ["))
    with pytest.raises(ValueError, match="not valid YAML"):
        read_manifest(write(tmp_path, "version: !!python/object/apply:os.getcwd []"))
    with pytest.raises(ValueError, match="got version None"):
        read_manifest(write(tmp_path, "just text"))


def test_unknown_names():
    with pytest.raises(KeyError, match=r"'lungs' is not in the manifest; available: .*available\(\) describes them"):
        find_entry("lungs")
    with pytest.raises(KeyError, match=r"It is a resource: use sccase_kit.datasets.fetch\(\)"):
        find_entry("hapmap3", kind="dataset")
