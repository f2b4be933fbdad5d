"""Files of which the header says more, or less, or something else than usual."""

from __future__ import annotations

import gzip
import re

import mne
import numpy as np
from contract.rows_of_files import WHOLE
from contract.subject import (
    N_TIMES,
    SFREQ,
    bare,
    clean,
    evoked,
    head,
    noise,
    projector,
    sphere_about_zero,
)
from contract.table import IMAGED, LIMIT, NOTICED, REFUSED, Row
from eeg_files import (
    annotations,
    eeglab_fields,
    write_brainvision,
    write_edf,
    write_persyst,
)
from scipy.io import savemat

SECOND = {"tmin": 1.0, "tmax": 2 - 1 / SFREQ}
CHAINS = ("Fp1 F7 T7 P7 O1", "Fp2 F8 T8 P8 O2", "Fp1 F3 C3 P3 O1", "Fp2 F4 C4 P4 O2")
PAIRS = [pair for c in CHAINS for pair in zip(c.split(), c.split()[1:], strict=False)]


def bipolar(name):
    """Return the double banana, its channels named by a format."""
    index = head().ch_names.index
    data = [clean()[index(a)] - clean()[index(b)] for a, b in PAIRS]
    return np.array(data), [name.format(*pair) for pair in PAIRS]


def _three_seconds():
    """Return noise, the response, and noise."""
    rest = noise(1e-6, (75, N_TIMES))
    return np.hstack([rest, clean(), rest])


def _edf(folder, name="a.edf", data=None, names=None, scale=1e6, **header):
    data = scale * (clean() if data is None else data)
    write_edf(folder / name, data, names or head().ch_names, SFREQ, **header)
    return folder / name


def _annotated(folder, text):
    channel = annotations(["", text, ""])
    return _edf(folder, data=_three_seconds(), kind="EDF+C", others=[channel])


def _in_unit(folder, unit, per_volt):
    return _edf(folder, scale=per_volt, unit=unit, span=1e-4 * per_volt)


def _with_status(folder):
    status = "Status", [b"\0\0\1" * SFREQ]
    return _edf(folder, "a.bdf", others=[status])


def _unknown_length(folder):
    path = _edf(folder)
    content = bytearray(path.read_bytes())
    content[236:244] = b"-1".ljust(8)
    path.write_bytes(content)
    return path


def _cut_short(folder):
    path = _edf(folder, data=_three_seconds())
    path.write_bytes(path.read_bytes()[: -75 * 2 * SFREQ * 3 // 2])
    return path


def _pairs(folder):
    data, names = bipolar("EEG {}-{}")
    return _edf(folder, data=data, names=names)


def _brainvision(folder, change=lambda text: text, encoding="utf-8", data=None, **more):
    """Write microvolts; change: the text of the header."""
    path = folder / "a.vhdr"
    data = 1e6 * (clean() if data is None else data)
    write_brainvision(path, data, head().ch_names, SFREQ, **more)
    path.write_bytes(change(path.read_text()).encode(encoding))
    return path


def _unit(unit, **more):
    def make(folder):
        return _brainvision(
            folder, lambda text: text.replace(",1,uV", f",1,{unit}"), **more
        )

    return make


def _whole_numbers(folder):
    def change(text):
        text = text.replace(",1,uV", ",0.01,uV").replace("IEEE_FLOAT_32", "INT_16")
        return text.replace("MULTIPLEXED", "VECTORIZED")

    path = _brainvision(folder, change)
    samples = np.round(1e8 * clean()).astype("<i2")
    path.with_suffix(".eeg").write_bytes(samples.tobytes())
    return path


def _another_quantity(folder):
    """Add the conductance of the skin to the file."""
    names = [*head().ch_names, "GSR"]
    path = folder / "a.vhdr"
    data = 1e6 * np.vstack([clean(), noise(1e-6, (1, N_TIMES))])
    write_brainvision(path, data, names, SFREQ)
    path.write_text(re.sub("GSR,,1,uV", "GSR,,1,\u00b5S", path.read_text()), "utf-8")
    return path


def _eeglab(folder, names=None, places=None, types=None, data=None, **fields):
    names = names or head().ch_names
    data = 1e6 * (clean() if data is None else data)
    content = eeglab_fields(data, names, SFREQ)
    columns = {"labels": names}
    if places is not None:
        columns |= dict(zip("XYZ", places.T.tolist(), strict=True))
    if types is not None:
        columns["type"] = types
    rows = list(zip(*columns.values(), strict=True))
    content["chanlocs"] = np.array(rows, [(name, "O") for name in columns])
    savemat(folder / "a.set", content | fields, appendmat=False, oned_as="row")
    return folder / "a.set"


def _placed_in_eeglab(scale, turned=False):
    """Number the electrodes, and place them with the nose along x, as EEGLAB does."""

    def make(folder):
        x, y, z = scale * sphere_about_zero().T
        places = np.c_[x, y, z] if turned else np.c_[y, -x, z]
        return _eeglab(folder, [f"E{i + 1}" for i in range(75)], places)

    return make


def _eyes_in_eeglab(folder):
    data = np.vstack([clean(), noise(1e-4, (1, N_TIMES))])
    types = ["EEG"] * 75 + ["EOG"]
    return _eeglab(folder, [*head().ch_names, "left eye"], types=types, data=data)


def _joined(folder):
    fields = [("latency", "O"), ("type", "O"), ("epoch", "O")]
    return _eeglab(folder, event=np.array([(250, "boundary", 1)], fields))


def _persyst(folder):
    names = [f"EEG {name}-Ref" for name in head().ch_names]
    write_persyst(folder / "a.lay", 1e6 * clean(), names, SFREQ)
    return folder / "a.lay"


def _magnetic(folder):
    names = ["MEG 0111", "MEG 0112", *head().ch_names, "EOG 061", "STI 014"]
    kinds = ["mag", "grad", *["eeg"] * 75, "eog", "stim"]
    others = [
        noise(1e-13, (2, N_TIMES)),
        noise(1e-4, (1, N_TIMES)),
        np.ones((1, N_TIMES)),
    ]
    data = np.vstack([others[0], clean(), *others[1:]])
    return _fif(folder, evoked(data, bare(names, kinds)))


def _fif(folder, given):
    mne.write_evokeds(folder / "a-ave.fif", given, overwrite=True, verbose="error")
    return folder / "a-ave.fif"


def _two_conditions(folder, names=("target", "standard")):
    epochs = mne.EpochsArray(
        np.stack([clean(), clean(), -0.1 * clean()]),
        head().info.copy(),
        np.c_[[0, 1, 2], [0, 0, 0], [1, 1, 2]],
        event_id=dict(zip(names, (1, 2), strict=True)),
        verbose="error",
    )
    epochs.save(folder / "a-epo.fif", overwrite=True, verbose="error")
    return folder / "a-epo.fif"


def _covariance(folder):
    covariance = mne.make_ad_hoc_cov(head().info, verbose="error")
    covariance.save(folder / "a-cov.fif", overwrite=True, verbose="error")
    return folder / "a-cov.fif"


def _waiting(folder):
    return _fif(folder, evoked().add_proj(projector(), verbose="error"))


def _folder(name):
    def make(folder):
        (folder / name).mkdir(exist_ok=True)
        return folder / name

    return make


def _bytes(name, content=b""):
    def make(folder):
        (folder / name).write_bytes(content)
        return folder / name

    return make


def _packed(folder):
    path = _edf(folder)
    packed = folder / "a.edf.gz"
    packed.write_bytes(gzip.compress(path.read_bytes(), 1))
    return packed


def _row(text, make, verdict=IMAGED, says="", **options):
    return Row("files", text, make, verdict, says, options)


def _whole(text, make, verdict=IMAGED, says=""):
    return _row(text, make, verdict, says, **WHOLE)


def _no_file(text, make):
    return _whole(text, make, REFUSED, "FileError")


ROWS = [
    _row(
        "EDF+C with annotations", lambda f: _annotated(f, "+1.5\x14go\x14\0"), **SECOND
    ),
    _row(
        "EDF+C, annotated as bad within the window",
        lambda f: _annotated(f, "+1.5\x150.2\x14Bad contact\x14\0"),
        NOTICED,
        "Bad contact",
        **SECOND,
    ),
    _whole("EDF in mV", lambda f: _in_unit(f, "mV", 1e3)),
    _whole("EDF in \u00b5V", lambda f: _in_unit(f, "\u00b5V", 1e6)),
    _whole(
        "EDF in nV, which EDF has not",
        lambda f: _in_unit(f, "nV", 1e9),
        REFUSED,
        "SignalError",
    ),
    _whole(
        "EDF without a unit", lambda f: _in_unit(f, "", 1e6), REFUSED, "SignalError"
    ),
    _whole("EDF, its number of records unknown (-1)", _unknown_length),
    _row("EDF cut short in the window", _cut_short, REFUSED, "WindowError", **SECOND),
    _whole("EDF of a bipolar montage", _pairs, REFUSED, "ChannelError"),
    _whole("BDF with a Status channel", _with_status),
    _whole("BrainVision in \u00b5V, Latin-1", _unit("\u00b5V", encoding="latin-1")),
    _whole(
        "BrainVision in \u03bcV, with a Greek letter",
        _unit("\u03bcV"),
        REFUSED,
        "ChannelError",
    ),
    _whole("BrainVision without a unit", _unit("")),
    _whole("BrainVision in degrees (C)", _unit("C"), REFUSED, "ChannelError"),
    _whole("BrainVision in whole numbers, by channel", _whole_numbers),
    _whole("BrainVision with a channel in \u00b5S", _another_quantity),
    _row(
        "BrainVision, marked as a bad interval within the window",
        lambda f: _brainvision(
            f, data=_three_seconds(), marks=["Mk2=Bad Interval,Bad,700,100,0"]
        ),
        NOTICED,
        "Bad Interval",
        **SECOND,
    ),
    _whole("EEGLAB .set, numbered, positions in mm", _placed_in_eeglab(1e3)),
    _whole("EEGLAB .set, numbered, on a sphere of radius 1", _placed_in_eeglab(12.0)),
    _whole(
        "EEGLAB .set, numbered, nose along y",
        _placed_in_eeglab(1e3, turned=True),
        LIMIT,
    ),
    _whole(
        "EEGLAB .set, numbered, without positions",
        lambda f: _eeglab(f, [f"E{i + 1}" for i in range(75)]),
        REFUSED,
        "ChannelError",
    ),
    _whole("EEGLAB .set with a channel of type EOG", _eyes_in_eeglab),
    _whole(
        "EEGLAB .set, joined within the window (boundary)",
        _joined,
        NOTICED,
        "boundary",
    ),
    _whole("Persyst .lay, channels as EEG Fp1-Ref", _persyst),
    _row("evoked .fif with MEG, eyes and triggers", _magnetic),
    _row(
        "evoked .fif with a projector that was not applied",
        _waiting,
        NOTICED,
        "were not applied",
    ),
    _row(
        "epochs .fif of two conditions, none chosen",
        _two_conditions,
        NOTICED,
        r"2 conditions.*epochs\['target'\]",
    ),
    _row(
        "epochs .fif of two conditions, one chosen",
        _two_conditions,
        condition="target",
    ),
    _row(
        "epochs .fif, conditions chosen by a part of their names",
        lambda f: _two_conditions(f, ("tone/left", "flash/left")),
        condition="tone",
    ),
    _no_file("a .fif that holds a noise covariance", _covariance),
    _no_file("a folder", _folder("recording")),
    _no_file("a folder named .fif", _folder("b-ave.fif")),
    _no_file("an empty folder named .mff", _folder("a.mff")),
    _no_file("an empty .edf", _bytes("b.edf")),
    _no_file("an empty .fif.gz", _bytes("b-ave.fif.gz")),
    _no_file("a .gz cut short", _bytes("c.fif.gz", gzip.compress(bytes(999))[:20])),
    _no_file("a packed EDF (.edf.gz)", _packed),
    *(
        _no_file(f"a table or an array (.{end})", _bytes(f"d.{end}", b"1;2\n" * 99))
        for end in ("tsv", "txt", "xlsx", "npy", "h5")
    ),
]
