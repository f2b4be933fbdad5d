"""What is given to Python: recordings, head models, networks, options."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import mne
import numpy as np
import pandas as pd
import torch
from contract.rows_of_headers import PAIRS, bipolar
from contract.subject import bare, clean, evoked, head, network
from contract.table import IMAGED, LIMIT, NOTICED, REFUSED, REPAIRED, Row

from deepsif_lite.head import load_head_model
from deepsif_lite.imaging import image


def _types(kind):
    given = evoked(info=bare(head().ch_names))
    return given.set_channel_types(
        dict.fromkeys(given.ch_names, kind), on_unit_change="ignore"
    )


def _csd(_):
    return mne.preprocessing.compute_current_source_density(evoked(), verbose="error")


def _bipolar(spelled="{}-{}"):
    data, names = bipolar(spelled)
    return evoked(data, bare(names))


def _pairs(n_pairs):
    """Replace electrodes by MNE's differences of two, which have the place of one."""
    anodes, cathodes = zip(*PAIRS[:n_pairs], strict=True)
    return mne.set_bipolar_reference(
        evoked(), list(anodes), list(cathodes), verbose="error"
    )


def _first_alone(_):
    """Name differences of two electrodes as the first of them."""
    data, names = bipolar("{}")
    first = [names.index(name) for name in dict.fromkeys(names)]
    return evoked(data[first], bare(names[k] for k in first))


def _laplacian(_):
    return evoked(_csd(_).data)


def _epochs(names):
    """Return two epochs, of a condition each."""
    return mne.EpochsArray(
        np.stack([clean(), clean()]),
        head().info.copy(),
        np.c_[[0, 1], [0, 0], [1, 2]],
        event_id=dict(zip(names, (1, 2), strict=True)),
        verbose="error",
    )


def _kind(_):
    given = evoked()
    given.kind = "standard_error"
    return given


def _scrambled():
    order = np.random.default_rng(0).permutation(head().cortex.n_regions)
    return replace(head(), leadfield=head().leadfield[:, order])


def _reversed_head():
    return replace(
        head(),
        leadfield=head().leadfield[::-1],
        ch_names=head().ch_names[::-1],
        info=mne.pick_info(head().info, np.arange(75)[::-1]),
        sensors=head().sensors[::-1],
    )


def _row(text, make, verdict, says="", methods=("deepsif", "sloreta"), **options):
    return Row("objects", text, make, verdict, says, options, methods)


def _given(text, make, says="SignalError"):
    return _row(text, make, REFUSED, says, ("deepsif", "sloreta", "lcmv"))


def _option(text, method, **options):
    return _row(text, lambda _: evoked(), REFUSED, "OptionError", (method,), **options)


def _values(change):
    """Give values that MNE would not have let in."""
    given = evoked()
    given.data = change(given.data)
    return given


def _read_only(data):
    data.setflags(write=False)
    return data


def _typed(text, change, verdict=REFUSED, says="SignalError"):
    return _row(f"values {text}", lambda _: _values(change), verdict, says)


def _mistaken(text, says="MismatchError", **parts):
    """Give a head model of which one part was made anew."""
    given = replace(head(), **parts)
    return _row(
        f"a head model {text}",
        lambda _: evoked(),
        REFUSED,
        says,
        head=given,
        model=None,
    )


def _no_head(text, given):
    return _row(
        f"a head that is {text}",
        lambda _: evoked(),
        REFUSED,
        "OptionError",
        head=given,
        model=None,
    )


FIELD = head().leadfield
FIRST = np.arange(head().cortex.n_regions) == 0
ROWS = [
    _row("mne.Evoked", lambda _: evoked(), IMAGED),
    _given(
        "mne.io.Raw",
        lambda _: mne.io.RawArray(clean(), head().info.copy(), verbose="error"),
    ),
    _given(
        "mne.Epochs",
        lambda _: mne.EpochsArray(clean()[None], head().info.copy(), verbose="error"),
    ),
    _given("epochs of two conditions", lambda _: _epochs(("target", "standard"))),
    _given("a dictionary of Evokeds", lambda _: {"target": evoked()}),
    _given("an iterator of Evokeds", lambda _: iter([evoked()])),
    _given("a list of several kinds", lambda _: [evoked(), clean(), None]),
    _given("an empty list", lambda _: []),
    _given("mne's spectrum", lambda _: evoked().compute_psd(verbose="error")),
    _given("a tensor of torch", lambda _: torch.tensor(clean())),
    _given("a list of Evokeds", lambda _: [evoked()]),
    _given("a tuple of Evokeds", lambda _: (evoked(),)),
    _given("an array", lambda _: clean()),
    _given("the text of a path", lambda _: "a-ave.fif"),
    _given("None", lambda _: None),
    _given("mne.Info", lambda _: head().info),
    _given("a dictionary", lambda _: {"data": clean()}),
    _given("mne.SourceEstimate", lambda _: image(evoked(), "sloreta").to_stc()),
    _given("a data frame", lambda _: evoked().to_data_frame()),
    _given(
        "a list of Evokeds of several caps",
        lambda _: [evoked(), evoked().pick(range(9))],
    ),
    _typed("in single precision", np.float32, IMAGED, ""),
    _typed("in half precision", np.float16, IMAGED, ""),
    _typed("in the other byte order", lambda d: d.astype(">f8"), IMAGED, ""),
    _typed("that are Python's numbers", lambda d: d.astype(object)),
    _typed("that are whole numbers, in uV", lambda d: np.round(1e6 * d).astype("i2")),
    _typed("that nobody may write to", _read_only, IMAGED, ""),
    _typed("in a tensor of torch", torch.tensor),
    _typed("in a data frame", pd.DataFrame),
    _typed("in a list", np.ndarray.tolist),
    _typed("that are complex", lambda d: d + 1j * d),
    _typed("that are true or false", lambda d: d > 0),
    _typed("of which some are masked", lambda d: np.ma.masked_greater(d, 4e-5)),
    _typed("for fewer times", lambda d: d[:, :400]),
    _typed("for one channel fewer", lambda d: d[:-1]),
    _typed("of three axes", lambda d: d[None]),
    _row(
        "an analytic signal", lambda _: evoked().apply_hilbert(), REFUSED, "SignalError"
    ),
    _row("a standard error instead of an average", _kind, NOTICED, "not an average"),
    _row(
        "channels of type csd (current source density)", _csd, REFUSED, "ChannelError"
    ),
    _row("a bipolar montage", lambda _: _bipolar(), REFUSED, "ChannelError"),
    _row(
        "a bipolar montage, its names without a hyphen (Fp1F7)",
        lambda _: _bipolar("{}{}"),
        REFUSED,
        "ChannelError",
    ),
    _row("a bipolar montage, named by the first electrodes", _first_alone, LIMIT),
    _row(
        "differences of two electrodes, by MNE, beside others",
        lambda _: _pairs(4),
        REPAIRED,
        "differences of two electrodes",
    ),
    _row("a Laplacian that says it is EEG", _laplacian, LIMIT),
    *(
        _row(
            f"channels of type {kind}",
            lambda _, kind=kind: _types(kind),
            REFUSED,
            "ChannelError",
        )
        for kind in ("misc", "mag", "seeg", "eog")
    ),
    _row(
        "a head model by name",
        lambda _: evoked(),
        IMAGED,
        head="template-75",
        model=None,
        methods=("deepsif",),
    ),
    _row(
        "a head model of that name with other contents",
        lambda _: evoked(),
        LIMIT,
        head=_scrambled(),
        model=None,
    ),
    _row(
        "the same, for a network of one montage",
        lambda _: evoked(),
        REFUSED,
        "MismatchError",
        ("deepsif",),
        head=_scrambled(),
        model="lite-75-known-head",
    ),
    _row(
        "a head model with its channels in another order",
        lambda _: evoked(),
        IMAGED,
        methods=("sloreta",),
        head=_reversed_head(),
    ),
    _row(
        "a network for any electrodes, and a head model",
        lambda _: evoked(),
        REPAIRED,
        "not in the head model",
        ("deepsif",),
        head=load_head_model("template-64"),
    ),
    _row(
        "a network of one montage, and another head model",
        lambda _: evoked(),
        REFUSED,
        "MismatchError",
        ("deepsif",),
        head=load_head_model("template-64"),
        model="lite-75-known-head",
    ),
    _row(
        "a network for fewer channels",
        lambda _: evoked(),
        NOTICED,
        "not in the head model",
        ("deepsif",),
        model="lite-64",
    ),
    _no_head("a number", 5),
    _no_head("a path", Path("template-75")),
    _no_head("mne.Info", head().info),
    _no_head("a leadfield", FIELD),
    _mistaken("with NaN", leadfield=np.where(FIRST, np.nan, FIELD)),
    _mistaken("of zeros", leadfield=0 * FIELD),
    _mistaken("the same at all electrodes", leadfield=np.ones_like(FIELD)),
    _mistaken("of complex numbers", leadfield=FIELD.astype(complex)),
    _mistaken("turned on its side", leadfield=FIELD.T),
    _mistaken("of one region fewer", leadfield=FIELD[:, 1:]),
    _mistaken("of three directions", leadfield=np.repeat(FIELD, 3, axis=1)),
    _mistaken("whose names are in another order", ch_names=head().ch_names[::-1]),
    _mistaken("of one name alone", ch_names=["Fp1"] * 75),
    _mistaken("without positions", info=bare(head().ch_names)),
    _mistaken("without sensors", sensors=None),
    _option("a network that is a number", "deepsif", model=5),
    _option("a network that is a module of torch", "deepsif", model=network().network),
    _option("a method that is a list", "sloreta", match=["name"]),
    *(
        _option(f"lambda2 that is {value!r}", "sloreta", lambda2=value)
        for value in ("0.1", None, 1j, np.inf, np.nan, -1.0)
    ),
    _option("a depth that is text", "sloreta", depth="deep"),
    _option("a negative depth", "sloreta", depth=-1.0),
    *(
        _row(
            f"noise_cov {text}",
            lambda _: evoked(),
            REFUSED,
            says,
            noise_cov=matrix,
        )
        for text, says, matrix in (
            ("that is text", "SignalError", "diagonal"),
            ("of NaN", "SignalError", np.full((75, 75), np.nan)),
            ("that is not symmetric", "SignalError", np.triu(np.ones((75, 75)))),
            ("of 74 channels", "ChannelError", np.eye(74)),
            ("of zeros", "SignalError", np.zeros((75, 75))),
        )
    ),
    _row(
        "noise_cov as an mne.Covariance",
        lambda _: evoked().drop_channels(["Cz"]),
        IMAGED,
        noise_cov=mne.make_ad_hoc_cov(head().info, verbose="error"),
    ),
    _row(
        "a baseline for a network of one montage",
        lambda _: evoked(),
        REFUSED,
        "MismatchError",
        ("deepsif",),
        baseline=(0.0, 0.2),
        model="paper-75",
    ),
    _option("lambda2 for a network", "deepsif", lambda2=0.1),
    _option("a network for sLORETA", "sloreta", model=network()),
    _option("an option that sLORETA has not", "sloreta", reg=0.1),
    _option("an option that LCMV has not", "lcmv", depth=0.8),
    _option(
        "baseline and noise_cov at once",
        "sloreta",
        baseline=(0.0, 0.2),
        noise_cov=np.eye(75),
    ),
    _option("a method that does not exist", "eloreta"),
    _option("a way to match that does not exist", "sloreta", match="index"),
    _row(
        "a head model that does not exist",
        lambda _: evoked(),
        REFUSED,
        "OptionError",
        ("sloreta",),
        head="template-76",
    ),
    _row(
        "a network that does not exist",
        lambda _: evoked(),
        REFUSED,
        "FileNotFoundError",
        ("deepsif",),
        model="lite-76",
    ),
]
