/* SPDX-License-Identifier: Apache-2.0
 *
 * Gemm: alpha op(A) op(B) + beta C, where op transposes if asked to and C broadcasts to (M, N).
 */
#include <inttypes.h>
#include <stdlib.h>

#include "ops/common.h"
#include "ops/tell.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_gemm_params *gemm = params;
    int64_t trans_a, trans_b;
    CVK_TRY(cvk_attrs_float(attrs, "alpha", 1, &gemm->alpha));
    CVK_TRY(cvk_attrs_float(attrs, "beta", 1, &gemm->beta));
    CVK_TRY(cvk_attrs_int(attrs, "transA", 0, &trans_a));
    CVK_TRY(cvk_attrs_int(attrs, "transB", 0, &trans_b));
    gemm->trans_a = trans_a != 0;
    gemm->trans_b = trans_b != 0;
    return CVK_OK;
}

static cvk_status check_matrix(const cvk_view *view, const char *what)
{
    char text[CVK_SHAPE_TEXT];
    if (view->shape.rank < 0 || view->shape.rank == 2) return CVK_OK;
    return cvk_fail(CVK_SHAPE, "%s has shape %s, a matrix is expected", what,
                    cvk_shape_text(&view->shape, text));
}

static int64_t dim(const cvk_view *view, int d)
{
    return view->shape.rank < 0 ? -1 : view->shape.dims[d];
}

/* C must not make the product larger. */
static cvk_status check_addend(const cvk_shape *c, const cvk_shape *out)
{
    char text[CVK_SHAPE_TEXT], other[CVK_SHAPE_TEXT];
    cvk_shape both;
    bool fits = c->rank <= 2 && cvk_shape_broadcast(c, out, &both);
    for (int d = 0; d < 2 && fits; d++) fits = cvk_dims_agree(both.dims[d], out->dims[d]);
    if (fits) return CVK_OK;
    return cvk_fail(CVK_SHAPE, "input C has shape %s, which does not broadcast to %s",
                    cvk_shape_text(c, text), cvk_shape_text(out, other));
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_out;
    const cvk_gemm_params *gemm = params;
    const cvk_view *addend = cvk_input(in, n_in, 2);
    CVK_TRY(cvk_check_numeric(&in[0], "input A"));
    CVK_TRY(cvk_check_same_type(in, n_in));
    CVK_TRY(check_matrix(&in[0], "input A"));
    CVK_TRY(check_matrix(&in[1], "input B"));
    int64_t ka = dim(&in[0], !gemm->trans_a), kb = dim(&in[1], gemm->trans_b);
    if (!cvk_dims_agree(ka, kb))
        return cvk_fail(CVK_SHAPE, "input A has %" PRId64 " columns, input B has %" PRId64 " rows",
                        ka, kb);
    cvk_shape shape = {.rank = 2,
                       .dims = {dim(&in[0], gemm->trans_a), dim(&in[1], !gemm->trans_b)}};
    if (addend && cvk_ranked(addend)) CVK_TRY(check_addend(&addend->shape, &shape));
    cvk_set_out(&out[0], in[0].dtype, &shape);
    return CVK_OK;
}

typedef struct matrix {
    double *data;
    int64_t row, column; /* strides */
} matrix;

static matrix matrix_of(const cvk_view *view, bool transposed)
{
    int64_t width = view->shape.dims[1];
    return (matrix){cvk_view_doubles(view), transposed ? 1 : width, transposed ? width : 1};
}

static void multiply(const cvk_gemm_params *gemm, matrix a, matrix b, int64_t depth,
                     const cvk_view *addend, cvk_view *out)
{
    int64_t rows = out->shape.dims[0], columns = out->shape.dims[1], strides[CVK_MAX_RANK];
    if (addend) cvk_shape_broadcast_strides(&addend->shape, &out->shape, strides);
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < columns; j++) {
            double sum = 0;
            for (int64_t k = 0; k < depth; k++)
                sum += a.data[i * a.row + k * a.column] * b.data[k * b.row + j * b.column];
            sum *= gemm->alpha;
            if (addend) sum += gemm->beta * cvk_view_get(addend, i * strides[0] + j * strides[1]);
            cvk_view_set(out, i * columns + j, sum);
        }
    }
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_out;
    const cvk_gemm_params *gemm = params;
    matrix a = matrix_of(&in[0], gemm->trans_a), b = matrix_of(&in[1], gemm->trans_b);
    cvk_status status = a.data && b.data ? CVK_OK : CVK_NO_MEMORY;
    if (!status)
        multiply(gemm, a, b, in[0].shape.dims[!gemm->trans_a], cvk_input(in, n_in, 2), &out[0]);
    free(a.data);
    free(b.data);
    return status;
}

static uint64_t macs(const void *params, const cvk_view *in, int n_in, const cvk_view *out)
{
    (void)n_in;
    const cvk_gemm_params *gemm = params;
    return (uint64_t)cvk_view_count(&out[0]) * (uint64_t)in[0].shape.dims[!gemm->trans_a];
}

static void tell(const void *params, char *text, size_t size)
{
    const cvk_gemm_params *gemm = params;
    if (gemm->alpha != 1) cvk_tell(text, size, " alpha=%.9g", (double)gemm->alpha);
    if (gemm->beta != 1) cvk_tell(text, size, " beta=%.9g", (double)gemm->beta);
    if (gemm->trans_a) cvk_tell(text, size, " transA=1");
    if (gemm->trans_b) cvk_tell(text, size, " transB=1");
}

const cvk_op cvk_op_Gemm = {
    .name = "Gemm",
    .min_in = 2,
    .max_in = 3,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_gemm_params),
    .parse = parse,
    .infer = infer,
    .reference = reference,
    .macs = macs,
    .tell = tell,
    .needs_elements = true,
};
