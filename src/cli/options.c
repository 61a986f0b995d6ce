/* SPDX-License-Identifier: Apache-2.0
 *
 * Options from tables. getopt_long finds them; the values are read here.
 */
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OPTIONS = 40, LONG_BASE = 1000 };

typedef struct all_rows {
    option_row rows[MAX_OPTIONS];
    int count;
    bool help;
} all_rows;

void text_list_add(text_list *list, const char *item)
{
    list->items = need_more(list->items, (size_t)list->count + 1, sizeof *list->items);
    list->items[list->count++] = item;
}

bool parse_dims(const char *text, cvk_tensor *tensor)
{
    tensor->rank = 0;
    for (;;) {
        char *end;
        errno = 0;
        long long dim = strtoll(text, &end, 10);
        if (end == text || errno || dim < 1 || tensor->rank == CVK_MAX_RANK) return false;
        tensor->dims[tensor->rank++] = dim;
        if (!*end) return true;
        if (*end != 'x' && *end != ',') return false;
        text = end + 1;
    }
}

/* A number, a quotient "a/b" or a percentage; *end is the first character behind it. */
static bool parse_real(const char *text, double *value, char **end)
{
    *value = strtod(text, end);
    if (*end == text) return false;
    if (**end == '/') {
        const char *below = *end + 1;
        double divisor = strtod(below, end);
        if (*end == below || divisor == 0) return false;
        *value /= divisor;
    } else if (**end == '%') {
        *value /= 100;
        ++*end;
    }
    return isfinite(*value);
}

static bool parse_reals(const char *text, double value[3])
{
    char *end;
    int n = 0;
    do {
        if (n == 3 || !parse_real(text, &value[n++], &end)) return false;
        text = end + 1;
    } while (*end == ',');
    if (n == 1) value[1] = value[2] = value[0];
    return !*end && n != 2;
}

static bool parse_bytes(const char *text, size_t *value)
{
    char *end;
    errno = 0;
    unsigned long long bytes = strtoull(text, &end, 10);
    const char *units = "KMG", *unit = *end ? strchr(units, *end) : NULL;
    unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
    if (end == text || *text == '-' || errno || end[unit != NULL] || bytes > (SIZE_MAX >> shift))
        return false;
    *value = (size_t)bytes << shift;
    return true;
}

static bool parse_whole(const char *text, unsigned long long most, unsigned long long *value)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return end != text && !*end && *text != '-' && !errno && *value <= most;
}

static bool parse_value(const option_row *row, const char *text)
{
    unsigned long long whole;
    cvk_tensor size = {0};
    char *end;
    switch (row->kind) {
    case OPTION_FLAG: *(bool *)row->target = true; return true;
    case OPTION_COUNT:
        if (!parse_whole(text, INT_MAX, &whole) || whole == 0) return false;
        *(int *)row->target = (int)whole;
        return true;
    case OPTION_SEED:
        if (!parse_whole(text, UINT64_MAX, &whole)) return false;
        *(uint64_t *)row->target = whole;
        return true;
    case OPTION_BYTES: return parse_bytes(text, row->target);
    case OPTION_REAL:
        return parse_real(text, row->target, &end) && !*end && *(double *)row->target >= 0;
    case OPTION_REALS: return parse_reals(text, row->target);
    case OPTION_SIZE:
        if (!parse_dims(text, &size) || size.rank != 2 || size.dims[0] > 65536 ||
            size.dims[1] > 65536)
            return false;
        ((int *)row->target)[0] = (int)size.dims[0];
        ((int *)row->target)[1] = (int)size.dims[1];
        return true;
    case OPTION_TEXT: *(const char **)row->target = text; return true;
    case OPTION_LIST: text_list_add(row->target, text); return true;
    }
    return false;
}

static const char *expected(option_kind kind)
{
    switch (kind) {
    case OPTION_COUNT: return "a whole number from 1";
    case OPTION_SEED: return "a whole number";
    case OPTION_BYTES: return "a number of bytes, with K, M or G if need be";
    case OPTION_REAL: return "a number (1/255 and 90% are numbers too)";
    case OPTION_REALS: return "one number or three, such as 0.485,0.456,0.406";
    case OPTION_SIZE: return "a size such as 256x256";
    default: return "a value";
    }
}

static void add(all_rows *all, const option_row *rows)
{
    for (; rows && rows->name && all->count < MAX_OPTIONS; rows++) all->rows[all->count++] = *rows;
}

static void collect(const usage *u, shared_options *s, all_rows *all)
{
    const option_row device[] = {
        {"device", OPTION_TEXT, &s->device, "NAME",
         "auto (default), cpu, opencl, opencl:N or opencl:part-of-name; several with commas", 0},
        {"threads", OPTION_COUNT, &s->threads, "N", "CPU: worker threads (default: all cores)", 0},
        {"isa", OPTION_TEXT, &s->isa, "LEVEL", "CPU: not above scalar, avx2, avx512 or neon", 0},
        {0}};
    const option_row go_on[] = {{"continue-on-cpu", OPTION_FLAG, &s->continue_on_cpu, NULL,
                                 "if a device fails, go on on the CPU, with a warning", 0},
                                {0}};
    const option_row shape[] = {{"shape", OPTION_LIST, &s->shapes, "NAME=DIMS",
                                 "shape of an input with free dimensions: data=1x3x224x224", 0},
                                {0}};
    const option_row plan[] = {
        {"no-fuse", OPTION_FLAG, &s->no_fuse, NULL, "every node stays a step of its own", 0},
        {"fuse", OPTION_TEXT, &s->fuse, "LIST",
         "only these fusions: quantise, rewrite, fold, map, gate, add, act, pool, bottleneck, "
         "concat, choice",
         0},
        {"workspace", OPTION_BYTES, &s->workspace, "BYTES",
         "upper bound of scratch memory (K, M, G)", 0},
        {"memory", OPTION_BYTES, &s->memory, "BYTES",
         "what a plan may take of a device; a larger batch is run in parts (K, M, G)", 0},
        {"split-batch", OPTION_FLAG, &s->split_batch, NULL,
         "the devices of --device share the batch, by predicted speed", 0},
        {"tolerance", OPTION_REAL, &s->tolerance, "X",
         "relative L2 error that a layer may have so that a faster algorithm is taken: 1e-5", 0},
        {"prefer", OPTION_TEXT, &s->prefer, "NAME",
         "this kernel row wherever it accepts, such as clblast or conv_plain", 0},
        {"precision", OPTION_TEXT, &s->precision, "TYPE",
         "f32 (default): weights as the model has them; f16: those of fully connected layers in 16 "
         "bits",
         0},
        {0}};
    const option_row image[] = {
        {"scale", OPTION_REAL, &s->scale, "S",
         "pixels 0..255 are multiplied by S, such as 1/255 (default 1)", 0},
        {"mean", OPTION_REALS, &s->mean, "R,G,B", "then this is subtracted", 0},
        {"std", OPTION_REALS, &s->std, "R,G,B", "then divided by this", 0},
        {"bgr", OPTION_FLAG, &s->bgr, NULL, "the model wants blue, green, red", 0},
        {"nhwc", OPTION_FLAG, &s->nhwc, NULL, "the model wants channels last", 0},
        {"resize", OPTION_SIZE, &s->resize, "WxH",
         "resize pictures to this first (default: the input's size)", 0},
        {"crop", OPTION_TEXT, &s->crop, "center",
         "cut the middle: after --resize the input's size, else the largest part with the input's "
         "proportions",
         0},
        {0}};
    const option_row every[] = {
        {"json", OPTION_FLAG, &s->json, NULL, "one JSON object on stdout", 0},
        {"verbose", OPTION_FLAG, &s->verbose, NULL, "what the library does, on stderr", 0},
        {"help", OPTION_FLAG, &all->help, NULL, "this text", 'h'},
        {0}};
    add(all, u->rows);
    if (u->groups & TAKES_IMAGE) add(all, image);
    if (u->groups & TAKES_DEVICE) add(all, device);
    if (u->groups & TAKES_CONTINUE) add(all, go_on);
    if (u->groups & TAKES_SHAPE) add(all, shape);
    if (u->groups & TAKES_PLAN) add(all, plan);
    add(all, every);
}

static int print_help(const usage *u, const all_rows *all)
{
    printf("usage: convoke %s\n\n%s\n\n", u->synopsis, u->about);
    for (int i = 0; i < all->count; i++) {
        const option_row *row = &all->rows[i];
        char left[64];
        snprintf(left, sizeof left, "%s%c%s--%s %s", row->letter ? "-" : "",
                 row->letter ? row->letter : ' ', row->letter ? ", " : "", row->name,
                 row->value ? row->value : "");
        printf("  %-24s %s\n", left + (row->letter ? 0 : 1), row->help);
    }
    return DONE;
}

static void log_line(void *user, cvk_log_level level, const char *message)
{
    static const char *const names[] = {"", "error", "warning", "info", "debug"};
    (void)user;
    fprintf(stderr, "convoke: %s: %s\n", names[level], message);
}

/* What the values must be beyond their form. */
static int check_values(const shared_options *s)
{
    const char *precision = s->precision ? s->precision : "f32";
    if (strcmp(precision, "int8") == 0)
        return fail(WRONG_USE, "--precision int8 is not available: only f32 and f16 are; quantised "
                               "models compute in 8 bits without it");
    if (strcmp(precision, "f32") != 0 && strcmp(precision, "f16") != 0)
        return fail(WRONG_USE, "--precision '%s': expected f32 or f16", precision);
    if (s->crop && strcmp(s->crop, "center") != 0 && strcmp(s->crop, "centre") != 0)
        return fail(WRONG_USE, "--crop '%s': expected 'center'", s->crop);
    for (int i = 0; i < 3; i++)
        if (s->std[i] == 0) return fail(WRONG_USE, "--std must not be 0");
    if (s->scale == 0) return fail(WRONG_USE, "--scale must not be 0");
    return GO_ON;
}

/* Runs getopt_long over the rows; GO_ON or an exit code. */
static int scan(const all_rows *all, int argc, char **argv)
{
    struct option longs[MAX_OPTIONS + 1] = {{0}};
    char shorts[2 * MAX_OPTIONS + 2] = ":";
    for (int i = 0; i < all->count; i++) {
        const option_row *row = &all->rows[i];
        bool has_value = row->kind != OPTION_FLAG;
        longs[i] = (struct option){row->name, has_value ? required_argument : no_argument, NULL,
                                   LONG_BASE + i};
        if (row->letter) {
            char two[3] = {row->letter, has_value ? ':' : '\0', '\0'};
            strcat(shorts, two);
        }
    }
    opterr = 0;
    optind = 1;
    for (int got; (got = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        if (got == ':')
            return fail(WRONG_USE, "%s: option '%s' needs a value", argv[0], argv[optind - 1]);
        if (got == '?')
            return fail(WRONG_USE, "%s: wrong option '%s': see convoke %s --help", argv[0],
                        argv[optind - 1], argv[0]);
        int index = got - LONG_BASE;
        for (int i = 0; got < LONG_BASE && i < all->count; i++)
            if (all->rows[i].letter == got) index = i;
        const option_row *row = &all->rows[index];
        if (!parse_value(row, optarg))
            return fail(WRONG_USE, "%s: --%s '%s': expected %s", argv[0], row->name, optarg,
                        expected(row->kind));
    }
    return GO_ON;
}

int options_read(const usage *u, shared_options *shared, int argc, char **argv, char ***words,
                 int *count)
{
    all_rows all = {.count = 0};
    *shared = (shared_options){.scale = 1, .std = {1, 1, 1}};
    collect(u, shared, &all);
    int code = scan(&all, argc, argv);
    if (code == GO_ON && all.help) code = print_help(u, &all);
    if (code == GO_ON) code = check_values(shared);
    *words = argv + optind;
    *count = argc - optind;
    if (code == GO_ON && *count < u->min_words)
        code = fail(WRONG_USE, "%s: an argument is missing: convoke %s", argv[0], u->synopsis);
    if (code == GO_ON && u->max_words >= 0 && *count > u->max_words)
        code = fail(WRONG_USE, "%s: '%s' is one argument too many: convoke %s", argv[0],
                    (*words)[u->max_words], u->synopsis);
    if (code != GO_ON)
        options_free(shared);
    else if (shared->verbose || shared->prefer) /* that no step takes the row is a warning */
        cvk_log_set(log_line, NULL, shared->verbose ? CVK_LOG_DEBUG : CVK_LOG_WARN);
    return code;
}

void options_free(shared_options *shared)
{
    free(shared->shapes.items);
    shared->shapes.items = NULL;
}
