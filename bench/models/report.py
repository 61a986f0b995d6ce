# SPDX-License-Identifier: Apache-2.0
"""results.json as tables for people: the ratios first, then each peer's figures, then why some have none."""
import math

from . import goals

TITLES = {"onnxruntime": "ONNX Runtime", "openvino": "OpenVINO", "ncnn": "ncnn", "mnn": "MNN", "torch": "PyTorch",
          "opencv": "OpenCV", "clblast": "CLBlast in Convoke", "convoke": "Convoke"}
DEVICES = {"cpu": "CPU", "opencl": "OpenCL"}
MIB = 1 << 20


def title(row):
    """"ONNX Runtime", "OpenCV OpenCL": whose row it is; the CPU is meant where nothing is said, but for our own."""
    if row["device"] == "cpu" and row["peer"] != "convoke":
        return TITLES[row["peer"]]
    return f"{TITLES[row['peer']]} {DEVICES[row['device']]}"


def number(value):
    """Three digits, or all before the point."""
    if value is None:
        return "-"
    digits = 2 - math.floor(math.log10(abs(value))) if value else 0
    return f"{value:.{min(max(digits, 0), 4)}f}"


def markdown(titles, rows):
    lines = [f"| {' | '.join(titles)} |", "|---|" + "---:|" * (len(titles) - 1)]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def measured(results):
    return [network for network in results["networks"] if network["status"] == "ok"]


def columns(results):
    """(peer, device) of every row there is, ours first."""
    found = {(row["peer"], row["device"]): title(row) for network in measured(results) for row in network["rows"]}
    return dict(sorted(found.items(), key=lambda item: item[0][0] != "convoke"))


def ratio_cell(ratio):
    return f"**{ratio['ratio']:.2f}** ({ratio['q1']:.2f} to {ratio['q3']:.2f})" if ratio else "-"


def peer_of(ratio):
    return title({"peer": ratio["peer"], "device": ratio["peer_device"]})


def mean(values):
    """Geometric, as ratios want it."""
    return math.exp(sum(map(math.log, values)) / len(values))


def summary_lines(results):
    """For each of our devices: the mean of the ratios, and how many are won."""
    lines = []
    for device in DEVICES:
        found = [n["ratios"][device]["best"]["ratio"] for n in measured(results) if device in n["ratios"]]
        if found:
            won = sum(value < 1 for value in found)
            lines.append(f"{DEVICES[device]}: geometric mean of the ratios to the best peer {mean(found):.2f} (goal "
                         f"{goals.MEAN[device]:.2f}) over {len(found)} networks, faster than every peer on {won} of them.")
    cpu = [n for n in measured(results) if "cpu" in n["ratios"]]
    if cpu:
        reached = sum(n["ratios"]["cpu"]["best"]["ratio"] <= goals.of(n["name"]) for n in cpu)
        lines.append(f"CPU: the network's own goal is reached on {reached} of {len(cpu)}.")
    return lines


def own_ratio(network):
    """OpenCL's time to the CPU's, ours both; None without both."""
    return our_ms(network, "opencl") / our_ms(network, "cpu") if {"cpu", "opencl"} <= set(network["ratios"]) else None


def ratio_table(results):
    rows = []
    for network in measured(results):
        ratios = network["ratios"]
        cells = [network["name"], number(network["macs"] / 1e6)]
        for device in DEVICES:
            mine = ratios.get(device)
            cells += [ratio_cell(mine["best"]), peer_of(mine["best"])] if mine else ["-", "-"]
            if device == "cpu":
                cells.append(f"{goals.of(network['name']):.2f}")
        opencl, own = ratios.get("opencl"), own_ratio(network)
        rows.append(cells + [ratio_cell(opencl["same"]) if opencl else "-", f"{own:.2f}" if own else "-"])
    titles = ["network", "million multiply-adds", "CPU: ratio to the best peer", "which is", "goal",
              "OpenCL: ratio to the best peer", "which is", "OpenCL: ratio to the best OpenCL peer",
              f"OpenCL to our CPU (goal {goals.OPENCL_TO_CPU})"]
    return markdown(titles, rows)


def time_table(results, reasons):
    """Medians; a number in brackets stands for a reason, which is collected."""
    there = columns(results)
    rows = []
    for network in measured(results):
        found = {(row["peer"], row["device"]): row for row in network["rows"]}
        cells = [network["name"]]
        for key in there:
            row = found.get(key, {"status": "not asked"})
            if row["status"] == "ok":
                cells.append(number(row["median_ms"]))
            else:
                reason = f"{there[key]}: {row['status']}"
                cells.append(f"[{reasons.setdefault(reason, len(reasons) + 1)}]")
        rows.append(cells)
    return markdown(["ms, median", *there.values()], rows)


def detail_rows(network):
    for row in network["rows"]:
        if row["status"] != "ok":
            yield [network["name"], title(row), row["status"].replace("|", "/")] + [""] * 11
            continue
        yield [network["name"], title(row), number(row["median_ms"]), number(row["q1_ms"]), number(row["q3_ms"]),
               str(row["runs"]), f"{row['error']:.0e}", number(row["warm"]["load_ms"]),
               number(row["cold"]["load_ms"] + row["cold"]["first_ms"]),
               number(row["warm"]["load_ms"] + row["warm"]["first_ms"]), number(row.get("convert_ms")),
               f"{row['peak_bytes'] / MIB:.0f}", f"{row['base_bytes'] / MIB:.0f}", str(row["steps"] or "-")]


def detail_table(results):
    titles = ["network", "peer", "median ms", "quartile", "quartile", "runs", "error", "load and plan ms",
              "load and first run ms, empty caches", "filled caches", "converted in ms", "peak MiB",
              "of it before loading", "steps"]
    return markdown(titles, [row for network in measured(results) for row in detail_rows(network)])


def library_table(results):
    rows = {}
    for row in (row for network in measured(results) for row in network["rows"] if row["status"] == "ok"):
        sizes = row["libraries"]
        own = max(sizes, key=sizes.get) if sizes else "-"
        if row["peer"] == "convoke":
            own = next(path for path in sizes if "libconvoke" in path)
        rows[title(row)] = [title(row), row["version"], str(len(sizes)), f"{sum(sizes.values()) / MIB:.1f}",
                            f"{own.rsplit('/', 1)[-1]}, {sizes.get(own, 0) / MIB:.1f}"]
    return markdown(["peer", "version", "libraries loaded", "MiB", "of them its own or the largest"], rows.values())


def about(results):
    machine, settings = results["machine"], results["settings"]
    peaks = "; ".join(f"{device['id']}: {device['name']}, {device['driver']}, {device['peak_gflops']:.0f} GFLOP/s, "
                      f"{device['gbytes_per_s']:.0f} GB/s" for device in machine["devices"])
    return (f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_bytes'] / (1 << 30):.0f} GiB; "
            f"{machine['system']}, Linux {machine['kernel']}; {machine['date']}, load {machine['load']:.1f} at the "
            f"start; Convoke {machine['revision']}; batch 1, float32, {settings['threads']} threads, "
            f"{settings['rounds']} rounds of {settings['turn_ms']:.0f} ms turns.\n\n{peaks}")


def slow_turns(results):
    """How many turns the machine was not at its full speed for; who had no other is named."""
    rows = [(network["name"], row) for network in measured(results) for row in network["rows"] if row["status"] == "ok"]
    never = [f"{title(row)} on {name}" for name, row in rows if not row["turns"]]
    said = (f"Turns at the machine's full speed, which count: {sum(row['turns'] for _, row in rows)}; others, which do "
            f"not: {sum(row['slow_turns'] for _, row in rows)}.")
    return said + (f" Never at full speed, and shown all the same: {', '.join(never)}." if never else "")


def our_ms(network, device):
    return next(row["median_ms"] for row in network["rows"] if (row["peer"], row["device"]) == ("convoke", device))


def difference_table(results, other):
    """How far the ratios of two runs are apart, and how many of the networks above 1 ms are within 10 %."""
    before = {network["name"]: network["ratios"] for network in measured(other)}
    rows, changes = [], []
    for network in measured(results):
        for device, ratios in network["ratios"].items():
            old = before.get(network["name"], {}).get(device)
            if old:
                now, then = ratios["best"], old["best"]
                change = 100 * (now["ratio"] / then["ratio"] - 1)
                if our_ms(network, device) >= 1:
                    changes.append(abs(change))
                rows.append([network["name"], DEVICES[device], f"{now['ratio']:.2f} ({peer_of(now)})",
                             f"{then['ratio']:.2f} ({peer_of(then)})", f"{change:+.0f} %"])
    text = markdown(["network", "device", "ratio", "in the other run", "difference"], rows)
    if changes:
        text += (f"\n\nOf {len(changes)} ratios of networks above 1 ms, {sum(change <= 10 for change in changes)} are within "
                 f"10 % of the other run's.")
    return text


def tables(results, other=None):
    reasons = {}
    times = time_table(results, reasons)
    parts = [about(results), "Ratio: our time to the peer's, so that below 1 we are faster; in brackets its quartiles "
             "over the rounds.", ratio_table(results), *summary_lines(results), slow_turns(results), times]
    parts += [f"[{at}] {reason}" for reason, at in reasons.items()]
    parts += [f"{network['name']}: {network['status']}" for network in results["networks"] if network["status"] != "ok"]
    if other:
        parts.append(difference_table(results, other))
    return "\n\n".join([*parts, library_table(results), detail_table(results)]) + "\n"


def headline(network):
    if network["status"] != "ok":
        return network["status"]
    said = [f"{DEVICES[device]} {ratios['best']['ratio']:.2f} of {peer_of(ratios['best'])}"
            for device, ratios in network["ratios"].items()]
    without = [f"{title(row)} {row['status']}" for row in network["rows"] if row["status"] != "ok"]
    return "; ".join([*(said or ["no ratio"]), *without])
