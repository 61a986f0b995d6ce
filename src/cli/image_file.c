/* SPDX-License-Identifier: Apache-2.0
 *
 * JPEG and PNG files, by libjpeg and libpng. Both leave their decoders by longjmp on an error, so
 * each decoder is one function with its state in one struct.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

#include "cli/cli.h"
#include "cli/image.h"

enum { MAX_PIXELS = 1 << 28 };

typedef struct jpeg_state {
    struct jpeg_decompress_struct decoder;
    struct jpeg_error_mgr errors; /* its client is decoder.client_data */
    jmp_buf leave;
    char message[JMSG_LENGTH_MAX];
    image img;
} jpeg_state;

static void jpeg_failed(j_common_ptr decoder)
{
    jpeg_state *state = decoder->client_data;
    decoder->err->format_message(decoder, state->message);
    longjmp(state->leave, 1);
}

static void jpeg_quiet(j_common_ptr decoder)
{
    (void)decoder;
}

static bool read_jpeg(FILE *file, jpeg_state *state)
{
    struct jpeg_decompress_struct *d = &state->decoder;
    d->err = jpeg_std_error(&state->errors);
    d->client_data = state;
    state->errors.error_exit = jpeg_failed;
    state->errors.output_message = jpeg_quiet;
    if (setjmp(state->leave)) {
        jpeg_destroy_decompress(d);
        image_free(&state->img);
        return false;
    }
    jpeg_create_decompress(d);
    d->client_data = state;
    jpeg_stdio_src(d, file);
    jpeg_read_header(d, TRUE);
    if ((uint64_t)d->image_width * d->image_height > MAX_PIXELS) {
        snprintf(state->message, sizeof state->message, "too many pixels");
        longjmp(state->leave, 1);
    }
    d->out_color_space = d->jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(d);
    state->img = image_make((int)d->output_width, (int)d->output_height, d->output_components);
    size_t row = (size_t)d->output_width * (size_t)d->output_components;
    while (d->output_scanline < d->output_height) {
        JSAMPROW line = state->img.pixels + row * d->output_scanline;
        jpeg_read_scanlines(d, &line, 1);
    }
    jpeg_finish_decompress(d);
    jpeg_destroy_decompress(d);
    return true;
}

static int load_jpeg(const char *path, FILE *file, image *img)
{
    jpeg_state *state = need(1, sizeof *state);
    bool done = read_jpeg(file, state);
    *img = state->img;
    int code = done ? DONE : fail(BAD_FILE, "%s: no usable JPEG picture: %s", path, state->message);
    free(state);
    return code;
}

static int load_png(const char *path, FILE *file, image *img)
{
    png_image png = {.version = PNG_IMAGE_VERSION};
    png_color black = {0, 0, 0};
    if (!png_image_begin_read_from_stdio(&png, file))
        return fail(BAD_FILE, "%s: no usable PNG picture: %s", path, png.message);
    bool color = png.format & PNG_FORMAT_FLAG_COLOR;
    if ((uint64_t)png.width * png.height > MAX_PIXELS) {
        png_image_free(&png);
        return fail(BAD_FILE, "%s: %ux%u pixels are too many", path, png.width, png.height);
    }
    png.format = color ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    *img = image_make((int)png.width, (int)png.height, color ? 3 : 1);
    if (png_image_finish_read(&png, &black, img->pixels, 0, NULL)) return DONE;
    image_free(img);
    return fail(BAD_FILE, "%s: no usable PNG picture: %s", path, png.message);
}

int image_load(const char *path, image *img)
{
    FILE *file = fopen(path, "rb");
    if (!file) return fail(BAD_FILE, "%s: the picture cannot be opened", path);
    unsigned char magic[8] = {0};
    size_t n = fread(magic, 1, sizeof magic, file);
    rewind(file);
    int code;
    if (n == 8 && png_sig_cmp(magic, 0, 8) == 0)
        code = load_png(path, file, img);
    else if (n > 2 && magic[0] == 0xff && magic[1] == 0xd8)
        code = load_jpeg(path, file, img);
    else
        code = fail(BAD_FILE, "%s: neither a JPEG nor a PNG picture", path);
    fclose(file);
    return code;
}

int image_save_png(const char *path, const image *img)
{
    png_image png = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)img->width,
                     .height = (png_uint_32)img->height,
                     .format = img->channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY};
    if (png_image_write_to_file(&png, path, 0, img->pixels, 0, NULL)) return DONE;
    return fail(BAD_FILE, "%s: the PNG picture cannot be written: %s", path, png.message);
}
