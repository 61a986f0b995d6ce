/* SPDX-License-Identifier: Apache-2.0
 *
 * The door, second half: devices and sessions. Checks arguments and forwards; no other logic.
 */
#include <string.h>

#include "backend/devices.h"
#include "onnx/model.h"
#include "schedule/describe.h"
#include "schedule/rates.h"
#include "session/auto.h"
#include "session/session.h"

cvk_status cvk_device_list(cvk_device_info *infos, int capacity, int *count)
{
    if (!count || capacity < 0 || (capacity && !infos))
        return cvk_fail(CVK_BAD_ARGUMENT,
                        "cvk_device_list: count is NULL, or infos is NULL with a capacity");
    *count = cvk_devices_list(infos, capacity);
    return CVK_OK;
}

cvk_status cvk_device_open(const char *spec, const cvk_device_options *options, cvk_device **device)
{
    if (!spec || !device)
        return cvk_fail(CVK_BAD_ARGUMENT, "cvk_device_open: spec or device is NULL");
    cvk_device_options defaults = {0};
    return cvk_devices_open(spec, options ? options : &defaults, device);
}

cvk_status cvk_device_open_for(const cvk_model *model, const cvk_session_options *session_options,
                               const cvk_device_options *options, cvk_device **devices,
                               int capacity, int *count)
{
    const cvk_session_options plain = {0};
    const cvk_device_options defaults = {0};
    if (!model || !devices || capacity < 1 || !count)
        return cvk_fail(CVK_BAD_ARGUMENT,
                        "cvk_device_open_for: model, devices or count is NULL, or capacity is 0");
    return cvk_devices_choose(cvk_model_graph(model), session_options ? session_options : &plain,
                              options ? options : &defaults, devices, capacity, count);
}

cvk_status cvk_device_get_info(const cvk_device *device, cvk_device_info *info)
{
    if (!device || !info)
        return cvk_fail(CVK_BAD_ARGUMENT, "cvk_device_get_info: device or info is NULL");
    *info = device->info;
    return CVK_OK;
}

cvk_status cvk_device_measure(cvk_device *device, double *peak_gflops, double *gbytes_per_s)
{
    if (!device || !peak_gflops || !gbytes_per_s)
        return cvk_fail(CVK_BAD_ARGUMENT, "cvk_device_measure: an argument is NULL");
    cvk_device_rates rates;
    CVK_TRY(cvk_rates_measure(device, &rates));
    *peak_gflops = 2e-6 * rates.macs;
    *gbytes_per_s = 1e-6 * rates.bytes[CVK_LEVEL_MEMORY];
    return CVK_OK;
}

void cvk_device_close(cvk_device **device)
{
    if (!device || !*device) return;
    (*device)->backend->close(*device);
    *device = NULL;
}

cvk_status cvk_session_create(const cvk_model *model, cvk_device *const *devices, int n_devices,
                              const cvk_session_options *options, cvk_session **session)
{
    if (!model || !devices || n_devices < 1 || !session)
        return cvk_fail(
            CVK_BAD_ARGUMENT,
            "cvk_session_create: model, devices or session is NULL, or there is no device");
    for (int i = 0; i < n_devices; i++)
        if (!devices[i])
            return cvk_fail(CVK_BAD_ARGUMENT, "cvk_session_create: device %d is NULL", i);
    cvk_session_options defaults = {0};
    if (!options) options = &defaults;
    if (options->n_inputs < 0 || (options->n_inputs && !options->inputs))
        return cvk_fail(CVK_BAD_ARGUMENT, "cvk_session_create: options.inputs is NULL");
    if (options->n_constants < 0 || (options->n_constants && !options->constants))
        return cvk_fail(CVK_BAD_ARGUMENT, "cvk_session_create: options.constants is NULL");
    if (options->plans < 0)
        return cvk_fail(CVK_BAD_ARGUMENT, "cvk_session_create: options.plans is %d, not 0 or more",
                        options->plans);
    if (!(options->tolerance >= 0))
        return cvk_fail(CVK_BAD_ARGUMENT,
                        "cvk_session_create: options.tolerance is %g, not 0 or more",
                        options->tolerance);
    if (options->precision == CVK_I8)
        return cvk_fail(CVK_UNSUPPORTED,
                        "cvk_session_create: precision int8: weights are kept as float32 or "
                        "float16; a quantised model computes in 8 bits by itself");
    if (options->precision && options->precision != CVK_F32 && options->precision != CVK_F16)
        return cvk_fail(CVK_BAD_ARGUMENT,
                        "cvk_session_create: options.precision is neither 0, CVK_F32 nor CVK_F16");
    return cvk_session_open_parts(cvk_model_graph(model), devices, n_devices, options, session);
}

cvk_status cvk_session_input(const cvk_session *session, int index, cvk_tensor *tensor)
{
    if (!session || !tensor)
        return cvk_fail(CVK_BAD_ARGUMENT, "cvk_session_input: session or tensor is NULL");
    const cvk_graph *graph = session->plan->graph;
    if (index < 0 || index >= graph->n_inputs)
        return cvk_fail(CVK_BAD_ARGUMENT, "input %d asked for, the model has %d", index,
                        graph->n_inputs);
    const cvk_value *value = &graph->values[graph->inputs[index]];
    *tensor = (cvk_tensor){.name = value->name, .dtype = value->dtype, .rank = value->shape.rank};
    memcpy(tensor->dims, value->shape.dims, sizeof tensor->dims);
    cvk_session_whole_batch(session, value->name, tensor);
    return CVK_OK;
}

cvk_status cvk_session_output(const cvk_session *session, int index, cvk_tensor *tensor)
{
    if (!session || !tensor)
        return cvk_fail(CVK_BAD_ARGUMENT, "cvk_session_output: session or tensor is NULL");
    if (index < 0 || index >= session->n_outputs)
        return cvk_fail(CVK_BAD_ARGUMENT, "output %d asked for, the model has %d", index,
                        session->n_outputs);
    cvk_session_describe_output(session, index, tensor);
    return CVK_OK;
}

/* What run and run_async check alike. */
static cvk_status check_run(const cvk_session *session, const cvk_tensor *inputs, int n_inputs,
                            const cvk_tensor *outputs, int n_outputs)
{
    if (!session || n_inputs < 0 || n_outputs < 0 || (n_inputs && !inputs) ||
        (n_outputs && !outputs))
        return cvk_fail(
            CVK_BAD_ARGUMENT,
            "cvk_session_run: session, inputs or outputs is NULL, or a count is negative");
    if (session->in_flight)
        return cvk_fail(CVK_BAD_ARGUMENT, "a run is in flight: wait for it first");
    return CVK_OK;
}

cvk_status cvk_session_run(cvk_session *session, const cvk_tensor *inputs, int n_inputs,
                           const cvk_tensor *outputs, int n_outputs)
{
    CVK_TRY(check_run(session, inputs, n_inputs, outputs, n_outputs));
    CVK_TRY(cvk_session_fit(session, inputs, n_inputs));
    cvk_status status = cvk_session_execute(session, inputs, n_inputs, outputs, n_outputs);
    return status ? cvk_session_resume(session, status, inputs, n_inputs, outputs, n_outputs)
                  : CVK_OK;
}

cvk_status cvk_session_run_async(cvk_session *session, const cvk_tensor *inputs, int n_inputs,
                                 const cvk_tensor *outputs, int n_outputs)
{
    CVK_TRY(check_run(session, inputs, n_inputs, outputs, n_outputs));
    CVK_TRY(cvk_session_fit(session, inputs, n_inputs));
    return cvk_session_start(session, inputs, n_inputs, outputs, n_outputs);
}

cvk_status cvk_session_wait(cvk_session *session)
{
    if (!session) return cvk_fail(CVK_BAD_ARGUMENT, "cvk_session_wait: session is NULL");
    return cvk_session_complete(session);
}

cvk_status cvk_session_read(cvk_session *session, const char *name, cvk_tensor *tensor)
{
    if (!session || !name || !tensor)
        return cvk_fail(CVK_BAD_ARGUMENT, "cvk_session_read: an argument is NULL");
    return cvk_session_fetch(session, name, tensor);
}

cvk_status cvk_session_get_info(const cvk_session *session, cvk_session_info *info)
{
    if (!session || !info)
        return cvk_fail(CVK_BAD_ARGUMENT, "cvk_session_get_info: session or info is NULL");
    const cvk_plan *plan = session->plan;
    cvk_space_memory memory = cvk_plan_memory(plan);
    *info = (cvk_session_info){.steps = session->n_infos,
                               .nodes = plan->n_model_nodes,
                               .fused = plan->n_fused,
                               .activation_bytes = memory.activation_bytes,
                               .lower_bound_bytes = memory.lower_bound_bytes,
                               .workspace_bytes = memory.workspace_bytes,
                               .weight_bytes = plan->weight_bytes,
                               .workers = cvk_session_workers(session),
                               .late_nodes = plan->tail ? plan->tail->graph->n_nodes : 0,
                               .build_ms = session->build_ms,
                               .predicted_ms = plan->predicted_ms,
                               .calibrated = plan->calibrated,
                               .choice = cvk_plan_choice(plan),
                               .continued = session->continued ? session->continued : ""};
    cvk_session_tell_parts(session, info);
    return CVK_OK;
}

cvk_status cvk_session_step(const cvk_session *session, int index, cvk_step_info *info)
{
    if (!session || !info)
        return cvk_fail(CVK_BAD_ARGUMENT, "cvk_session_step: session or info is NULL");
    const int asked = index;
    if (index >= 0) session = cvk_session_of_step(session, &index);
    if (index < 0 || index >= session->n_infos)
        return cvk_fail(CVK_BAD_ARGUMENT, "step %d asked for, the plan has %d", asked,
                        asked - index + session->n_infos);
    *info = session->infos[index];
    if (index < session->plan->n_steps) info->ms = session->plan->steps[index].ms;
    return CVK_OK;
}

const char *cvk_session_describe(const cvk_session *session)
{
    return session ? session->plan->text : "";
}

void cvk_session_free(cvk_session **session)
{
    cvk_session_unmake(session);
}
