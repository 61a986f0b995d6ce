/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that replace their target when complete.
 */
#include "onnx/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

cvk_status cvk_outfile_open(const char *path, cvk_outfile *out)
{
    static atomic_uint serial;
    size_t room = strlen(path) + 48;
    *out = (cvk_outfile){.path = path, .temporary = malloc(room)};
    if (!out->temporary) return cvk_fail(CVK_NO_MEMORY, "out of memory: a file name");
    snprintf(out->temporary, room, "%s.%ld.%u.part", path, (long)getpid(),
             atomic_fetch_add(&serial, 1));
    int fd = open(out->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) out->file = fdopen(fd, "wb");
    if (out->file) return CVK_OK;
    cvk_status status = cvk_fail(CVK_IO, "cannot write '%s': %s", path, strerror(errno));
    if (fd >= 0) {
        close(fd);
        unlink(out->temporary);
    }
    free(out->temporary);
    return status;
}

cvk_status cvk_outfile_close(cvk_outfile *out, cvk_status status)
{
    bool written = !ferror(out->file) && fflush(out->file) == 0;
    if (fclose(out->file) != 0) written = false;
    if (!status && !written)
        status = cvk_fail(CVK_IO, "cannot write '%s': %s", out->path, strerror(errno));
    if (!status && rename(out->temporary, out->path) != 0)
        status = cvk_fail(CVK_IO, "cannot put '%s' in its place: %s", out->path, strerror(errno));
    if (status) unlink(out->temporary);
    free(out->temporary);
    return status;
}
