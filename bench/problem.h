/* SPDX-License-Identifier: Apache-2.0
 *
 * A node as a problem for other libraries, and as a place on the roofline.
 */
#ifndef BENCH_PROBLEM_H
#define BENCH_PROBLEM_H

#include "bench/against/against.h"

/* Conv and Gemm in float32. plain: by input of the node. False, and why not: no other library is
 * asked. */
bool problem_from_node(const cvk_graph *graph, const cvk_node *node, const cvk_view *plain,
                       against_problem *p, const char **why);

/* Bytes that must move at least: every input and output once, plain. */
double problem_bytes(const cvk_graph *graph, const cvk_node *node);

#endif
