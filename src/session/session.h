/* SPDX-License-Identifier: Apache-2.0
 *
 * A session: a plan and what a run of it needs.
 */
#ifndef CVK_SESSION_SESSION_H
#define CVK_SESSION_SESSION_H

#include <pthread.h>

#include "session/exchange.h"

/* Steps on one device one after the other; a transfer stands alone. */
typedef struct cvk_segment {
    int device; /* CVK_HOST: references and transfers, run by the session itself */
    int first, count;
    cvk_step **steps;
    cvk_timing timing;      /* with profile, else NULLs */
    int lanes;              /* of the device; 1 for the host */
    int used;               /* of them, by a run that is alone */
    cvk_exchange *exchange; /* of a transfer; NULL: it is between steps */
} cvk_segment;

/* A buffer of the caller's in a device's memory that stands for an input or output (opencl.h). */
typedef struct cvk_device_bind {
    int value;    /* graph input or output */
    void *buffer; /* NULL: not bound */
    void *own;    /* the plan's memory for it, once a buffer has stood in */
    cvk_device *device;
} cvk_device_bind;

/* An output of the model: one of the plan's, or of its tail. */
typedef struct cvk_output {
    const char *name;
    int index; /* into plan->outputs; -1: the tail makes it */
    int value; /* of the tail's graph */
} cvk_output;

typedef struct cvk_resume cvk_resume;

struct cvk_session {
    cvk_plan *plan;
    cvk_segment *segments;
    int n_segments;
    cvk_exchange *exchanges; /* up to one without a step */
    cvk_output *outputs;     /* of the model, by position */
    int n_outputs;
    void **bound; /* by value: the caller's memory for a graph input or output in this run */
    bool profile, allow_nan;
    bool registered; /* counted among its devices' sessions */
    bool has_run;    /* the last run has come to its end: values can be read */
    double build_ms;
    cvk_step_info *infos; /* by step, then by node of the tail */
    int n_infos;
    cvk_device_bind *device_binds; /* one per graph input and output, in this order */

    pthread_t thread; /* of the run in flight */
    bool in_flight;
    cvk_tensor *async_tensors;
    int async_inputs, async_outputs;
    cvk_status async_status;
    char async_error[1024];

    cvk_arena *tail_arena; /* what the tail of the last run made; NULL: none yet */
    cvk_graph *tail;       /* plan->tail->graph with the data of the last run */

    struct cvk_parts *parts;    /* of the batch, this being the first; NULL: it is in one */
    struct cvk_shapes *shapes;  /* plans for other shapes; NULL: this one only */
    const cvk_resume *resume;   /* how to plan it again when a device fails; NULL: not at all */
    const char *continued;      /* the failure after which it was; NULL: it was not */
    struct cvk_session *before; /* what it was until then */
};

/* What of a session's options is for the scheduler. */
cvk_schedule_options cvk_session_scheduling(const cvk_session_options *options);
/* keep_constants: the plan's graph keeps the data of every constant while the session lives. */
cvk_status cvk_session_make(const cvk_graph *model, cvk_device *const *devices, int n_devices,
                            const cvk_session_options *options, bool keep_constants,
                            struct cvk_reuse *reuse, cvk_session **session);
void cvk_session_unmake(cvk_session **session);
/* resume.c: makes a session that continues on options->continue_on. reuse: of the model, or NULL. */
cvk_status cvk_session_open(const cvk_graph *model, cvk_device *const *devices, int n_devices,
                            const cvk_session_options *options, struct cvk_reuse *reuse,
                            cvk_session **session);
/* resume.c: with strings and tensors of the arena; inputs are shapes only. */
cvk_status cvk_session_options_copy(cvk_arena *arena, const cvk_session_options *options,
                                    cvk_session_options *copy);
/* shapes.c: as cvk_session_open; with options->plans a session that plans for shapes as they come. */
cvk_status cvk_session_open_shapes(const cvk_graph *model, cvk_device *const *devices,
                                   int n_devices, const cvk_session_options *options,
                                   cvk_session **session);
/* parts.c: as cvk_session_open_shapes; with options->split_batch, or where memory does not hold the
 * plan, a session whose batch is computed in parts. */
cvk_status cvk_session_open_parts(const cvk_graph *model, cvk_device *const *devices,
                                  int n_devices, const cvk_session_options *options,
                                  cvk_session **session);
void cvk_session_parts_free(struct cvk_parts **parts);
/* parts_run.c */
cvk_status cvk_session_run_parts(cvk_session *session, const cvk_tensor *inputs, int n_inputs,
                                 const cvk_tensor *outputs, int n_outputs);
/* parts_run.c: the session that has step *index of all parts, which becomes its index there. */
const cvk_session *cvk_session_of_step(const cvk_session *session, int *index);
/* parts_run.c: gives input `input` (NULL: an output) the first dimension that the caller sees. */
void cvk_session_whole_batch(const cvk_session *session, const char *input, cvk_tensor *tensor);
/* parts_run.c: adds the other parts to what is told of the first. */
void cvk_session_tell_parts(const cvk_session *session, cvk_session_info *info);
/* shapes.c: makes the session one that is planned for the shapes of these inputs, if it may. */
cvk_status cvk_session_fit(cvk_session *session, const cvk_tensor *inputs, int n_inputs);
void cvk_session_shapes_free(struct cvk_shapes **shapes);
/* resume.c: what becomes of a run that has failed with `status`: the run on the device that the
 * options name, where the session is from then on, if a device's failure is the cause. */
cvk_status cvk_session_resume(cvk_session *session, cvk_status status, const cvk_tensor *inputs,
                              int n_inputs, const cvk_tensor *outputs, int n_outputs);
/* A run, in parts if need be; and one of this session's plan alone. */
cvk_status cvk_session_execute_plan(cvk_session *session, const cvk_tensor *inputs, int n_inputs,
                                    const cvk_tensor *outputs, int n_outputs);
cvk_status cvk_session_execute(cvk_session *session, const cvk_tensor *inputs, int n_inputs,
                               const cvk_tensor *outputs, int n_outputs);
/* async.c */
cvk_status cvk_session_start(cvk_session *session, const cvk_tensor *inputs, int n_inputs,
                             const cvk_tensor *outputs, int n_outputs);
/* Waits for the run in flight and takes what became of it; the tensors are the caller's to free. */
cvk_status cvk_session_join(cvk_session *session, cvk_tensor **tensors);
/* The same for a caller who wants the results: also of a run that continues elsewhere. */
cvk_status cvk_session_complete(cvk_session *session);
/* read.c */
cvk_status cvk_session_fetch(cvk_session *session, const char *name, cvk_tensor *tensor);
/* stand_in.c: binds `buffer` (NULL: unbinds) for input or output `name`; tells the device and bytes
 * that it must have, and the buffer that stood there before. */
cvk_status cvk_session_stand_in(cvk_session *session, const char *name, void *buffer,
                                cvk_device **device, size_t *bytes, void **previous);
/* stand_in.c: the step that copies graph input or output `value` between the host and a device; NULL
 * if there is none. *alone: nothing else reads it, so that the host's tensor may be missing. */
const cvk_step *cvk_session_copy(const cvk_session *session, int value, bool output, bool *alone);
/* stand_in.c: points every view of a step over the storage of `root` to `memory`. */
void cvk_session_point(cvk_plan *plan, int root, void *memory);
/* run.c: whether a value of the plan is an input of the model. */
bool cvk_session_is_input(const cvk_session *session, int id);
/* stand_in.c: all steps enqueued on *device, with every input and output bound. */
cvk_status cvk_session_enqueue(cvk_session *session, cvk_device **device);
/* session.c: the most workers that a segment on a CPU has; 0: there is none. */
int cvk_session_workers(const cvk_session *session);
/* session.c: milliseconds on a clock that only goes forward. */
double cvk_session_clock(void);
/* run.c: writes the bound pointers into the steps' views. */
void cvk_session_apply(cvk_session *session);
/* run.c: the segments, inputs and outputs bound already; wait: until the devices are done. */
cvk_status cvk_session_walk(cvk_session *session, bool wait);
/* run.c: where the last run left output `index` of the plan; NULL: in the caller's device buffer. */
const void *cvk_session_output_data(const cvk_session *session, int index);
/* tail.c: computes plan->tail from the plan's outputs of this run. */
cvk_status cvk_session_run_tail(cvk_session *session);
/* tail.c: value `id` of the tail, or what the last run made of it. */
const cvk_value *cvk_session_tail_value(const cvk_session *session, int id);
/* Index among the model's inputs (or outputs) of a tensor called `name`; -1 if there is none. */
int cvk_session_find(const cvk_session *session, const char *name, bool output);
/* Describes output `index` of the model: an open dimension is -1 until a run has told. */
void cvk_session_describe_output(const cvk_session *session, int index, cvk_tensor *tensor);

#endif
