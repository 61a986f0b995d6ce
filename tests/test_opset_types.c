/* SPDX-License-Identifier: Apache-2.0
 *
 * The element types that operators take, as the newest operator set that Convoke reads lists them:
 * a small node gives the same numbers in each, and every other type is refused by its name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "opset_case.h"

#define FLOATS " f64 f32 f16 "
#define BYTES " i8 u8 "
#define SIGNED " i8 i16 i32 i64 "
#define WIDE " i32 i64 u32 u64 "
#define NUMBERS FLOATS SIGNED " u8 u16 u32 u64 "
#define ALL NUMBERS " bool "

/* "?" in inputs and outputs stands for the type. */
static const struct {
    opset_case node;
    const char *types;
} rows[] = {
#define CASE(op, opset, inputs, attrs, want, types) {{op, opset, inputs, attrs, want, true}, types},
#include "opset_types.def"
#undef CASE
};
enum { ROWS = sizeof rows / sizeof *rows, TEXT = 512 };

static const char *with_type(const char *text, const char *type, char out[TEXT])
{
    size_t at = 0;
    for (; *text; text++) {
        assert_true(at < TEXT - 8);
        if (*text == '?')
            at += (size_t)snprintf(out + at, TEXT - at, "%s", type);
        else
            out[at++] = *text;
    }
    out[at] = 0;
    return out;
}

static bool is_listed(const char *types, const char *type)
{
    char word[8];
    snprintf(word, sizeof word, " %s ", type);
    return strstr(types, word) != NULL;
}

static void every_type(void **state)
{
    static const char *const types[] = {"f16", "f32", "f64", "i8",  "i16", "i32",
                                        "i64", "u8",  "u16", "u32", "u64", "bool"};
    char inputs[TEXT], want[TEXT];
    cvk_device *cpu = NULL;
    int taken = 0, refused = 0;
    (void)state;
    assert_int_equal(cvk_device_open("cpu", NULL, &cpu), CVK_OK);
    for (int r = 0; r < ROWS; r++) {
        for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
            opset_case c = rows[r].node;
            bool listed = is_listed(rows[r].types, types[t]);
            c.inputs = with_type(c.inputs, types[t], inputs);
            snprintf(want, sizeof want, "!%s", cvk_dtype_name(opset_dtype(types[t])));
            c.want = listed ? with_type(c.want, types[t], want) : want;
            opset_case_check(&c, r, cpu, NULL);
            taken += listed;
            refused += !listed;
        }
    }
    cvk_device_close(&cpu);
    printf("%d operators, %d types taken, %d refused\n", ROWS, taken, refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_type)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
