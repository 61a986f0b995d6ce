/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolutions under a tolerance: still within it, and not what they are without.
 */
#include <stdio.h>

#include "tests/model_reference.h"

/* A device and, of the CPU, an instruction set. */
static const struct {
    const char *device, *isa;
} targets[] = {
    {"cpu", "scalar"}, {"cpu", "avx2"}, {"cpu", "avx512"}, {"cpu", "neon"}, {"opencl", NULL}};

static void faster_algorithms_stay_within_the_tolerance(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double tolerance;
    } rows[] = {
        {"in x 1x64x36x36; const w 64x64x3x3; const b 64; c = Conv x w b pads=[1,1,1,1]; y = Relu "
         "c",
         1e-5},
        {"in x 2x32x35x38; const w 48x32x3x3; const b 48; c = Conv x w b; r = Relu c\n"
         "y = MaxPool r kernel_shape=[2,2] strides=[2,2]",
         1e-5},
        {"in x 1x48x26x29; const w 64x48x5x5; c = Conv x w - pads=[2,2,2,2]; y = Relu c", 2e-5},
        {"in x 1x48x24x24; const w 64x48x5x5; const b 64; c = Conv x w b pads=[2,2,2,2]; y = Tanh "
         "c",
         2e-5},
    };
    int opened = 0;
    for (size_t k = 0; k < sizeof targets / sizeof *targets; k++) {
        cvk_device *device = NULL;
        const cvk_device_options on = {.threads = 2, .isa = targets[k].isa};
        if (cvk_device_open(targets[k].device, &on, &device)) continue;
        opened++;
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            char text[512];
            snprintf(text, sizeof text, "%s; out y", rows[i].text);
            cvk_model *model = model_text(text);
            const cvk_session_options loose = {.tolerance = rows[i].tolerance};
            test_run exact = run_make(model, &device, 1, NULL),
                     fast = run_make(model, &device, 1, &loose);
            run_once(&exact);
            run_once(&fast);
            const double near = distance_to_reference(model, &exact),
                         far = distance_to_reference(model, &fast);
            const double apart = tensor_distance(&exact.out[0], &fast.out[0]);
            if (!(near <= 5e-6 && far <= rows[i].tolerance && apart > 0))
                fail_msg("%s\n%s: %g away without a tolerance, %g with one, %g apart", text,
                         targets[k].isa ? targets[k].isa : targets[k].device, near, far, apart);
            run_free(&exact);
            run_free(&fast);
            cvk_model_free(&model);
        }
        cvk_device_close(&device);
    }
    assert_true(opened > 0);
}

static void no_tolerance_below_zero(void **state)
{
    (void)state;
    cvk_device *device = NULL;
    cvk_session *session = NULL;
    cvk_model *model = model_text("in x 1x1x2x2; y = Relu x; out y");
    const cvk_session_options options = {.tolerance = -1};
    expect_ok(cvk_device_open("cpu", NULL, &device), "open");
    expect_failure(cvk_session_create(model, &device, 1, &options, &session), CVK_BAD_ARGUMENT,
                   "cvk_session_create: options.tolerance is -1, not 0 or more");
    cvk_model_free(&model);
    cvk_device_close(&device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faster_algorithms_stay_within_the_tolerance),
        cmocka_unit_test(no_tolerance_below_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
