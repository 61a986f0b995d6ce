/* SPDX-License-Identifier: Apache-2.0
 *
 * The classic lecture examples of convolution arithmetic, as data: one channel, one image, cross-
 * correlation (the kernel is not flipped). Every backend must reproduce them exactly. Also the
 * named 3x3 kernels. Nothing is computed here.
 */
#ifndef CVK_TESTS_WORKED_EXAMPLES_H
#define CVK_TESTS_WORKED_EXAMPLES_H

enum { WORKED_INPUT = 100, WORKED_KERNEL = 9, WORKED_OUTPUT = 64 };

typedef struct worked_example {
    const char *name;
    const char *op; /* ONNX name: Conv, MaxPool, AveragePool */
    int h, w;
    float input[WORKED_INPUT];
    int kh, kw;
    float kernel[WORKED_KERNEL]; /* Conv */
    int stride, pad;
    int oh, ow; /* floor((n + 2 pad - k) / stride) + 1 */
    float expected[WORKED_OUTPUT];
} worked_example;

static const worked_example worked_examples[] = {
    {
        .name = "vertical edge",
        .op = "Conv",
        .h = 6,
        .w = 6,
        .input = {3, 0, 1, 2, 7, 4, 1, 5, 8, 9, 3, 1, 2, 7, 2, 5, 1, 3,
                  0, 1, 3, 1, 7, 8, 4, 2, 1, 6, 2, 8, 2, 4, 5, 2, 3, 9},
        .kh = 3,
        .kw = 3,
        .kernel = {1, 0, -1, 1, 0, -1, 1, 0, -1},
        .stride = 1,
        .oh = 4,
        .ow = 4,
        .expected = {-5, -4, 0, 8, -10, -2, 2, 3, 0, -2, -4, -7, -3, -2, -3, -16},
    },
    {
        .name = "vertical edge, light to dark",
        .op = "Conv",
        .h = 6,
        .w = 6,
        .input = {10, 10, 10, 0, 0, 0, 10, 10, 10, 0, 0, 0, 10, 10, 10, 0, 0, 0,
                  10, 10, 10, 0, 0, 0, 10, 10, 10, 0, 0, 0, 10, 10, 10, 0, 0, 0},
        .kh = 3,
        .kw = 3,
        .kernel = {1, 0, -1, 1, 0, -1, 1, 0, -1},
        .stride = 1,
        .oh = 4,
        .ow = 4,
        .expected = {0, 30, 30, 0, 0, 30, 30, 0, 0, 30, 30, 0, 0, 30, 30, 0},
    },
    {
        .name = "vertical edge, dark to light",
        .op = "Conv",
        .h = 6,
        .w = 6,
        .input = {0, 0, 0, 10, 10, 10, 0, 0, 0, 10, 10, 10, 0, 0, 0, 10, 10, 10,
                  0, 0, 0, 10, 10, 10, 0, 0, 0, 10, 10, 10, 0, 0, 0, 10, 10, 10},
        .kh = 3,
        .kw = 3,
        .kernel = {1, 0, -1, 1, 0, -1, 1, 0, -1},
        .stride = 1,
        .oh = 4,
        .ow = 4,
        .expected = {0, -30, -30, 0, 0, -30, -30, 0, 0, -30, -30, 0, 0, -30, -30, 0},
    },
    {
        .name = "horizontal edge, four squares",
        .op = "Conv",
        .h = 6,
        .w = 6,
        .input = {10, 10, 10, 0,  0,  0,  10, 10, 10, 0,  0,  0,  10, 10, 10, 0,  0,  0,
                  0,  0,  0,  10, 10, 10, 0,  0,  0,  10, 10, 10, 0,  0,  0,  10, 10, 10},
        .kh = 3,
        .kw = 3,
        .kernel = {1, 1, 1, 0, 0, 0, -1, -1, -1},
        .stride = 1,
        .oh = 4,
        .ow = 4,
        .expected = {0, 0, 0, 0, 30, 10, -10, -30, 30, 10, -10, -30, 0, 0, 0, 0},
    },
    {
        .name = "horizontal edge, 8x6",
        .op = "Conv",
        .h = 8,
        .w = 6,
        .input = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                  255, 255, 255, 255, 255, 255, 255, 255, 10,  10,  10,  10,  10,  10,  10,  10,
                  10,  10,  10,  10,  10,  10,  10,  10,  10,  10,  10,  10,  10,  10,  10,  10},
        .kh = 3,
        .kw = 3,
        .kernel = {1, 1, 1, 0, 0, 0, -1, -1, -1},
        .stride = 1,
        .oh = 6,
        .ow = 4,
        .expected = {0,   0,   0,   0,   0, 0, 0, 0, 735, 735, 735, 735,
                     735, 735, 735, 735, 0, 0, 0, 0, 0,   0,   0,   0},
    },
    {
        .name = "stride 2",
        .op = "Conv",
        .h = 7,
        .w = 7,
        .input = {2, 3, 7, 4, 6, 2, 9, 6, 6, 9, 8, 7, 4, 3, 3, 4, 8, 3, 8, 9, 7, 7, 8, 3, 6,
                  6, 3, 4, 4, 2, 1, 8, 3, 4, 6, 3, 2, 4, 1, 9, 8, 3, 0, 1, 3, 9, 2, 1, 4},
        .kh = 3,
        .kw = 3,
        .kernel = {3, 4, 4, 1, 0, 2, -1, 0, 3},
        .stride = 2,
        .oh = 3,
        .ow = 3,
        .expected = {91, 100, 88, 69, 91, 117, 44, 72, 74},
    },
    {
        .name = "box filter",
        .op = "Conv",
        .h = 10,
        .w = 10,
        .input = {[23] = 90, [24] = 90, [25] = 90, [26] = 90, [27] = 90, [33] = 90, [34] = 90,
                  [35] = 90, [36] = 90, [37] = 90, [43] = 90, [44] = 90, [45] = 90, [46] = 90,
                  [47] = 90, [53] = 90, [55] = 90, [56] = 90, [57] = 90, [63] = 90, [64] = 90,
                  [65] = 90, [66] = 90, [67] = 90, [82] = 90},
        .kh = 3,
        .kw = 3,
        .kernel = {1.0f / 9, 1.0f / 9, 1.0f / 9, 1.0f / 9, 1.0f / 9, 1.0f / 9, 1.0f / 9, 1.0f / 9,
                   1.0f / 9},
        .stride = 1,
        .oh = 8,
        .ow = 8,
        .expected = {0,  10, 20, 30, 30, 30, 20, 10, 0,  20, 40, 60, 60, 60, 40, 20,
                     0,  30, 60, 90, 90, 90, 60, 30, 0,  30, 50, 80, 80, 90, 60, 30,
                     0,  30, 50, 80, 80, 90, 60, 30, 0,  20, 30, 50, 50, 60, 40, 20,
                     10, 20, 30, 30, 30, 30, 20, 10, 10, 10, 10, 0,  0,  0,  0,  0},
    },
    {
        .name = "max pool 2",
        .op = "MaxPool",
        .h = 4,
        .w = 4,
        .input = {1, 3, 2, 1, 2, 9, 1, 1, 1, 3, 2, 3, 5, 6, 1, 2},
        .kh = 2,
        .kw = 2,
        .stride = 2,
        .oh = 2,
        .ow = 2,
        .expected = {9, 2, 6, 3},
    },
    {
        .name = "average pool 2",
        .op = "AveragePool",
        .h = 4,
        .w = 4,
        .input = {1, 3, 2, 1, 2, 9, 1, 1, 1, 3, 2, 3, 5, 6, 1, 2},
        .kh = 2,
        .kw = 2,
        .stride = 2,
        .oh = 2,
        .ow = 2,
        .expected = {3.75f, 1.25f, 3.75f, 2},
    },
    {
        .name = "max pool 3, stride 1",
        .op = "MaxPool",
        .h = 5,
        .w = 5,
        .input = {1, 3, 2, 1, 3, 2, 9, 1, 1, 5, 1, 3, 2, 3, 2, 8, 3, 5, 1, 0, 5, 6, 1, 2, 9},
        .kh = 3,
        .kw = 3,
        .stride = 1,
        .oh = 3,
        .ow = 3,
        .expected = {9, 9, 5, 9, 9, 5, 8, 6, 9},
    },
};

enum { WORKED_EXAMPLES = sizeof worked_examples / sizeof *worked_examples };

/* Mathematical convolution with the first is cross-correlation with the second. */
static const float worked_kernel[WORKED_KERNEL] = {3, 4, 5, 1, 0, 2, -1, 9, 7};
static const float worked_kernel_flipped[WORKED_KERNEL] = {7, 9, -1, 2, 0, 1, 5, 4, 3};

/* The named kernels and the sum of their weights: what they make of a constant picture of ones. */
typedef struct named_kernel {
    const char *name;
    float weights[WORKED_KERNEL];
    float divisor;
    float sum;
} named_kernel;

static const named_kernel named_kernels[] = {
    {"sobel", {1, 0, -1, 2, 0, -2, 1, 0, -1}, 1, 0},
    {"scharr", {3, 0, -3, 10, 0, -10, 3, 0, -3}, 1, 0},
    {"sharpen", {0, -1, 0, -1, 5, -1, 0, -1, 0}, 1, 1},
    {"laplacian", {0, 1, 0, 1, -4, 1, 0, 1, 0}, 1, 0},
    {"emboss", {-2, -1, 0, -1, 1, 1, 0, 1, 2}, 1, 1},
    {"blur", {1, 1, 1, 1, 1, 1, 1, 1, 1}, 9, 1},
};

enum { NAMED_KERNELS = sizeof named_kernels / sizeof *named_kernels };

#endif
