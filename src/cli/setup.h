/* SPDX-License-Identifier: Apache-2.0
 *
 * From shared options to devices, shapes and sessions. Every function reports its failure and
 * returns an exit code.
 */
#ifndef CVK_CLI_SETUP_H
#define CVK_CLI_SETUP_H

#include "cli/options.h"

enum { MAX_DEVICES = 16 };

struct shape_set;

typedef struct device_set {
    cvk_device *items[MAX_DEVICES];
    int count;
    char name[128];          /* their ids with commas */
    cvk_device *continue_on; /* with --continue-on-cpu; else NULL */
    bool told;               /* that sessions went on there */
} device_set;

/* Opens the devices of `spec` ("cpu", "opencl:0,cpu"; NULL: auto). */
int devices_open(const shared_options *shared, const char *spec, device_set *set);
/* The same for a session of `model` with inputs of these shapes: auto is what it is predicted to be
 * the fastest on. */
int devices_open_for(const shared_options *shared, const char *spec, const cvk_model *model,
                     const struct shape_set *shapes, device_set *set);
void devices_close(device_set *set);

/* Where the session runs: on the devices of the set or, after one of them has failed, on the CPU,
 * with a warning on stderr the first time that it is seen. */
const char *devices_in_use(device_set *set, const cvk_session *session);

/* Calls `visit` once with --device as it stands, or for `all` once per device present. Goes on
 * after a failure; returns the first exit code that is not DONE. */
typedef int (*device_visit)(const char *spec, void *context);
int devices_each(const shared_options *shared, device_visit visit, void *context);
bool device_is_all(const shared_options *shared);

int model_open(const char *path, cvk_model **model);

/* Shapes for a session: those of --shape, and what the command adds. Names are not copied. */
typedef struct shape_set {
    cvk_tensor *items;
    int count;
} shape_set;
int shapes_from_options(const shared_options *shared, const cvk_model *model, shape_set *set);
/* The entry of `name`; NULL if there is none. */
cvk_tensor *shapes_find(const shape_set *set, const char *name);
/* Adds an entry, or replaces that of the same name. */
void shapes_put(shape_set *set, const cvk_tensor *tensor);
/* Sets dimension 0 of every input whose batch is free, or of every input if none is. */
int shapes_set_batch(shape_set *set, const cvk_model *model, int batch);
void shapes_free(shape_set *set);

/* Session options from --no-fuse, --workspace, --prefer, --tolerance and --precision; with `set` (may be NULL)
 * also --continue-on-cpu. */
cvk_session_options session_options(const shared_options *shared, const shape_set *shapes,
                                    const device_set *set);

/* The tensors of a session's inputs or outputs, with memory of their own; none yet for an output
 * whose shape depends on data. */
typedef struct tensor_set {
    cvk_tensor *items;
    bool *late; /* the shape depends on data */
    int count;
} tensor_set;
int session_tensors(const cvk_session *session, int count, bool outputs, tensor_set *set);
/* Runs once. Fills the outputs, late ones with shapes and memory of this run. */
cvk_status session_run(cvk_session *session, const tensor_set *inputs, tensor_set *outputs);
void tensors_free(tensor_set *set);

/* The largest relative L2 by which weights of a step were rounded. */
double session_rounding(const cvk_session *session);

/* Multiply-adds of one run. */
uint64_t session_macs(const cvk_session *session);

#endif
