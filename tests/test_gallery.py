"""The gallery shows every plot; its page and pictures are those that the script makes."""

import importlib.util
from pathlib import Path

import pytest

import sccase_kit as sk

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def gallery():
    spec = importlib.util.spec_from_file_location("gallery_of_the_docs", DOCS / "gallery.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_plot_is_in_the_gallery(gallery):
    assert set(gallery.DRAW) == set(sk.pl.__all__)


def test_pictures_are_there_and_small(gallery):
    sizes = {p.stem: p.stat().st_size for p in gallery.PICTURES.glob("*.png")}
    assert set(sizes) == set(gallery.DRAW)
    assert sum(sizes.values()) < 4_000_000


def test_page_is_the_one_the_script_writes(gallery):
    assert (DOCS / "gallery.md").read_text() == gallery.page()
