/* SPDX-License-Identifier: Apache-2.0
 *
 * How long a step is predicted to take: what its row says of its work (cvk_work), at the rates of
 * its device. A step's parts do not overlap in this model: arithmetic at the peak, then tensors and
 * constants from where they lie, then what beginning a step costs. The tuner's record of a problem,
 * where there is one, is the prediction itself.
 */
#ifndef CVK_SCHEDULE_COST_H
#define CVK_SCHEDULE_COST_H

#include "schedule/passes.h"

/* Where the work is done, and what shares the caches with it. */
typedef struct cvk_cost_place {
    const cvk_caps *caps;
    const cvk_device_rates *rates;
    double lanes;    /* of all, that the step has: more than 0, at most 1 */
    double resident; /* bytes of all constants of the plan, which a run reads once */
} cvk_cost_place;

double cvk_cost_ms(const cvk_work *work, const cvk_cost_place *place);

/* How much longer constants of so many bytes take from where the plan's lie than from the smallest
 * memory that holds them, where whoever runs a step again and again finds them. */
double cvk_cost_cold_ms(double bytes, const cvk_cost_place *place);

/* Bytes of all constants that nodes of the graph read. */
double cvk_cost_resident(const cvk_graph *graph);

/* What a run of the problem under `row` takes of its device. The problem's views are looked at
 * in the row's layouts. */
void cvk_cost_work(const cvk_graph *graph, const cvk_problem *problem, const cvk_kernel *row,
                   cvk_work *work);

#endif
