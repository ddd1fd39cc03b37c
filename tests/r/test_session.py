from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from sccase_kit import r

pytestmark = pytest.mark.r("rpy2")


def test_importing_the_package_does_not_start_r():
    code = "import sys, sccase_kit, sccase_kit.r; sys.exit('rpy2' in sys.modules)"
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False).returncode == 0


def test_value_of_last_statement():
    np.testing.assert_array_equal(r.evaluate("y <- x * 2; y + 1", x=np.arange(3.0)), [1, 3, 5])


def test_no_global_state_is_left_or_seen():
    r.evaluate("leftover <- 1")
    assert not r.evaluate("exists('leftover')")[0]
    assert r.evaluate("ls(globalenv())").tolist() == []


def test_packages_attached_by_the_code_are_seen():
    assert r.evaluate("library(splines); exists('bs')")[0]


def test_output_goes_to_logging(caplog):
    caplog.set_level(logging.INFO, logger="sccase_kit.r")
    r.evaluate("cat('printed\\n'); message('told'); warning('careful'); invisible(NULL)")
    levels = {record.getMessage(): record.levelname for record in caplog.records}
    assert levels["printed"] == levels["told"] == "INFO"
    assert levels["Warning: careful"] == "WARNING"


def test_output_is_shown_where_no_log_takes_it(capsys):
    r.evaluate("cat('printed\\n'); print(1:3); message('told'); warning('careful'); invisible(NULL)")
    out, err = capsys.readouterr()
    assert out == "printed\n[1] 1 2 3\n"
    assert err == "told\nWarning: careful\n"


LONG = {
    "a loop": "repeat {}",
    "a loop that prints": "repeat cat('')",
    "a loop in a function": "f <- function() repeat {}; lapply(1, function(k) f())",
    "a sleep": "Sys.sleep(60)",
    "code that catches it": "tryCatch(repeat {}, interrupt = function(e) 5)",
}


@pytest.mark.parametrize("what", LONG)
def test_ctrl_c_is_keyboard_interrupt(what):
    r.evaluate("1")
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    handler, start = signal.getsignal(signal.SIGINT), time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        r.evaluate(LONG[what])
    assert time.monotonic() - start < 20
    assert signal.getsignal(signal.SIGINT) is handler
    assert r.evaluate("1 + 1").tolist() == [2]  # and no interrupt is left over


def test_loops_are_compiled():
    r.evaluate("1")
    code = "s <- 0; for (i in 1:1000000) s <- s + i; s"
    assert r.evaluate(code)[0] == 500000500000
    loop, compiled = (min(_seconds(text) for _ in range(3)) for text in (code, f"f <- function() {{ {code} }}; f()"))
    assert loop < 4 * compiled  # not compiled, it is some 15 times slower


def _seconds(code: str) -> float:
    start = time.process_time()
    r.evaluate(code)
    return time.process_time() - start


def test_error_is_raised_with_rs_words():
    with pytest.raises(r.RError) as caught:
        r.evaluate("f <- function(y) g(y); g <- function(y) log(y); f('a')")
    error = caught.value
    assert error.message == "non-numeric argument to mathematical function"
    assert error.r_traceback == ('f("a")', "g(y)")
    assert "R version" in error.session_info
    assert "log(y)" in str(error)


def test_caught_errors_are_no_errors():
    assert r.evaluate("tryCatch(stop('inner'), error = function(e) conditionMessage(e))").tolist() == ["inner"]


def test_syntax_error():
    with pytest.raises(r.RError, match="unexpected end of input"):
        r.evaluate("1 +")


def test_traceback_of_large_arguments_stays_short():
    with pytest.raises(r.RError) as caught:
        r.evaluate("f <- function(x) stop('large'); f(x)", x=np.zeros(10**6))
    assert max(map(len, caught.value.r_traceback)) <= 200


def test_r_works_after_an_error_and_interrupts_stay_pythons():
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(r.RError):
        r.evaluate("stop('x')")
    assert r.evaluate("1 + 1").tolist() == [2]
    assert signal.getsignal(signal.SIGINT) is handler


def test_threads_convert_and_do_not_mix():
    results: dict[int, object] = {}

    def work(k: int) -> None:
        try:
            frame = r.evaluate("data.frame(a = x, b = as.character(x))", x=np.full(k, k))
            results[k] = (frame.a.tolist(), frame.b.tolist())
        except BaseException as err:  # noqa: BLE001 - shown by the assertion
            results[k] = err

    threads = [threading.Thread(target=work, args=(k,)) for k in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == {k: ([k] * k, [str(k)] * k) for k in range(1, 9)}


def test_first_use_in_a_thread():
    code = (
        "import threading, warnings; warnings.simplefilter('error'); from sccase_kit import r; out = []\n"
        "t = threading.Thread(target=lambda: out.append(r.evaluate('x + 1', x=[1.0])[0])); t.start(); t.join()\n"
        "assert out == [2.0], out; assert r.evaluate('2L')[0] == 2"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
