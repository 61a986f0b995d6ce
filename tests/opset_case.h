/* SPDX-License-Identifier: Apache-2.0
 *
 * One node of one operator set as a line of text, for tests of what differs between sets: it is
 * built with the public API, computed by its reference and by a session on the CPU, and saved, so
 * that onnx.checker sees it.
 */
#ifndef CVK_TESTS_OPSET_CASE_H
#define CVK_TESTS_OPSET_CASE_H

#include <stdbool.h>

#include <convoke/convoke.h>

/* inputs, want: tensors separated by '|', each "TYPE SHAPE: ELEMENTS" such as "f32 2x3: 1 2 3 4 5 6"
 * or "i64 scalar: 1"; "f32 0:" is empty. An input that begins with '=' is a constant; "-" is absent.
 * attrs: words "name=KIND:VALUE" with KIND i, f, s, is or fs; lists with commas.
 * want "!TEXT": the node of one output ("!!": two) must be refused with a sentence that holds TEXT.
 */
typedef struct opset_case {
    const char *op;
    int opset;
    const char *inputs, *attrs, *want;
    bool unsaved; /* onnx.checker is wrong about it */
} opset_case;

/* Fails the test with a sentence that names the case unless all is as wanted. folder: where the
 * model goes, as OP_OPSET_NUMBER.onnx; NULL: it is not saved. */
void opset_case_check(const opset_case *c, int number, cvk_device *cpu, const char *folder);

/* Element type by its short name ("f16", "i8", "bool" ...). */
cvk_dtype opset_dtype(const char *name);

#endif
