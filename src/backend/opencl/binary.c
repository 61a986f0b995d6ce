/* SPDX-License-Identifier: Apache-2.0
 *
 * Built programs in the store, so that the next process need not build them. The key says all that
 * the binary depends on: the library, the text, the options, the device, its driver and platform.
 * Not for devices that are CPUs: their implementations compile a kernel when it is first launched,
 * and asking for the binary would compile all of them at once (PoCL: three times the cold start).
 */
#include <stdlib.h>
#include <string.h>

#include "backend/opencl/device.h"
#include "base/log.h"

enum { MAX_DEVICES = 32, MAX_WORD = 1024 };

static const char kind[] = "opencl program";

/* Appends a length and the bytes, so that no two lists of parts give the same key. */
static bool append(cvk_cl_key *key, const void *part, size_t bytes)
{
    char *data = realloc(key->data, key->bytes + sizeof bytes + bytes);
    if (!data) return false;
    memcpy(data + key->bytes, &bytes, sizeof bytes);
    if (bytes) memcpy(data + key->bytes + sizeof bytes, part, bytes);
    key->data = data;
    key->bytes += sizeof bytes + bytes;
    return true;
}

static bool append_device(cvk_cl_key *key, cl_device_id id)
{
    static const cl_device_info infos[] = {CL_DEVICE_NAME, CL_DEVICE_VENDOR, CL_DEVICE_VERSION,
                                           CL_DRIVER_VERSION};
    static const cl_platform_info platform_infos[] = {CL_PLATFORM_NAME, CL_PLATFORM_VERSION};
    char word[MAX_WORD];
    size_t bytes = 0;
    cl_platform_id platform = NULL;
    for (size_t i = 0; i < sizeof infos / sizeof *infos; i++)
        if (cvk_cl.GetDeviceInfo(id, infos[i], sizeof word, word, &bytes) != CL_SUCCESS ||
            !append(key, word, bytes))
            return false;
    if (cvk_cl.GetDeviceInfo(id, CL_DEVICE_PLATFORM, sizeof platform, &platform, NULL) !=
        CL_SUCCESS)
        return false;
    for (size_t i = 0; i < sizeof platform_infos / sizeof *platform_infos; i++)
        if (cvk_cl.GetPlatformInfo(platform, platform_infos[i], sizeof word, word, &bytes) !=
                CL_SUCCESS ||
            !append(key, word, bytes))
            return false;
    return true;
}

void cvk_cl_key_make(cvk_cl_device *device, const char *options, const char *const texts[2],
                     const size_t bytes[2], cvk_cl_key *key)
{
    *key = (cvk_cl_key){0};
    if (device->base.caps.bits & CVK_CAP_CPU) return;
    if (!device->store_asked) device->store = cvk_store_open();
    device->store_asked = true;
    if (!device->store) return;
    const char *version = cvk_version();
    if (append(key, version, strlen(version)) && append(key, options, strlen(options)) &&
        append(key, texts[0], bytes[0]) && append(key, texts[1], bytes[1]) &&
        append_device(key, device->id))
        return;
    free(key->data);
    *key = (cvk_cl_key){0};
    cvk_log(CVK_LOG_WARN,
            "%s: a program is built without the store: the device does not say what "
            "it is, or there is no memory",
            device->base.info.id);
}

/* A binary that the driver takes but that holds no kernels is of no use either. */
static bool build_binary(cvk_cl_device *device, const char *options, cl_program program)
{
    size_t kernels = 0;
    return cvk_cl.BuildProgram(program, 1, &device->id, options, NULL, NULL) == CL_SUCCESS &&
           cvk_cl.GetProgramInfo(program, CL_PROGRAM_NUM_KERNELS, sizeof kernels, &kernels, NULL) ==
               CL_SUCCESS &&
           kernels > 0;
}

cl_program cvk_cl_binary_load(cvk_cl_device *device, const cvk_cl_key *key, const char *options)
{
    void *data = NULL;
    size_t bytes = 0;
    cl_int code = CL_SUCCESS, taken = CL_SUCCESS;
    if (!key->bytes || !cvk_store_get(device->store, kind, key->data, key->bytes, &data, &bytes))
        return NULL;
    const unsigned char *binary = data;
    cl_program program = cvk_cl.CreateProgramWithBinary(device->context, 1, &device->id, &bytes,
                                                        &binary, &taken, &code);
    free(data);
    if (code != CL_SUCCESS) program = NULL;
    if (program && taken == CL_SUCCESS && build_binary(device, options, program)) return program;
    if (program) cvk_cl.ReleaseProgram(program);
    cvk_log(CVK_LOG_WARN, "%s: the driver does not take back a stored binary (OpenCL error %d)",
            device->base.info.id, code ? code : taken);
    return NULL;
}

/* A caller's context may have other devices: their binaries are not asked for. */
static bool read_binary(cvk_cl_device *device, cl_program program, unsigned char **data,
                        size_t *bytes)
{
    cl_device_id ids[MAX_DEVICES];
    size_t sizes[MAX_DEVICES], got = 0;
    unsigned char *parts[MAX_DEVICES] = {NULL};
    if (cvk_cl.GetProgramInfo(program, CL_PROGRAM_DEVICES, sizeof ids, ids, &got) != CL_SUCCESS)
        return false;
    size_t count = got / sizeof *ids, at = 0;
    while (at < count && ids[at] != device->id) at++;
    if (at == count || cvk_cl.GetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof sizes, sizes,
                                             NULL) != CL_SUCCESS)
        return false;
    if (!sizes[at] || !(parts[at] = malloc(sizes[at]))) return false;
    *data = parts[at];
    *bytes = sizes[at];
    return cvk_cl.GetProgramInfo(program, CL_PROGRAM_BINARIES, count * sizeof *parts, parts,
                                 NULL) == CL_SUCCESS;
}

void cvk_cl_binary_save(cvk_cl_device *device, const cvk_cl_key *key, cl_program program)
{
    unsigned char *data = NULL;
    size_t bytes = 0;
    if (!key->bytes) return;
    if (read_binary(device, program, &data, &bytes))
        cvk_store_put(device->store, kind, key->data, key->bytes, data, bytes);
    else
        cvk_log(CVK_LOG_INFO, "%s: the driver gives no binary of a program: it is not kept",
                device->base.info.id);
    free(data);
}
