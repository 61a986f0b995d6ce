/* SPDX-License-Identifier: Apache-2.0
 *
 * Text tables for people: columns as wide as their widest cell.
 */
#ifndef CVK_CLI_TABLE_H
#define CVK_CLI_TABLE_H

#include <stdio.h>

typedef struct table {
    char **cells; /* row after row */
    int columns, rows;
    const char *align; /* per column 'l' or 'r' */
} table;

/* The number of columns is the length of `align`. */
table table_make(const char *align);
/* Adds a row: cells separated by tabs, from a printf format. */
void table_row(table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
void table_print(table *table, FILE *file); /* prints and frees */
void table_free(table *table);

#endif
