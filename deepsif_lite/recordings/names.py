"""What channel names mean: one place for all the spellings that files bring.

Case does not count. Prefixes and endings that most names share say how the EEG was
recorded (``EEG Fp1-REF``, ``Fp1-A1A2``, ``Fp1:CPz``), not where. T3, T4, T5, T6 of
the 10-20 system are T7, T8, P7, P8 of the 10-10 system. BioSemi's caps number their
electrodes (A1 to B32); the first three sizes of caps have names in the 10-10 system.
EGI's numbers (E1 to E256) say nothing without positions.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from ..errors import ChannelError

_OLD_NAMES = {"t3": "t7", "t4": "t8", "t5": "p7", "t6": "p8"}
_PREFIX = re.compile(
    r"^(eeg|pol)[ ._:-]+|^eeg(?=[a-z])|^(eeg|ch|chan|channel)? ?\d+[ ._:-]+(?=[a-z])"
)
_ENDING = re.compile(
    r"[ _:-]+(ref|le|ar|avg|av)$|(?<=.)(ref|avg)$|\.+$| *\(\w+\)$| *\[\w+$"
)
_RUNNING_NUMBER = re.compile(r"-\d+$")  # MNE appends it to names that repeat
# A minus in front would reverse the sign: "Cz-F3" is no F3.
_ANY_PREFIX = re.compile(r"^[a-z0-9]+[ ._:]+")
_ANY_ENDING = re.compile(r"[ _:/-][^ _:/-]+$")
_FRAME, _QUOTES = " \t\n\0[]<>", "'\""
# Letters of the Cyrillic and Greek alphabets that look like those of names.
_LOOK_ALIKE = str.maketrans("авекмнорстхαβεζηικμνορτυχ", "abekmhopctxabezhikmnoptyx")
_SPACED = re.compile(r" *([-:/]) *")
_SHARED_BY = 0.5  # of the names; a bipolar montage repeats an ending two or three times
NAMED = 5  # channels that an error names
_BETWEEN = re.compile(r"[ _:/-]+")
# First words of names: of eyes, heart and muscles, and of what amplifiers add.
_NO_EEG = re.compile(
    r"[hvlr]?e[ocmk]g[hvlrud]?|[lr]oc|gsr|erg|resp|plet|temp|sti|stim|status|trigger"
)

_BIOSEMI_NAME = re.compile(r"^([a-h])([1-9]|[12][0-9]|3[0-2])$")
_BIOSEMI_SHARE = 0.75  # of the names; 10-10 names such as C3 look like BioSemi's, too
_BIOSEMI_BLOCK = 32  # electrodes of one letter
_BIOSEMI_CAPS = {1: "biosemi32", 2: "biosemi64", 4: "biosemi128", 5: "biosemi160"}
_BIOSEMI_CAPS |= {8: "biosemi256"}
_NAMED_CAPS = ("biosemi32", "biosemi64")  # MNE lists them by 10-10 names, in order
_SAME_PLACE = 1.0  # degrees; such electrodes coincide exactly in BioSemi's tables


@lru_cache(maxsize=4096)  # every recording asks for all names of the 10-05 system
def plain_name(name: str) -> str:
    """Return a channel's name without case, decoration and old spelling.

    Examples
    --------
    >>> plain_name("EEG T3-LE")
    't7'
    """
    plain = _PREFIX.sub("", _tidy(name))
    plain = _ENDING.sub("", _ENDING.sub("", _RUNNING_NUMBER.sub("", plain)))
    return _OLD_NAMES.get(plain, plain)


def plain_names(names: Sequence[str]) -> list[str]:
    """Return the names of a recording's channels in one spelling.

    Parameters
    ----------
    names : sequence of str
        All EEG channels: what they share tells prefixes and endings from names.

    Returns
    -------
    list of str
        Lower case; 10-10 names where there are any.

    Examples
    --------
    >>> plain_names(["Fp1-CPz", "T3-CPz", "EXG1"])
    ['fp1', 't7', 'exg1']
    """
    plain, cap = _read_names(tuple(names))
    if cap is None:
        return list(plain)
    return [_biosemi_names(cap).get(name, f"{cap} {name}") for name in plain]


@lru_cache(maxsize=32)  # each recording asks for its own several times
def _read_names(names: tuple[str, ...]) -> tuple[tuple[str, ...], str | None]:
    """Return names without decoration, and MNE's montage of the cap if it has numbers."""
    plain = tuple(plain_name(name) for name in _without_shared_parts(names))
    return plain, _biosemi_cap(plain)


def other_signals(names: Sequence[str]) -> list[str]:
    """Return the channels that record something else by their names: eyes, the heart.

    Parameters
    ----------
    names : sequence of str
        Of a recording's EEG channels.

    Examples
    --------
    >>> other_signals(["Cz", "HEOG", "EEG ECG-REF", "EMG1+", "F3"])
    ['HEOG', 'EEG ECG-REF', 'EMG1+']
    """
    return [name for name in names if _NO_EEG.fullmatch(_first_word(name))]


@lru_cache(maxsize=4096)  # as for plain names
def _first_word(name: str) -> str:
    """Return the letters that a name begins with, behind a prefix."""
    return re.split(r"[\W\d_]", plain_name(name), maxsplit=1)[0]


def check_derivations(names: Sequence[str], known: Iterable[str]) -> None:
    """Refuse channels that are differences of two electrodes, such as ``Fp1-F7``.

    Parameters
    ----------
    names : sequence of str
        Of a recording's EEG channels, of which none is a known electrode.
    known : iterable of str
        Names of electrodes.

    Raises
    ------
    ChannelError
        Most of them are.
    """
    electrodes = {plain_name(name) for name in known}
    pairs = [_BETWEEN.split(plain_name(name)) for name in names]
    found = [
        name
        for name, pair in zip(names, pairs, strict=True)
        if len(pair) == 2 and {plain_name(part) for part in pair} <= electrodes
    ]
    if len(found) > _SHARED_BY * len(names):
        msg = (
            f"Channels {found[:NAMED]} ... are differences of two electrodes (a "
            "bipolar montage), which lie at no one place; export the recording with "
            "one reference for all channels."
        )
        raise ChannelError(msg)


def _tidy(name: str) -> str:
    """Return a name without case, frame, spaces and letters that only look like ours."""
    plain = unicodedata.normalize("NFKC", name).lower()
    shown = (letter for letter in plain if unicodedata.category(letter) != "Cf")
    plain = "".join(shown).translate(_LOOK_ALIKE).strip(_FRAME)
    if plain[:1] in _QUOTES and plain[-1:] == plain[:1]:  # C3' alone is another place
        plain = plain[1:-1]
    return _SPACED.sub(r"\1", plain)


def match_names(recorded: Sequence[str], wanted: Sequence[str]) -> dict[str, str]:
    """Find wanted channels among those recorded, however they are spelled.

    Parameters
    ----------
    recorded, wanted : sequence of str

    Returns
    -------
    dict of str to str
        Wanted name to recorded name, for those that were found.

    Raises
    ------
    ChannelError
        Two recorded names mean the same channel.
    """
    targets = dict(zip(plain_names(wanted), wanted, strict=True))
    matched: dict[str, str] = {}
    for name, plain in zip(recorded, plain_names(recorded), strict=True):
        target = targets.get(plain)
        if target in matched:
            msg = (
                f"Channels {matched[target]!r} and {name!r} both mean {target!r}; "
                "drop one of them."
            )
            raise ChannelError(msg)
        if target is not None:
            matched[target] = name
    return matched


def standard_names(names: Sequence[str], known: Iterable[str]) -> list[str]:
    """Spell channel names as a list of known electrodes does.

    Parameters
    ----------
    names : sequence of str
        Of a recording's EEG channels.
    known : iterable of str
        Names of electrodes, for example of the 10-05 system.

    Returns
    -------
    list of str
        The known name that each one means, or else the name itself, unless it is that
        of another electrode: C1 of BioSemi's 128 is no C1 of the 10-10 system.

    Examples
    --------
    >>> standard_names(["FP1", "EEG T3-REF", "EXG1"], ["Fp1", "T7", "Cz"])
    ['Fp1', 'T7', 'EXG1']
    """
    spelling = _spelling(tuple(known))
    plain = plain_names(names)
    taken = set(spelling.values())
    return [
        spelling.get(p, p if name in taken else name)
        for p, name in zip(plain, names, strict=True)
    ]


@lru_cache(maxsize=4)
def _spelling(known: tuple[str, ...]) -> dict[str, str]:
    """Return known names by their plain form, of two for one place the first."""
    return {plain_name(name): name for name in reversed(known)}


def numbered_cap(names: Sequence[str]) -> str | None:
    """Name MNE's montage of a BioSemi cap whose names need positions.

    Parameters
    ----------
    names : sequence of str
        Of a recording's EEG channels.

    Returns
    -------
    str | None
        ``"biosemi128"``, ``"biosemi160"`` or ``"biosemi256"``; None for any other
        cap, and for those whose electrodes all have 10-10 names.
    """
    _, cap = _read_names(tuple(names))
    return None if cap in _NAMED_CAPS else cap


def _without_shared_parts(names: Sequence[str]) -> list[str]:
    """Cut prefixes and endings that most of the names share."""
    plain = [_tidy(name) for name in names]
    for part in (_ANY_PREFIX, _ANY_ENDING):
        while shared := _shared(part, plain):
            plain = [part.sub("", n) if _found(part, n) == shared else n for n in plain]
    return plain


def _shared(part: re.Pattern, names: Sequence[str]) -> str | None:
    found = Counter(filter(None, (_found(part, name) for name in names)))
    text, count = found.most_common(1)[0] if found else ("", 0)
    return text if count > max(1, _SHARED_BY * len(names)) else None


def _found(part: re.Pattern, name: str) -> str | None:
    match = part.search(name)
    return match.group() if match else None


def _biosemi_cap(plain: Sequence[str]) -> str | None:
    """Name MNE's montage of the BioSemi cap that numbers its electrodes like this."""
    numbered = [m for m in map(_BIOSEMI_NAME.match, plain) if m]
    # A1 and A2 alone are the ears of the 10-20 system.
    beyond_ears = any(m[1] == "a" and int(m[2]) > 2 for m in numbered)
    if not beyond_ears or len(numbered) < _BIOSEMI_SHARE * len(plain):
        return None
    n_letters = max(ord(m[1]) for m in numbered) - ord("a") + 1
    return next(cap for size, cap in _BIOSEMI_CAPS.items() if size >= n_letters)


@cache
def _biosemi_names(cap: str) -> dict[str, str]:
    """Map BioSemi's numbers to plain 10-10 names, where electrodes have both."""
    import mne

    if cap in _NAMED_CAPS:
        names = mne.channels.make_standard_montage(cap).ch_names
        return {_biosemi_number(i): plain_name(name) for i, name in enumerate(names)}
    numbers, there = _directions(cap)
    named, here = _directions("biosemi64")
    angles = np.degrees(np.arccos(np.clip(there @ here.T, -1, 1)))
    pairs = zip(numbers, angles.argmin(axis=1), angles.min(axis=1), strict=True)
    return {
        plain_name(number): plain_name(named[k])
        for number, k, angle in pairs
        if angle < _SAME_PLACE
    }


def _biosemi_number(index: int) -> str:
    letter, number = divmod(index, _BIOSEMI_BLOCK)
    return f"{chr(ord('a') + letter)}{number + 1}"


def _directions(cap: str) -> tuple[list[str], NDArray]:
    """Return a spherical montage's names and unit vectors."""
    import mne

    positions = mne.channels.make_standard_montage(cap).get_positions()["ch_pos"]
    points = np.array(list(positions.values()))
    return list(positions), points / np.linalg.norm(points, axis=1, keepdims=True)
