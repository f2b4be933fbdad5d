"""What a recording must be to be imaged, and what is said where it is doubtful."""

from __future__ import annotations

import inspect
import warnings
from typing import TYPE_CHECKING

import numpy as np

from ..errors import (
    ArtifactError,
    MismatchError,
    OptionError,
    SignalError,
    WindowError,
    check_option,
)
from ..metrics.extent import LIKELY
from ..network.cards import serves_any_cap, shortest_window
from ..solvers.methods import METHODS
from ..solvers.whitening import NOISE

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CALLER = 3  # warnings point at whoever called Imager.apply
_USUAL = (0.5, 2.0)  # length of a window over that of the training
_MUCH = 10.0  # s; ten times what a response takes with its baseline
_LONGEST = 20.0  # likewise; its cosine transform takes half a gigabyte


def check_options(
    method: str,
    model: object,
    baseline: tuple | None,
    noise: str | None,
    options: dict,
) -> None:
    """Refuse what a method would not look at.

    Parameters
    ----------
    method : str
    model, baseline, noise, options
        As of :func:`deepsif_lite.image`.

    Raises
    ------
    OptionError
        The method is unknown, or one of them does not apply.
    """
    check_option("method", method, METHODS)
    solve = METHODS[method].solve
    named = {"model": model, "baseline": baseline, "noise": noise}
    given = {*options, *(name for name, value in named.items() if value is not None)}
    if solve is None:
        allowed = ["model", "baseline", "noise", "noise_cov"]
    else:
        parameters = inspect.signature(solve).parameters.values()
        own = [p.name for p in parameters if p.kind == p.KEYWORD_ONLY]
        allowed = ["baseline", "noise", *own]
    if given - set(allowed):
        unused = ", ".join(sorted(given - set(allowed)))
        msg = f"method={method!r} takes no {unused}; leave it out, or give {allowed}."
        raise OptionError(msg)
    if baseline is not None and "noise_cov" in options:
        msg = "baseline and noise_cov both say what the noise is; give one of them."
        raise OptionError(msg)
    if noise is not None:
        check_option("noise", noise, NOISE)
        if baseline is None:
            msg = f"noise={noise!r} needs the baseline that it is estimated from."
            raise OptionError(msg)


def check_whitening(card: dict, *noise: object) -> None:
    """Refuse noise where it would change the one leadfield that a network knows.

    Parameters
    ----------
    card : dict
        Of the network.
    *noise : object | None
        What was said of it.

    Raises
    ------
    MismatchError
        Names a network that works with any leadfield.
    """
    if serves_any_cap(card) or all(part is None for part in noise):
        return
    msg = (
        f"The network for {card['head']!r} knows one leadfield, and noise changes it; "
        "leave baseline and noise_cov out, or use model='lite'."
    )
    raise MismatchError(msg)


def check_output(method: str, *arrays: NDArray | None) -> None:
    """Refuse an image with values that are not finite; nothing can be read from it.

    Parameters
    ----------
    method : str
        A name of :data:`deepsif_lite.solvers.METHODS`.
    *arrays : array | None
        Activity and probability.

    Raises
    ------
    ArtifactError
        Those of a network, whose input was checked: its weights are damaged.
    SignalError
        Those of a solver.
    """
    if all(array is None or np.isfinite(array).all() for array in arrays):
        return
    if METHODS[method].solve is None:
        msg = "The network gives values that are not finite; restore its weights."
        raise ArtifactError(msg)
    msg = (
        f"method={method!r} gives values that are not finite; check the unit of the "
        "EEG (V) and of noise_cov (V^2), and the head model's leadfield."
    )
    raise SignalError(msg)


def check_length(n_times: int) -> None:
    """Refuse a window of one sample, of which nothing remains without its mean.

    Raises
    ------
    WindowError
        Says how to keep it.
    """
    if n_times < 2:
        msg = (
            "The window holds one sample, and its mean is taken away; widen it "
            "(tmin, tmax), or give a baseline to a solver."
        )
        raise WindowError(msg)


def check_usual_length(n_times: int, card: dict) -> None:
    """Warn of a window much longer or shorter than those of the training.

    Raises
    ------
    WindowError
        It is so long that its image would take the memory of the machine.
    """
    if n_times > _LONGEST * card["n_times"]:
        msg = (
            f"The window has {n_times} samples at {card['sfreq']:g} Hz, and the network "
            f"was trained on {card['n_times']} at most. Give the part around the response "
            "(tmin, tmax), or image a raw recording window by window "
            "(deepsif_lite.image_raw)."
        )
        raise WindowError(msg)
    longest, shortest = card["n_times"], shortest_window(card)
    if not min(shortest, _USUAL[0] * longest) <= n_times <= _USUAL[1] * longest:
        lengths = f"{shortest} to {longest}" if shortest < longest else longest
        warnings.warn(
            f"The window has {n_times} samples at {card['sfreq']:g} Hz; the network "
            f"was trained on {lengths}. Choose a window around the peak (tmin, tmax).",
            stacklevel=_CALLER,
        )


def notice_long_window(duration: float) -> None:
    """Warn where a solver is given much more than a response."""
    if duration > _MUCH:
        warnings.warn(
            f"The window is {duration:.3g} s long: its strongest region may be that of "
            "background. Give the part around the response (tmin, tmax), or image a raw "
            "recording window by window (deepsif_lite.image_raw).",
            stacklevel=_CALLER + 1,
        )


def warn_about_doubt(probability: NDArray | None) -> None:
    """Warn where no region is more likely active than not."""
    if probability is not None and probability.max() <= LIKELY:
        warnings.warn(
            "No region is more likely active than not (the surest: "
            f"{probability.max():.0%}), so the image may show mere background. Average "
            "more epochs, or crop the recording around its peak (tmin, tmax).",
            stacklevel=_CALLER,
        )
