"""Load networks; they stay in memory, so that the second image loads nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..artifacts import content_hash
from ..errors import MismatchError
from ..network.cards import available_weights, check_card, load_card
from ..network.weights import load_weights, weights_stamp
from .imager import Imager

if TYPE_CHECKING:
    from torch import nn

    from ..head.model import HeadModel

DEFAULT_HEAD = "template-75"
_N_KEPT = 3  # networks; a lite one takes about 100 MB with what it knows of its head
_kept: dict[tuple, tuple[nn.Module, tuple]] = {}  # least recently used first


def load_model(
    name_or_path: str | Path,
    *,
    head: str | HeadModel | None = None,
    transfer: bool = False,
    device: str | None = None,
) -> Imager:
    """Load a trained network with its head model.

    Parameters
    ----------
    name_or_path : str or path
        ``"lite-75"``, ``"lite-64"``, ``"lite-published-75"`` (on the authors' head,
        which must be at hand), ``"lite-75-known-head"`` (for simulations of the very
        template head, see chapter 4), or a folder of weights.
    head : str or HeadModel, optional
        By default the one named on the card.
    transfer : bool
        Transfer a ``lite`` network to a head model it was not trained for: its
        scans follow from the leadfield, and its first layer is translated, see
        :func:`deepsif_lite.network.start_from`. Chapter 3 measures what that costs;
        training on from there (``initial=``) gets it back.
    device : str, optional
        A torch device; by default the CPU.

    Returns
    -------
    Imager
        The last few networks stay in memory and are shared by all who load them, until
        their files change; make your own by ``copy.deepcopy`` before you change one.

    Raises
    ------
    FileNotFoundError
        There are no such weights.
    MismatchError
        The head model is not the one the network was trained for.
    """
    card = load_card(name_or_path)
    head = load_head(card["head"] if head is None else head)
    device = device or "cpu"
    if transfer:  # its card and its scans are those of the new head already
        from ..network.transfer import transferred

        network, card = transferred(*load_weights(name_or_path), head)
        return Imager(network.to(device).eval(), card, head, device)
    check_card(card, head)
    return Imager(shared_network(name_or_path, head, device), card, head, device)


def find_imager(
    model: str | Path | Imager | None, head: str | HeadModel | None
) -> Imager:
    """Return the network that was given, or the shipped one for a head model."""
    if isinstance(model, Imager):
        return model if head is None else _on_head(model, load_head(head))
    if model is None:
        head = load_head(DEFAULT_HEAD if head is None else head)
        model = default_network(head.name)
    return load_model(model, head=head)


def _on_head(model: Imager, head: HeadModel) -> Imager:
    """Check that a network was trained for a head model, and use that one."""
    if head is model.head:
        return model
    check_card(model.card, head)
    return replace(model, head=head)


def load_head(head: str | HeadModel) -> HeadModel:
    """Load a head model, unless it is one already."""
    from ..head.loading import load_head_model

    return load_head_model(head) if isinstance(head, str) else head


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
