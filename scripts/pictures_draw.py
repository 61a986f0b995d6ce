# SPDX-License-Identifier: Apache-2.0
"""Draws what trained models see in pictures, for scripts/pictures.py.

In: the world, which runs the models. Out: PICTURES, of which each makes one picture, and `sheet`, which puts all on
one. What an output means is in pictures_nets.py; no number is judged here.
"""
from functools import partial

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import pictures_nets as nets
from pictures_table import (ASTRONAUT, BICYCLE, CHECKS, EXPRESSIONS, FIVE, HOPPER, IMAGENET, RIDERS, VOC)

PRE = {check.model: check.pre for check in CHECKS}
INK, PAPER, FAINT, ACCENT = (30, 34, 40), (255, 255, 255), (225, 229, 234), (0, 110, 200)
COLOURS = ((230, 60, 50), (0, 130, 220), (40, 160, 70), (240, 150, 0), (150, 70, 200), (0, 165, 165), (220, 60, 150),
           (120, 100, 60))
GAP, CAPTION = 12, 32


def font(size, bold=False):
    return ImageFont.truetype("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf", size)


def colour(words, word):
    return COLOURS[list(words).index(word) % len(COLOURS)]


def tag(draw, corner, text, fill, size):
    """White words on a coloured ground; the corner is the lower left one, moved into the picture if need be."""
    letters = font(size, bold=True)
    width, height = draw.textlength(text, letters), size + 6
    left = max(0, min(corner[0], draw.im.size[0] - width - 8))
    top = corner[1] - height if corner[1] >= height else corner[1]
    draw.rectangle((left, top, left + width + 8, top + height), fill=fill)
    draw.text((left + 4, top + height / 2), text, PAPER, letters, anchor="lm")


def dot(draw, x, y, radius, fill):
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill, outline=PAPER)


def to_height(image, height):
    return image.resize((round(image.width * height / image.height), height), nets.BICUBIC)


def picture_of(values):
    """A gray picture of 0..1, or a coloured one of 0..255 (channels first)"""
    if values.ndim == 2:
        return Image.fromarray((values.clip(0, 1) * 255).round().astype(np.uint8)).convert("RGB")
    return Image.fromarray(values.transpose(1, 2, 0).clip(0, 255).round().astype(np.uint8))


def beside(panels):
    """[(picture, words under it)], of one height, in a row"""
    height = max(image.height for image, _ in panels)
    width = sum(image.width for image, _ in panels) + GAP * (len(panels) - 1)
    row = Image.new("RGB", (width, height + CAPTION), PAPER)
    draw, left = ImageDraw.Draw(row), 0
    for image, words in panels:
        row.paste(image, (left, 0))
        draw.text((left + 2, height + CAPTION / 2), words, INK, font(17), anchor="lm")
        left += image.width + GAP
    return row


def with_boxes(image, found, height=430):
    """The boxes in the picture, brought to a height"""
    scale = height / image.height
    image = to_height(image, height)
    draw = ImageDraw.Draw(image)
    words = sorted({each.label for each in found})
    for each in reversed(found):  # the best one on top
        box = [value * scale for value in each.box]
        draw.rectangle(box, outline=colour(words, each.label), width=3)
    for each in reversed(found):
        left, top = (value * scale for value in each.box[:2])
        tag(draw, (left, top + 1), f"{each.label} {each.score:.2f}", colour(words, each.label), 14)
    return image


def detections(detector, model, sources, world):
    panels = []
    for source in sources:
        image = world.picture(source)
        found = detector(world, model, PRE[model], image)
        counted = f"{len(found)} found" if found else "nothing found"
        panels.append((with_boxes(image, found), f"{source.file}: {counted}"))
    return beside(panels)


def read_page(world):
    """The page with the lines that were found, and beside it what was read, where it stands."""
    page, size = world.picture(nets.Source("text_page.png")), PRE["pp-ocrv4-det"].size
    lines = nets.text_lines(nets.text_map(world, "pp-ocrv4-det", PRE["pp-ocrv4-det"], page))
    shown, page = page.resize(size, nets.BICUBIC), page.resize(size, nets.BILINEAR)
    read = Image.new("RGB", size, (250, 250, 247))
    boxes, words = ImageDraw.Draw(shown), ImageDraw.Draw(read)
    for corners in lines:
        crop = nets.straightened(page, corners)
        width = round(crop.width * 48 / crop.height / 32) * 32
        text, score = nets.read_text(world, "pp-ocrv4-rec-en", PRE["pp-ocrv4-rec-en"], crop, width)
        boxes.polygon(corners, outline=COLOURS[0], width=2)
        left, middle = max(0, corners[0][0]), (corners[0][1] + corners[2][1]) / 2
        letters = font(24)
        letters = font(int(24 * min(1, (size[0] - left - 60) / max(1, words.textlength(text, letters)))))
        words.text((left + 4, middle), text, INK, letters, anchor="lm")
        words.text((size[0] - 4, middle), f"{score:.2f}", ACCENT, font(14), anchor="rm")
    return beside([(shown, f"{len(lines)} lines of text found"), (read, "read, with the mean probability of a letter")])


def with_mask(world, source, height):
    """The classes of a picture's pixels over it, and a legend"""
    model, image = "deeplabv3-mnv2-pascal-qdq-u8", world.picture(source)
    classes = nets.only(world.ask(model, PRE[model], image))[0].astype(np.uint8)
    names = nets.class_names(world, VOC)
    shares = [(each, (classes == each).mean()) for each in np.unique(classes)]
    image = to_height(image, height)
    classes = np.asarray(Image.fromarray(classes).resize(image.size, nets.NEAREST))
    pixels, legend = np.asarray(image, np.float32).copy(), []
    for each, share in shares:
        if each and share >= 0.001:
            paint = COLOURS[len(legend)]
            pixels[classes == each] = 0.4 * pixels[classes == each] + 0.6 * np.float32(paint)
            legend.append((f"{names[each]} {100 * share:.1f}%", paint))
    image = Image.fromarray(pixels.astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for row, (words, paint) in enumerate(legend):
        tag(draw, (8, 36 + 26 * row), words, paint, 15)
    return image


def masks(world):
    shown = (nets.Source("cat.jpg"), BICYCLE, RIDERS)
    return beside([(with_mask(world, source, 330), source.file) for source in shown])


def cut_out(world):
    model, image = "selfie-segmentation-256", world.picture(nets.Source("astronaut.png"))
    mask = picture_of(nets.only(world.ask(model, PRE[model], image))[0, 0]).resize(image.size, nets.BILINEAR)
    ground = Image.new("RGB", image.size, (36, 160, 90))
    person = Image.composite(image, ground, mask.convert("L"))
    panels = ((image, "astronaut.png"), (mask, "where the person is"), (person, "cut out"))
    return beside([(to_height(each, 400), words) for each, words in panels])


def styled(world):
    model, image = "fast-style-transfer-starry-night", world.picture(nets.Source("temple.jpg"))
    made = picture_of(nets.only(world.ask(model, PRE[model], image))[0])
    return beside([(image.resize(made.size, nets.BICUBIC), "temple.jpg"), (made, "as Starry Night")])


def restored(restore, model, file, part, titles, world):
    """A part of what a network restored, twice as large, beside what it was given and what is true"""
    made = restore(world, model, PRE[model], world.picture(nets.Source(file)))
    panels = []
    for name, title in titles:
        detail = picture_of(made[name]).crop(part)
        detail = detail.resize((2 * detail.width, 2 * detail.height), nets.NEAREST)
        quality = "" if name == "true" else f", {nets.psnr(made['true'], made[name]):.2f} dB"
        panels.append((detail, title + quality))
    return beside(panels)


def with_points(image, points, radius):
    draw = ImageDraw.Draw(image)
    for x, y in points:
        dot(draw, x * image.width, y * image.height, radius, COLOURS[0])
    return image


def with_axes(image, yaw, pitch, roll):
    """Which way a head looks: the axes to its left (red), downwards (green) and to the front (blue)"""
    yaw, pitch, roll = -np.radians(yaw), np.radians(pitch), np.radians(roll)
    cos, sin = np.cos, np.sin
    ends = ((cos(yaw) * cos(roll), cos(pitch) * sin(roll) + cos(roll) * sin(pitch) * sin(yaw)),
            (-cos(yaw) * sin(roll), cos(pitch) * cos(roll) - sin(pitch) * sin(yaw) * sin(roll)),
            (sin(yaw), -cos(yaw) * sin(pitch)))
    draw, (x, y) = ImageDraw.Draw(image), (image.width / 2, image.height * 0.55)
    for (dx, dy), paint in zip(ends, (COLOURS[0], COLOURS[2], COLOURS[1])):
        length = image.width * (0.3 if paint != COLOURS[1] else 1)
        draw.line((x, y, x + dx * length, y + dy * length), paint, 5)
    return image


def mood(world, image):
    """What two networks say of a face's expression"""
    said = []
    for model, logits in (("densenet121-expression-w8", True), ("fer2013-mini-xception", False)):
        scores = nets.probabilities(world, model, PRE[model], image, logits)
        said.append(f"{EXPRESSIONS[scores.argmax()]} {scores.max():.2f}")
    return " / ".join(said)


def face_panels(world, source, side=330):
    image = world.picture(source)
    large = image.resize((side, side), nets.BICUBIC)
    points = nets.landmarks(world, "face-landmark-68", PRE["face-landmark-68"], image)
    five = world.ask("mtcnn-onet", PRE["mtcnn-onet"], image)["points"][0].reshape(2, 5).T
    turned = nets.head_angles(world, "shufflenetv2-headpose-w8", PRE["shufflenetv2-headpose-w8"], image)
    words = ", ".join(f"{name} {angle:.1f}°" for name, angle in zip(("yaw", "pitch", "roll"), turned))
    return [(with_points(large.copy(), points, 3), mood(world, image)),
            (with_points(large.copy(), five, 6), "5 points"),
            (with_axes(large.copy(), *turned), words)]


def faces(world):
    return beside(face_panels(world, HOPPER) + face_panels(world, ASTRONAUT))


# Limbs between the pose network's key points: head, neck, right shoulder, elbow, wrist, thorax, left shoulder, elbow,
# wrist, pelvis, right hip, knee, ankle, left hip, knee, ankle
LIMBS = ((0, 1), (1, 5), (5, 2), (2, 3), (3, 4), (5, 6), (6, 7), (7, 8), (5, 9), (9, 10), (10, 11), (11, 12), (9, 13),
         (13, 14), (14, 15))


def pose(world):
    image = world.picture(nets.Source("skateboarder.jpg"))
    side = max(image.size)
    square = Image.new("RGB", (side, side), (127, 127, 127))
    square.paste(image, ((side - image.width) // 2, 0))
    peaks = nets.peaks(world, "efficientpose-rt-lite-w8", PRE["efficientpose-rt-lite-w8"], square)
    places = [((column + 0.5) * side / 368, (row + 0.5) * side / 368) for _, row, column in peaks]
    seen = [score > 0.1 for score, _, _ in peaks]
    draw = ImageDraw.Draw(square)
    for number, (a, b) in enumerate(LIMBS):
        if seen[a] and seen[b]:
            draw.line((*places[a], *places[b]), COLOURS[number % len(COLOURS)], 6)
    for place, sure in zip(places, seen):
        if sure:
            dot(draw, *place, 6, COLOURS[0])
    left = (side - image.width) // 2
    picture = square.crop((left, 0, left + image.width, side))
    return beside([(picture, f"skateboarder.jpg: {sum(seen)} of 16 points seen")])


def bars(scores, names, width, best=3):
    """The best classes with their probabilities"""
    image = Image.new("RGB", (width, 34 * best), PAPER)
    draw = ImageDraw.Draw(image)
    for row, each in enumerate(np.argsort(-scores)[:best]):
        top = 34 * row
        draw.rectangle((0, top + 20, width - 1, top + 29), fill=FAINT)
        draw.rectangle((0, top + 20, max(1, scores[each] * (width - 1)), top + 29), fill=ACCENT)
        draw.text((0, top + 10), names[each], INK, font(13), anchor="lm")
        draw.text((width - 1, top + 10), f"{scores[each]:.3f}", INK, font(13), anchor="rm")
    return image


def classified(world, model="squeezenet1.1", side=250):
    names, panels = nets.class_names(world, IMAGENET), []
    for source in FIVE:
        image = world.picture(source)
        scores = nets.probabilities(world, model, PRE[model], image, logits=True)
        panel = Image.new("RGB", (side, side + 108), PAPER)
        panel.paste(image.resize((side, side), nets.BICUBIC))
        panel.paste(bars(scores, names, side), (0, side + 6))
        panels.append((panel, ""))
    return beside(panels)


def digits(world, model="lenet-mnist", side=112):
    panels = []
    for number in range(10):
        image = world.picture(nets.Source("mnist_digits_0-9.png", (28 * number, 0, 28 * number + 28, 28)))
        scores = nets.probabilities(world, model, PRE[model], image)
        panels.append((image.resize((side, side), nets.NEAREST), f"{scores.argmax()}  {scores.max():.3f}"))
    return beside(panels)


FACES = tuple(map(nets.Source, ("faces.jpg", "grace_hopper.jpg")))
ENLARGED = (("nearest", "nearest"), ("bicubic", "bicubic"), ("network", "network"), ("true", "the picture itself"))
DENOISED = (("noisy", "with noise"), ("network", "network"), ("true", "the picture itself"))

# file, title, what draws it; in the order that fills the rows of the sheet
PICTURES = (
    ("classes", "Classes: SqueezeNet 1.1", classified),
    ("pose", "Key points: EfficientPose", pose),
    ("boxes-yolox", "Objects: YOLOX-nano", partial(detections, nets.yolox, "yolox-nano-416", (BICYCLE, RIDERS))),
    ("boxes-nanodet", "Objects: NanoDet-m", partial(detections, nets.nanodet, "nanodet-m-320", (BICYCLE, RIDERS))),
    ("boxes-faces", "Faces: UltraFace", partial(detections, nets.ultraface, "ultraface-rfb-320", FACES)),
    ("cut-out", "A person cut out: selfie segmentation", cut_out),
    ("faces", "68 points and expression (DenseNet-121 / mini-Xception), MTCNN's 5 points, the way a head looks", faces),
    ("masks", "Classes of pixels: DeepLab v3", masks),
    ("text", "Text: PP-OCR v4, found and read", read_page),
    ("style", "Style transfer: Starry Night", styled),
    ("denoised", "Noise taken away: DnCNN",
     partial(restored, nets.denoised, "dncnn-sigma25", "cat_chelsea.png", (90, 40, 290, 240), DENOISED)),
    ("super-resolution", "Three times as large: ESPCN",
     partial(restored, nets.enlarged, "super-resolution-10", "astronaut.png", (200, 40, 400, 240), ENLARGED)),
    ("digits", "Digits: LeNet-5", digits),
)


def rows_of(made, ratio_of_row=3.7):
    """Pictures in rows, each at least so much wider than high: a row is [(title, picture)]"""
    rows, row, ratio = [], [], 0.0
    for title, image in made:
        row.append((title, image))
        ratio += image.width / image.height
        if ratio >= ratio_of_row:
            rows.append(row)
            row, ratio = [], 0.0
    return rows + ([row] if row else [])


def sheet(made, width=1600):
    """All pictures on one"""
    strips = []
    for row in rows_of(made):
        room = width - 2 * GAP - GAP * (len(row) - 1)
        height = min(560, int(room / sum(image.width / image.height for _, image in row)))
        strip = Image.new("RGB", (width, height + 44), PAPER)
        draw, left = ImageDraw.Draw(strip), GAP
        for title, image in row:
            small = image.resize((int(image.width * height / image.height), height), Image.Resampling.LANCZOS)
            draw.text((left, 26), title, INK, font(18, bold=True), anchor="lm")
            strip.paste(small, (left, 44))
            left += small.width + GAP
        strips.append(strip)
    page = Image.new("RGB", (width, sum(strip.height for strip in strips) + GAP), PAPER)
    top = 0
    for strip in strips:
        page.paste(strip, (0, top))
        top += strip.height
    return page
