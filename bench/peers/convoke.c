/* SPDX-License-Identifier: Apache-2.0
 *
 * Convoke as one of the bench's adaptors, on the public interface alone: one network on one device,
 * which loads, runs and writes its outputs when it is told to. The protocol is that of adaptor.py:
 * a word per line on stdin, a JSON object per line on stdout. Nothing is converted: there is no
 * command for it here.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <convoke/convoke.h>

enum { MAX_TENSORS = 32, PAGE = 4096 };

typedef struct peer {
    const char *path, *device_spec, *work, *prefer;
    int threads;
    const char *input_names[MAX_TENSORS], *input_files[MAX_TENSORS], *output_names[MAX_TENSORS];
    int inputs, outputs;

    cvk_device *device;
    cvk_session *session;
    cvk_tensor in[MAX_TENSORS], out[MAX_TENSORS];
} peer;

static double now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return 1e3 * (double)time.tv_sec + 1e-6 * (double)time.tv_nsec;
}

/* One line that answers. */
static void say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

/* {"error": sentence}: what JSON cannot hold as it is becomes a blank or an apostrophe. */
static void say_error(const char *sentence)
{
    fputs("{\"error\": \"", stdout);
    for (const char *c = sentence; *c; c++)
        putchar(*c == '"' || *c == '\\' ? '\'' : (unsigned char)*c < ' ' ? ' ' : *c);
    say("\"}");
}

static void say_failure(void)
{
    say_error(cvk_last_error());
}

static cvk_status run(peer *p)
{
    return cvk_session_run(p->session, p->in, p->inputs, p->out, p->outputs);
}

/* Memory for each output, by name, of the shape that the session has planned. */
static const char *make_outputs(peer *p)
{
    cvk_tensor known;
    for (int i = 0; i < p->outputs; i++) {
        int at = 0;
        while (!cvk_session_output(p->session, at, &known) &&
               strcmp(known.name, p->output_names[i]) != 0)
            at++;
        if (cvk_session_output(p->session, at, &known)) return "no output of such a name";
        int64_t count = cvk_tensor_count(&known);
        if (count < 0) return "an output whose shape depends on data";
        p->out[i] = known;
        p->out[i].name = p->output_names[i];
        const size_t bytes = (size_t)count * cvk_dtype_bytes(known.dtype);
        p->out[i].data = aligned_alloc(PAGE, (bytes / PAGE + 1) * PAGE);
        if (!p->out[i].data) return "no memory for the outputs";
    }
    return NULL;
}

static cvk_status read_inputs(peer *p)
{
    cvk_status st = CVK_OK;
    for (int i = 0; !st && i < p->inputs; i++) {
        st = cvk_tensor_load(p->input_files[i], &p->in[i]);
        p->in[i].name = p->input_names[i];
    }
    return st;
}

static cvk_status make_session(peer *p)
{
    cvk_model *model = NULL;
    cvk_status st = cvk_model_load(p->path, &model);
    const cvk_session_options options = {.prefer_kernel = p->prefer};
    if (!st) st = cvk_session_create(model, &p->device, 1, &options, &p->session);
    cvk_model_free(&model);
    return st;
}

static void load(peer *p)
{
    cvk_device_options options = {.threads = p->threads};
    cvk_session_info info;
    cvk_status st = read_inputs(p);
    double start = now_ms();
    if (!st) st = cvk_device_open(p->device_spec, &options, &p->device);
    double opened = now_ms();
    if (!st) st = make_session(p);
    double loaded = now_ms();
    if (!st) st = cvk_session_get_info(p->session, &info);
    if (st) {
        say_failure();
        return;
    }
    const char *wrong = make_outputs(p);
    if (wrong) {
        say_error(wrong);
        return;
    }
    double ready = now_ms();
    if (run(p)) {
        say_failure();
        return;
    }
    say("{\"version\": \"%s\", \"start_ms\": %.4f, \"load_ms\": %.4f, \"first_ms\": %.4f, "
        "\"steps\": %d}",
        cvk_version(), opened - start, loaded - opened, now_ms() - ready, info.steps);
}

static void run_timed(peer *p, int warmup, int count)
{
    double *ms = calloc(count > 0 ? (size_t)count : 1, sizeof *ms);
    cvk_status st = ms ? CVK_OK : CVK_NO_MEMORY;
    for (int i = 0; !st && i < warmup; i++) st = run(p);
    for (int i = 0; !st && i < count; i++) {
        double start = now_ms();
        st = run(p);
        ms[i] = now_ms() - start;
    }
    if (st) {
        say_failure();
    } else {
        printf("{\"ms\": [");
        for (int i = 0; i < count; i++) printf("%s%.6f", i ? ", " : "", ms[i]);
        say("]}");
    }
    free(ms);
}

static void write_outputs(peer *p)
{
    char path[4096];
    cvk_status st = CVK_OK;
    for (int i = 0; !st && i < p->outputs; i++) {
        snprintf(path, sizeof path, "%s/output_%d.npy", p->work, i);
        st = cvk_tensor_save_npy(path, &p->out[i]);
    }
    if (st)
        say_failure();
    else
        say("{\"outputs\": %d}", p->outputs);
}

static void answer(peer *p, const char *line)
{
    int warmup, count;
    if (!strncmp(line, "load", 4) && !p->session)
        load(p);
    else if (!p->session)
        say_error("nothing is loaded");
    else if (sscanf(line, "run %d %d", &warmup, &count) == 2)
        run_timed(p, warmup, count);
    else if (!strncmp(line, "output", 6))
        write_outputs(p);
    else
        say_error("the commands are load, run WARMUP N, output");
}

static bool read_option(peer *p, const char *option, char *value)
{
    if (!strcmp(option, "--model")) {
        p->path = value;
    } else if (!strcmp(option, "--device")) {
        p->device_spec = value;
    } else if (!strcmp(option, "--work")) {
        p->work = value;
    } else if (!strcmp(option, "--prefer")) {
        p->prefer = value;
    } else if (!strcmp(option, "--threads")) {
        p->threads = atoi(value);
    } else if (!strcmp(option, "--output") && p->outputs < MAX_TENSORS) {
        p->output_names[p->outputs++] = value;
    } else if (!strcmp(option, "--input") && p->inputs < MAX_TENSORS && strrchr(value, '=')) {
        char *equals = strrchr(value, '=');
        *equals = '\0';
        p->input_names[p->inputs] = value;
        p->input_files[p->inputs++] = equals + 1;
    } else {
        return false;
    }
    return true;
}

static void close_peer(peer *p)
{
    cvk_session_free(&p->session);
    cvk_device_close(&p->device);
    for (int i = 0; i < p->inputs; i++) cvk_tensor_free_data(&p->in[i]);
    for (int i = 0; i < p->outputs; i++) free(p->out[i].data);
}

int main(int argc, char **argv)
{
    char line[256];
    peer p = {.device_spec = "cpu", .threads = 2};
    bool good = argc % 2 == 1;
    for (int i = 1; good && i < argc; i += 2) good = read_option(&p, argv[i], argv[i + 1]);
    if (!good || !p.path || !p.work) {
        fprintf(stderr, "usage: peer_convoke --model FILE --work FOLDER [--device D] [--threads N] "
                        "[--prefer ROW] --input NAME=FILE... --output NAME...\n");
        return 2;
    }
    say("{\"ready\": true}");
    while (fgets(line, sizeof line, stdin)) answer(&p, line);
    close_peer(&p);
    return 0;
}
