/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches from their description, work cut into items, and the questions that every accepts asks.
 */
#include "kernels/opencl/steps.h"

#include <limits.h>

/* On a CPU device an item is worth at least this many elements, and there are about this many items
 * per core, so that cores finish together. */
enum { ITEM_FLOATS = 2048, ITEMS_PER_UNIT = 8, GROUP = 64 };

static int64_t divide_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static void cut(const cvk_device *device, const cvk_cl_spec *spec, cvk_cl_launch *launch)
{
    const cvk_caps *caps = cvk_device_caps(device);
    int64_t span = 1, floats = spec->floats > 0 ? spec->floats : 1;
    size_t group = caps->max_group && caps->max_group < GROUP ? caps->max_group : GROUP;
    if (caps->bits & CVK_CAP_CPU) {
        int64_t items = (int64_t)(caps->units > 0 ? caps->units : 1) * ITEMS_PER_UNIT;
        int64_t even = divide_up(spec->units, items), least = divide_up(ITEM_FLOATS, floats);
        span = even > least ? even : least;
        group = 1;
    }
    *spec->span = (cl_int)span;
    launch->dims = 1;
    launch->local[0] = group;
    launch->global[0] = (size_t)divide_up(divide_up(spec->units, span), (int64_t)group) * group;
}

static cvk_status bind(cvk_cl_stage *stage, cl_uint arg, const cvk_cl_buffer *buffer)
{
    if (buffer->place == CVK_CL_HELD) return cvk_cl_arg_mem(&stage->launch, arg, buffer->held);
    if (buffer->place == CVK_CL_SCRATCH)
        cvk_cl_stage_scratch(stage, arg);
    else if (buffer->place == CVK_CL_IN)
        cvk_cl_stage_in(stage, arg, buffer->index);
    else
        cvk_cl_stage_out(stage, arg, buffer->index);
    return CVK_OK;
}

cvk_status cvk_cl_steps_add(cvk_device *device, cvk_step *step, const cvk_cl_spec *spec)
{
    cvk_cl_stage *stage;
    cl_uint arg = 0;
    CVK_TRY(cvk_cl_stage_add(device, step, spec->file, spec->defines ? spec->defines : "",
                             spec->kernel, &stage));
    cut(device, spec, &stage->launch);
    for (; arg < CVK_CL_MAX_BUFFERS && spec->buffers[arg].place; arg++)
        CVK_TRY(bind(stage, arg, &spec->buffers[arg]));
    return cvk_cl_arg_struct(&stage->launch, arg, spec->args, spec->args_bytes);
}

cl_int cvk_cl_chunk(const cvk_device *device, int64_t row, int wanted, int small, cl_int *chunks)
{
    int64_t length = cvk_device_caps(device)->bits & CVK_CAP_CPU ? wanted : small;
    if (length > row) length = row;
    *chunks = (cl_int)divide_up(row, length);
    return (cl_int)length;
}

cvk_status cvk_cl_steps_add_rows(cvk_device *device, cvk_step *step, cvk_cl_spec *spec,
                                 cvk_cl_cut *cut, int wanted, int small, int lanes)
{
    cut->chunk = cvk_cl_chunk(device, cut->length, wanted, small, &cut->chunks);
    spec->units = (int64_t)cut->rows * cut->chunks;
    spec->floats = (int64_t)cut->chunk * lanes;
    spec->span = &cut->span;
    return cvk_cl_steps_add(device, step, spec);
}

void cvk_cl_walk_merge(cvk_cl_walk *walk)
{
    int n = 0;
    for (int i = 0; i < walk->n; i++) {
        int64_t dim = walk->dims[i], a = walk->a[i], b = walk->b[i];
        if (dim == 1) continue;
        if (n > 0 && walk->a[n - 1] == a * dim && walk->b[n - 1] == b * dim) {
            n--;
            dim *= walk->dims[n];
        }
        walk->dims[n] = dim;
        walk->a[n] = a;
        walk->b[n] = b;
        n++;
    }
    if (n == 0) {
        walk->dims[0] = walk->a[0] = walk->b[0] = 1;
        n = 1;
    }
    walk->n = n;
}

cvk_cl_walk cvk_cl_walk_broadcast(const cvk_step *step)
{
    const cvk_shape *out = &step->out[0].shape;
    cvk_cl_walk walk = {.n = out->rank};
    for (int i = 0; i < out->rank; i++) walk.dims[i] = out->dims[i];
    cvk_shape_broadcast_strides(&step->in[0].shape, out, walk.a);
    cvk_shape_broadcast_strides(&step->in[1].shape, out, walk.b);
    cvk_cl_walk_merge(&walk);
    return walk;
}

cvk_cl_rows cvk_cl_walk_rows(const cvk_cl_walk *walk, cl_int *count)
{
    cvk_cl_rows rows = {.n = walk->n - 1};
    *count = 1;
    for (int i = 0; i < rows.n; i++) {
        rows.dims[i] = (cl_int)walk->dims[i];
        rows.a[i] = (cl_int)walk->a[i];
        rows.b[i] = (cl_int)walk->b[i];
        *count *= rows.dims[i];
    }
    return rows;
}

bool cvk_cl_refuse(const char **why_not, const char *reason)
{
    *why_not = reason;
    return false;
}

static bool view_fits(const cvk_view *view)
{
    size_t bytes = cvk_dtype_bytes(view->dtype);
    int64_t count = cvk_view_count(view);
    if (view->dtype == CVK_NONE) return true;
    return count > 0 && bytes && cvk_view_bytes(view) / bytes <= INT_MAX / 2;
}

bool cvk_cl_counts_fit(const cvk_problem *problem, const char **why_not)
{
    bool fits = true;
    for (int i = 0; i < problem->node->n_in; i++) fits = fits && view_fits(&problem->in[i]);
    for (int i = 0; i < problem->node->n_out; i++) fits = fits && view_fits(&problem->out[i]);
    return fits || cvk_cl_refuse(why_not, "a tensor of 2^30 elements or more");
}

bool cvk_cl_floats_fit(const cvk_problem *problem, const char **why_not)
{
    if (problem->in[0].dtype != CVK_F32 || problem->out[0].dtype != CVK_F32)
        return cvk_cl_refuse(why_not, "float32 only");
    return cvk_cl_counts_fit(problem, why_not);
}

static bool has_blocks(const cvk_shape *shape)
{
    if (shape->rank != 3 && shape->rank != 4) return false;
    int64_t spatial = cvk_shape_span(shape, 2, shape->rank);
    int64_t blocks = (shape->dims[1] + CVK_BLOCK - 1) / CVK_BLOCK;
    return shape->dims[0] <= INT_MAX / 2 / CVK_BLOCK / blocks / spatial;
}

bool cvk_cl_blocked_fit(const cvk_problem *problem, const char **why_not)
{
    return cvk_cl_floats_fit(problem, why_not) && cvk_cl_blocks_fit(problem, why_not);
}

static bool is_blockable(const cvk_view *view)
{
    return view->dtype == CVK_F32 || view->dtype == CVK_F16;
}

bool cvk_cl_blocks_fit(const cvk_problem *problem, const char **why_not)
{
    if (!is_blockable(&problem->in[0]) || !is_blockable(&problem->out[0]))
        return cvk_cl_refuse(why_not, "float32 and float16 only");
    if (!cvk_cl_counts_fit(problem, why_not)) return false;
    if (problem->in[0].shape.rank < 3 || problem->in[0].shape.rank > 4 ||
        problem->out[0].shape.rank < 3 || problem->out[0].shape.rank > 4)
        return cvk_cl_refuse(why_not, "blocked layout wants rank 3 or 4");
    if (!has_blocks(&problem->in[0].shape) || !has_blocks(&problem->out[0].shape))
        return cvk_cl_refuse(why_not, "2^30 elements or more in blocked layout");
    return true;
}

bool cvk_cl_no_posts(const cvk_problem *problem, const char **why_not)
{
    return problem->node->n_posts == 0 ||
           cvk_cl_refuse(why_not, "nothing is fused into this kernel");
}

cvk_cl_nchw cvk_cl_nchw_of(const cvk_shape *shape)
{
    bool two = shape->rank == 4;
    return (cvk_cl_nchw){.n = (cl_int)shape->dims[0],
                         .c = (cl_int)shape->dims[1],
                         .h = two ? (cl_int)shape->dims[2] : 1,
                         .w = (cl_int)shape->dims[two ? 3 : 2],
                         .blocks = (cl_int)((shape->dims[1] + CVK_BLOCK - 1) / CVK_BLOCK)};
}
