/* SPDX-License-Identifier: Apache-2.0
 *
 * What schedule makes and session runs: an array of steps on devices, with the memory they share.
 * All of it is const from the end of cvk_schedule on, but for the data pointers that a run binds.
 *
 * Memory spaces: 0 is the host's (the CPU device, references, the caller's tensors); 1 + d is that
 * of device d when its memory is its own.
 */
#ifndef CVK_SCHEDULE_PLAN_H
#define CVK_SCHEDULE_PLAN_H

#include "backend/backend.h"
#include "graph/graph.h"

enum { CVK_HOST = -1 }; /* device index of references and copies */

typedef struct cvk_plan_step {
    cvk_step step;
    int device;          /* index into plan->devices, or CVK_HOST */
    int executor;        /* the device whose execute runs it, or CVK_HOST */
    const char *refused; /* rows asked before the one chosen, and why not */
    size_t offset;       /* of its first output in its space's activation buffer */
    uint64_t macs;
    size_t weight_bytes; /* of its constants as packed; of a draft as they are */
    double predicted_ms;
    double ms; /* of the last profiled run */
} cvk_plan_step;

/* A place where the pointer of a caller's tensor must be written before a run. */
typedef struct cvk_binding {
    int value; /* graph input or output */
    bool output;
    cvk_view *view; /* of a step */
    size_t offset;  /* bytes into the tensor */
} cvk_binding;

/* Memory of one space. */
typedef struct cvk_space_memory {
    size_t activation_bytes, lower_bound_bytes, workspace_bytes;
    void *activations, *workspace; /* device memory */
} cvk_space_memory;

/* Where a value lives: `root` owns the storage (its own id if it is alone), at `offset` bytes in
 * it. */
typedef struct cvk_storage {
    int root;
    size_t offset;
} cvk_storage;

/* What only a run can plan: nodes from the first on whose shape depends on data, with all that
 * follows from them. A run computes them on the host by their references, once the plan is done. */
typedef struct cvk_tail {
    cvk_graph *graph;  /* of its own; inputs: what the plan computes; outputs: the model's */
    int *sources;      /* by input: index into plan->outputs */
    const char *cause; /* name of the first such node */
} cvk_tail;

typedef struct cvk_plan {
    cvk_arena *arena;
    cvk_graph *graph; /* as scheduled */
    int *outputs;     /* by output of graph: the model's value, under its own name */
    cvk_tail *tail;   /* NULL: all shapes are known */
    cvk_device **devices;
    int n_devices;
    cvk_device_rates *rates; /* by device, as the predictions go by them */
    bool calibrated;         /* all of them were measured */
    double predicted_ms;     /* of a run: the sum of all steps */
    cvk_plan_step *steps;
    int n_steps;
    cvk_space_memory *spaces; /* 1 + n_devices */
    cvk_storage *storage;     /* by value */
    void **output_data;       /* by value: the session's own memory of a graph output; else NULL */
    size_t *offsets;          /* by root: bytes into its space's activations */
    char *external;           /* by root: storage is a caller's tensor */
    cvk_binding *bindings;
    int n_bindings, bindings_capacity;
    void **parts; /* device memory handles to release with the plan: pairs by part_device */
    int *part_device;
    int n_parts, parts_capacity, part_device_capacity;
    int n_model_nodes, n_fused;
    size_t weight_bytes;
    bool keep_values;
    bool draft;       /* nothing is prepared, and there is no memory: only predictions hold */
    cvk_arena *brief; /* constants that the steps hold in other forms; NULL unless kept */
    const char *text; /* the plan for people */
} cvk_plan;

typedef struct cvk_schedule_options {
    bool no_fuse, keep_values, no_tuned;
    bool draft;       /* only to predict: devices need not be more than peeked at */
    const char *fuse; /* NULL: all fusions, unless no_fuse */
    bool keep_constants; /* also those that the steps hold in other forms; as keep_values does */
    size_t workspace_bytes;
    const char *prefer_kernel;
    struct cvk_reuse *reuse; /* what plans of the model for other shapes left; NULL: none */
    double tolerance;
    cvk_dtype precision; /* CVK_F16: of fully connected weights; else as the model has them */
    const cvk_tensor *inputs, *constants;
    int n_inputs, n_constants;
} cvk_schedule_options;

/* Plans `model` (which is not kept) for the devices, in order of preference. */
cvk_status cvk_schedule(const cvk_graph *model, cvk_device *const *devices, int n_devices,
                        const cvk_schedule_options *options, cvk_plan **plan);
void cvk_plan_free(cvk_plan **plan);

int cvk_plan_space(const cvk_plan *plan, int device);
/* The memory of all spaces together; the pointers stay NULL. */
cvk_space_memory cvk_plan_memory(const cvk_plan *plan);

/* The row behind a step that runs an operator's reference on the host. */
extern const cvk_kernel cvk_reference_row;

#endif
