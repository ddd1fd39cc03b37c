"""The house rules for everything public: short positional lists, typed, documented in numpydoc's sections."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import re
import textwrap

import pytest

import sccase_kit as sk


def modules():
    """Return every module below the package whose path has no underscore and that says what is public."""
    names = [info.name for info in pkgutil.walk_packages(sk.__path__, "sccase_kit.") if "._" not in info.name]
    found = {name.removeprefix("sccase_kit."): importlib.import_module(name) for name in names}
    return {name: module for name, module in found.items() if hasattr(module, "__all__")}


MODULES = modules()
PACKAGES = sorted(MODULES)


def public():
    found = {"sccase_kit.read": sk.read}
    for package, module in MODULES.items():
        found |= {f"{package}.{name}": getattr(module, name) for name in module.__all__}
    return found


PUBLIC = public()
FUNCTIONS = {name: f for name, f in PUBLIC.items() if inspect.isfunction(f)}
CLASSES = {name: c for name, c in PUBLIC.items() if inspect.isclass(c)}
every_function = pytest.mark.parametrize("name", sorted(FUNCTIONS))


def parameters(function):
    return list(inspect.signature(function).parameters.values())


def sections(text):
    """Return section → lines of a numpydoc docstring; the summary is under ''."""
    lines = inspect.cleandoc(text or "").splitlines()
    found, current = {"": []}, ""
    for i, line in enumerate(lines):
        if i + 1 < len(lines) and re.fullmatch(r"-{3,}", lines[i + 1].strip()):
            current = line.strip()
            found[current] = []
        elif not (i and re.fullmatch(r"-{3,}", line.strip())):
            found[current].append(line)
    return found


#: numpydoc's sections, in numpydoc's order.
ORDER = [
    *["", "Parameters", "Attributes", "Returns", "Yields", "Raises", "Warns", "Warnings"],
    *["See Also", "Notes", "References", "Examples"],
]


def documented_parameters(text):
    lines = sections(text).get("Parameters", [])
    heads = [line for line in lines if line and not line[0].isspace()]
    return [part.strip().lstrip("*") for head in heads for part in head.split(":")[0].split(",")]


def test_every_package_says_what_is_public():
    assert {
        "datasets",
        "enhance",
        "get",
        "io",
        "metrics",
        "motifs",
        "peaks",
        "paper",
        "pl",
        "pp",
        "r",
        "regions",
        "tl",
    } <= {*PACKAGES}
    assert {name for name in sk.__all__ if inspect.ismodule(getattr(sk, name))} == {*PACKAGES}


@pytest.mark.parametrize("package", PACKAGES)
def test_all_is_sorted_and_complete(package):
    module = MODULES[package]
    assert list(module.__all__) == sorted(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)
    assert module.__doc__


@every_function
def test_at_most_three_positional_parameters(name):
    positional = [p.name for p in parameters(FUNCTIONS[name]) if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    assert len(positional) <= 3, positional


@every_function
def test_no_positional_booleans(name):
    for parameter in parameters(FUNCTIONS[name]):
        if parameter.kind is not parameter.KEYWORD_ONLY:
            assert not isinstance(parameter.default, bool), parameter.name
            assert parameter.annotation not in ("bool", bool), parameter.name


@every_function
def test_everything_is_typed(name):
    signature = inspect.signature(FUNCTIONS[name])
    untyped = [p.name for p in signature.parameters.values() if p.annotation is p.empty]
    assert not untyped
    assert signature.return_annotation is not signature.empty


@every_function
def test_every_parameter_is_documented_once(name):
    function = FUNCTIONS[name]
    names = [p.name for p in parameters(function)]
    if names:
        assert sorted(documented_parameters(function.__doc__)) == sorted(names)


@every_function
def test_what_is_returned_is_documented(name):
    function = FUNCTIONS[name]
    if inspect.signature(function).return_annotation not in (None, "None"):
        assert {"Returns", "Yields"} & set(sections(function.__doc__))


@pytest.mark.parametrize("name", sorted(FUNCTIONS | CLASSES))
def test_sections_are_numpydoc_in_its_order(name):
    found = [*sections(PUBLIC[name].__doc__)]
    assert {*found} <= {*ORDER}
    assert found == sorted(found, key=ORDER.index)
    assert all("".join(lines).strip() for lines in sections(PUBLIC[name].__doc__).values())


@pytest.mark.parametrize("name", sorted(n for n in FUNCTIONS if n.split(".")[0] in {"get", "pp", "tl"}))
def test_fronts_have_an_example_or_a_source(name):
    assert {"Examples", "References", "Notes"} & {*sections(FUNCTIONS[name].__doc__)}


@every_function
def test_summary_is_one_sentence(name):
    summary = inspect.cleandoc(FUNCTIONS[name].__doc__).split("\n\n")[0]
    assert summary.rstrip().endswith(".")


def raised(function):
    """Return the names of the errors that the function's own body raises."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    body = [node for node in tree.body[0].body if not isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    errors = [n.exc for part in body for n in ast.walk(part) if isinstance(n, ast.Raise) and n.exc is not None]
    names = [ast.unparse(e.func if isinstance(e, ast.Call) else e).split(".")[-1] for e in errors]
    return {name for name in names if name[0].isupper()}


@every_function
def test_errors_raised_are_documented(name):
    function = FUNCTIONS[name]
    text = "\n".join(sections(function.__doc__).get("Raises", []))
    assert not {error for error in raised(function) if error not in text}


@pytest.mark.parametrize("name", sorted(n for n in FUNCTIONS if n.split(".")[0] in {"tl", "pp"}))
def test_copy_is_keyword_only_and_returns_none_or_a_copy(name):
    signature = inspect.signature(FUNCTIONS[name])
    if "AnnData | None" in str(signature.return_annotation):
        assert "copy" in signature.parameters
    if "adata" in signature.parameters and signature.return_annotation in (None, "None"):
        pytest.fail("changes adata and offers no copy")
    if "copy" in signature.parameters:
        copy = signature.parameters["copy"]
        assert copy.kind is copy.KEYWORD_ONLY
        assert copy.default is False
        assert str(signature.return_annotation) == "AnnData | None"


@pytest.mark.parametrize("name", sorted(n for n in FUNCTIONS if n.startswith("pl.")))
def test_plots_take_axes(name):
    ax = inspect.signature(FUNCTIONS[name]).parameters["ax"]
    assert ax.kind is ax.KEYWORD_ONLY
    assert ax.default is None


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_classes_are_documented(name):
    assert inspect.cleandoc(CLASSES[name].__doc__ or "").split("\n")[0].endswith(".")
    for attribute, method in vars(CLASSES[name]).items():
        if inspect.isfunction(method) and not attribute.startswith("_"):
            positional = [p for p in parameters(method) if p.kind is p.POSITIONAL_OR_KEYWORD]
            assert method.__doc__, attribute
            assert len(positional) <= 4, attribute  # self and three
            assert not [p.name for p in positional if isinstance(p.default, bool) or p.annotation in ("bool", bool)]


@pytest.mark.parametrize("name", sorted(n for n, c in CLASSES.items() if dataclasses.is_dataclass(c)))
def test_every_field_is_documented(name):
    text = CLASSES[name].__doc__
    listed = [line for line in sections(text).get("Attributes", []) if line and not line[0].isspace()]
    names = [part.strip() for line in listed for part in line.split(":")[0].split(",")]
    fields = {field.name for field in dataclasses.fields(CLASSES[name]) if not field.name.startswith("_")}
    assert fields <= {*names}, fields - {*names}


def test_no_parameter_has_a_mutable_default():
    bad = [
        f"{name}({p.name})"
        for name, function in FUNCTIONS.items()
        for p in parameters(function)
        if isinstance(p.default, (list, dict, set))
    ]
    assert not bad


def test_one_spelling_for_one_idea():
    banned = {"seed", "random_state", "inplace", "return_copy", "groupBy", "verbose", "n_jobs"}
    used = {f"{n}({p.name})" for n, f in FUNCTIONS.items() for p in parameters(f) if p.name in banned}
    # These two hand a seed to R's own generator, and R's workers, whose draws rng= cannot give.
    assert used == {"motifs.sample_background_peaks(seed)", "r.chromvar(seed)", "r.chromvar(n_jobs)"}
