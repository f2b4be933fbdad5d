"""What the scan network learns: its layers by name, as a network begins with them."""

from __future__ import annotations

import torch
from torch import nn

_SMALL, _EMBEDDING = 0.01, 0.02  # standard deviations of weights that start near zero
_PICKED = 3.0  # log odds that a scan takes a map of its rank, or not
_SHARPNESS = 15.0  # a patch of half the misfit is 2^15 times as likely
_INACTIVE = -3.0  # log odds that a parcel is active: few are

_Layers = dict[str, nn.Module | nn.Parameter]


def transformer_layers(
    n_channels: int, n_regions: int, n_modes: int, width: int, depth: int, n_heads: int
) -> _Layers:
    """Return the transformer on scalp maps, and what it is read out to.

    Parameters
    ----------
    n_channels, n_regions, n_modes : int
        Of scalp maps, of the output, and how many maps there are.
    width, depth, n_heads : int
        Size of the transformer.
    """
    embed = nn.Sequential(
        nn.Linear(n_channels + 1, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
    )
    rank = nn.Parameter(torch.zeros(n_modes, width))
    # Two more tokens: summary and constant.
    extra = nn.Parameter(_EMBEDDING * torch.randn(2, width))
    layer = nn.TransformerEncoderLayer(
        width,
        n_heads,
        4 * width,
        dropout=0.0,
        activation="gelu",
        batch_first=True,
        norm_first=True,
    )
    trunk = nn.TransformerEncoder(
        layer, depth, nn.LayerNorm(width), enable_nested_tensor=False
    )
    readout = nn.Linear(width, n_regions)
    constant = nn.Linear(width, n_regions)
    gate = nn.Linear(width, n_regions)
    for linear in (readout, gate):
        nn.init.normal_(linear.weight, std=_SMALL)
        nn.init.zeros_(linear.bias)
    nn.init.constant_(gate.bias, _INACTIVE)
    return {
        "embed": embed,
        "rank": rank,
        "extra": extra,
        "trunk": trunk,
        "readout": readout,
        "constant": constant,
        "gate": gate,
    }


def picking_layers(n_modes: int, n_scans: int, n_placings: int, width: int) -> _Layers:
    """Return what picks the maps of each scan, and how sharply scans weigh fits.

    Parameters
    ----------
    n_modes, n_scans, n_placings : int
        Scalp maps, scans of them, and numbers of patches that are placed together.
    width : int
        Of the transformer.
    """
    pick = nn.Linear(width, n_scans)
    rank = torch.arange(n_modes)[:, None] <= torch.arange(n_scans)
    pick_rank = nn.Parameter(torch.where(rank, _PICKED, -_PICKED))
    sharpness = nn.Linear(width, n_scans + n_placings)
    for layer in (pick, sharpness):
        nn.init.normal_(layer.weight, std=_SMALL)
    nn.init.constant_(sharpness.bias, _SHARPNESS)
    return {"pick": pick, "pick_rank": pick_rank, "sharpness": sharpness}


def scoring_layers(
    n_inputs: int,
    n_outputs: int,
    n_regions: int,
    width: int,
    local_width: int,
    n_messages: int,
) -> _Layers:
    """Return the perceptron that scores the features of a parcel.

    Parameters
    ----------
    n_inputs, n_outputs, n_regions : int
        Features and scores of a parcel, and parcels.
    width, local_width : int
        Of the transformer, and of the perceptron.
    n_messages : int
        Steps of message passing between neighbors.
    """
    region = torch.randn(n_regions, local_width)
    local_out = nn.Linear(local_width, n_outputs)
    nn.init.zeros_(local_out.weight)
    nn.init.zeros_(local_out.bias)
    return {
        "local_in": nn.Linear(n_inputs, local_width),
        "local_context": nn.Linear(width, local_width),
        "local_region": nn.Parameter(_EMBEDDING * region),
        "local_mid": nn.ModuleList(
            nn.Linear(2 * local_width, local_width) for _ in range(n_messages)
        ),
        "local_out": local_out,
        "anywhere": nn.Linear(local_width, 1),
    }
