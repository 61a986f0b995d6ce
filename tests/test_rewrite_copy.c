/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies that become one, Reshapes between them, copies of whole planes that stay in the blocked
 * layout: how many steps are left, by which row, and that the numbers are the model's.
 *     test_rewrite_copy [device]
 */
#include <stdio.h>
#include <string.h>

#include "tests/model_reference.h"

static cvk_device *device;

/* How many steps have this operator and, unless NULL, this row. */
static int count_steps(const cvk_session *session, const char *op, const char *kernel)
{
    cvk_step_info step;
    int count = 0;
    for (int i = 0; cvk_session_step(session, i, &step) == CVK_OK; i++)
        count += strcmp(step.op, op) == 0 && (!kernel || strcmp(step.kernel, kernel) == 0);
    return count;
}

/* Whether some step names the model's node. */
static bool names(const cvk_session *session, const char *node)
{
    cvk_step_info step;
    for (int i = 0; cvk_session_step(session, i, &step) == CVK_OK; i++)
        for (const char *at = strstr(step.nodes, node); at; at = strstr(at + 1, node))
            if ((at == step.nodes || at[-1] == ',') &&
                (at[strlen(node)] == 0 || at[strlen(node)] == ','))
                return true;
    return false;
}

/* Fused and not, the same numbers; `copies` Copy steps and `reorders` Reorder steps are left. */
static void check(const char *text, int copies, const char *kernel, int reorders)
{
    cvk_model *model = model_text(text);
    const cvk_session_options as_it_is = {.no_fuse = true},
                              rewritten = {.fuse = FUSE_ALL_BUT_CHOICE};
    test_run plain = run_make(model, &device, 1, &as_it_is),
             run = run_make(model, &device, 1, &rewritten);
    run_once(&plain);
    run_once(&run);
    expect_reference(model, &plain);
    expect_reference(model, &run);
    const int found = count_steps(run.session, "Copy", kernel),
              turned = count_steps(run.session, "Reorder", NULL);
    if (found != copies || count_steps(run.session, "Copy", NULL) != copies ||
        (reorders >= 0 && turned != reorders))
        fail_msg("%s\n%d copies, %d reorders\n%s", text, found, turned,
                 cvk_session_describe(run.session));
    run_free(&plain);
    run_free(&run);
    cvk_model_free(&model);
}

/* x in the blocked layout, and so is what reads y. */
#define BETWEEN_CONVOLUTIONS(channels, halves, rest)                                               \
    "in i 2x16x5x6; const w " channels "x16x1x1; x = Conv i w; const u 8x" halves "x1x1\n" rest    \
    "\nz = Conv y u; out z"

static void shuffles_are_copies_of_planes(void **state)
{
    (void)state;
    check(BETWEEN_CONVOLUTIONS("24", "24",
                               "const s 5:i64 =2,2,12,5,6; const t 4:i64 =2,24,5,6\n"
                               "a = Reshape x s; b = Transpose a perm=[0,2,1,3,4]\n"
                               "y = Reshape b t"),
          1, "copy_blocked", 2);
    check(BETWEEN_CONVOLUTIONS("24", "12",
                               "const s 5:i64 =2,2,12,5,6; const t 4:i64 =2,24,5,6\n"
                               "const k 2:i64 =12,12\n"
                               "a = Reshape x s; b = Transpose a perm=[0,2,1,3,4]\n"
                               "c = Reshape b t; e,f = Split c k axis=1; g = Relu e\n"
                               "y = Add g f"),
          2, "copy_blocked", 2);
    /* three groups; channels that do not fill a block */
    check(BETWEEN_CONVOLUTIONS("33", "33",
                               "const s 5:i64 =2,3,11,5,6; const t 4:i64 =2,33,5,6\n"
                               "a = Reshape x s; b = Transpose a perm=[0,2,1,3,4]\n"
                               "y = Reshape b t"),
          1, "copy_blocked", 2);
}

static void slices_of_channels_stay_blocked(void **state)
{
    (void)state;
    check(BETWEEN_CONVOLUTIONS("40", "17",
                               "const b 1:i64 =5; const e 1:i64 =22; const a 1:i64 =1\n"
                               "y = Slice x b e a"),
          1, "copy_blocked", 2);
    check(BETWEEN_CONVOLUTIONS("40", "13",
                               "const b 1:i64 =38; const e 1:i64 =-100; const a 1:i64 =1\n"
                               "const p 1:i64 =-3; y = Slice x b e a p"),
          1, "copy_blocked", 2);
    /* a slice of a slice */
    check(BETWEEN_CONVOLUTIONS("40", "3",
                               "const b 1:i64 =5; const e 1:i64 =29; const a 1:i64 =1\n"
                               "const p 1:i64 =4; c = Slice x b e a; const f 1:i64 =9\n"
                               "const g 1:i64 =18; y = Slice c f g a p"),
          1, "copy_blocked", 2);
    /* of pixels: not planes */
    check("in i 2x16x5x6; const w 40x16x1x1; x = Conv i w; const b 1:i64 =1; const e 1:i64 =4\n"
          "const a 1:i64 =2; y = Slice x b e a; out y",
          1, "copy", -1);
}

static void channels_go_last_from_blocks(void **state)
{
    (void)state;
    check("in i 2x16x5x6; const w 23x16x1x1; x = Conv i w; y = Transpose x perm=[0,2,3,1]; out y",
          1, "copy_last", 1);
    check("in i 1x16x5x6; const w 48x16x1x1; x = Conv i w; y = Transpose x perm=[0,2,3,1]\n"
          "const s 3:i64 =1,-1,4; z = Reshape y s; out z",
          1, "copy_last", 1);
    check("in i 2x16x7; const w 20x16x1; x = Conv i w; y = Transpose x perm=[0,2,1]; out y", 1,
          "copy_last", 1);
}

static void copies_of_copies_are_one(void **state)
{
    (void)state;
    check("in x 2x3x4x5; a = Transpose x perm=[0,2,3,1]; b = Transpose a perm=[0,3,1,2]\n"
          "y = Neg b; out y",
          0, NULL, 0);
    check("in x 2x3x4x5; a = Transpose x perm=[0,2,3,1]; b = Transpose a perm=[3,0,1,2]; out b", 1,
          "copy", 0);
    /* the first is read by others too */
    check("in x 2x6x4x5; a = Transpose x perm=[0,2,3,1]; const k 2:i64 =3,3\n"
          "b,c = Split a k axis=3; y = Add b c; z = Neg a; out y; out z",
          3, "copy", 0);
    /* columns 2 to 4 of rows, seen as columns of another number of rows: no one walk */
    check("in x 6x7; const b 1:i64 =2; const e 1:i64 =5; const a 1:i64 =1; const s 2:i64 =9,2\n"
          "c = Slice x b e a; d = Reshape c s; const f 1:i64 =1; const g 1:i64 =2\n"
          "y = Slice d f g a; out y",
          2, "copy", 0);
    /* expanded, then sliced */
    check("in x 3x1x4; const s 3:i64 =3,5,4; a = Expand x s; const b 1:i64 =1; const e 1:i64 =4\n"
          "const k 1:i64 =1; y = Slice a b e k; out y",
          1, "copy", 0);
}

/* What a copy took over is still found in the plan. */
static void names_of_what_went(void **state)
{
    (void)state;
    cvk_model *model = model_text(BETWEEN_CONVOLUTIONS(
        "24", "12",
        "const s 5:i64 =2,2,12,5,6; const t 4:i64 =2,24,5,6; const k 2:i64 =12,12\n"
        "sh = Reshape x s; tr = Transpose sh perm=[0,2,1,3,4]; re = Reshape tr t\n"
        "le,ri = Split re k axis=1; y = Add le ri"));
    test_run run = run_make(model, &device, 1, NULL);
    static const char *const nodes[] = {"sh", "tr", "re", "le"};
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        if (!names(run.session, nodes[i]))
            fail_msg("'%s' is in no step\n%s", nodes[i], cvk_session_describe(run.session));
    run_free(&run);
    cvk_model_free(&model);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(shuffles_are_copies_of_planes),
        cmocka_unit_test(slices_of_channels_stay_blocked),
        cmocka_unit_test(channels_go_last_from_blocks),
        cmocka_unit_test(copies_of_copies_are_one),
        cmocka_unit_test(names_of_what_went),
    };
    return run_device_tests(argc, argv, &device, tests, sizeof tests / sizeof *tests);
}
