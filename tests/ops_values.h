/* SPDX-License-Identifier: Apache-2.0
 *
 * Values and attributes for the tests of the operators that move, convert and reduce.
 */
#ifndef CVK_TESTS_OPS_VALUES_H
#define CVK_TESTS_OPS_VALUES_H

#include "ops_graph.h"

/* A constant vector of int64, or of a type of one byte. */
#define ints(g, ...)                                                                               \
    ops_constant(g, CVK_I64, DIMS((int64_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t))),  \
                 (int64_t[]){__VA_ARGS__})
#define bytes(g, type, ...)                                                                        \
    ops_constant(g, type, DIMS((int64_t)sizeof((unsigned char[]){__VA_ARGS__})),                   \
                 (unsigned char[]){__VA_ARGS__})

/* clang-format off */
#define ATTR_FLOATS(n, ...)                                                                        \
    {.name = n,                                                                                    \
     .kind = CVK_ATTR_FLOATS,                                                                      \
     .count = sizeof((float[]){__VA_ARGS__}) / sizeof(float),                                      \
     .floats = (float[]){__VA_ARGS__}}
#define ATTR_TENSOR(n, value) {.name = n, .kind = CVK_ATTR_TENSOR, .tensor = value}
/* clang-format on */

/* A constant float32: 0, 1, 2 ... */
static inline int counting(ops_graph *g, cvk_shape shape)
{
    float data[256];
    for (int i = 0; i < 256; i++) data[i] = (float)i;
    assert_in_range(cvk_shape_count(&shape), 0, 256);
    return ops_constant(g, CVK_F32, shape, data);
}

static inline void expect_dtype(const ops_graph *g, int value, cvk_dtype dtype)
{
    assert_string_equal(cvk_dtype_name(g->graph->values[value].dtype), cvk_dtype_name(dtype));
}

#endif
