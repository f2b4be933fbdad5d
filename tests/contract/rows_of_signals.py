"""Units, offsets, drifts, scales, flat and bad channels, references."""

from __future__ import annotations

import numpy as np
from contract.subject import (
    clean,
    evoked,
    head,
    loud,
    noise,
    points,
    projector,
    slow_course,
)
from contract.table import IMAGED, LIMIT, NOTICED, REFUSED, REPAIRED, Row

RAMP = np.linspace(-0.5, 0.5, 500)


def _some(indices, factor=1.0, plus=0.0):
    data = clean()
    data[indices] = factor * data[indices] + plus
    return evoked(data)


def _course(course):
    """Give the patch another time course."""
    return evoked(clean(course))


def _value(value, where=(3, 5)):
    data = clean()
    data[where] = value
    return evoked(data)


def _hum(sizes, frequency=50):
    hum = np.sin(2 * np.pi * frequency * np.arange(500) / 500)
    return evoked(clean() + sizes * hum)


def _rest(seconds):
    """Put a response in the middle of so much rest."""
    rest = noise(1e-6, (75, 250 * (seconds - 1)))
    return evoked(np.hstack([rest, clean(), rest]))


def _common(size):
    return evoked(clean() + size * np.random.default_rng(4).standard_normal(500))


def _to(names):
    """Reference to the mean of channels, as a recorder would."""
    rows = [head().ch_names.index(n) for n in names]
    return evoked(clean() - clean()[rows].mean(axis=0))


def _sides(_):
    """Reference each side to the other side's mastoid, and say so nowhere."""
    data, names = clean(), head().ch_names
    left, right = (clean()[names.index(n)] for n in ("TP9", "TP10"))
    for i, name in enumerate(names):
        data[i] -= right if name[-1] in "13579" else left
    return evoked(data)


def _projector(_):
    return _common(1e-5).set_eeg_reference(projection=True, verbose="error")


def _applied(_):
    return _projector(_).apply_proj(verbose="error")


def _blink(_):
    return evoked().add_proj(projector(), verbose="error").apply_proj(verbose="error")


def _row(kind):
    def row(text, make, verdict=IMAGED, says="", **options):
        methods = options.pop("methods", ("deepsif", "sloreta"))
        return Row(kind, text, make, verdict, says, options, methods)

    return row


unit, offset, scale = _row("units"), _row("offsets and drifts"), _row("single channels")
reference = _row("references")
TAKEN = "the line that fits each channel best was taken away"
STRONG, WEAK = "one of the strongest", "one of the weakest"
MISFIT = "does not fit the others"

ROWS = [
    unit("mV read as V", lambda _: evoked(1e3 * clean())),
    unit("V divided by a million", lambda _: evoked(1e-6 * clean())),
    unit("uV read as V", lambda _: evoked(1e6 * clean()), REFUSED, "SignalError"),
    unit("nV read as V", lambda _: evoked(1e9 * clean()), REFUSED, "SignalError"),
    unit("1e-300 V", lambda _: evoked(1e-295 * clean()), REFUSED, "SignalError"),
    unit("steps of 5 uV", lambda _: evoked(5e-6 * np.round(clean() / 5e-6))),
    unit(
        "cut off at 10 uV",
        lambda _: evoked(np.clip(clean(), -1e-5, 1e-5)),
        NOTICED,
        "cut off at their largest",
    ),
    unit("magnitudes", lambda _: evoked(np.abs(clean())), NOTICED, "magnitudes"),
    unit(
        "the envelope",
        lambda _: evoked().apply_hilbert(envelope=True),
        NOTICED,
        "magnitudes",
    ),
    unit(
        "counts of an amplifier",
        lambda _: evoked(np.round(clean() / 1e-7)),
        REFUSED,
        "SignalError",
    ),
    unit(
        "each channel of one standard deviation",
        lambda _: evoked(1e-5 * clean() / clean().std(axis=1, keepdims=True)),
        NOTICED,
        "same standard deviation",
    ),
    unit(
        "each channel of one peak",
        lambda _: evoked(1e-5 * clean() / np.abs(clean()).max(axis=1, keepdims=True)),
        NOTICED,
        "same largest magnitude",
    ),
    unit("the sign reversed", lambda _: evoked(-clean())),
    unit(
        "half of the channels in mV",
        lambda _: _some(slice(0, 75, 2), 1e3),
        REFUSED,
        "SignalError",
    ),
    unit(
        "a quarter of the channels in uV",
        lambda _: _some(slice(0, 75, 4), 1e6),
        REFUSED,
        "SignalError",
    ),
    *(
        unit(
            f"four channels a factor {factor:g} larger",
            lambda _, factor=factor: _some([2, 4, 15, 17], factor),
            REPAIRED,
            "count as bad",
        )
        for factor in (1e3, 1e4, 1e6)
    ),
    offset("offsets of 20 uV", lambda _: evoked(clean() + noise(20e-6))),
    offset("offsets of 14 mV", lambda _: evoked(clean() + noise(14e-3))),
    offset("a common offset of 1 V", lambda _: evoked(clean() + 1.0)),
    offset("drifts of 5 uV", lambda _: evoked(clean() + noise(5e-6) * RAMP)),
    *(
        offset(
            f"drifts of {text}",
            lambda _, size=size: evoked(clean() + noise(size) * RAMP),
            REPAIRED,
            TAKEN,
        )
        for text, size in {"50 uV": 50e-6, "10 mV": 10e-3}.items()
    ),
    offset(
        "drifts of 50 uV, a baseline",
        lambda _: evoked(clean() + noise(50e-6) * RAMP),
        REPAIRED,
        TAKEN,
        baseline=(0.0, 0.3),
        methods=("sloreta",),
    ),
    offset("a slow response (300 ms)", lambda _: _course(slow_course())),
    offset(
        "a response that rises through the window",
        lambda _: _course(RAMP + 0.5),
        NOTICED,
        "may be a slow response, and are kept",
    ),
    offset(
        "offsets, a baseline",
        lambda _: evoked(clean() + noise(20e-6)),
        baseline=(0.0, 0.3),
        methods=("sloreta",),
    ),
    scale("one silent", lambda _: _some(loud()[0], 0.0), REPAIRED, "are flat"),
    scale("one constant", lambda _: _some(loud()[0], 0.0, 5e-6), REPAIRED, "are flat"),
    scale("5 silent", lambda _: _some(loud()[:5], 0.0), REPAIRED, "are flat"),
    scale(
        "every second silent",
        lambda _: _some(slice(0, 75, 2), 0.0),
        REPAIRED,
        "are flat",
    ),
    scale("all silent", lambda _: evoked(0 * clean()), REFUSED, "ChannelError"),
    *(
        scale(
            f"{STRONG} a factor {factor:g}",
            lambda _, factor=factor: _some(loud()[0], factor),
            NOTICED,
            MISFIT,
        )
        for factor in (0.01, 0.1, 0.3, 2, 3)
    ),
    *(
        scale(
            f"{STRONG} a factor {factor:g}",
            lambda _, factor=factor: _some(loud()[0], factor),
            REPAIRED,
            "count as bad",
        )
        for factor in (6, 10, 1e3, 1e6)
    ),
    scale(f"{STRONG} inverted", lambda _: _some(loud()[0], -1.0), NOTICED, MISFIT),
    scale(f"{WEAK} inverted", lambda _: _some(loud()[-1], -1.0)),
    scale(
        "one with noise of 100 uV",
        lambda _: _some(20, plus=noise(1e-4, 500)),
        REPAIRED,
        "'C4'",
    ),
    scale(
        "one with noise of 10 uV",
        lambda _: _some(20, plus=noise(1e-5, 500)),
        NOTICED,
        "'C4'",
    ),
    scale(
        "one with mains of 200 uV",
        lambda _: _some(20, plus=2e-4 * np.sin(2 * np.pi * 50 * np.arange(500) / 500)),
        REPAIRED,
        "'C4'",
    ),
    scale(
        "one that pops by 1 mV",
        lambda _: _some(20, plus=1e-3 * (np.arange(500) > 300)),
        REPAIRED,
        "'C4'",
    ),
    *(
        scale(
            f"mains of {text}",
            lambda _, sizes=sizes, frequency=frequency: _hum(sizes, frequency),
            NOTICED,
            f"at {frequency} Hz, that of mains",
        )
        for text, sizes, frequency in (
            ("30 uV, another size in each channel", np.abs(noise(3e-5)), 50),
            ("100 uV from left to right", 1e-3 * points()[:, :1], 60),
        )
    ),
    scale("mains of 1 mV, the same in all channels", lambda _: _hum(1e-3)),
    scale(
        "30 s of rest and a response, by a solver",
        lambda _: _rest(30),
        NOTICED,
        "that of background",
        methods=("sloreta",),
    ),
    scale("one NaN", lambda _: _value(np.nan), REFUSED, "SignalError"),
    scale("one infinite value", lambda _: _value(np.inf), REFUSED, "SignalError"),
    scale("all NaN", lambda _: evoked(np.nan * clean()), REFUSED, "SignalError"),
    scale(
        "noise of 1 uV alone",
        lambda _: evoked(noise(1e-6, (75, 500))),
        NOTICED,
        "predict 0%",
    ),
    scale(
        "a response in noise of 3 uV",
        lambda _: evoked(clean() + noise(3e-6, (75, 500))),
    ),
    scale(
        "a response in noise of 5 uV, by a network",
        lambda _: evoked(clean() + noise(5e-6, (75, 500))),
        methods=("deepsif",),
    ),
    scale(
        "a response in noise of 5 uV, by sLORETA",
        lambda _: evoked(clean() + noise(5e-6, (75, 500))),
        LIMIT,
        methods=("sloreta",),
    ),
    reference(
        "any common reference (Cz), itself not recorded",
        lambda _: _to(["Cz"]).drop_channels(["Cz"]),
        IMAGED,
    ),
    reference(
        "a common reference (Cz), recorded as zeros",
        lambda _: _to(["Cz"]),
        REPAIRED,
        "are flat",
    ),
    reference("linked mastoids (TP9 and TP10)", lambda _: _to(["TP9", "TP10"])),
    reference(
        "an average that was applied",
        lambda _: evoked().set_eeg_reference(verbose="error"),
    ),
    reference("an average as a projector", _projector),
    reference("an average as a projector that was applied", _applied),
    reference("a common signal of 1 mV", lambda _: _common(1e-3)),
    reference("another projector that was applied", _blink, NOTICED, "blink"),
    reference("each side to the other's mastoid, with plain names", _sides, LIMIT),
]
