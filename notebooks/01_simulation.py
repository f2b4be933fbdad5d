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
# # Simulate a brain that makes spikes
#
# No recording tells where in a living brain each wave came from, so DeepSIF learns from simulated brains, where everything is known.
# This chapter builds one: 994 regions, each a small circuit of nerve cells, joined by fibres with delays.
# Raise the excitability of one region a little and it starts to fire [interictal spikes](../book/glossary.md), while the rest of the brain hums on.
#
# **Paper map.** Methods, "Neural Mass Models" and "Simulating Synthetic Dataset" {cite:p}`sun2022deepsif`; the network of The Virtual Brain {cite:p}`sanzleon2013` with Jansen–Rit regions {cite:p}`jansen1995`.
#
# **You will learn**
# - what a neural mass model says, and why a few per cent more gain turn a humming region into a spiking one;
# - what noise and connections add to that;
# - how spikes are found, cut out and collected into the library the networks train on;
# - how we know that the fast simulator is right.
#
# **Run time.** About a minute at profile `lite` on two cores.

# %% tags=["parameters"]
profile = "lite"
seed = 2022

# %%
from dataclasses import replace
from importlib.util import find_spec
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import signal

import deepsif_lite as dl
from deepsif_lite import spike_build, spikes
from deepsif_lite.neural_mass import MODEL
from deepsif_lite.recordings import RecordingUnavailable

dl.figures.use_style()

# %%
settings = dl.get_profile(profile)
seconds = max(settings.simulation_seconds, 4.0)
cortex = dl.load_cortex()
brain = dl.load_connectome("template")
DT, STRIDE = 0.5e-3, 4
SFREQ = 1 / (DT * STRIDE)
GAIN_COLORS = {3.25: "#6c6c6c", 3.5: "#E69F00", 3.55: "#D55E00", 3.6: "#8C2D04"}
print(f"{brain.n_nodes} regions, {np.count_nonzero(brain.weights):,} links")
print(f"{seconds:.0f} s of model time in each simulation")

# %% [markdown]
# ## One region
#
# A [neural mass](../book/glossary.md) does not follow single cells, only the mean potentials of three populations: pyramidal cells, which send the output and make the EEG, and the excitatory and inhibitory interneurons that feed back on them.
# Each synapse turns a firing rate into a potential with a rise and a decay, a second-order equation:
#
# $$
# \begin{aligned}
# \ddot y_0 &= A a\, S(y_1 - y_2) - 2a\,\dot y_0 - a^2 y_0\\
# \ddot y_1 &= A a\,\bigl[\mu + a_2 J\, S(a_1 J y_0) + c(t)\bigr] - 2a\,\dot y_1 - a^2 y_1\\
# \ddot y_2 &= B b\, a_4 J\, S(a_3 J y_0) - 2b\,\dot y_2 - b^2 y_2
# \end{aligned}
# \qquad S(v) = \frac{2\nu_{\max}}{1 + e^{\,r(v_0 - v)}} .
# $$
#
# $y_1 - y_2$ is what the pyramidal cells feel, excitation minus inhibition, and what this book calls the activity of the region.
# $A$ is the excitatory gain, the one number the paper changes: 3.25 mV in healthy regions and 3.5 to 3.6 mV where spikes should arise.
# $\mu$ is the mean input from elsewhere and $c(t)$ what arrives through the connectome.
#
# Where can such a region rest? Setting all derivatives to zero leaves one equation, which can be solved for the input $\mu$ that holds a given potential:


# %%
def resting_input(potential, gain):
    """Mean input (1/ms) at which a lone region can rest at a potential (mV)."""

    def rate(v):
        return 2 * MODEL.max_rate / (1 + np.exp(MODEL.slope * (MODEL.threshold - v)))

    a, b, J = MODEL.excitatory_rate, MODEL.inhibitory_rate, MODEL.contacts
    y0 = gain / a * rate(potential)
    inhibition = MODEL.inhibitory_gain / b * J / 4 * rate(J / 4 * y0)
    return a / gain * (potential + inhibition) - 0.8 * J * rate(J * y0)


# %% [markdown]
# Whether it really stays there, the simulation says.
# A connectome of one region without links is simulated without noise for many inputs; what it does in the last second is drawn as a range.

# %%
alone = dl.Connectome("alone", np.zeros((1, 1)), np.zeros((1, 1)), np.zeros(1, int))
inputs = np.linspace(0.02, 0.2, 121)
ranges = {}
for gain in (3.25, 3.6):
    psp = dl.simulate(
        alone,
        gain=gain,
        mean_input=inputs,
        noise_std=0,
        duration=4.0,
        stride=STRIDE,
        initial=np.zeros((6, 1)),
    )[:, -int(SFREQ) :, 0]
    ranges[gain] = psp.min(axis=1), psp.max(axis=1)

# %% mystnb={"figure": {"name": "fig-simulation-bifurcation", "caption": "What a lone region does at each mean input, without noise. Line: states in which all forces balance, from the equations. Shaded: the range it covers in the simulation. To the left of the fold it rests on the lower branch; to the right nothing holds it and it spikes without end. Raising the gain from 3.25 to 3.6 mV brings the fold to the inputs in use (dotted)."}, "image": {"alt": "Two panels for gain 3.25 and 3.6: S-shaped curve of resting potentials against mean input, and a shaded band of oscillation that starts at the fold of the curve, further left for the higher gain."}}
fig, axes = plt.subplots(1, 2, figsize=(7.5, 2.9), sharey=True, layout="constrained")
potentials = np.linspace(-2, 14, 2000)
for ax, gain in zip(axes, (3.25, 3.6), strict=True):
    ax.fill_between(inputs, *ranges[gain], color=GAIN_COLORS[3.55], alpha=0.3, lw=0)
    ax.plot(resting_input(potentials, gain), potentials, color="#1b1b1b")
    for mean_input, _ in spike_build.SETTINGS:
        ax.axvline(mean_input, color="#6c6c6c", ls=":", lw=1)
    ax.set(title=f"gain {gain} mV", xlabel="mean input µ (1/ms)", xlim=(0.02, 0.2))
_ = axes[0].set_ylabel("activity y₁ − y₂ (mV)")

# %%
lower_branch = np.linspace(0, 4, 4000)
for gain in GAIN_COLORS:
    fold = resting_input(lower_branch, gain).max()
    print(f"gain {gain:.2f} mV: no rest beyond an input of {fold:.4f} /ms")

# %% [markdown]
# The paper drives its regions with 0.080 to 0.087 /ms.
# A healthy region has a wide margin there.
# A raised one is a hair's breadth from the fold, and the missing part comes from noise and from the other regions.
#
# ## A region in its brain
#
# Now 994 of them.
# The [connectome](../book/glossary.md) says how strongly region $j$ drives region $k$, and after what delay: its fibres conduct at 3 mm/ms.
#
# $$
# c_k(t) = \sum_j w_{kj}\, S\bigl((y_1 - y_2)_j(t - \tau_{kj})\bigr), \qquad \tau_{kj} = \ell_{kj} / (3\ \text{mm/ms}) .
# $$
#
# White noise enters where input does, at $\ddot y_1$, independent in every region.
# Below, the same region is simulated four times with the same noise; only its gain differs.

# %%
region = 300
gains = tuple(GAIN_COLORS)
gain = np.full((len(gains), brain.n_nodes), 3.25)
gain[:, region] = gains
one_stream = [np.random.SeedSequence(seed)] * len(gains)
psp = dl.simulate(
    brain, gain=gain, duration=seconds + 0.5, stride=STRIDE, seed=one_stream
)[:, int(0.5 * SFREQ) :]
times = np.arange(psp.shape[1]) / SFREQ

# %% mystnb={"figure": {"name": "fig-simulation-time-courses", "caption": "Four seconds of one region at four gains, driven by the same noise, and the 8 mV that count as a spike (dashed). At 3.25 mV it hums; from 3.5 mV on, some of its swings run away into spikes."}, "image": {"alt": "Four stacked time courses of four seconds; the healthy one fluctuates around 1.3 mV, the others show more and more spikes of about 12 mV as the gain rises."}}
fig, axes = plt.subplots(
    4, 1, figsize=(7.5, 4.4), sharex=True, sharey=True, layout="constrained"
)
shown = times < 4
for ax, value, course in zip(axes, gains, psp[:, :, region], strict=True):
    ax.plot(times[shown], course[shown], color=GAIN_COLORS[value], lw=1.1)
    ax.axhline(spikes.THRESHOLD, color="#6c6c6c", ls="--", lw=0.8)
    ax.set_title(f"gain {value} mV", fontsize=9)
_ = axes[-1].set(xlabel="time (s)", xlim=(0, 4))
_ = fig.supylabel("activity y₁ − y₂ (mV)", fontsize=9)

# %%
others = np.delete(psp[-1], region, axis=1)
print(
    f"other regions: mean {others.mean():.2f} mV, deviation {others.std(axis=0).mean():.2f} mV"
)
print(f"share of them that ever reach 8 mV: {(others > 8).any(axis=0).mean():.2%}")

# %% [markdown]
# The rest of the brain stays at 1.3 mV, give or take 0.4.
# Seen in the plane of activity and its rate of change, a spike is one long loop, started by a small push:

# %% mystnb={"figure": {"name": "fig-simulation-phase", "caption": "The same simulations in the phase plane. The region wanders around its resting state (black dot: where all forces balance at the input it receives). The second balance (open circle) is a point of no return. At 3.25 mV it is out of reach; at 3.5 mV noise carries the region past it now and then, and it runs round the loop before it comes to rest again. Beyond the fold, at 3.6 mV, neither exists."}, "image": {"alt": "Two phase planes: a small cloud around a dot for gain 3.25, and for gain 3.5 the same cloud with many large loops that leave it and return."}}
fig, axes = plt.subplots(
    1, 2, figsize=(7.5, 3.0), sharex=True, sharey=True, layout="constrained"
)
arriving = (
    brain.weights[region].sum()
    * 2
    * MODEL.max_rate
    / (1 + np.exp(MODEL.slope * (MODEL.threshold - others.mean())))
)
for ax, k in zip(axes, (0, 1), strict=True):
    speed = np.gradient(psp[k, :, region], 1e3 / SFREQ)
    ax.plot(psp[k, :, region], speed, color=GAIN_COLORS[gains[k]], lw=0.5, alpha=0.8)
    excess = resting_input(potentials, gains[k]) - (0.087 + arriving)
    rests = potentials[:-1][np.diff(np.sign(excess)) != 0]
    rests = rests[rests < 5]
    ax.plot(rests, 0 * rests, "o", color="#1b1b1b", ms=5, mfc="white")
    ax.plot(rests[:1], 0 * rests[:1], "o", color="#1b1b1b", ms=5)
    ax.set(title=f"gain {gains[k]} mV", xlabel="y₁ − y₂ (mV)")
_ = axes[0].set_ylabel("its rate of change (mV/ms)")

# %% [markdown]
# ## Spikes against gain
#
# How often?
# The paper uses three pairs of input and noise: a stronger mean with little noise, and weaker means with more.
# Four regions, six gains and three pairs make 72 simulated brains.

# %%
grid = [
    (gain, setting, region)
    for gain in (3.25, 3.4, 3.5, 3.55, 3.6, 3.7)
    for setting in spike_build.SETTINGS
    for region in (100, 300, 600, 800)
]
gain = np.full((len(grid), brain.n_nodes), 3.25)
raised = np.array([region for _, _, region in grid])
gain[np.arange(len(grid)), raised] = [value for value, _, _ in grid]
mean_input, noise_std = np.array([setting for _, setting, _ in grid]).T

# %%
courses = [
    chunk[np.arange(len(grid)), :, raised]
    for chunk in dl.simulate_chunks(
        brain,
        gain=gain,
        mean_input=mean_input,
        noise_std=noise_std,
        duration=seconds + 0.5,
        chunk=0.5,
        stride=STRIDE,
        seed=seed,
    )
]
courses = np.concatenate(courses[1:], axis=1).T
sweep = pd.DataFrame(
    {
        "gain": [value for value, _, _ in grid],
        "setting": [f"µ = {m} /ms, noise {s}" for _, (m, s), _ in grid],
        "spikes per second": np.bincount(
            spikes.find_peaks(courses)[1], minlength=len(grid)
        )
        / seconds,
    }
)

# %% mystnb={"figure": {"name": "fig-simulation-gain", "caption": "Spikes per second against the gain of the region, for the three pairs of mean input and noise. Points: single regions, line: their mean. Shaded: the gains the paper uses."}, "image": {"alt": "Spike rate rises from near zero at gain 3.25 to several per second at 3.7 mV; the three settings differ little."}}
fig, ax = plt.subplots(figsize=(5.2, 3.0), layout="constrained")
ax.axvspan(3.5, 3.6, color="#E69F00", alpha=0.15, lw=0)
for k, (name, part) in enumerate(sweep.groupby("setting", sort=False)):
    color = ("#0072B2", "#D55E00", "#009E73")[k]
    mean = part.groupby("gain")["spikes per second"].mean()
    ax.plot(mean.index, mean, color=color, label=name)
    ax.plot(
        part["gain"] + 0.006 * (k - 1),
        part["spikes per second"],
        ".",
        color=color,
        alpha=0.6,
    )
ax.set(xlabel="gain A (mV)", ylabel="spikes per second", ylim=(0, None))
_ = ax.legend()

# %% [markdown]
# ## What noise and connections add
#
# Take both away in turn.
# Without noise a raised region can rest or spike like a clock, depending on which side of the fold it stands; noise decides *when*.
# Without links the small input from other regions is missing, and the same gain gives fewer spikes.

# %%
noises = (0.0, 0.5, 1.0, 1.7)
gain = np.full((len(noises), brain.n_nodes), 3.25)
gain[:, region] = 3.6
networks = {
    "connected": brain,
    "without links": replace(brain, weights=0 * brain.weights),
}
effects = {
    name: dl.simulate(
        network,
        gain=gain,
        noise_std=noises,
        duration=6.5,
        stride=STRIDE,
        seed=one_stream,
    )[:, int(0.5 * SFREQ) :, region]
    for name, network in networks.items()
}

# %% mystnb={"figure": {"name": "fig-simulation-noise", "caption": "One region at gain 3.6 mV and mean input 0.087 /ms, with its links (left) and without (right), under growing noise (from top to bottom; 1 is the paper's unit)."}, "image": {"alt": "Eight time courses of six seconds in two columns. Connected and without noise the spikes come regularly; unconnected and without noise there are none; with more noise both columns spike irregularly."}}
fig, axes = plt.subplots(
    4, 2, figsize=(7.5, 4.2), sharex=True, sharey=True, layout="constrained"
)
for column, (name, run) in zip(axes.T, effects.items(), strict=True):
    for ax, noise, course in zip(column, noises, run, strict=True):
        ax.plot(np.arange(len(course)) / SFREQ, course, color=GAIN_COLORS[3.6], lw=0.8)
        n_spikes = len(spikes.find_peaks(course[:, None])[0])
        heading = f"{name}\n" if noise == noises[0] else ""
        heading += f"noise {noise}: {n_spikes / 6:.1f} spikes/s"
        ax.set_title(heading, fontsize=8)
    _ = column[-1].set_xlabel("time (s)")
_ = fig.supylabel("y₁ − y₂ (mV)", fontsize=9)

# %% [markdown]
# ## Our connectome and the published one
#
# The paper takes its connectome from tractography, 998 nodes of which 994 are kept.
# Ours is a *surrogate*: a random network on our own parcels, drawn with the same density, strengths and lengths, because it needs no download.
# It has no anatomy beyond distance, hemispheres and mirrored partners, so it must be judged by what it does to the neural masses.

# %% tags=["published-data"]
connectomes = {"surrogate": brain}
try:
    connectomes["published"] = dl.load_connectome("published")
except RecordingUnavailable:
    print("The published connectome cannot be reached: the surrogate is shown alone.")
backgrounds = {
    name: dl.simulate(network, duration=6.5, stride=STRIDE, seed=seed)[
        0, int(0.5 * SFREQ) :
    ]
    for name, network in connectomes.items()
}

# %% tags=["published-data"] mystnb={"figure": {"name": "fig-simulation-connectomes", "caption": "Surrogate and, where its file is at hand, published connectome: strength of the input to a region, length of the tracts, and the spectrum of the background activity they give rise to (mean over regions)."}, "image": {"alt": "Three panels comparing two connectomes: histograms of in-strength, histograms of tract length, and two power spectra that nearly coincide."}}
fig, axes = plt.subplots(1, 3, figsize=(7.5, 2.5), layout="constrained")
for (name, network), color in zip(
    connectomes.items(), ("#D55E00", "#1b1b1b"), strict=False
):
    style = {
        "histtype": "step",
        "color": color,
        "density": True,
        "label": name,
        "lw": 1.4,
    }
    axes[0].hist(network.weights.sum(axis=1), bins=np.arange(0, 55, 2.5), **style)
    axes[1].hist(
        network.tract_lengths[network.weights > 0], bins=np.arange(0, 200, 8), **style
    )
    frequencies, power = signal.welch(backgrounds[name], SFREQ, nperseg=1000, axis=0)
    axes[2].loglog(
        frequencies[1:120], power[1:120].mean(axis=1), color=color, label=name
    )
axes[0].set(xlabel="in-strength", ylabel="density")
axes[1].set(xlabel="tract length (mm)")
axes[2].set(xlabel="frequency (Hz)", ylabel="power (mV²/Hz)")
_ = axes[2].legend()

# %% tags=["published-data"]
pd.DataFrame(
    {
        name: {
            "links (%)": 100 * np.mean(network.weights > 0),
            "median in-strength": np.median(network.weights.sum(axis=1)),
            "mean tract (mm)": network.tract_lengths[network.weights > 0].mean(),
            "background mean (mV)": backgrounds[name].mean(),
            "background deviation (mV)": backgrounds[name].std(axis=0).mean(),
        }
        for name, network in connectomes.items()
    }
).round(2)

# %% [markdown]
# ## From spikes to clips
#
# Networks train on one-second [clips](../book/glossary.md).
# The paper's rules make sure that each holds a spike of the raised region and of nobody else: a peak of 8 mV or more, more than 200 ms after the peak before it, and silence elsewhere from 400 ms before the clip to 400 ms after.

# %%
course = psp[2, :, region]
cutter = spikes.ClipCutter(region)
for second in np.split(psp[2], len(psp[2]) // spikes.CLIP_SAMPLES):
    cutter.feed(second)
clips = list(cutter.clips())
print(f"{cutter.n_spikes} peaks of 8 mV in {seconds:.0f} s, {len(clips)} clips")

# %% mystnb={"figure": {"name": "fig-simulation-clips", "caption": "The region at gain 3.55 mV. Shaded: windows kept as clips. Dots: accepted spikes; thick: from start to end of each, the part that is later scaled to a wanted signal-to-noise ratio."}, "image": {"alt": "A ten-second time course with spikes; one-second windows that hold accepted spikes are shaded, and the spikes are drawn with a thicker line."}}
fig, ax = plt.subplots(figsize=(7.5, 2.3), layout="constrained")
ax.plot(times, course, color="#6c6c6c", lw=0.8)
for clip in clips:
    ax.axvspan(
        *(clip.start + np.array([0, spikes.CLIP_SAMPLES])) / SFREQ,
        color="#E69F00",
        alpha=0.15,
        lw=0,
    )
    for start, stop in clip.spans + clip.start:
        ax.plot(times[start:stop], course[start:stop], color="#D55E00", lw=1.8)
    ax.plot(
        times[clip.start + clip.peaks],
        course[clip.start + clip.peaks],
        "o",
        color="#1b1b1b",
        ms=4,
    )
_ = ax.set(xlabel="time (s)", ylabel="y₁ − y₂ (mV)", xlim=(0, seconds))

# %% [markdown]
# The library that comes with this book was made so, one clip from each of many simulations with every region in turn:

# %%
train, test = (dl.load_spike_library("lite", split) for split in ("train", "test"))
runs = pd.read_csv(dl.paths.data_dir() / "spikes" / "lite-simulations.csv")
print(
    f"{len(train)} training and {len(test)} test clips, none from the same simulation"
)
print(
    f"paper: {dl.scorecard.paper_values().value['size/training_samples']:,.0f} training samples"
)
table = runs.groupby(["mean_input", "noise_std"]).agg(
    simulations=("region", "size"),
    spikes=("n_spikes", "mean"),
    clips=("n_clips", "sum"),
)
table["simulations with a clip (%)"] = 100 * table["clips"] / table["simulations"]
table.round(1)

# %% [markdown]
# With more noise, other regions spike now and then as well, so fewer windows pass the rule.
# That is the honest price of the two noisy settings, and it is no different on the published connectome.

# %% mystnb={"figure": {"name": "fig-simulation-library", "caption": "Left: 60 spikes of the training library on their peaks, and their mean. Right: power of the background by frequency, as simulated and as stored. The library leaves out what is a hundredfold weaker than the slow waves, from about 40 Hz on."}, "image": {"alt": "Left: overlaid spikes with a sharp rise to 12 mV and a shallow undershoot. Right: background spectra of simulation and library, which agree up to about 40 hertz."}}
fig, (left, right) = plt.subplots(1, 2, figsize=(7.5, 2.7), layout="constrained")
inside = np.flatnonzero((train.peaks > 150) & (train.peaks < 300))[:60]
aligned = np.array(
    [train.waveforms[i, train.peaks[i] - 100 : train.peaks[i] + 150] for i in inside]
)
lags = (np.arange(250) - 100) / SFREQ * 1e3
left.plot(lags, aligned.T, color="#D55E00", lw=0.4, alpha=0.35)
left.plot(lags, aligned.mean(axis=0), color="#1b1b1b")
left.set(xlabel="time from the peak (ms)", ylabel="y₁ − y₂ (mV)")
quiet = np.flatnonzero(test.settings[:, 1] == 1.0)[:10]
stored = np.concatenate([test.background(i) for i in quiet], axis=1)
for name, data, color in (
    ("simulated", backgrounds["surrogate"], "#1b1b1b"),
    ("stored", stored, "#D55E00"),
):
    frequencies, power = signal.welch(data, SFREQ, nperseg=500, axis=0)
    right.loglog(frequencies[1:100], power[1:100].mean(axis=1), color=color, label=name)
right.set(xlabel="frequency (Hz)", ylabel="power (mV²/Hz)", ylim=(1e-7, None))
_ = right.legend()

# %% mystnb={"figure": {"name": "fig-simulation-map", "caption": "Spikes in ten seconds of each region when its gain is raised, averaged over gains and settings. Well connected regions receive more input and spike more often; regions of bare grey were not simulated."}, "image": {"alt": "Four views of the cortex coloured by spike count, a patchwork from zero to about thirty."}}
per_region = runs.groupby("region")["n_spikes"].mean().reindex(range(cortex.n_regions))
fig, axes = dl.figures.plot_cortex(
    per_region.to_numpy(),
    cortex,
    label="spikes in 10 s",
    vmin=0,
    vmax=per_region.quantile(0.98),
)

# %%
strength = brain.weights.sum(axis=1)
rank = per_region.corr(pd.Series(strength), method="spearman")
print(
    f"in-strength and spikes: Spearman {rank:.2f} over {per_region.notna().sum()} regions"
)

# %% [markdown]
# ## Is the simulator right?
#
# The Virtual Brain is the reference, and slow.
# Ours keeps sixteen brains side by side in the lanes of the processor, computes each region's firing rate once and lets every link read it at its own delay.
# Switch the noise off, give both the same random past and they must agree to rounding, here and for the two seconds that `make bench` compares:

# %%
rng = np.random.default_rng(seed)
past = (
    rng.uniform(-1, 1, (128, 6, brain.n_nodes))
    * np.array([1, 30, 10, 1, 5, 5])[:, None]
)
options = {"noise_std": 0, "duration": 0.15, "initial": past, "dtype": "float64"}
engines = ("numba", "tvb") if find_spec("tvb") else ("numba",)
engine_runs, took = {}, {}
for engine in engines:
    start = perf_counter()
    engine_runs[engine] = dl.simulate(brain, engine=engine, **options)[0]
    took[engine] = perf_counter() - start

# %% mystnb={"figure": {"name": "fig-simulation-tvb", "caption": "Left: three regions, computed by The Virtual Brain (grey, wide) and by this library (orange). Right: the largest difference over all regions at each moment. It is that small and no smaller because The Virtual Brain keeps weights and delayed states in single precision."}, "image": {"alt": "Left: orange lines lie exactly on grey ones. Right: a difference that grows from 1e-10 to a few 1e-7 millivolt on a logarithmic axis."}}
fig, (left, right) = plt.subplots(1, 2, figsize=(7.5, 2.7), layout="constrained")
ms = np.arange(len(engine_runs["numba"])) * DT * 1e3
if "tvb" in engine_runs:
    left.plot(ms, engine_runs["tvb"][:, [5, 300, 700]], color="#bbbbbb", lw=5)
    difference = np.abs(engine_runs["numba"] - engine_runs["tvb"]).max(axis=1)
    right.semilogy(ms, difference, color="#1b1b1b")
left.plot(ms, engine_runs["numba"][:, [5, 300, 700]], color="#D55E00")
left.set(xlabel="time (ms)", ylabel="y₁ − y₂ (mV)")
_ = right.set(xlabel="time (ms)", ylabel="largest difference (mV)")

# %% tags=["nbval-ignore-output"]
if "tvb" in engine_runs:
    print(f"largest difference: {difference.max():.0e} mV")
    print(f"TVB took {took['tvb']:.1f} s for {len(ms)} steps of one brain")
start = perf_counter()
_ = dl.simulate(brain, gain=np.full((16, brain.n_nodes), 3.25), duration=0.5, n_jobs=1)
per_step = (perf_counter() - start) / 16 / 1000
print(
    f"here: {per_step * 1e3:.3f} ms for a step of one brain, sixteen at once on one core"
)

# %% [markdown]
# ## Summary
#
# - A Jansen–Rit region has a fold: below it the region rests, beyond it spikes. Raising its gain by a tenth brings the fold to the input it receives.
# - Noise decides when a raised region spikes, and its connections supply the last bit of input that it needs.
# - Clips are one second with spikes of one region alone. Simulator and rules are the paper's; both are checked, one against The Virtual Brain, the other by tests.
#
# ## Limits
#
# - The surrogate connectome has the published one's statistics, not its anatomy.
# - The rule that "no other region spikes" is strict at the two noisy settings: about half of the simulations give no clip in ten seconds. Regions without one are listed when a library is built.
# - The shipped library keeps the background in coarse steps, which silences it above 50 Hz: an error of 0.09 mV (root mean square) where the background varies by 0.3 to 0.6 mV. The seed's own waveform is exact.
# - A real spike comes from a patch of cortex that recruits its neighbours. Here one region spikes, and the patch is drawn around it in [chapter 3](03_training.ipynb).
#
# ## Exercises
#
# 1. At which gain does a *lone* region start to spike by itself at $\mu = 0.087$ /ms? Find it with `resting_input`, then by simulation.
# 2. Multiply all weights by two with `replace(brain, weights=2 * brain.weights)`. What happens to the healthy regions, and why would the paper's rules then find no clip?
# 3. Double all delays. Does the background spectrum change? Why (not)?
# 4. The paper's code draws the same noise for every simulation (one fixed seed). Give all simulations the same seed and compare two regions' clips: what would a network learn from that?
#
# ## Next
#
# What would electrodes on the scalp see of all this? [Chapter 2](02_forward.ipynb) builds the head.
