/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows as the scheduler would run them: views in the row's layouts, weights packed, scratch at
 * hand.
 */
#include "bench/rows.h"

#include <stdlib.h>
#include <string.h>

enum { STEPS = 64 };

static cvk_status give_memory(row_run *r, size_t bytes, void **data)
{
    CVK_TRY(r->device->backend->alloc(r->device, bytes, data));
    r->memory[r->n_memory++] = *data;
    return CVK_OK;
}

/* Memory for an input that holds what the plain view holds. */
static cvk_status bring(row_run *r, const cvk_view *plain, cvk_view *view)
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

cvk_status row_open(cvk_scheduler *s, cvk_device *device, const cvk_node *node,
                    const cvk_kernel *row, const cvk_view *plain, row_run *r)
{
    *r = (row_run){.device = device};
    r->memory = calloc((size_t)(node->n_in + node->n_out + 1), sizeof *r->memory);
    if (!r->memory) return cvk_fail(CVK_NO_MEMORY, "out of memory");
    CVK_TRY(cvk_step_make(s, node, device, row, &r->step));
    for (int i = 0; i < node->n_in; i++)
        if (node->in[i] >= 0 && !cvk_is_const(s->graph, node->in[i]))
            CVK_TRY(bring(r, &plain[i], &r->step.in[i]));
    for (int i = 0; i < node->n_out; i++)
        if (node->out[i] >= 0)
            CVK_TRY(give_memory(r, cvk_view_bytes(&r->step.out[i]), &r->step.out[i].data));
    if (!r->step.scratch_bytes) return CVK_OK;
    return give_memory(r, r->step.scratch_bytes, &r->step.scratch);
}

bool row_launch(void *row, int launches)
{
    row_run *r = row;
    cvk_step *steps[STEPS];
    for (int i = 0; i < STEPS; i++) steps[i] = &r->step;
    for (int done = 0; done < launches; done += STEPS) {
        int count = launches - done < STEPS ? launches - done : STEPS;
        if (r->device->backend->execute(r->device, steps, count, NULL)) return false;
    }
    return !r->device->backend->finish(r->device);
}

cvk_status row_result(row_run *r, void *dst)
{
    cvk_view *out = &r->step.out[0];
    const cvk_shape *s = &out->shape;
    size_t bytes = cvk_view_bytes(out);
    if (!row_launch(r, 1))
        return cvk_fail(CVK_DEVICE_FAILED, "row %s failed", r->step.kernel->name);
    if (out->layout == CVK_LAYOUT_PLAIN)
        return r->device->backend->read(r->device, dst, out->data, bytes);
    void *image = malloc(bytes);
    if (!image) return cvk_fail(CVK_NO_MEMORY, "out of memory");
    cvk_status status = r->device->backend->read(r->device, image, out->data, bytes);
    if (!status)
        cvk_layout_unblock(out->dtype, image, dst, s->dims[0], s->dims[1],
                           cvk_shape_span(s, 2, s->rank));
    free(image);
    return status;
}

void row_close(row_run *r)
{
    for (int i = 0; i < r->n_memory; i++) r->device->backend->release(r->device, r->memory[i]);
    free(r->memory);
    if (r->device) cvk_step_unmake(r->device, &r->step);
}
