/* SPDX-License-Identifier: Apache-2.0
 *
 * Windows over three spatial dimensions: convolutions and pools against loops written out here, a
 * transposed convolution against the convolution whose adjoint it is, a fused node against its
 * parts.
 */
#include <math.h>

#include "ops_graph.h"

/* Sizes of a window over D, H and W, and what stands around it. */
typedef struct problem {
    int in[3], kernel[3], stride[3], dilation[3], begin[3], end[3];
    int channels; /* in and out */
} problem;

static const problem problems[] = {
    {{4, 5, 6}, {2, 3, 2}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}, 2},
    {{5, 4, 7}, {3, 2, 3}, {2, 1, 3}, {1, 2, 1}, {1, 0, 2}, {2, 1, 0}, 1},
    {{3, 6, 5}, {1, 3, 3}, {1, 2, 2}, {1, 1, 2}, {0, 1, 1}, {0, 1, 1}, 3},
};
enum { PROBLEMS = sizeof problems / sizeof *problems, MOST = 2048 };

static int out_length(const problem *p, int d)
{
    return (p->in[d] + p->begin[d] + p->end[d] - (p->kernel[d] - 1) * p->dilation[d] - 1) /
               p->stride[d] +
           1;
}

static int make_attrs(const problem *p, int64_t lists[4][6], cvk_attr attrs[4])
{
    static const char *const names[] = {"kernel_shape", "strides", "dilations", "pads"};
    for (int d = 0; d < 3; d++) {
        lists[0][d] = p->kernel[d];
        lists[1][d] = p->stride[d];
        lists[2][d] = p->dilation[d];
        lists[3][d] = p->begin[d];
        lists[3][3 + d] = p->end[d];
    }
    for (int i = 0; i < 4; i++)
        attrs[i] = (cvk_attr){
            .name = names[i], .kind = CVK_ATTR_INTS, .count = i == 3 ? 6 : 3, .ints = lists[i]};
    return 4;
}

/* The input element of tap (k0, k1, k2) for output o of one volume; -1: outside. */
static int tap_place(const problem *p, const int *o, const int *k)
{
    int place = 0;
    for (int d = 0; d < 3; d++) {
        int at = o[d] * p->stride[d] - p->begin[d] + k[d] * p->dilation[d];
        if (at < 0 || at >= p->in[d]) return -1;
        place = place * p->in[d] + at;
    }
    return place;
}

/* The n-th element of a volume of these lengths, as indices. */
static void split(int n, const int *lengths, int *index)
{
    for (int d = 2; d >= 0; n /= lengths[d--]) index[d] = n % lengths[d];
}

typedef struct volumes {
    int in, out, kernel; /* elements of one channel */
    int lengths[3];      /* of the output */
} volumes;

static volumes volumes_of(const problem *p)
{
    volumes v = {1, 1, 1, {0}};
    for (int d = 0; d < 3; d++) {
        v.lengths[d] = out_length(p, d);
        v.in *= p->in[d];
        v.out *= v.lengths[d];
        v.kernel *= p->kernel[d];
    }
    return v;
}

static const float *floats_of(const ops_graph *g, int value)
{
    return g->graph->values[value].data;
}

static int input_of(ops_graph *g, const problem *p)
{
    return ops_pattern(g, DIMS(2, p->channels, p->in[0], p->in[1], p->in[2]));
}

static void convolutions(void **state)
{
    (void)state;
    for (const problem *p = problems; p < problems + PROBLEMS; p++) {
        ops_graph g = ops_graph_make(13);
        volumes v = volumes_of(p);
        int64_t lists[4][6];
        cvk_attr attrs[4];
        double want[MOST];
        int c = p->channels, n_attrs = make_attrs(p, lists, attrs), x = input_of(&g, p);
        int w = ops_pattern(&g, DIMS(c, c, p->kernel[0], p->kernel[1], p->kernel[2]));
        const float *src = floats_of(&g, x), *wgt = floats_of(&g, w);
        for (int i = 0; i < 2 * c * v.out; i++) {
            int o[3], k[3], n = i / v.out / c, oc = i / v.out % c;
            split(i % v.out, v.lengths, o);
            want[i] = 0;
            for (int t = 0; t < c * v.kernel; t++) {
                split(t % v.kernel, p->kernel, k);
                int place = tap_place(p, o, k), ic = t / v.kernel;
                if (place >= 0)
                    want[i] += (double)src[(n * c + ic) * v.in + place] *
                               (double)wgt[oc * c * v.kernel + t];
            }
        }
        int y = ops_run(&g, CVK_OP_Conv, IN(x, w), attrs, n_attrs);
        ops_expect_shape(&g, y, DIMS(2, c, v.lengths[0], v.lengths[1], v.lengths[2]));
        ops_expect_values(&g, y, want, 2 * c * v.out, 1e-5);
        ops_graph_drop(&g);
    }
}

static double dot(const ops_graph *g, int a, int b)
{
    cvk_view left = cvk_graph_view(g->graph, a), right = cvk_graph_view(g->graph, b);
    double sum = 0;
    assert_true(cvk_shape_equal(&left.shape, &right.shape));
    for (int64_t i = 0; i < cvk_view_count(&left); i++)
        sum += cvk_view_get(&left, i) * cvk_view_get(&right, i);
    return sum;
}

/* <conv(x), y> = <x, transposed conv(y)> */
static void transposed_convolutions(void **state)
{
    (void)state;
    for (const problem *p = problems; p < problems + PROBLEMS; p++) {
        ops_graph g = ops_graph_make(13);
        volumes v = volumes_of(p);
        int64_t lists[4][6];
        cvk_attr attrs[5];
        int c = p->channels, n_attrs = make_attrs(p, lists, attrs), x = input_of(&g, p);
        int w = ops_pattern(&g, DIMS(c, c, p->kernel[0], p->kernel[1], p->kernel[2]));
        int y = ops_pattern(&g, DIMS(2, c, v.lengths[0], v.lengths[1], v.lengths[2]));
        int64_t rest[3];
        for (int d = 0; d < 3; d++)
            rest[d] =
                (p->in[d] + p->begin[d] + p->end[d] - (p->kernel[d] - 1) * p->dilation[d] - 1) %
                p->stride[d];
        attrs[n_attrs++] =
            (cvk_attr){.name = "output_padding", .kind = CVK_ATTR_INTS, .count = 3, .ints = rest};
        int forth = ops_run(&g, CVK_OP_Conv, IN(x, w), attrs, 4);
        int back = ops_run(&g, CVK_OP_ConvTranspose, IN(y, w), attrs, n_attrs);
        assert_true(fabs(dot(&g, forth, y) - dot(&g, x, back)) < 1e-3);
        ops_graph_drop(&g);
    }
}

/* Maximum, its place, and mean of one output's taps. */
static void pool_of(const problem *p, const volumes *v, const float *src, int i, double want[3])
{
    int o[3], k[3], count = 0;
    want[0] = -INFINITY;
    want[1] = want[2] = 0;
    split(i % v->out, v->lengths, o);
    for (int t = 0; t < v->kernel; t++) {
        split(t, p->kernel, k);
        int place = tap_place(p, o, k);
        if (place < 0) continue;
        double value = (double)src[i / v->out * v->in + place];
        if (value > want[0]) {
            want[0] = value;
            want[1] = i / v->out * v->in + place;
        }
        want[2] += value;
        count++;
    }
    want[2] /= count;
}

/* The same place with the first spatial dimension running fastest. */
static double column_major(const problem *p, const volumes *v, double place)
{
    int at[3], n = (int)place;
    split(n % v->in, p->in, at);
    return n / v->in * v->in + (at[2] * p->in[1] + at[1]) * p->in[0] + at[0];
}

static void pools(void **state)
{
    (void)state;
    for (const problem *p = problems; p < problems + PROBLEMS; p++) {
        ops_graph g = ops_graph_make(12);
        volumes v = volumes_of(p);
        int64_t lists[4][6];
        cvk_attr attrs[5];
        int n_attrs = make_attrs(p, lists, attrs), x = input_of(&g, p);
        int count = 2 * p->channels * v.out;
        double best[MOST], place[MOST], column[MOST], mean[MOST];
        for (int i = 0; i < count; i++) {
            double want[3];
            pool_of(p, &v, floats_of(&g, x), i, want);
            best[i] = want[0];
            place[i] = want[1];
            column[i] = column_major(p, &v, want[1]);
            mean[i] = want[2];
        }
        cvk_node *node = ops_node(&g, CVK_OP_MaxPool, IN(x), 2, attrs, n_attrs);
        ops_compute(&g, node);
        int first = node->out[0], second = node->out[1];
        ops_expect_values(&g, first, best, count, 0);
        ops_expect_values(&g, second, place, count, 0);
        attrs[n_attrs] = (cvk_attr)ATTR_INT("storage_order", 1);
        node = ops_node(&g, CVK_OP_MaxPool, IN(x), 2, attrs, n_attrs + 1);
        ops_compute(&g, node);
        ops_expect_values(&g, node->out[1], column, count, 0);
        int y = ops_run(&g, CVK_OP_AveragePool, IN(x), attrs, n_attrs);
        ops_expect_values(&g, y, mean, count, 1e-6);
        ops_graph_drop(&g);
    }
}

static void padding_and_ends(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    int ones = ops_floats(&g, DIMS(1, 1, 2, 2, 2), 1, 1, 1, 1, 1, 1, 1, 1);
    cvk_attr same[] = {ATTR_INTS("kernel_shape", 2, 2, 2), ATTR_STRING("auto_pad", "SAME_UPPER"),
                       ATTR_INT("count_include_pad", 1)};
    ops_expect(&g, ops_run(&g, CVK_OP_AveragePool, IN(ones), same, 3), 0, 1, 0.5, 0.5, 0.25, 0.5,
               0.25, 0.25, 0.125);
    cvk_attr ceil[] = {ATTR_INTS("kernel_shape", 2, 2, 2), ATTR_INTS("strides", 2, 2, 2),
                       ATTR_INT("ceil_mode", 1)};
    int x = ops_pattern(&g, DIMS(1, 1, 3, 2, 5));
    ops_expect_shape(&g, ops_run(&g, CVK_OP_MaxPool, IN(x), ceil, 3), DIMS(1, 1, 2, 1, 3));
    ops_expect(&g, ops_run(&g, CVK_OP_GlobalMaxPool, IN(x), NO_ATTRS), 0, 1.25);
    int w = ops_floats(&g, DIMS(1, 1, 1, 1, 1), 2);
    cvk_attr shape[] = {ATTR_INTS("output_shape", 1, 1, 3, 4, 3), ATTR_INTS("strides", 2, 2, 2)};
    ops_expect_shape(&g, ops_run(&g, CVK_OP_ConvTranspose, IN(ones, w), shape, 2),
                     DIMS(1, 1, 3, 4, 3));
    /* a dilated window without a tap in an input of nothing but padding */
    int none = ops_constant(&g, CVK_F32, DIMS(1, 1, 0, 2, 2), "");
    cvk_attr gap[] = {ATTR_INTS("kernel_shape", 2, 1, 1), ATTR_INTS("dilations", 3, 1, 1),
                      ATTR_INTS("pads", 2, 0, 0, 2, 0, 0), ATTR_INT("storage_order", 1)};
    cvk_node *node = ops_node(&g, CVK_OP_MaxPool, IN(none), 2, gap, 4);
    ops_compute(&g, node);
    ops_expect_shape(&g, node->out[1], DIMS(1, 1, 1, 2, 2));
    ops_graph_drop(&g);
}

static void fused(void **state)
{
    (void)state;
    ops_graph g = ops_graph_make(13);
    cvk_attr window[] = {ATTR_INTS("kernel_shape", 2, 2, 2), ATTR_INTS("strides", 2, 1, 2)};
    int x = ops_pattern(&g, DIMS(1, 2, 4, 4, 4)), w = ops_pattern(&g, DIMS(3, 2, 2, 1, 1));
    int slope = ops_pattern(&g, DIMS(3, 1, 1, 1)), flat = ops_pattern(&g, DIMS(3));
    int r = ops_pattern(&g, DIMS(1, 3, 3, 4, 4));
    int y = ops_run(&g, CVK_OP_Conv, IN(x, w), NO_ATTRS);
    y = ops_run(&g, CVK_OP_PRelu, IN(y, slope), NO_ATTRS);
    y = ops_run(&g, CVK_OP_Add, IN(y, r), NO_ATTRS);
    y = ops_run(&g, CVK_OP_Tanh, IN(y), NO_ATTRS);
    cvk_node *node = ops_node(&g, CVK_OP_MaxPool, IN(y), 1, window, 2);
    cvk_pool_params pool = *(const cvk_pool_params *)node->params;
    ops_compute(&g, node);
    int expected = node->out[0];
    node = ops_node(&g, CVK_OP_Conv, IN(x, w, flat, r), 1, NO_ATTRS);
    node->posts[node->n_posts++] = (cvk_post){.kind = CVK_POST_PRELU, .input = 2};
    node->posts[node->n_posts++] = (cvk_post){.kind = CVK_POST_ADD, .input = 3};
    node->posts[node->n_posts++] = (cvk_post){.kind = CVK_POST_ACT, .act = {.kind = CVK_ACT_TANH}};
    node->posts[node->n_posts++] = (cvk_post){.kind = CVK_POST_POOL, .pool = pool};
    ops_compute(&g, node);
    cvk_view want = cvk_graph_view(g.graph, expected);
    double values[MOST];
    for (int64_t i = 0; i < cvk_view_count(&want); i++) values[i] = cvk_view_get(&want, i);
    ops_expect_shape(&g, node->out[0], DIMS(1, 3, 1, 3, 2));
    ops_expect_values(&g, node->out[0], values, (int)cvk_view_count(&want), 1e-5);
    assert_int_equal(cvk_node_macs(g.graph, node), 3 * 3 * 4 * 4 * 4);
    ops_graph_drop(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions), cmocka_unit_test(transposed_convolutions),
        cmocka_unit_test(pools),        cmocka_unit_test(padding_and_ends),
        cmocka_unit_test(fused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
