/* SPDX-License-Identifier: Apache-2.0
 *
 * Small networks made by chance, fused and not, against a plain evaluation of the same graph.
 *     test_random_nets [device [first seed [count]]]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "tests/model_reference.h"

enum { SEEDS = 200, MAX_VALUES = 32, MAX_DEVICES = 3 };
static const double bound = 1e-4;

static cvk_device *devices[MAX_DEVICES];
static char labels[MAX_DEVICES][32];
static int n_devices;
static uint64_t first_seed = 1;
static int count_seeds = SEEDS;

/* A network in the making. */
typedef struct maker {
    cvk_model *model;
    uint64_t seed, draws;
    int n_nodes;
    cvk_tensor values[MAX_VALUES]; /* described, float32 of rank 4 */
    char names[MAX_VALUES][16];
    int n_values;
    char text[20000];
} maker;

static int pick(maker *m, int low, int high)
{
    return (int)floor(seeded(m->seed, m->draws++, low, high + 1));
}

static bool chance(maker *m, int percent)
{
    return pick(m, 1, 100) <= percent;
}

/* Statements, kept for the message of a failure. */
static void add(maker *m, const char *format, ...)
{
    char line[1000];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    strncat(m->text, line, sizeof m->text - strlen(m->text) - 2);
    strcat(m->text, "\n");
    model_append(m->model, line);
}

/* Value "v<n_nodes>" exists now: remembered while there is room. */
static void remember(maker *m)
{
    if (m->n_values == MAX_VALUES) return;
    char *name = m->names[m->n_values];
    snprintf(name, sizeof m->names[0], "v%d", m->n_nodes);
    expect_ok(cvk_model_value(m->model, name, &m->values[m->n_values]), name);
    m->values[m->n_values++].name = name;
}

/* A value; mostly the last, so that networks become deep. */
static const cvk_tensor *some_value(maker *m)
{
    return &m->values[chance(m, 65) ? m->n_values - 1 : pick(m, 0, m->n_values - 1)];
}

/* Another with the same dims, but for `free` (-1: none); NULL if there is none. */
static const cvk_tensor *alike(maker *m, const cvk_tensor *value, int free)
{
    int start = pick(m, 0, m->n_values - 1);
    for (int i = 0; i < m->n_values; i++) {
        const cvk_tensor *other = &m->values[(start + i) % m->n_values];
        bool same = other != value;
        for (int d = 0; d < 4; d++) same = same && (d == free || other->dims[d] == value->dims[d]);
        if (same) return other;
    }
    return NULL;
}

static void add_conv(maker *m, const cvk_tensor *x)
{
    int c = (int)x->dims[1], group = 1,
        oc = pick(m, 1, 3) == 1 ? pick(m, 1, 40) : 16 * pick(m, 1, 3);
    if (chance(m, 25))
        group = oc = c;
    else if (c % 2 == 0 && chance(m, 20))
        group = 2, oc += oc % 2;
    int k[2], pads[4], stride[2], dilation = chance(m, 15) ? 2 : 1;
    for (int d = 0; d < 2; d++) {
        int reach;
        stride[d] = chance(m, 25) ? 2 : 1;
        do {
            k[d] = chance(m, 40) ? 3 : pick(m, 1, 5);
            pads[d] = pick(m, 0, k[d] / 2);
            pads[d + 2] = chance(m, 70) ? pads[d] : pick(m, 0, k[d] / 2);
            reach = (k[d] - 1) * dilation + 1;
        } while (reach > x->dims[2 + d] + pads[d] + pads[d + 2]);
    }
    double range = sqrt(3.0 * group / (c * k[0] * k[1]));
    bool bias = chance(m, 50);
    int id = m->n_nodes;
    add(m, "const w%d %dx%dx%dx%d ~%f,%f", id, oc, c / group, k[0], k[1], -range, range);
    if (bias) add(m, "const b%d %d", id, oc);
    char b[16] = "-";
    if (bias) snprintf(b, sizeof b, "b%d", id);
    add(m, "v%d = Conv %s w%d %s group=%d pads=[%d,%d,%d,%d] strides=[%d,%d] dilations=[%d,%d]", id,
        x->name, id, b, group, pads[0], pads[1], pads[2], pads[3], stride[0], stride[1], dilation,
        dilation);
}

static void add_transposed(maker *m, const cvk_tensor *x)
{
    int c = (int)x->dims[1], oc = pick(m, 1, 20), k = pick(m, 1, 4), stride = pick(m, 1, 2),
        pad = pick(m, 0, (k - 1) / 2);
    if (x->dims[2] > 12 || x->dims[3] > 12 || (x->dims[2] - 1) * stride + k - 2 * pad < 1)
        stride = 1, pad = 0;
    double range = sqrt(3.0 / (c * k));
    add(m, "const w%d %dx%dx%dx%d ~%f,%f", m->n_nodes, c, oc, k, k, -range, range);
    add(m, "v%d = ConvTranspose %s w%d - strides=[%d,%d] pads=[%d,%d,%d,%d]", m->n_nodes, x->name,
        m->n_nodes, stride, stride, pad, pad, pad, pad);
}

static void add_activation(maker *m, const cvk_tensor *x)
{
    static const char *const acts[] = {
        "Relu %s",    "Relu %s", "Relu %s",      "LeakyRelu %s alpha=0.1",   "Elu %s",
        "Sigmoid %s", "Tanh %s", "HardSwish %s", "HardSigmoid %s alpha=0.3", "Clip %s lo hi"};
    char act[64];
    if (chance(m, 10)) {
        add(m, "const s%d %dx1x1 ~0,0.5", m->n_nodes, (int)x->dims[1]);
        add(m, "v%d = PRelu %s s%d", m->n_nodes, x->name, m->n_nodes);
        return;
    }
    int which = pick(m, 0, sizeof acts / sizeof *acts - 1);
    const char *at = strstr(acts[which], "%s");
    snprintf(act, sizeof act, "%.*s%s%s", (int)(at - acts[which]), acts[which], x->name, at + 2);
    add(m, "v%d = %s", m->n_nodes, act);
}

static void add_pool(maker *m, const cvk_tensor *x)
{
    int k[2], pads[4];
    for (int d = 0; d < 2; d++) {
        do k[d] = pick(m, 1, 3);
        while (k[d] > x->dims[2 + d]);
        pads[d] = pick(m, 0, k[d] / 2);
        pads[d + 2] = pick(m, 0, k[d] / 2);
    }
    add(m, "v%d = %s %s kernel_shape=[%d,%d] strides=[%d,%d] pads=[%d,%d,%d,%d] ceil_mode=%d",
        m->n_nodes,
        chance(m, 50)   ? "MaxPool"
        : chance(m, 50) ? "AveragePool"
                        : "MaxPool",
        x->name, k[0], k[1], pick(m, 1, 2), pick(m, 1, 2), pads[0], pads[1], pads[2], pads[3],
        pick(m, 0, 1));
}

static void add_affine(maker *m, const cvk_tensor *x)
{
    int c = (int)x->dims[1], id = m->n_nodes;
    if (chance(m, 50)) {
        add(m, "const g%d %d ~0.5,1.5; const h%d %d; const m%d %d; const q%d %d ~0.5,1.5", id, c,
            id, c, id, c, id, c);
        add(m, "v%d = BatchNormalization %s g%d h%d m%d q%d", id, x->name, id, id, id, id);
    } else {
        static const char *const ops[] = {"Add", "Sub", "Mul", "Div"};
        bool channels = chance(m, 70);
        add(m, "const k%d %dx1x1 ~0.5,1.5", id, channels ? c : 1);
        add(m, "v%d = %s %s k%d", id, ops[pick(m, 0, 3)], x->name, id);
    }
}

static void add_pad(maker *m, const cvk_tensor *x)
{
    int p[4];
    for (int i = 0; i < 4; i++) p[i] = pick(m, 0, x->dims[2 + i % 2] > 2 ? 2 : 0);
    add(m, "const p%d 8:i64 =0,0,%d,%d,0,0,%d,%d", m->n_nodes, p[0], p[1], p[2], p[3]);
    add(m, "v%d = Pad %s p%d mode=%s", m->n_nodes, x->name, m->n_nodes,
        chance(m, 60)   ? "constant"
        : chance(m, 50) ? "reflect"
                        : "edge");
}

static void add_resize(maker *m, const cvk_tensor *x)
{
    bool nearest = chance(m, 50);
    add(m, "const k%d 4 =1,1,%d,%d", m->n_nodes, pick(m, 1, 2), pick(m, 1, 2));
    add(m, "v%d = Resize %s - k%d mode=%s coordinate_transformation_mode=%s", m->n_nodes, x->name,
        m->n_nodes, nearest ? "nearest" : "linear",
        nearest         ? "asymmetric"
        : chance(m, 50) ? "half_pixel"
                        : "align_corners");
}

/* x * sigmoid(conv(mean(x))) */
static void add_gate(maker *m, const cvk_tensor *x)
{
    int c = (int)x->dims[1], id = m->n_nodes;
    add(m, "const w%d %dx%dx1x1; t%d = GlobalAveragePool %s; u%d = Conv t%d w%d; s%d = Sigmoid u%d",
        id, c, c, id, x->name, id, id, id, id, id);
    if (chance(m, 50))
        add(m, "v%d = Mul %s s%d", id, x->name, id);
    else
        add(m, "v%d = Mul s%d %s", id, id, x->name);
}

/* Channels shuffled in two groups. */
static void add_shuffle(maker *m, const cvk_tensor *x)
{
    int n = (int)x->dims[0], c = (int)x->dims[1], h = (int)x->dims[2], w = (int)x->dims[3],
        id = m->n_nodes;
    if (c % 2) {
        add(m, "v%d = Transpose %s perm=[0,1,3,2]", id, x->name);
        return;
    }
    add(m, "const a%d 5:i64 =%d,2,%d,%d,%d; const z%d 4:i64 =0,%d,%d,%d", id, n, c / 2, h, w, id, c,
        h, w);
    add(m, "t%d = Reshape %s a%d; u%d = Transpose t%d perm=[0,2,1,3,4]; v%d = Reshape u%d z%d", id,
        x->name, id, id, id, id, id, id);
}

static void add_slice(maker *m, const cvk_tensor *x)
{
    int c = (int)x->dims[1], id = m->n_nodes;
    if (c > 1)
        add(m, "const l%d 2:i64 =%d,%d; v%d,y%d = Split %s l%d axis=1", id, (c + 1) / 2, c / 2, id,
            id, x->name, id);
    else
        add(m, "v%d = Identity %s", id, x->name);
}

static void add_node(maker *m)
{
    const cvk_tensor *x = some_value(m), *other;
    bool small = x->dims[2] * x->dims[3] < 300;
    switch (pick(m, 0, 19)) {
    case 0:
    case 1:
    case 2:
    case 3: add_conv(m, x); break;
    case 4:
    case 5:
    case 6: add_activation(m, x); break;
    case 7:
    case 8: add_affine(m, x); break;
    case 9: add_pool(m, x); break;
    case 10: add_pad(m, x); break;
    case 11: small ? add_resize(m, x) : add_pool(m, x); break;
    case 12: small ? add_transposed(m, x) : add_conv(m, x); break;
    case 13: add_gate(m, x); break;
    case 14: add_shuffle(m, x); break;
    case 15: add_slice(m, x); break;
    case 16:
        other = x->dims[1] < 100 ? alike(m, x, 1) : NULL;
        if (other && other->dims[1] < 100)
            add(m, "v%d = Concat %s %s axis=1", m->n_nodes, x->name, other->name);
        else
            add_conv(m, x);
        break;
    default:
        other = alike(m, x, -1);
        if (other)
            add(m, "v%d = %s %s %s", m->n_nodes, chance(m, 80) ? "Add" : "Max", x->name,
                other->name);
        else
            add_conv(m, x);
    }
    remember(m);
    m->n_nodes++;
}

/* A classifier's end, or the value itself. */
static void add_end(maker *m)
{
    const cvk_tensor *x = &m->values[m->n_values - 1];
    int features = (int)(x->dims[1] * x->dims[2] * x->dims[3]);
    if (chance(m, 40)) {
        if (chance(m, 50)) {
            add(m, "pool = GlobalAveragePool %s; flat = Flatten pool", x->name);
            features = (int)x->dims[1];
        } else {
            add(m, "flat = Flatten %s", x->name);
        }
        double range = sqrt(3.0 / features);
        add(m,
            "const fw %dx11 ~%f,%f; const fb 11; fc = Gemm flat fw fb; prob = Softmax fc; out prob",
            features, -range, range);
    } else {
        add(m, "out %s", x->name);
    }
    if (m->n_values > 2 && chance(m, 30))
        add(m, "out %s", m->values[pick(m, 0, m->n_values - 2)].name);
}

static void make(maker *m, uint64_t seed)
{
    *m = (maker){.seed = seed};
    expect_ok(cvk_model_create("random", 13, &m->model), "model");
    add(m, "const lo s =-0.4; const hi s =0.6; in v0 %dx%dx%dx%d", pick(m, 1, 2),
        chance(m, 50) ? pick(m, 1, 4) : 16 * pick(m, 1, 2), pick(m, 1, 20), pick(m, 1, 20));
    remember(m);
    m->n_nodes = 1;
    int nodes = pick(m, 2, 16);
    for (int i = 0; i < nodes; i++) add_node(m);
    add_end(m);
}

/* Number of failures. */
static int check(const maker *m, cvk_device *device, const char *label, bool no_fuse)
{
    const cvk_session_options options = {.no_fuse = no_fuse};
    cvk_tensor want[MAX_TENSORS];
    int failures = 0;
    test_run run = run_make(m->model, &device, 1, &options);
    run_once(&run);
    model_reference(m->model, run.in, run.n_in, want, run.n_out);
    for (int i = 0; i < run.n_out; i++) {
        double distance = tensor_distance(&run.out[i], &want[i]);
        free(want[i].data);
        if (distance <= bound) continue;
        printf("seed %llu on %s%s: output '%s' is %g away\n%s\n%s\n", (unsigned long long)m->seed,
               label, no_fuse ? ", not fused" : "", run.out[i].name, distance, m->text,
               cvk_session_describe(run.session));
        failures++;
    }
    run_free(&run);
    return failures;
}

static void random_networks(void **state)
{
    (void)state;
    int failures = 0;
    maker *m = malloc(sizeof *m);
    assert_non_null(m);
    for (int i = 0; i < count_seeds; i++) {
        make(m, first_seed + (uint64_t)i);
        for (int d = 0; d < n_devices; d++) failures += check(m, devices[d], labels[d], false);
        failures += check(m, devices[0], labels[0], true);
        cvk_model_free(&m->model);
    }
    free(m);
    assert_int_equal(failures, 0);
}

/* Every level of the CPU, best first, or the device called `spec`. */
static void open_devices(const char *spec)
{
    static const char *const levels[] = {"avx512", "neon", "avx2", "scalar"};
    if (strcmp(spec, "cpu") != 0) {
        n_devices = cvk_device_open(spec, NULL, &devices[0]) == CVK_OK;
        snprintf(labels[0], sizeof labels[0], "%s", spec);
        return;
    }
    for (size_t i = 0; i < sizeof levels / sizeof *levels && n_devices < MAX_DEVICES; i++) {
        cvk_device_info info;
        const cvk_device_options options = {.isa = levels[i], .threads = 2};
        cvk_device **device = &devices[n_devices];
        if (cvk_device_open("cpu", &options, device)) continue;
        (*device)->share_all = true; /* small as the networks are */
        if (cvk_device_get_info(*device, &info) == CVK_OK && strstr(info.driver, levels[i]))
            snprintf(labels[n_devices++], sizeof labels[0], "cpu %s", levels[i]);
        else
            cvk_device_close(device); /* the processor has only a lower level */
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_networks)};
    open_devices(argc > 1 ? argv[1] : "cpu");
    if (argc > 2) first_seed = strtoull(argv[2], NULL, 10);
    if (argc > 3) count_seeds = atoi(argv[3]);
    if (!n_devices) {
        printf("skipped: %s\n", cvk_last_error());
        return 77;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    for (int i = 0; i < n_devices; i++) cvk_device_close(&devices[i]);
    return failed;
}
