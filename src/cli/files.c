/* SPDX-License-Identifier: Apache-2.0
 *
 * Files and folders. zlib's reader takes plain files as well as gzipped ones.
 */
#include "cli/files.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "cli/cli.h"

enum { READ_AT_ONCE = 1 << 20 };

int file_read(const char *path, unsigned char **bytes, size_t *size)
{
    gzFile file = is_folder(path) ? NULL : gzopen(path, "rb");
    if (!file) return fail(BAD_FILE, "%s: the file cannot be opened", path);
    unsigned char *data = NULL;
    size_t used = 0;
    int got;
    do {
        data = need_more(data, used + READ_AT_ONCE + 1, 1);
        got = gzread(file, data + used, READ_AT_ONCE);
        used += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    int closed = gzclose(file);
    if (got < 0 || closed != Z_OK) {
        free(data);
        return fail(BAD_FILE, "%s: the file is cut short or damaged", path);
    }
    data[used] = '\0';
    *bytes = data;
    *size = used;
    return DONE;
}

int file_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    bool good = file && fputs(text, file) >= 0;
    if (file && fclose(file)) good = false;
    return good ? DONE : fail(BAD_FILE, "%s: the file cannot be written", path);
}

bool is_file(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISREG(s.st_mode);
}

bool is_folder(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

int folder_make(const char *path)
{
    if (mkdir(path, 0777) == 0 || (errno == EEXIST && is_folder(path))) return DONE;
    return fail(BAD_FILE, "%s: the folder cannot be made", path);
}

static int by_name(const void *left, const void *right)
{
    const char *a = *(char *const *)left, *b = *(char *const *)right;
    for (; *a && *b; a++, b++) {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            char *a_end, *b_end;
            unsigned long long x = strtoull(a, &a_end, 10), y = strtoull(b, &b_end, 10);
            if (x != y) return x < y ? -1 : 1;
            a = a_end - 1;
            b = b_end - 1;
        } else if (*a != *b) {
            break;
        }
    }
    return (unsigned char)*a - (unsigned char)*b;
}

int folder_list(const char *path, name_list *names)
{
    *names = (name_list){0};
    DIR *folder = opendir(path);
    if (!folder) return fail(BAD_FILE, "%s: the folder cannot be opened", path);
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.') continue;
        names->items = need_more(names->items, (size_t)names->count + 1, sizeof *names->items);
        names->items[names->count++] = need_text("%s", entry->d_name);
    }
    closedir(folder);
    if (names->count) qsort(names->items, (size_t)names->count, sizeof *names->items, by_name);
    return DONE;
}

void names_free(name_list *names)
{
    for (int i = 0; i < names->count; i++) free(names->items[i]);
    free(names->items);
    *names = (name_list){0};
}

char *path_base(const char *path)
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/') end--;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/') start--;
    return need_text("%.*s", (int)(end - start), path + start);
}
