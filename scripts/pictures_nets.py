# SPDX-License-Identifier: Apache-2.0
"""What networks see and what their outputs mean, for scripts/pictures.py.

In: pictures and `convoke run`. Out: boxes, classes, texts, points and pictures, as plain Python and numpy. Which
network is asked what, and which answer is right, is in pictures_table.py; nothing is drawn here.
"""
import hashlib
import json
import pathlib
import subprocess
import tempfile
from typing import NamedTuple

import numpy as np
from PIL import Image

BILINEAR, BICUBIC, NEAREST = Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.NEAREST
MIRROR = Image.Transpose.FLIP_LEFT_RIGHT
CENTRE = "centre"  # a crop: the largest square in the middle


class Failed(Exception):
    """A run of convoke that did not end well; says what convoke said."""


class Source(NamedTuple):
    """A picture, or a part of one."""
    file: str
    crop: tuple | str | None = None  # left, top, right, bottom; or CENTRE
    turned: bool = False             # by 180 degrees

    def __str__(self):
        part = f" {list(self.crop)}" if isinstance(self.crop, tuple) else ""
        return self.file + part + (" turned" if self.turned else "")


class Pre(NamedTuple):
    """How a network wants its picture: (pixel - mean) / std, in the network's order of channels."""
    input: str
    size: tuple | None = None  # width, height; None: as it comes
    order: str = "RGB"         # or BGR, or L for gray
    mean: tuple = (0.0,)
    std: tuple = (1.0,)
    dtype: type = np.float32


class Found(NamedTuple):
    """An object in a picture."""
    label: str
    score: float
    box: tuple  # left, top, right, bottom, in pixels of the picture


class World:
    """The models, the pictures and the command; a network asked twice the same runs once."""

    def __init__(self, convoke, device, models, images):
        self.convoke, self.device = convoke, device
        self.models, self.images = pathlib.Path(models), pathlib.Path(images)
        self.answers = {}
        self.runs = 0

    def command(self, verb, model, *words):
        line = [self.convoke, verb, self.models / f"{model}.onnx", *words, "--device", self.device]
        done = subprocess.run([str(word) for word in line], capture_output=True, text=True)
        if done.returncode:
            said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
            raise Failed(said[-1])
        return done.stdout

    def run(self, model, name, tensor):
        """{name of an output: array}"""
        key = (model, tensor.shape, hashlib.sha256(tensor.tobytes()).digest())
        if key not in self.answers:
            self.runs += 1
            self.answers[key] = self.run_afresh(model, name, tensor)
        return self.answers[key]

    def run_afresh(self, model, name, tensor):
        with tempfile.TemporaryDirectory() as folder:
            file, saved = pathlib.Path(folder, "input.npy"), pathlib.Path(folder, "outputs")
            np.save(file, np.ascontiguousarray(tensor))
            self.command("run", model, "--input", f"{name}={file}", "--save", saved)
            return {path.stem: np.load(path) for path in saved.glob("*.npy")}

    def accuracy(self, model, images, labels, count, scale):
        """The share of the first `count` pictures of an IDX data set that are told right."""
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "t10k-images-idx3-ubyte.gz").symlink_to((self.images / images).resolve())
            pathlib.Path(folder, "t10k-labels-idx1-ubyte.gz").symlink_to((self.images / labels).resolve())
            words = ["--dataset", folder, "--limit", count, "--scale", scale, "--json"]
            return json.loads(self.command("eval", model, *words))["accuracy"]

    def picture(self, source):
        image = Image.open(self.images / source.file).convert("RGB")
        if source.crop == CENTRE:
            side = min(image.size)
            left, top = (image.width - side) // 2, (image.height - side) // 2
            image = image.crop((left, top, left + side, top + side))
        elif source.crop:
            image = image.crop(source.crop)
        return image.rotate(180) if source.turned else image

    def lines(self, file):
        return (self.images / file).read_text().splitlines()

    def ask(self, model, pre, image):
        """All outputs of a network that is shown a picture."""
        return self.run(model, pre.input, tensor_of(image, pre))


def tensor_of(image, pre):
    """1 x channels x height x width"""
    image = image.convert("L" if pre.order == "L" else "RGB")
    if pre.size:
        image = image.resize(pre.size, BILINEAR)
    pixels = np.asarray(image, np.float32).reshape(image.height, image.width, -1)
    if pre.order == "BGR":
        pixels = pixels[:, :, ::-1]
    pixels = (pixels - np.float32(pre.mean)) / np.float32(pre.std)
    return pixels.transpose(2, 0, 1)[None].astype(pre.dtype)


def only(outputs):
    """The output of a network that has one."""
    (value,) = outputs.values()
    return value


def softmax(values, axis=-1):
    values = np.exp(values.astype(np.float64) - values.max(axis, keepdims=True))
    return values / values.sum(axis, keepdims=True)


def overlap(a, b):
    """Intersection over union of two boxes."""
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return width * height / max(areas - width * height, 1e-9)


def best_of(found, limit):
    """Without those that overlap a better one by more than the limit: best first."""
    kept = []
    for one in sorted(found, key=lambda each: -each.score):
        if all(overlap(one.box, other.box) <= limit for other in kept):
            kept.append(one)
    return kept


def cells(width, height, strides):
    """Column, row and stride of each cell of a detector's grids, one grid after the other."""
    grids = []
    for stride in strides:
        rows, columns = np.mgrid[:height // stride, :width // stride]
        grids.append(np.stack([columns.ravel(), rows.ravel(), np.full(rows.size, stride)], 1))
    return np.concatenate(grids).T.astype(np.float64)


def objects(boxes, scores, names, threshold):
    """The best class of each box, where it is above the threshold; of overlapping boxes the best."""
    classes = scores.argmax(1)
    best = scores[np.arange(len(scores)), classes]
    seen = np.flatnonzero(best > threshold)
    return best_of([Found(names[classes[i]], float(best[i]), tuple(map(float, boxes[i]))) for i in seen], 0.45)


def probabilities(world, model, pre, image, logits=False):
    """Of each class"""
    values = only(world.ask(model, pre, image)).ravel()
    return softmax(values) if logits else values


def class_names(world, names):
    """A list of names from a file of the pictures' folder, or the names themselves."""
    if not isinstance(names, str):
        return names
    first, _, file = names.rpartition("+")
    lines = world.lines(file)
    if file == "imagenet_synset.txt":
        lines = [line.split(" ", 1)[1].split(",")[0] for line in lines]
    return ([first] if first else []) + lines


def yolox(world, model, pre, image):
    """Objects; the network sees the picture scaled to fit into the top left of a square, the rest gray."""
    side = pre.size[0]
    scale = min(side / image.width, side / image.height)
    fitted = Image.new("RGB", (side, side), (114, 114, 114))
    fitted.paste(image.resize((int(image.width * scale), int(image.height * scale)), BILINEAR))
    rows = only(world.ask(model, pre, fitted))[0].astype(np.float64)
    column, row, stride = cells(side, side, (8, 16, 32))
    x, y = (rows[:, 0] + column) * stride, (rows[:, 1] + row) * stride
    w, h = np.exp(rows[:, 2]) * stride, np.exp(rows[:, 3]) * stride
    boxes = np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], 1) / scale
    return objects(boxes, rows[:, 4:5] * rows[:, 5:], world.lines("coco80.txt"), 0.5)


def nanodet(world, model, pre, image):
    """Objects; a side of a box is the mean of a distribution over 8 distances from the middle pixel of the cell."""
    strides = (8, 16, 32)
    outputs = world.ask(model, pre, image)
    scores = np.concatenate([outputs[f"cls_pred_stride_{stride}"][0] for stride in strides])
    spread = np.concatenate([outputs[f"dis_pred_stride_{stride}"][0] for stride in strides])
    column, row, stride = cells(*pre.size, strides)
    distance = softmax(spread.reshape(-1, 4, 8)) @ np.arange(8) * stride[:, None]
    x, y = (column + 0.5) * stride - 0.5, (row + 0.5) * stride - 0.5
    sides = [x - distance[:, 0], y - distance[:, 1], x + distance[:, 2], y + distance[:, 3]]
    grow = np.array(image.size * 2) / np.array(pre.size * 2)
    return objects(np.stack(sides, 1) * grow, scores, world.lines("coco80.txt"), 0.5)


def ultraface(world, model, pre, image):
    """Faces; the network's boxes are in units of the picture."""
    outputs = world.ask(model, pre, image)
    boxes = outputs["boxes"][0] * np.array(image.size * 2)
    return objects(boxes, outputs["scores"][0, :, 1:], ["face"], 0.7)


def components(mask):
    """The connected parts of a mask, from the top: of each its runs of pixels, (left, right, row)."""
    parent, runs, above = [], [], []

    def root(i):
        while parent[i] != i:
            i = parent[i]
        return i

    for y, row in enumerate(mask):
        edges = np.flatnonzero(np.diff(np.r_[0, row.astype(np.int8), 0])).reshape(-1, 2)
        here = range(len(runs), len(runs) + len(edges))
        for number, (left, right) in zip(here, edges.tolist()):
            parent.append(number)
            runs.append((left, right, y))
            for other in above:
                if runs[other][0] <= right and left <= runs[other][1]:
                    parent[root(other)] = root(number)
        above = here
    parts = {}
    for number, run in enumerate(runs):
        parts.setdefault(root(number), []).append(run)
    return list(parts.values())


def text_map(world, model, pre, image):
    return only(world.ask(model, pre, image))[0, 0]


def text_line(runs):
    """The four corners round a line of text, of which the detector marks the middle: left to right, with its slope."""
    x = np.concatenate([np.arange(left, right) for left, right, _ in runs])
    y = np.concatenate([np.full(right - left, row) for left, right, row in runs])
    slope = np.polyfit(x, y, 1)[0]
    width, height = np.ptp(x) + 1, np.ptp(y - slope * x) + 1
    grow = 1.5 * width * height / (2 * (width + height))
    offset = (np.max(y - slope * x) + np.min(y - slope * x) + 1) / 2
    left, right, half = x.min() - grow, x.max() + 1 + grow, height / 2 + grow
    ends = [(end, offset + slope * end) for end in (left, right)]
    return [(ends[0][0], ends[0][1] - half), (ends[1][0], ends[1][1] - half),
            (ends[1][0], ends[1][1] + half), (ends[0][0], ends[0][1] + half)]


def text_lines(seen):
    """Of each line of text in a detector's map the four corners, from the upper left clockwise."""
    parts = components(seen > 0.3)
    return [text_line(runs) for runs in parts if sum(right - left for left, right, _ in runs) >= 16]


def straightened(image, corners):
    """What is within four corners, as a picture of its own"""
    size = (round(corners[1][0] - corners[0][0]), round(corners[3][1] - corners[0][1]))
    clockwise_back = [value for corner in (0, 3, 2, 1) for value in corners[corner]]
    return image.transform(size, Image.Transform.QUAD, clockwise_back, BILINEAR)


LETTERS = [""] + [chr(code) for code in (*range(48, 127), *range(33, 48))] + [" ", " "]


def read_text(world, model, pre, image, width):
    """The text of a line and the mean probability of its letters: repeats and blanks fall away."""
    steps = only(world.ask(model, pre._replace(size=(width, 48)), image))[0]
    best = steps.argmax(1)
    new = (best > 0) & (np.r_[-1, best[:-1]] != best)
    text = "".join(LETTERS[each] for each in best[new])
    return text, float(steps.max(1)[new].mean()) if new.any() else 0.0


def text_direction(world, model, pre, image):
    """Probabilities of 0 and of 180 degrees; the line is padded with zeros to a width of 192."""
    width = min(192, round(image.width * 48 / image.height))
    line = tensor_of(image, pre._replace(size=(width, 48)))
    padded = np.zeros((1, 3, 48, 192), np.float32)
    padded[:, :, :, :width] = line
    return only(world.run(model, pre.input, padded))[0]


def gray(image):
    return np.asarray(image.convert("L"), np.float32) / 255


def psnr(a, b):
    """Of two pictures of 0..1, in dB"""
    return float(-10 * np.log10(np.mean((a.astype(np.float64) - b) ** 2)))


def enlarged(world, model, pre, image, side=672):
    """The gray picture at full size, and what the network, bicubic and nearest make of a third of it."""
    true = image.convert("L").resize((side, side), BICUBIC)
    small = true.resize((side // 3, side // 3), BICUBIC)
    made = only(world.ask(model, pre, small))[0, 0].clip(0, 1)
    return {"true": gray(true), "network": made, "bicubic": gray(small.resize((side, side), BICUBIC)),
            "nearest": gray(small.resize((side, side), NEAREST))}


def denoised(world, model, pre, image):
    """A gray picture, itself with noise, and what the network makes of that."""
    clean = gray(image)
    noise = np.random.default_rng(0).normal(0, 25 / 255, clean.shape)
    noisy = (clean + noise).astype(np.float32)
    made = only(world.run(model, pre.input, noisy[None, None]))[0, 0]
    return {"true": clean, "noisy": noisy, "network": made}


def head_angles(world, model, pre, image):
    """Yaw, pitch and roll in degrees: the mean of a distribution over 66 bins of 3 degrees."""
    outputs = world.ask(model, pre, image)
    return [float(softmax(outputs[name][0]) @ np.arange(66) * 3 - 99) for name in ("617", "618", "output")]


def cosine(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def landmarks(world, model, pre, image):
    """68 points, x and y in units of the picture"""
    return only(world.ask(model, pre, image)).reshape(68, 2)


def peaks(world, model, pre, image):
    """Score, row and column of each key point's best place"""
    maps = only(world.ask(model, pre, image))[0]
    places = maps.reshape(len(maps), -1).argmax(1)
    return [(float(plane.max()), *divmod(int(place), plane.shape[1])) for plane, place in zip(maps, places)]
