"""Run the experiments of the paper on the data sets there are, each result kept as soon as it is there."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from .._arguments import checked
from .._atomic import check_folder, replacing
from .._logging import logger, warn
from .._progress import progress
from .._validate import check_int, check_key
from ..interpret.steps import run_step
from ..metrics.methods import Method, is_method
from .baselines import find_adapters, find_baselines
from .claims import ONCE, claim_table
from .cohorts import Cohort, drop_repeats, find_candidates, make_cohort
from .page import write_page
from .planted import PLANTED, STANDS_IN, planted_study
from .registry import Experiment, Finding, Tables, list_experiments
from .study import Study, standard_methods

#: Folder of the results inside the folder of the run, the page, and the table beside it.
RESULTS, PAGE, TABLE = "results", "paper.html", "paper.csv"
#: Tools whose arguments can be given.
TOOLS = ("great", "ldsc", "motifs", "snpsea")
_QUICK = {"max_cells": 250, "max_peaks": 2500}
_FULL = {"max_cells": 1000, "max_peaks": 40_000}


@dataclass(frozen=True)
class Reproduction:
    """What a run found.

    Attributes
    ----------
    folder
        Where it lies.
    page
        The page.
    claims
        One row per claim of the paper: claim, says, where, paper, ours, default, difference, unit, holds, state, data,
        note.
    missing
        What was not there or could not run, and why: what, why.
    tables
        Experiment → data set → table.
    """

    folder: Path
    page: Path
    claims: pd.DataFrame
    missing: pd.DataFrame
    tables: dict[str, dict[str, pd.DataFrame]] = field(default_factory=dict)


@checked()
def reproduce(
    *paths: str | os.PathLike[str],
    out: str | os.PathLike[str],
    quick: bool = False,
    only: Sequence[str] | None = None,
    groupby: str | None = None,
    methods: Mapping[str, Method] | None = None,
    tools: Mapping[str, Mapping[str, Any]] | None = None,
    max_cells: int | None = None,
    max_peaks: int | None = None,
    memory_cells: int | None = None,
    memory_peaks: int | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    download: bool = False,
    adapters: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
) -> Reproduction:
    """Run the experiments of the scCASE paper on the data there are, and write one page that compares the numbers.

    Data sets are the files given by path, those of the manifest that are on disk (``sk.datasets.available()``) and the
    simulated set. Each is cut to the paper's cohort (:func:`sccase_kit.pp.filter_groups`, peaks open in one percent of
    the cells). What is missing, and every claim that cannot be run, is named with the reason. Results are kept one by
    one: a run that was interrupted, or is repeated with more data, goes on with what is left. Experiments with tools
    that no data set had files for (GREAT, SNPsea, LDSC, motifs) run on a simulated study with planted answers.

    Parameters
    ----------
    paths
        Files in any format of :func:`sccase_kit.read`, or folders with such files. Of files that hold the same cells
        the smallest is taken.
    out
        Folder for the page (``paper.html``), the claims as a table (``paper.csv``) and the results.
    quick
        Small subsets and few seeds, for a first look: minutes.
    only
        Names of experiments; see ``sk.paper.list_experiments()``. None: all.
    groupby
        Column of `obs` with the cell types; None: the usual names.
    methods
        Further methods to compare with, beside MAGIC where it is installed: name → function of an AnnData or method of
        enhancement; see :func:`sccase_kit.metrics.dropout_experiment`. Results are made anew where their names change.
    tools
        Files for tools that need some: ``"great"``, ``"snpsea"``, ``"ldsc"``, ``"motifs"`` → arguments of
        :func:`sccase_kit.tl.great`, ``snpsea``, ``ldsc``, ``match_motifs``, such as
        ``{"motifs": {"genome_fasta": "hg19.fa"}}``.
    max_cells, max_peaks
        Above these a random subset of the cells of every type, and the peaks open in most cells, are taken. None: 1,000
        and 40,000 (250 and 2,500 with `quick`).
    memory_cells
        Cells of the smaller simulated set of the experiment "resources", which also takes one with five times as many.
        None: 2,000 (100 with `quick`). The paper's claim is judged from 20,000 on, which takes minutes and gigabytes.
    memory_peaks
        Peaks of both. None: 20,000 (2,000 with `quick`).
    data_dir
        Folder with files of the manifest.
    download
        Download the sets of the manifest that are not on disk (gigabytes).
    adapters
        Folder ``benchmarks/adapters`` of the repository: the programs of others that are installed there (scOpen,
        SCALE, scBFA, PeakVI ...) are compared too, asked for 30 components where they take a number.
    overwrite
        Make every result anew.

    Returns
    -------
    :class:`Reproduction`

    Raises
    ------
    FileNotFoundError
        If a path does not exist, or `adapters` holds no ``runner.py``.
    KeyError
        If `only` names an unknown experiment, or `tools` an unknown tool.
    TypeError
        If a method is none.
    OSError
        If `out` cannot be written.

    Warns
    -----
    UserWarning
        For experiments that failed; the page says why, and a repeated call tries them again.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = sk.reproduce(out=folder, only=["settings"])
    ...     found.page.name
    'paper.html'
    """
    known = list_experiments()
    for name in only or ():
        check_key(name, known, name="only", where="the experiments")
    wanted = [experiment for name, experiment in known.items() if only is None or name in only]
    own = dict(methods or {})
    if bad := [name for name, method in own.items() if not is_method(method)]:
        msg = f"methods: {bad} are neither functions of an AnnData nor methods of enhancement"
        raise TypeError(msg)
    for name in tools or {}:
        check_key(name, TOOLS, name="tools", where="the tools")
    limits = dict(_QUICK if quick else _FULL)
    for name, value in (("max_cells", max_cells), ("max_peaks", max_peaks)):
        if value is not None:
            limits[name] = check_int(value, name=name, minimum=20)
    changed = {} if memory_cells is None else {"cells": check_int(memory_cells, name="memory_cells", minimum=100)}
    if memory_peaks is not None:
        changed["peaks"] = check_int(memory_peaks, name="memory_peaks", minimum=1000)
    folder = check_folder(out)
    folder.mkdir(parents=True, exist_ok=True)
    run = _Run(folder, wanted, quick=quick, methods=own, tools=dict(tools or {}), overwrite=overwrite)
    run.changed = {"resources": changed}
    on_data = any(e.run is not None and e.per == "data" for e in [*wanted, *(known[e.of] for e in wanted if e.of)])
    installed, absent = find_baselines() if on_data else ({}, {})
    if adapters is not None:
        programs, others = find_adapters(adapters)
        installed, absent = installed | programs, absent | others
    run.methods = installed | own
    run.missing |= {f"method {name}": why for name, why in absent.items() if name not in own}
    if on_data:
        candidates, missing = find_candidates(paths, data_dir=data_dir, download=download)
        candidates, repeats = drop_repeats(candidates)
        run.missing |= {f"data set {name}": why for name, why in (missing | repeats).items()}
        for candidate in candidates:
            try:
                cohort = make_cohort(candidate, groupby=groupby, **limits)
            except (KeyError, ValueError, OSError) as err:
                run.missing[f"data set {candidate.name}"] = _reason(err)
                continue
            run.on_data(cohort)
    run.once()
    run.stand_in()
    return run.finish()


def _reason(err: BaseException) -> str:
    text = str(err.args[0]) if isinstance(err, KeyError) and err.args else str(err)
    return text or type(err).__name__


class _Run:
    """One call: what is to be done, and what was found so far."""

    def __init__(
        self,
        folder: Path,
        wanted: Sequence[Experiment],
        *,
        quick: bool,
        methods: dict[str, Method],
        tools: dict[str, Mapping[str, Any]],
        overwrite: bool,
    ) -> None:
        self.tools = tools
        self.folder, self.wanted, self.quick, self.methods, self.overwrite = folder, wanted, quick, methods, overwrite
        self.missing: dict[str, str] = {}
        self.changed: dict[str, dict[str, Any]] = {}
        self.cohorts: dict[str, Cohort] = {}
        self.tables: dict[str, dict[str, pd.DataFrame]] = {}

    def _to_run(self, per: str) -> list[Experiment]:
        """Return the experiments that run themselves, with those that others read."""
        known = list_experiments()
        names = list(dict.fromkeys(name for e in self.wanted for name in (e.of, e.name) if name))
        return [known[name] for name in names if known[name].run is not None and known[name].per == per]

    def on_data(self, cohort: Cohort) -> None:
        """Run everything on one data set."""
        self.cohorts[cohort.name] = cohort
        methods = standard_methods(cohort.adata.n_obs) | self.methods
        study = Study(cohort, methods, {}, self.tools)
        todo = self._to_run("data")
        for experiment in progress(todo, desc=cohort.name, unit="experiment"):
            self._one(experiment, study.with_settings(experiment.settings(self.quick)), cohort.name, cohort.key)

    def once(self) -> None:
        """Run what needs no data set."""
        for experiment in self._to_run("once"):
            settings = {**experiment.settings(self.quick), **self.changed.get(experiment.name, {})}
            self._one(experiment, Study(None, self.methods, settings), ONCE, ())

    def stand_in(self) -> None:
        """Run the tools that no data set had files for on the simulated study with planted answers."""
        todo = [e for e in self.wanted if e.name in STANDS_IN and not self.tables.get(e.name)]
        if not todo:
            return
        with tempfile.TemporaryDirectory() as folder:
            cohort, tools, n_top = planted_study(Path(folder), quick=self.quick)
            self.cohorts[cohort.name] = cohort
            study = Study(cohort, standard_methods(cohort.adata.n_obs), {}, tools)
            for experiment in todo:
                settings = {**experiment.settings(self.quick), "n_top": n_top}
                self._one(experiment, study.with_settings(settings), cohort.name, cohort.key)

    def _one(self, experiment: Experiment, study: Study, data: str, key: tuple[Any, ...]) -> None:
        where = f"{experiment.name} on {data}" if data != ONCE else experiment.name
        if why := experiment.needs(study):
            self.missing[where] = why
            return
        place = self.folder / RESULTS / experiment.name
        place.mkdir(parents=True, exist_ok=True)
        made_from = [experiment.name, experiment.version, dict(study.settings), key]
        if data != PLANTED:  # its tools are made from its key
            made_from += [study.tools[name] for name in experiment.tools if name in study.tools]
        made_from += [[f"{name}: {_spelled(method)}" for name, method in study.methods.items()]]
        logger.info("%s", where)
        try:
            table = run_step(place, data, made_from, lambda _: _run(experiment, study), overwrite=self.overwrite)
        except Exception as err:  # noqa: BLE001  one experiment that fails must not take the others with it
            self.missing[where] = f"failed: {type(err).__name__}: {_reason(err)}"
            warn(f"{where} failed: {type(err).__name__}: {_reason(err)}; the others go on")
            return
        if table is not None and len(table):
            self.tables.setdefault(experiment.name, {})[data] = table

    def finish(self) -> Reproduction:
        """Write the table and the page."""
        found: dict[str, Finding] = {}
        for experiment in self.wanted:
            found |= findings(experiment, self.tables_of(experiment))
        claims = claim_table(self.wanted, found, self.missing, self.tables)
        missing = pd.DataFrame({"what": list(self.missing), "why": list(self.missing.values())}, dtype=object)
        with replacing(self.folder / TABLE) as temporary:
            claims.to_csv(temporary, index=False, lineterminator="\n")
        page = self.folder / PAGE
        shown = {e.name: dict(self.tables_of(e)) for e in self.wanted}
        write_page(page, claims, missing, experiments=self.wanted, tables=shown, cohorts=self.cohorts, quick=self.quick)
        return Reproduction(self.folder, page, claims, missing, self.tables)

    def tables_of(self, experiment: Experiment) -> Tables:
        """Return the tables that an experiment reads: its own, or those of the one that it is derived from."""
        return self.tables.get(experiment.of or experiment.name, {})


def findings(experiment: Experiment, tables: Tables) -> dict[str, Finding]:
    """Return the findings; claims on data sets of the paper are judged on those where there are any."""
    if not tables:
        return {}
    whole = experiment.find(tables)
    found = dict(whole)
    for claim in experiment.claims:
        own = {name: table for name, table in tables.items() if name in claim.on}
        if claim.least <= len(own) < len(tables):
            found[claim.name] = experiment.find(own)[claim.name]
    return found


def _spelled(method: Method) -> str:
    """Return what tells methods apart between runs: the name of functions, the options of others."""
    return getattr(method, "__qualname__", None) or repr(method)


def _run(experiment: Experiment, study: Study) -> pd.DataFrame | None:
    if experiment.run is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=RuntimeWarning)
        return experiment.run(study)
