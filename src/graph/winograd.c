/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms, weights and cost of Winograd's minimal filtering (see winograd.h).
 */
#include "graph/winograd.h"

/* Bytes of weights per cycle, the first time and when a later batch of tiles reads them again. */
static const double weight_rate = 8, again_rate = 32;

/* Tiles along an axis, and the tolerance that they take over two axes: 0 is what all convolutions
 * keep to. */
static const struct {
    cvk_wino_axis axis;
    double tolerance;
} forms[] = {
    {{2, 3, 1, 4}, 0},    {{4, 3, 1, 6}, 0}, {{6, 3, 1, 8}, 1e-5}, {{2, 5, 1, 6}, 0},
    {{4, 5, 1, 8}, 2e-5}, {{4, 3, 2, 9}, 0}, {{4, 7, 1, 10}, 0},
};

int cvk_wino_forms(void)
{
    return (int)(sizeof forms / sizeof *forms);
}

static bool is_axis(const cvk_wino_axis *axis, int taps, int stride)
{
    return axis->taps == taps && axis->stride == stride;
}

bool cvk_wino_form(int index, const cvk_geom *g, double tolerance, cvk_wino_axis *y,
                   cvk_wino_axis *x)
{
    static const cvk_wino_axis flat = {1, 1, 1, 1};
    const cvk_wino_axis *axis = &forms[index].axis;
    *y = g->kh > 1 ? *axis : flat;
    *x = g->kw > 1 ? *axis : flat;
    if (!is_axis(y, g->kh, g->sh) || !is_axis(x, g->kw, g->sw)) return false;
    if (g->kh > 1 && g->kw > 1)
        return axis->side <= CVK_WINO_SQUARE && tolerance >= forms[index].tolerance;
    return (g->kh > 1 || g->kw > 1) && axis->stride == 1;
}

static bool refuse(const char **why_not, const char *reason)
{
    *why_not = reason;
    return false;
}

bool cvk_wino_dense(const cvk_geom *g, const char **why_not)
{
    if (g->dh != 1 || g->dw != 1) return refuse(why_not, "dilated");
    return g->group == 1 || refuse(why_not, "grouped");
}

bool cvk_wino_pools(const cvk_geom *g, const cvk_geom *pool, const char **why_not)
{
    const cvk_geom *p = pool;
    if (p->kh != 2 || p->kw != 2 || p->sh != 2 || p->sw != 2 || p->dh != 1 || p->dw != 1 || p->pt ||
        p->pl || 2 * p->oh > g->oh || 2 * p->ow > g->ow)
        return refuse(why_not, "Winograd's tiles hold 2 x 2 pools only, side by side and whole");
    return (g->kh > 1 && g->kw > 1) ||
           refuse(why_not, "Winograd's tiles of one row or column hold no pool");
}

/* --- weights --- */

/* A row of G is 1, point, point^2 ... over the product of the differences between the point and all
 * the others: 0 and, of the pairs, +-itself. */
static void matrix_row(const cvk_wino_points *p, int pairs, int pair, double point, int taps,
                       double *row)
{
    double product = pair < 0 ? 1 : 2 * point * point;
    for (int k = 0; k < pairs; k++)
        if (k != pair) product *= point * point - (double)p->point[k] * (double)p->point[k];
    row[0] = 1 / product;
    for (int i = 1; i < taps; i++) row[i] = row[i - 1] * point;
}

/* The points 0, 1, -1, the lone one, infinity of taps 0 and 2, then tap 1 for each result. */
static void strided_matrix(double g[][CVK_WINO_TAPS])
{
    static const double finite[] = {0, 1, -1, (double)CVK_WINO_LONE};
    for (int i = 0; i < 4; i++) {
        double product = 1;
        for (int k = 0; k < 4; k++)
            if (k != i) product *= finite[i] - finite[k];
        g[i][0] = 1 / product;
        g[i][2] = finite[i] / product;
        g[5 + i][1] = 1;
    }
    g[4][2] = 1;
}

void cvk_wino_matrix_make(const cvk_wino_axis *axis, cvk_wino_matrix *matrix)
{
    *matrix = (cvk_wino_matrix){.axis = *axis};
    if (axis->side == 1) {
        matrix->g[0][0] = 1;
        return;
    }
    if (axis->side == CVK_WINO_STRIDED) {
        strided_matrix(matrix->g);
        return;
    }
    const cvk_wino_points *p = cvk_wino_points_of(axis->side);
    int pairs = axis->side / 2 - 1;
    matrix_row(p, pairs, -1, 0, axis->taps, matrix->g[0]);
    for (int k = 0; k < pairs; k++) {
        double point = (double)p->point[k];
        matrix_row(p, pairs, k, point, axis->taps, matrix->g[2 * k + 1]);
        matrix_row(p, pairs, k, -point, axis->taps, matrix->g[2 * k + 2]);
    }
    matrix->g[axis->side - 1][axis->taps - 1] = 1;
}

/* y = G x along an axis. */
static void weights1(const cvk_wino_matrix *matrix, const double *x, int from, double *y, int step)
{
    for (int i = 0; i < matrix->axis.side; i++) {
        double sum = 0;
        for (int k = 0; k < matrix->axis.taps; k++) sum += matrix->g[i][k] * x[k * from];
        y[i * step] = sum;
    }
}

void cvk_wino_weights(const cvk_wino_matrix *y, const cvk_wino_matrix *x, const float *wgt,
                      float *u)
{
    double in[CVK_WINO_TAPS * CVK_WINO_TAPS], columns[CVK_WINO_SIDE * CVK_WINO_TAPS],
        out[CVK_WINO_SIDE];
    const int taps = x->axis.taps, side = x->axis.side;
    for (int i = 0; i < y->axis.taps * taps; i++) in[i] = (double)wgt[i];
    for (int k = 0; k < taps; k++) weights1(y, in + k, taps, columns + k, taps);
    for (int i = 0; i < y->axis.side; i++) {
        weights1(x, columns + i * taps, 1, out, 1);
        for (int k = 0; k < side; k++) u[i * side + k] = (float)out[k];
    }
}

/* --- cost --- */

double cvk_wino_cycles(const cvk_wino_work *w)
{
    const double transforms =
        w->tiles * w->points * (w->sources * w->source_rate + w->results * w->result_rate);
    const double products = w->slots * w->points * w->results * (w->ic + w->sum_rate);
    const double bytes = (double)w->points * w->ic * w->results * w->lanes * sizeof(float);
    return (transforms + products) * w->mad_cycles + bytes / weight_rate +
           (w->batches - 1) * bytes / again_rate;
}
