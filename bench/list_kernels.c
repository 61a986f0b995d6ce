/* SPDX-License-Identifier: Apache-2.0
 *
 * Every OpenCL kernel with the defines that it would be built with on a GPU, as the rows ask for
 * them on the problems of src/selftest/op_cases.def and of the lists given: one line for each, file,
 * kernel and defines with tabs between them. For scripts/gpu-static, which compiles them without a
 * GPU: the device that is asked is any OpenCL device, taken for one whose lanes are work-items.
 *
 *     list_kernels [DEVICE] [LAYERS...]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/devices.h"
#include "backend/opencl/device.h"
#include "schedule/trial.h"
#include "selftest/case.h"

enum { LINE = 1024, FIELDS = 5, LOCAL_BYTES = 32 << 10, UNITS = 64 };

static cvk_device *device;

static void tell(const cvk_step *step)
{
    const cvk_cl_work *work = step->state;
    for (const cvk_cl_stage *s = work ? work->first : NULL; s; s = s->next)
        if (s->launch.request)
            printf("%s\t%s\t%s%s-DPOSTS=%d\n", s->launch.request->file, s->launch.request->kernel,
                   s->launch.request->defines, *s->launch.request->defines ? " " : "",
                   s->launch.request->posts);
}

static cvk_status list_node(cvk_scheduler *s, const cvk_node *node)
{
    for (int r = 0; r < device->n_kernels; r++) {
        const cvk_kernel *row = &device->kernels[r];
        const char *why = "";
        cvk_step step;
        if (row->op != node->op || !cvk_place_accepts(s, node, 0, row, &why)) continue;
        cvk_status status = cvk_step_make(s, node, device, row, &step);
        if (!status) tell(&step);
        cvk_step_unmake(device, &step);
        if (status) return status;
    }
    return CVK_OK;
}

static cvk_status list_case(const cvk_case *c)
{
    cvk_arena *arena = cvk_arena_create();
    cvk_graph *graph;
    cvk_status status = arena ? cvk_case_graph(arena, c, &graph) : CVK_NO_MEMORY;
    if (!status) {
        cvk_plan plan = {.arena = arena, .graph = graph, .devices = &device, .n_devices = 1};
        cvk_schedule_options options = {0};
        cvk_scheduler s = {
            .plan = &plan, .graph = graph, .devices = &device, .n_devices = 1, .options = &options};
        for (int i = 0; !status && i < graph->n_nodes; i++)
            if (!cvk_is_alias(&graph->nodes[i])) status = list_node(&s, &graph->nodes[i]);
    }
    cvk_arena_free(&arena);
    return status;
}

/* "name | op | inputs | attributes | posts", as bench_kernels reads it. */
static cvk_status list_line(char *line)
{
    char *field[FIELDS] = {0};
    line[strcspn(line, "\n")] = '\0';
    if (*line == '#' || !*line) return CVK_OK;
    for (int i = 0; i < FIELDS && line; i++) {
        line += strspn(line, " ");
        field[i] = line;
        line = strchr(line, '|');
        if (line) *line++ = '\0';
        for (char *end = field[i] + strlen(field[i]); end > field[i] && end[-1] == ' ';)
            *--end = '\0';
    }
    if (!field[4]) return cvk_fail(CVK_BAD_ARGUMENT, "'%s' is not of five fields", field[0]);
    return list_case(
        &(cvk_case){.op = field[1], .inputs = field[2], .attrs = field[3], .posts = field[4]});
}

static cvk_status list_file(const char *path)
{
    char line[LINE];
    FILE *in = fopen(path, "r");
    if (!in) return cvk_fail(CVK_IO, "cannot open '%s'", path);
    cvk_status status = CVK_OK;
    while (!status && fgets(line, sizeof line, in)) status = list_line(line);
    fclose(in);
    return status;
}

int main(int argc, char **argv)
{
    cvk_status status = cvk_devices_open(argc > 1 ? argv[1] : "opencl", NULL, &device);
    if (status) {
        fprintf(stderr, "list_kernels: %s\n", cvk_last_error());
        return 4;
    }
    device->caps.bits &= ~(uint32_t)(CVK_CAP_CPU | CVK_CAP_CLBLAST | CVK_CAP_UNIFIED);
    device->caps.vector_floats = 1;
    device->caps.units = UNITS;
    if (device->caps.local_bytes > LOCAL_BYTES) device->caps.local_bytes = LOCAL_BYTES;
    for (cvk_case c = {.op = NULL}; !status && cvk_case_next(&c);) status = list_case(&c);
    for (int i = 2; !status && i < argc; i++) status = list_file(argv[i]);
    if (status) fprintf(stderr, "list_kernels: %s\n", cvk_last_error());
    device->backend->close(device);
    return status != CVK_OK;
}
