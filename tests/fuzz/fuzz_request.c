/* Any frame is refused, or gives a request whose instructions can be printed and checked. */
#include "common/mem.h"
#include "router/wire/request.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request request;
    struct error err = {0};
    struct bytes text;

    bytes_init(&text, 0);
    int rc = request_decode(slice_of(data, size), false, &request, &err);
    assert(rc == E_OK || err.text[0] != 0);
    if (rc == E_OK && request.bytecode != NULL) {
        bytecode_print(&text, request.bytecode, "g");
        (void)bytecode_check(request.bytecode, &err);
    }
    if (rc == E_OK) {
        value_print(&text, &request.bindings);
    }
    request_close(&request);
    bytes_close(&text);
    return 0;
}
