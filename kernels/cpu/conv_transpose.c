/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of the transposed convolution: every residue of the output position modulo the strides is an
 * ordinary convolution of stride 1 with the taps that reach it, so that no output is written twice
 * and the tiles of conv_plan.h serve here too.
 */
#include "kernels/cpu/conv_plan.h"

static bool accepts_blocked(const cvk_problem *problem, const char **why_not)
{
    conv_plan plan;
    if (!CVK_FN(cvk_conv_plan_make)(problem, CONV_BLOCKED, true, &plan, why_not)) return false;
    if (!CVK_FN(cvk_conv_lanes_idle)(problem, &plan)) return true;
    *why_not = CONV_LANES_IDLE;
    return false;
}

static bool accepts_plain(const cvk_problem *problem, const char **why_not)
{
    conv_plan plan;
    return CVK_FN(cvk_conv_plan_make)(problem, CONV_PLAIN, true, &plan, why_not);
}

static void cost_blocked(const cvk_problem *problem, cvk_work *work)
{
    CVK_FN(cvk_conv_plan_cost)(problem, CONV_BLOCKED, true, work);
}

static void cost_plain(const cvk_problem *problem, cvk_work *work)
{
    CVK_FN(cvk_conv_plan_cost)(problem, CONV_PLAIN, true, work);
}

static cvk_status prepare_blocked(cvk_device *device, cvk_step *step)
{
    return CVK_FN(cvk_conv_prepare)(device, step, CONV_BLOCKED, true);
}

static cvk_status prepare_plain(cvk_device *device, cvk_step *step)
{
    return CVK_FN(cvk_conv_prepare)(device, step, CONV_PLAIN, true);
}

const cvk_kernel CVK_FN(cvk_cpu_conv_transpose) = {
    .op = CVK_OP_ConvTranspose,
    .name = "conv_transpose",
    .in_layout = CVK_LAYOUT_BLOCKED,
    .out_layout = CVK_LAYOUT_BLOCKED,
    .packs = 1u << 1 | 1u << 2,
    .accepts = accepts_blocked,
    .cost = cost_blocked,
    .prepare = prepare_blocked,
    .run = CVK_FN(cvk_conv_run),
};

const cvk_kernel CVK_FN(cvk_cpu_conv_transpose_plain) = {
    .op = CVK_OP_ConvTranspose,
    .name = "conv_transpose_plain",
    .in_layout = CVK_LAYOUT_PLAIN,
    .out_layout = CVK_LAYOUT_PLAIN,
    .packs = 1u << 1 | 1u << 2,
    .accepts = accepts_plain,
    .cost = cost_plain,
    .prepare = prepare_plain,
    .run = CVK_FN(cvk_conv_run),
};
