"""The wheel and the source distribution: built, installed beside nothing of ours, and used."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

import sccase_kit

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sccase_kit"
NO_CODE = sorted(
    p.relative_to(PACKAGE).as_posix() for p in PACKAGE.rglob("*") if p.is_file() and "__pycache__" not in p.parts
)
USE = """
import json
import re
import sys

import sccase_kit as sk
from sccase_kit.gene_sets.resolve import as_gene_sets

adata = sk.datasets.simulate(60, 300)
sk.tl.enhance(adata, n_components=3, method="sccase")
sets = as_gene_sets("GO:BP", species="human")
print(json.dumps([sk.__file__, sk.__version__, len(sets), len(sk.datasets.available())]))
"""


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    built = subprocess.run(
        [sys.executable, "-m", "build", "--outdir", folder, ROOT], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


@pytest.mark.slow
def test_wheel_holds_every_file_of_the_package(distributions):
    names = set(zipfile.ZipFile(distributions[0]).namelist())
    assert {f"sccase_kit/{name}" for name in NO_CODE} <= names
    assert "sccase_kit/datasets/data_manifest.yaml" in names
    scripts = [p.relative_to(ROOT / "r_scripts").as_posix() for p in (ROOT / "r_scripts").rglob("*.R")]
    assert {f"sccase_kit/r/scripts/{name}" for name in scripts} <= names
    assert not [
        n for n in names if not n.startswith(("sccase_kit/", f"sccase_kit-{sccase_kit.__version__}.dist-info/"))
    ]


@pytest.mark.slow
def test_source_distribution_holds_tests_notebooks_and_licence(distributions):
    names = {name.split("/", 1)[-1] for name in tarfile.open(distributions[1]).getnames()}
    wanted = {"pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "data_manifest.yaml", "tests/test_release.py"}
    assert wanted <= names
    assert {f"notebooks/{p.name}" for p in (ROOT / "notebooks").glob("*.ipynb")} <= names


@pytest.mark.slow
def test_wheel_works_where_nothing_of_ours_is(distributions, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "v"], check=True)
    python = tmp_path / "v" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", distributions[0]], check=True)
    site = next((tmp_path / "v").glob("lib/python*/site-packages"))
    # what it depends on is taken from here; files of editable installs there are not followed
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    out = subprocess.run([python, "-c", USE], capture_output=True, text=True, check=False, cwd=tmp_path, env=clean)
    assert out.returncode == 0, out.stderr[-2000:]
    where, version, n_sets, n_data = json.loads(out.stdout.splitlines()[-1])
    assert Path(where).is_relative_to(tmp_path)
    assert version == sccase_kit.__version__
    assert n_sets > 1000
    assert n_data >= 1
    said = subprocess.run(
        [tmp_path / "v" / "bin" / "sccase-kit", "--version"], capture_output=True, text=True, check=True, env=clean
    )
    assert sccase_kit.__version__ in said.stdout


#: What conda-forge calls packages that have another name on PyPI (or a part without what is not needed).
CONDA = {"igraph": "python-igraph", "matplotlib": "matplotlib-base", "seaborn": "seaborn-base"}


def test_conda_recipe_says_what_the_project_says():
    """The same version, dependencies with their lowest versions, commands, licence; in the format that was rendered."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    recipe = yaml.safe_load((ROOT / "conda" / "recipe.yaml").read_text(encoding="utf-8"))
    about = project["project"]
    assert recipe["schema_version"] == 1
    assert recipe["context"]["version"] == about["version"]
    assert recipe["package"] == {"name": about["name"], "version": "${{ version }}"}
    wanted = {"python" + about["requires-python"], *about["dependencies"]}
    parts = [re.fullmatch(r"([\w-]+)(.*)", text).groups() for text in wanted]
    run = recipe["requirements"]["run"]
    assert sorted(run) == sorted(f"{CONDA.get(name, name)} {version}".strip() for name, version in parts)
    (backend,) = project["build-system"]["requires"]
    assert set(recipe["requirements"]["host"]) == {run[0], "pip", backend.replace(">=", " >=")}
    commands = [f"{name} = {target}" for name, target in about["scripts"].items()]
    assert recipe["build"]["python"]["entry_points"] == commands
    assert recipe["build"]["noarch"] == "python"
    assert recipe["about"]["license"] == about["license"]
    assert recipe["about"]["summary"] == about["description"]
    assert (ROOT / recipe["about"]["license_file"]).is_file()
    assert (ROOT / "conda" / recipe["source"]["path"] / "pyproject.toml").is_file()
