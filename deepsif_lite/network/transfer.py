"""Carry a trained network over to another head model: other electrodes, other skull."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ..cortex.parcels import matching_parcels
from ..head.training_head import load_training_head
from .build import build_network
from .weights import head_fingerprint, load_weights

if TYPE_CHECKING:
    from ..head.model import HeadModel
    from ..head.training_head import TrainingHead


# What a lite network learns of each parcel by itself; the rest knows no parcel.
PER_PARCEL = ("readout", "constant", "gate", "local_region")


def start_from(
    network: torch.nn.Module, initial: str | Path, head: HeadModel | TrainingHead
) -> None:
    """Copy a trained network's weights, translating its head model if it differs.

    Parcels take over what the network learned of the parcel that they share most of
    the cortex with. The two leadfields then show the same sources to both montages;
    ridge regression between them turns one montage's scalp map into the other's, and
    the first layer absorbs it. The scans keep the geometry of the network's own head.

    Parameters
    ----------
    network : Module
        Changed in place; its geometry is set.
    initial : str or path
        The trained network.
    head : HeadModel | TrainingHead
        What ``network`` was built for.

    Raises
    ------
    ValueError
        The networks differ in more than their channels and parcels.
    """
    trained, card = load_weights(initial)
    state = trained.state_dict()
    if card["head_hash"] != head_fingerprint(head):
        if card["network"]["kind"] != "lite":
            msg = f"initial={str(initial)!r} has another head; only lite translates."
            raise ValueError(msg)
        other = load_training_head(card["head"])
        trained.set_geometry(other.leadfield, other.cortex)
        ours_of = matching_parcels(head.cortex, other.cortex)
        for name in state:
            if name.startswith(PER_PARCEL):
                state[name] = state[name][ours_of]
        first = state["embed.0.weight"]
        ours, theirs = network.geometry.parcel_maps, trained.geometry.parcel_maps
        maps = first[:, :-1] @ _translation(ours.T, theirs[ours_of].T)
        state["embed.0.weight"] = torch.cat([maps, first[:, -1:]], 1)
    network.load_state_dict(state)


def transferred(
    initial: str | Path, head: HeadModel | TrainingHead
) -> tuple[torch.nn.Module, dict]:
    """Carry a trained network over to another head model without training it.

    Parameters
    ----------
    initial : str or path
        A ``lite`` network.
    head : HeadModel
        Any channels, any parcels of fsaverage5.

    Returns
    -------
    network : Module
    card : dict
        Says ``"transferred_from"`` which head model.

    Raises
    ------
    ValueError
        The network is the paper's.
    """
    _, card = load_weights(initial)
    sizes = {"n_channels": len(head.ch_names), "n_regions": head.cortex.n_regions}
    spec = card["network"] | sizes
    network = build_network(**spec)
    network.set_geometry(head.leadfield, head.cortex)
    start_from(network, initial, head)
    moved = {
        "network": spec,
        "ch_names": list(head.ch_names),
        "head": head.name,
        "head_hash": head_fingerprint(head),
        "transferred_from": card["head"],
    }
    return network.eval(), card | moved


def _translation(ours: torch.Tensor, theirs: torch.Tensor) -> torch.Tensor:
    """Return the matrix that turns our scalp maps into theirs, (theirs, ours)."""
    gram = ours @ ours.T
    ridge = 1e-3 * gram.trace() / len(gram) * torch.eye(len(gram))
    return torch.linalg.solve(gram + ridge, ours @ theirs.T).T
