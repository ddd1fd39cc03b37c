"""What an experiment of the paper is, and the table of them: one file in ``experiments/`` each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from .._sources import Sources

if TYPE_CHECKING:
    from .study import Study

#: What :attr:`Finding.tie` says: both sides are at 1, where none can be better; both are equal.
AT_CEILING, EQUAL = "at the ceiling", "equal"
#: Tables of an experiment: name of the data set → result.
Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Claim:
    """One statement of the paper that a number can be held against.

    Attributes
    ----------
    name
        Short, for the table and for the findings of the experiment.
    says
        What the paper says.
    where
        Section, figure or table of the paper.
    paper
        The paper's number; None where it states none.
    unit
        Of the number, such as ``"%"``.
    on
        Data sets of the paper, by their names in the manifest; empty: any.
    reason
        Why it cannot be run, where no experiment of this package gives it.
    least
        Data sets of `on` that are needed for it to be judged on them alone; with fewer it is judged on all there are.
    """

    name: str
    says: str
    where: str
    paper: float | None = None
    unit: str = ""
    on: tuple[str, ...] = ()
    reason: str = ""
    least: int = 1


@dataclass(frozen=True)
class Finding:
    """What was found for a claim.

    Attributes
    ----------
    ours
        The number with the paper's method, as this package computes it.
    default
        The number with this package's default method; None where there is none.
    holds
        Whether the statement holds in our numbers; None where that cannot be said.
    data
        Data sets it was found on.
    note
        What the numbers are made of.
    tie
        Why neither side is better, where that is so: :data:`AT_CEILING` or :data:`EQUAL`; `holds` is None then.
    """

    ours: float | None
    default: float | None = None
    holds: bool | None = None
    data: tuple[str, ...] = ()
    note: str = ""
    tie: str = ""


@dataclass(frozen=True)
class Drawing:
    """A figure.

    Attributes
    ----------
    draw
        Draws it, and returns Axes or a Figure.
    caption
        What it shows.
    """

    draw: Callable[[], Any]
    caption: str


def _nothing(*_: Any) -> Any:
    """Return no findings, or no settings."""
    return {}


def _no_drawings(_: Tables) -> list[Drawing]:
    """Return no figures."""
    return []


def _any(_: Study) -> str:
    """Return that there is nothing in the way."""
    return ""


@dataclass(frozen=True)
class Experiment:
    """One experiment of the paper.

    Attributes
    ----------
    name
        Of the experiment and of its folder of results.
    title
        Heading on the page.
    shows
        Figures of the paper that it repeats.
    about
        What is done, in one or two sentences, for the page.
    place
        Position on the page; smaller is higher.
    claims
        What it decides.
    run
        From a :class:`~sccase_kit.paper.study.Study` (data set, methods, settings) to a table.
    find
        From the tables to the findings: name of the claim → :class:`Finding`.
    draw
        From the tables to the figures.
    summary
        From the tables to the table that the page shows; None: the rows as they are, if they are few.
    settings
        From whether it is to be quick to the settings, which are part of the key under which a result is kept.
    needs
        From a study to why the experiment cannot run on it; empty: it can.
    per
        ``"data"``: on every data set; ``"once"``: without data, or on data of its own.
    of
        Other experiments whose tables it reads in `find` and `draw` instead of running itself.
    tools
        Tools whose arguments it reads; they are part of the key under which a result is kept.
    version
        Raised when `run` changes what it computes: kept results of before are made anew.
    """

    name: str
    title: str
    shows: str
    about: str
    place: float
    claims: tuple[Claim, ...] = ()
    run: Callable[[Study], pd.DataFrame] | None = None
    find: Callable[[Tables], Mapping[str, Finding]] = _nothing
    draw: Callable[[Tables], Sequence[Drawing]] = _no_drawings
    summary: Callable[[Tables], pd.DataFrame] | None = None
    settings: Callable[[bool], Mapping[str, Any]] = field(default=_nothing)
    needs: Callable[[Study], str] = _any
    per: Literal["data", "once"] = "data"
    of: str = ""
    tools: tuple[str, ...] = ()
    version: int = 1

    @property
    def labels(self) -> tuple[str, ...]:
        """The name, as :class:`~sccase_kit._sources.Sources` asks for it."""
        return (self.name,)


EXPERIMENTS: Sources[Experiment] = Sources("sccase_kit.paper.experiments", "experiments", attribute="EXPERIMENT")


def list_experiments() -> dict[str, Experiment]:
    """Return the experiments, in the order of the page.

    Returns
    -------
    dict
        Name → :class:`Experiment`; those that were registered come with the package's own.
    """
    found = sorted(EXPERIMENTS.all().values(), key=lambda experiment: experiment.place)
    return {experiment.name: experiment for experiment in found}
