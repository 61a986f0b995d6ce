# SPDX-License-Identifier: Apache-2.0
"""What each trained model is shown and what it must answer, for scripts/pictures.py: the published numbers, as data.

A row of CHECKS is a model, a question, how the model wants its picture, and for each picture the answer that was
published (MODELS.md beside the models). An answer is a list of facts: a word and its numbers.
"""
from typing import Callable, NamedTuple

import numpy as np

import pictures_nets as nets
from pictures_nets import CENTRE, Pre, Source


class Check(NamedTuple):
    model: str       # the file's name without .onnx
    what: str
    ask: Callable    # (world, check, picture) -> facts
    pre: Pre
    limits: tuple    # how far each number of a fact may be away
    answers: dict    # {Source: facts}, a fact being (word, number...)


# Questions: each makes an `ask`

def top_class(names, logits=False):
    def ask(world, check, image):
        scores = nets.probabilities(world, check.model, check.pre, image, logits)
        best = int(scores.argmax())
        return [(nets.class_names(world, names)[best], float(scores[best]))]
    return ask


def boxes(detector):
    """Boxes are published in whole pixels, cut off."""
    def ask(world, check, image):
        return [(found.label, found.score, *map(int, found.box))
                for found in detector(world, check.model, check.pre, image)]
    return ask


def digit(count, scale):
    """The class of a digit, and how many of the first digits of the MNIST test set are told right."""
    def ask(world, check, image):
        scores = nets.probabilities(world, check.model, check.pre, image, logits=scale == 1)
        share = world.accuracy(check.model, *MNIST, count, scale)
        return [(str(scores.argmax()), float(scores.max())), (f"right of {count}", round(share * count))]
    return ask


def classes_of_pixels(world, check, image):
    """Per cent of the picture; classes of a few stray pixels are left out."""
    names = nets.class_names(world, VOC)
    found, counts = np.unique(nets.only(world.ask(check.model, check.pre, image)), return_counts=True)
    shares = (100 * counts / counts.sum()).tolist()
    return sorted((names[int(each)], share) for each, share in zip(found, shares) if share >= 0.1)


def person_mask(world, check, image):
    mask = nets.only(world.ask(check.model, check.pre, image))[0, 0]
    return [("% of the pixels", float((mask > 0.5).mean() * 100)), ("pixel (100, 120)", float(mask[100, 120])),
            ("pixel (5, 5)", float(mask[5, 5]))]


def lines_of_text(world, check, image):
    seen = nets.text_map(world, check.model, check.pre, image)
    return [("lines", len(nets.text_lines(seen))), ("% of the pixels", float((seen > 0.3).mean() * 100))]


def text(width):
    return lambda world, check, image: [nets.read_text(world, check.model, check.pre, image, width)]


def direction(world, check, image):
    scores = nets.text_direction(world, check.model, check.pre, image)
    return [(f"{180 * int(scores.argmax())} degrees", float(scores.max()))]


def channel_means(world, check, image):
    means = nets.only(world.ask(check.model, check.pre, image)).mean((0, 2, 3), dtype=np.float64)
    return [(channel, float(mean)) for channel, mean in zip("RGB", means)]


def decibels(restore):
    def ask(world, check, image):
        made = restore(world, check.model, check.pre, image)
        return [(name, nets.psnr(made["true"], made[name])) for name in made if name != "true"]
    return ask


def face_score(world, check, image):
    """The best cell's, of a network that gives a score for each"""
    return [("face", float(world.ask(check.model, check.pre, image)["prob"][0, 1].max()))]


def eyes(world, check, image):
    """Of five points, published with two digits"""
    points = world.ask(check.model, check.pre, image)["points"][0]
    return [("right eye", float(points[0]), float(points[5])), ("left eye", float(points[1]), float(points[6]))]


def eyes_and_mouth(world, check, image):
    points = nets.landmarks(world, check.model, check.pre, image)
    return [("eyes", *map(float, points[36:48].mean(0))), ("mouth", *map(float, points[48:].mean(0)))]


def key_points(world, check, image):
    return [(f"point {i}", *peak) for i, peak in enumerate(nets.peaks(world, check.model, check.pre, image)[:3])]


def angles(world, check, image):
    return list(zip(("yaw", "pitch", "roll"), nets.head_angles(world, check.model, check.pre, image)))


def likeness(world, check, image):
    """To the same face mirrored, and to another face"""
    other = world.picture(ASTRONAUT)
    shown = [image, image.transpose(nets.MIRROR), other, other.transpose(nets.MIRROR)]
    face, mirrored, other, other_mirrored = (nets.only(world.ask(check.model, check.pre, each))[0] for each in shown)
    return [("mirrored", nets.cosine(face, mirrored)), ("other mirrored", nets.cosine(other, other_mirrored)),
            ("other", nets.cosine(face, other))]


# Words

IMAGENET = "imagenet_synset.txt"
IMAGENET_BACKGROUND = "background+imagenet_synset.txt"
IMAGENET_DARKNET = "imagenet_labels_darknet_order.txt"
VOC = "background+voc20.txt"
CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
EXPRESSIONS = ("angry", "disgusted", "fearful", "happy", "sad", "surprised", "neutral")
RATINGS = ("Drawing", "Hentai", "Neutral", "Porn", "Sexy")
MNIST = ("mnist-t10k-first1000-images-idx3-ubyte.gz", "mnist-t10k-first1000-labels-idx1-ubyte.gz")

# Pictures

CAT, SHEPHERD, ESPRESSO = (Source(file, CENTRE) for file in ("cat.jpg", "dog_shepherd.jpg", "espresso.png"))
MACAW, HOTDOG, TEMPLE = (Source(file, CENTRE) for file in ("macaw.jpg", "hotdog.jpg", "temple.jpg"))
FIVE = (CAT, SHEPHERD, ESPRESSO, MACAW, HOTDOG)
HOPPER, ASTRONAUT = Source("grace_hopper.jpg", (170, 120, 410, 360)), Source("astronaut.png", (170, 60, 275, 190))
BICYCLE, RIDERS = Source("dog_bicycle_car.jpg"), Source("person_dog_horse.jpg")
HEADING = Source("text_page.png", (0, 5, 215, 38))
SEVEN = Source("mnist_digits_0-9.png", (196, 0, 224, 28))
SMALL = (Source("cat.jpg", (300, 0, 1020, 720)), Source("dog_shepherd.jpg", (90, 130, 390, 430)),
         Source("dog_bicycle_car.jpg", (470, 80, 690, 170)), Source("person_dog_horse.jpg", (390, 130, 620, 360)))


def five(*answers):
    return {source: [answer] for source, answer in zip(FIVE, answers)}


def small(*scores):
    words = ("cat", "dog", "automobile", "horse")
    return {source: [(word, score)] for source, word, score in zip(SMALL, words, scores)}


# How networks want their pictures

def shown(name, side, mean=0.0, std=1.0, order="RGB", dtype=np.float32):
    size = (side, side) if isinstance(side, int) else side
    mean, std = (value if isinstance(value, tuple) else (value,) for value in (mean, std))
    return Pre(name, size, order, mean, std, dtype)


def imagenet(name, side):
    return shown(name, side, (123.675, 116.28, 103.53), (58.395, 57.12, 57.375))


# Limits of a probability: in float32 (weights may be stored in 8 bits); in float16; in 8 bits, where the class is
# what counts, and one step of the last layer (0.16 of a logit at most) moves a probability by 0.04
F32, F16, INT8 = (1e-3,), (5e-3,), (0.05,)
BOX = (2e-3, 1, 1, 1, 1)

CHECKS = (
    Check("mnist-8", "digits", digit(200, 1), shown("Input3", 28, order="L"), F32,
          {SEVEN: [("7", 1.0), ("right of 200", 199)]}),
    Check("lenet-mnist", "digits", digit(1000, 1 / 256), shown("data", 28, 0, 256, "L"), F32,
          {SEVEN: [("7", 1.0), ("right of 1000", 991)]}),
    Check("squeezenet1.1", "class", top_class(IMAGENET, logits=True), imagenet("data", 224), F32,
          five(("Egyptian cat", 0.5806), ("German shepherd", 0.8660), ("espresso", 0.8345), ("macaw", 0.9937),
               ("hotdog", 0.9420))),
    Check("squeezenet1.1-fp16", "class", top_class(IMAGENET),
          shown("data_0", 224, (103.94, 116.78, 123.68), order="BGR", dtype=np.float16), F16,
          five(("Egyptian cat", 0.7559), ("German shepherd", 0.9795), ("espresso", 0.9868), ("macaw", 0.9756),
               ("hotdog", 0.4656))),
    Check("squeezenet1.0-w8", "class", top_class(IMAGENET_BACKGROUND), shown("data", 224, 127.5, 127.5), F32,
          five(("Egyptian cat", 0.3458), ("tiger cat", 0.5132), ("cup", 0.6585), ("macaw", 0.9750),
               ("hotdog", 0.6752))),
    Check("mobilenet-v1-0.25-128", "class", top_class(IMAGENET), shown("input", 128, 127.5, 127.5), F32,
          five(("tabby", 0.4670), ("German shepherd", 0.6757), ("espresso", 0.9740), ("macaw", 0.7643),
               ("rotisserie", 0.1517))),
    Check("mobilenet-v1-0.75-192-qlinear-u8", "class", top_class(IMAGENET_BACKGROUND),
          shown("input", 192, dtype=np.uint8), INT8,
          five(("Egyptian cat", 0.4471), ("German shepherd", 0.9723), ("espresso", 0.9336), ("macaw", 0.9938),
               ("hotdog", 0.8082))),
    Check("mobilenet-v2-1.0-224-qdq-u8", "class", top_class(IMAGENET_BACKGROUND), shown("input", 224, 128, 128), INT8,
          five(("Egyptian cat", 0.8486), ("German shepherd", 0.9764), ("espresso", 0.9647), ("macaw", 0.9976),
               ("hotdog", 0.9749))),
    Check("resnet34-imagenet-w8", "class", top_class(IMAGENET), shown("input", 227, (122.782, 117.001, 104.298), 256),
          F32, five(("Egyptian cat", 0.5710), ("German shepherd", 0.9568), ("espresso", 0.9806), ("macaw", 0.9991),
                    ("hotdog", 0.9885))),
    Check("inception-v3-nsfwjs-w8", "class", top_class(RATINGS), shown("input", 299, 0, 255), F32,
          {CAT: [("Neutral", 1.0)], ESPRESSO: [("Neutral", 0.9998)], TEMPLE: [("Neutral", 0.9989)]}),
    Check("densenet121-expression-w8", "class", top_class(EXPRESSIONS, logits=True), shown("input", 224, 0, 255), F32,
          {ASTRONAUT: [("happy", 0.9993)], HOPPER: [("happy", 0.9180)]}),
    Check("fer2013-mini-xception", "class", top_class(EXPRESSIONS), shown("input", 64, 127.5, 127.5, "L"), F32,
          {ASTRONAUT: [("happy", 0.9985)], HOPPER: [("neutral", 0.9020)]}),
    Check("tiny-darknet-imagenet-w8", "class", top_class(IMAGENET_DARKNET, logits=True), shown("input", 224, 0, 255),
          F32, five(("tiger cat", 0.4735), ("German shepherd", 0.9202), ("espresso", 0.8796), ("macaw", 0.9955),
                    ("hotdog", 0.5684))),
    Check("mlperf-tiny-resnet8-cifar10", "class", top_class(CIFAR), shown("input", 32), F32,
          small(0.9963, 0.4535, 0.9992, 0.9391)),
    Check("mlperf-tiny-resnet8-cifar10-qdq-s8", "class", top_class(CIFAR), shown("input", 32), INT8,
          small(0.9967, 0.4348, 0.9990, 0.9276)),
    # a third face was published too, but not where it was cut out of its picture: of this and the next
    Check("mobilefacenet-arcface-112", "cosine", likeness, shown("input", 112, 127, 128), F32,
          {HOPPER: [("mirrored", 0.9628), ("other mirrored", 0.9747), ("other", 0.2541)]}),
    Check("shufflenetv2-headpose-w8", "degrees", angles, imagenet("input", 224), (0.06,),
          {HOPPER: [("yaw", -4.3), ("pitch", -3.0), ("roll", -0.1)],
           ASTRONAUT: [("yaw", -7.7), ("pitch", 0.4), ("roll", -0.7)]}),
    Check("yolox-nano-416", "boxes", boxes(nets.yolox), shown("images", 416, order="BGR"), BOX,
          {BICYCLE: [("dog", 0.8285, 133, 206, 324, 542), ("car", 0.8094, 466, 78, 691, 171),
                     ("bicycle", 0.8080, 45, 131, 571, 430)],
           RIDERS: [("person", 0.8796, 188, 97, 276, 371), ("dog", 0.8751, 61, 262, 200, 348),
                    ("horse", 0.8560, 403, 138, 602, 342)]}),
    Check("nanodet-m-320", "boxes", boxes(nets.nanodet),
          shown("input.1", 320, (103.53, 116.28, 123.675), (57.375, 57.12, 58.395), "BGR"), BOX,
          {BICYCLE: [("bicycle", 0.5850, 114, 128, 567, 453), ("car", 0.5386, 469, 74, 707, 166)],
           RIDERS: [("person", 0.6903, 188, 99, 269, 374), ("dog", 0.6718, 63, 263, 201, 346),
                    ("horse", 0.6055, 395, 133, 600, 345)]}),
    Check("ultraface-rfb-320", "boxes", boxes(nets.ultraface), shown("input", (320, 240), 127, 128), BOX,
          {Source("faces.jpg"): [("face", 1.0, 130, 80, 222, 203), ("face", 0.9998, 260, 47, 347, 168),
                                 ("face", 0.9995, 438, 118, 489, 184), ("face", 0.9960, 6, 100, 50, 159)],
           Source("grace_hopper.jpg"): [("face", 1.0, 173, 122, 362, 336)],
           Source("cat.jpg"): []}),
    Check("deeplabv3-mnv2-pascal-qdq-u8", "% of the picture", classes_of_pixels, shown("input", 513, 128, 128), (0.5,),
          {Source("cat.jpg"): [("background", 56.90), ("cat", 43.10)],
           BICYCLE: [("background", 80.38), ("bicycle", 9.08), ("car", 2.84), ("dog", 7.70)],
           RIDERS: [("background", 85.01), ("dog", 1.68), ("horse", 8.32), ("person", 4.98)]}),
    Check("selfie-segmentation-256", "mask", person_mask, shown("input", 256, 0, 255), (0.01,),
          {Source("astronaut.png"): [("% of the pixels", 54.55), ("pixel (100, 120)", 1.0), ("pixel (5, 5)", 0.0)]}),
    Check("pp-ocrv4-det", "text lines", lines_of_text, imagenet("x", (768, 384)), (0.01,),
          {Source("text_page.png"): [("lines", 7), ("% of the pixels", 14.34)]}),
    Check("pp-ocrv4-rec-en", "text", text(320), shown("x", None, 127.5, 127.5, "BGR"), F32,
          {HEADING: [("Region-based segme", 0.9867)]}),
    Check("pp-ocrv4-rec-en", "text", text(928), shown("x", None, 127.5, 127.5, "BGR"), F32,
          {Source("text_page.png", (0, 48, 384, 68)):
               [("Let us first determine markers of the coins and the", 0.9544)]}),
    Check("pp-ocrv4-rec-en", "text", text(768), shown("x", None, 127.5, 127.5, "BGR"), F32,
          {Source("text_page.png", (0, 60, 384, 84)):
               [("background.These markers are pixels that we can label", 0.9696)]}),
    Check("pp-ocr-cls-v2", "direction", direction, shown("x", None, 127.5, 127.5, "BGR"), F32,
          {HEADING: [("0 degrees", 1.0)], HEADING._replace(turned=True): [("180 degrees", 1.0)]}),
    Check("fast-style-transfer-starry-night", "mean colour", channel_means, shown("image", (512, 384)), (0.02,),
          {Source("temple.jpg"): [("R", 71.47), ("G", 87.10), ("B", 110.40)]}),
    Check("super-resolution-10", "dB", decibels(nets.enlarged), shown("input", None, 0, 255, "L"), (0.01,),
          {Source("astronaut.png"): [("network", 30.61), ("bicubic", 30.31), ("nearest", 27.24)]}),
    # the noise is our own, so that the numbers are a little different
    Check("dncnn-sigma25", "dB", decibels(nets.denoised), shown("noisy", None, 0, 255, "L"), (0.1,),
          {Source("cat_chelsea.png"): [("noisy", 20.19), ("network", 31.25)]}),
    Check("mtcnn-pnet", "face", face_score, shown("input", (32, 38), 127.5, 128), F32,
          {Source("grace_hopper.jpg"): [("face", 1.0)]}),
    Check("mtcnn-rnet", "face", face_score, shown("input", 24, 127.5, 128), F32, {HOPPER: [("face", 0.9982)]}),
    Check("mtcnn-onet", "face", face_score, shown("input", 48, 127.5, 128), F32, {HOPPER: [("face", 1.0)]}),
    Check("mtcnn-onet", "eyes", eyes, shown("input", 48, 127.5, 128), (0.0051, 0.0051),
          {HOPPER: [("right eye", 0.20, 0.30), ("left eye", 0.58, 0.28)]}),
    Check("face-landmark-68", "points", eyes_and_mouth, shown("input", 64, 0, 255, "L"), (1e-3, 1e-3),
          {HOPPER: [("eyes", 0.4129, 0.3046), ("mouth", 0.4236, 0.6744)]}),
    Check("efficientpose-rt-lite-w8", "key points", key_points, shown("input", 368, 127.5, 127.5), (1e-3, 0, 0),
          {Source("skateboarder.jpg", (0, 0, 480, 480)):
               [("point 0", 0.6553, 140, 141), ("point 1", 0.6808, 190, 147), ("point 2", 0.5836, 205, 124)]}),
)
