/* SPDX-License-Identifier: Apache-2.0
 *
 * A tiny bitmap font for labels: capitals, digits and a little punctuation.
 */
#ifndef CVK_CLI_FONT_H
#define CVK_CLI_FONT_H

#include <stdint.h>

enum { FONT_WIDTH = 5, FONT_HEIGHT = 7, FONT_ADVANCE = 6 };

/* FONT_HEIGHT rows, the leftmost pixel in bit FONT_WIDTH - 1. Small letters look like capitals; a
 * character that the font does not have is a box. */
const uint8_t *font_glyph(char character);

#endif
