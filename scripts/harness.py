# SPDX-License-Identifier: Apache-2.0
"""What the Python drivers share: running the command, finding devices, preparing models, comparing outputs."""
import json
import subprocess

import numpy as np
import onnx

HIDING = {"Softmax", "Sigmoid"}


class Failed(Exception):
    pass


def command(*words):
    """Runs a program; its output, or Failed with the last sentence that it said."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise Failed(f"{words[1]}: {said[-1]}")
    return done.stdout


def present_devices(convoke, wanted):
    """{what a column is called: (what --device takes, the device's name)} of those present."""
    found = {}
    for device in json.loads(command(convoke, "devices", "--json"))["devices"]:
        if device["backend"] in wanted:
            found.setdefault(device["backend"], (device["id"], device["name"]))
    return found


def expose_logits(model):
    """Makes the inputs of a last Softmax or Sigmoid, which hides errors, outputs too; how many there were."""
    last = {output.name for output in model.graph.output}
    hidden = [node.input[0] for node in model.graph.node if node.op_type in HIDING and last & set(node.output)]
    new = [name for name in dict.fromkeys(hidden) if name not in last]
    for name in new:
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    return len(new)


def relative_l2(ours, theirs):
    ours, theirs = ours.astype(np.float64), theirs.astype(np.float64)
    if ours.shape != theirs.shape or not np.isfinite(theirs).all():
        return float("inf")
    distance, length = np.linalg.norm(ours - theirs), np.linalg.norm(theirs)
    return float(distance / length if length else distance)
