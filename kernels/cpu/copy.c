/* SPDX-License-Identifier: Apache-2.0
 *
 * Copy: a strided gather in N dimensions, of elements of any type. Dimensions that lie together
 * become one. If the innermost one of the output is contiguous in the source, or no dimension is,
 * the output is filled row by row; else (a transposition) in square tiles that both sides find in
 * cache.
 */
#include "kernels/cpu/element.h"
#include "kernels/cpu/vec.h"
#include "kernels/cpu/walk.h"

enum { TILE = 16 };

typedef struct state {
    size_t size; /* of an element */
    int64_t offset;
    walk outer;     /* strides: source, output */
    walk_dim inner; /* output stride 1 */
    walk_dim cross; /* tiles: source stride 1; else of length 1 */
    bool tiled;
    int rows;
} state;

static cvk_status prepare(cvk_device *device, cvk_step *step)
{
    (void)device;
    const cvk_copy_params *p = step->node->params;
    state *s = cvk_step_alloc(step, sizeof *s);
    if (!s) return CVK_NO_MEMORY;
    s->size = cvk_dtype_bytes(step->out[0].dtype);
    s->offset = p->offset;
    for (int d = 0; d < p->n; d++) {
        int64_t below = 1;
        for (int k = d + 1; k < p->n; k++) below *= p->dims[k];
        walk_add(&s->outer, p->dims[d], p->strides[d], below);
    }
    s->inner = walk_take(&s->outer, s->outer.n - 1);
    s->cross = (walk_dim){1, {0, 0}};
    for (int d = s->outer.n - 1; d >= 0 && s->inner.stride[0] != 1 && !s->tiled; d--) {
        if (s->outer.dim[d].stride[0] != 1) continue;
        s->cross = walk_take(&s->outer, d);
        s->tiled = true;
    }
    s->rows = (int)walk_count(&s->outer);
    step->state = s;
    return CVK_OK;
}

/* n rows of a few elements of 4 bytes, `step` elements apart in the source. */
CVK_INLINE void few(char *dst, const char *src, int64_t step, int64_t stride, int64_t n,
                    const int64_t length)
{
    for (int64_t r = 0; r < n; r++)
        element_row(dst + r * length * 4, src + r * step * 4, stride, length, 4);
}

static void copy_few(char *dst, const char *src, int64_t step, int64_t stride, int64_t n,
                     int64_t length)
{
    switch (length) {
    case 2: few(dst, src, step, stride, n, 2); break;
    case 3: few(dst, src, step, stride, n, 3); break;
    case 4: few(dst, src, step, stride, n, 4); break;
    default: few(dst, src, step, stride, n, length); break;
    }
}

/* Elements [begin, end) of the output. */
static void copy_rows(const state *s, const char *src, char *dst, int begin, int end)
{
    const int64_t length = s->inner.length, size = (int64_t)s->size;
    const bool is_short = size == 4 && length <= TILE && s->outer.n > 0;
    const walk_dim *last = &s->outer.dim[s->outer.n > 0 ? s->outer.n - 1 : 0];
    if (begin >= end) return;
    walk_at at = walk_seek(&s->outer, begin / length);
    for (int64_t i = begin % length, e = begin; e < end; i = 0, walk_next(&s->outer, &at)) {
        if (is_short && i == 0 && end - e >= length) {
            int64_t left = last->length - at.index[s->outer.n - 1], rows = (end - e) / length;
            if (rows > left) rows = left;
            copy_few(dst + e * size, src + at.offset[0] * size, last->stride[0], s->inner.stride[0],
                     rows, length);
            walk_skip(&s->outer, &at, rows - 1);
            e += rows * length;
            continue;
        }
        int64_t n = length - i < end - e ? length - i : end - e;
        element_run(dst + e * size, src + (at.offset[0] + i * s->inner.stride[0]) * size,
                    s->inner.stride[0], n, s->size);
        e += n;
    }
}

/* A whole tile of 4-byte elements, by registers. Steps in floats. */
static void turn_tile(const float *src, int64_t step, float *dst, int64_t cross)
{
    for (int c = 0; c < TILE; c += CVK_VLEN) {
        for (int k = 0; k < TILE; k += CVK_VLEN) {
            vec v[CVK_VLEN];
            for (int i = 0; i < CVK_VLEN; i++) v[i] = vec_load(src + (k + i) * step + c);
            vec_transpose(v);
            for (int i = 0; i < CVK_VLEN; i++) vec_store(dst + (c + i) * cross + k, v[i]);
        }
    }
}

/* Up to TILE lines of the cross dimension: each an output row, neighbours in the source. */
CVK_INLINE void copy_tiles(const state *s, const char *src, char *dst, int64_t lines,
                           const size_t size)
{
    const int64_t bytes = (int64_t)size, cross = s->cross.stride[1] * bytes,
                  step = s->inner.stride[0] * bytes;
    for (int64_t i = 0; i < s->inner.length; i += TILE) {
        int64_t n = s->inner.length - i < TILE ? s->inner.length - i : TILE;
        if (size == sizeof(float) && lines == TILE && n == TILE) {
            turn_tile((const float *)(const void *)(src + i * step), s->inner.stride[0],
                      (float *)(void *)(dst + i * bytes), s->cross.stride[1]);
            continue;
        }
        for (int64_t c = 0; c < lines; c++)
            for (int64_t k = i; k < i + n; k++)
                element_copy(dst + c * cross + k * bytes, src + c * bytes + k * step, size);
    }
}

static void copy_strips(const state *s, const char *src, char *dst, int begin, int end)
{
    const int64_t size = (int64_t)s->size, strips = (s->cross.length + TILE - 1) / TILE;
    for (int64_t i = begin; i < end; i++) {
        walk_at at = walk_seek(&s->outer, i / strips);
        int64_t c = i % strips * TILE,
                lines = s->cross.length - c < TILE ? s->cross.length - c : TILE;
        const char *from = src + (at.offset[0] + c) * size;
        char *to = dst + (at.offset[1] + c * s->cross.stride[1]) * size;
        switch (s->size) {
        case 1: copy_tiles(s, from, to, lines, 1); break;
        case 2: copy_tiles(s, from, to, lines, 2); break;
        case 4: copy_tiles(s, from, to, lines, 4); break;
        default: copy_tiles(s, from, to, lines, 8); break;
        }
    }
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const state *s = step->state;
    const char *src = (const char *)step->in[0].data + s->offset * (int64_t)s->size;
    int begin, end;
    if (s->tiled) {
        cvk_team_share(s->rows * (int)((s->cross.length + TILE - 1) / TILE), worker, workers,
                       &begin, &end);
        copy_strips(s, src, step->out[0].data, begin, end);
    } else {
        row_share(s->rows * (int)s->inner.length, worker, workers, &begin, &end);
        copy_rows(s, src, step->out[0].data, begin, end);
    }
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    return row_sized(p, why_not) && row_no_posts(p, why_not);
}

const cvk_kernel CVK_FN(cvk_cpu_copy) = {
    .op = CVK_OP_Copy,
    .name = "copy",
    .accepts = accepts,
    .prepare = prepare,
    .run = run,
};
