"""How far an image can be trusted: what the data say of it, and one verdict.

The verdict is the worst of several checks, each with two limits, which stand in
:data:`LIMITS`. They were chosen on simulated recordings alone, see
``benchmarks/trust.py``, and are round numbers: of images below the limit for doubt one
in ten or more is wrong, of those below the other about half or more.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..head.cap_sampler import FEWEST, MOST
from ..solvers.methods import METHODS
from . import evidence as measures
from .recorded import covered_share

if TYPE_CHECKING:
    from .evidence import Evidence
    from .source_image import SourceImage

VERDICTS = ("good", "doubtful", "do not use")
"""From best to worst."""


_WIDTH = 84  # characters of a line, as many as pages and consoles show


class Limit(NamedTuple):
    """Where a number makes an image doubtful, and where it makes it useless.

    Attributes
    ----------
    doubtful, useless : float
        The worse of the two says which side is bad; beyond it, the verdict holds.
    """

    doubtful: float
    useless: float

    def judge(self, value: float | None) -> str:
        """Return a verdict; of what is not known, a good one."""
        if value is None:
            return VERDICTS[0]
        sign = 1 if self.useless > self.doubtful else -1
        beyond = [sign * value > sign * limit for limit in self]
        return VERDICTS[sum(beyond)]


LIMITS = {
    "signal_to_noise": Limit(0.0, -10.0),  # dB
    "explained_at_peak": Limit(0.8, 0.4),
    "explained": Limit(0.3, 0.1),
    "eyes": Limit(0.4, 0.9),
    "muscles": Limit(0.7, 0.9),
    "probability": Limit(0.6, 0.15),
    "covered": Limit(0.75, 0.4),
}
"""Limits of each number of a :class:`Trust` that counts."""

N_CHANNELS = (FEWEST, MOST)
"""Electrodes of the caps that networks are trained on."""
DURATIONS = (0.2, 1.0)
"""Seconds of the windows that networks are trained on."""
_SLACK = 1.02  # of a duration: a window of 1 s may hold one sample more


@dataclass(frozen=True, repr=False)
class Trust:
    """What the data say of an image; ``print`` shows a table.

    Attributes
    ----------
    signal_to_noise : float | None
        Power of the signal over that of the noise, dB: against the baseline, else by
        the upper half of frequencies. None of filtered recordings.
    explained, explained_at_peak : float | None
        Share of the variance of the data that the image explains, over the window and
        at the peak, 0 to 1. Of networks alone: values of solvers are scaled region by
        region.
    one_region : float
        Share that the best single region explains at the peak, 0 to 1.
    eyes, muscles : float | None
        Power that a source in the eyes (in a muscle) could have had, over the sum of
        it and that of the best region, 0 to 1; cortex alone gives about 0.15 (0.4).
        None off the template head.
    probability : float | None
        Of the region that the network is surest of.
    n_channels : int
        Electrodes.
    duration : float
        Of the window, s.
    sfreq : float
        Of what was imaged, Hz.
    covered : float
        Share of the places of the 10-20 system with an electrode nearby, 0 to 1.
    """

    signal_to_noise: float | None
    explained: float | None
    explained_at_peak: float | None
    one_region: float
    eyes: float | None
    muscles: float | None
    probability: float | None
    n_channels: int
    duration: float
    sfreq: float
    covered: float

    @property
    def verdict(self) -> str:
        """One of :data:`VERDICTS`, the worst of all checks."""
        found = [line.verdict for line in self.lines if line.verdict]
        return max(found, key=VERDICTS.index)

    @property
    def lines(self) -> list[Line]:
        """One line for each check: its number, what it says of the image, and why."""
        return [
            self._line("signal to noise", "signal_to_noise", "{:.0f} dB", _NOISE),
            self._line("explained at the peak", "explained_at_peak", "{:.0%}", _PEAK),
            self._line("explained in all", "explained", "{:.0%}", _WINDOW),
            Line("one region explains", f"{self.one_region:.0%}", "", self._extent()),
            self._line("eyes", "eyes", "{:.2f}", _EYES),
            self._line("muscles", "muscles", "{:.2f}", _MUSCLES),
            self._line("probability", "probability", "{:.0%}", _SOURCE),
            self._line("head covered", "covered", "{:.0%}", _COVERED),
            self._domain(),
        ]

    @property
    def summary(self) -> str:
        """The verdict with the checks that speak against the image, on one line."""
        against = [
            f"{line.label} {line.value}"
            for line in self.lines
            if line.verdict in VERDICTS[1:]
        ]
        return ": ".join(filter(None, (self.verdict, ", ".join(against))))

    def _line(self, label: str, name: str, form: str, text: _Text) -> Line:
        value = getattr(self, name)
        if value is None:
            return Line(label, "-", VERDICTS[0], text.unknown)
        verdict = LIMITS[name].judge(value)
        meaning = text.good if verdict == VERDICTS[0] else text.bad
        return Line(label, form.format(value), verdict, meaning)

    def _extent(self) -> str:
        shown = self.explained_at_peak
        if shown is not None and self.one_region >= shown:
            return "A single region explains the peak as well as the whole image does."
        return "Share of the peak that one region alone explains."

    def _domain(self) -> Line:
        shortest, longest = DURATIONS
        usual = (
            N_CHANNELS[0] <= self.n_channels <= N_CHANNELS[1]
            and shortest / _SLACK <= self.duration <= longest * _SLACK
        )
        value = f"{self.n_channels} x {self.duration:.2f} s"
        if usual:
            meaning = "Electrodes and length of the window are like those of training."
        else:
            meaning = (
                f"Networks know {N_CHANNELS[0]} to {N_CHANNELS[1]} electrodes and "
                f"windows of {shortest:g} to {longest:g} s."
            )
        return Line("recording", value, VERDICTS[not usual], meaning)

    def __repr__(self) -> str:
        return f"<Trust | {self.summary}>"

    def __str__(self) -> str:
        rows = [(line.label, line.value, _MARKS[line.verdict]) for line in self.lines]
        texts = [line.meaning for line in self.lines]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [f"Trust: {self.verdict}"]
        for row, text in zip(rows, texts, strict=True):
            cells = (cell.ljust(w) for cell, w in zip(row, widths, strict=True))
            before = "  ".join((*cells, ""))
            lines += textwrap.wrap(
                text,
                _WIDTH,
                initial_indent=before,
                subsequent_indent=" " * len(before),
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return the lines as a table, which a notebook shows on any screen."""
        import pandas as pd

        table = pd.DataFrame(self.lines)
        table.columns = [f"trust: {self.verdict}", "value", "verdict", "meaning"]
        with pd.option_context("display.max_colwidth", None):
            return table.to_html(index=False, border=0)


class Line(NamedTuple):
    """One line of the table of a :class:`Trust`.

    Attributes
    ----------
    label, value : str
    verdict : str
        One of :data:`VERDICTS`; empty where the number does not count.
    meaning : str
        For a reader who is no engineer.
    """

    label: str
    value: str
    verdict: str
    meaning: str


class _Text(NamedTuple):
    """What to say of a number that is good, is bad, or is not known."""

    good: str
    bad: str
    unknown: str


_MARKS = {"": " ", "good": "+", "doubtful": "?", "do not use": "!"}
_NOISE = _Text(
    "The response stands out of the noise.",
    "The response hardly stands out of the noise; average more epochs.",
    "The recording was filtered, so its noise does not show; give a baseline.",
)
_PEAK = _Text(
    "At its peak, the image gives the potentials that were recorded.",
    "At its peak, the image does not give the potentials that were recorded.",
    "Values of this method are no currents, so potentials do not follow from them.",
)
_WINDOW = _Text(
    "Most of the window comes from the sources of the image.",
    "Much of the window is left over: noise, or sources that were not found.",
    "As above.",
)
_EYES = _Text(
    "No more like the eyes than activity of the brain is.",
    "The window looks like eyes that blink or move; choose another, or clean it.",
    "The head model has no eyes.",
)
_MUSCLES = _Text(
    "No more like muscles than activity of the brain is.",
    "The window looks like muscles of the head; choose another, or clean it.",
    "The head model has no muscles.",
)
_SOURCE = _Text(
    "The network is sure that there is a source.",
    "The network is not sure that there is a source at all.",
    "This method does not say whether there is a source.",
)
_COVERED = _Text(
    "There are electrodes all over the head.",
    "A part of the head has no electrodes: sources there are not seen.",
    "",
)


def weigh(image: SourceImage, evidence: Evidence) -> Trust:
    """Say how far an image can be trusted (milliseconds).

    Parameters
    ----------
    image : SourceImage
        Of the whole window.
    evidence : Evidence

    Returns
    -------
    Trust
    """
    sample = int(np.abs(image.activity).max(axis=0).argmax())
    explained = at_peak = None
    if METHODS[image.method].solve is None:
        explained, at_peak = measures.explained_shares(evidence, image.activity, sample)
    artifacts = measures.artifact_shares(evidence)
    eyes, muscles = (None, None) if artifacts is None else artifacts
    sure = None if image.probability is None else float(image.probability.max())
    return Trust(
        signal_to_noise=measures.signal_to_noise(evidence),
        explained=explained,
        explained_at_peak=at_peak,
        one_region=measures.best_region(evidence, sample)[1],
        eyes=eyes,
        muscles=muscles,
        probability=sure,
        n_channels=evidence.eeg.shape[1],
        duration=len(image.times) / image.sfreq,
        sfreq=image.sfreq,
        covered=covered_share(evidence.head),
    )
