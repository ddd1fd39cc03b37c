"""What a start of R leaves in the environment of other programs."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.r

CODE = """
import os, subprocess, sys
before = os.environ.get("LD_LIBRARY_PATH")
import sccase_kit as sk
assert sk.r.evaluate("1 + 1") == 2
assert os.environ.get("LD_LIBRARY_PATH") == before
subprocess.run([sys.executable, "-c", "import ssl"], check=True)
print("as before")
"""


@pytest.mark.parametrize("libraries", [None, "/a/place/of/the/user"])
def test_other_programs_find_the_libraries_they_found_before(libraries):
    pytest.importorskip("rpy2.rinterface_lib")
    env = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    if libraries is not None:
        env["LD_LIBRARY_PATH"] = libraries
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", CODE], env=env, capture_output=True, text=True)
    assert done.stdout.endswith("as before\n"), done.stderr
