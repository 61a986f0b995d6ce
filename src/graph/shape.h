/* SPDX-License-Identifier: Apache-2.0
 *
 * Shapes, views of tensors, and element access by type. A view is what ops' references and kernels
 * see: type, shape, layout and a pointer.
 */
#ifndef CVK_GRAPH_SHAPE_H
#define CVK_GRAPH_SHAPE_H

#include <convoke/convoke.h>
#include <string.h>

typedef struct cvk_shape {
    int rank;
    int64_t dims[CVK_MAX_RANK]; /* -1: not known yet */
} cvk_shape;

/* How elements lie in memory.
 * PLAIN: row-major, no gaps.
 * BLOCKED ("nchw16c"): only float32 and float16 of rank 3 (N, C, W) or 4 (N, C, H, W): channels in blocks of
 * CVK_BLOCK, the channel within the block innermost: [N][ceil(C / 16)][H][W][16]. Lanes beyond C
 * hold unspecified values: no kernel may let them reach lanes below C. */
typedef enum cvk_layout { CVK_LAYOUT_PLAIN, CVK_LAYOUT_BLOCKED } cvk_layout;
enum { CVK_BLOCK = 16 };

typedef struct cvk_view {
    cvk_dtype dtype; /* CVK_NONE: absent optional input */
    cvk_layout layout;
    cvk_shape shape;
    void *data; /* host pointer, or the backend's memory handle in a step of another device */
} cvk_view;

cvk_shape cvk_shape_make(int rank, const int64_t *dims);
bool cvk_shape_equal(const cvk_shape *a, const cvk_shape *b);
bool cvk_shape_known(const cvk_shape *shape); /* no dimension is -1 */

/* Product of dims; -1 if a dimension is unknown or the product overflows int64. */
int64_t cvk_shape_count(const cvk_shape *shape);
/* Product of dims[begin .. end). */
int64_t cvk_shape_span(const cvk_shape *shape, int begin, int end);
/* Row-major strides in elements. */
void cvk_shape_strides(const cvk_shape *shape, int64_t *strides);
/* "1x3x224x224", "?" for unknown, "scalar" for rank 0; returns `text`. */
enum { CVK_SHAPE_TEXT = 128 };
const char *cvk_shape_text(const cvk_shape *shape, char text[CVK_SHAPE_TEXT]);

/* Numpy broadcasting of a and b; false if they do not fit. */
bool cvk_shape_broadcast(const cvk_shape *a, const cvk_shape *b, cvk_shape *out);
/* Strides that walk a tensor of `shape` as if it had shape `as` (0 where it is repeated). */
void cvk_shape_broadcast_strides(const cvk_shape *shape, const cvk_shape *as, int64_t *strides);

/* axis in [-rank, rank) -> [0, rank); false if outside. */
bool cvk_axis_normalise(int64_t axis, int rank, int *normal);

int64_t cvk_view_count(const cvk_view *view);
/* Bytes in memory, block padding included. */
size_t cvk_view_bytes(const cvk_view *view);

/* Element `i` of a plain view, of any type; conversions as C has them, f16 by rounding to nearest
 * even, floats to integers by truncation with saturation. */
double cvk_view_get(const cvk_view *view, int64_t i);
void cvk_view_set(cvk_view *view, int64_t i, double value);
int64_t cvk_view_get_int(const cvk_view *view, int64_t i);
void cvk_view_set_int(cvk_view *view, int64_t i, int64_t value);

/* ONNX's name of an element type, by its number there, that Convoke does not have. */
const char *cvk_dtype_foreign_name(int64_t number);

bool cvk_dtype_is_float(cvk_dtype dtype); /* f16, f32, f64 */

/* Without a branch, so that loops of it become vectors. Subnormal halves go by a subtraction of
 * normal floats, which no flush to zero touches. */
static inline float cvk_f16_to_f32(uint16_t half)
{
    uint32_t bits = (uint32_t)(half & 0x7fff) << 13, sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t infinite = 0u - (bits >= 31u << 23), subnormal = 0u - (bits < 1u << 23);
    uint32_t high = bits + (112u << 23) + (infinite & 112u << 23), low = bits + (113u << 23);
    float value;
    memcpy(&value, &low, sizeof value);
    value -= 0x1p-14f;
    memcpy(&low, &value, sizeof low);
    bits = (low & subnormal) | (high & ~subnormal) | sign;
    memcpy(&value, &bits, sizeof value);
    return value;
}
uint16_t cvk_f32_to_f16(float value);

/* Copies n x c x spatial between layouts on the host; elements of float32 or float16. Lanes beyond C
 * become 0. */
void cvk_layout_block(cvk_dtype dtype, const void *plain, void *blocked, int64_t n, int64_t c,
                      int64_t spatial);
void cvk_layout_unblock(cvk_dtype dtype, const void *blocked, void *plain, int64_t n, int64_t c,
                        int64_t spatial);

#endif
