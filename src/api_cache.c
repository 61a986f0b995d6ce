/* SPDX-License-Identifier: Apache-2.0
 *
 * The door, third part: tuning, the self-test and the store. Checks arguments and forwards; no
 * other logic.
 */
#include "base/store.h"
#include "onnx/model.h"
#include "selftest/selftest.h"
#include "session/tune.h"

cvk_status cvk_tune(const cvk_model *model, cvk_device *const *devices, int n_devices,
                    const cvk_session_options *session_options, const cvk_tune_options *options,
                    cvk_tune_result *result)
{
    const cvk_session_options plan_defaults = {0};
    const cvk_tune_options defaults = {0};
    if (!session_options) session_options = &plan_defaults;
    if (!options) options = &defaults;
    if (!model || !devices || n_devices < 1)
        return cvk_fail(CVK_BAD_ARGUMENT,
                        "cvk_tune: model or devices is NULL, or there is no device");
    for (int i = 0; i < n_devices; i++)
        if (!devices[i]) return cvk_fail(CVK_BAD_ARGUMENT, "cvk_tune: device %d is NULL", i);
    if (session_options->n_inputs < 0 || (session_options->n_inputs && !session_options->inputs) ||
        session_options->n_constants < 0 ||
        (session_options->n_constants && !session_options->constants))
        return cvk_fail(CVK_BAD_ARGUMENT,
                        "cvk_tune: session_options has a count without its tensors");
    if (session_options->prefer_kernel)
        return cvk_fail(CVK_BAD_ARGUMENT,
                        "cvk_tune: with prefer_kernel there is no choice to measure");
    if (!(options->budget_s >= 0))
        return cvk_fail(CVK_BAD_ARGUMENT, "cvk_tune: budget_s is %g, 0 or more is expected",
                        options->budget_s);
    return cvk_tune_plan(cvk_model_graph(model), devices, n_devices, session_options, options,
                         result);
}

cvk_status cvk_selftest(cvk_device *device, const cvk_selftest_options *options,
                        cvk_selftest_result *result)
{
    const cvk_selftest_options defaults = {0};
    if (!device) return cvk_fail(CVK_BAD_ARGUMENT, "cvk_selftest: device is NULL");
    return cvk_selftest_device(device, options ? options : &defaults, result);
}

cvk_status cvk_cache_path(char *path, size_t size)
{
    if (!path || !size) return cvk_fail(CVK_BAD_ARGUMENT, "cvk_cache_path: there is no room");
    if (cvk_store_path(path, size)) return CVK_OK;
    return cvk_fail(CVK_UNSUPPORTED, "there is no store: CONVOKE_CACHE_DIR is empty, no folder for "
                                     "caches is known, or its path is too long");
}

cvk_status cvk_cache_visit(cvk_cache_fn visit, void *user, cvk_cache_sum *sum)
{
    return cvk_store_survey(visit, user, sum);
}

cvk_status cvk_cache_clear(cvk_cache_sum *sum)
{
    return cvk_store_wipe(sum);
}

cvk_status cvk_cache_export(const char *path, cvk_cache_sum *sum)
{
    if (!path) return cvk_fail(CVK_BAD_ARGUMENT, "cvk_cache_export: path is NULL");
    return cvk_store_export(path, sum);
}

cvk_status cvk_cache_import(const char *path, cvk_cache_sum *sum)
{
    if (!path) return cvk_fail(CVK_BAD_ARGUMENT, "cvk_cache_import: path is NULL");
    return cvk_store_import(path, sum);
}
