/* SPDX-License-Identifier: Apache-2.0
 *
 * Data sets in files.
 */
#include "cli/dataset.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/cli.h"
#include "cli/files.h"

static const char images_part[] = "-images-idx3-ubyte", labels_part[] = "-labels-idx1-ubyte";

enum { IDX_IMAGES = 0x803, IDX_LABELS = 0x801, IMAGES_HEADER = 16, LABELS_HEADER = 8 };

static uint32_t big_endian(const unsigned char *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* PREFIX + part, or with .gz behind it; NULL if there is no such file. */
static char *idx_path(const char *prefix, size_t length, const char *part)
{
    for (int zipped = 0; zipped < 2; zipped++) {
        char *path = need_text("%.*s%s%s", (int)length, prefix, part, zipped ? ".gz" : "");
        if (is_file(path)) return path;
        free(path);
    }
    return NULL;
}

/* The path up to PREFIX of the IDX files that `path` means; NULL if it means none. */
static char *idx_prefix(const char *path)
{
    const char *part = strstr(path, images_part);
    if (part && is_file(path)) return need_text("%.*s", (int)(part - path), path);
    char *file = idx_path(path, strlen(path), images_part);
    if (file) {
        free(file);
        return need_text("%s", path);
    }
    name_list names;
    if (!is_folder(path) || folder_list(path, &names)) return NULL;
    char *prefix = NULL;
    for (int i = 0; i < names.count; i++) {
        const char *name = names.items[i];
        part = strstr(name, images_part);
        if (!part || (prefix && strncmp(name, "t10k-", 5) != 0)) continue;
        free(prefix);
        prefix = need_text("%s/%.*s", path, (int)(part - name), name);
    }
    names_free(&names);
    return prefix;
}

static int check_images(const char *path, size_t size, dataset *set)
{
    const unsigned char *b = set->bytes;
    if (size < IMAGES_HEADER || big_endian(b) != IDX_IMAGES)
        return fail(BAD_FILE, "%s: no IDX file of pictures: it does not begin with 00 00 08 03",
                    path);
    uint64_t n = big_endian(b + 4), h = big_endian(b + 8), w = big_endian(b + 12);
    if (n == 0 || n > INT_MAX || h == 0 || w == 0 || h > 65536 || w > 65536 ||
        n > (size - IMAGES_HEADER) / (h * w))
        return fail(BAD_FILE, "%s: %llu pictures of %llux%llu do not fit in its %zu bytes", path,
                    (unsigned long long)n, (unsigned long long)w, (unsigned long long)h, size);
    set->count = (int)n;
    set->width = (int)w;
    set->height = (int)h;
    return DONE;
}

static int read_labels(const char *path, dataset *set)
{
    unsigned char *bytes;
    size_t size;
    int code = file_read(path, &bytes, &size);
    if (code) return code;
    if (size < LABELS_HEADER || big_endian(bytes) != IDX_LABELS)
        code =
            fail(BAD_FILE, "%s: no IDX file of labels: it does not begin with 00 00 08 01", path);
    else if (big_endian(bytes + 4) != (uint32_t)set->count ||
             size - LABELS_HEADER < (size_t)set->count)
        code =
            fail(BAD_FILE, "%s: its labels are not as many as the %d pictures", path, set->count);
    else
        for (int i = 0; i < set->count; i++) set->labels[i] = bytes[LABELS_HEADER + i];
    free(bytes);
    return code;
}

static int open_idx(const char *prefix, dataset *set)
{
    size_t length = strlen(prefix), size;
    char *images = idx_path(prefix, length, images_part),
         *labels = idx_path(prefix, length, labels_part);
    int code = images && labels ? file_read(images, &set->bytes, &size)
                                : fail(BAD_FILE, "%s%s[.gz] is missing", prefix,
                                       images ? labels_part : images_part);
    if (!code) code = check_images(images, size, set);
    if (!code) {
        set->labels = need((size_t)set->count, sizeof *set->labels);
        code = read_labels(labels, set);
    }
    free(images);
    free(labels);
    return code;
}

static bool is_picture_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot &&
           (!strcasecmp(dot, ".jpg") || !strcasecmp(dot, ".jpeg") || !strcasecmp(dot, ".png"));
}

static int add_class(const char *folder, int label, dataset *set)
{
    name_list names;
    int code = folder_list(folder, &names);
    if (code) return code;
    size_t most = (size_t)set->count + (size_t)names.count;
    set->paths = need_more(set->paths, most, sizeof *set->paths);
    set->labels = need_more(set->labels, most, sizeof *set->labels);
    for (int i = 0; i < names.count; i++) {
        if (!is_picture_name(names.items[i])) continue;
        set->paths[set->count] = need_text("%s/%s", folder, names.items[i]);
        set->labels[set->count++] = label;
    }
    names_free(&names);
    return DONE;
}

static int open_folders(const char *path, dataset *set)
{
    name_list names;
    int code = folder_list(path, &names), label = 0;
    if (code) return code;
    for (int i = 0; !code && i < names.count; i++) {
        char *folder = need_text("%s/%s", path, names.items[i]), *end;
        long number = strtol(names.items[i], &end, 10);
        bool numbered = !*end && number >= 0 && number < INT_MAX;
        if (is_folder(folder)) code = add_class(folder, numbered ? (int)number : label++, set);
        free(folder);
    }
    names_free(&names);
    if (!code && set->count == 0)
        code = fail(BAD_FILE,
                    "%s: no data set: expected *%s and *%s, or a folder of pictures per class",
                    path, images_part, labels_part);
    return code;
}

int dataset_open(const char *path, dataset *set)
{
    *set = (dataset){0};
    char *prefix = idx_prefix(path);
    int code = prefix            ? open_idx(prefix, set)
               : is_folder(path) ? open_folders(path, set)
                                 : fail(BAD_FILE, "%s: there is no data set of this name", path);
    free(prefix);
    if (code) dataset_close(set);
    return code;
}

int dataset_image(const dataset *set, int index, image *img)
{
    if (set->paths) return image_load(set->paths[index], img);
    size_t size = (size_t)set->width * (size_t)set->height;
    *img = image_make(set->width, set->height, 1);
    memcpy(img->pixels, set->bytes + IMAGES_HEADER + (size_t)index * size, size);
    return DONE;
}

void dataset_close(dataset *set)
{
    for (int i = 0; set->paths && i < set->count; i++) free(set->paths[i]);
    free(set->paths);
    free(set->labels);
    free(set->bytes);
    *set = (dataset){0};
}
