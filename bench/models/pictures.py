# SPDX-License-Identifier: Apache-2.0
"""results.json as pictures, each an SVG and a PNG: ratios by network, a roofline with every layer, time by operator."""
import matplotlib

matplotlib.use("Agg")
matplotlib.rcParams.update({"svg.hashsalt": "convoke", "font.size": 9, "axes.spines.top": False,
                            "axes.spines.right": False, "legend.frameon": False, "savefig.bbox": "tight"})

import matplotlib.pyplot as plt
import numpy as np

from . import goals, report

COLOURS = plt.get_cmap("tab10").colors
FASTER, SLOWER = "#2a7f62", "#b5533c"
MOST_OPERATORS = 9


def save(figure, out, name):
    figure.savefig(out / f"{name}.svg", metadata={"Date": None})
    figure.savefig(out / f"{name}.png", dpi=150)
    plt.close(figure)


def draw_ratios(results, device, out):
    """A bar for each network: our time to the best peer's; the line at 1 is a draw."""
    found = [network for network in report.measured(results) if device in network["ratios"]]
    if not found:
        return
    figure, axes = plt.subplots(figsize=(7, 0.8 + 0.27 * len(found)))
    for at, network in enumerate(found):
        best = network["ratios"][device]["best"]
        error = [[max(best["ratio"] - best["q1"], 0)], [max(best["q3"] - best["ratio"], 0)]]
        axes.barh(at, best["ratio"], xerr=error, color=FASTER if best["ratio"] < 1 else SLOWER, ecolor="#444444",
                  height=0.7)
        axes.annotate(f"{best['ratio']:.2f}  {report.peer_of(best)}", (max(best["ratio"], best["q3"]), at), (4, 0),
                      textcoords="offset points", va="center", fontsize=8)
        if device == "cpu":
            axes.plot(goals.of(network["name"]), at, "|", color="black", markersize=9)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_yticks(range(len(found)), [network["name"] for network in found])
    axes.invert_yaxis()
    axes.margins(x=0.3)
    axes.set_xlim(left=0)
    axes.set_xlabel("our time / time of the best peer, which is named (below 1: we are faster)")
    axes.set_title(f"Convoke on {report.DEVICES[device]} against the best peer" + (" (|: goal)" if device == "cpu" else ""))
    save(figure, out, f"ratios-{device}")


def draw_roofline(results, device, limits, out):
    """A dot for each step that multiplies: operations for a byte that must move, against GFLOP/s."""
    steps = [(network["name"], step) for network in report.measured(results)
             for step in network["layers"].get(device, {}).get("fused", []) if step["macs"] and step["ms"] > 0]
    if not steps:
        return
    figure, axes = plt.subplots(figsize=(7, 4.8))
    kernels = sorted({step["kernel"] for _, step in steps})
    for at, kernel in enumerate(kernels):
        mine = [step for _, step in steps if step["kernel"] == kernel]
        axes.scatter([2 * step["macs"] / max(step["moved_bytes"], 1) for step in mine],
                     [2e-6 * step["macs"] / step["ms"] for step in mine], label=kernel, alpha=0.6, linewidths=0,
                     s=[6 + 20 * min(step["ms"], 4) for step in mine], color=plt.get_cmap("tab20")(at % 20))
    ridge = limits["peak_gflops"] / limits["gbytes_per_s"]
    reach = np.array([0.1, ridge, 1e3])
    axes.plot(reach, np.minimum(reach * limits["gbytes_per_s"], limits["peak_gflops"]), color="black", linewidth=1)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("operations per byte of inputs, weights and outputs")
    axes.set_ylabel("GFLOP/s (of the direct algorithm)")
    axes.set_title(f"Every layer on {report.DEVICES[device]}; line: {limits['peak_gflops']:.0f} GFLOP/s, "
                   f"{limits['gbytes_per_s']:.0f} GB/s")
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    save(figure, out, f"roofline-{device}")


def by_operator(steps):
    sums = {}
    for step in steps:
        sums[step["op"]] = sums.get(step["op"], 0) + step["ms"]
    return sums


def draw_operators(results, device, out):
    """Two bars for each network, fused above unfused, in parts by operator; the whole unfused time is 1."""
    found = [(network["name"], network["layers"][device]) for network in report.measured(results)
             if device in network["layers"]]
    if not found:
        return
    shares = [[by_operator(forms[form]) for form in ("fused", "unfused")] for _, forms in found]
    totals = [sum(pair[1].values()) or 1 for pair in shares]
    weight = {}
    for pair, total in zip(shares, totals):
        for op, ms in pair[1].items():
            weight[op] = weight.get(op, 0) + ms / total
    shown = sorted(weight, key=weight.get, reverse=True)[:MOST_OPERATORS]
    figure, axes = plt.subplots(figsize=(7, 1 + 0.42 * len(found)))
    for at, (pair, total) in enumerate(zip(shares, totals)):
        for bar, sums in zip((at - 0.2, at + 0.2), pair):
            left = 0
            for colour, op in enumerate([*shown, None]):
                part = sums.get(op, 0) if op else sum(ms for key, ms in sums.items() if key not in shown)
                axes.barh(bar, part / total, left=left, height=0.36, color=COLOURS[colour] if op else "#bbbbbb",
                          label=(op or "others") if at == 0 and bar < at else None)
                left += part / total
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_yticks(range(len(found)), [name for name, _ in found])
    axes.invert_yaxis()
    axes.set_xlabel("time by operator: fused (upper bar) and not (lower bar), relative to the whole unfused")
    axes.set_title(f"Where the time goes on {report.DEVICES[device]}")
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    save(figure, out, f"operators-{device}")


def draw(results, out):
    for device in report.DEVICES:
        limits = next((each for each in results["machine"]["devices"] if each["backend"] == device), None)
        if limits:
            draw_ratios(results, device, out)
            draw_roofline(results, device, limits, out)
            draw_operators(results, device, out)
