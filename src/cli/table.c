/* SPDX-License-Identifier: Apache-2.0
 *
 * Aligned tables.
 */
#include "cli/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

table table_make(const char *align)
{
    return (table){.columns = (int)strlen(align), .align = align};
}

void table_row(table *t, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    char *text = need((size_t)length + 1, 1), *at = text;
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(args);
    t->cells = need_more(t->cells, (size_t)(t->rows + 1) * (size_t)t->columns, sizeof *t->cells);
    char **row = t->cells + (size_t)t->rows++ * (size_t)t->columns;
    for (int c = 0; c < t->columns; c++) {
        size_t n = strcspn(at, "\t");
        row[c] = need_text("%.*s", (int)n, at);
        at += n + (at[n] == '\t');
    }
    free(text);
}

static int column_width(const table *t, int column)
{
    size_t width = 0;
    for (int r = 0; r < t->rows; r++) {
        size_t n = strlen(t->cells[r * t->columns + column]);
        width = n > width ? n : width;
    }
    return (int)width;
}

void table_print(table *t, FILE *file)
{
    int *width = need((size_t)t->columns, sizeof *width);
    for (int c = 0; c < t->columns; c++) width[c] = column_width(t, c);
    for (int r = 0; r < t->rows; r++)
        for (int c = 0; c < t->columns; c++) {
            const char *cell = t->cells[r * t->columns + c];
            bool last = c == t->columns - 1;
            int pad = t->align[c] == 'r' ? width[c] : last ? 0 : -width[c];
            fprintf(file, "%*s%s", pad, cell, last ? "\n" : "  ");
        }
    free(width);
    table_free(t);
}

void table_free(table *t)
{
    for (int i = 0; i < t->rows * t->columns; i++) free(t->cells[i]);
    free(t->cells);
    *t = (table){0};
}
