/* SPDX-License-Identifier: Apache-2.0
 *
 * Which kernel row was measured to be the best for a problem: records in the store, made by
 * session/tune.c, used by place.c.
 *
 * Only rows that give the same layout compete, so that a record changes nothing of a plan but this
 * step and reorders before it: all that follows is chosen as without it. Passes that fuse ask for
 * the row without records, so that a plan's nodes, the problems, do not depend on them either.
 */
#ifndef CVK_SCHEDULE_TUNED_H
#define CVK_SCHEDULE_TUNED_H

#include "schedule/passes.h"

/* What a record says. Times in ms; default_ms is that of the row chosen without it. */
typedef struct cvk_tuned {
    char row[64]; /* or "row:variant" */
    double ms, default_ms;
} cvk_tuned;

/* Whether `row` may take the place of `chosen`, if it accepts. */
bool cvk_tuned_rival(const cvk_kernel *chosen, const cvk_kernel *row);
/* The key of a record: library, device, what competes, problem; NULL in *key where nothing does, or
 * where the operator has no words for its parameters. Arena memory. */
cvk_status cvk_tuned_key(cvk_scheduler *s, const cvk_node *node, const cvk_device *device,
                         const cvk_kernel *chosen, const char **key);
/* "row:variant"; the row's own name for variant 0. Arena memory; NULL: out of memory. */
const char *cvk_tuned_name(cvk_arena *arena, const cvk_kernel *row, const char *variant);
/* The problem in a key. */
const char *cvk_tuned_problem(const char *key);

/* False if there is none, or none that can be read. */
bool cvk_tuned_read(cvk_store *store, const char *key, cvk_tuned *tuned);
bool cvk_tuned_write(cvk_store *store, const char *key, const cvk_tuned *tuned);

/* problem.c: "op | inputs | parameters | what is fused | outputs", all that a row's choice and
 * speed depend on but values. NULL: out of memory, or no words. */
const char *cvk_problem_text(const cvk_graph *graph, const cvk_node *node);

#endif
