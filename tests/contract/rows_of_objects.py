"""What is given to Python: recordings, head models, networks, options."""

from __future__ import annotations

from dataclasses import replace

import mne
import numpy as np
from contract.subject import bare, clean, evoked, head, network
from contract.table import IMAGED, LIMIT, NOTICED, REFUSED, REPAIRED, Row

from deepsif_lite.head import load_head_model


def _types(kind):
    given = evoked(info=bare(head().ch_names))
    return given.set_channel_types(
        dict.fromkeys(given.ch_names, kind), on_unit_change="ignore"
    )


def _csd(_):
    return mne.preprocessing.compute_current_source_density(evoked(), verbose="error")


def _bipolar(_):
    chains = (("Fp1", "F7"), ("F7", "T7"), ("T7", "P7"), ("P7", "O1"))
    chains += (("Fp2", "F8"), ("F8", "T8"), ("T8", "P8"), ("P8", "O2"), ("Fz", "Cz"))
    index = head().ch_names.index
    data = np.array([clean()[index(a)] - clean()[index(b)] for a, b in chains])
    return evoked(data, bare(f"{a}-{b}" for a, b in chains))


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
    _given("a list of Evokeds", lambda _: [evoked()]),
    _given("a tuple of Evokeds", lambda _: (evoked(),)),
    _given("an array", lambda _: clean()),
    _given("the text of a path", lambda _: "a-ave.fif"),
    _given("None", lambda _: None),
    _given("mne.Info", lambda _: head().info),
    _given("a dictionary", lambda _: {"data": clean()}),
    _row("a standard error instead of an average", _kind, NOTICED, "not an average"),
    _row(
        "channels of type csd (current source density)", _csd, REFUSED, "ChannelError"
    ),
    _row("a bipolar montage", _bipolar, REFUSED, "ChannelError"),
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
    _option("a baseline for a network", "deepsif", baseline=(0.0, 0.2)),
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
    _option("a method that does not exist", "dspm"),
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
