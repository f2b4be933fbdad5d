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
# # Evoked potentials
#
# A flash, a touch, a rare picture or letter: for these, physiology says which part of the cortex should answer, and about when.
# Here a network that was trained on simulated epileptic spikes images such responses of healthy brains, beside every other method. Does it point where it should, and does it say when it does not know?
#
# **Paper map.** PNAS Fig. 7, Results "Source Imaging of Cortical Sensory and Cognitive Processing" {cite:p}`sun2022deepsif`.
# Panel A: the recording is the one the authors publish. Panels B and C: theirs are not public; here are somatosensory responses of two other people {cite:p}`delatolas2023` and the visual oddball of three others {cite:p}`kappenman2021`, and a virtual study of 18 where a group is asked for.
#
# **Library.** {py:func}`dl.load_recording <deepsif_lite.load_recording>`, {py:func}`dl.image <deepsif_lite.image>`, {py:func}`dl.average <deepsif_lite.average>`, and the modules {py:mod}`recordings <deepsif_lite.recordings>` and {py:mod}`imaging <deepsif_lite.imaging>`.
#
# **You will learn**
# - how to image a response at its peak, and compare the image with an atlas;
# - how the window and the number of trials change an image and its trust;
# - how to average the images of several people;
# - how a wrong image gives itself away.
#
# **Run time.** Half a minute at profile `lite` on two cores.

# %% tags=["parameters"]
profile = "lite"

# %%
import textwrap
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import deepsif_lite as dl
from deepsif_lite import evaluation
from deepsif_lite.cortex import brodmann_regions
from deepsif_lite.errors import RecordingUnavailable
from deepsif_lite.recordings import VIRTUAL
from deepsif_lite.solvers import METHODS

settings = dl.get_profile(profile)
dl.figures.use_style()
CALCARINE = (-0.010, -0.085, 0.002)  # m, fsaverage: left primary visual cortex
HAND = (-0.048, -0.021, 0.050)  # left somatosensory cortex, finger

# %% [markdown]
# The network is `lite` of [chapter 3](03_training.ipynb): it images on whatever electrodes a recording has.
# Its training held nothing like these responses but patches of cortex that are active together for some tens of milliseconds.
#
# Where a recording cannot be had, a [virtual subject](../book/glossary.md) takes its place and every figure says so; the area is then what lies around the virtual source.

# %% tags=["hide-input"]
model, cortex = dl.load_model("lite"), dl.load_cortex()
cap = dl.load_head_model("template-75")


def area(numbers, place, side=None):
    """Regions of Brodmann areas, or around a place where the atlas is not at hand."""
    try:
        return brodmann_regions(cortex, numbers, side)
    except RecordingUnavailable:
        away = np.linalg.norm(cortex.centroids - np.array(place), axis=1)
        return np.flatnonzero(away < 0.03)


# %% tags=["hide-input"]
def image_by(evoked, methods, **window):
    """Image a response by several methods, without the warnings."""
    with warnings.catch_warnings(action="ignore"):
        return {
            m: dl.image(evoked, model=model, **window)
            if m == "deepsif"
            else dl.image(evoked, m, baseline=(None, 0), **window)
            for m in methods
        }


def describe(image, regions, time, around=0.01):
    """Where the ten strongest regions lie, and how many in the area."""
    span = (time - around, time + around)
    names = ("x, y, z (mm)", "of ten in the area", "share of the map")
    if not image.map(*span).any():  # a sparse method may leave a window empty
        return dict(zip(names, ("no activity", 0, 0.0), strict=True))
    x, y, z = (1e3 * image.center(10, *span)).round()
    inside = round(10 * image.share_in(regions, *span, n=10))
    share = round(image.share_in(regions, *span), 2)
    return dict(zip(names, (f"{x:.0f}, {y:.0f}, {z:.0f}", inside, share), strict=True))


# %% [markdown]
# ## A: A checkerboard in the right visual field
#
# Such a checkerboard reaches the *left* visual cortex first. About a tenth of a second later the scalp shows a positive wave over the back of the head, the P100 {cite:p}`dirusso2002`.
# The recording is that of the MNE sample subject {cite:p}`gramfort2013`, 56 responses averaged, which the authors mapped to the 64 channels of a BioSemi cap.
# The published file has no channel names and is scaled to a maximum of one: {py:func}`load_recording <deepsif_lite.load_recording>` says how its order was inferred.

# %% tags=["published-data"]
evoked, subject = dl.recordings.load_or(
    "vep", lambda: evaluation.virtual_response(cap, CALCARINE, latency=0.093)
)
evoked.set_eeg_reference("average", verbose=False)
power = evoked.data.std(axis=0)
early = (evoked.times >= 0.06) & (evoked.times <= 0.13)
latency = evoked.times[early][power[early].argmax()]
data = "virtual" if subject == VIRTUAL else "real"
theirs = dl.results.paper_values()["value"]
print(f"{subject}: P100 at {1e3 * latency:.0f} ms", end=" ")
print(f"(paper: {theirs['vep/latency']:.0f} ms)")

# %% tags=["published-data", "hide-input"] mystnb={"figure": {"caption": "The visual evoked potential at an electrode over the back of the head, and its scalp map at the P100 and at the largest wave after it; red is positive.", "name": "fig-vep"}, "image": {"alt": "Left, the trace of one electrode with two dashed lines. Right, two scalp maps."}}
late = evoked.times > latency + 0.03
peak = evoked.times[late][power[late].argmax()]
back = max(("O1", "Oz", "PO7", "PO3"), key=lambda c: evoked.get_data(c).max())
marks = {"P100": latency, "later": peak}
fig, axes = dl.figures.plot_electrode(
    evoked, back, marks, unit="arbitrary", title=subject
)
plt.show()

# %% [markdown]
# The image is made of the recording up to 200 ms, and looked at in the 20 ms around the P100.
# The target is the paper's, Brodmann areas 17 and 18 of the left hemisphere.

# %% tags=["published-data"] table={"caption": "The ten strongest regions at the P100, by method."}
visual = area(dl.cortex.VISUAL, CALCARINE, "lh")
images = image_by(evoked, METHODS, tmax=0.2)
rows = {m: describe(i, visual, latency) for m, i in images.items()}
table = pd.DataFrame.from_dict(rows, orient="index")
table = table.rename(index=dl.figures.method_name)
path = dl.results.write_table("06_vep", table.rename_axis("method"), profile)
table.rename_axis("method")

# %% tags=["published-data", "hide-input"] mystnb={"figure": {"caption": "The P100 by every method, root mean square over 20 ms. Each map is divided by its own maximum. Outlined: Brodmann areas 17 and 18 on the left, or the surroundings of a virtual source.", "name": "fig-vep-maps"}, "image": {"alt": "Rows of cortex maps, one a method, from the side, from the middle and from behind, with the visual areas outlined."}}
window = (latency - 0.01, latency + 0.01)
fig, axes = dl.figures.plot_methods(
    {method: image.map(*window) for method, image in images.items()},
    cortex,
    views=("lh-lateral", "lh-medial", "rh-medial", "posterior"),
    outlines={"visual cortex": visual},
    title=f"{subject}, {1e3 * latency:.0f} ms",
)
path = dl.results.write_figure("06_vep", fig, profile)
plt.show()

# %% [markdown]
# By chance, the share of the map in the area would be its share of the cortex:

# %% tags=["published-data"] table={"caption": "How far to trust DeepSIF's image of the P100."}
cover = cortex.areas[visual].sum() / cortex.areas.sum()
print(f"area: {len(visual)} regions, {cover:.0%} of the cortex")
images["deepsif"].trust

# %% [markdown]
# ### Several windows, two networks
#
# A network images a window as a whole, so what comes after the P100 can change where it puts the P100.
# `lite-75-known-head` learned from clean recordings of the template head alone; "baseline" is `lite` that is told what goes on before the stimulus (see [below](#baseline-of-a-response)).

# %% tags=["published-data", "hide-input"]
clean = dl.load_model("lite-75-known-head", head=cap, transfer=True)
networks = {
    "lite": {"model": model},
    "lite, baseline": {"model": model, "baseline": (None, 0.0)},
}
if set(evoked.ch_names) <= set(cap.ch_names):
    own = dl.load_head_model("template", channels=evoked.info)
    clean = dl.load_model("lite-75-known-head", head=own, transfer=True)
    networks["known head"] = {"model": clean}
rows = []
for end in (latency + 0.04, 0.15, 0.2, 0.3, evoked.times[-1]):
    for name, options in networks.items():
        with warnings.catch_warnings(action="ignore"):
            image = dl.image(evoked, tmax=end, **options)
        facts = describe(image, visual, latency)
        sure, told = image.probability.max(), image.trust.verdict
        facts |= {"probability": round(sure, 2), "trust": told}
        rows.append({"until (ms)": round(1e3 * end), "network": name, **facts})

# %% tags=["published-data"] table={"caption": "The P100 by the end of the window and by network."}
by_window = pd.DataFrame(rows)
path = dl.results.write_table("06_windows", by_window, profile)
by_window.set_index(["until (ms)", "network"])

# %% [markdown]
# Rely on what windows and networks agree on, and on no image whose trust says `do not use`.
# This recording had a part in the design of the network, so it is an example and no test.

# %% tags=["published-data", "hide-input"] mystnb={"figure": {"caption": "DeepSIF's mean magnitude over the visual areas of each hemisphere. The stimulus comes at time 0; the vertical line marks the P100.", "name": "fig-vep-course"}, "image": {"alt": "Two curves of the left and the right visual cortex, with a vertical line at the P100."}}
with warnings.catch_warnings(action="ignore"):
    whole = dl.image(evoked, model=model)
courses = {}
for side, name in (("lh", "left"), ("rh", "right")):
    members = area(dl.cortex.VISUAL, CALCARINE, side)
    courses[name] = np.abs(whole.activity[members]).mean(axis=0)[None]
fig, ax = dl.figures.plot_group(
    courses, whole.times, ylabel="magnitude (no unit)", marks=[latency]
)
plt.show()

# %% [markdown]
# ## B: A touch on the right
#
# Two healthy adults of the public feCNN data {cite:p}`delatolas2023`, averages of many stimuli of a nerve of the right arm or hand, 73 and 71 electrodes.
# The first cortical response, the **N20**, arises in area 3b of the left hemisphere; a parietal wave follows.
# (The paper images a P30 after touching the little finger, an average of 500 in one other person, and expects areas 1 to 3.)

# %% tags=["published-data", "hide-input"]
people, labels = {}, {}
for number, name in enumerate(("a0206", "a1974")):
    people[name], labels[name] = dl.recordings.load_or(
        f"sep-{name}",
        lambda k=number: evaluation.virtual_response(
            cap, HAND, latency=0.022, radius=0.01, noise=0.05, seed=k
        ),
    )
    print(f"{labels[name]}: {len(people[name].ch_names)} electrodes")


def largest(evoked, low, high):
    """Time of the largest global field power between two times."""
    inside = (evoked.times >= low) & (evoked.times <= high)
    return evoked.times[inside][evoked.data[:, inside].std(axis=0).argmax()]


touched = {
    name: {"N20": largest(e, 0.015, 0.030), "later": largest(e, 0.033, 0.060)}
    for name, e in people.items()
}

# %% tags=["published-data"]
scores = {"vep/latency": 1e3 * latency}
waves = [1e3 * facts["later"] for facts in touched.values()]
path = dl.results.write_scores("06_evoked", scores, profile, data=data)
print("later wave:", ", ".join(f"{wave:.0f} ms" for wave in waves), end=" ")
print(f"(the paper's P30, another wave: {theirs['sep/latency']:.0f} ms)")

# %% tags=["published-data", "hide-input"] mystnb={"figure": {"caption": "The somatosensory response of one of the two, with its scalp map at both peaks; red is positive.", "name": "fig-sep"}, "image": {"alt": "Left, the trace of an electrode over the left parietal cortex with two dashed lines. Right, two scalp maps."}}
first = next(iter(people))
# Drawn where the template has these names: the file's axes are not those of a head.
drawn = dl.load_head_model("template", channels=people[first].info)
drawn = dl.recordings.prepare(people[first], drawn.info, interpolate=False)
electrode = next(n for n in ("CP3", "P3", "C3") if n in drawn.ch_names)
fig, axes = dl.figures.plot_electrode(
    drawn, electrode, touched[first], title=labels[first]
)
plt.show()

# %% tags=["published-data", "hide-input"]
hand = area((1, 2, 3, 4), HAND, "lh")
rows, touch_images = [], {}
# Those that take seconds an image are shown in the first person alone.
QUICK = [m for m in METHODS if m not in ("cmem", "fast-ires")]
for name, evoked_ in people.items():
    chosen = METHODS if name == first else QUICK
    touch_images[name] = image_by(evoked_, chosen, tmin=-0.025, tmax=0.1)
    for method, image in touch_images[name].items():
        for wave, time in touched[name].items():
            facts = describe(image, hand, time, 0.003)
            label = dl.figures.method_name(method)
            keys = {"person": name, "wave": wave, "ms": round(1e3 * time)}
            rows.append({**keys, "method": label, **facts})

# %% tags=["published-data", "nbval-ignore-output"] table={"caption": "The ten strongest regions at the N20 and at the later wave, by person and method."}
# Where iterative solvers end differs by a few mm from one processor to the next.
touch = pd.DataFrame(rows)
path = dl.results.write_table("06_touch", touch, profile)
touch.set_index(["person", "wave", "ms", "method"])

# %% tags=["published-data", "hide-input"] mystnb={"figure": {"caption": "The N20 by every method, seen from the left; the slowest methods in one person alone. Each map is divided by its own maximum. Outlined: areas 1 to 4 on the left, or the surroundings of a virtual source.", "name": "fig-sep-maps"}, "image": {"alt": "Views of the left hemisphere, one a method and person, with a map and the outline of the sensorimotor areas."}}
shown = {}
for name, found in touch_images.items():
    for method, image in found.items():
        time = touched[name]["N20"]
        key = f"{dl.figures.method_name(method)}, {name}"
        strength = image.map(time - 0.003, time + 0.003)
        shown[key] = (strength, {"areas 1 to 4": hand})
fig, axes = dl.figures.plot_people(shown, cortex, most=4)
plt.show()

# %% tags=["published-data", "nbval-ignore-output"]
for name, found in touch_images.items():
    print(textwrap.fill(f"{name}: {found['deepsif'].trust.summary}", 76))

# %% [markdown]
# Both heads have a shape that is not known, and are imaged with the template's.
# The poorer image should have the lower trust; where the verdicts are alike, the numbers behind them say which has more against it.
#
# ### Other windows, and the other polarity
#
# The window of the table above, -25 to 100 ms, was chosen on these same two recordings: that it does well there is no test of it.
# So here are other windows, each also with the recording's sign reversed (to which a linear method is blind), and with the network told of the baseline (see [below](#baseline-of-a-response)): how many of the ten strongest regions at the N20 lie in areas 1 to 4.

# %% tags=["published-data", "hide-input"] table={"caption": "Of the ten strongest regions at the N20, how many lie in areas 1 to 4, by window."}
SPANS = [(-0.025, 0.1), (0.0, 0.05), (0.0, 0.1), (-0.1, 0.05), (-0.1, 0.198)]
rows = []
for name, evoked_ in people.items():
    turned, time = evoked_.copy(), touched[name]["N20"]
    turned.data *= -1
    for low, high in SPANS:
        window = {"tmin": max(low, evoked_.times[0]), "tmax": high}
        plain = image_by(evoked_, ("deepsif", "sloreta"), **window)
        plain["deepsif, reversed"] = image_by(turned, ("deepsif",), **window)["deepsif"]
        with warnings.catch_warnings(action="ignore"):
            told = dl.image(evoked_, model=model, baseline=(None, 0.0), **window)
        plain["deepsif, baseline"] = told
        for method, image in plain.items():
            held = describe(image, hand, time, 0.003)["of ten in the area"]
            span = f"{1e3 * low:.0f} to {1e3 * high:.0f} ms"
            rows.append({"person": name, "image": method, "window": span, "ten": held})
windows = pd.DataFrame(rows)
path = dl.results.write_table("06_touch_windows", windows, profile)
shown = windows.pivot_table("ten", ["person", "image"], "window", sort=False)
shown.astype(int).rename(
    lambda name: name.replace("deepsif", "DeepSIF").replace("sloreta", "sLORETA"),
    level="image",
)

# %% [markdown]
# What would a window do that was chosen without the person it is judged on? The best one of the one person, in the other:

# %% tags=["published-data"]
held = windows[windows["image"] == "deepsif"].pivot(
    index="window", columns="person", values="ten"
)
for name in held:
    chosen = held.drop(columns=name).mean(axis=1).idxmax()
    print(f"{name}: {chosen}, {held.loc[chosen, name]} of ten")

# %% [markdown]
# ### How strong is it?
#
# These recordings have a unit, so the images can have one ({py:func}`source_moment <deepsif_lite.imaging.source_moment>`): the moment of the ten strongest regions together, with its range within 3 ms of the peak, by the factor of the whole window and by that of these milliseconds alone.
# (The visual response of section A is published without a unit, and stays without.)

# %% tags=["published-data"]
for name, found in touch_images.items():
    span = touched[name]["N20"] - 0.003, touched[name]["N20"] + 0.003
    top = found["deepsif"].strongest(10, *span)
    print(
        f"{labels[name]}, N20:", dl.imaging.source_moment(found["deepsif"], top, *span)
    )

# %% [markdown]
# Where the sign changes within these few milliseconds, or regions side by side have opposite signs, the sum is an accident of where one stops counting, and no number is given.
# Where one is given: what the skull of each person conducts is not known, and could change it twofold.
#
# ## C: A rare stimulus
#
# Three people of ERP CORE, a public collection {cite:p}`kappenman2021`, saw letters, of which one in five was a target; 30 electrodes, response to targets minus that to non-targets.
# The P300 is largest at parietal electrodes; its peak is taken at Pz, between 250 and 600 ms.
# (The paper: 18 people, about 27 targets each, the peak at Cz. It expects posterior parietal, inferior temporal and supplementary motor cortex.)

# %% tags=["published-data", "hide-input"]
PLACES = [(-0.035, -0.06, 0.045), (0.035, -0.06, 0.045), (0.0, 0.0, 0.06)]
PLACES += [(-0.05, -0.055, -0.015), (0.05, -0.055, -0.015)]
NAMES = "FP1 F3 F7 FC3 C3 C5 P3 P7 P9 PO7 PO3 O1 Oz Pz CPz FP2 Fz F4 F8 FC4 FCz Cz"
NAMES = [n.replace("FP", "Fp") for n in f"{NAMES} C4 C6 P4 P8 P10 PO8 PO4 O2".split()]
small, clips = cap.pick(NAMES), dl.load_spike_library("lite", split="test")
n_virtual = min(18, settings.n_patients)  # as many as the paper's
virtual = evaluation.virtual_study(n_virtual, small, clips, PLACES, latency=0.4)
try:
    numbers = ("015", "016", "017")
    real = [dl.load_recording(f"oddball-{n}-difference") for n in numbers]
    studies = {"ERP CORE": real, "virtual": virtual}
except RecordingUnavailable:
    studies = {"virtual": virtual}


# %% tags=["published-data"]
def peak_at_pz(evoked):
    """Time of the largest value at Pz between 250 and 600 ms."""
    part = evoked.copy().crop(0.25, min(0.6, evoked.times[-1]))
    return part.times[part.get_data("Pz")[0].argmax()]


peaks = {study: [peak_at_pz(e) for e in group] for study, group in studies.items()}
for study, times in peaks.items():
    ms = 1e3 * np.array(times)
    print(f"{study}: {len(ms)} people, peak at {ms.mean():.0f} ± {ms.std():.0f} ms")

# %% tags=["published-data", "hide-input"] mystnb={"figure": {"caption": "Target minus non-target at Pz: mean over people, standard error shaded, and each one's peak (dotted).", "name": "fig-oddball"}, "image": {"alt": "One panel a study: a mean curve with a shaded band and dotted vertical lines at the peaks."}}
fig, axes = plt.subplots(
    1, len(studies), figsize=(6.7, 2.4), layout="constrained", squeeze=False
)
for ax, (study, group) in zip(axes[0], studies.items(), strict=True):
    low = max(e.times[0] for e in group)
    high = min(e.times[-1] for e in group)
    times = np.linspace(low, high, 300)
    traces = [np.interp(times, e.times, 1e6 * e.get_data("Pz")[0]) for e in group]
    curve = {study: np.array(traces)}
    dl.figures.plot_group(curve, times, ylabel="Pz (µV)", marks=peaks[study], ax=ax)
plt.show()

# %% [markdown]
# Everybody's response is imaged alone, and the images are averaged at each one's peak: {py:func}`dl.average <deepsif_lite.average>`.

# %% tags=["published-data", "hide-input"]
AREAS = {
    "parietal": area((5, 7, 39, 40), PLACES[0]),
    "temporal": area((20, 37), PLACES[3]),
    "motor": area((6,), PLACES[2]),
}
medial = np.abs(cortex.centroids[:, 0]) < 0.02
AREAS["motor"] = np.intersect1d(AREAS["motor"], np.flatnonzero(medial))
TWO = ("deepsif", "sloreta")
single, group_maps = {}, {}
for study, group in studies.items():
    made = [image_by(e, TWO, tmin=t - 0.2, tmax=min(t + 0.2, e.times[-1]))
            for e, t in zip(group, peaks[study], strict=True)]  # fmt: skip
    single[study] = {m: [one[m] for one in made] for m in TWO}
    for method in TWO:
        mean = dl.average(single[study][method], at=peaks[study], magnitude=True)
        key = f"{dl.figures.method_name(method)},\n{study}"
        group_maps[key] = mean.map(-0.02, 0.02)

# %% tags=["published-data", "hide-input"] mystnb={"figure": {"caption": "Mean images at the peak of the P300, 40 ms. Each map is divided by its own maximum. Outlined: posterior parietal, inferior temporal and supplementary motor areas (or the surroundings of virtual sources).", "name": "fig-oddball-maps"}, "image": {"alt": "Rows of cortex maps, one a study and method, with three outlined areas."}}
fig, axes = dl.figures.plot_methods(
    group_maps,
    cortex,
    outlines=AREAS,
)
path = dl.results.write_figure("06_oddball", fig, profile)
plt.show()

# %% [markdown]
# How much of each one's map lies in the areas, against what chance gives (1, the share of the cortex)? Mean and standard error over people:

# %% tags=["published-data", "hide-input"]
cover = {a: cortex.areas[r].sum() / cortex.areas.sum() for a, r in AREAS.items()}
rows = [
    {"study": study, "method": method, "area": name, "value": share / cover[name]}
    for study, by_method in single.items()
    for method, found in by_method.items()
    for image, time in zip(found, peaks[study], strict=True)
    for name, regions in AREAS.items()
    for share in [image.share_in(regions, time - 0.02, time + 0.02)]
]
shares = pd.DataFrame(rows)
path = dl.results.write_table("06_oddball", shares, profile)

# %% tags=["published-data", "hide-input"] mystnb={"figure": {"caption": "Share of the map in each area over the area's share of the cortex, mean and standard error over people; the dashed line is chance.", "name": "fig-oddball-shares"}, "image": {"alt": "One panel a study with a dot and an error bar for each area and method, and a dashed line at one."}}
fig, axes = dl.figures.plot_shares(shares)
plt.show()

# %% tags=["published-data"]
for study, by_method in single.items():
    verdicts = pd.Series([image.trust.verdict for image in by_method["deepsif"]])
    counts = verdicts.value_counts().items()
    print(f"{study}:", ", ".join(f"{verdict} {n}" for verdict, n in counts))

# %% [markdown]
# Few electrodes, several wide sources at once, few trials: this is the hardest of the three, and the trust lines should say so.
# In the virtual study the sources are known, so a share above chance there is a hit, and one below it a miss; the three people are too few for a claim about groups.
#
# (baseline-of-a-response)=
# ## Telling the network what is not the response
#
# Background rhythms, eyes and muscles do not wait for the stimulus: they are in the *baseline* before it too.
# Given its times, {py:func}`dl.image <deepsif_lite.image>` estimates the noise covariance of the channels $\mathbf{C}$ from it {cite:p}`ledoit2004`, and the network images $\mathbf{C}^{-1/2}\mathbf{\Phi}$ by the leadfield $\mathbf{C}^{-1/2}\mathbf{K}$: what goes on all the time has unit power in every direction, and stands out no more.
# (A network for any electrodes takes any leadfield, so a {term}`whitened <Whitening>` one as well.)
# The responses from above, as they are and by their baseline, looked at in the same milliseconds:

# %% tags=["published-data", "hide-input"]
responses = [("checkerboard", evoked, (None, 0.2), latency, 0.01, visual)]
responses += [
    (f"touch, {name}", e, (-0.025, 0.1), touched[name]["N20"], 0.003, hand)
    for name, e in people.items()
]
study = next(iter(studies))
rare = np.unique(np.concatenate(list(AREAS.values())))
responses += [
    (f"rare stimulus, {study} {k + 1}", e, (t - 0.2, min(t + 0.2, e.times[-1])),
     t, 0.02, rare)
    for k, (e, t) in enumerate(zip(studies[study][:3], peaks[study], strict=False))
]  # fmt: skip
rows = []
for name, evoked_, (low, high), time, around, regions in responses:
    for way, quiet in {"as it is": None, "by its baseline": (None, 0.0)}.items():
        with warnings.catch_warnings(action="ignore"):
            image = dl.image(evoked_, model=model, tmin=low, tmax=high, baseline=quiet)
        inside = round(10 * image.share_in(regions, time - around, time + around, n=10))
        sure = round(image.probability.max(), 2)
        facts = {"of ten in the area": inside, "probability": sure}
        facts["trust"] = image.trust.verdict
        rows.append({"response": name, "image": way, **facts})

# %% tags=["published-data"] table={"caption": "The responses, imaged as they are and whitened by their baseline."}
told = pd.DataFrame(rows)
path = dl.results.write_table("06_baseline", told, profile)
told.set_index(["response", "image"]).unstack(sort=False).swaplevel(axis=1)[
    list(told["image"].unique())
]

# %% [markdown]
# Two numbers go apart here: places get better or stay, and probabilities fall, but for those that were near zero.
# In simulations on computed heads the probabilities stay true and the verdicts keep their meaning. A person's head differs from all of them, and whitening enlarges just what the template does not explain: the best patches fit real responses less well, which the network reads as a sign that there is no source ([chapter 3b](03b_trials.ipynb) has the numbers).
# So take the baseline as a second opinion on *where*: where both images agree, the place does not hang on what goes on all the time.
# Give none of spikes: the baseline of a patient holds activity of the focus, and whitening takes it away.
#
# ## How many trials does it take?
#
# A virtual subject's visual response, averaged over more and more trials (each over other background activity, with eyes and muscles), with MNE's test recording of six trials as the warning example.

# %% tags=["hide-input"]
head64 = dl.load_head_model("template-64")
most = {"smoke": 40, "lite": 80}.get(profile, 200)
trials = evaluation.virtual_trials(
    head64, clips, [CALCARINE], latency=0.1, n_trials=most, subject=1
)
rows = []
for count in (n for n in (5, 10, 20, 40, 80) if n <= most):
    for first in range(0, most - count + 1, max(count, most // 3)):
        part = trials[first : first + count].average().crop(-0.2, 0.4)
        image = image_by(part, ["deepsif"], tmin=0.0, tmax=0.2)["deepsif"]
        away = np.linalg.norm(image.center(10, 0.09, 0.11) - np.array(CALCARINE))
        rows.append({"count": count, "error": 1e3 * away,
                     "probability": image.probability.max(),
                     "usable": image.trust.verdict != "do not use"})  # fmt: skip
trusted = pd.DataFrame(rows)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "A virtual subject: distance of the ten strongest regions' center from the source, largest probability, and share of averages whose trust is not \"do not use\", against the number of trials; mean and range.", "name": "fig-trials"}, "image": {"alt": "Three panels against the number of averaged trials: error falls, probability and the share of usable images rise or stay."}}
panels = {
    "error": "error (mm)",
    "probability": "largest probability",
    "usable": "share usable",
}
fig, axes = dl.figures.plot_counts(
    {"virtual subject": trusted}, panels, xlabel="trials averaged"
)
plt.show()

# %% tags=["published-data"]
few, whose = dl.recordings.load_or(
    "mne-visual-right",
    lambda: trials[:6].average().crop(-0.2, 0.4),
)
image = image_by(few, ["deepsif"], tmin=0.0, tmax=0.2)["deepsif"]
time = largest(few, 0.06, 0.13)
facts = "; ".join(f"{k}: {v}" for k, v in describe(image, visual, time).items())
print(f"{whose}, {few.nave} trials, {facts}")
print(textwrap.fill(image.trust.summary, 76))

# %% [markdown]
# ## When it is wrong, and how to notice
#
# An image is drawn for any input. Signs that it is wrong, in the order of what they cost to check:
#
# 1. The **trust** says `do not use`, or no probability is above one half. Believe it.
# 2. The **map before the stimulus** is as strong as after it: what is imaged is no response.
# 3. The image lies at the **frontal or temporal poles**: eyes and muscles are imaged there.
# 4. Another **window** or another **network** puts it elsewhere.
# 5. Averages of **half of the trials** disagree.
# 6. sLORETA's peak is far from DeepSIF's strongest region: one of them is wrong, and neither says which.
#
# How often does an image point elsewhere? The table has the other real recordings, in a window of 100 ms (computed beforehand by `benchmarks/real_recordings.py`): the touches and rare letters of above, the patient of [chapter 5](05_epilepsy.ipynb), and checkerboards and tones of MNE's test recording, six trials each. It gives the share of the ten strongest regions in the expected area (in brackets: with the areas around it), and the largest probability at the front of the head, where no response arises.

# %% tags=["hide-input"] table={"caption": "Share of the ten strongest regions in the expected area, mean over recordings, and the largest probability at the front in any response."}
stored = dl.results.read_experiment("real_recordings")
stored["kind"] = stored["recording"].str.extract("^(mne-[a-z]+|sep|oddball|patient)")
brief = stored[(stored["window"] == "100 ms") & (stored["polarity"] == 1)]
means = brief.groupby(["kind", "method"], sort=False)[
    ["in_target", "in_wider", "front"]
].mean()
path = dl.results.write_table("06_real", means.reset_index(), profile)
shown = means.apply(lambda row: f"{row.in_target:.2f} ({row.in_wider:.2f})", axis=1)
front = means["front"].drop("patient").unstack("kind").max(axis=1).round(2)
KINDS = {"sep": "touch", "oddball": "rare letter", "patient": "spike"}
KINDS |= {"mne-visual": "checkerboard, 6 trials", "mne-auditory": "tone, 6 trials"}
shown = shown.unstack("kind")[list(KINDS)].assign(front=front)
shown = shown.rename(columns=KINDS).rename_axis(columns=None)
shown.rename(lambda name: "DeepSIF" if name == "lite" else dl.figures.method_name(name))

# %% [markdown]
# The recordings have been looked at while networks were designed, so the table is a check for mistakes and no test.
#
# ## Summary
#
# - A response is imaged in a short window, on the electrodes that recorded it, and looked at around its peak.
# - The tables say for each method how many of the ten strongest regions lie where physiology puts the response.
# - Images of several people are averaged at each one's peak, each divided by its largest value.
# - Trust belongs to the image: more trials raise it, and images without it are the ones to leave out.
#
# ## Limits
#
# - Few people, and a template head instead of their own.
# - The visual response was mapped to 64 channels by spherical splines, and the order of its channels is inferred.
# - Which nerve was stimulated in B is not said in the files.
# - The virtual study has the sources that the paper expects: it shows what the method does with them, not that brains have them.
#
# ## Exercises
#
# :::{exercise}
# :label: ex-evoked-1
#
# Image the visual response at its later peak. Which areas take part?
# :::
#
# :::{solution} ex-evoked-1
# :class: dropdown
#
# ```python
# later = largest(evoked, 0.13, 0.25)
# answer = image_by(evoked, ["deepsif"], tmax=0.3)["deepsif"]
# print(f"{1e3 * later:.0f} ms, {answer.trust.summary}")
# shown = answer.to_table(later - 0.01, later + 0.01).head(10)
# shown[["hemisphere", "atlas", "probability"]]
# ```
#
# Areas 17 and 18 still, and regions below and in front of them. All of them have low probabilities and the trust is doubtful: a reason to average more trials, not a discovery.
# :::
#
# :::{exercise}
# :label: ex-evoked-2
#
# Mirror the head: swap left and right electrodes (`O1` and `O2`, and so on). Does the image mirror as well?
# :::
#
# :::{solution} ex-evoked-2
# :class: dropdown
#
# Odd numbers are on the left, even ones on the right:
#
# ```python
# import re
#
# numbered = {name: re.fullmatch(r"(\D+)(\d+)", name) for name in evoked.ch_names}
# mirrored = {
#     name: f"{m[1]}{int(m[2]) + (1 if int(m[2]) % 2 else -1)}"
#     for name, m in numbered.items()
#     if m
# }
# recordings = {"published or virtual": evoked, "80 trials": trials.average()}
# for name, recording in recordings.items():
#     swap = {k: v for k, v in mirrored.items() if k in recording.ch_names}
#     for method in ("deepsif", "sloreta"):
#         centers = [
#             image_by(one, [method], tmax=0.2)[method].center(10, 0.08, 0.11)
#             for one in (recording, recording.copy().rename_channels(swap))
#         ]
#         apart = 1e3 * np.linalg.norm(centers[0] * [-1, 1, 1] - centers[1])
#         print(f"{name}, {method}: {apart:.0f} mm from the mirror image")
# ```
#
# Nearly, not exactly: the template's hemispheres differ in their folds, and so do their leadfields. Where the trust is low, a small difference decides, and DeepSIF's image moves by centimeters; a linear method moves less. In a clean recording, more than about a region (a centimeter) would point to a mistake in names or positions.
# :::
#
# :::{exercise}
# :label: ex-evoked-3
#
# Average the odd and the even trials of the virtual subject. How far apart are both images?
# :::
#
# :::{solution} ex-evoked-3
# :class: dropdown
#
# ```python
# halves = [
#     image_by(trials[k::2].average(), ["deepsif"], tmax=0.2)["deepsif"] for k in (0, 1)
# ]
# one, other = (half.center(10, 0.09, 0.11) for half in halves)
# print(f"{1e3 * np.linalg.norm(one - other):.0f} mm apart; trust:", end=" ")
# print(" and ".join(half.trust.verdict for half in halves))
# ```
#
# This distance measures the part of the uncertainty that comes from noise, and shrinks as trials are added. What both halves share, a wrong head model for example, it cannot show.
# :::
#
# :::{exercise}
# :label: ex-evoked-4
#
# Give the virtual study 60 trials a subject. Which area is found first?
# :::
#
# :::{solution} ex-evoked-4
# :class: dropdown
#
# ```python
# around = [np.linalg.norm(cortex.centroids - place, axis=1) < 0.02 for place in PLACES]
# hits = np.zeros(len(PLACES))
# for subject in range(4):
#     response = evaluation.virtual_trials(
#         small, clips, PLACES, latency=0.4, width=0.05, n_trials=60, subject=subject
#     ).average()
#     found = image_by(response, ["deepsif"], tmin=0.0, tmax=0.8)["deepsif"]
#     extent = found.extent(0.38, 0.42)
#     hits += [near[extent].any() for near in around]
# for place, near, hit in zip(PLACES, around, hits, strict=True):
#     print(place, f"sensitivity {small.sensitivity[near].mean():.0f}: {hit:.0f} of 4")
# ```
#
# The parietal ones, in most people; supplementary motor and inferior temporal cortex in few or none: the order of their sensitivity. What is not found in single people needs the mean over people.
# :::
#
# ## Next
#
# [Image your own EEG](07_your_eeg.ipynb).
