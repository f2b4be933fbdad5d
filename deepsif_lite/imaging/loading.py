"""Networks that stay in memory, so that the second image loads nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..artifacts import content_hash
from ..errors import MismatchError
from ..network.cards import available_weights, load_card
from ..network.weights import load_weights, weights_stamp

if TYPE_CHECKING:
    from torch import nn

    from ..head.model import HeadModel

_N_KEPT = 3  # networks; a lite one takes about 100 MB with what it knows of its head
_kept: dict[tuple, tuple[nn.Module, tuple]] = {}  # least recently used first


def shared_network(name_or_path: str | Path, head: HeadModel, device: str) -> nn.Module:
    """Return a network that is ready for a head model, from memory where it is there.

    It is loaded anew when its files change, when the head model is another one, and
    when somebody changed the one in memory.

    Parameters
    ----------
    name_or_path : str or path
        As for :func:`deepsif_lite.load_model`.
    head : HeadModel
        The one that it was trained for.
    device : str
        A torch device.

    Returns
    -------
    Module
        Shared by all who ask for it, so its parameters are frozen.
    """
    arrays = {
        "leadfield": head.leadfield,
        "region_of_vertex": head.cortex.region_of_vertex,
    }
    key = (*weights_stamp(name_or_path), content_hash(arrays), device)
    network, state = _kept.pop(key, (None, None))
    if network is None or state != _state(network):
        network = _load(name_or_path, head, device)
    _kept[key] = network, _state(network)
    while len(_kept) > _N_KEPT:
        _kept.pop(next(iter(_kept)))
    return network


def _load(name_or_path: str | Path, head: HeadModel, device: str) -> nn.Module:
    import torch

    # Tensors made in somebody's inference mode would not count their changes.
    with torch.inference_mode(mode=False):
        network, _ = load_weights(name_or_path)
        network.set_geometry(head.leadfield, head.cortex)
        return network.to(device).eval().requires_grad_(False)


def _state(network: nn.Module) -> tuple:
    """Return what changes with any tensor of a network."""
    tensors = [*network.parameters(), *network.buffers()]
    return network.training, *((t.data_ptr(), t._version) for t in tensors)


def default_network(head_name: str) -> str:
    """Return the name of the shipped network for a head model.

    Of several the one whose card says ``"default": true``.

    Raises
    ------
    MismatchError
        There is none.
    """
    cards = {name: load_card(name) for name in available_weights()}
    fitting = {name: c for name, c in cards.items() if c["head"] == head_name}
    marked = [name for name, card in fitting.items() if card.get("default")]
    found = marked or list(fitting)
    if len(found) == 1:
        return found[0]
    if found:
        msg = f"Networks {found} are all for head={head_name!r}; choose one (model=)."
    else:
        msg = (
            f"No shipped network for head={head_name!r} (there are {list(cards)}); "
            "transfer one, model=load_model('lite-75', head=head, transfer=True), give "
            "a folder of weights, or choose another method."
        )
    raise MismatchError(msg)
