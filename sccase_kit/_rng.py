"""Generators as text: what is recorded of a call's seed, so that the call can be repeated."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

FRESH = re.compile(r"default_rng\((\d+)\)")


def check_rng(rng: Any, *, name: str = "rng") -> np.random.Generator:
    """Return a generator of numbers, that which is given or a new one of a seed.

    Raises
    ------
    TypeError, ValueError
        If `rng` is neither a Generator nor None, an integer from 0, or anything else that NumPy makes one from.
    """
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError, OverflowError) as err:
        shape = getattr(rng, "shape", ())
        shown = f"{type(rng).__name__} of shape {shape}" if shape else f"{rng!r:.60} ({type(rng).__name__})"
        msg = f"{name} must be an integer from 0, a numpy.random.Generator or None, got {shown}"
        raise (TypeError if isinstance(err, TypeError) else ValueError)(msg) from err


def seeded(rng: Any) -> tuple[int | np.random.Generator, int | str]:
    """Return what to draw from, and what is recorded of it, so that the call can be repeated.

    Parameters
    ----------
    rng
        As a user gives it: integer, Generator, None, or anything else that :func:`numpy.random.default_rng` takes.

    Returns
    -------
    The integer twice; else a Generator, and the text of its present state, which :func:`generator_of` reads.
    """
    if isinstance(rng, (int, np.integer)) and not isinstance(rng, bool) and rng >= 0:
        return int(rng), int(rng) if rng < 2**63 else f"default_rng({int(rng)})"  # files hold 64 bits
    generator = check_rng(rng)
    return generator, _text(generator)


def _text(generator: np.random.Generator) -> str:
    """Return "default_rng(seed)" of a fresh generator, and of others all of their state as JSON."""
    bits = generator.bit_generator
    sequence = getattr(bits, "seed_seq", None)
    spawns: dict[str, Any] = {}
    if isinstance(sequence, np.random.SeedSequence):
        spawns = dict(sequence.state)
        entropy = spawns["entropy"]
        if isinstance(entropy, (int, np.integer)) and bits.state == np.random.default_rng(entropy).bit_generator.state:
            if sequence.n_children_spawned == 0 and sequence.spawn_key == ():
                return f"default_rng({entropy})"
    return json.dumps({"state": bits.state, "seed_seq": spawns}, default=_listed)


def _listed(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    msg = f"a generator's state cannot be recorded: it holds {type(value).__name__}"
    raise TypeError(msg)


def generator_of(text: str) -> np.random.Generator:
    """Return the generator in the state that :func:`seeded` recorded.

    Raises
    ------
    ValueError
        If the text is not of it (version 0.1 wrote "generator" for every generator).
    """
    if fresh := FRESH.fullmatch(text):
        return np.random.default_rng(int(fresh[1]))
    try:
        state, spawns = _parts(text)
        kind = getattr(np.random, state["bit_generator"])
        if spawns:
            spawns = {name: tuple(v) if name == "spawn_key" else v for name, v in spawns.items()}
        bits = kind(np.random.SeedSequence(**spawns)) if spawns else kind()
        bits.state = state
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        msg = f"rng: {text[:60]!r} is not the state of a generator"
        raise ValueError(msg) from err
    return np.random.Generator(bits)


def _parts(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    parts = json.loads(text)
    return parts["state"], parts["seed_seq"]


def generator_code(text: str) -> tuple[list[str], str]:
    """Return lines of Python, with numpy as np, that make a recorded generator, and the expression that then is it.

    The expression is empty where the text is no state, as that of version 0.1.
    """
    if FRESH.fullmatch(text):
        return [], f"np.random.{text}"
    try:
        generator_of(text)
    except ValueError:
        return [], ""
    state, spawns = _parts(text)
    sequence = ", ".join(f"{name}={tuple(v) if name == 'spawn_key' else v!r}" for name, v in spawns.items())
    seed = f"np.random.SeedSequence({sequence})" if spawns else ""
    first = f"rng = np.random.Generator(np.random.{state['bit_generator']}({seed}))"
    return [first, f"rng.bit_generator.state = {state!r}"], "rng"
