"""Load networks; they stay in memory, so that the second image loads nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import MismatchError, OptionError
from ..network.cards import (
    available_weights,
    card_on,
    check_card,
    cortex_fingerprint,
    head_of,
    is_alias,
    load_card,
    serves_any_cap,
)
from ..network.weights import load_weights, weights_stamp
from ..runs import pick_device
from .imager import Imager
from .recent import keep_recent
from .serving import serving

if TYPE_CHECKING:
    from ..head.model import HeadModel
    from ..network.protocol import SourceNetwork

DEFAULT_NETWORK = "lite"
_N_KEPT = 3  # networks; a lite one takes about 100 MB with what it knows of its head
_kept: dict[tuple, tuple[SourceNetwork, tuple]] = {}  # least recently used first


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
    name_or_path : str | path
        ``"lite"``, which images on the electrodes that a recording has; ``"lite-75"``
        and ``"lite-64"``, the same on two montages; ``"lite-published-75"`` (on the
        authors' head, which must be at hand), ``"lite-75-known-head"`` and
        ``"paper-75"``, the paper's own architecture (for simulations of the very
        template head, see chapters 3 and 4), or a folder of weights.
    head : str | HeadModel | None
        Electrodes and leadfield; of ``"lite"`` any on its cortex, of others the one
        named on the card.
    transfer : bool
        Use a ``lite`` network on a head model it was not trained for: other
        electrodes, or other parcels, see :func:`deepsif_lite.network.start_from`.
    device : str | None
        ``"cpu"``, ``"cuda"``; by default CUDA where there is one.

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
    OptionError
        There is no such device.
    """
    device = pick_device(device)
    card = load_card(name_or_path)
    own_cap = head is None and serves_any_cap(card) and not is_alias(name_or_path)
    head = load_head(head_of(name_or_path, card) if head is None else head)
    if transfer:  # its card and its scans are those of the new head already
        from ..network.transfer import transferred

        network, card = transferred(*load_weights(name_or_path), head)
        return Imager(network.to(device).eval(), card, head, device)
    check_card(card, head)
    if serves_any_cap(card):
        card = card_on(card, head)
    network = shared_network(name_or_path, head, device)
    return Imager(network, card, head, device, own_cap)


def find_imager(
    model: str | Path | Imager | None, head: str | HeadModel | None
) -> Imager:
    """Return the network that was given, or the shipped one for a head model."""
    if model is not None and not isinstance(model, (str, Path, Imager)):
        msg = (
            f"model is of type {type(model).__name__}; give the name of a network, a "
            "folder of weights, or what load_model returns."
        )
        raise OptionError(msg)
    if isinstance(model, Imager):
        return model if head is None else model.on(load_head(head))
    if model is None:
        model = DEFAULT_NETWORK if head is None else default_network(load_head(head))
    return load_model(model, head=head)


def load_head(head: str | HeadModel) -> HeadModel:
    """Load a head model, unless it is one already, which is checked.

    Raises
    ------
    OptionError
        It is neither.
    MismatchError
        Its parts do not fit each other.
    """
    from ..head.checks import check_head
    from ..head.loading import load_head_model

    if isinstance(head, str):
        return load_head_model(head)
    check_head(head)
    return head


def shared_network(
    name_or_path: str | Path, head: HeadModel, device: str
) -> SourceNetwork:
    """Return a network that is ready for a head model, from memory where it is there.

    It is loaded anew when its files change, when the cortex is another one, and
    when somebody changed the one in memory. Caps share its weights.

    Parameters
    ----------
    name_or_path : str | path
        As for :func:`deepsif_lite.load_model`.
    head : HeadModel
        One that it serves.
    device : str
        A torch device.

    Returns
    -------
    SourceNetwork
        Shared by all who ask for it, so its parameters are frozen.
    """
    key = (*weights_stamp(name_or_path), cortex_fingerprint(head.cortex), device)
    network, state = _kept.pop(key, (None, None))
    if network is None or state != _state(network):
        network = _load(name_or_path, head, device)
        state = _state(network)
    keep_recent(_kept, key, (network, state), _N_KEPT)
    return serving(network, head)


def _load(name_or_path: str | Path, head: HeadModel, device: str) -> SourceNetwork:
    import torch

    # Tensors made in somebody's inference mode would not count their changes.
    with torch.inference_mode(mode=False):
        network, _ = load_weights(name_or_path)
        network.set_geometry(head.leadfield, head.cortex)
        return network.to(device).eval().requires_grad_(False)


def _state(network: SourceNetwork) -> tuple:
    """Return what changes with any tensor of a network."""
    kept = [(m._parameters, m._buffers) for m in network.modules()]
    tensors = (t for pair in kept for part in pair for t in part.values())
    return network.training, *(
        (t.data_ptr(), t._version) for t in tensors if t is not None
    )


def default_network(head: HeadModel) -> str:
    """Return the name of the shipped network for a head model.

    The one for any cap where it knows the parcels, else the one made for this head;
    of several the one whose card says ``"default": true``.

    Raises
    ------
    MismatchError
        There is none.
    """
    cards = {name: load_card(name) for name in available_weights()}
    if cards[DEFAULT_NETWORK]["cortex_hash"] == cortex_fingerprint(head.cortex):
        return DEFAULT_NETWORK
    fitting = {name: c for name, c in cards.items() if c["head"] == head.name}
    marked = [name for name, card in fitting.items() if card.get("default")]
    found = marked or list(fitting)
    if len(found) == 1:
        return found[0]
    if found:
        msg = f"Networks {found} are all for head={head.name!r}; choose one (model=)."
    else:
        msg = (
            f"No shipped network for head={head.name!r} (there are {list(cards)}); "
            "transfer one, model=load_model('lite', head=head, transfer=True), give "
            "a folder of weights, or choose another method."
        )
    raise MismatchError(msg)
