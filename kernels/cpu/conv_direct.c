/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of the tiled convolutions: conv_direct (blocked to blocked), conv_first (plain pictures of
 * few channels to blocked), conv_plain (plain to plain, takes every convolution). All share
 * conv_plan.h.
 */
#include "kernels/cpu/conv_lanes.h"
#include "kernels/cpu/conv_plan.h"
#include "kernels/cpu/row.h"

static bool accepts(const cvk_problem *problem, conv_form form, const char **why_not)
{
    conv_plan plan;
    if (!CVK_FN(cvk_conv_plan_make)(problem, form, false, &plan, why_not)) return false;
    if (form == CONV_PLAIN) return true;
    if (CVK_FN(cvk_conv_lanes_idle)(problem, &plan)) return row_refuse(why_not, CONV_LANES_IDLE);
    return !CVK_FN(cvk_conv_lanes_pay)(problem) || row_refuse(why_not, CONV_LANES_PAY);
}

static bool accepts_blocked(const cvk_problem *problem, const char **why_not)
{
    return accepts(problem, CONV_BLOCKED, why_not);
}

static bool accepts_first(const cvk_problem *problem, const char **why_not)
{
    return accepts(problem, CONV_FIRST, why_not);
}

static bool accepts_plain(const cvk_problem *problem, const char **why_not)
{
    return accepts(problem, CONV_PLAIN, why_not);
}

static void cost_blocked(const cvk_problem *problem, cvk_work *work)
{
    CVK_FN(cvk_conv_plan_cost)(problem, CONV_BLOCKED, false, work);
}

static void cost_first(const cvk_problem *problem, cvk_work *work)
{
    CVK_FN(cvk_conv_plan_cost)(problem, CONV_FIRST, false, work);
}

static void cost_plain(const cvk_problem *problem, cvk_work *work)
{
    CVK_FN(cvk_conv_plan_cost)(problem, CONV_PLAIN, false, work);
}

static cvk_status prepare_blocked(cvk_device *device, cvk_step *step)
{
    return CVK_FN(cvk_conv_prepare)(device, step, CONV_BLOCKED, false);
}

static cvk_status prepare_first(cvk_device *device, cvk_step *step)
{
    return CVK_FN(cvk_conv_prepare)(device, step, CONV_FIRST, false);
}

static cvk_status prepare_plain(cvk_device *device, cvk_step *step)
{
    return CVK_FN(cvk_conv_prepare)(device, step, CONV_PLAIN, false);
}

const cvk_kernel CVK_FN(cvk_cpu_conv_direct) = {
    .op = CVK_OP_Conv,
    .name = "conv_direct",
    .in_layout = CVK_LAYOUT_BLOCKED,
    .out_layout = CVK_LAYOUT_BLOCKED,
    .packs = 1u << 1 | 1u << 2,
    .prologue = true,
    .accepts = accepts_blocked,
    .cost = cost_blocked,
    .prepare = prepare_blocked,
    .run = CVK_FN(cvk_conv_run),
};

const cvk_kernel CVK_FN(cvk_cpu_conv_first) = {
    .op = CVK_OP_Conv,
    .name = "conv_first",
    .in_layout = CVK_LAYOUT_PLAIN,
    .out_layout = CVK_LAYOUT_BLOCKED,
    .packs = 1u << 1 | 1u << 2,
    .accepts = accepts_first,
    .cost = cost_first,
    .prepare = prepare_first,
    .run = CVK_FN(cvk_conv_run),
};

const cvk_kernel CVK_FN(cvk_cpu_conv_plain) = {
    .op = CVK_OP_Conv,
    .name = "conv_plain",
    .in_layout = CVK_LAYOUT_PLAIN,
    .out_layout = CVK_LAYOUT_PLAIN,
    .packs = 1u << 1 | 1u << 2,
    .accepts = accepts_plain,
    .cost = cost_plain,
    .prepare = prepare_plain,
    .run = CVK_FN(cvk_conv_run),
};
