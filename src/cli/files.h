/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole files (gzipped or not), folders in order, paths.
 */
#ifndef CVK_CLI_FILES_H
#define CVK_CLI_FILES_H

#include <stdbool.h>
#include <stddef.h>

/* Reads a file, unpacking it if it is gzipped; a NUL is put behind it. An exit code. */
int file_read(const char *path, unsigned char **bytes, size_t *size);
/* Writes text to a file. */
int file_write(const char *path, const char *text);

bool is_file(const char *path);
bool is_folder(const char *path);
int folder_make(const char *path); /* DONE if it exists already */

/* Names in a folder (no hidden ones), sorted; numbers in them in order of value. */
typedef struct name_list {
    char **items;
    int count;
} name_list;
int folder_list(const char *path, name_list *names);
void names_free(name_list *names);

/* The last part of a path, without a slash at its end; free() it. */
char *path_base(const char *path);

#endif
