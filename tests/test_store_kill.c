/* SPDX-License-Identifier: Apache-2.0
 *
 * A process that writes to the store is killed, again and again, at moments of a fixed seed: after
 * each time the store holds what was put there or does not, with nothing damaged, and sessions work.
 *     test_store_kill                  the test
 *     test_store_kill FILE SEED FD     the process: reads FILE into the store and writes other
 *                                      entries, for ever, once it has written a byte to FD
 */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "backend/backend.h"
#include "tests/model_reference.h"
#include "tests/store_checks.h"

enum { KILLS = 100, KEYS = 40, MOST_BYTES = 150000 };
static const double longest_ms = 30;
static const char *program;

static const char net[] = "in x 1x3x10x9; const w 16x3x3x3; const b 16; c = Conv x w b "
                          "pads=[1,1,1,1]; r = Relu c; const v 16x16x3x3; d = Conv r v "
                          "pads=[1,1,1,1]; y = MaxPool d kernel_shape=[2,2]; out y";

/* The process that is killed. */

static void write_entry(cvk_store *store, uint64_t seed, uint64_t i, char *data)
{
    static const char *const kinds[] = {"opencl program", "tuned row"};
    char key[32];
    size_t bytes = (size_t)seeded(seed, 3 * i, 1, i % 2 ? 200 : MOST_BYTES);
    snprintf(key, sizeof key, "entry %d", (int)seeded(seed, 3 * i + 1, 0, KEYS));
    memset(data, 'a' + (int)(i % 26), bytes);
    cvk_store_put(store, kinds[i % 2], key, strlen(key), data, bytes);
}

static int write_for_ever(const char *from, uint64_t seed, int ready)
{
    static char data[MOST_BYTES];
    if (write(ready, "", 1) != 1) return 1;
    for (uint64_t i = 0;; i++) {
        cvk_store *store = cvk_store_open();
        for (int k = 0; k < 8; k++) write_entry(store, seed, 8 * i + (uint64_t)k, data);
        cvk_store_close(store);
        cvk_cache_import(from, NULL);
        if (i % 16 == 15) cvk_cache_clear(NULL);
    }
}

/* The test. */

static void run_and_compare(cvk_device *device, const char *what)
{
    cvk_model *model = model_text(net);
    test_run run = run_make(model, &device, 1, NULL);
    run_once(&run);
    double distance = distance_to_reference(model, &run);
    if (!(distance < 1e-5)) fail_msg("%s: distance %g", what, distance);
    run_free(&run);
    cvk_model_free(&model);
}

/* Its programs come from the store. False: there is no such device. */
static bool run_on_opencl(void)
{
    cvk_device *device = NULL;
    if (cvk_device_open("opencl", NULL, &device) != CVK_OK) return false;
    device->caps.bits &= ~(uint32_t)CVK_CAP_CPU; /* as on a device that compiles ahead */
    run_and_compare(device, "opencl");
    cvk_device_close(&device);
    return true;
}

/* A process that has begun to write, killed some time later. */
static void start_and_kill(const char *from, int round)
{
    char seed[16], fd[16], byte;
    int ends[2], status = 0;
    assert_int_equal(pipe(ends), 0);
    snprintf(seed, sizeof seed, "%d", round);
    snprintf(fd, sizeof fd, "%d", ends[1]);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        execl(program, program, from, seed, fd, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    if (read(ends[0], &byte, 1) != 1) fail_msg("the process did not start");
    close(ends[0]);
    const double ms = seeded(99, (uint64_t)round, 0, round % 4 ? longest_ms : 3);
    nanosleep(&(struct timespec){.tv_nsec = (long)(ms * 1e6)}, NULL);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* A file to import: a tuned row, programs if there is an OpenCL device, and entries of no use. */
static bool make_export(cvk_device *cpu, const char *path)
{
    cvk_model *model = model_text(net);
    expect_ok(cvk_tune(model, &cpu, 1, NULL, NULL, NULL), "tune");
    cvk_model_free(&model);
    bool opencl = run_on_opencl();
    cvk_store *store = open_store();
    char data[2000];
    for (int i = 0; i < 20; i++) {
        memset(data, 'A' + i, sizeof data - 1);
        data[sizeof data - 1] = 0;
        assert_true(put(store, data + sizeof data - 2 - i, data));
    }
    cvk_store_close(store);
    expect_ok(cvk_cache_export(path, NULL), "export");
    return opencl;
}

static void killed_while_it_writes(void **state)
{
    (void)state;
    char from[96], journal[128];
    int in_a_write = 0, empty = 0;
    int64_t entries = 0;
    cvk_device *cpu = NULL;
    expect_ok(cvk_device_open("cpu", NULL, &cpu), "cpu");
    snprintf(from, sizeof from, "%s/exported", folder);
    snprintf(journal, sizeof journal, "%s-journal", file);
    bool opencl = make_export(cpu, from);
    warnings = 0;
    for (int round = 0; round < KILLS; round++) {
        cvk_cache_sum sum = {0};
        struct stat info;
        if (round % 4 == 0) unlink(file); /* the next one is stopped soon after it made it anew */
        start_and_kill(from, round);
        in_a_write += access(journal, F_OK) == 0;
        empty += stat(file, &info) != 0 || info.st_size == 0;
        expect_ok(cvk_cache_visit(NULL, NULL, &sum), "verify");
        if (sum.damaged) fail_msg("kill %d: %d entries are damaged", round, (int)sum.damaged);
        entries += sum.rows;
        run_and_compare(cpu, "cpu");
        if (opencl && round % 5 == 0) run_on_opencl();
        expect_working();
    }
    cvk_device_close(&cpu);
    printf("%d processes killed, %d of them in the midst of a write, %d before there was anything "
           "in the file: store intact each time, %lld entries read\n",
           KILLS, in_a_write, empty, (long long)entries);
    assert_int_equal(warnings, 0);
    assert_true(in_a_write > 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(killed_while_it_writes),
    };
    if (argc == 4)
        return write_for_ever(argv[1], (uint64_t)strtol(argv[2], NULL, 10), atoi(argv[3]));
    program = argv[0];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
