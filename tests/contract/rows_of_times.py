"""Sampling rates, windows, baselines."""

from __future__ import annotations

import numpy as np
from contract.subject import bare, clean, evoked, head
from contract.table import IMAGED, LIMIT, NOTICED, REFUSED, Row

SOLVERS = ("sloreta",)


def _rate(sfreq):
    return evoked().resample(sfreq, verbose="error")


def _one_hertz():
    info = bare(head().ch_names, sfreq=1.0).set_montage(head().info.get_montage())
    return evoked(info=info)


def _row(text, verdict, says="", methods=("deepsif", "sloreta"), **options):
    return Row(
        "windows and baselines",
        text,
        lambda _: evoked(tmin=-0.5),
        verdict,
        says,
        options,
        methods,
    )


def _window(text, tmin, tmax, verdict=REFUSED, says="WindowError", **options):
    return _row(text, verdict, says, tmin=tmin, tmax=tmax, **options)


def _baseline(text, first, last, verdict=REFUSED, says="WindowError", **options):
    return _row(text, verdict, says, baseline=(first, last), **options)


ROWS = [
    *(
        Row(
            "sampling rates", f"{sfreq} Hz", lambda _, sfreq=sfreq: _rate(sfreq), IMAGED
        )
        for sfreq in (100, 128, 200, 250, 256, 512, 1000, 1024, 2048)
    ),
    Row(
        "sampling rates",
        "1 Hz, as of info made without a rate, by a network",
        lambda _: _one_hertz(),
        REFUSED,
        "SignalError",
        methods=("deepsif",),
    ),
    Row(
        "sampling rates",
        "1 Hz, as of info made without a rate, by a solver",
        lambda _: _one_hertz(),
        NOTICED,
        "is 499 s long",
        methods=SOLVERS,
    ),
    Row(
        "windows and baselines",
        "30 s, by a network",
        lambda _: evoked(np.tile(clean(), (1, 30))),
        REFUSED,
        "WindowError",
        methods=("deepsif",),
    ),
    Row(
        "windows and baselines",
        "no samples",
        lambda _: evoked(clean()[:, :0]),
        REFUSED,
        "WindowError",
    ),
    Row(
        "windows and baselines",
        "NaN outside the window",
        lambda _: evoked(np.where(np.arange(500) < 50, np.nan, clean())),
        REFUSED,
        "SignalError",
        {"tmin": 0.3, "tmax": 0.9},
    ),
    _window("infinite", None, float("inf")),
    *(
        _window(f"a time that is {text}", value, None)
        for text, value in {
            "text": "0.1",
            "a list": [0.1],
            "complex": 0.1j,
            "a date": np.datetime64("2020"),
        }.items()
    ),
    _window("a time in single precision", np.float32(-0.3), 0.3, IMAGED, ""),
    _window("0.6 s around the response", -0.3, 0.3, IMAGED, ""),
    _window("an end one sample beyond the data", -0.5, 0.5, IMAGED, ""),
    _window("20 ms around the response", -0.01, 0.01, IMAGED, "", methods=SOLVERS),
    _window(
        "20 ms around the response, by a network",
        -0.01,
        0.01,
        NOTICED,
        "trained on 100 to 500",
        methods=("deepsif",),
    ),
    _window(
        "3 samples, which their mean explains", -0.002, 0.002, NOTICED, "predict 0%"
    ),
    _window("1 sample", 0.0, 0.0),
    _window(
        "1 sample, a baseline before it",
        0.0,
        0.0,
        IMAGED,
        "",
        methods=SOLVERS,
        baseline=(-0.5, -0.2),
    ),
    _window("without the response", -0.5, -0.2, NOTICED, "predict 0%"),
    _window("ms instead of s", -200, 300),
    _window("before the data", -0.9, -0.6),
    _window("partly outside the data", -0.7, 0.2),
    _window("reversed", 0.2, -0.2),
    _window("between two samples", 0.0005, 0.0015),
    _window("not a number", float("nan"), 0.2),
    Row(
        "windows and baselines",
        "two samples, without a window",
        lambda _: evoked(clean()[:, 249:251]),
        NOTICED,
        "predict 0%",
    ),
    _baseline("a baseline before the response", -0.5, -0.2, IMAGED, ""),
    _baseline(
        "a baseline outside the window", -0.5, -0.2, IMAGED, "", tmin=-0.1, tmax=0.45
    ),
    _baseline("a baseline without its start", None, -0.2, IMAGED, ""),
    _baseline("a baseline in ms", -200, 0),
    _baseline("a baseline outside the data", -0.9, -0.2),
    *(
        _row(f"a baseline that is {text}", REFUSED, "WindowError", baseline=b)
        for text, b in {
            "one number": 0.2,
            "text": "-0.5 -0.2",
            "three numbers": (-0.5, -0.2, 0.0),
            "a pair of texts": ("-0.5", "-0.2"),
            "empty": (),
        }.items()
    ),
    _row(
        "a baseline that is an array",
        IMAGED,
        baseline=np.array([-0.5, -0.2]),
    ),
    _baseline("a baseline of three samples", -0.5, -0.496),
    _baseline("a baseline reversed", -0.2, -0.5),
    Row(
        "windows and baselines",
        "LCMV of a response far above the noise",
        lambda _: evoked(tmin=-0.5),
        LIMIT,
        methods=("lcmv",),
    ),
]
