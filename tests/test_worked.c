/* SPDX-License-Identifier: Apache-2.0
 *
 * The worked examples of worked_examples.h as models of one node, on every device and every
 * instruction-set level that is present: results exactly equal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "tests/model_text.h"
#include "tests/worked_examples.h"

enum { MAX_DEVICES = 16 };
static cvk_device *devices[MAX_DEVICES];
static char labels[MAX_DEVICES][200];
static int n_devices;

static void open_devices(void)
{
    static const char *const levels[] = {"scalar", "avx2", "avx512", "neon"};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        cvk_device_info info;
        const cvk_device_options options = {.isa = levels[i]};
        cvk_device **device = &devices[n_devices];
        if (cvk_device_open("cpu", &options, device)) continue;
        (*device)->share_all = true; /* small as the networks are */
        if (cvk_device_get_info(*device, &info) == CVK_OK && !strstr(info.driver, levels[i]))
            cvk_device_close(device); /* the processor has only a lower level */
        else
            snprintf(labels[n_devices++], sizeof *labels, "cpu %s", levels[i]);
    }
    for (int i = 0; n_devices < MAX_DEVICES; i++) {
        char spec[32];
        cvk_device_info info;
        snprintf(spec, sizeof spec, "opencl:%d", i);
        if (cvk_device_open(spec, NULL, &devices[n_devices])) break;
        expect_ok(cvk_device_get_info(devices[n_devices], &info), "info");
        snprintf(labels[n_devices++], sizeof *labels, "%s (%s)", info.id, info.name);
    }
    if (n_devices == 0) printf("no device: %s\n", cvk_last_error());
}

static cvk_model *build(const char *op, int h, int w, int kh, int kw, const float *kernel,
                        int stride, int pad)
{
    cvk_model *model;
    const int64_t window[] = {kh, kw}, strides[] = {stride, stride}, pads[] = {pad, pad, pad, pad};
    const cvk_attr attrs[] = {
        {.name = "kernel_shape", .kind = CVK_ATTR_INTS, .ints = window, .count = 2},
        {.name = "strides", .kind = CVK_ATTR_INTS, .ints = strides, .count = 2},
        {.name = "pads", .kind = CVK_ATTR_INTS, .ints = pads, .count = 4}};
    const cvk_tensor x = {.name = "x", .dtype = CVK_F32, .rank = 4, .dims = {1, 1, h, w}};
    const cvk_tensor k = {
        .name = "k", .dtype = CVK_F32, .rank = 4, .dims = {1, 1, kh, kw}, .data = (void *)kernel};
    const char *in[] = {"x", "k"}, *out = "y";
    bool conv = strcmp(op, "Conv") == 0;
    expect_ok(cvk_model_create("worked", 13, &model), "model");
    expect_ok(cvk_model_add_input(model, &x), "input");
    if (conv) expect_ok(cvk_model_add_constant(model, &k), "kernel");
    expect_ok(cvk_model_add_node(model, op, "node", in, conv ? 2 : 1, &out, 1, attrs, 3), "node");
    expect_ok(cvk_model_set_output(model, "y"), "output");
    return model;
}

/* Runs the model on every device; every element must be as expected. */
static void expect_everywhere(const char *name, const cvk_model *model, const float *input,
                              int count, const float *expected)
{
    for (int d = 0; d < n_devices; d++) {
        test_run run = run_make(model, &devices[d], 1, NULL);
        memcpy(run.in[0].data, input, (size_t)cvk_tensor_count(&run.in[0]) * sizeof *input);
        assert_int_equal(cvk_tensor_count(&run.out[0]), count);
        run_once(&run);
        const float *got = run.out[0].data;
        for (int i = 0; i < count; i++)
            if (!(got[i] == expected[i]))
                fail_msg("%s on %s: element %d is %.9g, expected %.9g", name, labels[d], i,
                         (double)got[i], (double)expected[i]);
        run_free(&run);
    }
}

static void examples_are_exact(void **state)
{
    (void)state;
    for (int i = 0; i < WORKED_EXAMPLES; i++) {
        const worked_example *e = &worked_examples[i];
        cvk_model *model = build(e->op, e->h, e->w, e->kh, e->kw, e->kernel, e->stride, e->pad);
        expect_everywhere(e->name, model, e->input, e->oh * e->ow, e->expected);
        cvk_model_free(&model);
    }
}

/* A constant picture of ones gives the sum of the weights. */
static void named_kernels_sum_up(void **state)
{
    (void)state;
    float ones[36], expected[16];
    for (int i = 0; i < 36; i++) ones[i] = 1;
    for (int i = 0; i < NAMED_KERNELS; i++) {
        for (int k = 0; k < 16; k++) expected[k] = named_kernels[i].sum * named_kernels[i].divisor;
        cvk_model *model = build("Conv", 6, 6, 3, 3, named_kernels[i].weights, 1, 0);
        expect_everywhere(named_kernels[i].name, model, ones, 16, expected);
        cvk_model_free(&model);
    }
}

/* Convolution in the mathematical sense is cross-correlation with the kernel flipped both ways. */
static void flipped_kernel_is_mathematical_convolution(void **state)
{
    (void)state;
    float picture[49] = {0};
    picture[3 * 7 + 3] = 1; /* an impulse: the answer is the kernel itself */
    cvk_model *model = build("Conv", 7, 7, 3, 3, worked_kernel_flipped, 1, 0);
    float expected[25] = {0};
    for (int y = 0; y < 3; y++)
        for (int x = 0; x < 3; x++) expected[(y + 1) * 5 + x + 1] = worked_kernel[y * 3 + x];
    expect_everywhere("flipped kernel", model, picture, 25, expected);
    cvk_model_free(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_are_exact),
        cmocka_unit_test(named_kernels_sum_up),
        cmocka_unit_test(flipped_kernel_is_mathematical_convolution),
    };
    open_devices();
    for (int i = 0; i < n_devices; i++) printf("device: %s\n", labels[i]);
    int failed = n_devices ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    for (int i = 0; i < n_devices; i++) cvk_device_close(&devices[i]);
    return failed;
}
