/* SPDX-License-Identifier: Apache-2.0
 *
 * How a step is called, for describe and for cvk_session_step.
 */
#ifndef CVK_SCHEDULE_DESCRIBE_H
#define CVK_SCHEDULE_DESCRIBE_H

#include "schedule/plan.h"

const char *cvk_step_device_name(const cvk_plan *plan, const cvk_plan_step *made);
const char *cvk_step_op_name(const cvk_plan_step *made);
/* Arena-owned; NULL when out of memory. */
const char *cvk_step_fused_names(cvk_arena *arena, const cvk_plan_step *made);
const char *cvk_step_shape_text(cvk_arena *arena, const cvk_plan_step *made);
/* The type that constant weights of a Gemm or MatMul are kept in; CVK_NONE: it has none. */
cvk_dtype cvk_step_weights(const cvk_plan *plan, const cvk_plan_step *made);
/* Outputs of steps and model inputs that the step reads, seen through nodes that are no step. */
const char *cvk_step_input_names(const cvk_plan *plan, const cvk_plan_step *made);
/* Why the devices were taken, of those present; "": the caller said which. */
const char *cvk_plan_choice(const cvk_plan *plan);
/* What can be said before a run of a node of plan->tail. */
cvk_status cvk_late_info(const cvk_plan *plan, const cvk_node *node, cvk_step_info *info);

#endif
