"""Where on the cortex images can be trusted: scores by place, for any cap and noise."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from numpy.typing import NDArray

from ..artifacts import read_arrays, write_arrays
from ..errors import ArtifactError, check_range
from ..network.cards import head_fingerprint
from ..recordings.published import cache_dir
from .comparison import over_cortex
from .synthetic import evaluate

if TYPE_CHECKING:
    from ..imaging.imager import Imager
    from ..spikes.library import SpikeLibrary

_SCORES = ("recall", "precision", "error_mm")


@dataclass(frozen=True, eq=False)
class TrustMap:
    """What becomes of a source, by the place of its seed.

    Attributes
    ----------
    recall : array of shape (n_regions,)
        Share of the source that is found; 0 where it is missed.
    precision : array of shape (n_regions,)
        Share of what is found that belongs to the source; NaN where nothing is.
    error_mm : array of shape (n_regions,)
        Localization error of what is found, NaN where nothing is.
    """

    recall: NDArray
    precision: NDArray
    error_mm: NDArray


def trust_map(
    model: Imager,
    clips: SpikeLibrary,
    *,
    snr_db: float = 10.0,
    n_samples: int = 1988,
    seed: int = 0,
    progress: bool = True,
) -> TrustMap:
    """Simulate single sources all over the cortex, and image them.

    Each region shows the mean over the sources that begin within 15 mm. A map is
    computed once (a minute on two cores) and kept in the user's cache, by network,
    electrodes and arguments.

    Parameters
    ----------
    model : Imager
        On the electrodes asked about: ``load_model("lite").on(template_cap(info))``.
    clips : SpikeLibrary
        Clips that training has not seen.
    snr_db : float
        Signal-to-noise ratio at the scalp (dB).
    n_samples : int
        Recordings; by default two for each of the 994 parcels.
    seed : int
        Of the recordings.
    progress : bool
        Show a progress bar.

    Returns
    -------
    TrustMap

    Examples
    --------
    >>> import deepsif_lite as dl
    >>> from deepsif_lite.evaluation import trust_map
    >>> from deepsif_lite.head import TEN_TWENTY, template_cap
    >>> model = dl.load_model("lite").on(template_cap(TEN_TWENTY))
    >>> trust_map(model, dl.load_spike_library(), n_samples=20).recall.shape
    (994,)
    """
    check_range("n_samples", n_samples, 1)
    weights = {k: v for k, v in model.card.items() if k not in ("scores", "head")}
    key = [
        weights,
        head_fingerprint(model.head),
        clips.cortex,
        *(snr_db, n_samples, seed),
    ]
    name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
    path = cache_dir() / "trust" / f"{name}.npz"
    try:
        return TrustMap(**read_arrays(path))
    except (FileNotFoundError, ArtifactError):  # a damaged copy is made anew
        pass
    table = evaluate(
        model,
        clips,
        methods=("deepsif",),
        selections=("probability",),
        n_sources=(1,),
        n_samples=n_samples,
        sensor_snr=(snr_db,),
        seed=seed,
        progress=progress,
    )
    cortex = model.head.cortex
    maps = {score: over_cortex(table, score, cortex) for score in _SCORES}
    write_arrays(path, maps)
    return TrustMap(**maps)
