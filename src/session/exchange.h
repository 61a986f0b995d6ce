/* SPDX-License-Identifier: Apache-2.0
 *
 * How the caller's tensors reach a device that has memory of its own, and come back: copied, or,
 * where host and device share memory and the tensor lies as the device wants, used where it lies.
 */
#ifndef CVK_SESSION_EXCHANGE_H
#define CVK_SESSION_EXCHANGE_H

#include "schedule/plan.h"

enum { CVK_KEPT_TENSORS = 2 }; /* of each input and output, so that a caller may alternate */

/* A caller's tensor as memory of the device. */
typedef struct cvk_kept_tensor {
    void *host, *data;
} cvk_kept_tensor;

/* An input of the model that goes to a device, or an output that comes from one: the Transfer. */
typedef struct cvk_exchange {
    cvk_step *copy; /* NULL: the last one */
    cvk_device *device;
    bool output;
    int root;    /* of the storage on the device */
    void *own;   /* the plan's memory there */
    bool shared; /* the caller's tensor may take its place */
    void *host;  /* what the caller passed last; NULL: nothing, or a buffer is bound */
    void *data;  /* that tensor as memory of the device; NULL: it is copied */
    void *mapped;
    cvk_kept_tensor kept[CVK_KEPT_TENSORS];
    int oldest; /* of kept */
} cvk_exchange;

typedef struct cvk_session cvk_session;

/* Finds the session's exchanges, once its plan is made. */
cvk_status cvk_exchanges_make(cvk_session *session);
/* Lets go of every tensor that was passed; their memory may be gone already. */
void cvk_exchanges_free(cvk_session *session);
/* That of a Transfer; NULL: it is between steps of the plan. */
cvk_exchange *cvk_exchange_of(const cvk_session *session, const cvk_step *copy);
/* Before a run, when its tensors are bound: decides for each how it is exchanged. */
cvk_status cvk_exchanges_begin(cvk_session *session);
/* The Transfer itself, in the device's queue: an output is there when the device is done. */
cvk_status cvk_exchange_run(cvk_exchange *exchange);
/* Back to memory of the plan's own, before another buffer takes its place. */
void cvk_exchange_reset(cvk_session *session, const cvk_step *copy);

#endif
