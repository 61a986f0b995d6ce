/* SPDX-License-Identifier: Apache-2.0
 *
 * The passes of the scheduler, one per file, in the order in which schedule.c calls them.
 */
#ifndef CVK_SCHEDULE_PASSES_H
#define CVK_SCHEDULE_PASSES_H

#include "base/store.h"
#include "ops/op.h"
#include "schedule/fusion.h"
#include "schedule/plan.h"

/* What the passes work on. */
typedef struct cvk_scheduler {
    cvk_plan *plan;
    cvk_graph *graph; /* plan->graph */
    cvk_device *const *devices;
    int n_devices;
    const cvk_schedule_options *options;
    unsigned fusions; /* CVK_FUSE_*: those that are allowed */
    int *half; /* half.c: by value, the float16 value that holds it between steps, or -1; NULL: the
                  network has none */
    int n_half;
    cvk_arena *brief; /* goes with the scheduler: constants that the plan holds in other forms */
    const int *assigned;     /* assign: the device by node index; NULL: the order alone decides */
    const cvk_kernel **rows; /* place: by node index */
    const char **refused;    /* place: by node index */
    uint32_t *takes;         /* place: by node index; bit k: of the rows that its device has for its
                                operator, the k-th takes it */
    cvk_store *store;        /* of tuned and denied rows; NULL: none */
    bool *const *denied;     /* denied.c: by device and row; NULL: none is */
} cvk_scheduler;

/* bind.c: the caller's input shapes; then every shape, and constants folded. */
cvk_status cvk_pass_bind(cvk_scheduler *s);
/* cut.c: nodes whose shapes only a run can know into plan->tail. */
cvk_status cvk_pass_cut(cvk_scheduler *s);
/* quantise.c: operators between DequantizeLinear and QuantizeLinear onto integers; then the constants
 * folded that bind left for it. */
cvk_status cvk_pass_quantise(cvk_graph *graph);
/* half.c: float16 nodes become float32 nodes, before they are lowered. */
cvk_status cvk_pass_widen(cvk_scheduler *s);
/* lower.c: ONNX operators into the forms that kernels are written for. */
cvk_status cvk_pass_lower(cvk_graph *graph);
/* schedule.c: the last three, in their order. */
cvk_status cvk_passes_lower(cvk_scheduler *s);
/* fold.c: per-channel affine maps into the weights before them; zero padding into the window after
 * it. */
cvk_status cvk_pass_fold(cvk_scheduler *s);
/* linear.c: constants added or multiplied behind activations, into one Unary LINEAR. */
cvk_status cvk_pass_linear(cvk_graph *graph);
/* rewrite.c: small patterns: quantise-dequantise pairs, spelt-out activations, MatMul + bias; and
 * the one in rewrite_norm.c, a layer normalisation in many nodes. */
cvk_status cvk_pass_rewrite(cvk_graph *graph);
cvk_status cvk_rewrite_norms(cvk_graph *graph);
/* rewrite_copy.c: copies of copies become one; a copy writes the shape that is wanted of it. */
cvk_status cvk_pass_copies(cvk_graph *graph);
/* rewrite_pool.c: an average pool and a 1x1 convolution change places where that is less work. */
cvk_status cvk_pass_commute(cvk_graph *graph);
/* rewrite.c: convolutions of one window over the whole picture, with many weights, become Gemms. */
cvk_status cvk_pass_pictures(cvk_graph *graph);
/* fuse.c: residual adds, activations and pools become posts of the node before them. */
cvk_status cvk_pass_fuse(cvk_scheduler *s);
/* Whether fuse.c may give the node posts. */
bool cvk_can_lead(const cvk_node *node);
/* bottleneck.c: depthwise convolutions and the 1x1 convolutions around them, where a row computes
 * them together. */
cvk_status cvk_pass_bottleneck(cvk_scheduler *s);
/* precision.c: constant weights of Gemm and MatMul in float16, where the model or the caller wants
 * them so. */
cvk_status cvk_pass_precision(cvk_scheduler *s);
/* half.c: what stands between steps, after they are fused, is float16 again. */
cvk_status cvk_pass_narrow(cvk_scheduler *s);
/* cost.c: what each device is able to do. */
cvk_status cvk_pass_rates(cvk_scheduler *s);
/* assign.c: which nodes leave the first device that has a row for them, to save copies. */
cvk_status cvk_pass_assign(cvk_scheduler *s);
/* place.c: a device and a kernel row per node. */
cvk_status cvk_pass_place(cvk_scheduler *s);
/* choose.c: the rows that the whole graph is predicted to be fastest with. */
cvk_status cvk_pass_choose(cvk_scheduler *s);
/* layout.c: reorders and transfers where a node wants what is not there; makes the steps. */
cvk_status cvk_pass_layout(cvk_scheduler *s);
/* prepare.c: constants on the devices, weights packed, programs built, scratch known. */
cvk_status cvk_pass_prepare(cvk_scheduler *s);
/* storage.c: which values share storage: aliases, concat by offset, in place. */
cvk_status cvk_pass_storage(cvk_scheduler *s);
/* lanes.c: who executes each step, and how many of its lanes it is worth. */
void cvk_pass_lanes(cvk_scheduler *s);
/* cost.c: how long each step is predicted to take. */
cvk_status cvk_pass_cost(cvk_scheduler *s);
/* memory.c: offsets in one buffer per space, allocated; views bound. */
cvk_status cvk_pass_memory(cvk_scheduler *s);
/* describe.c: the plan as text. */
cvk_status cvk_pass_describe(cvk_scheduler *s);

/* place.c: the device (CVK_HOST: reference) and row for `node`, given the layouts of its inputs,
 * whatever was tuned.
 * `refused` (may be NULL) gets the rows asked before and why not. */
cvk_status cvk_place_node(cvk_scheduler *s, const cvk_node *node, int *device,
                          const cvk_kernel **row, const char **refused);
/* The same on one device, as the values lie now; NULL in *row: it has none. */
cvk_status cvk_place_on(cvk_scheduler *s, const cvk_node *node, int device, const cvk_kernel **row,
                        const char **refused);
/* What the node's outputs are like after `row` of the device, or after none. */
void cvk_place_outputs(cvk_scheduler *s, const cvk_node *node, const cvk_kernel *row, int device);
/* The problem as rows see it. Views are the graph's arena memory: small, and plans are made once. */
cvk_status cvk_problem_make(cvk_scheduler *s, const cvk_node *node, const cvk_caps *caps,
                            cvk_problem *problem);
/* Why a row is not for this device, whatever the node; NULL: it has all that the row needs. */
const char *cvk_row_lacks(const cvk_device *device, const cvk_kernel *row);
/* Whether `row` of `device` computes the node with its posts; if not, *why is its reason. */
bool cvk_place_accepts(cvk_scheduler *s, const cvk_node *node, int device, const cvk_kernel *row,
                       const char **why);
/* Whether it also keeps to the workspace budget. */
cvk_status cvk_place_takes(cvk_scheduler *s, const cvk_node *node, int device,
                           const cvk_kernel *row, bool *takes, const char **why);
/* tuned.c: puts the row that was measured to be the best in the place of the one chosen, *row, and
 * says so in the node's note; there, too, why a record is not followed. */
cvk_status cvk_place_tuned(cvk_scheduler *s, cvk_node *node, int device, const cvk_kernel **row);
/* Whether prepare alone reads constant input i (kernel->packs): never what a post reads. */
bool cvk_row_packs(const cvk_kernel *row, const cvk_node *node, int i);
/* The layout in which `row` wants input i of node, or gives output i. */
cvk_layout cvk_row_input_layout(const cvk_kernel *row, const cvk_node *node, int i,
                                const cvk_value *value);
cvk_layout cvk_row_output_layout(const cvk_kernel *row, const cvk_value *value);

/* layout.c: whether a value's memory is that of its other form, so that a reorder is no step. */
bool cvk_reorder_moves_nothing(const cvk_value *from, cvk_layout to);
/* The row of a device that makes `layout`; NULL: none that may, or no device. */
const cvk_kernel *cvk_reorder_row(const cvk_scheduler *s, int device, cvk_layout layout);

/* rewriting.c: helpers for passes that rewrite nodes. */
/* Takes the graph's nodes out of it, to be put back one by one; *count of them. NULL: out of
 * memory. */
cvk_node *cvk_nodes_take(cvk_graph *graph, int *count);
/* Puts a node back as it is. */
cvk_status cvk_nodes_keep(cvk_graph *graph, const cvk_node *node);
/* A constant value whose data is another's: of the graph's arena, of s->brief, or kept longer. */
cvk_status cvk_graph_adopt_constant(cvk_graph *graph, const char *stem, cvk_dtype dtype,
                                    const cvk_shape *shape, const void *data, int *id);
/* A constant value with a copy of `data`. */
cvk_status cvk_graph_add_constant(cvk_graph *graph, const char *stem, cvk_dtype dtype,
                                  const cvk_shape *shape, const void *data, int *id);
/* Index of the only node that reads `value`; -1 if there are several, none, or it is a graph
 * output. readers, from cvk_graph_readers, has one entry per value. */
int *cvk_graph_readers(const cvk_graph *graph, cvk_arena *arena);
bool cvk_is_const(const cvk_graph *graph, int value);
/* Whether the node only gives its first input another shape: no step, no memory. */
bool cvk_is_alias(const cvk_node *node);
/* "a, b": the names of the model's nodes in `first` and then in `second`. */
const char *cvk_join_members(cvk_arena *arena, const cvk_node *first, const cvk_node *second);

#endif
