/* SPDX-License-Identifier: Apache-2.0
 *
 * References of the element-wise operators: one input through an activation, or any number of
 * inputs, broadcast, through a binary operation. In double; exactly where all types are integers.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "ops/common.h"

/* wide: x as a double, which knows the sign of an unsigned number. */
static void set_int(const cvk_act *act, cvk_view *dst, int64_t i, int64_t x, double wide)
{
    if (act->kind == CVK_ACT_RELU && wide < 0)
        cvk_view_set_int(dst, i, 0);
    else if (act->kind == CVK_ACT_CLIP && wide > act->b)
        cvk_view_set(dst, i, act->b);
    else if (act->kind == CVK_ACT_CLIP && wide < act->a)
        cvk_view_set(dst, i, act->a < act->b ? act->a : act->b);
    else if (act->kind == CVK_ACT_NEG || (act->kind == CVK_ACT_ABS && wide < 0))
        cvk_view_set_int(dst, i, (int64_t)(0 - (uint64_t)x));
    else if (act->kind == CVK_ACT_SIGN)
        cvk_view_set_int(dst, i, (wide > 0) - (wide < 0));
    else
        cvk_view_set_int(dst, i, x);
}

static bool is_exact(cvk_act_kind kind)
{
    return kind == CVK_ACT_NONE || kind == CVK_ACT_RELU || kind == CVK_ACT_CLIP ||
           kind == CVK_ACT_ABS || kind == CVK_ACT_NEG || kind == CVK_ACT_SIGN;
}

cvk_status cvk_reference_act(const cvk_act *act, const cvk_view *src, cvk_view *dst)
{
    int64_t count = cvk_view_count(src);
    bool exact =
        !cvk_dtype_is_float(src->dtype) && !cvk_dtype_is_float(dst->dtype) && is_exact(act->kind);
    for (int64_t i = 0; i < count; i++) {
        if (exact)
            set_int(act, dst, i, cvk_view_get_int(src, i), cvk_view_get(src, i));
        else
            cvk_view_set(dst, i, cvk_act_apply(act, cvk_view_get(src, i)));
    }
    return CVK_OK;
}

cvk_status cvk_reference_unary(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                               int n_out)
{
    (void)n_in;
    (void)n_out;
    const cvk_unary_params *unary = params;
    return cvk_reference_act(&unary->act, &in[0], &out[0]);
}

/* base^exponent, wrapping; exponents below 0 leave 0 but for the bases 1 and -1. */
static int64_t power_int(int64_t base, int64_t exponent)
{
    if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent % 2 ? -1 : 1) : 0;
    uint64_t result = 1, square = (uint64_t)base;
    for (; exponent; exponent >>= 1, square *= square)
        if (exponent & 1) result *= square;
    return (int64_t)result;
}

/* Truncating division; b is not 0. */
static int64_t divide_int(int64_t a, int64_t b, bool is_unsigned)
{
    if (is_unsigned) return (int64_t)((uint64_t)a / (uint64_t)b);
    return b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
}

/* The remainder of truncating division; b is not 0. floored: of flooring division. */
static int64_t modulo_int(int64_t a, int64_t b, bool is_unsigned, bool floored)
{
    if (is_unsigned) return (int64_t)((uint64_t)a % (uint64_t)b);
    int64_t rest = b == -1 ? 0 : a % b;
    return floored && rest && (rest < 0) != (b < 0) ? rest + b : rest;
}

static int64_t apply_int(cvk_binary_kind kind, int64_t a, int64_t b, bool is_unsigned)
{
    uint64_t ua = (uint64_t)a, ub = (uint64_t)b;
    bool less = is_unsigned ? ua < ub : a < b;
    switch (kind) {
    case CVK_BINARY_ADD: return (int64_t)(ua + ub);
    case CVK_BINARY_SUB: return (int64_t)(ua - ub);
    case CVK_BINARY_MUL: return (int64_t)(ua * ub);
    case CVK_BINARY_DIV: return divide_int(a, b, is_unsigned);
    case CVK_BINARY_POW: return power_int(a, b);
    case CVK_BINARY_MIN: return less ? a : b;
    case CVK_BINARY_MAX: return less ? b : a;
    case CVK_BINARY_PRELU: return !is_unsigned && a < 0 ? (int64_t)(ua * ub) : a;
    case CVK_BINARY_MOD:
    case CVK_BINARY_FMOD: return modulo_int(a, b, is_unsigned, kind == CVK_BINARY_MOD);
    case CVK_BINARY_EQUAL: return a == b;
    case CVK_BINARY_LESS: return less;
    case CVK_BINARY_LESS_EQUAL: return less || a == b;
    case CVK_BINARY_GREATER: return !less && a != b;
    case CVK_BINARY_GREATER_EQUAL: return !less;
    case CVK_BINARY_AND: return a && b;
    case CVK_BINARY_OR: return a || b;
    case CVK_BINARY_XOR: return !a != !b;
    case CVK_BINARY_BIT_AND: return a & b;
    case CVK_BINARY_BIT_OR: return a | b;
    case CVK_BINARY_BIT_XOR: return a ^ b;
    case CVK_BINARY_SHIFT_LEFT: return ub < 64 ? (int64_t)(ua << ub) : 0;
    case CVK_BINARY_SHIFT_RIGHT: return ub < 64 ? (int64_t)(ua >> ub) : 0;
    case CVK_BINARY_COUNT: break;
    }
    return a;
}

static bool all_integers(const cvk_view *in, int n_in, const cvk_view *out)
{
    bool integers = !cvk_dtype_is_float(out->dtype);
    for (int i = 0; i < n_in; i++) integers = integers && !cvk_dtype_is_float(in[i].dtype);
    return integers;
}

typedef int64_t index_row[CVK_MAX_RANK];

static cvk_status combine_int(cvk_binary_kind kind, const cvk_view *in, int n_in,
                              const int64_t *index, index_row *strides, cvk_view *out, int64_t at)
{
    int rank = out->shape.rank;
    int64_t value = cvk_view_get_int(&in[0], cvk_index_dot(index, strides[0], rank));
    for (int i = 1; i < n_in; i++) {
        int64_t b = cvk_view_get_int(&in[i], cvk_index_dot(index, strides[i], rank));
        if (b == 0 && (kind == CVK_BINARY_DIV || kind == CVK_BINARY_MOD || kind == CVK_BINARY_FMOD))
            return cvk_fail(CVK_BAD_INPUT, "integer division by zero at element %" PRId64, at);
        value = apply_int(kind, value, b, in[0].dtype == CVK_U64);
    }
    cvk_view_set_int(out, at, value);
    return CVK_OK;
}

static void combine(cvk_binary_kind kind, const cvk_view *in, int n_in, const int64_t *index,
                    index_row *strides, cvk_view *out, int64_t at)
{
    int rank = out->shape.rank;
    double value = cvk_view_get(&in[0], cvk_index_dot(index, strides[0], rank));
    for (int i = 1; i < n_in; i++)
        value = cvk_binary_apply(kind, value,
                                 cvk_view_get(&in[i], cvk_index_dot(index, strides[i], rank)));
    cvk_view_set(out, at, value);
}

cvk_status cvk_reference_binary(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                                int n_out)
{
    (void)n_out;
    cvk_binary_kind kind = ((const cvk_binary_params *)params)->kind;
    bool integers = all_integers(in, n_in, out);
    if (cvk_view_count(out) <= 0) return CVK_OK;
    index_row *strides = malloc((size_t)n_in * sizeof *strides);
    if (!strides) return cvk_fail(CVK_NO_MEMORY, "out of memory: strides of %d inputs", n_in);
    for (int i = 0; i < n_in; i++)
        cvk_shape_broadcast_strides(&in[i].shape, &out->shape, strides[i]);
    cvk_status status = CVK_OK;
    int64_t index[CVK_MAX_RANK] = {0}, at = 0;
    do {
        if (integers)
            status = combine_int(kind, in, n_in, index, strides, out, at);
        else
            combine(kind, in, n_in, index, strides, out, at);
        at++;
    } while (!status && cvk_index_next(&out->shape, index));
    free(strides);
    return status;
}
