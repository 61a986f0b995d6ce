/* SPDX-License-Identifier: Apache-2.0
 *
 * What a device builds for a network: few programs, and none for what it has built before.
 *     test_programs [device]
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "tests/model_text.h"
#include "zoo/zoo.h"

enum { MOST_PROGRAMS = 3 };

static cvk_device *device;
static atomic_int built;

static void sink(void *user, cvk_log_level level, const char *message)
{
    (void)user, (void)level;
    built += strstr(message, ": built ") != NULL;
}

/* Programs built for one session of the network. */
static int builds_of(const cvk_zoo_entry *entry, int size, int plans)
{
    const cvk_zoo_options options = {.size = size, .classes = 20, .batch = 1, .seed = 7};
    cvk_model *model = NULL;
    expect_ok(cvk_zoo_build(entry, &options, &model, NULL), entry->name);
    cvk_log_set(sink, NULL, CVK_LOG_DEBUG);
    built = 0;
    test_run run = run_make(model, &device, 1, &(cvk_session_options){.plans = plans});
    run_once(&run);
    const int programs = built;
    cvk_log_set(NULL, NULL, CVK_LOG_WARN);
    run_free(&run);
    cvk_model_free(&model);
    return programs;
}

static void few_for_a_network(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int size;
    } cases[] = {{"lenet5", 28},
                 {"squeezenet1.1", 64},
                 {"resnet18", 64},
                 {"mobilenetv2", 64},
                 {"efficientnet-b0", 64}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const cvk_zoo_entry *entry = cvk_zoo_find(cases[i].name);
        const int programs = builds_of(entry, cases[i].size, 0),
                  again = builds_of(entry, cases[i].size, 0);
        if (programs > MOST_PROGRAMS) fail_msg("%s: %d programs", entry->name, programs);
        if (again) fail_msg("%s: %d programs for the second session", entry->name, again);
    }
}

/* Sizes are arguments: kernels are the same for another size while its register tiles are, and a
 * session for many shapes takes those that are built. */
static void none_for_another_size(void **state)
{
    (void)state;
    static const char *const names[] = {"squeezenet1.1", "mobilenetv2"};
    static const int sizes[] = {256, 192, 160, 128, 288};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        const cvk_zoo_entry *entry = cvk_zoo_find(names[n]);
        builds_of(entry, 224, 2);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            assert_int_equal(builds_of(entry, sizes[i], 2), 0);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_for_a_network),
        cmocka_unit_test(none_for_another_size),
    };
    return run_device_tests(argc, argv, &device, tests, sizeof tests / sizeof tests[0]);
}
