/* SPDX-License-Identifier: Apache-2.0
 *
 * Models written as text, built through the public functions, and runs of them: for the tests of
 * sessions and plans. Every call checks; a test that goes wrong stops there.
 *
 * Statements are separated by ';' or ends of lines, words by blanks:
 *   in x 1x3x8x8            an input; "?" is a free dimension, "s" a scalar, ":u8" a type
 *   const w 16x3x3x3 ~-1,1  seeded numbers of a range (default -0.5 to 0.5), or "=1,2,3"
 *   y = Conv x w - pads=[1,1,1,1] auto_pad=VALID   a node called like its first output; "y,z =" has
 *                           two; "-" is an absent input; numbers with a point are floats
 *   out y
 */
#ifndef CVK_TESTS_MODEL_TEXT_H
#define CVK_TESTS_MODEL_TEXT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <convoke/convoke.h>

/* Opset 13. */
cvk_model *model_text(const char *text);
/* More statements for a model. */
void model_append(cvk_model *model, const char *text);

/* Fails with the library's sentence unless status is CVK_OK. */
void expect_ok(cvk_status status, const char *what);
/* Fails unless status is `wanted` and the library's sentence is `sentence`. */
void expect_failure(cvk_status status, cvk_status wanted, const char *sentence);

/* splitmix64 of (seed, index) as a number in [low, high). */
double seeded(uint64_t seed, uint64_t index, double low, double high);
/* Fills a tensor of any type with seeded numbers of its usual range: floats -1 to 1. */
void fill_tensor(cvk_tensor *tensor, uint64_t seed);

/* All that cvk_session_options.fuse may name but the choice of rows over the graph, which depends on
 * how fast a device is: for tests that say which rows a plan has. */
#define FUSE_ALL_BUT_CHOICE "quantise,rewrite,fold,map,gate,add,act,pool,bottleneck,concat"

/* A session with memory of the test's own for all inputs (filled) and outputs (zeroed), each of
 * exactly the size that is needed. */
enum { MAX_TENSORS = 8 };
typedef struct test_run {
    cvk_session *session;
    cvk_tensor in[MAX_TENSORS], out[MAX_TENSORS];
    int n_in, n_out;
} test_run;
test_run run_make(const cvk_model *model, cvk_device *const *devices, int n_devices,
                  const cvk_session_options *options);
/* Runs with all inputs and outputs. */
void run_once(test_run *run);
void run_free(test_run *run);

/* Relative L2 distance of two tensors of one shape; larger than any bound if one has a NaN more. */
double tensor_distance(const cvk_tensor *a, const cvk_tensor *b);

/* The tests of a program on the device that its first argument names (the CPU if there is none), open
 * with two threads meanwhile that share every run; its exit status: 77, with a sentence, where there is no such device. */
int run_device_tests(int argc, char **argv, cvk_device **device, const struct CMUnitTest *tests,
                     size_t count);

/* The step whose nodes contain `node`; NULL if there is none. */
const cvk_step_info *step_of(const cvk_session *session, const char *node);

#endif
