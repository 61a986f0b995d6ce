/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the steps of a plan lie in a drawing.
 */
#ifndef CVK_CLI_PLAN_LAYOUT_H
#define CVK_CLI_PLAN_LAYOUT_H

#include "cli/setup.h"

/* A step's box, or a bend of an arrow that passes its layer. */
typedef struct plan_spot {
    int step; /* -1: a bend */
    int layer;
    double x, width; /* of its middle; counted in pixels from the drawing's left edge */
} plan_spot;

/* A piece of an arrow, from one layer to the next. */
typedef struct plan_link {
    int from, to; /* spots */
    int writer;   /* step whose result it is */
    bool last;    /* ends at the step that reads it */
    double end_x; /* where it ends: the arrows into a box side by side */
} plan_link;

typedef struct plan_layout {
    cvk_step_info *steps;
    plan_spot *spots; /* those of the steps first, in their order */
    plan_link *links;
    int n_steps, n_spots, n_links, layers;
    double width;
} plan_layout;

/* The steps of a session in layers, each below all whose results it reads, boxes of box_width with
 * `gap` between them. */
plan_layout plan_layout_make(const cvk_session *session, double box_width, double gap);
void plan_layout_free(plan_layout *layout);

#endif
