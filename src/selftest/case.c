/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the rows of op_cases.def.
 */
#include "selftest/case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/quant.h"
#include "ops/conv.h"
#include "schedule/passes.h"

/* All rows as one piece of text, four strings each: no pointers for a loader to mend. */
#define MEMBER_OF(line) row_##line
#define MEMBER(line) MEMBER_OF(line)
#define CASE(op, inputs, attrs, posts)                                                             \
    char MEMBER(__LINE__)[sizeof op "\0" inputs "\0" attrs "\0" posts];
static const struct rows {
#include "selftest/op_cases.def"
} rows = {
#undef CASE
#define CASE(op, inputs, attrs, posts) op "\0" inputs "\0" attrs "\0" posts,
#include "selftest/op_cases.def"
};
#undef CASE

static const char *behind(const char *text)
{
    return text + strlen(text) + 1;
}

bool cvk_case_next(cvk_case *c)
{
    const char *const first = (const char *)&rows;
    const char *op = c->op ? behind(c->posts) : first;
    *c = (cvk_case){.op = NULL};
    if (op == first + sizeof rows) return false;
    c->op = op;
    c->inputs = behind(c->op);
    c->attrs = behind(c->inputs);
    c->posts = behind(c->attrs);
    return true;
}

enum { MAX_WORDS = 80, WORD = 200 };

/* Splits text at blanks; returns the number of words. */
static int split(const char *text, char words[MAX_WORDS][WORD])
{
    int count = 0, at = 0;
    while (*text && count < MAX_WORDS) {
        while (*text == ' ') text++;
        at = 0;
        while (*text && *text != ' ' && at < WORD - 1) words[count][at++] = *text++;
        words[count][at] = 0;
        count += at > 0;
    }
    return count;
}

static uint64_t mix(uint64_t x) /* splitmix64 */
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* Numbers at which functions break, then any sign and exponent. */
static double any_float(uint64_t seed, int64_t i)
{
    static const double edges[] = {
        0,        -0.0,           INFINITY,     -INFINITY, NAN,    1e-45,
        -1e-40,   1.17549435e-38, 3.4028234e38, -3.4e38,   0.5,    1.5,
        2.5,      -0.5,           -2.5,         1,         -1,     8388607.5,
        16777217, 88.7,           89,           -87,       -103,   -104,
        9.2,      -13.2,          20,           -20,       0.9999, -0.9999,
        1.0001,   -0.7,           1e-8,         -1e-8,     100000, -1e10};
    if (i < (int64_t)(sizeof edges / sizeof *edges)) return edges[i];
    uint64_t bits = mix(seed * 0x10001u + (uint64_t)i);
    double unit = (double)(bits >> 11) * 0x1p-53;
    return ldexp((bits & 1 ? -1 : 1) * (1 + unit), (int)(bits >> 1 & 127) - 64);
}

void cvk_case_fill(cvk_view *view, uint64_t seed, double low, double high)
{
    int64_t count = cvk_view_count(view);
    if (low == high) {
        bool real = cvk_dtype_is_float(view->dtype);
        low = real ? -1 : view->dtype == CVK_I8 ? -128 : 0;
        high = real ? 1 : view->dtype == CVK_U8 ? 255 : view->dtype == CVK_BOOL ? 1 : 127;
    }
    for (int64_t i = 0; i < count; i++) {
        if (isinf(high)) {
            cvk_view_set(view, i, any_float(seed, i));
            continue;
        }
        double unit = (double)(mix(seed * 0x10001u + (uint64_t)i) >> 11) * 0x1p-53;
        if (cvk_dtype_is_float(view->dtype))
            cvk_view_set(view, i, low + (high - low) * unit);
        else
            cvk_view_set_int(view, i, (int64_t)(low + (high - low + 1) * unit));
    }
}

static cvk_dtype dtype_of(const char *name)
{
    static const struct {
        const char *name;
        cvk_dtype dtype;
    } types[] = {{"f32", CVK_F32}, {"f64", CVK_F64}, {"f16", CVK_F16}, {"i64", CVK_I64},
                 {"i32", CVK_I32}, {"u8", CVK_U8},   {"i8", CVK_I8},   {"bool", CVK_BOOL},
                 {"i16", CVK_I16}, {"u16", CVK_U16}, {"u32", CVK_U32}, {"u64", CVK_U64}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].name, name) == 0) return types[i].dtype;
    return CVK_NONE;
}

/* One word of the inputs into its parts. */
typedef struct input_word {
    bool constant, kept_half;
    cvk_dtype dtype;
    cvk_shape shape;
    char values[WORD];
    double low, high;
} input_word;

static cvk_status parse_input(const char *word, input_word *in)
{
    *in = (input_word){.dtype = CVK_F32};
    if (strncmp(word, "c:", 2) == 0 || strncmp(word, "h:", 2) == 0) {
        in->constant = true;
        in->kept_half = *word == 'h';
        word += 2;
    }
    if (*word == 's') word++;
    while (*word >= '0' && *word <= '9') {
        in->shape.dims[in->shape.rank++] = strtol(word, (char **)&word, 10);
        if (*word == 'x') word++;
    }
    if (*word == ':') {
        char name[8] = "";
        for (int i = 0; i < 7 && *++word && *word != '=' && *word != '~'; i++) name[i] = *word;
        in->dtype = dtype_of(name);
    }
    if (*word == '=') strcpy(in->values, word + 1);
    if (*word == '~' && sscanf(word + 1, "%lf,%lf", &in->low, &in->high) != 2)
        return cvk_fail(CVK_BAD_ARGUMENT, "no range in '%s'", word);
    if (*word && *word != '=' && *word != '~')
        return cvk_fail(CVK_BAD_ARGUMENT, "cannot read input '%s'", word);
    return in->dtype ? CVK_OK : cvk_fail(CVK_BAD_ARGUMENT, "unknown type in an input");
}

void cvk_case_range(const cvk_case *c, int index, double *low, double *high)
{
    char words[MAX_WORDS][WORD];
    input_word in = {.low = 0};
    *low = *high = 0;
    if (index >= split(c->inputs, words) || parse_input(words[index], &in)) return;
    *low = in.low;
    *high = in.high;
}

static cvk_status add_input(cvk_graph *graph, const char *word, int index, int *id)
{
    input_word in;
    char name[16];
    *id = -1;
    if (strcmp(word, "-") == 0) return CVK_OK;
    CVK_TRY(parse_input(word, &in));
    snprintf(name, sizeof name, "in%d", index);
    CVK_TRY(cvk_graph_add_value(graph, name, id));
    cvk_value *value = &graph->values[*id];
    value->dtype = in.dtype;
    value->has_shape = true;
    value->shape = in.shape;
    if (!in.constant) return cvk_graph_add_input(graph, *id);
    cvk_view view = cvk_graph_view(graph, *id);
    view.data = cvk_arena_alloc(graph->arena, cvk_view_bytes(&view) + 8);
    if (!view.data) return CVK_NO_MEMORY;
    cvk_case_fill(&view, (uint64_t)index + 100, in.low, in.high);
    char *at = in.values;
    for (int64_t i = 0; *at && i < cvk_view_count(&view); i++) {
        cvk_view_set(&view, i, strtod(at, &at));
        if (*at == ',') at++;
    }
    graph->values[*id].data = view.data;
    return CVK_OK;
}

/* "name=value" into an attribute; own words set *opset or *outputs instead. */
static cvk_status parse_attr(cvk_arena *arena, const char *word, cvk_attr *attr, int *count)
{
    const char *equal = strchr(word, '=');
    if (!equal) return cvk_fail(CVK_BAD_ARGUMENT, "attribute '%s' has no value", word);
    *attr = (cvk_attr){.name = cvk_arena_printf(arena, "%.*s", (int)(equal - word), word)};
    const char *text = equal + 1;
    bool real = strchr(text, '.') != NULL;
    (*count)++;
    if (*text == '[') {
        int64_t *ints = cvk_arena_alloc(arena, 64 * sizeof *ints);
        float *floats = cvk_arena_alloc(arena, 64 * sizeof *floats);
        if (!ints || !floats) return CVK_NO_MEMORY;
        attr->kind = real ? CVK_ATTR_FLOATS : CVK_ATTR_INTS;
        for (char *at = (char *)text + 1; *at && *at != ']' && attr->count < 64; at += *at == ',') {
            floats[attr->count] = strtof(at, NULL);
            double number = strtod(at, &at);
            ints[attr->count++] = (int64_t)number;
        }
        if (real)
            attr->floats = floats;
        else
            attr->ints = ints;
    } else if ((*text >= '0' && *text <= '9') || *text == '-') {
        attr->kind = real ? CVK_ATTR_FLOAT : CVK_ATTR_INT;
        attr->f = strtof(text, NULL);
        attr->i = strtol(text, NULL, 10);
    } else {
        attr->kind = CVK_ATTR_STRING;
        attr->s = cvk_arena_string(arena, text);
    }
    return CVK_OK;
}

/* "Max:3/2/1^" */
static bool parse_pool(const char *word, int spatial, cvk_pool_params *pool)
{
    int kernel, stride, pad, used = 0;
    if (strncmp(word, "Max:", 4) != 0 && strncmp(word, "Avg:", 4) != 0) return false;
    if (sscanf(word + 4, "%d/%d/%d%n", &kernel, &stride, &pad, &used) != 3) return false;
    *pool = (cvk_pool_params){.kind = *word == 'M' ? CVK_POOL_MAX : CVK_POOL_AVERAGE,
                              .window.spatial = spatial};
    pool->ceil_mode = strchr(word + 4 + used, '^') != NULL;
    pool->count_include_pad = strchr(word + 4 + used, 'p') != NULL;
    for (int d = 0; d < spatial; d++) {
        pool->window.kernel[d] = kernel;
        pool->window.stride[d] = stride;
        pool->window.dilation[d] = 1;
        pool->window.pad_begin[d] = pool->window.pad_end[d] = pad;
    }
    return true;
}

static bool parse_act(const char *word, cvk_act *act)
{
    float v[4] = {0};
    const char *colon = strchr(word, ':');
    size_t length = colon ? (size_t)(colon - word) : strlen(word);
    if (colon) sscanf(colon, ":%f:%f:%f:%f", &v[0], &v[1], &v[2], &v[3]);
    for (int k = 1; k < CVK_ACT_COUNT; k++) {
        const char *name = k == CVK_ACT_QDQ ? "Qdq" : cvk_act_name((cvk_act_kind)k);
        if (strlen(name) != length || strncmp(name, word, length) != 0) continue;
        *act = (cvk_act){.kind = (cvk_act_kind)k, .a = v[0], .b = v[1], .c = v[2], .d = v[3]};
        return true;
    }
    return false;
}

/* A new input of the node, behind the operator's own: a residual like its output, or a constant
 * slope per channel. */
static cvk_status post_input(cvk_graph *graph, cvk_node *node, bool slope, cvk_dtype dtype,
                             int *index)
{
    bool quantised = node->op == CVK_OP_QConv || node->op == CVK_OP_QMatMul;
    int least = quantised ? 5 : node->op == CVK_OP_Bottleneck ? CVK_BOTTLENECK_INPUTS : 0;
    int own = node->n_in < least ? least : node->n_in;
    int id, *in = cvk_arena_alloc(graph->arena, ((size_t)own + 1) * sizeof *in);
    CVK_TRY(cvk_graph_add_temp(graph, slope ? "slope" : "residual", &id));
    if (!in) return CVK_NO_MEMORY;
    for (int i = 0; i < own; i++) in[i] = i < node->n_in ? node->in[i] : -1;
    cvk_value *value = &graph->values[id];
    value->dtype = dtype;
    value->has_shape = true;
    value->shape = graph->values[node->out[0]].shape;
    if (slope) {
        for (int d = 0; d < value->shape.rank; d++)
            if (d != 1) value->shape.dims[d] = 1;
        cvk_view view = cvk_graph_view(graph, id);
        view.data = cvk_arena_alloc(graph->arena, cvk_view_bytes(&view));
        if (!view.data) return CVK_NO_MEMORY;
        cvk_case_fill(&view, 7, 0, 0);
        value->data = view.data;
    }
    in[own] = id;
    *index = own;
    node->in = in;
    node->n_in = own + 1;
    return CVK_OK;
}

/* "QAdd:i8:u8:0.02:3:0.05:-7:0.04:128", types of the residual and the result, then scale and zero
 * point of the result so far, of the residual and of the result; perhaps ":lo:hi". */
static bool parse_qadd(const char *word, cvk_dtype *residual, cvk_qbinary_params *qadd)
{
    char from[4], to[4];
    int a_zp, b_zp, zp, lo, hi;
    float a, b, y;
    int count = sscanf(word, "QAdd:%3[ui8]:%3[ui8]:%f:%d:%f:%d:%f:%d:%d:%d", from, to, &a, &a_zp,
                       &b, &b_zp, &y, &zp, &lo, &hi);
    if (count != 8 && count != 10) return false;
    *residual = dtype_of(from);
    *qadd = (cvk_qbinary_params){.kind = CVK_BINARY_ADD,
                                 .a_scale = a,
                                 .b_scale = b,
                                 .y_scale = y,
                                 .a_zp = a_zp,
                                 .b_zp = b_zp,
                                 .y = cvk_quant_full(dtype_of(to), zp)};
    if (count == 10) {
        qadd->y.lo = lo;
        qadd->y.hi = hi;
    }
    return true;
}

/* "Range:128:200": not a post, but what an activation makes of the operator's own range. */
static bool narrow_range(const char *word, cvk_node *node)
{
    int lo, hi;
    if (sscanf(word, "Range:%d:%d", &lo, &hi) != 2) return false;
    cvk_quant_range *y = node->op == CVK_OP_QConv ? &((cvk_qconv_params *)node->params)->y
                                                  : &((cvk_qmatmul_params *)node->params)->y;
    y->lo = lo;
    y->hi = hi;
    return true;
}

static cvk_status add_post(cvk_graph *graph, cvk_node *node, const char *word)
{
    cvk_post post = {.name = "post", .op = CVK_OP_Unary};
    cvk_value *out = &graph->values[node->out[0]];
    cvk_dtype residual;
    if (narrow_range(word, node)) return CVK_OK;
    if (parse_qadd(word, &residual, &post.qadd)) {
        post.kind = CVK_POST_QADD;
        out->dtype = post.qadd.y.dtype;
        CVK_TRY(post_input(graph, node, false, residual, &post.input));
    } else if (strcmp(word, "Add") == 0 || strcmp(word, "PRelu") == 0) {
        post.kind = *word == 'A' ? CVK_POST_ADD : CVK_POST_PRELU;
        CVK_TRY(post_input(graph, node, *word == 'P', CVK_F32, &post.input));
    } else if (parse_pool(word, out->shape.rank - 2, &post.pool)) {
        post.kind = CVK_POST_POOL;
        node->conv_shape = out->shape;
        for (int d = 0; d < out->shape.rank - 2; d++) {
            int64_t length = cvk_window_resolve(&post.pool.window, d, out->shape.dims[2 + d],
                                                post.pool.ceil_mode);
            if (length < 1) return cvk_fail(CVK_BAD_ARGUMENT, "post '%s' does not fit", word);
            out->shape.dims[2 + d] = length;
        }
    } else if (parse_act(word, &post.act)) {
        post.kind = CVK_POST_ACT;
    } else {
        return cvk_fail(CVK_BAD_ARGUMENT, "cannot read post '%s'", word);
    }
    node->posts[node->n_posts++] = post;
    return CVK_OK;
}

/* The forms that no single ONNX operator is lowered to, from attributes named like their
 * parameters; "type" is the result's, "lo" and "hi" narrow it. */
static cvk_status parse_range(const cvk_attrs *attrs, cvk_quant_range *y)
{
    const char *type;
    int64_t zp, lo, hi;
    CVK_TRY(cvk_attrs_string(attrs, "type", "u8", &type));
    CVK_TRY(cvk_attrs_int(attrs, "y_zp", 0, &zp));
    *y = cvk_quant_full(dtype_of(type), (int32_t)zp);
    CVK_TRY(cvk_attrs_int(attrs, "lo", y->lo, &lo));
    CVK_TRY(cvk_attrs_int(attrs, "hi", y->hi, &hi));
    y->lo = (int32_t)lo;
    y->hi = (int32_t)hi;
    return CVK_OK;
}

static cvk_status parse_zero(const cvk_attrs *attrs, const char *name, int32_t *zero)
{
    int64_t value;
    CVK_TRY(cvk_attrs_int(attrs, name, 0, &value));
    *zero = (int32_t)value;
    return CVK_OK;
}

static cvk_status parse_between(const cvk_attrs *attrs, const char *name, cvk_act *act)
{
    const char *text;
    CVK_TRY(cvk_attrs_string(attrs, name, "", &text));
    if (!*text || parse_act(text, act)) return CVK_OK;
    return cvk_fail(CVK_BAD_ARGUMENT, "cannot read activation '%s'", text);
}

static cvk_status parse_bottleneck(const cvk_attrs *attrs, cvk_bottleneck_params *params)
{
    CVK_TRY(cvk_conv_parse(attrs, &params->depthwise));
    CVK_TRY(parse_between(attrs, "expand", &params->expand_act));
    return parse_between(attrs, "depthwise", &params->depthwise_act);
}

static cvk_status parse_internal(const cvk_attrs *attrs, cvk_node *node)
{
    const char *kind;
    if (node->op == CVK_OP_Reorder) return CVK_OK;
    if (node->op == CVK_OP_Bottleneck) return parse_bottleneck(attrs, node->params);
    if (node->op == CVK_OP_QPool) {
        cvk_qpool_params *pool = node->params;
        pool->pool.kind = CVK_POOL_AVERAGE;
        CVK_TRY(cvk_pool_parse(attrs, &pool->pool));
        CVK_TRY(cvk_attrs_float(attrs, "x_scale", 1, &pool->x_scale));
        CVK_TRY(cvk_attrs_float(attrs, "y_scale", 1, &pool->y_scale));
        CVK_TRY(parse_zero(attrs, "x_zp", &pool->x_zp));
        return parse_range(attrs, &pool->y);
    }
    cvk_qbinary_params *binary = node->params;
    CVK_TRY(cvk_attrs_string(attrs, "kind", "Add", &kind));
    binary->kind = strcmp(kind, "Mul") == 0 ? CVK_BINARY_MUL : CVK_BINARY_ADD;
    CVK_TRY(cvk_attrs_float(attrs, "a_scale", 1, &binary->a_scale));
    CVK_TRY(cvk_attrs_float(attrs, "b_scale", 1, &binary->b_scale));
    CVK_TRY(cvk_attrs_float(attrs, "y_scale", 1, &binary->y_scale));
    CVK_TRY(parse_zero(attrs, "a_zp", &binary->a_zp));
    CVK_TRY(parse_zero(attrs, "b_zp", &binary->b_zp));
    return parse_range(attrs, &binary->y);
}

static bool find_op(const char *name, cvk_op_kind *op)
{
    static const cvk_op_kind internal[] = {CVK_OP_QBinary, CVK_OP_QPool, CVK_OP_Reorder,
                                           CVK_OP_Bottleneck};
    for (size_t i = 0; i < sizeof internal / sizeof *internal; i++) {
        *op = internal[i];
        if (strcmp(cvk_op_kind_name(*op), name) == 0) return true;
    }
    return cvk_op_find(name, op);
}

static cvk_status parse_case_node(cvk_graph *graph, cvk_node *node)
{
    const cvk_attrs attrs = {
        .items = node->attrs, .count = node->n_attrs, .opset = graph->opset, .arena = graph->arena};
    return cvk_op_get(node->op)->internal ? parse_internal(&attrs, node)
                                          : cvk_node_parse(graph, node);
}

static cvk_status add_case_node(cvk_graph *graph, const cvk_case *c, const int *in, int n_in)
{
    char words[MAX_WORDS][WORD];
    int n_words = split(c->attrs, words), n_attrs = 0, n_out = 1, out[8];
    cvk_attr *attrs = cvk_arena_alloc(graph->arena, ((size_t)n_words + 1) * sizeof *attrs);
    if (!attrs) return CVK_NO_MEMORY;
    for (int i = 0; i < n_words; i++) {
        if (sscanf(words[i], "opset=%d", &graph->opset) == 1 ||
            sscanf(words[i], "outputs=%d", &n_out) == 1)
            continue;
        CVK_TRY(parse_attr(graph->arena, words[i], &attrs[n_attrs], &n_attrs));
    }
    for (int i = 0; i < n_out; i++) {
        char name[16];
        snprintf(name, sizeof name, "out%d", i);
        CVK_TRY(cvk_graph_add_value(graph, name, &out[i]));
        CVK_TRY(cvk_graph_add_output(graph, out[i]));
    }
    cvk_op_kind op;
    if (!find_op(c->op, &op)) return cvk_fail(CVK_BAD_ARGUMENT, "no operator '%s'", c->op);
    cvk_node *node;
    CVK_TRY(cvk_graph_add_node(graph, op, c->op, in, n_in, out, n_out, cvk_op_get(op)->params_bytes,
                               &node));
    node->attrs = attrs;
    node->n_attrs = n_attrs;
    CVK_TRY(parse_case_node(graph, node));
    return cvk_node_infer(graph, node);
}

/* A float32 constant becomes float16, if the word says so. */
static cvk_status keep_half(cvk_graph *graph, const char *word, int id)
{
    input_word in;
    if (id < 0) return CVK_OK;
    CVK_TRY(parse_input(word, &in));
    if (!in.kept_half) return CVK_OK;
    const cvk_view from = cvk_graph_view(graph, id);
    cvk_view to = from;
    to.dtype = CVK_F16;
    to.data = cvk_arena_alloc(graph->arena, cvk_view_bytes(&to) + 8);
    if (!to.data) return CVK_NO_MEMORY;
    for (int64_t i = 0; i < cvk_view_count(&to); i++) cvk_view_set(&to, i, cvk_view_get(&from, i));
    graph->values[id].dtype = CVK_F16;
    graph->values[id].data = to.data;
    return CVK_OK;
}

cvk_status cvk_case_graph(cvk_arena *arena, const cvk_case *c, cvk_graph **made)
{
    char words[MAX_WORDS][WORD];
    cvk_graph *graph = cvk_graph_create(arena, c->op, 13);
    if (!graph) return CVK_NO_MEMORY;
    int in[MAX_WORDS], n_in = split(c->inputs, words);
    for (int i = 0; i < n_in; i++) CVK_TRY(add_input(graph, words[i], i, &in[i]));
    CVK_TRY(add_case_node(graph, c, in, n_in));
    CVK_TRY(cvk_pass_lower(graph));
    for (int i = 0; i < n_in; i++) CVK_TRY(keep_half(graph, words[i], in[i]));
    int n_posts = split(c->posts, words);
    for (int i = 0; i < n_posts; i++)
        CVK_TRY(add_post(graph, &graph->nodes[graph->n_nodes - 1], words[i]));
    *made = graph;
    return CVK_OK;
}
