/* SPDX-License-Identifier: Apache-2.0
 *
 * What tests of models and tensors in files check alike. After cmocka.h.
 */
#ifndef CVK_TESTS_MODEL_CHECKS_H
#define CVK_TESTS_MODEL_CHECKS_H

#include <convoke/convoke.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK(call)                                                                                   \
    do {                                                                                           \
        cvk_status ok_ = (call);                                                                   \
        if (ok_) fail_msg("%s: %s: %s", #call, cvk_status_string(ok_), cvk_last_error());          \
    } while (0)

static inline void same_tensor(const cvk_tensor *a, const cvk_tensor *b)
{
    assert_int_equal(a->dtype, b->dtype);
    assert_int_equal(a->rank, b->rank);
    assert_memory_equal(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims);
    if (cvk_tensor_count(a) > 0)
        assert_memory_equal(a->data, b->data,
                            (size_t)cvk_tensor_count(a) * cvk_dtype_bytes(a->dtype));
}

static inline cvk_status parse_bytes(const void *data, size_t bytes)
{
    cvk_model *model = NULL;
    /* A copy of the exact size, so that the sanitizer sees a read beyond the end. */
    unsigned char *copy = malloc(bytes ? bytes : 1);
    assert_non_null(copy);
    memcpy(copy, data, bytes);
    cvk_status status = cvk_model_parse(copy, bytes, &model);
    free(copy);
    assert_true((status == CVK_OK) == (model != NULL));
    cvk_model_info info;
    if (model) assert_int_equal(cvk_model_get_info(model, &info), CVK_OK);
    cvk_model_free(&model);
    return status;
}

/* The status is as wanted, and the sentence holds every word (comma separated). */
static inline void judge(cvk_status status, cvk_status want, const char *words)
{
    if (status != want)
        fail_msg("status '%s', wanted '%s' (%s): %s", cvk_status_string(status),
                 cvk_status_string(want), words, cvk_last_error());
    char copy[256];
    snprintf(copy, sizeof copy, "%s", words);
    for (char *rest = copy, *word; (word = strtok_r(rest, ",", &rest));)
        if (!strstr(cvk_last_error(), word))
            fail_msg("'%s' does not say '%s'", cvk_last_error(), word);
}

#endif
