/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a network computes each picture of a batch from that picture alone. The lowered graph is
 * walked twice, for the batch as it is and for one more picture: a dimension that is the batch by
 * chance is so in one of them only.
 */
#include "schedule/batch.h"

#include <string.h>

#include "schedule/passes.h"

typedef struct walk {
    cvk_arena *arena;
    const cvk_graph *graph;
    int64_t count;   /* pictures */
    char *has_batch; /* by value */
    const char *why; /* NULL so far */
} walk;

static const cvk_shape *shape_of(const walk *w, int value)
{
    return &w->graph->values[value].shape;
}

static bool is_batched(const walk *w, const cvk_node *node, int i)
{
    return i < node->n_in && node->in[i] >= 0 && w->has_batch[node->in[i]];
}

static bool only_first_is_batched(const walk *w, const cvk_node *node)
{
    for (int i = 1; i < node->n_in; i++)
        if (is_batched(w, node, i)) return false;
    return is_batched(w, node, 0);
}

/* Broadcasting lines dimensions up from the last: the batch must be the first of all of them. */
static bool lines_up(const walk *w, const cvk_node *node)
{
    const int rank = shape_of(w, node->out[0])->rank;
    for (int i = 0; i < node->n_in; i++)
        if (is_batched(w, node, i) && shape_of(w, node->in[i])->rank != rank) return false;
    return true;
}

static bool all_are_batched(const walk *w, const cvk_node *node)
{
    for (int i = 0; i < node->n_in; i++)
        if (!is_batched(w, node, i)) return false;
    return true;
}

/* Whether each picture of a Copy's output lies in the same one of its input. */
static bool copies_within_pictures(const walk *w, const cvk_node *node)
{
    const cvk_copy_params *p = node->params;
    const int64_t picture = cvk_shape_count(shape_of(w, node->in[0])) / w->count;
    int64_t least = p->offset, most = p->offset;
    if (!p->n || p->dims[0] % w->count) return false;
    const int64_t first = p->dims[0] / w->count; /* of the first walked dimension, in a picture */
    if (first * p->strides[0] != picture) return false;
    for (int i = 0; i < p->n; i++) {
        const int64_t span = ((i ? p->dims[i] : first) - 1) * p->strides[i];
        *(span < 0 ? &least : &most) += span;
    }
    return least >= 0 && most < picture;
}

/* Kinds for which it is enough that the first dimension is the batch before and after, whatever the
 * batch is: each computes an element of the output from elements with the same first index. */
static bool keeps_apart_by_shape(cvk_op_kind op)
{
    switch (op) {
    case CVK_OP_Affine:
    case CVK_OP_Unary:
    case CVK_OP_Cast:
    case CVK_OP_Conv:
    case CVK_OP_ConvTranspose:
    case CVK_OP_QConv:
    case CVK_OP_Pool:
    case CVK_OP_QPool:
    case CVK_OP_GlobalPool:
    case CVK_OP_Gemm:
    case CVK_OP_LRN:
    case CVK_OP_InstanceNormalization:
    case CVK_OP_Reduce:
    case CVK_OP_ArgMax:
    case CVK_OP_ArgMin: return true;
    default: return false;
    }
}

static bool keeps_apart(const walk *w, const cvk_node *node)
{
    const cvk_pad_params *pad = node->params;
    if (cvk_is_alias(node)) return is_batched(w, node, 0);
    if (keeps_apart_by_shape(node->op)) return only_first_is_batched(w, node);
    switch (node->op) {
    case CVK_OP_Binary:
    case CVK_OP_QBinary:
    case CVK_OP_PRelu:
    case CVK_OP_Where:
    case CVK_OP_MatMul: return lines_up(w, node);
    case CVK_OP_Concat: return all_are_batched(w, node);
    case CVK_OP_Softmax:
    case CVK_OP_LogSoftmax: return ((const cvk_softmax_params *)node->params)->axis > 0;
    case CVK_OP_Pad: return only_first_is_batched(w, node) && !pad->begin[0] && !pad->end[0];
    case CVK_OP_Resample:
        return only_first_is_batched(w, node) &&
               ((const cvk_resample_params *)node->params)->axis > 0;
    case CVK_OP_RowNormalization:
        return only_first_is_batched(w, node) &&
               ((const cvk_row_normalization_params *)node->params)->rows % w->count == 0;
    case CVK_OP_Copy: return copies_within_pictures(w, node);
    default: return false;
    }
}

static cvk_status refuse(walk *w, const char *what, int value)
{
    char text[CVK_SHAPE_TEXT];
    w->why =
        cvk_arena_printf(w->arena, "%s '%s' of shape %s has no batch first", what,
                         w->graph->values[value].name, cvk_shape_text(shape_of(w, value), text));
    return w->why ? CVK_OK : CVK_NO_MEMORY;
}

static bool begins_with_batch(const walk *w, int value)
{
    const cvk_shape *shape = shape_of(w, value);
    return shape->rank > 0 && shape->dims[0] == w->count;
}

static cvk_status visit(walk *w, const cvk_node *node)
{
    bool any = false;
    for (int i = 0; i < node->n_in; i++) any |= is_batched(w, node, i);
    if (!any) return CVK_OK;
    if (!keeps_apart(w, node)) {
        w->why = cvk_arena_printf(w->arena, "node '%s' (%s) may mix pictures", node->name,
                                  cvk_op_kind_name(node->op));
        return w->why ? CVK_OK : CVK_NO_MEMORY;
    }
    for (int i = 0; i < node->n_out; i++) {
        if (node->out[i] < 0) continue;
        w->has_batch[node->out[i]] = 1;
        if (!begins_with_batch(w, node->out[i])) return refuse(w, "value", node->out[i]);
    }
    return CVK_OK;
}

/* The model as the passes before fusion leave it. */
static cvk_status lower(cvk_scheduler *s)
{
    CVK_TRY(cvk_fusions_read(s->options->no_fuse ? "" : s->options->fuse, &s->fusions));
    CVK_TRY(cvk_pass_bind(s));
    CVK_TRY(cvk_pass_cut(s));
    if (s->plan->tail) return CVK_OK;
    return cvk_passes_lower(s);
}

/* has_batch: by input of the model. */
static cvk_status check(cvk_arena *arena, const cvk_graph *model,
                        const cvk_schedule_options *options, const char *has_batch, int64_t count,
                        const char **why)
{
    cvk_plan plan = {.arena = arena, .graph = cvk_graph_clone(arena, model, true)};
    cvk_scheduler s = {.plan = &plan, .graph = plan.graph, .options = options, .brief = arena};
    if (!plan.graph) return CVK_NO_MEMORY;
    CVK_TRY(lower(&s));
    walk w = {.arena = arena, .graph = s.graph, .count = count};
    if (plan.tail) {
        *why = cvk_arena_printf(arena, "the shape of node '%s' depends on data", plan.tail->cause);
        return *why ? CVK_OK : CVK_NO_MEMORY;
    }
    w.has_batch = cvk_arena_alloc(arena, (size_t)s.graph->n_values + 1);
    if (!w.has_batch) return CVK_NO_MEMORY;
    for (int i = 0; i < s.graph->n_inputs; i++) w.has_batch[s.graph->inputs[i]] = has_batch[i];
    for (int i = 0; i < s.graph->n_nodes && !w.why; i++) CVK_TRY(visit(&w, &s.graph->nodes[i]));
    for (int i = 0; i < s.graph->n_outputs && !w.why; i++)
        if (!w.has_batch[s.graph->outputs[i]]) CVK_TRY(refuse(&w, "output", s.graph->outputs[i]));
    *why = w.why;
    return CVK_OK;
}

static bool is_given(const cvk_schedule_options *options, const char *name)
{
    for (int i = 0; i < options->n_constants; i++)
        if (strcmp(options->constants[i].name, name) == 0) return true;
    return false;
}

/* The inputs' shapes, and which of them begin with the batch. */
static cvk_status find_inputs(cvk_arena *arena, const cvk_graph *model,
                              const cvk_schedule_options *options, char *has_batch,
                              cvk_batch *batch)
{
    cvk_plan plan = {.arena = arena, .graph = cvk_graph_clone(arena, model, true)};
    cvk_scheduler s = {.plan = &plan, .graph = plan.graph, .options = options, .brief = arena};
    if (!plan.graph) return CVK_NO_MEMORY;
    CVK_TRY(cvk_pass_bind(&s));
    for (int i = 0; i < model->n_inputs; i++) {
        const cvk_value *was = &model->values[model->inputs[i]];
        const cvk_value *now = &s.graph->values[s.graph->inputs[i]];
        if (is_given(options, was->name)) continue;
        cvk_tensor *input = &batch->inputs[batch->n_inputs];
        *input = (cvk_tensor){.name = cvk_arena_string(arena, was->name),
                              .dtype = now->dtype,
                              .rank = now->shape.rank};
        if (!input->name) return CVK_NO_MEMORY;
        for (int d = 0; d < input->rank; d++) input->dims[d] = now->shape.dims[d];
        has_batch[i] = input->rank && (!was->has_shape || was->shape.dims[0] < 0);
        batch->has_batch[batch->n_inputs++] = has_batch[i];
        if (!has_batch[i]) continue;
        if (batch->count && batch->count != input->dims[0])
            batch->why = "the inputs have batches of several sizes";
        batch->count = input->dims[0];
    }
    return CVK_OK;
}

cvk_status cvk_batch_find(cvk_arena *arena, const cvk_graph *model,
                          const cvk_schedule_options *options, cvk_batch *batch)
{
    const size_t n = (size_t)model->n_inputs + 1;
    char *has_batch = cvk_arena_alloc(arena, n);
    *batch = (cvk_batch){.inputs = cvk_arena_alloc(arena, n * sizeof *batch->inputs),
                         .has_batch = cvk_arena_alloc(arena, n)};
    if (!has_batch || !batch->inputs || !batch->has_batch) return CVK_NO_MEMORY;
    CVK_TRY(find_inputs(arena, model, options, has_batch, batch));
    if (!batch->count) batch->why = "no input of the model has a free first dimension";
    if (batch->count == 1) batch->why = "the batch is one picture";
    if (batch->why) return CVK_OK;
    cvk_schedule_options shaped = *options;
    shaped.inputs = batch->inputs;
    shaped.n_inputs = batch->n_inputs;
    CVK_TRY(check(arena, model, &shaped, has_batch, batch->count, &batch->why));
    if (batch->why) return CVK_OK;
    cvk_tensor *more = cvk_arena_copy(arena, batch->inputs, n * sizeof *more);
    if (!more) return CVK_NO_MEMORY;
    for (int i = 0; i < batch->n_inputs; i++) more[i].dims[0] += batch->has_batch[i];
    shaped.inputs = more;
    if (!check(arena, model, &shaped, has_batch, batch->count + 1, &batch->why)) return CVK_OK;
    batch->why = cvk_arena_printf(arena, "other batches are refused: %s", cvk_last_error());
    return batch->why ? CVK_OK : CVK_NO_MEMORY;
}
