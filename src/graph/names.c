/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of operator kinds, activations, binary operations and element types.
 */
#include "graph/graph.h"

const char *cvk_op_kind_name(cvk_op_kind op)
{
    static const char *const names[] = {
#define X(Name) #Name,
#define XI(Name) #Name,
#include "graph/ops.def"
#undef X
#undef XI
    };
    return op < CVK_OP_COUNT ? names[op] : "unknown";
}

const char *cvk_act_name(cvk_act_kind kind)
{
    static const char *const names[] = {
#define ACT_NAME(id, text) text,
        CVK_ACT_LIST(ACT_NAME)
#undef ACT_NAME
    };
    return kind < CVK_ACT_COUNT ? names[kind] : "unknown";
}

const char *cvk_binary_name(cvk_binary_kind kind)
{
    static const char *const names[] = {
#define BINARY_NAME(id, text) text,
        CVK_BINARY_LIST(BINARY_NAME)
#undef BINARY_NAME
    };
    return kind < CVK_BINARY_COUNT ? names[kind] : "unknown";
}

const char *cvk_dtype_name(cvk_dtype dtype)
{
    switch (dtype) {
#define DTYPE_CASE(name, value, text, bytes)                                                       \
    case name: return text;
        CVK_DTYPE_LIST(DTYPE_CASE)
#undef DTYPE_CASE
    case CVK_NONE: return "none";
    }
    return "unknown";
}

const char *cvk_dtype_foreign_name(int64_t number)
{
    static const char *const foreign[] = {
        [0] = "undefined",       [8] = "string",      [14] = "complex64",
        [15] = "complex128",     [16] = "bfloat16",   [17] = "float8e4m3fn",
        [18] = "float8e4m3fnuz", [19] = "float8e5m2", [20] = "float8e5m2fnuz",
        [21] = "uint4",          [22] = "int4",       [23] = "float4e2m1",
        [24] = "float8e8m0",     [25] = "uint2",      [26] = "int2"};
    bool known = number >= 0 && number < (int64_t)(sizeof foreign / sizeof *foreign);
    return known && foreign[number] ? foreign[number] : "unknown";
}

size_t cvk_dtype_bytes(cvk_dtype dtype)
{
    switch (dtype) {
#define DTYPE_CASE(name, value, text, bytes)                                                       \
    case name: return bytes;
        CVK_DTYPE_LIST(DTYPE_CASE)
#undef DTYPE_CASE
    case CVK_NONE: return 0;
    }
    return 0;
}
