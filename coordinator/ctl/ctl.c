#include "coordinator/ctl/ctl.h"

#include "common/jsontext.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS_MAX = 16 };

void ctl_error(const char *hint, const char *format, ...)
{
    va_list args;

    fputs("cardeactl: error: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    if (hint) {
        fprintf(stderr, "hint: %s\n", hint);
    }
}

void ctl_put(struct ctl_request *request, const char *key, struct value value)
{
    assert(request->count < CTL_PAIRS_MAX);
    request->pairs[2 * request->count] = value_cstring(key);
    request->pairs[2 * request->count + 1] = value;
    request->count++;
}

bool ctl_call(struct ctl *ctl, const struct ctl_request *request, struct value *reply, int *code)
{
    struct client_call call = {.op = "admin", .processor = "cardea"};
    struct client_answer answer;
    struct error err = {0};

    call.arguments = value_items(&ctl->arena, VALUE_MAP, request->pairs, request->count);
    if (client_request(&ctl->client, &call, &ctl->arena, &answer, &err) != E_OK) {
        ctl_error(NULL, "%s", err.text);
        *code = CTL_NO_SERVER;
        return false;
    }
    if (answer.status != 200 || answer.results.size != 1 ||
        answer.results.items[0].kind != VALUE_MAP) {
        ctl_error(NULL, "%.*s", (int)answer.message.size,
                  answer.message.size > 0 ? (const char *)answer.message.data : "");
        *code = answer.status == 598 ? CTL_NO_SERVER : CTL_FAILED;
        return false;
    }
    *reply = answer.results.items[0];
    return true;
}

const struct value *ctl_list(const struct value *map, const char *key)
{
    const struct value *list = value_get_text(map, key);

    return list != NULL && list->kind == VALUE_LIST ? list : NULL;
}

int64_t ctl_number(const struct value *map, const char *key)
{
    const struct value *number = value_get_text(map, key);

    return number != NULL && (number->kind == VALUE_LONG || number->kind == VALUE_INT)
               ? number->integer
               : 0;
}

static bool is_table(const struct value *value)
{
    return value != NULL && value->kind == VALUE_LIST && value->size > 0 &&
           value->items[0].kind == VALUE_MAP;
}

/* A table within a table is told by its size; it follows as a table of its own. */
static struct slice cell(struct ctl *ctl, const struct value *row, const struct value *column)
{
    const struct value *value = value_get(row, column);

    if (is_table(value)) {
        return slice_text(arena_format(&ctl->arena, "%u", value->size));
    }
    return value ? value_text(&ctl->arena, value) : SLICE("-");
}

static void show_rows(struct ctl *ctl, const struct value *list)
{
    const struct value *head = &list->items[0];
    size_t count = head->size < COLUMNS_MAX ? head->size : COLUMNS_MAX;
    size_t widths[COLUMNS_MAX] = {0};

    for (size_t c = 0; c < count; c++) {
        const struct value *column = &head->items[2 * c];
        widths[c] = value_text(&ctl->arena, column).size;
        for (uint32_t i = 0; i < list->size; i++) {
            size_t size = cell(ctl, &list->items[i], column).size;
            widths[c] = size > widths[c] ? size : widths[c];
        }
    }
    for (uint32_t i = 0; i < list->size + 1; i++) {
        for (size_t c = 0; c < count; c++) {
            const struct value *column = &head->items[2 * c];
            struct slice text =
                i == 0 ? value_text(&ctl->arena, column) : cell(ctl, &list->items[i - 1], column);
            printf("%s%-*.*s", c == 0 ? "" : "  ", c + 1 == count ? 0 : (int)widths[c],
                   (int)text.size, (const char *)text.data);
        }
        putchar('\n');
    }
}

static void show_inner(struct ctl *ctl, const struct value *list)
{
    for (uint32_t i = 0; i < list->size; i++) {
        const struct value *row = &list->items[i];
        const struct value *name = value_get_text(row, "name");
        for (uint32_t c = 0; c < row->size; c++) {
            if (is_table(&row->items[2 * c + 1])) {
                struct slice of = name ? value_text(&ctl->arena, name) : SLICE("");
                struct slice what = value_text(&ctl->arena, &row->items[2 * c]);
                printf("\n%.*s of %.*s\n", (int)what.size, (const char *)what.data, (int)of.size,
                       (const char *)of.data);
                show_rows(ctl, &row->items[2 * c + 1]);
            }
        }
    }
}

void ctl_show(struct ctl *ctl, const struct value *reply)
{
    struct bytes text = {0};

    bytes_init(&text, 0);
    if (ctl->is_json) {
        jsontext_write(&text, reply);
        printf("%.*s\n", (int)text.size, (const char *)text.data);
    }
    for (uint32_t i = 0; i < reply->size && !ctl->is_json; i++) {
        const struct value *key = &reply->items[2 * i], *value = &reply->items[2 * i + 1];
        bool is_rows = is_table(value);

        bytes_clear(&text);
        value_print(&text, key);
        if (is_rows) {
            printf("%s%.*s\n", i == 0 ? "" : "\n", (int)text.size, (const char *)text.data);
            show_rows(ctl, value);
            show_inner(ctl, value);
        } else {
            bytes_append(&text, ": ", 2);
            value_print(&text, value);
            printf("%.*s\n", (int)text.size, (const char *)text.data);
        }
    }
    bytes_close(&text);
}
