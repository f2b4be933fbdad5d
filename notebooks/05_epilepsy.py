# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Find the source of epileptic spikes
#
# Between seizures, the brain of a person with focal epilepsy makes short sharp waves, [interictal spikes](../book/glossary.md).
# Where they come from helps to decide which tissue surgery should remove.
# Here DeepSIF, sLORETA and a beamformer image the averaged spike of one real patient, and then of a small cohort of virtual patients whose sources are known.
#
# **Paper map.** PNAS Figs. 4 and 6 (20 patients against their resection), PNAS Fig. 5 (time course), Methods "Patient Analysis" {cite:p}`sun2022deepsif`.
# The paper's patients are not ours: one patient of the FAST-IRES study {cite:p}`sohrabpour2020` is public with everything needed to image, and virtual patients fill the cohort.
#
# **Library.** {py:func}`dl.image <deepsif_lite.image>`, {py:func}`dl.load_model <deepsif_lite.load_model>`, and the rooms {py:mod}`imaging <deepsif_lite.imaging>` and {py:mod}`evaluation <deepsif_lite.evaluation>`.
#
# **You will learn**
# - how a map of the cortex follows from an averaged spike, and a set of regions from the map;
# - what precision, recall and spatial dispersion against a resection mean;
# - how three methods differ on the same recording;
# - why a cohort of virtual patients can check the code, but not the clinical claim.
#
# **Run time.** About a minute at profile `lite` on two cores.

# %% tags=["parameters"]
profile = "lite"

# %%
import textwrap
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.stats import wilcoxon

import deepsif_lite as dl
from deepsif_lite.errors import RecordingUnavailable
from deepsif_lite.evaluation import (
    WINDOW,
    published_patient,
    score_patient,
    virtual_cohort,
)

settings = dl.get_profile(profile)
dl.figures.use_style()
METHODS = ("deepsif", "sloreta", "lcmv")

# %% [markdown]
# The network is `lite` of [chapter 3](03_training.ipynb), which serves any cap; `lite-75` is its name on the 75 electrodes of the paper.
# The virtual patients come from spikes that it never saw (the `test` split).
# Their electrodes are displaced by 5 mm at random from where the head model has them, as happens with real caps.

# %%
model = dl.load_model("lite-75")
head, cortex = model.head, model.head.cortex
clips = dl.load_spike_library("lite", split="test")
cohort = virtual_cohort(settings.n_patients, head, clips, seed=5)
print(f"{head.name}: {len(head.ch_names)} electrodes, {cortex.n_regions} regions")
print(f"{len(cohort)} virtual patients")

# %% [markdown]
# ## One real patient
#
# :::{note}
# Where the recording cannot be had, the cells of this section show the first virtual patient instead, and say so in their output and titles. The text describes the stored run, with the real patient.
# :::
#
# The recording is the average of five spikes, 75 electrodes at 500 Hz, with time 0 at the peak of the [global field power](../book/glossary.md).
# What is known about the patient: seizure-free after removal of the left anterior temporal lobe.
# The removed tissue is not published as a set of regions, so we ask a coarser question: are the strongest regions in the **left temporal lobe**?
# We take the lobe from the [Brodmann areas](../book/glossary.md) of the PALS-B12 atlas {cite:p}`vanessen2005`.

# %% tags=["published-data"]
try:
    patient = published_patient()
    lobe = dl.cortex.brodmann_regions(cortex, dl.cortex.TEMPORAL, "lh")
    target = {"left temporal lobe": lobe}
except RecordingUnavailable:
    patient = cohort[0]
    target = {"resection": patient.resection}
print(f"{patient.name}: {patient.outcome}")
print(f"{len(patient.evoked.ch_names)} channels, average of {patient.evoked.nave}")

# %% tags=["published-data", "hide-input"] mystnb={"figure": {"caption": "The averaged spike. Left: all channels, with the channel of the largest deflection drawn thick. Right: the scalp map at the peak; in the patient the potential is positive over the left temporal electrodes.", "name": "fig-patient-spike"}, "image": {"alt": "Left, overlaid time courses of 75 electrodes with a sharp wave at time zero followed by a slow wave. Right, a scalp map with one focus over the left temple."}}
times = patient.evoked.times
spike = patient.evoked.copy().crop(max(-0.5, times[0]), min(0.498, times[-1]))
at_peak = spike.data[:, np.argmin(np.abs(spike.times))]
largest = int(np.abs(at_peak).argmax())
fig, axes = plt.subplots(
    1, 2, figsize=(8, 2.8), width_ratios=(2, 1), layout="constrained"
)
dl.figures.plot_butterfly(
    1e6 * spike.data.T,
    spike.times,
    ax=axes[0],
    ylabel="potential (µV)",
    title=patient.name,
    mark=0.0,
    highlight={spike.ch_names[largest]: largest},
)
_ = dl.figures.plot_topography(1e6 * at_peak, spike.info, ax=axes[1], label="µV")
plt.show()

# %% [markdown]
# Spikes are as a rule *negative* on the scalp above their source.
# In the published file this one is positive, followed by a negative slow wave: the file's polarity may be reversed.
# We keep it as published, and image the reversed one below: linear methods only change sign, but the network was trained on spikes of one polarity.
#
# ### Three images of the same second
#
# [sLORETA](../book/glossary.md) {cite:p}`pascualmarqui2002` and the unit-noise-gain beamformer [LCMV](../book/glossary.md) {cite:p}`vanveen1997` need the noise at each electrode.
# They take it from the part of the recording that ends 0.6 s before the peak.
# The paper does not give its settings; ours are MNE's defaults {cite:p}`gramfort2013`.
# The network has no settings: its input is one second around the peak.

# %% tags=["published-data"]
quiet = None if patient.virtual else (None, -0.6)
window = {"tmin": spike.times[0], "tmax": spike.times[-1]}
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    images = {"deepsif": dl.image(patient.evoked, model=model, **window)}
for warning in caught:
    print(textwrap.fill(str(warning.message), 76))
for method in METHODS[1:]:
    images[method] = dl.image(patient.evoked, method, head, baseline=quiet, **window)

# %% [markdown]
# How far can the network's image be trusted? [What can be imaged](../book/contract.md) says how often each verdict is right in simulations.

# %% tags=["published-data"]
print(images["deepsif"].trust)

# %% tags=["published-data"] mystnb={"figure": {"caption": "The patient's spike imaged by three methods, root mean square over the 20 ms around its peak. Each map is divided by its own maximum. Outlined: the left temporal lobe, or the resection where a virtual patient is shown.", "name": "fig-patient-maps"}, "image": {"alt": "Three rows of cortex maps, one a method. DeepSIF shows a compact patch, sLORETA and LCMV show wide smooth maps around it."}}
maps = {method: result.map(-0.01, 0.01) for method, result in images.items()}
fig, axes = dl.figures.plot_methods(
    maps,
    cortex,
    views=("lh-lateral", "lh-medial", "rh-medial", "rh-lateral", "ventral"),
    outlines=target,
    title=patient.name,
)
path = dl.results.write_figure("05_patient", fig, profile)
plt.show()

# %% [markdown]
# Where do the ten strongest regions lie?
# Their center is weighted by strength, in mm of the fsaverage brain: x to the right, y to the front, z up.

# %% tags=["published-data"]
name, regions = next(iter(target.items()))


def ten_strongest(result):
    """Center (mm) of the ten strongest regions, and how many lie in the target."""
    x, y, z = 1e3 * result.center(10, -0.01, 0.01)
    inside = 10 * result.share_in(regions, -0.01, 0.01, n=10)
    return round(x), round(y), round(z), round(inside)


strongest = pd.DataFrame(
    [(dl.figures.method_name(m), *ten_strongest(r)) for m, r in images.items()],
    columns=["method", "x (mm)", "y (mm)", "z (mm)", f"of ten in the {name}"],
).set_index("method")
path = dl.results.write_table("05_patient", strongest, profile)
strongest

# %% tags=["published-data"]
for method, inside in strongest.iloc[:, -1].items():
    verdict = "pass" if inside > 5 else "FAIL"
    print(f"{method}: {inside} of the ten strongest regions in the {name}: {verdict}")

# %% [markdown]
# And with the polarity reversed?

# %% tags=["published-data"]
reversed_spike = patient.evoked.copy()
reversed_spike.data *= -1
with warnings.catch_warnings(action="ignore"):  # the same doubts as above
    mirrored = {"deepsif": dl.image(reversed_spike, model=model, **window)}
mirrored["sloreta"] = dl.image(
    reversed_spike, "sloreta", head, baseline=quiet, **window
)
for method, result in mirrored.items():
    x, y, z, inside = ten_strongest(result)
    print(
        f"{dl.figures.method_name(method)}: {inside} of ten in the {name}, "
        f"around ({x}, {y}, {z}) mm"
    )

# %% [markdown]
# ### From a map to a set of regions
#
# The paper averages the image over 100 ms around the peak and splits the map by [Otsu's threshold](../book/glossary.md) {cite:p}`otsu1979`: the value that separates two classes best.
# A compact map survives this well. A smooth one does not: much of it lies above the threshold.

# %% tags=["published-data"]
half = WINDOW / 2
for method, result in images.items():
    found = result.extent(-half, half, of="mean")
    share = (
        cortex.areas[found][np.isin(found, regions)].sum() / cortex.areas[found].sum()
    )
    area = 1e4 * cortex.areas[found].sum()
    print(
        f"{dl.figures.method_name(method):8s} {len(found):3d} regions, "
        f"{area:4.0f} cm2, {share:.0%} of it in the {name}"
    )

# %% [markdown]
# ### Time course
#
# In an image of the network every region has a time course.
# The paper compares it with electrodes inside the brain (PNAS Fig. 5) and finds correlations near 0.95 in two patients.
# Such recordings are not public.
# Beside the strongest region of each method we can only show the scalp electrode with the largest deflection.

# %% tags=["published-data", "hide-input"] mystnb={"figure": {"caption": "Time course of the strongest region in each method, beside the electrode with the largest deflection. All are divided by their largest magnitude.", "name": "fig-patient-course"}, "image": {"alt": "Four curves from minus 0.5 to 0.5 seconds, of an electrode and three methods; the legend gives the correlation of each method's curve with the electrode's."}}
fig, ax = plt.subplots(figsize=(7, 2.6), layout="constrained")
ax.plot(
    spike.times,
    spike.data[largest] / np.abs(spike.data[largest]).max(),
    color=dl.figures.PAPER_COLOR,
    lw=2.5,
    alpha=0.6,
    label=f"electrode {spike.ch_names[largest]}",
)
for method, result in images.items():
    course = result.activity[result.strongest(1, -0.01, 0.01)[0]]
    r = dl.metrics.correlation(course, spike.data[largest])
    ax.plot(
        result.times,
        np.sign(r) * course / np.abs(course).max(),
        color=dl.figures.method_color(method),
        label=f"{dl.figures.method_name(method)}, r = {abs(r):.2f}",
    )
ax.set(xlabel="time (s)", ylabel="of the largest magnitude")
_ = ax.legend(ncols=2)
plt.show()

# %% [markdown]
# ## A virtual cohort
#
# A virtual patient has one spiking patch of cortex, grown as in [chapter 3](03_training.ipynb) and with a time course simulated as in [chapter 1](01_simulation.ipynb), and a **[resection](../book/glossary.md)** that holds the patch and a block around one of its regions: 1.3 to 3 times its area, as surgeons remove more than the source.
# The **onset zone** is the seed of the patch and the four regions nearest to it.
#
# With the resection $\Omega$, the found regions $\hat G$, and the map $m_i$ normalized to sum one over $\hat G$,
#
# $$
# \begin{aligned}
# \text{precision} &= \frac{\operatorname{area}(\hat G \cap \Omega)}{\operatorname{area}(\hat G)}\\
# \text{recall} &= \frac{\operatorname{area}(\hat G \cap \Omega)}{\operatorname{area}(\Omega)}\\
# \text{dispersion} &= \sum_{i \in \hat G} m_i \min_{j \in \Omega} d(i, j)
# \end{aligned}
# $$
#
# A perfect image of the *source* has precision 1 but recall well below 1, because the resection is larger.


# %%
def image_patient(patient, method):
    """Image a virtual patient; there is no quiet time to take the noise from."""
    if method == "deepsif":
        return model.apply(patient.evoked)
    return dl.image(patient.evoked, method, head)


rows = []
for patient_ in cohort:
    for method in METHODS:
        scores = score_patient(patient_, image_patient(patient_, method))
        rows.append({"patient": patient_.name, "method": method, **scores})
table = pd.DataFrame(rows)
lengths = ["spatial_dispersion", "onset_zone_error", "onset_zone_average_error"]
table[lengths] *= 1e3
path = dl.results.write_table("05_cohort", table, profile, seed=5)

# %% mystnb={"figure": {"caption": "A virtual patient: the true patch (first row) and the images of the spike, averaged over 100 ms. Outlined: the resection.", "name": "fig-virtual-patient"}, "image": {"alt": "Four rows of cortex maps, the true source and three methods, with the outline of the resection around the true source."}}
# The one whose source the side views show best.
shown = max(cohort[1:], key=lambda p: np.abs(cortex.centroids[p.source, 0]).mean())
truth = np.isin(np.arange(cortex.n_regions), shown.source).astype(float)
maps = {m: image_patient(shown, m).map(-half, half, how="mean") for m in METHODS}
fig, axes = dl.figures.plot_methods(
    {"truth": truth, **maps},
    cortex,
    outlines={"resection": shown.resection},
    title=shown.name,
)
plt.show()

# %% [markdown]
# The paper's numbers (mean ± standard deviation over 20 people) stand beside ours (over virtual patients).
# They answer different questions and get no verdict: our patients come from the model that the network was trained on, and real ones do not.
#
# Our beamformer does worse than the paper's, whose settings and covariances are not published.
# A beamformer assumes small sources with uncorrelated time courses; a patch of twenty regions with one time course, recorded by displaced electrodes, is suppressed as if it were noise.

# %%
LABELS = {
    "precision": "precision",
    "recall": "recall",
    "spatial_dispersion": "spatial dispersion (mm)",
    "harmonic_mean": "harmonic mean of both",
    "geometric_mean": "geometric mean of both",
}
paper = dl.results.paper_table(LABELS, METHODS, "patients")
scores, rows = {}, []
for kind, label in LABELS.items():
    digits = 1 if kind == "spatial_dispersion" else 2
    # The two combined means are given for DeepSIF alone.
    for method, theirs in paper[[kind, f"{kind}_sd"]].dropna().iterrows():
        ours = table.loc[table["method"] == method, kind]
        key = dl.results.paper_key(kind, method, "patients")
        scores[key] = (ours.mean(), ours.std())
        rows.append(
            {
                "quantity": f"{label}, {dl.figures.method_name(method)}",
                "paper, 20 people": " ± ".join(f"{v:.{digits}f}" for v in theirs),
                f"ours, {len(cohort)} virtual": (
                    f"{ours.mean():.{digits}f} ± {ours.std():.{digits}f}"
                ),
            }
        )
path = dl.results.write_scores("05_epilepsy", scores, profile, data="virtual", seed=5)
pd.DataFrame(rows).set_index("quantity")

# %% mystnb={"figure": {"caption": "Virtual patients, one dot each, and their means (bars), as in PNAS Fig. 6; gray diamonds: the paper's means over 20 people.", "name": "fig-cohort"}, "image": {"alt": "Three panels, precision, recall and spatial dispersion, each with dots for DeepSIF, sLORETA and LCMV and a gray diamond for the paper's mean."}}
fig, axes = plt.subplots(1, 3, figsize=(8, 2.6), layout="constrained")
for ax, kind in zip(axes, ("precision", "recall", "spatial_dispersion"), strict=True):
    for k, method in enumerate(METHODS):
        values = table.loc[table["method"] == method, kind]
        color = dl.figures.method_color(method)
        ax.scatter(np.full(len(values), k), values, color=color, s=14, alpha=0.7)
        ax.hlines(values.mean(), k - 0.3, k + 0.3, color=color, lw=2)
        theirs = paper.loc[method, kind]
        ax.scatter(k + 0.4, theirs, marker="D", color=dl.figures.PAPER_COLOR, s=24)
    ax.set_xticks(range(3), [dl.figures.method_name(m) for m in METHODS])
    ax.set_ylabel(LABELS[kind])
path = dl.results.write_figure("05_cohort", fig, profile)
plt.show()

# %% [markdown]
# The paper tests DeepSIF against each method by a paired one-sided Wilcoxon signed-rank test.
# With few patients the smallest possible p-value is $2^{-n}$.

# %%
wide = table.pivot(index="patient", columns="method")
for kind, better in (("precision", "greater"), ("spatial_dispersion", "less")):
    for method in METHODS[1:]:
        pair = wide[kind][["deepsif", method]].dropna()
        p = wilcoxon(pair["deepsif"], pair[method], alternative=better).pvalue
        other = dl.figures.method_name(method)
        print(f"{LABELS[kind]}: DeepSIF {better} than {other}, p = {p:.3f}")

# %%
zone = table.groupby("method")[["onset_zone_error", "onset_zone_average_error"]].mean()
zone.loc[list(METHODS)].round(1)

# %% [markdown]
# The table gives mm: the mean distance from the onset zone to the nearest found region, and the mean of both directions.
# The first is small for any method that marks half a hemisphere as active; the second is not.
#
# ## Summary
#
# - One second of EEG, one pass through a network, one map: no noise estimate and no settings.
# - For the real patient (in the stored run) a table says where each method places the spike, and the lines below it whether that is the left temporal lobe.
# - On virtual patients the smooth methods mark much of the cortex: their recall is higher than DeepSIF's, their precision lower and their dispersion larger. The paper finds the same order in people.
#
# ## Limits
#
# - One real patient is an example, not evidence. The paper's 20 recordings are on Figshare, without the resections.
# - The virtual patients share the cortex, the conductivities and the neural mass model with the training set. Only electrode positions and spikes are new. Real heads differ more.
# - Region areas stand for tissue volume, and the resection is a block around a random region of the source.
# - Nothing here may guide treatment.
#
# ## Exercises
#
# 1. Image single spikes: the five are in `fast-ires/Spikes/Spike_I/data_spk_tot.mat` of the published data, 2001 samples each. How much do their images differ?
# 2. Give the virtual patients electrodes that are 10 mm off (`misplacement=0.01`). How much does each method lose?
# 3. Replace the 100 ms window by the peak alone. Does Otsu's threshold still find a compact set?
# 4. Image the patient with `head="published-75"` and sLORETA. How far does the center of the ten strongest regions move?
#
# ## Next
#
# [Evoked potentials](06_evoked.ipynb), where physiology tells us what to expect.
