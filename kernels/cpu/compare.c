/* SPDX-License-Identifier: Apache-2.0
 *
 * Binary with a result of bool: comparisons of float32 and integers, and, or, xor of bools, with
 * numpy broadcasting. The innermost dimension is a row along which an operand moves or stays.
 */
#include "kernels/cpu/broadcast.h"
#include "kernels/cpu/vec.h"

typedef struct state {
    cvk_binary_kind kind;
    cvk_dtype dtype;
    broadcast over;
} state;

CVK_INLINE bool holds_float(cvk_binary_kind kind, float a, float b)
{
    switch (kind) {
    case CVK_BINARY_EQUAL: return a == b;
    case CVK_BINARY_LESS: return a < b;
    case CVK_BINARY_LESS_EQUAL: return a <= b;
    case CVK_BINARY_GREATER: return a > b;
    default: return a >= b;
    }
}

CVK_INLINE bool holds_int(cvk_binary_kind kind, int64_t a, int64_t b)
{
    switch (kind) {
    case CVK_BINARY_EQUAL: return a == b;
    case CVK_BINARY_LESS: return a < b;
    case CVK_BINARY_LESS_EQUAL: return a <= b;
    case CVK_BINARY_GREATER: return a > b;
    case CVK_BINARY_GREATER_EQUAL: return a >= b;
    case CVK_BINARY_AND: return a && b;
    case CVK_BINARY_OR: return a || b;
    default: return !a != !b;
    }
}

CVK_INLINE int64_t load_int(cvk_dtype dtype, const void *src, int64_t i)
{
    switch (dtype) {
    case CVK_I64: return ((const int64_t *)src)[i];
    case CVK_I32: return ((const int32_t *)src)[i];
    case CVK_I8: return ((const int8_t *)src)[i];
    default: return ((const uint8_t *)src)[i];
    }
}

CVK_INLINE void row(cvk_binary_kind kind, cvk_dtype dtype, const state *s, const void *a,
                    int64_t from_a, const void *b, int64_t from_b, uint8_t *dst, int n)
{
    for (int i = 0; i < n; i++) {
        int64_t at = from_a + i * s->over.step[0], bt = from_b + i * s->over.step[1];
        dst[i] = dtype == CVK_F32
                     ? holds_float(kind, ((const float *)a)[at], ((const float *)b)[bt])
                     : holds_int(kind, load_int(dtype, a, at), load_int(dtype, b, bt));
    }
}

CVK_INLINE void row_of_type(cvk_dtype dtype, const state *s, const void *a, int64_t from_a,
                            const void *b, int64_t from_b, uint8_t *dst, int n)
{
    switch (s->kind) {
    case CVK_BINARY_EQUAL: row(CVK_BINARY_EQUAL, dtype, s, a, from_a, b, from_b, dst, n); break;
    case CVK_BINARY_LESS: row(CVK_BINARY_LESS, dtype, s, a, from_a, b, from_b, dst, n); break;
    case CVK_BINARY_GREATER: row(CVK_BINARY_GREATER, dtype, s, a, from_a, b, from_b, dst, n); break;
    default: row(s->kind, dtype, s, a, from_a, b, from_b, dst, n); break;
    }
}

static void any_row(const state *s, const void *a, int64_t from_a, const void *b, int64_t from_b,
                    uint8_t *dst, int n)
{
    switch (s->dtype) {
    case CVK_F32: row_of_type(CVK_F32, s, a, from_a, b, from_b, dst, n); break;
    case CVK_I64: row_of_type(CVK_I64, s, a, from_a, b, from_b, dst, n); break;
    case CVK_I32: row_of_type(CVK_I32, s, a, from_a, b, from_b, dst, n); break;
    case CVK_I8: row_of_type(CVK_I8, s, a, from_a, b, from_b, dst, n); break;
    default: row_of_type(CVK_U8, s, a, from_a, b, from_b, dst, n); break;
    }
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const state *s = step->state;
    uint8_t *dst = step->out[0].data;
    int begin, end;
    row_share(s->over.rows * s->over.length, worker, workers, &begin, &end);
    broadcast_at at = broadcast_seek(&s->over, begin, end);
    for (; at.n > 0; broadcast_next(&s->over, &at))
        any_row(s, step->in[0].data, at.offset[0], step->in[1].data, at.offset[1], dst + at.begin,
                at.n);
    return CVK_OK;
}

static cvk_status prepare(cvk_device *device, cvk_step *step)
{
    (void)device;
    state *s = cvk_step_alloc(step, sizeof *s);
    if (!s) return CVK_NO_MEMORY;
    broadcast_make(&s->over, step, 2);
    s->kind = ((const cvk_binary_params *)step->node->params)->kind;
    s->dtype = step->in[0].dtype;
    step->state = s;
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    cvk_binary_kind kind = ((const cvk_binary_params *)p->node->params)->kind;
    if (kind < CVK_BINARY_EQUAL || kind > CVK_BINARY_XOR)
        return row_refuse(why_not, "not a comparison");
    switch (p->in[0].dtype) {
    case CVK_F32:
    case CVK_I64:
    case CVK_I32:
    case CVK_I8:
    case CVK_U8:
    case CVK_BOOL: return row_sized(p, why_not) && row_no_posts(p, why_not);
    default: return row_refuse(why_not, "a type that is seldom compared");
    }
}

const cvk_kernel CVK_FN(cvk_cpu_compare) = {
    .op = CVK_OP_Binary,
    .name = "compare",
    .accepts = accepts,
    .prepare = prepare,
    .run = run,
};
