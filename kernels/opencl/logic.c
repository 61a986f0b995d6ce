/* SPDX-License-Identifier: Apache-2.0
 *
 * Launches logic.cl: Binary with a result of bool, and Where.
 */
#include "kernels/opencl/steps.h"

enum { CHUNK = 4096, SMALL = 16 };

/* What the kernels call the type; NULL: none of theirs. */
static const char *compared_type(cvk_dtype dtype)
{
    switch (dtype) {
    case CVK_F32: return "-DT=float";
    case CVK_I64: return "-DT=long";
    case CVK_I32: return "-DT=int";
    case CVK_I8: return "-DT=char";
    case CVK_U8:
    case CVK_BOOL: return "-DT=uchar";
    default: return NULL;
    }
}

bool cvk_cl_compare_accepts(const cvk_problem *problem, const char **why_not)
{
    cvk_binary_kind kind = ((const cvk_binary_params *)problem->node->params)->kind;
    if (kind < CVK_BINARY_EQUAL || kind > CVK_BINARY_XOR)
        return cvk_cl_refuse(why_not, "not a comparison");
    if (!compared_type(problem->in[0].dtype))
        return cvk_cl_refuse(why_not, "a type that is seldom compared");
    return cvk_cl_no_posts(problem, why_not) && cvk_cl_counts_fit(problem, why_not);
}

typedef struct compare_args {
    cvk_cl_cut cut;
    cvk_cl_rows walk;
    cl_int step_a, step_b, kind;
} compare_args;

cvk_status cvk_cl_compare_prepare(cvk_device *device, cvk_step *step)
{
    const cvk_cl_walk walk = cvk_cl_walk_broadcast(step);
    cvk_binary_kind kind = ((const cvk_binary_params *)step->node->params)->kind;
    compare_args args = {.cut.length = (cl_int)walk.dims[walk.n - 1],
                         .step_a = (cl_int)walk.a[walk.n - 1],
                         .step_b = (cl_int)walk.b[walk.n - 1],
                         .kind = (cl_int)(kind - CVK_BINARY_EQUAL)};
    args.walk = cvk_cl_walk_rows(&walk, &args.cut.rows);
    cvk_cl_spec spec = {
        .file = "logic.cl",
        .defines = compared_type(step->in[0].dtype),
        .kernel = "compare",
        .buffers = {{CVK_CL_IN, 0, NULL}, {CVK_CL_IN, 1, NULL}, {CVK_CL_OUT, 0, NULL}},
        .args = &args,
        .args_bytes = sizeof args};
    return cvk_cl_steps_add_rows(device, step, &spec, &args.cut, CHUNK, SMALL, 1);
}

bool cvk_cl_where_accepts(const cvk_problem *problem, const char **why_not)
{
    return cvk_cl_no_posts(problem, why_not) && cvk_cl_counts_fit(problem, why_not);
}

typedef struct where_args {
    cvk_cl_cut cut;
    cvk_cl_rows walk, condition;
    cl_int step_a, step_b, step_condition;
} where_args;

/* Strides of X and Y over the output, and those of the condition: one long row where nothing is
 * repeated. */
static void make_walks(const cvk_step *step, cvk_cl_walk *walk, cvk_cl_walk *condition)
{
    const cvk_shape *out = &step->out[0].shape;
    bool whole = true;
    for (int i = 0; i < 3; i++) whole = whole && cvk_shape_equal(&step->in[i].shape, out);
    *walk = *condition = (cvk_cl_walk){.n = 1, .dims = {cvk_shape_count(out)}, .a = {1}, .b = {1}};
    if (whole || out->rank == 0) return;
    for (int i = 0; i < out->rank; i++) walk->dims[i] = condition->dims[i] = out->dims[i];
    walk->n = condition->n = out->rank;
    cvk_shape_broadcast_strides(&step->in[0].shape, out, condition->a);
    cvk_shape_broadcast_strides(&step->in[0].shape, out, condition->b);
    cvk_shape_broadcast_strides(&step->in[1].shape, out, walk->a);
    cvk_shape_broadcast_strides(&step->in[2].shape, out, walk->b);
}

cvk_status cvk_cl_where_prepare(cvk_device *device, cvk_step *step)
{
    cvk_cl_walk walk, condition;
    make_walks(step, &walk, &condition);
    const int last = walk.n - 1;
    where_args args = {.cut.length = (cl_int)walk.dims[last],
                       .step_a = (cl_int)walk.a[last],
                       .step_b = (cl_int)walk.b[last],
                       .step_condition = (cl_int)condition.a[last]};
    args.walk = cvk_cl_walk_rows(&walk, &args.cut.rows);
    args.condition = cvk_cl_walk_rows(&condition, &args.cut.rows);
    const size_t size = cvk_dtype_bytes(step->out[0].dtype);
    cvk_cl_spec spec = {.file = "logic.cl",
                        .defines = size == 1   ? "-DT=uchar"
                                   : size == 2 ? "-DT=ushort"
                                   : size == 4 ? "-DT=uint"
                                               : "-DT=ulong",
                        .kernel = "where",
                        .buffers = {{CVK_CL_IN, 0, NULL},
                                    {CVK_CL_IN, 1, NULL},
                                    {CVK_CL_IN, 2, NULL},
                                    {CVK_CL_OUT, 0, NULL}},
                        .args = &args,
                        .args_bytes = sizeof args};
    return cvk_cl_steps_add_rows(device, step, &spec, &args.cut, CHUNK, SMALL, 1);
}
