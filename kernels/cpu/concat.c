/* SPDX-License-Identifier: Apache-2.0
 *
 * Concat. Inputs whose elements stay together (any axis of plain tensors of any type; batch and
 * spatial axes of blocked ones; channels in whole blocks) are rows of bytes to copy. Where channels
 * of an input begin in the middle of a block, its lanes are shifted into their place:
 *
 *     input block   |0123456789abcdef|0123456789abcdef|
 *     output blocks      |....0123456789ab|cdef0123...
 */
#include <string.h>

#include "kernels/cpu/row.h"
#include "kernels/cpu/vec.h"
#include "kernels/cpu/work.h"

typedef struct piece {
    size_t row;    /* bytes of input i in one output row */
    size_t offset; /* where they begin in it */
} piece;

typedef struct state {
    size_t rows, pitch;  /* output rows and their bytes */
    const piece *pieces; /* per input; NULL: channels are shifted */
} state;

/* Extent of dimension d in memory: blocks count, not channels. */
static size_t extent(const cvk_view *view, int d, bool blocked)
{
    return (size_t)(blocked && d == 1 ? (view->shape.dims[d] + CVK_BLOCK - 1) / CVK_BLOCK
                                      : view->shape.dims[d]);
}

static cvk_status make_pieces(cvk_step *step, state *s, int axis, bool blocked)
{
    const cvk_view *out = &step->out[0];
    piece *pieces = cvk_step_alloc(step, (size_t)step->node->n_in * sizeof *pieces);
    size_t unit = cvk_dtype_bytes(out->dtype) * (blocked ? CVK_BLOCK : 1);
    if (!pieces) return CVK_NO_MEMORY;
    s->rows = 1;
    for (int d = 0; d < axis; d++) s->rows *= extent(out, d, blocked);
    for (int d = axis + 1; d < out->shape.rank; d++) unit *= extent(out, d, blocked);
    for (int i = 0; i < step->node->n_in; i++) {
        pieces[i] = (piece){.row = unit * extent(&step->in[i], axis, blocked), .offset = s->pitch};
        s->pitch += pieces[i].row;
    }
    s->pieces = pieces;
    return CVK_OK;
}

/* Whether some input's channels begin or end within a block, the last end excepted. */
static bool shifts(const cvk_step *step)
{
    for (int i = 0; i + 1 < step->node->n_in; i++)
        if (step->in[i].shape.dims[1] % CVK_BLOCK) return true;
    return false;
}

static cvk_status prepare_as(cvk_step *step, bool blocked)
{
    const cvk_axis_params *params = step->node->params;
    state *s = cvk_step_alloc(step, sizeof *s);
    if (!s) return CVK_NO_MEMORY;
    step->state = s;
    if (blocked && params->axis == 1 && shifts(step)) return CVK_OK;
    return make_pieces(step, s, (int)params->axis, blocked);
}

static cvk_status prepare(cvk_device *device, cvk_step *step)
{
    (void)device;
    return prepare_as(step, false);
}

static cvk_status prepare_blocked(cvk_device *device, cvk_step *step)
{
    (void)device;
    return prepare_as(step, true);
}

/* `rows` rows of `row` bytes, which in the result are `pitch` bytes apart; a few sizes as literals. */
CVK_INLINE void copy_sized(char *dst, size_t pitch, const char *src, size_t rows, const size_t row)
{
    for (size_t r = 0; r < rows; r++) memcpy(dst + r * pitch, src + r * row, row);
}

static void copy_rows(char *dst, size_t pitch, const char *src, size_t rows, size_t row)
{
    switch (row) {
    case 4: copy_sized(dst, pitch, src, rows, 4); break;
    case 8: copy_sized(dst, pitch, src, rows, 8); break;
    case 16: copy_sized(dst, pitch, src, rows, 16); break;
    default: copy_sized(dst, pitch, src, rows, row); break;
    }
}

/* A worker copies its share of the bytes of each input. */
static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    enum { LINE = 64 };
    const state *s = step->state;
    for (int i = 0; i < step->node->n_in; i++) {
        const piece *p = &s->pieces[i];
        size_t total = s->rows * p->row, lines = (total + LINE - 1) / LINE;
        size_t at = lines * (size_t)worker / (size_t)workers * LINE;
        size_t end = lines * (size_t)(worker + 1) / (size_t)workers * LINE;
        for (end = end < total ? end : total; at < end;) {
            size_t row = at / p->row, skip = at % p->row, whole = (end - at) / p->row;
            char *dst = (char *)step->out[0].data + row * s->pitch + p->offset + skip;
            const char *src = (const char *)step->in[i].data + at;
            if (skip == 0 && whole > 0) {
                copy_rows(dst, s->pitch, src, whole, p->row);
                at += whole * p->row;
                continue;
            }
            size_t n = p->row - skip < end - at ? p->row - skip : end - at;
            memcpy(dst, src, n);
            at += n;
        }
    }
    return CVK_OK;
}

CVK_INLINE size_t copy_part(char *dst, const char *src, size_t at, int lanes, const int part,
                            const size_t size)
{
    if (!(lanes & part)) return at;
    memcpy(dst + at, src + at, (size_t)part * size);
    return at + (size_t)part * size;
}

/* `lanes` lanes of every pixel, in parts of fixed size; `size`, of an element, is a literal. */
CVK_INLINE void copy_lanes(char *dst, const char *src, int spatial, int lanes, const size_t size)
{
    for (int p = 0; p < spatial; p++, dst += CVK_BLOCK * size, src += CVK_BLOCK * size) {
        size_t at = copy_part(dst, src, 0, lanes, 16, size);
        at = copy_part(dst, src, at, lanes, 8, size);
        at = copy_part(dst, src, at, lanes, 4, size);
        at = copy_part(dst, src, at, lanes, 2, size);
        copy_part(dst, src, at, lanes, 1, size);
    }
}

/* Output block b of image n: goes through its channels, each time as many as lie in one block of
 * one input. */
static void gather_block(const cvk_step *step, const row_dims *d, int n, int b)
{
    const size_t size = cvk_dtype_bytes(step->out[0].dtype), pixel = CVK_BLOCK * size;
    char *dst =
        (char *)step->out[0].data + (size_t)(n * d->blocks + b) * (size_t)d->spatial * pixel;
    int c = b * CVK_BLOCK, end = c + row_lanes(d, b), first = 0;
    for (int i = 0; i < step->node->n_in && c < end; i++) {
        const row_dims from = row_dims_of(&step->in[i].shape);
        const char *src = (const char *)step->in[i].data +
                          (size_t)n * (size_t)(from.blocks * from.spatial) * pixel;
        while (c < end && c - first < from.c) {
            int at = c - first, lane = at % CVK_BLOCK, lanes = CVK_BLOCK - lane;
            if (lanes > from.c - at) lanes = from.c - at;
            if (lanes > end - c) lanes = end - c;
            char *to = dst + (size_t)(c % CVK_BLOCK) * size;
            const char *piece =
                src + (size_t)(at / CVK_BLOCK) * (size_t)d->spatial * pixel + (size_t)lane * size;
            if (size == sizeof(float))
                copy_lanes(to, piece, d->spatial, lanes, sizeof(float));
            else
                copy_lanes(to, piece, d->spatial, lanes, sizeof(uint16_t));
            c += lanes;
        }
        first += from.c;
    }
}

static cvk_status run_blocked(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    const state *s = step->state;
    const row_dims d = row_dims_of(&step->out[0].shape);
    int begin, end;
    if (s->pieces) return run(device, step, worker, workers);
    cvk_team_share(d.n * d.blocks, worker, workers, &begin, &end);
    for (int i = begin; i < end; i++) gather_block(step, &d, i / d.blocks, i % d.blocks);
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    for (int i = 0; i < p->node->n_in; i++)
        if (p->in[i].dtype != p->out[0].dtype) return row_refuse(why_not, "types are mixed");
    return row_sized(p, why_not) && row_no_posts(p, why_not);
}

static bool accepts_blocked(const cvk_problem *p, const char **why_not)
{
    return accepts(p, why_not) && row_blocked(&p->out[0], why_not);
}

/* Lanes move where an input ends within a block. */
static void cost_blocked(const cvk_problem *p, cvk_work *work)
{
    static const double lane_cycles = 0.25;
    for (int i = 0; i + 1 < p->node->n_in; i++)
        if (p->in[i].shape.dims[1] % CVK_BLOCK)
            work->macs = work_shared_macs(p->caps, lane_cycles * (double)cvk_view_count(p->out));
}

const cvk_kernel CVK_FN(cvk_cpu_concat) = {
    .op = CVK_OP_Concat,
    .name = "concat",
    .accepts = accepts,
    .prepare = prepare,
    .run = run,
};

const cvk_kernel CVK_FN(cvk_cpu_concat_blocked) = {
    .op = CVK_OP_Concat,
    .name = "concat_blocked",
    .in_layout = CVK_LAYOUT_BLOCKED,
    .out_layout = CVK_LAYOUT_BLOCKED,
    .accepts = accepts_blocked,
    .cost = cost_blocked,
    .prepare = prepare_blocked,
    .run = run_blocked,
};
