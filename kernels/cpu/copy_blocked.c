/* SPDX-License-Identifier: Apache-2.0
 *
 * Copy of whole planes, blocked to blocked: slices of channels, shuffles of groups of them. Each vec
 * of a pixel's channels is put together from the vecs that hold them:
 *
 *     source        |0 1 2 3|4 5 6 7|        a vec of 4 lanes wants channels 2, 5, 3, 6:
 *     first piece    2 . 3 .  (picked from the first vec; the other lanes keep what they have)
 *     second piece   . 5 . 6  (from the second)
 */
#include "graph/planes.h"
#include "kernels/cpu/row.h"
#include "kernels/cpu/unroll.h"
#include "kernels/cpu/vec.h"

enum { PX = 8 };

/* Lanes that come from one vec of the source. */
typedef struct piece {
    int block, lane;        /* the source block, and where in it the vec begins */
    int32_t from[CVK_VLEN]; /* by lane of the result: the vec's lane */
    float wanted[CVK_VLEN]; /* -1: the lane comes from here; else 0 */
} piece;

typedef struct state {
    row_dims src, dst;
    int rows, cols;
    int *channel; /* float16: by channel of the result, the source's */
    int *first;   /* by vec of the result: its pieces are [first[i], first[i + 1]) */
    piece *pieces;
} state;

static int height(const cvk_shape *shape)
{
    return shape->rank == 4 ? (int)shape->dims[2] : 1;
}

/* The piece, of those from `begin` on, that takes lanes from that vec; a new one if there is none. */
static piece *piece_of(state *s, int begin, int *count, int block, int lane)
{
    for (int i = begin; i < *count; i++)
        if (s->pieces[i].block == block && s->pieces[i].lane == lane) return &s->pieces[i];
    s->pieces[*count] = (piece){.block = block, .lane = lane};
    return &s->pieces[(*count)++];
}

static void make_pieces(state *s, const cvk_planes *planes)
{
    int count = 0, vecs = s->dst.blocks * CVK_VPB;
    for (int v = 0; v < vecs; v++) {
        s->first[v] = count;
        for (int lane = 0; lane < CVK_VLEN; lane++) {
            const int c = v * CVK_VLEN + lane;
            if (c >= s->dst.c) break;
            const int from = cvk_planes_source(planes, c), within = from % CVK_BLOCK;
            s->channel[c] = from;
            piece *p =
                piece_of(s, s->first[v], &count, from / CVK_BLOCK, within / CVK_VLEN * CVK_VLEN);
            p->from[lane] = within % CVK_VLEN;
            p->wanted[lane] = -1;
        }
    }
    s->first[vecs] = count;
}

static cvk_status prepare(cvk_device *device, cvk_step *step)
{
    (void)device;
    const cvk_shape *in = &step->in[0].shape, *out = &step->out[0].shape;
    cvk_planes planes;
    state *s = cvk_step_alloc(step, sizeof *s);
    if (!s) return CVK_NO_MEMORY;
    if (!cvk_planes_make(step->node->params, in, out, &planes))
        return cvk_fail(CVK_SHAPE, "copy '%s': not of whole planes", step->node->name);
    s->src = row_dims_of(in);
    s->dst = row_dims_of(out);
    s->rows = height(out);
    s->cols = s->dst.spatial / s->rows;
    s->channel = cvk_step_alloc(step, (size_t)s->dst.c * sizeof *s->channel);
    s->first = cvk_step_alloc(step, ((size_t)s->dst.blocks * CVK_VPB + 1) * sizeof *s->first);
    s->pieces = cvk_step_alloc(step, (size_t)s->dst.c * sizeof *s->pieces);
    if (!s->channel || !s->first || !s->pieces) return CVK_NO_MEMORY;
    make_pieces(s, &planes);
    step->state = s;
    return CVK_OK;
}

/* px pixels of one vec. */
CVK_INLINE void gather(const piece *p, int n, const float *src, ptrdiff_t block_step, float *dst,
                       const int px)
{
    vec x[PX];
    CVK_UNROLL for (int i = 0; i < px; i++) x[i] = vec_zero();
    for (int k = 0; k < n; k++) {
        const float *from = src + p[k].block * block_step + p[k].lane;
        const vindex index = vec_index(p[k].from);
        const vmask wanted = vec_lt(vec_load(p[k].wanted), vec_zero());
        CVK_UNROLL for (int i = 0; i < px; i++) x[i] =
            vec_select(wanted, vec_pick(vec_load(from + i * CVK_BLOCK), index), x[i]);
    }
    CVK_UNROLL for (int i = 0; i < px; i++) vec_store(dst + i * CVK_BLOCK, x[i]);
}

static void gather_run(const state *s, int v, const float *src, float *dst, int pixels)
{
    const piece *p = s->pieces + s->first[v];
    const int n = s->first[v + 1] - s->first[v];
    const ptrdiff_t block_step = (ptrdiff_t)s->src.spatial * CVK_BLOCK;
    int i = 0;
    for (; i + PX <= pixels; i += PX)
        gather(p, n, src + i * CVK_BLOCK, block_step, dst + i * CVK_BLOCK, PX);
    for (; i < pixels; i++) gather(p, n, src + i * CVK_BLOCK, block_step, dst + i * CVK_BLOCK, 1);
}

static void copy_halves(const state *s, int block, const uint16_t *src, uint16_t *dst, int pixels)
{
    const int lanes = row_lanes(&s->dst, block);
    for (int lane = 0; lane < lanes; lane++) {
        const int from = s->channel[block * CVK_BLOCK + lane];
        const uint16_t *plane =
            src + (ptrdiff_t)(from / CVK_BLOCK) * s->src.spatial * CVK_BLOCK + from % CVK_BLOCK;
        for (int i = 0; i < pixels; i++) dst[i * CVK_BLOCK + lane] = plane[i * CVK_BLOCK];
    }
}

/* Rows [begin, end) of block `plane`, counted over all pictures. */
static void run_plane(const state *s, const cvk_step *step, int plane, int begin, int end)
{
    const int n = plane / s->dst.blocks, block = plane % s->dst.blocks,
              pixels = (end - begin) * s->cols;
    const ptrdiff_t pixel = (ptrdiff_t)begin * s->cols,
                    src = ((ptrdiff_t)n * s->src.blocks * s->src.spatial + pixel) * CVK_BLOCK,
                    dst = ((ptrdiff_t)plane * s->dst.spatial + pixel) * CVK_BLOCK;
    if (step->out[0].dtype == CVK_F16) {
        copy_halves(s, block, (const uint16_t *)step->in[0].data + src,
                    (uint16_t *)step->out[0].data + dst, pixels);
        return;
    }
    for (int v = 0; v < CVK_VPB; v++)
        gather_run(s, block * CVK_VPB + v, (const float *)step->in[0].data + src,
                   (float *)step->out[0].data + dst + v * CVK_VLEN, pixels);
}

static cvk_status run(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const state *s = step->state;
    row_parts parts = row_parts_of(s->dst.n, s->dst.blocks, s->rows, worker, workers);
    int plane, begin, end;
    while (row_parts_next(&parts, &plane, &begin, &end))
        for (int k = 0; k < parts.planes; k++) run_plane(s, step, plane + k, begin, end);
    return CVK_OK;
}

static bool accepts(const cvk_problem *p, const char **why_not)
{
    cvk_planes planes;
    if (!row_sized(p, why_not) || !row_no_posts(p, why_not) || !row_blocked(&p->in[0], why_not) ||
        !row_blocked(&p->out[0], why_not))
        return false;
    return cvk_planes_make(p->node->params, &p->in[0].shape, &p->out[0].shape, &planes) ||
           row_refuse(why_not, "moves more than whole planes");
}

const cvk_kernel CVK_FN(cvk_cpu_copy_blocked) = {
    .op = CVK_OP_Copy,
    .name = "copy_blocked",
    .in_layout = CVK_LAYOUT_BLOCKED,
    .out_layout = CVK_LAYOUT_BLOCKED,
    .accepts = accepts,
    .prepare = prepare,
    .run = run,
};
