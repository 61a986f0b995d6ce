/* SPDX-License-Identifier: Apache-2.0
 *
 * GNU long options from a table: a command lists its own options and the groups of shared ones that
 * it takes; parsing and --help come from the same rows.
 */
#ifndef CVK_CLI_OPTIONS_H
#define CVK_CLI_OPTIONS_H

#include "cli/cli.h"

/* How an option's value is read, and the type of its target. */
typedef enum option_kind {
    OPTION_FLAG,  /* bool */
    OPTION_COUNT, /* int, 1 or more */
    OPTION_BYTES, /* size_t; K, M, G as suffix */
    OPTION_SEED,  /* uint64_t */
    OPTION_REAL,  /* double, not negative; "1/255" and "90%" are numbers too */
    OPTION_REALS, /* double[3]: one for all or three with commas */
    OPTION_SIZE,  /* int[2]: "WIDTHxHEIGHT" */
    OPTION_TEXT,  /* const char * */
    OPTION_LIST   /* text_list: may be given several times */
} option_kind;

typedef struct text_list {
    const char **items;
    int count;
} text_list;

typedef struct option_row {
    const char *name;
    option_kind kind;
    void *target;
    const char *value; /* what --help calls the value */
    const char *help;
    char letter; /* short form; 0: none */
} option_row;

/* Groups of shared options; --verbose, --json and --help are in every command. */
enum { TAKES_DEVICE = 1, TAKES_PLAN = 2, TAKES_IMAGE = 4, TAKES_SHAPE = 8, TAKES_CONTINUE = 16 };

typedef struct shared_options {
    /* TAKES_DEVICE */
    const char *device, *isa;
    int threads;
    /* TAKES_CONTINUE */
    bool continue_on_cpu;
    /* TAKES_SHAPE */
    text_list shapes;
    /* TAKES_PLAN */
    bool no_fuse;
    const char *fuse;
    size_t workspace, memory;
    bool split_batch;
    double tolerance;
    const char *prefer; /* a kernel row, or NULL */
    const char *precision; /* "f32", "f16" or NULL */
    /* TAKES_IMAGE */
    double mean[3], std[3], scale;
    bool bgr, nhwc;
    int resize[2];
    const char *crop;

    bool verbose, json;
} shared_options;

typedef struct usage {
    const char *synopsis, *about;
    const option_row *rows; /* ended by a row without name; may be NULL */
    unsigned groups;
    int min_words, max_words; /* arguments that are no options; max -1: any number */
} usage;

enum { GO_ON = -1 };

/* Reads the options; what is left is in *words. Returns GO_ON, or the exit code to end with (help,
 * wrong use). Switches logging on for --verbose. */
int options_read(const usage *usage, shared_options *shared, int argc, char **argv, char ***words,
                 int *count);
void options_free(shared_options *shared);

void text_list_add(text_list *list, const char *item);
/* Parses "1x3x224x224" into a tensor's rank and dims. */
bool parse_dims(const char *text, cvk_tensor *tensor);

#endif
