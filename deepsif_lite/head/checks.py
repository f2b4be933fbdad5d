"""Whether a head model that somebody made is one: its parts fit each other."""

from __future__ import annotations

import numpy as np

from ..errors import MismatchError, OptionError
from ..recordings.positions import electrode_positions
from ..signals import average_reference
from .model import HeadModel

_ROUNDING = 1e-9  # of the leadfield, where only a constant over channels is left


def check_head(head: object) -> None:
    """Refuse what is no head model, or one whose parts do not fit each other.

    Parameters
    ----------
    head : object

    Raises
    ------
    OptionError
        It is no :class:`HeadModel`.
    MismatchError
        Leadfield, channels, positions and parcels are not of one head, or the
        leadfield says nothing.
    """
    if not isinstance(head, HeadModel):
        msg = (
            f"head is of type {type(head).__name__}; give the name of a head model, or "
            "what load_head_model returns."
        )
        raise OptionError(msg)
    for problem in (_names_of(head), _leadfield_of(head), _places_of(head)):
        if problem:
            msg = f"head={head.name!r}: {problem}."
            raise MismatchError(msg)


def _names_of(head: HeadModel) -> str:
    if list(head.ch_names) != list(head.info.ch_names):
        return "ch_names are not those of its info, in the same order"
    if len(set(head.ch_names)) < len(head.ch_names):
        return "ch_names repeat"
    return ""


def _leadfield_of(head: HeadModel) -> str:
    leadfield, shape = head.leadfield, (len(head.ch_names), head.cortex.n_regions)
    if np.shape(leadfield) != shape:
        return f"leadfield has shape {np.shape(leadfield)}, not {shape} (channels, regions)"
    if not isinstance(leadfield, np.ndarray) or leadfield.dtype.kind not in "fiu":
        return "leadfield is no array of real numbers"
    if not np.isfinite(leadfield).all():
        return "leadfield holds NaN or infinite values"
    gain = leadfield.astype(float)
    if head.modality == "eeg":
        gain = average_reference(gain)
    if not (gain**2).sum() > _ROUNDING**2 * (leadfield.astype(float) ** 2).sum():
        return "leadfield is the same at all electrodes, or zero"
    return ""


def _places_of(head: HeadModel) -> str:
    if np.shape(head.sensors) != (len(head.ch_names), 3):
        return f"sensors has shape {np.shape(head.sensors)}, not (channels, 3)"
    if not np.isfinite(electrode_positions(head.info)).all():
        return "info has no positions of some channels; set them (info.set_montage)"
    return ""
