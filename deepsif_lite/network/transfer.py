"""Transfer a trained network to another head model: other electrodes, other skull."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..cortex.parcels import matching_parcels
from ..errors import MismatchError
from ..head.training_head import load_training_head
from .build import build_network
from .cards import head_fingerprint

if TYPE_CHECKING:
    from ..head.model import HeadModel
    from ..head.training_head import TrainingHead
    from .protocol import SourceNetwork


def start_from(
    network: SourceNetwork,
    trained: SourceNetwork,
    card: dict,
    head: HeadModel | TrainingHead,
) -> None:
    """Take over a trained network's weights, transferred if its parcels differ.

    Parcels take over what the network learned of the parcel that they share most of
    the cortex with. Other electrodes change nothing: scalp maps are shown to the
    network as on the montage it was made for.

    Parameters
    ----------
    network : SourceNetwork
        Changed in place; made for as many channels as ``trained``. Give it its
        geometry afterwards.
    trained : SourceNetwork
        Where to start from.
    card : dict
        Of the trained network, see :func:`load_weights`.
    head : HeadModel | TrainingHead
        What ``network`` will serve.

    Raises
    ------
    MismatchError
        The networks differ in more than their electrodes and parcels.
    """
    kinds = type(network), type(trained)
    if kinds[0] is not kinds[1]:
        names = [kind.__name__ for kind in kinds]
        msg = f"A {names[0]} cannot start from a {names[1]}; give one of its own kind."
        raise MismatchError(msg)
    if card["head_hash"] == head_fingerprint(head):
        _copy_weights(network, trained)
        return
    other = load_training_head(card["head"]).cortex
    network.transfer_from(trained, matching_parcels(head.cortex, other))


def _copy_weights(network: SourceNetwork, trained: SourceNetwork) -> None:
    try:
        network.load_state_dict(trained.state_dict())
    except RuntimeError as error:
        msg = f"The networks differ in their options: {error}"
        raise MismatchError(msg) from error


def transferred(
    trained: SourceNetwork, card: dict, head: HeadModel | TrainingHead
) -> tuple[SourceNetwork, dict]:
    """Transfer a network to another head model without training it.

    Parameters
    ----------
    trained : SourceNetwork
        A ``lite`` network, see :func:`load_weights`.
    card : dict
        Its card.
    head : HeadModel
        Any channels, any parcels of fsaverage5.

    Returns
    -------
    network : SourceNetwork
        Ready for inference, with the geometry of ``head``.
    card : dict
        Says ``"transferred_from"`` which head model.

    Raises
    ------
    MismatchError
        The network is the paper's.
    """
    spec = card["network"] | {"n_regions": head.cortex.n_regions}
    if head.modality != "eeg":
        spec |= {"modality": head.modality}
    network = build_network(**spec)
    start_from(network, trained, card, head)
    network.set_geometry(head.leadfield, head.cortex)
    moved = {
        "network": spec,
        "ch_names": list(head.ch_names),
        "head": head.name,
        "head_hash": head_fingerprint(head),
        "reference": "average" if head.modality == "eeg" else "none",
        "transferred_from": card["head"],
    }
    card = card | moved
    card.pop("default", None)  # it is that of the other head
    return network.eval(), card
