/* SPDX-License-Identifier: Apache-2.0
 *
 * One session whose batch is computed in parts: by several devices at once, each with as many
 * pictures as it is predicted to be fast, or one after the other where the memory of a device holds
 * no more. A part is a session planned for its pictures; the caller's session is the first of them.
 * Tensors are the caller's: a part works on its own pictures where they lie.
 */
#ifndef CVK_SESSION_PARTS_H
#define CVK_SESSION_PARTS_H

#include "schedule/batch.h"
#include "session/session.h"

enum { CVK_MOST_LANES = 16, CVK_SENTENCE = 1024 };

/* Pictures of the batch in one run of a session. */
typedef struct cvk_part {
    int session; /* index; 0: the caller's */
    int lane;
    int64_t first, count;
} cvk_part;

/* What runs one after the other. */
typedef struct cvk_lane {
    struct cvk_parts *parts;
    int index;
    const cvk_tensor *inputs, *outputs; /* of the run */
    int n_inputs, n_outputs;
    cvk_status status;
    char sentence[CVK_SENTENCE];
    pthread_t thread;
} cvk_lane;

struct cvk_parts {
    cvk_arena *arena;
    cvk_batch batch;
    cvk_session **sessions; /* [0]: the caller's */
    int n_sessions, sessions_capacity;
    cvk_part *all;
    int n, capacity;
    cvk_lane lanes[CVK_MOST_LANES];
    int n_lanes;
    double predicted_ms[CVK_MOST_LANES];
    const char *text; /* what is where, for describe */
};

/* A lane before it is planned. */
typedef struct cvk_share {
    cvk_device *pair[2];        /* the second for what the first has no kernels for */
    cvk_device *const *devices; /* in order: the pair or the caller's list */
    int n_devices;
    double ms; /* of the whole batch, predicted */
    int64_t count;
} cvk_share;

/* shares.c: who computes the batch, in how many pictures; *count: how many shares, some of them without
 * any. shares: CVK_MOST_LANES of them. */
cvk_status cvk_shares_make(const cvk_batch *batch, const cvk_graph *model,
                           cvk_device *const *devices, int n_devices,
                           const cvk_session_options *options, cvk_share *shares, int *count);

#endif
