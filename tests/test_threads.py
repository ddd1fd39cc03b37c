"""Work that is shared out to threads."""

from __future__ import annotations

import threading

import pytest

import sccase_kit as sk
from sccase_kit._threads import in_threads


@pytest.mark.parametrize(("n_threads", "n_items"), [(1, 5), (3, 1), (3, 0)])
def test_one_thread_or_item_stays_here_and_in_order(n_threads, n_items):
    seen = []
    with sk.settings.override(n_threads=n_threads):
        in_threads(lambda item: seen.append((item, threading.get_ident())), range(n_items))
    assert seen == [(item, threading.get_ident()) for item in range(n_items)]


def test_several_items_are_worked_on_at_once():
    together = threading.Barrier(3, timeout=20)
    with sk.settings.override(n_threads=3):
        in_threads(lambda _item: together.wait(), range(3))


@pytest.mark.parametrize("n_threads", [1, 2])
def test_an_error_comes_back(n_threads):
    with sk.settings.override(n_threads=n_threads), pytest.raises(ZeroDivisionError):
        in_threads(lambda item: 1 / item, [1, 0, 2])
