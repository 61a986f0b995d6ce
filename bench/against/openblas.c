/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenBLAS: sgemm, on matrices and on convolutions. A convolution is im2col and one product per
 * picture and group; im2col is timed, and runs on one thread; 1x1 with stride 1 needs none.
 * Products only: neither bias nor activation.
 */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/against/against.h"

typedef struct blas_job {
    against_problem p;
    float *dst, *columns; /* columns: (ic / group * kh * kw) x (oh * ow); NULL: src as it is */
} blas_job;

static bool start(int threads, char *about, size_t size)
{
    openblas_set_num_threads(threads);
    snprintf(about, size, "%s, core %s", openblas_get_config(), openblas_get_corename());
    return true;
}

static bool is_pointwise(const cvk_geom *g)
{
    return g->kh == 1 && g->kw == 1 && g->sh == 1 && g->sw == 1 && g->oh == g->ih && g->ow == g->iw;
}

static void drop(void *state)
{
    blas_job *job = state;
    free(job->dst);
    free(job->columns);
    free(job);
}

static void *make(const against_problem *p, const char **why)
{
    const cvk_geom *g = &p->conv;
    *why = "products only: --bare";
    if (!against_is_bare(p)) return NULL;
    *why = "out of memory";
    blas_job *job = calloc(1, sizeof *job);
    if (!job) return NULL;
    job->p = *p;
    job->dst = malloc(against_dst_count(p) * sizeof *job->dst);
    bool spread = !p->gemm && !is_pointwise(g);
    if (spread)
        job->columns = malloc((size_t)(g->ic / g->group * g->kh * g->kw) * (size_t)g->oh *
                              (size_t)g->ow * sizeof *job->columns);
    if (job->dst && (!spread || job->columns)) return job;
    drop(job);
    return NULL;
}

/* One row of columns: what one tap of one channel meets along a row of the output. */
static void spread_row(const cvk_geom *g, const float *src, int left, float *row)
{
    int begin = 0, end = g->ow;
    while (begin < end && left + begin * g->sw < 0) row[begin++] = 0;
    while (end > begin && left + (end - 1) * g->sw >= g->iw) row[--end] = 0;
    if (begin == end) return;
    if (g->sw == 1)
        memcpy(row + begin, src + left + begin, (size_t)(end - begin) * sizeof *row);
    else
        for (int x = begin; x < end; x++) row[x] = src[left + x * g->sw];
}

static void im2col(const cvk_geom *g, const float *src, float *columns)
{
    for (int c = 0; c < g->ic / g->group; c++)
        for (int y = 0; y < g->kh; y++)
            for (int x = 0; x < g->kw; x++)
                for (int oy = 0; oy < g->oh; oy++, columns += g->ow) {
                    int row = oy * g->sh + y * g->dh - g->pt;
                    if (row < 0 || row >= g->ih)
                        memset(columns, 0, (size_t)g->ow * sizeof *columns);
                    else
                        spread_row(g,
                                   src + ((size_t)c * (size_t)g->ih + (size_t)row) * (size_t)g->iw,
                                   x * g->dw - g->pl, columns);
                }
}

static void convolve(blas_job *job)
{
    const cvk_geom *g = &job->p.conv;
    int icg = g->ic / g->group, ocg = g->oc / g->group, taps = icg * g->kh * g->kw;
    size_t in = (size_t)icg * (size_t)g->ih * (size_t)g->iw, pixels = (size_t)g->oh * (size_t)g->ow;
    for (int part = 0; part < g->n * g->group; part++) {
        const float *src = job->p.src + (size_t)part * in;
        const float *wgt = job->p.wgt + (size_t)(part % g->group) * (size_t)ocg * (size_t)taps;
        float *dst = job->dst + (size_t)part * (size_t)ocg * pixels;
        if (job->columns) im2col(g, src, job->columns);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, ocg, (int)pixels, taps, 1, wgt, taps,
                    job->columns ? job->columns : src, (int)pixels, 0, dst, (int)pixels);
    }
}

static void multiply(blas_job *job)
{
    const against_problem *p = &job->p;
    cblas_sgemm(CblasRowMajor, p->trans_a ? CblasTrans : CblasNoTrans,
                p->trans_b ? CblasTrans : CblasNoTrans, p->m, p->n, p->k, 1, p->src,
                p->trans_a ? p->m : p->k, p->wgt, p->trans_b ? p->k : p->n, 0, job->dst, p->n);
}

static bool run(void *state, int launches)
{
    blas_job *job = state;
    for (int i = 0; i < launches; i++) {
        if (job->p.gemm)
            multiply(job);
        else
            convolve(job);
    }
    return true;
}

static bool result(void *state, float *dst)
{
    blas_job *job = state;
    bool ok = run(job, 1);
    memcpy(dst, job->dst, against_dst_count(&job->p) * sizeof *dst);
    return ok;
}

static const char *detail(void *state)
{
    const blas_job *job = state;
    return job->columns ? "im2col and sgemm" : "sgemm";
}

const against_library against_openblas = {"openblas", start, make, run, result, detail, drop};
