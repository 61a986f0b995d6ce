/* SPDX-License-Identifier: Apache-2.0
 *
 * What every sub-command shares: the table of commands, exit codes, sentences of failure, memory
 * that ends the command when there is none, JSON values that may be missing. No command's own
 * logic.
 */
#ifndef CVK_CLI_CLI_H
#define CVK_CLI_CLI_H

#include <convoke/convoke.h>
#include <jansson.h>

enum exit_code {
    DONE = 0,
    ANSWER_NO = 1,
    WRONG_USE = 2,
    BAD_FILE = 3,
    NO_DEVICE = 4,
    NO_MEMORY = 5
};

typedef struct command {
    const char *name, *summary;
    int (*run)(int argc, char **argv); /* returns an exit code */
} command;

int command_devices(int argc, char **argv);
int command_info(int argc, char **argv);
int command_plan(int argc, char **argv);
int command_run(int argc, char **argv);
int command_eval(int argc, char **argv);
int command_bench(int argc, char **argv);
int command_check(int argc, char **argv);
int command_compare(int argc, char **argv);
int command_tune(int argc, char **argv);
int command_selftest(int argc, char **argv);
int command_cache(int argc, char **argv);
int command_zoo(int argc, char **argv);

/* Prints one sentence on stderr and returns `code`. */
int fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for a status of the library with its sentence; DONE, and silence, for CVK_OK. */
int fail_status(cvk_status status);
int exit_code_of(cvk_status status);

/* Zeroed memory; ends the command with code 5 if there is none. Free with free(). */
void *need(size_t count, size_t bytes);
/* Zeroed memory for a tensor, on pages of its own, which any device can use where they lie. */
void *need_tensor(const cvk_tensor *tensor);
void *need_more(void *old, size_t count, size_t bytes); /* realloc, not zeroed */
char *need_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

double now_ms(void);

/* JSON values: bytes that are no UTF-8 become '?', numbers that are not finite become null. */
json_t *json_text(const char *text);
json_t *json_number(double value);
json_t *json_shape(const cvk_tensor *tensor); /* free dimensions are null */
/* Prints and releases; returns DONE, or NO_MEMORY if the object could not be made. */
int json_print(json_t *object);
/* The only run's object, or {"runs": [...]} where there are or could be several. Keeps `runs`. */
void json_print_runs(json_t *runs, bool several);

/* "1x3x224x224"; free dimensions by their name or "?". */
void shape_text(const cvk_tensor *tensor, const char *const *names, char *text, size_t size);

#endif
