/* SPDX-License-Identifier: Apache-2.0
 *
 * The command `convoke`: finds the sub-command and runs it.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static const command commands[] = {
    {"devices", "the CPU and every OpenCL device here", command_devices},
    {"info", "inputs, outputs, operators and sizes of a model", command_info},
    {"plan", "the scheduled steps: fusions, devices, kernels, memory", command_plan},
    {"run", "run a model on images or tensors", command_run},
    {"eval", "accuracy and speed over a data set", command_eval},
    {"bench", "time a model", command_bench},
    {"check", "run ONNX backend-test folders", command_check},
    {"compare", "the same input on two devices, step by step", command_compare},
    {"tune", "measure which kernels are best for a model, and keep that", command_tune},
    {"selftest", "every kernel against its reference; wrong ones are denied", command_selftest},
    {"cache", "the store of tuned and denied kernels and built programs", command_cache},
    {"zoo", "build a classic network and save it as ONNX", command_zoo},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

static int help(void)
{
    puts("convoke - convolutional networks on the CPU and on any OpenCL device\n\n"
         "usage: convoke COMMAND [OPTIONS]      (convoke COMMAND --help: its options)\n");
    for (int i = 0; i < N_COMMANDS; i++)
        printf("  %-9s %s\n", commands[i].name, commands[i].summary);
    puts("\n  --help     this text\n  --version  the version\n\n"
         "exit status: 0 done; 1 the answer is no; 2 wrong use; 3 bad model or input file;\n"
         "4 no such device or device failure; 5 out of memory");
    return DONE;
}

static int unknown(const char *name)
{
    char list[256] = "";
    for (int i = 0; i < N_COMMANDS; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "",
                 commands[i].name);
    return fail(WRONG_USE, "unknown command '%s': the commands are %s", name, list);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        help();
        return fail(WRONG_USE, "a command is missing");
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0)
        return help();
    if (strcmp(argv[1], "--version") == 0) {
        printf("convoke %s\n", cvk_version());
        return DONE;
    }
    for (int i = 0; i < N_COMMANDS; i++)
        if (strcmp(argv[1], commands[i].name) == 0) {
            int code = commands[i].run(argc - 1, argv + 1);
            if (fflush(stdout) || ferror(stdout))
                return fail(BAD_FILE, "the output cannot be written");
            return code;
        }
    return unknown(argv[1]);
}
