/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows as the scheduler would run them: views in the row's layouts, weights packed, scratch at
 * hand.
 */
#include "session/rows.h"

#include <stdlib.h>
#include <string.h>

#include "schedule/denied.h"

enum { AT_ONCE = 64 };

static cvk_status give_memory(cvk_row_run *r, size_t bytes, void **data)
{
    CVK_TRY(r->device->backend->alloc(r->device, bytes, data));
    r->memory[r->n_memory++] = *data;
    return CVK_OK;
}

/* Memory for an input that holds what the plain view holds. */
static cvk_status bring(cvk_row_run *r, const cvk_view *plain, cvk_view *view)
{
    size_t bytes = cvk_view_bytes(view);
    CVK_TRY(give_memory(r, bytes, &view->data));
    void *image = calloc(1, bytes + 1);
    if (!image) return cvk_fail(CVK_NO_MEMORY, "out of memory");
    const cvk_shape *s = &view->shape;
    if (view->layout == CVK_LAYOUT_PLAIN)
        memcpy(image, plain->data, bytes);
    else
        cvk_layout_block(view->dtype, plain->data, image, s->dims[0], s->dims[1],
                         cvk_shape_span(s, 2, s->rank));
    cvk_status status = r->device->backend->write(r->device, view->data, image, bytes);
    if (!status) status = r->device->backend->finish(r->device);
    free(image);
    return status;
}

/* A step that makes `to`, which gets memory, of a form of the same value in another layout. Its
 * node is in a graph of its own: the plan's has no such value. */
static cvk_status add_reorder(cvk_scheduler *s, cvk_row_run *r, const cvk_view *plain,
                              cvk_layout from, cvk_view *to)
{
    cvk_arena *arena = s->plan->arena;
    cvk_graph *graph = cvk_graph_create(arena, "reorder", s->graph->opset);
    cvk_scheduler own = *s;
    cvk_node *node;
    const cvk_kernel *row = NULL;
    int ids[2];
    if (!graph) return CVK_NO_MEMORY;
    own.graph = graph;
    for (int i = 0; i < 2; i++)
        CVK_TRY(cvk_graph_add_temp_of(graph, "x", to->dtype, &to->shape, &ids[i]));
    CVK_TRY(cvk_graph_add_node(graph, CVK_OP_Reorder, NULL, &ids[0], 1, &ids[1], 1, 0, &node));
    for (int k = 0; k < r->device->n_kernels && !row; k++) {
        const cvk_kernel *known = &r->device->kernels[k];
        if (known->op == CVK_OP_Reorder && known->in_layout == from &&
            known->out_layout == to->layout && !cvk_denied(s, r->device, known))
            row = known;
    }
    if (!row) return cvk_fail(CVK_UNSUPPORTED, "device %s cannot reorder", r->device->info.id);
    cvk_step *step = &r->steps[r->n_steps++];
    CVK_TRY(cvk_step_make(&own, node, r->device, row, step));
    CVK_TRY(cvk_device_build(r->device, &step, 1));
    CVK_TRY(bring(r, plain, &step->in[0]));
    CVK_TRY(give_memory(r, cvk_view_bytes(to), &to->data));
    step->out[0].data = to->data;
    return step->scratch_bytes ? give_memory(r, step->scratch_bytes, &step->scratch) : CVK_OK;
}

/* Input i of the row's own step, as it lies under `like`. */
static cvk_status add_input(cvk_scheduler *s, cvk_row_run *r, const cvk_kernel *like, int i,
                            const cvk_view *plain, cvk_step *own)
{
    const cvk_node *node = own->node;
    cvk_view *view = &own->in[i];
    const cvk_value *value = &s->graph->values[node->in[i]];
    cvk_layout lies = cvk_row_input_layout(like, node, i, value);
    return lies == view->layout ? bring(r, plain, view) : add_reorder(s, r, plain, lies, view);
}

cvk_status cvk_row_open(cvk_scheduler *s, cvk_device *device, const cvk_node *node,
                        const cvk_kernel *row, const cvk_kernel *like, const cvk_view *plain,
                        cvk_row_run *r)
{
    *r = (cvk_row_run){.device = device};
    r->memory = calloc((size_t)(3 * node->n_in + node->n_out + 2), sizeof *r->memory);
    r->steps = calloc((size_t)node->n_in + 1, sizeof *r->steps);
    if (!r->memory || !r->steps) return cvk_fail(CVK_NO_MEMORY, "out of memory");
    cvk_step own = {0}, *const all = &own;
    cvk_status status = cvk_step_make(s, node, device, row, &own);
    if (!status) status = cvk_device_build(device, &all, 1);
    for (int i = 0; !status && i < node->n_in; i++)
        if (node->in[i] >= 0 && !cvk_is_const(s->graph, node->in[i]))
            status = add_input(s, r, like ? like : row, i, &plain[i], &own);
    for (int i = 0; !status && i < node->n_out; i++)
        if (node->out[i] >= 0)
            status = give_memory(r, cvk_view_bytes(&own.out[i]), &own.out[i].data);
    if (!status && own.scratch_bytes) status = give_memory(r, own.scratch_bytes, &own.scratch);
    r->steps[r->n_steps++] = own;
    return status;
}

bool cvk_row_launch(void *row, int launches)
{
    cvk_row_run *r = row;
    cvk_step *steps[AT_ONCE];
    int most = r->n_steps < AT_ONCE ? AT_ONCE / r->n_steps : 1;
    for (int i = 0; i < most * r->n_steps && i < AT_ONCE; i++) steps[i] = &r->steps[i % r->n_steps];
    for (int done = 0; done < launches; done += most) {
        int count = launches - done < most ? launches - done : most;
        if (r->device->backend->execute(r->device, steps, count * r->n_steps, 0, NULL))
            return false;
    }
    return !r->device->backend->finish(r->device);
}

/* An output in plain layout to dst. */
static cvk_status read_plain(cvk_device *device, const cvk_view *out, void *dst)
{
    const cvk_shape *s = &out->shape;
    size_t bytes = cvk_view_bytes(out);
    if (out->layout == CVK_LAYOUT_PLAIN)
        return device->backend->read(device, dst, out->data, bytes, true);
    void *image = malloc(bytes);
    if (!image) return cvk_fail(CVK_NO_MEMORY, "out of memory");
    cvk_status status = device->backend->read(device, image, out->data, bytes, true);
    if (!status)
        cvk_layout_unblock(out->dtype, image, dst, s->dims[0], s->dims[1],
                           cvk_shape_span(s, 2, s->rank));
    free(image);
    return status;
}

cvk_status cvk_row_result(cvk_row_run *r, void *const *dst)
{
    const cvk_step *own = &r->steps[r->n_steps - 1];
    if (!cvk_row_launch(r, 1)) return cvk_fail_at(CVK_DEVICE_FAILED, "row %s", own->kernel->name);
    for (int i = 0; i < own->node->n_out; i++)
        if (own->node->out[i] >= 0 && dst[i]) CVK_TRY(read_plain(r->device, &own->out[i], dst[i]));
    return CVK_OK;
}

void cvk_row_close(cvk_row_run *r)
{
    for (int i = 0; i < r->n_memory; i++) r->device->backend->release(r->device, r->memory[i]);
    for (int i = 0; i < r->n_steps; i++) cvk_step_unmake(r->device, &r->steps[i]);
    free(r->memory);
    free(r->steps);
    *r = (cvk_row_run){0};
}
