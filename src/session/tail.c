/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of a model whose shapes depend on data: with the plan's outputs of this run as its
 * constants, the graph folds to its outputs, node by node, shapes first. Each run does so in memory
 * of its own, which lasts until the next.
 */
#include "ops/op.h"
#include "session/session.h"

/* What the plan gave becomes the data of the tail's inputs. */
static cvk_status take_inputs(const cvk_session *session, cvk_graph *graph)
{
    const cvk_tail *tail = session->plan->tail;
    for (int i = 0; i < graph->n_inputs; i++) {
        cvk_value *value = &graph->values[graph->inputs[i]];
        value->data = cvk_session_output_data(session, tail->sources[i]);
        if (!value->data)
            return cvk_fail(CVK_UNSUPPORTED,
                            "'%s' has a device buffer bound, but node '%s' needs it on the host",
                            value->name, tail->cause);
    }
    return CVK_OK;
}

static cvk_status evaluate(const cvk_session *session, cvk_graph *graph)
{
    CVK_TRY(take_inputs(session, graph));
    for (int i = 0; i < graph->n_nodes; i++) {
        cvk_node *node = &graph->nodes[i];
        CVK_TRY(cvk_node_parse(graph, node));
        for (int k = 0; k < node->n_out; k++)
            if (node->out[k] >= 0) graph->values[node->out[k]].has_shape = false;
    }
    return cvk_graph_evaluate(graph);
}

cvk_status cvk_session_run_tail(cvk_session *session)
{
    cvk_arena_free(&session->tail_arena);
    session->tail = NULL;
    cvk_arena *arena = cvk_arena_create();
    cvk_graph *graph = arena ? cvk_graph_clone(arena, session->plan->tail->graph, true) : NULL;
    cvk_status status = graph ? evaluate(session, graph) : CVK_NO_MEMORY;
    if (status) {
        cvk_arena_free(&arena);
        return status;
    }
    session->tail_arena = arena;
    session->tail = graph;
    return CVK_OK;
}

const cvk_value *cvk_session_tail_value(const cvk_session *session, int id)
{
    const cvk_graph *graph = session->tail ? session->tail : session->plan->tail->graph;
    return &graph->values[id];
}
