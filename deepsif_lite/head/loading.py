"""Load head models by name, or the template head under any cap."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ..cortex.surface import Cortex, load_cortex
from ..errors import MismatchError, check_option
from .caps import template_cap
from .electrodes import CHANNELS_75, biosemi_64, published_cap, template_positions
from .fsaverage import fiducials
from .meg import MEG_HEAD, load_meg_head
from .model import (
    HeadModel,
    assemble_head,
    electrode_info,
    load_shells,
    stored_template,
)

if TYPE_CHECKING:
    from mne import Info

# Names of the head models that are read, not built.
HEAD_MODELS = (
    "template",
    "template-75",
    "template-64",
    MEG_HEAD,
    "published-75",
)


def load_head_model(
    name: str = "template-75",
    cortex: Cortex | None = None,
    *,
    channels: Sequence[str] | Info | None = None,
) -> HeadModel:
    """Load a head model.

    Parameters
    ----------
    name : {"template-75", "template-64", "template", "template-meg-148", "published-75"}
        Template head with the paper's 75 channels, with BioSemi's 64, under the cap
        of ``channels``, or under a helmet of magnetometers, see
        :func:`deepsif_lite.head.load_meg_head`; or the authors' own leadfield
        (downloaded).
    cortex : Cortex | None
        Parcels of ``"template-75"`` or ``"template-64"``; None takes the 994 of
        :func:`deepsif_lite.load_cortex`.
    channels : sequence of str | mne.Info | None
        Electrodes of ``"template"``: names in any spelling, or the ``info`` of a
        recording, see :func:`deepsif_lite.head.template_cap`.

    Returns
    -------
    head : HeadModel

    Raises
    ------
    OptionError
        The name is unknown.
    MismatchError
        A cortex or channels are given to a model that has its own, or ``"template"``
        has no channels.
    ChannelError
        The channels have no place on the template.
    RecordingUnavailable
        The published files cannot be reached.
    ArtifactError
        The shipped head model is damaged.

    Examples
    --------
    >>> import deepsif_lite as dl
    >>> head = dl.load_head_model("template-64")
    >>> head.leadfield.shape
    (64, 994)
    >>> head.ch_names[:3]
    ['Fp1', 'AF7', 'AF3']
    >>> dl.load_head_model("template", channels=["Fz", "Cz", "Pz", "Oz"])
    <HeadModel template: 4 channels, 994 regions>
    """
    check_option("name", name, HEAD_MODELS)
    _check_parts(name, cortex, channels)
    if channels is not None:
        return template_cap(channels)
    if name == "published-75":
        return _published_head()
    if name == MEG_HEAD:
        return load_meg_head()
    if cortex is None:
        return _template_head(name, load_cortex())
    return _template_head(name, cortex)


def _check_parts(
    name: str, cortex: Cortex | None, channels: Sequence[str] | Info | None
) -> None:
    if (channels is None) == (name == "template"):
        msg = f"channels: name={name!r} "
        msg += "needs them." if channels is None else "has its own; leave them out."
        raise MismatchError(msg)
    if cortex is not None and name in ("published-75", "template", MEG_HEAD):
        msg = f"cortex: name={name!r} has its own parcels; leave it out."
        raise MismatchError(msg)


@lru_cache(maxsize=4)
def _template_head(name: str, cortex: Cortex) -> HeadModel:
    stored = stored_template()
    channels = CHANNELS_75 if name == "template-75" else biosemi_64()
    rows = [list(stored["ch_names"]).index(channel) for channel in channels]
    gain = stored["vertex_gain"][rows]
    electrodes = stored["electrodes"][rows]
    return assemble_head(name, list(channels), electrodes, gain, cortex)


@lru_cache(maxsize=1)
def _published_head() -> HeadModel:
    from scipy.io import loadmat

    from ..recordings.published import fetch

    leadfield = loadmat(fetch("deepsif/anatomy/leadfield_75_20k.mat"))["fwd"]
    shells = load_shells()
    cap = published_cap(fiducials())
    ch_names = list(cap)
    nominal = template_positions(ch_names, fiducials()[1])
    return HeadModel(
        name="published-75",
        leadfield=leadfield.astype(float),
        ch_names=ch_names,
        info=electrode_info(ch_names, shells.project(np.array(list(nominal.values())))),
        cortex=load_cortex("published"),
        sensors=shells.project(np.array(list(cap.values()))),
    )
