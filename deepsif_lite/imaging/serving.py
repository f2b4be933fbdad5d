"""Networks for the electrodes of recordings; those of the last caps stay in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .recent import Recent

if TYPE_CHECKING:
    from ..head.model import HeadModel
    from ..network.protocol import SourceNetwork

_N_CAPS = 8  # of all networks; each takes 170 KB an electrode
_caps: Recent[SourceNetwork] = Recent(_N_CAPS)


def serving(network: SourceNetwork, head: HeadModel) -> SourceNetwork:
    """Return a network for the electrodes of a head, from memory where it is there."""
    import torch

    def serve() -> SourceNetwork:
        with torch.inference_mode(mode=False):
            return network.serving(head.leadfield)

    return _caps.get(serve, head.leadfield, of=network)
