/* SPDX-License-Identifier: Apache-2.0
 *
 * Contact sheets. A cell is a margin, the picture in a square, and two lines of text.
 */
#include "cli/sheet.h"

#include <stdio.h>
#include <string.h>

#include "cli/font.h"

enum {
    SQUARE = 84,
    MARGIN = 6,
    FRAME = 2,
    LINE = FONT_HEIGHT + 3,
    CELL_WIDTH = SQUARE + 2 * MARGIN,
    CELL_HEIGHT = SQUARE + 2 * MARGIN + 2 * LINE,
    TEXT_CHARACTERS = CELL_WIDTH / FONT_ADVANCE
};

static const uint8_t paper[3] = {255, 255, 255}, ink[3] = {40, 40, 40}, red[3] = {208, 16, 16};

static void fill(image *sheet, int left, int top, int width, int height, const uint8_t color[3])
{
    for (int y = top; y < top + height; y++)
        for (int x = left; x < left + width; x++)
            memcpy(sheet->pixels + 3 * (y * sheet->width + x), color, 3);
}

static void write_text(image *sheet, int left, int top, const char *text, const uint8_t color[3])
{
    for (int i = 0; text[i] && i < TEXT_CHARACTERS; i++) {
        const uint8_t *rows = font_glyph(text[i]);
        for (int y = 0; y < FONT_HEIGHT; y++)
            for (int x = 0; x < FONT_WIDTH; x++)
                if (rows[y] >> (FONT_WIDTH - 1 - x) & 1)
                    fill(sheet, left + i * FONT_ADVANCE + x, top + y, 1, 1, color);
    }
}

/* Grown by a whole factor so that pixels stay visible, or shrunk, keeping proportions. */
static image to_square(const image *picture)
{
    image color = image_with_channels(picture, 3);
    int longest = color.width > color.height ? color.width : color.height;
    if (longest > SQUARE) {
        int w = color.width * SQUARE / longest, h = color.height * SQUARE / longest;
        image small = image_resize(&color, w > 0 ? w : 1, h > 0 ? h : 1);
        image_free(&color);
        return small;
    }
    int times = SQUARE / longest;
    image big = image_make(color.width * times, color.height * times, 3);
    for (int y = 0; y < big.height; y++)
        for (int x = 0; x < big.width; x++)
            memcpy(big.pixels + 3 * (y * big.width + x),
                   color.pixels + 3 * (y / times * color.width + x / times), 3);
    image_free(&color);
    return big;
}

image sheet_make(int pictures)
{
    int rows = (pictures + SHEET_COLUMNS - 1) / SHEET_COLUMNS;
    image sheet = image_make(SHEET_COLUMNS * CELL_WIDTH, (rows > 0 ? rows : 1) * CELL_HEIGHT, 3);
    fill(&sheet, 0, 0, sheet.width, sheet.height, paper);
    return sheet;
}

void sheet_put(image *sheet, int index, const image *picture, const char *predicted,
               const char *truth)
{
    int left = index % SHEET_COLUMNS * CELL_WIDTH + MARGIN,
        top = index / SHEET_COLUMNS * CELL_HEIGHT + MARGIN;
    image shown = to_square(picture);
    int x = left + (SQUARE - shown.width) / 2, y = top + (SQUARE - shown.height) / 2;
    if (truth)
        fill(sheet, x - FRAME, y - FRAME, shown.width + 2 * FRAME, shown.height + 2 * FRAME, red);
    for (int row = 0; row < shown.height; row++)
        memcpy(sheet->pixels + 3 * ((y + row) * sheet->width + x),
               shown.pixels + 3 * row * shown.width, 3 * (size_t)shown.width);
    image_free(&shown);
    write_text(sheet, left, top + SQUARE + 4, predicted, truth ? red : ink);
    if (!truth) return;
    char line[64];
    snprintf(line, sizeof line, "is %s", truth);
    write_text(sheet, left, top + SQUARE + 4 + LINE, line, red);
}
