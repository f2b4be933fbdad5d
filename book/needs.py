"""What chapters take: measured here, estimated at larger profiles and on Colab."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import records
import tables
from setup_cell import ON_GPU

from deepsif_lite.network import load_card
from deepsif_lite.profiles import PROFILES, Profile


@dataclass(frozen=True)
class Machine:
    """A machine on which no chapter was timed.

    Attributes
    ----------
    factor : float
        Time on its processors over time on two cores: a guess.
    tflops : float
        Peak of its graphics card in single precision, from its maker.
    """

    factor: float
    tflops: float


COLAB = {"T4 (2 cores)": Machine(1.5, 8.1), "A100 (12 cores)": Machine(0.7, 19.5)}
_H200_TFLOPS = 67.0
_TRAINS = "03_training"
"""The chapter whose training takes most of its time; a graphics card takes that over."""
_GROWS: dict[str, Callable[[Profile], float]] = {
    "01_simulation": lambda profile: max(profile.simulation_seconds, 4.0),
    _TRAINS: lambda profile: profile.live_training_steps,
    "04_evaluation": lambda profile: profile.n_test_samples,
}
"""What a chapter's time grows with from ``lite`` to ``paper``; others stay as they are."""
_NOT_RECORDED = "not recorded"
_NO_BREAK = "\u00a0"  # a unit stays with its number
_RUN_TIME = re.compile(r"\*\*Run time\.\*\* [^.]*\.")


def measured(record: pd.DataFrame, stored: Path) -> pd.DataFrame:
    """Return seconds of each chapter (row) at each profile (column), NaN if unknown.

    Parameters
    ----------
    record : DataFrame
        Of the run that is shown, from :func:`records.read`.
    stored : path
        Folder with the records of other profiles, ``chapters-smoke.json``.
    """
    seconds = pd.DataFrame(index=record.index, columns=list(PROFILES), dtype=float)
    for profile in PROFILES:
        other = records.read(stored, f"chapters-{profile}.json")
        seconds[profile] = other["seconds"].reindex(seconds.index)
    for chapter, entry in record.iterrows():
        seconds.loc[chapter, entry["profile"]] = entry["seconds"]
    return seconds


def _growth(chapter: str, seconds: Mapping[str, float]) -> float:
    """Return seconds for each unit of what grows; NaN where too little was measured."""
    size = _GROWS[chapter]
    more = size(PROFILES["lite"]) - size(PROFILES["smoke"])
    return (seconds["lite"] - seconds["smoke"]) / more


def _here(chapter: str, seconds: Mapping[str, float], profile: str) -> float:
    """Return seconds on two cores; of ``paper`` an estimate if it was not measured."""
    if profile != "paper" or pd.notna(seconds["paper"]):
        return seconds[profile]
    if chapter not in _GROWS:
        return seconds["lite"]
    size = _GROWS[chapter]
    more = size(PROFILES["paper"]) - size(PROFILES["lite"])
    return seconds["lite"] + _growth(chapter, seconds) * more


def _there(
    machine: Machine, chapter: str, seconds: Mapping[str, float], profile: str
) -> float:
    """Return the estimate of seconds on a machine of Colab."""
    here = _here(chapter, seconds, profile)
    if chapter != _TRAINS or pd.isna(_growth(chapter, seconds)):
        return here * machine.factor
    sizes = PROFILES[profile]
    training = _growth(chapter, seconds) * sizes.live_training_steps
    samples = sizes.live_training_steps * sizes.batch_size
    return (here - training) * machine.factor + samples / _samples_a_second(machine)


def _samples_a_second(machine: Machine) -> float:
    """Return how fast a card trains: as the H200 did, by their peaks."""
    run = load_card("lite")["training"]
    return run["samples"] / run["seconds"] * machine.tflops / _H200_TFLOPS


def needs_table(record: pd.DataFrame, stored: Path) -> str:
    """Return what each chapter takes here at each profile, as Markdown.

    Parameters
    ----------
    record : DataFrame
    stored : path
        As :func:`measured` takes them.
    """
    if record.empty:
        return ""
    seconds = measured(record, stored)
    shown = pd.DataFrame({"chapter": record.index})
    for profile in PROFILES:
        shown[f"`{profile}`"] = [
            (_about if pd.isna(row[profile]) else _time)(_here(chapter, row, profile))
            for chapter, row in seconds.iterrows()
        ]
    shown["memory"] = record["memory_gb"].map(_gb).to_numpy()
    table = shown.to_markdown(index=False, disable_numparse=True)
    return tables.with_caption(table, "Time and memory of each chapter on two cores.")


def colab_table(record: pd.DataFrame, stored: Path) -> str:
    """Return what each chapter would take on Colab at each profile, as Markdown.

    Parameters
    ----------
    record : DataFrame
    stored : path
        As :func:`measured` takes them.
    """
    if record.empty:
        return ""
    seconds = measured(record, stored)
    shown = pd.DataFrame({"chapter": record.index})
    for name, machine in COLAB.items():
        for profile in PROFILES:
            shown[f"{name}, `{profile}`"] = [
                _about(_there(machine, chapter, row, profile))
                for chapter, row in seconds.iterrows()
            ]
    helps = ["quicker with one" if c in ON_GPU else "no use" for c in record.index]
    shown["graphics card"] = helps
    table = shown.to_markdown(index=False, disable_numparse=True)
    return tables.with_caption(table, "Estimated time of each chapter on Colab.")


def say_what_it_takes(
    source: str, chapter: str, record: pd.DataFrame, stored: Path
) -> str:
    """Put what was recorded in the place of the run time that a chapter's head names.

    Parameters
    ----------
    source : str
        A cell of Markdown.
    chapter : str
        Its name, ``"04_evaluation"``.
    record : DataFrame
    stored : path
        As :func:`measured` takes them.
    """
    if chapter not in record.index or not _RUN_TIME.search(source):
        return source
    profile, memory = record.loc[chapter, ["profile", "memory_gb"]]
    seconds = measured(record, stored).loc[chapter]
    estimates = " and ".join(
        f"{_about(_there(machine, chapter, seconds, profile))} on its {name}"
        for name, machine in COLAB.items()
    )
    most = "" if pd.isna(memory) else f" and at most {_gb(memory)} of memory"
    use = "makes it quicker" if chapter in ON_GPU else "is of no use"
    text = (
        f"**This chapter takes** {_time(seconds[profile])}{most} here, on two cores at "
        f"profile `{profile}` (measured); on Colab {estimates} (estimated). "
        f"A graphics card {use}."
    )
    return _RUN_TIME.sub(text, source)


def _time(seconds: float) -> str:
    """Return a time for reading; from two hours on in hours."""
    if pd.isna(seconds):
        return _NOT_RECORDED
    minutes = max(seconds / 60, 0.1)
    if minutes < 120:
        return f"{minutes:.1f}{_NO_BREAK}min"
    return f"{minutes / 60:.1f}{_NO_BREAK}h"


def _about(seconds: float) -> str:
    """Return an estimate for reading."""
    return _NOT_RECORDED if pd.isna(seconds) else f"≈{_NO_BREAK}{_time(seconds)}"


def _gb(memory: float | None) -> str:
    return _NOT_RECORDED if pd.isna(memory) else f"{memory:.1f}{_NO_BREAK}GB"
