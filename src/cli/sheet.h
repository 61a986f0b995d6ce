/* SPDX-License-Identifier: Apache-2.0
 *
 * A contact sheet: pictures in a grid, the predicted label under each; wrong ones framed and
 * written in red with the true label.
 */
#ifndef CVK_CLI_SHEET_H
#define CVK_CLI_SHEET_H

#include "cli/image.h"

enum { SHEET_COLUMNS = 10, SHEET_ROWS = 10, SHEET_PICTURES = SHEET_COLUMNS * SHEET_ROWS };

image sheet_make(int pictures);
/* Puts picture `index` with its label; truth NULL: the prediction is right. */
void sheet_put(image *sheet, int index, const image *picture, const char *predicted,
               const char *truth);

#endif
