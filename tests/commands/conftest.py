"""A counts file, an enhanced file, and the command line called in this process."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import sccase_kit as sk
from sccase_kit.cli import main


@pytest.fixture(scope="session")
def study():
    return sk.datasets.toy_study(n_cells=120, n_peaks=600)


@pytest.fixture(scope="session")
def counts_file(study, tmp_path_factory):
    path = tmp_path_factory.mktemp("counts") / "counts.h5ad"
    study.adata.write_h5ad(path)
    return path


@pytest.fixture(scope="session")
def enhanced_file(study, tmp_path_factory):
    adata = study.adata.copy()
    sk.pp.filter_peaks(adata)
    sk.tl.enhance(adata, batch_key="batch")
    path = tmp_path_factory.mktemp("enhanced") / "enhanced.h5ad"
    adata.write_h5ad(path)
    return path


@pytest.fixture
def call(capsys):
    """Run a command here; return (exit code, stdout, stderr)."""

    def run(*argv):
        capsys.readouterr()
        code = main([str(a) for a in argv])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def call_json(call):
    """Run a command with ``--json`` and return what it prints, parsed; it must succeed."""

    def run(*argv):
        code, out, err = call(*argv, "--json")
        assert code == 0, err
        return json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))

    return run


@pytest.fixture
def shell():
    """Run ``python -m sccase_kit.cli`` in a process of its own."""

    def run(*argv, **kwargs):
        command = [sys.executable, "-m", "sccase_kit.cli", *map(str, argv)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **kwargs)

    return run
