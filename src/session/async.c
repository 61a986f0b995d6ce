/* SPDX-License-Identifier: Apache-2.0
 *
 * A run in flight: on a thread of its own, joined by wait. Where it continues after a failure, that
 * is on the thread that waits: until then the session is what the caller knows.
 */
#include <stdlib.h>
#include <string.h>

#include "session/session.h"

static void *run(void *arg)
{
    cvk_session *session = arg;
    const cvk_tensor *inputs = session->async_tensors, *outputs = inputs + session->async_inputs;
    session->async_status = cvk_session_execute(session, inputs, session->async_inputs, outputs,
                                                session->async_outputs);
    if (session->async_status)
        strncpy(session->async_error, cvk_last_error(), sizeof session->async_error - 1);
    return NULL;
}

cvk_status cvk_session_start(cvk_session *session, const cvk_tensor *inputs, int n_inputs,
                             const cvk_tensor *outputs, int n_outputs)
{
    if (session->in_flight)
        return cvk_fail(CVK_BAD_ARGUMENT, "a run is in flight: wait for it first");
    size_t count = (size_t)n_inputs + (size_t)n_outputs;
    session->async_tensors = malloc((count + 1) * sizeof *session->async_tensors);
    if (!session->async_tensors)
        return cvk_fail(CVK_NO_MEMORY, "out of memory: %zu tensors", count);
    for (int i = 0; i < n_inputs; i++) session->async_tensors[i] = inputs[i];
    for (int i = 0; i < n_outputs; i++) session->async_tensors[n_inputs + i] = outputs[i];
    session->async_inputs = n_inputs;
    session->async_outputs = n_outputs;
    if (pthread_create(&session->thread, NULL, run, session)) {
        free(session->async_tensors);
        session->async_tensors = NULL;
        return cvk_fail(CVK_NO_MEMORY, "cannot start a thread for the run");
    }
    session->in_flight = true;
    return CVK_OK;
}

cvk_status cvk_session_join(cvk_session *session, cvk_tensor **tensors)
{
    *tensors = NULL;
    if (!session->in_flight) return CVK_OK;
    pthread_join(session->thread, NULL);
    session->in_flight = false;
    *tensors = session->async_tensors;
    session->async_tensors = NULL;
    return session->async_status ? cvk_fail(session->async_status, "%s", session->async_error)
                                 : CVK_OK;
}

cvk_status cvk_session_complete(cvk_session *session)
{
    const int n_inputs = session->async_inputs, n_outputs = session->async_outputs;
    cvk_tensor *tensors;
    cvk_status status = cvk_session_join(session, &tensors);
    if (status)
        status =
            cvk_session_resume(session, status, tensors, n_inputs, tensors + n_inputs, n_outputs);
    free(tensors);
    return status;
}
