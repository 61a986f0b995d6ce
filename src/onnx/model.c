/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of a model: made empty, read from a file or from memory, written, let go.
 */
#include "onnx/model.h"

#include <stdlib.h>
#include <string.h>

#include "onnx/onnx.h"
#include "onnx/outfile.h"
#include "ops/op.h"

/* Constants up to this size are folded while shapes are inferred: enough for shape arithmetic. */
enum { SHAPE_FOLD_BYTES = 4096 };

/* An outline has the constants up to this size: those that shapes depend on are small. */
enum { OUTLINE_BYTES = 4096 };

const cvk_graph *cvk_model_graph(const cvk_model *model)
{
    return model->graph;
}

void cvk_model_release(cvk_model *model)
{
    if (!model) return;
    cvk_arena_free(&model->arena);
    free(model);
}

/* A model with an arena and no graph yet. */
static cvk_status make(cvk_model **model)
{
    cvk_model *made = calloc(1, sizeof *made);
    if (!made) return cvk_fail(CVK_NO_MEMORY, "out of memory: no model");
    made->arena = cvk_arena_create();
    *model = made;
    return made->arena ? CVK_OK : CVK_NO_MEMORY;
}

static cvk_status finish(cvk_model *made, cvk_status status, cvk_model **model)
{
    if (status)
        cvk_model_release(made);
    else
        *model = made;
    return status;
}

cvk_status cvk_model_make(const char *name, int opset, cvk_model **model)
{
    if (!opset) opset = CVK_OPSET_DEFAULT;
    if (opset < CVK_OPSET_MIN || opset > CVK_OPSET_MAX)
        return cvk_fail(CVK_BAD_ARGUMENT, "operator set %d: %d to %d are supported", opset,
                        CVK_OPSET_MIN, CVK_OPSET_MAX);
    cvk_model *made = NULL;
    cvk_status status = make(&made);
    if (!status) {
        made->graph = cvk_graph_create(made->arena, name, opset);
        if (!made->graph) status = CVK_NO_MEMORY;
    }
    return finish(made, status, model);
}

/* Shapes and types come from a clone: inference normalises params for the shapes it sees, and those
 * of the model must stay open for others. */
static cvk_status infer_shapes(cvk_graph *graph)
{
    cvk_arena *arena = cvk_arena_create();
    cvk_graph *clone = arena ? cvk_graph_clone(arena, graph, true) : NULL;
    cvk_status status = clone ? cvk_graph_infer(clone, SHAPE_FOLD_BYTES) : CVK_NO_MEMORY;
    for (int i = 0; !status && i < graph->n_values; i++) {
        cvk_value *value = &graph->values[i];
        if (value->producer < 0) continue;
        value->dtype = clone->values[i].dtype;
        value->has_shape = clone->values[i].has_shape;
        value->shape = clone->values[i].shape;
    }
    cvk_arena_free(&arena);
    return status;
}

static cvk_status read_model(cvk_wire *wire, const char *path, size_t outline, cvk_model **model)
{
    cvk_model *made = NULL;
    CVK_TRY(make(&made));
    cvk_onnx_place place = {.arena = made->arena, .outline = outline};
    cvk_status status = CVK_OK;
    if (path) {
        const char *slash = strrchr(path, '/');
        place.folder =
            cvk_arena_printf(made->arena, "%.*s", slash ? (int)(slash + 1 - path) : 0, path);
        if (!place.folder) status = CVK_NO_MEMORY;
    }
    if (!status) status = cvk_onnx_import(&place, wire, &made->graph);
    if (!status) status = infer_shapes(made->graph);
    return finish(made, status, model);
}

cvk_status cvk_model_read_bytes(const void *data, size_t bytes, cvk_model **model)
{
    cvk_wire wire = {.data = data, .end = bytes, .what = "an ONNX file"};
    return read_model(&wire, NULL, 0, model);
}

static cvk_status read_file(const char *path, size_t outline, cvk_model **model)
{
    cvk_wire wire;
    CVK_TRY(cvk_wire_open(path, "an ONNX file", &wire));
    cvk_status status = read_model(&wire, path, outline, model);
    cvk_wire_close(&wire);
    return status ? cvk_fail_at(status, "%s", path) : CVK_OK;
}

cvk_status cvk_model_read_file(const char *path, cvk_model **model)
{
    return read_file(path, 0, model);
}

cvk_status cvk_model_read_outline(const char *path, cvk_model **model)
{
    return read_file(path, OUTLINE_BYTES, model);
}

cvk_status cvk_model_write_file(const cvk_model *model, const char *path)
{
    cvk_outfile out;
    CVK_TRY(cvk_outfile_open(path, &out));
    return cvk_outfile_close(&out, cvk_onnx_export(model->graph, out.file));
}
