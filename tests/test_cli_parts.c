/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts of the command: pictures (against values from another program's bilinear resize), half
 * precision, rankings, distances, option values. The command itself is tested by test_cli.sh.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/classes.h"
#include "cli/font.h"
#include "cli/image.h"
#include "cli/numbers.h"
#include "cli/options.h"

#include <cmocka.h> /* last: it has a macro fail() */

/* 7x5, channel k of all in row-major order is 37 k mod 256. */
static image pattern(void)
{
    image img = image_make(7, 5, 3);
    for (int i = 0; i < 7 * 5 * 3; i++) img.pixels[i] = (uint8_t)(i * 37);
    return img;
}

static void check_resize(int width, int height, const uint8_t *want, int count)
{
    image src = pattern(), dst = image_resize(&src, width, height);
    for (int i = 0; i < count; i++) assert_in_range(dst.pixels[i] + 1, want[i], want[i] + 2);
    image_free(&src);
    image_free(&dst);
}

static void shrinking_counts_every_pixel(void **state)
{
    static const uint8_t want[] = {97,  79,  116, 139, 116, 93,  116, 153, 135, 108, 90,  127,
                                   150, 127, 104, 127, 164, 146, 118, 100, 137, 160, 137, 114,
                                   137, 174, 156, 88,  111, 148, 126, 103, 125, 148, 144, 98};
    static const uint8_t rows[] = {9, 46, 83, 120, 157, 194, 231, 12, 49, 86, 123, 160, 197, 234};
    (void)state;
    check_resize(3, 4, want, sizeof want);
    check_resize(7, 2, rows, sizeof rows);
}

static void growing_blends_neighbours(void **state)
{
    static const uint8_t want[] = {0,  37, 74,  61, 98,  135, 139, 112, 149, 216,
                                   10, 47, 128, 75, 112, 116, 153, 100, 181, 218};
    (void)state;
    check_resize(10, 9, want, sizeof want);
}

static void gray_weighs_channels(void **state)
{
    static const uint8_t want[] = {30, 141, 73, 107, 189, 73, 184, 39, 150, 82, 116, 198};
    (void)state;
    image src = pattern(), gray = image_with_channels(&src, 1),
          color = image_with_channels(&gray, 3);
    assert_memory_equal(gray.pixels, want, sizeof want);
    assert_int_equal(color.pixels[5], gray.pixels[1]);
    image_free(&src);
    image_free(&gray);
    image_free(&color);
}

static void half_precision_survives_a_round_trip(void **state)
{
    (void)state;
    uint16_t half, back;
    cvk_tensor in = {.dtype = CVK_F16, .rank = 1, .dims = {1}, .data = &half}, out = in;
    out.data = &back;
    for (uint32_t bits = 0; bits < 0x10000; bits++) {
        half = (uint16_t)bits;
        double value = number_get(&in, 0);
        number_set(&out, 0, value);
        if (isnan(value))
            assert_true(isnan(number_get(&out, 0)));
        else
            assert_int_equal(back, half);
    }
    number_set(&out, 0, 1 + 0x1p-11); /* halfway: to even */
    assert_int_equal(back, 0x3c00);
    number_set(&out, 0, 65520);
    assert_int_equal(back, 0x7c00);
}

static void whole_numbers_are_clamped(void **state)
{
    (void)state;
    uint8_t byte;
    cvk_tensor t = {.dtype = CVK_U8, .rank = 1, .dims = {1}, .data = &byte};
    number_set(&t, 0, 300);
    assert_int_equal(byte, 255);
    number_set(&t, 0, -1);
    assert_int_equal(byte, 0);
    number_set(&t, 0, (double)NAN);
    assert_int_equal(byte, 0);
}

static void best_classes_come_first(void **state)
{
    (void)state;
    float scores[] = {9, 9, 9, 9, 1, 3, 3, 2};
    cvk_tensor t = {.dtype = CVK_F32, .rank = 4, .dims = {2, 4, 1, 1}, .data = scores};
    ranked best[3];
    assert_int_equal(class_count(&t), 4);
    assert_int_equal(best_classes(&t, 1, 3, best), 3);
    assert_int_equal(best[0].index, 1);
    assert_int_equal(best[1].index, 2);
    assert_int_equal(best[2].index, 3);
    t.dims[2] = 2;
    assert_int_equal(class_count(&t), 0);
}

static void distances_know_nan_and_infinity(void **state)
{
    (void)state;
    float a[] = {1, INFINITY, NAN, 2}, b[] = {1, INFINITY, NAN, 2.5f};
    cvk_tensor s = {.dtype = CVK_F32, .rank = 1, .dims = {4}, .data = a}, t = s;
    t.data = b;
    distance d = tensor_distance(&s, &t, 0.1, 0.1);
    assert_int_equal(d.outside, 1);
    assert_int_equal(d.worst, 3);
    assert_true(d.max_abs == 0.5);
    assert_true(d.max_rel == 0.2);
    a[0] = NAN;
    d = tensor_distance(&s, &t, 0.1, 0.1);
    assert_int_equal(d.outside, 2);
    assert_true(isinf(d.rel_l2));
}

static void dimensions_are_read(void **state)
{
    (void)state;
    cvk_tensor t;
    assert_true(parse_dims("1x3x224x224", &t));
    assert_int_equal(t.rank, 4);
    assert_int_equal(t.dims[3], 224);
    assert_false(parse_dims("", &t));
    assert_false(parse_dims("1x", &t));
    assert_false(parse_dims("1x0", &t));
    assert_false(parse_dims("1x-2", &t));
    assert_false(parse_dims("1x1x1x1x1x1x1x1x1", &t));
    assert_false(parse_dims("99999999999999999999", &t));
}

static void option_values_are_read(void **state)
{
    (void)state;
    shared_options shared;
    double expect = 0;
    size_t count_bytes = 0;
    const option_row rows[] = {{"expect", OPTION_REAL, &expect, "X", "", 0},
                               {"bytes", OPTION_BYTES, &count_bytes, "N", "", 'b'},
                               {0}};
    const usage usage = {"test", "", rows, TAKES_IMAGE, 0, -1};
    char *argv[] = {"test", "a",  "--expect=90%", "--scale", "1/255",
                    "-b",   "3K", "--mean=1,2,3", "--std",   "4",
                    "b",    NULL},
         **words;
    int count;
    assert_int_equal(options_read(&usage, &shared, 11, argv, &words, &count), GO_ON);
    assert_int_equal(count, 2);
    assert_string_equal(words[1], "b");
    assert_true(fabs(expect - 0.9) < 1e-12 && fabs(shared.scale - 1.0 / 255) < 1e-12);
    assert_int_equal(count_bytes, 3 * 1024);
    assert_true(shared.mean[1] == 2 && shared.mean[2] == 3 && shared.std[0] == 4 &&
                shared.std[2] == 4);
    options_free(&shared);
}

static void font_has_capitals_for_small_letters(void **state)
{
    (void)state;
    assert_ptr_equal(font_glyph('a'), font_glyph('A'));
    assert_ptr_not_equal(font_glyph('a'), font_glyph('b'));
    assert_non_null(font_glyph('\xff'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shrinking_counts_every_pixel),
        cmocka_unit_test(growing_blends_neighbours),
        cmocka_unit_test(gray_weighs_channels),
        cmocka_unit_test(half_precision_survives_a_round_trip),
        cmocka_unit_test(whole_numbers_are_clamped),
        cmocka_unit_test(best_classes_come_first),
        cmocka_unit_test(distances_know_nan_and_infinity),
        cmocka_unit_test(dimensions_are_read),
        cmocka_unit_test(option_values_are_read),
        cmocka_unit_test(font_has_capitals_for_small_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
