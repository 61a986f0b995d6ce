# SPDX-License-Identifier: Apache-2.0
"""What we want to reach: our time to the best peer's on the same network, batch 1, at most."""

BY_FAMILY = {  # of the network's name: how it begins
    "vgg": 0.65,
    "resnet": 0.75, "squeezenet": 0.75, "googlenet": 0.75, "inception-v3": 0.75, "densenet121": 0.75, "alexnet": 0.75,
    "mobilenet": 0.75, "efficientnet-b0": 0.75,
    "super-resolution": 0.6, "fast-style-transfer": 0.6, "dncnn": 0.6,
    "lenet5": 0.15,
}
OTHERS = 0.9
MEAN = {"cpu": 0.65, "opencl": 0.8}  # geometric, over all networks
OPENCL_TO_CPU = 1.15                 # our OpenCL backend on a CPU device to our CPU backend


def of(name):
    """The goal of a network on the CPU."""
    return next((goal for family, goal in BY_FAMILY.items() if name.startswith(family)), OTHERS)
