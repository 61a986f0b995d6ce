/* SPDX-License-Identifier: Apache-2.0
 *
 * Quantised models: each pattern between DequantizeLinear and QuantizeLinear is one step, whose
 * result equals, bit for bit, that of the integer operator which it stands for.
 *     test_quantised [device]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "tests/model_reference.h"

static cvk_device *device;

/* Behind `common`: the pattern, and what it means; both make y. */
typedef struct pattern {
    const char *common, *text, *meaning;
    int steps;      /* but for reorders and copies */
    const char *op; /* of the step that makes y; NULL: y is another shape of what is there */
    const char *fused;
} pattern;

#define SCALES                                                                                     \
    "const sx s =0.02; const zx s:u8 =60; const sw s =0.005; const sy s =0.04; const zy s:u8 "     \
    "=100; const sr s =0.03; const zr s:u8 =40; const ss s =0.05; const zs s:u8 =90\n"
#define CONV                                                                                       \
    SCALES "in x 1x12x9x10:u8; const w 17x12x3x3:u8 ~0,255; const zw s:u8 =131; const b 17:i32 "   \
           "~-3000,3000; const sb s =0.0001; const zb s:i32 =0\n"
#define DQ_CONV                                                                                    \
    "dx = DequantizeLinear x sx zx; dw = DequantizeLinear w sw zw; db = DequantizeLinear b sb "    \
    "zb; c = Conv dx dw db pads=[1,1,1,1] strides=[2,2]\n"
#define Q_CONV "QLinearConv x sx zx w sw zw sy zy b pads=[1,1,1,1] strides=[2,2]\n"
#define EACH                                                                                       \
    SCALES "in x 2x16x7x6:u8; const w 16x1x3x3:i8 ~-128,127; const swc 16 ~0.001,0.02; const zwc " \
           "16:i8 ~-9,9\n"
#define MATRIX SCALES "in x 5x33:u8; const wt 20x33:i8 ~-128,127; const w4 20x33x1x1:i8 ~-128,127\n"
#define MOVE SCALES "in x 1x12x6x8:u8; in v 1x12x6x8:u8; dx = DequantizeLinear x sx zx\n"

static const pattern patterns[] = {
    {CONV, DQ_CONV "y = QuantizeLinear c sy zy", "y = " Q_CONV, 1, "QConv", ""},
    /* an activation is a bound of the result */
    {CONV, DQ_CONV "r = Relu c; y = QuantizeLinear r sy zy",
     "q = " Q_CONV "d = DequantizeLinear q sy zy; r = Relu d; y = QuantizeLinear r sy zy", 1,
     "QConv", "Relu"},
    {CONV "const lo s =-0.9; const hi s =1.3\n",
     DQ_CONV "r = Clip c lo hi; y = QuantizeLinear r sy zy",
     "q = " Q_CONV "d = DequantizeLinear q sy zy; r = Clip d lo hi; y = QuantizeLinear r sy zy", 1,
     "QConv", "Clip"},
    /* a bias in float32 is rounded to the accumulator's scale */
    {SCALES "in x 1x3x5x5:u8; const w 2x3x1x1:i8 ~-128,127; const b 2 =0.30004,-0.49996; const bi "
            "2:i32 =3000,-5000\n",
     "dx = DequantizeLinear x sx zx; dw = DequantizeLinear w sw; c = Conv dx dw b; y = "
     "QuantizeLinear c sy zy",
     "const zw s:i8 =0; y = QLinearConv x sx zx w sw zw sy zy bi", 1, "QConv", ""},
    /* per channel, depthwise, no bias */
    {EACH,
     "dx = DequantizeLinear x sx zx; dw = DequantizeLinear w swc zwc axis=0; c = Conv dx dw "
     "group=16 pads=[1,1,1,1]; y = QuantizeLinear c sy zy",
     "y = QLinearConv x sx zx w swc zwc sy zy group=16 pads=[1,1,1,1]", 1, "QConv", ""},
    /* a residual in the same step: the meaning is quantised in between */
    {CONV "in r 1x17x5x5:u8\n",
     DQ_CONV "q = QuantizeLinear c sy zy; dq = DequantizeLinear q sy zy; dr = DequantizeLinear r "
             "sr zr; a = Add dr dq; y = QuantizeLinear a ss zs",
     "q = " Q_CONV "dq = DequantizeLinear q sy zy; dr = DequantizeLinear r sr zr; a = Add dq dr; "
     "y = QuantizeLinear a ss zs",
     1, "QConv", "Add"},
    {CONV "in r 1x17x5x5:u8\n",
     "q = " Q_CONV "dq = DequantizeLinear q sy zy; dr = DequantizeLinear r sr zr; a = Add dq dr; "
     "p = Relu a; y = QuantizeLinear p ss zs",
     "q = " Q_CONV "dq = DequantizeLinear q sy zy; dr = DequantizeLinear r sr zr; a = Add dq dr; "
     "p = Relu a; y = QuantizeLinear p ss zs",
     1, "QConv", "Add"},
    /* matrices; a product is a convolution of one pixel */
    {MATRIX "const b 20:i32 ~-3000,3000; const sb s =0.0001; const zw s:i8 =0; const s4 4:i64 "
            "=5,33,1,1; const s2 2:i64 =5,20\n",
     "const w 33x20:i8 ~-128,127; dx = DequantizeLinear x sx zx; dw = DequantizeLinear w sw; g = "
     "MatMul dx dw; y = QuantizeLinear g sy zy",
     "const w 33x20:i8 ~-128,127; y = QLinearMatMul x sx zx w sw zw sy zy", 1, "QMatMul", ""},
    {SCALES "in x 5x12:u8; const w 7x12:u8 =1; const b 7:i32 ~-3000,3000; const sb s =0.0001; "
            "const zw s:u8 =0\n",
     "dx = DequantizeLinear x sx zx; dw = DequantizeLinear w sw zw; db = DequantizeLinear b sb; g "
     "= Gemm dx dw db transB=1; p = Relu g; y = QuantizeLinear p sy zy",
     "const w4 7x12x1x1:u8 =1; const s4 4:i64 =5,12,1,1; const s2 2:i64 =5,7; x4 = Reshape x s4; "
     "q = QLinearConv x4 sx zx w4 sw zw sy zy b; z = Reshape q s2; d = DequantizeLinear z sy zy; "
     "p = Relu d; y = QuantizeLinear p sy zy",
     1, "QMatMul", "Relu"},
    {SCALES "in x 2x5x9:u8; in w 2x9x6:u8; const zw s:u8 =7\n",
     "dx = DequantizeLinear x sx zx; dw = DequantizeLinear w sw zw; g = MatMul dx dw; y = "
     "QuantizeLinear g sy zy",
     "y = QLinearMatMul x sx zx w sw zw sy zy", 1, "QMatMul", ""},
    /* sums and products: float32 says the same */
    {SCALES "in x 2x5x9:u8; in v 2x5x9:u8; dx = DequantizeLinear x sx zx; dv = DequantizeLinear v "
            "sr zr\n",
     "a = Add dx dv; y = QuantizeLinear a sy zy", "a = Add dx dv; y = QuantizeLinear a sy zy", 1,
     "QAdd", ""},
    {SCALES "in x 2x5x9:u8; const v 5x1:u8 ~0,255; dx = DequantizeLinear x sx zx; dv = "
            "DequantizeLinear v sr zr\n",
     "a = Mul dv dx; p = Relu a; y = QuantizeLinear p sy zy",
     "a = Mul dv dx; p = Relu a; y = QuantizeLinear p sy zy", 1, "QMul", "Relu"},
    /* what only moves */
    {MOVE, "m = MaxPool dx kernel_shape=[3,3] strides=[2,2]; y = QuantizeLinear m sx zx",
     "m = MaxPool dx kernel_shape=[3,3] strides=[2,2]; y = QuantizeLinear m sx zx", 1, "MaxPool",
     ""},
    {MOVE, "t = Transpose dx perm=[0,2,3,1]; f = Flatten t; y = QuantizeLinear f sx zx",
     "t = Transpose dx perm=[0,2,3,1]; f = Flatten t; y = QuantizeLinear f sx zx", 1, "Copy", ""},
    {MOVE "dv = DequantizeLinear v sx zx\n", "t = Concat dx dv axis=1; y = QuantizeLinear t sx zx",
     "t = Concat dx dv axis=1; y = QuantizeLinear t sx zx", 1, "Concat", ""},
    {MOVE, "s,t = Split dx axis=1; y = QuantizeLinear t sx zx",
     "s,t = Split dx axis=1; y = QuantizeLinear t sx zx", 1, "Copy", ""},
};
enum { PATTERNS = sizeof patterns / sizeof *patterns };

static cvk_model *model_of(const char *common, const char *text)
{
    char whole[2000];
    int n = snprintf(whole, sizeof whole, "%s\n%s; out y", common, text);
    assert_in_range(n, 1, (int)sizeof whole - 1);
    return model_text(whole);
}

static int count_steps(const cvk_session *session)
{
    cvk_step_info step;
    int count = 0;
    for (int i = 0; cvk_session_step(session, i, &step) == CVK_OK; i++)
        count += strcmp(step.op, "Reorder") != 0 && strcmp(step.op, "Transfer") != 0;
    return count;
}

static void expect_same(const cvk_tensor *got, const cvk_tensor *want, const char *text)
{
    const uint8_t *a = got->data, *b = want->data;
    assert_int_equal(got->dtype, want->dtype);
    assert_int_equal(cvk_tensor_count(got), cvk_tensor_count(want));
    for (int64_t i = 0; i < cvk_tensor_count(want); i++)
        if (a[i] != b[i])
            fail_msg("%s\nelement %lld is %d, expected %d", text, (long long)i, a[i], b[i]);
}

static void check_pattern(const pattern *p, bool no_fuse)
{
    cvk_model *model = model_of(p->common, p->text), *meaning = model_of(p->common, p->meaning);
    const cvk_session_options options = {.no_fuse = no_fuse};
    test_run run = run_make(model, &device, 1, &options);
    cvk_tensor want;
    run_once(&run);
    model_reference(no_fuse ? model : meaning, run.in, run.n_in, &want, 1);
    if (!no_fuse) {
        expect_same(&run.out[0], &want, p->text);
        const cvk_step_info *step = step_of(run.session, "y");
        bool as_wanted =
            step ? p->op && strcmp(step->op, p->op) == 0 && strcmp(step->fused, p->fused) == 0
                 : !p->op;
        if (count_steps(run.session) != p->steps || !as_wanted)
            fail_msg("%s\nis planned as\n%s", p->text, cvk_session_describe(run.session));
    }
    free(want.data);
    run_free(&run);
    cvk_model_free(&meaning);
    cvk_model_free(&model);
}

static void every_pattern_is_one_step(void **state)
{
    (void)state;
    for (int i = 0; i < PATTERNS; i++) check_pattern(&patterns[i], false);
}

/* Without fusion the nodes stay separate, and all of them run. */
static void patterns_run_unfused(void **state)
{
    (void)state;
    for (int i = 0; i < PATTERNS; i++) check_pattern(&patterns[i], true);
}

static void averages(void **state)
{
    (void)state;
    cvk_model *model = model_text(
        SCALES "in x 1x2x2x2:u8; dx = DequantizeLinear x sx zx; m = GlobalAveragePool dx; y = "
               "QuantizeLinear m sx zx; out y");
    test_run run = run_make(model, &device, 1, NULL);
    memcpy(run.in[0].data, (const uint8_t[]){1, 2, 3, 4, 10, 11, 11, 12}, 8);
    run_once(&run);
    const uint8_t *y = run.out[0].data;
    assert_int_equal(y[0], 2); /* 2.5 from 60 is -57.5: to even */
    assert_int_equal(y[1], 11);
    assert_string_equal(step_of(run.session, "y")->op, "QPool");
    run_free(&run);
    cvk_model_free(&model);
}

/* What does not fit a pattern stays in float32, between what was quantised. */
static void what_does_not_fit_stays_float(void **state)
{
    (void)state;
    static const char *const texts[] = {
        /* other scales on both sides of a pool */
        MOVE "m = MaxPool dx kernel_shape=[2,2]; y = QuantizeLinear m sy zx; out y",
        /* computed zero points */
        SCALES "in x 2x5:u8; in z s:u8; dx = DequantizeLinear x sx z; r = Add dx dx; y = "
               "QuantizeLinear r sy zy; out y",
        /* an operator that changes values */
        MOVE "m = Sigmoid dx; y = QuantizeLinear m sy zy; out y",
        /* alpha */
        SCALES "in x 2x5:u8; const w 5x3:i8 ~-99,99; dx = DequantizeLinear x sx zx; dw = "
               "DequantizeLinear w sw; g = Gemm dx dw alpha=0.5; y = QuantizeLinear g sy zy; out y",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        cvk_model *model = model_text(texts[i]);
        test_run run = run_make(model, &device, 1, NULL);
        run_once(&run);
        if (!(distance_to_reference(model, &run) <= 1e-2))
            fail_msg("%s\n%s", texts[i], cvk_session_describe(run.session));
        assert_string_equal(step_of(run.session, "y")->op, "QuantizeLinear");
        run_free(&run);
        cvk_model_free(&model);
    }
}

/* Weights behind DequantizeLinear in a float network are folded into a float convolution. */
static void weights_alone_become_floats(void **state)
{
    (void)state;
    cvk_model *model =
        model_text("in x 1x3x9x9; const w 16x3x3x3:i8 ~-128,127; const s 16 ~0.001,0.01; dw = "
                   "DequantizeLinear w s axis=0; c = Conv x dw; y = Relu c; out y");
    test_run run = run_make(model, &device, 1, NULL);
    run_once(&run);
    assert_true(distance_to_reference(model, &run) <= 1e-5);
    assert_string_equal(step_of(run.session, "y")->op, "Conv");
    assert_string_equal(step_of(run.session, "y")->fused, "Relu");
    assert_null(step_of(run.session, "dw"));
    run_free(&run);
    cvk_model_free(&model);
}

/* A value that float nodes read too keeps its DequantizeLinear for them. */
static void float_readers_keep_theirs(void **state)
{
    (void)state;
    cvk_model *model =
        model_text(CONV DQ_CONV "y = QuantizeLinear c sy zy; d = DequantizeLinear y sy zy; e = "
                                "Sigmoid d; out y; out e");
    test_run run = run_make(model, &device, 1, NULL);
    cvk_tensor want[2];
    run_once(&run);
    cvk_model *meaning =
        model_text(CONV "y = " Q_CONV "d = DequantizeLinear y sy zy; e = Sigmoid d; out y; out e");
    model_reference(meaning, run.in, run.n_in, want, 2);
    expect_same(&run.out[0], &want[0], "y");
    assert_true(tensor_distance(&run.out[1], &want[1]) <= 1e-6);
    for (int i = 0; i < 2; i++) free(want[i].data);
    run_free(&run);
    cvk_model_free(&meaning);
    cvk_model_free(&model);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pattern_is_one_step),
        cmocka_unit_test(patterns_run_unfused),
        cmocka_unit_test(averages),
        cmocka_unit_test(what_does_not_fit_stays_float),
        cmocka_unit_test(weights_alone_become_floats),
        cmocka_unit_test(float_readers_keep_theirs),
    };
    const char *name = argc > 1 ? argv[1] : "cpu";
    const cvk_device_options options = {.threads = 3};
    if (cvk_device_open(name, &options, &device)) {
        printf("skipped: %s\n", cvk_last_error());
        return 77;
    }
    device->share_all = true; /* small as the networks are */
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cvk_device_close(&device);
    return failed;
}
