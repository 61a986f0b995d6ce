/* SPDX-License-Identifier: Apache-2.0
 *
 * Words into bench_options.
 */
#include "bench/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: bench_kernels [DEVICE] [OPTIONS]\n\n"
    "Times every kernel row of DEVICE (default cpu) that accepts a problem; rows take turns.\n\n"
    "  --layers FILE     problems from a list like bench/layers/common.txt (the default); repeat\n"
    "                    for several\n"
    "  --cases           the problems of src/selftest/op_cases.def\n"
    "  --only TEXT       only problems with TEXT in their name\n"
    "  --rows A,B        only these rows\n"
    "  --ways            each row also in its other ways, such as other tiles: row:way\n"
    "  --rounds N        turns of each, whose median counts (default 15)\n"
    "  --threads N       of the CPU device and of the libraries (default: all cores)\n"
    "  --isa LEVEL       of the CPU device: not above scalar, avx2, avx512 or neon\n"
    "  --bare            without bias and without what is fused\n"
    "  --against A,B     also these libraries: onednn, openblas, clblast, xnnpack\n"
    "  --json FILE       everything as JSON\n";

bool bench_listed(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; at && *at;) {
        size_t n = strcspn(at, ",");
        if (n == length && strncmp(at, word, n) == 0) return true;
        at += n + (at[n] == ',');
    }
    return !list || !*list;
}

static bool read_count(const char *text, int most, int *count)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (*end || value < 1 || value > most) return false;
    *count = (int)value;
    return true;
}

/* Takes the value of a word; false if it is none that this program knows, or a wrong one. */
static bool read_value(const char *word, const char *value, bench_options *o)
{
    if (strcmp(word, "--rounds") == 0) return read_count(value, MOST_ROUNDS, &o->rounds);
    if (strcmp(word, "--threads") == 0) return read_count(value, 1024, &o->threads);
    if (strcmp(word, "--layers") == 0 && o->n_layers < MOST_LISTS) {
        o->layers[o->n_layers++] = value;
        return true;
    }
    const struct {
        const char *word, **to;
    } texts[] = {{"--only", &o->only},
                 {"--rows", &o->rows},
                 {"--against", &o->against},
                 {"--isa", &o->isa},
                 {"--json", &o->json}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (strcmp(texts[i].word, word) != 0) continue;
        *texts[i].to = value;
        return true;
    }
    return false;
}

int bench_options_read(int argc, char **argv, bench_options *options)
{
    *options = (bench_options){.device = "cpu", .rounds = 15};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(help, stdout);
            return -1;
        }
        if (strcmp(argv[i], "--cases") == 0) {
            options->cases = true;
        } else if (strcmp(argv[i], "--ways") == 0) {
            options->ways = true;
        } else if (strcmp(argv[i], "--bare") == 0) {
            options->bare = true;
        } else if (argv[i][0] != '-' && i == 1) {
            options->device = argv[i];
        } else if (i + 1 < argc && read_value(argv[i], argv[i + 1], options)) {
            i++;
        } else {
            fprintf(stderr, "bench_kernels: '%s' is not understood: see --help\n", argv[i]);
            return 2;
        }
    }
    return 0;
}
