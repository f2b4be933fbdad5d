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
# Here one real patient and a cohort of twenty virtual ones, whose sources are known, go through the steps of the paper, with every method of the library.
#
# **Paper map.** PNAS Fig. 4 (20 patients against resection and onset zone), PNAS Fig. 5 (electrodes inside the head), PNAS Fig. 6 (all methods), Methods "Patient Analysis" {cite:p}`sun2022deepsif`.
# The paper's patients are not ours: one patient of the FAST-IRES study {cite:p}`sohrabpour2020` is public with everything needed to image, and virtual patients make the cohort.
#
# **Library.** {py:func}`dl.image <deepsif_lite.image>`, {py:func}`dl.load_model <deepsif_lite.load_model>`, and the modules {py:mod}`imaging <deepsif_lite.imaging>` and {py:mod}`evaluation <deepsif_lite.evaluation>`.
#
# **You will learn**
# - how a set of regions follows from single spikes, step by step;
# - what precision, recall, dispersion and onset-zone error mean, and how methods are compared on them;
# - how to tell a stable image from an unstable one, and how many spikes to average;
# - why virtual patients can check a method, but not a clinical claim.
#
# **Run time.** Half a minute at profile `lite` on two cores.

# %% tags=["parameters"]
profile = "lite"

# %%
import textwrap
import warnings
from base64 import b64encode

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import HTML

import deepsif_lite as dl
from deepsif_lite import evaluation
from deepsif_lite.errors import RecordingUnavailable
from deepsif_lite.solvers import METHODS

settings = dl.get_profile(profile)
dl.figures.use_style()
LIVE = ("deepsif", "sloreta", "lcmv")  # milliseconds an image

# %% [markdown]
# ## The study
#
# Every patient, real or virtual, is one {py:class}`Patient <deepsif_lite.evaluation.Patient>`: averaged and single spikes, and, where they are known, the resection, the electrodes inside the head and the outcome.
# A folder of your own files becomes one by {py:func}`read_patient <deepsif_lite.evaluation.read_patient>`, whose page describes the layout, and a subject of a BIDS dataset or of one of its derivatives by {py:func}`read_bids_patient <deepsif_lite.evaluation.read_bids_patient>`.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "The steps from spikes to numbers, as in PNAS Fig. 4A.", "name": "fig-study"}, "image": {"alt": "Five boxes in a row, from filtered spikes over their average, its image and the mean over 100 milliseconds to Otsu's threshold, and two boxes for the comparison with resection and onset zone."}}
fig, ax = dl.figures.plot_study()
plt.show()

# %% [markdown]
# With the resection $\Omega$, the found regions $\hat G$, the contacts of the onset zone $Z$, and the map $m_i$ normalized to sum one over $\hat G$,
#
# $$
# \begin{aligned}
# \text{precision} &= \frac{\operatorname{area}(\hat G \cap \Omega)}{\operatorname{area}(\hat G)},\\
# \text{recall} &= \frac{\operatorname{area}(\hat G \cap \Omega)}{\operatorname{area}(\Omega)},\\
# \text{dispersion} &= \sum_{i \in \hat G} m_i \min_{j \in \Omega} d(i, j),\\
# \text{onset-zone error} &= \frac{1}{|Z|} \sum_{z \in Z} \min_{i \in \hat G} d(z, i).
# \end{aligned}
# $$
#
# The onset-zone *average* error is the mean of that and of the distance from the found regions to the nearest contact.
#
# ## A virtual cohort
#
# Twenty people, made up as the paper's: fourteen with temporal lobe epilepsy; eighteen free of seizures (ILAE 1) and two nearly so (ILAE 2); about 18 spikes each, with a wide spread; fourteen with electrodes inside the head.
# Each has a head of another shape, which no network was trained on, with a skull of another conductivity, under electrodes that are 5 mm (root mean square) beside their places.
# Spikes have time courses that no network has seen (the `test` split), over background activity, with eyes, muscles and noise.
# The **[resection](../book/glossary.md)** is a block around a part of the onset zone: as in people, it need not hold all of the source.
# Images are made with the template head, by the network `lite` on its 75 electrodes (`lite-75`).

# %%
model = dl.load_model("lite-75")
head, cortex = model.head, model.head.cortex
clips = dl.load_spike_library("lite", split="test")
cohort = evaluation.virtual_cohort(settings.n_patients, head, clips, seed=5)

# %% tags=["hide-input"] table={"caption": "The virtual cohort."}
people = pd.DataFrame(
    {
        "age": [p.age for p in cohort],
        "spikes": [p.n_spikes for p in cohort],
        "source (cm²)": [1e4 * cortex.areas[p.source].sum() for p in cohort],
        "resection (cm²)": [1e4 * cortex.areas[p.resection].sum() for p in cohort],
    }
)
people.agg(["mean", "std", "min", "max"]).round(1)

# %% [markdown]
# The paper's patients:

# %% table={"caption": "The paper's patients: mean and standard deviation."}
known = dl.results.paper_values()
shown = known.loc[["size/age", "size/spikes"], ["value", "sd"]].astype(int)
shown.set_axis(["age", "spikes"]).rename(columns={"value": "mean"})

# %% [markdown]
# ### All methods, patient by patient
#
# DeepSIF and the fast methods are computed here. Those that need seconds an image are read from a table (`benchmarks/cohort.py`, the same patients).


# %%
with warnings.catch_warnings(action="ignore"):  # the trust lines below say the same
    table = evaluation.score_cohort(cohort, LIVE, model=model, head=head)
stored = dl.results.read_experiment("cohort")
names = [p.name for p in cohort]
slow = stored[~stored["method"].isin(LIVE) & stored["patient"].isin(names)]
table = pd.concat([table, slow[slow["method"].isin(METHODS)]], ignore_index=True)

# %% tags=["hide-input"]
lengths = ["spatial_dispersion", "onset_zone_error", "onset_zone_average_error"]
table[lengths] *= 1e3
table["area"] *= 1e4
methods = [m for m in METHODS if m in set(table["method"])]
path = dl.results.write_table("05_cohort", table, profile, seed=5)
LABELS = {
    "precision": "precision",
    "recall": "recall",
    "harmonic_mean": "harmonic mean",
    "geometric_mean": "geometric mean",
    "spatial_dispersion": "dispersion (mm)",
    "onset_zone_error": "onset-zone error (mm)",
}
IN_WORDS = LABELS | {"onset_zone_average_error": "onset-zone average error (mm)"}

# %% [markdown]
# PNAS Fig. 4B for DeepSIF alone:

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Virtual patients imaged by DeepSIF, as in PNAS Fig. 4B: a dot each, their mean and median, and the paper's mean over 20 people (gray diamonds).", "name": "fig-cohort-deepsif"}, "image": {"alt": "Six panels with dots for precision, recall, their harmonic and geometric mean, dispersion and onset-zone error of the virtual patients."}}
paper = dl.results.paper_table(LABELS, methods, "patients")
ours = table[table["method"] == "deepsif"]
fig, axes = dl.figures.plot_patient_scores(ours, LABELS, paper=paper)
path = dl.results.write_figure("05_cohort", fig, profile)
plt.show()

# %% [markdown]
# Three of them, as in PNAS Fig. 4C:

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Three virtual patients imaged by DeepSIF, mean over 100 ms, as in PNAS Fig. 4C. Each map is divided by its own maximum. Outlined: what was resected, and where seizures start.", "name": "fig-cohort-maps"}, "image": {"alt": "For each of three patients a lateral and a medial view of one hemisphere with a compact map inside the outline of the resection."}}
with warnings.catch_warnings(action="ignore"):
    images = {p.name: evaluation.image_spike(p, model=model) for p in cohort[:3]}
shown = {
    p.name: (
        evaluation.spike_map(images[p.name]),
        {"resection": p.resection, "onset zone": p.onset_zone},
    )
    for p in cohort[:3]
}
fig, axes = dl.figures.plot_patient_maps(shown, cortex)
plt.show()

# %% [markdown]
# And all methods, as in PNAS Fig. 6A. Stars stand above methods that DeepSIF beats: paired one-sided Wilcoxon signed-rank tests, \* below .05, \*\* below .005, as in the paper.
# The difference is DeepSIF minus the other method, the median over $n$ patients. An effect of 1 says that DeepSIF is better in every patient, -1 that it is worse in every one; the smallest possible p-value is $2^{-n}$.

# %% table={"caption": "DeepSIF against each method, patient by patient."}
tested = ["precision", "recall", "spatial_dispersion", "onset_zone_average_error"]
tests = evaluation.compare_cohort(table, tested)
shown = tests.rename(index=dl.figures.method_name, level="other").round(2)
shown["p"] = [f"{p:.4f}" if p >= 1e-4 else "<\u00a00.0001" for p in tests["p"]]
shown.rename(index=IN_WORDS, level="metric").rename_axis(["metric", "method"])

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Virtual patients imaged by every method, as in PNAS Fig. 6A; stars above methods that DeepSIF beats; gray diamonds: the paper's means over 20 people.", "name": "fig-cohort-methods"}, "image": {"alt": "Three panels, precision, recall and dispersion, each with dots, mean and median of every method and gray diamonds for the paper."}}
chosen = {k: LABELS[k] for k in ("precision", "recall", "spatial_dispersion")}
fig, axes = dl.figures.plot_patient_scores(
    table, chosen, paper=paper, stars=tests["stars"]
)
path = dl.results.write_figure("05_methods", fig, profile)
plt.show()

# %% [markdown]
# The scores in numbers, means and medians beside the paper's (mean ± standard deviation over 20 people).
# They answer different questions and get no verdict: our patients come from the model that the network was trained on, and real ones do not.

# %% tags=["hide-input"] table={"caption": "Scores of the virtual cohort beside the paper's."}
summary = evaluation.summarize_cohort(table, list(IN_WORDS))
theirs = dl.results.paper_table(list(IN_WORDS), methods, "patients")
scores = {
    dl.results.paper_key(kind, method, "patients"): dl.results.Score.of_mean(
        table.loc[table["method"] == method, kind]
    )
    for kind, method in summary.index
    if pd.notna(theirs.loc[method, kind])
}
scores["patients/precision_median/deepsif"] = ours["precision"].median()
path = dl.results.write_scores("05_epilepsy", scores, profile, data="virtual", seed=5)
summary["paper"] = [theirs.loc[m, kind] for kind, m in summary.index]
summary["paper's sd"] = [theirs.loc[m, f"{kind}_sd"] for kind, m in summary.index]
shown = summary.rename(index=dl.figures.method_name, level="method").round(2)
shown.rename(index=IN_WORDS, level="metric")

# %% [markdown]
# Behind precision and recall stands how much cortex a method calls active. The area of the extent, in cm², beside that of the source and of the resection:

# %% tags=["hide-input"] table={"caption": "Area of the extent by method, of the source and of the resection (cm²)."}
areas = {
    dl.figures.method_name(m): table.loc[table["method"] == m, "area"] for m in methods
}
areas |= {"source": people["source (cm²)"], "resection": people["resection (cm²)"]}
spread = {name: part.agg(["mean", "median"]) for name, part in areas.items()}
pd.DataFrame(spread).round(0).astype(int).T

# %% [markdown]
# The paper's onset-zone errors are of six people. Its median precision and ours:

# %%
median = known.loc["patients/precision_median/deepsif", "value"]
found = ours["precision"].median()
print(f"median precision of DeepSIF: {found:.2f} (paper {median:.2f})")

# %% [markdown]
# ### What limits it
#
# Other cohorts, of other seeds, were imaged with one thing changed at a time (`benchmarks/cohort_limits.py`).
# Mean, and in brackets the mean paired difference to the first row with its standard error:

# %% table={"caption": "The cohort with one thing changed at a time: means, and in brackets the paired difference to the first row."}
limits = dl.results.read_experiment("cohort_limits").set_index("change")
scale = {"precision": 1, "recall": 1, "spatial_dispersion": 1e3}
cells = {
    LABELS[m]: (k * limits[[m, f"{m}_gain", f"{m}_error"]]).apply(
        lambda row: "{:.2f} ({:+.2f} ± {:.2f})".format(*row), axis=1
    )
    for m, k in scale.items()
}
pd.DataFrame(cells)

# %%
perfect, own = limits.loc["an image without fault"], limits.loc["as reported"]
print(f"{own['n']:.0f} patients; against the resection, an image without fault has")
print(f"precision {perfect['precision']:.2f}, recall {perfect['recall']:.2f};", end=" ")
print(f"the network's has {own['precision']:.2f} and {own['recall']:.2f}")

# %% [markdown]
# **An image without fault** shows the source and nothing else. Surgery takes other tissue too and leaves some of the source, so it is the resection that sets the level of these scores, for people as well: a high recall can mean an image that is too wide.
# **Against the source** the network's own faults are seen: it finds most of the source and some of its surroundings.
# Places of electrodes, the head, eyes and muscles, and more spikes each change precision and recall by a few hundredths, and so do all four together.
# A limit on the probability is a choice between precision and recall; the network of one cap (`lite-75-known-head`), which was trained without displaced electrodes, is less precise.
# Nothing was changed after this table: the numbers above are those of the paper's steps.
#
# The beamformer does worse than the paper's, whose settings and covariances are not published.
# It assumes small sources with uncorrelated time courses; a patch of many regions with one time course, recorded by displaced electrodes, is suppressed as if it were noise.
#
# One patient by all methods, as in PNAS Fig. 6B:

# %% tags=["hide-input"] mystnb={"figure": {"caption": "A virtual patient: the true patch (first row) and the images of the spike, averaged over 100 ms. Each map is divided by its own maximum. Outlined: the resection.", "name": "fig-virtual-patient"}, "image": {"alt": "Rows of cortex maps, the true source and the methods, with the outline of the resection around the true source."}}
# The one whose source the side views show best.
one = max(cohort, key=lambda p: np.abs(cortex.centroids[p.source, 0]).mean())
maps = {"truth": np.isin(np.arange(cortex.n_regions), one.source)}
with warnings.catch_warnings(action="ignore"):
    for method in methods:
        image = evaluation.image_spike(one, method, model=model, head=head)
        maps[method] = evaluation.spike_map(image)
outline = {"resection": one.resection}
fig, axes = dl.figures.plot_methods(maps, cortex, outlines=outline, title=one.name)
plt.show()

# %% [markdown]
# ## Electrodes inside the head
#
# Spikes inside the head are of several kinds, of which the scalp shows one.
# As in the paper (PNAS Fig. 5), k-means sorts them, and the kind whose average is most like the scalp channel of the largest deflection is compared with the time course of DeepSIF's strongest region.
# The paper's two patients are not public: here are virtual ones, with the paper's correlation beside.

# %%
implanted = [p for p in cohort if p.intracranial is not None]
one = implanted[0]
clusters = evaluation.cluster_spikes(one)
print(f"{one.name}: {len(clusters.labels)} spikes inside, contact", end=" ")
print(one.intracranial.names[clusters.contact], "of the onset zone")

# %% tags=["hide-input"] mystnb={"figure": {"caption": "A virtual patient's spikes inside the head, as in PNAS Fig. 5. Left: averages of the kinds that k-means finds, at the contact of the onset zone where spikes are largest. Right: the kind that the scalp shows, the scalp channel, and DeepSIF's strongest region.", "name": "fig-clusters"}, "image": {"alt": "Left, three averaged waveforms, one drawn thick. Right, three waveforms that lie nearly over each other."}}
with warnings.catch_warnings(action="ignore"):
    image = evaluation.image_spike(one, model=model)
fig, axes = dl.figures.plot_spike_clusters(
    clusters.averages[:, clusters.contact],
    clusters.times,
    np.bincount(clusters.labels),
    chosen=clusters.chosen,
    scalp=clusters.scalp,
    image=evaluation.source_course(image, clusters.times),
    labels=(one.intracranial.names[clusters.contact], one.largest_channel),
)
plt.show()


# %% tags=["hide-input"]
def likeness(patient):
    """Correlation of DeepSIF's course with the contact's, magnitude."""
    found = evaluation.cluster_spikes(patient)
    image = evaluation.image_spike(patient, model=model)
    course = evaluation.source_course(image, found.times)
    return abs(dl.metrics.correlation(course, found.course))


with warnings.catch_warnings(action="ignore"):
    alike = pd.Series([likeness(p) for p in implanted])
print(f"correlation over {len(alike)} virtual patients:", end=" ")
print(f"mean {alike.mean():.2f}, median {alike.median():.2f}")
of_two = known.loc["patients/waveform_correlation", "value"]
print(f"the paper's, of two people: {of_two:.2f}")

# %% [markdown]
# ## One real patient
#
# :::{note}
# Where the recording cannot be had, the cells of this section show the first virtual patient instead, and say so in their output and titles.
# :::
#
# Five single spikes and their average are published, 75 electrodes at 500 Hz.
# What is known about the patient: seizure-free after removal of the left anterior temporal lobe; seizures start there, at contacts of depth electrodes on its mesial side.
# The removed tissue is not published as a set of regions, so we ask a coarser question: are the strongest regions in the **left temporal lobe**?
# We take the lobe from the [Brodmann areas](../book/glossary.md) of the PALS-B12 atlas {cite:p}`vanessen2005`.

# %% tags=["published-data"]
try:
    patient = evaluation.published_patient()
    lobe = dl.cortex.brodmann_regions(cortex, dl.cortex.TEMPORAL, "lh")
    target = {"left temporal lobe": lobe}
except RecordingUnavailable:
    patient = cohort[0]
    target = {"resection": patient.resection}
print(f"{patient.name}: {patient.outcome}")
print(f"{len(patient.evoked.ch_names)} channels, {patient.n_spikes} spikes")

# %% tags=["published-data", "hide-input"] mystnb={"figure": {"caption": "The averaged spike, filtered to 0.5 to 40 Hz. Left: all channels, the vertical line marks the peak. Right: the scalp map there.", "name": "fig-patient-spike"}, "image": {"alt": "Left, overlaid time courses of 75 electrodes with a sharp wave at time zero. Right, a scalp map at that time."}}
low, high = patient.evoked.times[[0, -1]]
spike = patient.evoked.copy().crop(max(-0.5, low), min(0.498, high))
fig, axes = dl.figures.plot_evoked(spike, 0.0, title=patient.label)
plt.show()

# %% [markdown]
# Behind it are the single spikes, as they were recorded, at the channel where the average is largest:

# %% tags=["published-data", "hide-input"] mystnb={"figure": {"caption": "Single spikes (gray), and their filtered average (color), at the channel of the largest deflection.", "name": "fig-patient-singles"}, "image": {"alt": "Noisy gray curves, one a spike, that share a wave at time zero, and a smooth colored curve through them."}}
channel = patient.largest_channel
whole = evaluation.average_spikes(patient.spikes)
times, here = whole.times, patient.spikes.ch_names.index(channel)
single = 1e6 * patient.spikes.get_data()[:, here]
single -= single.mean(axis=1, keepdims=True)
near = np.abs(times) <= 0.5
fig, ax = plt.subplots(figsize=(6.7, 2.4), layout="constrained")
ax.plot(1e3 * times[near], single[:, near].T, color="0.6", lw=0.7)
course = 1e6 * whole.data[here, near]
ax.plot(1e3 * times[near], course, color=METHODS["deepsif"].color, lw=2)
ax.set(xlabel="time (ms)", ylabel=f"{channel} (µV)", title=patient.label)
plt.show()

# %% [markdown]
# Spikes are as a rule *negative* on the scalp above their source.
# In the published file this one is positive: the file's polarity may be reversed.
# We keep it as published, and image the reversed one below: linear methods only change sign, but the network was trained on spikes of one polarity.
#
# ### Images of the same second
#
# The methods without a network need the noise at each electrode.
# They take it from the part of the recording that ends 0.6 s before the peak; the network has no settings.

# %% tags=["published-data"]
images = {}
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for method in methods:
        images[method] = evaluation.image_spike(patient, method, model=model)
for text in dict.fromkeys(str(warning.message) for warning in caught):
    print(textwrap.fill(text, 76))

# %% tags=["published-data", "hide-input"] mystnb={"figure": {"caption": "The spike imaged by every method, mean over 100 ms around its peak. Each map is divided by its own maximum. Outlined: the left temporal lobe, or the resection where a virtual patient is shown.", "name": "fig-patient-maps"}, "image": {"alt": "Rows of cortex maps, one a method, with the target outlined."}}
maps = {method: evaluation.spike_map(image) for method, image in images.items()}
fig, axes = dl.figures.plot_methods(
    maps,
    cortex,
    views=("lh-lateral", "lh-medial", "rh-medial", "rh-lateral", "ventral"),
    outlines=target,
    title=patient.label,
)
path = dl.results.write_figure("05_patient", fig, profile)
plt.show()

# %% [markdown]
# Where are the ten strongest regions? Their center is weighted by strength, in mm of fsaverage: x to the right, y to the front, z up.
# The extent is what Otsu's threshold {cite:p}`otsu1979` takes. A method passes where more than half of the ten lie in the target.

# %% tags=["published-data", "hide-input"]
name, regions = next(iter(target.items()))


def describe(image):
    """Focus, strongest regions and extent of a spike's image."""
    top = np.argsort(-evaluation.spike_map(image))[:10]
    found = evaluation.spike_extent(image)
    areas = 1e4 * cortex.areas[found]
    x, y, z = (1e3 * evaluation.focus(image)).round()
    return {
        "x, y, z (mm)": f"{x:.0f}, {y:.0f}, {z:.0f}",
        f"of ten in the {name}": int(np.isin(top, regions).sum()),
        "extent (cm²)": round(areas.sum()),
        "share there": round(areas[np.isin(found, regions)].sum() / areas.sum(), 2),
    }


# %% tags=["published-data"] table={"caption": "The ten strongest regions of each image: their center, how many lie where they should, and the extent."}
strongest = pd.DataFrame.from_dict(
    {m: describe(image) for m, image in images.items()}, orient="index"
)
strongest = strongest.rename(index=dl.figures.method_name).rename_axis("method")
path = dl.results.write_table("05_patient", strongest, profile)
strongest

# %% tags=["published-data"]
for method, inside in strongest.iloc[:, 1].items():
    verdict = "pass" if inside > 5 else "FAIL"
    print(f"{method}: {inside} of the ten strongest regions in the {name}: {verdict}")

# %% [markdown]
# ### Over time
#
# The same second in frames, and below as a loop (each method at its own scale):

# %% tags=["published-data", "hide-input"] mystnb={"figure": {"caption": "The spike around its peak, 20 ms from frame to frame, by the network and by sLORETA.", "name": "fig-patient-frames"}, "image": {"alt": "Two rows of cortex maps at five times, in the view that shows the network's focus, which grows to the peak and fades."}}
over_time = {m: images[m].activity.T for m in ("deepsif", "sloreta")}
seconds = images["deepsif"].times
at_peak = evaluation.spike_map(images["deepsif"]).argmax()
face = "medial" if abs(cortex.centroids[at_peak, 0]) < 0.03 else "lateral"
view = f"{cortex.hemisphere[at_peak]}-{face}"
frames = np.arange(-40, 45, 20) / 1e3
fig, axes = dl.figures.plot_frames(over_time, cortex, seconds, frames, view=view)
plt.show()

# %% tags=["published-data", "nbval-ignore-output", "hide-input"]
steps = np.arange(-80, 125, 10) / 1e3
movie = dl.figures.make_movie(over_time, cortex, seconds, steps, view=view)
alt = f"The frames above as a loop: {patient.label}, by the network and by sLORETA"
HTML(f'<img alt="{alt}" src="data:image/gif;base64,{b64encode(movie).decode()}">')

# %% [markdown]
# ### How sure is it?
#
# The trust lines look at the recording and at the image; [What can be imaged](../book/contract.md) says how often each verdict is right in simulations.

# %% tags=["published-data"] table={"caption": "How far to trust DeepSIF's image of the spike."}
images["deepsif"].trust

# %% [markdown]
# A focus of a spike may lie on the mesial or on the lateral side of the temporal lobe, a few centimeters apart, and fields at the scalp tell these badly.
# So ask others: another network (trained on clean recordings of the template head alone), the reversed polarity, another window, the average of the single spikes made here.

# %% tags=["published-data", "hide-input"] table={"caption": "The same spike, asked in other ways."}
turned = patient.evoked.copy()
turned.data *= -1
known = dl.load_model("lite-75-known-head")
with warnings.catch_warnings(action="ignore"):
    others = {
        "lite": images["deepsif"],
        "lite, polarity reversed": evaluation.image_spike(turned, model=model),
        "lite, averaged here": evaluation.image_spike(
            evaluation.average_spikes(patient.spikes), model=model
        ),
        "lite, 200 ms": dl.image(patient.evoked, model=model, tmin=-0.1, tmax=0.1),
        "lite-75-known-head": evaluation.image_spike(patient, model=known),
    }
asked = pd.DataFrame.from_dict(
    {k: describe(image) for k, image in others.items()}, orient="index"
)
asked["largest probability"] = [f"{i.probability.max():.2f}" for i in others.values()]
asked.rename_axis("DeepSIF")

# %% [markdown]
# And ask the scalp map itself, without any method: which patch of cortex (a region and its neighbors) explains most of it alone, on either side of the lobe?

# %% tags=["published-data", "hide-input"] table={"caption": "The patch of cortex that explains most of the scalp map at the peak, by the side of the lobe, and its share."}
shares = evaluation.explained_by_patches(images["deepsif"])
x = np.abs(cortex.centroids[regions, 0])
sides = {"mesial (up to 35 mm beside the middle)": regions[x <= 0.035]}
sides |= {"lateral (beyond 45 mm)": regions[x > 0.045]}
sides |= {"anywhere": np.arange(cortex.n_regions)}
rows = []
for side, part in sides.items():
    if len(part):
        best = part[shares[part].argmax()]
        place = "({:.0f}, {:.0f}, {:.0f})".format(*1e3 * cortex.centroids[best])
        rows.append({"best patch": side, "at (mm)": place, "explains": shares[best]})
pd.DataFrame(rows).set_index("best patch").round(2)

# %% [markdown]
# Two sides that explain nearly the same cannot be told apart by any method on this head; where one explains clearly more, the data decide, as far as the template fits.
#
# The FAST-IRES authors report an onset zone in the left anterior temporal lobe with mesial contacts, and no onset in the lateral cortex alone: a mesial focus agrees with what they found, a lateral one does not contradict the surgery.
#
# Single spikes are another check: if each is imaged alone, does the focus stay?

# %% tags=["published-data"] table={"caption": "Images of single spikes against that of their average."}
with warnings.catch_warnings(action="ignore"):
    singles = evaluation.image_singles(patient, ("deepsif", "sloreta"), model=model)
path = dl.results.write_table("05_singles", singles, profile)
columns = ["from_average_mm", "overlap", "probability"]
spread = singles.groupby("method", sort=False)[columns].agg(["median", "max"])
heads = {"from_average_mm": "from the average (mm)"}
spread.rename(index=dl.figures.method_name, columns=heads).round(2)

# %% [markdown]
# The first columns are the distance of a single spike's focus from that of the average, *overlap* is the Dice coefficient of both extents. Where the median is some centimeters, no single spike can be relied on, and the focus is that of the average alone.
#
# ### How many spikes?
#
# Averages of some of the spikes are imaged, drawn at random, in the real patient and in the virtual one with most spikes.

# %% tags=["published-data"]
many = max(cohort, key=lambda p: p.n_spikes)
counts = (1, 2, 3, 5, 10, 20, 40)
with warnings.catch_warnings(action="ignore"):
    averaged = {
        p.label: evaluation.image_averages(p, counts, model=model)
        for p in dict.fromkeys((patient, many))
    }

# %% tags=["published-data", "hide-input"] mystnb={"figure": {"caption": "Images of averages of some spikes: distance of the focus from that of all, and from the center of the source where it is known; overlap of the extents, and the largest probability; mean, and range of the subsets.", "name": "fig-patient-counts"}, "image": {"alt": "Four panels against the number of averaged spikes, one curve a patient with a shaded range."}}
panels = {
    "from_average_mm": "focus moves (mm)",
    "error_mm": "error (mm)",
    "overlap": "overlap",
    "probability": "probability",
}
fig, axes = dl.figures.plot_counts(averaged, panels)
plt.show()

# %% [markdown]
# Where the curves are flat, more spikes add nothing. The second panel shows what is left then: the error of a head and of electrodes that are not as planned, which no average removes.
# Where single spikes, and averages of a few, disagree by centimeters, the average of all rests on too few: say so in a report, and record longer.
#
# ### How strong is it?
#
# A network's image has no unit. One factor makes its potentials as large as the recorded ones ({py:func}`fit_amplitude <deepsif_lite.imaging.fit_amplitude>`).
# {py:func}`source_moment <deepsif_lite.imaging.source_moment>` adds up the moments of some regions, here the extent, and gives their range: over the times around the peak, and over two factors, fitted to the whole window and to these times alone. Where the sign is not the same in all of it, it says that there is no moment to report.

# %% tags=["published-data"]
spike, around = images["deepsif"], evaluation.AT_PEAK
extent = evaluation.spike_extent(spike)
print(f"{patient.label}:", dl.imaging.source_moment(spike, extent, -around, around))
explained = dl.imaging.fit_amplitude(spike).explained
print(f"{explained:.0%} of the variance explained")
alone = singles.loc[singles["method"] == "deepsif", "moment_nam"]
print(f"single spikes: {alone.min():.0f} to {alone.max():.0f} nA m")

# %% [markdown]
# The single spikes show how far the value depends on which spikes were averaged. None of these ranges holds the skull's conductivity, which nobody measured here and which adds more: one that conducts half as well asks for a source about twice as strong.
# And what the image leaves unexplained has no moment.
#
# ### When it is wrong, and how to notice
#
# - The **trust lines** say `do not use`, or no region has a probability above one half.
# - **Single spikes** do not agree with their average.
# - Another **network**, another **window** or the reversed polarity moves the focus by centimeters.
# - The image does not **explain** the potentials at the peak.
#
# None of these proves an image wrong; two of them are a reason not to rely on it.
#
# ## A seizure
#
# Can the same network image a seizure, which the paper names as its next step?
# With more gain and more input the neural mass of [chapter 1](01_simulation.ipynb) spikes without pause, or swings like a sine: two of the kinds of activity that seizures start with.
# A **virtual** patient's source gets these courses, and its first second is recorded once, without averaging, on the patient's own head.
# The network was not trained on any such course.

# %% tags=["hide-input"]
one = max(cohort, key=lambda p: np.abs(cortex.centroids[p.source, 0]).mean())
seizures, ictal = {}, {}
for kind in evaluation.ICTAL_KINDS:
    seizures[kind] = evaluation.virtual_seizure(one, kind, clips, seed=1)
    with warnings.catch_warnings(action="ignore"):
        for method in ("deepsif", "sloreta"):
            image = evaluation.image_spike(
                seizures[kind].patient, method, model=model, head=head
            )
            ictal[kind, method] = image

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Two kinds of virtual seizures. Gray: the largest scalp channel; black: the true course of the source; color: DeepSIF's strongest region. Each divided by its own maximum.", "name": "fig-ictal-courses"}, "image": {"alt": "Two panels with three curves each, sharp waves four a second and a rhythm of about eleven a second."}}
fig, axes = plt.subplots(2, 1, figsize=(6.7, 3.4), layout="constrained", sharex=True)
for ax, (kind, seizure) in zip(axes, seizures.items(), strict=True):
    image = ictal[kind, "deepsif"]
    evoked = seizure.patient.evoked.copy().crop(*image.times[[0, -1]])
    scalp = evoked.data[np.abs(evoked.data).max(axis=1).argmax()]
    truth = seizure.truth[:, one.source[0]]
    curves = {
        "scalp": (scalp, "0.7"),
        "truth": (truth, "k"),
        "DeepSIF": (image.activity[image.peak.region], METHODS["deepsif"].color),
    }
    for name, (course, color) in curves.items():
        turned = np.sign(course @ truth) * course / np.abs(course).max()
        ax.plot(image.times - image.times[0], turned, color=color, label=name)
    ax.set(ylabel="of the largest", title=f"virtual, {kind}")
axes[1].set_xlabel("time after the onset (s)")
fig.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3)
plt.show()

# %% tags=["hide-input"] mystnb={"figure": {"caption": "A virtual seizure's first second by the network and by sLORETA, root mean square. First row: the true source.", "name": "fig-ictal-maps"}, "image": {"alt": "Rows of cortex maps: the true source, and two methods for each of two kinds of seizures."}}
maps = {"truth": np.isin(np.arange(cortex.n_regions), one.source)}
for (kind, method), image in ictal.items():
    maps[f"{dl.figures.method_name(method)}, {kind.split()[0]}"] = image.map()
fig, axes = dl.figures.plot_methods(
    maps, cortex, outlines={"source": one.source}, title=f"{one.name}, seizure"
)
plt.show()

# %% [markdown]
# The same scores as of synthetic test samples, for several virtual patients:

# %% tags=["hide-input"]
rows = []
few = cohort[:5]  # enough to see a difference, in seconds
with warnings.catch_warnings(action="ignore"):
    for kind, person in [(k, p) for k in evaluation.ICTAL_KINDS for p in few]:
        seizure = evaluation.virtual_seizure(person, kind, clips, seed=1)
        for method in ("deepsif", "sloreta"):
            image = evaluation.image_spike(
                seizure.patient, method, model=model, head=head
            )
            facts = {"kind": kind, "method": dl.figures.method_name(method)}
            rows.append(facts | evaluation.score_seizure(image, seizure))

# %% table={"caption": "Scores of the virtual seizures."}
ictal_scores = pd.DataFrame(rows)
path = dl.results.write_table("05_ictal", ictal_scores, profile, seed=1)
measured = ["precision", "recall", "correlation", "localization_error"]
means = ictal_scores.groupby(["kind", "method"], sort=False)[measured].mean()
means["localization_error"] *= 1e3  # mm
means.rename(columns={"localization_error": "localization error (mm)"}).round(2)

# %% [markdown]
# Precision, correlation and localization error (mm) leave out sources that were missed. Virtual seizures show what the network does with other courses, not what it does in people: theirs spread, and move the body.
#
# ## Summary
#
# - From single spikes to a set of regions: filter, average, image one second, mean over 100 ms, Otsu.
# - On virtual patients, the tables say how each method scores; tests are paired, patient by patient.
# - A resection is no map of the source: beside the scores of a method stand those of an image without fault.
# - For the real patient a table says where each method places the spike, and the lines below it whether that is the target.
#
# ## Limits
#
# - One real patient is an example, not evidence. The paper's 20 recordings are on Figshare, without the resections.
# - The virtual patients share the cortex's folding and the neural mass model with the training set. Heads, electrodes, artifacts and spikes are new. Real brains differ more.
# - Region areas stand for tissue volume.
# - Nothing here may guide treatment.
#
# ## Exercises
#
# :::{exercise}
# :label: ex-epilepsy-1
#
# Give the virtual patients electrodes that are 10 mm off (`misplacement=0.01`). How much does each method lose?
# :::
#
# :::{solution} ex-epilepsy-1
# :class: dropdown
#
# Both cohorts have the same sources, so compare patient by patient:
#
# ```python
# some = max(settings.n_patients // 4, 2)
# pairs = {
#     name: evaluation.virtual_cohort(some, head, clips, seed=5, misplacement=off)
#     for name, off in {"5 mm": 0.005, "10 mm": 0.01}.items()
# }
# measures = ["precision", "recall", "onset_zone_average_error"]
# with warnings.catch_warnings(action="ignore"):
#     for name, people in pairs.items():
#         scored = evaluation.score_cohort(people, LIVE, model=model, head=head)
#         print(name, scored.groupby("method")[measures].mean().round(4), sep="\n")
# ```
#
# Over the whole cohort, DeepSIF loses a few hundredths of precision. Of the slower methods, which `LIVE` leaves out, Champagne loses most, its onset-zone error grows by half: a solution that fits the data closely explains a wrong scalp map by sources elsewhere. sLORETA was wide before and changes little; LCMV has little to lose.
# :::
#
# :::{exercise}
# :label: ex-epilepsy-2
#
# Replace the 100 ms window by the peak alone. Does Otsu's threshold still find a compact set?
# :::
#
# :::{solution} ex-epilepsy-2
# :class: dropdown
#
# `image.extent(0, 0, of="mean")` takes the peak sample alone:
#
# ```python
# areas = []
# with warnings.catch_warnings(action="ignore"):
#     for person in cohort[:5]:
#         for method in ("deepsif", "sloreta"):
#             spike = evaluation.image_spike(person, method, model=model)
#             for around in (0.05, 0):
#                 found = spike.extent(-around, around, of="mean")
#                 areas.append((method, around, 1e4 * cortex.areas[found].sum()))
# pd.DataFrame(areas, columns=["method", "s", "cm²"]).groupby(["method", "s"]).mean()
# ```
#
# Yes. The network's extent hardly changes, for its regions keep their place while they are active. That of sLORETA is even a little smaller at the peak, where the spike stands out most; the mean over 100 ms takes in its flanks, with more of the background.
# :::
#
# :::{exercise}
# :label: ex-epilepsy-3
#
# Image virtual patients with their own heads (`patient.head`) instead of the template. What is a head model worth?
# :::
#
# :::{solution} ex-epilepsy-3
# :class: dropdown
#
# Any network and any solver takes a head:
#
# ```python
# with warnings.catch_warnings(action="ignore"):
#     for person in cohort[:4]:
#         for of, known in {"own": person.head, "template": head}.items():
#             lite = dl.load_model("lite", head=known)
#             scored = evaluation.score_cohort([person], LIVE, model=lite, head=known)
#             precision = scored.set_index("method")["precision"].round(2).to_dict()
#             print(person.name, of, precision)
# ```
#
# Over the cohort, a few hundredths of precision for DeepSIF and a hundredth for sLORETA: less than from one patient to the next. Electrodes that are off their places cost as much ([chapter 2](02_forward.ipynb), "Other heads"), and those of a patient are not known better for knowing the head.
# :::
#
# :::{exercise}
# :label: ex-epilepsy-4
#
# Sort the intracranial spikes into two kinds, and into five. Does the chosen one change?
# :::
#
# :::{solution} ex-epilepsy-4
# :class: dropdown
#
# ```python
# for person in implanted[:5]:
#     for n_clusters in (2, 3, 5):
#         kinds = evaluation.cluster_spikes(person, n_clusters=n_clusters)
#         best = int(np.nanargmax(kinds.alike))
#         share = np.mean(kinds.labels == best)
#         print(f"{person.name}, {n_clusters}: r = {kinds.alike[best]:.2f}, {share:.0%}")
# ```
#
# Another kind is chosen, with fewer of the spikes when there are more kinds, but its average looks the same: the correlation with the scalp changes by a hundredth. Five kinds split one in halves that look alike, either of which may be chosen.
# :::
#
# ## Next
#
# [Evoked potentials](06_evoked.ipynb), where physiology tells us what to expect.
