from __future__ import annotations

import logging

from sccase_kit.r._console import Console


def test_lines_become_records_with_levels(caplog):
    caplog.set_level(logging.DEBUG, logger="sccase_kit.r")
    console = Console()
    for piece in ("one\ntw", "o\n", "Warning: three\n", "\n", "four"):
        console.feed(piece)
    console.close()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "one"),
        ("INFO", "two"),
        ("WARNING", "Warning: three"),
        ("INFO", "four"),
    ]
    assert {record.name for record in caplog.records} == {"sccase_kit.r"}


def test_carriage_returns_count_and_repeats_are_dropped():
    seen = []
    console = Console(seen.append, keep=2)
    console.feed("\r 1% converged\r 1% converged\r 50% converged\r 100% converged\n")
    console.close()
    assert seen == [1, 50, 100]
    assert console.tail == [" 50% converged", " 100% converged"]


def test_percent_signs_never_break_formatting(caplog):
    caplog.set_level(logging.INFO, logger="sccase_kit.r")
    Console().feed("%s %d 5 %% of it\n")
    assert caplog.messages == ["%s %d 5 %% of it"]
