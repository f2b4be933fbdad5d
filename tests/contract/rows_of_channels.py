"""Names, positions, missing channels."""

from __future__ import annotations

import mne
import numpy as np
from contract.subject import (
    bare,
    clean,
    evoked,
    head,
    loud,
    noise,
    on,
    placed,
    points,
    renamed,
    sphere_about_zero,
)
from contract.table import IMAGED, LIMIT, NOTICED, REFUSED, REPAIRED, WITHIN, Row

from deepsif_lite.head import TEN_TWENTY

OLD = {"T7": "T3", "T8": "T4", "P7": "T5", "P8": "T6"}


def _odd(names, values=1e-4):
    """Append channels that the head model has not."""
    extra = noise(values, (len(names), 500))
    data = np.vstack([clean(), extra])
    return evoked(data, bare([*head().ch_names, *names]))


def _twice(_, names=("Cz", "CZ")):
    data = np.vstack([clean(), clean()[:1]])
    labels = [*head().ch_names, names[1]]
    return evoked(data, bare(labels))


def _repeated(_):
    given = evoked()
    given.info["chs"][1]["ch_name"] = given.ch_names[0]
    given.info._update_redundant()
    return given


def _minus(_):
    return renamed(lambda n: f"A1-{n}")


def _biosemi(_, positions=False):
    order = mne.channels.make_standard_montage("biosemi64").ch_names
    given = evoked().pick([n for n in order if n in head().ch_names])
    given.reorder_channels([n for n in order if n in given.ch_names])
    given = evoked(given.data, bare(given.ch_names))
    numbers = {n: f"{'AB'[i // 32]}{i % 32 + 1}" for i, n in enumerate(order)}
    return given.rename_channels({n: numbers[n] for n in given.ch_names})


def _with_others(_):
    """Record what BioSemi's amplifiers do beside a cap of 32."""
    order = mne.channels.make_standard_montage("biosemi32").ch_names
    there = [name for name in order if name in head().ch_names]
    others = [f"EXG{i}" for i in range(1, 9)]
    others += ["GSR1", "GSR2", "Erg1", "Erg2", "Resp", "Plet", "Temp"]
    data = evoked().pick(there).reorder_channels(there).data
    names = [f"A{order.index(name) + 1}" for name in there]
    data = np.vstack([data, noise(1e-4, (len(others), 500))])
    return evoked(data, bare([*names, *others]))


def _cyrillic(name):
    return name.translate(str.maketrans("CPTO", "\u0421\u0420\u0422\u041e"))


def _missing(count, of):
    return evoked().drop_channels([head().ch_names[i] for i in of[:count]])


def _only(names):
    """Leave the electrodes of a smaller cap."""
    return evoked().pick(names)


def _cap(montage):
    """Record at those electrodes of one of MNE's montages that the truth has."""
    there = mne.channels.make_standard_montage(montage).ch_names
    return _only([name for name in head().ch_names if name in there])


def _numbered(given):
    """Name the electrodes as EGI does."""
    return given.rename_channels({n: f"E{i + 1}" for i, n in enumerate(given.ch_names)})


def _bads(count):
    given = evoked()
    chosen = np.random.default_rng(5).permutation(75)[:count]
    given.data[chosen] = np.nan
    given.info["bads"] = [head().ch_names[i] for i in chosen]
    return given


def _anonymous(positions):
    return placed(positions, [f"E{i}" for i in range(75)])


def _turned(degrees, axis=2):
    angle = np.radians(degrees)
    turn = np.eye(3)
    a, b = [i for i in range(3) if i != axis]
    turn[a, a] = turn[b, b] = np.cos(angle)
    turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
    return sphere_about_zero() @ turn.T


def _wrong_fiducials(_):
    marks = {"nasion": [0, -0.1, 0], "lpa": [0.08, 0, 0], "rpa": [-0.08, 0, 0]}
    places = dict(zip(head().ch_names, points(), strict=True))
    montage = mne.channels.make_dig_montage(places, **marks, coord_frame="head")
    info = bare(head().ch_names).set_montage(montage, verbose="error")
    return evoked(info=info)


def _infinite(_):
    given = _anonymous(points())
    given.info["chs"][3]["loc"][:3] = np.inf
    return given


def _swapped_names(_):
    given = evoked()
    names = head().ch_names
    i, j = loud()[0], loud()[-1]
    given.data[[i, j]] = given.data[[j, i]]
    assert names[i] != names[j]
    return given


def _shuffled(_):
    return evoked(clean()[np.random.default_rng(3).permutation(75)])


def _named(montage):
    """Place the electrodes where a montage has those of their names."""
    there = mne.channels.make_standard_montage(montage)
    given = evoked(info=bare(head().ch_names))
    given.pick([name for name in given.ch_names if name in there.ch_names])
    return given.set_montage(there)


def _nowhere(count):
    given = _anonymous(points())
    for channel in given.info["chs"][:count]:
        channel["loc"][:3] = np.nan
    return given


def _name(text, make, verdict=IMAGED, says="", **options):
    return Row("channel names", text, make, verdict, says, options)


def _spelled(text, spell):
    return _name(f"names as {text}", lambda _: renamed(spell))


def _absent(text, make, verdict=IMAGED, says="", **options):
    return Row("missing channels", text, make, verdict, says, options)


def _cap_row(text, make, verdict=IMAGED, says="", within=WITHIN, **options):
    return Row("caps", text, make, verdict, says, options, within=within)


def _one_montage(text, make, verdict, says):
    options = {"model": "lite-75-known-head"}
    return Row("caps", text, make, verdict, says, options, ("deepsif",))


def _position(text, make, verdict=IMAGED, says=""):
    return Row("positions", text, make, verdict, says, {"match": "position"})


RANDOM = np.random.default_rng(5).permutation(75)
SIXTEEN = [name for name in TEN_TWENTY if name not in ("Fz", "Cz", "Pz")]
COARSE = 20.0  # mm; electrodes are three times as far apart
TEN = "Fp1 Fp2 T7 C3 Cz C4 T8 Pz O1 O2".split()

ROWS = [
    _spelled("FP1", str.upper),
    _spelled("fp1", str.lower),
    _spelled("EEG Fp1", lambda n: f"EEG {n}"),
    _spelled("EEG Fp1-REF", lambda n: f"EEG {n}-REF"),
    _spelled("EEG FP1-LE", lambda n: f"EEG {n.upper()}-LE"),
    _spelled("POL Fp1", lambda n: f"POL {n}"),
    _spelled("Fp1-CPz", lambda n: f"{n}-CPz"),
    _spelled("Fp1-A1A2", lambda n: f"{n}-A1A2"),
    _spelled("Fp1:REF", lambda n: f"{n}:REF"),
    _spelled("Fp1-0", lambda n: f"{n}-0"),
    _spelled("Fp1.", lambda n: f"{n}."),
    _spelled("Fp1 - REF", lambda n: f"{n} - REF"),
    _spelled("Fp1(ref)", lambda n: f"{n}(ref)"),
    _spelled("Fp1Ref", lambda n: f"{n}Ref"),
    _spelled("EEGFp1", lambda n: f"EEG{n}"),
    _spelled("[Fp1]", lambda n: f"[{n}]"),
    _spelled("'Fp1', in quotes", lambda n: f"'{n}'"),
    _spelled("S01.Fp1", lambda n: f"S01.{n}"),
    _spelled("Fp1[uV]", lambda n: f"{n}[uV]"),
    _spelled("Fp1_uV", lambda n: f"{n}_uV"),
    _spelled("eeg fp1-m1m2", lambda n: f"eeg {n.lower()}-m1m2"),
    _spelled("Fp1-(M1+M2)/2", lambda n: f"{n}-(M1+M2)/2"),
    _spelled("Cyrillic letters that look like Latin ones", _cyrillic),
    _spelled("spaces of no width around them", lambda n: f"\u200b{n}\u00a0 "),
    _spelled("full-width letters", lambda n: "".join(chr(ord(c) + 0xFEE0) for c in n)),
    _name(
        "numbered names (1-Fp1, 2-F7)",
        lambda _: evoked(info=bare(f"{i}-{n}" for i, n in enumerate(head().ch_names))),
    ),
    _name(
        "numbered channels (ch1_Fp1, ch2_F7)",
        lambda _: evoked(
            info=bare(f"ch{i}_{n}" for i, n in enumerate(head().ch_names))
        ),
    ),
    _spelled("T3, T4, T5, T6", lambda n: OLD.get(n, n)),
    _name("another order", lambda _: evoked().reorder_channels(head().ch_names[::-1])),
    _name("BioSemi's A1 to B32", _biosemi),
    _name(
        "EGI's E1 to E128",
        lambda _: on("GSN-HydroCel-128", positions=False),
        REFUSED,
        "ChannelError",
    ),
    _name(
        "numbers (EEG 001)",
        lambda _: evoked(info=bare([f"EEG {i:03d}" for i in range(75)])),
        REFUSED,
        "ChannelError",
    ),
    _name("Cz twice (Cz and CZ)", _twice, REFUSED, "ChannelError"),
    _name(
        "one name twice, as broken files have it", _repeated, REFUSED, "ChannelError"
    ),
    _name("T5 and P7 both", lambda f: _twice(f, ("P7", "T5")), REFUSED, "ChannelError"),
    _name(
        "BioSemi's A1 to A32 with 15 others of type EEG",
        _with_others,
        REPAIRED,
        "'GSR1'.*something else",
    ),
    _name("names minus a channel (A1-Fp1)", _minus, REFUSED, "ChannelError"),
    _name("T7 and T3 both", lambda f: _twice(f, ("T7", "T3")), REFUSED, "ChannelError"),
    _name(
        "eye channels of type EEG",
        lambda _: _odd(["VEOG", "HEOG"]),
        NOTICED,
        "something else by their names",
    ),
    _name(
        "Cz named Vertex",
        lambda _: renamed(lambda n: "Vertex" if n == "Cz" else n),
        REPAIRED,
        "'Vertex'.*not in the head model",
    ),
    _name(
        "Fp1-A1, Fp2-A2 (contralateral mastoids)",
        lambda _: renamed(lambda n: n + ("-A1" if n[-1] in "13579z" else "-A2")),
        NOTICED,
        "-A2'.*not in the head model",
    ),
    _name(
        "the strongest channel swapped with the weakest",
        _swapped_names,
        NOTICED,
        "does not fit|predict",
    ),
    _name("all channels shuffled", _shuffled, NOTICED, "predict 0%"),
    _absent("1 of 75 missing", lambda _: _missing(1, RANDOM)),
    _absent("the strongest missing", lambda _: _missing(1, loud())),
    _absent("10 % missing", lambda _: _missing(8, RANDOM)),
    _absent("10 % missing, the strongest", lambda _: _missing(8, loud())),
    _absent("24 % missing", lambda _: _missing(18, RANDOM)),
    _absent("24 % missing, the strongest", lambda _: _missing(18, loud())),
    _absent(
        "25 % missing (19 of 75)",
        lambda _: _missing(19, RANDOM),
    ),
    _absent("40 % missing", lambda _: _missing(30, RANDOM)),
    _absent(
        "25 % missing, of a head model that is given",
        lambda _: _missing(19, RANDOM),
        head="template-75",
        model=None,
    ),
    _absent("10 % marked bad, of NaN", lambda _: _bads(8)),
    _absent("25 % marked bad, of NaN", lambda _: _bads(19)),
    _absent("40 % marked bad, of NaN", lambda _: _bads(30)),
    _absent("50 % marked bad, of NaN", lambda _: _bads(38)),
    _absent("all marked bad", lambda _: _bads(75), REFUSED, "ChannelError"),
    _absent("69 of 75 marked bad", lambda _: _bads(69), REFUSED, "ChannelError"),
    *(
        _absent(
            f"the {side} half of the cap alone",
            lambda _, chosen=chosen: _only(list(np.array(head().ch_names)[chosen])),
            NOTICED,
            "No electrode lies within",
        )
        for side, chosen in (
            ("front", points()[:, 1] > 0.02),
            ("rear", points()[:, 1] < 0.0),
            ("right", points()[:, 0] > 0.01),
            ("left", points()[:, 0] < -0.01),
        )
    ),
    _cap_row("19 channels of the 10-20 system", lambda _: _only(list(TEN_TWENTY))),
    _cap_row(
        "19 channels, named T3, T4, T5, T6",
        lambda _: _only(list(TEN_TWENTY)).rename_channels({n: OLD[n] for n in OLD}),
    ),
    _cap_row(
        "19 channels and FT9, FT10", lambda _: _only([*TEN_TWENTY, "FT9", "FT10"])
    ),
    _cap_row("16 channels", lambda _: _only(SIXTEEN), within=COARSE),
    _cap_row("10 channels", lambda _: _only(TEN), within=COARSE),
    _cap_row("6 channels", lambda _: _only(TEN[:6]), REFUSED, "ChannelError"),
    _cap_row("BioSemi's 32", lambda _: _cap("biosemi32")),
    _cap_row("BioSemi's 64", lambda _: _cap("biosemi64")),
    _cap_row(
        "64 numbered electrodes with positions", lambda _: _numbered(_cap("biosemi64"))
    ),
    _one_montage(
        "19 channels for a network of one montage",
        lambda _: _only(list(TEN_TWENTY)),
        REFUSED,
        "ChannelError",
    ),
    _one_montage(
        "60 of 75 channels for a network of one montage",
        lambda _: _missing(15, RANDOM),
        REPAIRED,
        "interpolated",
    ),
    _position("names and positions of the head model", lambda _: evoked()),
    _position("positions, names that say nothing", lambda _: _anonymous(points())),
    _position(
        "a sphere about 0 without fiducials", lambda _: placed(sphere_about_zero())
    ),
    _position(
        "the same, names that say nothing", lambda _: _anonymous(sphere_about_zero())
    ),
    _position("positions in mm", lambda _: _anonymous(1e3 * points())),
    _position("positions in cm, names known", lambda _: placed(1e2 * points())),
    _position("a cap 4 cm higher", lambda _: _anonymous(points() + [0, 0, 0.04])),
    _position("a cap of another size", lambda _: _anonymous(1.2 * points())),
    _position("nose to the right, names known", lambda _: placed(_turned(-90))),
    _position(
        "nose to the right, names that say nothing, no fiducials",
        lambda _: _anonymous(_turned(-90)),
        LIMIT,
    ),
    _position(
        "turned by 25 degrees, names that say nothing, no fiducials",
        lambda _: _anonymous(_turned(-25)),
        LIMIT,
    ),
    _position(
        "upside down, names that say nothing",
        lambda _: _anonymous(_turned(180, axis=1)),
        LIMIT,
    ),
    _position(
        "left and right exchanged, names known",
        lambda _: placed(points() * [-1, 1, 1]),
        REFUSED,
        "ChannelError",
    ),
    _position(
        "front and rear exchanged, names known",
        lambda _: placed(points() * [1, -1, 1]),
        REFUSED,
        "ChannelError",
    ),
    _position(
        "left and right exchanged, names that say nothing",
        lambda _: _anonymous(points() * [-1, 1, 1]),
        LIMIT,
    ),
    _position("fiducials turned by 180 degrees, names known", _wrong_fiducials),
    _position(
        "places of Fp1 and O2 exchanged, names known",
        lambda _: placed(points()[[18, *range(1, 18), 0, *range(19, 75)]]),
        NOTICED,
        "'Fp1': '179'",
    ),
    _position(
        "one electrode 20 cm off the head",
        lambda _: _anonymous(points() * np.where(np.arange(75) == 5, 3, 1)[:, None]),
        REFUSED,
        "ChannelError",
    ),
    _position("one position infinite", _infinite, REPAIRED, "E3.*ignored"),
    _position(
        "positions 5 mm off", lambda _: _anonymous(points() + noise(3e-3, (75, 3)))
    ),
    _position(
        "no positions",
        lambda _: evoked(info=bare(head().ch_names)),
        REFUSED,
        "ChannelError",
    ),
    _position(
        "positions in a plane",
        lambda _: _anonymous(points() * [1, 1, 0]),
        REFUSED,
        "ChannelError",
    ),
    _position(
        "all positions the same",
        lambda _: _anonymous(np.tile([0, 0, 0.1], (75, 1))),
        REFUSED,
        "ChannelError",
    ),
    _position("3 without position", lambda _: _nowhere(3), REPAIRED, "E2.*ignored"),
    _position("40 % without position", lambda _: _nowhere(30), REPAIRED, "E2.*ignored"),
    _position("93 % without position", lambda _: _nowhere(70), REFUSED, "ChannelError"),
    *(
        _position(f"MNE's montage {name}", lambda _, name=name: on(name))
        for name in (
            "GSN-HydroCel-32",
            "GSN-HydroCel-64_1.0",
            "GSN-HydroCel-128",
            "GSN-HydroCel-256",
            "biosemi128",
            "biosemi256",
        )
    ),
    _position(
        "MNE's montage easycap-M1, of a sphere", lambda _: _named("easycap-M1"), LIMIT
    ),
    _position("MNE's 10-05 montage", lambda _: _named("colin27_1005")),
    _position(
        "BioSemi's 128 without positions",
        lambda _: on("biosemi128", positions=False),
        REPAIRED,
        "biosemi128",
    ),
    _position(
        "EGI's 128 without positions",
        lambda _: on("GSN-HydroCel-128", positions=False),
        REFUSED,
        "ChannelError",
    ),
]
