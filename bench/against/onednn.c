/* SPDX-License-Identifier: Apache-2.0
 *
 * oneDNN 2: convolution and inner product, forward inference, in the layouts that it chooses
 * itself (format any), with activation and residual as its post-ops. Reorders to and from those
 * layouts are not timed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/against/against.h"

enum { SRC, WGT, BIAS, DST, PARTS };

typedef struct dnn_job {
    dnnl_primitive_t primitive;
    const_dnnl_primitive_desc_t desc; /* the primitive's */
    dnnl_memory_t plain[PARTS], chosen[PARTS];
    bool residual;
    dnnl_memory_t plain_residual;
    size_t dst_bytes;
} dnn_job;

static dnnl_engine_t engine;
static dnnl_stream_t stream;

static bool start(int threads, char *about, size_t size)
{
    const dnnl_version_t *version = dnnl_version();
    /* Its threads are OpenMP's, whose library comes with it. */
    void (*set_threads)(int) = NULL;
    *(void **)&set_threads = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    if (set_threads) set_threads(threads);
    snprintf(about, size, "%d.%d.%d%s", version->major, version->minor, version->patch,
             set_threads ? "" : ", with as many threads as it likes");
    return dnnl_engine_create(&engine, dnnl_cpu, 0) == dnnl_success &&
           dnnl_stream_create(&stream, engine, dnnl_stream_default_flags) == dnnl_success;
}

static void drop(void *state)
{
    dnn_job *job = state;
    for (int i = 0; i < PARTS; i++) {
        if (job->plain[i]) dnnl_memory_destroy(job->plain[i]);
        if (job->chosen[i]) dnnl_memory_destroy(job->chosen[i]);
    }
    if (job->plain_residual) dnnl_memory_destroy(job->plain_residual);
    if (job->primitive) dnnl_primitive_destroy(job->primitive);
    free(job);
}

/* Shapes of the four tensors, and how they lie in plain memory; no tag: there is none. */
typedef struct layouts {
    dnnl_memory_desc_t plain[PARTS], any[PARTS];
} layouts;

static bool describe(layouts *l, int part, int rank, const int64_t *dims, dnnl_format_tag_t tag)
{
    dnnl_dims_t copy;
    memcpy(copy, dims, (size_t)rank * sizeof *copy);
    return dnnl_memory_desc_init_by_tag(&l->plain[part], rank, copy, dnnl_f32, tag) ==
               dnnl_success &&
           dnnl_memory_desc_init_by_tag(&l->any[part], rank, copy, dnnl_f32, dnnl_format_tag_any) ==
               dnnl_success;
}

static bool conv_desc(const against_problem *p, layouts *l, dnnl_alg_kind_t algorithm,
                      dnnl_convolution_desc_t *desc)
{
    const cvk_geom *g = &p->conv;
    bool grouped = g->group > 1;
    int64_t wgt[] = {g->group, g->oc / g->group, g->ic / g->group, g->kh, g->kw};
    dnnl_dims_t strides = {g->sh, g->sw}, dilates = {g->dh - 1, g->dw - 1}, begin = {g->pt, g->pl},
                end = {g->pb, g->pr};
    if (!describe(l, SRC, 4, (int64_t[]){g->n, g->ic, g->ih, g->iw}, dnnl_nchw) ||
        !describe(l, WGT, grouped ? 5 : 4, grouped ? wgt : wgt + 1,
                  grouped ? dnnl_goihw : dnnl_oihw) ||
        !describe(l, BIAS, 1, (int64_t[]){g->oc}, dnnl_x) ||
        !describe(l, DST, 4, (int64_t[]){g->n, g->oc, g->oh, g->ow}, dnnl_nchw))
        return false;
    return dnnl_dilated_convolution_forward_desc_init(desc, dnnl_forward_inference, algorithm,
                                                      &l->any[SRC], &l->any[WGT],
                                                      p->bias ? &l->any[BIAS] : NULL, &l->any[DST],
                                                      strides, dilates, begin, end) == dnnl_success;
}

static bool product_desc(const against_problem *p, layouts *l, dnnl_inner_product_desc_t *desc)
{
    if (!describe(l, SRC, 2, (int64_t[]){p->m, p->k}, dnnl_ab) ||
        !describe(l, WGT, 2, (int64_t[]){p->n, p->k}, p->trans_b ? dnnl_ab : dnnl_ba) ||
        !describe(l, BIAS, 1, (int64_t[]){p->n}, dnnl_x) ||
        !describe(l, DST, 2, (int64_t[]){p->m, p->n}, dnnl_ab))
        return false;
    return dnnl_inner_product_forward_desc_init(desc, dnnl_forward_inference, &l->any[SRC],
                                                &l->any[WGT], p->bias ? &l->any[BIAS] : NULL,
                                                &l->any[DST]) == dnnl_success;
}

static dnnl_primitive_attr_t attributes(const against_problem *p)
{
    dnnl_primitive_attr_t attr = NULL;
    dnnl_post_ops_t ops = NULL;
    bool ok = dnnl_primitive_attr_create(&attr) == dnnl_success &&
              dnnl_post_ops_create(&ops) == dnnl_success;
    if (ok && p->residual) ok = dnnl_post_ops_append_sum(ops, 1) == dnnl_success;
    if (ok && p->act == AGAINST_SWISH)
        ok = dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_swish, 1, 0) == dnnl_success;
    if (ok && p->act == AGAINST_SIGMOID)
        ok = dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_logistic, 0, 0) == dnnl_success;
    if (ok && p->act == AGAINST_CLAMP) {
        bool relu = p->lo == 0 && p->hi > 1e30f;
        ok = dnnl_post_ops_append_eltwise(ops, 1, relu ? dnnl_eltwise_relu : dnnl_eltwise_clip,
                                          relu ? 0 : p->lo, relu ? 0 : p->hi) == dnnl_success;
    }
    if (ok) ok = dnnl_primitive_attr_set_post_ops(attr, ops) == dnnl_success;
    if (ops) dnnl_post_ops_destroy(ops);
    if (ok) return attr;
    if (attr) dnnl_primitive_attr_destroy(attr);
    return NULL;
}

/* The primitive of the algorithm that it finds best itself; the direct one if that has none. */
static dnnl_primitive_desc_t choose(const against_problem *p, layouts *l)
{
    static const dnnl_alg_kind_t algorithms[] = {dnnl_convolution_auto, dnnl_convolution_direct};
    dnnl_primitive_desc_t found = NULL;
    dnnl_primitive_attr_t attr = attributes(p);
    dnnl_inner_product_desc_t product;
    dnnl_convolution_desc_t conv;
    if (!attr) return NULL;
    if (p->gemm && product_desc(p, l, &product))
        dnnl_primitive_desc_create(&found, &product, attr, engine, NULL);
    for (int i = 0; !p->gemm && !found && i < 2; i++)
        if (conv_desc(p, l, algorithms[i], &conv))
            dnnl_primitive_desc_create(&found, &conv, attr, engine, NULL);
    dnnl_primitive_attr_destroy(attr);
    return found;
}

static bool reorder(dnnl_memory_t from, dnnl_memory_t to)
{
    const dnnl_memory_desc_t *source, *target;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_t primitive = NULL;
    dnnl_memory_get_memory_desc(from, &source);
    dnnl_memory_get_memory_desc(to, &target);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    bool ok = dnnl_reorder_primitive_desc_create(&desc, source, engine, target, engine, NULL) ==
                  dnnl_success &&
              dnnl_primitive_create(&primitive, desc) == dnnl_success &&
              dnnl_primitive_execute(primitive, stream, 2, args) == dnnl_success &&
              dnnl_stream_wait(stream) == dnnl_success;
    if (primitive) dnnl_primitive_destroy(primitive);
    if (desc) dnnl_primitive_desc_destroy(desc);
    return ok;
}

static bool memory(const dnnl_memory_desc_t *desc, const float *data, dnnl_memory_t *made)
{
    return dnnl_memory_create(made, desc, engine, data ? (void *)data : DNNL_MEMORY_ALLOCATE) ==
           dnnl_success;
}

static bool fill(dnn_job *job, const against_problem *p, const layouts *l)
{
    static const dnnl_query_t asks[PARTS] = {dnnl_query_src_md, dnnl_query_weights_md,
                                             dnnl_query_weights_md, dnnl_query_dst_md};
    const float *data[PARTS] = {p->src, p->wgt, p->bias, NULL};
    for (int i = 0; i < PARTS; i++) {
        if (i == BIAS && !p->bias) continue;
        const dnnl_memory_desc_t *chosen =
            dnnl_primitive_desc_query_md(job->desc, asks[i], i == BIAS);
        if (!chosen || !memory(&l->plain[i], data[i], &job->plain[i]) ||
            !memory(chosen, NULL, &job->chosen[i]))
            return false;
        if (i != DST && !reorder(job->plain[i], job->chosen[i])) return false;
    }
    job->dst_bytes = against_dst_count(p) * sizeof(float);
    job->residual = p->residual;
    return !p->residual || (memory(&l->plain[DST], p->residual, &job->plain_residual) &&
                            reorder(job->plain_residual, job->chosen[DST]));
}

static void *make(const against_problem *p, const char **why)
{
    layouts l;
    *why = "its inner product has no transposed source";
    if (p->gemm && p->trans_a) return NULL;
    *why = "it refuses this problem";
    dnnl_primitive_desc_t desc = choose(p, &l);
    if (!desc) return NULL;
    dnn_job *job = calloc(1, sizeof *job);
    bool ok = job && dnnl_primitive_create(&job->primitive, desc) == dnnl_success &&
              dnnl_primitive_get_primitive_desc(job->primitive, &job->desc) == dnnl_success &&
              fill(job, p, &l);
    dnnl_primitive_desc_destroy(desc);
    if (ok) return job;
    if (job) drop(job);
    return NULL;
}

static bool run(void *state, int launches)
{
    dnn_job *job = state;
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, job->chosen[SRC]},
                              {DNNL_ARG_WEIGHTS, job->chosen[WGT]},
                              {DNNL_ARG_DST, job->chosen[DST]},
                              {DNNL_ARG_BIAS, job->chosen[BIAS]}};
    for (int i = 0; i < launches; i++)
        if (dnnl_primitive_execute(job->primitive, stream, job->chosen[BIAS] ? 4 : 3, args) !=
            dnnl_success)
            return false;
    return dnnl_stream_wait(stream) == dnnl_success;
}

/* A residual is what dst held before; runs add to it. */
static bool result(void *state, float *dst)
{
    dnn_job *job = state;
    void *data;
    if (job->residual && !reorder(job->plain_residual, job->chosen[DST])) return false;
    if (!run(job, 1) || !reorder(job->chosen[DST], job->plain[DST]) ||
        dnnl_memory_get_data_handle(job->plain[DST], &data) != dnnl_success)
        return false;
    memcpy(dst, data, job->dst_bytes);
    return true;
}

static const char *detail(void *state)
{
    const dnn_job *job = state;
    const char *name = NULL;
    dnnl_primitive_desc_query(job->desc, dnnl_query_impl_info_str, 0, &name);
    return name;
}

const against_library against_onednn = {"onednn", start, make, run, result, detail, drop};
