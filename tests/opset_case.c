/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads a line of a table of operator sets, builds the node, runs it and judges the result.
 */
#include "opset_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/shape.h"

enum { MAX_VALUES = 6, MAX_ELEMENTS = 256, MAX_WORDS = 8, TEXT = 1024 };

/* A tensor with room for its elements. */
typedef struct room {
    cvk_tensor tensor;
    char name[16];
    bool constant;
    double elements[MAX_ELEMENTS]; /* of 8 bytes: any type */
} room;

/* A case as read: everything points into it. */
typedef struct parsed {
    char text[TEXT];
    cvk_attr attrs[MAX_WORDS];
    int64_t ints[MAX_WORDS][2 * CVK_MAX_RANK];
    float floats[MAX_WORDS][2 * CVK_MAX_RANK];
    int n_attrs;
    room in[MAX_VALUES], want[MAX_VALUES];
    int n_in, n_want;
} parsed;

cvk_dtype opset_dtype(const char *name)
{
    static const struct {
        const char *name;
        cvk_dtype dtype;
    } names[] = {{"f16", CVK_F16}, {"f32", CVK_F32}, {"f64", CVK_F64}, {"i8", CVK_I8},
                 {"i16", CVK_I16}, {"i32", CVK_I32}, {"i64", CVK_I64}, {"u8", CVK_U8},
                 {"u16", CVK_U16}, {"u32", CVK_U32}, {"u64", CVK_U64}, {"bool", CVK_BOOL}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i].name) == 0) return names[i].dtype;
    fail_msg("'%s' is no element type", name);
    return CVK_NONE;
}

static cvk_view view_of(room *r)
{
    return (cvk_view){.dtype = r->tensor.dtype,
                      .shape = cvk_shape_make(r->tensor.rank, r->tensor.dims),
                      .data = r->elements};
}

/* "=f32 2x3: 1 2 ..." */
static void read_room(char *text, room *r)
{
    char *rest = text + strspn(text, " ");
    *r = (room){.constant = *rest == '='};
    if (*rest == '-') return;
    rest += r->constant;
    r->tensor.dtype = opset_dtype(strtok_r(rest, " ", &rest));
    char *shape = strtok_r(rest, ":", &rest);
    if (strcmp(shape, "scalar") != 0)
        for (char *dim; (dim = strtok_r(shape, "x", &shape));)
            r->tensor.dims[r->tensor.rank++] = atoi(dim);
    r->tensor.data = r->elements;
    cvk_view view = view_of(r);
    int64_t count = 0;
    for (char *word; (word = strtok_r(rest, " ", &rest)); count++) {
        assert_true(count < MAX_ELEMENTS);
        cvk_view_set(&view, count, strtod(word, NULL));
    }
    assert_int_equal(count, cvk_view_count(&view));
}

static int read_rooms(const char *text, room *rooms)
{
    char copy[TEXT], *rest = copy;
    int count = 0;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *piece; (piece = strtok_r(rest, "|", &rest)); count++) {
        assert_true(count < MAX_VALUES);
        read_room(piece, &rooms[count]);
    }
    return count;
}

static size_t read_list(char *text, int64_t *ints, float *floats)
{
    size_t count = 0;
    for (char *word; (word = strtok_r(text, ",", &text)); count++) {
        assert_true(count < 2 * CVK_MAX_RANK);
        ints[count] = strtoll(word, NULL, 10);
        floats[count] = strtof(word, NULL);
    }
    return count;
}

/* "name=KIND:VALUE" */
static void read_attr(char *word, parsed *p)
{
    int at = p->n_attrs++;
    assert_true(at < MAX_WORDS);
    char *name = strtok_r(word, "=", &word), *kind = strtok_r(word, ":", &word);
    cvk_attr *a = &p->attrs[at];
    *a = (cvk_attr){.name = name, .kind = CVK_ATTR_STRING, .s = word};
    if (*kind == 's') return;
    a->count = read_list(word, p->ints[at], p->floats[at]);
    a->i = p->ints[at][0], a->f = p->floats[at][0];
    a->ints = p->ints[at], a->floats = p->floats[at];
    bool list = kind[1] == 's';
    if (*kind == 'i') a->kind = list ? CVK_ATTR_INTS : CVK_ATTR_INT;
    if (*kind == 'f') a->kind = list ? CVK_ATTR_FLOATS : CVK_ATTR_FLOAT;
}

/* How many outputs the refused node has; 0: it is not refused. */
static int refused(const opset_case *c)
{
    return (int)strspn(c->want, "!");
}

static void read_case(const opset_case *c, parsed *p)
{
    char *rest = p->text;
    p->n_attrs = 0;
    snprintf(p->text, sizeof p->text, "%s", c->attrs);
    for (char *word; (word = strtok_r(rest, " ", &rest));) read_attr(word, p);
    p->n_in = read_rooms(c->inputs, p->in);
    p->n_want = refused(c) ? refused(c) : read_rooms(c->want, p->want);
    for (int i = 0; i < p->n_in; i++) {
        if (p->in[i].tensor.dtype) snprintf(p->in[i].name, sizeof p->in[i].name, "x%d", i);
        p->in[i].tensor.name = p->in[i].name;
    }
}

/* The model; constants: every input is one. */
static cvk_status build(const opset_case *c, const parsed *p, bool constants, cvk_model **model)
{
    static const char *const out[] = {"y0", "y1", "y2", "y3", "y4", "y5"};
    const char *in[MAX_VALUES];
    cvk_status status = cvk_model_create("case", c->opset, model);
    for (int i = 0; i < p->n_in; i++) {
        const room *r = &p->in[i];
        in[i] = r->name;
        if (status || !*r->name) continue;
        status = r->constant || constants ? cvk_model_add_constant(*model, &r->tensor)
                                          : cvk_model_add_input(*model, &r->tensor);
    }
    if (!status)
        status = cvk_model_add_node(*model, c->op, "node", in, p->n_in, out, p->n_want, p->attrs,
                                    p->n_attrs);
    for (int i = 0; i < p->n_want && !status; i++) status = cvk_model_set_output(*model, out[i]);
    return status;
}

static void compare(const opset_case *c, cvk_session *session, int index, room *got, room *want)
{
    char text[CVK_SHAPE_TEXT], wanted[CVK_SHAPE_TEXT];
    cvk_view is = view_of(got), should = view_of(want);
    if (is.dtype != should.dtype || !cvk_shape_equal(&is.shape, &should.shape))
        fail_msg("%s of set %d: output %d is %s %s, expected %s %s", c->op, c->opset, index,
                 cvk_dtype_name(is.dtype), cvk_shape_text(&is.shape, text),
                 cvk_dtype_name(should.dtype), cvk_shape_text(&should.shape, wanted));
    for (int64_t i = 0; i < cvk_view_count(&is); i++) {
        double a = cvk_view_get(&is, i), b = cvk_view_get(&should, i);
        double bound = is.dtype == CVK_F16 ? 2e-3 : 2e-5;
        if (!(a == b || (isnan(a) && isnan(b)) || fabs(a - b) <= bound * (1 + fabs(b))))
            fail_msg("%s of set %d: output %d, element %d is %.7g, expected %.7g\n%s", c->op,
                     c->opset, index, (int)i, a, b, cvk_session_describe(session));
    }
}

static void run(const opset_case *c, parsed *p, const cvk_model *model, bool constants,
                cvk_device *cpu)
{
    cvk_session *session = NULL;
    cvk_tensor in[MAX_VALUES], out[MAX_VALUES];
    room got[MAX_VALUES];
    int n_in = 0;
    cvk_status status = cvk_session_create(model, &cpu, 1, NULL, &session);
    for (int i = 0; i < p->n_in; i++)
        if (!constants && *p->in[i].name && !p->in[i].constant) in[n_in++] = p->in[i].tensor;
    for (int i = 0; i < p->n_want && !status; i++) {
        status = cvk_session_output(session, i, &got[i].tensor);
        assert_in_range(cvk_tensor_count(&got[i].tensor), 0, MAX_ELEMENTS);
        out[i] = got[i].tensor;
        out[i].data = got[i].elements;
    }
    if (!status) status = cvk_session_run(session, in, n_in, out, p->n_want);
    if (status) fail_msg("%s of set %d: %s", c->op, c->opset, cvk_last_error());
    for (int i = 0; i < p->n_want; i++) compare(c, session, i, &got[i], &p->want[i]);
    cvk_session_free(&session);
}

/* As a run has it, by kernels, and as folding has it, by the reference. */
static void compute(const opset_case *c, parsed *p, bool constants, int number, cvk_device *cpu,
                    const char *folder)
{
    cvk_model *model = NULL;
    char path[TEXT];
    cvk_status status = build(c, p, constants, &model);
    if (status) fail_msg("%s of set %d: %s", c->op, c->opset, cvk_last_error());
    if (folder && !constants && !c->unsaved) {
        snprintf(path, sizeof path, "%s/%s_%d_%d.onnx", folder, c->op, c->opset, number);
        if (cvk_model_save(model, path)) fail_msg("%s", cvk_last_error());
        cvk_model_free(&model);
        if (cvk_model_load(path, &model)) fail_msg("%s", cvk_last_error());
    }
    run(c, p, model, constants, cpu);
    cvk_model_free(&model);
}

void opset_case_check(const opset_case *c, int number, cvk_device *cpu, const char *folder)
{
    static parsed p;
    read_case(c, &p);
    if (!refused(c)) {
        compute(c, &p, false, number, cpu, folder);
        compute(c, &p, true, number, cpu, folder);
        return;
    }
    cvk_model *model = NULL;
    cvk_status status = build(c, &p, false, &model);
    cvk_model_free(&model);
    if (!status || !strstr(cvk_last_error(), c->want + refused(c)))
        fail_msg("%s of set %d: '%s' where a sentence with '%s' is expected", c->op, c->opset,
                 status ? cvk_last_error() : "no refusal", c->want + refused(c));
}
