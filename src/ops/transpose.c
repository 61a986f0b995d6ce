/* SPDX-License-Identifier: Apache-2.0
 *
 * Transpose: output dim d is input dim perm[d]; without perm, in reverse.
 */
#include "ops/move.h"

static cvk_status parse(const cvk_attrs *attrs, void *params)
{
    cvk_transpose_params *p = params;
    CVK_TRY(cvk_attrs_ints(attrs, "perm", CVK_MAX_RANK, p->perm, &p->n_perm));
    if (p->n_perm < 0) p->n_perm = 0;
    return CVK_OK;
}

static cvk_status check_perm(const cvk_transpose_params *p, int rank)
{
    bool taken[CVK_MAX_RANK] = {false};
    if (p->n_perm != rank)
        return cvk_fail(CVK_BAD_MODEL, "perm has %d entries for a tensor of rank %d", p->n_perm,
                        rank);
    for (int d = 0; d < rank; d++) {
        if (p->perm[d] < 0 || p->perm[d] >= rank || taken[p->perm[d]])
            return cvk_fail(CVK_BAD_MODEL, "perm is no permutation: entry %d is %lld", d,
                            (long long)p->perm[d]);
        taken[p->perm[d]] = true;
    }
    return CVK_OK;
}

static cvk_status infer(void *params, const cvk_view *in, int n_in, cvk_view *out, int n_out)
{
    (void)n_in, (void)n_out;
    cvk_transpose_params *p = params;
    cvk_shape shape = {.rank = p->n_perm ? p->n_perm : -1,
                       .dims = {-1, -1, -1, -1, -1, -1, -1, -1}};
    if (cvk_ranked(in)) {
        int rank = in->shape.rank;
        for (int d = 0; !p->n_perm && d < rank; d++) p->perm[d] = rank - 1 - d;
        if (!p->n_perm) p->n_perm = rank;
        CVK_TRY(check_perm(p, rank));
        shape.rank = rank;
        for (int d = 0; d < rank; d++) shape.dims[d] = in->shape.dims[p->perm[d]];
    }
    cvk_set_out(&out[0], in->dtype, &shape);
    return CVK_OK;
}

static cvk_status reference(const void *params, const cvk_view *in, int n_in, cvk_view *out,
                            int n_out)
{
    (void)n_in, (void)n_out;
    const cvk_transpose_params *p = params;
    int64_t strides[CVK_MAX_RANK];
    cvk_shape_strides(&in->shape, strides);
    cvk_copy_params walk = {.n = out->shape.rank};
    for (int d = 0; d < walk.n; d++) {
        walk.dims[d] = out->shape.dims[d];
        walk.strides[d] = strides[p->perm[d]];
    }
    cvk_move_strided(&walk, in, out);
    return CVK_OK;
}

const cvk_op cvk_op_Transpose = {
    .name = "Transpose",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .params_bytes = sizeof(cvk_transpose_params),
    .form = {.kind = CVK_FORM_COPY},
    .parse = parse,
    .infer = infer,
    .reference = reference,
};
