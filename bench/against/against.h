/* SPDX-License-Identifier: Apache-2.0
 *
 * Other libraries on the problems of bench_kernels: one adaptor per library behind this interface.
 * An adaptor brings the problem's data into its own layout, outside of what is timed.
 */
#ifndef BENCH_AGAINST_H
#define BENCH_AGAINST_H

#include "graph/geom.h"

typedef enum against_act {
    AGAINST_NO_ACT,
    AGAINST_CLAMP,
    AGAINST_SWISH,
    AGAINST_SIGMOID
} against_act;

/* dst = act(src * wgt + bias + residual), plain f32: NCHW and OIHW, or row-major matrices. */
typedef struct against_problem {
    bool gemm;
    cvk_geom conv;
    int m, n, k; /* gemm: src m x k (k x m if trans_a), wgt k x n (n x k if trans_b) */
    bool trans_a, trans_b;
    const float *src, *wgt;
    const float *bias;     /* one per output channel or column; NULL: none */
    const float *residual; /* like dst; NULL: none */
    against_act act;
    float lo, hi; /* of AGAINST_CLAMP */
} against_problem;

/* Whether nothing follows the products. */
static inline bool against_is_bare(const against_problem *p)
{
    return !p->bias && !p->residual && !p->act;
}

static inline size_t against_dst_count(const against_problem *p)
{
    return p->gemm
               ? (size_t)p->m * (size_t)p->n
               : (size_t)p->conv.n * (size_t)p->conv.oc * (size_t)p->conv.oh * (size_t)p->conv.ow;
}

typedef struct against_library {
    const char *name;
    /* Once, before anything else. Writes what it is (version, choice of kernels) or why it cannot
     * be used. */
    bool (*start)(int threads, char *about, size_t size);
    /* A job, or NULL and why not. The problem's data stay valid as long as the job. */
    void *(*make)(const against_problem *p, const char **why);
    bool (*run)(void *job, int launches);  /* waits; false: failed */
    bool (*result)(void *job, float *dst); /* of one launch, plain */
    const char *(*detail)(void *job);      /* what it chose; NULL: it does not tell */
    void (*drop)(void *job);
} against_library;

/* The library of this name: *found is NULL if it was not there when this program was configured.
 * False: nobody knows the name. */
bool against_find(const char *name, const against_library **found);

extern const against_library against_onednn, against_openblas, against_clblast, against_xnnpack;

#endif
