/* SPDX-License-Identifier: Apache-2.0
 *
 * All a kernel may know: the problem it is asked about, the step it runs, and the row by which a
 * backend's table (kernels/<backend>/kernels.def, best first) names it.
 */
#ifndef CVK_BACKEND_KERNEL_H
#define CVK_BACKEND_KERNEL_H

#include "base/cpu.h"
#include "base/status.h"
#include "graph/geom.h"
#include "graph/graph.h"

/* Capability bits, probed when a device is opened. */
enum {
    CVK_CAP_CLBLAST = 1u << 0, /* OpenCL: CLBlast could be loaded */
    CVK_CAP_CPU = 1u << 1,     /* OpenCL: the device is a CPU */
    CVK_CAP_UNIFIED = 1u << 2  /* OpenCL: host and device share memory */
};

typedef struct cvk_caps {
    uint32_t bits;
    int units;                           /* CPU: workers; OpenCL: compute units */
    cvk_isa isa;                         /* CPU */
    size_t l1_bytes, l2_bytes, l3_bytes; /* CPU and OpenCL CPU devices: data caches of a core */
    size_t local_bytes, max_group;       /* OpenCL */
    int vector_floats; /* OpenCL: of a native vector; 1: the lanes are work-items */
    size_t max_buffer_bytes;
    size_t buffer_alignment; /* bytes that every buffer and offset is a multiple of */
} cvk_caps;

/* Rules for in and out, which every row can rely on:
 *   - float32 and float16 inputs of rank 3 or 4 come in the row's in_layout, and such outputs are wanted in its
 *     out_layout; a residual (an input named by a CVK_POST_ADD) comes in out_layout. Everything
 * else is plain. Constants too: the scheduler puts them there, unless the row packs them itself.
 *   - all shapes are known, none has zero elements, counts fit an int where accepts has checked it.
 *   - outputs never overlap inputs, except where `inplace` allows it. */
typedef struct cvk_problem {
    const cvk_node *node;
    const cvk_view *in;  /* node->n_in; data: the elements of a constant (host, plain), else NULL */
    const cvk_view *out; /* node->n_out; with a POOL post: after the pool. data is NULL */
    const cvk_caps *caps;
} cvk_problem;

/* What a run of a problem takes of its device, for predictions (schedule/cost.h). */
typedef struct cvk_work {
    double macs;  /* f32 multiply-adds at the device's peak that take as long as the arithmetic: the
                     busiest worker's share times the workers, with what is not multiply-adds and
                     what it lacks of the peak */
    double bytes; /* of tensors, read and written */
    double weight_bytes; /* of constants, read */
    int passes;          /* that wait for each other: launches */
} cvk_work;

typedef struct cvk_device cvk_device;
typedef struct cvk_kernel cvk_kernel;

typedef struct cvk_step {
    const cvk_kernel *kernel;
    const cvk_node *node;
    cvk_view *in,
        *out;       /* while prepare runs: constants that the row packs have host data, all others
                 data of the device or NULL (not placed yet). At run time: device data (CPU:
                 pointers; OpenCL: cl_mem), NULL for constants that the row packed */
    unsigned moved; /* OpenCL: counts how often that has changed since the first run */
    int lanes;      /* of the device, that it is worth; 0: all */
    size_t scratch_bytes;       /* prepare sets how much it wants; memory is shared between steps */
    void *scratch;              /* at run time; contents are lost between steps */
    void *state;                /* prepare's, from cvk_step_alloc: lives as long as the plan */
    cvk_arena *arena;           /* behind cvk_step_alloc */
    struct cvk_pack_ref *packs; /* weights held by this step, see cvk_step_pack */
    struct cvk_known *known;    /* while prepare runs: sources that stay (known.h); NULL: none */
} cvk_step;

struct cvk_kernel {
    cvk_op_kind op;
    const char *name;
    cvk_layout in_layout, out_layout;
    uint32_t needs; /* capability bits */
    uint32_t packs; /* bit i: constant input i (i capped at 31) is read by prepare only */
    bool prologue;  /* computes node->pre */
    bool inplace;   /* out[0] may be in[0]'s memory when both have the same bytes and layout */

    /* Whether the row computes this problem, its posts included; if not, *why_not is a short reason
     * (static or in thread-local storage). */
    bool (*accepts)(const cvk_problem *problem, const char **why_not);
    /* Corrects *work, which has the operator's multiply-adds and the bytes of the views, for a
     * problem that the row accepts; caps.units are the workers that it will have. NULL: it is right. */
    void (*cost)(const cvk_problem *problem, cvk_work *work);
    /* Packs weights, builds programs, states scratch. May be NULL. */
    cvk_status (*prepare)(cvk_device *device, cvk_step *step);
    /* CPU: every worker calls it for its share; must not wait for another worker. workers is at
     * most caps.units, fewer where runs share the cores; the results are the same bits however many
     * they are. OpenCL: worker 0 of 1, enqueues only. Neither allocates, logs nor locks. */
    cvk_status (*run)(cvk_device *device, const cvk_step *step, int worker, int workers);
    /* The name of the k-th of the other ways to compute a problem that the row accepts, k from 1 on,
     * such as "8x2" for a tile; NULL behind the last. No blanks; static or in thread-local storage.
     * prepare goes by node->variant, 0 for the row's own choice. NULL: there is no other. */
    const char *(*variant)(const cvk_problem *problem, int k);
    /* Drops what prepare made beside arena memory and packs. May be NULL. */
    void (*release)(cvk_device *device, cvk_step *step);
};

const cvk_caps *cvk_device_caps(const cvk_device *device);

/* Zeroed memory that lives as long as the plan; NULL: out of memory. */
void *cvk_step_alloc(cvk_step *step, size_t bytes);

/* Weights in the form a kernel wants, shared by all steps and sessions of the device whose source
 * bytes, kernel and variant are the same. fill(dst, arg) writes `bytes` bytes (zeroed before); it
 * is called only if nobody has packed them yet. `source` (source_bytes, host) is what the contents
 * depend on, besides `variant` (tile sizes and the like; 2 sources: source2 may be NULL). *data: a
 * pointer on the CPU, a cl_mem on OpenCL; valid as long as the step. */
typedef struct cvk_pack {
    const void *source, *source2;
    size_t source_bytes, source2_bytes;
    const char *kind; /* names the form, e.g. "conv_direct" */
    uint64_t variant;
    size_t bytes;
    void (*fill)(void *dst, const void *arg);
    const void *arg;
} cvk_pack;
cvk_status cvk_step_pack(cvk_device *device, cvk_step *step, const cvk_pack *pack, void **data);

#endif
