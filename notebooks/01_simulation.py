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
# This chapter builds one: 994 regions, each a small circuit of nerve cells, joined by fibers with delays.
# Raise the excitability of one region a little and it starts to fire [interictal spikes](../book/glossary.md), over the background activity of the others.
#
# **Paper map.** Methods, "Neural Mass Models" and "Simulating Synthetic Dataset" {cite:p}`sun2022deepsif`; the network of The Virtual Brain {cite:p}`sanzleon2013` with Jansen–Rit regions {cite:p}`jansen1995`; SI Fig. S1 (example outputs).
#
# **Library.** {py:func}`dl.load_connectome <deepsif_lite.load_connectome>`, {py:func}`dl.simulate <deepsif_lite.simulate>`, {py:func}`dl.load_spike_library <deepsif_lite.load_spike_library>`, and the [modules](../book/api.md) {py:mod}`neural_mass <deepsif_lite.neural_mass>` and {py:mod}`spikes <deepsif_lite.spikes>`.
#
# **Needs.** Ordinary differential equations, power spectra, a little Python. No graphics card.
#
# **You will learn**
# - what a neural mass model says, and why a gain higher by a tenth turns background activity into spikes;
# - what noise and connections add to that;
# - how spikes are found, cut out and collected into the library the networks train on.
#
# How we know that the simulator is right, [an appendix](01b_validation.ipynb) shows.
#
# **Run time.** About two minutes at profile `lite` on two cores.

# %% tags=["parameters"]
profile = "lite"
seed = 2022

# %%
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import deepsif_lite as dl
from deepsif_lite import spikes
from deepsif_lite.neural_mass import (
    MODEL,
    find_fixed_points,
    resting_input,
)

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
# Each synapse turns a firing rate into a potential that rises and decays, which a second-order equation describes:
#
# $$
# \begin{aligned}
# \ddot y_0 &= A a\, S(y_1 - y_2) - 2a\,\dot y_0 - a^2 y_0\\
# \ddot y_1 &= A a\,\bigl[\mu + a_2 J\, S(a_1 J y_0) + c(t)\bigr] - 2a\,\dot y_1 - a^2 y_1\\
# \ddot y_2 &= B b\, a_4 J\, S(a_3 J y_0) - 2b\,\dot y_2 - b^2 y_2
# \end{aligned}
# $$
#
# with the firing rate $S$ at a potential $v$,
#
# $$
# S(v) = \frac{2\nu_{\max}}{1 + e^{\,r(v_0 - v)}} .
# $$
#
# $y_1 - y_2$ is the mean potential of the pyramidal cells, excitation minus inhibition, and what this book calls the activity of the region.
# $A$ is the excitatory gain, the parameter that the paper varies: 3.25 mV in healthy regions and 3.5 to 3.6 mV in the region that should spike, called the raised region below. Raised gains make such models epileptic {cite:p}`wendling2002`.
# $\mu$ is the mean input from elsewhere and $c(t)$ what arrives through the connectome.
# The other constants are fixed: $B = 22$ mV, rates $a = 0.1$ and $b = 0.05$ /ms, $J = 135$ contacts of which $a_1, \ldots, a_4 = 1, 0.8, 0.25, 0.25$ take part, and for the sigmoid $\nu_{\max} = 0.0025$ /ms, $r = 0.56$ /mV, $v_0 = 6$ mV ([notation](../book/notation.md)).
#
# Where are the [fixed points](../book/glossary.md) of an isolated region? Setting all derivatives to zero leaves one equation, which can be solved for the input $\mu$ that keeps a given potential (`resting_input`).
# Whether it stays there when nothing else holds it, a simulation shows.
# A connectome of one region without links is simulated without noise for many inputs; the range of its activity in the last second is drawn.

# %%
alone = dl.Connectome("alone", np.zeros((1, 1)), np.zeros((1, 1)), np.zeros(1, int))
from_rest = {"noise_std": 0, "stride": STRIDE, "initial": np.zeros((6, 1))}
inputs = np.linspace(0.02, 0.2, 121)

# %%
ranges = {}
for gain in (3.25, 3.6):
    psp = dl.simulate(alone, gain=gain, mean_input=inputs, duration=4.0, **from_rest)
    last = psp[:, -int(SFREQ) :, 0]
    ranges[gain] = last.min(axis=1), last.max(axis=1)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-simulation-bifurcation", "caption": "An isolated region at each mean input, without noise. Line: fixed points, from the equations. Shaded: the range of activity in the simulation. To the left of the fold (a saddle-node bifurcation) the region rests on the lower branch; to the right there is no stable fixed point: it spikes periodically, and at higher inputs, where the range is narrower, oscillates at some 10 Hz. Raising the gain from 3.25 to 3.6 mV moves the bifurcation close to the inputs in use (dotted)."}, "image": {"alt": "Two panels for gain 3.25 and 3.6: S-shaped curve of fixed points against mean input, and a shaded band of oscillation that starts at the fold of the curve, further left for the higher gain, and narrows at higher inputs."}}
fig, axes = plt.subplots(1, 2, figsize=(6.8, 2.9), sharey=True, layout="constrained")
potentials = np.linspace(-2, 14, 2000)
for ax, gain in zip(axes, (3.25, 3.6), strict=True):
    ax.fill_between(inputs, *ranges[gain], color=GAIN_COLORS[3.55], alpha=0.3, lw=0)
    ax.plot(resting_input(potentials, gain), potentials, color="#1b1b1b")
    for mean_input, _ in spikes.SETTINGS:
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
# A raised region is close to the bifurcation, and the missing input comes from noise and from the other regions.
#
# ### Varying the gain
#
# Now the input is fixed and the gain varies.
# The fixed points are where the curve above crosses that input (`find_fixed_points`), and the stability of each is tested: if an eigenvalue of the linearized equations has a positive real part, a small perturbation grows and the fixed point is unstable.

# %%
turned = np.linspace(2.9, 4.1, 61)
input_of = {"the paper's input": 0.087, "higher input": 0.16}
found = {
    name: [find_fixed_points(g, mu) for g in turned] for name, mu in input_of.items()
}

# %%
runs = {
    name: dl.simulate(
        alone, gain=turned[:, None], mean_input=mu, duration=8.0, **from_rest
    )[:, -int(4 * SFREQ) :, 0]
    for name, mu in input_of.items()
}

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-simulation-gain-bifurcation", "caption": "An isolated region at each gain, without noise, at two inputs. Dots: stable (filled) and unstable (open) fixed points. Shaded: from the lowest to the highest activity in the simulation. Lower row: oscillation frequency. At the paper's input the region goes from rest straight to spikes, slow ones first; at a higher input it passes through an alpha rhythm of 10 Hz before it spikes."}, "image": {"alt": "Two columns. Left: a stable and an unstable fixed point meet at a gain near 3.65; beyond it a band of large spikes, whose rate starts near one per second and rises to almost four. Right: the only fixed point turns unstable near gain 3.15, a narrow band of oscillation at 10 Hz opens and near 3.5 turns into spikes of about five per second."}}
fig, axes = plt.subplots(
    2, 2, figsize=(6.8, 4.2), sharex=True, sharey="row", layout="constrained"
)
for (top, below), (name, run) in zip(axes.T, runs.items(), strict=True):
    low, high = run.min(axis=1), run.max(axis=1)
    top.fill_between(turned, low, high, color=GAIN_COLORS[3.55], alpha=0.3, lw=0)
    for g, points in zip(turned, found[name], strict=True):
        for point in points:
            fill = None if point.stable else "white"
            top.plot(g, point.potential, "o", color="#1b1b1b", ms=2.5, mfc=fill)
    swings = np.nan_to_num(spikes.oscillation_frequency(run, SFREQ))
    below.plot(turned, swings, ".-", color=GAIN_COLORS[3.55], lw=0.8)
    top.set_title(f"{name}: µ = {input_of[name]} /ms", fontsize=9)
    below.set(xlabel="gain A (mV)")
axes[0, 0].set(ylabel="y₁ − y₂ (mV)", ylim=(-5, 17))
_ = axes[1, 0].set_ylabel("oscillation frequency (Hz)")

# %% [markdown]
# In the left column a stable and an unstable fixed point approach each other, meet and vanish.
# The spike is the cycle that remains: the region moves slowly where they were, so the first spikes are rare.
# This is a saddle-node bifurcation on an invariant cycle.
# In the right column the only fixed point turns unstable, and a small oscillation grows out of it: a Hopf bifurcation.
# (The third fixed point on the left, near 7 mV, is stable at low gains as well. A region that starts at rest does not reach it.)
# The whole plane of input and gain shows where each of them happens.

# %%
map_gains, map_inputs = np.linspace(2.8, 4.2, 57), np.linspace(0.02, 0.3, 57)
gain, mean_input = (grid.ravel() for grid in np.meshgrid(map_gains, map_inputs))

# %%
run = dl.simulate(
    alone, gain=gain[:, None], mean_input=mean_input, duration=6.0, **from_rest
)[:, -int(3 * SFREQ) :, 0]
swings = spikes.oscillation_frequency(run, SFREQ).reshape(57, 57).T

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-simulation-regimes", "caption": "Left: oscillation frequency (Hz) of an isolated region without noise, by input and gain; white is rest. Blue: the paper's settings for healthy regions, at three inputs; orange: those for regions of raised gain. Right: activity at four gains and the input of the dashed line, from rest over alpha to spikes; bar: 10 mV."}, "image": {"alt": "Left: a map with a white area of rest, a wedge of slow spikes at low input and high gain, and a field of ten hertz at high input. Right: four time courses of two seconds: flat, a small ten hertz sine, a larger one and large sharp spikes."}}
fig, (left, right) = plt.subplots(
    1, 2, figsize=(6.8, 3.2), layout="constrained", width_ratios=[1.2, 1]
)
mesh = left.pcolormesh(map_inputs, map_gains, swings, cmap="viridis", rasterized=True)
bar = fig.colorbar(mesh, ax=left)
bar.ax.set_title("Hz", fontsize=8, loc="center")
left.axvline(0.16, color="#1b1b1b", ls="--", lw=1)
used = [mu for mu, _ in spikes.SETTINGS]
left.plot(used, np.full(3, 3.25), "o", color="#0072B2", ms=2.5)
for value in spikes.GAINS:
    left.plot(used, np.full(3, value), "o", color="#D55E00", ms=2.5)
left.set(xlabel="mean input µ (1/ms)", ylabel="gain A (mV)")
times = np.arange(int(2 * SFREQ)) / SFREQ
for k, value in enumerate((3.0, 3.24, 3.4, 3.7)):
    course = runs["higher input"][np.argmin(np.abs(turned - value)), : len(times)]
    right.plot(times, course - course.mean() + 18 * k, color="#1b1b1b", lw=0.9)
    right.text(2.05, 18 * k, f"{value} mV", va="center", fontsize=8)
right.plot([2.6, 2.6], [4, 14], color="#1b1b1b", lw=2)
right.set_title("y₁ − y₂, each shifted", fontsize=9)
right.spines["left"].set_visible(False)
_ = right.set(xlabel="time (s)", xticks=[0, 1, 2], yticks=[], xlim=(0, 2.7))

# %% [markdown]
# The raised regions lie just outside the area of spikes: a little more input, from noise or from other regions, brings them in.
# No alpha rhythm arises at inputs that low, so what a healthy region shows here is noise, filtered by its synapses.
#
# ## A region in its brain
#
# Now 994 of them.
# The [connectome](../book/glossary.md) says how strongly region $j$ drives region $k$, and after what delay: its fibers conduct at 3 mm/ms. Ours is a surrogate of the published one, which the [appendix](01b_validation.ipynb) compares it with.
#
# $$
# \begin{aligned}
# c_k(t) &= \sum_j w_{kj}\, S\bigl((y_1 - y_2)_j(t - \tau_{kj})\bigr),\\
# \tau_{kj} &= \ell_{kj} / (3\ \text{mm/ms}) .
# \end{aligned}
# $$
#
# $w_{kj}$ is the weight of the link and $\ell_{kj}$ the length of its fibers.
#
# White noise enters where input does, at $\ddot y_1$, independent in every region.
# Its strength is given in the *paper's unit*: 1 is an intensity of 0.0195 mV/ms$^{3/2}$, half the paper's range of the input rate (0.03 to 0.15 /ms) times $A a$ at the healthy gain. It is the same where the gain is raised.
# Below, the same region is simulated four times with the same noise; only its gain differs.

# %%
region = 300
gains = tuple(GAIN_COLORS)
one_stream = [np.random.SeedSequence(seed)] * len(gains)
psp = dl.simulate(
    brain,
    gain=brain.raised_gain(region, gains),
    duration=seconds + 0.5,
    stride=STRIDE,
    seed=one_stream,
)[:, int(0.5 * SFREQ) :]
times = np.arange(psp.shape[1]) / SFREQ

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-simulation-time-courses", "caption": "Four seconds of one region at four gains, driven by the same noise, and the 8 mV that count as a spike (dashed). At 3.25 mV there is background activity alone; from 3.5 mV on, some fluctuations grow into spikes."}, "image": {"alt": "Four stacked time courses of four seconds; the healthy one fluctuates around 1.3 mV, the others show more and more spikes of about 12 mV as the gain rises."}}
fig, axes = plt.subplots(
    4, 1, figsize=(6.8, 4.4), sharex=True, sharey=True, layout="constrained"
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
    f"other regions: mean {others.mean():.2f} mV, "
    f"standard deviation {others.std(axis=0).mean():.2f} mV"
)
print(f"share of them that ever reach 8 mV: {(others > 8).any(axis=0).mean():.2%}")

# %% [markdown]
# The rest of the brain stays at 1.3 mV, with a standard deviation of some 0.3 mV.
# In the plane of activity and its rate of change, a spike is one long loop, started by a small fluctuation:

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-simulation-phase", "caption": "The same simulations in the phase plane. The region fluctuates around its stable fixed point (black dot, at the input it receives on average). The unstable one (open circle) is the threshold. At 3.25 mV fluctuations do not reach it; at 3.5 mV noise carries the region past it now and then, and it runs through the whole loop before it rests again. Beyond the bifurcation, at 3.6 mV, neither exists."}, "image": {"alt": "Two phase planes: a small cloud around a dot for gain 3.25, and for gain 3.5 the same cloud with many large loops that leave it and return."}}
fig, axes = plt.subplots(
    1, 2, figsize=(6.8, 3.0), sharex=True, sharey=True, layout="constrained"
)
arriving = brain.weights[region].sum() * MODEL.firing_rate(others.mean())
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
    for setting in spikes.SETTINGS
    for region in (100, 300, 600, 800)
]
raised = np.array([region for _, _, region in grid])
gain = brain.raised_gain(raised, [value for value, _, _ in grid])
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

# %%
courses = np.concatenate(courses[1:], axis=1).T
counts = np.bincount(spikes.find_peaks(courses)[1], minlength=len(grid))
sweep = pd.DataFrame(
    {
        "gain": [value for value, _, _ in grid],
        "setting": [f"µ = {m} /ms, noise {s}" for _, (m, s), _ in grid],
        "spikes per second": counts / seconds,
    }
)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-simulation-gain", "caption": "Spikes per second against the gain of the region, for the three pairs of mean input and noise. Points: single regions, line: their mean. Shaded: the gains the paper uses."}, "image": {"alt": "Spike rate rises from zero at gain 3.25 to two to three per second at 3.7 mV; from 3.5 mV on it is highest at the strongest mean input."}}
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
# Without noise a raised region rests or spikes periodically, depending on the side of the bifurcation it is on; noise decides *when* it spikes.
# Without links the small input from other regions is missing, and the same gain gives fewer spikes.

# %%
noises = (0.0, 0.5, 1.0, 1.7)
networks = {
    "connected": brain,
    "without links": replace(brain, weights=0 * brain.weights),
}

# %%
effects = {
    name: dl.simulate(
        network,
        gain=network.raised_gain([region] * len(noises), 3.6),
        noise_std=noises,
        duration=6.5,
        stride=STRIDE,
        seed=one_stream,
    )[:, int(0.5 * SFREQ) :, region]
    for name, network in networks.items()
}

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-simulation-noise", "caption": "One region at gain 3.6 mV and mean input 0.087 /ms, with its links (left) and without (right), under growing noise (from top to bottom, in the paper's unit)."}, "image": {"alt": "Eight time courses of six seconds in two columns. Connected and without noise the spikes come regularly; unconnected and without noise there are none; with more noise both columns spike irregularly."}}
fig, axes = plt.subplots(
    4, 2, figsize=(6.8, 4.2), sharex=True, sharey=True, layout="constrained"
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
# One time course may mislead.
# The same question to a small part of the brain, 24 regions around the raised one, can be asked often: twenty runs of twenty seconds for each amount of noise.

# %%
part = spikes.small_brain(brain, hub=region)
parts = {"connected": part, "without links": replace(part, weights=0 * part.weights)}
levels = (0.0, 0.25, 0.5, 0.75, 1.0, 1.35, 1.7)

# %%
answers = []
for name, network in parts.items():
    for value in (3.5, 3.6):
        for noise in levels:
            condition = spikes.Condition(value, noise_std=noise)
            measured = spikes.run_condition(network, condition, range(20), seed=seed)
            rate_and_error = measured[spikes.SPIKE_RATE].agg(["mean", "sem"])
            answers.append((name, value, noise, *rate_and_error))
columns = ["network", "gain", "noise", "rate", "error"]
answers = pd.DataFrame(answers, columns=columns)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-simulation-noise-sweep", "caption": "Spikes per second of the raised region against noise, 24 regions, mean input 0.087 /ms; bars (mostly smaller than the dots): standard error over 20 runs. Where the region rests without noise, noise brings the spikes; where it spikes by itself, noise changes their timing but hardly their number. Without links it takes more noise."}, "image": {"alt": "Four lines. Connected at 3.6 mV the rate starts at two and a half per second and stays there; connected at 3.5 mV it rises from zero to above two; without links it stays zero until the noise is half to one unit and rises more slowly."}}
fig, ax = plt.subplots(figsize=(5.6, 2.9), layout="constrained")
for (name, value), one in answers.groupby(["network", "gain"]):
    ax.errorbar(
        one["noise"],
        one["rate"],
        one["error"],
        color=GAIN_COLORS[value],
        marker="o",
        ms=3,
        ls="-" if name == "connected" else "--",
        label=f"{value} mV, {name}",
    )
ax.set(xlabel="noise (paper's unit)", ylabel="spikes per second", ylim=(0, None))
_ = ax.legend()

# %% [markdown]
# ## From spikes to clips
#
# Networks train on one-second [clips](../book/glossary.md).
# The paper's rules make sure that each holds a spike of the raised region and of no other: a peak of 8 mV or more, more than 200 ms after the peak before it, and no accepted peak of another region from 400 ms before the clip to 400 ms after.

# %%
course = psp[2, :, region]
cutter = spikes.ClipCutter(region)
for second in np.split(psp[2], len(psp[2]) // spikes.CLIP_SAMPLES):
    cutter.feed(second)
clips = list(cutter.clips())
print(f"{cutter.n_spikes} peaks of 8 mV in {seconds:.0f} s, {len(clips)} clips")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-simulation-clips", "caption": "The region at gain 3.55 mV. Shaded: windows kept as clips. Dots: accepted spikes; thick: from start to end of each, the part that is later scaled to a wanted signal-to-noise ratio. The last two seconds give no clip: the rule asks what other regions do after it."}, "image": {"alt": "A ten-second time course with spikes; one-second windows that hold accepted spikes are shaded, and the spikes are drawn with a thicker line."}}
fig, ax = plt.subplots(figsize=(6.8, 2.3), layout="constrained")
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
simulations = spikes.read_simulations("lite")
print(
    f"{len(train)} training and {len(test)} test clips, none from the same simulation"
)
of_paper = dl.results.paper_values().value["size/training_samples"]
print(f"paper: {of_paper:,.0f} training samples")

# %% table={"caption": "Simulations behind the library, by mean input and noise: spikes of the raised region in the ten seconds of each (mean), and how many gave a clip."}
table = simulations.groupby(["mean_input", "noise_std"]).agg(
    simulations=("region", "size"),
    spikes=("n_spikes", "mean"),
    clips=("n_clips", "sum"),
)
table["with a clip (%)"] = 100 * table["clips"] / table["simulations"]
table.rename_axis(["mean input (1/ms)", "noise"]).round(1)

# %% [markdown]
# With more noise, other regions spike now and then as well, so fewer windows pass the rule.
#
# For each region a report says whether the library holds a clip of it, and if not, why.

# %%
report = spikes.region_report(
    simulations, {"train": train.seeds, "test": test.seeds}, cortex.n_regions
)
for line in spikes.report_lines(report):
    print(line)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-simulation-library", "caption": "60 spikes of the training library on their peaks, and their mean."}, "image": {"alt": "Overlaid spikes with a sharp rise to 12 mV and a shallow undershoot, and their mean."}}
inside = np.flatnonzero((train.peaks > 150) & (train.peaks < 300))[:60]
aligned = np.array(
    [train.waveforms[i, train.peaks[i] - 100 : train.peaks[i] + 150] for i in inside]
)
lags = (np.arange(250) - 100) / SFREQ * 1e3
fig, ax = plt.subplots(figsize=(4.6, 2.7), layout="constrained")
ax.plot(lags, aligned.T, color="#D55E00", lw=0.4, alpha=0.35)
ax.plot(lags, aligned.mean(axis=0), color="#1b1b1b")
_ = ax.set(xlabel="time from the peak (ms)", ylabel="y₁ − y₂ (mV)")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-simulation-map", "caption": "Spikes in ten seconds of each region when its gain is raised, averaged over gains and settings. Well connected regions receive more input and spike more often; regions of bare gray were not simulated."}, "image": {"alt": "Four views of the cortex colored by spike count, a patchwork from zero to about thirty."}}
per_region = (
    simulations.groupby("region")["n_spikes"].mean().reindex(range(cortex.n_regions))
)
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
    f"in-strength and spikes: Spearman {rank:.2f} "
    f"over {per_region.notna().sum()} regions"
)

# %% [markdown]
# ## Summary
#
# - A Jansen–Rit region has a saddle-node bifurcation: below it the region rests, beyond it spikes. Raising its gain by a tenth moves the bifurcation close to the input it receives.
# - Noise decides when a raised region spikes, and its connections supply the rest of the input that it needs.
# - Clips are one second with spikes of one region alone. Simulator and rules are the paper's; both are checked, one against The Virtual Brain ([appendix](01b_validation.ipynb)), the other by tests.
#
# ## Limits
#
# - The connectome is a *surrogate*: a random network with the density, strengths and tract lengths of the paper's, not its anatomy ([appendix](01b_validation.ipynb)).
# - The maps of an isolated region start from rest. Where rest and a rhythm are both stable, they show what rest leads to.
# - The rule that "no other region spikes" is strict at the two noisy settings: more than half of their simulations give no clip in ten seconds (table above). Regions without one are listed when a library is built.
# - The shipped library keeps the background in coarse steps; the [appendix](01b_validation.ipynb) shows what is lost.
# - A real spike comes from a patch of cortex that recruits its neighbors. Here one region spikes, and the patch is drawn around it in [chapter 3](03_training.ipynb).
#
# ## Exercises
#
# :::{exercise}
# :label: ex-simulation-1
#
# At which gain does an *isolated* region start to spike by itself at $\mu = 0.087$ /ms? Find it with `resting_input`, then by simulation.
# :::
#
# :::{solution} ex-simulation-1
# :class: dropdown
#
# A region spikes by itself where its resting state is lost: raise the gain in small steps until the largest `resting_input(lower_branch, gain)` falls below 0.087 /ms (the saddle-node bifurcation). A little below that gain the simulation settles, a little above it oscillates:
#
# ```python
# gains = np.arange(3.5, 3.8, 0.01)
# lost = next(g for g in gains if resting_input(lower_branch, g).max() < 0.087)
# around = np.array([lost - 0.02, lost + 0.02])
# run = dl.simulate(
#     alone, gain=around[:, None], mean_input=0.087, duration=8.0, **from_rest
# )
# print(f"{lost:.2f} mV; range in the last seconds:", np.ptp(run[:, -2000:, 0], axis=1))
# ```
#
# With noise, spikes appear a little earlier, for noise carries the state across.
# :::
#
# :::{exercise}
# :label: ex-simulation-2
#
# Multiply all weights by two with `replace(brain, weights=2 * brain.weights)`. What happens to the healthy regions, and why would the paper's rules then find no clip?
# :::
#
# :::{solution} ex-simulation-2
# :class: dropdown
#
# Each region now receives twice the input through the connectome, which carries all of them past the bifurcation, the healthy ones too:
#
# ```python
# twice = replace(brain, weights=2 * brain.weights)
# gain = twice.raised_gain(region, 3.5)
# run = dl.simulate(twice, gain=gain, duration=4.5, stride=STRIDE, seed=seed)
# healthy = np.delete(run[0, int(0.5 * SFREQ) :], region, axis=1)
# print(f"mean {healthy.mean():.1f} mV", end="; ")
# print(f"{(healthy > 8).any(axis=0).mean():.0%} of the healthy regions reach 8 mV")
# ```
#
# A clip needs one region that spikes while the others do not: where all of them spike, none is accepted.
# :::
#
# :::{exercise}
# :label: ex-simulation-3
#
# Double all delays. Does the background spectrum change? Why (not)?
# :::
#
# :::{solution} ex-simulation-3
# :class: dropdown
#
# The yardstick is the difference between two seeds, and doubled delays stay far below it:
#
# ```python
# from scipy.signal import welch
#
#
# def spectrum(network, seed):
#     run = dl.simulate(network, duration=6.5, stride=STRIDE, seed=seed)[0]
#     frequency, power = welch(run[int(0.5 * SFREQ) :].T, SFREQ, nperseg=1000)
#     return power.mean(axis=0)[(frequency > 0.5) & (frequency < 40)]
#
#
# late = replace(brain, tract_lengths=2 * brain.tract_lengths)
# before = spectrum(brain, 1)
# for what, after in {"delays": spectrum(late, 1), "seed": spectrum(brain, 2)}.items():
#     print(f"{what}: {np.abs(10 * np.log10(after / before)).max():.3f} dB at most")
# ```
#
# The rhythm is made within a region, by its synapses. The inputs of many regions with many delays add up to noise without a period of its own, and at rest they are small beside the mean input.
# :::
#
# :::{exercise}
# :label: ex-simulation-4
#
# The paper's code draws the same noise for every simulation (one fixed seed). Give all simulations the same seed and compare two regions' clips: what would a network learn from that?
# :::
#
# :::{solution} ex-simulation-4
# :class: dropdown
#
# The backgrounds of all clips are then nearly the same, sample by sample:
#
# ```python
# gain = brain.raised_gain([100, 300], 3.6)
# one_seed = [np.random.SeedSequence(seed)] * 2
# for name, seeds in {"one seed": one_seed, "two seeds": seed}.items():
#     pair = dl.simulate(brain, gain=gain, duration=4.5, stride=STRIDE, seed=seeds)
#     pair = pair[:, int(0.5 * SFREQ) :, ::10]
#     alike = [np.corrcoef(*pair[:, :, k])[0, 1] for k in range(pair.shape[2])]
#     print(f"{name}: median correlation {np.median(alike):.3f} of a region in both")
# ```
#
# A network can subtract what it has seen a thousand times and find the source in what is left. That works on the training data and on test data of the same seed, and on nothing else.
# :::
#
# ## Next
#
# What would electrodes on the scalp record of all this? [Chapter 2](02_forward.ipynb) builds the head.
