/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads models written as text, and keeps the memory of a run.
 */
#include "tests/model_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "graph/shape.h"

enum { MAX_WORDS = 40, MAX_LIST = 64, MAX_STATEMENT = 1024, PAGE = 4096 };

typedef struct reader {
    cvk_model *model;
    char *words[MAX_WORDS];
    int n_words;
} reader;

void expect_ok(cvk_status status, const char *what)
{
    if (status) fail_msg("%s: %s: %s", what, cvk_status_string(status), cvk_last_error());
}

void expect_failure(cvk_status status, cvk_status wanted, const char *sentence)
{
    if (status != wanted)
        fail_msg("status '%s', expected '%s' (%s)", cvk_status_string(status),
                 cvk_status_string(wanted), status ? cvk_last_error() : sentence);
    assert_string_equal(cvk_last_error(), sentence);
}

double seeded(uint64_t seed, uint64_t index, double low, double high)
{
    uint64_t x = seed * 0xd1342543de82ef95u + (index + 1) * 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return low + (high - low) * ((double)((x ^ x >> 31) >> 11) * 0x1p-53);
}

static void set_element(cvk_tensor *tensor, int64_t i, double value)
{
    switch (tensor->dtype) {
    case CVK_F32: ((float *)tensor->data)[i] = (float)value; break;
    case CVK_F64: ((double *)tensor->data)[i] = value; break;
    case CVK_F16: ((uint16_t *)tensor->data)[i] = cvk_f32_to_f16((float)value); break;
    case CVK_I64: ((int64_t *)tensor->data)[i] = (int64_t)value; break;
    case CVK_I32: ((int32_t *)tensor->data)[i] = (int32_t)value; break;
    case CVK_I8: ((int8_t *)tensor->data)[i] = (int8_t)value; break;
    case CVK_U8:
    case CVK_BOOL: ((uint8_t *)tensor->data)[i] = (uint8_t)value; break;
    default: fail_msg("no elements of type %s here", cvk_dtype_name(tensor->dtype));
    }
}

static double get_element(const cvk_tensor *tensor, int64_t i)
{
    switch (tensor->dtype) {
    case CVK_F32: return (double)((const float *)tensor->data)[i];
    case CVK_F64: return ((const double *)tensor->data)[i];
    case CVK_F16: return (double)cvk_f16_to_f32(((const uint16_t *)tensor->data)[i]);
    case CVK_I64: return (double)((const int64_t *)tensor->data)[i];
    case CVK_I32: return ((const int32_t *)tensor->data)[i];
    case CVK_I8: return ((const int8_t *)tensor->data)[i];
    case CVK_U8:
    case CVK_BOOL: return ((const uint8_t *)tensor->data)[i];
    default: fail_msg("no elements of type %s here", cvk_dtype_name(tensor->dtype));
    }
    return 0;
}

static void fill_range(cvk_tensor *tensor, uint64_t seed, double low, double high)
{
    for (int64_t i = 0; i < cvk_tensor_count(tensor); i++)
        set_element(tensor, i, seeded(seed, (uint64_t)i, low, high));
}

void fill_tensor(cvk_tensor *tensor, uint64_t seed)
{
    bool real = cvk_dtype_is_float(tensor->dtype);
    double high = real ? 1 : tensor->dtype == CVK_BOOL ? 2 : 100;
    fill_range(tensor, seed, real ? -1 : 0, high);
}

/* "1x3x?x8:u8" */
static cvk_tensor read_shape(const char *name, const char *word)
{
    static const struct {
        const char *name;
        cvk_dtype dtype;
    } types[] = {{"f32", CVK_F32}, {"f64", CVK_F64}, {"f16", CVK_F16}, {"i64", CVK_I64},
                 {"i32", CVK_I32}, {"u8", CVK_U8},   {"i8", CVK_I8},   {"bool", CVK_BOOL}};
    cvk_tensor tensor = {.name = name, .dtype = CVK_F32};
    const char *at = *word == 's' ? word + 1 : word;
    while (*at && *at != ':') {
        char *end = (char *)at + 1;
        tensor.dims[tensor.rank++] = *at == '?' ? -1 : strtol(at, &end, 10);
        at = *end == 'x' ? end + 1 : end;
    }
    if (*at != ':') return tensor;
    tensor.dtype = CVK_NONE;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].name, at + 1) == 0) tensor.dtype = types[i].dtype;
    if (!tensor.dtype) fail_msg("unknown type in '%s'", word);
    return tensor;
}

/* Constants of different names differ. */
static uint64_t name_seed(const char *name)
{
    uint64_t seed = 1000;
    for (; *name; name++) seed = seed * 31 + (unsigned char)*name;
    return seed;
}

static void add_constant(reader *r)
{
    cvk_tensor tensor = read_shape(r->words[1], r->words[2]);
    int64_t count = cvk_tensor_count(&tensor);
    tensor.data = calloc((size_t)count + 1, 8);
    assert_non_null(tensor.data);
    const char *values = r->n_words > 3 ? r->words[3] : "~-0.5,0.5";
    char *at = (char *)values + 1;
    if (*values == '~') {
        double low = strtod(at, &at), high = strtod(at + 1, &at);
        fill_range(&tensor, name_seed(tensor.name), low, high);
    } else {
        for (int64_t i = 0; i < count; i++) {
            set_element(&tensor, i, strtod(at, &at));
            if (*at == ',') at++;
        }
    }
    expect_ok(cvk_model_add_constant(r->model, &tensor), tensor.name);
    free(tensor.data);
}

/* Lists that attributes point to. */
typedef struct lists {
    int64_t ints[MAX_WORDS][MAX_LIST];
    float floats[MAX_WORDS][MAX_LIST];
} lists;

static cvk_attr read_attr(char *word, int64_t *ints, float *floats)
{
    char *equal = strchr(word, '='), *text = equal + 1;
    bool real = strchr(text, '.') != NULL;
    *equal = 0;
    cvk_attr attr = {.name = word};
    if (*text == '[') {
        attr.kind = real ? CVK_ATTR_FLOATS : CVK_ATTR_INTS;
        for (char *at = text + 1; *at && *at != ']' && attr.count < MAX_LIST; at += *at == ',') {
            double number = strtod(at, &at);
            floats[attr.count] = (float)number;
            ints[attr.count++] = (int64_t)number;
        }
        if (real)
            attr.floats = floats;
        else
            attr.ints = ints;
    } else if ((*text >= '0' && *text <= '9') || *text == '-') {
        attr.kind = real ? CVK_ATTR_FLOAT : CVK_ATTR_INT;
        attr.f = strtof(text, NULL);
        attr.i = strtol(text, NULL, 10);
    } else {
        attr.kind = CVK_ATTR_STRING;
        attr.s = text;
    }
    return attr;
}

/* OUT[,OUT] = OP IN.. ATTR=VALUE.. */
static void add_node(reader *r)
{
    const char *in[MAX_WORDS], *out[MAX_WORDS];
    cvk_attr attrs[MAX_WORDS];
    int n_in = 0, n_out = 0, n_attrs = 0;
    lists *l = malloc(sizeof *l);
    assert_non_null(l);
    for (char *name = strtok(r->words[0], ","); name; name = strtok(NULL, ",")) out[n_out++] = name;
    for (int i = 3; i < r->n_words; i++) {
        if (strchr(r->words[i], '=')) {
            attrs[n_attrs] = read_attr(r->words[i], l->ints[n_attrs], l->floats[n_attrs]);
            n_attrs++;
        } else {
            in[n_in++] = strcmp(r->words[i], "-") == 0 ? NULL : r->words[i];
        }
    }
    expect_ok(
        cvk_model_add_node(r->model, r->words[2], out[0], in, n_in, out, n_out, attrs, n_attrs),
        out[0]);
    free(l);
}

static void read_statement(reader *r, char *statement)
{
    r->n_words = 0;
    for (char *word = strtok(statement, " "); word && r->n_words < MAX_WORDS;
         word = strtok(NULL, " "))
        r->words[r->n_words++] = word;
    if (r->n_words == 0) return;
    if (strcmp(r->words[0], "in") == 0) {
        cvk_tensor tensor = read_shape(r->words[1], r->words[2]);
        expect_ok(cvk_model_add_input(r->model, &tensor), r->words[1]);
    } else if (strcmp(r->words[0], "const") == 0) {
        add_constant(r);
    } else if (strcmp(r->words[0], "out") == 0) {
        for (int i = 1; i < r->n_words; i++)
            expect_ok(cvk_model_set_output(r->model, r->words[i]), r->words[i]);
    } else {
        add_node(r);
    }
}

void model_append(cvk_model *model, const char *text)
{
    reader r = {.model = model};
    while (*text) {
        char statement[MAX_STATEMENT];
        size_t length = strcspn(text, ";\n");
        assert_true(length < sizeof statement);
        memcpy(statement, text, length);
        statement[length] = 0;
        read_statement(&r, statement);
        text += length + (text[length] != 0);
    }
}

cvk_model *model_text(const char *text)
{
    cvk_model *model = NULL;
    expect_ok(cvk_model_create("test", 13, &model), "model");
    model_append(model, text);
    return model;
}

/* Memory on pages, which devices use where it lies if they can. */
test_run run_make(const cvk_model *model, cvk_device *const *devices, int n_devices,
                  const cvk_session_options *options)
{
    test_run run = {0};
    expect_ok(cvk_session_create(model, devices, n_devices, options, &run.session), "session");
    while (run.n_in < MAX_TENSORS && !cvk_session_input(run.session, run.n_in, &run.in[run.n_in]))
        run.n_in++;
    while (run.n_out < MAX_TENSORS &&
           !cvk_session_output(run.session, run.n_out, &run.out[run.n_out]))
        run.n_out++;
    for (int i = 0; i < run.n_in + run.n_out; i++) {
        cvk_tensor *tensor = i < run.n_in ? &run.in[i] : &run.out[i - run.n_in];
        const size_t bytes = (size_t)cvk_tensor_count(tensor) * cvk_dtype_bytes(tensor->dtype);
        assert_int_equal(posix_memalign(&tensor->data, PAGE, bytes ? bytes : 1), 0);
        memset(tensor->data, 0, bytes);
        if (i < run.n_in) fill_tensor(tensor, (uint64_t)i + 1);
    }
    return run;
}

void run_once(test_run *run)
{
    expect_ok(cvk_session_run(run->session, run->in, run->n_in, run->out, run->n_out), "run");
}

void run_free(test_run *run)
{
    cvk_session_free(&run->session);
    for (int i = 0; i < run->n_in; i++) free(run->in[i].data);
    for (int i = 0; i < run->n_out; i++) free(run->out[i].data);
    *run = (test_run){0};
}

double tensor_distance(const cvk_tensor *a, const cvk_tensor *b)
{
    double difference = 0, size = 0;
    assert_int_equal(a->dtype, b->dtype);
    assert_int_equal(cvk_tensor_count(a), cvk_tensor_count(b));
    for (int64_t i = 0; i < cvk_tensor_count(a); i++) {
        double x = get_element(a, i), y = get_element(b, i);
        if (isnan(x) != isnan(y)) return HUGE_VAL;
        if (isnan(x) || x == y) continue;
        difference += (x - y) * (x - y);
        size += y * y;
    }
    return difference == 0 ? 0 : sqrt(difference / (size + 1e-30));
}

const cvk_step_info *step_of(const cvk_session *session, const char *node)
{
    static cvk_step_info info;
    for (int i = 0; cvk_session_step(session, i, &info) == CVK_OK; i++) {
        size_t length = strlen(node);
        for (const char *at = info.nodes; at && *at;
             at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
            if (strncmp(at, node, length) == 0 && (at[length] == ',' || !at[length])) return &info;
    }
    return NULL;
}

int run_device_tests(int argc, char **argv, cvk_device **device, const struct CMUnitTest *tests,
                     size_t count)
{
    cvk_device_options options = {.threads = 2};
    if (cvk_device_open(argc > 1 ? argv[1] : "cpu", &options, device)) {
        printf("skipped: %s\n", cvk_last_error());
        return 77;
    }
    (*device)->share_all = true; /* the models of tests are small */
    int failed = _cmocka_run_group_tests(argv[0], tests, count, NULL, NULL);
    cvk_device_close(device);
    return failed;
}
