/* SPDX-License-Identifier: Apache-2.0
 *
 * What operators mean in the operator sets 7 to 21 where that differs: the same small node under
 * the older and the newer set. Source: the change log of ONNX's operators.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "opset_case.h"

static const opset_case cases[] = {
#define CASE(op, opset, inputs, attrs, want) {op, opset, inputs, attrs, want, false},
#define UNSAVED(op, opset, inputs, attrs, want) {op, opset, inputs, attrs, want, true},
#include "opset_cases.def"
#undef CASE
#undef UNSAVED
};
enum { CASES = sizeof cases / sizeof *cases };

static void all_cases(void **state)
{
    cvk_device *cpu = NULL;
    (void)state;
    mkdir(OUT_DIR, 0777);
    assert_int_equal(cvk_device_open("cpu", NULL, &cpu), CVK_OK);
    for (int i = 0; i < CASES; i++) opset_case_check(&cases[i], i, cpu, OUT_DIR);
    cvk_device_close(&cpu);
    printf("%d cases\n", CASES);
}

static void sets_that_can_be_built(void **state)
{
    (void)state;
    for (int opset = 0; opset <= 22; opset++) {
        cvk_model *model = NULL;
        cvk_model_info info;
        bool fine = opset == 0 || (opset >= 7 && opset <= 21);
        assert_int_equal(cvk_model_create("m", opset, &model), fine ? CVK_OK : CVK_BAD_ARGUMENT);
        if (!fine) {
            assert_non_null(strstr(cvk_last_error(), "7 to 21"));
            continue;
        }
        assert_int_equal(cvk_model_get_info(model, &info), CVK_OK);
        assert_int_equal(info.opset, opset ? opset : 13);
        cvk_model_free(&model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_cases),
        cmocka_unit_test(sets_that_can_be_built),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
