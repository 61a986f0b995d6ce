/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs: each .cl file with a set of defines is built once per device and kept until it closes,
 * and its binary is kept in the store (binary.c).
 * The text comes from the library (cmake/embed.cmake) or, while developing, from CONVOKE_CL_DIR.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/opencl/device.h"
#include "base/env.h"
#include "base/log.h"

struct cvk_cl_source {
    const char *name, *text;
    size_t bytes;
};
extern const struct cvk_cl_source cvk_cl_sources[];

/* A text and, if it had to be read, the memory that holds it. */
typedef struct text {
    const char *data;
    size_t bytes;
    char *owned;
} text;

static cvk_status text_read(const char *dir, const char *file, text *out)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", dir, file);
    FILE *in = fopen(path, "rb");
    if (!in) return cvk_fail(CVK_IO, "cannot open '%s' (CONVOKE_CL_DIR)", path);
    long bytes = fseek(in, 0, SEEK_END) ? -1 : ftell(in);
    char *data = bytes >= 0 ? malloc((size_t)bytes + 1) : NULL;
    rewind(in);
    bool whole = data && fread(data, 1, (size_t)bytes, in) == (size_t)bytes;
    fclose(in);
    if (!whole) {
        free(data);
        return cvk_fail(CVK_IO, "cannot read '%s' (CONVOKE_CL_DIR)", path);
    }
    *out = (text){.data = data, .bytes = (size_t)bytes, .owned = data};
    return CVK_OK;
}

static cvk_status text_find(const char *file, text *out)
{
    const char *dir = cvk_env_cl_dir();
    if (dir) return text_read(dir, file, out);
    for (const struct cvk_cl_source *s = cvk_cl_sources; s->name; s++) {
        if (strcmp(s->name, file) == 0) {
            *out = (text){.data = s->text, .bytes = s->bytes};
            return CVK_OK;
        }
    }
    return cvk_fail(CVK_DEVICE_FAILED, "there is no kernel file '%s'", file);
}

static cvk_status build_failed(cvk_cl_device *device, cl_program program, const char *file,
                               const char *options, cl_int code)
{
    char *log = NULL;
    size_t bytes = 0;
    cvk_cl.GetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, 0, NULL, &bytes);
    if (bytes) log = calloc(1, bytes + 1);
    if (log)
        cvk_cl.GetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, bytes, log, NULL);
    cvk_log(CVK_LOG_ERROR, "%s: build log of %s (%s):\n%s", device->base.info.id, file, options,
            log ? log : "");
    cvk_status status =
        cvk_fail(CVK_DEVICE_FAILED, "%s: %s does not build with '%s' (OpenCL error %d): %.600s",
                 device->base.info.id, file, options, code, log ? log : "no build log");
    free(log);
    return status;
}

static cvk_status build_source(cvk_cl_device *device, const char *file, const char *options,
                               const char *const data[2], const size_t bytes[2],
                               cl_program *program)
{
    cl_int code;
    cl_program made =
        cvk_cl.CreateProgramWithSource(device->context, 2, (const char **)data, bytes, &code);
    CVK_TRY(cvk_cl_check(code, "clCreateProgramWithSource"));
    double begin = cvk_cl_now_ms();
    code = cvk_cl.BuildProgram(made, 1, &device->id, options, NULL, NULL);
    if (code != CL_SUCCESS) {
        cvk_status status = build_failed(device, made, file, options, code);
        cvk_cl.ReleaseProgram(made);
        return status;
    }
    cvk_log(CVK_LOG_DEBUG, "%s: built %s '%s' in %.0f ms", device->base.info.id, file, options,
            cvk_cl_now_ms() - begin);
    *program = made;
    return CVK_OK;
}

/* From the store if an earlier process left it there, else from the text, for the next one. */
static cvk_status build_texts(cvk_cl_device *device, const char *file, const char *defines,
                              const text *parts, cl_program *program)
{
    char options[512];
    const char *const data[2] = {parts[0].data, parts[1].data};
    const size_t bytes[2] = {parts[0].bytes, parts[1].bytes};
    int length = snprintf(options, sizeof options, "%s%s", device->options, defines);
    if (length < 0 || (size_t)length >= sizeof options)
        return cvk_fail(CVK_DEVICE_FAILED, "%s: build options of %d characters are too long", file,
                        length);
    cvk_cl_key key;
    cvk_cl_key_make(device, options, data, bytes, &key);
    double begin = cvk_cl_now_ms();
    cvk_status status = CVK_OK;
    *program = cvk_cl_binary_load(device, &key, options);
    if (*program) {
        cvk_log(CVK_LOG_DEBUG, "%s: loaded %s '%s' from the store in %.0f ms", device->base.info.id,
                file, options, cvk_cl_now_ms() - begin);
    } else {
        status = build_source(device, file, options, data, bytes, program);
        if (!status) cvk_cl_binary_save(device, &key, *program);
    }
    free(key.data);
    return status;
}

static cvk_status build(cvk_cl_device *device, const char *file, const char *defines,
                        cl_program *program)
{
    text parts[2] = {{0}, {0}};
    cvk_status status = text_find("common.cl", &parts[0]);
    if (!status) status = text_find(file, &parts[1]);
    if (!status) status = build_texts(device, file, defines, parts, program);
    free(parts[0].owned);
    free(parts[1].owned);
    return status;
}

/* Under the device's lock. */
static cvk_status find_program(cvk_cl_device *device, const char *file, const char *defines,
                               cl_program *program)
{
    const size_t bytes = strlen(file) + strlen(defines) + 2;
    cvk_cl_program *entry = calloc(1, sizeof *entry + bytes);
    if (!entry)
        return cvk_fail(CVK_NO_MEMORY, "%s: no memory for program %s", device->base.info.id, file);
    snprintf(entry->key, bytes, "%s %s", file, defines);
    for (cvk_cl_program *known = device->programs; known; known = known->next) {
        if (strcmp(known->key, entry->key) == 0) {
            *program = known->program;
            free(entry);
            return CVK_OK;
        }
    }
    cvk_status status = build(device, file, defines, &entry->program);
    if (status) {
        free(entry);
        return status;
    }
    entry->next = device->programs;
    device->programs = entry;
    *program = entry->program;
    return CVK_OK;
}

cvk_status cvk_cl_kernel(cvk_device *device, cvk_step *step, const char *file, const char *defines,
                         const char *kernel, cvk_cl_launch *launch)
{
    (void)step;
    cvk_cl_device *cl = cvk_cl_device_of(device);
    cl_program program = NULL;
    cl_int code = CL_SUCCESS;
    pthread_mutex_lock(&device->lock);
    cvk_status status = find_program(cl, file, defines, &program);
    if (!status) launch->kernel = cvk_cl.CreateKernel(program, kernel, &code);
    pthread_mutex_unlock(&device->lock);
    if (!status && code != CL_SUCCESS)
        status = cvk_fail(CVK_DEVICE_FAILED, "%s: no kernel '%s' in %s (OpenCL error %d)",
                          device->info.id, kernel, file, code);
    return status;
}

void cvk_cl_kernel_release(cvk_cl_launch *launch)
{
    if (launch->kernel) cvk_cl.ReleaseKernel(launch->kernel);
    launch->kernel = NULL;
}

void cvk_cl_programs_free(cvk_cl_device *device)
{
    while (device->programs) {
        cvk_cl_program *entry = device->programs;
        device->programs = entry->next;
        cvk_cl.ReleaseProgram(entry->program);
        free(entry);
    }
    cvk_store_close(device->store);
}
