/* SPDX-License-Identifier: Apache-2.0
 *
 * Matrix products: split, packing and loops (see gemm_core.h).
 */
#include "kernels/cpu/gemm_core.h"

#include <limits.h>

#include "base/threads.h"
#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/half.h"
#include "kernels/cpu/ints.h"

enum { USUAL_L1_BYTES = 32 * 1024, USUAL_L2_BYTES = 512 * 1024 };
/* A B of float16 is converted by each tile, which costs little beside the multiply-adds of some rows;
 * for as many tiles as this it costs less to do it once. */
enum { WIDEN_TILES = 4 };
/* Floats between rows that fall into the same sets of L1: read side by side, they would drive each
 * other out. */
enum { SAME_SETS = 1024 };
static const double weight_rate = 8; /* bytes per cycle from the last cache */

/* --- splitting --- */

static size_t weight_bytes(const gemm_plan *plan)
{
    return plan->half ? sizeof(uint16_t) : sizeof(float);
}

static double part_cost(const gemm_plan *plan, int batch_parts, int row_parts, int col_parts)
{
    const gemm_problem *p = &plan->p;
    double matrices = divide_up(p->batch, batch_parts),
           cols = (double)divide_up(plan->panels, col_parts) * GEMM_PANEL;
    double rows = divide_up(p->m, row_parts), tiles = divide_up((int)rows, GEMM_ROWS);
    double compute = tiles * GEMM_ROWS * cols / CVK_VLEN * p->k;
    return matrices * (compute + cols * p->k * (double)weight_bytes(plan) / weight_rate +
                       (plan->pack ? rows * p->k : 0));
}

static void split(gemm_plan *plan, int workers)
{
    const gemm_problem *p = &plan->p;
    double best = 0;
    for (int b = 1; b <= min(workers, p->batch); b++) {
        for (int c = 1; c <= min(workers / b, plan->panels); c++) {
            int r = min(workers / (b * c), p->m);
            double cost = part_cost(plan, b, r, c);
            if (best != 0 && cost >= best) continue;
            best = cost;
            plan->batch_parts = b;
            plan->row_parts = r;
            plan->col_parts = c;
        }
    }
}

/* A stretch of a panel takes a quarter of L2, a widened one half of L1. */
static void plan_depth(gemm_plan *plan, const cvk_caps *caps, size_t l2)
{
    size_t l1 = caps->l1_bytes ? caps->l1_bytes : USUAL_L1_BYTES;
    size_t fit = (plan->widen ? l1 / 2 : l2 / 4) / (GEMM_PANEL * sizeof(float));
    int stretches = divide_up(plan->p.k, fit < 1 ? 1 : (int)fit);
    plan->depth = divide_up(plan->p.k, stretches);
}

static void plan_sizes(gemm_plan *plan, const cvk_caps *caps, bool packed)
{
    const gemm_problem *p = &plan->p;
    size_t l2 = caps->l2_bytes ? caps->l2_bytes : USUAL_L2_BYTES;
    plan->panels = divide_up(p->n, GEMM_PANEL);
    plan->panel_elements = (size_t)p->k * GEMM_PANEL;
    plan->pack = p->a_col != 1 || (p->m > 1 && p->a_row % SAME_SETS == 0);
    split(plan, caps->units > 0 ? caps->units : 1);
    int rows = divide_up(p->m, plan->row_parts);
    size_t room = l2 / 2 / sizeof(float) / (size_t)p->k;
    plan->height = plan->half ? GEMM_HALF_ROWS : GEMM_ROWS;
    plan->block = room < (size_t)plan->height ? plan->height
                  : room < (size_t)rows       ? (int)room / plan->height * plan->height
                                              : rows;
    if (plan->block > rows) plan->block = rows;
    plan->widen =
        plan->half && (CVK_VLEN == 1 || divide_up(plan->block, plan->height) >= WIDEN_TILES);
    plan_depth(plan, caps, l2);
    if (plan->pack) plan->a_floats = (size_t)plan->block * (size_t)p->k;
    if (!packed)
        plan->b_floats = plan->panel_elements * (size_t)divide_up(plan->panels, plan->col_parts);
    else if (plan->widen)
        plan->b_floats = (size_t)plan->depth * GEMM_PANEL;
    plan->worker_floats = (plan->a_floats + plan->b_floats + 15) / 16 * 16;
}

/* --- packing --- */

/* Columns [panel GEMM_PANEL, + GEMM_PANEL) of B, absent ones 0. */
static void pack_panel(const gemm_problem *p, const float *b, int panel, float *dst)
{
    int first = panel * GEMM_PANEL, cols = min(GEMM_PANEL, p->n - first);
    for (int k = 0; k < p->k; k++, dst += GEMM_PANEL) {
        const float *src = b + k * p->b_row + first * p->b_col;
        for (int i = 0; i < cols; i++) dst[i] = src[i * p->b_col];
        for (int i = cols; i < GEMM_PANEL; i++) dst[i] = 0.0f;
    }
}

/* The same of a float16 B. */
static void pack_half_panel(const gemm_problem *p, const uint16_t *b, int panel, uint16_t *dst)
{
    int first = panel * GEMM_PANEL, cols = min(GEMM_PANEL, p->n - first);
    for (int k = 0; k < p->k; k++, dst += GEMM_PANEL) {
        const uint16_t *src = b + k * p->b_row + first * p->b_col;
        for (int i = 0; i < cols; i++) dst[i] = src[i * p->b_col];
        for (int i = cols; i < GEMM_PANEL; i++) dst[i] = 0;
    }
}

static void pack_rows(const gemm_problem *p, const float *a, int rows, float *dst)
{
    for (int k = 0; k < p->k; k++, dst += rows)
        for (int r = 0; r < rows; r++) dst[r] = a[r * p->a_row + k * p->a_col];
}

typedef struct pack_arg {
    const gemm_plan *plan;
    const void *b;
} pack_arg;

static void pack_fill(void *memory, const void *context)
{
    const pack_arg *arg = context;
    const gemm_plan *plan = arg->plan;
    ptrdiff_t matrix = (ptrdiff_t)plan->p.k * plan->p.n;
    for (int i = 0; i < plan->p.matrices * plan->panels; i++) {
        const void *b = row_at(arg->b, i / plan->panels * matrix, plan->half);
        ptrdiff_t at = i * (ptrdiff_t)plan->panel_elements;
        if (plan->half)
            pack_half_panel(&plan->p, b, i % plan->panels, (uint16_t *)memory + at);
        else
            pack_panel(&plan->p, b, i % plan->panels, (float *)memory + at);
    }
}

static cvk_status pack_constant(cvk_device *device, cvk_step *step, gemm_plan *plan,
                                const cvk_view *wgt)
{
    const gemm_problem *p = &plan->p;
    pack_arg arg = {.plan = plan, .b = wgt->data};
    uint64_t layout = p->b_col == 1 ? 0 : 1;
    cvk_pack pack = {.source = wgt->data,
                     .source_bytes = cvk_view_bytes(wgt),
                     .kind = plan->half ? "gemm half" : "gemm",
                     .variant = (uint64_t)p->k << 8 ^ (uint64_t)GEMM_PANEL << 1 ^ layout ^
                                (uint64_t)p->n << 36,
                     .bytes = (size_t)p->matrices * (size_t)plan->panels * plan->panel_elements *
                              weight_bytes(plan),
                     .fill = pack_fill,
                     .arg = &arg};
    void *data = NULL;
    CVK_TRY(cvk_step_pack(device, step, &pack, &data));
    plan->packed = data;
    return CVK_OK;
}

cvk_status CVK_FN(cvk_gemm_prepare)(cvk_device *device, cvk_step *step, const gemm_problem *problem,
                                    const cvk_view *wgt)
{
    gemm_plan *plan = cvk_step_alloc(step, sizeof *plan);
    if (!plan) return CVK_NO_MEMORY;
    plan->p = *problem;
    plan->half = wgt && wgt->dtype == CVK_F16;
    plan_sizes(plan, cvk_device_caps(device), wgt != NULL);
    size_t parts = (size_t)plan->batch_parts * (size_t)plan->row_parts * (size_t)plan->col_parts;
    step->scratch_bytes = parts * plan->worker_floats * sizeof(float);
    step->state = plan;
    return wgt ? pack_constant(device, step, plan, wgt) : CVK_OK;
}

/* --- running --- */

typedef struct job {
    const gemm_plan *plan;
    const float *a, *b, *c;
    float *dst;
    float *a_pack, *b_pack; /* scratch */
    chain posts;
    chain_simple simple;
    bool is_simple;
    int panel_begin, panel_end;
} job;

/* One matrix while it is worked on. */
typedef struct matrix {
    int index;
    const float *a;     /* of this matrix */
    const void *panels; /* packed; panel 0 of the matrix (or of the worker, less panel_begin) */
    ptrdiff_t dst;      /* its first element in the output */
} matrix;

/* A stretch of K of a panel. */
typedef struct stretch {
    int panel, k, depth;
    const void *b; /* [depth][GEMM_PANEL] */
    bool half;
} stretch;

/* Into scratch as float32; a row of the panel at a time, a number that the compiler knows. */
static void widen(const uint16_t *restrict src, int depth, float *restrict dst)
{
    for (int k = 0; k < depth; k++, src += GEMM_PANEL, dst += GEMM_PANEL)
        for (int i = 0; i < GEMM_PANEL; i += CVK_VLEN) vec_store(dst + i, vec_load_half(src + i));
}

static stretch stretch_at(const job *j, const matrix *m, int panel, int k)
{
    const gemm_plan *plan = j->plan;
    ptrdiff_t at = panel * (ptrdiff_t)plan->panel_elements + (ptrdiff_t)k * GEMM_PANEL;
    stretch s = {.panel = panel,
                 .k = k,
                 .depth = min(plan->depth, plan->p.k - k),
                 .b = row_at(m->panels, at, plan->half),
                 .half = plan->half && !plan->widen};
    if (!plan->widen) return s;
    widen(s.b, s.depth, j->b_pack);
    s.b = j->b_pack;
    return s;
}

/* a: A's element (row, 0), or the tile's first packed one. */
static void run_tile(const job *j, const matrix *m, int row, int rows, const stretch *s,
                     const float *a)
{
    const gemm_problem *p = &j->plan->p;
    const bool pack = j->plan->pack;
    int col = s->panel * GEMM_PANEL;
    ptrdiff_t at = m->dst + (ptrdiff_t)row * p->n + col;
    gemm_tile t = {.rows = rows, .depth = s->depth, .dst = j->dst + at, .dst_row = p->n};
    t.a_row = pack ? 1 : p->a_row;
    t.a_step = pack ? rows : 1;
    t.a = a + s->k * t.a_step;
    t.b = s->b;
    t.half = s->half;
    t.cols = min(GEMM_PANEL, p->n - col);
    t.vecs = divide_up(t.cols, CVK_VLEN);
    t.first = s->k == 0;
    t.last = s->k + t.depth == p->k;
    t.alpha = p->alpha;
    t.beta = p->beta;
    t.c = j->c ? j->c + row * p->c_row + col * p->c_col : NULL;
    t.c_row = p->c_row;
    t.c_col = p->c_col;
    t.res = j->is_simple && j->simple.res ? j->simple.res + at : NULL;
    t.clamp = j->is_simple && j->simple.clamp;
    t.lo = j->simple.lo;
    t.hi = j->simple.hi;
    CVK_FN(cvk_gemm_tile)(&t);
    for (int r = 0; t.last && !j->is_simple && r < rows; r++) CVK_FN(cvk_chain_row)
    (&j->posts, t.dst + r * t.dst_row, (size_t)(at + r * t.dst_row), t.cols, col);
}

/* Rows [row, row + rows) of a matrix, at most a block of them. */
static void run_block(const job *j, const matrix *m, int row, int rows)
{
    const gemm_problem *p = &j->plan->p;
    int tiles = divide_up(rows, j->plan->height);
    const float *a = m->a + row * p->a_row;
    for (int t = 0; t < tiles && j->plan->pack; t++) {
        int begin, end;
        cvk_team_share(rows, t, tiles, &begin, &end);
        pack_rows(p, a + begin * p->a_row, end - begin, j->a_pack + (ptrdiff_t)begin * p->k);
    }
    const float *from = j->plan->pack ? j->a_pack : a;
    const ptrdiff_t row_step = j->plan->pack ? p->k : p->a_row;
    for (int panel = j->panel_begin; panel < j->panel_end; panel++) {
        for (int k = 0; k < p->k; k += j->plan->depth) {
            stretch s = stretch_at(j, m, panel, k);
            for (int t = 0; t < tiles; t++) {
                int begin, end;
                cvk_team_share(rows, t, tiles, &begin, &end);
                run_tile(j, m, row + begin, end - begin, &s, from + begin * row_step);
            }
        }
    }
}

static void run_matrix(const job *j, int index, int row_begin, int row_end)
{
    const gemm_plan *plan = j->plan;
    const gemm_problem *p = &plan->p;
    ptrdiff_t b_at = p->b_at ? p->b_at[index] : 0, count = (ptrdiff_t)p->k * p->n;
    matrix m = {.index = index,
                .a = j->a + (p->a_at ? p->a_at[index] : 0),
                .dst = (ptrdiff_t)index * p->m * p->n};
    if (plan->packed) {
        ptrdiff_t first = b_at / count * plan->panels * (ptrdiff_t)plan->panel_elements;
        m.panels = row_at(plan->packed, first, plan->half);
    } else {
        for (int panel = j->panel_begin; panel < j->panel_end; panel++)
            pack_panel(p, j->b + b_at, panel,
                       j->b_pack + (size_t)(panel - j->panel_begin) * plan->panel_elements);
        m.panels = j->b_pack - (ptrdiff_t)j->panel_begin * (ptrdiff_t)plan->panel_elements;
    }
    for (int row = row_begin; row < row_end; row += plan->block)
        run_block(j, &m, row, min(plan->block, row_end - row));
}

static void run_part(job *j, int part)
{
    const gemm_plan *plan = j->plan;
    int col = part % plan->col_parts, row = part / plan->col_parts % plan->row_parts;
    int batch = part / plan->col_parts / plan->row_parts;
    int begin, end, row_begin, row_end;
    cvk_team_share(plan->panels, col, plan->col_parts, &j->panel_begin, &j->panel_end);
    cvk_team_share(plan->p.m, row, plan->row_parts, &row_begin, &row_end);
    cvk_team_share(plan->p.batch, batch, plan->batch_parts, &begin, &end);
    for (int i = begin; i < end; i++) run_matrix(j, i, row_begin, row_end);
}

cvk_status CVK_FN(cvk_gemm_run)(cvk_device *device, const cvk_step *step, int worker, int workers)
{
    (void)device;
    const gemm_plan *plan = step->state;
    int parts = plan->batch_parts * plan->row_parts * plan->col_parts;
    if (worker >= parts) return CVK_OK;
    job j = {.plan = plan, .a = step->in[0].data, .b = step->in[1].data, .dst = step->out[0].data};
    if (plan->p.addend >= 0) j.c = step->in[plan->p.addend].data;
    j.a_pack = (float *)step->scratch + (size_t)worker * plan->worker_floats;
    j.b_pack = j.a_pack + plan->a_floats;
    CVK_FN(cvk_chain_make)(step->node, step->in, 0, step->node->n_posts, plan->p.n, &j.posts);
    j.is_simple = CVK_FN(cvk_chain_simplify)(&j.posts, &j.simple);
    for (int part = worker; part < parts; part += workers) run_part(&j, part);
    return CVK_OK;
}

bool CVK_FN(cvk_gemm_posts_accept)(const cvk_problem *problem, bool channels, const char **why_not)
{
    const cvk_node *node = problem->node;
    for (int i = 0; i < node->n_posts; i++) {
        const cvk_post *post = &node->posts[i];
        if (post->kind == CVK_POST_POOL) {
            *why_not = "a product has no pool";
            return false;
        }
        if (post->kind == CVK_POST_PRELU && !channels &&
            cvk_view_count(&problem->in[post->input]) != 1) {
            *why_not = "slopes per channel that are not per column";
            return false;
        }
    }
    return true;
}
