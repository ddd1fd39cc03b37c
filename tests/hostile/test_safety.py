"""What the source must not do: run text as code, unpickle, build shell lines, guess temporary names."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import sccase_kit

SOURCES = sorted(Path(sccase_kit.__file__).parent.rglob("*.py"))
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
FORBIDDEN_CALLS = {
    *("eval", "exec", "compile", "os.system", "os.popen", "tempfile.mktemp", "pd.read_pickle", "pd.eval"),
    *("yaml.load", "yaml.unsafe_load", "yaml.full_load", "subprocess.getoutput", "subprocess.getstatusoutput"),
}
RUNNERS = {"subprocess.run", "subprocess.Popen", "subprocess.call", "subprocess.check_call", "subprocess.check_output"}


def problems(source: str) -> list[str]:
    """Return what is forbidden in a piece of source, with its line."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            found += [f"{node.lineno}: import {n}" for n in names if n.split(".")[0] in FORBIDDEN_MODULES]
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        if name in FORBIDDEN_CALLS:
            found.append(f"{node.lineno}: {name}")
        if keywords.get("shell", "False") != "False":
            found.append(f"{node.lineno}: shell=True")
        if keywords.get("allow_pickle", "False") != "False":
            found.append(f"{node.lineno}: allow_pickle")
        if name in RUNNERS and node.args and isinstance(node.args[0], ast.JoinedStr | ast.Constant | ast.BinOp):
            found.append(f"{node.lineno}: a command that is one string")
        if name in {"h5py.File", "open"} and keywords.get("verify") == "False":
            found.append(f"{node.lineno}: unverified")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: "/".join(path.parts[-2:]))
def test_nothing_dangerous_is_called(path):
    assert problems(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "eval(text)",
        "os.system('ls ' + name)",
        "subprocess.run(f'ls {name}', check=True)",
        "subprocess.run(command, shell=True)",
        "np.load(path, allow_pickle=True)",
        "yaml.load(text)",
        "tempfile.mktemp()",
    ],
)
def test_the_check_finds_what_it_looks_for(source):
    assert len(problems(source)) == 1


def test_downloads_go_through_one_place_that_verifies_them():
    callers = {
        path.relative_to(Path(sccase_kit.__file__).parent).as_posix()
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"requests.get", "urllib.request.urlopen", "urlretrieve", "pooch.retrieve"}
    }
    assert callers == {"datasets/_load.py"}
