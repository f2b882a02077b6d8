/*
 * fuzz_message.c -- any bytes are a message or are refused; one that was read is written to the
 * same bytes. Its body is tried as what the transport itself reads: a greeting, a refusal.
 */
#include <assert.h>

#include "common/crc.h"
#include "common/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_body(struct slice body)
{
    struct wire_hello hello;
    struct error err = {0};

    (void)wire_hello_decode(body, &hello, &err);
    if (message_refusal(body, &err) != E_MALFORMED) {
        assert(err.code < 0);
    }
}

static void try_message(struct slice input)
{
    struct message message;
    struct bytes out = {0};

    if (message_decode(input, &message, NULL) == E_OK) {
        message_encode(&out, &message);
        assert(slice_equal(bytes_slice(&out), input));
        bytes_clear(&out);
        message_dump(&out, &message);
        try_body(message.body);
    }
    bytes_close(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes copy = {0};

    try_message(slice_of(data, size));
    try_body(slice_of(data, size));
    if (size >= MESSAGE_HEADER_SIZE) {
        /* With the right checksum and size, so that the rest of the decoder is reached. */
        bytes_append(&copy, data, size);
        bytes_patch_u32(&copy, 68, (uint32_t)(size - MESSAGE_HEADER_SIZE));
        bytes_patch_u32(&copy, 72, 0);
        bytes_patch_u32(&copy, 76, 0);
        bytes_patch_u32(&copy, 72, crc_extend(0, copy.data, copy.size));
        try_message(bytes_slice(&copy));
        bytes_close(&copy);
    }
    return 0;
}
