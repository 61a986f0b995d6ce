/* SPDX-License-Identifier: Apache-2.0
 *
 * Conv, Gemm and MatMul between DequantizeLinear and QuantizeLinear into QConv and QMatMul: the
 * weights' scales into multipliers, a bias into int32 at the scale of the accumulator.
 */
#include "ops/quant.h"
#include "schedule/passes.h"
#include "schedule/quantise.h"

/* The second factor: a constant, with a scale for all or one per output channel, or computed. */
typedef struct weights {
    int id;          /* 8 bits */
    int scale, zero; /* values; zero: -1 if absent */
    int64_t c;       /* output channels */
    const cvk_node *dq;
} weights;

/* Constant, and one number or one per channel of `axis`. */
static bool is_each(const cvk_graph *graph, int id, int64_t c)
{
    const cvk_shape *shape = &graph->values[id].shape;
    int64_t count = cvk_shape_count(shape);
    return cvk_is_const(graph, id) && shape->rank <= 1 && (count == 1 || count == c);
}

static bool read_weights(const quantiser *q, int value, int axis, weights *w)
{
    const cvk_graph *graph = q->graph;
    if (value < 0 || value >= q->n_values || q->maker[value] < 0) return false;
    const cvk_node *dq = &q->nodes[q->maker[value]];
    if (dq->op != CVK_OP_DequantizeLinear) return false;
    const cvk_value *elements = &graph->values[dq->in[0]];
    if (elements->dtype != CVK_U8 && elements->dtype != CVK_I8) return false;
    *w = (weights){.id = dq->in[0],
                   .scale = dq->in[1],
                   .zero = dq->n_in > 2 ? dq->in[2] : -1,
                   .c = elements->shape.dims[axis],
                   .dq = dq};
    bool single = cvk_shape_count(&graph->values[w->scale].shape) == 1;
    if (!single && ((const cvk_quantize_params *)dq->params)->axis != axis) return false;
    return graph->values[w->scale].dtype == CVK_F32 && is_each(graph, w->scale, w->c) &&
           (w->zero < 0 || is_each(graph, w->zero, w->c));
}

/* Where the elements of a bias lie, and the scale by which they are real numbers. */
typedef struct bias_source {
    cvk_view elements, scale; /* scale.data NULL: they are float32 */
    const cvk_node *dq;
} bias_source;

static bool read_bias(const quantiser *q, int value, bias_source *bias)
{
    const cvk_graph *graph = q->graph;
    *bias = (bias_source){.elements = cvk_graph_view(graph, value)};
    if (bias->elements.data) return bias->elements.dtype == CVK_F32;
    if (value >= q->n_values || q->maker[value] < 0) return false;
    const cvk_node *dq = &q->nodes[q->maker[value]];
    if (dq->op != CVK_OP_DequantizeLinear || !cvk_is_const(graph, dq->in[0])) return false;
    if (dq->n_in > 2 && dq->in[2] >= 0) {
        if (!cvk_is_const(graph, dq->in[2])) return false;
        const cvk_view zero = cvk_graph_view(graph, dq->in[2]);
        for (int64_t i = 0; i < cvk_view_count(&zero); i++)
            if (cvk_view_get_int(&zero, i)) return false;
    }
    bias->elements = cvk_graph_view(graph, dq->in[0]);
    bias->scale = cvk_graph_view(graph, dq->in[1]);
    bias->dq = dq;
    int64_t scales = bias->scale.data ? cvk_view_count(&bias->scale) : 0;
    return bias->elements.dtype == CVK_I32 &&
           (scales == 1 || scales == cvk_view_count(&bias->elements));
}

/* One number or one per output channel, which is the last dimension but of a convolution's. */
static bool fits_channels(const cvk_view *elements, int64_t c)
{
    int64_t count = cvk_view_count(elements);
    int rank = elements->shape.rank;
    return count == 1 || (count == c && rank > 0 && elements->shape.dims[rank - 1] == c);
}

/* Element i in units of the accumulator. Integers whose scale is that of the accumulator, but for
 * the rounding of their product, are taken as they are. */
static bool bias_at(const bias_source *bias, int64_t i, double unit, int32_t *whole)
{
    double value = cvk_each(&bias->elements, i);
    if (bias->scale.data) {
        double ratio = cvk_each(&bias->scale, i) / unit;
        if (fabs(ratio - 1) > 1e-5) value = rint(value * ratio);
    } else {
        value = rint(value / unit);
    }
    if (!(fabs(value) <= INT32_MAX)) return false;
    *whole = (int32_t)value;
    return true;
}

/* *id: the bias as int32, one per channel; -1 if there is none. *fits: it can be one. */
static cvk_status make_bias(quantiser *q, int value, float x_scale, const weights *w, int *id,
                            const cvk_node **dq, bool *fits)
{
    bias_source bias;
    *id = -1;
    *fits = true;
    if (value < 0) return CVK_OK;
    *fits = read_bias(q, value, &bias) && fits_channels(&bias.elements, w->c);
    if (!*fits) return CVK_OK;
    int32_t *whole = cvk_arena_alloc(q->graph->arena, (size_t)w->c * sizeof *whole + 1);
    if (!whole) return CVK_NO_MEMORY;
    const cvk_view scale = cvk_graph_view(q->graph, w->scale);
    for (int64_t i = 0; i < w->c && *fits; i++)
        *fits = bias_at(&bias, i, (double)x_scale * cvk_each(&scale, i), &whole[i]);
    if (!*fits) return CVK_OK;
    *dq = bias.dq;
    cvk_shape shape = cvk_shape_make(1, &w->c);
    return cvk_graph_add_constant(q->graph, "bias", CVK_I32, &shape, whole, id);
}

/* (n, k) as (k, n), bytes. */
static cvk_status transpose(cvk_graph *graph, int *id)
{
    const cvk_value from = graph->values[*id];
    int64_t rows = from.shape.dims[0], columns = from.shape.dims[1];
    const uint8_t *src = from.data;
    uint8_t *dst = cvk_arena_alloc(graph->arena, (size_t)(rows * columns) + 1);
    cvk_shape shape = {.rank = 2, .dims = {columns, rows}};
    if (!dst) return CVK_NO_MEMORY;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) dst[j * rows + i] = src[i * columns + j];
    return cvk_graph_add_constant(graph, from.name, from.dtype, &shape, dst, id);
}

/* Everything a product is made of. */
typedef struct product {
    quant_tensor x;
    weights w;
    int in[CVK_QUANT_INPUTS];
    const cvk_node *dq[3];
} product;

static cvk_status fill(quantiser *q, const cvk_node *core, const quant_target *t, product *p,
                       bool *fits)
{
    int bias = core->op != CVK_OP_MatMul && core->n_in > 2 ? core->in[2] : -1;
    const char *name = core->name;
    p->in[0] = p->x.id;
    p->in[1] = p->w.id;
    p->dq[0] = p->x.dq;
    p->dq[1] = p->w.dq;
    CVK_TRY(make_bias(q, bias, p->x.scale, &p->w, &p->in[2], &p->dq[2], fits));
    if (!*fits) return CVK_OK;
    CVK_TRY(
        cvk_quant_multipliers(q->graph, name, p->x.scale, p->w.scale, t->scale, p->w.c, &p->in[3]));
    return cvk_quant_zero_points(q->graph, name, p->w.zero, p->w.c, &p->in[4]);
}

static cvk_status emit(quantiser *q, const quant_target *t, cvk_op_kind op, const product *p,
                       cvk_node **made)
{
    int n_in = CVK_QUANT_INPUTS;
    while (p->in[n_in - 1] < 0) n_in--;
    return cvk_quant_emit(q, t, op, p->in, n_in, p->dq, 3, made);
}

static cvk_status quantise_conv(quantiser *q, const cvk_node *core, const quant_target *t,
                                product *p, bool *done)
{
    bool fits = read_weights(q, core->in[1], 0, &p->w) && cvk_is_const(q->graph, p->w.id);
    if (fits) CVK_TRY(fill(q, core, t, p, &fits));
    if (!fits) return CVK_OK;
    cvk_node *made;
    CVK_TRY(emit(q, t, CVK_OP_QConv, p, &made));
    *(cvk_qconv_params *)made->params = (cvk_qconv_params){
        .conv = *(const cvk_conv_params *)core->params, .x_zp = p->x.zp, .y = t->y};
    *done = true;
    return CVK_OK;
}

/* Gemm as a plain product: alpha and beta of 1, B constant where it must be transposed. */
static bool is_plain_gemm(const quantiser *q, const cvk_node *core, const weights *w)
{
    const cvk_gemm_params *gemm = core->params;
    bool has_bias = core->n_in > 2 && core->in[2] >= 0;
    return gemm->alpha == 1 && (gemm->beta == 1 || !has_bias) && !gemm->trans_a &&
           (!gemm->trans_b || cvk_is_const(q->graph, w->id));
}

static cvk_status quantise_matmul(quantiser *q, const cvk_node *core, const quant_target *t,
                                  product *p, bool *done)
{
    int rank = q->graph->values[core->in[1]].shape.rank;
    if (rank < 2 || q->graph->values[core->in[0]].shape.rank < 2) return CVK_OK;
    bool trans_b = core->op == CVK_OP_Gemm && ((const cvk_gemm_params *)core->params)->trans_b;
    bool fits = read_weights(q, core->in[1], trans_b ? 0 : rank - 1, &p->w);
    if (fits && core->op == CVK_OP_Gemm) fits = is_plain_gemm(q, core, &p->w);
    if (fits) CVK_TRY(fill(q, core, t, p, &fits));
    if (!fits) return CVK_OK;
    if (trans_b) CVK_TRY(transpose(q->graph, &p->in[1]));
    cvk_node *made;
    CVK_TRY(emit(q, t, CVK_OP_QMatMul, p, &made));
    *(cvk_qmatmul_params *)made->params = (cvk_qmatmul_params){.a_zp = p->x.zp, .y = t->y};
    *done = true;
    return CVK_OK;
}

cvk_status cvk_quantise_product(quantiser *q, const cvk_node *core, const quant_target *target,
                                bool *done)
{
    product p = {.in = {-1, -1, -1, -1, -1}};
    if (!cvk_quant_read(q, core->in[0], &p.x)) return CVK_OK;
    if (core->op == CVK_OP_Conv) return quantise_conv(q, core, target, &p, done);
    return quantise_matmul(q, core, target, &p, done);
}
