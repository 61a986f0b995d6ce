/* SPDX-License-Identifier: Apache-2.0
 *
 * Activations that a model spells out as many nodes: which are found, and that the result is that of
 * the nodes.
 *     test_rewrite_act [device]
 */
#include <stdio.h>
#include <string.h>

#include "tests/model_reference.h"

static cvk_device *device;

/* The network is what its nodes mean, and the plan has the activation by name, or has it not. */
static void check_act(const char *text, const char *name, bool found)
{
    cvk_model *model = model_text(text);
    test_run run = run_make(model, &device, 1, NULL);
    run_once(&run);
    double distance = distance_to_reference(model, &run);
    const char *plan = cvk_session_describe(run.session);
    if (!(distance <= 1e-5) || (strstr(plan, name) != NULL) != found)
        fail_msg("%s\n%g away, %s is expected%s\n%s", text, distance, name,
                 found ? "" : " to be absent", plan);
    run_free(&run);
    cvk_model_free(&model);
}

static void spelt_out_activations_are_one_function(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name;
        bool found;
    } rows[] = {
        {"s = Mul x a; g = Sigmoid s; y = Mul x g", "Swish", true},
        {"s = Mul x a; g = Sigmoid s; y = Mul s g", "Swish", true},
        {"t = Softplus x; g = Tanh t; y = Mul g x", "Mish", true},
        {"g = HardSigmoid x alpha=0.16666667 beta=0.5; y = Mul x g", "HardSwish", true},
        {"s = Add x three; g = Clip s zero six; t = Mul x g; y = Div t six", "HardSwish", true},
        {"s = Add three x; g = Clip s zero six; t = Div g six; y = Mul t x", "HardSwish", true},
        {"s = Div x root; e = Erf s; g = Add e one; t = Mul x g; y = Mul t half", "Gelu", true},
        {"s = Div x root; e = Erf s; g = Add e one; h = Mul x half; y = Mul h g", "Gelu", true},
        {"s = Mul x inverse; e = Erf s; g = Add one e; h = Mul half g; y = Mul h x", "Gelu", true},
        {"p = Pow x three; q = Mul p small; r = Add x q; s = Mul r scale; e = Tanh s\n"
         "g = Add e one; h = Mul x half; y = Mul h g",
         "Gelu/tanh", true},
        {"p = Mul x x; q = Mul p x; q2 = Mul small q; r = Add q2 x; s = Mul scale r; e = Tanh s\n"
         "g = Add e one; h = Mul half g; y = Mul h x",
         "Gelu/tanh", true},
        {"c = Mul x a; s = Div c root; e = Erf s; g = Add e one; t = Mul c g; y = Mul t half",
         "Gelu", true},
        /* an inner value that others read stays as well */
        {"s = Div x root; e = Erf s; g = Add e one; t = Mul x g; y = Mul t half; out g", "Gelu",
         true},
        /* times another constant */
        {"s = Div x root; e = Erf s; g = Add e one; t = Mul s g; y = Mul t half", "Gelu", true},
        {"s = Div x root; e = Erf s; g = Add e one; t = Mul x g; y = Mul t a", "Gelu", true},
        {"s = Add x three; g = Clip s zero six; t = Mul x a; y = Mul t g", "HardSwish", true},
        {"s = Add x three; g = Clip s zero six; y = Mul x g; z = Mul y a; out z", "HardSwish",
         true},
        /* almost, but not those */
        {"s = Div x three; e = Erf s; g = Add e one; t = Mul x g; y = Mul t half", "Gelu", false},
        {"g = HardSigmoid x alpha=0.2 beta=0.5; y = Mul x g", "HardSwish", false},
        {"s = Add x three; g = Clip s zero three; t = Mul x g; y = Div t six", "HardSwish", false},
        {"t = Softplus x; g = Tanh t; y = Mul g t", "Mish", false},
        {"g = Sigmoid x; y = Mul wide g", "Swish", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[1024];
        snprintf(text, sizeof text,
                 "in x 2x17x5; in wide 3x1x1x5\nconst a s =0.7; const half s =0.5; const one s =1; "
                 "const six s =6\n"
                 "const three s =3; const zero s =0; const root s =1.41421356\n"
                 "const inverse s =0.70710678; const small s =0.044715; const scale s =0.79788456\n"
                 "%s; out y",
                 rows[i].text);
        check_act(text, rows[i].name, rows[i].found);
    }
}

/* Constants added and multiplied behind an activation are part of the convolution's step. */
static void constants_behind_an_activation(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "h = HardSwish c; m = Mul a h; y = Add m three",
        "h = Sigmoid c; m = Div h three; s = Sub one m; n = Sub s a; y = Mul n six",
        "s = Add c three; g = Clip s zero six; t = Mul a c; y = Mul t g",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[512];
        snprintf(
            text, sizeof text,
            "in x 1x16x9x11; const w 20x16x3x3; const a s =0.7; const one s =1; const six s =6\n"
            "const three s =3; const zero s =0; c = Conv x w; %s; out y",
            rows[i]);
        cvk_model *model = model_text(text);
        test_run run = run_make(model, &device, 1, NULL);
        run_once(&run);
        assert_true(distance_to_reference(model, &run) <= 1e-5);
        cvk_step_info step;
        int working = 0;
        for (int k = 0; cvk_session_step(run.session, k, &step) == CVK_OK; k++)
            working += strcmp(step.op, "Reorder") != 0 && strcmp(step.op, "Transfer") != 0;
        if (working != 1)
            fail_msg("%s\n%d steps\n%s", text, working, cvk_session_describe(run.session));
        run_free(&run);
        cvk_model_free(&model);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constants_behind_an_activation),
        cmocka_unit_test(spelt_out_activations_are_one_function),
    };
    if (cvk_device_open(argc > 1 ? argv[1] : "cpu", NULL, &device)) {
        printf("skipped: %s\n", cvk_last_error());
        return 77;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cvk_device_close(&device);
    return failed;
}
