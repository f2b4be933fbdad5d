"""What can be wrong with an input, by kind, and one wording for each kind.

Every error names the argument, its value and the cure. All are a
:class:`DeepSIFError`, which is a ``ValueError``, so a caller can catch one kind or all.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Collection, Hashable, Sequence

__all__ = [
    "ArtifactError",
    "ArtifactMissing",
    "ChannelError",
    "DeepSIFError",
    "DiskFull",
    "FileError",
    "FolderInUse",
    "MismatchError",
    "OptionError",
    "RecordingUnavailable",
    "SignalError",
    "WindowError",
]


class DeepSIFError(ValueError):
    """Base of all errors that a change of the input cures."""


class OptionError(DeepSIFError):
    """An argument is none of the choices, or out of range."""


class ChannelError(DeepSIFError):
    """Channels are missing, unknown, repeated, flat or without a position."""


class SignalError(DeepSIFError):
    """Values are not finite, in another unit, or of another shape."""


class WindowError(DeepSIFError):
    """A window or baseline holds no samples, or lies outside the recording."""


class MismatchError(DeepSIFError):
    """Two things do not belong together: head model, network, clips, parcellation."""


class ArtifactError(DeepSIFError):
    """A file of ours is damaged, or was changed since it was written."""


class ArtifactMissing(ArtifactError, FileNotFoundError):
    """A file of ours is not where it should be."""


class FileError(DeepSIFError):
    """A file given to us cannot be read as EEG."""


class RecordingUnavailable(DeepSIFError, FileNotFoundError):
    """A published file is neither on this machine nor reachable."""


class DiskFull(DeepSIFError, OSError):
    """A file could not be written whole; an old one of that name is as it was."""


class FolderInUse(DeepSIFError):
    """Another process is writing to the folder."""


def check_option(name: str, value: object, allowed: Collection) -> None:
    """Refuse a value that is none of the choices.

    Parameters
    ----------
    name : str
        Of the argument.
    value : object
    allowed : collection
        The choices, in the order to show them.

    Raises
    ------
    OptionError
        ``name=value is unknown; choose one of ...``

    Examples
    --------
    >>> check_option("method", "mne", ("sloreta", "lcmv"))
    Traceback (most recent call last):
    ...
    deepsif_lite.errors.OptionError: method='mne' is unknown; choose one of
    'sloreta', 'lcmv'.
    """
    # What has no hash is in no table.
    if not isinstance(value, Hashable) or value not in allowed:
        choices = ", ".join(map(repr, allowed))
        msg = f"{name}={value!r} is unknown; choose one of {choices}."
        raise OptionError(msg)


def check_range(
    name: str,
    value: float,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    open_low: bool = False,
) -> None:
    """Refuse a number outside a range, and what is no number.

    Parameters
    ----------
    name : str
        Of the argument.
    value : float
    low, high : float
        Both allowed, unless ``open_low``.
    open_low : bool
        The lowest value itself is refused.

    Raises
    ------
    OptionError
        ``name=value must be at least low / above low / at most high.``

    Examples
    --------
    >>> check_range("resting_share", 1.5, 0, 1)
    Traceback (most recent call last):
    ...
    deepsif_lite.errors.OptionError: resting_share=1.5 must lie between 0 and 1.
    """
    if not isinstance(value, numbers.Real) or math.isnan(value):
        msg = f"{name}={value!r} must be a number."
        raise OptionError(msg)
    inside = (value > low if open_low else value >= low) and value <= high
    if inside:
        return
    if math.isinf(high):
        bound = f"be {'above' if open_low else 'at least'} {low:g}"
    elif math.isinf(low):
        bound = f"be at most {high:g}"
    else:
        bound = f"lie between {low:g} and {high:g}"
    msg = f"{name}={value!r} must {bound}."
    raise OptionError(msg)


def check_interval(
    name: str,
    interval: Sequence[float],
    low: float = -math.inf,
    high: float = math.inf,
    *,
    open_low: bool = False,
) -> None:
    """Refuse a range that is not two ordered numbers, or reaches too far.

    Parameters
    ----------
    name : str
        Of the argument.
    interval : tuple of float
        Its lower and its upper end; they may be equal.
    low, high : float
        What either end may be, see :func:`check_range`.
    open_low : bool
        The lowest value itself is refused.

    Raises
    ------
    OptionError

    Examples
    --------
    >>> check_interval("source_snr", (20.0, 10.0))
    Traceback (most recent call last):
    ...
    deepsif_lite.errors.OptionError: source_snr=(20.0, 10.0) must be (least, most).
    """
    if len(interval) != 2 or not interval[0] <= interval[1]:
        msg = f"{name}={interval!r} must be (least, most)."
        raise OptionError(msg)
    for end in interval:
        check_range(name, end, low, high, open_low=open_low)


def check_shape(
    name: str, shape: tuple[int, ...], wanted: tuple[int | str, ...]
) -> None:
    """Refuse an array of another shape.

    Parameters
    ----------
    name : str
        Of the argument.
    shape : tuple of int
        What was given.
    wanted : tuple of (int | str)
        A number is a size asked for, a word stands for any: ``("n_times", 75)``. A
        leading ``"..."`` allows any number of axes before the others.

    Raises
    ------
    SignalError
        ``name has shape ..., not ...``

    Examples
    --------
    >>> check_shape("eeg", (500, 64), ("n_times", 75))
    Traceback (most recent call last):
    ...
    deepsif_lite.errors.SignalError: eeg has shape (500, 64), not (n_times, 75).
    """
    tail, given = wanted, shape
    fits = len(shape) == len(wanted)
    if wanted and wanted[0] == "...":
        tail = wanted[1:]
        given = shape[len(shape) - len(tail) :]
        fits = len(shape) >= len(tail)
    pairs = zip(given, tail, strict=False)
    if fits and all(isinstance(size, str) or n == size for n, size in pairs):
        return
    text = ", ".join(map(str, wanted)) + ("," if len(wanted) == 1 else "")
    msg = f"{name} has shape {shape}, not ({text})."
    raise SignalError(msg)
