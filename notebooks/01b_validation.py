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
# # Is the simulator right?
#
# *Appendix of [chapter 1](01_simulation.ipynb).*
# All that the networks of this book learn comes from simulated brains, so a mistake in the simulator would be learned as well.
# Here it is compared with The Virtual Brain, which the paper used: number by number where nothing is random, and in its statistics where noise is on.
# Then our connectome is compared with the published one, and the stored library with the simulation that it was cut from.
#
# **Paper map.** Methods, "Neural Mass Models" {cite:p}`sun2022deepsif`; The Virtual Brain {cite:p}`sanzleon2013`. The paper has no figure of this.
#
# **Library.** {py:func}`dl.simulate <deepsif_lite.simulate>`, and the modules {py:mod}`neural_mass <deepsif_lite.neural_mass>` and {py:mod}`spikes <deepsif_lite.spikes>`.
#
# **Needs.** [Chapter 1](01_simulation.ipynb), standard errors. The Virtual Brain (`pip install 'deepsif-lite[tvb]'`) for one figure; without it the figure shows our engine alone. No graphics card.
#
# **You will learn**
# - how two simulators are compared without noise, and how with it;
# - by how much the surrogate connectome changes what the regions do;
# - what the stored library leaves out.
#
# **Run time.** About a minute at profile `lite` on two cores.

# %% tags=["parameters"]
profile = "lite"
seed = 2022

# %% tags=["hide-input"]
from importlib.util import find_spec
from time import process_time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import signal

import deepsif_lite as dl
from deepsif_lite import spikes
from deepsif_lite.errors import RecordingUnavailable
from deepsif_lite.neural_mass import find_fixed_points, right_hand_side

dl.figures.use_style()

# %%
brain = dl.load_connectome("template")
DT, STRIDE = 0.5e-3, 4
SFREQ = 1 / (DT * STRIDE)
print(f"{brain.n_nodes} regions, {np.count_nonzero(brain.weights):,} links")

# %% [markdown]
# ## The equations
#
# The [fixed points](../book/glossary.md) of chapter 1 are found from one equation, the simulations run six.
# At a fixed point the right-hand sides of all six must be zero:

# %%
slopes = [
    right_hand_side(point.state, gain, mean_input)
    for mean_input in (0.087, 0.16)
    for gain in np.linspace(2.9, 4.1, 61)
    for point in find_fixed_points(gain, mean_input)
]
print(f"{len(slopes)} fixed points, all derivatives below 1e-9: ", end="")
print(np.abs(slopes).max() < 1e-9)

# %% [markdown]
# ## Without noise
#
# The Virtual Brain is the reference, and slow.
# Ours simulates sixteen brains at once in the vector lanes of the processor, computes each region's firing rate once and lets every link read it at its own delay.
# Without noise and from the same random initial history, both must agree to rounding, here and for the two seconds that `make bench` compares.
# (Times are processor times, so that other work on the machine does not count.)

# %%
rng = np.random.default_rng(seed)
past = (
    rng.uniform(-1, 1, (128, 6, brain.n_nodes))
    * np.array([1, 30, 10, 1, 5, 5])[:, None]
)

# %%
options = {"noise_std": 0, "duration": 0.15, "initial": past, "dtype": "float64"}
engines = ("numba", "tvb") if find_spec("tvb") else ("numba",)
engine_runs, took = {}, {}
for engine in engines:
    start = process_time()
    engine_runs[engine] = dl.simulate(brain, engine=engine, **options)[0]
    took[engine] = process_time() - start

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-simulation-tvb", "caption": "Left: three regions, computed by The Virtual Brain (gray, wide) and by this library (orange). Right: the largest difference over all regions at each moment. For this comparison The Virtual Brain stores weights and delayed states in double precision too; as it comes it rounds them to single, and the network magnifies that."}, "image": {"alt": "Left: orange lines lie exactly on gray ones. Right: a difference of less than 1e-12 millivolt, on a logarithmic axis."}}
fig, (left, right) = plt.subplots(1, 2, figsize=(6.8, 2.7), layout="constrained")
ms = np.arange(len(engine_runs["numba"])) * DT * 1e3
if "tvb" in engine_runs:
    left.plot(ms, engine_runs["tvb"][:, [5, 300, 700]], color="#bbbbbb", lw=5)
    difference = np.abs(engine_runs["numba"] - engine_runs["tvb"]).max(axis=1)
    right.semilogy(ms, difference, color="#1b1b1b")
    right.set_ylim(1e-15, max(1e-12, 2 * difference.max()))
left.plot(ms, engine_runs["numba"][:, [5, 300, 700]], color="#D55E00")
left.set(xlabel="time (ms)", ylabel="y₁ − y₂ (mV)")
_ = right.set(xlabel="time (ms)", ylabel="largest difference (mV)")

# %% tags=["nbval-ignore-output"]
if "tvb" in engine_runs:
    print(f"largest difference: {difference.max():.0e} mV")
    per_step = took["tvb"] / len(ms)
    print(f"The Virtual Brain: {1e3 * per_step:.3f} ms for a step of one brain")

# %% tags=["nbval-ignore-output"]
start = process_time()
_ = dl.simulate(brain, gain=np.full((16, brain.n_nodes), 3.25), duration=0.5, n_jobs=1)
per_step = (process_time() - start) / 16 / 1000
print(
    f"this library: {1e3 * per_step:.3f} ms for a step of one brain, "
    f"sixteen at once on one core"
)

# %% [markdown]
# ## With the noise on
#
# Then the two can only agree in distribution, since each has its own random numbers.
# Eight settings were simulated on a small part of the brain by The Virtual Brain, 25 to 100 runs of twenty seconds each.
# Its numbers are stored (`make bench-statistics` makes them again); ours are simulated here, four times as many.
# The runs of one setting are independent; the settings share their random numbers, so the differences of neighboring columns of the table are correlated.
# Compared are mean and standard deviation of the raised region and of the others (the background), the power of the background in the usual frequency bands, and how often the raised region spikes.

# %%
theirs = spikes.read_tvb_statistics()
part = spikes.small_brain(brain)
ours = pd.concat(
    spikes.summarize_runs(
        spikes.run_condition(part, condition, range(4 * condition.n_runs), seed=seed),
        condition,
    )
    for condition in spikes.CONDITIONS
)
compared = spikes.engine_differences(ours, theirs)
print(
    f"{part.n_nodes} regions, "
    f"{theirs.n_runs.sum() / 10:.0f} runs of The Virtual Brain in all"
)

# %% tags=["nbval-ignore-output"] table={"caption": "This library minus The Virtual Brain, in percent, by measure (rows) and setting (columns)."}
shown = compared.dropna().reset_index()
shown["difference (%)"] = shown["difference"].map("{:+.1f}".format)
settings = ["gain", "mean_input", "noise_std"]
heads = {"gain": "A (mV)", "mean_input": "µ (1/ms)", "noise_std": "noise"}
table = shown.pivot(index="measure", columns=settings, values="difference (%)")
table.rename_axis(columns=heads)

# %% tags=["nbval-ignore-output"]
print(f"largest difference: {compared['difference'].abs().max():.1f} %")
print(f"median standard error of a difference: {compared['error'].median():.1f} %")
print(f"largest standard error of a difference: {compared['error'].max():.1f} %")

# %%
spiking = compared.xs(spikes.SPIKE_RATE, level="measure").xs(1.0, level="noise_std")
error = theirs[theirs.measure == spikes.SPIKE_RATE]
error = error[error.noise_std == 1.0].set_index("gain")["error"]
gains_compared = spiking.index.get_level_values("gain")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-simulation-tvb-noise", "caption": "Left: spikes per second against gain, The Virtual Brain (open circles; two standard errors are within them) and this library (line), mean input 0.087 /ms. Right: all differences between the two in percent, with two standard errors; shaded: 5 % either way."}, "image": {"alt": "Left: open circles lie on a rising line. Right: about eighty points scattered around zero, all within the band of five percent."}}
fig, (left, right) = plt.subplots(1, 2, figsize=(6.8, 2.8), layout="constrained")
left.plot(gains_compared, spiking["ours"], color="#D55E00", label="this library")
style = {"fmt": "o", "color": "#1b1b1b", "mfc": "white", "label": "The Virtual Brain"}
errors = 2 * error.loc[gains_compared]
left.errorbar(gains_compared, spiking["theirs"], errors, **style)
left.set(xlabel="gain A (mV)", ylabel="spikes per second")
left.legend()
valid = compared.dropna()
right.axhspan(-5, 5, color="#E69F00", alpha=0.15, lw=0)
style = {"fmt": ".", "color": "#1b1b1b", "lw": 0.6}
right.errorbar(range(len(valid)), valid["difference"], 2 * valid["error"], **style)
_ = right.set(xlabel="measure and setting", ylabel="difference (%)", xticks=[])

# %% [markdown]
# ## Our connectome and the published one
#
# The paper takes its connectome from tractography, 998 nodes of which 994 are kept.
# Ours is a *surrogate*: a random network on our own parcels, drawn with the same density, strengths and lengths, because it needs no download.
# It has no anatomy beyond distance, hemispheres and mirrored partners, so what counts is its effect on the neural masses.

# %% tags=["published-data"]
connectomes = {"surrogate": brain}
try:
    connectomes["published"] = dl.load_connectome("published")
except RecordingUnavailable:
    print("The published connectome cannot be reached: the surrogate is shown alone.")

# %% tags=["published-data"]
backgrounds = {
    name: dl.simulate(network, duration=6.5, stride=STRIDE, seed=seed)[
        0, int(0.5 * SFREQ) :
    ]
    for name, network in connectomes.items()
}

# %% [markdown]
# And the question that matters most: how often does a raised region spike?
# Sixteen regions, one in each of sixteen brains, at 3.55 mV:

# %% tags=["published-data"]
chosen = np.random.default_rng(seed).choice(brain.n_regions, 16, replace=False)
rates_of = {}
for name, network in connectomes.items():
    nodes = network.node_of_region[chosen]
    gain = network.raised_gain(chosen, 3.55)
    run = dl.simulate(network, gain=gain, duration=6.5, stride=STRIDE, seed=seed)
    own = run[np.arange(len(nodes)), int(0.5 * SFREQ) :, nodes].T
    rates_of[name] = np.bincount(spikes.find_peaks(own)[1], minlength=len(nodes)) / 6

# %% tags=["hide-input", "published-data"] mystnb={"figure": {"name": "fig-simulation-connectomes", "caption": "Surrogate and, where its file is at hand, published connectome: in-strength of the regions (the sum of the weights of all links to one), length of the tracts, and the spectrum of the background activity they give rise to (mean over regions)."}, "image": {"alt": "Three panels comparing two connectomes: histograms of in-strength, histograms of tract length, and two power spectra that nearly coincide."}}
fig, axes = plt.subplots(1, 3, figsize=(6.8, 2.5), layout="constrained")
style = {"histtype": "step", "density": True, "lw": 1.4}
for (name, network), color in zip(
    connectomes.items(), ("#D55E00", "#1b1b1b"), strict=False
):
    strength = network.weights.sum(axis=1)
    lengths = network.tract_lengths[network.weights > 0]
    frequencies, power = signal.welch(backgrounds[name], SFREQ, nperseg=1000, axis=0)
    axes[0].hist(strength, bins=np.arange(0, 55, 2.5), color=color, **style)
    axes[1].hist(lengths, bins=np.arange(0, 200, 8), color=color, **style)
    axes[2].loglog(frequencies[1:120], power[1:120].mean(1), color=color, label=name)
axes[0].set(xlabel="in-strength", ylabel="density")
axes[1].set(xlabel="tract length (mm)")
axes[2].set(xlabel="frequency (Hz)", ylabel="power (mV²/Hz)")
_ = axes[2].legend()

# %% tags=["published-data"] table={"caption": "Our connectome and the published one: the links, and the background activity and spikes that they lead to."}
rows = {}
for name, network in connectomes.items():
    lengths = network.tract_lengths[network.weights > 0]
    rate, background = rates_of[name], backgrounds[name]
    rows[name] = {
        "links (%)": 100 * np.mean(network.weights > 0),
        "median in-strength": np.median(network.weights.sum(axis=1)),
        "mean tract (mm)": lengths.mean(),
        "tracts at the longest length (%)": 100
        * np.mean(lengths > 0.999 * network.tract_lengths.max()),
        "background mean (mV)": background.mean(),
        "background deviation (mV)": background.std(axis=0).mean(),
        "spikes/s of raised regions": rate.mean(),
        "standard error of that": rate.std(ddof=1) / np.sqrt(len(rate)),
    }
pd.DataFrame(rows).round(2)

# %% [markdown]
# ## The stored library
#
# A second of background of 994 regions is half a million numbers, so the shipped library keeps it in coarse steps.
# What does that cost?
# The background of ten test clips is compared with that of a simulation at the same input and noise.

# %%
test = dl.load_spike_library("lite", "test")
quiet = np.flatnonzero(test.settings[:, 1] == 1.0)[:10]
stored = np.concatenate([test.background(i) for i in quiet], axis=1)
print(f"{len(quiet)} clips, background of shape {stored.shape}")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-validation-library", "caption": "Power of the background by frequency, as simulated and as stored (mean over regions). The library leaves out what is a hundredfold weaker than the slow waves, from about 40 Hz on."}, "image": {"alt": "Background spectra of simulation and library, which agree up to about 40 hertz."}}
fig, ax = plt.subplots(figsize=(4.6, 2.7), layout="constrained")
compared_data = {"simulated": backgrounds["surrogate"], "stored": stored}
for (name, data), color in zip(
    compared_data.items(), ("#1b1b1b", "#D55E00"), strict=True
):
    frequencies, power = signal.welch(data, SFREQ, nperseg=500, axis=0)
    ax.loglog(frequencies[1:100], power[1:100].mean(axis=1), color=color, label=name)
ax.set(xlabel="frequency (Hz)", ylabel="power (mV²/Hz)", ylim=(1e-7, None))
_ = ax.legend()

# %% [markdown]
# ## Summary
#
# - Without noise our engine and The Virtual Brain agree to rounding.
# - With noise their statistics agree within the standard errors above.
# - The surrogate connectome has the published one's density, strengths and lengths; with both, raised regions spike equally often within the standard errors (last rows of the table).
#
# ## Limits
#
# - The surrogate connectome has the published one's statistics, not its anatomy. Its tracts are cut at the longest published one, where about one in a hundred piles up (the table above counts them); the published lengths thin out instead. Those links carry less than a hundredth of all weight, and the library was simulated with them, so they stay.
# - Agreement is in distribution for eight settings on a small part of the brain. A difference smaller than the standard errors would not be seen.
# - The shipped library keeps the background in coarse steps, which removes its power above 50 Hz: an error of 0.09 mV (root mean square) where the background varies by 0.3 to 0.6 mV. The seed's own waveform is exact.
# - Besides the engine used here there is one for GPUs, `engine="torch"`. It equals The Virtual Brain as closely, but was tested on the CPU alone: its speed on a GPU has not been measured.
#
# ## Exercises
#
# :::{exercise}
# :label: ex-validation-1
#
# Simulate with our engine in single and in double precision (`dtype`), from the same past and without noise, for six seconds, once with a raised region (`brain.raised_gain(300, 3.6)`). How large does the difference become?
# :::
#
# :::{solution} ex-validation-1
# :class: dropdown
#
# It begins at some $10^{-6}$ mV, the rounding of single precision, grows tenfold within a few milliseconds, and then stays near $10^{-4}$ mV, with peaks of $10^{-3}$ mV during fast changes. It does not grow on, because there is no chaos here: without noise the regions return to a stable fixed point, and the raised one to a stable cycle, on which a small shift in time is all that remains. So single precision is enough for training data, and double precision shows that two programs compute the same.
# :::
#
# :::{exercise}
# :label: ex-validation-2
#
# Eight settings with ten measures are about eighty comparisons. How many of them do you expect beyond two standard errors if the two simulators are the same?
# :::
#
# :::{solution} ex-validation-2
# :class: dropdown
#
# About one in twenty, four of eighty:
#
# ```python
# beyond = valid["difference"].abs() > 2 * valid["error"]
# print(f"{beyond.sum()} of {len(valid)}")
# ```
#
# They are not independent: measures of one run are correlated, and so are neighboring settings, which share their random numbers. So they come in groups.
# :::
#
# ## Next
#
# Back to [chapter 1](01_simulation.ipynb), or on to [chapter 2](02_forward.ipynb), the head.
