from __future__ import annotations

import mne
import pytest

from deepsif_lite.errors import ChannelError
from deepsif_lite.head.electrodes import known_electrodes
from deepsif_lite.recordings import match_names, standard_names
from deepsif_lite.recordings.names import (
    check_derivations,
    numbered_cap,
    other_signals,
    plain_name,
    plain_names,
)

NAMES = ["Fp1", "F7", "T7", "P7", "O1", "Cz", "Pz", "AF7", "FCz"]


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("EEG Fp1-LE", "fp1"),
        ("Fc5.", "fc5"),
        ("T3", "t7"),
        ("CPZ", "cpz"),
        ("Cz", "cz"),
        ("POL T6", "p8"),
        ("Oz-0", "oz"),
        ("12-Oz", "oz"),
        ("EEG012-Oz", "oz"),
        ("EEG012", "eeg012"),
        ("EEGOz", "oz"),
        ("OzRef", "oz"),
        ("Ref", "ref"),
        ("Oz (avg)", "oz"),
        ("'Oz'", "oz"),
        ("C3'", "c3'"),  # two centimeters behind C3
        ("Ｏｚ", "oz"),  # noqa: RUF001
        ("2-1", "2"),
        ("Oz[uV]", "oz"),
        ("[Oz]", "oz"),
        ("ch12_Oz", "oz"),
        ("Channel 3: Oz", "oz"),
        ("Ch3", "ch3"),
        ("\u200bOz\u00a0", "oz"),  # a space of no width, and one that does not break
        ("\u0421\u0440\u0417", "cp\u0437"),  # Cyrillic C and P; a Ze is no 3
        ("\u0421z", "cz"),
        ("\u039f1", "o1"),  # Greek
    ],
)
def test_plain_name(name, plain):
    assert plain_name(name) == plain


@pytest.mark.parametrize(
    "spelling",
    [
        "{}-CPz",
        "{}-A1A2",
        "{}:REF",
        "{}-0",
        "{}-A1-A2",
        "EEG {}",
        "EEG {}-REF",
        "EEG-{}",
        "{}/M1",
        "{}_avg",
        "lab cap:{}",
    ],
)
def test_what_all_names_share_does_not_count(spelling):
    recorded = [spelling.format(name).upper() for name in NAMES]
    matched = match_names([*recorded, "EXG1", "Status"], NAMES)
    assert matched == dict(zip(NAMES, recorded, strict=True))


def test_bipolar_derivations_match_nothing():
    chain = ["Fp1-F7", "F7-T3", "T3-T5", "T5-O1", "Fp2-F8", "F8-T4", "T4-T6", "T6-O2"]
    assert match_names(chain, NAMES) == {}
    # A reference in front means the opposite sign.
    assert match_names([f"Cz-{name}" for name in NAMES], NAMES) == {}


@pytest.mark.parametrize("between", ["-", " - ", "/", ":", "_"])
def test_bipolar_montages_are_named(between):
    chain = ["Fp1 F7", "F7 T3", "T3 T5", "T5 O1", "Fz Cz"]
    names = [f"EEG {pair.replace(' ', between)}" for pair in chain]
    known = [*NAMES, "Fz"]
    with pytest.raises(ChannelError, match="bipolar montage.*one reference"):
        check_derivations(names, known)
    check_derivations([*NAMES, *names], known)
    check_derivations(["E1-E2", "E2-E3", "Fp1"], known)


def test_other_signals_are_told_by_their_names():
    others = ["HEOG", "VEOGL", "EOG left", "EEG ECG-REF", "EKG1", "emg_chin", "Status"]
    others += ["LOC", "GSR1", "Resp", "STI 014"]
    known = list(known_electrodes())
    assert other_signals(others) == others
    assert other_signals([*known, "E1", "EEG 001", "EXG1", "A1", "M2", "Ref"]) == []


def test_ears_of_either_side_are_no_common_reference():
    left, right = ["Fp1-A1", "F3-A1", "C3-A1"], ["Fp2-A2", "F4-A2", "C4-A2"]
    assert match_names([*left, *right], ["Fp1", "Fp2", "C3"]) == {}


@pytest.mark.parametrize("pair", [("T3", "T7"), ("Fp1-0", "Fp1-1"), ("EEG Cz", "CZ")])
def test_two_names_of_one_channel_are_refused(pair):
    with pytest.raises(ChannelError, match="both mean"):
        match_names(pair, ["T7", "Fp1", "Cz"])


@pytest.mark.parametrize("cap", ["biosemi32", "biosemi64"])
def test_biosemi_numbers_are_the_makers_order(cap):
    names = mne.channels.make_standard_montage(cap).ch_names
    numbers = [f"{'AB'[i // 32]}{i % 32 + 1}" for i in range(len(names))]
    assert match_names([*numbers, "EXG1"], names) == dict(
        zip(names, numbers, strict=True)
    )
    assert numbered_cap(numbers) is None


def test_biosemi_128_has_names_where_electrodes_coincide():
    # From BioSemi's drawing of the 128-channel cap.
    known = {"Cz": "A1", "Pz": "A19", "Oz": "A23", "C3": "D19", "C4": "B22"}
    known |= {"T7": "D23", "T8": "B26", "Fz": "C21", "Fpz": "C17"}
    numbers = mne.channels.make_standard_montage("biosemi128").ch_names
    matched = match_names(
        numbers, mne.channels.make_standard_montage("biosemi64").ch_names
    )
    assert known.items() <= matched.items()
    assert numbered_cap(numbers) == "biosemi128"
    # BioSemi's own C3 is near Fp2, and is no C3.
    assert "c3" not in (plain_names(numbers)[i] for i in (numbers.index("C3"),))


def test_ten_twenty_names_are_not_taken_for_numbers():
    assert plain_names(["A1", "A2", "C3", "C4", "F3", "F4"])[2:4] == ["c3", "c4"]


def test_standard_names_spell_as_the_list_does():
    known = ["Fp1", "T7", "Cz", "TP11"]
    assert standard_names(["FP1", "EEG T3-REF", "cz", "EXG1"], known) == [
        "Fp1",
        "T7",
        "Cz",
        "EXG1",
    ]


def test_of_two_known_names_for_one_place_the_first_is_meant():
    for known in (["T7", "Cz", "T3"], ("T7", "T3")):
        assert standard_names(["T3", "T7"], known) == ["T7", "T7"]
    assert standard_names(["t3"], ["T3", "T7"]) == ["T3"]
