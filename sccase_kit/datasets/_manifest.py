"""The manifest of data sets and resources: found, read and checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Any

from .._validate import check_key

READERS = (
    *("10x_h5", "concat", "fragments_archive", "geo_triplets", "merged_peaks", "mouse_atlas", "paper_simulation"),
    "snap",
)
"""How files become an AnnData; see ``_readers``."""

_FILE_NAME = "data_manifest.yaml"
_COMMON = {"title", "page", "accession", "licence", "genome", "files", "note"}
_ALLOWED = {"datasets": _COMMON | {"cells", "peaks", "reader", "options", "prepared"}, "resources": _COMMON}
_REQUIRED = {"datasets": {"title", "page", "reader", "files"}, "resources": {"title", "page", "files"}}


@dataclass(frozen=True, slots=True)
class File:
    """One file of an entry."""

    path: str
    """inside a data folder, with forward slashes"""
    url: str | None
    size: int | None
    """bytes"""
    sha256: str | None
    optional: bool = False
    """read where it lies, and not missed where it does not"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One data set or resource."""

    name: str
    kind: str
    """"dataset" or "resource\""""
    title: str
    page: str
    accession: str | None = None
    licence: str | None = None
    genome: str | None = None
    cells: int | None = None
    peaks: int | None = None
    reader: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    prepared: File | None = None
    """a ready .h5ad (data sets only)"""
    files: dict[str, File] = field(default_factory=dict)
    note: str | None = None


def manifest_path() -> Path:
    """Return the manifest that was installed with the package, or that of a source checkout."""
    installed = files("sccase_kit.datasets") / _FILE_NAME
    if installed.is_file():
        return Path(str(installed))
    checkout = Path(__file__).resolve().parents[2] / _FILE_NAME
    if checkout.is_file():
        return checkout
    msg = f"{_FILE_NAME} is neither in the installed package nor at {checkout}; reinstall sccase_kit"
    raise FileNotFoundError(msg)


@cache
def manifest() -> dict[str, Entry]:
    """Return the package's manifest by name."""
    return read_manifest(manifest_path())


def find_entry(name: str, *, kind: str | None = None) -> Entry:
    """Return an entry of the manifest; raise KeyError listing the names (of `kind`)."""
    entries = {n: e for n, e in manifest().items() if kind is None or e.kind == kind}
    hint = "sccase_kit.datasets.available() describes them."
    if kind == "dataset" and name in manifest():
        hint = "It is a resource: use sccase_kit.datasets.fetch()."
    return entries[check_key(name, entries, name="name", where="the manifest", hint=hint)]


def read_manifest(path: str | Path) -> dict[str, Entry]:
    """Read and check a manifest.

    Raises
    ------
    ValueError
        If it is no YAML or an entry breaks the rules; the message names the entry.
    """
    import yaml

    try:
        raw = yaml.safe_load(Path(path).read_text(encoding="utf-8-sig"))
        return _read_entries(raw)
    except (yaml.YAMLError, ValueError) as err:
        msg = f"{path}: {'not valid YAML: ' if isinstance(err, yaml.YAMLError) else ''}{str(err)[:1000]}"
        raise ValueError(msg) from err


def _read_entries(raw: Any) -> dict[str, Entry]:
    found = raw.get("version") if isinstance(raw, dict) else None
    if found != 1:
        msg = f"the manifest must be a mapping with version: 1, got version {found!r}"
        raise ValueError(msg)
    entries: dict[str, Entry] = {}
    for section in ("datasets", "resources"):
        bodies = raw.get(section) or {}
        if not isinstance(bodies, dict) or not all(isinstance(name, str) for name in bodies):
            msg = f"{section} must map names to entries, got {bodies!r:.80}"
            raise ValueError(msg)
        for name, body in bodies.items():
            if name in entries:
                msg = f"{name!r} stands under both datasets and resources"
                raise ValueError(msg)
            entries[name] = _read_entry(name, body, section)
    for entry in entries.values():
        for part in entry.options.get("parts", []) if entry.reader in ("concat", "merged_peaks") else []:
            if part not in entries or entries[part].kind != "dataset":
                _refuse(entry.name, f"options.parts names {part!r}, which is no data set of the manifest")
    return entries


def _refuse(name: str, problem: str) -> None:
    msg = f"manifest entry {name!r}: {problem}"
    raise ValueError(msg)


def _read_entry(name: str, body: Any, section: str) -> Entry:
    if not isinstance(body, dict):
        _refuse(name, f"must be a mapping, got {type(body).__name__}")
    if unknown := sorted(set(body) - _ALLOWED[section]):
        _refuse(name, f"unknown fields {unknown}; allowed: {sorted(_ALLOWED[section])}")
    if missing := sorted(_REQUIRED[section] - set(body)):
        _refuse(name, f"fields {missing} are missing")
    for key in ("title", "page", "accession", "licence", "genome", "note", "reader"):
        value = body.get(key)
        if not isinstance(value, str) and not (value is None and key not in ("title", "page")):
            _refuse(name, f"{key} must be text, got {value!r}")
    for key in ("cells", "peaks"):
        _check_count(name, key, body.get(key))
    if body.get("reader") is not None and body["reader"] not in READERS:
        _refuse(name, f"reader must be null or one of {list(READERS)}, got {body['reader']!r}")
    options = body.get("options") or {}
    for key, value in {"options": options, "files": body["files"]}.items():
        if not isinstance(value, dict):
            _refuse(name, f"{key} must be a mapping, got {value!r}")
    prepared = body.get("prepared")
    return Entry(
        name=name,
        kind=section.removesuffix("s"),
        options=options,
        prepared=None if prepared is None else _read_file(name, "prepared", prepared),
        files={key: _read_file(name, f"files.{key}", value) for key, value in body["files"].items()},
        **{k: v for k, v in body.items() if k not in ("options", "prepared", "files")},
    )


def _read_file(name: str, where: str, body: Any) -> File:
    if not isinstance(body, dict) or not isinstance(body.get("file"), str):
        _refuse(name, f"{where} must be a mapping with a file, got {body!r}")
    if unknown := sorted(set(body) - {"file", "url", "size", "sha256", "optional"}):
        _refuse(name, f"{where} has unknown fields {unknown}; allowed: ['file', 'optional', 'sha256', 'size', 'url']")
    path = PurePosixPath(body["file"])
    if path.is_absolute() or ".." in path.parts or "\\" in body["file"] or not path.parts:
        _refuse(name, f"{where}.file must be a path inside the data folder, got {body['file']!r}")
    url = body.get("url")
    if url is not None and not (isinstance(url, str) and url.startswith(("https://", "http://"))):
        _refuse(name, f"{where}.url must be null or start with https:// or http://, got {url!r}")
    _check_count(name, f"{where}.size", body.get("size"))
    digest = body.get("sha256")
    if digest is not None and not (
        isinstance(digest, str) and len(digest) == 64 and set(digest) <= set("0123456789abcdef")
    ):
        _refuse(name, f"{where}.sha256 must be null or 64 hexadecimal digits, got {digest!r}")
    optional = body.get("optional", False)
    if not isinstance(optional, bool):
        _refuse(name, f"{where}.optional must be true or false, got {optional!r}")
    return File(path=str(path), url=url, size=body.get("size"), sha256=digest, optional=optional)


def _check_count(name: str, key: str, value: Any) -> None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        _refuse(name, f"{key} must be null or a whole number, got {value!r}")
