/* SPDX-License-Identifier: Apache-2.0
 *
 * cvk_session_options.fuse: each fusion alone computes what the network means and makes its steps
 * fewer, all of them are what a plan has without the list, none are what no_fuse gives, and other
 * words are refused.
 *     test_fuse_list [device]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model_reference.h"

static cvk_device *device;

/* A residual block, a map before a convolution, a squeeze and excitation, a Concat, pools. */
static const char net[] =
    "in x 1x16x12x12; const w 32x16x3x3; const b 32; const s 32 ~0.5,1.5; const t 32; const m 32\n"
    "const v 32 ~0.5,1.5; const w1 32x32x1x1; const w2 16x32x1x1; const wd 32x1x3x3\n"
    "a = Conv x w b pads=[1,1,1,1]; n = BatchNormalization a s t m v; r = Relu n\n"
    "c = Conv r w1; c2 = Add c r; c3 = Relu c2\n"
    "p = BatchNormalization c3 s t m v; q = Relu p; d = Conv q w1\n"
    "g = GlobalAveragePool d; k = Sigmoid g; f = Mul d k; h = Conv f w1\n"
    "i = Conv h wd - group=32 pads=[1,1,1,1]; i2 = Relu i; j = Conv i2 w2; l = Relu j\n"
    "o = Conv h w2; z = Concat l o axis=1; y = MaxPool z kernel_shape=[2,2] strides=[2,2]\n"
    "u = Mul y y; e = Abs u; out e";

static int steps_with(const cvk_model *model, const cvk_session_options *options,
                      const cvk_tensor *want)
{
    test_run run = run_make(model, &device, 1, options);
    cvk_session_info info;
    run_once(&run);
    assert_true(tensor_distance(&run.out[0], want) <= 1e-5);
    expect_ok(cvk_session_get_info(run.session, &info), "info");
    run_free(&run);
    return info.steps;
}

static void each_fusion_alone_is_right(void **state)
{
    (void)state;
    static const char *const words[] = {"quantise",   "rewrite", "fold",  "map",
                                        "gate",       "add",     "act",   "pool",
                                        "bottleneck", "concat",  "choice"};
    cvk_model *model = model_text(net);
    test_run plain = run_make(model, &device, 1, &(cvk_session_options){.no_fuse = true});
    cvk_session_info info;
    run_once(&plain);
    expect_reference(model, &plain);
    expect_ok(cvk_session_get_info(plain.session, &info), "info");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const int steps =
            steps_with(model, &(cvk_session_options){.fuse = words[i]}, &plain.out[0]);
        const bool fewer = strcmp(words[i], "fold") == 0 || strcmp(words[i], "act") == 0 ||
                           strcmp(words[i], "add") == 0;
        if (steps > info.steps || (fewer && steps == info.steps))
            fail_msg("with %s alone %d steps, with none %d", words[i], steps, info.steps);
    }
    const int all = steps_with(model, NULL, &plain.out[0]);
    assert_true(all < info.steps);
    assert_int_equal(steps_with(model,
                                &(cvk_session_options){.fuse = "quantise,rewrite,fold,map,gate,add,"
                                                               "act,pool,bottleneck,concat,choice"},
                                &plain.out[0]),
                     all);
    assert_int_equal(steps_with(model, &(cvk_session_options){.fuse = ""}, &plain.out[0]),
                     info.steps);
    run_free(&plain);
    cvk_model_free(&model);
}

static void other_words_are_refused(void **state)
{
    (void)state;
    cvk_model *model = model_text("in x 1x4; y = Relu x; out y");
    cvk_session *session = NULL;
    expect_failure(
        cvk_session_create(model, &device, 1, &(cvk_session_options){.fuse = "act,cat"}, &session),
        CVK_BAD_ARGUMENT,
        "'cat' is no fusion: there are quantise rewrite fold map gate add act pool "
        "bottleneck concat choice");
    assert_null(session);
    cvk_model_free(&model);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_fusion_alone_is_right),
                                       cmocka_unit_test(other_words_are_refused)};
    return run_device_tests(argc, argv, &device, tests, sizeof tests / sizeof *tests);
}
