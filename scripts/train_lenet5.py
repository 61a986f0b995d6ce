#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains LeNet-5 (61,706 parameters, ReLU and max pooling) on Fashion-MNIST, writes it as ONNX.

In: the four IDX files of Debian's package dataset-fashion-mnist. Out: models/lenet5-fashion.onnx,
opset 13, input "image" Nx1x28x28 in 0..1 (pixel / 255), output "probability" Nx10. Needs the Python
packages torch, numpy and onnx. The test pictures are looked at once, after the last epoch.
"""
import argparse
import gzip
import pathlib
import time

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional as F


def read_idx(path, header):
    data = gzip.decompress(pathlib.Path(path).read_bytes())
    return np.frombuffer(data, np.uint8, offset=header)


def load(folder, part):
    images = read_idx(f"{folder}/{part}-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)
    labels = read_idx(f"{folder}/{part}-labels-idx1-ubyte.gz", 8)
    return (torch.from_numpy(images.astype(np.float32) / 255),
            torch.from_numpy(labels.astype(np.int64)))


class LeNet5(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc3 = nn.Linear(400, 120)
        self.fc4 = nn.Linear(120, 84)
        self.fc5 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc3(x.flatten(1)))
        return self.fc5(F.relu(self.fc4(x)))


def augment(x, shift, rng):
    """Mirrors each picture with probability 1/2 and moves it by up to `shift` pixels."""
    n = len(x)
    x = F.pad(x, (shift,) * 4)
    span = torch.arange(28)
    rows = torch.randint(0, 2 * shift + 1, (n, 1), generator=rng) + span
    cols = torch.randint(0, 2 * shift + 1, (n, 1), generator=rng) + span
    mirrored = torch.rand(n, generator=rng) < 0.5
    cols = torch.where(mirrored[:, None], cols.flip(1), cols)
    return x[torch.arange(n)[:, None, None], 0, rows[:, :, None], cols[:, None, :]][:, None]


def train(args, images, labels):
    torch.manual_seed(args.seed)
    rng = torch.Generator().manual_seed(args.seed)
    net, steps = LeNet5(), args.epochs * (len(images) // args.batch)
    average = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.999))
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=args.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, args.rate, total_steps=steps)
    for epoch in range(args.epochs):
        start, total = time.time(), 0.0
        order = torch.randperm(len(images), generator=rng)
        for part in order.split(args.batch):
            if len(part) < args.batch:
                break
            loss = F.cross_entropy(net(augment(images[part], args.shift, rng)), labels[part])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            average.update_parameters(net)
            total += loss.item()
        print(f"epoch {epoch + 1}: loss {total * args.batch / len(images):.4f}, "
              f"{time.time() - start:.1f} s", flush=True)
    return average.module


def export(net, path):
    weights = [numpy_helper.from_array(v.detach().numpy(), k) for k, v in net.state_dict().items()]

    def node(op, name, ins, out, **attrs):
        return helper.make_node(op, ins, [out], name=name, **attrs)

    def conv(name, src, **attrs):
        return node("Conv", name, [src, f"{name}.weight", f"{name}.bias"], name, **attrs)

    def gemm(name, src, out):
        return node("Gemm", name, [src, f"{name}.weight", f"{name}.bias"], out, transB=1)

    pool = {"kernel_shape": [2, 2], "strides": [2, 2]}
    nodes = [
        conv("conv1", "image", kernel_shape=[5, 5], pads=[2, 2, 2, 2]),
        node("Relu", "relu1", ["conv1"], "relu1"),
        node("MaxPool", "pool1", ["relu1"], "pool1", **pool),
        conv("conv2", "pool1", kernel_shape=[5, 5]),
        node("Relu", "relu2", ["conv2"], "relu2"),
        node("MaxPool", "pool2", ["relu2"], "pool2", **pool),
        node("Flatten", "flatten", ["pool2"], "flatten"),
        gemm("fc3", "flatten", "fc3"),
        node("Relu", "relu3", ["fc3"], "relu3"),
        gemm("fc4", "relu3", "fc4"),
        node("Relu", "relu4", ["fc4"], "relu4"),
        gemm("fc5", "relu4", "fc5"),
        node("Softmax", "softmax", ["fc5"], "probability", axis=1),
    ]
    graph = helper.make_graph(
        nodes, "lenet5-fashion",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 28, 28])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["N", 10])], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7,
                              producer_name="convoke")
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
    parser.add_argument("--out", default=root / "models" / "lenet5-fashion.onnx")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=4e-3, help="largest learning rate")
    parser.add_argument("--decay", type=float, default=0.01, help="weight decay")
    parser.add_argument("--shift", type=int, default=1, help="augmentation: pixels moved at most")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    net = train(args, *load(args.data, "train"))
    images, labels = load(args.data, "t10k")
    with torch.no_grad():
        right = (net(images).argmax(1) == labels).sum().item()
    print(f"test accuracy {right / len(labels):.4f} ({right} of {len(labels)})")
    export(net, args.out)
    print(f"wrote {args.out}, {pathlib.Path(args.out).stat().st_size} bytes")


if __name__ == "__main__":
    main()
