/* SPDX-License-Identifier: Apache-2.0
 *
 * The zoo: every network has the published number of parameters and layers and honours its options;
 * seeds; models without weights are told from complete ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "zoo/zoo.h"

static const struct {
    const char *name;
    uint64_t parameters;
    int depth;
} cases[] = {
#define X(name, parameters, depth) {name, parameters, depth},
#include "tests/zoo_cases.def"
#undef X
};
enum { N_CASES = sizeof cases / sizeof *cases };

static cvk_model *build(const cvk_zoo_entry *entry, cvk_zoo_options options, int *depth)
{
    cvk_model *model = NULL;
    if (cvk_zoo_build(entry, &options, &model, depth))
        fail_msg("%s: %s", entry->name, cvk_last_error());
    return model;
}

static void counts_are_the_published_ones(void **state)
{
    (void)state;
    for (int i = 0; i < N_CASES; i++) {
        const cvk_zoo_entry *entry = cvk_zoo_find(cases[i].name);
        cvk_model_info info;
        int depth;
        if (!entry) fail_msg("no network is called %s", cases[i].name);
        cvk_model *model = build(entry, (cvk_zoo_options){.outline = true}, &depth);
        assert_int_equal(cvk_model_get_info(model, &info), CVK_OK);
        if (info.parameters != cases[i].parameters || depth != cases[i].depth)
            fail_msg("%s: %llu parameters, depth %d", entry->name,
                     (unsigned long long)info.parameters, depth);
        assert_true(info.macs > 0);
        cvk_model_free(&model);
    }
}

static void every_network_has_a_case(void **state)
{
    (void)state;
    int count = 0;
    for (const cvk_zoo_entry *entry = cvk_zoo; entry->name; entry++, count++) {
        bool found = false;
        for (int i = 0; i < N_CASES; i++) found |= strcmp(cases[i].name, entry->name) == 0;
        if (!found) fail_msg("zoo_cases.def has no row for %s", entry->name);
        assert_ptr_equal(cvk_zoo_find(entry->name), entry);
    }
    assert_int_equal(count, N_CASES);
}

static void check_shapes(const cvk_zoo_entry *entry, int classes, int size, int batch)
{
    cvk_zoo_options options = {.classes = classes, .size = size, .batch = batch, .outline = true};
    cvk_model *model = build(entry, options, NULL);
    cvk_tensor in, out;
    assert_int_equal(cvk_model_input(model, 0, &in, NULL), CVK_OK);
    assert_int_equal(cvk_model_output(model, 0, &out, NULL), CVK_OK);
    assert_int_equal(in.dims[0], batch ? batch : -1);
    assert_int_equal(out.dims[0], batch ? batch : -1);
    assert_int_equal(in.dims[1], entry->channels);
    assert_int_equal(in.dims[2], size ? size : entry->size);
    assert_int_equal(in.dims[3], in.dims[2]);
    if (entry->classes) assert_int_equal(out.dims[1], classes ? classes : entry->classes);
    cvk_model_free(&model);
}

static void options_are_honoured(void **state)
{
    (void)state;
    for (const cvk_zoo_entry *entry = cvk_zoo; entry->name; entry++) {
        check_shapes(entry, 0, 0, 0);
        check_shapes(entry, entry->classes ? 7 : 0, entry->least, 2);
        check_shapes(entry, 0, entry->size + entry->multiple, 0);
    }
}

static void sizes_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    for (const cvk_zoo_entry *entry = cvk_zoo; entry->name; entry++) {
        cvk_zoo_options options = {.size = entry->least - 1, .outline = true};
        cvk_model *model = NULL;
        assert_true(cvk_zoo_takes_size(entry, 0));
        assert_true(cvk_zoo_takes_size(entry, entry->size));
        assert_true(cvk_zoo_takes_size(entry, entry->least));
        assert_false(cvk_zoo_takes_size(entry, CVK_ZOO_LARGEST + 1));
        if (options.size == 0) continue;
        assert_int_equal(cvk_zoo_build(entry, &options, &model, NULL), CVK_BAD_ARGUMENT);
        assert_null(model);
    }
}

/* Networks of up to 10 million parameters, for the smallest pictures that they take; a checker of
 * files reads them after this test. */
static void files_hold_what_was_built(void **state)
{
    (void)state;
    for (const cvk_zoo_entry *entry = cvk_zoo; entry->name; entry++) {
        cvk_zoo_options options = {.size = entry->least, .outline = true, .seed = 1};
        cvk_model *model = build(entry, options, NULL), *loaded = NULL;
        cvk_model_info info, again;
        char path[512];
        assert_int_equal(cvk_model_get_info(model, &info), CVK_OK);
        cvk_model_free(&model);
        if (info.parameters > 10 * 1000 * 1000) continue;
        options.outline = false;
        snprintf(path, sizeof path, OUT_DIR "/%s.onnx", entry->name);
        model = build(entry, options, NULL);
        assert_int_equal(cvk_model_save(model, path), CVK_OK);
        assert_int_equal(cvk_model_load(path, &loaded), CVK_OK);
        assert_int_equal(cvk_model_get_info(loaded, &again), CVK_OK);
        assert_int_equal(again.parameters, info.parameters);
        assert_int_equal(again.weight_bytes, info.weight_bytes);
        assert_int_equal(again.macs, info.macs);
        assert_int_equal(again.nodes, info.nodes);
        cvk_model_free(&model);
        cvk_model_free(&loaded);
    }
}

static void an_outline_cannot_be_saved_or_planned(void **state)
{
    (void)state;
    cvk_model *model = build(cvk_zoo_find("lenet5"), (cvk_zoo_options){.outline = true}, NULL);
    cvk_device *device = NULL;
    cvk_session *session = NULL;
    assert_int_equal(cvk_device_open("cpu", NULL, &device), CVK_OK);
    assert_int_equal(cvk_model_save(model, OUT_DIR "/outline.onnx"), CVK_BAD_MODEL);
    assert_non_null(strstr(cvk_last_error(), "conv1.weight"));
    assert_int_equal(cvk_session_create(model, &device, 1, NULL, &session), CVK_BAD_MODEL);
    assert_non_null(strstr(cvk_last_error(), "conv1.weight"));
    assert_null(session);
    cvk_device_close(&device);
    cvk_model_free(&model);
}

static void weights_have_the_variance_that_is_asked_for(void **state)
{
    (void)state;
    double sum = 0, squares = 0;
    float out[10], image[32 * 32] = {0};
    cvk_device *device = NULL;
    cvk_session *session = NULL;
    cvk_tensor in = {.dtype = CVK_F32, .rank = 4, .dims = {1, 1, 32, 32}, .data = image};
    cvk_tensor result = {.dtype = CVK_F32, .rank = 2, .dims = {1, 10}, .data = out};
    assert_int_equal(cvk_device_open("cpu", NULL, &device), CVK_OK);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        cvk_model *model = build(cvk_zoo_find("lenet5"), (cvk_zoo_options){.seed = seed}, NULL);
        cvk_session_options keep = {.keep_values = true, .no_fuse = true};
        float values[28 * 28 * 6];
        cvk_tensor conv = {.data = values};
        for (int i = 0; i < 32 * 32; i++) image[i] = (float)((i * 7919 + 104729) % 1009) / 504 - 1;
        assert_int_equal(cvk_session_create(model, &device, 1, &keep, &session), CVK_OK);
        assert_int_equal(cvk_session_run(session, &in, 1, &result, 1), CVK_OK);
        assert_int_equal(cvk_session_read(session, "conv1", &conv), CVK_OK);
        for (int i = 0; i < 28 * 28 * 6; i++) {
            sum += values[i];
            squares += (double)values[i] * values[i];
        }
        cvk_session_free(&session);
        cvk_model_free(&model);
    }
    /* He: twice the power of the input, which is 1/3 here. */
    double count = 20.0 * 28 * 28 * 6;
    assert_true(squares / count > 0.5 && squares / count < 0.85);
    assert_true(sum / count > -0.2 && sum / count < 0.2);
    cvk_device_close(&device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_the_published_ones),
        cmocka_unit_test(every_network_has_a_case),
        cmocka_unit_test(options_are_honoured),
        cmocka_unit_test(sizes_that_do_not_fit_are_refused),
        cmocka_unit_test(files_hold_what_was_built),
        cmocka_unit_test(an_outline_cannot_be_saved_or_planned),
        cmocka_unit_test(weights_have_the_variance_that_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
