/* SPDX-License-Identifier: Apache-2.0
 *
 * One session on devices of several drivers: the CPU and PoCL, two OpenCL platforms, and all three.
 * Operators are split up by denying kernels; the results are those of the CPU alone. Only operators
 * whose kernels rusticl compiles in seconds.
 *     test_platforms A,B,...    (words of the drivers' names, or "cpu": "Portable,rusticl")
 */
#include "tests/model_text.h"
#include "tests/store_checks.h"

#include "backend/backend.h"
#include "schedule/denied.h"

enum { MOST_DEVICES = 3 };
static cvk_device *devices[MOST_DEVICES], *cpu;
static int n_devices;

static const char net[] =
    "in x 1x16x8x8; const s 16; const b 16; const m 16; const v 16 0.5 2\n"
    "n = BatchNormalization x s b m v; i = ArgMax n axis=1; c = Cast i to=1; j = ArgMin c axis=3\n"
    "out n c j";

static const char *const nodes[] = {"n", "i", "c", "j"};
static const cvk_op_kind ops[] = {CVK_OP_Affine, CVK_OP_ArgMax, CVK_OP_Cast, CVK_OP_ArgMin};
enum { NODES = 4 };

/* No device but `only` has kernels for operator k of the network. */
static void deny_elsewhere(int k, const cvk_device *only)
{
    cvk_store *store = cvk_store_open();
    for (int d = 0; d < n_devices; d++)
        for (int r = 0; r < devices[d]->n_kernels; r++) {
            const cvk_kernel *row = &devices[d]->kernels[r];
            if (row->op != ops[k]) continue;
            if (devices[d] == only)
                cvk_denied_drop(store, only, row);
            else
                assert_true(cvk_denied_write(store, devices[d], row, "a test"));
        }
    cvk_store_close(store);
}

/* With node k on device on[k]. */
static void expect_split(const cvk_model *model, const test_run *alone, const int *on)
{
    for (int k = 0; k < NODES; k++) deny_elsewhere(k, devices[on[k]]);
    test_run run = run_make(model, devices, n_devices, NULL);
    for (int k = 0; k < NODES; k++) {
        const cvk_step_info *step = step_of(run.session, nodes[k]);
        assert_non_null(step);
        if (strcmp(step->device, devices[on[k]]->info.id) != 0)
            fail_msg("'%s' is on %s, not on %s:\n%s", nodes[k], step->device,
                     devices[on[k]]->info.id, cvk_session_describe(run.session));
    }
    for (int again = 0; again < 2; again++) { /* nothing of the first run is left */
        run_once(&run);
        for (int i = 0; i < run.n_out; i++) {
            const double distance = tensor_distance(&run.out[i], &alone->out[i]);
            if (!(distance <= 1e-6))
                fail_msg("'%s': distance %g from the CPU alone", run.out[i].name, distance);
        }
    }
    run_free(&run);
}

static void every_split_gives_the_cpus_results(void **state)
{
    (void)state;
    cvk_model *model = model_text(net);
    test_run alone = run_make(model, &cpu, 1, NULL);
    run_once(&alone);
    for (int first = 0; first < n_devices; first++) {
        int same[NODES], turns[NODES];
        for (int k = 0; k < NODES; k++) {
            same[k] = first;
            turns[k] = (first + k) % n_devices;
        }
        expect_split(model, &alone, same);
        expect_split(model, &alone, turns);
    }
    run_free(&alone);
    cvk_model_free(&model);
}

/* The first device whose driver has the word in its name. */
static cvk_device *open_driver(const char *word)
{
    enum { MOST = 16 };
    cvk_device_info infos[MOST];
    cvk_device *device = NULL;
    int count = 0;
    if (strcmp(word, "cpu") == 0) return cvk_device_open("cpu", NULL, &device) ? NULL : device;
    if (cvk_device_list(infos, MOST, &count)) return NULL;
    for (int i = 0; i < count && i < MOST; i++)
        if (strstr(infos[i].driver, word))
            return cvk_device_open(infos[i].id, NULL, &device) ? NULL : device;
    return NULL;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_split_gives_the_cpus_results)};
    char words[128] = "";
    snprintf(words, sizeof words, "%s", argc > 1 ? argv[1] : "cpu");
    for (char *word = strtok(words, ","); word && n_devices < MOST_DEVICES;
         word = strtok(NULL, ",")) {
        devices[n_devices] = open_driver(word);
        if (!devices[n_devices++]) {
            printf("there is no driver '%s'\n", word);
            return 77;
        }
    }
    if (cvk_device_open("cpu", NULL, &cpu)) return 1;
    int failed = cmocka_run_group_tests(tests, set_up, tear_down);
    for (int d = 0; d < n_devices; d++) cvk_device_close(&devices[d]);
    cvk_device_close(&cpu);
    return failed;
}
