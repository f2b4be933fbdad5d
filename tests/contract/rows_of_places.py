"""Where electrodes are said to be, and channels that are none on the scalp."""

from __future__ import annotations

import warnings

import mne
import numpy as np
from contract.subject import (
    bare,
    clean,
    evoked,
    head,
    noise,
    placed,
    points,
    sphere_about_zero,
)
from contract.table import IMAGED, NOTICED, REFUSED, REPAIRED, Row

from deepsif_lite.head import template_cap
from deepsif_lite.head.fsaverage import mri_to_head

NUMBERS = [f"E{i}" for i in range(75)]
QUARTER = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])  # a turn about the vertical


def _in_frame(frame, positions):
    """Give numbered electrodes positions in a frame, without fiducials."""
    places = dict(zip(NUMBERS, positions, strict=True))
    montage = mne.channels.make_dig_montage(places, coord_frame=frame)
    info = bare(NUMBERS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MNE says that fiducials are not there
        info.set_montage(montage, verbose="error")
    return evoked(info=info)


def _with_fiducials(change, marks_too=True):
    """Move the cap, and with it what tells where the head is, or not."""
    known = head().info.get_montage().get_positions()
    marks = {name: np.array(known[name]) for name in ("nasion", "lpa", "rpa")}
    if marks_too:
        marks = {name: change(mark) for name, mark in marks.items()}
    places = dict(zip(NUMBERS, change(points()), strict=True))
    montage = mne.channels.make_dig_montage(places, **marks, coord_frame="unknown")
    return evoked(info=bare(NUMBERS).set_montage(montage, verbose="error"))


def _in_mri():
    to_head = np.asarray(mri_to_head())
    return (points() - to_head[:3, 3]) @ to_head[:3, :3]


def _others(names, positions, size=1e-4):
    """Append channels of type EEG that have places."""
    data = np.vstack([clean(), noise(size, (len(names), 500))])
    places = np.vstack([points(), positions])
    return evoked(data, placed(places, [*head().ch_names, *names], data).info)


def _together(count):
    positions = points()
    positions[5 : 5 + count] = positions[5]
    return placed(positions, NUMBERS)


def _in_the_brain(_):
    rng = np.random.default_rng(0)
    names = [f"LA{i}" for i in range(40)]
    positions = rng.uniform(-0.05, 0.05, (40, 3)) + [0, 0, 0.05]
    return placed(positions, names, noise(5e-5, (40, 500)))


def _three_hundred(_):
    """Record the patch on all electrodes of the 10-05 system, nearly."""
    names = mne.channels.make_standard_montage("colin27_1005").ch_names
    names = [n for n in names if n not in ("T3", "T4", "T5", "T6") and n[0] not in "AM"]
    return _as_template(names[:300])


def _as_template(names):
    cap, own = template_cap(names), template_cap(head().ch_names)
    strength = np.linalg.lstsq(own.leadfield, clean(), rcond=1e-3)[0]
    return evoked(cap.leadfield @ strength, bare(names))


def _row(text, make, verdict=IMAGED, says="", **options):
    return Row("places", text, make, verdict, says, options)


ROWS = [
    _row("the frame of an MRI, no fiducials", lambda _: _in_frame("mri", _in_mri())),
    _row(
        "CTF's frame, nose along x",
        lambda _: _in_frame("ctf_head", points()[:, [1, 0, 2]] * [1, -1, 1]),
    ),
    _row(
        "fiducials and cap turned by 90 degrees",
        lambda _: _with_fiducials(lambda p: p @ QUARTER.T),
    ),
    _row("fiducials and cap in mm", lambda _: _with_fiducials(lambda p: 1e3 * p)),
    _row(
        "a child's head, with fiducials", lambda _: _with_fiducials(lambda p: 0.8 * p)
    ),
    _row(
        "fiducials 2 cm to one side of the cap",
        lambda _: _with_fiducials(lambda p: p + [0.02, 0, 0], marks_too=False),
        REPAIRED,
        "20 mm to one side",
    ),
    _row(
        "numbered electrodes in micrometers",
        lambda _: placed(1e6 * sphere_about_zero(), NUMBERS),
    ),
    _row(
        "two electrodes at one place",
        lambda _: _together(2),
        REPAIRED,
        "'E5', 'E6'. share their places",
    ),
    _row(
        "ten electrodes at one place", lambda _: _together(10), NOTICED, "share their"
    ),
    _row("contacts in the brain", _in_the_brain, REFUSED, "ChannelError"),
    _row(
        "eyes of type EEG, placed beside the electrodes",
        lambda _: _others(["HEOG"], [[0.07, 0.06, -0.03]]),
        REPAIRED,
        "'HEOG'.*something else",
    ),
    _row(
        "the heart and muscles of type EEG, placed on the neck",
        lambda _: _others(["ECG", "EMG1"], [[0, -0.06, -0.09], [0.02, -0.06, -0.09]]),
        REPAIRED,
        "'ECG', 'EMG1'.*something else",
    ),
    _row("300 electrodes of the 10-05 system", _three_hundred),
]
