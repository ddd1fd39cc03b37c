"""The calls that made the stored results."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

import sccase_kit

from .._calls import source_of, steps
from .._record import Record, records
from .._record_old import BEFORE, GIVEN
from .._rng import generator_code
from ..enhance import METHODS
from ..interpret.steps import CALLED

#: Functions in the order of a study, between two steps of preparation; others come after them, as they were called.
STUDY = [
    *["pp.tfidf", "tl.estimate_k", "tl.enhance", "tl.cluster", "tl.merge_clusters", "tl.specific_peaks"],
    *["tl.background_peaks", "tl.scabc", "tl.sister_groups"],
    *["tl.match_motifs", "tl.match_sites", "tl.chromvar"],
]
#: Functions that made the data themselves; the script names them, and starts from the file.
MAKERS = ("io.", "datasets.")
#: What the script says of where it starts, and of changes that are not recorded.
UNRECORDED = "read the counts before these steps of sk.pp; repeat here what else changed cells, peaks or counts"
NO_STEPS = "no step of sk.pp is recorded: repeat here what changed cells, peaks or counts"
BY_CHANCE = "rng: no number was given then, so the results differ by chance"


def parameter_table(uns: Mapping[str, Any]) -> pd.DataFrame:
    """Return where, function, parameter and value of every stored parameter, the steps of preparation first.

    Parameters that were None are not there; objects are "given". Parameters of other tools are shown as they are.
    """
    calls = [(f"step {number}", *step) for number, step in enumerate(steps(uns), start=1)]
    known = records(uns)
    for key, entry in uns.items():
        if key in known:
            calls.append((key, known[key].function, known[key].params | dict.fromkeys(known[key].objects, GIVEN)))
        elif isinstance(entry, Mapping) and isinstance(entry.get("params"), Mapping):
            calls.append((key, "", entry["params"]))
    rows = [(where, function, name, value) for where, function, params in calls for name, value in params.items()]
    return pd.DataFrame(rows, columns=["stored in", "function", "parameter", "value"]).astype({"value": object})


def code(
    uns: Mapping[str, Any],
    *,
    source: str | None = None,
    interpreted: Mapping[str, Any] | None = None,
    last: Sequence[str] = (),
) -> str:
    """Return a script of the calls that are stored: steps of preparation as they came, results in a study's order.

    It repeats the results from the counts that went into the first call.

    Parameters
    ----------
    uns
        `adata.uns`.
    source
        File that is read; None for that of the counts that is recorded, else "counts.h5ad".
    interpreted
        Arguments of :func:`sccase_kit.tl.interpret` as code, as its folder keeps them, or None.
    last
        Lines that follow, such as the call that writes the page.
    """
    counts, options = ("counts.h5ad", {}) if source_of(uns) is None else source_of(uns)  # type: ignore[misc]
    if source is not None and source != counts:
        counts, options = source, {}
    known, done = records(uns), steps(uns)
    order = {name: place for place, name in enumerate(STUDY)}
    makers = [key for key in known if known[key].function.startswith(MAKERS)]
    keys = sorted(known, key=lambda key: (order.get(known[key].function, len(order)), known[key].number))
    twice = {"tl.interpret"} if interpreted else set()  # said by the folder, in code
    keys = [key for key in keys if key not in makers and known[key].function not in twice]
    made_by = f"  # made by {' and '.join(_maker(known[key]) for key in makers)}" if makers else ""
    how = "".join(f", {name}={value!r}" for name, value in options.items())
    lines = ["import sccase_kit as sk", "", f"adata = sk.read({counts!r}{how}){made_by}"]
    lines.append(f"# {UNRECORDED if done else NO_STEPS}")
    made: set[str] = set()
    for number in range(len(done) + 1):
        for key in keys:
            if _steps_before(known[key], len(done)) == number:
                lines += recorded_call(key, known[key], made=made)
                made |= _made(key, known[key])
        for function, params in done[number : number + 1]:
            lines += call(function, "", params)
    if interpreted:
        lines.append(_interpret(interpreted))
    lines += last
    if any("np." in line for line in lines):
        lines.insert(0, "import numpy as np")
    if any("partial(" in line for line in lines):
        lines.insert(0, "from functools import partial\n")
    return "\n".join(lines)


def page_call(
    path: str,
    groupby: str | None,
    options: Mapping[str, Any],
    *,
    tables: Mapping[str, pd.DataFrame],
    command: str | None = None,
) -> list[str]:
    """Return the lines that write the page again: the call and, where there is one, the command of a shell.

    Parameters
    ----------
    path, groupby, options, tables
        Arguments of :func:`sccase_kit.report.write_report` as they were given; those at their defaults are left out.
    command
        The line of the shell.
    """
    defaults = inspect.signature(sccase_kit.report.write_report).parameters
    words = [repr(path), *([] if groupby is None else [repr(groupby)])]
    changed = {name: value for name, value in options.items() if not _same(value, defaults[name].default)}
    words += [f"{name}={value!r}" for name, value in changed.items()]
    own = [name for name, table in tables.items() if not isinstance(table.attrs.get(CALLED), dict)]
    words += ["tables=tables"] if tables else []
    note = f"  # in tables, give what was used then: {', '.join(own)}" if own else ""
    lines = [f"sk.report.write_report(adata, {', '.join(words)}){note}"]
    return lines + ([f"# from a shell: {command}"] if command else [])


def _interpret(call: Mapping[str, Any]) -> str:
    """Return the line that makes the folder of an interpretation again; what no code says must be given."""
    defaults = inspect.signature(sccase_kit.tl.interpret).parameters
    words, wanted = [], []
    for name, value in call.items():
        if name not in defaults or value == repr(defaults[name].default):
            continue
        if isinstance(value, Mapping):
            wanted += [option for option, text in value.items() if not isinstance(text, (str, Mapping))]
            options = ", ".join(f"{option!r}: {_text(option, text)}" for option, text in value.items())
            words.append(f"{name}={{{options}}}")
        elif defaults[name].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD:
            words.append(str(value))
        else:
            wanted += [] if isinstance(value, str) else [name]
            words.append(f"{name}={_text(name, value)}")
    note = f"  # give what was used then: {', '.join(wanted)}" if wanted else ""
    return f"tables = sk.tl.interpret(adata, {', '.join(words)}){note}"


def _text(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: {_text(key, text)}" for key, text in value.items()) + "}"
    return value if isinstance(value, str) else name


def _maker(found: Record) -> str:
    """Return the call that made the data themselves; what was given as an object is named."""
    given = [f"{name}={value!r}" for name, value in found.params.items()]
    return f"sk.{found.function}({', '.join([*given, *(f'{name}={name}' for name in found.objects)])})"


def _steps_before(found: Record, n_steps: int) -> int:
    before = found.results.get(BEFORE)
    return min(int(before), n_steps) if isinstance(before, (int, np.integer)) and before >= 0 else n_steps


def _made(key: str, found: Record) -> set[str]:
    """Return the keys of `varm` that a call writes and :func:`sccase_kit.tl.chromvar` may read."""
    if found.function in ("tl.match_motifs", "tl.match_sites"):
        return {key}
    if found.function != "tl.chromvar":
        return set()
    return {f"{key}_background"} | ({f"{key}_sets"} if "annotations" in found.objects else set())


def recorded_call(key: str, found: Record, *, made: Collection[str] = ()) -> list[str]:
    """Return the lines that repeat a recorded call, see :func:`call`."""
    spelled = found.results.get("spelled")
    spelled = {str(name): str(text) for name, text in spelled.items()} if isinstance(spelled, Mapping) else {}
    return call(found.function, key, found.params, objects=found.objects, made=made, spelled=spelled)


def call(
    function: str,
    key: str,
    params: Mapping[str, Any],
    *,
    objects: Collection[str] = (),
    made: Collection[str] = (),
    spelled: Mapping[str, str] | None = None,
) -> list[str]:
    """Return the lines that call `function` with what differs from its defaults.

    A comment names what must be given again.

    Parameters
    ----------
    function
        Such as "tl.enhance".
    key
        Its `key_added`.
    params
        Its arguments.
    objects
        Arguments that were objects.
    made
        Keys of `varm` that earlier lines write.
    spelled
        Code of arguments that were objects, where they can be said.
    """
    target = _target(function)
    if target is None:
        return [f"# sk.{function}: not in this version"]
    made_whole = function.startswith(MAKERS)  # takes no data
    parameters = dict(list(inspect.signature(target).parameters.items())[0 if made_whole else 1 :])
    if function == "tl.enhance":
        params = _as_arguments(params, parameters)
    given, wanted, notes, before = [], [], [], []
    for name, parameter in parameters.items():
        if name == "key_added":
            if key not in (parameter.default, params.get("method")):
                given.append(f"key_added={key!r}")
        elif name in objects and name in (spelled or {}):
            given.append(f"{name}={(spelled or {})[name]}")
        elif name in objects or (parameter.default is parameter.empty and name not in params):
            given.append(f"{name}={name}")
            wanted.append(name)
        elif name == "rng" and isinstance(params.get(name), str):
            lines, value = generator_code(params[name])
            before += lines
            given += [f"rng={value}"] if value else []
            notes += [] if value else [BY_CHANCE]
        elif name in params and not _same(params[name], parameter.default):
            given.append(f"{name}={params[name]!r}")
        if name in {"annotations", "background"} and function == "tl.chromvar":
            if isinstance(params.get(name), str) and params[name] not in made:
                notes.append(f"adata.varm[{params[name]!r}] must be there, as it was then")
    text = f"sk.{function}({', '.join([*([] if made_whole else ['adata']), *given])})"
    if "copy" not in parameters:  # it returns what it makes
        text = f"{'adata' if function.startswith('pp.') else key if key.isidentifier() else 'result'} = {text}"
    if wanted:
        notes.insert(0, f"give what was used then: {', '.join(wanted)}")
    return [*before, f"{text}  # {'; '.join(notes)}" if notes else text]


def _as_arguments(params: Mapping[str, Any], parameters: Mapping[str, inspect.Parameter]) -> dict[str, Any]:
    """Return the arguments of a fit, without options at their method's defaults; those of no argument go into it."""
    method = METHODS.get(params.get("method", ""))
    if method is None:
        return dict(params)
    defaults = method.defaults()
    changed = {name: value for name, value in params.items() if name not in defaults or value != defaults[name]}
    own = {name: changed.pop(name) for name in list(changed) if name in defaults and name not in parameters}
    if own:
        options = ", ".join(f"{name}={value!r}" for name, value in own.items())
        changed["method"] = _Code(f"sk.enhance.METHODS[{method.name!r}]({options})")
    return changed


class _Code(str):
    """Text that stands in a script as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _target(function: str) -> Callable[..., Any] | None:
    """Return a function of this package by its name, such as "tl.enhance", or None."""
    package, _, name = function.partition(".")
    return getattr(getattr(sccase_kit, package, None), name, None) if name else None


def _same(value: Any, default: Any) -> bool:
    if isinstance(default, range):
        return list(value) == list(default)
    return isinstance(value, bool) == isinstance(default, bool) and value == default
