/* SPDX-License-Identifier: Apache-2.0
 *
 * Class labels and rankings.
 */
#include "cli/classes.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/files.h"
#include "cli/numbers.h"

int labels_load(const char *path, label_list *labels)
{
    unsigned char *bytes;
    size_t size;
    *labels = (label_list){0};
    int code = file_read(path, &bytes, &size);
    if (code) return code;
    labels->text = (char *)bytes;
    for (char *line = labels->text; *line;) {
        char *end = line + strcspn(line, "\n"), *next = *end ? end + 1 : end;
        if (end > line && end[-1] == '\r') end[-1] = '\0';
        *end = '\0';
        labels->names = need_more(labels->names, (size_t)labels->count + 1, sizeof *labels->names);
        labels->names[labels->count++] = line;
        line = next;
    }
    return labels->count ? DONE : fail(BAD_FILE, "%s: no labels in it: expected one a line", path);
}

const char *label_of(const label_list *labels, int index)
{
    return index >= 0 && index < labels->count ? labels->names[index] : NULL;
}

void labels_free(label_list *labels)
{
    free(labels->text);
    free(labels->names);
    *labels = (label_list){0};
}

int class_count(const cvk_tensor *output)
{
    int64_t classes = 1;
    int wide = 0;
    for (int i = 1; i < output->rank; i++) {
        wide += output->dims[i] > 1;
        classes *= output->dims[i];
    }
    return output->rank >= 2 && wide == 1 && classes <= INT_MAX ? (int)classes : 0;
}

int best_classes(const cvk_tensor *output, int slot, int k, ranked *best)
{
    int classes = class_count(output), kept = 0;
    for (int i = 0; i < classes; i++) {
        double score = number_get(output, (size_t)slot * (size_t)classes + (size_t)i);
        int at = kept;
        while (at > 0 && score > best[at - 1].score) at--;
        if (at == k) continue;
        kept += kept < k;
        memmove(best + at + 1, best + at, (size_t)(kept - at - 1) * sizeof *best);
        best[at] = (ranked){i, score};
    }
    return kept;
}
