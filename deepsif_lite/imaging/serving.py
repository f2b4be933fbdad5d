"""Networks for the electrodes of recordings; those of the last caps stay in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..artifacts import content_hash

if TYPE_CHECKING:
    from ..head.model import HeadModel
    from ..network.protocol import SourceNetwork

_N_CAPS = 8  # of all networks; each takes 160 KB an electrode
_caps: dict[tuple, tuple[SourceNetwork, SourceNetwork]] = {}  # least recent first


def serving(network: SourceNetwork, head: HeadModel) -> SourceNetwork:
    """Return a network for the electrodes of a head, from memory where it is there."""
    import torch

    key = (id(network), content_hash({"leadfield": head.leadfield}))
    served, of = _caps.pop(key, (None, None))
    if served is None or of is not network:  # another one may have got the number
        with torch.inference_mode(mode=False):
            served = network.serving(head.leadfield)
    keep_recent(_caps, key, (served, network), _N_CAPS)
    return served


def keep_recent(kept: dict, key: object, value: object, most: int) -> None:
    """Keep the most recently used."""
    kept[key] = value
    while len(kept) > most:
        kept.pop(next(iter(kept)))
