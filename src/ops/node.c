/* SPDX-License-Identifier: Apache-2.0
 *
 * Operators applied to a node of a graph: attributes into parameters, inference of its outputs, its
 * meaning with everything that was fused into it, and what it costs. Failures name the node.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "graph/quant.h"
#include "ops/common.h"
#include "ops/window.h"

static cvk_status at_node(const cvk_node *node, cvk_status status)
{
    if (!status) return CVK_OK;
    return cvk_fail_at(status, "node '%s' (%s)", node->name, cvk_op_kind_name(node->op));
}

/* What the descriptor knows of the params. */
static void preset(const cvk_form *form, void *params)
{
    switch (form->kind) {
    case CVK_FORM_UNARY: ((cvk_unary_params *)params)->act.kind = form->act; break;
    case CVK_FORM_BINARY: ((cvk_binary_params *)params)->kind = form->binary; break;
    case CVK_FORM_REDUCE: ((cvk_reduce_params *)params)->kind = form->reduce; break;
    case CVK_FORM_POOL: ((cvk_pool_params *)params)->kind = form->pool; break;
    case CVK_FORM_GLOBAL_POOL: ((cvk_global_pool_params *)params)->kind = form->pool; break;
    default: break;
    }
}

cvk_status cvk_node_parse(cvk_graph *graph, cvk_node *node)
{
    const cvk_op *op = cvk_op_get(node->op);
    uint64_t read = 0;
    cvk_attrs attrs = {.items = node->attrs,
                       .count = node->n_attrs,
                       .opset = graph->opset,
                       .arena = graph->arena,
                       .read = &read};
    if (node->params_bytes != op->params_bytes) {
        node->params = op->params_bytes ? cvk_arena_alloc(graph->arena, op->params_bytes) : NULL;
        if (op->params_bytes && !node->params) return CVK_NO_MEMORY;
        node->params_bytes = op->params_bytes;
    }
    if (node->params) memset(node->params, 0, node->params_bytes);
    preset(&op->form, node->params);
    if (op->parse) CVK_TRY(at_node(node, op->parse(&attrs, node->params)));
    return op->internal ? CVK_OK : at_node(node, cvk_attrs_check_read(&attrs));
}

/* An input that belongs to what was fused, not to the operator. */
static bool is_post_input(const cvk_node *node, int i)
{
    if (cvk_pre_reads(&node->pre, i)) return true;
    for (int p = 0; p < node->n_posts; p++) {
        const cvk_post *post = &node->posts[p];
        if (cvk_post_has_input(post) && post->input == i) return true;
    }
    return false;
}

/* Makes the inputs of posts absent; returns how many inputs are left for the operator. */
static int hide_post_inputs(const cvk_node *node, cvk_view *in)
{
    int count = node->n_in;
    for (int i = 0; i < node->n_in; i++)
        if (is_post_input(node, i)) in[i] = (cvk_view){0};
    while (count && is_post_input(node, count - 1)) count--;
    return count;
}

static cvk_status check_count(int count, int min, int max, const char *what)
{
    if (count >= min && (max < 0 || count <= max)) return CVK_OK;
    const char *bound = min == max ? "" : count < min ? "at least " : "at most ";
    return cvk_fail(CVK_BAD_MODEL, "has %d %s, %s%d expected", count, what, bound,
                    count < min ? min : max);
}

static cvk_status check_counts(const cvk_op *op, const cvk_node *node, int n_in)
{
    CVK_TRY(check_count(n_in, op->min_in, op->max_in, "inputs"));
    CVK_TRY(check_count(node->n_out, op->min_out, op->max_out, "outputs"));
    for (int i = 0; i < n_in; i++)
        if (node->in[i] < 0 && (i < op->min_in || op->max_in < 0))
            return cvk_fail(CVK_BAD_MODEL, "input %d is absent", i);
    for (int i = 0; i < op->min_out; i++)
        if (node->out[i] < 0) return cvk_fail(CVK_BAD_MODEL, "output %d is absent", i);
    return CVK_OK;
}

/* Every dimension fits an int, every number of elements and bytes an int64. */
static cvk_status check_size(const cvk_view *view, const char *what, int index)
{
    char text[CVK_SHAPE_TEXT];
    for (int d = 0; d < view->shape.rank; d++)
        if (view->shape.dims[d] > INT32_MAX)
            return cvk_fail(CVK_SHAPE,
                            "%s %d has a dimension of %" PRId64 ", at most %d is supported", what,
                            index, view->shape.dims[d], INT32_MAX);
    if (!cvk_shape_known(&view->shape)) return CVK_OK;
    int64_t count = cvk_shape_count(&view->shape);
    if (count < 0 || count > INT64_MAX / 16)
        return cvk_fail(CVK_SHAPE, "%s %d of shape %s has more elements than can be counted", what,
                        index, cvk_shape_text(&view->shape, text));
    return CVK_OK;
}

/* With a pool in the epilogue the operator's own result is node->conv_shape; a quantised addition
 * has a type of its own. */
static cvk_status infer_posts(cvk_node *node, cvk_view *out)
{
    for (int p = 0; p < node->n_posts; p++)
        if (node->posts[p].kind == CVK_POST_QADD) out[0].dtype = node->posts[p].qadd.y.dtype;
    if (!node->n_posts || node->posts[node->n_posts - 1].kind != CVK_POST_POOL) return CVK_OK;
    cvk_view before = out[0];
    node->conv_shape = before.shape;
    return cvk_pool_infer(&node->posts[node->n_posts - 1].pool, &before, 1, out, 1);
}

static cvk_status infer_views(cvk_node *node, cvk_view *in, cvk_view *out)
{
    const cvk_op *op = cvk_op_get(node->op);
    int n_in = hide_post_inputs(node, in);
    CVK_TRY(check_counts(op, node, n_in));
    for (int i = 0; i < n_in; i++) {
        if (node->in[i] >= 0 && in[i].dtype == CVK_NONE) return CVK_OK; /* nothing is known yet */
        CVK_TRY(check_size(&in[i], "input", i));
    }
    CVK_TRY(op->infer(node->params, in, n_in, out, node->n_out));
    CVK_TRY(infer_posts(node, out));
    for (int i = 0; i < node->n_out; i++) CVK_TRY(check_size(&out[i], "output", i));
    return CVK_OK;
}

cvk_status cvk_node_infer(cvk_graph *graph, cvk_node *node)
{
    cvk_view *views = calloc((size_t)(node->n_in + node->n_out) + 1, sizeof *views);
    cvk_view *in = views, *out = views + node->n_in;
    if (!views) return at_node(node, cvk_fail(CVK_NO_MEMORY, "out of memory"));
    for (int i = 0; i < node->n_in; i++) in[i] = cvk_graph_view(graph, node->in[i]);
    for (int i = 0; i < node->n_out; i++) out[i].shape = cvk_shape_unknown();
    cvk_status status = infer_views(node, in, out);
    for (int i = 0; !status && i < node->n_out; i++) {
        if (node->out[i] < 0) continue;
        cvk_value *value = &graph->values[node->out[i]];
        value->dtype = out[i].dtype;
        value->has_shape = out[i].shape.rank >= 0;
        value->shape = value->has_shape ? out[i].shape : (cvk_shape){0};
    }
    free(views);
    return at_node(node, status);
}

static cvk_status check_residual(const cvk_view *residual, const cvk_view *temp)
{
    char text[CVK_SHAPE_TEXT], other[CVK_SHAPE_TEXT];
    if (cvk_shape_equal(&residual->shape, &temp->shape)) return CVK_OK;
    return cvk_fail(CVK_SHAPE, "residual has shape %s, the result has %s",
                    cvk_shape_text(&residual->shape, text), cvk_shape_text(&temp->shape, other));
}

static cvk_status post_qadd(const cvk_qbinary_params *qadd, const cvk_view *residual,
                            cvk_view *temp)
{
    CVK_TRY(check_residual(residual, temp));
    int64_t count = cvk_view_count(temp);
    for (int64_t i = 0; i < count; i++) {
        int32_t q = (int32_t)cvk_view_get(temp, i);
        cvk_view_set(temp, i, cvk_qbinary(qadd, q, (int32_t)cvk_view_get_int(residual, i)));
    }
    return CVK_OK;
}

static cvk_status post_add(const cvk_view *residual, cvk_view *temp)
{
    CVK_TRY(check_residual(residual, temp));
    int64_t count = cvk_view_count(temp);
    for (int64_t i = 0; i < count; i++)
        cvk_view_set(temp, i, cvk_view_get(temp, i) + cvk_view_get(residual, i));
    return CVK_OK;
}

static cvk_status post_prelu(const cvk_view *slope, cvk_view *temp)
{
    int64_t count = cvk_view_count(temp), slopes = cvk_view_count(slope);
    int64_t channels = temp->shape.rank > 1 ? temp->shape.dims[1] : 1;
    int64_t span = temp->shape.rank > 1 ? cvk_shape_span(&temp->shape, 2, temp->shape.rank) : 1;
    if (slopes != 1 && slopes != channels)
        return cvk_fail(CVK_SHAPE, "%" PRId64 " slopes for %" PRId64 " channels", slopes, channels);
    for (int64_t i = 0; i < count; i++) {
        double a = cvk_view_get(slope, slopes == 1 ? 0 : i / span % channels);
        cvk_view_set(temp, i, cvk_binary_apply(CVK_BINARY_PRELU, cvk_view_get(temp, i), a));
    }
    return CVK_OK;
}

/* The posts in order. All but a pool work in place; the result goes to `out`. */
static cvk_status apply_posts(const cvk_node *node, const cvk_view *in, cvk_view *temp,
                              cvk_view *out)
{
    for (int p = 0; p < node->n_posts; p++) {
        const cvk_post *post = &node->posts[p];
        switch (post->kind) {
        case CVK_POST_ADD: CVK_TRY(post_add(&in[post->input], temp)); break;
        case CVK_POST_ACT: CVK_TRY(cvk_reference_act(&post->act, temp, temp)); break;
        case CVK_POST_PRELU: CVK_TRY(post_prelu(&in[post->input], temp)); break;
        case CVK_POST_QADD: CVK_TRY(post_qadd(&post->qadd, &in[post->input], temp)); break;
        case CVK_POST_POOL: return cvk_pool_reference(&post->pool, temp, 1, out, 1);
        }
    }
    cvk_view_convert(temp, out);
    return CVK_OK;
}

/* The first input after the prologue; `mapped` is the caller's to free. */
static cvk_status apply_pre(const cvk_node *node, const cvk_view *in, cvk_view *mapped)
{
    CVK_TRY(cvk_view_temp(&in[0].shape, mapped));
    const cvk_pre *pre = &node->pre;
    int64_t count = cvk_view_count(&in[0]), channels = in[0].shape.dims[1];
    int64_t span = cvk_shape_span(&in[0].shape, 2, in[0].shape.rank);
    for (int64_t i = 0; i < count; i++) {
        int64_t plane = i / span, c = plane % channels;
        double x = cvk_view_get(&in[0], i);
        if (pre->gate)
            x *= cvk_view_get(&in[pre->gate], plane);
        else
            x = x * cvk_view_get(&in[pre->scale], c) + cvk_view_get(&in[pre->shift], c);
        cvk_view_set(mapped, i, x);
    }
    return cvk_reference_act(&node->pre.act, mapped, mapped);
}

/* `own`: what the operator itself gets, with room for n_in. */
static cvk_status reference_inside(const cvk_node *node, const cvk_view *in, cvk_view *own,
                                   cvk_view *mapped, cvk_view *temp, cvk_view *out)
{
    bool pooled = node->n_posts && node->posts[node->n_posts - 1].kind == CVK_POST_POOL;
    memcpy(own, in, (size_t)node->n_in * sizeof *own);
    int n_in = hide_post_inputs(node, own);
    if (node->pre.on) {
        CVK_TRY(apply_pre(node, in, mapped));
        own[0] = *mapped;
    }
    CVK_TRY(cvk_view_temp(pooled ? &node->conv_shape : &out[0].shape, temp));
    CVK_TRY(cvk_op_get(node->op)->reference(node->params, own, n_in, temp, 1));
    return apply_posts(node, in, temp, &out[0]);
}

static cvk_status reference_fused(const cvk_node *node, const cvk_view *in, cvk_view *out)
{
    cvk_view mapped = {0}, temp = {0}, *own = malloc(((size_t)node->n_in + 1) * sizeof *own);
    if (!own) return cvk_fail(CVK_NO_MEMORY, "out of memory");
    cvk_status status = reference_inside(node, in, own, &mapped, &temp, out);
    free(mapped.data);
    free(temp.data);
    free(own);
    return status;
}

cvk_status cvk_node_reference(const cvk_node *node, const cvk_view *in, cvk_view *out)
{
    if (node->n_posts || node->pre.on) return at_node(node, reference_fused(node, in, out));
    return at_node(node,
                   cvk_op_get(node->op)->reference(node->params, in, node->n_in, out, node->n_out));
}

/* A view of a value for counting: a free batch dimension counts as 1. */
static cvk_view counted_view(const cvk_graph *graph, int id)
{
    cvk_view view = cvk_graph_view(graph, id);
    if (view.dtype != CVK_NONE && view.shape.rank > 0 && view.shape.dims[0] < 0)
        view.shape.dims[0] = 1;
    return view;
}

/* Of the inputs, macs looks at these at the most. */
enum { MAX_COUNTED = CVK_BOTTLENECK_INPUTS };

uint64_t cvk_node_macs(const cvk_graph *graph, const cvk_node *node)
{
    const cvk_op *op = cvk_op_get(node->op);
    if (!op->macs || node->n_in < 2 || node->n_out < 1) return 0;
    bool pooled = node->n_posts && node->posts[node->n_posts - 1].kind == CVK_POST_POOL;
    cvk_view in[MAX_COUNTED];
    int n_in = node->n_in < MAX_COUNTED ? node->n_in : MAX_COUNTED;
    for (int i = 0; i < n_in; i++) in[i] = counted_view(graph, node->in[i]);
    cvk_view out = counted_view(graph, node->out[0]);
    if (pooled) out.shape = node->conv_shape;
    for (int i = 0; i < n_in; i++)
        if (in[i].dtype != CVK_NONE && !cvk_shaped(&in[i])) return 0;
    return cvk_shaped(&out) ? op->macs(node->params, in, n_in, &out) : 0;
}

enum { WORK_INPUTS = 8 };

uint64_t cvk_node_work(const cvk_graph *graph, const cvk_node *node)
{
    const cvk_op *op = cvk_op_get(node->op);
    if (!op->work) return cvk_node_macs(graph, node);
    cvk_view in[WORK_INPUTS], out = counted_view(graph, node->out[0]);
    int n_in = node->n_in < WORK_INPUTS ? node->n_in : WORK_INPUTS;
    for (int i = 0; i < n_in; i++) {
        in[i] = counted_view(graph, node->in[i]);
        if (!cvk_shaped(&in[i])) return 0;
    }
    return cvk_shaped(&out) ? op->work(node->params, in, n_in, &out) : 0;
}
