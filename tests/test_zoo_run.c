/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks of the zoo on a device, small pictures, two at a time, against what their operators
 * mean: signals that neither vanish nor explode, and the right ones.
 *     test_zoo_run [device]
 */
#include <math.h>
#include <stdio.h>

#include "tests/model_reference.h"
#include "zoo/zoo.h"

static cvk_device *device;

/* What the references can compute in a second or so. */
static const struct {
    const char *name;
    int size;
} cases[] = {
    {"lenet5", 28},        {"lenet5-1998", 32},   {"lenet5-rgb", 32},      {"squeezenet1.0", 32},
    {"squeezenet1.1", 40}, {"mobilenet", 32},     {"mobilenetv2", 32},     {"shufflenet", 32},
    {"shufflenetv2", 48},  {"resnet18", 32},      {"resnet50v2", 32},      {"resnext50", 32},
    {"densenet121", 32},   {"nasnet-mobile", 32}, {"efficientnet-b0", 32}, {"unet", 16},
};

/* Finite, and another for another picture. */
static void expect_telling(const char *name, const cvk_tensor *out)
{
    const float *data = out->data;
    int64_t half = cvk_tensor_count(out) / 2;
    double difference = 0, sum = 0;
    for (int64_t i = 0; i < half; i++) {
        difference += fabs((double)data[i] - data[half + i]);
        sum += fabs((double)data[i]);
    }
    if (!(sum > 0 && sum < 1e6 && difference > 1e-3 * sum))
        fail_msg("%s: sum %g, %g away for another picture", name, sum, difference);
}

static void outputs_are_what_the_operators_mean(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const cvk_zoo_entry *entry = cvk_zoo_find(cases[i].name);
        const cvk_zoo_options options = {
            .size = cases[i].size, .classes = 20, .batch = 2, .seed = 7};
        cvk_model *model = NULL;
        expect_ok(cvk_zoo_build(entry, &options, &model, NULL), entry->name);
        test_run run = run_make(model, &device, 1, NULL);
        run_once(&run);
        double distance = distance_to_reference(model, &run);
        if (!(distance <= 1e-4)) fail_msg("%s: %g away", entry->name, distance);
        expect_telling(entry->name, &run.out[0]);
        run_free(&run);
        cvk_model_free(&model);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_what_the_operators_mean),
    };
    return run_device_tests(argc, argv, &device, tests, sizeof tests / sizeof tests[0]);
}
