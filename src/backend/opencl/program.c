/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs: the kernels that a list of launches asks for and that the device has not built yet become
 * one program (compose.c), or one for each way to build common.cl. It is kept until the device closes,
 * and its binary in the store (binary.c).
 * The text comes from the library (cmake/embed.cmake) or, while developing, from CONVOKE_CL_DIR.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/opencl/compose.h"
#include "backend/opencl/device.h"
#include "base/env.h"
#include "base/log.h"

struct cvk_cl_source {
    const char *name, *text;
    size_t bytes;
};
extern const struct cvk_cl_source cvk_cl_sources[];

/* A text, a zero behind it, and, if it had to be read, the memory that holds it. */
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
    data[bytes] = '\0';
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

/* A kernel that is to be built. Its defines: those of common.cl, and those of the file alone. */
typedef struct want {
    const cvk_cl_request *request;
    int posts;
    char *common, *own;
} want;

static bool is_common(const char *define, size_t length)
{
    static const char *const known[] = {"-DHALF=1", "-DACT_RARE=1"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i]) == length && memcmp(define, known[i], length) == 0) return true;
    return false;
}

/* Each define with a blank before it. */
static bool split_defines(want *w)
{
    const char *p = w->request->defines;
    const size_t room = strlen(p) + 2;
    w->common = calloc(2, room);
    if (!w->common) return false;
    w->own = w->common + room;
    while (*(p += strspn(p, " "))) {
        const size_t length = strcspn(p, " ");
        char *to = is_common(p, length) ? w->common : w->own;
        to += strlen(to);
        *to++ = ' ';
        memcpy(to, p, length);
        p += length;
    }
    return true;
}

static int by_section(const void *a, const void *b)
{
    const want *x = a, *y = b;
    int order = strcmp(x->common, y->common);
    if (!order) order = strcmp(x->request->file, y->request->file);
    return order ? order : strcmp(x->own, y->own);
}

/* In an order that depends only on what is wanted: the same text each time. */
static int by_kernel(const void *a, const void *b)
{
    const want *x = a, *y = b;
    const int order = by_section(a, b);
    return order ? order : strcmp(x->request->kernel, y->request->kernel);
}

static bool same_request(const cvk_cl_request *a, const cvk_cl_request *b)
{
    return strcmp(a->kernel, b->kernel) == 0 && strcmp(a->file, b->file) == 0 &&
           strcmp(a->defines, b->defines) == 0;
}

static const cvk_cl_built *find_built(const cvk_cl_device *device, const cvk_cl_request *request)
{
    const cvk_cl_built *built = device->built;
    while (built &&
           !(same_request(built->request, request) && built->request->posts >= request->posts))
        built = built->next;
    return built;
}

bool cvk_cl_is_built(cvk_device *device, const char *file, const char *defines, int posts,
                     const char *kernel)
{
    cvk_cl_launch asked = {0};
    bool built = false;
    if (cvk_cl_kernel(&asked, file, defines, posts, kernel) == CVK_OK) {
        pthread_mutex_lock(&device->lock);
        built = find_built(cvk_cl_device_of(device), asked.request) != NULL;
        pthread_mutex_unlock(&device->lock);
    }
    cvk_cl_kernel_release(&asked);
    return built;
}

/* Appends the section of the wants from `first` on; returns how many they are. */
static cvk_status add_section(want *first, int count, int number, cvk_cl_text *out, int *wants)
{
    const char *kernels[CVK_CL_MOST_KERNELS];
    text source = {0};
    int n = 0, posts = 0;
    while (n < count && n < CVK_CL_MOST_KERNELS && by_section(first, first + n) == 0) {
        if (first[n].posts > posts) posts = first[n].posts;
        kernels[n] = first[n].request->kernel;
        n++;
    }
    *wants = n;
    for (int i = 0; i < n; i++) first[i].posts = posts;
    CVK_TRY(text_find(first->request->file, &source));
    const cvk_cl_section section = {.text = source.data,
                                    .defines = first->own,
                                    .kernels = kernels,
                                    .n_kernels = n,
                                    .posts = posts,
                                    .number = number};
    cvk_cl_compose(out, &section);
    free(source.owned);
    return out->failed ? cvk_fail(CVK_NO_MEMORY, "no memory for a program's text") : CVK_OK;
}

static cvk_status keep_built(cvk_cl_device *device, const want *w, int number, cl_program program,
                             bool owns)
{
    cvk_cl_built *built = calloc(1, sizeof *built + strlen(w->request->kernel) + 16);
    cvk_cl_launch copy = {0};
    cvk_status status = built ? cvk_cl_kernel(&copy, w->request->file, w->request->defines,
                                              w->posts, w->request->kernel)
                              : cvk_fail(CVK_NO_MEMORY, "no memory for a program");
    if (status) {
        free(built);
        return status;
    }
    sprintf(built->name, "%s_%d", w->request->kernel, number);
    built->request = copy.request;
    built->program = program;
    built->owns = owns;
    built->next = device->built;
    device->built = built;
    cvk_log(CVK_LOG_DEBUG, "%s: kernel %s is %s of %s%s%s -DPOSTS=%d", device->base.info.id,
            built->name, w->request->kernel, w->request->file, w->common, w->own, w->posts);
    return CVK_OK;
}

/* The files' names, each once. */
static void list_files(const want *wants, int count, cvk_cl_text *names)
{
    for (int i = 0; i < count; i++) {
        const char *file = wants[i].request->file;
        if (i && strcmp(wants[i - 1].request->file, file) == 0) continue;
        if (i) cvk_cl_text_add(names, ", ", 2);
        cvk_cl_text_add(names, file, strlen(file));
    }
}

/* Wants of the same common defines: one program. */
static cvk_status build_group(cvk_cl_device *device, want *wants, int count)
{
    text common = {0};
    cvk_cl_text body = {0}, files = {0};
    cl_program program = NULL;
    int n = 0;
    list_files(wants, count, &files);
    cvk_status status = text_find("common.cl", &common);
    for (int i = 0, number = 0; !status && i < count; i += n)
        status = add_section(wants + i, count - i, number++, &body, &n);
    if (!status && files.failed) status = cvk_fail(CVK_NO_MEMORY, "no memory for a program");
    const text parts[2] = {common, {.data = body.data, .bytes = body.bytes}};
    if (!status) status = build_texts(device, files.data, wants->common, parts, &program);
    bool owned = false;
    for (int i = 0, number = -1; !status && i < count; i++) {
        number += !i || by_section(wants + i - 1, wants + i) != 0;
        status = keep_built(device, wants + i, number, program, !owned);
        owned = owned || !status;
    }
    if (program && !owned) cvk_cl.ReleaseProgram(program);
    free(common.owned);
    free(body.data);
    free(files.data);
    return status;
}

static cvk_status build_wants(cvk_cl_device *device, want *wants, int count)
{
    qsort(wants, (size_t)count, sizeof *wants, by_kernel);
    for (int i = 0, n; i < count; i += n) {
        for (n = 1; i + n < count && strcmp(wants[i].common, wants[i + n].common) == 0;) n++;
        CVK_TRY(build_group(device, wants + i, n));
    }
    return CVK_OK;
}

/* What is not built yet of what the launches ask for, each once. */
static cvk_status build_missing(cvk_cl_device *device, cvk_cl_launch *const *launches, int count)
{
    int n = 0;
    want *wants = calloc((size_t)count, sizeof *wants);
    bool whole = wants != NULL;
    for (int i = 0; whole && i < count; i++) {
        const cvk_cl_request *request = launches[i]->request;
        if (!request || find_built(device, request)) continue;
        int k = 0;
        while (k < n && !same_request(wants[k].request, request)) k++;
        if (request->posts > wants[k].posts) wants[k].posts = request->posts;
        if (k < n) continue;
        wants[k].request = request;
        whole = split_defines(&wants[n++]);
    }
    cvk_status status = whole ? build_wants(device, wants, n)
                              : cvk_fail(CVK_NO_MEMORY, "no memory for a list of kernels");
    for (int k = 0; k < n; k++) free(wants[k].common);
    free(wants);
    return status;
}

static cvk_status make_kernel(cvk_cl_device *device, cvk_cl_launch *launch)
{
    cl_int code = CL_SUCCESS;
    if (!launch->request) return CVK_OK;
    const cvk_cl_built *built = find_built(device, launch->request);
    cl_kernel kernel = cvk_cl.CreateKernel(built->program, built->name, &code);
    if (code != CL_SUCCESS)
        return cvk_fail(CVK_DEVICE_FAILED, "%s: no kernel '%s' in %s (OpenCL error %d)",
                        device->base.info.id, launch->request->kernel, launch->request->file, code);
    return cvk_cl_request_fulfil(launch, kernel);
}

cvk_status cvk_cl_build(cvk_device *device, cvk_cl_launch *const *launches, int count)
{
    cvk_cl_device *cl = cvk_cl_device_of(device);
    if (!count) return CVK_OK;
    pthread_mutex_lock(&device->lock);
    cvk_status status = build_missing(cl, launches, count);
    for (int i = 0; !status && i < count; i++) status = make_kernel(cl, launches[i]);
    pthread_mutex_unlock(&device->lock);
    return status;
}

cvk_status cvk_cl_build_steps(cvk_device *device, cvk_step *const *steps, int count)
{
    int n = 0;
    for (int i = 0; i < count; i++) {
        const cvk_cl_work *work = steps[i]->state;
        for (cvk_cl_stage *stage = work ? work->first : NULL; stage; stage = stage->next) n++;
    }
    cvk_cl_launch **launches = calloc((size_t)n + 1, sizeof(cvk_cl_launch *));
    if (!launches) return cvk_fail(CVK_NO_MEMORY, "no memory for a list of kernels");
    n = 0;
    for (int i = 0; i < count; i++) {
        const cvk_cl_work *work = steps[i]->state;
        for (cvk_cl_stage *stage = work ? work->first : NULL; stage; stage = stage->next)
            launches[n++] = &stage->launch;
    }
    cvk_status status = cvk_cl_build(device, launches, n);
    free(launches);
    return status;
}

void cvk_cl_programs_free(cvk_cl_device *device)
{
    while (device->built) {
        cvk_cl_built *built = device->built;
        device->built = built->next;
        if (built->owns) cvk_cl.ReleaseProgram(built->program);
        cvk_cl_request_free(built->request);
        free(built);
    }
    cvk_store_close(device->store);
}
