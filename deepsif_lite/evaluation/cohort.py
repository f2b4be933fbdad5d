"""Score the images of patients against what is known about them, and compare methods.

References
----------
Sun et al. (2022), Methods "Patient Analysis", Figs. 4 and 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from ..errors import MismatchError
from ..metrics.resection import score_resection
from ..metrics.scores import localization_error
from ..runs import progress_bar
from ..solvers.methods import METHODS
from .comparison import paired_gaps, paired_test
from .steps import image_spike, spike_extent, spike_map

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from ..head.model import HeadModel
    from ..imaging.imager import Imager
    from ..imaging.source_image import SourceImage
    from .patient import Patient

# Which direction of a score is better; the others have none of their own.
BETTER: dict[str, str] = {
    "precision": "greater",
    "recall": "greater",
    "harmonic_mean": "greater",
    "geometric_mean": "greater",
    "spatial_dispersion": "less",
    "onset_zone_error": "less",
    "onset_zone_average_error": "less",
}
_STARS = ((0.005, "**"), (0.05, "*"))  # of the paper's Fig. 6


def score_patient(
    patient: Patient, image: SourceImage, found: NDArray | None = None
) -> dict[str, float]:
    """Compare a source image with what is known about a patient.

    The image is averaged over 100 ms around time 0 (magnitude of the mean, as in the
    paper) and thresholded by Otsu.

    Parameters
    ----------
    patient : Patient
        With a resection.
    image : SourceImage
        On the cortex that the resection is given on.
    found : array of int | None
        Regions that count as the estimate; by default those of Otsu's threshold.

    Returns
    -------
    dict of str to float
        As :func:`deepsif_lite.metrics.score_resection`, with ``area`` (m^2) of what
        was found, and, where the onset zone is known, ``onset_zone_error`` (m, mean
        distance of its regions to the estimate) and ``onset_zone_average_error`` (m,
        mean of both directions).

    Raises
    ------
    MismatchError
        The patient's resection is not known.

    References
    ----------
    Sun et al. (2022), Methods, Figs. 4 and 6.
    """
    if patient.resection is None:
        msg = f"The resection of {patient.name!r} is not known: nothing to score."
        raise MismatchError(msg)
    found, cortex = spike_extent(image) if found is None else found, image.cortex
    scores = score_resection(spike_map(image), found, patient.resection, cortex)
    scores["area"] = float(cortex.areas[found].sum())
    if patient.onset_zone is not None and len(found):
        pair = (patient.onset_zone, found)
        scores["onset_zone_error"] = localization_error(*pair, cortex.distances)
        scores["onset_zone_average_error"] = localization_error(
            *pair, cortex.distances, symmetric=True
        )
    return scores


def score_cohort(
    cohort: Iterable[Patient],
    methods: Sequence[str] | None = None,
    *,
    model: Imager | None = None,
    head: HeadModel | None = None,
    options: Mapping[str, Mapping] | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Image all patients by all methods and score them.

    Parameters
    ----------
    cohort : iterable of Patient
        With resections.
    methods : sequence of str | None
        Of :data:`deepsif_lite.solvers.METHODS`; by default all.
    model : Imager | None
        The network of ``"deepsif"``.
    head : HeadModel | None
        Of the solvers.
    options : mapping of method to its options | None
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataFrame
        One row a patient and method: ``patient``, ``method``, the scores of
        :func:`score_patient` and ``seconds`` of the image.
    """
    import pandas as pd

    methods = tuple(METHODS) if methods is None else methods
    pairs = [(patient, method) for patient in cohort for method in methods]
    rows = []
    with progress_bar(progress, total=len(pairs), desc="images") as bar:
        for patient, method in pairs:
            own = dict((options or {}).get(method, {}))
            start = perf_counter()
            image = image_spike(patient, method, model=model, head=head, **own)
            seconds = perf_counter() - start
            scores = score_patient(patient, image)
            row = {"patient": patient.name, "method": method, **scores}
            rows.append({**row, "seconds": seconds})
            bar.update()
    return pd.DataFrame(rows)


def summarize_cohort(table: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """Return mean, standard deviation, median and number of patients of each score.

    Parameters
    ----------
    table : DataFrame
        Of :func:`score_cohort`.
    metrics : sequence of str
        Columns of it.

    Returns
    -------
    DataFrame
        One row a metric and method: ``mean``, ``sd``, ``median``, ``n``.
    """
    import pandas as pd

    methods = list(dict.fromkeys(table["method"]))
    rows = []
    for metric in metrics:
        groups = table.groupby("method")[metric]
        found = pd.DataFrame(
            {
                "mean": groups.mean(),
                "sd": groups.std(),
                "median": groups.median(),
                "n": groups.count(),
            }
        ).reindex(methods)
        found.index = pd.MultiIndex.from_product(
            [[metric], methods], names=["metric", "method"]
        )
        rows.append(found)
    return pd.concat(rows)


def compare_cohort(
    table: pd.DataFrame, metrics: Sequence[str], reference: str = "deepsif"
) -> pd.DataFrame:
    """Test one method against each other one, patient by patient.

    Paired one-sided Wilcoxon signed-rank tests, as in the paper, that the reference is
    better.

    Parameters
    ----------
    table : DataFrame
        Of :func:`score_cohort`.
    metrics : sequence of str
        Of :data:`BETTER`.
    reference : str
        Method that is tested.

    Returns
    -------
    DataFrame
        One row a metric and other method: ``n`` pairs, ``difference`` (median),
        ``p``, ``effect`` (rank-biserial correlation: 1 where the reference is better
        in every pair, -1 where it is worse) and ``stars`` (``*`` below .05, ``**``
        below .005, as in the paper's Fig. 6).

    References
    ----------
    Kerby (2014), Comprehensive Psychology 3, 11.IT.3.1, for the effect.
    """
    import pandas as pd

    rows = []
    for metric, other, gap in paired_gaps(table, ["patient"], reference, metrics):
        # Differences of the reference from the other, those for the better above zero
        # where the effect is concerned.
        tested = paired_test(-gap, BETTER[metric])
        tested["effect"] *= 1 if BETTER[metric] == "greater" else -1
        stars = next((mark for limit, mark in _STARS if tested["p"] < limit), "")
        rows.append({"metric": metric, "other": other, **tested, "stars": stars})
    return pd.DataFrame(rows).set_index(["metric", "other"])
