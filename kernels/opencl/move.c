/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches move.cl: Copy, Concat, Gather, Pad and Reorder.
 */
#include "kernels/opencl/steps.h"

#include <string.h>

#include "graph/planes.h"

enum { CHUNK = 4096, SMALL_CHUNK = 16, BLOCKED_CHUNK = CHUNK / CVK_BLOCK };

static bool accepts_elements(const cvk_problem *problem, const char **why_not)
{
    size_t bytes = cvk_dtype_bytes(problem->out[0].dtype);
    if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8)
        return cvk_cl_refuse(why_not, "elements of 1, 2, 4 or 8 bytes only");
    return cvk_cl_no_posts(problem, why_not) && cvk_cl_counts_fit(problem, why_not);
}

/* The kernel of that family for elements of `dtype`. */
static const char *by_bytes(cvk_dtype dtype, const char *const names[4])
{
    switch (cvk_dtype_bytes(dtype)) {
    case 1: return names[0];
    case 2: return names[1];
    case 4: return names[2];
    }
    return names[3];
}

typedef struct copy_args {
    cvk_cl_cut cut;
    cl_int from, to, step_src, step_dst;
    cvk_cl_rows walk;
} copy_args;

/* On a CPU device a row of few elements costs more than these: the longest dimension becomes the
 * row. */
static void lengthen_rows(const cvk_device *device, cvk_cl_walk *walk)
{
    int last = walk->n - 1, longest = last;
    if (!(device->caps.bits & CVK_CAP_CPU) || walk->dims[last] >= SMALL_CHUNK) return;
    for (int i = 0; i < last; i++)
        if (walk->dims[i] > walk->dims[longest]) longest = i;
    const int64_t dim = walk->dims[last], a = walk->a[last], b = walk->b[last];
    walk->dims[last] = walk->dims[longest];
    walk->a[last] = walk->a[longest];
    walk->b[last] = walk->b[longest];
    walk->dims[longest] = dim;
    walk->a[longest] = a;
    walk->b[longest] = b;
}

static cvk_status copy_launch(cvk_device *device, cvk_step *step, int input, cvk_cl_walk *walk,
                              int64_t from, int64_t to)
{
    static const char *const names[] = {"copy1", "copy2", "copy4", "copy8"};
    copy_args args = {.from = (cl_int)from, .to = (cl_int)to};
    cvk_cl_walk_merge(walk);
    lengthen_rows(device, walk);
    args.walk = cvk_cl_walk_rows(walk, &args.cut.rows);
    args.cut.length = (cl_int)walk->dims[walk->n - 1];
    args.step_src = (cl_int)walk->a[walk->n - 1];
    args.step_dst = (cl_int)walk->b[walk->n - 1];
    cvk_cl_spec spec = {.file = "move.cl",
                        .kernel = by_bytes(step->out[0].dtype, names),
                        .buffers = {{CVK_CL_IN, input, NULL}, {CVK_CL_OUT, 0, NULL}},
                        .args = &args,
                        .args_bytes = sizeof args};
    return cvk_cl_steps_add_rows(device, step, &spec, &args.cut, CHUNK, SMALL_CHUNK, 1);
}

cvk_status cvk_cl_steps_copy(cvk_device *device, cvk_step *step, int input)
{
    cvk_cl_walk walk = {.n = 1, .dims = {cvk_view_count(&step->in[input])}, .a = {1}, .b = {1}};
    return copy_launch(device, step, input, &walk, 0, 0);
}

bool cvk_cl_copy_accepts(const cvk_problem *problem, const char **why_not)
{
    return accepts_elements(problem, why_not);
}

cvk_status cvk_cl_copy_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_copy_params *params = step->node->params;
    cvk_cl_walk walk = {.n = params->n};
    int64_t run = 1;
    for (int i = params->n - 1; i >= 0; i--) {
        walk.dims[i] = params->dims[i];
        walk.a[i] = params->strides[i];
        walk.b[i] = run;
        run *= params->dims[i];
    }
    return copy_launch(device, step, 0, &walk, params->offset, 0);
}

typedef struct planes_args {
    cl_int span, n, spatial, chunk, chunks, src_blocks, dst_c, base, digits;
    cl_int length[CVK_MAX_RANK], stride[CVK_MAX_RANK];
} planes_args;

bool cvk_cl_copy_blocked_accepts(const cvk_problem *problem, const char **why_not)
{
    cvk_planes planes;
    if (!accepts_elements(problem, why_not) || !cvk_cl_blocks_fit(problem, why_not)) return false;
    return cvk_planes_make(problem->node->params, &problem->in[0].shape, &problem->out[0].shape,
                           &planes) ||
           cvk_cl_refuse(why_not, "moves more than whole planes");
}

cvk_status cvk_cl_copy_blocked_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_cl_nchw in = cvk_cl_nchw_of(&step->in[0].shape),
                      out = cvk_cl_nchw_of(&step->out[0].shape);
    cvk_planes planes;
    if (!cvk_planes_make(step->node->params, &step->in[0].shape, &step->out[0].shape, &planes))
        return cvk_fail(CVK_SHAPE, "copy '%s': not of whole planes", step->node->name);
    planes_args args = {.n = in.n,
                        .spatial = in.h * in.w,
                        .src_blocks = in.blocks,
                        .dst_c = out.c,
                        .base = planes.base,
                        .digits = planes.n};
    for (int i = 0; i < planes.n; i++) {
        args.length[i] = planes.length[i];
        args.stride[i] = planes.stride[i];
    }
    args.chunk = cvk_cl_chunk(device, args.spatial, BLOCKED_CHUNK, 1, &args.chunks);
    cvk_cl_spec spec = {.file = "move.cl",
                        .kernel = step->out[0].dtype == CVK_F16 ? "copy_planes2" : "copy_planes4",
                        .buffers = {{CVK_CL_IN, 0, NULL}, {CVK_CL_OUT, 0, NULL}},
                        .args = &args,
                        .args_bytes = sizeof args,
                        .units = (int64_t)out.n * out.blocks * args.chunks,
                        .floats = (int64_t)args.chunk * CVK_BLOCK,
                        .span = &args.span};
    return cvk_cl_steps_add(device, step, &spec);
}

typedef struct last_args {
    cl_int span, n, c, spatial, chunk, chunks;
} last_args;

bool cvk_cl_copy_last_accepts(const cvk_problem *problem, const char **why_not)
{
    const cvk_view *in = &problem->in[0];
    if (!accepts_elements(problem, why_not)) return false;
    if ((in->dtype != CVK_F32 && in->dtype != CVK_F16) ||
        (in->shape.rank != 3 && in->shape.rank != 4))
        return cvk_cl_refuse(why_not, "only float32 and float16 of rank 3 or 4 are blocked");
    return cvk_planes_turned(problem->node->params, &in->shape) ||
           cvk_cl_refuse(why_not, "does more than put the channels last");
}

cvk_status cvk_cl_copy_last_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_cl_nchw in = cvk_cl_nchw_of(&step->in[0].shape);
    last_args args = {.n = in.n, .c = in.c, .spatial = in.h * in.w};
    args.chunk = cvk_cl_chunk(device, args.spatial, BLOCKED_CHUNK, 1, &args.chunks);
    cvk_cl_spec spec = {.file = "move.cl",
                        .kernel = step->out[0].dtype == CVK_F16 ? "copy_last2" : "copy_last4",
                        .buffers = {{CVK_CL_IN, 0, NULL}, {CVK_CL_OUT, 0, NULL}},
                        .args = &args,
                        .args_bytes = sizeof args,
                        .units = (int64_t)in.n * args.chunks,
                        .floats = (int64_t)args.chunk * in.c,
                        .span = &args.span};
    return cvk_cl_steps_add(device, step, &spec);
}

bool cvk_cl_concat_plain_accepts(const cvk_problem *problem, const char **why_not)
{
    for (int i = 0; i < problem->node->n_in; i++)
        if (problem->in[i].dtype != problem->out[0].dtype)
            return cvk_cl_refuse(why_not, "types are mixed");
    return accepts_elements(problem, why_not);
}

cvk_status cvk_cl_concat_plain_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_axis_params *params = step->node->params;
    int axis = (int)params->axis;
    const cvk_shape *out = &step->out[0].shape;
    int64_t pitch = cvk_shape_span(out, axis, out->rank), at = 0;
    for (int i = 0; i < step->node->n_in; i++) {
        const cvk_shape *in = &step->in[i].shape;
        int64_t run = cvk_shape_span(in, axis, in->rank);
        cvk_cl_walk walk = {
            .n = 2, .dims = {cvk_shape_span(in, 0, axis), run}, .a = {run, 1}, .b = {pitch, 1}};
        CVK_TRY(copy_launch(device, step, i, &walk, 0, at));
        at += run;
    }
    return CVK_OK;
}

typedef struct concat_args {
    cl_int span, n, spatial, chunk, chunks, src_c, dst_blocks, offset;
} concat_args;

bool cvk_cl_concat_blocked_accepts(const cvk_problem *problem, const char **why_not)
{
    const cvk_axis_params *params = problem->node->params;
    if (params->axis != 1) return cvk_cl_refuse(why_not, "blocked layout joins channels only");
    return cvk_cl_concat_plain_accepts(problem, why_not) && cvk_cl_blocks_fit(problem, why_not);
}

static cvk_status concat_launch(cvk_device *device, cvk_step *step, int input, cl_int offset)
{
    static const char *const names[2][2] = {{"concat_lanes4", "concat_blocks4"},
                                            {"concat_lanes2", "concat_blocks2"}};
    cvk_cl_nchw in = cvk_cl_nchw_of(&step->in[input].shape),
                out = cvk_cl_nchw_of(&step->out[0].shape);
    bool whole = offset % CVK_BLOCK == 0;
    concat_args args = {.n = in.n,
                        .spatial = in.h * in.w,
                        .src_c = in.c,
                        .dst_blocks = out.blocks,
                        .offset = offset};
    args.chunk = cvk_cl_chunk(device, args.spatial, BLOCKED_CHUNK, 1, &args.chunks);
    cvk_cl_spec spec = {.file = "move.cl",
                        .kernel = names[step->out[0].dtype == CVK_F16][whole],
                        .buffers = {{CVK_CL_IN, input, NULL}, {CVK_CL_OUT, 0, NULL}},
                        .args = &args,
                        .args_bytes = sizeof args,
                        .units = (int64_t)in.n * (whole ? in.blocks : in.c) * args.chunks,
                        .floats = (int64_t)args.chunk * (whole ? CVK_BLOCK : 1),
                        .span = &args.span};
    return cvk_cl_steps_add(device, step, &spec);
}

typedef struct pair_args {
    cl_int span, n, spatial, chunk, chunks, c0, c1;
} pair_args;

static cvk_status concat_pair(cvk_device *device, cvk_step *step)
{
    const cvk_cl_nchw a = cvk_cl_nchw_of(&step->in[0].shape),
                      out = cvk_cl_nchw_of(&step->out[0].shape);
    pair_args args = {.n = a.n, .spatial = a.h * a.w, .c0 = a.c, .c1 = out.c - a.c};
    args.chunk = cvk_cl_chunk(device, args.spatial, BLOCKED_CHUNK, 1, &args.chunks);
    cvk_cl_spec spec = {
        .file = "move.cl",
        .kernel = "concat_pair4",
        .buffers = {{CVK_CL_IN, 0, NULL}, {CVK_CL_IN, 1, NULL}, {CVK_CL_OUT, 0, NULL}},
        .args = &args,
        .args_bytes = sizeof args,
        .units = (int64_t)out.n * out.blocks * args.chunks,
        .floats = (int64_t)args.chunk * CVK_BLOCK,
        .span = &args.span};
    return cvk_cl_steps_add(device, step, &spec);
}

cvk_status cvk_cl_concat_blocked_prepare(cvk_device *device, cvk_step *step)
{
    cl_int offset = 0;
    if (step->node->n_in == 2 && step->out[0].dtype == CVK_F32) return concat_pair(device, step);
    for (int i = 0; i < step->node->n_in; i++) {
        CVK_TRY(concat_launch(device, step, i, offset));
        offset += (cl_int)step->in[i].shape.dims[1];
    }
    return CVK_OK;
}

typedef struct gather_args {
    cvk_cl_cut cut;
    cl_int count, size, wide;
} gather_args;

bool cvk_cl_gather_accepts(const cvk_problem *problem, const char **why_not)
{
    if (problem->in[1].dtype != CVK_I32 && problem->in[1].dtype != CVK_I64)
        return cvk_cl_refuse(why_not, "int32 or int64 indices only");
    return accepts_elements(problem, why_not);
}

cvk_status cvk_cl_gather_prepare(cvk_device *device, cvk_step *step)
{
    static const char *const names[] = {"gather1", "gather2", "gather4", "gather8"};
    const cvk_axis_params *params = step->node->params;
    const cvk_shape *in = &step->in[0].shape;
    int axis = (int)params->axis;
    gather_args args = {.cut.length = (cl_int)cvk_shape_span(in, axis + 1, in->rank),
                        .count = (cl_int)cvk_view_count(&step->in[1]),
                        .size = (cl_int)in->dims[axis],
                        .wide = step->in[1].dtype == CVK_I64};
    args.cut.rows = (cl_int)cvk_shape_span(in, 0, axis) * args.count;
    cvk_cl_spec spec = {
        .file = "move.cl",
        .kernel = by_bytes(step->out[0].dtype, names),
        .buffers = {{CVK_CL_IN, 0, NULL}, {CVK_CL_IN, 1, NULL}, {CVK_CL_OUT, 0, NULL}},
        .args = &args,
        .args_bytes = sizeof args};
    return cvk_cl_steps_add_rows(device, step, &spec, &args.cut, CHUNK, SMALL_CHUNK, 1);
}

typedef struct pad_args {
    cvk_cl_cut cut;
    cl_int mode, iw, begin_w, n, in[CVK_MAX_RANK], out[CVK_MAX_RANK], begin[CVK_MAX_RANK],
        strides[CVK_MAX_RANK];
    cl_uint value;
} pad_args;

/* Pads and value are in params; a value that only a run computes is not. */
static bool pad_value_known(const cvk_problem *problem, const char **why_not)
{
    for (int i = 1; i < problem->node->n_in; i++)
        if (problem->in[i].dtype && !problem->in[i].data)
            return cvk_cl_refuse(why_not, "the value is computed");
    return true;
}

bool cvk_cl_pad_plain_accepts(const cvk_problem *problem, const char **why_not)
{
    if (!pad_value_known(problem, why_not)) return false;
    if (problem->in[0].dtype != CVK_F32 && problem->in[0].dtype != CVK_I32)
        return cvk_cl_refuse(why_not, "float32 or int32 only");
    if (problem->in[0].shape.rank < 1) return cvk_cl_refuse(why_not, "a scalar");
    return cvk_cl_no_posts(problem, why_not) && cvk_cl_counts_fit(problem, why_not);
}

static cl_uint constant_bits(cvk_dtype dtype, float value)
{
    cl_uint bits;
    if (dtype == CVK_I32) return (cl_uint)(cl_int)value;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

cvk_status cvk_cl_pad_plain_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_pad_params *params = step->node->params;
    const cvk_shape *in = &step->in[0].shape, *out = &step->out[0].shape;
    int64_t strides[CVK_MAX_RANK];
    int last = out->rank - 1;
    pad_args args = {.cut.rows = (cl_int)cvk_shape_span(out, 0, last),
                     .cut.length = (cl_int)out->dims[last],
                     .mode = (cl_int)params->mode,
                     .iw = (cl_int)in->dims[last],
                     .begin_w = (cl_int)params->begin[last],
                     .n = last,
                     .value = constant_bits(step->in[0].dtype, params->value)};
    cvk_shape_strides(in, strides);
    for (int i = 0; i < last; i++) {
        args.in[i] = (cl_int)in->dims[i];
        args.out[i] = (cl_int)out->dims[i];
        args.begin[i] = (cl_int)params->begin[i];
        args.strides[i] = (cl_int)strides[i];
    }
    cvk_cl_spec spec = {.file = "move.cl",
                        .kernel = "pad_plain",
                        .buffers = {{CVK_CL_IN, 0, NULL}, {CVK_CL_OUT, 0, NULL}},
                        .args = &args,
                        .args_bytes = sizeof args};
    return cvk_cl_steps_add_rows(device, step, &spec, &args.cut, CHUNK, SMALL_CHUNK, 1);
}

typedef struct pad_blocked_args {
    cl_int span, planes, ih, iw, oh, ow, mode, begin_h, begin_w;
    cl_float value;
} pad_blocked_args;

/* On a CPU each element finds its own source. */
void cvk_cl_pad_plain_cost(const cvk_problem *problem, cvk_work *work)
{
    enum { ELEMENT_MACS = 35 };
    if (problem->caps->bits & CVK_CAP_CPU)
        work->macs = ELEMENT_MACS * (double)cvk_view_count(&problem->out[0]);
}

bool cvk_cl_pad_blocked_accepts(const cvk_problem *problem, const char **why_not)
{
    const cvk_pad_params *params = problem->node->params;
    if (!cvk_cl_blocked_fit(problem, why_not) || !pad_value_known(problem, why_not)) return false;
    for (int i = 0; i < 2; i++)
        if (params->begin[i] || params->end[i])
            return cvk_cl_refuse(why_not, "pads batch or channels");
    return cvk_cl_no_posts(problem, why_not);
}

cvk_status cvk_cl_pad_blocked_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_pad_params *params = step->node->params;
    cvk_cl_nchw in = cvk_cl_nchw_of(&step->in[0].shape), out = cvk_cl_nchw_of(&step->out[0].shape);
    int rank = step->in[0].shape.rank;
    pad_blocked_args args = {.planes = in.n * in.blocks,
                             .ih = in.h,
                             .iw = in.w,
                             .oh = out.h,
                             .ow = out.w,
                             .mode = (cl_int)params->mode,
                             .begin_h = rank == 4 ? (cl_int)params->begin[2] : 0,
                             .begin_w = (cl_int)params->begin[rank - 1],
                             .value = params->value};
    cvk_cl_spec spec = {.file = "move.cl",
                        .kernel = "pad_blocked",
                        .buffers = {{CVK_CL_IN, 0, NULL}, {CVK_CL_OUT, 0, NULL}},
                        .args = &args,
                        .args_bytes = sizeof args,
                        .units = (int64_t)args.planes * args.oh,
                        .floats = (int64_t)args.ow * CVK_BLOCK,
                        .span = &args.span};
    return cvk_cl_steps_add(device, step, &spec);
}

typedef struct reorder_args {
    cl_int span, n, c, spatial, chunk, chunks;
} reorder_args;

static cvk_status reorder_launch(cvk_device *device, cvk_step *step, const char *kernel)
{
    cvk_cl_nchw in = cvk_cl_nchw_of(&step->in[0].shape);
    reorder_args args = {.n = in.n, .c = in.c, .spatial = in.h * in.w};
    args.chunk = cvk_cl_chunk(device, args.spatial, BLOCKED_CHUNK, 1, &args.chunks);
    cvk_cl_spec spec = {.file = "move.cl",
                        .kernel = kernel,
                        .buffers = {{CVK_CL_IN, 0, NULL}, {CVK_CL_OUT, 0, NULL}},
                        .args = &args,
                        .args_bytes = sizeof args,
                        .units = (int64_t)in.n * in.blocks * args.chunks,
                        .floats = (int64_t)args.chunk * CVK_BLOCK,
                        .span = &args.span};
    return cvk_cl_steps_add(device, step, &spec);
}

bool cvk_cl_reorder_block_accepts(const cvk_problem *problem, const char **why_not)
{
    return cvk_cl_no_posts(problem, why_not) && cvk_cl_blocks_fit(problem, why_not);
}

cvk_status cvk_cl_reorder_block_prepare(cvk_device *device, cvk_step *step)
{
    bool half = step->in[0].dtype == CVK_F16;
    return reorder_launch(device, step, half ? "reorder_block2" : "reorder_block4");
}

bool cvk_cl_reorder_plain_accepts(const cvk_problem *problem, const char **why_not)
{
    return cvk_cl_no_posts(problem, why_not) && cvk_cl_blocks_fit(problem, why_not);
}

cvk_status cvk_cl_reorder_plain_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_shape *shape = &step->in[0].shape;
    const bool half = step->in[0].dtype == CVK_F16,
               few = cvk_shape_span(shape, 2, shape->rank) < CVK_BLOCK;
    return reorder_launch(device, step,
                          half  ? "reorder_plain2"
                          : few ? "reorder_plain_few4"
                                : "reorder_plain4");
}
