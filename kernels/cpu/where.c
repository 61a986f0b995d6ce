/* SPDX-License-Identifier: Apache-2.0
 *
 * Where: elements of X or Y by a condition, all three with numpy broadcasting, of any type by its
 * size. The innermost dimension is a row along which an operand moves or stays.
 */
#include "kernels/cpu/broadcast.h"
#include "kernels/cpu/element.h"
#include "kernels/cpu/vec.h"

typedef struct state {
    broadcast over; /* operands: condition, X, Y */
} state;

CVK_INLINE void row(const int64_t *step, const uint8_t *holds, const char *x, const char *y,
                    char *dst, int n, const size_t size)
{
    const int64_t bytes = (int64_t)size;
    for (int64_t i = 0; i < n; i++)
        element_copy(dst + i * bytes,
                     holds[i * step[0]] ? x + i * step[1] * bytes : y + i * step[2] * bytes, size);
}

static void any_row(const int64_t *step, const uint8_t *holds, const char *x, const char *y,
                    char *dst, int n, size_t size)
{
    switch (size) {
    case 1: row(step, holds, x, y, dst, n, 1); break;
    case 2: row(step, holds, x, y, dst, n, 2); break;
    case 4: row(step, holds, x, y, dst, n, 4); break;
    default: row(step, holds, x, y, dst, n, 8); break;
    }
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const state *s = step->state;
    const size_t size = cvk_dtype_bytes(step->out[0].dtype);
    const char *x = step->in[1].data, *y = step->in[2].data;
    char *dst = step->out[0].data;
    int begin, end;
    row_share(s->over.rows * s->over.length, worker, workers, &begin, &end);
    broadcast_at at = broadcast_seek(&s->over, begin, end);
    for (; at.n > 0; broadcast_next(&s->over, &at))
        any_row(s->over.step, (const uint8_t *)step->in[0].data + at.offset[0],
                x + at.offset[1] * (int64_t)size, y + at.offset[2] * (int64_t)size,
                dst + (size_t)at.begin * size, at.n, size);
    return CVK_OK;
}

static cvk_status prepare(cvk_device *device, cvk_step *step)
{
    (void)device;
    state *s = cvk_step_alloc(step, sizeof *s);
    if (!s) return CVK_NO_MEMORY;
    broadcast_make(&s->over, step, 3);
    step->state = s;
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    return row_sized(p, why_not) && row_no_posts(p, why_not);
}

const cvk_kernel CVK_FN(cvk_cpu_where) = {
    .op = CVK_OP_Where,
    .name = "where",
    .accepts = accepts,
    .prepare = prepare,
    .run = run,
};
